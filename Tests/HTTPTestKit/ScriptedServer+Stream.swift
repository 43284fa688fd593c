// A body that a test sends bit by bit, for as long as it likes: what a server that is watched for news answers.
import NIOCore
import Synchronization

extension ScriptedServer {
    /// The body of one answer, `.stream(200, body)`. The test holds it and says what comes next, before the request is there or
    /// minutes after; whatever is said when the connection is gone is lost.
    package final class Stream: Sendable {
        /// What the connection has to do.
        enum Event: Sendable {
            case chunk([UInt8])
            /// Goes over the wire as it is.
            case raw([UInt8])
            case end, cut, reset
        }

        /// Tells the connection to look for events.
        struct Wake: Sendable {}

        private struct State {
            var events: [Event] = []
            var channel: (any Channel)?
            var isGone = false
            var waiters: [Int: CheckedContinuation<Void, Never>] = [:]
            var waiterCount = 0
        }

        private let state = Mutex(State())

        /// Creates a body for one answer.
        package init() {}

        /// Whether the server has begun to send it, and neither it nor the connection has ended since.
        package var isOpen: Bool { state.withLock { $0.channel != nil && !$0.isGone } }

        /// Sends a text, as one chunk. Nothing is sent for an empty one.
        package func send(_ text: String) { send(Array(text.utf8)) }

        /// Sends bytes, as one chunk. Nothing is sent for none.
        package func send(_ bytes: [UInt8]) { if !bytes.isEmpty { add(.chunk(bytes)) } }

        /// Sends bytes as they are, where a chunk should be: half a chunk, or garbage.
        package func sendRaw(_ bytes: [UInt8]) { add(.raw(bytes)) }

        /// Ends the body as it should end; the connection can be used again unless the answer is also `closing()`.
        package func end() { add(.end) }

        /// Closes the connection in the middle of the body, behind what was sent.
        package func cut() { add(.cut) }

        /// Resets the connection: the client gets a RST.
        package func reset() { add(.reset) }

        /// Waits until the body or the connection has ended, whoever ended it, or the task is cancelled.
        package func ended() async {
            let id = state.withLock { state in
                state.waiterCount += 1
                return state.waiterCount
            }
            await withTaskCancellationHandler {
                await withCheckedContinuation { continuation in
                    let isDone = state.withLock { state in
                        if state.isGone || Task.isCancelled { return true }
                        state.waiters[id] = continuation
                        return false
                    }
                    if isDone { continuation.resume() }
                }
            } onCancel: {
                let waiter = state.withLock { $0.waiters.removeValue(forKey: id) }
                waiter?.resume()
            }
        }

        // MARK: The connection's side

        /// Gives the body to the connection that sends it, which takes what was said before.
        func begin(_ channel: any Channel) {
            state.withLock { state in
                precondition(state.channel == nil, "a stream is the body of one answer")
                state.channel = channel
                state.isGone = !channel.isActive
            }
        }

        /// What was said since the last time.
        func take() -> [Event] {
            state.withLock { state in
                defer { state.events = [] }
                return state.events
            }
        }

        /// Nothing more can be sent.
        func isGone() {
            let waiters = state.withLock { state in
                state.isGone = true
                defer { state.waiters = [:] }
                return state.waiters.values
            }
            for waiter in waiters { waiter.resume() }
        }

        /// Wakes the connection in a turn of its own: who speaks may hold a lock, or be the connection itself.
        private func add(_ event: Event) {
            let channel = state.withLock { state in
                if !state.isGone { state.events.append(event) }
                return state.channel
            }
            guard let channel else { return }
            channel.eventLoop.execute { channel.pipeline.fireUserInboundEventTriggered(Wake()) }
        }
    }
}
