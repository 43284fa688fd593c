// Checksums, deflate and inflate, against known values and against other programs.
import Disk
import Gzip
import TestKit
import Testing

@Suite struct `Checksums` {
    private static let digits = Array("123456789".utf8)

    @Test func `the known values come out`() {
        #expect(CRC32.of(Self.digits) == 0xcbf4_3926)
        #expect(CRC32C.of(Self.digits) == 0xe306_9283)
        #expect(CRC32C.software(Self.digits.span) == 0xe306_9283)
        #expect(CRC32.of([]) == 0 && CRC32C.of([]) == 0)
        // RFC 3720, appendix B.4: 32 bytes of zeros, of ones, rising.
        #expect(CRC32C.of([UInt8](repeating: 0, count: 32)) == 0x8a91_36aa)
        #expect(CRC32C.of([UInt8](repeating: 255, count: 32)) == 0x62a8_ab43)
        #expect(CRC32C.of(Array(0..<32)) == 0x46dd_794e)
    }

    @Test func `the table gives what the processor gives, at every length and offset`() {
        var random = SeededGenerator(seed: 1)
        let bytes = random.bytes(5000)
        for length in Array(0..<70) + [255, 256, 1000, 4097] {
            for offset in 0..<9 {
                let part = Array(bytes[offset..<(offset + length)])
                #expect(CRC32C.software(part.span) == CRC32C.of(part))
            }
        }
    }

    @Test func `a checksum is continued, and two are combined, without the bytes`() {
        var random = SeededGenerator(seed: 2)
        for _ in 0..<200 {
            let first = random.bytes(random.below(3000))
            let second = random.bytes(random.below(3000))
            let whole = CRC32.of(first + second)
            #expect(CRC32.of(second.span, continuing: CRC32.of(first)) == whole)
            #expect(CRC32.combine(CRC32.of(first), CRC32.of(second), secondLength: UInt64(second.count)) == whole)
        }
    }
}

@Suite struct `Deflate and inflate` {
    let scratch: ScratchDirectory

    init() throws { scratch = try ScratchDirectory() }

    /// Texts of the shapes and sizes that matter.
    enum Shape: String, CaseIterable, Sendable {
        case noise, zeros, text, mixed

        func bytes(_ count: Int, _ random: inout SeededGenerator) -> [UInt8] {
            switch self {
            case .noise: return random.bytes(count)
            case .zeros: return [UInt8](repeating: 0, count: count)
            case .text:
                var text: [UInt8] = []
                while text.count < count {
                    text += "{\"n\":\(random.below(1000)),\"message\":\"GET /index.html\"}\n".utf8
                }
                return Array(text.prefix(count))
            case .mixed:
                var bytes: [UInt8] = []
                while bytes.count < count {
                    bytes += random.bytes(random.below(500))
                    bytes += [UInt8](repeating: 65, count: random.below(500))
                }
                return Array(bytes.prefix(count))
            }
        }
    }

    static let sizes = [0, 1, 2, 3, 100, 4095, 65_535, 65_536, 65_537, 200_000, 262_144, 1_000_000, 3_000_001]

    @Test(arguments: Shape.allCases, sizes)
    func `what is deflated fits the bound, ends in the final block and inflates to itself`(
        shape: Shape, size: Int
    ) throws {
        var random = SeededGenerator(seed: UInt64(size))
        let text = shape.bytes(size, &random)
        let deflated = deflate(text)
        #expect(deflated.count <= Deflater.bound(size))
        #expect(Array(deflated.suffix(2)) == Deflater.finalBlock)
        #expect(try inflate(deflated, size) == text)
    }

    @Test func `one deflater serves chunk after chunk, and nothing carries over`() throws {
        var random = SeededGenerator(seed: 9)
        var deflater = Deflater()
        for _ in 0..<200 {
            let shape = Shape.allCases[random.below(4)]
            let text = shape.bytes(random.below(30_000), &random)
            #expect(deflate(text, &deflater) == deflate(text))
        }
    }

    @Test func `without its last block a piece ends on a byte, so that pieces can be joined`() throws {
        var random = SeededGenerator(seed: 10)
        for _ in 0..<50 {
            var joined: [UInt8] = []
            var whole: [UInt8] = []
            var splice = GzipSplice()
            for _ in 0..<(1 + random.below(20)) {
                let text = Shape.allCases[random.below(4)].bytes(random.below(5000), &random)
                joined += deflate(text).dropLast(2)
                whole += text
                splice.add(textLength: UInt64(text.count), textChecksum: CRC32.of(text))
            }
            let member = GzipMember.plainHeader + joined + splice.ending
            #expect(try inflate(member, whole.count, .gzip) == whole)
        }
    }

