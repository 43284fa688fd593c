// Segments: readable by any gzip, spliced without recompressing, summed up in an index that can always be made again.
import Bytes
import Disk
import Gzip
import Records
import Store
import TestKit
import Testing

@Suite struct `Segments` {
    let bench: StoreBench

    init() throws { bench = try StoreBench() }

    /// Three segments with several chunks each, with text that compresses and text that does not. Returns the texts.
    private func fillThree() throws -> [String] {
        var random = SeededGenerator(seed: 3)
        var limits = StoreBench.limits
        limits.segmentAge = 0
        var texts: [String] = []
        for _ in 0..<3 {
            limits.segmentAge = .max
            var writer = try bench.open(limits)
            let source = writer.define(.test("web"))
            var text = ""
            for n in 0..<5 {
                var chunk = ChunkBuilder(input: "logs")
                for k in 0..<(1 + random.below(300)) {
                    let line =
                        "{\"k\":\(k),\"noise\":\"\(random.bytes(random.below(60)).map { String($0, radix: 16) }.joined())\"}"
                    chunk.add(line)
                    text += line + "\n"
                }
                if n != 2 { chunk.cover(source, upTo: UInt64(n)) }
                #expect(writer.append(&chunk) == .stored)
                var progress = ChunkBuilder(input: "logs")
                progress.cover(source, upTo: UInt64(n + 1))
                #expect(writer.append(&progress) == .stored)
            }
            texts.append(text)
            writer.close()
        }
        return texts
    }

    @Test(arguments: [
        ["zcat"], ["python3", "-c", "import gzip,sys; sys.stdout.buffer.write(gzip.open(sys.argv[1]).read())"],
    ])
    func `any gzip reads from a segment exactly the texts that were appended`(program: [String]) throws {
        let texts = try fillThree()
        #expect(bench.segments.count == 3)
        for (path, text) in zip(bench.segments, texts) {
            let result = try ChildProcess(program + [path]).finish()
            #expect(result.status == 0)
            #expect(String(decoding: result.output, as: UTF8.self) == text)
        }
    }

    @Test func `any run of chunks is spliced into one gzip member`() throws {
        let whole = try fillThree().joined()
        let writer = try bench.open()
        var chunks: [ReadChunk] = []
        var reader = StoreReader(writer.store)
        while case .chunk(let chunk) = try reader.next(from: chunks.last?.header.endSequence ?? 1) {
            chunks.append(chunk)
            reader.pass()
        }
        writer.close()
        #expect(chunks.count == 15)
        #expect(try chunks.flatMap { try $0.records() }.map { $0.line + "\n" }.joined() == whole)

        for (first, last) in [(0, 0), (0, 14), (3, 11), (7, 8), (14, 14)] {
            var body = GzipMember.plainHeader
            var splice = GzipSplice()
            var expected: [String] = []
            for chunk in chunks[first...last] {
                body += chunk.member[chunk.splice]
                splice.add(textLength: UInt64(chunk.header.textSize), textChecksum: chunk.header.textChecksum)
                expected += try chunk.records().map(\.line)
            }
            body += splice.ending
            let text = Array((expected.joined(separator: "\n") + "\n").utf8)
            #expect(try inflate(body, size: text.count, .gzip) == text)
            let path = try bench.scratch.write("body.gz", body)
            let program = """
                import sys, zlib
                stream = zlib.decompressobj(31)
                text = stream.decompress(open(sys.argv[1], 'rb').read())
                assert stream.eof and not stream.unused_data, 'more than one member'
                sys.stdout.buffer.write(text)
                """
            let result = try ChildProcess.run("python3", "-c", program, path)
            #expect(result.status == 0 && result.output == text)
        }
    }

    @Test func `a closed segment has an index that says what a walk over it says`() throws {
        _ = try fillThree()
        for path in bench.segments {
            let index = try #require(SegmentIndex.read(segment: path))
            #expect(try index == SegmentIndex.rebuild(segment: path))
            #expect(index.summary.size == Directory.status(path)?.size)
            #expect(index.summary.hasSnapshot && index.summary.chunkCount == 11)
        }
    }

