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
    /// The last journal entry's boot.
    private var boot: [UInt8]?
    private static let journal = Array(#","origin":"journal","journal":{"#.utf8)
    private static let bootID = Array(#""boot_id":""#.utf8)
    /// Notices are for people, not for programs.
    private let showsNotices: Bool
    private static let writeSize = 64 * 1024

    init(_ file: consuming OwnedFile, _ options: DisplayOptions, isColored: Bool, isQuiet: Bool) {
        self.file = file
        display = RecordDisplay(options)
        self.isColored = isColored
        switch options.style {
        case .json, .jsonPretty, .export, .raw, .cat: showsNotices = false
        default: showsNotices = !isQuiet
        }
    }

    /// Runs to the end. A pipe that nobody reads any more is an end like another.
    mutating func run(_ tail: Tail) throws -> SearchStats {
        let stats = try tail.run { item in
            switch item {
            case .record(let line):
                noteBoot(line)
                display.append(line, to: &text)
            case .notice(let notice): append(notice)
            }
            return try text.count < TailOutput.writeSize || write()
        } flush: {
            if try !write() { tail.stop() }
        }
        _ = try write()
        return stats
    }

    /// Says, as journalctl does, when an entry is of another boot than the one before it.
    private mutating func noteBoot(_ line: Span<UInt8>) {
        // Records end with what is theirs, so a message cannot be taken for it.
        guard showsNotices, let place = ByteSearch.find(TailOutput.journal.span, in: line),
            let found = ByteSearch.find(TailOutput.bootID.span, in: line.extracting(place..<line.count))
        else { return }
        let start = place + found + TailOutput.bootID.count
        guard start + 32 <= line.count else { return }
        let id = [UInt8](copying: line.extracting(start..<(start + 32)))
        if let boot, boot != id { append("Boot \(String(decoding: id, as: UTF8.self))") }
        boot = id
    }

    private mutating func append(_ notice: String) {
        guard showsNotices else { return }
        if isColored { text.append("\u{1b}[2m") }
        text.append("-- ")
        Printable.append(notice, to: &text)
        text.append(" --")
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
