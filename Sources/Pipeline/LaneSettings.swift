// How a lane runs, and how others talk to it.
package import Disk
private import Synchronization

/// Times and limits of a lane.
package struct LaneSettings: Sendable {
    /// A chunk is written when its oldest record has waited so long, nanoseconds.
    package var linger: Int64 = 250_000_000
    /// Above so many bytes waiting for the most advanced output, sources that are far behind are read at its pace.
    package var catchUpWindow: UInt64 = 64 << 20
    /// Read everything to its present end, then finish.
    package var once = false
    /// The shortest time between two wake-ups by idle sources, nanoseconds: 20 a second.
    package var pace: Int64 = 50_000_000

    package init() {}
}

/// The lane's side for other threads: asks it to stop, reads how it goes.
package final class LaneControl: Sendable {
    /// What wakes the lane.
    package let bell: Bell
    private let stopping = Atomic(false)
    private let ended = Atomic(false)
    private let lag = Atomic<UInt64>(0)
    private let waitsForOutputs = Atomic(false)
    private let failure = Mutex<String?>(nil)

    /// - Throws: when no eventfd can be had.
    package init() throws(DiskError) { bell = try Bell() }

    /// Asks the lane to write what it holds and to end.
    package func stop() {
        stopping.store(true, ordering: .releasing)
        bell.ring()
    }

    /// Whether the lane was asked to end.
    package var isStopping: Bool { stopping.load(ordering: .acquiring) }

    /// Whether the lane has written everything and ended.
    package var hasEnded: Bool { ended.load(ordering: .acquiring) }

    /// Bytes that were known to be unread a moment ago.
    package var unreadBytes: UInt64 { lag.load(ordering: .relaxed) }

    /// Why an input ended before its end; nil when none did, or the lane has not ended.
    package var reason: String? { failure.withLock { $0 } }

    /// Called whenever an output got on; it wakes the lane only when that is what the lane waits for.
    func cursorMoved() {
        if waitsForOutputs.load(ordering: .relaxed) { bell.ring() }
    }

    func note(waitsForOutputs waits: Bool) { waitsForOutputs.store(waits, ordering: .relaxed) }

    func note(lag bytes: UInt64) { lag.store(bytes, ordering: .relaxed) }

    func end(_ reason: String?) {
        failure.withLock { $0 = reason }
        ended.store(true, ordering: .releasing)
    }
}
