// Searches against the standard library's, and that they stay inside of their range.
import Bytes
import Testing

@Suite struct `Byte search` {
    @Test func `the first byte is found in a span, from an index on`() {
        let bytes = "a\nbc\n".bytes
        #expect(ByteSearch.firstIndex(of: 10, in: bytes.span) == 1)
        #expect(ByteSearch.firstIndex(of: 10, in: bytes.span, from: 1) == 1)
        #expect(ByteSearch.firstIndex(of: 10, in: bytes.span, from: 2) == 4)
        #expect(ByteSearch.firstIndex(of: 10, in: bytes.span, from: 5) == nil)
        #expect(ByteSearch.firstIndex(of: 10, in: [UInt8]().span) == nil)
    }

    @Test func `the first and last byte are found inside a range of an arena only`() {
        var random = SeededGenerator(seed: 2)
        for _ in 0..<300 {
            let bytes = (0..<random.below(80)).map { _ in UInt8(random.below(4)) }
            let arena = Arena(holding: bytes)
            let from = random.below(bytes.count + 1)
            let to = from + random.below(bytes.count - from + 1)
            let first = bytes[from..<to].firstIndex(of: 3) ?? -1
            let last = bytes[from..<to].lastIndex(of: 3) ?? -1
            #expect(ByteSearch.firstIndex(of: 3, in: arena, from: from, to: to) == first)
            #expect(ByteSearch.lastIndex(of: 3, in: arena, from: from, to: to) == last)
            #expect(ByteSearch.lastIndex(of: 3, in: bytes.span, to: to) == bytes[..<to].lastIndex(of: 3))
        }
    }

    @Test func `a needle is found where it begins first`() {
        let arena = Arena(holding: "xx needle needle".bytes)
        #expect(ByteSearch.find("needle".bytes.span, in: arena.span) == 3)
        #expect(ByteSearch.find("needle".bytes.span, in: arena, from: 4, to: 16) == 10)
        #expect(ByteSearch.find("needle".bytes.span, in: arena, from: 4, to: 15) == -1)
        #expect(ByteSearch.find("needless".bytes.span, in: arena.span) == nil)
        #expect(ByteSearch.find([UInt8]().span, in: arena, from: 4, to: 16) == 4)
        #expect(ByteSearch.find([UInt8]().span, in: arena.span) == 0)
        #expect(ByteSearch.find("a".bytes.span, in: [UInt8]().span) == nil)
    }

    @Test func `equal means the same length and the same bytes`() {
        let arena = Arena(holding: "one two".bytes)
        #expect(ByteSearch.equal(arena, from: 4, count: 3, "two") == true)
        #expect(ByteSearch.equal(arena, from: 4, count: 3, "two".bytes) == true)
        #expect(ByteSearch.equal(arena, from: 7, count: 0, [UInt8]().span) == true)
        #expect(ByteSearch.equal(arena, from: 4, count: 2, "two") == false)
        #expect(ByteSearch.equal(arena, from: 4, count: 3, "twa".bytes) == false)
        #expect(ByteSearch.equal([1, 2].span, [1, 2].span) == true)
        #expect(ByteSearch.equal([1, 2].span, [1, 3].span) == false)
        #expect(ByteSearch.equal([1, 2].span, [1].span) == false)
    }
}
