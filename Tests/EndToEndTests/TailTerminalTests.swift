// `sluice tail` on a terminal: nothing steers it, nothing is wider than it, and nothing is left behind when it goes.
import Disk
import Foundation
import TestKit
import Testing

@Suite("sluice tail on a terminal")
struct TailTerminalTests {
    private let scratch: ScratchDirectory
    private let root: String

    init() throws {
        scratch = try ScratchDirectory()
        root = scratch.path("node")
        try LocalFileSystem().makeFolder(scratch.path("tmp"))
    }

    private func write(_ messages: String...) throws { try write(messages) }

    private func write(_ messages: [String]) throws {
        let lines = messages.enumerated().map { "2026-11-23T03:00:0\($0).5Z stdout F \($1)\n" }
        try scratch.write(
            "node/var/log/pods/shop_web_0b5d8f4e-1111-4111-8111-000000000001/c/0.log", lines.joined())
    }

    /// Runs it on a terminal of 60 columns.
    private func onTerminal(_ arguments: String, _ environment: [String: String] = [:]) async throws -> Outcome {
        var environment = environment
        environment["TMPDIR"] = scratch.path("tmp")
        if environment["TERM"] == nil { environment["TERM"] = "xterm-256color" }
        let outcome = try await Program.shell(
            "script -qec \"stty cols 60 -onlcr; TZ=UTC '$SLUICE' tail --root '\(root)' \(arguments)\" /dev/null",
            environment: environment)
        #expect(outcome.status == 0, "\(outcome.output)\(outcome.errors)")
        return outcome
    }

    private static let steering =
        "bell \u{7} esc \u{1b}[2J del \u{7f} csi \u{9b}2J nel \u{85} osc \u{9d}0;t\u{9c} end é"

