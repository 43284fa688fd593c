// Starts on a disk that is full, at every call at which one may find it so.
import Disk
import Records
import Store
import TestKit
import Testing

@Suite(.timeLimit(.minutes(2))) struct `Starts on a full disk` {
    private static let noSpace: Int32 = 28
    /// The calls that need room.
    private static let needy: Set<FaultyFileSystem.Operation> = [.open, .write, .allocate, .makeFolder, .rename]

    /// One start with an output, which writes a record; how many records the store should hold then.
    private func start(_ bench: StoreBench, _ stored: inout UInt64) throws {
        var writer = try bench.open()
        _ = try StoreCursor(writer.store, output: "out", start: .history, mayGiveWay: false)
        let source = writer.define(.test("web-\(stored)"))
        if writer.add(records: 1, of: source, upTo: 1) == .stored { stored += 1 }
        writer.close()
    }

    private func check(_ bench: StoreBench, _ stored: UInt64, _ comment: Comment) throws {
        let writer = try bench.open()
        let cursor = try StoreCursor(writer.store, output: "out", start: .history, mayGiveWay: false)
        #expect(cursor.state.next == 1, comment)
        #expect(try writer.store.readAll().records.count == Int(stored), comment)
        #expect(Ledger(writer.store).closes, comment)
        writer.close()
    }

    @Test(arguments: 0..<4, [true, false])
    func `each works or says what is wrong, and the next one has everything`(_ before: Int, _ isOnce: Bool) throws {
        var call = 0
        var isDone = false
        while !isDone {
            let bench = try StoreBench()
            var stored: UInt64 = 0
            for _ in 0..<before { try start(bench, &stored) }
            var names: Set<String> = []
            if before > 0 { names.insert(try StoreIdentity.read(bench.folder).name) }
            let calls = bench.disk.calls
            let comment: Comment = "start \(before + 1), call \(call)"
            if isOnce {
                bench.disk.plan(.error(Self.noSpace), afterCalls: call)
            } else {
                bench.disk.fail(Self.needy, with: Self.noSpace, afterCalls: call)
            }
            do {
                try start(bench, &stored)
            } catch {
                #expect("\(error)".contains("No space left on device"), comment)
                #expect("\(error)".contains(bench.path), comment)
            }
            isDone = bench.disk.calls - calls <= call
            bench.disk.heal()
            try check(bench, stored, comment)
            names.insert(try StoreIdentity.read(bench.folder).name)
            if before > 0 { #expect(names.count == 1, comment) }
            call += 1
        }
        #expect(call > 10)
    }

    @Test(arguments: 1..<4) func `a later one works, since all that it has to write has its room`(_ before: Int) throws
    {
        let bench = try StoreBench()
        var stored: UInt64 = 0
        for _ in 0..<before { try start(bench, &stored) }
        // New files have no room, but what is there can be written over; the reserve gives room for a snapshot.
        bench.disk.breakDown([.allocate], with: Self.noSpace)
        bench.disk.breakDown([.open, .write], on: ".gz", with: Self.noSpace)
        let writer = try bench.open()
        let cursor = try StoreCursor(writer.store, output: "out", start: .history, mayGiveWay: false)
        #expect(cursor.state.next == 1)
        #expect(try writer.store.readAll().records.count == before, "what waits can be delivered")
        #expect(Directory.status(bench.folder.reserve) == nil, "the reserve was given back")
        #expect(writer.store.trouble?.contains("No space left on device") == true)
        bench.disk.heal()
        writer.close()
        try check(bench, stored, "afterwards")
    }

    @Test func `the reserve is taken again when there is room`() throws {
        let bench = try StoreBench()
        var stored: UInt64 = 0
        try start(bench, &stored)
        bench.disk.fail(
            Self.needy, with: Self.noSpace, afterCalls: 0, until: { Directory.status(bench.folder.reserve) == nil })
        var writer = try bench.open()
        #expect(Directory.status(bench.folder.reserve) == nil)
        #expect(writer.store.trouble == nil, "what it gave back was enough")
        bench.disk.heal()
        writer.housekeep()
        #expect(Directory.status(bench.folder.reserve)?.size == 256 << 10)
        writer.close()
    }

    @Test func `damage that cannot be copied aside does not stop a start`() throws {
        let bench = try StoreBench()
        var limits = StoreBench.limits
        limits.syncInterval = 0
        var writer = try bench.open(limits)
        let source = writer.define(.test("web"))
        for n in 1...5 as ClosedRange<UInt64> {
            #expect(writer.add(records: 1, of: source, upTo: n) == .stored)
            writer.awaitSync()
        }
        writer.close()
        let victim = try SegmentIndex.rebuild(segment: bench.newest).chunks[3]
        try bench.flip(bench.newest, at: Int(victim.offset) + 40)
        bench.disk.breakDown([.open], on: ".new", with: Self.noSpace)
        let again = try bench.open()
        #expect(bench.log.count("store_not_quarantined") == 1 && bench.log.count("store_quarantined") == 0)
        #expect(try again.store.readAll().records.count == 4)
        again.close()
    }
}
