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

        package var usedFiles: UsedFiles {
            var files = UsedFiles()
            let selection = journal.selection
            files.readsWholeJournal =
                journal.paths.isEmpty && selection.units.isEmpty && selection.identifiers.isEmpty
                && selection.matches.isEmpty
                && selection.priorities?.contains(6) != false
            return files
        }
    }

    private let settings: JournalSettings
    private let context: PluginContext
    private var tailer: JournalTailer?

    package init(_ settings: Settings, context: PluginContext) throws(PluginError) {
        self.settings = settings.journal
        self.context = context
    }

    package var jsonMode: JSONMode { settings.json }

    private var selection: JournalSelection {
        var selection = settings.selection
        selection.believesKlog = context.parsers.contains(KlogParser.name)
        return selection
    }

    package func open(on poller: inout Poller, start: InputStart) throws(PluginError) {
        var options = JournalTailOptions(input: context.name)
        options.paths = settings.paths
        options.links = context.dataDirectory.map { "\($0)/journal-\(context.name)" }
        options.records.fields = settings.fields
        options.records.selection = selection
        options.records.maxField = settings.maxField.bytes
        options.records.node = context.node
        options.records.staticFields = context.staticFields
        options.start = settings.start
        options.once = context.once
        let tailer = JournalTailer(options, known: start.known, telemetry: context.telemetry)
        let reason = tailer.open(on: &poller, now: SystemClock.monotonic)
        self.tailer = tailer
        if reason == nil { tellUnmatched() }
    }

    private func tellUnmatched() {
        for unmatched in JournalExamination(settings.paths, selection).unmatched {
            context.telemetry.tell(
                JournalEvent.nothingMatches(
                    input: context.name, what: "\(unmatched.kind) \(unmatched.asked)", hint: unmatched.hint))
        }
    }

    package func findings() -> [String] {
        let examination = JournalExamination(settings.paths, selection)
        return examination.findings
            + examination.unmatched.map { "no entry in the journal has the \($0.kind) \($0.asked): \($0.hint)" }
    }

    package func wake(on poller: inout Poller, now: Int64) { tailer?.wake(on: &poller, now: now) }
    package var nextDeadline: Int64 { tailer?.nextDeadline ?? .max }
    package var hasReady: Bool { tailer?.hasReady ?? false }
    /// Nobody knows how many bytes of a journal are unread.
    package var lag: UInt64 { 0 }

    package var failure: String? { tailer?.failure }

    package func read(
        into batch: inout RecordBatch, sparing: Bool, now: Int64, define: (SourceIdentity) -> SourceNumber
    ) -> Bool { tailer?.read(into: &batch, sparing: sparing, define: define) ?? false }
}

extension JournalExamination.Unmatched {
    /// What may have been meant.
    fileprivate var hint: String {
        if let meant = Suggestions.closest(to: asked, among: present) { return "did you mean \(meant)?" }
        guard !present.isEmpty else { return "no entry has anything of the kind" }
        let some = present.prefix(12).joined(separator: ", ")
        return (present.count == 1 ? "there is " : "there are ") + some
            + (present.count > 12 ? " and \(present.count - 12) more" : "")
    }
}
