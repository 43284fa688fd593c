// Input `file`: text files by patterns, one record a line.
package import Disk
import NodeFiles
package import Pipeline
package import Records
import Telemetry

/// Reads text files.
package final class FileInput: Input {
    package static let name = "file"

    package struct Settings: PluginSettings {
        package let include: [PathGlob]
        package let exclude: [PathGlob]
        package let files: LogFileSettings

        package var usedFiles: UsedFiles {
            var files = UsedFiles()
            files.reads = { [include, exclude] path in
                include.contains { $0.matches(path) } && !exclude.contains { $0.matches(path) }
            }
            return files
        }

        package init(from fields: inout Fields) {
            include = fields.list("include", of: PathGlob.self)
            if include.isEmpty {
                fields.refuse("include", "names no files", hint: "for example 'include: [/var/log/*.log]'")
            }
            exclude = fields.list("exclude", of: PathGlob.self)
            files = LogFileSettings(from: &fields)
        }
    }

    private let settings: Settings
    private let context: PluginContext
    private var tailer: FileTailer?
    private var discovery: GlobDiscovery?
    /// With `once`: why there was nothing to read at the start.
    private var nothingToRead: String?
    private var hasRead = false
    private var watch = PolledWatch()

    package init(_ settings: Settings, context: PluginContext) throws(PluginError) {
        self.settings = settings
        self.context = context
    }

    package var jsonMode: JSONMode { settings.files.json }

    package func findings() -> [String] {
        let examination = FileExamination(settings.include, settings.exclude)
        return examination.relative + examination.findings
    }

    package func open(on poller: inout Poller, start: InputStart) throws(PluginError) {
        let examination = FileExamination(settings.include, settings.exclude)
        for finding in examination.findings {
            context.telemetry.tell(InputEvent.nothingToRead(input: context.name, finding: finding))
        }
        if context.once, !examination.hasFiles { nothingToRead = examination.findings.first }
        var options = settings.files.options(.plain, context: context, isFirst: start.isFirst)
        options.checksTail = true
        let tailer = FileTailer(options, known: start.known, telemetry: context.telemetry)
        watch.update(tailer, &poller)
        let (include, exclude, context) = (settings.include, settings.exclude, self.context)
        let own = OwnFileWatch(context)
        let discovery = GlobDiscovery(
            roots: Array(Set(include.map(\.folder))).sorted(), tailer: tailer, telemetry: context.telemetry,
            mayDescend: { folder in include.contains { $0.mayMatch(below: folder) } },
            isWanted: { path in
                include.contains { $0.matches(path) } && !exclude.contains { $0.matches(path) } && !own.isOwn(path)
            },
            ending: { path in
                var ending = RecordEnding(origin: "file")
                ending.append("file", [("path", .text(path)), ("node_name", .text(context.node))])
                return ending.finish(staticFields: context.staticFields)
            })
        discovery.start(now: SystemClock.monotonic)
        self.tailer = tailer
        self.discovery = discovery
    }

    package func wake(on poller: inout Poller, now: Int64) {
        discovery?.wake(now: now)
        if let tailer { watch.update(tailer, &poller) }
    }

    package var nextDeadline: Int64 { discovery?.nextDeadline ?? .max }
    package var hasReady: Bool { tailer?.hasReady ?? false }
    package var isWaiting: Bool { tailer?.isRetrying ?? false }
    package var lag: UInt64 { tailer?.lag ?? 0 }

    package func read(
        into batch: inout RecordBatch, sparing: Bool, now: Int64, define: (SourceIdentity) -> SourceNumber
    ) -> Bool {
        guard tailer?.read(into: &batch, sparing: sparing, now: now, define: define) == true else { return false }
        hasRead = true
        return true
    }

    /// What was found by its position, though its name has changed, is something.
    package var failure: String? { hasRead ? nil : nothingToRead }
}
