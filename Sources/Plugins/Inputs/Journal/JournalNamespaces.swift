// Which of journald's namespaces an input reads. Each is a journal of its own, with a tailer and positions of its own.
import Bytes
import Journal
import NodeJournal
import Records

/// The namespaces beside a journal.
struct JournalNamespaces {
    /// Where the journal is.
    let paths: [String]
    /// The names that are asked for; nil: the setting is not there.
    let wanted: [Glob]?

    /// The journal beside which they are; nil where its paths make none.
    private var source: JournalSource? { paths.isEmpty ? .local : try? JournalSource(paths: paths) }

    /// Those that are there.
    private var present: [JournalNamespace] { source?.namespaces ?? [] }

    /// Those that are there and wanted.
    var chosen: [JournalNamespace] {
        guard let wanted, !wanted.isEmpty else { return [] }
        return present.filter { namespace in wanted.contains { $0.matches(namespace.name) } }
    }

    /// The folders of one of them.
    func folders(of namespace: JournalNamespace) -> [String] {
        source?.folders(of: namespace) ?? []
    }

    /// The names of those that are there though nobody said whether they are to be read.
    var unasked: [String] { wanted == nil ? JournalNamespaces.names(present) : [] }

    /// What is asked for and not there, and what there is.
    var absent: [(asked: String, present: [String])] {
        guard let wanted, !wanted.isEmpty else { return [] }
        let names = JournalNamespaces.names(present)
        // That there is none is what `*` may find.
        return wanted.filter { glob in glob.pattern != "*" && !names.contains { glob.matches($0) } }
            .map { ($0.pattern, names) }
    }

    private static func names(_ namespaces: [JournalNamespace]) -> [String] {
        Set(namespaces.map(\.name)).sorted()
    }

    /// The namespace's folder of which a source's path speaks, as tailers of namespaces call their sources; nil for other paths.
    static func folder(ofPath path: String) -> String? {
        let names = path.split(separator: ":").map { $0.split(separator: "/").last ?? "" }
        guard let first = names.first, names.allSatisfy({ $0 == first }), JournalNamespace(folder: first) != nil
        else { return nil }
        return String(first)
    }
}
