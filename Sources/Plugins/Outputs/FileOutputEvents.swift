// What can happen to the files that the output `file` writes.
import Logging
import Telemetry

/// Facts about written files.
enum FileOutputEvent: TelemetryEvent {
    case cutBack(path: String, bytes: UInt64)
    case truncated(path: String, bytes: UInt64)
    case moved(path: String)
    case gone(path: String, bytes: UInt64)
    case anotherWriter(path: String, bytes: UInt64)

    var level: Logger.Level {
        switch self {
        case .cutBack: .info
        case .moved: .notice
        case .truncated, .gone, .anotherWriter: .warning
        }
    }

    var message: String {
        switch self {
        case .cutBack: "cut back what a request that was not finished had written; it is written again"
        case .truncated:
            "somebody truncated a file that is being written (logrotate's copytruncate, perhaps): writing goes on at its new end, and what was in it is in their copy or lost"
        case .moved: "a file that is being written was moved away: a new one is begun"
        case .gone:
            "a file that is being written was deleted, or moved out of its folder: a new one is begun, and what was in it is where it went or lost"
        case .anotherWriter:
            "somebody else writes to the file of an output: their bytes are kept, but give the output a file of its own"
        }
    }

    var details: [(String, String)] {
        switch self {
        case .moved(let path): [("path", path)]
        case .cutBack(let path, let bytes), .truncated(let path, let bytes), .gone(let path, let bytes),
            .anotherWriter(let path, let bytes):
            [("path", path), ("bytes", "\(bytes)")]
        }
    }

    var counter: String {
        switch self {
        case .cutBack: "file_output_cut_back_bytes"
        case .truncated: "file_output_truncated_bytes"
        case .moved: "file_output_moved_files"
        case .gone: "file_output_gone_bytes"
        case .anotherWriter: "file_output_other_writers_bytes"
        }
    }

    var amount: UInt64 {
        switch self {
        case .moved: 1
        case .cutBack(_, let bytes), .truncated(_, let bytes), .gone(_, let bytes), .anotherWriter(_, let bytes): bytes
        }
    }
}
