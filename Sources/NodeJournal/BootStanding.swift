// Where in the boots of a journal the reader of the whole of it stands.
import Journal
import Records

/// The boot in which the reader of the whole journal stands.
struct BootStanding {
    private(set) var boot: JournalID?
    /// How far it has been read there; `count` is that of the entries with this time.
    private(set) var monotonic: UInt64 = 0
    private(set) var count: UInt32 = 0
    /// The journal cursor of the last entry that was read, at the end of a batch.
    private(set) var cursor: String?
    /// Another entry has the time of the one before, of which is known by its cursor alone which it was.
    private(set) var isCountUnknown = false
    /// What the next entry's numbers are, if no other boot comes between.
    private var next: (sequenceID: JournalID, sequence: UInt64)?
    /// What comes is passed over: the boot has a reader of its own, or its entries were read and come again.
    private(set) var passes = Passing.none

    /// Which entries are passed over.
    enum Passing {
        case none
        /// All of them.
        case apart
        /// Those that are no later than the last one read, up to the first that was not. By its numbers, libsystemd has gone on to entries
        /// whose clock was behind, and goes through all that are later by the clock.
        case again(until: JournalCursor?)
    }

    init() {}

    /// Where a position is; `boot`: where reading goes on instead.
    init(in boot: JournalID?, at position: JournalPosition?, _ coverage: BootCoverage) {
        self.boot = boot
        defer { if let boot = self.boot, coverage.isApart(boot) { passes = .apart } }
        guard boot == nil, case .after(let text) = position, let reached = JournalCursor(text) else { return }
        self.boot = reached.bootID
        next = (reached.sequenceID, reached.sequence &+ 1)
        if let known = coverage[reached.bootID], known.monotonic > reached.monotonic {
            // It stood among entries that came again.
            (monotonic, count, cursor) = (known.monotonic, known.count, known.cursor)
            passes = .again(until: nil)
        } else {
            // Nobody knows how many have this time.
            (monotonic, count, cursor) = (reached.monotonic, BootReached.all, text)
        }
    }

    /// Begins in another boot, which was read so far, with an entry of these numbers.
    init(_ boot: JournalID, after reached: BootReached, with entry: JournalCursor?, passing: Passing) {
        self.boot = boot
        monotonic = reached.monotonic
        count = reached.count
        cursor = reached.cursor
        next = entry.map { ($0.sequenceID, $0.sequence) }
        passes = passing
    }

    /// The boot has a reader of its own.
    var isReadApart: Bool { if case .apart = passes { true } else { false } }

    /// The next entry has this time, and is one that was not read.
    @inline(__always)
    mutating func step(_ moment: JournalMoment) {
        next?.sequence &+= 1
        if moment.monotonic == monotonic {
            if count < BootReached.all { count += 1 } else { isCountUnknown = cursor != nil }
            if cursor != nil, !isCountUnknown { cursor = nil }
        } else if moment.monotonic > monotonic {
            monotonic = moment.monotonic
            count = 1
            if cursor != nil { cursor = nil }
        }
    }

    /// What the numbers of the boot's next unread entry are, if they are known.
    var numbers: BootNumbers? {
        guard case .none = passes else { return nil }
        return next.map { BootNumbers(sequenceID: $0.sequenceID, next: $0.sequence) }
    }

    /// A batch ended with the entry of this journal cursor.
    mutating func reach(_ text: String) { if case .none = passes { cursor = text } }

    /// From here on nothing is passed over.
    mutating func stopPassing() { passes = .none }

    /// An entry is passed over.
    mutating func pass() { next?.sequence &+= 1 }

    /// So many entries have this time, up to the present one.
    mutating func setCount(_ count: UInt32) {
        self.count = count
        cursor = nil
        isCountUnknown = false
    }

    var reached: BootReached { BootReached(monotonic: monotonic, count: count, cursor: cursor) }
}

/// The numbers that the next entry of a boot has, if nothing comes between.
struct BootNumbers: Equatable {
    let sequenceID: JournalID
    let next: UInt64
}
