// The styles that journalctl has, against what it prints itself.
#if Journald
    import Bytes
    import Disk
    import Display
    import Glibc
    import Journal
    import NodeJournal
    import TestKit
    import Testing

    /// The styles that print lines.
    private let styles: [DisplayStyle] = [.short, .shortISO, .shortPrecise, .shortFull, .shortUnix, .withUnit, .cat]

    /// What `journalctl` prints of a journal, with the zone of this process.
    private func journalctl(_ arguments: String, environment: String = "") throws -> [String] {
        lines(try Systemd.run("\(environment) journalctl --quiet --merge \(arguments)"))
    }

    /// Compares lines, and tells the first ones that differ.
    private func expectEqual(_ found: [String], _ wanted: [String], _ what: String) {
        #expect(found.count == wanted.count, "\(what)")
        for (one, other) in zip(found, wanted) where one != other {
            #expect(one == other, "\(what)")
            return
        }
    }

    /// Entries of all kinds that journalctl shows as they are, or nearly so.
    private let entries: [MadeEntry] = {
        func entry(_ number: Int, _ message: String, _ fields: [(String, String)]) -> MadeEntry {
            MadeEntry(
                number, message, time: UInt64(number) * 1_000_001,
                more: [MadeField("_HOSTNAME", "a-host")] + fields.map { MadeField($0.0, $0.1) })
        }
        let id = ("SYSLOG_IDENTIFIER", "program")
        var all: [MadeEntry] = []
        for priority in 0..<8 {
            all.append(entry(priority, "priority", [id, ("PRIORITY", "\(priority)"), ("_PID", "5")]))
        }
        let messages = [
            "one\ntwo\n\nfour", "a newline behind\n", "\n", "tab\tred \u{1b}[31;1mhere\u{1b}[0m\r\nagain\r\r",
            "a title \u{1b}]0;title\u{7}behind",
            "caf\u{e9} \u{65e5}\u{672c}\u{8a9e} \u{1f600} \u{200b} \u{a0} \u{202e}",
            String(repeating: "long ", count: 200), "  spaces  ", "\"quoted\" back\\slash",
        ]
        for message in messages { all.append(entry(all.count, message, [id])) }
        let senders: [[(String, String)]] = [
            [("_COMM", "command")], [], [("SYSLOG_PID", "77")], [id, ("SYSLOG_PID", "77"), ("_PID", "78")],
            [id, ("_SYSTEMD_UNIT", "a.service"), ("_PID", "9")], [id, ("_SYSTEMD_USER_UNIT", "user.service")],
            [id, ("_SYSTEMD_UNIT", "a.service"), ("_SYSTEMD_USER_UNIT", "user.service")],
            [id, ("_SYSTEMD_UNIT", "init.scope"), ("UNIT", "a.service"), ("_PID", "1")],
            [id, ("_SOURCE_REALTIME_TIMESTAMP", "1600000000123456")], [id, ("_TRANSPORT", "audit")],
        ]
        for fields in senders { all.append(entry(all.count, "sender", fields)) }
        return all
    }()

    /// Compares all styles in this process's zone, and in UTC.
    private func compare(_ source: JournalSource, _ arguments: String) throws {
        let records = try records(source) { $0.fields = .all }
        #expect(records.count > 20)
        for style in styles {
            for isUTC in [false, true] {
                let found = lines(shownBytes(records, style) { $0.isUTC = isUTC })
                let wanted = try journalctl("--output=\(style.rawValue) \(isUTC ? "--utc" : "") \(arguments)")
                expectEqual(found, wanted, "\(style) \(isUTC)")
            }
        }
    }

    /// Moves this process, and those that it starts, to a zone.
    private func enter(_ zone: String) {
        _ = unsafe setenv("TZ", zone, 1)
        tzset()
    }

    /// Compares the made entries, in a zone of choice.
    private func compareMade(_ zone: String) throws {
        enter(zone)
        let scratch = try ScratchDirectory()
        let path = scratch.path("made.journal")
        // `cat` has no cleaning in journalctl, and escapes here.
        let clean = entries.filter { entry in entry.message.utf8.allSatisfy { $0 >= 32 || $0 == 10 } }
        try Systemd.write(clean, to: path)
        try compare(.files([path]), "--file=\(path)")
    }

    @Suite struct `Styles of journalctl` {
        let scratch: ScratchDirectory

        init() throws { scratch = try ScratchDirectory() }

        private func made(_ entries: [MadeEntry]) throws -> (records: [String], arguments: String) {
            let path = scratch.path("made.journal")
            try Systemd.write(entries, to: path)
            return (try records(.files([path])) { $0.fields = .all }, "--file=\(path)")
        }

        @Test func `lines are journalctl's in UTC`() async {
            await #expect(processExitsWith: .success) { try compareMade("UTC") }
        }

        @Test func `lines are journalctl's in a zone with summer time`() async {
            await #expect(processExitsWith: .success) { try compareMade("Europe/Paris") }
        }

        @Test func `lines are journalctl's in a zone without a name, behind by half an hour`() async {
            await #expect(processExitsWith: .success) { try compareMade("<-0330>3:30") }
        }

        @Test func `colours of terminals, tabs and ends of lines are left out as journalctl does it`() throws {
            let (records, arguments) = try made(entries)
            let found = lines(shownBytes(records, .short))
            expectEqual(found, try journalctl("--utc \(arguments)"), "short")
        }

        @Test func `severities have journalctl's colours`() throws {
            let (records, arguments) = try made(entries)
            // journalctl also switches emphasis on and off again before each message, around nothing.
            let colors = [
                ("0;1;31m", "0;1;39m"), ("0;1;33m", "0;1;39m"), ("0;1;39m", "0;1;31m"), ("0;90m", "0;1;31m"),
                ("0;34m", ""),
            ].map { on, emphasis in
                "\u{1b}[\(on)" + (emphasis.isEmpty ? "" : "\u{1b}[\(emphasis)") + "\u{1b}[\(on)"
            }
            let wanted = try journalctl("--utc \(arguments)", environment: "SYSTEMD_COLORS=16").map { line in
                colors.reduce(line) { $0.replacing($1, with: "\u{1b}[" + $1.split(separator: "\u{1b}[")[0]) }
            }
            #expect(wanted.count { $0.contains("\u{1b}[0m") } == 8, "all but one priority, and an entry of audit")
            expectEqual(lines(shownBytes(records, .short) { $0.isColored = true }), wanted, "short")
        }

        @Test(arguments: [10, 26, 27, 30, 40, 79, 132])
        func `long lines are cut where journalctl cuts them`(width: Int) throws {
            // It shows three lines of a message at most, and the last of them and all behind 300 bytes otherwise.
            let texts = [
                "x", String(repeating: "abcdefghi ", count: 25), "short\n" + String(repeating: "second ", count: 30),
                String(repeating: "\u{65e5}\u{672c}\u{8a9e}", count: 20), String(repeating: "\u{e9}", count: 120),
            ]
            let (records, arguments) = try made(
                texts.enumerated().map {
                    MadeEntry(
                        $0, $1, more: [MadeField("_HOSTNAME", "h"), MadeField("SYSLOG_IDENTIFIER", "program")])
                })
            let found = lines(shownBytes(records, .short) { $0.width = width })
            let wanted = try journalctl("--utc --no-full \(arguments)", environment: "COLUMNS=\(width)")
            expectEqual(found, wanted, "\(width)")
        }

        @Test func `what is no text is escaped, where journalctl shows its size alone`() throws {
            let id = MadeField("SYSLOG_IDENTIFIER", "p")
            let bad: [[UInt8]] = [[98, 1], [0xff, 97], Array("\u{1b}[2J\u{85}\u{7f}".utf8), Array("a\rb".utf8)]
            let entries = bad.enumerated().map { index, bytes in
                MadeEntry(
                    realtime: MadeEntry.start + UInt64(index), monotonic: UInt64(index), boot: MadeEntry.boot,
                    fields: [MadeField("MESSAGE", bytes), id])
            }
            let (records, arguments) = try made(entries)
            #expect(try journalctl(arguments).dropLast().allSatisfy { $0.hasSuffix("B blob data]") })
            let found = shownBytes(records, .short)
            #expect(
                lines(found).map { String($0.split(separator: " p: ").last ?? "") }
                    == ["b\\x01", "\u{fffd}a", "\\x1b[2J\\x85\\x7f", "a\\x0db", ""])
        }

        @Test(.enabled(if: NodeSnapshot.isHere, "there is no snapshot of a node here"))
        func `a node's whole journal is what journalctl prints, in every style and in two zones`() async throws {
            await #expect(processExitsWith: .success) {
                let scratch = try ScratchDirectory()
                enter("America/St_Johns")
                let folder = try NodeSnapshot.unpackJournal(to: scratch.path)
                try compare(.folders([folder]), "--directory=\(folder)")
            }
        }

        @Test(.enabled(if: NodeSnapshot.isHere, "there is no snapshot of a node here"))
        func `the usual fields are enough for that`() throws {
            let folder = try NodeSnapshot.unpackJournal(to: scratch.path)
            let records = try records(.folders([folder])) { $0.node = "lab-node" }
            let wanted = try journalctl("--utc --directory=\(folder)")
            expectEqual(lines(shownBytes(records, .short)), wanted, "short")
            #expect(records.count { $0.contains("\"klog\":") } > 500, "klog was taken apart")
        }
    }
#endif
