// Every entry once and in order: over stops, rotations, two folders, and while others write.
#if Journald
    import Bytes
    import Disk
    import Journal
    import NodeJournal
    import Records
    import TestKit
    import Testing

    @Suite struct `Tailing a journal` {
        let scratch: ScratchDirectory
        let journal: MadeJournal
        let bench: TailerBench

        init() throws {
            scratch = try ScratchDirectory()
            journal = MadeJournal(in: scratch.path)
            bench = try TailerBench(scratch.path)
        }

        private func append(_ numbers: Range<Int>, more: [MadeField] = []) throws {
            try journal.append(numbers.map { MadeEntry($0, more: more) })
        }

        // MARK: Stopping

        @Test func `stopped at any batch, kept or not: every entry once and in order`() throws {
            // About a hundred entries to a batch.
            let padding = MadeField("SYSLOG_IDENTIFIER", String(repeating: "x", count: 2000))
            try append(0..<600, more: [padding])
            try journal.rotate()
            try append(600..<1200, more: [padding])
            let all = Array(0..<1200)
            try bench.start()
            bench.readAll()
            #expect(bench.numbers == all)
            var stops = 0
            while true {
                let bench = try TailerBench(scratch.path)
                try bench.start()
                for _ in 0..<stops { bench.read() }
                let isMore = bench.read(keeps: false)
                try bench.restart()
                bench.readAll()
                #expect(bench.numbers == all, "stopped after \(stops) batches")
                guard isMore else { break }
                stops += 1
            }
            #expect(stops > 8)

            let often = try TailerBench(scratch.path)
            repeat { try often.restart() } while often.read()
            #expect(often.numbers == all)
            #expect(often.counts[.vanishedEntries] == 0)
        }

        @Test func `nine thousand entries of one moment are read once each, over stops`() throws {
            try journal.append((0..<9000).map { MadeEntry($0, time: 7) })
            var batches = 0
            repeat {
                try bench.restart()
                // One that is lost, then one that is kept.
                if bench.read(keeps: false) { try bench.restart() }
                batches += 1
            } while bench.read()
            #expect(bench.numbers == Array(0..<9000))
            #expect(batches > 3)
        }

        @Test func `what is wanted may change between starts`() throws {
            func unit(_ number: Int) -> [MadeField] {
                [MadeField("_SYSTEMD_UNIT", number % 2 == 0 ? "even.service" : "odd.service")]
            }
            try journal.append((0..<10).map { MadeEntry($0, more: unit($0)) })
            bench.options.records.selection.units = [try Glob("even*")]
            try bench.start()
            bench.readAll()
            #expect(bench.numbers == [0, 2, 4, 6, 8])
            // Reading stands at an entry that was wanted neither before nor after.
            bench.options.records.selection.units = [try Glob("odd*")]
            bench.stop()
            try journal.append((10..<15).map { MadeEntry($0, more: unit($0)) })
            try bench.start()
            bench.readAll()
            #expect(bench.numbers == [0, 2, 4, 6, 8, 11, 13])
            bench.options.records.selection.units = [try Glob("even*")]
            try bench.restart()
            bench.readAll()
            #expect(bench.numbers == [0, 2, 4, 6, 8, 11, 13])
            #expect(bench.counts[.vanishedEntries] == 0)
        }

        @Test func `entries that are not wanted move the position all the same`() throws {
            try append(0..<10)
            bench.options.records.selection.units = [try Glob("no.service")]
            try bench.start()
            bench.readAll()
            #expect(bench.lines.isEmpty)
            let position = bench.position
            try append(10..<20)
            bench.readAll()
            #expect(bench.position != position && bench.position.hasPrefix("s="))
        }

        // MARK: Following

        @Test func `what is appended wakes the lane, and is read`() throws {
            try append(0..<1)
            try bench.start()
            bench.readAll()
            for round in 1..<4 {
                try append(round..<round + 1)
                #expect(bench.isTold())
                bench.readAll()
                #expect(bench.numbers == Array(0...round))
            }
        }

        @Test func `for a minute after an entry the journal is looked at, then it is waited for`() throws {
            try append(0..<1)
            try bench.start()
            bench.readAll()
            bench.wake()
            #expect(bench.nextDeadline <= bench.now + 50_000_000)
            // An entry that nobody was told of is found by looking.
            try append(1..<2)
            bench.wait(for: 2)
            #expect(bench.numbers == [0, 1])
            bench.skip(seconds: 61)
            bench.readAll()
            #expect(bench.nextDeadline > bench.now + 1_000_000_000)
        }

        @Test func `somebody who goes on writing is followed`() throws {
            try append(0..<1)
            try bench.start()
            bench.readAll()
            let entries = (1...300).map { MadeEntry($0) }
            try scratch.write("export", ExportFormat.bytes(entries))
            let script =
                "awk '{ print; if ($0 == \"\") { fflush(); system(\"sleep 0.002\") } }' \(scratch.path("export"))"
                + " | /lib/systemd/systemd-journal-remote --output=\(journal.active) - 2> /dev/null"
            let writer = try ChildProcess(["sh", "-c", script])
            bench.wait(for: 301)
            #expect(writer.finish().status == 0)
            #expect(bench.numbers == Array(0...300))
        }

        @Test func `rotation loses nothing and repeats nothing, with stops and deleted files in between`() throws {
            var written = 0
            var random = SeededGenerator(seed: 5)
            try append(0..<1)
            written = 1
            try bench.start()
            for round in 0..<12 {
                let count = 1 + random.below(30)
                try append(written..<written + count)
                written += count
                if random.oneIn(2) { bench.readAll() }
                try journal.rotate()
                if random.oneIn(3) { try bench.restart() }
                try append(written..<written + 5)
                written += 5
                if round % 3 == 2 {
                    bench.readAll()
                    // All that is archived has been read.
                    for path in journal.archived.dropLast(random.below(2)) where Directory.status(path) != nil {
                        try journal.delete(path)
                    }
                    bench.wake()
                }
            }
            bench.readAll()
            try bench.restart()
            bench.readAll()
            #expect(bench.numbers == Array(0..<written))
            #expect(bench.counts[.vanishedEntries] == 0)
            #expect(bench.kit.count("journal_gaps") == 0 && bench.kit.count("journal_missing_entries") == 0)
        }

        @Test func `two folders are one journal, and what is in both is read once`() throws {
            let (a, b) = (MadeJournal(in: scratch.path("a")), MadeJournal(in: scratch.path("b")))
            try a.append((0..<10).map { MadeEntry($0) })
            try b.append((5..<15).map { MadeEntry($0) })
            let bench = try TailerBench(scratch.path("a"), scratch.path("b")) { $0.links = scratch.path("links") }
            try bench.start()
            bench.readAll()
            #expect(bench.numbers == Array(0..<15))
            for number in 15..<25 {
                try (number % 2 == 0 ? a : b).append([MadeEntry(number)])
                if number % 3 == 0 { try bench.restart() }
                bench.readAll()
            }
            #expect(bench.numbers == Array(0..<25))
            #expect(bench.kit.count("journal_gaps") == 0 && bench.counts[.vanishedEntries] == 0)
        }

        @Test func `an entry that journald copied into another journal is the same entry`() throws {
            try append(0..<10)
            try bench.start()
            bench.readAll()
            bench.stop()
            try journal.delete(journal.active)
            // Other numbers, and two entries of the same moment.
            try journal.append((3..<10).map { MadeEntry($0) } + [MadeEntry(10, time: 9000), MadeEntry(11)])
            try bench.start()
            bench.readAll()
            #expect(bench.numbers == Array(0..<12))
            #expect(bench.kit.count("journal_gaps") == 0 && bench.counts[.vanishedEntries] == 0)
        }

        @Test(arguments: [false, true]) func `of a large journal nothing is lost where it is let go of`(
            once: Bool
        ) throws {
            let padding = MadeField("SYSLOG_IDENTIFIER", String(repeating: "x", count: 120_000))
            try append(0..<320, more: [padding])
            bench.options.once = once
            try bench.start()
            bench.readAll()
            #expect(bench.numbers == Array(0..<320))
            #expect(bench.counts[.readBytes] > 32 << 20)
            #expect(bench.kit.count("journal_opened") == 1)
            #expect(bench.kit.count("journal_gaps") == 0 && bench.counts[.vanishedEntries] == 0)
        }

        // MARK: Pace

        @Test func `sparing: what lies far back waits, what is new is read`() throws {
            try append(0..<5000)
            try bench.start()
            // Where the start is comes with its own batch.
            #expect(bench.read(sparing: true))
            #expect(!bench.read(sparing: true) && bench.hasReady && bench.lines.isEmpty)
            bench.read()
            let first = bench.lines.count
            #expect(first > 0 && first < 5000)
            #expect(!bench.read(sparing: true) && bench.lines.count == first)
            bench.readAll()
            #expect(bench.lines.count == 5000)
            try append(5000..<5010)
            bench.readAll(sparing: true)
            #expect(bench.numbers == Array(0..<5010))
        }

        @Test func `once: to the present end and no further`() throws {
            try append(0..<5000)
            bench.options.once = true
            try bench.start()
            bench.readAll()
            #expect(bench.numbers == Array(0..<5000))
            #expect(!bench.hasReady && bench.nextDeadline == .max)
            try append(5000..<5001)
            bench.skip(seconds: 60)
            bench.readAll()
            #expect(bench.lines.count == 5000 && !bench.hasReady)
            try bench.restart()
            bench.readAll()
            #expect(bench.numbers == Array(0..<5001))
        }

        @Test func `once, and nothing there: that is said, and nothing is waited for`() throws {
            bench.options.once = true
            #expect(try bench.start() != nil)
            #expect(!bench.hasReady && bench.nextDeadline == .max)
        }

        // MARK: What entries tell

        @Test func `what journald threw away is counted, by its own account`() throws {
            func driver(_ number: Int, _ message: String, _ id: String, _ more: [MadeField] = []) -> MadeEntry {
                MadeEntry(
                    number, message, more: [MadeField("_TRANSPORT", "driver"), MadeField("MESSAGE_ID", id)] + more)
            }
            let (dropped, missed) = ("a596d6fe7bfa4994828e72309e95d61e", "e9bf28e6e834481bb6f48f548ad13606")
            let unit = MadeField("OBJECT_SYSTEMD_UNIT", "loud.service")
            var forged = driver(9, "Suppressed 99 messages", dropped, [MadeField("N_DROPPED", "99")])
            forged.fields.removeAll { $0.name == "_TRANSPORT" }
            try journal.append([
                driver(1, "Suppressed 17 messages from loud.service", dropped, [unit, MadeField("N_DROPPED", "17")]),
                driver(2, "Missed 12 kernel messages", missed), driver(3, "Suppressed", dropped, [unit]), forged,
                driver(10, "Missed 5 kernel messages", "0123456789abcdef0123456789abcdef"),
            ])
            try bench.start()
            bench.readAll()
            #expect(bench.lines.count == 5)
            #expect(bench.counts[.suppressedEntries] == 17 + 12 + 1)
            #expect(bench.kit.count("journal_suppressed_messages") == 30)
            #expect(bench.kit.said("loud.service") && bench.kit.said("kernel"))
            try bench.restart()
            bench.readAll()
            #expect(bench.counts[.suppressedEntries] == 30)
        }

        @Test func `a clock that is set is told, a new boot too, and neither when journals of two machines are mixed`()
            throws
        {
            func entry(_ number: Int, boot: UInt64, ahead: Int64 = 0) -> MadeEntry {
                var entry = MadeEntry(number)
                entry.boot = JournalID(high: 1, low: boot)
                entry.realtime = UInt64(Int64(entry.realtime) + ahead)
                return entry
            }
            let hour: Int64 = 3_600_000_000
            try journal.append([entry(0, boot: 1), entry(1, boot: 1, ahead: 900_000), entry(2, boot: 1)])
            try bench.start()
            bench.readAll()
            #expect(bench.kit.count("journal_clock_changes") == 0)
            try journal.append([entry(3, boot: 1, ahead: hour), entry(4, boot: 1, ahead: hour), entry(5, boot: 1)])
            bench.readAll()
            #expect(bench.kit.count("journal_clock_changes") == 2)
            #expect(bench.kit.said("+3600") && bench.kit.said("-3600"))
            #expect(bench.kit.count("journal_boots") == 0)
            try journal.append([entry(6, boot: 2, ahead: hour), entry(7, boot: 2, ahead: hour)])
            bench.readAll()
            #expect(bench.kit.count("journal_boots") == 1 && bench.kit.count("journal_clock_changes") == 2)
            try journal.append((8..<20).map { entry($0, boot: UInt64(1 + $0 % 2), ahead: $0 % 2 == 1 ? hour : 0) })
            bench.readAll()
            #expect(bench.kit.count("journal_boots") == 1 && bench.kit.count("journal_clock_changes") == 2)
            #expect(bench.numbers == Array(0..<20))
        }
    }
#endif
