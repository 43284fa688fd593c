// What is done about an output that does not come back from a call: a pipe that nobody reads, a network filesystem that is
// gone. A task that blocks can be cancelled, but not ended.
import Disk
import Synchronization

/// Waits, on a thread of its own, for something that was cancelled to return.
final class ReturnWatch: Sendable {
    private let condition = Condition()
    private let isWatching = Atomic(false)
    private let hasReturned = Atomic(false)

    /// Nanoseconds; time for outputs to note that they were cancelled, and to close.
    private static let patience: Int64 = 1_000_000_000

    /// From now on it should return; when it does not, `stuck` is called from another thread.
    func expectReturn(orElse stuck: @escaping @Sendable () -> Void) {
        guard !isWatching.exchange(true, ordering: .relaxed) else { return }
        _ = OSThread("return-watch") { [self] in
            let deadline = SystemClock.monotonic + ReturnWatch.patience
            condition.lock()
            while !hasReturned.load(ordering: .acquiring), SystemClock.monotonic < deadline {
                condition.wait(until: deadline)
            }
            condition.unlock()
            if !hasReturned.load(ordering: .acquiring) { stuck() }
        }
    }

    /// It has returned.
    func noteReturn() {
        condition.lock()
        hasReturned.store(true, ordering: .releasing)
        condition.wakeAll()
        condition.unlock()
    }
}
