// Limits: what is deleted, who gives way, when reading pauses, and how it goes on; disks that are full or fail.
import Bytes
import Disk
import Records
import Store
import Synchronization
import TestKit
import Testing

@Suite struct `Room` {
    let bench: StoreBench
    private static let noSpace: Int32 = 28
    private static let ioError: Int32 = 5

    init() throws { bench = try StoreBench() }

    /// Small segments, ten of which fit.
    private static var tight: StoreLimits {
        var limits = StoreBench.limits
        limits.segmentSize = 4096
        limits.maxSize = 40 * 1024
        limits.syncInterval = 0
        return limits
    }

    /// Appends chunks of one record and about 600 bytes; a pause that only waits for a sync is waited for.
    private func append(
        _ writer: inout StoreWriter, _ source: SourceNumber, _ range: ClosedRange<UInt64>
    ) -> (UInt64, AppendOutcome) {
        for n in range {
            var outcome = AppendOutcome.stored
            for _ in 0..<3 {
                outcome = writer.add(records: 1, of: source, upTo: n, padding: SeededGenerator.noise(500, n))
                writer.awaitSync()
                if outcome == .stored { break }
            }
            if outcome != .stored { return (n - 1, outcome) }
        }
        return (range.upperBound, .stored)
    }

    private static func reason(_ outcome: AppendOutcome) -> String {
        if case .full(let reason) = outcome { reason } else { "" }
    }

    @Test func `delivered history makes room by itself, and nobody is alarmed`() throws {
        var writer = try bench.open(Room.tight)
        var cursor = try StoreCursor(writer.store, output: "out", start: .end, mayGiveWay: false)
        let source = writer.define(.test("web"))
        for n in 1...200 as ClosedRange<UInt64> {
            #expect(append(&writer, source, n...n).1 == .stored)
            try cursor.settle(next: n + 1) { $0.delivered += 1 }
            _ = cursor.publish(waitingBytes: 0)
            let used = writer.store.segments.reduce(0) { $0 + $1.size }
            #expect(used <= Room.tight.maxSize)
        }
        #expect(bench.log.count("store_retired_segments") > 10)
        #expect(bench.log.count("store_full") == 0 && bench.log.count("store_write_failures") == 0)
        #expect(Ledger(writer.store).closes)
        writer.close()
    }

