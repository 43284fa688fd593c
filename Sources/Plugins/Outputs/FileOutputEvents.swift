// What can happen to the files that the output `file` writes.
import Logging
import Telemetry

/// Facts about written files.
enum FileOutputEvent: TelemetryEvent {
    case cutBack(path: String, bytes: UInt64)
    case shorter(path: String, bytes: UInt64)

    var level: Logger.Level {
        switch self {
        case .cutBack: .info
        case .shorter: .error
        }
    }

    var message: String {
        switch self {
        case .cutBack: "cut back what a request that was not finished had written; it is written again"
        case .shorter:
            "a file is shorter than what was written to it, or gone: records that were delivered to it are lost"
        }
    }

    var details: [(String, String)] {
        switch self {
        case .cutBack(let path, let bytes), .shorter(let path, let bytes): [("path", path), ("bytes", "\(bytes)")]
        }
    }

    var counter: String {
        switch self {
        case .cutBack: "file_output_cut_back_bytes"
        case .shorter: "file_output_lost_bytes"
        }
    }

    var amount: UInt64 {
        switch self {
        case .cutBack(_, let bytes), .shorter(_, let bytes): bytes
        }
    }
}
