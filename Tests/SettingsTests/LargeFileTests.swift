// Configurations of a hundred thousand mistakes: the time grows as the file does.
import Pipeline
import Settings
import Testing

@Suite(.timeLimit(.minutes(1)), .serialized) struct LargeFileTests {
    private static let base = "inputs: [{ type: file, include: [/x] }]\noutputs: [{ type: \"null\" }]\n"

    private static func repeated(_ count: Int, _ part: (Int) -> String) -> String { (0..<count).map(part).joined() }

    /// Each would take minutes where work is done for each pair of its parts.
    static let files: [(name: String, text: String)] = [
        ("unknown keys", base + repeated(60_000) { "k\($0): 1\n" }),
        ("fields on one line", base + "fields: {" + repeated(45_000) { "f\($0): x, " } + "bad: .inf }\n"),
        ("quoted fields on one line", base + "fields: {" + repeated(45_000) { "f\($0): \"x\", " } + "bad: .inf }\n"),
        ("tagged fields on one line", base + "fields: {" + repeated(45_000) { "f\($0): !x y, " } + "}\n"),
        ("one key again and again", base + repeated(60_000) { _ in "data_dir: /x\n" }),
        ("many keys twice", base + repeated(30_000) { "k\($0): 1\nk\($0): 2\n" }),
        ("items", "inputs:\n" + repeated(20_000) { _ in "  - { type: file, include: [/x] }\n" } + "zz: 1\n"),
        (
            "conditions",
            "inputs: [{ type: file, include: [/x] }]\noutputs:\n  - type: stdout\n    where:\n"
                + repeated(40_000) { "      field\($0): [\"!\"]\n" }
        ),
        ("references that lead nowhere", base + "fields: {" + repeated(45_000) { "f\($0): \"${NONE}\", " } + "}\n"),
        (
            "secrets on one line",
            base.replacing(
                "\"null\"",
                with: "http, url: \"https://h\", auth: {"
                    + repeated(40_000) { "k\($0): secret, " } + "}")
        ),
        (
            "merges of merges",
            repeated(14) { level in
                level == 0
                    ? "m0: &m0 {}\n"
                    : "m\(level): &m\(level) {<<: [" + repeated(9) { _ in "*m\(level - 1)," } + "]}\n"
            } + base
        ),
    ]

    @Test(arguments: files.map(\.name)) func `a large file is judged in time that grows as it does`(
        _ name: String
    ) throws {
        let text = try #require(Self.files.first { $0.name == name }?.text)
        let clock = ContinuousClock()
        let time = clock.measure {
            let loaded = load(text)
            #expect(loaded.settings == nil && !loaded.problems.isEmpty && loaded.problems.count <= 100)
            #expect(loaded.problems.allSatisfy { $0.rendered().utf8.count < 5000 })
        }
        #expect(time < .seconds(20), "\(time)")
    }

    @Test func `of more than a hundred mistakes the first ones are told, and how many there are`() {
        let loaded = load(Self.base + Self.repeated(250) { "k\($0): 1\n" })
        #expect(loaded.problems.count == 100 && loaded.untold == 150)
        #expect(loaded.problems.first?.line == 3 && loaded.problems.last?.line == 102)
    }

    @Test func `a very long line is told in part, with the caret under its mistake`() throws {
        let loaded = load("fields: {" + Self.repeated(3000) { "field\($0): x, " } + "bad: .inf }\n" + Self.base)
        let lines = try #require(loaded.problems.first).rendered().split(separator: "\n")
        #expect(lines.count == 4 && lines[1].hasPrefix("    1 | ..."))
        let caret = try #require(lines[2].firstIndex(of: "^"))
        let offset = lines[2].distance(from: lines[2].startIndex, to: caret)
        #expect(lines[1].dropFirst(offset).hasPrefix(".inf"))
    }
}
