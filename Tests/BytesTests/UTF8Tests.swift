// Valid sequences and maximal invalid subparts, against the Unicode Standard and against Swift.
import Bytes
import Testing

@Suite struct `UTF-8` {
    /// `bytes` cut into pieces, each valid (true) or a maximal invalid subpart.
    private func pieces(_ bytes: [UInt8]) -> [(length: Int, isValid: Bool)] {
        let arena = Arena(holding: bytes)
        var result: [(Int, Bool)] = []
        var i = 0
        while i < bytes.count {
            let step = UTF8Text.step(arena, at: i, to: bytes.count)
            result.append((abs(step), step > 0))
            i += abs(step)
        }
        return result
    }

    private func repaired(_ bytes: [UInt8]) -> [UInt8] {
        var i = 0
        return pieces(bytes).flatMap { piece in
            defer { i += piece.length }
            return piece.isValid ? Array(bytes[i..<i + piece.length]) : [0xef, 0xbf, 0xbd]
        }
    }

    @Test func `the Unicode Standard's example is cut as it says`() {
        // Table 3-8: truncated sequences.
        let bytes: [UInt8] = [0xe1, 0x80, 0xe2, 0xf0, 0x91, 0x92, 0xf1, 0xbf, 0x41]
        #expect(pieces(bytes).map(\.length) == [2, 1, 3, 2, 1])
        // Table 3-9: surrogates, overlong forms and what is too large go byte by byte.
        #expect(pieces([0xed, 0xa0, 0x80, 0xc0, 0xaf, 0xf4, 0x91]).map(\.length) == Array(repeating: 1, count: 7))
    }

    @Test func `every pair and triple of bytes is read as Swift reads it`() {
        for first in UInt8.min...UInt8.max {
            for second in UInt8.min...UInt8.max {
                let bytes = [first, second]
                #expect(repaired(bytes) == Array(String(decoding: bytes, as: UTF8.self).utf8))
            }
        }
        let edges: [UInt8] =
            [0x00, 0x41, 0x7f, 0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbf, 0xc0, 0xc1, 0xc2, 0xdf, 0xe0, 0xe1, 0xec]
            + [0xed, 0xee, 0xef, 0xf0, 0xf1, 0xf3, 0xf4, 0xf5, 0xff]
        for a in edges {
            for b in edges {
                for c in edges {
                    for d in edges where a >= 0xe0 {
                        let bytes = [a, b, c, d]
                        let expected = Array(String(decoding: bytes, as: UTF8.self).utf8)
                        if repaired(bytes) != expected { Issue.record("\(bytes)") }
                    }
                }
            }
        }
    }

    @Test func `every scalar is valid, and none of its beginnings is`() {
        for value in UInt32(0)...0x10ffff {
            guard let scalar = Unicode.Scalar(value) else { continue }
            let bytes = Array(scalar.utf8)
            let arena = Arena(holding: bytes)
            if UTF8Text.step(arena, at: 0, to: bytes.count) != bytes.count { Issue.record("\(value)") }
            for length in 1..<bytes.count where UTF8Text.step(arena, at: 0, to: length) != -length {
                Issue.record("\(value), \(length) bytes of it")
            }
        }
    }

    @Test func `validity of a range depends on that range only`() {
        let arena = Arena(holding: [0xff] + "eight bytes, then ü€😀".bytes + [0x80])
        #expect(UTF8Text.isValid(arena, from: 1, to: arena.count - 1) == true)
        #expect(UTF8Text.isValid(arena, from: 1, to: arena.count) == false)
        #expect(UTF8Text.isValid(arena, from: 1, to: arena.count - 2) == false)
        #expect(UTF8Text.isValid(arena, from: 0, to: 5) == false)
    }

    @Test func `a cut never splits a valid sequence and moves back by less than it`() {
        let text = "aü€😀b".bytes
        let starts = [0, 1, 3, 6, 10, 11]
        for cut in 0...text.count {
            let arena = Arena(holding: text)
            #expect(UTF8Text.floorBoundary(arena, from: 0, cut: cut) == starts.last { $0 <= cut })
        }
    }

    @Test func `a cut in bytes that are not UTF-8 stays where it is`() {
        for bytes in [
            [0x80, 0x80, 0x80, 0x80, 0x80], [0x41, 0xff], [0xc3, 0x28], [0xe0, 0x80], [0xf5, 0x80], [0xed, 0xa0],
        ] as [[UInt8]] {
            let arena = Arena(holding: bytes)
            #expect(UTF8Text.floorBoundary(arena, from: 0, cut: bytes.count) == bytes.count)
        }
        // A beginning before `from` is another text's.
        #expect(UTF8Text.floorBoundary(Arena(holding: [0xe2, 0x82]), from: 1, cut: 2) == 2)
        #expect(UTF8Text.floorBoundary(Arena(holding: [0xe2, 0x82]), from: 0, cut: 2) == 0)
    }
}
