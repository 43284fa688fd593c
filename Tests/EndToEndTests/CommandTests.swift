// The other commands: wrong configurations, looking into a store, help.
import Foundation
import TestKit
import Testing

@Suite("configuration on the command line")
struct ConfigurationTests {
    private static let wrong = """
        data_dir: DATA
        inputs:
          - type: kubernetes_log
        outputs:
          - type: stdout
            formt: short
        """

    @Test(arguments: ["run", "validate"]) func `every mistake is told with file, line and column, and exit code 78`(
        command: String
    ) async throws {
        let scratch = try ScratchDirectory()
        let path = try scratch.write("wrong.yaml", Self.wrong.replacing("DATA", with: scratch.path("data")))
        let outcome =
            command == "run" ? try await Program.run("run", "--config", path) : try await Program.run("validate", path)
        #expect(outcome.status == 78)
        #expect(outcome.errors.contains("\(path):3:11: inputs[0].type: "))
        #expect(outcome.errors.contains("did you mean 'kubernetes_logs'?"))
        #expect(outcome.errors.contains("\(path):6:5: outputs[0].formt: unknown setting, did you mean 'format'?"))
        #expect(outcome.errors.contains("    6 |     formt: *****\n      |     ^~~~~\n"))
        #expect(outcome.errors.contains("2 mistakes"))
        #expect(!outcome.errors.contains("\u{1b}"))
        #expect(
            !FileManager.default.fileExists(atPath: scratch.path("data")),
            "nothing is made before the configuration is right")
    }

    @Test(arguments: ["run", "validate"]) func `a configuration that is not there is a wrong configuration`(
        command: String
    ) async throws {
        let scratch = try ScratchDirectory()
        let path = scratch.path("none.yaml")
        let outcome =
            command == "run" ? try await Program.run("run", "--config", path) : try await Program.run("validate", path)
        #expect(outcome.status == 78)
        #expect(outcome.errors.contains("\(path): cannot be read: no such file"))
    }

    @Test func `a data directory that cannot be made is a failure that names it`() async throws {
        let scratch = try ScratchDirectory()
        let path = try scratch.write("right.yaml", "inputs: [{ type: kubernetes_logs }]\noutputs: [{ type: stdout }]\n")
        let folder = try scratch.write("file", "no folder") + "/data"
        let outcome = try await Program.run("run", "--config", path, "--data-dir", folder)
        #expect(outcome.status == 1)
        #expect(outcome.errors.contains("the agent cannot start: ") && outcome.errors.contains(folder))
    }

    @Test func `validate tells of several files which are right`() async throws {
        let scratch = try ScratchDirectory()
        let log = try scratch.write("pods/shop_web_uid/app/0.log", "")
        let data = "data_dir: \(scratch.path("data"))\n"
        let right = try scratch.write(
            "right.yaml",
            data + "inputs: [{ type: kubernetes_logs, path: \(scratch.path("pods")) }]\noutputs: [{ type: stdout }]\n")
        let other = try scratch.write(
            "other.yaml", data + "inputs: [{ type: file, include: [\(log)] }]\noutputs: [{ type: \"null\" }]\n")
        let wrong = try scratch.write("wrong.yaml", Self.wrong)
        let mixed = try await Program.run("validate", right, wrong, other)
        #expect(mixed.status == 78)
        #expect(mixed.output == "\(right): ok\n\(other): ok\n")
        #expect(mixed.errors.contains("\(wrong):3:11: "))
        let good = try await Program.run("validate", right, other)
        #expect(good.status == 0)
        #expect(good.errors.isEmpty)
    }

    @Test func `validate tells of a kubeconfig that cannot be used`() async throws {
        let scratch = try ScratchDirectory()
        let kubeconfig = try scratch.write("kubeconfig", "kind: Config\n")
        let path = try scratch.write(
            "sluice.yaml",
            "inputs: [{ type: file, include: [/x] }]\noutputs: [{ type: \"null\" }]\nkubernetes: { kubeconfig: \(kubeconfig) }\n"
        )
        let outcome = try await Program.run("validate", path)
        #expect(outcome.status == 1)
        #expect(
            outcome.errors.contains("\(path):3:27: kubernetes.kubeconfig: \(kubeconfig):1:1: has no current-context"))
        #expect(try await Program.run("validate", "--settings-only", path).status == 0)
    }

    @Test(
        arguments: [
            ["validate"], ["run", "--bogus"], ["runn"], ["chunks", "cat", "--from", "x"],
            ["ledger", "--output", "xml"],
        ])
    func `a command line that cannot be understood is told so with exit code 2`(arguments: [String]) async throws {
        let outcome = try await Running(Program.path, arguments).outcome()
        #expect(outcome.status == 2)
        #expect(outcome.errors.contains("Usage: sluice"))
        #expect(outcome.output.isEmpty)
    }

    @Test(
        arguments: [
            ([], ["run", "validate", "chunks", "ledger", "version"]),
            (["run"], ["--config <file>", "--data-dir <dir>", "--once", "SIGUSR1"]),
            (["validate"], ["<files>", "78"]), (["chunks"], ["ls", "cat", "verify"]),
            (["chunks", "ls"], ["--data-dir <dir>"]),
            (["chunks", "cat"], ["--data-dir <dir>", "--from", "--to"]),
            (["chunks", "verify"], ["--data-dir <dir>", "Exits with 1"]),
            (["ledger"], ["--data-dir <dir>", "--output", "text, json"]), (["version"], ["USAGE: sluice version"]),
        ] as [([String], [String])])
    func `help names every flag and fits a terminal`(command: [String], wanted: [String]) async throws {
        let outcome = try await Running(Program.path, command + ["--help"]).outcome()
        #expect(outcome.status == 0)
        #expect(outcome.errors.isEmpty)
        #expect(outcome.output.hasPrefix("OVERVIEW: "))
        for text in wanted { #expect(outcome.output.contains(text), "\(text)") }
        #expect(!outcome.output.contains("18446744073709551615"))
        for line in outcome.lines { #expect(line.count <= 80, "\(line)") }
    }

    @Test func `version names the version and the compressor`() async throws {
        let outcome = try await Program.run("version")
        #expect(outcome.status == 0)
        #expect(
            outcome.output.contains(try Regex("^sluice [0-9]+\\.[0-9]+\\.[0-9]+ \\(compression: (isa-l|zlib)\\)\\n$")))
        #expect(try await Program.run("--version").output == outcome.output)
    }
}

