// Damaged journals, and such as are not for our eyes.
#if Journald
    import CLinux
    import Disk
    import Journal
    import NodeJournal
    import Records
    import TestKit
    import Testing

    @Suite struct `Journals that cannot be read` {
        let scratch: ScratchDirectory
        let journal: MadeJournal
        let bench: TailerBench

        init() throws {
            scratch = try ScratchDirectory()
            journal = MadeJournal(in: scratch.path)
            bench = try TailerBench(scratch.path)
        }

        private func append(_ numbers: Range<Int>) throws { try journal.append(numbers.map { MadeEntry($0) }) }

        @Test func `a file that is cut short: it is named, what is lost is counted, the next file is read`() throws {
            try append(0..<20_000)
            let path = try journal.rotate()
            try append(20_000..<20_010)
            try bench.start()
            while bench.lines.count < 4096 { bench.read() }
            bench.stop()
            try LocalFileSystem().truncate(try LocalFileSystem().open(path, .update), to: 4_000_000)
            try bench.start()
            bench.readAll()
            #expect(bench.kit.count("journal_unreadable_files") == 1 && bench.kit.said(path))
            #expect(bench.numbers.suffix(10) == Array(20_000..<20_010))
            #expect(bench.lines.count < 20_010)
            #expect(UInt64(bench.lines.count) + bench.counts[.vanishedEntries] == 20_010)
            try bench.restart()
            bench.readAll()
            #expect(UInt64(bench.lines.count) + bench.counts[.vanishedEntries] == 20_010)
        }

        @Test func `a file that is cut short while it is read does not end the process`() throws {
            try append(0..<20_000)
            let path = try journal.rotate()
            try append(20_000..<20_010)
            try bench.start()
            while bench.lines.count < 4096 { bench.read() }
            try LocalFileSystem().truncate(try LocalFileSystem().open(path, .update), to: 2_500_000)
            bench.readAll()
            bench.skip(seconds: 10)
            bench.readAll()
            #expect(bench.numbers.suffix(10) == Array(20_000..<20_010))
            #expect(bench.kit.said(path) && bench.kit.count("journal_page_faults") > 0)
            // Entries of which a page was not there are kept as far as they could be read.
            let read = UInt64(Set(bench.numbers).count) + bench.counts[.damagedEntries]
            #expect(read + bench.counts[.vanishedEntries] >= 20_010)
        }

        @Test func `bytes overwritten anywhere: the rest is read once and in order, what is lost is counted`() throws {
            var missing: UInt64 = 0
            for seed in 0..<12 {
                var random = SeededGenerator(seed: UInt64(seed))
                let scratch = try ScratchDirectory()
                let journal = MadeJournal(in: scratch.path)
                let padding = MadeField("SYSLOG_IDENTIFIER", String(repeating: "x", count: 600))
                try journal.append((0..<1000).map { MadeEntry($0, more: [padding, MadeField("_PID", "\($0)")]) })
                let path = try journal.rotate()
                try journal.append((1000..<1010).map { MadeEntry($0) })
                let bench = try TailerBench(scratch.path)
                try bench.start()
                while bench.lines.isEmpty { bench.read() }
                bench.stop()
                // The hash tables' offsets and sizes, at 104 and 120; tail_object_offset, at 136: between them is all that was written.
                let bytes = try OwnedFile.open(path, .read).read(count: 208, at: 0)
                func number(_ offset: Int) -> Int {
                    bytes[offset..<offset + 8].reversed().reduce(0) { $0 << 8 | Int($1) }
                }
                let start = max(number(104) + number(112), number(120) + number(128))
                for _ in 0..<1 + random.below(3) {
                    let place = start + random.below(number(136) - start)
                    let noise =
                        random.oneIn(2) ? random.bytes(1 + random.below(5000)) : [UInt8](repeating: 0, count: 4096)
                    try journal.patch(path, at: UInt64(place), noise)
                }
                try bench.start()
                // A journal that cannot be read on is opened again, but not for ever.
                for _ in 0..<20 where bench.numbers.last != 1009 {
                    bench.readAll()
                    bench.skip(seconds: 10)
                }
                // Of an entry whose message is damaged libsystemd gives the other fields, and says nothing.
                let numbers = bench.numbers.filter { $0 >= 0 }
                #expect(numbers.suffix(10) == Array(1000..<1010), "seed \(seed)")
                #expect(zip(numbers, numbers.dropFirst()).allSatisfy { $0 < $1 }, "seed \(seed)")
                #expect(UInt64(bench.lines.count) + bench.counts[.vanishedEntries] == 1010, "seed \(seed)")
                missing += bench.counts[.vanishedEntries]
            }
            #expect(missing > 100)
        }

        @Test func `a damaged file that is the only one: what comes before the damage is read, and reading ends`()
            throws
        {
            try journal.append((0..<300).map { MadeEntry($0, more: [MadeField("_PID", "\($0)")]) })
            let size = Int(try OwnedFile.open(journal.active, .read).status().size)
            let whole = try OwnedFile.open(journal.active, .read).read(count: size, at: 0)
            let end = (whole.lastIndex { $0 != 0 } ?? 0) + 1
            var cut = 0
            // Most flipped bits libsystemd can pass over; here it must have met some that it cannot.
            for seed in 0..<3000 where cut < 1 {
                var random = SeededGenerator(seed: UInt64(seed))
                for _ in 0..<20 {
                    let place = 272 + random.below(end - 272)
                    try journal.patch(journal.active, at: UInt64(place), [whole[place] ^ (1 << UInt8(random.below(8)))])
                }
                let bench = try TailerBench(scratch.path) { $0.once = true }
                if try bench.start() == nil {
                    bench.readAll()
                    #expect(bench.nextDeadline == .max, "seed \(seed): with once there is an end")
                    if bench.kit.count("journal_damaged_files") > 0 {
                        cut += 1
                        let shown = (try? Systemd.read("--directory=\(scratch.path)").count) ?? 0
                        #expect(bench.lines.count >= shown, "seed \(seed): as much as journalctl shows")
                    }
                }
                try journal.patch(journal.active, at: 0, Array(whole[..<end]))
            }
            #expect(cut > 0, "the damage is met")
        }

        // MARK: Permissions

        @Test(.enabled(if: sluice_file_user(0) == 0, "only root can look with another user's eyes"))
        func `a file that is not for our eyes is named; its entries are not taken for lost`() throws {
            try append(0..<5)
            try Systemd.run("chmod 755 \(scratch.path) \(journal.folder) && chmod 644 \(journal.active)")
            try asNobody {
                try bench.start()
                bench.readAll()
            }
            // The next three are in a file of their own.
            let user = "\(journal.folder)/user-1000.journal"
            try Systemd.run("cp \(journal.active) \(user)")
            try Systemd.write((5..<8).map { MadeEntry($0) }, to: user)
            try Systemd.run("chmod 600 \(user)")
            try journal.leaveOut(3)
            try append(8..<10)
            asNobody {
                bench.readAll()
                bench.skip(seconds: 10)
                bench.readAll()
            }
            #expect(bench.numbers == Array(0..<5) + [8, 9])
            #expect(bench.counts[.vanishedEntries] == 0 && bench.kit.count("journal_missing_entries") == 0)
            #expect(bench.kit.count("journal_unreadable_files") == 1 && bench.kit.said("permission denied"))

            try Systemd.run("chmod 600 \(journal.active)")
            let other = try TailerBench(scratch.path)
            let reason = try asNobody { try other.start() }
            #expect(reason?.contains("permission denied: it belongs to user 0") == true)
            // It is tried again, and goes as soon as it may.
            try Systemd.run("chmod 644 \(journal.active) \(user)")
            asNobody {
                other.skip(seconds: 10)
                other.readAll()
            }
            #expect(other.numbers == Array(0..<10))
        }

        /// Looks at files as the user 65534 does; setfsuid(2), which is of the calling thread.
        private func asNobody<R>(_ body: () throws -> R) rethrows -> R {
            let before = sluice_file_user(65534)
            defer { _ = sluice_file_user(UInt32(before)) }
            return try body()
        }
    }
#endif
