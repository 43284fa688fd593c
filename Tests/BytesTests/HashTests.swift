// The hash is the one that is on disk already, and spreads well.
import Bytes
import Testing

@Suite struct `Hash` {
    @Test(
        arguments: [
            ("", 0x4534_76f6_4394_9c63), ("a", 0xc448_4122_8cb3_e0ae),
            ("2026-01-02T03:04:05.001643207Z stdout F ", 0x097e_6e83_d480_427c),
        ] as [(String, UInt64)])
    func `values on disk never change`(text: String, hash: UInt64) {
        #expect(Hash64.of(text.bytes) == hash)
        #expect(Hash64.of(Arena(holding: "x".bytes + text.bytes), from: 1, count: text.utf8.count) == hash)
    }

    @Test func `one bit of input flips about half of the output`() {
        var random = SeededGenerator(seed: 3)
        var flipped = 0
        var trials = 0
        for length in [1, 7, 8, 33, 64] {
            let bytes = random.bytes(length)
            for bit in 0..<length * 8 {
                var other = bytes
                other[bit / 8] ^= 1 << UInt8(bit % 8)
                let difference = (Hash64.of(bytes) ^ Hash64.of(other)).nonzeroBitCount
                #expect(difference > 8)
                flipped += difference
                trials += 1
            }
        }
        #expect((31.0...33.0).contains(Double(flipped) / Double(trials)))
    }

    @Test func `similar heads have different hashes`() {
        var seen = Set<UInt64>()
        for i in 0..<100_000 { seen.insert(Hash64.of("2026-01-02T03:04:05.\(i)Z stdout F line".bytes)) }
        #expect(seen.count == 100_000)
    }
}
