// Reads the entries of one boot and no others: within a boot libsystemd's order does not depend on the wall clock.
import Journal

/// A reader of one boot's entries, behind those that were read.
final class BootReader {
    let boot: JournalID
    /// What was read before, and what has been since.
    private(set) var reached: BootReached
    /// Taken while a batch is read.
    var reader: JournalReader?
    /// The last step found nothing.
    var isAtEnd = false
    private var hasRead = false
    /// Entries with the same time, the first of which may have been read.
    private var seen: (monotonic: UInt64, count: UInt32) = (0, 0)

    /// Opens a reader, and lets it stand before the first entry of the boot that was not read.
    init(_ boot: JournalID, after reached: BootReached, _ source: JournalSource, links: String?) throws(JournalError) {
        self.boot = boot
        self.reached = reached
        var reader = try JournalReader(source, links: links)
        try BootReader.place(&reader, boot, reached)
        self.reader = consume reader
    }

    /// Lets a reader step on one boot's entries only, from the first on that may not have been read.
    static func place(
        _ reader: inout JournalReader, _ boot: JournalID, _ reached: BootReached
    ) throws(JournalError) {
        try reader.select(JournalMatches([JournalTerm("_BOOT_ID", "\(boot)")]))
        if let cursor = reached.cursor {
            _ = try reader.resume(after: cursor)
        } else {
            try reader.seek(to: reached.count == 0 ? .head : .monotonic(reached.monotonic, boot: boot))
        }
    }

    /// Bytes of entries that it has read.
    var bytes: UInt64 = 0

    /// Whether the entry that the reader stands on was read before. `isFirst`: none was found yet that was not.
    func wasRead(_ moment: JournalMoment, isFirst: Bool) -> Bool {
        if !isFirst || hasRead || reached.cursor != nil { return false }
        seen = (moment.monotonic, moment.monotonic == seen.monotonic ? seen.count &+ 1 : 1)
        return reached.includes(moment.monotonic, seen.count)
    }

    /// The batch that ended with the entry of this journal cursor is handed out.
    func finish(at text: String, _ moment: JournalMoment) {
        hasRead = true
        reached = BootReached(monotonic: moment.monotonic, count: BootReached.all, cursor: text, isApart: true)
    }
}
