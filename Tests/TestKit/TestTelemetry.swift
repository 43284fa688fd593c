// Telemetry that is silent on the terminal and can be asked what it was told.
private import Bytes
package import Logging
private import Synchronization
package import Telemetry

/// A `Telemetry` whose log lines are kept in memory.
package final class TestTelemetry: Sendable {
    private let log: Log
    package let telemetry: Telemetry

    private final class Log: Sendable {
        let lines = Mutex<[String]>([])
    }

    /// - Parameter burst: lines of one kind that come through before they are held back; all by default.
    package init(burst: Int = .max, level: Logger.Level = .trace, format: LogFormat = .text) {
        let log = Log()
        self.log = log
        let handler = LineLogHandler(level: level, format: format) { line in
            let text = String(decoding: line)
            log.lines.withLock { $0.append(String(text.dropLast())) }
        }
        telemetry = Telemetry(Logger(label: "test") { _ in handler }, burst: burst)
    }

    /// All lines so far, without their newlines.
    package var lines: [String] { log.lines.withLock { $0 } }

    /// Whether a line with this text was logged.
    package func said(_ text: String) -> Bool { lines.contains { $0.contains(text) } }

    /// A counter's value.
    package func count(_ name: String) -> UInt64 { telemetry.count(name) }
}