@Suite("looking into a store")
struct StoreCommandTests {
    /// Two runs, so that there are two segments, both closed.
    private func filledAgent() async throws -> Agent {
        let agent = try Agent()
        let log = try PodLog("web", in: agent.scratch)
        for _ in 1...2 {
            try log.append(3000)
            let outcome = try await agent.runOnce()
            guard outcome.status == 0 else { throw Trouble(outcome.errors) }
        }
        return agent
    }

    @Test func `chunks ls shows segments and chunks whose records add up`() async throws {
        let agent = try await filledAgent()
        let outcome = try await Program.run("chunks", "ls", "--data-dir", agent.data)
        #expect(outcome.status == 0)
        let names = outcome.lines.filter { !$0.hasPrefix(" ") }
        #expect(names.map(String.init) == agent.segments.map { String($0.split(separator: "/").last ?? "") })
        let records = outcome.lines.compactMap { line -> Int? in
            let words = line.split(separator: " ")
            return words.count > 2 && words[1].contains("-") ? Int(words[2]) : nil
        }
        #expect(records.reduce(0, +) == 6000)
        #expect(outcome.lines.contains { $0.contains(" 1-") && $0.contains("epoch 1 ") })
        #expect(outcome.lines.contains { $0.contains("snapshot") })
    }

