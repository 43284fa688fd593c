// Records that were found, by time: the wanted ones of a chunk, or what is held back to be put in order.
package import Bytes

/// A found record: a line of JSON in a run's text.
struct FoundRecord: BitwiseCopyable {
    /// Nanoseconds since 1970.
    let time: Int64
    /// Which of two records of one time comes first.
    let order: UInt64
    let start: UInt32
    let length: UInt32

    @inline(__always)
    func isBefore(_ other: FoundRecord) -> Bool {
        time != other.time ? time < other.time : order < other.order
    }
}

/// Some records with their text, sorted by time once they are all there.
package final class RecordRun {
    private(set) var text: Arena
    private var records: Column<FoundRecord>
    private var places: [Int32] = []
    /// How many were taken.
    private var taken = 0
    private let isReversed: Bool

    /// Makes an empty run.
    package init(capacity: Int = 1024, isReversed: Bool = false) {
        text = Arena(capacity: capacity)
        records = Column(capacity: 16)
        self.isReversed = isReversed
    }

    /// Whether every record was taken.
    package var isEmpty: Bool { records.count == taken }
    var count: Int { records.count - taken }

    /// Adds a record: a line of `source`, its newline included.
    package func append(_ source: borrowing Arena, from start: Int, count length: Int, time: Int64, order: UInt64) {
        let at = text.count
        text.append(source, from: start, count: length)
        records.append(
            FoundRecord(time: time, order: order, start: UInt32(at), length: UInt32(length)))
    }

    /// Adds a record that is lent by another run.
    package func append(_ line: Span<UInt8>, time: Int64, order: UInt64) {
        let at = text.count
        text.append(line)
        records.append(FoundRecord(time: time, order: order, start: UInt32(at), length: UInt32(line.count)))
    }

    /// Puts the records in order: the earliest first, or the latest first when the run is reversed.
    package func sort() {
        places = (0..<Int32(records.count)).map { $0 }
        var isSorted = true
        for i in 1..<max(1, records.count) where records[i].isBefore(records[i - 1]) { isSorted = false }
        if !isSorted { places.sort { records[Int($0)].isBefore(records[Int($1)]) } }
        if isReversed { places.reverse() }
    }

    /// The earliest time of the records that are left.
    var earliest: Int64 { records[Int(isReversed ? places[places.count - 1] : places[taken])].time }

    /// The latest time of the records that are left.
    var latest: Int64 { records[Int(isReversed ? places[taken] : places[places.count - 1])].time }

    /// The next record.
    var first: FoundRecord { records[Int(places[taken])] }

    /// Lends the next record's line, and goes on to the one behind it.
    package func takeFirst<R>(_ body: (Span<UInt8>, Int64) throws -> R) rethrows -> R {
        let record = first
        taken += 1
        return try text.lend(record) { try body($0, record.time) }
    }
}

extension Arena {
    /// Lends a record's line.
    fileprivate func lend<R>(_ record: FoundRecord, _ body: (Span<UInt8>) throws -> R) rethrows -> R {
        try body(span.extracting(Int(record.start)..<Int(record.start + record.length)))
    }
}

/// Many runs as one, by time.
struct RunHeap {
    /// A heap: the run whose next record comes first is at its top.
    private var runs: [RecordRun] = []
    private let isReversed: Bool

    init(isReversed: Bool) { self.isReversed = isReversed }

    var isEmpty: Bool { runs.isEmpty }
    /// The time of the next record.
    var time: Int64 { runs[0].first.time }

    mutating func insert(_ run: RecordRun) {
        guard !run.isEmpty else { return }
        runs.append(run)
        var i = runs.count - 1
        while i > 0, comes(i, before: (i - 1) / 2) {
            runs.swapAt(i, (i - 1) / 2)
            i = (i - 1) / 2
        }
    }

    /// Lends the next record's line.
    mutating func takeFirst<R>(_ body: (Span<UInt8>, Int64) throws -> R) rethrows -> R {
        let result = try runs[0].takeFirst(body)
        if runs[0].isEmpty {
            runs[0] = runs[runs.count - 1]
            runs.removeLast()
        }
        var i = 0
        while true {
            var least = i
            for child in [2 * i + 1, 2 * i + 2] where child < runs.count && comes(child, before: least) {
                least = child
            }
            if least == i { break }
            runs.swapAt(i, least)
            i = least
        }
        return result
    }

    @inline(__always)
    private func comes(_ a: Int, before b: Int) -> Bool {
        isReversed ? runs[b].first.isBefore(runs[a].first) : runs[a].first.isBefore(runs[b].first)
    }
}
