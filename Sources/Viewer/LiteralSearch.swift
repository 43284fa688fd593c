// Finds a text in lines much faster than a regular expression does, also when capitals do not matter.
private import Bytes

/// A text to be found in others: the same bytes, or with ASCII letters in any case.
package struct LiteralSearch: Sendable, Hashable {
    /// What is looked for; in small letters when the case does not matter.
    package let bytes: [UInt8]
    /// Whether capitals are the same as small letters.
    package let ignoresCase: Bool
    /// Which of the bytes is searched for before the others are compared: the one that is rarest in logs.
    private let anchor: Int
    private let anchorByte: UInt8
    private let anchorCapital: UInt8

    /// Looks for `bytes`, which are not empty, and only ASCII when the case does not matter.
    package init(_ bytes: [UInt8], ignoresCase: Bool) {
        let bytes = ignoresCase ? bytes.map(LiteralSearch.small) : bytes
        self.bytes = bytes
        self.ignoresCase = ignoresCase
        let anchor =
            bytes.indices.min { LiteralSearch.commonness(bytes[$0]) < LiteralSearch.commonness(bytes[$1]) } ?? 0
        self.anchor = anchor
        let byte = bytes.isEmpty ? 0 : bytes[anchor]
        anchorByte = byte
        anchorCapital = byte &- 0x61 < 26 ? byte & ~0x20 : byte
    }

    /// Where it begins first in `text` from `start` on.
    package func first(in text: Span<UInt8>, from start: Int = 0) -> Int? {
        guard text.count - start >= bytes.count else { return nil }
        if !ignoresCase { return ByteSearch.find(bytes.span, in: text.extracting(start...)).map { start + $0 } }
        let (small, capital) = (anchorByte, anchorCapital)
        let end = text.count - bytes.count + anchor
        var nextSmall = LiteralSearch.place(of: small, in: text, from: start + anchor)
        var nextCapital = small == capital ? Int.max : LiteralSearch.place(of: capital, in: text, from: start + anchor)
        while true {
            let place = min(nextSmall, nextCapital)
            guard place <= end else { return nil }
            if isAt(place - anchor, in: text) { return place - anchor }
            if place == nextSmall {
                nextSmall = LiteralSearch.place(of: small, in: text, from: place + 1)
            } else {
                nextCapital = LiteralSearch.place(of: capital, in: text, from: place + 1)
            }
        }
    }

    @inline(__always)
    private static func place(of byte: UInt8, in text: Span<UInt8>, from start: Int) -> Int {
        ByteSearch.firstIndex(of: byte, in: text, from: start) ?? .max
    }

    @inline(__always)
    private func isAt(_ start: Int, in text: Span<UInt8>) -> Bool {
        let wanted = bytes.span
        for i in 0..<wanted.count where LiteralSearch.small(text[start + i]) != wanted[i] { return false }
        return true
    }

    @inline(__always)
    private static func small(_ byte: UInt8) -> UInt8 { byte &- 0x41 < 26 ? byte | 0x20 : byte }

    /// The larger, the more of it is in a usual log.
    private static func commonness(_ byte: UInt8) -> Int {
        let common = " eaitonrslcd0pu1m.h2-:/gf3\"b45y6789_v=wk,[](){}xjzq"
        return common.utf8.firstIndex(of: byte).map { common.utf8.distance(from: $0, to: common.utf8.endIndex) } ?? 0
    }
}
