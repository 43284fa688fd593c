// What is lost before it could be read: found by the entries' numbers, counted once.
#if Journald
    import Bytes
    import Disk
    import Journal
    import NodeJournal
    import Records
    import TestKit
    import Testing

    @Suite struct `Losses of a journal` {
        let scratch: ScratchDirectory
        let journal: MadeJournal
        let bench: TailerBench

        init() throws {
            scratch = try ScratchDirectory()
            journal = MadeJournal(in: scratch.path)
            bench = try TailerBench(scratch.path)
        }

        private func append(_ numbers: Range<Int>) throws { try journal.append(numbers.map { MadeEntry($0) }) }

        private func expect(
            lost: UInt64, gaps: UInt64 = 0, missing: UInt64 = 0, sourceLocation place: SourceLocation = #_sourceLocation
        ) {
            #expect(bench.counts[.vanishedEntries] == lost, "vanished", sourceLocation: place)
            #expect(bench.kit.count("journal_gaps") == gaps, "gaps", sourceLocation: place)
            #expect(bench.kit.count("journal_missing_entries") == missing, "missing", sourceLocation: place)
        }

        /// Starts three times: what was told before is not told again.
        private func restartThrice() throws {
            for _ in 0..<3 {
                try bench.restart()
                bench.readAll()
            }
        }

        // MARK: Deleted

        @Test func `files that were deleted unread are a gap of exactly their entries`() throws {
            try append(0..<10)
            try bench.start()
            bench.readAll()
            bench.stop()
            let read = try journal.rotate()
            try append(10..<27)
            let unread = try journal.rotate()
            try append(27..<30)
            try journal.delete(read)
            try journal.delete(unread)
            try restartThrice()
            #expect(bench.numbers == Array(0..<10) + Array(27..<30))
            expect(lost: 17, gaps: 1)
            #expect(bench.kit.said("17, of all units"))
        }

        @Test func `files that were deleted after they were read are no loss`() throws {
            try append(0..<10)
            try bench.start()
            bench.readAll()
            bench.stop()
            try journal.delete(try journal.rotate())
            try append(10..<20)
            try restartThrice()
            #expect(bench.numbers == Array(0..<20))
            expect(lost: 0)
        }

        @Test func `a gap whose batch was not kept is counted with the one that is`() throws {
            try append(0..<10)
            try bench.start()
            bench.readAll()
            bench.stop()
            try journal.delete(try journal.rotate())
            try journal.leaveOut(4)
            try append(10..<12)
            try bench.start()
            bench.read(keeps: false)
            #expect(bench.counts[.vanishedEntries] == 0)
            try restartThrice()
            #expect(bench.numbers == Array(0..<12))
            // The telemetry of a process that dies is forgotten with it; here it is one, and is told of both looks.
            expect(lost: 4, gaps: 2)
        }

        @Test func `a journal of another journald: nobody knows how much lies between`() throws {
            try append(0..<10)
            try bench.start()
            bench.readAll()
            bench.stop()
            try journal.delete(journal.active)
            try append(20..<25)
            try restartThrice()
            #expect(bench.numbers == Array(0..<10) + Array(20..<25))
            expect(lost: 0, gaps: 1)
            #expect(bench.kit.said("nobody knows how many"))
        }

        @Test func `everything deleted while reading: what comes later is read`() throws {
            try append(0..<10)
            try bench.start()
            bench.readAll()
            try journal.delete(journal.active)
            bench.wake()
            bench.readAll()
            bench.skip(seconds: 10)
            bench.readAll()
            try append(10..<15)
            bench.wait(for: 15)
            #expect(bench.numbers == Array(0..<15))
        }

        @Test func `a file deleted while it is read: what is lost of it is counted`() throws {
            try append(0..<5000)
            let path = try journal.rotate()
            try append(5000..<5010)
            try bench.start()
            while bench.lines.isEmpty { bench.read() }
            try journal.delete(path)
            #expect(bench.isTold())
            bench.readAll()
            let read = bench.lines.count
            #expect(read < 5000 && bench.numbers == Array(0..<read - 10) + Array(5000..<5010))
            expect(lost: UInt64(5010 - read), gaps: 1)
            try restartThrice()
            #expect(bench.lines.count == read)
            expect(lost: UInt64(5010 - read), gaps: 1)
        }

        // MARK: The clock set back

        private func entry(_ number: Int, boot: UInt64, back: UInt64 = 0) -> MadeEntry {
            var entry = MadeEntry(number)
            entry.boot = JournalID(high: 1, low: boot)
            entry.realtime -= back
            entry.monotonic = UInt64(number) * 1000
            return entry
        }

        @Test func `everything deleted and the clock set back: the later boot is read`() throws {
            try journal.append((0..<10).map { entry($0, boot: 1) })
            try bench.start()
            bench.readAll()
            bench.stop()
            try journal.delete(journal.active)
            try journal.append((10..<20).map { entry($0, boot: 2, back: 86_400_000_000) })
            try restartThrice()
            #expect(bench.numbers == Array(0..<20))
            #expect(bench.kit.count("journal_replaced") == 1)
        }

        @Test func `the clock set back, the files still there: nothing is lost or repeated`() throws {
            try journal.append((0..<10).map { entry($0, boot: 1) })
            try bench.start()
            bench.readAll()
            bench.stop()
            try journal.rotate()
            try journal.append((10..<20).map { entry($0, boot: 2, back: 86_400_000_000) })
            try restartThrice()
            #expect(bench.numbers == Array(0..<20))
            // Once more, while it is read.
            try journal.rotate()
            try journal.append((20..<30).map { entry($0, boot: 2, back: 2 * 86_400_000_000) })
            bench.wait(for: 30)
            #expect(bench.numbers == Array(0..<30))
            expect(lost: 0)
        }

        @Test func `nothing later, and the same boot: it is waited for`() throws {
            try journal.append((0..<10).map { entry($0, boot: 1) })
            try bench.start()
            bench.readAll()
            bench.stop()
            try journal.delete(journal.active)
            try journal.append((0..<5).map { entry($0, boot: 1) })
            try bench.start()
            bench.readAll()
            #expect(bench.numbers == Array(0..<10))
            try journal.append((10..<12).map { entry($0, boot: 1) })
            bench.readAll()
            #expect(bench.numbers == Array(0..<12))
        }

        // MARK: Holes

        @Test func `a file deleted between two that are there is a hole, looked at twice and counted once`() throws {
            try append(0..<10)
            try bench.start()
            bench.readAll()
            bench.stop()
            try journal.rotate()
            try append(10..<23)
            let hole = try journal.rotate()
            try append(23..<30)
            try journal.delete(hole)
            let header = String(
                decoding: try Systemd.run("journalctl --header --directory=\(scratch.path)"), as: UTF8.self)
            #expect(header.contains("Tail sequential number: 10 ") && header.contains("Head sequential number: 24 "))
            try bench.start()
            #expect(!bench.read(), "what seems to be missing is looked for again")
            #expect(!bench.hasReady && bench.nextDeadline <= bench.now)
            bench.wake()
            #expect(bench.read())
            expect(lost: 13, missing: 13)
            try restartThrice()
            #expect(bench.numbers == Array(0..<10) + Array(23..<30))
            expect(lost: 13, missing: 13)
        }

        @Test func `entries that only seem to be missing are found at the second look`() throws {
            try append(0..<10)
            try bench.start()
            bench.readAll()
            // The file of a user is numbered with the system's. It is here already, but not where it is looked for.
            let user = "\(try scratch.folder("elsewhere"))/user-1000.journal"
            try Systemd.run("cp \(journal.active) \(user)")
            try Systemd.write((10..<13).map { MadeEntry($0) }, to: user)
            bench.wake()
            try journal.leaveOut(3)
            try append(13..<15)
            #expect(!bench.read())
            try LocalFileSystem().rename(user, to: "\(journal.folder)/user-1000.journal")
            bench.readAll()
            #expect(bench.numbers == Array(0..<15))
            expect(lost: 0)
        }

        @Test func `holes again and again: each is counted, not each is looked at twice`() throws {
            try append(0..<1)
            try bench.start()
            bench.readAll()
            var looks = 0
            for round in 1...5 {
                try journal.leaveOut(UInt64(round))
                try append(round..<round + 1)
                bench.wake()
                if !bench.read() {
                    looks += 1
                    bench.readAll()
                }
            }
            #expect(bench.numbers == Array(0...5))
            #expect(looks == 1)
            expect(lost: 15, missing: 15)
        }

        @Test func `once: behind a hole reading goes on, though the lane asks with the time of before`() throws {
            try append(0..<10)
            bench.options.once = true
            try bench.start()
            bench.readAll()
            bench.stop()
            try journal.leaveOut(5)
            try append(10..<20)
            try bench.start()
            // As the lane does at its end: it takes the time, reads, wakes the inputs, and ends if none is ready then.
            let time = bench.now
            bench.read()
            bench.wake(at: time)
            #expect(bench.hasReady)
            bench.readAll()
            #expect(bench.numbers == Array(0..<20))
            expect(lost: 5, missing: 5)
        }

        @Test func `a look that is taken twice tells what entries say once`() throws {
            try append(0..<1)
            try bench.start()
            bench.readAll()
            try journal.leaveOut(2)
            var later = MadeEntry(2)
            later.realtime += 60_000_000
            let dropped = MadeEntry(
                3,
                more: [
                    MadeField("_TRANSPORT", "driver"), MadeField("MESSAGE_ID", "a596d6fe7bfa4994828e72309e95d61e"),
                    MadeField("N_DROPPED", "7"),
                ])
            var last = dropped
            last.realtime += 60_000_000
            try journal.append([MadeEntry(1), later, last])
            bench.readAll()
            #expect(bench.lines.count == 4)
            expect(lost: 2, missing: 2)
            #expect(bench.counts[.suppressedEntries] == 7)
            #expect(bench.kit.count("journal_suppressed_messages") == 7)
            #expect(bench.kit.count("journal_clock_changes") == 1)
        }

        @Test func `numbers that cannot be are not believed`() throws {
            func driver(_ number: Int, _ id: String, _ message: String, _ dropped: String = "") -> MadeEntry {
                MadeEntry(
                    number, message,
                    more: [
                        MadeField("_TRANSPORT", "driver"), MadeField("MESSAGE_ID", id), MadeField("N_DROPPED", dropped),
                    ])
            }
            let missed = "e9bf28e6e834481bb6f48f548ad13606"
            let dropped = "a596d6fe7bfa4994828e72309e95d61e"
            try journal.append(
                (0..<3).map { driver($0, missed, "Missed 18446744073709551615 kernel messages") }
                    + (3..<30).map { driver($0, dropped, "Suppressed", "999999999999999999") })
            try bench.start()
            bench.readAll()
            #expect(bench.lines.count == 30)
            #expect(bench.counts[.suppressedEntries] == 30_000_000_000)
        }

        @Test func `what journald threw away is told whatever priority is asked for, of wanted units only`() throws {
            func dropped(_ number: Int, _ unit: String) -> MadeEntry {
                MadeEntry(
                    number,
                    more: [
                        MadeField("_TRANSPORT", "driver"), MadeField("N_DROPPED", "5"), MadeField("PRIORITY", "4"),
                        MadeField("MESSAGE_ID", "a596d6fe7bfa4994828e72309e95d61e"), MadeField("_UID", "0"),
                        MadeField("OBJECT_SYSTEMD_UNIT", unit),
                    ])
            }
            try journal.append([dropped(1, "kubelet.service"), dropped(2, "other.service")])
            bench.options.records.selection.units = [try Glob("kubelet.service")]
            bench.options.records.selection.priorities = 0...3
            try bench.start()
            bench.readAll()
            #expect(bench.lines.isEmpty && bench.counts[.suppressedEntries] == 5)
        }

        @Test func `a folder that takes another's place is read`() throws {
            try append(0..<3)
            try bench.start()
            bench.readAll()
            let folder = Path.parent(journal.folder)
            try LocalFileSystem().rename(folder, to: folder + ".old")
            try append(3..<5)
            bench.skip(seconds: 11)
            bench.readAll()
            bench.skip(seconds: 11)
            bench.readAll()
            #expect(bench.numbers == Array(0..<5))
        }

        @Test func `of files that are named one by one, holes tell nothing`() throws {
            try append(0..<10)
            bench.options.source = .files([journal.active])
            try bench.start()
            bench.readAll()
            // Numbers that the entries of a user's file have, which is not asked for.
            try journal.leaveOut(3)
            try append(10..<12)
            bench.readAll()
            #expect(bench.numbers == Array(0..<12))
            expect(lost: 0)
        }
    }
#endif
