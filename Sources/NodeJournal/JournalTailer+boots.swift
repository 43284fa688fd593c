// What of a journal lies before the place that was reached although it was never read: it is looked for at the journal's end, and read
// boot by boot. Why there is such a thing is told in BootCoverage.swift.
import Bytes
import Disk
import Journal
import Records
import Telemetry

/// The boot in which the reader of the whole journal stands.
struct BootStanding {
    private(set) var boot: JournalID?
    /// How far it has been read there; `count` is that of the entries with this time.
    private(set) var monotonic: UInt64 = 0
    private(set) var count: UInt32 = 0
    /// The journal cursor of the last entry, at the end of a batch.
    var cursor: String?
    /// Another entry has the time of the one before, of which is known by its cursor alone which it was.
    private(set) var isCountUnknown = false
    /// The boot has a reader of its own: its entries are passed over.
    private(set) var isReadApart = false
    /// Entries that were read come once more: by their numbers, libsystemd has gone on to some whose clock was behind, and goes through all
    /// that are later by the clock.
    private var isAgain = false
    /// The entry has the time of the last one that was read before: it may be that one, or another one with this time.
    private(set) var isUncertain = false
    /// Then it is looked up which entry is the first that was not read; `.some(nil)`: there is none.
    var firstUnread: JournalCursor??

    init() {}

    /// Where a position is; `boot`: where reading goes on instead.
    init(in boot: JournalID?, at position: JournalPosition?, _ coverage: BootCoverage) {
        self.boot = boot
        defer { isReadApart = self.boot.map { coverage.isApart($0) } ?? false }
        guard boot == nil, case .after(let text) = position, let reached = JournalCursor(text) else { return }
        self.boot = reached.bootID
        monotonic = reached.monotonic
        // Nobody knows how many.
        count = BootReached.all
        cursor = text
    }

    /// Begins in another boot, which was read so far, with an entry of this time.
    init(_ boot: JournalID, after reached: BootReached, with moment: JournalMoment) {
        self.boot = boot
        monotonic = reached.monotonic
        count = reached.count
        cursor = reached.cursor
        isReadApart = reached.isApart
        isAgain = reached.count > 0 && moment.monotonic <= reached.monotonic
    }

    /// The next entry has this time. Returns whether it is to be passed over.
    @inline(__always)
    mutating func passes(_ moment: JournalMoment) -> Bool {
        if isReadApart || isAgain { return passesAgain(moment) }
        step(moment)
        return false
    }

    private mutating func passesAgain(_ moment: JournalMoment) -> Bool {
        isUncertain = !isReadApart && moment.monotonic == monotonic
        if isReadApart || moment.monotonic <= monotonic { return true }
        goOn(with: moment)
        return false
    }

    /// The next entry is one that was not read.
    mutating func goOn(with moment: JournalMoment) {
        isAgain = false
        isUncertain = false
        step(moment)
    }

    @inline(__always)
    private mutating func step(_ moment: JournalMoment) {
        if moment.monotonic == monotonic {
            if count < BootReached.all { count += 1 } else { isCountUnknown = cursor != nil }
            if cursor != nil, !isCountUnknown { cursor = nil }
        } else if moment.monotonic > monotonic {
            monotonic = moment.monotonic
            count = 1
            if cursor != nil { cursor = nil }
        }
    }

    /// So many entries have this time, up to the present one.
    mutating func setCount(_ count: UInt32) {
        self.count = count
        cursor = nil
        isCountUnknown = false
    }

    var reached: BootReached { BootReached(monotonic: monotonic, count: count, cursor: cursor) }
}

/// The end of a file that is written to, by its header.
struct JournalTail {
    let file: JournalFile
    /// The boot and the time in it of its last entry; the boot may already be that of the next one.
    let boot: JournalID
    let monotonic: UInt64

    private init?(_ file: JournalFile) {
        guard let header = file.header, header.state != .archived, header.entries > 0 else { return nil }
        self.file = file
        boot = header.bootID
        monotonic = header.lastMonotonic
    }

