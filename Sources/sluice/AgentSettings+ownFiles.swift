// What the agent itself writes on this machine, so that none of its inputs reads it.
import Disk
import Pipeline
import Settings

extension AgentSettings {
    /// Notes the files that outputs write, before an input looks for files.
    func claimOwnFiles(_ files: OwnFiles) {
        for output in outputs.map(\.plugin) {
            if let written = output.written { files.claim(written) }
            // Standard output may have been led into a file.
            if output.files.isPrinted, let status = AgentSettings.standardOutput, status.kind == .regular {
                files.claim("standard output", by: output.name, status)
            }
        }
    }

    /// Refuses an input that reads all of the journal while records are printed into it, as systemd does with what services print.
    func refuseOwnJournal() throws(SettingsProblem) {
        guard let output = outputs.map(\.plugin).first(where: \.files.isPrinted),
            let input = inputs.map(\.plugin).first(where: \.files.readsWholeJournal),
            let status = AgentSettings.standardOutput,
            // systemd.exec(5)
            Machine.environment("JOURNAL_STREAM") == "\(status.device):\(status.inode)"
        else { return }
        throw input.origin.problem(
            "reads what the output '\(output.name)' prints, since standard output leads into the journal: its records would come back without end",
            hint: "choose 'units', or another output")
    }

    private static var standardOutput: FileStatus? {
        guard let output = try? StandardStream.output() else { return nil }
        return try? output.status()
    }
}
