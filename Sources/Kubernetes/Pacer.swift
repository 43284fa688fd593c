// How long to wait between requests, whatever the server does.
internal import PodMetadata

/// Works out the waits of one loop. It only counts; `Hurry` waits.
struct Pacer {
    /// A wait.
    struct Wait: Equatable {
        var time: Duration
        /// Nothing shortens it below this.
        var atLeast: Duration
    }

    private let timing: WatchTiming
    /// In a row.
    private(set) var failures = 0
    /// Watches in a row that ended soon, but brought something.
    private var shortLives = 0
    /// News forgive the failures before them once; after that only a watch that goes on for long does.
    private var mayForgive = true

    /// After so many of them the waits become longer.
    private static let toleratedShortLives = 5

    init(_ timing: WatchTiming) { self.timing = timing }

    /// After a failure.
    mutating func afterFailure(_ error: APIError?) -> Wait {
        if failures < 60 { failures += 1 }
        let limit = min(timing.longestWait, timing.firstWait * (1 << min(failures - 1, 20)))
        let time = Pacer.random(.zero, limit)
        if case .throttled(_, let after?) = error {
            let exact = after + Pacer.random(.zero, timing.renewal)
            return Wait(time: exact, atLeast: exact)
        }
        if let error, error.isRefusal {
            return Wait(time: max(time, timing.refusedWait), atLeast: timing.refusedWait)
        }
        return Wait(time: time, atLeast: Pacer.random(timing.hurriedWait / 2, timing.hurriedWait))
    }

    /// After a watch.
    /// - Parameters:
    ///   - lived: how long it went on.
    ///   - progressed: whoever goes on from its end is further than before, even if it was broken off.
    mutating func afterWatch(lived: Duration, progressed: Bool) -> Wait {
        var limit = timing.renewal
        if lived >= timing.longLife {
            failures = 0
            shortLives = 0
            mayForgive = true
        } else if progressed {
            if shortLives < 60 { shortLives += 1 }
            let doublings = min(max(0, shortLives - Pacer.toleratedShortLives), 20)
            limit = min(max(limit, timing.progressWait), limit * (1 << doublings))
        } else {
            return afterFailure(nil)
        }
        let time = Pacer.random(.zero, limit)
        return Wait(time: time, atLeast: min(time, timing.hurriedWait))
    }

    /// A list was complete, and its watch has brought something.
    mutating func forgive() {
        guard mayForgive, failures > 0 else { return }
        failures = 0
        mayForgive = false
    }

    /// After a single request that went well.
    mutating func succeeded() { failures = 0 }

    /// A time between two others.
    static func random(_ from: Duration, _ to: Duration) -> Duration {
        from + (to - from) * Double.random(in: 0...1)
    }
}

/// Waits, but not for long while a log waits for a pod that is not known.
struct Hurry: Sendable {
    let directory: PodDirectory
    /// Set off when another log begins to wait.
    let alarm: Alarm

    /// Returns when the time is over, when nothing is to be waited for any more, or when the task is cancelled.
    func pause(_ wait: Pacer.Wait) async {
        let start = ContinuousClock.now
        repeat {
            let time = directory.isAwaited ? min(wait.time, wait.atLeast) : wait.time
            let left = start + time - .now
            guard left > .zero else { return }
            await alarm.wait(for: left)
        } while !Task.isCancelled
    }
}
