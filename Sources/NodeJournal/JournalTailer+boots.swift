// What of a journal lies before the place that was reached although it was never read: it is looked for at the journal's end, and read
// boot by boot. Why there is such a thing is told in BootCoverage.swift.
import Bytes
import Disk
import Journal
import Records
import Telemetry

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

    /// The reader of the whole journal has come to an entry of another boot. What of it comes next may have been read before; and what
    /// comes before it in its boot may not, where its clock was set in between: then the boot is read apart.
    func step(into moment: JournalMoment, _ reader: inout JournalReader) throws(JournalError) {
        if let last = standing.boot {
            if !standing.isReadApart { coverage.note(last, standing.reached) }
            numbers[last] = standing.numbers
        }
        let boot = moment.bootID
        let reached = coverage[boot] ?? .nothing
        let here = JournalCursor(try reader.cursor())
        var passing = BootStanding.Passing.none
        if reached.isApart {
            passing = .apart
        } else if let here, numbers[boot] != BootNumbers(sequenceID: here.sequenceID, next: here.sequence) {
            let first = try firstUnread(boot)
            if let first, first.isSameEntry(as: here) {
                passing = .none
            } else if let first, first.isBefore(here) {
                readApart(boot)
                passing = .apart
            } else {
                passing = .again(until: first)
            }
        }
        standing = BootStanding(boot, after: coverage[boot] ?? .nothing, with: here, passing: passing)
    }

    /// Whether the entry that the reader stands on is to be passed over.
    @inline(__always)
    func passes(_ moment: JournalMoment, _ reader: inout JournalReader) throws(JournalError) -> Bool {
        if case .none = standing.passes {
            standing.step(moment)
            if standing.isCountUnknown { try countEntriesOfMoment() }
            return false
        }
        return try passesOver(moment, &reader)
    }

    private func passesOver(_ moment: JournalMoment, _ reader: inout JournalReader) throws(JournalError) -> Bool {
        switch standing.passes {
        case .none: return false
        case .apart:
            standing.pass()
            return true
        case .again(let first):
            // Later than all that was read.
            if moment.monotonic > standing.monotonic { break }
            if let first, moment.monotonic == standing.monotonic, let here = JournalCursor(try reader.cursor()),
                here.isSameEntry(as: first)
            {
                break
            }
            standing.pass()
            return true
        }
        standing.stopPassing()
        standing.step(moment)
        if standing.isCountUnknown { try countEntriesOfMoment() }
        return false
    }

    /// The first entry of a boot that was not read; nil when all were.
    private func firstUnread(_ boot: JournalID) throws(JournalError) -> JournalCursor? {
        if lookout == nil { lookout = try JournalReader(source, links: options.links) }
        guard var other = lookout.take() else { return nil }
        let found = try firstUnread(&other, boot) == nil ? nil : JournalCursor(try other.cursor())
        lookout = consume other
        return found
    }

    /// From now on a boot has a reader of its own.
    private func readApart(_ boot: JournalID) {
        if !coverage.isApart(boot) {
            if told.insert("boot \(boot)").inserted {
                telemetry.tell(JournalEvent.readApart(input: options.title, boot: boot))
            }
            coverage.setApart(boot)
        }
        if !waiting.contains(boot) { waiting.append(boot) }
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
            try reader.seek(to: position.place)
            while try reader.previous() {
                // What has just this time is read.
                if case .from(let time) = position, try reader.realtime() >= time { continue }
                let text = try reader.cursor()
                let reached = BootReached(
                    monotonic: try reader.moment().monotonic, count: BootReached.all, cursor: text)
                coverage.note(boot, reached)
                isUntold = true
                break
            }
        }
    }

    /// The whole journal is read to its end: what its boots have beyond what was read of them sorts before that.
    func lookForBoots() {
        guard isToLookAtBoots || tails.contains(where: { isBehind($0) }) else { return }
        isToLookAtBoots = false
        // The files may be others than when the journal was opened.
        tails = JournalTail.list(JournalSurvey.headers(of: source))
        let growing = growingBoots()
        var found: [(boot: JournalID, time: UInt64)] = []
        let boots = lookAtBoots { reader, boot throws(JournalError) in
            guard !coverage.isSettled(boot), !waiting.contains(boot), !apart.contains(where: { $0.boot == boot })
            else { return }
            if let time = try firstUnread(&reader, boot) {
                found.append((boot, time))
            } else if let growing, !growing.contains(boot) {
                coverage.settle(boot)
            }
        }
        forgotten += coverage.forget(except: boots)
        for tail in tails where isBehind(tail) { examined[tail.boot] = tail.monotonic }
        for (boot, _) in found.sorted(by: { $0.time < $1.time }) { readApart(boot) }
    }

    /// The boots that the files which are written to have; nil when that cannot be told.
    private func growingBoots() -> Set<JournalID>? {
        guard !tails.isEmpty else { return [] }
        do throws(JournalError) {
            var reader = try JournalReader(.files(tails.map(\.file.path)))
            return Set(try reader.values(of: "_BOOT_ID").compactMap { JournalID($0) })
        } catch {
            return nil
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
}

extension JournalCursor {
    /// Whether it is of the same entry, perhaps of a copy of it with other numbers.
    fileprivate func isSameEntry(as other: JournalCursor) -> Bool {
        isSameMoment(as: other) && contentHash == other.contentHash
    }

    /// Whether an entry comes before another one of its boot.
    fileprivate func isBefore(_ other: JournalCursor) -> Bool {
        sequenceID == other.sequenceID ? sequence < other.sequence : monotonic < other.monotonic
    }
}

extension JournalPosition {
    /// Where a reader has to go.
    fileprivate var place: JournalPlace {
        switch self {
        case .from(let time): .realtime(time)
        case .after(let text): .cursor(text)
        }
    }
}
