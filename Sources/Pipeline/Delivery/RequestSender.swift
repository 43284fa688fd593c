// Sends one thing again and again until it is delivered, or until it is clear that the same thing never will be.
import Disk
import Store
import Telemetry

/// How sending ended.
enum SendingOutcome: Sendable {
    case delivered
    /// The receiver refuses it as it is: `.tooLarge` or `.refused`.
    case refused(DeliveryFailure)
    /// The task was cancelled first.
    case cancelled
}

/// The patience of one output.
struct RequestSender: Sendable {
    let store: Store
    let output: String
    let retry: RetryPolicy
    let status: DeliveryStatus
    let telemetry: Telemetry

    /// Repeats `body` until it succeeds, waiting longer and longer.
    /// - Parameter afterFailure: called before each wait.
    func send(
        afterFailure: () -> Void = {}, _ body: () async throws(DeliveryFailure) -> Void
    ) async -> SendingOutcome {
        var generator = SystemRandomNumberGenerator()
        var attempts = 0
        while !Task.isCancelled {
            let hadEnded = store.isEnded
            do throws(DeliveryFailure) {
                try await body()
                succeeded(after: attempts)
                return .delivered
            } catch {
                if Task.isCancelled { return .cancelled }
                attempts += 1
                let wait: Duration
                switch error.kind {
                case .tooLarge, .refused: return .refused(error)
                case .passing:
                    wait = retry.wait(afterAttempt: attempts, asked: error.retryAfter, using: &generator)
                    telemetry.tell(
                        DeliveryEvent.failed(
                            output: output, reason: error.reason, attempt: attempts,
                            waitMilliseconds: wait.inMilliseconds))
                case .denied:
                    wait = slowWait(asked: error.retryAfter)
                    telemetry.tell(
                        DeliveryEvent.denied(
                            output: output, reason: error.reason, waitMilliseconds: wait.inMilliseconds))
                }
                status.change {
                    $0.failure = error.reason
                    $0.isDenied = error.kind == .denied
                }
                afterFailure()
                // Asked to stop while it was on its way: that was not the last try yet.
                if hadEnded || !store.isEnded { await pause(wait) }
            }
        }
        return .cancelled
    }

    /// Waits before the next try. When the store ends meanwhile, which is when the agent is asked to stop, it is tried at once,
    /// for the last time perhaps.
    func pause(_ wait: Duration) async {
        guard store.isEnded else { return await store.ended(within: wait) }
        // Only now is it known that nothing is tried before.
        status.change { $0.nextTry = SystemClock.monotonic + wait.inNanoseconds }
        try? await Task.sleep(for: wait)
        status.change { $0.nextTry = 0 }
    }

    /// The wait after an answer that somebody has to do something about.
    func slowWait(asked: Duration?) -> Duration {
        var generator = SystemRandomNumberGenerator()
        return retry.slowWait(asked: asked, using: &generator)
    }

    private func succeeded(after attempts: Int) {
        // A step of a search that is taken is no recovery.
        if status.picture.isDenied || attempts > 0 {
            telemetry.tell(DeliveryEvent.recovered(output: output, attempts: attempts))
        }
        status.change {
            $0.lastSuccess = SystemClock.monotonic
            $0.failure = nil
            $0.isDenied = false
        }
    }
}

extension Duration {
    /// For log lines.
    var inMilliseconds: Int { Int(self / .milliseconds(1)) }
    var inNanoseconds: Int64 { Int64(self / .nanoseconds(1)) }
}
