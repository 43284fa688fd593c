// Whether an answer is still coming.
private import Synchronization

/// The deadlines of one request: until its head, between the pieces of the answer, and for the whole of it.
final class Pulse: Sendable {
    private struct State {
        var due: ContinuousClock.Instant
        var words: String
        var hasBegun = false
    }

    private let state: Mutex<State>
    private let silence: Duration
    private let end: ContinuousClock.Instant
    private let whole: Duration
    /// The deadline has come nearer.
    private let nearer = Alarm()

    /// The request begins now.
    init(_ request: APIRequest) {
        let now = ContinuousClock.now
        silence = request.silence
        whole = request.whole
        end = now + request.whole
        state = Mutex(State(due: now + request.head, words: "no answer within \(request.head)"))
    }

    /// The head of the answer has come.
    func begin() {
        state.withLock { $0.hasBegun = true }
        beat()
        nearer.ring()
    }

    /// Whether it has.
    var hasBegun: Bool { state.withLock { $0.hasBegun } }

    /// Something has come.
    func beat() {
        let next = ContinuousClock.now + silence
        state.withLock { state in
            state.due = min(next, end)
            state.words =
                next < end
                ? "nothing came of the answer for \(silence)" : "the answer was not whole within \(whole)"
        }
    }

    /// Waits until a deadline has passed, and throws then.
    func watch() async throws {
        while true {
            try Task.checkCancellation()
            let (due, words) = state.withLock { ($0.due, $0.words) }
            let left = due - .now
            guard left > .zero else { throw APIError.stalled(words) }
            await nearer.wait(for: left)
        }
    }
}
