// What the tests of this target share: seeded randomness and arenas made of given bytes.
import Bytes
import Testing

/// Random numbers that are the same in every run; splitmix64.
struct SeededGenerator: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var word = state
        word = (word ^ (word >> 30)) &* 0xbf58_476d_1ce4_e5b9
        word = (word ^ (word >> 27)) &* 0x94d0_49bb_1331_11eb
        return word ^ (word >> 31)
    }

    mutating func below(_ limit: Int) -> Int { Int.random(in: 0..<limit, using: &self) }

    mutating func oneIn(_ chances: Int) -> Bool { below(chances) == 0 }

    mutating func bytes(_ count: Int) -> [UInt8] { (0..<count).map { _ in UInt8.random(in: 0...255, using: &self) } }
}

extension Arena {
    /// An arena that holds exactly `bytes`, with no room behind them, so that a wrong load leaves the allocation.
    init(holding bytes: [UInt8]) {
        self.init(capacity: bytes.count)
        append(bytes)
    }

    /// A copy of the contents.
    var bytes: [UInt8] { (0..<count).map { self[$0] } }

    /// The contents as text.
    var text: String { String(decoding: bytes, as: UTF8.self) }
}

/// `bytes` between other bytes of one arena, and their range there.
struct Surrounded: ~Copyable {
    var arena: Arena
    let range: Range<Int>

    init(_ bytes: [UInt8], before: [UInt8] = [], after: [UInt8] = []) {
        arena = Arena(holding: before + bytes + after)
        range = before.count..<before.count + bytes.count
    }

    /// Bytes that would complete or spoil what ends before them, if they were looked at.
    static let traps: [[UInt8]] = [
        [], "\"}]".bytes, "0}".bytes, "\n\n".bytes, [0x80, 0x80, 0x80], "e5,".bytes, "\\".bytes, ".5".bytes,
        "\":1}".bytes, ":1}".bytes, "1}".bytes, ",\"a\":1}".bytes, "u0041\\ud83d\\ude00\":[]}".bytes,
        Array(repeating: UInt8(ascii: "["), count: 200), Array(repeating: UInt8(ascii: "]"), count: 200),
        Array(repeating: UInt8(ascii: "}"), count: 200),
    ]
}

extension String {
    var bytes: [UInt8] { Array(utf8) }
}
