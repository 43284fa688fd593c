// How long to wait before the same request is tried again.

/// Exponential back-off with full jitter: the wait is drawn evenly between nothing and a bound that doubles.
package struct RetryPolicy: Sendable {
    /// The bound of the first wait, and the bound that no wait exceeds.
    package let initial: Duration
    package let maximum: Duration

    package init(initial: Duration, maximum: Duration) {
        self.initial = initial
        self.maximum = maximum
    }

    /// The wait after a failed attempt, counted from 1. A wait the receiver asked for is kept, and never shortened.
    package func wait(
        afterAttempt attempt: Int, asked: Duration?, using generator: inout some RandomNumberGenerator
    ) -> Duration {
        let doublings = min(max(0, attempt - 1), 30)
        let bound = min(maximum, initial * (1 << doublings))
        let drawn = bound * Double.random(in: 0...1, using: &generator)
        return max(asked ?? .zero, drawn)
    }

    /// The wait after an answer that somebody has to do something about: the second half of the longest wait, evenly.
    package func slowWait(asked: Duration?, using generator: inout some RandomNumberGenerator) -> Duration {
        max(asked ?? .zero, maximum * Double.random(in: 0.5...1, using: &generator))
    }
}
