// The chunk: what is written is read, and what is not wholly there or not as it was written is never believed.
import Bytes
import Disk
import Gzip
import Records
import Store
import TestKit
import Testing

@Suite struct `Chunk format` {
    let bench: StoreBench
    /// A chunk with records, two sources, an input's definition and counts, as it lies in a segment.
    let member: [UInt8]
    let header: ChunkHeader

    init() throws {
        bench = try StoreBench()
        var writer = try bench.open()
        var chunk = ChunkBuilder(input: "logs")
        let first = writer.define(.test("web"))
        let second = writer.define(.test("db"))
        for n in 0..<20 { chunk.add("{\"n\":\(n)}", time: Int64(1000 + n)) }
        chunk.cover(first, upTo: 15)
        chunk.cover(second, upTo: 5, isRetired: true)
        chunk.counts[.readBytes] = 1234
        #expect(writer.append(&chunk) == .stored)
        var reader = StoreReader(writer.store)
        guard case .chunk(let read) = try reader.next(from: 1) else { throw MissingChunk() }
        member = read.member
        header = read.header
        writer.close()
    }

    struct MissingChunk: Error {}

    @Test func `the header says what is in the chunk`() {
        #expect(header.kind == .records)
        #expect(header.schema == ChunkFormat.nativeSchema)
        #expect(header.memberSize == UInt32(member.count))
        #expect(header.epoch == 1 && header.lane == 0 && header.input == 1)
        #expect(header.firstSequence == 1 && header.recordCount == 20 && header.endSequence == 21)
        #expect(header.minTime == 1000 && header.maxTime == 1019)
        #expect(abs(header.appendTime - SystemClock.realtime) < 60_000_000_000)
        #expect(header.isIntact(member))
    }

