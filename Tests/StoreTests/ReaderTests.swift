// Readers: they follow appends, and say exactly which records are missing and why.
import Bytes
import Disk
import Gzip
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

    // MARK: Sources

    /// What a reader that tracks sources says of each chunk: the pods' names, "?" when it does not know.
    private func sources(_ store: Store, from first: UInt64 = 1) throws -> [String] {
        var reader = StoreReader(store, tracksSources: true)
        var next = first
        var found: [String] = []
        while true {
            switch try reader.next(from: next) {
            case .nothing: return found
            case .gap(let gap): next = gap.to
            case .chunk(let chunk):
                // Asked twice, it says the same.
                if case .chunk(let again) = try reader.next(from: next) { #expect(again.sources == chunk.sources) }
                found.append(chunk.sources.map { $0.map(\.pod).joined(separator: "+") } ?? "?")
                next = chunk.header.endSequence
                reader.pass()
            }
        }
    }

    @Test func `a reader says which sources a chunk covers, wherever they were defined`() throws {
        var writer = try bench.open()
        let (web, db) = (writer.define(.test("web")), writer.define(.test("db")))
        #expect(writer.add(records: 2, of: web, upTo: 2) == .stored)
        // Defined in a chunk without records.
        var progress = ChunkBuilder(input: "logs")
        progress.cover(db, upTo: 1)
        #expect(writer.append(&progress) == .stored)
        var both = ChunkBuilder(input: "logs")
        both.add("{}")
        both.cover(web, upTo: 3)
        both.cover(db, upTo: 2)
        #expect(writer.append(&both) == .stored)
        #expect(writer.add(records: 1, of: db, upTo: 3) == .stored)
        #expect(try sources(writer.store) == ["web", "web+db", "db"])
        #expect(try sources(writer.store, from: 4) == ["db"], "also what is passed over counts")
        writer.close()

        // In the snapshot of the next segment, and in its chunks.
        var again = try bench.open()
        let late = again.define(.test("late"))
        #expect(again.add(records: 1, of: db, upTo: 4) == .stored)
        #expect(again.add(records: 1, of: late, upTo: 1) == .stored)
        #expect(try sources(again.store) == ["web", "web+db", "db", "db", "late"])
        #expect(try sources(again.store, from: 6) == ["late"])
        var reader = StoreReader(again.store)
        guard case .chunk(let chunk) = try reader.next(from: 1) else { return #expect(Bool(false)) }
        #expect(chunk.sources == nil, "nobody asked")
        again.close()
    }

    @Test func `of a chunk with a source whose definition is damaged nothing is said`() throws {
        var writer = try bench.open()
        let (web, db) = (writer.define(.test("web")), writer.define(.test("db")))
        #expect(writer.add(records: 1, of: web, upTo: 1) == .stored)
        #expect(writer.add(records: 1, of: db, upTo: 1) == .stored)
        var both = ChunkBuilder(input: "logs")
        both.add("{}")
        both.cover(web, upTo: 2)
        both.cover(db, upTo: 2)
        #expect(writer.append(&both) == .stored)
        #expect(writer.add(records: 1, of: web, upTo: 3) == .stored)
        #expect(writer.add(records: 1, of: db, upTo: 3) == .stored)
        let path = try #require(bench.segments.first)
        let first = try #require(try SegmentIndex.rebuild(segment: path).chunks.first { $0.recordCount > 0 })
        // The body alone: the field still defines.
        try bench.flip(path, at: Int(first.offset) + Int(first.memberSize) - 9)
        #expect(try sources(writer.store) == ["db", "web+db", "web", "db"])
        try bench.flip(path, at: Int(first.offset) + 50)
        #expect(try sources(writer.store) == ["db", "?", "?", "db"])
        writer.close()
    }

    @Test func `a chunk with some of its records knows their numbers, and is a whole gzip member`() throws {
        var writer = try bench.open()
        let source = writer.define(.test("web"))
        #expect(writer.add(records: 5, of: source, upTo: 5) == .stored)
        #expect(writer.add(records: 10, of: source, upTo: 15) == .stored)
        var reader = StoreReader(writer.store)
        guard case .chunk(let whole) = try reader.next(from: 6) else { return #expect(Bool(false)) }
        #expect(whole.lineCount == 10 && whole.number(ofLine: 3) == 9 && whole.storedSize == whole.member.count)
        #expect(whole.lines(from: 1) == 0..<10 && whole.lines(from: 8, through: 9) == 2..<4)
        #expect(whole.lines(from: 16).isEmpty && whole.lines(from: 1, through: 5).isEmpty)

        // The numbers 7, 10 and 15.
        let lines = try whole.records().filter { [7, 10, 15].contains($0.sequence) }.map { $0.line + "\n" }
        let text = Array(lines.joined().utf8)
        var deflater = Deflater()
        let some = whole.keeping([1, 4, 9], text: text.span, with: &deflater)
        #expect(some.lineCount == 3 && [0, 1, 2].map { some.number(ofLine: $0) } == [7, 10, 15])
        #expect(some.storedSize == whole.storedSize && some.header.endSequence == 16)
        for (first, last, wanted) in [
            (1, UInt64.max, 0..<3), (7, 15, 0..<3), (8, 15, 1..<3), (7, 14, 0..<2), (10, 10, 1..<2), (11, 14, 2..<2),
            (16, 20, 3..<3),
            (1, 6, 0..<0),
        ] as [(UInt64, UInt64, Range<Int>)] {
            #expect(some.lines(from: first, through: last) == wanted, "\(first)...\(last)")
        }
        guard case .chunk(let header) = ChunkHeader.read(some.member.span) else { return #expect(Bool(false)) }
        #expect(header == some.header && header.isIntact(some.member) && Int(header.textSize) == text.count)
        #expect(try inflate(some.member, size: text.count, .gzip) == text)
        let none = whole.withoutRecords()
        #expect(
            none.lineCount == 0 && none.member.isEmpty && none.header.endSequence == 16 && none.lines(from: 1).isEmpty)
        writer.close()
    }
}
