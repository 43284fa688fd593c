// What becomes of each field of an entry, against journalctl's export and a model of the record.
#if Journald
    import Bytes
    import Foundation
    import Journal
    import NodeJournal
    import Records
    import TestKit
    import Testing

    @Suite struct `Records of journal entries` {
        let scratch: ScratchDirectory

        init() throws { scratch = try ScratchDirectory() }

        private func made(
            _ entries: [MadeEntry], _ change: (inout JournalRecordOptions) -> Void = { _ in }
        ) throws -> MadeRecords { try MadeRecords(entries, in: scratch, change) }

        private func made(
            _ fields: MadeField..., change: (inout JournalRecordOptions) -> Void = { _ in }
        ) throws -> MadeRecords { try made([MadeEntry(1, more: fields)], change) }

        private func all(_ options: inout JournalRecordOptions) { options.fields = .all }

        private static let boot = "\"boot_id\":\"\(MadeEntry.boot)\""

        @Test func `a record of the usual fields, to the letter`() throws {
            let entry = MadeEntry(
                1, "Started \"kubelet\".", time: 1_234_567,
                more: [
                    MadeField("CODE_FILE", "src/core/job.c"), MadeField("CODE_LINE", "581"), MadeField("PRIORITY", "6"),
                    MadeField("_PID", "1"), MadeField("_TRANSPORT", "journal"), MadeField("SYSLOG_FACILITY", "3"),
                    MadeField("SYSLOG_IDENTIFIER", "systemd"), MadeField("_SYSTEMD_UNIT", "init.scope"),
                    MadeField("_HOSTNAME", "not among the usual ones"), MadeField("INVOCATION_ID", "7f"),
                ])
            let made = try made([entry]) {
                $0.node = "node-1"
                $0.staticFields = Array(",\"cluster\":\"prod\"".utf8)
            }
            #expect(
                made.lines == [
                    "{\"time\":\"2023-11-14T22:13:21.234567000Z\",\"severity\":\"info\",\"message\":\"Started \\\"kubelet\\\".\","
                        + "\"origin\":\"journal\",\"journal\":{\"unit\":\"init.scope\",\"identifier\":\"systemd\",\"pid\":1,"
                        + "\"priority\":6,\"transport\":\"journal\",\(Self.boot),\"code_file\":\"src/core/job.c\","
                        + "\"code_line\":581,\"syslog_facility\":3,\"invocation_id\":\"7f\",\"node_name\":\"node-1\"},"
                        + "\"cluster\":\"prod\"}"
                ])
            #expect(made.counts.nonZero.map(\.0) == [.readBytes])
        }

        @Test func `all eight priorities are severities; nothing else is one`() throws {
            let names = ["emergency", "alert", "critical", "error", "warning", "notice", "info", "debug"]
            let others = ["8", "12x", "", "-1", "4294967299", "99999999999999999999"]
            let entries = (names.indices.map { "\($0)" } + others).enumerated().map {
                MadeEntry($0, more: [MadeField("PRIORITY", $1)])
            }
            let made = try made(entries + [MadeEntry(50)])
            let found = try made.lines.map { try OrderedJSON($0).text("severity") }
            #expect(found == names + others.map { _ in nil } + [nil])
        }

        @Test(arguments: [("_PID", "pid"), ("PRIORITY", "priority"), ("SYSLOG_FACILITY", "syslog_facility")])
        func `digits are numbers, anything else that should be one is text`(name: String, key: String) throws {
            let values = [
                "0": "0", "7": "7", "4194304": "4194304", "999999999999999": "999999999999999",
                "1000000000000000": "\"1000000000000000\"", "12345678901234567890": "\"12345678901234567890\"",
                "007": "\"007\"", "00": "\"00\"", "": "\"\"", "12x": "\"12x\"", "-1": "\"-1\"", " 1": "\" 1\"",
                "1.5": "\"1.5\"", "1e3": "\"1e3\"",
            ].sorted { $0.key < $1.key }
            let made = try made(values.enumerated().map { MadeEntry($0, more: [MadeField(name, $1.key)]) })
            for (index, (_, shown)) in values.enumerated() {
                #expect(try made.record(index)["journal"]?[key]?.description == shown)
            }
        }

        @Test func `other fields are text, also when they are digits`() throws {
            let made = try made(
                MadeField("CODE_LINE", "12"), MadeField("_UID", "12"), MadeField("ERRNO", "2"), change: all)
            let journal = try made.record()["journal"]
            #expect(journal?["code_line"] == .word("12"))
            #expect(journal?.text("_uid") == "12" && journal?.text("errno") == "2")
        }

        @Test func `the unit is the one that an entry is about, if who says so may`() throws {
            func unit(_ fields: (String, String)...) throws -> String {
                let made = try made([MadeEntry(1, more: fields.map { MadeField($0.0, $0.1) })])
                let journal = try made.record()["journal"]
                return [journal?.text("unit"), journal?.text("_systemd_unit")].compactMap(\.self)
                    .joined(separator: " by ")
            }
            let own = ("_SYSTEMD_UNIT", "own.service")
            #expect(try unit(own) == "own.service")
            #expect(try unit(own, ("UNIT", "a.service"), ("_PID", "1")) == "a.service by own.service")
            #expect(try unit(own, ("UNIT", "a.service"), ("_PID", "11")) == "own.service")
            #expect(try unit(own, ("UNIT", "a.service")) == "own.service")
            #expect(try unit(("UNIT", "a.service"), ("_PID", "1")) == "a.service")
            let object = ("OBJECT_SYSTEMD_UNIT", "b.service")
            #expect(try unit(own, object, ("_UID", "0")) == "b.service by own.service")
            #expect(try unit(own, object, ("_UID", "1000")) == "own.service")
            #expect(try unit(own, object) == "own.service")
            let crash = ("MESSAGE_ID", "fc2e22bc6ee647b6b90729ab34a250b1")
            let dumped = ("COREDUMP_UNIT", "c.service")
            #expect(try unit(own, crash, dumped, ("_UID", "0")) == "c.service by own.service")
            #expect(try unit(own, crash, dumped, ("_UID", "1")) == "own.service")
            #expect(try unit(own, dumped, ("_UID", "0")) == "own.service")
            // systemd's own word counts more than a daemon's.
            #expect(
                try unit(own, object, ("UNIT", "a.service"), ("_PID", "1"), ("_UID", "0"))
                    == "a.service by own.service")
            #expect(try unit() == "")
        }

        @Test func `all fields: names in lower case, those that are taken with a mark`() throws {
            let fields = [
                "UNIT": "a.service", "UNIT_": "x", "PID": "77", "PRIORITY": "6", "IDENTIFIER": "i", "TRANSPORT": "t",
                "BOOT_ID": "b",
                "NODE_NAME": "n", "_HOSTNAME": "h", "X1_Y": "z", "MESSAGE_ID": "m", "_PID": "5",
                "_SYSTEMD_UNIT": "own.service", "OBJECT_SYSTEMD_UNIT": "o",
            ]
            let made = try made([MadeEntry(1, more: fields.map { MadeField($0.key, $0.value) })]) {
                $0.fields = .all
                $0.node = "node-1"
            }
            let journal = try #require(try made.record()["journal"])
            #expect(journal.names.prefix(4) == ["unit", "pid", "priority", "boot_id"])
            #expect(journal.names.last == "node_name")
            let expected = [
                "unit": "a.service", "unit_": "a.service", "unit__": "x", "pid_": "77", "identifier_": "i",
                "transport_": "t",
                "boot_id_": "b", "node_name_": "n", "node_name": "node-1", "_hostname": "h", "x1_y": "z",
                "message_id": "m", "object_systemd_unit": "o", "boot_id": "\(MadeEntry.boot)",
            ]
            for (name, value) in expected where name != "unit" { #expect(journal.text(name) == value, "\(name)") }
            #expect(journal["pid"] == .word("5") && journal["priority"] == .word("6"))
            // _PID is not 1.
            #expect(journal.text("unit") == "own.service" && journal["_systemd_unit"] == nil)
            #expect(journal.text("_machine_id") == "\(MadeEntry.machine)")
            #expect(journal["message"] == nil && Set(journal.names).count == journal.names.count)
        }

        @Test func `a list of fields is all that a record has`() throws {
            let fields = [MadeField("_PID", "5"), MadeField("A", "a"), MadeField("B", "b"), MadeField("UNIT", "u")]
            func journal(_ names: String...) throws -> String {
                try made([MadeEntry(1, more: fields)]) { $0.fields = .these(names) }.journal()
            }
            #expect(try journal("A") == "{\"a\":\"a\"}")
            #expect(try journal("UNIT") == "{\"unit_\":\"u\"}")
            #expect(
                JournalRecords.key(of: "UNIT_") == "unit__" && JournalRecords.key(of: "NODE_NAME_") == "node_name__")
            #expect(try journal("_PID") == "{\"pid\":5}")
            #expect(try journal("MISSING") == "{}")
            #expect(try journal("MESSAGE") == "{}")
            let empty = try made([MadeEntry(1, more: fields)]) {
                $0.fields = .these(["MISSING"])
                $0.node = "n"
            }
            #expect(try empty.journal() == "{\"node_name\":\"n\"}")
        }

        @Test func `repeated fields are arrays, adjacent or not, known or not`() throws {
            let fields = [
                MadeField("WORD", "one"), MadeField("_PID", "1"), MadeField("WORD", "two"), MadeField("OTHER", "x"),
                MadeField("_PID", "22"), MadeField("SYSLOG_FACILITY", "3"), MadeField("WORD", "three"),
                MadeField("SYSLOG_FACILITY", "x"), MadeField("SYSLOG_IDENTIFIER", "a"),
                MadeField("SYSLOG_IDENTIFIER", "b"),
            ]
            // systemd keeps an entry's fields in the order in which their values came into the file: here that of the first entry, so
            // that those of the second one are mixed.
            let reversed = MadeEntry(1, more: fields.reversed())
            for selection in [JournalFields.all, .these(["WORD", "_PID", "SYSLOG_FACILITY", "SYSLOG_IDENTIFIER"])] {
                let made = try made([reversed, MadeEntry(2, more: fields)]) { $0.fields = selection }
                for index in 0..<2 {
                    let journal = try #require(try made.record(index)["journal"])
                    let values = made.entries[index].values("WORD").map { OrderedJSON.text($0) }
                    #expect(values.count == 3)
                    #expect(journal["word"] == .list(values))
                    #expect(journal["pid"] == .list([.word("22"), .word("1")]))
                    #expect(journal["syslog_facility"] == .list([.of("x"), .word("3")]))
                    #expect(journal["identifier"] == .list([.of("b"), .of("a")]))
                    #expect(try made.record(index) == RecordModel(fields: selection).record(of: made.entries[index]))
                }
            }
        }

        @Test func `the first message is the message, further ones are a field`() throws {
            func record(_ messages: String...) throws -> OrderedJSON {
                var entry = MadeEntry(1, more: [MadeField("A", "a")] + messages.map { MadeField("MESSAGE", $0) })
                entry.fields.removeFirst()
                return try made([entry], all).record()
            }
            for fields in [["one", "two"], ["one", "two", "three"]] {
                let made = try made([MadeEntry(1, "zero", more: fields.map { MadeField("MESSAGE", $0) })])
                #expect(try made.record().text("message") == "zero")
                let rest = fields.map(OrderedJSON.of)
                #expect(try made.record()["journal"]?["message"] == (rest.count == 1 ? rest[0] : .list(rest)))
            }
            let none = try record()
            #expect(none.text("message") == "" && none["journal"]?.text("a") == "a")
            #expect(try record("").text("message") == "")
            let lines = try record("one\ntwo\r\n\n three\n")
            #expect(lines.text("message") == "one\ntwo\r\n\n three\n")
        }

        @Test func `bytes that are not text are replaced; the record is marked and counted once`() throws {
            let bad: [UInt8] = [0x61, 0xFF, 0x62, 0xE2, 0x82, 0x63]
            var inBoth = MadeEntry(3, more: [MadeField("A", bad), MadeField("B", bad)])
            inBoth.fields[0] = MadeField("MESSAGE", bad)
            var inMessage = MadeEntry(1)
            inMessage.fields[0] = MadeField("MESSAGE", bad)
            let entries = [
                inMessage, MadeEntry(2, more: [MadeField("A", bad)]), inBoth, MadeEntry(4, more: [MadeField("A", "é")]),
            ]
            let made = try made(entries, all)
            let replaced = "a\u{FFFD}b\u{FFFD}c"
            #expect(try made.record(0).text("message") == replaced)
            #expect(try made.record(1)["journal"]?.text("a") == replaced)
            #expect(try made.record(2).text("message") == replaced)
            #expect(try made.record(2)["journal"]?.text("b") == replaced)
            for index in 0..<3 { #expect(try made.record(index)["sluice"] == .list([.of("invalid_text")])) }
            #expect(try made.record(3)["sluice"] == nil)
            #expect(made.counts[.invalidTextRecords] == 3)
            // What is not shown does not count.
            let hidden = try self.made(entries) { $0.fields = .these(["B"]) }
            #expect(hidden.counts[.invalidTextRecords] == 2)
        }

        @Test func `every byte comes through, NUL and control characters too`() throws {
            let controls = Array(UInt8(0)...0x7F)
            var entry = MadeEntry(1, more: [MadeField("A", controls)])
            entry.fields[0] = MadeField("MESSAGE", controls.reversed())
            let made = try made([entry], all)
            #expect(try made.record()["message"] == .text(controls.reversed()))
            #expect(try made.record()["journal"]?["a"] == .text(controls))
            #expect(made.counts[.invalidTextRecords] == 0)
        }

        @Test func `long values are cut between characters, marked and counted`() throws {
            func cut(_ text: String, at limit: Int) throws -> (kept: String, record: OrderedJSON, counts: Counts) {
                let made = try made([MadeEntry(1, "m", more: [MadeField("A", text)])]) {
                    $0.fields = .these(["A"])
                    $0.maxField = limit
                }
                let record = try made.record()
                return (record["journal"]?.text("a") ?? "", record, made.counts)
            }
            // Characters of one to four bytes; a limit at each place.
            let text = "aé€😀b€é😀"
            for limit in 1...text.utf8.count {
                // As many whole characters as fit.
                let whole =
                    text.utf8.count <= limit
                    ? text[...] : text.indices.map { text[..<$0] }.last { $0.utf8.count <= limit }
                let expected = whole.map(String.init) ?? ""
                let (kept, record, counts) = try cut(text, at: limit)
                let lost = text.utf8.count - expected.utf8.count
                #expect(kept == expected, "limit \(limit)")
                #expect(counts[.skippedBytes] == UInt64(lost), "limit \(limit)")
                #expect(counts[.truncatedRecords] == (lost > 0 ? 1 : 0), "limit \(limit)")
                #expect(record["sluice"] == (lost > 0 ? .list([.of("truncated")]) : nil), "limit \(limit)")
            }
        }

        @Test func `a value of exactly the limit is whole; the message has the same limit`() throws {
            let limit = 4096
            let whole = String(repeating: "x", count: limit)
            let entries = [
                MadeEntry(1, whole, more: [MadeField("A", whole)]), MadeEntry(2, whole + "yz"),
                MadeEntry(3, whole + "y", more: [MadeField("A", whole + "yyy")]),
                MadeEntry(4, "m", more: [MadeField("NOT_ASKED_FOR", whole + "y")]),
            ]
            let made = try made(entries) {
                $0.fields = .these(["A"])
                $0.maxField = limit
            }
            #expect(
                try made.lines.map { try OrderedJSON($0)["sluice"]?.description } == [
                    nil, "[\"truncated\"]", "[\"truncated\"]", nil,
                ])
            #expect(try made.lines.prefix(3).allSatisfy { try OrderedJSON($0).text("message") == whole })
            #expect(try made.record(2)["journal"]?.text("a") == whole)
            #expect(made.counts[.truncatedRecords] == 2)
            #expect(made.counts[.skippedBytes] == 2 + 1 + 3)
        }

        @Test func `bytes that are no text are cut at the limit`() throws {
            let made = try made([MadeEntry(1, more: [MadeField("A", [UInt8](repeating: 0x80, count: 100))])]) {
                $0.fields = .these(["A"])
                $0.maxField = 50
            }
            #expect(try made.record()["journal"]?.text("a") == String(repeating: "\u{FFFD}", count: 50))
            #expect(made.counts[.skippedBytes] == 50)
            #expect(made.flags == [[.truncated, .invalidText]])
        }

        @Test func `an entry of a megabyte is whole, of twelve it is cut to ten`() throws {
            func text(_ count: Int, _ byte: UInt8) -> [UInt8] { [UInt8](repeating: byte, count: count) }
            let large = MadeEntry(
                1, String(decoding: text(900_000, 97), as: UTF8.self), more: [MadeField("A", text(100_000, 98))])
            let huge = MadeEntry(
                2, more: (0..<12).map { MadeField("F\($0)", text(1 << 20, 65 + UInt8($0))) } + [MadeField("Z", "z")])
            let made = try made([large, huge, MadeEntry(3)], all)
            let first = try Decoded(made.lines[0])
            #expect(first.message.utf8.count == 900_000 && first.journal["a"]?.utf8.count == 100_000)
            #expect(made.flags == [.none, .truncated, .none])
            let kept = try Decoded(made.lines[1]).journal
            var missing = 0
            for field in made.entries[1].fields where field.name != "MESSAGE" {
                let shown = try #require(kept[field.name.lowercased()], "each field has its member")
                #expect(String(decoding: field.value, as: UTF8.self).hasPrefix(shown))
                missing += field.value.count - shown.utf8.count
            }
            #expect(made.lines[1].utf8.count <= (10 << 20) + 4096)
            #expect(made.counts[.skippedBytes] == UInt64(missing) && missing >= 2 << 20)
            #expect(made.counts[.truncatedRecords] == 1)
            // Every byte of the entries was read, that of the one that was cut too.
            let fields = made.entries.flatMap(\.fields) + made.entries.map { MadeField("_BOOT_ID", "\($0.boot)") }
            #expect(
                made.counts[.readBytes] == UInt64(fields.reduce(0) { $0 + $1.name.utf8.count + $1.value.count + 2 }))
        }

        @Test func `fields that escaping makes six times as long are cut where their entry becomes too long`() throws {
            func controls(_ count: Int) -> [UInt8] { (0..<count).map { UInt8($0 % 8 + 0x10) } }
            let many = MadeEntry(
                1, more: (0..<40).map { MadeField("F\($0)", controls(60_000)) } + [MadeField("Z", "z")])
            let large = MadeEntry(
                2, more: [MadeField("A", controls(1 << 20)), MadeField("MESSAGE", controls(1 << 20))])
            var message = MadeEntry(3)
            message.fields = [MadeField("MESSAGE", controls(1 << 20))]
            let made = try made([many, large, message, MadeEntry(4)], all)
            for (line, entry) in zip(made.lines, made.entries) {
                let raw = entry.fields.reduce(0) { $0 + $1.value.count }
                #expect(line.utf8.count <= 3 * raw + 128 * 1024, "\(line.utf8.count) of \(raw)")
            }
            for index in 0...1 {
                let kept = try Decoded(made.lines[index]).journal
                for field in made.entries[index].fields where field.name != "MESSAGE" {
                    let shown = try #require(kept[field.name.lowercased()], "each field has its member")
                    #expect(String(decoding: field.value, as: UTF8.self).hasPrefix(shown))
                }
            }
            #expect(try made.lines.map { try OrderedJSON($0)["sluice"] != nil } == [true, true, true, false])
            #expect(made.counts[.truncatedRecords] == 3 && made.counts[.skippedBytes] > 1 << 20)
        }

        /// A large record: `OrderedJSON` takes its time.
        private struct Decoded: Decodable {
            let message: String
            let journal: [String: String]

            init(_ line: String) throws { self = try JSONDecoder().decode(Decoded.self, from: Data(line.utf8)) }
        }

        @Test func `what is there for the selection alone is no part of the record, and no mark of it`() throws {
            let long = String(repeating: "x", count: 3000)
            let made = try made(MadeField("_CMDLINE", long), MadeField("UNIT", long)) {
                $0.maxField = 1024
                $0.selection.matches = [("_CMDLINE", [Array(long.utf8.prefix(1024))])]
            }
            #expect(try made.journal() == "{\(Self.boot)}")
            #expect(made.flags == [.none] && made.counts[.skippedBytes] == 0)
        }

        @Test(arguments: 0..<6) func `random entries are what a model makes of them`(seed: UInt64) throws {
            var random = SeededGenerator(seed: seed)
            let names = [
                "MESSAGE", "_SYSTEMD_UNIT", "SYSLOG_IDENTIFIER", "_PID", "PRIORITY", "_TRANSPORT", "UNIT", "_UID",
                "OBJECT_SYSTEMD_UNIT", "COREDUMP_UNIT", "MESSAGE_ID", "SYSLOG_FACILITY", "CODE_LINE", "PID",
                "NODE_NAME",
                "A", "B", "LONGER_NAME_THAN_EIGHT", "IDENTIFIER", "_SYSTEMD_SLICE", "N_DROPPED",
            ]
            let words = [
                "", "0", "1", "7", "007", "12x", "kernel", "a.service", "fc2e22bc6ee647b6b90729ab34a250b1", "é€",
            ]
            let entries = (0..<150).map { number in
                var entry = MadeEntry(number)
                entry.fields = (0..<random.below(24)).map { _ in
                    let name = names[random.below(names.count)]
                    switch random.below(4) {
                    case 0: return MadeField(name, random.bytes(random.below(60)))
                    case 1: return MadeField(name, "\(random.below(100_000))")
                    default: return MadeField(name, words[random.below(words.count)])
                    }
                }
                // journald takes no entry without a field.
                if entry.fields.isEmpty { entry.fields = [MadeField("A", "a")] }
                return entry
            }
            let list = Array(names.shuffled(using: &random).prefix(8))
            for fields in [JournalFields.all, .these(JournalFields.standard), .these(list)] {
                let made = try made(entries) {
                    $0.fields = fields
                    $0.node = "n"
                }
                #expect(made.lines.count == 150 && made.entries.count == 150)
                let model = RecordModel(fields: fields, node: "n")
                for (line, entry) in zip(made.lines, made.entries) {
                    let expected = model.record(of: entry)
                    let record = try OrderedJSON(line)
                    #expect(record == expected, "\(record)\n\(expected)\n\(entry.fields)")
                    if record != expected { return }
                }
                let marked = made.lines.count { $0.contains("\"sluice\":[\"invalid_text\"]") }
                #expect(made.counts[.invalidTextRecords] == UInt64(marked))
            }
        }

        @Test(.enabled(if: NodeSnapshot.isHere, "there is no snapshot of a node here"))
        func `a node's whole journal is what journalctl exports`() throws {
            let folder = try NodeSnapshot.unpackJournal(to: scratch.path)
            let made = try MadeRecords(.folders([folder]), "--directory=\(folder)") { $0.fields = .all }
            #expect(made.lines.count > 1000 && made.lines.count == made.entries.count)
            let model = RecordModel(fields: .all)
            for (line, entry) in zip(made.lines, made.entries) {
                let record = try OrderedJSON(line)
                let expected = model.record(of: entry)
                #expect(record == expected)
                if record != expected { break }
            }
        }

        @Test(.enabled(if: NodeSnapshot.isHere, "there is no snapshot of a node here"))
        func `a node's units are what journalctl shows of them`() throws {
            let folder = try NodeSnapshot.unpackJournal(to: scratch.path)
            let model = RecordModel(fields: .all)
            for unit in ["kubelet.service", "containerd.service", "kube*", "*d.service", "system.slice"] {
                let arguments = "--directory=\(folder) --unit='\(unit)'"
                let made = try MadeRecords(.folders([folder]), arguments) {
                    $0.fields = .all
                    $0.selection.units = (try? [Glob(unit)]) ?? []
                    $0.selection.kernel = false
                }
                #expect(made.lines.count > 100)
                #expect(made.lines.count == made.entries.count, "\(unit)")
                #expect(try zip(made.lines, made.entries).allSatisfy { try OrderedJSON($0) == model.record(of: $1) })
            }
        }
    }
#endif
