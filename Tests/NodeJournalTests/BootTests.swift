// Boots whose clock was behind: their entries come, whatever lies beside them, each once.
#if Journald
    import Disk
    import Journal
    import NodeJournal
    import Records
    import TestKit
    import Testing

    @Suite struct `Boots of a journal` {
        let scratch: ScratchDirectory
        let bench: TailerBench
        private static let hour: UInt64 = 3_600_000_000

        init() throws {
            scratch = try ScratchDirectory()
            bench = try TailerBench(scratch.path)
        }

        private var folder: String { "\(scratch.path)/\(MadeEntry.machine)" }

        /// An entry of a boot whose clock is so many hours behind.
        private func entry(_ number: Int, boot: UInt64, behind hours: UInt64 = 0, monotonic: UInt64? = nil) -> MadeEntry
        {
            var entry = MadeEntry(number)
            entry.boot = JournalID(high: 1, low: boot)
            entry.realtime -= hours * Self.hour
            entry.monotonic = monotonic ?? 1_000_000 + UInt64(number) * 1000
            return entry
        }

        /// Appends to a file, which is numbered for itself.
        private func append(_ file: String, _ numbers: Range<Int>, boot: UInt64, behind hours: UInt64 = 0) throws {
            try Systemd.write(
                numbers.map { entry($0, boot: boot, behind: hours) }, to: "\(folder)/\(file).journal")
        }

        /// As journald leaves a file that it writes no more.
        private func archive(_ file: String) throws {
            try MadeJournal(in: scratch.path).patch("\(folder)/\(file).journal", at: 16, [2])
        }

        private func start() throws {
            try bench.restart()
            bench.readAll()
        }

        private func restartThrice() throws { for _ in 0..<3 { try start() } }

        @Test(arguments: [false, true])
        func `one in a file of its own is read after a restart, and on`(isArchived: Bool) throws {
            try append("system@a", 0..<5, boot: 1)
            if isArchived { try archive("system@a") }
            try start()
            bench.stop()
            try append("system", 5..<10, boot: 2, behind: 1)
            try restartThrice()
            #expect(bench.numbers == Array(0..<10))
            // Told once in the life of the store.
            #expect(bench.kit.count("journal_boots_read_apart") == 1)
            bench.stop()
            try append("system", 10..<12, boot: 2, behind: 1)
            try restartThrice()
            try append("system", 12..<15, boot: 2, behind: 1)
            bench.wait(for: 15)
            #expect(bench.numbers == Array(0..<15))
            #expect(bench.counts[.vanishedEntries] == 0 && bench.kit.count("journal_read_failures") == 0)
        }

        @Test func `one that comes while the journal is followed is read, and on over its rotation`() throws {
            try append("system@a", 0..<5, boot: 1)
            try start()
            try append("system", 5..<10, boot: 2, behind: 24)
            bench.wait(for: 10)
            try append("system", 10..<15, boot: 2, behind: 24)
            bench.wait(for: 15)
            // The next file of the same journald.
            let files = LocalFileSystem()
            try archive("system")
            try files.rename("\(folder)/system.journal", to: "\(folder)/system@b.journal")
            try append("system", 15..<20, boot: 2, behind: 24)
            bench.wait(for: 20)
            #expect(bench.numbers == Array(0..<20))
            try restartThrice()
            #expect(bench.numbers == Array(0..<20))
        }

        @Test func `beside a file from the future, which grows too`() throws {
            try append("system@a", 0..<3, boot: 1, behind: 10)
            try append("future", 3..<6, boot: 2)
            try append("system", 6..<9, boot: 3, behind: 20)
            try start()
            #expect(bench.numbers.sorted() == Array(0..<9))
            for round in 0..<6 {
                try append(
                    round % 2 == 0 ? "future" : "system", 9 + round..<10 + round, boot: round % 2 == 0 ? 2 : 3,
                    behind: round % 2 == 0 ? 0 : 20)
                if round == 3 { bench.stop() }
                if round == 4 { try bench.start() }
                bench.wait(for: round == 3 ? 0 : 10 + round)
            }
            #expect(bench.numbers.sorted() == Array(0..<15))
            try restartThrice()
            #expect(bench.lines.count == 15)
        }

        @Test func `several boots in one file, and files in whose order libsystemd goes round in a circle`() throws {
            try append("system@a", 0..<3, boot: 1, behind: 1)
            try start()
            bench.stop()
            // By its numbers boot 3 is behind boot 1, by their clocks before boot 4, and that before boot 1.
            try append("system@a", 3..<6, boot: 3, behind: 30)
            try append("system@b", 6..<9, boot: 4, behind: 20)
            try append("system@b", 9..<12, boot: 5, behind: 40)
            try append("system@c", 12..<15, boot: 6, behind: 50)
            try restartThrice()
            #expect(bench.numbers.sorted() == Array(0..<15))

            let other = try TailerBench(scratch.path)
            try other.start()
            other.readAll()
            try other.restart()
            other.readAll()
            #expect(other.numbers.sorted() == Array(0..<15))
        }

        @Test func `a clock that is set while its boot runs: the boot's first part lies behind, the rest before`()
            throws
        {
            try append("system@a", 0..<5, boot: 1)
            try start()
            bench.stop()
            try append("system", 5..<8, boot: 2, behind: 1)
            try append("system", 8..<11, boot: 2)
            try restartThrice()
            #expect(bench.numbers == Array(0..<11))
            try append("system", 11..<13, boot: 2)
            bench.wait(for: 13)
            #expect(bench.numbers == Array(0..<13))
            #expect(bench.counts[.vanishedEntries] == 0)
        }

        @Test func `files that are later by the clock are not read again when their journald's numbers lead back`()
            throws
        {
            try append("other", 0..<300, boot: 9, behind: 5)
            try append("system", 300..<305, boot: 1)
            try start()
            try append("system", 305..<310, boot: 2, behind: 10)
            bench.wait(for: 310)
            try restartThrice()
            try append("system", 310..<312, boot: 2, behind: 10)
            try append("other", 312..<314, boot: 9, behind: 5)
            bench.wait(for: 314)
            try restartThrice()
            #expect(bench.numbers.sorted() == Array(0..<314))
            #expect(bench.counts[.vanishedEntries] == 0)
        }

        @Test func `entries of one moment, of which one was read before`() throws {
            try append("system@a", 0..<1, boot: 1)
            try Systemd.write([entry(1, boot: 2, behind: 1, monotonic: 5)], to: "\(folder)/system.journal")
            try start()
            try append("system@a", 2..<3, boot: 1)
            bench.readAll()
            try Systemd.write(
                [entry(3, boot: 2, behind: 1, monotonic: 5), entry(4, boot: 2, behind: 1, monotonic: 6)],
                to: "\(folder)/system.journal")
            bench.wait(for: 5)
            #expect(bench.numbers.sorted() == Array(0..<5))
            try restartThrice()
            #expect(bench.lines.count == 5)
        }

        @Test func `entries that were deleted before they were read are counted`() throws {
            try append("system@a", 0..<3, boot: 1)
            try append("system", 3..<6, boot: 2, behind: 1)
            bench.stop()
            try start()
            try append("system", 6..<7, boot: 2, behind: 1)
            bench.wait(for: 7)
            bench.stop()
            // tail_entry_seqnum, at 160
            try MadeJournal(in: scratch.path).patch("\(folder)/system.journal", at: 160, [14])
            try append("system", 7..<8, boot: 2, behind: 1)
            try restartThrice()
            #expect(bench.numbers.sorted() == Array(0..<8))
            #expect(bench.counts[.vanishedEntries] == 10 && bench.kit.count("journal_missing_entries") == 10)
        }

        // MARK: What is not to be read

        @Test(arguments: [JournalStart.end, .ago(1_000_000_000)])
        func `boots before the place of a first start are not read; what comes of them is`(start: JournalStart) throws {
            try append("system@a", 0..<3, boot: 1)
            try append("system", 3..<6, boot: 2, behind: 1)
            bench.options.start = start
            try restartThrice()
            #expect(bench.lines.isEmpty)
            try append("system", 6..<8, boot: 2, behind: 1)
            bench.wait(for: 2)
            try restartThrice()
            #expect(bench.numbers == [6, 7])
        }

        @Test func `a place of an earlier version is gone on with: what lies before it was read`() throws {
            try append("system@a", 0..<3, boot: 1, behind: 9)
            try append("system@b", 3..<6, boot: 2, behind: 5)
            try start()
            let other = try TailerBench(scratch.path)
            other.remember(bench.position, path: scratch.path)
            for _ in 0..<3 {
                try other.restart()
                other.readAll()
            }
            #expect(other.lines.isEmpty)
            other.stop()
            try append("system", 6..<9, boot: 3, behind: 20)
            try other.start()
            other.readAll()
            #expect(other.numbers == [6, 7, 8])
        }

        @Test func `boots one after the other, as they should be, need no reader of their own`() throws {
            try append("system@a", 0..<3, boot: 1, behind: 9)
            try append("system@b", 3..<6, boot: 2, behind: 5)
            try start()
            try append("system", 6..<9, boot: 3)
            bench.wait(for: 9)
            try restartThrice()
            #expect(bench.numbers == Array(0..<9))
            #expect(bench.kit.count("journal_boots_read_apart") == 0)
            #expect(bench.boots.count == 3 && !bench.boots.contains { $0.contains("settled") })
            // Of a file that is written no more nothing comes, and its boot is not looked at again.
            try archive("system@a")
            try restartThrice()
            try append("system", 9..<10, boot: 3)
            bench.wait(for: 10)
            #expect(bench.boots.filter { $0.contains("settled") }.count == 1)
            try restartThrice()
            #expect(bench.numbers == Array(0..<10))
        }

        @Test func `boots that are gone are forgotten, where there are many`() throws {
            let many = (0..<70).map { entry($0, boot: UInt64(100 + $0)) }
            try Systemd.write(many, to: "\(folder)/system@a.journal")
            try start()
            #expect(bench.boots.count == 70)
            try append("system", 70..<72, boot: 1)
            bench.wait(for: 72)
            bench.stop()
            try LocalFileSystem().remove("\(folder)/system@a.journal")
            try restartThrice()
            try append("system", 72..<73, boot: 1)
            bench.wait(for: 73)
            #expect(bench.boots.count == 1)
            #expect(bench.numbers == Array(0..<73))
        }

        // MARK: All together

        @Test(arguments: 0..<5)
        func `whatever is written, read and killed, each entry comes once`(seed: UInt64) throws {
            var random = SeededGenerator(seed: seed)
            var boots: [(id: UInt64, behind: UInt64, file: Int, monotonic: UInt64)] = []
            var next = 0
            for step in 0..<45 {
                if boots.isEmpty || random.oneIn(7) {
                    // A new boot, in a file of its own or in one that is there.
                    let file = random.oneIn(3) && !boots.isEmpty ? boots[random.below(boots.count)].file : step
                    boots.append((UInt64(boots.count + 1), UInt64(random.below(60)), file, 1_000_000))
                }
                // The files of old boots are written no more, but for that of another machine.
                let place = random.oneIn(4) ? random.below(boots.count) : boots.count - 1
                var entries: [MadeEntry] = []
                for _ in 0..<(1 + random.below(4)) {
                    boots[place].monotonic += UInt64(random.below(3)) * 1000
                    let boot = boots[place]
                    var made = entry(next, boot: boot.id, behind: boot.behind, monotonic: boot.monotonic)
                    made.realtime = MadeEntry.start + boot.monotonic - boot.behind * Self.hour
                    entries.append(made)
                    next += 1
                }
                try Systemd.write(entries, to: "\(folder)/system@\(boots[place].file).journal")
                switch random.below(5) {
                case 0: try bench.restart()
                case 1:
                    bench.wake()
                    bench.read(keeps: false)
                    try bench.restart()
                case 2: bench.skip(seconds: 11)
                case 3: bench.readAll()
                default:
                    bench.wake()
                    bench.read()
                }
            }
            try start()
            try start()
            #expect(bench.numbers.sorted() == Array(0..<next))
            #expect(bench.counts[.vanishedEntries] == 0)
            #expect(bench.kit.count("journal_read_failures") == 0)
        }

        @Test func `what is kept of a boot is read back`() {
            let boot = JournalID(high: .max, low: 3)
            let cursor =
                "s=" + String(repeating: "f", count: 32) + ";i=ffffffffffffffff;b=" + String(repeating: "f", count: 32)
                + ";m=ffffffffffffffff;t=ffffffffffffffff;x=ffffffffffffffff"
            var settled = BootReached(monotonic: .max, count: .max, cursor: cursor, isApart: true)
            settled.isSettled = true
            for reached in [
                BootReached.nothing, BootReached(monotonic: 77, count: BootReached.all),
                BootReached(monotonic: .max, count: .max, cursor: cursor, isApart: true),
                BootReached(monotonic: 1, count: 2, cursor: cursor), settled,
                BootReached(monotonic: 0, count: 0, isApart: true),
            ] {
                let position = reached.position(of: boot)
                let read = BootReached.read(position)
                #expect(read?.boot == boot && read?.reached == reached)
                #expect(JournalPosition(position) == nil, "an earlier version reads none in it")
            }
            for text in ["", "boot", "boot x 1 1", cursor, "@5", "boot \(boot) 1", "boot \(boot) g 1"] {
                #expect(BootReached.read(Position(Array(text.utf8))) == nil)
            }
        }
    }
#endif
