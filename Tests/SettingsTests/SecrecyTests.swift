import Pipeline
// No secret is ever printed: wherever a password or a token stands in a file or in the environment, and whatever is wrong with it
// or beside it.
import Plugins
import Settings
import Testing

struct SecrecyTests {
    private static let secret = "SEKRIT9f31"

    /// What an operator is shown of a configuration; the environment and the files hold nothing but the secret.
    private func told(_ text: String) -> String {
        let loaded = SettingsFile.load(
            text: text, fileName: "sluice.yaml", registry: .builtin,
            environment: { $0.hasPrefix("SECRET") ? "7\(Self.secret)" : nil },
            readFile: { _ in Array(Self.secret.utf8) })
        return loaded.problems.map { $0.rendered() }.joined(separator: "\n")
    }

    @Test(arguments: [
        "url: http://u:@@@@host/x", "url: https://host/in?token=@@@, method: X", "url: 'https://host/@@@ x'",
        "url: htps://host/@@@", "url: '@@@'", "url: https:///@@@", "url: 'https://host:0/@@@'",
        "url: https://h, auth: { bearr: @@@ }", "url: https://h, auth: { bearer: [@@@] }",
        "url: https://h, auth: { bearer: !@@@ }", "url: https://h, auth: { username: u, password: &@@@ }",
        "url: https://h, auth: { bearer: @@@, username: u }", "url: https://h, headers: { X-Key: \"@@@\\u0001\" }",
        "url: https://h, headers: { X-Key: @@@, Expect: @@@ }", "urll: https://h/@@@", "url: https://h, token: @@@",
        "url: https://h, auth: { bearer: \"${@@@ x}\" }", "url: https://h, auth: { bearer: \"a${@@@\" }",
        "url: https://h, auth: { bearer: \"${NONE x:-@@@}\" }", "url: https://h, max_delay: 1, auth: { bearer: @@@ }",
        "url: https://h, zzz: { a: [@@@, { b: @@@ }] }", "type: htp, auth: { bearer: @@@ }",
    ])
    func `a secret that is written in the file is not shown`(_ output: String) {
        let output = (output.contains("type:") ? output : "type: http, \(output)").replacing("@@@", with: Self.secret)
        let told = told("inputs: [{ type: file, include: /x }]\noutputs: [{ \(output) }]\n")
        #expect(!told.isEmpty && !told.contains(Self.secret), "\(told)")
    }

    @Test(arguments: [
        "store: { max_size: V }", "store: { history: V }", "store: { sync: V }", "agent: { log_level: V }",
        "agent: { summary_interval: V }", "outputs: [{ type: V }]", "outputs: [{ type: stdout, name: V }]",
        "outputs: [{ type: http, url: V }]", "outputs: [{ type: http, url: 'http://V:x@h' }]",
        "outputs: [{ type: http, url: 'https://h', concurrency: V }]",
        "outputs: [{ type: http, url: 'https://h', method: V }]", "outputs: [{ type: stdout, where: { severity: V } }]",
        "outputs: [{ type: stdout, where: { kubernetes.namespace_name: 'V,V' } }]",
        "outputs: [{ type: file, path: '~/V' }]", "inputs: [{ type: file, include: 'V/' }]",
        "inputs: [{ type: file, include: '[V' }]", "inputs: [{ type: file, include: '/x', parsers: V }]",
        "inputs: [{ type: kubernetes_logs, include: { namespaces: 'V,V' } }]",
        "inputs: [{ type: kubernetes_logs, include: { pods: '^V$' } }]",
        "inputs: [{ type: file, include: /x, json: V }]",
        "inputs: [{ type: file, include: /x, max_line: V }]", "inputs: [{ type: journal, priority: V }]",
        "inputs: [{ type: journal, start_at: V }]", "inputs: [{ type: journal, fields: V }]",
        "kubernetes: { metadata: V }", "kubernetes: { labels: 'V, V' }",
        "kubernetes: { metadata: kubelet, kubelet: { url: V } }",
        "kubernetes: { metadata: kubelet, kubelet: { url: 'http://h/V' } }",
    ])
    func `what comes from the environment or a file is not shown`(_ setting: String) {
        for reference in ["${SECRET}", "${file:/run/secret}", "${NONE:-${SECRET}}"] {
            let quoted = setting.replacing("V", with: reference).replacing(": \(reference)", with: ": \"\(reference)\"")
            var text = quoted + "\n"
            if !setting.hasPrefix("inputs") { text += "inputs: [{ type: file, include: /x }]\n" }
            if !setting.hasPrefix("outputs") { text += "outputs: [{ type: stdout }]\n" }
            let told = told(text)
            #expect(!told.isEmpty && !told.contains(Self.secret) && !told.contains("SEKRIT"), "\(told)")
        }
    }

    @Test(arguments: [
        "    bearer: \"@@@", "    bearer: @@@: x", "    bearer: @@@\n   x: 1", "    bearer: `@@@", "    bearer: *@@@",
        "    password: >\n      @@@\n    \t@@@", "    bearer: [@@@", "    x: { token: @@@ ]",
    ])
    func `a secret on a line that is not YAML is not shown`(_ lines: String) {
        let told = told(
            "inputs: [{ type: file, include: /x }]\noutputs:\n- type: http\n  url: https://h\n  auth:\n"
                + lines.replacing("@@@", with: Self.secret) + "\n")
        #expect(!told.isEmpty && !told.contains(Self.secret), "\(told)")
    }

    @Test func `a secret on a line that is not UTF-8 is not shown`() {
        let bytes = Array("outputs:\n  - type: http\n    auth: { bearer: \(Self.secret)".utf8) + [0xFC, 0x0A]
        let loaded = SettingsFile.load(path: "sluice.yaml", registry: .builtin, readFile: { _ in bytes })
        #expect(loaded.problems.count == 1 && !loaded.problems[0].rendered().contains(Self.secret))
    }

    @Test func `nothing that a terminal obeys is printed`() {
        let told = told("\"\\e[31mred\\a\": 1\nfields: { \"a\\u202Eb\": 1, \"\\e[2J\": 1 }\n")
        #expect(!told.unicodeScalars.contains { $0.value < 0x20 && $0 != "\n" || $0.value == 0x7F || $0 == "\u{202E}" })
    }
}
