// Something that a task can wait for, and others can set off.
private import Synchronization

/// Wakes one waiting task. Set off while nobody waits, it wakes the next one at once.
final class Alarm: Sendable {
    private struct State {
        var isRung = false
        var waiter: CheckedContinuation<Void, Never>?
    }

    private let state = Mutex(State())

    /// Sets it off.
    func ring() {
        let waiter = state.withLock { state in
            if state.waiter == nil { state.isRung = true }
            return state.waiter.take()
        }
        waiter?.resume()
    }

    /// Waits for it, no longer than `limit` when there is one. Returns at once when the task is cancelled.
    /// - Returns: whether it was set off.
    @discardableResult
    func wait(for limit: Duration?) async -> Bool {
        guard let limit else { return await rung() }
        guard limit > .zero else { return state.withLock { $0.isRung.take() } }
        return await withTaskGroup(of: Bool.self) { group in
            group.addTask { await self.rung() }
            group.addTask {
                try? await Task.sleep(for: limit)
                return false
            }
            var wasRung = await group.next() ?? false
            group.cancelAll()
            // It may have been set off while the other one was over.
            while let other = await group.next() { wasRung = wasRung || other }
            return wasRung
        }
    }

    private func rung() async -> Bool {
        let wasRung = Mutex(true)
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let isOver = state.withLock { state in
                    if state.isRung.take() { return true }
                    if Task.isCancelled {
                        wasRung.withLock { $0 = false }
                        return true
                    }
                    precondition(state.waiter == nil, "an alarm wakes one task")
                    state.waiter = continuation
                    return false
                }
                if isOver { continuation.resume() }
            }
        } onCancel: {
            let waiter = state.withLock { $0.waiter.take() }
            if let waiter {
                wasRung.withLock { $0 = false }
                waiter.resume()
            }
        }
        return wasRung.withLock { $0 }
    }
}

extension Bool {
    /// The value, which is false from then on.
    fileprivate mutating func take() -> Bool {
        defer { self = false }
        return self
    }
}
