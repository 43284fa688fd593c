// Inputs that would read what the agent itself writes: each record would come back as a new one, without end. Found here by the
// settings alone. Of files the agent passes over its own when it runs (Pipeline's OwnFiles), so that it need not stay down for it.
import Pipeline

/// Looks for inputs that read what the agent writes.
struct OwnFilesCheck {
    private let settings: AgentSettings

    init(_ settings: AgentSettings) { self.settings = settings }

    /// Reports each input that reads what is printed in its own pod.
    func report(to problems: SettingsProblems) {
        guard let output = settings.outputs.map(\.plugin).first(where: \.files.isPrinted) else { return }
        for input in settings.inputs.map(\.plugin) where input.files.readsOwnPod {
            guard let mark = input.origin.mark else { continue }
            problems.report(
                at: mark, path: input.origin.path,
                "'own_logs' reads what the output '\(output.name)' prints: its records would come back without end",
                hint: "leave out one of them")
        }
    }

    /// What is said of each input whose patterns match files that the agent writes.
    var findings: [SettingsProblem] {
        settings.inputs.map(\.plugin).compactMap { input in
            fault(of: input).map { input.origin.problem($0.message, hint: $0.hint) }
        }
    }

    private func fault(of input: Configured<any Input>) -> (message: String, hint: String)? {
        for output in settings.outputs.map(\.plugin) {
            guard let reads = input.files.reads else { continue }
            for written in output.files.written {
                guard let path = written.examples.first(where: reads) else { continue }
                return (
                    "would read what the output '\(output.name)' writes (\(path)): its records would come back without end",
                    "write to another folder, or add 'exclude: [\"\(written.glob)\"]'"
                )
            }
        }
        let folder = settings.dataDirectory
        if let reads = input.files.reads, let path = Self.files(in: folder).first(where: reads) {
            return (
                "would read the agent's own files (\(path)): its records would come back without end",
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
