// The export format: what systemd's own programs read of it.
#if Journald
    import Bytes
    import Display
    import Journal
    import NodeJournal
    import TestKit
    import Testing

    @Suite struct `Export of records` {
        let scratch: ScratchDirectory

        init() throws { scratch = try ScratchDirectory() }

        /// What systemd's writer makes of records, and journalctl exports again.
        private func entries(
            _ records: [String], _ change: (inout DisplayOptions) -> Void = { _ in }
        ) throws -> [MadeEntry] {
            let input = try scratch.write("records.export", shownBytes(records, .export, change))
            let path = scratch.path("copy.journal")
            try Systemd.run("/lib/systemd/systemd-journal-remote --output=\(path) - <\(input) 2>&1")
            return try Systemd.read("--file=\(path)")
        }

        /// Fields in an order of their own: a journal has none.
        private func sorted(_ fields: [MadeField]) -> [String] { fields.map { "\($0.name)=\($0.value)" }.sorted() }

        private func fields(_ entry: MadeEntry) -> [String: String] {
            Dictionary(entry.fields.map { ($0.name, String(decoding: $0.value, as: UTF8.self)) }) { $0 + "|" + $1 }
        }

        @Test func `entries are what they were`() throws {
            let path = scratch.path("made.journal")
            let fields = [
                [("_SYSTEMD_UNIT", "a.service"), ("_PID", "5"), ("PRIORITY", "3"), ("_TRANSPORT", "stdout")],
                [("_SYSTEMD_UNIT", "init.scope"), ("UNIT", "a.service"), ("_PID", "1")],
                [("_SYSTEMD_UNIT", "x"), ("OBJECT_SYSTEMD_UNIT", "b.service"), ("_UID", "0")],
                [
                    ("_SYSTEMD_UNIT", "x"), ("COREDUMP_UNIT", "c.service"), ("_UID", "0"),
                    ("MESSAGE_ID", "fc2e22bc6ee647b6b90729ab34a250b1"),
                ],
                [("UNIT", "u"), ("PID", "77"), ("NODE_NAME", "n"), ("TRANSPORT", "t"), ("IDENTIFIER", "i")],
                [("UNIT_", "u"), ("A", "one"), ("A", "two, \"quoted\" ]"), ("A", "three"), ("MESSAGE", "second")],
                [("TEXT", "two\nlines"), ("TAB", "a\tb"), ("OTHER", "\u{1}\u{1b}[31m"), ("EMPTY_", "x")],
                [("MESSAGE", "second"), ("MESSAGE", "third"), ("_HOSTNAME", "h")],
            ]
            let made = fields.enumerated().map {
                MadeEntry($0, "message\n\($0)", more: $1.map { MadeField($0.0, $0.1) })
            }
            try Systemd.write(made, to: path)
            let originals = try Systemd.read("--file=\(path)")
            let copies = try entries(try records(.files([path])) { $0.fields = .all })
            #expect(copies.count == originals.count)
            for (copy, original) in zip(copies, originals) {
                #expect(sorted(copy.fields) == sorted(original.fields))
                #expect(copy.realtime == original.realtime && copy.boot == original.boot)
            }
        }

        @Test(.enabled(if: NodeSnapshot.isHere, "there is no snapshot of a node here"))
        func `a node's whole journal is what it was`() throws {
            let folder = try NodeSnapshot.unpackJournal(to: scratch.path)
            let originals = try Systemd.read("--directory=\(folder)")
            let copies = try entries(try records(.folders([folder])) { $0.fields = .all })
            #expect(copies.count == originals.count && copies.count > 1000)
            let differing = zip(copies, originals).filter { copy, original in
                sorted(copy.fields) != sorted(original.fields) || copy.realtime != original.realtime
                    || copy.boot != original.boot
            }
            #expect(differing.isEmpty, "\(differing.count): \(differing.first.map { "\($0)" } ?? "")")
        }

        @Test func `of the usual fields each has its own name, and the unit's is told from the sender's`() throws {
            let path = scratch.path("made.journal")
            let senders = [
                [("_SYSTEMD_UNIT", "init.scope"), ("UNIT", "a.service"), ("_PID", "1")],
                [("_SYSTEMD_UNIT", "x"), ("OBJECT_SYSTEMD_UNIT", "b.service"), ("_UID", "0"), ("_PID", "7")],
                [
                    ("_SYSTEMD_UNIT", "x"), ("COREDUMP_UNIT", "c.service"), ("_UID", "0"),
                    ("MESSAGE_ID", "fc2e22bc6ee647b6b90729ab34a250b1"),
                ],
            ]
            try Systemd.write(
                senders.enumerated().map { MadeEntry($0, more: $1.map { MadeField($0.0, $0.1) }) }, to: path)
            let copies = try entries(try records(.files([path])) { $0.node = "node-1" }).map(fields)
            #expect(copies[0]["UNIT"] == "a.service" && copies[0]["_SYSTEMD_UNIT"] == "init.scope")
            #expect(copies[1]["OBJECT_SYSTEMD_UNIT"] == "b.service" && copies[1]["_SYSTEMD_UNIT"] == "x")
            #expect(copies[2]["COREDUMP_UNIT"] == "c.service" && copies[2]["_SYSTEMD_UNIT"] == "x")
            #expect(copies.allSatisfy { $0["_HOSTNAME"] == "node-1" })
        }

        @Test func `containers and files are entries too`() throws {
            let file =
                #"{"time":"2026-11-03T03:14:08Z","message":"m","origin":"file","file":{"path":"/a/b","node_name":"n"}}"#
            let copies = try entries([
                container(
                    #""stream":"stderr","severity":"error","message":"one\ntwo","sluice":["truncated","malformed"]"#),
                container(#""severity":"trace","message":"m","a":{"b":1}"#, restarts: 2).dropLast()
                    + #","cluster":"prod","9":1}"#,
                file,
            ])
            #expect(
                copies.map(fields) == [
                    [
                        "MESSAGE": "one\ntwo", "PRIORITY": "3", "SYSLOG_IDENTIFIER": "nginx", "STREAM": "stderr",
                        "SLUICE": "truncated|malformed", "KUBERNETES_NAMESPACE_NAME": "shop",
                        "KUBERNETES_POD_NAME": "web-1", "KUBERNETES_CONTAINER_NAME": "nginx",
                        "KUBERNETES_RESTART_COUNT": "0", "KUBERNETES_NODE_NAME": "node-1", "_HOSTNAME": "node-1",
                    ],
                    [
                        "MESSAGE": #"{"message":"m","a":{"b":1}}"#, "PRIORITY": "7", "SYSLOG_IDENTIFIER": "nginx",
                        "KUBERNETES_NAMESPACE_NAME": "shop", "KUBERNETES_POD_NAME": "web-1",
                        "KUBERNETES_CONTAINER_NAME": "nginx", "KUBERNETES_RESTART_COUNT": "2",
                        "KUBERNETES_NODE_NAME": "node-1", "_HOSTNAME": "node-1", "CLUSTER": "prod", "X9": "1",
                    ],
                    ["MESSAGE": "m", "SYSLOG_IDENTIFIER": "/a/b", "FILE_PATH": "/a/b", "_HOSTNAME": "n"],
                ])
            #expect(copies.map(\.realtime) == [1_793_675_647_500_000, 1_793_675_647_500_000, 1_793_675_648_000_000])
        }

        @Test func `fields can be asked for by either name`() throws {
            let path = scratch.path("made.journal")
            let more = [MadeField("_PID", "5"), MadeField("PRIORITY", "6"), MadeField("A", "a")]
            try Systemd.write([MadeEntry(1, "m", more: more)], to: path)
            let records = try records(.files([path])) { $0.fields = .all }
            func names(_ fields: String...) throws -> [String] {
                let shown = shownBytes(records, .export) { $0.outputFields = fields }
                return ExportFormat.entries(shown)[0].fields.map(\.name).sorted()
            }
            #expect(try names("_PID") == ["_PID"] && names("journal.pid", "message") == ["MESSAGE", "_PID"])
            #expect(try names("journal") == ["A", "PRIORITY", "_MACHINE_ID", "_PID"])
            #expect(try entries(records) { $0.outputFields = ["A"] }.first?.fields.map(\.name) == ["A"])
            let pod = String(
                decoding: shownBytes([container(#""message":"m","severity":"info""#)], .export) {
                    $0.outputFields = ["PRIORITY", "kubernetes.pod_name"]
                }, as: UTF8.self)
            #expect(pod.split(separator: "\n").dropFirst(2) == ["PRIORITY=6", "KUBERNETES_POD_NAME=web-1"])
        }
    }
#endif
