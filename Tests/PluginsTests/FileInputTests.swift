// Input `file` over real files: patterns, rotation, truncation, restarts.
import Disk
import Foundation
import NodeFiles
import Pipeline
import Plugins
import Records
import TestKit
import Testing

@Suite(.timeLimit(.minutes(1))) struct `Input file` {
    let bench: PluginBench

    init() throws { bench = try PluginBench() }

    private func settings(
        _ include: [String] = ["*.log"], exclude: [String] = [], _ more: [(String, SettingsNode)] = []
    ) -> SettingsNode {
        func list(_ patterns: [String]) -> SettingsNode {
            SettingsNode(.list(patterns.map { .init(stringLiteral: bench.scratch.path($0)) }))
        }
        let entries = [("include", list(include)), ("exclude", list(exclude))] + more
        return SettingsNode(.mapping(entries.map { .init(key: $0.0, keyMark: .init(line: 1, column: 1), value: $0.1) }))
    }

    private func input(
        _ include: [String] = ["*.log"], exclude: [String] = [], _ more: [(String, SettingsNode)] = [],
        once: Bool = false
    ) throws -> InputBench {
        try InputBench {
            try bench.make(
                FileInput.self, settings(include, exclude: exclude, more), context: bench.context(once: once))
        }
    }

    private func append(_ name: String, _ text: String) throws {
        let path = bench.scratch.path(name)
        try LocalFileSystem().makeFolder(Path.parent(path))
        let file = try LocalFileSystem().open(path, .append)
        try file.write(Array(text.utf8).span)
    }

    // MARK: Settings

    @Test func `its settings have defaults`() {
        let reading = SettingsReading(["include": "/var/log/*.log"], as: FileInput.Settings.self)
        #expect(reading.problems == [])
        #expect(reading.settings.include.map(\.pattern) == ["/var/log/*.log"] && reading.settings.exclude.isEmpty)
        #expect(reading.settings.files.start == .beginning && reading.settings.files.json == .merge)
        #expect(reading.settings.files.maxLine == .mebibytes(1))
    }

    @Test(
        arguments: [
            ([:], "item.include: names no files; for example 'include: [/var/log/*.log]'"),
            (["include": []], "item.include: names no files; for example 'include: [/var/log/*.log]'"),
            (
                ["include": "/var/log/"],
                "item.include: '/var/log/' is a folder; write /var/log/* for its files, or /var/log/** for everything below it"
            ),
            (
                ["include": "/a/*.log", "exclude": "/a/x**y"],
                "item.exclude: '/a/x**y' has '**' beside other characters; '**' stands alone: /var/log/**/*.log"
            ),
            (
                ["include": "/a/*.log", "path": "/a"],
                "item.path: unknown setting; known here: include, exclude, start_at, json, max_line, max_held"
            ),
        ] as [(SettingsNode, String)])
    func `wrong settings are refused`(_ node: SettingsNode, _ message: String) {
        #expect(SettingsReading(node, as: FileInput.Settings.self).problems == [message])
    }

    // MARK: Reading

    @Test func `it keeps the rules of inputs`() throws {
        try InputConformance(
            make: { try bench.make(FileInput.self, settings()) },
            write: { lines in try append("a.log", lines.map { $0 + "\n" }.joined()) }
        ).check()
    }

    @Test func `it keeps the rules of inputs in a folder that comes later`() throws {
        try InputConformance(
            make: { try bench.make(FileInput.self, settings(["deep/er/**/*.log"])) },
            write: { lines in
                try LocalFileSystem().makeFolder(bench.scratch.path("deep/er/most"))
                try append("deep/er/most/a.log", lines.map { $0 + "\n" }.joined())
            }
        ).check()
    }

    @Test func `a line is a record with the file's path`() throws {
        try bench.scratch.write("a.log", "plain\n{\"level\":\"warn\",\"n\":1}\n\nlast without end")
        let input = try input()
        try input.start()
        input.readAll()
        let ending = #","origin":"file","file":{"path":"\#(bench.scratch.path("a.log"))","node_name":"node-7"}}"#
        #expect(
            input.lines.map { String($0.drop { $0 != "," }) } == [
                #","message":"plain"\#(ending)"#, #","severity":"warning","level":"warn","n":1\#(ending)"#,
                #","message":""\#(ending)"#,
            ])
        try append("a.log", "\n")
        input.readAll()
        #expect(input.messages.last == "last without end")
    }

    @Test func `with once a last line without its end is read too`() throws {
        try bench.scratch.write("a.log", "one\ntwo")
        let input = try input(once: true)
        try input.start()
        input.readAll()
        #expect(input.messages == ["one", "two"])
    }

    @Test func `patterns say which files are read`() throws {
        for name in ["a.log", "b.log", "b.txt", "sub/c.log", "sub/deep/d.log", "old/e.log"] {
            try bench.scratch.write(name, "\(name)\n")
        }
        func names(_ include: [String], _ exclude: [String] = []) throws -> Set<String> {
            let input = try input(include, exclude: exclude)
            try input.start()
            input.readAll()
            return Set(input.messages)
        }
        #expect(try names(["*.log"]) == ["a.log", "b.log"])
        #expect(try names(["*.log", "b.*"]) == ["a.log", "b.log", "b.txt"])
        #expect(try names(["**/*.log"]) == ["a.log", "b.log", "sub/c.log", "sub/deep/d.log", "old/e.log"])
        #expect(try names(["**/*.log"], ["old/**", "b.*"]) == ["a.log", "sub/c.log", "sub/deep/d.log"])
        #expect(try names(["*/*.log"]) == ["sub/c.log", "old/e.log"])
        #expect(try names(["sub/deep/d.log"]) == ["sub/deep/d.log"])
        #expect(try names(["nothing/*.log"]) == [])
    }

    @Test func `start_at end passes over what stands there`() throws {
        try bench.scratch.write("a.log", "before\n")
        let input = try input([("start_at", "end")])
        try input.start()
        input.readAll()
        #expect(input.lines.isEmpty)
        try append("a.log", "after\n")
        try bench.scratch.write("b.log", "new\n")
        input.readAll()
        #expect(Set(input.messages) == ["after", "new"])
    }

    private func input(_ more: [(String, SettingsNode)]) throws -> InputBench {
        try input(["*.log"], exclude: [], more)
    }

    @Test func `a line longer than max_line is cut, marked and counted once`() throws {
        let long = String(repeating: "x", count: 5000)
        try bench.scratch.write("a.log", "short\n\(long)\nnext\n")
        let input = try input([("max_line", "1KiB")])
        try input.start()
        input.readAll()
        #expect(input.messages == ["short", String(repeating: "x", count: 1024), "next"])
        #expect(input.counts[.truncatedRecords] == 1 && input.counts[.skippedBytes] == 5000 - 1024)
        #expect(input.lines[1].contains(#""sluice":["truncated"]"#))
    }

    // MARK: What happens to files

    @Test func `a renamed file is read to its end, then the new one`() throws {
        let input = try input()
        try append("a.log", "1\n2\n")
        try input.start()
        input.readAll()
        try append("a.log", "3\n")
        try LocalFileSystem().rename(bench.scratch.path("a.log"), to: bench.scratch.path("a.log.1"))
        // The writer has not reopened yet.
        try append("a.log.1", "4\n")
        try append("a.log", "5\n")
        input.readAll()
        #expect(input.messages.sorted() == ["1", "2", "3", "4", "5"])
        input.stop()
        try input.start()
        input.readAll()
        #expect(input.lines.count == 5, "known again by what is in it")
    }

    @Test func `a file that was renamed while nobody looked is not read again`() throws {
        let input = try input(["*.log*"], exclude: [])
        try append("a.log", "a first line that is long enough to be known again by, whatever its name\n")
        try input.start()
        input.readAll()
        input.stop()
        try LocalFileSystem().rename(bench.scratch.path("a.log"), to: bench.scratch.path("a.log.1"))
        try append("a.log", "another file\n")
        try input.start()
        input.readAll()
        #expect(input.messages.count == 2 && input.messages.last == "another file")
    }

    @Test func `copytruncate: what is written from the start again is read`() throws {
        let input = try input()
        try append("a.log", "one\ntwo\nthree\n")
        try input.start()
        input.readAll()
        try OwnedFile.open(bench.scratch.path("a.log"), .update).truncate(to: 0)
        try append("a.log", "four\n")
        input.readAll()
        #expect(input.messages == ["one", "two", "three", "four"])
        #expect(bench.log.said("truncated"))
    }

    @Test func `copytruncate is noticed by what stands before the position, also when the file is longer by then`()
        throws
    {
        let input = try input()
        try append("a.log", "one\ntwo\n")
        try input.start()
        input.readAll()
        try OwnedFile.open(bench.scratch.path("a.log"), .update).truncate(to: 0)
        try append("a.log", "three\nfour\nfive\n")
        input.readAll()
        #expect(input.messages == ["one", "two", "three", "four", "five"])
        input.stop()
        try input.start()
        input.readAll()
        #expect(input.lines.count == 5)
    }

    @Test func `copytruncate while nobody looked is another file`() throws {
        let input = try input()
        try append("a.log", "one\ntwo\n")
        try input.start()
        input.readAll()
        input.stop()
        try OwnedFile.open(bench.scratch.path("a.log"), .update).truncate(to: 0)
        try append("a.log", "three\nfour\nfive\n")
        try input.start()
        input.readAll()
        #expect(input.messages == ["one", "two", "three", "four", "five"])
    }

    @Test func `a deleted file is read to its end`() throws {
        let input = try input()
        try append("a.log", "one\n")
        try input.start()
        input.readAll()
        try append("a.log", "two\n")
        try LocalFileSystem().remove(bench.scratch.path("a.log"))
        input.readAll()
        #expect(input.messages == ["one", "two"])
    }

    // MARK: What is there

    private func findings(_ include: [String], exclude: [String] = []) throws -> [String] {
        try bench.make(FileInput.self, settings(include, exclude: exclude)).findings().map {
            $0.replacing(bench.scratch.path, with: "DIR")
        }
    }

    @Test func `what is not there is told, and what is there instead`() throws {
        for name in ["logs/app.log", "logs/web.log", "logs/old/x.gz", "other.txt"] { try append(name, "x\n") }
        #expect(try findings(["logs/*.log", "logs/**/*.gz", "*.txt"]) == [])
        #expect(
            try findings(["logs/*.txt", "logs/*.log"]) == [
                "no file matches 'DIR/logs/*.txt': in DIR/logs there are app.log, old, web.log"
            ])
        #expect(
            try findings(["log/*.log"]) == [
                "no file matches 'DIR/log/*.log': there is no folder DIR/log, did you mean DIR/logs?; in DIR there are logs, other.txt"
            ])
        #expect(
            try findings(["logs/ap.log"]) == [
                "there is no file DIR/logs/ap.log, did you mean DIR/logs/app.log?; in DIR/logs there are app.log, old, web.log"
            ])
        #expect(try findings(["logs"]) == ["DIR/logs is a folder: write DIR/logs/* for its files"])
        #expect(
            try findings(["logs/*.log"], exclude: ["logs/*"]) == [
                "all files that match 'DIR/logs/*.log' are left out by 'exclude'"
            ])
        try LocalFileSystem().makeFolder(bench.scratch.path("empty"))
        #expect(try findings(["empty/*"]) == ["no file matches 'DIR/empty/*': DIR/empty is empty"])
    }

    @Test func `a relative path is told with what it leads to`() throws {
        let input = try bench.make(FileInput.self, ["include": "no/such/*.log"])
        let findings = input.findings()
        #expect(findings.count == 2)
        #expect(
            findings[0].hasPrefix("'no/such/*.log' is relative: it depends on the folder in which the agent is started")
        )
        #expect(findings[1].hasPrefix("no file matches 'no/such/*.log': there is no folder no/such"))
    }

    @Test func `with once nothing to read is a failure, else it is waited for`() throws {
        let once = try input(once: true)
        try once.start()
        once.readAll()
        #expect(once.failure?.hasPrefix("no file matches ") == true)
        let going = try input()
        try going.start()
        #expect(going.failure == nil && bench.log.said("finds nothing to read"))
        try append("a.log", "one\n")
        going.readAll()
        #expect(going.messages == ["one"])
    }

    // MARK: What the agent writes

    @Test func `a file that an output writes is not read, by whatever name, and told once`() throws {
        let context = bench.context
        try append("out/sluice.log", "old\n")
        try append("in/app.log", "one\n")
        let output = try bench.make(
            FileOutput.self, ["path": .init(stringLiteral: bench.scratch.path("out/sluice.log"))], context: context)
        context.ownFiles.claim(bench.scratch.path("out/sluice.log"), by: "it")
        try FileManager.default.createSymbolicLink(
            atPath: bench.scratch.path("in/other.log"), withDestinationPath: bench.scratch.path("out/sluice.log"))
        let input = try InputBench {
            try bench.make(FileInput.self, settings(["in/*.log", "out/*"]), context: context)
        }
        try input.start()
        for _ in 1...3 {
            try append("out/sluice.log", "again\n")
            input.readAll()
        }
        #expect(input.messages == ["one"])
        #expect(bench.log.count("own_files_passed_over") == 2, "once for each name")
        _ = output
    }

    @Test func `a file that an output begins is known before an input can find it`() async throws {
        let context = bench.context
        let output = try bench.make(
            FileOutput.self, ["path": .init(stringLiteral: bench.scratch.path("out.log"))], context: context)
        try await output.open(state: [])
        try await output.prepare()
        #expect(context.ownFiles.contains(bench.scratch.path("out.log")))
        #expect(!context.ownFiles.contains(bench.scratch.path("other.log")))
    }

    @Test func `a file that is not written any more is forgotten with its name`() throws {
        let own = OwnFiles()
        let (first, second) = (bench.scratch.path("1"), bench.scratch.path("2"))
        try append("1", "x")
        own.claim(first, by: "out")
        own.claim(second, by: "out")
        #expect(own.contains(first) && own.contains(second), "it is still the file that was written")
        try LocalFileSystem().remove(first)
        try append("3", "x")
        try append("1", "y")
        #expect(own.contains(second))
        #expect(!own.contains(bench.scratch.path("3")), "though it may have the inode of the one that is gone")
    }

    @Test func `files of earlier days are the agent's own by their names`() throws {
        let own = OwnFiles()
        let pattern = bench.scratch.path("%Y-%m-%d.log")
        let reading = SettingsReading(["path": .init(stringLiteral: pattern)], as: FileOutput.Settings.self)
        own.claim(try #require(reading.settings.written))
        for name in ["2025-12-31.log", "2025-12-31.log.0001"] {
            try append(name, "x")
            #expect(own.contains(bench.scratch.path(name)), "\(name)")
        }
        #expect(!own.contains(bench.scratch.path("app.log")) && !own.contains(bench.scratch.path("2025-12-x1.log")))
    }

    @Test func `the data directory is not read`() throws {
        var context = bench.context
        context.dataDirectory = bench.scratch.path("data")
        try append("data/store/0/1.log", "own\n")
        try append("data.log", "one\n")
        let input = try InputBench { try bench.make(FileInput.self, settings(["**/*.log"]), context: context) }
        try input.start()
        input.readAll()
        #expect(input.messages == ["one"])
    }
}
