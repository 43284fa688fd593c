// What `sluice tail` writes: records as they are to look, and what happened between them.
import Bytes
import Disk
import Display
import Viewer

/// Writes to a terminal, a pager or a pipe.
struct TailOutput: ~Copyable {
    private let file: OwnedFile
    private var display: RecordDisplay
    private var text = Arena(capacity: 128 * 1024)
    private let isColored: Bool
    /// Notices are for people, not for programs.
    private let showsNotices: Bool
    private static let writeSize = 64 * 1024

    init(_ file: consuming OwnedFile, _ options: DisplayOptions, isColored: Bool) {
        self.file = file
        display = RecordDisplay(options)
        self.isColored = isColored
        switch options.style {
        case .json, .jsonPretty, .export, .raw, .cat: showsNotices = false
        default: showsNotices = true
        }
    }

    /// Runs to the end. A pipe that nobody reads any more is an end like another.
    mutating func run(_ tail: Tail) throws -> SearchStats {
        let stats = try tail.run { item in
            switch item {
            case .record(let line): display.append(line, to: &text)
            case .notice(let notice): append(notice)
            }
            return try text.count < TailOutput.writeSize || write()
        } flush: {
            if try !write() { tail.stop() }
        }
        _ = try write()
        return stats
    }

    private mutating func append(_ notice: String) {
        guard showsNotices else { return }
        if isColored { text.append("\u{1b}[2m") }
        text.append(text: "-- \(notice) --")
        if isColored { text.append("\u{1b}[0m") }
        text.append("\n")
    }

    /// Returns whether somebody reads: a pipe that was closed is the end; a full disk is an error.
    private mutating func write() throws(DiskError) -> Bool {
        guard text.count > 0 else { return true }
        defer { text.removeAll() }
        do throws(DiskError) {
            try file.write(text.span)
            return true
        } catch {
            guard error.isBrokenPipe else { throw error }
            return false
        }
    }
}
