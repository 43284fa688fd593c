// Output `file`: appends records to a file, one JSON object a line, exactly once also over crashes.
// Its state, kept with the cursor, is the file's path and length: what is longer was written by a request that was not
// finished and is cut back. The file itself, and what others do to it: AppendedFile.swift.
private import Bytes
import Disk
package import Pipeline
private import Telemetry

/// Appends NDJSON to files.
package final class FileOutput: Output {
    package static let name = "file"

    package struct Settings: FileWritingSettings {
        /// May hold strftime's `%Y %m %d %H %M %S %j`, filled in with the node's local time of writing.
        package let path: String
        /// Past this size a new file is begun.
        package let maxSize: ByteSize
        package let written: WrittenFiles?

        package init(from fields: inout Fields) {
            path =
                fields.required("path", as: PathText.self, hint: "for example 'path: /var/log/sluice/%Y-%m-%d.ndjson'")?
                .text ?? ""
            if let wrong = TimePattern.unknownConversion(in: path) {
                fields.refuse(
                    "path", "'%\(wrong)' is no conversion that is known here",
                    hint: "use %Y %m %d %H %M %S %j, and %% for a percent sign")
            }
            if let (what, hint) = Self.fault(of: path) { fields.refuse("path", what, hint: hint) }
            maxSize = fields.value("max_size", default: .gibibytes(1), atLeast: .kibibytes(64))
            written = path.isEmpty ? nil : Self.files(path)
        }

        /// What is no file on any machine: folders, and descriptors of processes, whatever they lead to.
        private static func fault(of path: String) -> (String, String)? {
            if path.hasSuffix("/") { return ("is a folder", "write '\(path)%Y-%m-%d.ndjson' for a file in it") }
            let isDescriptor =
                ["/dev/stdin", "/dev/stdout", "/dev/stderr"].contains(path) || path.hasPrefix("/dev/fd/")
                || (path.hasPrefix("/proc/") && path.contains("/fd/"))
            guard isDescriptor else { return nil }
            return ("'\(path)' is no file of its own", "for standard output there is 'type: stdout'")
        }

        private static func files(_ path: String) -> WrittenFiles {
            guard let percent = path.firstIndex(of: "%") else { return WrittenFiles(setting: "path", path: path) }
            let slash = path[..<percent].lastIndex(of: "/")
            let rest = slash.map { path[path.index(after: $0)...] } ?? path[...]
            let folder = slash.map { $0 == path.startIndex ? "/" : String(path[..<$0]) } ?? "."
            return WrittenFiles(setting: "path", folder: folder, rest: TimePattern.bytes(of: rest))
        }

        package var usedFiles: UsedFiles {
            var files = UsedFiles()
            if !path.isEmpty { files.written = [TimePattern.written(path)] }
            return files
        }
    }

    private let settings: Settings
    private let context: PluginContext
    private let fileSystem: any FileSystem
    private var current: AppendedFile?
    private var buffer = Arena(capacity: 512 * 1024)

    /// - Throws: when the path is that of something that is no file, such as a pipe.
    package init(_ settings: Settings, context: PluginContext) throws(PluginError) {
        self.settings = settings
        self.context = context
        fileSystem = context.fileSystem
        let path = TimePattern.fill(settings.path, at: SystemClock.realtime)
        if let status = Directory.status(path), let fault = AppendedFile.fault(of: status, path) {
            throw .unusable(fault)
        }
    }

    package func findings() -> [String] {
        let path = TimePattern.fill(settings.path, at: SystemClock.realtime)
        let relative =
            path.hasPrefix("/") ? nil : "'\(settings.path)' is relative: it depends on where the agent is started"
        return [relative, WritableFolder.fault(ofFile: path)].compactMap { $0 }
    }

    package var state: [UInt8] { current?.state ?? [] }

    /// Takes the file up that was written last, and cuts off what a request that was not finished has left in it.
    package func open(state: [UInt8]) async throws(DeliveryFailure) {
        guard let kept = AppendedFile.Kept(state) else { return }
        do throws(DiskError) {
            context.ownFiles.claim(kept.path, by: context.name)
            current = try AppendedFile.takeUp(kept, fileSystem, context.telemetry)
        } catch {
            throw DeliveryFailure(error.description)
        }
    }

    // MARK: Writing

    /// Chooses the file, so that the cursor knows which one it is and how long before anything of a request is in it.
    package func prepare() async throws(DeliveryFailure) { _ = try fileForNow() }

    package func send(_ request: borrowing Request) async throws(DeliveryFailure) {
        let file = if let current { current } else { try fileForNow() }
        var end = file.length
        do throws(DiskError) {
            file.isUnfinished = true
            try request.withTexts(inflatingInto: &buffer) { text throws(DiskError) in
                try fileSystem.write(text, to: file.file, at: end)
                end += UInt64(text.count)
            }
            try file.finish(at: end)
        } catch {
            // What was written of it is cut back before it comes again.
            throw DeliveryFailure(error.description)
        }
    }

    /// The file that records go to now: another one when the time changed its name, when it has grown too large, or when it is not
    /// where it was.
    private func fileForNow() throws(DeliveryFailure) -> AppendedFile {
        let base = TimePattern.fill(settings.path, at: SystemClock.realtime)
        do throws(DiskError) {
            if let old = current {
                if try old.isInPlace(), old.base == base, old.length < UInt64(settings.maxSize.bytes) { return old }
                try fileSystem.sync(old.file)
                current = nil
            }
            let next = try begin(base)
            current = next
            return next
        } catch {
            throw DeliveryFailure(error.description)
        }
    }

    /// Opens the file of this name or, when that is full, the first free one of `name.0001`, `name.0002`, ...
    private func begin(_ base: String) throws(DiskError) -> AppendedFile {
        try fileSystem.makeFolder(Path.parent(base))
        var number = 0
        while true {
            let digits = String(number)
            let path =
                number == 0 ? base : "\(base).\(String(repeating: "0", count: max(0, 4 - digits.count)))\(digits)"
            if (Directory.status(path)?.size ?? 0) < UInt64(settings.maxSize.bytes) {
                context.ownFiles.claim(path, by: context.name)
                let file = try AppendedFile.begin(path, base: base, fileSystem, context.telemetry)
                context.ownFiles.claim(path, by: context.name)
                return file
            }
            number += 1
        }
    }

    package func close() async {
        if let current { try? fileSystem.sync(current.file) }
    }
}
