// Inputs that would read what the agent itself writes: each record would come back as a new one, without end. Found here by the
// settings alone; what only shows when files are there is left to Pipeline's OwnFiles.
import Pipeline

/// Looks for inputs that read what the agent writes.
struct OwnFilesCheck {
    private let settings: AgentSettings

    init(_ settings: AgentSettings) { self.settings = settings }

    /// Reports each input that does.
    func report(to problems: SettingsProblems) {
        for input in settings.inputs.map(\.plugin) {
            guard let (message, hint) = fault(of: input), let mark = input.origin.mark else { continue }
            problems.report(at: mark, path: input.origin.path, message, hint: hint)
        }
    }

    private func fault(of input: Configured<any Input>) -> (message: String, hint: String)? {
        for output in settings.outputs.map(\.plugin) {
            if input.files.readsOwnPod, output.files.isPrinted {
                return (
                    "'own_logs' reads what the output '\(output.name)' prints: its records would come back without end",
                    "leave out one of them"
                )
            }
            guard let reads = input.files.reads else { continue }
            for written in output.files.written {
                guard let path = ([written.present] + written.examples).first(where: reads) else { continue }
                return (
                    "reads what the output '\(output.name)' writes (\(path)): its records would come back without end",
                    "write to another folder, or add 'exclude: [\"\(written.glob)\"]'"
                )
            }
        }
        let folder = settings.dataDirectory
        if let reads = input.files.reads, let path = Self.files(in: folder).first(where: reads) {
            return (
                "reads the agent's own files (\(path)): its records would come back without end",
                "add 'exclude: [\"\(folder)/**\"]'"
            )
        }
        return nil
    }

    /// Names as they are in a data directory (docs/store-format.md).
    private static func files(in folder: String) -> [String] {
        let number = "00000000000000000001"
        return [
            "store/0/\(number).ndjson.gz", "store/0/\(number).index", "dead-letter/http/\(number).ndjson",
            "cursors/0/http", "quarantine/\(number).ndjson.gz", "metadata.json", "identity", "lock", "reserve",
        ].map { "\(folder)/\($0)" }
    }
}
