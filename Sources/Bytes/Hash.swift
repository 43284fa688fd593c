// The hash that tells files apart. It is written to disk, so its definition never changes.

/// A 64-bit hash of a few bytes; not for hash tables under attack and not cryptographic.
///
/// Defined as FNV-1a: start with `0xcbf29ce484222325`; for each byte, xor it in, then multiply by `0x100000001b3`.
/// Then, so that every input bit reaches every output bit: xor with itself shifted right by 32, multiply by
/// `0x9e3779b97f4a7c15`, and the same once more, and a last xor with itself shifted right by 32. All modulo 2^64.
public enum Hash64 {
    /// The hash of all of `bytes`.
    public static func of(_ bytes: Span<UInt8>) -> UInt64 {
        var hash: UInt64 = 0xcbf2_9ce4_8422_2325
        for i in 0..<bytes.count {
            hash = (hash ^ UInt64(bytes[i])) &* 0x100_0000_01b3
        }
        return mixed(hash)
    }

    /// The hash of all of `bytes`.
    public static func of(_ bytes: borrowing [UInt8]) -> UInt64 { of(bytes.span) }

    /// The hash of `count` bytes of `arena` from `from` on.
    public static func of(_ arena: borrowing Arena, from: Int, count: Int) -> UInt64 {
        of(arena.span.extracting(from..<from + count))
    }

    private static func mixed(_ hash: UInt64) -> UInt64 {
        let odd: UInt64 = 0x9e37_79b9_7f4a_7c15
        let once = (hash ^ (hash >> 32)) &* odd
        let twice = (once ^ (once >> 32)) &* odd
        return twice ^ (twice >> 32)
    }
}
