// Input `journal` as it is configured, over journals that systemd's own writer made. How a journal is followed is tested in
// NodeJournalTests, real journalds are in Tests/campaigns/journal_live.py.
import Disk
import Journal
import NodeJournal
import Pipeline
import Plugins
import Records
import TestKit
import Testing

@Suite(.enabled(if: JournalReader.isBuiltIn), .timeLimit(.minutes(1))) struct `Input journal` {
    let bench: PluginBench

    init() throws { bench = try PluginBench() }

    private var folder: String { bench.scratch.path("journal") }

    private func write(_ entries: [MadeEntry]) throws { try Systemd.write(entries, to: folder + "/system.journal") }

    private func settings(_ more: [(String, SettingsNode)] = []) -> SettingsNode {
        let entries = [("path", SettingsNode(stringLiteral: folder)), ("start_at", "beginning")] + more
        return SettingsNode(.mapping(entries.map { .init(key: $0.0, keyMark: .init(line: 1, column: 1), value: $0.1) }))
    }

    private func input(
        _ more: [(String, SettingsNode)] = [], parsers: [String] = [], once: Bool = false, staticFields: String = ""
    ) throws -> InputBench {
        var context = bench.context(once: once, staticFields: staticFields)
        context.parsers = parsers
        return try InputBench { [context] in try bench.make(JournalInput.self, settings(more), context: context) }
    }

    private func of(_ unit: String, _ number: Int, _ message: String, priority: String = "6") -> MadeEntry {
        MadeEntry(
            number, message, more: [MadeField("_SYSTEMD_UNIT", unit), MadeField("PRIORITY", priority)])
    }

    // MARK: Settings

    @Test(
        arguments: [
            (["priority": "loud"], "priority: 'loud' is not a priority; write one of emerg"),
            (["priority": "8"], "priority: '8' is not a priority; write one of emerg"),
            (["priority": "err.."], "priority: 'err..' is not a priority; write one of emerg"),
            (["units": "a[b"], "units: 'a[b' has a '[' without its ']'; "),
            (["matches": ["unit": "x"]], "matches.unit: 'unit' is not a journal field's name: capitals"),
            (["matches": ["__CURSOR": "x"]], "matches.__CURSOR: '__CURSOR' is not a journal field's name"),
            (["matches": ["_UID": []]], "matches._UID: the list is empty, nothing would match"),
            (["fields": ["all", "_COMM"]], "fields: has other names beside 'all'"),
            (["fields": "comm"], "fields: 'comm' is not a journal field's name; capitals, digits"),
            (["start_at": "yesterday"], "start_at: 'yesterday' is not a place to begin at; write beginning, end, boot"),
            (["start_at": "-1h"], "start_at: '-1h' is not a place to begin at; write beginning, end, boot"),
            (["max_field": "9MiB"], "max_field: must be between 1KiB and 8MiB, found 9MiB"),
            (["path": "/a", "paths": "/b"], "paths: stands beside 'path', keep one of them"),
            (["paths": []], "paths: names no folder and no file"),
            (["path": ""], "path: is empty, expected a folder with journal files"),
            (["unit": "kubelet"], "unit: unknown setting, did you mean 'units'?"),
        ] as [(SettingsNode, String)])
    func `what cannot be set is refused with a reason`(node: SettingsNode, told: String) {
        let reading = SettingsReading(node, as: JournalInput.Settings.self)
        #expect(reading.problems.count == 1)
        #expect(reading.problems.first?.hasPrefix("item." + told) == true, "\(reading.problems)")
    }

    // MARK: Reading

    @Test func `it keeps to what all inputs keep to`() throws {
        try write([MadeEntry(0, "was there before")])
        var next = 1
        try InputConformance(
            make: {
                try bench.make(
                    JournalInput.self, ["path": SettingsNode(stringLiteral: folder), "start_at": "end"])
            },
            write: { lines in
                try write(
                    lines.map { line in
                        defer { next += 1 }
                        return MadeEntry(next, line)
                    })
            }
        ).check()
    }

    @Test func `a record has the entry's fields, the node's name and the static fields`() throws {
        try write([
            MadeEntry(
                5, "hello",
                more: [
                    MadeField("_SYSTEMD_UNIT", "kubelet.service"), MadeField("SYSLOG_IDENTIFIER", "kubelet"),
                    MadeField("_PID", "812"), MadeField("PRIORITY", "3"), MadeField("_TRANSPORT", "stdout"),
                    MadeField("_COMM", "kubelet"), MadeField("CODE_LINE", "77"),
                ])
        ])
        let input = try input([("fields", ["default", "_COMM"])], staticFields: ",\"cluster\":\"c\"")
        try input.start()
        input.readAll()
        let boot = "\(MadeEntry.boot)"
        #expect(
            input.lines == [
                #"{"time":"2023-11-14T22:13:20.005000000Z","severity":"error","message":"hello","origin":"journal","journal":{"unit":"kubelet.service","identifier":"kubelet","pid":812,"priority":3,"transport":"stdout","boot_id":"\#(boot)","#
                    + #""_comm":"kubelet","code_line":77,"node_name":"node-7"},"cluster":"c"}"#
            ])
    }

    @Test func `units are globs, a plain name is a service, and the kernel is asked for by itself`() throws {
        try write([
            of("kubelet.service", 1, "k"), of("containerd.service", 2, "c"), of("session-1.scope", 3, "s"),
            MadeEntry(4, "oom", more: [MadeField("_TRANSPORT", "kernel")]),
        ])
        func read(_ more: [(String, SettingsNode)]) throws -> [String] {
            let input = try input(more)
            try input.start()
            input.readAll()
            return input.messages
        }
        #expect(try read([]) == ["k", "c", "s", "oom"])
        #expect(try read([("units", "kubelet")]) == ["k"])
        #expect(try read([("units", ["kubelet", "session-*"])]) == ["k", "s"])
        #expect(try read([("units", "kubelet"), ("kernel", "true")]) == ["k", "oom"])
        #expect(try read([("kernel", "false")]) == ["k", "c", "s"])
    }

    @Test func `klog's header is the priority that counts, where the parser is on`() throws {
        let header = "1123 03:28:02.913293   16167 kubelet.go:2243] "
        try write([
            of("kubelet.service", 1, "E\(header)bad"), of("kubelet.service", 2, "I\(header)fine"),
            of("kubelet.service", 3, "no header"), of("kubelet.service", 4, "also bad", priority: "3"),
            of("kubelet.service", 5, "I\(header)fine after all", priority: "3"),
        ])
        func read(_ parsers: [String]) throws -> [Character] {
            let input = try input([("priority", "warning")], parsers: parsers)
            try input.start()
            input.readAll()
            return input.messages.compactMap(\.first)
        }
        #expect(try read(["klog"]) == ["E", "a"])
        #expect(try read([]) == ["a", "I"])
    }

    // MARK: Silence

    @Test func `a unit that nothing is of is an error with what may have been meant, and reading goes on`() throws {
        try write([of("kubelet.service", 1, "k"), of("containerd.service", 2, "c")])
        let input = try input([("units", ["kublet", "containerd"])])
        try input.start()
        #expect(bench.log.said("nothing in the journal is what the configuration asks for"))
        #expect(bench.log.said("unit kublet.service"))
        #expect(bench.log.said("did you mean kubelet.service?"))
        input.readAll()
        #expect(input.messages == ["c"])
    }

    @Test func `validate hears what cannot be read and what matches nothing`() throws {
        let nothing = try bench.make(JournalInput.self, settings())
        #expect(nothing.findings().count == 1)
        #expect(nothing.findings().first?.hasPrefix("cannot read \(folder): it does not exist") == true)
        try write([of("kubelet.service", 1, "k")])
        let wrong = try bench.make(
            JournalInput.self, settings([("units", "kublet"), ("matches", ["_UID": ["0", "1"]])]))
        #expect(
            wrong.findings() == [
                "no entry in the journal has the unit kublet.service: did you mean kubelet.service?",
                "no entry in the journal has the _UID 0: no entry has anything of the kind",
                "no entry in the journal has the _UID 1: no entry has anything of the kind",
            ])
        #expect(try bench.make(JournalInput.self, settings([("units", "kube*")])).findings() == [])
    }

    // MARK: Namespaces

    private func writeNamespace(_ name: String, _ entries: [MadeEntry]) throws {
        try Systemd.write(entries, to: "\(folder)/\(MadeEntry.machine).\(name)/system.journal")
    }

    @Test func `namespaces that are asked for are read, each with a place of its own; they may come later`() throws {
        try write([of("a.service", 1, "default 1")])
        try writeNamespace("web", [of("a.service", 2, "web 1"), of("a.service", 3, "web 2")])
        try writeNamespace("other", [of("a.service", 4, "other")])
        let input = try input([("namespaces", ["web", "late*"])])
        try input.start()
        input.readAll()
        #expect(input.messages.sorted() == ["default 1", "web 1", "web 2"])
        #expect(bench.log.said("namespace late*") && !bench.log.said("has namespaces that are not read"))

        input.stop()
        try writeNamespace("web", [of("a.service", 5, "web 3")])
        try write([of("a.service", 0, "default 0"), of("a.service", 6, "default 2")])
        try writeNamespace("later", [of("a.service", 1, "later 1")])
        try input.start()
        input.readAll()
        try input.start()
        input.readAll()
        #expect(
            input.messages.sorted() == ["default 0", "default 1", "default 2", "later 1", "web 1", "web 2", "web 3"])
    }

    @Test func `a namespace that nobody asked for is named once; an empty list says that none is wanted`() throws {
        try write([of("a.service", 1, "default")])
        try writeNamespace("web", [of("b.service", 2, "web")])
        let silent = try input([("namespaces", [])])
        try silent.start()
        #expect(!bench.log.said("has namespaces that are not read"))
        let input = try input()
        try input.start()
        input.readAll()
        #expect(input.messages == ["default"])
        #expect(bench.log.said("has namespaces that are not read") && bench.log.said("web"))

        func findings(_ more: [(String, SettingsNode)]) throws -> [String] {
            try bench.make(JournalInput.self, settings(more)).findings()
        }
        #expect(try findings([]).count == 1 && findings([]).first?.contains("'namespaces: [web]'") == true)
        #expect(try findings([("namespaces", [])]) == [] && findings([("namespaces", "*")]) == [])
        #expect(try findings([("namespaces", "wep")]) == ["the journal has no namespace wep: did you mean web?"])
        // What one of the journals has is not missing.
        #expect(try findings([("namespaces", "web"), ("units", ["a", "b"])]) == [])
        #expect(try findings([("namespaces", []), ("units", ["a", "b"])]).count == 1)
    }

    @Test func `with once a journal that is not there is a failure; else it is waited for, loudly`() throws {
        let once = try input(once: true)
        try once.start()
        once.readAll()
        #expect(once.failure?.contains("it does not exist") == true && !once.hasReady)
        let waiting = try input()
        try waiting.start()
        #expect(bench.log.said("there is no journal to read"))
        waiting.readAll()
        #expect(waiting.lines.isEmpty)
    }
}
