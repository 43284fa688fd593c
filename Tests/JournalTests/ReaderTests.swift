// Reading: whole entries against journalctl, places, matches, folders merged.
#if Journald
    import Bytes
    import Disk
    import Foundation
    import Journal
    import TestKit
    import Testing

    @Suite struct `Reading a journal` {
        let scratch: ScratchDirectory

        init() throws { scratch = try ScratchDirectory() }

        /// A journal of these entries, opened.
        private func reader(_ entries: [MadeEntry], name: String = "system.journal") throws -> JournalReader {
            try Systemd.write(entries, to: scratch.path(name))
            return try JournalReader(.files([scratch.path(name)]))
        }

        @Test func `every field of every entry is what journalctl exports`() throws {
            var random = SeededGenerator(seed: 1)
            let entries = (0..<300).map { number in
                MadeEntry(
                    number, "line \(number)\nsecond",
                    more: (0..<random.below(30)).map { MadeField("FIELD_\($0 / 2)", random.bytes(random.below(2000))) })
            }
            var reader = try reader(entries)
            let read = try reader.rest()
            #expect(read.count == 300)
            #expect(read == (try Systemd.read("--file=\(scratch.path("system.journal"))")))
            #expect(zip(entries, read).allSatisfy { Set($0.fields).isSubset(of: $1.fields) })
            #expect(read.map(\.realtime) == entries.map(\.realtime))
        }

        @Test func `large, binary, empty and repeated values come whole`() throws {
            var random = SeededGenerator(seed: 2)
            let large = [UInt8](repeating: UInt8(ascii: "m"), count: 1 << 20)
            let noise = random.bytes(1 << 20)
            let more = [
                MadeField("NOISE", noise), MadeField("EMPTY", ""), MadeField("SIGN", "a=b=c"),
                MadeField("ZERO", [0, 255, 10, 0]),
                MadeField("WORD", "one"), MadeField("WORD", "two"), MadeField("WORD", "three"),
            ]
            var reader = try reader([MadeEntry(1, String(decoding: large, as: UTF8.self), more: more)])
            #expect(try reader.next())
            let entry = try reader.entry()
            #expect(entry.values("MESSAGE") == [large])
            #expect(entry.values("NOISE") == [noise])
            #expect(entry.values("EMPTY") == [[]])
            #expect(entry.values("SIGN") == [Array("a=b=c".utf8)])
            #expect(entry.values("ZERO") == [[0, 255, 10, 0]])
            #expect(Set(entry.values("WORD")) == Set(["one", "two", "three"].map { Array($0.utf8) }))

            var count = 0
            #expect(try reader.withField("MESSAGE") { count = $0.count })
            #expect(count == 1 << 20)
            #expect(try reader.withField("EMPTY") { count = $0.count })
            #expect(count == 0)
            #expect(try !reader.withField("MISSING") { _ in })
            #expect(throws: JournalError.self) { _ = try reader.withField("no name") { _ in } }
            #expect(try !reader.next())
            #expect(reader.faults == 0)
        }

        @Test func `before the first step there is no entry`() throws {
            var reader = try reader([MadeEntry(1)])
            #expect(throws: JournalError.noEntry) { try reader.cursor() }
            #expect(throws: JournalError.noEntry) { try reader.realtime() }
            #expect(throws: JournalError.noEntry) { try reader.moment() }
            #expect(throws: JournalError.noEntry) { _ = try reader.forEachField { _, _ in } }
            #expect(throws: JournalError.noEntry) { _ = try reader.withField("MESSAGE") { _ in } }
            #expect(try reader.diskUsage() > 0)
        }

        @Test func `places are found: head, tail, realtime, monotonic, cursor`() throws {
            var reader = try reader((0..<100).map { MadeEntry($0) })
            try reader.seek(to: .tail)
            #expect(try reader.previous())
            #expect(try reader.message() == "entry 99")
            #expect(try reader.previous())
            #expect(try reader.message() == "entry 98")
            let cursor = try reader.cursor()
            #expect(try reader.isAt(cursor))

            try reader.seek(to: .head)
            #expect(try reader.next())
            #expect(try reader.message() == "entry 0")
            #expect(try !reader.isAt(cursor))
            #expect(try !reader.previous())

            try reader.seek(to: .cursor(cursor))
            #expect(try reader.next())
            #expect(try reader.isAt(cursor))

            try reader.seek(to: .realtime(MadeEntry.start + 41_001))
            #expect(try reader.next())
            #expect(try reader.message() == "entry 42")
            #expect(try reader.realtime() == MadeEntry.start + 42_000)

            try reader.seek(to: .monotonic(1_000_000 + 7_000, boot: MadeEntry.boot))
            #expect(try reader.next())
            #expect(try reader.message() == "entry 7")
            let moment = try reader.moment()
            #expect(moment.monotonic == 1_007_000 && moment.bootID == MadeEntry.boot)

            #expect(throws: JournalError.badCursor("nonsense")) { try reader.seek(to: .cursor("nonsense")) }
            #expect(throws: JournalError.badCursor("")) { try reader.seek(to: .cursor("")) }
        }

        @Test func `entries of one time are told apart: each is read once over many stops`() throws {
            let entries = (0..<1000).map { MadeEntry($0, time: UInt64($0 / 500)) }
            try Systemd.write(entries, to: scratch.path("system.journal"))
            var messages: [String] = []
            var cursor: String?
            var stops = 0
            while true {
                var reader = try JournalReader(.folders([scratch.path]))
                if let cursor { #expect(try reader.resume(after: cursor) == .found) }
                var steps = 0
                while steps < 37, try reader.next() {
                    messages.append(try reader.message())
                    cursor = try reader.cursor()
                    steps += 1
                }
                if steps == 0 { break }
                stops += 1
            }
            #expect(stops == 28)
            #expect(messages == entries.map(\.message))
        }

        @Test func `after a lost entry reading goes on at the next one, and says so`() throws {
            var whole = try reader((0..<10).map { MadeEntry($0) }, name: "whole.journal")
            try whole.seek(to: .realtime(MadeEntry.start + 4000))
            #expect(try whole.next())
            let cursor = try whole.cursor()
            #expect(JournalCursor(cursor)?.realtime == MadeEntry.start + 4000)
            #expect(JournalCursor(cursor)?.bootID == MadeEntry.boot)
            #expect(JournalCursor(cursor)?.sequence == 5)

            var later = try reader([MadeEntry(2), MadeEntry(6), MadeEntry(7)], name: "later.journal")
            #expect(try later.resume(after: cursor) == .gone)
            #expect(try later.messages() == ["entry 6", "entry 7"])

            var older = try reader([MadeEntry(1), MadeEntry(2)], name: "older.journal")
            #expect(try older.resume(after: cursor) == .nothingLater)
            #expect(try !older.next())
            try older.seek(to: .head)
            #expect(try older.messages() == ["entry 1", "entry 2"])
        }

        @Test func `matches: values of a field by or, fields by and, groups by or, clauses by and`() throws {
            let entries = (0..<60).map { number in
                MadeEntry(
                    number,
                    more: [
                        MadeField("_SYSTEMD_UNIT", "unit\(number % 3).service"), MadeField("PRIORITY", "\(number % 5)"),
                        MadeField("CODE", [0, UInt8(number % 2)]),
                    ])
            }
            var reader = try reader(entries)
            func numbers(_ matches: JournalMatches) throws -> [Int] {
                try reader.select(matches)
                try reader.seek(to: .head)
                return try reader.messages().compactMap { Int($0.dropFirst(6)) }
            }
            func unit(_ number: Int) -> JournalTerm { JournalTerm("_SYSTEMD_UNIT", "unit\(number).service") }
            func priority(_ number: Int) -> JournalTerm { JournalTerm("PRIORITY", "\(number)") }

            let all = Array(0..<60)
            #expect(try numbers(.everything) == all)
            #expect(try numbers(JournalMatches([unit(1)])) == all.filter { $0 % 3 == 1 })
            #expect(try numbers(JournalMatches([unit(1), unit(2)])) == all.filter { $0 % 3 != 0 })
            #expect(
                try numbers(JournalMatches([unit(1), priority(3), unit(2)]))
                    == all.filter { $0 % 3 != 0 && $0 % 5 == 3 })
            let either = JournalMatches(anyOf: [[unit(0), priority(0)], [unit(1), priority(1)]])
            #expect(
                try numbers(either) == all.filter { $0 % 3 == 0 && $0 % 5 == 0 || $0 % 3 == 1 && $0 % 5 == 1 })
            #expect(
                try numbers(either.and(JournalMatches([JournalTerm("CODE", [0, 1])])))
                    == all.filter { ($0 % 3 == 0 && $0 % 5 == 0 || $0 % 3 == 1 && $0 % 5 == 1) && $0 % 2 == 1 })
            #expect(try numbers(JournalMatches([JournalTerm("_SYSTEMD_UNIT", "other")])) == [])
            #expect(try numbers(JournalMatches([])) == all)

            // Places and matches go together.
            try reader.select(JournalMatches([unit(0)]))
            try reader.seek(to: .realtime(MadeEntry.start + 40_000))
            #expect(try reader.next())
            #expect(try reader.message() == "entry 42")
            let cursor = try reader.cursor()
            #expect(try reader.resume(after: cursor) == .found)
            #expect(try reader.messages().first == "entry 45")
            try reader.skipToEnd()
            #expect(try !reader.next())

            #expect(throws: JournalError.badMatch("lower=1")) {
                try reader.select(JournalMatches([JournalTerm("lower", "1")]))
            }
        }

        @Test func `a folder is read with its machines' subfolders, and two folders are one journal`() throws {
            let machine = "\(MadeEntry.machine)"
            let (a, b) = (scratch.path("a"), scratch.path("b"))
            try Systemd.write([MadeEntry(1), MadeEntry(5)], to: "\(a)/\(machine)/system.journal")
            try Systemd.write([MadeEntry(2)], to: "\(a)/flat.journal")
            try Systemd.write([MadeEntry(9)], to: "\(a)/no-id/system.journal")
            try Systemd.write([MadeEntry(9)], to: "\(a)/\(machine).namespace/system.journal")
            // What is in both is read once.
            try Systemd.write([MadeEntry(3), MadeEntry(5), MadeEntry(6)], to: "\(b)/\(machine)/system.journal")
            try Systemd.write([MadeEntry(4)], to: "\(b)/system@1.journal")

            func messages(_ source: JournalSource, links: String? = nil) throws -> [Int] {
                var reader = try JournalReader(source, links: links)
                return try reader.messages().compactMap { Int($0.dropFirst(6)) }
            }
            #expect(try messages(.folders([a])) == [1, 2, 5])
            #expect(try messages(.folders(["\(a)/\(machine)/"])) == [1, 5])
            #expect(try messages(.folders(["\(a)/\(machine).namespace"])) == [9])
            #expect(try messages(.folders([a, a])) == [1, 2, 5])
            #expect(throws: JournalError.needsLinkFolder([a, b])) { try messages(.folders([a, b])) }
            let links = scratch.path("data/links")
            #expect(try messages(.folders([a, b]), links: links) == [1, 2, 3, 4, 5, 6])
            // Again, over the links of the last time, the other way round.
            #expect(try messages(.folders([b, "\(a)/\(machine)"]), links: links) == [1, 3, 4, 5, 6])
            #expect(throws: JournalError.tooManyFolders([a, b, a])) { try messages(.folders([a, b, a])) }
            let missing = JournalError.unusable(JournalFinding("\(a)/x", .missing))
            #expect(throws: missing) { try messages(.folders(["\(a)/x"])) }
            #expect(throws: missing) { try messages(.folders(["\(a)/x", "\(b)/x"])) }
            // One of two may be missing.
            #expect(try messages(.folders(["\(a)/x", b]), links: links) == [3, 4, 5, 6])

            // A node's folders below one root need no links.
            let root = scratch.path("root")
            try Systemd.write([MadeEntry(1)], to: "\(root)/var/log/journal/\(machine)/system.journal")
            try Systemd.write([MadeEntry(2)], to: "\(root)/run/log/journal/\(machine)/system.journal")
            let both = ["\(root)/run/log/journal/", "\(root)/var/log/journal"]
            #expect(try messages(.folders(both)) == [1, 2])
            #expect(try messages(.folders(both.reversed())) == [1, 2])
        }

        @Test func `the journals of this machine can be opened, whether there are any or not`() throws {
            var reader = try JournalReader(.local)
            _ = try reader.next()
            try reader.skipToEnd()
            #expect(try reader.descriptor() >= 0)
        }

        @Test(.enabled(if: NodeSnapshot.isHere, "there is no snapshot of a node here"))
        func `a node's journal is what journalctl exports, and what it writes as JSON`() throws {
            let folder = try NodeSnapshot.unpackJournal(to: scratch.path)
            var reader = try JournalReader(.folders([folder]))
            let read = try reader.rest()
            #expect(read.count > 1000)
            #expect(read == (try Systemd.read("--directory=\(folder)")))

            let lines = try Systemd.run("journalctl --quiet --merge --all --output=json --directory=\(folder)")
                .split(separator: 10)
            #expect(lines.count == read.count)
            for (line, entry) in zip(lines, read) {
                let object = try #require(try JSONSerialization.jsonObject(with: Data(line)) as? [String: Any])
                var expected: [String: [[UInt8]]] = [:]
                for (name, value) in object where !name.hasPrefix("__") && name != "_BOOT_ID" {
                    expected[name] = JournalctlJSON.values(value)
                }
                #expect(Dictionary(grouping: entry.fields, by: \.name).mapValues { $0.map(\.value) } == expected)
                #expect(object["__CURSOR"] as? String == entry.cursor)
            }
            #expect(JournalSurvey(.folders([folder])).findings == [])
        }
    }

    private enum JournalctlJSON {
        /// journalctl writes text as a string, bytes as numbers, repeated fields as an array of those.
        static func values(_ value: Any) -> [[UInt8]] {
            if let text = value as? String { return [Array(text.utf8)] }
            if let bytes = value as? [UInt8] { return [bytes] }
            return (value as? [Any])?.flatMap(values) ?? []
        }
    }
#endif
