// What can happen to inputs of files, whatever files they are.
import Logging
import Telemetry

/// Facts about inputs.
enum InputEvent: TelemetryEvent {
    case nothingToRead(input: String, finding: String)
    case ownFile(input: String, path: String)

    var level: Logger.Level { .warning }

    var message: String {
        switch self {
        case .nothingToRead: "an input finds nothing to read where its settings lead; it is read when it appears"
        case .ownFile: "a file is not read, since this agent writes it: each line would come back as a new one"
        }
    }

    var details: [(String, String)] {
        switch self {
        case .nothingToRead(let input, let finding): [("input", input), ("finding", finding)]
        case .ownFile(let input, let path): [("input", input), ("path", path)]
        }
    }

    var counter: String {
        switch self {
        case .nothingToRead: "inputs_without_files"
        case .ownFile: "own_files_passed_over"
        }
    }
}
