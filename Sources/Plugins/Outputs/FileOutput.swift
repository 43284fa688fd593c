// Output `file`: appends records to a file, one JSON object a line, exactly once also over crashes.
// Its state, kept with the cursor, is the file's path and length: what is longer was written by a request that was not
// finished and is cut back, what is shorter was lost by others.
private import Bytes
import Disk
package import Pipeline
private import Telemetry

/// Appends NDJSON to files.
package final class FileOutput: Output {
    package static let name = "file"

    package struct Settings: PluginSettings {
        /// May hold strftime's `%Y %m %d %H %M %S %j`, filled in with the node's local time of writing.
        package let path: String
        /// Past this size a new file is begun.
        package let maxSize: ByteSize

        package init(from fields: inout Fields) {
            path =
                fields.required("path", as: String.self, hint: "for example 'path: /var/log/sluice/%Y-%m-%d.ndjson'")
                ?? ""
            if let wrong = TimePattern.unknownConversion(in: path) {
                fields.refuse(
                    "path", "'%\(wrong)' is no conversion that is known here",
                    hint: "use %Y %m %d %H %M %S %j, and %% for a percent sign")
            }
            maxSize = fields.value("max_size", default: .gibibytes(1), atLeast: .kibibytes(64))
        }
    }

    private let settings: Settings
    private let context: PluginContext
    private let fileSystem: any FileSystem
    private var current: Current?
    private var buffer = Arena(capacity: 512 * 1024)

    /// The file that is being written.
    private final class Current {
        let file: OwnedFile
        let path: String
        /// The path as the pattern gave it, without the number behind it.
        let base: String
        /// Bytes that are acknowledged; what lies behind them belongs to a request that is not finished.
        var length: UInt64

        init(file: consuming OwnedFile, path: String, base: String, length: UInt64) {
            self.file = file
            self.path = path
            self.base = base
            self.length = length
        }
    }

    package init(_ settings: Settings, context: PluginContext) throws(PluginError) {
        self.settings = settings
        self.context = context
        fileSystem = context.fileSystem
    }

    // MARK: State

    package var state: [UInt8] {
        guard let current else { return [] }
        var out = Arena(capacity: 256)
        out.append(littleEndian: current.length)
        out.append(littleEndian: UInt16(current.base.utf8.count))
        out.append(text: current.path)
        return Array(copying: out.span)
    }

    package func open(state: [UInt8]) async throws(DeliveryFailure) {
        guard state.count > 10 else { return }
        let length = (0..<8).reduce(UInt64(0)) { $0 | UInt64(state[$1]) << UInt64(8 * $1) }
        let baseCount = Int(state[8]) | Int(state[9]) << 8
        let path = String(decoding: state[10...], as: UTF8.self)
        let base = String(decoding: path.utf8.prefix(baseCount), as: UTF8.self)
        do throws(DiskError) {
            let file = try fileSystem.open(path, .update)
            let size = try file.status().size
            if size > length {
                try fileSystem.truncate(file, to: length)
                context.telemetry.tell(FileOutputEvent.cutBack(path: path, bytes: size - length))
            } else if size < length {
                context.telemetry.tell(FileOutputEvent.shorter(path: path, bytes: length - size))
            }
            // What is shorter may end anywhere.
            let end = size < length ? try repairEnd(file) : length
            current = Current(file: file, path: path, base: base, length: end)
        } catch {
            guard error.isMissing else { throw DeliveryFailure(error.description) }
            if length > 0 { context.telemetry.tell(FileOutputEvent.shorter(path: path, bytes: length)) }
        }
    }

    // MARK: Writing

    /// Chooses the file, so that the cursor knows which one it is and how long before anything of a request is in it.
    package func prepare() async throws(DeliveryFailure) { _ = try fileForNow() }

    package func send(_ request: borrowing Request) async throws(DeliveryFailure) {
        let file = if let current { current } else { try fileForNow() }
        var end = file.length
        do throws(DiskError) {
            try request.withTexts(inflatingInto: &buffer) { text throws(DiskError) in
                try fileSystem.write(text, to: file.file, at: end)
                end += UInt64(text.count)
            }
        } catch {
            // Repeated from the same place: what was written of it already is overwritten by the same bytes.
            throw DeliveryFailure(error.description)
        }
        file.length = end
    }

    /// The file that records go to now: another one when the time changed its name or it has grown too large.
    private func fileForNow() throws(DeliveryFailure) -> Current {
        let base = TimePattern.fill(settings.path, at: SystemClock.realtime)
        if let current, current.base == base, current.length < UInt64(settings.maxSize.bytes) { return current }
        do throws(DiskError) {
            if let old = current {
                // What a failed attempt left behind is sent to the next file.
                if try old.file.status().size > old.length { try fileSystem.truncate(old.file, to: old.length) }
                try fileSystem.sync(old.file)
            }
            let next = try begin(base)
            current = next
            return next
        } catch {
            throw DeliveryFailure(error.description)
        }
    }

    /// Opens the file of this name or, when that is full, the first free one of `name.0001`, `name.0002`, ...
    private func begin(_ base: String) throws(DiskError) -> Current {
        try fileSystem.makeFolder(Path.parent(base))
        var number = 0
        while true {
            let digits = String(number)
            let path =
                number == 0 ? base : "\(base).\(String(repeating: "0", count: max(0, 4 - digits.count)))\(digits)"
            let size = Directory.status(path)?.size ?? 0
            if size < UInt64(settings.maxSize.bytes), path != current?.path {
                let file = try fileSystem.open(path, .create)
                let length = try repairEnd(file)
                return Current(file: file, path: path, base: base, length: length)
            }
            number += 1
        }
    }

    /// The length of a file that somebody else may have left in the middle of a line: a newline is put behind it.
    private func repairEnd(_ file: borrowing OwnedFile) throws(DiskError) -> UInt64 {
        let size = try file.status().size
        guard size > 0, try file.read(count: 1, at: size - 1) != [UInt8(ascii: "\n")] else { return size }
        try fileSystem.write([UInt8(ascii: "\n")].span, to: file, at: size)
        return size + 1
    }

    package func close() async {
        if let current { try? fileSystem.sync(current.file) }
    }
}
