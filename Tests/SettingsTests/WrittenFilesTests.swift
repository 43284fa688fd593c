// Outputs that would write the same file.
import Pipeline
import Plugins
import Settings
import Testing

@Suite struct `Files that outputs write` {
    private func problems(_ first: String, _ second: String) -> [String] {
        let text = """
            inputs: [{ type: kubernetes_logs }]
            outputs:
              - { type: file, path: "\(first)" }
              - { type: file, name: more, path: "\(second)" }
            """
        return SettingsFile.load(text: text, fileName: "sluice.yaml", registry: .builtin).problems.map {
            "\($0.origin.path): \($0.message); \($0.hint ?? "")"
        }
    }

    @Test func `one file is not for two outputs, however it is written`() {
        let refusal =
            "outputs[1].path: outputs[0] writes to the same file, or will at some time; "
            + "outputs that write to one file cut each other's lines back: give each a file of its own"
        #expect(problems("/nowhere/a.ndjson", "/nowhere/a.ndjson") == [refusal])
        #expect(problems("/nowhere/logs/%Y.ndjson", "/nowhere/./logs//2026.ndjson") == [refusal])
        #expect(problems("/nowhere/%Y-%m-%d.ndjson", "/nowhere/more/../%Y-%d-%m.ndjson") == [refusal])
    }

    @Test func `two files are`() {
        #expect(problems("/nowhere/a-%Y.ndjson", "/nowhere/b-%Y.ndjson") == [])
    }
}