    @Test func `an index that is missing, cut, damaged or another file's is not believed, and made again`() throws {
        _ = try fillThree()
        let path = try #require(bench.segments.first)
        let indexPath = StoreFolder.index(ofSegment: path)
        let right = try #require(SegmentIndex.read(segment: path))
        let bytes = try ScratchDirectory.contents(of: indexPath)
        var random = SeededGenerator(seed: 8)

        func isMadeAgain(_ comment: Comment) throws {
            #expect(SegmentIndex.read(segment: path) == nil, comment)
            let survey = try Survey(bench.folder, lane: 0, isThorough: false)
            #expect(survey.segments.first == right.summary, comment)
            let writer = try bench.open()
            let first = writer.store.segments.first
            writer.close()
            #expect(first == right.summary, comment)
            #expect(SegmentIndex.read(segment: path) == right, "a start writes it again")
        }

        try LocalFileSystem().remove(indexPath)
        try isMadeAgain("missing")
        for _ in 0..<5 {
            var cut = bytes
            cut.removeLast(1 + random.below(bytes.count))
            try replace(indexPath, cut)
            try isMadeAgain("cut to \(cut.count) bytes")
            var damaged = bytes
            damaged[random.below(bytes.count)] ^= 4
            try replace(indexPath, damaged)
            try isMadeAgain("damaged")
            try replace(indexPath, random.bytes(random.below(400)))
            try isMadeAgain("random")
        }
        let last = try #require(bench.segments.dropFirst().first)
        try replace(indexPath, ScratchDirectory.contents(of: StoreFolder.index(ofSegment: last)))
        try isMadeAgain("another segment's")
    }

    private func replace(_ path: String, _ bytes: [UInt8]) throws {
        try LocalFileSystem().remove(path)
        let file = try OwnedFile.open(path, .create)
        try file.write(bytes.span, at: 0)
    }

    @Test func `chunks behind damage count, also where there is no index`() throws {
        _ = try fillThree()
        let path = try #require(bench.segments.first)
        let whole = try SegmentIndex.rebuild(segment: path)
        let victim = try #require(whole.chunks.first { $0.recordCount > 0 })
        try bench.flip(path, at: Int(victim.offset) + 40)
        try LocalFileSystem().remove(StoreFolder.index(ofSegment: path))
        let index = try SegmentIndex.rebuild(segment: path)
        #expect(index.chunks == whole.chunks.filter { $0 != victim })
        #expect(index.summary.endSequence == whole.summary.endSequence)
        #expect(index.summary.size == whole.summary.size)
    }

    @Test func `a segment is closed at its size, at its age, and never while it is empty`() throws {
        var limits = StoreBench.limits
        limits.segmentSize = 4096
        var writer = try bench.open(limits)
        let source = writer.define(.test("web"))
        for n in 1...40 {
            #expect(
                writer.add(records: 1, of: source, upTo: UInt64(n), padding: SeededGenerator.noise(500, UInt64(n)))
                    == .stored)
        }
        let sizes = writer.store.segments.map(\.size)
        #expect(sizes.count > 3)
        #expect(sizes.dropLast().allSatisfy { $0 >= 4096 && $0 < 4096 + 2048 })
        writer.close()

