// How far a watch has come. It outlives each single request: a watch that is cut off goes on from here.
private import Synchronization

/// The resource version up to which everything is known, and what the present watch has brought.
final class WatchProgress: Sendable {
    /// What can be asked about it.
    struct State {
        /// From here the next watch goes on; empty before the first list, and when the server has forgotten it.
        var version = ""
        /// It is that of the list; nothing came since.
        var isFresh = false
        /// The present watch has begun to be answered.
        var hasBegun = false
        /// Something came of the present watch.
        var hasNews = false
        /// Something has gone wrong since it last went well; also before the first list.
        var isTroubled = true
    }

    private let state = Mutex(State())

    /// As it is now.
    var current: State { state.withLock { $0 } }

    /// A list was complete.
    /// - Returns: whether there was trouble before it.
    func listed(_ version: String) -> Bool {
        state.withLock { state in
            defer { state = State(version: version, isFresh: true, isTroubled: false) }
            return state.isTroubled
        }
    }

    /// A new watch is asked for.
    func asksForWatch() {
        state.withLock { state in
            state.hasBegun = false
            state.hasNews = false
        }
    }

    /// The server has accepted the watch.
    /// - Returns: whether there was trouble before.
    func begin() -> Bool {
        state.withLock { state in
            defer { state.isTroubled = false }
            state.hasBegun = true
            return state.isTroubled
        }
    }

    /// An event has come, with the version that it brings; empty when there is none in it.
    func move(to version: String) {
        state.withLock { state in
            state.isFresh = false
            state.hasNews = true
            if !version.isEmpty { state.version = version }
        }
    }

    /// The server has forgotten the version.
    func expire() { state.withLock { $0.version = "" } }

    /// A request was not answered as it should be.
    func fail() { state.withLock { $0.isTroubled = true } }
}