    @Test(arguments: ["short", "cat", "json", "json-pretty", "raw", "export", "with-unit"])
    func `no style lets a record steer the terminal, and a pipe gets it as it is`(style: String) async throws {
        try write(Self.steering, "{\"json\":\"\u{7f}\u{9b}31m\",\r \"k\u{85}\": 1}", "\u{9b}0c")
        let shown = try await onTerminal("--color never --no-pager -a -o \(style)").output
        #expect(shown.contains("end é"))
        for scalar in shown.unicodeScalars {
            let isHarmless = scalar == "\n" || scalar == "\t" || scalar.value >= 0x20 && !(0x7f...0x9f ~= scalar.value)
            #expect(isHarmless, "U+\(String(scalar.value, radix: 16)) in \(style)")
        }
        let piped = try await Program.shell("\"$SLUICE\" tail --root '\(root)' -o \(style)")
        if ["json", "raw"].contains(style) { #expect(piped.output.contains("\u{7f} csi \u{9b}2J")) }
        guard style.hasPrefix("json") else { return }
        // It is still the same JSON.
        func values(_ text: String) throws -> [NSDictionary] {
            let lines =
                style == "json"
                ? text.split(separator: "\n").map(String.init)
                : text.components(separatedBy: "\n}\n").dropLast().map { $0 + "}" }
            return try lines.map { try #require(JSONSerialization.jsonObject(with: Data($0.utf8)) as? NSDictionary) }
        }
        #expect(try values(shown) == values(piped.output) && values(shown).count == 3)
    }

    @Test func `no other command that prints records steers it either`() async throws {
        try write(Self.steering)
        let data = scratch.path("data")
        let config = try scratch.write(
            "sluice.yaml",
            """
            data_dir: \(data)
            inputs: [{ type: kubernetes_logs, path: \(root)/var/log/pods, start_at: beginning }]
            outputs: [{ type: stdout, format: json }]
            """)
        for command in ["run --once --config \(config)", "chunks cat --data-dir \(data)"] {
            let shown = try await Program.shell(
                "script -qec \"stty -onlcr; '$SLUICE' \(command) 2> '\(scratch.path("errors"))'\" /dev/null"
            ).output
            #expect(shown.contains("\\u007f csi \\u009b2J") && shown.contains("end é"), "\(shown)")
            #expect(!shown.unicodeScalars.contains { $0.value < 0x20 && $0 != "\n" || 0x7f...0x9f ~= $0.value })
        }
        #expect(try await Program.run("chunks", "cat", "--data-dir", data).output.contains("\u{7f} csi \u{9b}2J"))
    }

    @Test func `colours are for terminals that have some`() async throws {
        try write("WARN x")
        #expect(try await onTerminal("--no-pager").output.contains("\u{1b}["))
        for environment in [["TERM": "dumb"], ["TERM": ""], ["NO_COLOR": "1"]] {
            #expect(try await !onTerminal("--no-pager", environment).output.contains("\u{1b}"), "\(environment)")
            #expect(try await onTerminal("--no-pager --color always", environment).output.contains("\u{1b}["))
        }
        #expect(
            try await onTerminal("--no-pager", ["NO_COLOR": ""]).output.contains("\u{1b}["), "as no-color.org has it")
        // A pager would complain about such a terminal.
        #expect(try await !onTerminal("", ["TERM": "dumb", "PAGER": "sed s/^/paged:/"]).output.contains("paged:"))
    }

    @Test(arguments: ["nosuchpager", "/nosuch/pager -R", "LESS=R nosuchpager"])
    func `a pager that cannot be started is reported, and everything is shown`(pager: String) async throws {
        try write("one", "two")
        let output = try await onTerminal("--color never -o cat", ["PAGER": pager]).output
        #expect(output.hasSuffix("one\ntwo\n") && output.contains("cannot start the pager '\(pager)'"), "\(output)")
        let chosen = try await onTerminal("-o cat --color never", ["PAGER": pager, "SLUICE_PAGER": "sed s/^/paged:/"])
        #expect(chosen.output == "paged:one\npaged:two\n")
        #expect(try await onTerminal("-o cat --color never", ["PAGER": ""]).output == "one\ntwo\n")
    }

    @Test func `lines with wide characters fit into the terminal`() async throws {
        let emoji = [
            "\u{1F680}", "\u{1F468}\u{200D}\u{1F469}\u{200D}\u{1F467}", "\u{1F44D}\u{1F3FD}", "\u{2764}\u{FE0F}",
            "\u{1F1E9}\u{1F1EA}", "日", "e\u{301}",
        ]
        try write(emoji.map { String(repeating: $0, count: 60) })
        let lines = try await onTerminal("--color never --no-pager").lines
        #expect(lines.count == emoji.count)
        try scratch.write("shown", lines.joined(separator: "\n"))
        let widths = try await Program.shell("python3 -c '\(Self.measure)' < '\(scratch.path("shown"))'")
        #expect(widths.lines.count == lines.count)
        for (line, width) in zip(lines, widths.lines) {
            #expect(Int(width).map { $0 <= 60 && $0 > 50 } == true || line.contains("\u{FE0F}"), "\(width): \(line)")
            #expect(line.contains("\u{2026}"))
        }
    }

    /// Columns by another's facts: each character for itself.
    private static let measure = """
        import sys, unicodedata as u
        for line in sys.stdin: print(sum(0 if u.category(c) in ("Mn", "Me", "Cf") else 2 if u.east_asian_width(c) in "WF" else 1 for c in line.rstrip("\\n")))
        """

    // MARK: What is left behind

    private var leftBehind: [String] {
        get throws { try FileManager.default.contentsOfDirectory(atPath: scratch.path("tmp")) }
    }

    @Test(arguments: [SIGHUP, SIGINT, SIGQUIT, SIGALRM, SIGTERM, SIGUSR1, SIGUSR2])
    func `its folder is for its user only, and gone after a signal`(signal: Int32) async throws {
        try write("one")
        let tail = try Running(
            Program.path, ["tail", "-f", "-q", "-o", "cat", "--root", root],
            environment: ["TMPDIR": scratch.path("tmp")])
        try await tail.eventually("a line") { tail.output == "one\n" }
        let folder = try #require(leftBehind.first)
        let attributes = try FileManager.default.attributesOfItem(atPath: scratch.path("tmp/" + folder))
        #expect(attributes[.posixPermissions] as? Int == 0o700)
        tail.send(signal)
        #expect(try await tail.outcome().status == 0)
        #expect(try leftBehind == [])
    }

    @Test func `what a killed one left is deleted by the next, and nothing else`() async throws {
        try write("one")
        let tail = try Running(
            Program.path, ["tail", "-f", "-q", "-o", "cat", "--root", root],
            environment: ["TMPDIR": scratch.path("tmp")])
        try await tail.eventually("a line") { tail.output == "one\n" }
        try await tail.kill9()
        #expect(try leftBehind.count == 1)
        // One that others may write to, of a process that is not there.
        let other = "sluice-tail-4194999-0"
        try LocalFileSystem().makeFolder(scratch.path("tmp/" + other))
        #expect(try await onTerminal("--no-pager").output.contains("one"))
        #expect(try leftBehind == [other])
    }

    @Test func `what nohup keeps from it does not end it`() async throws {
        try write("one")
        let tail = try Running(
            "/bin/sh", ["-c", "trap '' HUP; exec '\(Program.path)' tail -f -q -o cat --root '\(root)'"],
            environment: ["TMPDIR": scratch.path("tmp")])
        try await tail.eventually("a line") { tail.output == "one\n" }
        tail.send(SIGHUP)
        try write("one", "two")
        try await tail.eventually("another line") { tail.output == "one\ntwo\n" }
        #expect(try await tail.stop().status == 0)
        #expect(try leftBehind == [])
    }

    @Test func `a terminal that is closed ends it`() async throws {
        try write("one")
        let outcome = try await Program.shell(
            "timeout 1 script -qec \"'$SLUICE' tail -f --root '\(root)'\" /dev/null; true",
            environment: ["TMPDIR": scratch.path("tmp"), "TERM": "xterm"])
        #expect(outcome.output.contains("one"))
        try await eventually("its folder is gone") { try leftBehind == [] }
    }
}
