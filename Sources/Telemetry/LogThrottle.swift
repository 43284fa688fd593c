// Keeps a fault that repeats a thousand times a second from filling the disk with its own log lines.

/// Admits a burst of each kind of line per window and counts what it holds back.
package struct LogThrottle: Sendable {
    /// What to do with a line.
    package enum Verdict: Equatable, Sendable {
        /// Write it; so many like it were held back since the last one that was written.
        case tell(heldBack: Int)
        case holdBack
    }

    private struct Kind {
        var windowStart: ContinuousClock.Instant
        var told = 0
        var heldBack = 0
    }

    private let burst: Int
    private let window: Duration
    private var kinds: [String: Kind] = [:]

    package init(burst: Int, window: Duration) {
        self.burst = burst
        self.window = window
    }

    /// Decides about one line of a kind. Kinds are few: they are names in the code, not data.
    /// - Parameter burst: how many of this kind may come within a window; nil for as many as of others.
    package mutating func admit(_ kind: String, burst: Int? = nil, at now: ContinuousClock.Instant) -> Verdict {
        var state = kinds[kind] ?? Kind(windowStart: now)
        defer { kinds[kind] = state }
        if now - state.windowStart >= window {
            let heldBack = state.heldBack
            state = Kind(windowStart: now, told: 1)
            return .tell(heldBack: heldBack)
        }
        guard state.told < burst ?? self.burst else {
            state.heldBack += 1
            return .holdBack
        }
        state.told += 1
        return .tell(heldBack: 0)
    }
}
