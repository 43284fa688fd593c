// Hands one value from the thread that made it to the one that will own it.
private import Synchronization

/// A box that is emptied once. Noncopyable values cannot be captured by the closures that start threads and tasks.
package final class Handover<Value: ~Copyable & Sendable>: Sendable {
    private let slot: Mutex<Value?>

    package init(_ value: consuming Value) { slot = Mutex(value) }

    /// The value, the first time; nil afterwards.
    package func take() -> Value? { slot.withLock { $0.take() } }
}