    /// Of files that have been looked at.
    static func list(_ files: [JournalFile]) -> [JournalTail] { files.compactMap { JournalTail($0) } }

    /// Of the same files as they are now.
    static func list(_ tails: [JournalTail]) -> [JournalTail] {
        tails.compactMap { JournalTail($0.file.withPresentHeader) }
    }
}

extension JournalTailer {
    /// Whether there may be something to read of a boot that is read apart.
    var hasApart: Bool { !waiting.isEmpty || apart.contains { !$0.isAtEnd } }

    /// The reader of the whole journal has come to an entry of another boot.
    func step(into moment: JournalMoment) {
        if let last = standing.boot, !standing.isReadApart { coverage.note(last, standing.reached) }
        standing = BootStanding(moment.bootID, after: coverage[moment.bootID] ?? .nothing, with: moment)
    }

    /// Whether an entry that has the time of the last one read of its boot was not read.
    func isUnread(_ reader: inout JournalReader) throws(JournalError) -> Bool {
        guard standing.isUncertain, let boot = standing.boot else { return false }
        let first: JournalCursor?
        if let known = standing.firstUnread {
            first = known
        } else {
            var other = try JournalReader(source, links: options.links)
            first = try firstUnread(&other, boot) == nil ? nil : JournalCursor(try other.cursor())
            standing.firstUnread = .some(first)
        }
        guard let first, let here = JournalCursor(try reader.cursor()) else { return false }
        return here.isSameMoment(as: first) && here.contentHash == first.contentHash
    }

    /// Counts the entries that have the time of the present one, up to it: of the one before only the cursor is known.
    func countEntriesOfMoment() throws(JournalError) {
        guard let boot = standing.boot, let last = standing.cursor.flatMap({ JournalCursor($0) }) else { return }
        var reader = try JournalReader(source, links: options.links)
        try BootReader.place(&reader, boot, BootReached(monotonic: standing.monotonic, count: 1))
        var count: UInt32 = 1
        while try reader.next(), let here = JournalCursor(try reader.cursor()), here.monotonic <= last.monotonic {
            if here.monotonic == last.monotonic { count += 1 }
            if here.isSameMoment(as: last), here.contentHash == last.contentHash { break }
        }
        standing.setCount(count)
    }

    /// What the store has to be told of boots with the next batch.
    func bootSteps(_ define: () -> SourceNumber) -> [Progress] {
        // That there is one of them says that the others that are there were looked at.
        if let boot = standing.boot, coverage[boot] == nil, case .after = position {
            coverage.note(boot, standing.reached)
        }
        defer { forgotten = [] }
        return forgotten + coverage.takeUntold(define)
    }

    // MARK: Finding what was not read

    /// What lies before the place of a first start is not to be read, and was read where the store remembers nothing but that place.
    func assumeBootsRead() {
        guard coverage.isEmpty, let position, position != .from(0) else { return }
        lookAtBoots { reader, boot throws(JournalError) in
            try reader.select(JournalMatches([JournalTerm("_BOOT_ID", "\(boot)")]))
            try reader.seek(to: .tail)
            guard try reader.previous(), let last = JournalCursor(try reader.cursor()), position.isBehind(last)
            else { return }
            let text = try reader.cursor()
            coverage.note(boot, BootReached(monotonic: last.monotonic, count: BootReached.all, cursor: text))
            isUntold = true
        }
    }

