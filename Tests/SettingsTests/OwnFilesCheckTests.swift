import Pipeline
// Inputs that would read what the agent itself writes are refused by the settings alone.
import Plugins
import Settings
import Testing

struct OwnFilesCheckTests {
    private func told(_ inputs: String, _ outputs: String, _ more: String = "", data: String? = nil) -> [String] {
        let loaded = SettingsFile.load(
            text: "inputs: [\(inputs)]\noutputs: [\(outputs)]\n\(more)\n", fileName: "sluice.yaml", registry: .builtin,
            dataDirectory: data)
        return (loaded.problems + loaded.findings).map { "\($0.origin.path): \($0.message)" }
    }

    @Test(arguments: [
        ("/var/log/*.log", "/var/log/sluice.log"), ("/var/log/**", "/var/log/sluice/%Y-%m-%d.ndjson"),
        ("/var/log/sluice/????-*", "/var/log/sluice/%Y-%m-%d.ndjson"),
        ("/out/[0-9][0-9][0-9][0-9].log", "/out/%Y.log"), ("/out/%.log", "/out/%%.log"),
        ("/out/x.ndjson.0001", "/out/x.ndjson"), ("/out/x.ndjson*", "/out//x.ndjson"),
        ("/out/*/x", "/out/%j/x"),
    ])
    func `an output's file among the files of an input is told`(_ include: String, _ path: String) {
        let told = told("{ type: file, include: \"\(include)\" }", "{ type: file, path: \"\(path)\" }")
        #expect(
            told.count == 1 && told[0].hasPrefix("inputs[0]: would read what the output 'file' writes ("), "\(told)")
    }

    @Test(arguments: [
        ("/var/log/*.log", "/var/log/sluice.ndjson"), ("/var/log/*", "/var/log/sluice/%Y-%m-%d.ndjson"),
        ("/out/[a-z]*", "/out/%Y.log"),
    ])
    func `one that is not among them is right`(_ include: String, _ path: String) {
        #expect(told("{ type: file, include: \"\(include)\" }", "{ type: file, path: \"\(path)\" }") == [])
    }

    @Test func `what is excluded is not read, as the hint says`() throws {
        let inputs = "{ type: file, include: \"/var/log/**\" }"
        let output = "{ type: file, path: \"/var/log/sluice/%Y-%m-%d.ndjson\" }"
        let problem = try #require(
            SettingsFile.load(
                text: "inputs: [\(inputs)]\noutputs: [\(output)]\n", fileName: "x", registry: .builtin
            ).findings.first)
        let hint = try #require(problem.hint?.firstMatch(of: /exclude: \["(.+)"\]/)).output.1
        #expect(told("{ type: file, include: \"/var/log/**\", exclude: [\"\(hint)\"] }", output) == [])
    }

    @Test func `the agent's own files are told, also where the command line says where they are`() {
        let everything = "{ type: file, include: \"/var/**\" }"
        let whole = told(everything, "{ type: stdout }")
        #expect(whole.count == 1 && whole[0].hasPrefix("inputs[0]: would read the agent's own files (/var/lib/sluice/"))
        #expect(told(everything, "{ type: stdout }", data: "/data") == [])
        #expect(told("{ type: file, include: \"/data/**/*.gz\" }", "{ type: stdout }", data: "/data").count == 1)
        #expect(told("{ type: file, include: \"/var/**/*.log\" }", "{ type: stdout }") == [])
        #expect(
            told("{ type: file, include: \"/var/**\", exclude: \"/var/lib/sluice/**\" }", "{ type: stdout }") == [])
    }

    @Test func `the agent's own pod is not read where records are printed`() {
        let own = "{ type: kubernetes_logs, own_logs: true }"
        #expect(told(own, "{ type: stdout }").map { $0.hasPrefix("inputs[0]: 'own_logs' reads what") } == [true])
        #expect(told(own, "{ type: \"null\" }") == [])
        #expect(told("{ type: kubernetes_logs }", "{ type: stdout }") == [])
    }
}
