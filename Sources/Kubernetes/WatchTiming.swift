// All the limits of talking to a server, together, so that tests can be quick.

/// How long things may take, how long is waited between them, and how large an object may be.
package struct WatchTiming: Sendable {
    /// The first request is made within this time, sooner when a log waits: all agents of a cluster may have been started at once.
    package var start: Duration = .seconds(10)
    /// A connection must be there after so long.
    package var connect: Duration = .seconds(10)
    /// An answer must have begun after so long.
    package var head: Duration = .seconds(30)
    /// A list must be whole after so long.
    package var list: Duration = .seconds(300)
    /// No longer than this may a list be interrupted.
    package var listSilence: Duration = .seconds(30)
    /// For how long a server is asked to keep a watch going, in seconds.
    package var watchSeconds: ClosedRange<Int> = 300...600
    /// So much later we end a watch ourselves.
    package var watchGrace: Duration = .seconds(30)
    /// A watch in which nothing came for so long is dead; bookmarks come about each minute.
    package var watchSilence: Duration = .seconds(180)
    /// A watch that went on for so long was a good one.
    package var longLife: Duration = .seconds(30)
    /// Within this time after a good watch the next one begins.
    package var renewal: Duration = .seconds(1)
    /// After a watch that ended soon but brought something is waited no longer than this, however often it happens.
    package var progressWait: Duration = .seconds(5)
    /// The wait after the first failure is at most this long, and twice as long after each further one.
    package var firstWait: Duration = .milliseconds(500)
    /// No wait is longer, unless the server asks for it.
    package var longestWait: Duration = .seconds(30)
    /// While a log waits for a pod that is not known, nothing else is waited for longer than this.
    package var hurriedWait: Duration = .seconds(1)
    /// After a refusal is waited for at least so long, however many logs wait.
    package var refusedWait: Duration = .seconds(5)

    /// Bytes of the largest object that is read.
    package var objectLimit = 8 << 20

    package init() {}
}
