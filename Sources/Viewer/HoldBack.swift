// Puts records that are followed in order: each is held back for a moment, in which earlier ones may still come.
import Bytes

/// Records that wait for their turn.
package struct HoldBack {
    /// How long a record is held back, nanoseconds: most records of one moment are in the store that soon.
    package static let delay: Int64 = 200_000_000
    /// More text than this is not held: the oldest is let go early.
    package static let mostBytes = 16 << 20
    private var bytes: Int { runs.reduce(0) { $0 + $1.run.text.count } }

    /// Runs of records that came together, in the order of coming.
    private var runs: [(run: RecordRun, due: Int64)] = []

    /// Makes one in which nothing waits.
    package init() {}

    /// Whether nothing waits.
    package var isEmpty: Bool { runs.isEmpty }
    /// When something is due, on the monotonic clock.
    package var nextDue: Int64 { runs.first?.due ?? .max }

    /// Adds records that came now.
    package mutating func add(_ run: RecordRun, now: Int64) {
        guard !run.isEmpty else { return }
        run.sort()
        runs.append((run, now + HoldBack.delay))
    }

    /// Gives what is due, in order, and with it what is earlier of that which is not due yet.
    package mutating func release(now: Int64, _ body: (Span<UInt8>, Int64) throws -> Bool) rethrows -> Bool {
        var due = runs.prefix { $0.due <= now }.count
        var held = bytes - runs.prefix(due).reduce(0) { $0 + $1.run.text.count }
        while held > HoldBack.mostBytes {
            held -= runs[due].run.text.count
            due += 1
        }
        guard due > 0 else { return true }
        var heap = RunHeap(isReversed: false)
        for (run, _) in runs { heap.insert(run) }
        var latest = Int64.min
        for (run, _) in runs.prefix(due) { latest = max(latest, run.latest) }
        while !heap.isEmpty, heap.time <= latest {
            guard try heap.takeFirst(body) else { return false }
        }
        runs.removeAll { $0.run.isEmpty }
        return true
    }
}