    @Test(arguments: Shape.allCases)
    func `other programs read the same`(shape: Shape) throws {
        var random = SeededGenerator(seed: 4)
        let text = shape.bytes(150_000, &random)
        var splice = GzipSplice()
        splice.add(textLength: UInt64(text.count), textChecksum: CRC32.of(text))
        let path = try scratch.write("text.gz", GzipMember.plainHeader + deflate(text).dropLast(2) + splice.ending)
        for program in [
            ["zcat", path],
            ["python3", "-c", "import gzip,sys; sys.stdout.buffer.write(gzip.open(sys.argv[1]).read())", path],
        ] {
            let result = try ChildProcess(program).finish()
            #expect(result.status == 0 && result.output == text)
        }
    }

    @Test func `what other programs compress is inflated, piece by piece, members one after the other`() throws {
        var random = SeededGenerator(seed: 5)
        let text = Shape.mixed.bytes(300_000, &random)
        let plain = try scratch.write("plain", text)
        let compressed = try ChildProcess.run("gzip", "-c", plain).output
        var read: [UInt8] = []
        var inflater = Inflater(.gzip)
        for _ in 0..<2 {
            inflater.reset()
            var at = 0
            var isAtEnd = false
            while !isAtEnd {
                let piece = Array(compressed[at..<min(at + 1 + random.below(900), compressed.count)])
                var room = [UInt8](repeating: 0, count: 1 + random.below(2000))
                var span = room.mutableSpan
                let step = try inflater.step(piece.span, into: &span)
                read += room.prefix(step.produced)
                at += step.consumed
                isAtEnd = step.isAtEnd
            }
            #expect(at == compressed.count)
        }
        #expect(read == text + text)
    }

    @Test func `damage, missing ends and too much text are errors that say so`() throws {
        let text = Array("the quick brown fox jumps over the lazy dog".utf8)
        let good = deflate(text)
        #expect(throws: GzipError.damaged) { try inflate([0x07, 0xff, 0xff, 0xff], 10) }
        #expect(throws: GzipError.cutShort) { try inflate(Array(good.dropLast(2)), text.count) }
        #expect(throws: GzipError.cutShort) { try inflate(Array(good.dropLast(8)), text.count) }
        #expect(throws: GzipError.cutShort) { try inflate(good, text.count + 1) }
        #expect(throws: GzipError.tooLarge(limit: text.count - 1)) { try inflate(good, text.count - 1) }
        #expect(throws: GzipError.cutShort) { try inflate([], 0) }
        #expect(throws: GzipError.damaged) { try inflate(Array("no gzip at all".utf8), 10, .gzip) }
        #expect("\(GzipError.tooLarge(limit: 7))" == "inflates to more than 7 bytes")

        var splice = GzipSplice()
        splice.add(textLength: UInt64(text.count), textChecksum: CRC32.of(text) ^ 1)
        #expect(throws: GzipError.damaged, "a wrong checksum in the trailer") {
            try inflate(GzipMember.plainHeader + good.dropLast(2) + splice.ending, text.count, .gzip)
        }
    }

    @Test func `random bytes are an error or a text, never a crash`() {
        var random = SeededGenerator(seed: 6)
        for _ in 0..<3000 {
            let bytes = random.bytes(random.below(200))
            _ = try? inflate(bytes, random.below(500), random.oneIn(2) ? .raw : .gzip)
        }
    }

    private func deflate(_ text: [UInt8]) -> [UInt8] {
        var deflater = Deflater()
        return deflate(text, &deflater)
    }

    private func deflate(_ text: [UInt8], _ deflater: inout Deflater) -> [UInt8] {
        var out = [UInt8](repeating: 0, count: Deflater.bound(text.count))
        var span = out.mutableSpan
        let count = deflater.compress(text.span, into: &span)
        return Array(out.prefix(count))
    }

    @discardableResult
    private func inflate(
        _ bytes: [UInt8], _ size: Int, _ wrapping: Inflater.Wrapping = .raw
    ) throws(GzipError) -> [UInt8] {
        var inflater = Inflater(wrapping)
        var text = [UInt8](repeating: 0, count: size)
        var span = text.mutableSpan
        try inflater.inflateAll(bytes.span, into: &span)
        return text
    }
}

extension CRC32 {
    fileprivate static func of(_ bytes: [UInt8]) -> UInt32 { of(bytes.span) }
}

extension CRC32C {
    fileprivate static func of(_ bytes: [UInt8]) -> UInt32 { of(bytes.span) }
}