    @Test func `waiting for a sync before history is deleted rings the writer's bell`() throws {
        var writer = try bench.open(Room.tight)
        let rings = Counted()
        writer.store.onCursorMoved { rings.add() }
        let source = writer.define(.test("web"))
        for n in 1...200 as ClosedRange<UInt64> {
            let before = rings.count
            let outcome = writer.add(records: 1, of: source, upTo: n, padding: SeededGenerator.noise(500, n))
            writer.awaitSync()
            if outcome != .stored { #expect(rings.count == before + 1) }
        }
        writer.close()
    }

    @Test func `with one output reading pauses until it gets on`() throws {
        var writer = try bench.open(Room.tight)
        var cursor = try StoreCursor(writer.store, output: "out", start: .end, mayGiveWay: true)
        let source = writer.define(.test("web"))
        let (last, outcome) = append(&writer, source, 1...1000)
        #expect(last > 20 && last < 200)
        #expect(Room.reason(outcome).contains("store.max_size"))
        #expect(writer.store.trouble != nil)
        #expect(bench.log.count("store_full") == 1)
        #expect(try writer.store.readAll().records.count == Int(last), "nothing was given up")

        try cursor.settle(next: last + 1) { $0.delivered += last }
        _ = cursor.publish(waitingBytes: 0)
        #expect(append(&writer, source, (last + 1)...(last + 10)).1 == .stored)
        #expect(writer.store.trouble == nil)
        #expect(bench.log.count("store_write_recoveries") == 1)
        #expect(Ledger(writer.store).closes)
        writer.close()
    }

    @Test func `with several outputs the slowest gives way, and its records are counted`() throws {
        var writer = try bench.open(Room.tight)
        var fast = try StoreCursor(writer.store, output: "fast", start: .end, mayGiveWay: true)
        var middle = try StoreCursor(writer.store, output: "middle", start: .end, mayGiveWay: true)
        var slow = try StoreCursor(writer.store, output: "slow", start: .end, mayGiveWay: true)
        let source = writer.define(.test("web"))
        for n in 1...300 as ClosedRange<UInt64> {
            #expect(append(&writer, source, n...n).1 == .stored)
            try fast.settle(next: n + 1) { $0.delivered += 1 }
            _ = fast.publish(waitingBytes: 0)
            if n > 20 {
                try middle.settle(next: n - 19) { $0.delivered += n == 21 ? 1 : 1 }
                _ = middle.publish(waitingBytes: 0)
            }
        }
        let floor = writer.store.cursors["slow"]?.floor ?? 0
        #expect(floor > 100)
        #expect(bench.log.count("output_gave_way_records") == floor - 1)
        #expect(bench.log.said("output=slow") && !bench.log.said("output=middle"))
        #expect(slow.publish(waitingBytes: 0) == floor)
        let oldest = try #require(writer.store.segments.first).firstSequence
        let seen = try writer.store.readAll()
        #expect(seen.gaps.map(\.text) == ["1..<\(oldest) \(oldest - 1) retired"])
        #expect(Ledger(writer.store).closes, "what is gone still waits until the output has noted it")
        try slow.settle(next: oldest) { $0[.gaveWay] += oldest - 1 }
        _ = slow.publish(waitingBytes: 0)
        #expect(Ledger(writer.store).closes)
        writer.close()
    }

    @Test func `numbers that no record ever had are not among those that were given up`() throws {
        for _ in 0..<5 {
            let writer = try bench.open(Room.tight)
            _ = try StoreCursor(writer.store, output: "slow", start: .end, mayGiveWay: true)
            writer.close()
        }
        var writer = try bench.open(Room.tight)
        var fast = try StoreCursor(writer.store, output: "fast", start: .history, mayGiveWay: true)
        var slow = try StoreCursor(writer.store, output: "slow", start: .end, mayGiveWay: true)
        let source = writer.define(.test("web"))
        var stored: UInt64 = 0
        for n in 1...120 as ClosedRange<UInt64> {
            if n % 40 == 0 {
                // A restart after nothing was stored leaves a gap in the numbers, also in the middle.
                writer.close()
                try bench.open(Room.tight).close()
                writer = try bench.open(Room.tight)
                fast = try StoreCursor(writer.store, output: "fast", start: .history, mayGiveWay: true)
                slow = try StoreCursor(writer.store, output: "slow", start: .end, mayGiveWay: true)
            }
            #expect(append(&writer, source, n...n).1 == .stored)
            stored += 1
            try fast.settle(next: writer.store.nextSequence) { $0.delivered += 1 }
            _ = fast.publish(waitingBytes: 0)
            let ledger = Ledger(writer.store)
            #expect(ledger.closes && ledger.stored == stored, "\(ledger.text)")
        }
        let seen = try writer.store.readAll(from: slow.state.next)
        #expect(seen.gaps.count == 1 && seen.gaps.first?.records == stored - UInt64(seen.records.count))
        for gap in seen.gaps { try slow.settle(next: gap.to) { $0[.gaveWay] += gap.records } }
        _ = slow.publish(waitingBytes: 0)
        #expect(Ledger(writer.store).closes)
        writer.close()
        let folder = try Ledger(bench.folder)
        #expect(folder.closes, "\(folder.text)")
    }

    @Test func `one output that says pause holds everybody, once nothing else can be deleted`() throws {
        var writer = try bench.open(Room.tight)
        var fast = try StoreCursor(writer.store, output: "fast", start: .end, mayGiveWay: true)
        _ = try StoreCursor(writer.store, output: "willing", start: .end, mayGiveWay: true)
        _ = try StoreCursor(writer.store, output: "patient", start: .end, mayGiveWay: false)
        let source = writer.define(.test("web"))
        var outcome = AppendOutcome.stored
        var n: UInt64 = 0
        while outcome == .stored, n < 500 {
            n += 1
            outcome = append(&writer, source, n...n).1
            if outcome == .stored {
                try fast.settle(next: n + 1) { $0.delivered += 1 }
                _ = fast.publish(waitingBytes: 0)
            }
        }
        #expect(Room.reason(outcome).contains("store.max_size"))
        #expect(bench.log.count("output_gave_way_records") == 0, "giving way would not have helped")
        #expect(writer.store.segments.first?.firstSequence == 1)
        writer.close()
    }

    @Test func `min_free of the file system is never eaten`() throws {
        var limits = StoreBench.limits
        limits.minFree = 100 << 20
        var writer = try bench.open(limits)
        _ = try StoreCursor(writer.store, output: "out", start: .end, mayGiveWay: false)
        let source = writer.define(.test("web"))
        bench.disk.answerFreeSpace([(100 << 20) + 100])
        let outcome = writer.add(records: 1, of: source, upTo: 1)
        #expect(Room.reason(outcome).contains("store.min_free"))
        bench.disk.answerFreeSpace([200 << 20])
        #expect(writer.add(records: 1, of: source, upTo: 1) == .stored)
        #expect(bench.log.count("store_write_recoveries") == 1)
        writer.close()
    }

    @Test func `the open segment makes room when everybody has read it`() throws {
        var limits = StoreBench.limits
        limits.maxSize = 24 * 1024
        var writer = try bench.open(limits)
        var cursor = try StoreCursor(writer.store, output: "out", start: .end, mayGiveWay: false)
        let source = writer.define(.test("web"))
        for n in 1...60 as ClosedRange<UInt64> {
            #expect(append(&writer, source, n...n).1 == .stored)
            try cursor.settle(next: n + 1) { $0.delivered += 1 }
            _ = cursor.publish(waitingBytes: 0)
        }
        #expect(bench.log.count("store_retired_segments") > 0)
        #expect(Ledger(writer.store).closes)
        writer.close()
    }

    @Test func `a segment begun while room is made gets the chunk, and the chunk gets its definitions`() throws {
        var limits = StoreBench.limits
        limits.minFree = 1 << 20
        bench.disk.answerFreeSpace([1 << 40])
        var writer = try bench.open(limits)
        let first = writer.define(.test("first"))
        bench.disk.answerFreeSpace([(1 << 20) + 1000])
        #expect(writer.add(records: 1, of: first, upTo: 1) == .stored)
        // No room, nobody needs the open segment: it is closed. Then somebody else frees some space.
        bench.disk.answerFreeSpace([0, 1 << 40])
        let second = writer.define(.test("second"))
        let noise = SeededGenerator.noise(900, 1)
        #expect(writer.add(records: 3, of: second, upTo: 3, input: "other", padding: noise) == .stored)
        #expect(writer.store.segments.count == 2)
        writer.close()
        #expect(try readFiles(bench).map(\.sequence) == [1, 2, 3, 4])
        let again = try bench.open()
        #expect(again.knownSources(input: "logs").map(\.position.count) == [1])
        #expect(again.knownSources(input: "other").map(\.position.count) == [3])
        #expect(Ledger(again.store).stored == 4)
        again.close()
    }

    @Test func `old history is deleted one segment a second, never what is needed, never the newest`() throws {
        for n in 0..<6 as Range<UInt64> {
            var writer = try bench.open()
            let source = writer.define(.test("s\(n)"))
            #expect(writer.add(records: 2, of: source, upTo: 2) == .stored)
            writer.close()
        }
        var limits = StoreBench.limits
        limits.history = -1
        var writer = try bench.open(limits)
        var cursor = try StoreCursor(writer.store, output: "out", start: .history, mayGiveWay: true)
        writer.awaitSync()
        writer.housekeep()
        #expect(writer.store.segments.count == 7, "the output needs them all")
        try cursor.settle(next: 7) { $0.delivered += 6 }
        _ = cursor.publish(waitingBytes: 0)
        for kept in [6, 5, 4, 4, 4] {
            writer.housekeep()
            #expect(writer.store.segments.count == kept)
        }
        #expect(writer.store.segments.first?.firstSequence == 7)
        try cursor.settle(next: 13) { $0.delivered += 6 }
        _ = cursor.publish(waitingBytes: 0)
        for _ in 0..<5 { writer.housekeep() }
        #expect(writer.store.segments.count == 1)
        #expect(bench.segments.count == 1)
        #expect(try Directory.list(bench.folder.segments(lane: 0)).count == 1, "the indexes went along")
        writer.close()
    }

    @Test func `history young enough is kept`() throws {
        for _ in 0..<3 { try bench.fill(1) }
        var writer = try bench.open()
        writer.awaitSync()
        for _ in 0..<5 { writer.housekeep() }
        #expect(writer.store.segments.count == 4)
        writer.close()
    }

    @Test func `nothing is deleted before the newest snapshot is durable`() throws {
        for _ in 0..<3 { try bench.fill(1) }
        var limits = StoreBench.limits
        limits.history = -1
        limits.segmentAge = 0
        limits.syncInterval = 0
        var writer = try bench.open(limits)
        writer.awaitSync()
        let source = writer.define(.test("x"))
        #expect(writer.add(records: 1, of: source, upTo: 1) == .stored)
        bench.disk.breakDown([.sync], with: Room.ioError)
        // Begins a new segment, whose sync fails, and so on: the oldest ones stay.
        let oldest = writer.store.segments.first
        for _ in 0..<5 {
            writer.housekeep()
            writer.awaitSync()
        }
        #expect(writer.store.segments.first == oldest)
        bench.disk.heal()
        #expect(writer.add(records: 1, of: source, upTo: 2) == .stored)
        for _ in 0..<2 {
            writer.awaitSync()
            writer.housekeep()
        }
        #expect(writer.store.segments.first != oldest)
        writer.close()
    }

    // MARK: Disks that fail

    @Test(arguments: [
        FaultyFileSystem.Fault.error(28), .halfWrite(28), .shortWrite, .error(5), .halfWrite(5),
    ])
    func `a fault at any call costs nothing and passes by itself`(fault: FaultyFileSystem.Fault) throws {
        var limits = StoreBench.limits
        limits.segmentAge = 0
        limits.syncInterval = 0
        var call = 0
        var isDone = false
        while !isDone {
            call += 1
            bench.scratch.empty()
            let disk = bench.disk
            disk.restart()
            var writer = try bench.open(limits)
            let source = writer.define(.test("web"))
            let start = disk.calls
            disk.plan(fault, afterCalls: call)
            for n in 1...6 as ClosedRange<UInt64> {
                var outcome = AppendOutcome.full(reason: "")
                for _ in 0..<4 where outcome != .stored {
                    outcome = writer.add(records: 1, of: source, upTo: n)
                    writer.awaitSync()
                }
                #expect(outcome == .stored, "call \(call)")
                if n == 3 {
                    writer.housekeep()
                    writer.awaitSync()
                }
            }
            isDone = disk.calls - start < call
            let lines = (0..<6).map { "{\"source\":1,\"n\":\($0)}" }
            #expect(try writer.store.readAll().lines == lines, "call \(call)")
            #expect(writer.store.trouble == nil)
            writer.close()
            disk.heal()
            let again = try bench.open(limits)
            let seen = try again.store.readAll()
            #expect(seen.lines == lines && seen.gaps == [], "call \(call)")
            #expect(again.knownSources(input: "logs").map(\.position.count) == [6])
            again.close()
        }
        #expect(call > 10)
    }

    @Test func `a full disk pauses reading, gives back the reserve, and all goes on when there is space`() throws {
        var writer = try bench.open()
        let source = writer.define(.test("web"))
        #expect(Directory.status(bench.folder.reserve)?.size == 256 << 10)
        bench.disk.fillUp(with: Room.noSpace)
        for _ in 0..<5 {
            let reason = Room.reason(writer.add(records: 1, of: source, upTo: 1))
            #expect(reason.contains("No space left on device") && reason.contains("free some space"))
        }
        #expect(writer.store.trouble?.contains("No space") == true)
        #expect(Directory.status(bench.folder.reserve) == nil)
        #expect(bench.log.count("store_write_failures") == 1, "told once, not per attempt")
        bench.disk.heal()
        #expect(writer.add(records: 1, of: source, upTo: 1) == .stored)
        #expect(writer.store.trouble == nil)
        #expect(Directory.status(bench.folder.reserve)?.size == 256 << 10)
        #expect(bench.log.count("store_write_recoveries") == 1)
        writer.close()
    }

    @Test func `a failed sync is not tried again: a new segment is begun`() throws {
        var limits = StoreBench.limits
        limits.syncInterval = 0
        var writer = try bench.open(limits)
        let source = writer.define(.test("web"))
        #expect(writer.add(records: 1, of: source, upTo: 1) == .stored)
        writer.awaitSync()
        bench.disk.plan(.error(Room.ioError), afterCalls: 1)
        #expect(writer.add(records: 1, of: source, upTo: 2) == .stored)
        writer.awaitSync()
        let syncs = bench.disk.log.filter { $0.contains(" sync ") }.count
        #expect(writer.add(records: 1, of: source, upTo: 3) == .stored)
        writer.awaitSync()
        #expect(writer.store.segments.count == 2)
        #expect(bench.log.count("store_sync_failures") == 1)
        #expect(bench.log.said("bytes_at_risk="))
        let later = bench.disk.log.filter { $0.contains(" sync ") }.dropFirst(syncs)
        #expect(!later.contains { $0.hasSuffix(Path.name(writer.store.segments[0].path)) }, "its sync was not repeated")
        #expect(try writer.store.readAll().records.count == 3)
        writer.close()
    }

    @Test func `where every sync fails, segments do not pile up`() throws {
        var limits = StoreBench.limits
        limits.syncInterval = 3_600_000_000_000
        var writer = try bench.open(limits)
        let source = writer.define(.test("web"))
        bench.disk.breakDown([.sync], with: Room.ioError)
        for n in 1...50 as ClosedRange<UInt64> {
            #expect(writer.add(records: 1, of: source, upTo: n) == .stored)
            writer.awaitSync()
        }
        #expect(writer.store.segments.count <= 2)
        writer.close()
    }

    @Test func `a segment whose sync failed has no index, because it is not known to be whole`() throws {
        var limits = StoreBench.limits
        limits.syncInterval = 0
        var writer = try bench.open(limits)
        let source = writer.define(.test("web"))
        bench.disk.breakDown([.sync], with: Room.ioError)
        #expect(writer.add(records: 1, of: source, upTo: 1) == .stored)
        writer.awaitSync()
        let path = writer.store.segments[0].path
        writer.close()
        #expect(SegmentIndex.read(segment: path) == nil)
        bench.disk.heal()
        try bench.open().close()
        #expect(SegmentIndex.read(segment: path) != nil, "the next start makes it durable and says so")
    }
}

/// Counts from any thread.
final class Counted: Sendable {
    private let value = Atomic(0)
    func add() { value.wrappingAdd(1, ordering: .relaxed) }
    var count: Int { value.load(ordering: .relaxed) }
}
