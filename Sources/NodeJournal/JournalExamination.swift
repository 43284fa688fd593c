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
    }

    /// Whether nothing at all can be read.
    package let isEmpty: Bool
    /// What cannot be read, each as a sentence.
    package let findings: [String]
    package let unmatched: [Unmatched]

    /// Looks, without reading entries. It takes readers of its own for as long as that takes.
    package init(_ source: JournalSource, _ selection: JournalSelection) {
        let survey = JournalSurvey(source)
        let isReadable = survey.files.contains { file in
            if case .damaged? = file.problem { return true }
            return file.problem == nil
        }
        var findings = survey.findings.map(\.description)
        if !isReadable, findings.isEmpty { findings = ["there are no journal files"] }
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
                unmatched.append(Unmatched(kind: field, asked: value, present: present))
            }
        }
        return unmatched
    }

    /// All values of some fields in a source. Two folders are looked at one after the other: that needs no links.
    private static func values(_ source: JournalSource, _ fields: [String]) throws(JournalError) -> [String] {
        var values: Set<String> = []
        var parts = [source]
        if case .folders(let paths) = source { parts = paths.map { .folders([$0]) } }
        for part in parts {
            // One of two folders is enough.
            guard part.presentFolders.isEmpty == false || parts.count == 1 else { continue }
            var reader = try JournalReader(part)
            for field in fields { values.formUnion(try reader.values(of: field)) }
        }
        return values.sorted()
    }
}
