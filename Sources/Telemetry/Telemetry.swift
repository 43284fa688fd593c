// What happened -> a log line and a counter, in one step. Components say what happened; here it is decided how it is told.
package import Logging
private import Synchronization

/// One fact worth telling. Each component lists its facts as one enum in one file named `<Component>Events.swift`.
package protocol TelemetryEvent: Sendable {
    /// By consequence: `notice` for what an operator wants to know once, `warning` when nothing is lost, `error` when data
    /// is lost or a human is needed.
    var level: Logger.Level { get }
    /// A sentence without the changing parts, so that equal facts read alike.
    var message: String { get }
    /// The changing parts, in the order in which they are shown.
    var details: [(String, String)] { get }
    /// The metric it counts in, without the prefix `sluice_` and the suffix `_total`.
    var counter: String { get }
    /// By how much.
    var amount: UInt64 { get }
    /// How many lines of it may come within a minute before they are held back; nil for as many as of others.
    var burst: Int? { get }
}

extension TelemetryEvent {
    package var details: [(String, String)] { [] }
    package var amount: UInt64 { 1 }
    package var burst: Int? { nil }
}

/// Tells events. Lines that repeat are held back (`LogThrottle`); counters never are.
package final class Telemetry: Sendable {
    /// For what is no event: progress, the summary line.
    package let logger: Logger
    private let state: Mutex<State>

    private struct State {
        var counters: [String: UInt64] = [:]
        var throttle: LogThrottle
    }

    /// - Parameter burst: how many lines of one kind may come within a minute before they are held back.
    package init(_ logger: Logger, burst: Int = 10) {
        self.logger = logger
        state = Mutex(State(throttle: LogThrottle(burst: burst, window: .seconds(60))))
    }

    /// Counts the event and, unless too many of its kind came just now, logs it.
    package func tell(_ event: some TelemetryEvent) {
        let verdict = state.withLock { state in
            let (sum, isTooLarge) = state.counters[event.counter, default: 0].addingReportingOverflow(event.amount)
            state.counters[event.counter] = isTooLarge ? .max : sum
            return state.throttle.admit(event.counter, burst: event.burst, at: .now)
        }
        guard case .tell(let heldBack) = verdict else { return }
        var metadata = OrderedMetadata(event.details)
        if heldBack > 0 { metadata.append("held_back", "\(heldBack) lines like this one in the last minute") }
        logger.log(level: event.level, "\(event.message)", metadata: metadata.metadata)
    }

    /// All counters so far, by name.
    package var counters: [String: UInt64] { state.withLock { $0.counters } }

    /// One counter's value; 0 when it never counted.
    package func count(_ name: String) -> UInt64 { state.withLock { $0.counters[name] ?? 0 } }
}

/// Metadata that keeps its order on the way through swift-log's dictionary: keys carry their rank, handlers take it off.
package struct OrderedMetadata {
    /// What swift-log is given.
    package private(set) var metadata: Logger.Metadata = [:]

    package init(_ details: [(String, String)] = []) {
        for (key, value) in details { append(key, value) }
    }

    /// Puts a pair behind the others.
    package mutating func append(_ key: String, _ value: String) {
        let rank = metadata.count
        metadata["\(rank < 10 ? "0" : "")\(rank).\(key)"] = .string(value)
    }

    /// The pairs in order, ranks taken off.
    package static func pairs(_ metadata: Logger.Metadata) -> [(String, String)] {
        metadata.sorted { $0.key < $1.key }.map { key, value in
            let bare = key.count > 3 && key.prefix(2).allSatisfy(\.isNumber) && key.dropFirst(2).first == "."
            return (bare ? String(key.dropFirst(3)) : key, "\(value)")
        }
    }
}
