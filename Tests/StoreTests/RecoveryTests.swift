// Opening a store: after a clean end, a torn write, damage, a power cut; who may open it, and under which numbers.
import Bytes
import Disk
import Records
import Store
import TestKit
import Testing

@Suite struct `Recovery` {
    let bench: StoreBench

    init() throws { bench = try StoreBench() }

    // MARK: Identity

    @Test func `a store keeps its id, and every start has the next epoch`() throws {
        var ids: Set<String> = []
        for epoch in 1...4 {
            let writer = try bench.open()
            ids.insert(writer.store.identity.name)
            #expect(writer.store.identity.epoch == UInt64(epoch))
            writer.close()
            #expect(try StoreIdentity.read(bench.folder).epoch == UInt64(epoch))
        }
        #expect(ids.count == 1 && ids.first?.utf8.count == 32)
    }

    @Test func `the epoch is durable before anything is written under it`() throws {
        try bench.fill(3)
        for cut in 1...60 {
            let before = try StoreIdentity.read(bench.folder).epoch
            bench.disk.restart()
            bench.disk.plan(.crash, afterCalls: cut)
            guard var writer = try? bench.open() else {
                try bench.disk.powerCut()
                continue
            }
            let source = writer.define(.test("x"))
            let outcome = writer.add(records: 1, of: source, upTo: 1)
            let epoch = writer.store.identity.epoch
            _ = consume writer
            try bench.disk.powerCut()
            let after = try StoreIdentity.read(bench.folder).epoch
            #expect(epoch == before + 1)
            #expect(after == epoch, "cut \(cut): a chunk was \(outcome) under an epoch that is forgotten")
        }
    }

    /// What may become of an identity.
    enum Damage: CaseIterable { case bothSlots, emptied, deleted }

    @Test(arguments: Damage.allCases)
    func `an identity that is lost beside segments is made again`(_ damage: Damage) throws {
        try bench.fill(3)
        var writer = try bench.open()
        let name = writer.store.identity.name
        var cursor = try StoreCursor(writer.store, output: "out", start: .history, mayGiveWay: false)
        try cursor.settle(next: 3) { $0.delivered += 2 }
        let source = writer.define(.test("web"))
        #expect(writer.add(records: 2, of: source, upTo: 2) == .stored)
        try cursor.beginSending([SendingRange(first: 3, last: 4, epoch: 7)])
        writer.close()
        switch damage {
        case .bothSlots:
            try bench.flip(bench.folder.identity, at: 30)
            try bench.flip(bench.folder.identity, at: 8192 + 30)
        case .emptied: try bench.scratch.write("data/identity", "")
        case .deleted: try LocalFileSystem().remove(bench.folder.identity)
        }
        let again = try bench.open()
        #expect(again.store.identity.name == name, "the cursors know which store it is")
        #expect(again.store.identity.epoch > 7 + 100, "no epoch is used twice")
        #expect(bench.log.count("store_identities_made_again") == 1)
        let found = try StoreCursor(again.store, output: "out", start: .end, mayGiveWay: false)
        #expect(found.state.next == 3 && found.state.account.delivered == 2)
        #expect(try again.store.readAll().records.count == 5)
        #expect(again.store.nextSequence == 6 && Ledger(again.store).closes)
        let epoch = again.store.identity.epoch
        again.close()
        let third = try bench.open()
        #expect(third.store.identity.epoch == epoch + 1 && third.store.identity.name == name)
        third.close()
    }

    @Test func `an identity that is lost with all cursors is a new one, above the segments' epochs`() throws {
        for _ in 1...3 { try bench.fill(1) }
        try LocalFileSystem().remove(bench.folder.identity)
        let writer = try bench.open()
        #expect(writer.store.identity.epoch > 100)
        let cursor = try StoreCursor(writer.store, output: "out", start: .history, mayGiveWay: false)
        #expect(cursor.state.next == 1)
        writer.close()
    }

    @Test(arguments: ["18446744073709551615", "99999999999999999999", "09223372036854775807"])
    func `a segment with a number that no record can have is set aside`(_ number: String) throws {
        try bench.fill(3)
        try bench.scratch.write("data/store/0/\(number).ndjson.gz", ScratchDirectory.contents(of: bench.newest))
        for _ in 0..<2 {
            let writer = try bench.open()
            #expect(try writer.store.readAll().records.count == 3)
            #expect(writer.store.nextSequence < 10)
            writer.close()
        }
        #expect(bench.log.count("store_strayed_segments") == 1)
        #expect(Directory.status("\(bench.folder.quarantine)/\(number).ndjson.gz") != nil)
    }

