// What an operator should hear before anything is read: files that cannot be read, and settings that match nothing.
import Bytes
package import Journal

/// A look at a journal and at what is asked of it.
package struct JournalExamination: Sendable {
    /// A part of a selection that no entry in the journal has.
    package struct Unmatched: Sendable {
        /// What it is about: "unit", "identifier", or a field's name.
        package let kind: String
        /// What was asked for.
        package let asked: String
        /// What the journal has of that kind, sorted.
        package let present: [String]

        package init(kind: String, asked: String, present: [String]) {
            (self.kind, self.asked, self.present) = (kind, asked, present)
        }
    }

    /// Whether nothing at all can be read.
    package let isEmpty: Bool
    /// What cannot be read, each as a sentence.
    package let findings: [String]
    package let unmatched: [Unmatched]

    /// Looks at folders or files as an operator names them; none: at this machine's journal.
    package init(_ paths: [String], _ selection: JournalSelection) {
        do throws(JournalError) {
            self.init(paths.isEmpty ? .local : try JournalSource(paths: paths), selection)
        } catch {
            self.init(failure: error.description)
        }
    }

    private init(failure: String) {
        isEmpty = true
        findings = [failure]
        unmatched = []
    }

    /// Looks, without reading entries. It takes readers of its own for as long as that takes.
    package init(_ source: JournalSource, _ selection: JournalSelection) {
        let survey = JournalSurvey(source)
        let isReadable = survey.files.contains { file in
            if case .damaged? = file.problem { return true }
            return file.problem == nil
        }
        var findings = survey.findings.map(\.description)
        if !isReadable, findings.isEmpty { findings = ["there are no journal files"] }
        if case .folders(let folders) = source, folders.count > 2 {
            findings.append(JournalError.tooManyFolders(folders).description)
        }
        var unmatched: [Unmatched] = []
        do throws(JournalError) {
            if isReadable { unmatched = try JournalExamination.unmatched(source, selection) }
        } catch {
            findings.append(error.description)
        }
        isEmpty = !isReadable
        self.findings = findings
        self.unmatched = unmatched
    }

    private static func unmatched(
        _ source: JournalSource, _ selection: JournalSelection
    ) throws(JournalError) -> [Unmatched] {
        var unmatched: [Unmatched] = []
        func look(_ kind: String, _ globs: [Glob], _ fields: [String]) throws(JournalError) {
            guard !globs.isEmpty else { return }
            let present = try values(source, fields)
            for glob in globs where !present.contains(where: { glob.matches($0) }) {
                // What is no glob is looked up, which is exact however many values there are; of others a list that was cut says nothing.
                if let literal = glob.literal {
                    if try hasAny(source, fields, literal) { continue }
                } else if present.count >= mostValues {
                    continue
                }
                unmatched.append(Unmatched(kind: kind, asked: glob.pattern, present: present))
            }
        }
        let units = ["_SYSTEMD_UNIT", "UNIT", "OBJECT_SYSTEMD_UNIT", "COREDUMP_UNIT"]
        let slices = selection.units.contains { $0.pattern.hasSuffix(".slice") } ? ["_SYSTEMD_SLICE"] : []
        try look("unit", selection.units, units + slices)
        try look("identifier", selection.identifiers, ["SYSLOG_IDENTIFIER"])
        for (field, wanted) in selection.matches {
            let present = try values(source, [field])
            for value in wanted.map({ String(decoding: $0, as: UTF8.self) }) where !present.contains(value) {
                if try hasAny(source, [field], value) { continue }
                unmatched.append(Unmatched(kind: field, asked: value, present: present))
            }
        }
        return unmatched
    }

    /// Of a field no more values are listed.
    private static let mostValues = 10_000

    /// The folders of a source, each for itself, which needs no links; those that are not there are left out.
    private static func parts(_ source: JournalSource) -> [JournalSource] {
        guard case .folders(let paths) = source, paths.count > 1 else { return [source] }
        return paths.map { .folders([$0]) }.filter { !$0.presentFolders.isEmpty }
    }

    /// The values of some fields in a source.
    private static func values(_ source: JournalSource, _ fields: [String]) throws(JournalError) -> [String] {
        var values: Set<String> = []
        for part in parts(source) {
            var reader = try JournalReader(part)
            for field in fields { values.formUnion(try reader.values(of: field, limit: mostValues)) }
        }
        return values.sorted()
    }

    /// Whether an entry has this value in one of some fields.
    private static func hasAny(
        _ source: JournalSource, _ fields: [String], _ value: String
    ) throws(JournalError) -> Bool {
        for part in parts(source) {
            var reader = try JournalReader(part)
            try reader.select(JournalMatches(anyOf: fields.map { [JournalTerm($0, value)] }))
            if try reader.next() { return true }
        }
        return false
    }
}
