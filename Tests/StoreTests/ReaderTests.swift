// Readers: they follow appends, and say exactly which records are missing and why.
import Bytes
import Disk
import Records
import Store
import TestKit
import Testing

@Suite struct `Readers` {
    let bench: StoreBench

    init() throws { bench = try StoreBench() }

    @Test func `a reader follows appends through segments, chunk by chunk`() throws {
        var limits = StoreBench.limits
        limits.segmentSize = 1024
        var writer = try bench.open(limits)
        let source = writer.define(.test("web"))
        var reader = StoreReader(writer.store)
        var next: UInt64 = 1
        for n in 1...60 {
            guard case .nothing = try reader.next(from: next) else {
                Issue.record("something before append \(n)")
                return
            }
            #expect(
                writer.add(records: 2, of: source, upTo: UInt64(2 * n), padding: SeededGenerator.noise(100, UInt64(n)))
                    == .stored)
            guard case .chunk(let chunk) = try reader.next(from: next) else {
                Issue.record("nothing after append \(n)")
                return
            }
            #expect(try chunk.records().map(\.sequence) == [next, next + 1])
            next = chunk.header.endSequence
            reader.pass()
            #expect(reader.waitingBytes < 4096)
        }
        #expect(writer.store.segments.count > 5)
        writer.close()
    }

    @Test func `a chunk is given whole, also when its middle is wanted`() throws {
        var writer = try bench.open()
        let source = writer.define(.test("web"))
        for n in 1...3 { #expect(writer.add(records: 10, of: source, upTo: UInt64(10 * n)) == .stored) }
        for wanted in [1, 5, 10, 11, 19, 30] as [UInt64] {
            var reader = StoreReader(writer.store)
            guard case .chunk(let chunk) = try reader.next(from: wanted) else {
                Issue.record("no chunk for \(wanted)")
                continue
            }
            #expect(chunk.header.firstSequence == (wanted - 1) / 10 * 10 + 1)
        }
        writer.close()
    }

    @Test func `chunks without records are passed over`() throws {
        var writer = try bench.open()
        let source = writer.define(.test("web"))
        var chunk = ChunkBuilder(input: "logs")
        for n in 1...5 as ClosedRange<UInt64> {
            chunk.reset()
            chunk.cover(source, upTo: n)
            #expect(writer.append(&chunk) == .stored)
        }
        #expect(try writer.store.readAll().records.isEmpty)
        #expect(writer.add(records: 1, of: source, upTo: 6) == .stored)
        #expect(try writer.store.readAll().records.map(\.sequence) == [1])
        writer.close()
    }

    /// Three closed segments with ten records each, and an open one.
    private func threeSegments() throws -> StoreWriter {
        for n in 1...3 as ClosedRange<UInt64> {
            var writer = try bench.open()
            let source = writer.define(.test("s\(n)"))
            for k in 1...5 as ClosedRange<UInt64> {
                #expect(writer.add(records: 2, of: source, upTo: 2 * k) == .stored)
            }
            writer.close()
        }
        return try bench.open()
    }

    @Test func `the oldest segments are gone: the gap is told with its records`() throws {
        let writer = try threeSegments()
        let paths = writer.store.segments.map(\.path)
        writer.close()
        try LocalFileSystem().remove(paths[0])
        try LocalFileSystem().remove(paths[1])
        let again = try bench.open()
        let seen = try again.store.readAll()
        #expect(seen.gaps.map(\.text) == ["1..<21 20 retired"])
        #expect(seen.records.map(\.sequence) == Array(21...30))
        again.close()
    }

    @Test func `a segment that somebody deleted under a running agent is a gap, not a dead end`() throws {
        let writer = try threeSegments()
        try LocalFileSystem().remove(writer.store.segments[1].path)
        let seen = try writer.store.readAll()
        #expect(seen.gaps.map(\.text) == ["11..<21 10 retired"])
        #expect(seen.records.count == 20)
        writer.close()
    }

    @Test func `damage is skipped, told, and counted exactly, wherever it lies`() throws {
        for place in 0..<8 {
            bench.scratch.empty()
            let writer = try threeSegments()
            let path = writer.store.segments[1].path
            let chunks = try SegmentIndex.rebuild(segment: path).chunks.filter { $0.recordCount > 0 }
            let victim = chunks[place % 5]
            // The field, or the body.
            try bench.flip(path, at: Int(victim.offset) + (place < 5 ? 50 : Int(victim.memberSize) - 9))
            let seen = try writer.store.readAll()
            let lost = Array(victim.firstSequence..<(victim.firstSequence + 2))
            #expect(seen.records.map(\.sequence) == Array(1...30).filter { !lost.contains($0) })
            #expect(seen.gaps.map(\.text) == ["\(lost[0])..<\(lost[0] + 2) 2 damaged"])
            #expect(bench.log.said("damaged and was skipped"))
            writer.close()
        }
    }

    @Test func `damage in the segment that is being written hides nothing that comes later`() throws {
        var writer = try bench.open()
        let source = writer.define(.test("web"))
        for n in 1...3 { #expect(writer.add(records: 1, of: source, upTo: UInt64(n)) == .stored) }
        let path = writer.store.segments[0].path
        let chunks = try SegmentIndex.rebuild(segment: path).chunks
        try bench.flip(path, at: Int(chunks[3].offset) + 20)
        var reader = StoreReader(writer.store)
        var numbers: [UInt64] = []
        var gaps: [String] = []
        var next: UInt64 = 1
        for n in 4...8 as ClosedRange<UInt64> {
            reading: while true {
                switch try reader.next(from: next) {
                case .nothing: break reading
                case .gap(let gap):
                    gaps.append(gap.text)
                    next = gap.to
                case .chunk(let chunk):
                    numbers.append(chunk.header.firstSequence)
                    next = chunk.header.endSequence
                    reader.pass()
                }
            }
            #expect(writer.add(records: 1, of: source, upTo: n) == .stored)
        }
        #expect(numbers == [1, 2, 4, 5, 6, 7])
        #expect(gaps == ["3..<4 1 damaged"])
        writer.close()
    }

    @Test(.timeLimit(.minutes(1)))
    func `whoever waits for records is woken by an append, by the end, and by being cancelled`() async throws {
        var writer = try bench.open()
        let store = writer.store
        let source = writer.define(.test("web"))

        let version = store.version
        async let appended: Void = store.changed(since: version)
        #expect(writer.add(records: 1, of: source, upTo: 1) == .stored)
        await appended

        let now = store.version
        let waiting = Task { await store.changed(since: now) }
        waiting.cancel()
        await waiting.value

        await store.changed(since: store.version, within: .milliseconds(1))
        await store.changed(since: store.version &- 1)

        let last = store.version
        async let ended: Void = store.changed(since: last)
        writer.close()
        await ended
        #expect(store.isEnded)
    }
}
