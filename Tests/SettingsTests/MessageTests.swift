// What an operator is told about each wrong configuration, and how it is laid out.
import Pipeline
import Settings
import Testing

struct MessageTests {
    @Test(arguments: mistakesOfStructure + mistakesOfValues + mistakesOfReferences + mistakesOfSyntax)
    func `a wrong configuration is told to the letter`(_ wrong: WrongConfiguration) {
        let loaded = load(wrong.yaml)
        #expect(loaded.settings == nil)
        #expect(loaded.problems.map { $0.rendered() }.joined(separator: "\n") == wrong.told)
    }

    @Test func `colour adds escapes and changes no text`() throws {
        let problem = try #require(load("inputs: []\noutputs: [{ type: stdout }]\n").problems.first)
        let coloured = problem.rendered(colour: true)
        #expect(coloured.contains("\u{1B}[1msluice.yaml:1:9:\u{1B}[0m"))
        #expect(coloured.replacing(/\u{1B}\[[0-9;]*m/, with: "") == problem.rendered())
    }

    @Test func `a long line is cut around the caret`() throws {
        let names = (0..<60).map { "namespace-\($0)" }.joined(separator: ", ")
        let text = "inputs: [{ type: kubernetes_logs, include: { namespaces: [\(names), \"[\", \(names)] } }]"
        let problem = try #require(load(text + "\noutputs: [{ type: stdout }]\n").problems.first)
        let lines = problem.rendered().split(separator: "\n")
        #expect(lines.count == 4)
        #expect(lines[1].count < 125 && lines[1].hasPrefix("    1 | ...") && lines[1].hasSuffix("..."))
        let caret = try #require(lines[2].firstIndex(of: "^"))
        let offset = lines[2].distance(from: lines[2].startIndex, to: caret)
        #expect(lines[1].dropFirst(offset).hasPrefix("\"[\""))
    }

    @Test func `an alias' mistake is told once, where it is written`() {
        let text = """
            x: &retry { initial: 5 }
            inputs: [{ type: kubernetes_logs }]
            outputs:
              - { type: stdout, retry: *retry }
              - { type: "null", retry: *retry }
            """
        let told = load(text).problems.map { "\($0.line):\($0.column) \($0.origin.path) \($0.message)" }
        #expect(told == ["1:1 x unknown setting", "1:22 outputs[0].retry.initial '5' has no unit"])
    }

    @Test func `a file that cannot be read is told without a place`() {
        let loaded = SettingsFile.load(path: "/nonexistent/sluice.yaml", registry: .fake)
        #expect(loaded.settings == nil)
        #expect(loaded.problems.map { $0.rendered() } == ["/nonexistent/sluice.yaml: cannot be read: no such file"])
        let folder = SettingsFile.load(path: "/tmp", registry: .fake)
        #expect(folder.problems.map { $0.rendered() } == ["/tmp: cannot be read: it is a folder"])
    }

    @Test func `a file that is not UTF-8 is told at the first wrong byte`() {
        let bytes = Array("inputs:\n  - type: ".utf8) + [0xFC, 0x0A]
        let loaded = SettingsFile.load(path: "sluice.yaml", registry: .fake, readFile: { _ in bytes })
        #expect(loaded.problems.map { "\($0.line):\($0.column): \($0.message)" } == ["2:11: this is not UTF-8 text"])
    }

    @Test(arguments: [
        ("urll", "url"), ("usl", "url"), ("Max-Size", "max_size"), ("maxsize", "max_size"), ("hsitory", "history"),
        ("retries", nil), ("banana", nil), ("x", nil), ("", nil),
    ])
    func `a slip of the finger finds the name that was meant`(_ typed: String, _ meant: String?) {
        #expect(Suggestions.closest(to: typed, among: ["url", "max_size", "history", "retry"]) == meant)
    }
}
