// Which entries are wanted, against journalctl where it can be asked the same.
#if Journald
    import Bytes
    import Journal
    import NodeJournal
    import Records
    import TestKit
    import Testing

    @Suite struct `Selecting journal entries` {
        let scratch: ScratchDirectory

        init() throws { scratch = try ScratchDirectory() }

        /// The numbers of the wanted entries, each made of these fields.
        private func wanted(
            _ entries: [[(String, String)]], _ change: (inout JournalSelection) throws -> Void
        ) throws -> [Int] {
            var selection = JournalSelection()
            try change(&selection)
            let chosen = selection
            let made = try MadeRecords(
                entries.enumerated().map { number, fields in
                    MadeEntry(number, "\(number)", more: fields.map { MadeField($0.0, $0.1) })
                }, in: scratch
            ) { $0.selection = chosen }
            return try made.lines.compactMap { Int(try OrderedJSON($0).text("message") ?? "") }
        }

        @Test func `nothing asked for: everything but audit records`() throws {
            let entries = [
                [], [("_TRANSPORT", "journal")], [("_TRANSPORT", "kernel")], [("_TRANSPORT", "audit")],
                [("_TRANSPORT", "auditd"), ("_SYSTEMD_UNIT", "x")],
            ]
            #expect(try wanted(entries) { _ in } == [0, 1, 2, 4])
            #expect(try wanted(entries) { $0.audit = true } == [0, 1, 2, 3, 4])
        }

        private static let units = [
            [("_SYSTEMD_UNIT", "kubelet.service")], [("_SYSTEMD_UNIT", "kubelet.service.d")],
            [("_SYSTEMD_UNIT", "containerd.service"), ("_SYSTEMD_SLICE", "system.slice")], [],
            [("_SYSTEMD_UNIT", "init.scope"), ("UNIT", "kubelet.service"), ("_PID", "1")],
            [("_SYSTEMD_UNIT", "bad.service"), ("UNIT", "kubelet.service"), ("_PID", "2")],
            [("OBJECT_SYSTEMD_UNIT", "kubelet.service"), ("_UID", "0"), ("_SYSTEMD_UNIT", "systemd-journald.service")],
            [("OBJECT_SYSTEMD_UNIT", "kubelet.service"), ("_UID", "7"), ("_SYSTEMD_UNIT", "bad.service")],
            [
                ("COREDUMP_UNIT", "kubelet.service"), ("_UID", "0"),
                ("MESSAGE_ID", "fc2e22bc6ee647b6b90729ab34a250b1"),
            ],
            [("COREDUMP_UNIT", "kubelet.service"), ("_UID", "0")],
            [("_TRANSPORT", "kernel")], [("_TRANSPORT", "kernel"), ("_SYSTEMD_UNIT", "kubelet.service")],
            [("_SYSTEMD_UNIT", "a.service"), ("_SYSTEMD_SLICE", "kubepods.slice")],
        ]

        @Test(arguments: [
            "kubelet.service", "kubelet*", "*d.service", "system.slice", "kube*.slice", "init.scope", "[!k]*", "x",
        ])
        func `units are those that journalctl shows`(pattern: String) throws {
            // The kernel's messages are of no unit; a made one that says otherwise is left out on both sides.
            let entries = Self.units.filter { !$0.contains { $0.1 == "kernel" } }
            let found = try wanted(entries) {
                $0.units = [try Glob(pattern)]
                $0.kernel = false
            }
            let path = scratch.path("units.journal")
            try Systemd.write(
                entries.enumerated().map { number, fields in
                    MadeEntry(number, "\(number)", more: fields.map { MadeField($0.0, $0.1) })
                }, to: path)
            // Of a glob journalctl takes the units that some entry names in a unit's field, so slices have to be asked for by name.
            let asked = pattern == "kube*.slice" ? "kubepods.slice" : pattern
            let shown = (try? Systemd.read("--file=\(path) --unit='\(asked)'")) ?? []
            #expect(found == shown.compactMap { Int($0.message) })
            #expect(found.isEmpty == (pattern == "x"))
        }

        @Test func `a glob takes slices in only if it is one of slices`() throws {
            // journalctl also takes in all units of a slice whose name the glob fits: of `kube*`, those of every pod.
            #expect(
                try wanted(Self.units) {
                    $0.units = [try Glob("kube*")]
                    $0.kernel = false
                } == [0, 1, 4, 6, 8])
        }

        @Test func `the kernel's messages are beside the units, or left out`() throws {
            // Without a word about it, the kernel's messages are of no unit.
            #expect(try wanted(Self.units) { $0.units = [try Glob("init.scope")] } == [4])
            #expect(
                try wanted(Self.units) {
                    $0.units = [try Glob("init.scope")]
                    $0.kernel = true
                } == [4, 10, 11])
            #expect(
                try wanted(Self.units) {
                    $0.units = [try Glob("kubelet.service")]
                    $0.kernel = false
                } == [0, 4, 6, 8])
            #expect(
                try wanted(Self.units) {
                    $0.units = [try Glob("containerd*"), try Glob("init*")]
                    $0.kernel = false
                } == [2, 4])
            #expect(try wanted(Self.units) { $0.kernel = false } == Array(0..<10) + [12])
        }

        @Test func `identifiers: any of an entry's, any of the globs`() throws {
            let entries = [
                [("SYSLOG_IDENTIFIER", "sshd")], [("SYSLOG_IDENTIFIER", "cron"), ("SYSLOG_IDENTIFIER", "sudo")],
                [("_COMM", "sshd")], [], [("SYSLOG_IDENTIFIER", "sshd-session")], [("_TRANSPORT", "kernel")],
            ]
            #expect(try wanted(entries) { $0.identifiers = [try Glob("sshd")] } == [0])
            #expect(try wanted(entries) { $0.identifiers = [try Glob("ssh*"), try Glob("sudo")] } == [0, 1, 4])
            #expect(
                try wanted(entries) {
                    $0.identifiers = [try Glob("sudo")]
                    $0.kernel = true
                } == [1, 5])
            let kernel = [[("SYSLOG_IDENTIFIER", "kernel"), ("_TRANSPORT", "kernel")], [("_TRANSPORT", "audit")]]
            #expect(try wanted(kernel) { $0.identifiers = [try Glob("kernel")] } == [0])
            #expect(try wanted(kernel) { $0.matches = [("_TRANSPORT", [Array("audit".utf8)])] } == [1])
            #expect(
                try wanted(entries) {
                    $0.identifiers = [try Glob("*")]
                    $0.kernel = false
                } == [0, 1, 4])
        }

        @Test func `units and identifiers both hold`() throws {
            let entries = [
                [("_SYSTEMD_UNIT", "a.service"), ("SYSLOG_IDENTIFIER", "a")],
                [("_SYSTEMD_UNIT", "a.service"), ("SYSLOG_IDENTIFIER", "b")],
                [("_SYSTEMD_UNIT", "b.service"), ("SYSLOG_IDENTIFIER", "a")],
            ]
            #expect(
                try wanted(entries) {
                    $0.units = [try Glob("a.service")]
                    $0.identifiers = [try Glob("a")]
                } == [0])
        }

        @Test func `matches: one value of each field, whatever its name, the kernel's entries too`() throws {
            func value(_ text: String) -> [UInt8] { Array(text.utf8) }
            let entries =
                (0..<24).map { number in
                    [("A", "\(number % 2)"), ("_HOSTNAME", "h\(number % 3)"), ("PRIORITY", "\(number % 4)")]
                        + (number == 23 ? [("_TRANSPORT", "kernel")] : []) + (number == 0 ? [("A", "1")] : [])
                } + [[("_HOSTNAME", "h1")], [("A", "11"), ("A", "")]]
            let all = Array(0..<24)
            #expect(try wanted(entries) { $0.matches = [("A", [value("1")])] } == all.filter { $0 % 2 == 1 || $0 == 0 })
            #expect(
                try wanted(entries) { $0.matches = [("_HOSTNAME", [value("h1"), value("h2")])] }
                    == all.filter { $0 % 3 != 0 } + [24])
            #expect(
                try wanted(entries) {
                    $0.matches = [
                        ("A", [value("1")]), ("_HOSTNAME", [value("h0"), value("h2")]), ("PRIORITY", [value("3")]),
                    ]
                } == all.filter { $0 % 2 == 1 && $0 % 3 != 1 && $0 % 4 == 3 })
            #expect(try wanted(entries) { $0.matches = [("A", [value("")])] } == [25])
            #expect(try wanted(entries) { $0.matches = [("MISSING", [value("1")])] } == [])
            #expect(try wanted(entries) { $0.matches = [("MESSAGE", [value("7")])] } == [7])
        }

        @Test func `priorities of two boots are those of journalctl -p`() throws {
            let names = ["emerg", "alert", "crit", "err", "warning", "notice", "info", "debug"]
            let later = JournalID(high: 0xabcd, low: 0x9999)
            let others: [[MadeField]] = [
                [], [MadeField("PRIORITY", "8")], [MadeField("PRIORITY", "")], [MadeField("PRIORITY", "12x")],
            ]
            let priorities = (0..<8).map { [MadeField("PRIORITY", "\($0)")] } + others
            let entries = (0..<2).flatMap { boot in
                priorities.enumerated().map { number, fields in
                    var entry = MadeEntry(boot * 100 + number, more: fields)
                    if boot == 1 { entry.boot = later }
                    return entry
                }
            }
            let path = scratch.path("priorities.journal")
            try Systemd.write(entries, to: path)
            for low in 0..<8 {
                for high in low..<8 {
                    let setting = low == 0 ? names[high] : "\(names[low])..\(names[high])"
                    let made = try MadeRecords(.files([path]), "--file=\(path) --priority=\(setting)") {
                        $0.selection.priorities = low...high
                    }
                    // All eight are no condition, so entries without a priority are there too.
                    let isAll = low == 0 && high == 7
                    #expect(made.entries.count == 2 * (isAll ? 12 : high - low + 1))
                    let found = try made.lines.map { try OrderedJSON($0).text("message") }
                    #expect(found == made.entries.map(\.message), "\(setting)")
                }
            }
        }

        /// Whether klog's headers are known: as long as they are not, there is nothing to believe.
        private static let knowsKlog = KlogLine.severity(of: "E1126 10:00:00.000000       1 a.go:1] m".utf8.span) != nil

        @Test(.enabled(if: knowsKlog, "klog's headers are not known yet"))
        func `what klog says counts more than the priority, where it is believed`() throws {
            let entries = [
                ("E1126 10:00:00.000000       1 a.go:1] failed", "6"),
                ("I1126 10:00:00.000000       1 a.go:1] fine", "3"),
                ("not klog", "3"), ("not klog", "6"),
            ].enumerated().map { number, line in
                MadeEntry(number, line.0, more: [MadeField("PRIORITY", line.1), MadeField("NUMBER", "\(number)")])
            }
            func numbers(believes: Bool) throws -> [String?] {
                let made = try MadeRecords(entries, in: scratch) {
                    $0.fields = .these(["NUMBER"])
                    $0.selection.priorities = 0...3
                    $0.selection.believesKlog = believes
                }
                return try made.lines.map { try OrderedJSON($0)["journal"]?.text("number") }
            }
            #expect(try numbers(believes: true) == ["0", "2"])
            #expect(try numbers(believes: false) == ["1", "2"])
        }
    }

    @Suite struct `Examining a journal` {
        let scratch: ScratchDirectory

        init() throws { scratch = try ScratchDirectory() }

        private func examine(
            _ folders: [String], _ change: (inout JournalSelection) throws -> Void = { _ in }
        ) throws -> JournalExamination {
            var selection = JournalSelection()
            try change(&selection)
            return JournalExamination(.folders(folders), selection)
        }

        @Test func `what nothing matches is told, with what there is`() throws {
            let (a, b) = (scratch.path("a"), scratch.path("b"))
            try Systemd.write(
                [
                    MadeEntry(
                        1, more: [MadeField("_SYSTEMD_UNIT", "kubelet.service"), MadeField("SYSLOG_IDENTIFIER", "k")]),
                    MadeEntry(2, more: [MadeField("UNIT", "told.service"), MadeField("PRIORITY", "3")]),
                ], to: "\(a)/x.journal")
            try Systemd.write(
                [
                    MadeEntry(
                        3,
                        more: [
                            MadeField("OBJECT_SYSTEMD_UNIT", "object.service"), MadeField("_SYSTEMD_SLICE", "s.slice"),
                        ])
                ], to: "\(b)/x.journal")
            // Two folders are looked at without links.
            let examination = try examine([a, b]) {
                $0.units = try ["kubelet*", "told.service", "object.*", "s.slice", "kublet.service", "x*"].map {
                    try Glob($0)
                }
                $0.identifiers = [try Glob("k"), try Glob("sshd")]
                $0.matches = [("PRIORITY", [Array("3".utf8), Array("9".utf8)]), ("MISSING", [Array("1".utf8)])]
            }
            #expect(!examination.isEmpty && examination.findings == [])
            let units = ["kubelet.service", "object.service", "s.slice", "told.service"]
            #expect(
                examination.unmatched.map { "\($0.kind) \($0.asked): \($0.present)" } == [
                    "unit kublet.service: \(units)", "unit x*: \(units)", "identifier sshd: [\"k\"]",
                    "PRIORITY 9: [\"3\"]", "MISSING 1: []",
                ])
            #expect(try examine([a, b]).unmatched.isEmpty)
        }

        @Test func `a folder that is missing or empty is a finding; one of two is enough`() throws {
            let missing = try examine([scratch.path("a")]) { $0.units = [try Glob("x")] }
            #expect(missing.isEmpty && missing.unmatched.isEmpty)
            #expect(missing.findings.count == 1 && missing.findings[0].contains("does not exist"))
            let empty = try examine([try scratch.folder("b")])
            #expect(empty.isEmpty)
            #expect(empty.findings.count == 1 && empty.findings[0].contains("there is no journal file in it"))
            try Systemd.write([MadeEntry(1)], to: scratch.path("b/x.journal"))
            let one = try examine([scratch.path("a"), scratch.path("b")]) { $0.units = [try Glob("x")] }
            #expect(!one.isEmpty && one.findings == [] && one.unmatched.map(\.asked) == ["x"])
        }

        @Test func `a file that cannot be read is a finding`() throws {
            let path = try scratch.write("a.journal", "this is no journal")
            let nothing = try examine([scratch.path])
            #expect(nothing.isEmpty)
            #expect(nothing.findings == ["cannot read \(path): it is not a journal file"])
            try Systemd.write([MadeEntry(1)], to: scratch.path("b.journal"))
            let something = try examine([scratch.path])
            #expect(!something.isEmpty && something.findings == nothing.findings)
        }
    }
#endif
