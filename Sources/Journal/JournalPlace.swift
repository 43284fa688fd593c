// What a reader is told, and what it tells.

/// Where a reader goes. It stands between entries then: `next()` or `previous()` steps on the one beside the place.
package enum JournalPlace: Hashable, Sendable {
    /// Before the first entry. sd_journal_seek_head
    case head
    /// Behind the last entry; only `previous()` may follow. To wait for what comes, use `skipToEnd()`. sd_journal_seek_tail
    case tail
    /// At an entry, or where it would be if it is gone. sd_journal_seek_cursor
    case cursor(String)
    /// At the first entry that is not older: microseconds since 1970. sd_journal_seek_realtime_usec
    case realtime(UInt64)
    /// At the first entry of a boot that is not older: microseconds since it began. sd_journal_seek_monotonic_usec
    case monotonic(UInt64, boot: JournalID)
}

/// What a reader found where it had stopped.
package enum JournalResumption: Sendable {
    /// The entry is there, and the reader on it: `next()` steps on the one behind it.
    case found
    /// The entry is gone; `next()` steps on the first later one.
    case gone
    /// The entry is gone, and there is none that is later: everything here is older, or was written after a clock was set back.
    /// `next()` steps on entries that sort behind the lost one, and on no other: look at the head, or wait at `skipToEnd()`.
    case nothingLater
}

/// What happened to the journal since the reader looked last. In each case `next()` tells whether there is an entry.
package enum JournalChange: Sendable {
    /// SD_JOURNAL_NOP
    case nothing
    /// Entries were appended. SD_JOURNAL_APPEND
    case append
    /// Files came or went: rotation, deletion, another machine. SD_JOURNAL_INVALIDATE
    case invalidate
}

/// When an entry was written, as its machine knew it.
package struct JournalMoment: Hashable, Sendable {
    /// Microseconds since the boot began.
    package let monotonic: UInt64
    /// The boot. Times of different boots cannot be compared.
    package let bootID: JournalID
}