    @Test func `the items are the sources, how far each was read, and the counts`() throws {
        var inputs: [UInt16: String] = [:]
        let items = try #require(ChunkHeader.items(member.span, header, inputs: &inputs))
        var counts = Counts()
        counts[.readRecords] = 20
        counts[.readBytes] = 1234
        counts[.storedRecords] = 20
        counts[.storedBytes] = UInt64(header.textSize)
        #expect(inputs == [1: "logs"])
        #expect(
            items == [
                .input(number: 1, name: "logs"),
                .source(1, .test("web"), inputNumber: 1), .coverage(1, Position(count: 15), isRetired: false),
                .source(2, .test("db"), inputNumber: 1), .coverage(2, Position(count: 5), isRetired: true),
                .counts(inputNumber: 1, counts),
            ])
    }

    @Test func `every item survives being written and read`() throws {
        var random = SeededGenerator(seed: 7)
        for _ in 0..<300 {
            var items: [ChunkItem] = [.input(number: 3, name: "in-\(random.below(100))")]
            for _ in 0..<random.below(6) {
                switch random.below(5) {
                case 0:
                    var identity = SourceIdentity.test("pod-\(random.next())", input: "in")
                    identity.kind = [.container, .file, .journal][random.below(3)]
                    identity.restart = Int32(truncatingIfNeeded: random.next())
                    identity.path = String(repeating: "ä/", count: random.below(500))
                    guard case .input(_, let name)? = items.first else { continue }
                    identity.input = name
                    items.append(.source(UInt32(truncatingIfNeeded: random.next()), identity, inputNumber: 3))
                case 1:
                    let position = Position(random.bytes(random.below(256)))
                    items.append(
                        .coverage(UInt32(truncatingIfNeeded: random.next()), position, isRetired: random.oneIn(2)))
                case 2:
                    var counts = Counts()
                    for counter in Counter.allCases where random.oneIn(2) { counts[counter] = random.next() }
                    items.append(.counts(inputNumber: 3, counts))
                case 3: items.append(.follows(random.next()))
                default: items.append(.skip(UInt64(random.below(100))..<(100 + UInt64(random.below(1 << 40)))))
                }
            }
            // A field with these items, dressed as a chunk so that the reader takes it.
            var encoded = Arena()
            for item in items { item.encode(to: &encoded) }
            var field = Array(member[0..<(ChunkFormat.preamble + ChunkFormat.fixedPart)])
            field += encoded.span.extracting(0..<encoded.count).copied + [0, 0, 0, 0]
            var dressed = header
            dressed.fieldSize = UInt16(ChunkFormat.fixedPart + encoded.count + ChunkFormat.fieldChecksum)
            var inputs: [UInt16: String] = [:]
            let read = ChunkHeader.items(field.span, dressed, inputs: &inputs)
            #expect(read == items)
        }
    }

    @Test func `a beginning of any length asks for more, never for less than there is`() {
        for count in 0..<header.bodyOffset {
            guard case .needs(let wanted) = ChunkHeader.read(member.span.extracting(first: count)) else {
                Issue.record("\(count) bytes do not ask for more")
                continue
            }
            #expect(wanted > count && wanted <= header.bodyOffset)
        }
        for count in header.bodyOffset...member.count {
            guard case .chunk(let read) = ChunkHeader.read(member.span.extracting(first: count)) else {
                Issue.record("\(count) bytes are no chunk")
                continue
            }
            #expect(read == header)
            #expect(read.isIntact(Array(member[0..<count])) == (count == member.count))
        }
    }

    @Test func `a flipped bit anywhere is noticed`() {
        var unnoticed: [Int] = []
        for bit in 0..<(member.count * 8) {
            var damaged = member
            damaged[bit / 8] ^= 1 << UInt8(bit % 8)
            if case .chunk(let read) = ChunkHeader.read(damaged.span), read.isIntact(damaged) { unnoticed.append(bit) }
        }
        #expect(unnoticed == [])
    }

    @Test func `random bytes are never a chunk and never a crash`() {
        var random = SeededGenerator(seed: 11)
        for round in 0..<3000 {
            var bytes = random.bytes(random.below(400))
            if round % 2 == 0 {
                // Bytes that look right for a while, but never up to the last byte of the checksum: chance could guess that.
                let kept = random.below(header.bodyOffset - ChunkFormat.fieldChecksum + 1)
                bytes = Array(member[0..<kept]) + bytes
            }
            if case .chunk = ChunkHeader.read(bytes.span) { Issue.record("round \(round): \(bytes)") }
            var inputs: [UInt16: String] = [:]
            var dressed = header
            dressed.fieldSize = UInt16(max(ChunkFormat.fixedPart + 4, min(bytes.count - ChunkFormat.preamble, 60_000)))
            if bytes.count >= dressed.bodyOffset { _ = ChunkHeader.items(bytes.span, dressed, inputs: &inputs) }
        }
    }

    @Test func `a cut chunk at a segment's end is its end, at every length`() throws {
        let path = bench.scratch.path("cut.ndjson.gz")
        for count in 0..<member.count {
            try bench.scratch.write("cut.ndjson.gz", member + member[0..<count])
            var scan = try SegmentScan(path: path)
            guard case .chunk(let place) = try scan.peek() else {
                Issue.record("the whole chunk before the cut one is not found")
                return
            }
            scan.pass(place)
            let step = try scan.peek()
            guard case .end = step else {
                Issue.record("\(count) bytes of a chunk are \(step)")
                continue
            }
        }
    }

    @Test func `a walk finds its way again behind damage`() throws {
        var random = SeededGenerator(seed: 5)
        for _ in 0..<40 {
            let junk = random.bytes(1 + random.below(100_000))
            try bench.scratch.write("junk.ndjson.gz", junk + member + member)
            var scan = try SegmentScan(path: bench.scratch.path("junk.ndjson.gz"))
            guard case .damaged = try scan.peek() else {
                Issue.record("junk is taken for a chunk")
                continue
            }
            let found = try scan.resync(limit: UInt64(junk.count + 2 * member.count))
            #expect(found?.offset == UInt64(junk.count))
        }
    }

    @Test func `nothing behind the limit is seen, and nothing that was read there is remembered`() throws {
        // A write that failed half way and was cut back leaves room for another chunk at the same place.
        let other = Array(member.reversed())
        let path = try bench.scratch.write("grows.ndjson.gz", member + other)
        var scan = try SegmentScan(path: path)
        let size = UInt64(member.count)
        guard case .chunk(let first) = try scan.peek(limit: size) else { throw MissingChunk() }
        #expect(try scan.isIntact(first))
        scan.pass(first)
        guard case .end = try scan.peek(limit: size) else { throw MissingChunk() }
        try bench.overwrite(path, at: member.count, with: member)
        guard case .chunk(let second) = try scan.peek(limit: 2 * size) else { throw MissingChunk() }
        #expect(try scan.isIntact(second))
    }

    @Test func `resyncing stops at the limit`() throws {
        // Behind damage at the published end, chunks may be growing that are not published yet.
        let junk = [UInt8](repeating: 7, count: 500)
        let path = try bench.scratch.write("limit.ndjson.gz", junk + [UInt8](repeating: 9, count: 70_000) + member)
        var scan = try SegmentScan(path: path)
        #expect(try scan.resync(limit: 500) == nil)
        #expect(scan.offset <= 500)
    }
}

extension Span<UInt8> {
    var copied: [UInt8] { Array(copying: self) }
}
