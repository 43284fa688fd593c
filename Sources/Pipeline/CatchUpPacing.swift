// How far the lane may read ahead of the outputs when it catches up.

/// How much may wait for the most advanced output before sources that are far behind are read at its pace: what it takes in
/// half a second, so that a quiet pod's next line is not long behind a backlog, but no more than `catch_up_window`. While it takes
/// nothing, the whole window is filled: what is in the store cannot be lost to rotation.
package struct CatchUpPacing {
    private let window: UInt64
    /// So many bytes may wait now.
    package private(set) var limit: UInt64
    private var lastPlace: Int64 = 0
    private var lastLook: Int64 = 0
    /// Enough for several large requests, however slow the output is.
    package static let least: UInt64 = 8 << 20

    /// - Parameter window: `catch_up_window`, in bytes.
    package init(window: UInt64) {
        self.window = window
        limit = window
    }

    /// Whether so much waits that only what is nearly up to date is read.
    package func isTooMuch(_ waiting: UInt64) -> Bool { waiting > limit }

    /// Called about once a second.
    /// - Parameters:
    ///   - appended: bytes of chunks that were ever written.
    ///   - waiting: bytes of them that wait for the most advanced output.
    ///   - now: on the monotonic clock, nanoseconds.
    package mutating func look(appended: UInt64, waiting: UInt64, now: Int64) {
        // Only its change matters: what waited at the start of the agent is not among the appended.
        let place = Int64(clamping: appended) - Int64(clamping: waiting)
        defer { (lastPlace, lastLook) = (place, now) }
        guard lastLook > 0, now > lastLook else { return }
        let taken = 0.5 * Double(place - lastPlace) / (Double(now - lastLook) / 1e9)
        limit = taken <= 0 ? window : min(window, max(CatchUpPacing.least, UInt64(taken)))
    }
}
