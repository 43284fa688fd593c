// Following a journal that others write, rotate, delete and damage.
#if Journald
    import Disk
    import Journal
    import TestKit
    import Testing

    @Suite struct `Following a journal` {
        let scratch: ScratchDirectory
        let folder: String

        init() throws {
            scratch = try ScratchDirectory()
            folder = scratch.path("\(MadeEntry.machine)")
            try LocalFileSystem().makeFolder(folder)
        }

        private var active: String { "\(folder)/system.journal" }

        private func expectWake(_ poller: borrowing Poller) {
            let isReadable = poller.wait(nanoseconds: 10_000_000_000)
            #expect(isReadable)
        }

        private func expectQuiet(_ poller: borrowing Poller) {
            let isReadable = poller.wait(nanoseconds: 0)
            #expect(!isReadable)
        }

        /// Waits until the reader has something to say, and returns what is new.
        private func wait(_ reader: inout JournalReader, _ poller: borrowing Poller, for count: Int) throws -> [String]
        {
            var messages: [String] = []
            let end = SystemClock.monotonic + 10_000_000_000
            while messages.count < count, SystemClock.monotonic < end {
                if poller.wait(nanoseconds: 1_000_000_000) { _ = try reader.process() }
                messages += try reader.messages()
            }
            return messages
        }

        @Test func `the descriptor wakes when another process appends, in old files and in new ones`() throws {
            try Systemd.write([MadeEntry(0)], to: active)
            var reader = try JournalReader(.folders([scratch.path]))
            var poller = try Poller(bell: Bell())
            try poller.add(try reader.descriptor())
            #expect(try reader.deadline() == nil)
            #expect(try reader.messages() == ["entry 0"])
            expectQuiet(poller)
            #expect(try reader.process() == .nothing)

            try Systemd.write([MadeEntry(1), MadeEntry(2)], to: active)
            expectWake(poller)
            #expect(try reader.process() == .append)
            #expect(try reader.messages() == ["entry 1", "entry 2"])
            expectQuiet(poller)

            // Another file, then another machine.
            try Systemd.write([MadeEntry(3)], to: "\(folder)/user-1000.journal")
            #expect(try wait(&reader, poller, for: 1) == ["entry 3"])
            try Systemd.write([MadeEntry(4)], to: scratch.path("00000000000000000000000000000009/system.journal"))
            #expect(try wait(&reader, poller, for: 1) == ["entry 4"])
        }

        @Test func `a process that goes on writing is followed`() throws {
            try Systemd.write([MadeEntry(0)], to: active)
            var reader = try JournalReader(.folders([scratch.path]))
            var poller = try Poller(bell: Bell())
            try poller.add(try reader.descriptor())
            try reader.skipToEnd()
            let entries = (1...200).map { MadeEntry($0) }
            try scratch.write("export", ExportFormat.bytes(entries))
            // Line by line, slowly: the writer takes each entry as it comes.
            let script =
                "awk '{ print; if ($0 == \"\") { fflush(); system(\"sleep 0.005\") } }' \(scratch.path("export"))"
                + " | /lib/systemd/systemd-journal-remote --output=\(active) - 2> /dev/null"
            let writer = try ChildProcess(["sh", "-c", script])
            let messages = try wait(&reader, poller, for: 200)
            #expect(messages == entries.map(\.message))
            #expect(writer.finish().status == 0)
        }

        @Test func `rotation loses nothing and repeats nothing`() throws {
            try Systemd.write((0..<10).map { MadeEntry($0) }, to: active)
            var reader = try JournalReader(.folders([scratch.path]))
            var poller = try Poller(bell: Bell())
            try poller.add(try reader.descriptor())
            var messages: [String] = []
            for _ in 0..<5 where try reader.next() { messages.append(try reader.message()) }
            for round in 1...5 {
                // In the middle of a file, as journald does it: rename, then a new file.
                try LocalFileSystem().rename(active, to: "\(folder)/system@\(round).journal")
                try Systemd.write((0..<10).map { MadeEntry(round * 10 + $0) }, to: active)
                if round % 2 == 0 { _ = try reader.process() }
                for _ in 0..<10 where try reader.next() { messages.append(try reader.message()) }
            }
            messages += try wait(&reader, poller, for: 60 - messages.count)
            #expect(messages == (0..<60).map { "entry \($0)" })
            #expect(try reader.process() == .nothing)
        }

        @Test func `files in the folder itself are rotated as well`() throws {
            let flat = scratch.path("system.journal")
            try Systemd.write([MadeEntry(0), MadeEntry(1)], to: flat)
            var reader = try JournalReader(.folders([scratch.path]))
            var poller = try Poller(bell: Bell())
            try poller.add(try reader.descriptor())
            #expect(try reader.next())
            try LocalFileSystem().rename(flat, to: scratch.path("system@1.journal"))
            try Systemd.write([MadeEntry(2)], to: flat)
            #expect(try wait(&reader, poller, for: 2) == ["entry 1", "entry 2"])
        }

        @Test func `a deleted file's unread entries are gone; the reader goes on`() throws {
            try Systemd.write((0..<5).map { MadeEntry($0) }, to: "\(folder)/system@1.journal")
            try Systemd.write((5..<10).map { MadeEntry($0) }, to: active)
            var reader = try JournalReader(.folders([scratch.path]))
            _ = try reader.descriptor()
            #expect(try reader.next())
            #expect(try reader.next())
            let cursor = try reader.cursor()
            try LocalFileSystem().remove("\(folder)/system@1.journal")
            // Until it is told, it reads on in the deleted file.
            #expect(try reader.next())
            #expect(try reader.message() == "entry 2")
            #expect(try reader.process() == .invalidate)
            #expect(throws: JournalError.noEntry) { try reader.cursor() }
            #expect(try !reader.isAt(cursor))
            #expect(try reader.messages() == (5..<10).map { "entry \($0)" })
            #expect(try reader.resume(after: cursor) == .gone)
            #expect(try reader.next())
            #expect(try reader.message() == "entry 5")
        }

        @Test func `two folders joined by links are followed, new machines included`() throws {
            let other = scratch.path("other")
            try LocalFileSystem().makeFolder(other)
            try Systemd.write([MadeEntry(0)], to: active)
            let main = scratch.path("main")
            try LocalFileSystem().makeFolder(main)
            var reader = try JournalReader(.folders([folder, other]), links: scratch.path("links"))
            var poller = try Poller(bell: Bell())
            try poller.add(try reader.descriptor())
            #expect(try reader.messages() == ["entry 0"])
            try Systemd.write([MadeEntry(1)], to: active)
            #expect(try wait(&reader, poller, for: 1) == ["entry 1"])
            try Systemd.write([MadeEntry(2)], to: "\(other)/\(MadeEntry.machine)/system.journal")
            #expect(try wait(&reader, poller, for: 1) == ["entry 2"])
            try LocalFileSystem().rename(active, to: "\(folder)/system@1.journal")
            try Systemd.write([MadeEntry(3)], to: active)
            #expect(try wait(&reader, poller, for: 1) == ["entry 3"])
        }

        @Test func `waiting begins where nothing is yet`() throws {
            var reader = try JournalReader(.folders([scratch.path]))
            var poller = try Poller(bell: Bell())
            try poller.add(try reader.descriptor())
            try reader.skipToEnd()
            #expect(try !reader.next())
            try Systemd.write([MadeEntry(0), MadeEntry(1)], to: active)
            #expect(try wait(&reader, poller, for: 2) == ["entry 0", "entry 1"])
        }

        @Test func `named files are followed too, without others beside them`() throws {
            try Systemd.write([MadeEntry(0)], to: active)
            var reader = try JournalReader(.files([active]))
            var poller = try Poller(bell: Bell())
            try poller.add(try reader.descriptor())
            #expect(try reader.messages() == ["entry 0"])
            try Systemd.write([MadeEntry(1)], to: "\(folder)/other.journal")
            try Systemd.write([MadeEntry(2)], to: active)
            #expect(try wait(&reader, poller, for: 1) == ["entry 2"])
        }

        @Test func `a file that is cut short under the reader does not end the process`() throws {
            try Systemd.write((0..<20_000).map { MadeEntry($0) }, to: "\(folder)/system@1.journal")
            try Systemd.write([MadeEntry(50_000)], to: active)
            var reader = try JournalReader(.folders([scratch.path]))
            for _ in 0..<100 { #expect(try reader.next()) }
            let file = try LocalFileSystem().open("\(folder)/system@1.journal", .update)
            try LocalFileSystem().truncate(file, to: 500_000)
            var messages: [String] = []
            while try reader.next() {
                _ = try? reader.forEachField { _, _ in }
                messages.append(try reader.message())
            }
            #expect(reader.faults > 0)
            #expect(messages.count < 20_000)
            // The other file is read all the same.
            #expect(messages.last == "entry 50000")
            let findings = JournalSurvey(.folders([scratch.path])).findings
            #expect(findings.map(\.path) == ["\(folder)/system@1.journal"])
        }
    }
#endif
