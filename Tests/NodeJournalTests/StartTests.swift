// Where reading begins: at a first start, at later ones, and when the journal is not there yet.
#if Journald
    import Disk
    import Journal
    import NodeJournal
    import Records
    import TestKit
    import Testing

    @Suite struct `Starting on a journal` {
        let scratch: ScratchDirectory
        let journal: MadeJournal
        let bench: TailerBench

        init() throws {
            scratch = try ScratchDirectory()
            journal = MadeJournal(in: scratch.path)
            bench = try TailerBench(scratch.path)
        }

        private func append(_ numbers: Range<Int>) throws { try journal.append(numbers.map { MadeEntry($0) }) }

        /// An entry that was written so many seconds ago.
        private func entry(_ number: Int, secondsAgo: Int64) -> MadeEntry {
            var entry = MadeEntry(number)
            entry.realtime = UInt64(SystemClock.realtime / 1000 - secondsAgo * 1_000_000)
            entry.monotonic = entry.realtime - 1_000_000_000
            return entry
        }

        @Test func `from the beginning`() throws {
            try append(0..<5)
            #expect(try bench.start() == nil)
            bench.readAll()
            #expect(bench.numbers == Array(0..<5))
            #expect(bench.kit.count("journal_opened") == 1)
            #expect(bench.kit.said("from: the beginning") || bench.kit.said("from=\"the beginning\""))
            #expect(bench.position.hasPrefix("s="))
        }

        @Test func `from the end: what was there is not read, what comes is, also if it comes between two starts`()
            throws
        {
            try append(0..<5)
            bench.options.start = .end
            try bench.start()
            bench.readAll()
            #expect(bench.lines.isEmpty)
            try append(5..<7)
            bench.readAll()
            #expect(bench.numbers == [5, 6])

            // The place of a start is kept before there is anything to read.
            let other = try TailerBench(scratch.path) { $0.start = .end }
            try other.start()
            other.readAll()
            other.stop()
            try append(7..<9)
            try other.start()
            other.readAll()
            #expect(other.numbers == [7, 8])
        }

        @Test(arguments: [JournalStart.end, .boot, .beginning, .ago(1_000_000_000)])
        func `where there is a journal without entries, everything that comes is read`(start: JournalStart) throws {
            try journal.append([])
            bench.options.start = start
            #expect(try bench.start() == nil)
            bench.readAll()
            try bench.restart()
            bench.readAll()
            try journal.append([entry(0, secondsAgo: 0), entry(1, secondsAgo: -1)])
            bench.readAll()
            #expect(bench.numbers == [0, 1])
        }

        @Test func `from the first entry of the newest boot`() throws {
            func write(_ numbers: Range<Int>, _ boot: UInt64) throws {
                try journal.append(
                    numbers.map { number in
                        var entry = MadeEntry(number)
                        entry.boot = JournalID(high: 1, low: boot)
                        entry.monotonic = 5 + UInt64(number) * 1000 - UInt64(numbers.lowerBound) * 900
                        return entry
                    })
            }
            bench.options.start = .boot
            try write(0..<10, 1)
            // The only boot.
            try bench.start()
            bench.readAll()
            #expect(bench.numbers == Array(0..<10))

            try write(10..<20, 2)
            try journal.rotate()
            try write(20..<30, 3)
            try journal.rotate()
            try write(30..<35, 3)
            let other = try TailerBench(scratch.path) { $0.start = .boot }
            try other.start()
            other.readAll()
            #expect(other.numbers == Array(20..<35))
        }

        @Test func `from some time ago`() throws {
            try journal.append([entry(0, secondsAgo: 7200), entry(1, secondsAgo: 3500), entry(2, secondsAgo: 1)])
            bench.options.start = .ago(3_600_000_000_000)
            try bench.start()
            bench.readAll()
            #expect(bench.numbers == [1, 2])
            try bench.restart()
            bench.readAll()
            #expect(bench.numbers == [1, 2])
            #expect(bench.kit.said("reading the journal") && bench.kit.said("went on in the journal"))

            // The time of the first start counts, though nothing was read then.
            let other = try TailerBench(scratch.path) { $0.start = .ago(0) }
            try other.start()
            other.readAll()
            other.stop()
            try journal.append([entry(3, secondsAgo: 0)])
            try other.start()
            other.readAll()
            #expect(other.numbers == [3])
        }

        // MARK: Nothing there yet

        @Test(arguments: [JournalStart.beginning, .end, .boot, .ago(3_600_000_000_000)])
        func `a journal that comes later is found within ten seconds, and read from its first new entry`(
            start: JournalStart
        ) throws {
            bench.options.start = start
            let reason = try #require(try bench.start())
            #expect(reason.contains("there is no journal file in it"))
            #expect(bench.kit.count("journal_nothing_to_read") == 1)
            bench.readAll()
            // Where a start is stays the same over further ones.
            try bench.restart()
            bench.readAll()
            #expect(bench.nextDeadline > bench.now + 5_000_000_000 && bench.nextDeadline <= bench.now + 10_000_000_000)
            bench.skip(seconds: 9)
            try journal.append([entry(0, secondsAgo: 0), entry(1, secondsAgo: -1)])
            bench.readAll()
            #expect(bench.lines.isEmpty)
            bench.skip(seconds: 1)
            bench.readAll()
            #expect(bench.numbers == [0, 1])
            try journal.append([entry(2, secondsAgo: -2)])
            bench.readAll()
            try bench.restart()
            bench.readAll()
            #expect(bench.numbers == [0, 1, 2])
            #expect(bench.kit.count("journal_opened") == 2)
        }

        @Test func `that there is nothing is told once in ten minutes, unless the reason is another`() throws {
            let bench = try TailerBench(scratch.path("later"))
            #expect(try bench.start()?.contains("does not exist") == true)
            for _ in 0..<50 { bench.skip(seconds: 10) }
            #expect(bench.kit.count("journal_nothing_to_read") == 1)
            for _ in 0..<12 { bench.skip(seconds: 10) }
            #expect(bench.kit.count("journal_nothing_to_read") == 2)
            _ = try scratch.folder("later")
            bench.skip(seconds: 10)
            #expect(bench.kit.count("journal_nothing_to_read") == 3)
            #expect(bench.kit.said("there is no journal file in it"))
            #expect(!bench.hasReady)
        }

        @Test func `a second folder that comes later is read with the first`() throws {
            let (a, b) = (try scratch.folder("a"), scratch.path("b"))
            let first = MadeJournal(in: a)
            try first.append([MadeEntry(0)])
            let bench = try TailerBench(a, b) { $0.links = scratch.path("links") }
            try bench.start()
            bench.readAll()
            let second = MadeJournal(in: b)
            try second.append([MadeEntry(1), MadeEntry(3)])
            try first.append([MadeEntry(2)])
            bench.readAll()
            #expect(bench.numbers == [0, 2])
            bench.skip(seconds: 10)
            bench.readAll()
            // What sorts before the place where reading stands is not gone back for.
            #expect(bench.numbers == [0, 2, 3])
            try second.append([MadeEntry(4)])
            try first.append([MadeEntry(5)])
            bench.readAll()
            #expect(bench.numbers == [0, 2, 3, 4, 5])
            #expect(bench.paths == ["\(a):\(b)"])
        }

        // MARK: Going on

        @Test func `the same journal by another path is gone on with, and its old source is retired`() throws {
            let real = try scratch.folder("real")
            let journal = MadeJournal(in: real)
            try journal.append((0..<5).map { MadeEntry($0) })
            let bench = try TailerBench(real)
            try bench.start()
            bench.readAll()
            try Systemd.run("ln -s \(real) \(scratch.path("link"))")
            bench.options.source = .folders([scratch.path("link")])
            try journal.append([MadeEntry(5)])
            try bench.restart()
            bench.readAll()
            #expect(bench.numbers == Array(0..<6))
            #expect(bench.paths == [scratch.path("link")])
            try bench.restart()
            bench.readAll()
            #expect(bench.numbers == Array(0..<6) && bench.paths.count == 1)
        }

        @Test(arguments: ["s=garbage", "s=;i=;b=;m=;t=;x=", "s=0000000000000000000000000000000z;i=1"])
        func `a place that is none is told, and reading begins at the beginning`(text: String) throws {
            try append(0..<3)
            bench.remember(text, path: scratch.path)
            bench.options.start = .end
            try bench.start()
            bench.readAll()
            #expect(bench.numbers == [0, 1, 2])
            #expect(bench.kit.count("journal_read_failures") == 1)
            try bench.restart()
            bench.readAll()
            #expect(bench.numbers == [0, 1, 2] && bench.kit.count("journal_read_failures") == 1)
        }

        @Test func `a position that is no journal's is as none`() throws {
            try append(0..<3)
            bench.remember("nonsense", path: scratch.path)
            bench.options.start = .end
            try bench.start()
            bench.readAll()
            #expect(bench.lines.isEmpty && bench.paths == [scratch.path])
            try append(3..<4)
            bench.readAll()
            #expect(bench.numbers == [3])
        }

        // MARK: What is told of a journal that is found

        @Test func `an old journal, and one of another machine, are told; with once they are what was asked for`()
            throws
        {
            try append(0..<3)
            try bench.start()
            #expect(bench.kit.count("journal_stale") == 1)
            #expect(bench.kit.said("2023-11-14T22:13:20.002000000Z"))
            #expect(bench.kit.count("journal_foreign_machines") == 0)
            bench.stop()

            // machine_id, at 40
            try journal.patch(journal.active, at: 40, [UInt8](repeating: 0xAB, count: 16))
            try journal.append([entry(3, secondsAgo: 60)])
            try journal.patch(journal.active, at: 40, [UInt8](repeating: 0xAB, count: 16))
            let other = try TailerBench(scratch.path)
            try other.start()
            #expect(other.kit.count("journal_stale") == 0)
            #expect(other.kit.count("journal_foreign_machines") == 1)
            #expect(other.kit.said(String(repeating: "ab", count: 16)))
            let once = try TailerBench(scratch.path) { $0.once = true }
            try once.start()
            #expect(once.kit.count("journal_foreign_machines") == 0)
        }

        @Test func `a file that is no journal is named once, and the others are read`() throws {
            let path = try scratch.write("x.journal", "this is no journal")
            try append(0..<3)
            try bench.start()
            bench.readAll()
            bench.skip(seconds: 10)
            bench.readAll()
            #expect(bench.numbers == [0, 1, 2])
            #expect(bench.kit.count("journal_unreadable_files") == 1)
            #expect(bench.kit.said(path) && bench.kit.said("it is not a journal file"))
        }
    }
#endif
