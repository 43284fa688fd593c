// How an output stands, for those who report it.
private import Synchronization

/// How an output stands, for reports.
package final class DeliveryStatus: Sendable {
    /// A consistent picture of it.
    package struct Picture: Sendable {
        /// When a request last succeeded, on the monotonic clock; 0 before the first.
        package var lastSuccess: Int64 = 0
        /// When it is tried again after a failure, on the monotonic clock; 0 when it does not wait for that.
        package var nextTry: Int64 = 0
        /// What went wrong last; nil when the last request succeeded.
        package var failure: String?
        /// The receiver refuses what it is sent, whatever it is: somebody has to mend the configuration, here or there.
        package var isDenied = false
        /// Everything in the store has been sent, and nothing more will come.
        package var isDone = false
        package var deliveredBytes: UInt64 = 0
        /// Chunks that had to be inflated to find out which of their records the output gets.
        package var inflatedChunks: UInt64 = 0
    }

    private let state = Mutex(Picture())

    package init() {}

    /// How it stands now.
    package var picture: Picture { state.withLock { $0 } }

    func change(_ body: (inout Picture) -> Void) { state.withLock { body(&$0) } }
}