    @Test func `chunks cat prints what zcat prints, and a range of it by number`() async throws {
        let agent = try await filledAgent()
        let all = try await agent.zcat()
        let lines = all.split(separator: "\n")
        #expect(lines.count == 6000)
        #expect(try await Program.run("chunks", "cat", "--data-dir", agent.data).output == all)
        for range in [1...1, 1...3, 17...940, 2999...3002, 5999...6000] {
            let outcome = try await Program.run(
                "chunks", "cat", "--data-dir", agent.data, "--from", "\(range.lowerBound)", "--to",
                "\(range.upperBound)")
            #expect(outcome.status == 0)
            #expect(outcome.lines == Array(lines[(range.lowerBound - 1)...(range.upperBound - 1)]), "\(range)")
        }
        #expect(try await Program.run("chunks", "cat", "--data-dir", agent.data, "--from", "5990").lines.count == 11)
        #expect(try await Program.run("chunks", "cat", "--data-dir", agent.data, "--from", "6001").output.isEmpty)
        #expect(
            try await Program.run("chunks", "cat", "--data-dir", agent.data, "--from", "9", "--to", "8").output.isEmpty)
        #expect(
            try await Program.run("chunks", "cat", "--data-dir", agent.data, "--from", "0", "--to", "0").output.isEmpty)
    }

    @Test func `chunks verify finds a flipped byte in an older segment, and cat passes over that chunk alone`()
        async throws
    {
        let agent = try await filledAgent()
        let whole = try await Program.run("chunks", "verify", "--data-dir", agent.data)
        #expect(whole.status == 0)
        #expect(whole.output.contains("2 segments, ") && whole.output.contains(" 6000 records, 0 damaged"))

        let segment = try #require(agent.segments.first)
        var bytes = try ScratchDirectory.contents(of: segment)
        bytes[bytes.count / 2] ^= 0x10
        try Data(bytes).write(to: URL(filePath: segment))
        let damaged = try await Program.run("chunks", "verify", "--data-dir", agent.data)
        #expect(damaged.status == 1)
        #expect(damaged.output.contains(String(segment.split(separator: "/").last ?? "?") + ":"))
        #expect(damaged.output.contains("the checksum of the compressed bytes is wrong"))
        #expect(damaged.output.hasSuffix(" 1 damaged\n"))
        let left = try await Program.run("chunks", "cat", "--data-dir", agent.data).lines
        #expect(left.count >= 3000 && left.count < 6000)
        for line in left { #expect(line.hasPrefix("{") && line.hasSuffix("}")) }
    }

    @Test func `chunks verify finds a cut-off end in an older segment`() async throws {
        let agent = try await filledAgent()
        let segment = try #require(agent.segments.first)
        let bytes = try ScratchDirectory.contents(of: segment)
        try Data(bytes.dropLast(10)).write(to: URL(filePath: segment))
        let outcome = try await Program.run("chunks", "verify", "--data-dir", agent.data)
        #expect(outcome.status == 1)
        #expect(outcome.output.contains("no chunk begins here"))
    }

    @Test func `the ledger closes, in words and as JSON`() async throws {
        let agent = try await filledAgent()
        let text = try await Program.run("ledger", "--data-dir", agent.data)
        #expect(text.status == 0)
        #expect(text.output.contains("input kubernetes_logs\n") && text.output.contains("output file\n"))
        #expect(text.output.contains("6,000"))
        #expect(text.lines.count { $0 == "  closes" } == 2)
        let ledger = try await agent.ledger()
        #expect(ledger.closes)
        #expect(ledger.inputs.map(\.read_records) == [6000])
        #expect(ledger.inputs.map(\.stored_records) == [6000])
        #expect(ledger.outputs.map(\.delivered_records) == [6000])
        #expect(ledger.outputs.map(\.waiting_records) == [0])
    }

    @Test(
        arguments: [["chunks", "ls"], ["chunks", "cat"], ["chunks", "verify"], ["ledger"]])
    func `a folder without a store is told, with exit code 1`(command: [String]) async throws {
        let scratch = try ScratchDirectory()
        let outcome = try await Running(Program.path, command + ["--data-dir", scratch.path("none")]).outcome()
        #expect(outcome.status == 1)
        #expect(outcome.errors.contains("there is no store in \(scratch.path("none"))"))
        #expect(!outcome.errors.contains("Usage:"))
        #expect(outcome.output.isEmpty)
        #expect(!FileManager.default.fileExists(atPath: scratch.path("none")))
    }

    @Test func `a reader that closes the pipe early is no failure to speak of`() async throws {
        let agent = try await filledAgent()
        let outcome = try await Program.shell("\"$SLUICE\" chunks cat --data-dir '\(agent.data)' | head -1")
        #expect(outcome.lines.count == 1)
        #expect(outcome.errors.isEmpty)
    }
}