    /// The whole journal is read to its end: what its boots have beyond what was read of them sorts before that.
    func lookForBoots() {
        guard isToLookAtBoots || tails.contains(where: { isBehind($0) }) else { return }
        isToLookAtBoots = false
        // The files may be others than when the journal was opened.
        tails = JournalTail.list(JournalSurvey.headers(of: source))
        var found: [(boot: JournalID, time: UInt64)] = []
        let boots = lookAtBoots { reader, boot throws(JournalError) in
            guard !settled.contains(boot), !waiting.contains(boot), !apart.contains(where: { $0.boot == boot })
            else { return }
            if let time = try firstUnread(&reader, boot) {
                found.append((boot, time))
            } else if !tails.contains(where: { $0.boot == boot }) {
                settled.insert(boot)
            }
        }
        forgotten += coverage.forget(except: boots)
        for tail in tails where isBehind(tail) { examined[tail.boot] = tail.monotonic }
        for (boot, _) in found.sorted(by: { $0.time < $1.time }) {
            if !coverage.isApart(boot) {
                telemetry.tell(JournalEvent.readApart(input: options.title, boot: boot))
                coverage.setApart(boot)
            }
            waiting.append(boot)
        }
    }

    /// Whether a file ends with entries of another boot that were not read, as far as its header tells.
    private func isBehind(_ tail: JournalTail) -> Bool {
        guard tail.boot != standing.boot || standing.isReadApart, examined[tail.boot] != tail.monotonic,
            !waiting.contains(tail.boot), !apart.contains(where: { $0.boot == tail.boot })
        else { return false }
        return coverage[tail.boot].map { $0.monotonic < tail.monotonic } ?? true
    }

    /// Looks at each boot of the journal but that in which the reader of the whole journal stands. Returns all of them.
    @discardableResult
    private func lookAtBoots(
        _ body: (inout JournalReader, JournalID) throws(JournalError) -> Void
    ) -> Set<JournalID> {
        var boots: Set<JournalID> = []
        do throws(JournalError) {
            var reader = try JournalReader(source, links: options.links)
            boots = Set(try reader.values(of: "_BOOT_ID").compactMap { JournalID($0) })
            if let boot = standing.boot { boots.insert(boot) }
            for boot in boots.sorted(by: { "\($0)" < "\($1)" }) where boot != standing.boot || standing.isReadApart {
                try body(&reader, boot)
            }
        } catch {
            // What can be read of the journal is read all the same.
            if told.insert("boots").inserted {
                telemetry.tell(JournalEvent.readFailed(input: options.title, reason: "its boots: \(error)"))
            }
        }
        return boots
    }

    /// The time of the first entry of a boot that was not read; nil when all were.
    private func firstUnread(_ reader: inout JournalReader, _ boot: JournalID) throws(JournalError) -> UInt64? {
        let reached = coverage[boot] ?? .nothing
        try BootReader.place(&reader, boot, reached)
        var (time, number): (UInt64, UInt32) = (0, 0)
        while try reader.next() {
            if reached.cursor != nil { return try reader.realtime() }
            let moment = try reader.moment()
            number = moment.monotonic == time ? number + 1 : 1
            time = moment.monotonic
            if !reached.includes(time, number) { return try reader.realtime() }
        }
        return nil
    }

    // MARK: Reading it

    /// Reads a batch of a boot that is read apart. Returns false when there is nothing.
    func readApart(into batch: inout RecordBatch) -> Bool {
        let now = SystemClock.monotonic
        let before = clocks
        noted.removeAll()
        do throws(JournalError) {
            while let boot = try nextApart() {
                let (stepped, moment) = try readEntries(of: boot, &batch)
                guard stepped > 0, let moment, let text = try boot.reader?.cursor() else {
                    close(boot)
                    continue
                }
                lastEntryAt = now
                if let last = boot.reached.cursor, !mayNotSeeAll {
                    let missing = missing(between: last, text, stepped: stepped)
                    if missing > 0 {
                        telemetry.tell(JournalEvent.missing(input: options.title, entries: missing))
                        count(lost: missing)
                    }
                }
                boot.finish(at: text, moment)
                for event in noted { telemetry.tell(event) }
                coverage.note(boot.boot, boot.reached)
                if boot.bytes > JournalTailer.mappedBytes {
                    apart.removeAll { $0 === boot }
                    waiting.insert(boot.boot, at: 0)
                }
                return true
            }
        } catch {
            batch.reset()
            clocks = before
            failed(error, now)
        }
        return false
    }