    @Test(arguments: [2, 1000, 1 << 40, 1 << 62] as [UInt64])
    func `a segment under another one's number is set aside`(_ number: UInt64) throws {
        try bench.fill(3)
        let wrong = bench.folder.segment(lane: 0, firstSequence: number)
        try bench.scratch.write("data/store/0/\(Path.name(wrong))", ScratchDirectory.contents(of: bench.newest))
        for n in 1...3 as ClosedRange<UInt64> {
            var writer = try bench.open()
            #expect(writer.store.nextSequence < 20)
            let source = writer.define(.test("web"))
            #expect(writer.add(records: 1, of: source, upTo: 1) == .stored)
            #expect(try writer.store.readAll().records.count == Int(3 + n))
            #expect(Ledger(writer.store).closes)
            writer.close()
        }
        #expect(bench.log.count("store_strayed_segments") == 1)
    }

    @Test func `the largest number is a number like others`() throws {
        let largest = bench.folder.segment(lane: 0, firstSequence: ChunkFormat.largestNumber)
        try bench.fill(3)
        try bench.scratch.write("data/store/0/\(Path.name(largest))", "no chunk")
        var writer = try bench.open()
        let source = writer.define(.test("web"))
        #expect(writer.add(records: 1, of: source, upTo: 1) == .stored)
        #expect(try writer.store.readAll().records.map(\.sequence) == [1, 2, 3, 4])
        writer.close()
    }

