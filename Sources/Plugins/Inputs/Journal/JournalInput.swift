// Input `journal`: the systemd journal of this node, read by libsystemd. How it is followed is docs/journal.md.
package import Disk
import Journal
import NodeJournal
package import Pipeline
package import Records
import Telemetry

/// Reads a journal.
package final class JournalInput: Input {
    package static let name = "journal"
    package static let standardParsers = [KlogParser.name]

    package struct Settings: PluginSettings {
        let journal: JournalSettings

        package init(from fields: inout Fields) { journal = JournalSettings(from: &fields) }
    }

    private let settings: JournalSettings
    private let context: PluginContext
    private let namespaces: JournalNamespaces
    /// That of the journal, and those of its namespaces.
    private var tailers: [JournalTailer] = []
    private var followed: Set<JournalNamespace> = []
    /// Whose turn it is.
    private var turn = 0
    /// What the store remembered of namespaces.
    private var known: [KnownSource] = []
    private var nextLook = Int64.max
    private static let lookInterval: Int64 = 10_000_000_000

    package init(_ settings: Settings, context: PluginContext) throws(PluginError) {
        self.settings = settings.journal
        self.context = context
        namespaces = JournalNamespaces(paths: settings.journal.paths, wanted: settings.journal.namespaces)
    }

    package var jsonMode: JSONMode { settings.json }

    private var selection: JournalSelection {
        var selection = settings.selection
        selection.believesKlog = context.parsers.contains(KlogParser.name)
        return selection
    }

    package func open(on poller: inout Poller, start: InputStart) throws(PluginError) {
        let path = settings.paths.joined(separator: ":")
        known = start.known.filter { $0.identity.path != path && isNamespace($0) }
        let own = start.known.filter { source in !known.contains { $0.number == source.number } }
        let tailer = JournalTailer(options(settings.paths, namespace: nil), known: own, telemetry: context.telemetry)
        let reason = tailer.open(on: &poller, now: SystemClock.monotonic)
        tailers = [tailer]
        lookForNamespaces(on: &poller, now: SystemClock.monotonic)
        if reason == nil { tellUnmatched() }
        let unasked = namespaces.unasked
        if !unasked.isEmpty {
            context.telemetry.tell(JournalEvent.namespaces(input: context.name, names: unasked))
        }
    }

    private func isNamespace(_ source: KnownSource) -> Bool {
        source.identity.kind == .journal && JournalNamespaces.folder(ofPath: source.identity.path) != nil
    }

    private func options(_ paths: [String], namespace: JournalNamespace?) -> JournalTailOptions {
        var options = JournalTailOptions(input: context.name)
        options.namespace = namespace?.name
        options.paths = paths
        options.links = context.dataDirectory.map { directory in
            "\(directory)/journal-\(context.name)" + (namespace.map { "-\($0.folder)" } ?? "")
        }
        options.records.fields = settings.fields
        options.records.selection = selection
        options.records.maxField = settings.maxField.bytes
        options.records.node = context.node
        options.records.staticFields = context.staticFields
        options.start = settings.start
        options.once = context.once
        return options
    }

    /// Begins to follow namespaces that are wanted and have come.
    private func lookForNamespaces(on poller: inout Poller, now: Int64) {
        guard namespaces.wanted?.isEmpty == false else { return }
        nextLook = context.once ? .max : now + JournalInput.lookInterval
        for namespace in namespaces.chosen where followed.insert(namespace).inserted {
            let known = known.filter { JournalNamespaces.folder(ofPath: $0.identity.path) == namespace.folder }
            let tailer = JournalTailer(
                options(namespaces.folders(of: namespace), namespace: namespace), known: known,
                telemetry: context.telemetry)
            tailer.open(on: &poller, now: now)
            tailers.append(tailer)
        }
    }

    private func tellUnmatched() {
        for unmatched in examine().unmatched {
            context.telemetry.tell(
                JournalEvent.nothingMatches(
                    input: context.name, what: "\(unmatched.kind) \(unmatched.asked)", hint: unmatched.hint))
        }
    }

    /// What is wrong with the journal and its namespaces, and what none of them has.
    private func examine() -> (findings: [String], unmatched: [JournalExamination.Unmatched]) {
        let whole = JournalExamination(settings.paths, selection)
        let others = namespaces.chosen.map { namespace in
            JournalExamination(namespaces.folders(of: namespace).filter { Directory.status($0) != nil }, selection)
        }
        let unmatched = whole.unmatched.filter { missing in
            others.allSatisfy { $0.unmatched.contains { $0.kind == missing.kind && $0.asked == missing.asked } }
        }
        let absent = namespaces.absent.map { asked, present in
            JournalExamination.Unmatched(kind: "namespace", asked: asked, present: present)
        }
        return (whole.findings + others.flatMap(\.findings), unmatched + absent)
    }

    package func findings() -> [String] {
        let (findings, unmatched) = examine()
        let unasked = namespaces.unasked
        return findings
            + unmatched.map {
                $0.kind == "namespace"
                    ? "the journal has no namespace \($0.asked): \($0.hint)"
                    : "no entry in the journal has the \($0.kind) \($0.asked): \($0.hint)"
            }
            + (unasked.isEmpty
                ? []
                : [
                    "the journal has namespaces that are not read: \(unasked.joined(separator: ", "))"
                        + " (read them with 'namespaces: [\(unasked.joined(separator: ", "))]', or write 'namespaces: []' if they are not wanted)"
                ])
    }

    package func wake(on poller: inout Poller, now: Int64) {
        for tailer in tailers { tailer.wake(on: &poller, now: now) }
        if now >= nextLook { lookForNamespaces(on: &poller, now: now) }
    }

    package var nextDeadline: Int64 { tailers.reduce(nextLook) { min($0, $1.nextDeadline) } }
    package var hasReady: Bool { tailers.contains { $0.hasReady } }
    /// Nobody knows how many bytes of a journal are unread.
    package var lag: UInt64 { 0 }

    package var failure: String? { tailers.lazy.compactMap(\.failure).first }

    package func read(
        into batch: inout RecordBatch, sparing: Bool, now: Int64, define: (SourceIdentity) -> SourceNumber
    ) -> Bool {
        for _ in tailers {
            turn = (turn + 1) % tailers.count
            if tailers[turn].hasReady, tailers[turn].read(into: &batch, sparing: sparing, define: define) {
                return true
            }
        }
        return false
    }
}

extension JournalExamination.Unmatched {
    /// What may have been meant.
    fileprivate var hint: String {
        if let meant = Suggestions.closest(to: asked, among: present) { return "did you mean \(meant)?" }
        guard !present.isEmpty else {
            return kind == "namespace" ? "there is none" : "no entry has anything of the kind"
        }
        let some = present.prefix(12).joined(separator: ", ")
        return (present.count == 1 ? "there is " : "there are ") + some
            + (present.count > 12 ? " and \(present.count - 12) more" : "")
    }
}