    /// How many entries between those of two journal cursors are in no file, by their numbers. `stepped`: so many were read from behind
    /// the first one on.
    func missing(between first: String, _ last: String, stepped: UInt64) -> UInt64 {
        guard let from = JournalCursor(first), let to = JournalCursor(last), from.sequenceID == to.sequenceID,
            to.sequence > from.sequence, to.sequence - from.sequence > stepped
        else { return 0 }
        // Others may have the numbers: boots that one journald wrote in turns, some of them read apart.
        let files = JournalSurvey.headers(of: source).filter { file in
            guard let header = file.header, header.sequenceID == from.sequenceID else { return false }
            return header.lastSequence > from.sequence && header.firstSequence < to.sequence
        }
        let present = max(stepped - 1, (try? count(files.map(\.path), from: first, between: from, to)) ?? 0)
        let all = to.sequence - from.sequence - 1
        // A damaged number may say anything.
        return min(all - min(all, present), JournalRecords.mostLost)
    }

    /// The entries of some files between two of their numbers, as many as can be counted in a moment.
    private func count(
        _ files: [String], from text: String, between first: JournalCursor, _ last: JournalCursor
    ) throws(JournalError) -> UInt64 {
        guard !files.isEmpty else { return 0 }
        var reader = try JournalReader(.files(files))
        try reader.seek(to: .cursor(text))
        var count: UInt64 = 0
        while count < 100_000, try reader.next(), let here = JournalCursor(try reader.cursor()),
            here.sequence < last.sequence
        {
            if here.sequence > first.sequence { count += 1 }
        }
        return count
    }

    /// The boot that has the next batch; nil when none has anything.
    private func nextApart() throws(JournalError) -> BootReader? {
        if let boot = apart.first(where: { !$0.isAtEnd }) { return boot }
        guard let boot = waiting.first else { return nil }
        let reader = try BootReader(boot, after: coverage[boot] ?? .nothing, source, links: options.links)
        waiting.removeFirst()
        apart.append(reader)
        return reader
    }

    /// There is nothing more of a boot now. Its reader stays, if a file is written to that may get more of it.
    private func close(_ boot: BootReader) {
        boot.isAtEnd = true
        if !tails.contains(where: { $0.boot == boot.boot }) { apart.removeAll { $0 === boot } }
    }

    private func readEntries(
        of boot: BootReader, _ batch: inout RecordBatch
    ) throws(JournalError) -> (UInt64, last: JournalMoment?) {
        guard var open = boot.reader.take() else { return (0, nil) }
        // One that failed is not used again.
        let result = try readEntries(of: boot, &open, &batch)
        boot.reader = consume open
        return result
    }

    private func readEntries(
        of boot: BootReader, _ reader: inout JournalReader, _ batch: inout RecordBatch
    ) throws(JournalError) -> (UInt64, last: JournalMoment?) {
        var stepped: UInt64 = 0
        var last: JournalMoment?
        while batch.arena.count < JournalTailer.batchBytes, stepped < JournalTailer.batchEntries {
            guard try reader.next() else { break }
            let moment = try reader.moment()
            if boot.wasRead(moment, isFirst: stepped == 0) { continue }
            stepped += 1
            last = moment
            let time = try reader.realtime()
            noteClocks(time, moment)
            _ = try records.append(&reader, time: time, to: &batch)
            boot.bytes += records.takeBytes()
            noteSuppressed(&batch)
        }
        return (stepped, last)
    }
}

extension JournalPosition {
    /// Whether an entry sorts before this place, as libsystemd has it.
    func isBehind(_ entry: JournalCursor) -> Bool {
        switch self {
        case .from(let time): return entry.realtime < time
        case .after(let text):
            guard let place = JournalCursor(text) else { return false }
            if place.sequenceID == entry.sequenceID { return entry.sequence <= place.sequence }
            return entry.realtime <= place.realtime
        }
    }
}