    @Test func `the open segment is written again when somebody deletes it`() throws {
        var limits = StoreBench.limits
        limits.syncInterval = 0
        var writer = try bench.open(limits)
        let source = writer.define(.test("web"))
        #expect(writer.add(records: 3, of: source, upTo: 3) == .stored)
        let path = bench.newest
        var reader = StoreReader(writer.store)
        var next: UInt64 = 1
        for n in 4...6 as ClosedRange<UInt64> {
            try LocalFileSystem().remove(path)
            #expect(throws: DiskError.self, "it is waited for, and not taken for lost") {
                try writer.store.readAll()
            }
            writer.housekeep()
            #expect(writer.add(records: 1, of: source, upTo: n) == .stored)
            let seen = try writer.store.readAll()
            #expect(seen.records.map(\.sequence) == Array(1...n) && seen.gaps == [])
            // One that had the file open goes on as well.
            while case .chunk(let chunk) = try reader.next(from: next) {
                next = chunk.header.endSequence
                reader.pass()
            }
            #expect(next == n + 1)
        }
        #expect(bench.log.count("store_segments_made_again") == 3)
        writer.close()
        let again = try bench.open()
        #expect(try again.store.readAll().records.count == 6)
        #expect(again.knownSources(input: "logs").map(\.position.count) == [6])
        again.close()
    }

    @Test func `what is not in its place any more is noticed`() throws {
        var writer = try bench.open()
        let source = writer.define(.test("web"))
        #expect(writer.add(records: 1, of: source, upTo: 1) == .stored)
        #expect(writer.store.displaced == nil)
        for folder in [bench.folder.segments(lane: 0), bench.folder.cursors(lane: 0)] {
            try LocalFileSystem().rename(folder, to: bench.scratch.path("moved"))
            #expect(writer.store.displaced == folder)
            try LocalFileSystem().rename(bench.scratch.path("moved"), to: folder)
            #expect(writer.store.displaced == nil)
        }
        try LocalFileSystem().rename(bench.path, to: bench.scratch.path("away"))
        #expect(writer.store.displaced == bench.path)
        try LocalFileSystem().makeFolder(bench.path)
        #expect(writer.store.displaced == bench.path, "another folder in its place")
        writer.close()
    }

    @Test func `a start that was cut short before the first segment leaves nothing that stops the next one`() throws {
        try bench.scratch.write("data/identity", "")
        let writer = try bench.open()
        #expect(writer.store.identity.epoch == 1)
        writer.close()
    }

    @Test func `a newer version's identity is refused`() throws {
        let disk = LocalFileSystem()
        try disk.makeFolder(bench.path)
        _ = try Slots(
            creating: bench.folder.identity, [2] + [UInt8](repeating: 0, count: 40), fileSystem: disk)
        #expect(throws: StoreError.self) { try bench.open().close() }
    }

    // MARK: The lock

    @Test func `a second agent is refused and told the first one's pid`() throws {
        let writer = try bench.open()
        do {
            try bench.open().close()
            Issue.record("two agents have one store")
        } catch {
            #expect("\(error)".contains("in use by process \(Machine.processID)"))
        }
        writer.close()
        try bench.open().close()
    }

    @Test func `the lock holds against another process, and dies with it`() throws {
        try LocalFileSystem().makeFolder(bench.path)
        let child = try ChildProcess([
            "flock", bench.path + "/lock", "sh", "-c", "echo $PPID > \(bench.path)/lock; echo held; read end",
        ])
        #expect(child.line() == "held")
        do {
            try bench.open().close()
            Issue.record("two agents have one store")
        } catch {
            #expect("\(error)".contains("in use by process \(child.id)"))
        }
        _ = child.finish()
        try bench.open().close()
    }

    // MARK: Ends of writes

    @Test func `a torn end is cut off at every length, and its records are read again`() throws {
        var writer = try bench.open()
        let source = writer.define(.test("web"))
        #expect(writer.add(records: 3, of: source, upTo: 3) == .stored)
        let whole = Int(writer.store.segments.last?.size ?? 0)
        #expect(writer.add(records: 2, of: source, upTo: 5) == .stored)
        writer.close()
        let path = bench.newest
        let bytes = try ScratchDirectory.contents(of: path)
        for size in stride(from: whole + 1, to: bytes.count, by: 7) {
            bench.scratch.empty()
            try bench.scratch.write("data/store/0/\(Path.name(path))", Array(bytes[0..<size]))
            let again = try bench.open()
            #expect(again.knownSources(input: "logs").map(\.position.count) == [3])
            #expect(try again.store.readAll().records.map(\.sequence) == [1, 2, 3])
            #expect(again.store.nextSequence == 4)
            again.close()
            #expect(Directory.status(path)?.size == UInt64(whole))
        }
        #expect(bench.log.count("store_torn_ends") > 10)
        #expect(bench.log.said("read again from its sources"))
    }

    @Test func `a segment whose snapshot was cut short is removed`() throws {
        try bench.fill(2)
        let name = "00000000000000000009.ndjson.gz"
        let snapshot = try ScratchDirectory.contents(of: bench.newest)
        for size in [0, 1, 20, 90] {
            try bench.scratch.write("data/store/0/\(name)", Array(snapshot[0..<size]))
            let writer = try bench.open()
            #expect(try writer.store.readAll().records.map(\.sequence) == [1, 2])
            #expect(!writer.store.segments.contains { $0.path.hasSuffix(name) })
            writer.close()
        }
        #expect(bench.log.count("store_unborn_segments") == 4)
    }

    @Test func `a chunk that was never known to be durable and is damaged is cut with all behind it`() throws {
        var limits = StoreBench.limits
        limits.syncInterval = .max
        var writer = try bench.open(limits)
        let source = writer.define(.test("web"))
        for n in 1...5 { #expect(writer.add(records: 1, of: source, upTo: UInt64(n)) == .stored) }
        writer.close()
        let chunks = try SegmentIndex.rebuild(segment: bench.newest).chunks
        try bench.flip(bench.newest, at: Int(chunks[3].offset) + Int(chunks[3].memberSize) - 6)
        let again = try bench.open()
        #expect(again.knownSources(input: "logs").map(\.position.count) == [2])
        #expect(again.store.nextSequence == 3)
        #expect(Ledger(again.store).stored == 2)
        again.close()
    }

    /// A store with five chunks of one record, each known to be durable by the next.
    private func fiveDurable() throws -> [SegmentIndex.Entry] {
        var limits = StoreBench.limits
        limits.syncInterval = 0
        var writer = try bench.open(limits)
        let source = writer.define(.test("web"))
        for n in 1...5 {
            #expect(writer.add(records: 1, of: source, upTo: UInt64(n)) == .stored)
            writer.awaitSync()
        }
        writer.close()
        return try SegmentIndex.rebuild(segment: bench.newest).chunks
    }

    @Test(arguments: [40, -6])
    func `a damaged chunk that was durable is quarantined, and what lies behind it is kept`(at place: Int) throws {
        let chunks = try fiveDurable()
        let path = bench.newest
        let victim = chunks[2]
        let offset = Int(victim.offset) + (place > 0 ? place : Int(victim.memberSize) + place)
        try bench.flip(path, at: offset)
        let size = Directory.status(path)?.size
        let writer = try bench.open()
        #expect(Directory.status(path)?.size == size, "nothing is cut")
        #expect(writer.knownSources(input: "logs").map(\.position.count) == [5])
        let seen = try writer.store.readAll()
        #expect(seen.records.map(\.sequence) == [1, 3, 4, 5])
        #expect(seen.gaps.map(\.text) == ["2..<3 1 damaged"])
        writer.close()
        let copy = "\(bench.folder.quarantine)/\(Path.name(path)).\(victim.offset)"
        let bytes = try ScratchDirectory.contents(of: path)[
            Int(victim.offset)..<(Int(victim.offset) + Int(victim.memberSize))]
        #expect(try ScratchDirectory.contents(of: copy) == Array(bytes))
        #expect(bench.log.count("store_quarantined") == 1)
    }

    @Test(arguments: [40, -6])
    func `the ledger closes for outputs that had a damaged record and for those that had not`(at place: Int) throws {
        var limits = StoreBench.limits
        limits.syncInterval = 0
        var writer = try bench.open(limits)
        var fast = try StoreCursor(writer.store, output: "fast", start: .end, mayGiveWay: false)
        _ = try StoreCursor(writer.store, output: "slow", start: .end, mayGiveWay: false)
        let source = writer.define(.test("web"))
        for n in 1...5 {
            #expect(writer.add(records: 1, of: source, upTo: UInt64(n)) == .stored)
            writer.awaitSync()
        }
        try fast.settle(next: 6) { $0.delivered += 5 }
        writer.close()
        let victim = try SegmentIndex.rebuild(segment: bench.newest).chunks[3]
        try bench.flip(bench.newest, at: Int(victim.offset) + (place > 0 ? place : Int(victim.memberSize) + place))

        let again = try bench.open()
        let finished = try StoreCursor(again.store, output: "fast", start: .end, mayGiveWay: false)
        var slow = try StoreCursor(again.store, output: "slow", start: .end, mayGiveWay: false)
        #expect(finished.state.next == 6 && slow.state.next == 1)
        for _ in 0..<3 {
            let ledger = Ledger(again.store)
            #expect(ledger.closes, "\(ledger.text)")
            #expect(ledger.stored == 5)
            let seen = try again.store.readAll(from: slow.state.next)
            for gap in seen.gaps where gap.from == slow.state.next {
                try slow.settle(next: gap.to) { $0[gap.reason] += gap.records }
            }
            if let record = seen.records.first { try slow.settle(next: record.sequence + 1) { $0.delivered += 1 } }
            _ = slow.publish(waitingBytes: 0)
        }
        again.close()
    }

    @Test func `a damaged snapshot does not take the records behind it along`() throws {
        let chunks = try fiveDurable()
        try bench.flip(bench.newest, at: Int(chunks[0].offset) + 30)
        let writer = try bench.open()
        #expect(try writer.store.readAll().records.map(\.sequence) == [1, 2, 3, 4, 5])
        #expect(writer.knownSources(input: "logs").map(\.position.count) == [5])
        #expect(writer.store.nextSequence == 6)
        writer.close()
    }

    // MARK: Power

    @Test func `what was stored before a kill is safe from a power cut behind the next start`() throws {
        var limits = StoreBench.limits
        limits.syncInterval = .max
        do {
            var writer = try bench.open(limits)
            let source = writer.define(.test("web"))
            #expect(writer.add(records: 4, of: source, upTo: 4) == .stored)
            writer.awaitSync()
            bench.disk.crash()
        }
        bench.disk.restart()
        do {
            let writer = try bench.open(limits)
            #expect(writer.knownSources(input: "logs").map(\.position.count) == [4])
            writer.awaitSync()
            bench.disk.crash()
        }
        try bench.disk.powerCut()
        bench.disk.restart()
        let writer = try bench.open(limits)
        let records = UInt64(try writer.store.readAll().records.count)
        let position = writer.knownSources(input: "logs").map(\.position.count).first ?? 0
        #expect(position == records, "the source stands at \(position), and \(records) of its records are in the store")
        writer.close()
    }

    @Test func `a segment that outlived the one before it in a power cut is not believed`() throws {
        var limits = StoreBench.limits
        limits.syncInterval = .max
        limits.segmentAge = 0
        var writer = try bench.open(limits)
        let source = writer.define(.test("web"))
        #expect(writer.add(records: 2, of: source, upTo: 2) == .stored)
        writer.awaitSync()
        bench.disk.breakDown([.sync, .syncFolder], with: 5)
        writer.housekeep()
        writer.awaitSync()
        #expect(writer.store.segments.count == 2)
        bench.disk.crash()
        _ = consume writer
        // The disk has written the new segment already, and nothing of the old one's records yet.
        let new = try ScratchDirectory.contents(of: bench.newest)
        let name = Path.name(bench.newest)
        try bench.disk.powerCut()
        try bench.scratch.write("data/store/0/\(name)", new)
        bench.disk.restart()

        let again = try bench.open(limits)
        let records = UInt64(try again.store.readAll().records.count)
        let position = again.knownSources(input: "logs").map(\.position.count).first ?? 0
        #expect(position == records, "the source stands at \(position), and \(records) of its records are in the store")
        again.close()
    }

    @Test(arguments: [false, true])
    func `neither is one whose predecessor a power cut took wholly`(leavesItsName: Bool) throws {
        try bench.fill(2)
        var limits = StoreBench.limits
        limits.syncInterval = 0
        limits.segmentAge = 0
        bench.disk.breakDown([.sync], on: ".ndjson.gz", with: 5)
        var writer = try bench.open(limits)
        let source = writer.define(.test("web"))
        #expect(writer.add(records: 3, of: source, upTo: 3) == .stored)
        let lost = Path.name(bench.newest)
        writer.housekeep()
        writer.awaitSync()
        #expect(Path.name(bench.newest) != lost)
        bench.disk.crash()
        _ = consume writer
        let new = try ScratchDirectory.contents(of: bench.newest)
        let name = Path.name(bench.newest)
        try bench.disk.powerCut()
        try bench.scratch.write("data/store/0/\(name)", new)
        if leavesItsName { try bench.scratch.write("data/store/0/\(lost)", "") }
        bench.disk.restart()

        let again = try bench.open(limits)
        #expect(try again.store.readAll().records.count == 2)
        let known = again.knownSources(input: "logs").map(\.identity.pod)
        #expect(known == ["fill"], "a source is known whose records are gone")
        #expect(bench.log.count("store_segments_set_aside") == 1)
        again.close()
    }

    @Test func `numbers that a cursor has passed are not given again after a power cut`() throws {
        var limits = StoreBench.limits
        limits.syncInterval = .max
        var writer = try bench.open(limits)
        var cursor = try StoreCursor(writer.store, output: "out", start: .end, mayGiveWay: false)
        let source = writer.define(.test("web"))
        writer.awaitSync()
        #expect(writer.add(records: 5, of: source, upTo: 5) == .stored)
        try cursor.settle(next: 4) { $0.delivered += 3 }
        try cursor.beginSending([SendingRange(first: 4, last: 5, epoch: 1)])
        try cursor.sync()
        bench.disk.crash()
        _ = consume writer
        try bench.disk.powerCut()
        bench.disk.restart()

        var again = try bench.open(limits)
        #expect(again.store.nextSequence == 6)
        #expect(again.knownSources(input: "logs").isEmpty, "its records are read again")
        #expect(bench.log.count("store_power_cut_records") == 5)
        var resumed = try StoreCursor(again.store, output: "out", start: .end, mayGiveWay: false)
        let late = try StoreCursor(again.store, output: "late", start: .history, mayGiveWay: false)
        #expect(resumed.state.next == 4 && resumed.state.sending.first?.last == 5 && late.state.next == 1)
        #expect(Ledger(again.store).closes, "\(Ledger(again.store).text)")
        let source2 = again.define(.test("web"))
        #expect(again.add(records: 5, of: source2, upTo: 5) == .stored)
        let seen = try again.store.readAll(from: 4)
        #expect(seen.gaps.map(\.text) == ["4..<6 2 power_cut"])
        #expect(seen.records.map(\.sequence) == [6, 7, 8, 9, 10])
        try resumed.settle(next: 6) { $0[.powerCut] += 2 }
        _ = resumed.publish(waitingBytes: 0)
        #expect(Ledger(again.store).closes, "\(Ledger(again.store).text)")
        again.close()
        #expect(try Ledger(bench.folder).closes)
    }

    @Test func `a start behind a power cut is believed at once, also when it is killed before its first sync is told`()
        throws
    {
        var limits = StoreBench.limits
        limits.syncInterval = .max
        do {
            var writer = try bench.open(limits)
            var cursor = try StoreCursor(writer.store, output: "out", start: .end, mayGiveWay: false)
            let source = writer.define(.test("web"))
            #expect(writer.add(records: 3, of: source, upTo: 3) == .stored)
            writer.close()
            writer = try bench.open(limits)
            writer.awaitSync()
            cursor = try StoreCursor(writer.store, output: "out", start: .end, mayGiveWay: false)
            #expect(writer.add(records: 5, of: source, upTo: 8) == .stored)
            try cursor.settle(next: 9) { $0.delivered += 8 }
            try cursor.sync()
            bench.disk.crash()
        }
        try bench.disk.powerCut()
        bench.disk.restart()
        do {
            // Its numbers begin above the cursor, so far behind the end of the segment before it.
            bench.disk.breakDown([.sync], on: ".ndjson.gz", with: 5)
            var writer = try bench.open(limits)
            #expect(writer.store.nextSequence == 9)
            let known = writer.knownSources(input: "logs").map(\.number)
            #expect(writer.add(records: 5, of: try #require(known.first), upTo: 8) == .stored)
            let onDisk = try Ledger(bench.folder)
            #expect(onDisk.closes && onDisk.stored == 13, "\(onDisk.text)")
            bench.disk.crash()
        }
        bench.disk.restart()
        let writer = try bench.open(limits)
        #expect(try writer.store.readAll().records.map(\.sequence) == [1, 2, 3, 9, 10, 11, 12, 13])
        #expect(bench.log.count("store_segments_set_aside") == 0)
        writer.close()
    }

    // MARK: Beside an agent

    @Test func `a look at the folder beside a growing store shows a moment of it`() throws {
        var limits = StoreBench.limits
        limits.segmentSize = 2048
        limits.history = 0
        var writer = try bench.open(limits)
        var cursor = try StoreCursor(writer.store, output: "out", start: .end, mayGiveWay: false)
        let source = writer.define(.test("web"))
        var looks = 0
        for n in 1...120 {
            #expect(
                writer.add(records: 1, of: source, upTo: UInt64(n), padding: SeededGenerator.noise(300, UInt64(n)))
                    == .stored)
            if n % 3 == 0 {
                try cursor.settle(next: UInt64(n) - 1) { $0.delivered += 3 - (n == 3 ? 2 : 0) }
                _ = cursor.publish(waitingBytes: 0)
                writer.housekeep()
            }
            let survey = try Survey(bench.folder, lane: 0, isThorough: n % 2 == 0)
            #expect(survey.sources[source]?.position.count == UInt64(n))
            #expect(survey.total[.storedRecords] == UInt64(n))
            #expect(survey.nextSequence == UInt64(n) + 1)
            #expect(survey.damaged.isEmpty)
            let ledger = try Ledger(bench.folder)
            #expect(ledger.closes, "\(ledger.text)")
            looks += 1
        }
        #expect(looks == 120 && bench.log.count("store_retired_segments") > 5)
        writer.close()
    }

    @Test func `a look survives that segments are deleted under it`() throws {
        let bench = self.bench
        var limits = StoreBench.limits
        limits.segmentSize = 1024
        limits.history = 0
        limits.syncInterval = 0
        try bench.fill(1)
        let quick = limits
        let appends = OSThread("appends") {
            do {
                var writer = try bench.open(quick)
                let source = writer.define(.test("web"))
                for n in 1...1500 {
                    let outcome = writer.add(
                        records: 1, of: source, upTo: UInt64(n), padding: SeededGenerator.noise(200, UInt64(n)))
                    #expect(outcome == .stored)
                    writer.housekeep()
                }
                writer.close()
            } catch {
                Issue.record("\(error)")
            }
        }
        var last: UInt64 = 1
        while last < 1500 {
            let survey = try Survey(bench.folder, lane: 0, isThorough: false)
            #expect(survey.nextSequence > last)
            last = max(last, survey.nextSequence - 1)
        }
        appends.join()
    }

    @Test func `no store at all is named as such`() {
        do throws(StoreError) {
            _ = try Ledger(bench.folder)
            Issue.record("there is a ledger without a store")
        } catch {
            #expect(error.description.contains("there is no store in \(bench.path)"))
        }
    }
}