        limits.segmentAge = 0
        var aged = try bench.open(limits)
        aged.housekeep()
        aged.housekeep()
        #expect(aged.store.segments.count == sizes.count + 1, "an empty segment is not replaced by an empty one")
        let other = aged.define(.test("db"))
        #expect(aged.add(records: 1, of: other, upTo: 1) == .stored)
        aged.housekeep()
        #expect(aged.store.segments.count == sizes.count + 2, "a timer closes it, also when nothing more is appended")
        aged.close()
    }

    @Test func `an empty segment's number is skipped, not given to a record`() throws {
        for _ in 0..<3 { try bench.open().close() }
        var writer = try bench.open()
        #expect(writer.store.segments.map(\.firstSequence) == [1, 2, 3, 4])
        let source = writer.define(.test("web"))
        #expect(writer.add(records: 2, of: source, upTo: 2) == .stored)
        let seen = try writer.store.readAll()
        #expect(seen.records.map(\.sequence) == [4, 5])
        #expect(seen.gaps == [], "skipped numbers are no gap")
        #expect(writer.store.waitingRecords(from: 1) == 2)
        writer.close()
        let survey = try Survey(bench.folder, lane: 0, isThorough: true)
        #expect(survey.segments.map(\.follows) == [0, 1, 2, 3] && survey.skipped.ranges == [1..<4])
        #expect(survey.nextSequence == 6)
    }

    @Test func `a snapshot of very many sources takes several chunks and comes back whole`() throws {
        var writer = try bench.open()
        var chunk = ChunkBuilder(input: "logs")
        var appended = 0
        for n in 0..<3000 {
            let source = writer.define(.test("pod-with-a-rather-long-name-\(n)"))
            chunk.cover(source, upTo: UInt64(n))
            if chunk.isFull {
                #expect(writer.append(&chunk) == .stored)
                chunk.reset()
                appended += 1
            }
        }
        #expect(writer.append(&chunk) == .stored)
        #expect(appended > 5, "the field's limit closes a chunk")
        writer.close()

        let again = try bench.open()
        let known = again.knownSources(input: "logs")
        #expect(known.count == 3000)
        #expect(known.enumerated().allSatisfy { $0.element.position.count == UInt64($0.offset) })
        again.close()
        let survey = try Survey(bench.folder, lane: 0, isThorough: true)
        #expect(survey.newestChunks.count > 5 && survey.newestChunks.allSatisfy { $0.recordCount == 0 })
        #expect(survey.sources.count == 3000)
        #expect(survey.sources[7]?.identity == .test("pod-with-a-rather-long-name-6"))
        #expect(try ChildProcess.run("zcat", bench.newest).output == [], "zcat sees nothing of it")
    }

    @Test func `positions that grow while a chunk is open do not burst its field`() throws {
        var writer = try bench.open()
        var chunk = ChunkBuilder(input: "logs")
        var sources: [SourceNumber] = []
        while !chunk.isFull {
            sources.append(writer.define(.test("\(sources.count)")))
            chunk.cover([Progress(source: sources[sources.count - 1], position: Position([1]))], bytes: 1, now: 1) {
                _ in 100
            }
        }
        #expect(writer.append(&chunk) == .stored)
        chunk.reset()
        // Known sources take little room, until each of them has an unfinished record to remember.
        for size in [1, 255] {
            for source in sources where !chunk.isFull {
                let position = Position([UInt8](repeating: 7, count: size))
                chunk.cover([Progress(source: source, position: position)], bytes: 1, now: 1) { _ in 0 }
            }
        }
        for _ in 0..<20 where !chunk.isFull {
            for n in 0..<400 where !chunk.isFull {
                let position = Position([UInt8](repeating: UInt8(n % 256), count: 255))
                chunk.cover([Progress(source: UInt32(n % sources.count) + 1, position: position)], bytes: 1, now: 1) {
                    _ in 0
                }
            }
        }
        #expect(writer.append(&chunk) == .stored)
        writer.close()
    }

    @Test func `a source's number is never given again, also when the last one was retired segments ago`() throws {
        var writer = try bench.open()
        let first = writer.define(.test("a"))
        let second = writer.define(.test("b"))
        #expect(writer.add(records: 1, of: first, upTo: 1) == .stored)
        var chunk = ChunkBuilder(input: "logs")
        chunk.cover(second, upTo: 1, isRetired: true)
        #expect(writer.append(&chunk) == .stored)
        writer.close()
        try bench.open().close()
        var later = try bench.open()
        #expect(later.knownSources(input: "logs").map(\.number) == [first])
        let third = later.define(.test("c"))
        #expect(third == second + 1)
        later.close()
    }

    @Test func `an input is known from its first chunk on, and only it`() throws {
        var writer = try bench.open()
        let isSeen = writer.hasSeen(input: "logs")
        #expect(!isSeen)
        let source = writer.define(.test("web"))
        #expect(writer.knownSources(input: "logs").isEmpty, "defined, but never stored")
        #expect(writer.add(records: 1, of: source, upTo: 9) == .stored)
        writer.close()
        let again = try bench.open()
        let seen = [again.hasSeen(input: "logs"), again.hasSeen(input: "other")]
        #expect(seen == [true, false])
        let known = again.knownSources(input: "logs")
        #expect(known.count == 1 && known.first?.identity == .test("web") && known.first?.position.count == 9)
        again.close()
    }
}

extension SeededGenerator {
    static func noise(_ count: Int, _ seed: UInt64) -> [UInt8] {
        var generator = SeededGenerator(seed: seed)
        return generator.bytes(count)
    }
}
