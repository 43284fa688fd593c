// What can happen on the way from the store to a receiver, each fact with its log line and its metric.
package import Logging
import Telemetry

/// Facts about outputs.
package enum DeliveryEvent: TelemetryEvent {
    case failed(output: String, reason: String, attempt: Int, waitMilliseconds: Int)
    case denied(output: String, reason: String, waitMilliseconds: Int)
    case tooLarge(output: String, reason: String, bytes: Int, newLimit: Int)
    case searching(output: String, reason: String, records: UInt64)
    case deadLettered(output: String, records: UInt64)
    case undecided(output: String, record: UInt64, reason: String)
    case cannotWriteDeadLetter(output: String, reason: String)
    case recovered(output: String, attempts: Int)
    case lost(output: String, records: UInt64, from: UInt64, to: UInt64, reason: String)
    case cannotReadStore(output: String, reason: String)
    case cannotSaveCursor(output: String, reason: String)

    package var level: Logger.Level {
        switch self {
        case .failed, .searching, .undecided: .warning
        case .recovered, .tooLarge: .notice
        case .denied, .deadLettered, .cannotWriteDeadLetter, .lost, .cannotReadStore, .cannotSaveCursor: .error
        }
    }

    package var message: String {
        switch self {
        case .failed: "an output failed; the same records are sent again"
        case .denied:
            "the receiver takes nothing from this output: look at its settings and at the receiver. All records are kept, and it is tried again slowly"
        case .tooLarge: "the receiver found a request too large: smaller ones are sent from now on"
        case .searching: "the receiver refuses something in a request: the records that are to blame are looked for"
        case .deadLettered:
            "the receiver refuses records that it will never take: they are kept as dead letters, see 'sluice chunks dead'"
        case .undecided:
            "a record is refused and nothing else waits that would show whether it is to blame or the receiver: both are tried again"
        case .cannotWriteDeadLetter: "a dead letter cannot be written: the output waits, all records are kept"
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
        case .denied(let output, let reason, let wait):
            [("output", output), ("reason", reason), ("next_try_ms", "\(wait)")]
        case .tooLarge(let output, let reason, let bytes, let limit):
            [("output", output), ("reason", reason), ("bytes", "\(bytes)"), ("new_limit", "\(limit)")]
        case .searching(let output, let reason, let records):
            [("output", output), ("reason", reason), ("records", "\(records)")]
        case .deadLettered(let output, let records): [("output", output), ("records", "\(records)")]
        case .undecided(let output, let record, let reason):
            [("output", output), ("record", "\(record)"), ("reason", reason)]
        case .recovered(let output, let attempts): [("output", output), ("after_attempts", "\(attempts)")]
        case .lost(let output, let records, let from, let to, let reason):
            [("output", output), ("records", "\(records)"), ("from", "\(from)"), ("to", "\(to)"), ("reason", reason)]
        case .cannotReadStore(let output, let reason), .cannotSaveCursor(let output, let reason),
            .cannotWriteDeadLetter(let output, let reason):
            [("output", output), ("reason", reason)]
        }
    }

    package var counter: String {
        switch self {
        case .failed: "output_retries"
        case .denied: "output_denials"
        case .tooLarge: "output_too_large"
        case .searching: "output_refused_requests"
        case .deadLettered: "output_dead_letters"
        case .undecided: "output_undecided"
        case .cannotWriteDeadLetter: "output_dead_letter_failures"
        case .recovered: "output_recoveries"
        case .lost: "output_lost_records"
        case .cannotReadStore: "store_read_failures"
        case .cannotSaveCursor: "cursor_write_failures"
        }
    }

    package var amount: UInt64 {
        switch self {
        case .lost(_, let records, _, _, _), .deadLettered(_, let records): records
        default: 1
        }
    }
}
