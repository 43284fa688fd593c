// What can happen on the way from the store to a receiver, each fact with its log line and its metric.
package import Logging
import Telemetry

/// Facts about outputs.
package enum DeliveryEvent: TelemetryEvent {
    case failed(output: String, reason: String, attempt: Int, waitMilliseconds: Int)
    case recovered(output: String, attempts: Int)
    case lost(output: String, records: UInt64, from: UInt64, to: UInt64, reason: String)
    case cannotReadStore(output: String, reason: String)
    case cannotSaveCursor(output: String, reason: String)

    package var level: Logger.Level {
        switch self {
        case .failed: .warning
        case .recovered: .notice
        case .lost, .cannotReadStore, .cannotSaveCursor: .error
        }
    }

    package var message: String {
        switch self {
        case .failed: "an output failed; the same records are sent again"
        case .recovered: "an output works again"
        case .lost: "records were lost to an output"
        case .cannotReadStore: "the store cannot be read; trying again"
        case .cannotSaveCursor: "a cursor cannot be written; after a crash now the output would repeat records"
        }
    }

    package var details: [(String, String)] {
        switch self {
        case .failed(let output, let reason, let attempt, let wait):
            [("output", output), ("reason", reason), ("attempt", "\(attempt)"), ("next_try_ms", "\(wait)")]
        case .recovered(let output, let attempts): [("output", output), ("after_attempts", "\(attempts)")]
        case .lost(let output, let records, let from, let to, let reason):
            [("output", output), ("records", "\(records)"), ("from", "\(from)"), ("to", "\(to)"), ("reason", reason)]
        case .cannotReadStore(let output, let reason), .cannotSaveCursor(let output, let reason):
            [("output", output), ("reason", reason)]
        }
    }

    package var counter: String {
        switch self {
        case .failed: "output_retries"
        case .recovered: "output_recoveries"
        case .lost: "output_lost_records"
        case .cannotReadStore: "store_read_failures"
        case .cannotSaveCursor: "cursor_write_failures"
        }
    }

    package var amount: UInt64 { if case .lost(_, let records, _, _, _) = self { records } else { 1 } }
}
