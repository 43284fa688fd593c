// References to the environment and to files in the values of a configuration.
import Pipeline
import Settings
import Testing

struct ExpansionTests {
    @Test(arguments: [
        ("${NODE_NAME}", "node-7"), ("a-${NODE_NAME}-${PORT}", "a-node-7-80a"), ("${NONE:-x y}", "x y"),
        ("${NONE:-}", ""),
        ("${EMPTY:-x}", "x"), ("${EMPTY}", ""), ("${NODE_NAME:-x}", "node-7"), ("${file:/run/token}", "s3cret"),
        ("'pa$$word'", "pa$$word"), ("$${NODE_NAME}", "${NODE_NAME}"), ("$$$$", "$$$$"), ("$5 and $", "$5 and $"),
        ("a$${b", "a${b"), ("$$", "$$"), ("$$5${PORT}", "$$580a"),
        ("'${NODE_NAME}'", "node-7"), ("\"${NODE_NAME}\\n\"", "node-7\n"), ("$$${NODE_NAME}", "$${NODE_NAME}"),
    ])
    func `references are replaced in values`(_ written: String, _ text: String) throws {
        #expect(try node(written) == text)
    }

    @Test(arguments: [
        ("${NONE}", "the environment variable NONE is not set"),
        ("${file:/run/nothing}", "the file /run/nothing cannot be read: no such file"),
        ("${file:/run/latin1}", "the file /run/latin1 is not UTF-8 text"), ("${file:}", "'${file:}' names no file"),
        ("a ${b", "'${' without its '}'"), ("${}", "this is not a reference that Sluice knows"),
        ("${1A}", "this is not a reference that Sluice knows"),
        ("${A-b}", "this is not a reference that Sluice knows"),
        ("${A B}", "this is not a reference that Sluice knows"),
        ("${NONE:-${NODE_NAME}}", "the default of NONE has a reference of its own, which is not possible"),
    ])
    func `references that lead nowhere are told`(_ written: String, _ message: String) {
        let loaded = load(configuration(node: written))
        #expect(loaded.problems.map(\.message) == [message])
        #expect(loaded.problems.first?.origin.path == "agent.node")
    }

    @Test func `all references of a text are told, each at its own place`() {
        let loaded = load(configuration(node: "${A}-${NODE_NAME}-${B}"))
        #expect(loaded.problems.map { "\($0.line):\($0.column)" } == ["1:17", "1:35"])
    }

    @Test func `what is expanded cannot change the structure`() {
        let text =
            "inputs: [{ type: kubernetes_logs }]\noutputs: [{ type: stdout }]\nfields: { x: \"${X}\", y: \"${X}\" }\n"
        let loaded = SettingsFile.load(
            text: text, fileName: "sluice.yaml", registry: .fake, environment: { _ in "a, z: {b: [1]}\nstore: 5" })
        #expect(loaded.problems.map { $0.rendered() } == [])
        #expect(loaded.settings?.fields.map(\.name) == ["x", "y"])
    }

    @Test func `keys are not expanded`() {
        let loaded = load(
            "fields: { \"${NODE_NAME}\": 1 }\ninputs: [{ type: kubernetes_logs }]\noutputs: [{ type: stdout }]\n")
        #expect(loaded.settings?.fields.map(\.name) == ["${NODE_NAME}"])
    }

    @Test func `contents of files are never shown`() {
        let text =
            "inputs: [{ type: kubernetes_logs }]\noutputs: [{ type: stdout, max_delay: \"${file:/run/token}\" }]\n"
        let told = load(text).problems.map { $0.rendered() }.joined()
        #expect(told.contains("'${file:/run/token}' does not hold a time") && !told.contains("s3cret"))
    }

    @Test(arguments: [
        ("abc123", "******"), ("\"abc 123\"", "\"*******\""), ("'it''s'", "'*****'"), ("&t abc123", "*********"),
        ("\"abc${NODE_NAME}\"", "\"***${NODE_NAME}\""), ("\"${TOKEN:-abc}\"", "\"*************\""),
    ])
    func `a secret that is written in the file is starred out`(_ written: String, _ shown: String) throws {
        let text = """
            inputs: [{ type: kubernetes_logs }]
            outputs:
              - type: http
                url: https://logs.example.com
                auth: { wrong: 1, token: \(written)
                  }
            """
        let problem = try #require(load(text).problems.first)
        #expect(problem.origin.excerpt == "    auth: { wrong: *, token: \(shown)")
    }

    private func configuration(node: String) -> String {
        "agent: { node: \(node.contains("{") && !"'\"".contains(node.prefix(1)) ? "\"\(node)\"" : node) }\n"
            + "inputs: [{ type: kubernetes_logs }]\noutputs: [{ type: stdout }]\n"
    }

    private func node(_ written: String) throws -> String? {
        let loaded = load(configuration(node: written))
        #expect(loaded.problems.map { $0.rendered() } == [])
        return loaded.settings?.agent.node
    }
}
