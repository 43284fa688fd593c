// Writes the agent's own log to standard error: plain lines for people, or JSON for machines.
private import Bytes
private import Disk
package import Logging

/// How log lines look.
package enum LogFormat: String, CaseIterable, Sendable {
    /// `2026-11-23T03:14:07.123Z warning the disk is full free=0`
    case text
    /// One JSON object a line: time, severity, message, and the details as members.
    case json
}

/// A handler for swift-log that writes whole lines with one system call each.
package struct LineLogHandler: LogHandler {
    /// What swift-log asks of every handler.
    package var metadata: Logger.Metadata = [:]
    package var logLevel: Logger.Level
    private let format: LogFormat
    private let isColored: Bool
    private let sink: @Sendable (Span<UInt8>) -> Void

    /// - Parameter sink: takes a line with its newline; by default it goes to standard error.
    package init(
        level: Logger.Level, format: LogFormat, isColored: Bool = false, sink: (@Sendable (Span<UInt8>) -> Void)? = nil
    ) {
        logLevel = level
        self.format = format
        self.isColored = isColored
        self.sink = sink ?? { StandardStream.report($0) }
    }

    package subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    package func log(event: LogEvent) {
        let pairs = OrderedMetadata.pairs(metadata.merging(event.metadata ?? [:]) { $1 })
        var line = Arena(capacity: 256)
        var times = TimestampWriter()
        switch format {
        case .text:
            var time = Arena(capacity: 32)
            times.append(SystemClock.realtime, to: &time)
            line.append(time, from: 0, count: 23)
            line.append("Z ")
            line.append(text: colored(event.level.rawValue, event.level))
            line.append(" ")
            line.append(text: "\(event.message)".replacing("\n", with: "\\n"))
            for (key, value) in pairs {
                line.append(text: " \(key)=")
                if value.utf8.allSatisfy({ $0 > 0x20 && $0 != 0x22 && $0 != 0x3d }) && !value.isEmpty {
                    line.append(text: value)
                } else {
                    line.appendJSONString(value)
                }
            }
        case .json:
            line.append("{\"time\":\"")
            times.append(SystemClock.realtime, to: &line)
            line.append(text: "\",\"severity\":\"\(event.level.rawValue)\",\"message\":")
            line.appendJSONString("\(event.message)")
            for (key, value) in pairs {
                line.append(",")
                line.appendJSONString(key)
                line.append(":")
                line.appendJSONString(value)
            }
            line.append("}")
        }
        line.append("\n")
        sink(line.span)
    }

    private func colored(_ text: String, _ level: Logger.Level) -> String {
        guard isColored else { return text }
        switch level {
        case .critical, .error: return "\u{1b}[31m\(text)\u{1b}[0m"
        case .warning: return "\u{1b}[33m\(text)\u{1b}[0m"
        case .notice: return "\u{1b}[1m\(text)\u{1b}[0m"
        default: return "\u{1b}[2m\(text)\u{1b}[0m"
        }
    }
}
