// Reads strings as Go's strconv.Quote writes them.
import Bytes

/// Go's quoted strings in an arena.
enum GoString {
    /// Appends what a string stands for to `json` as the inside of a JSON string.
    ///
    /// - Parameter start: the place behind its first quote.
    /// - Parameter end: where it has to have ended.
    /// - Parameter decoded: room for the bytes of a string with escapes. They are put together first, for only then can
    ///   be told which of them are UTF-8: of one character, each byte may be an escape of its own.
    /// - Parameter hasReplaced: set when something was not UTF-8 and became U+FFFD.
    /// - Returns: the place behind its last quote, or -1 when there is no such string; `json` then holds a part of it.
    @inline(__always)
    static func append(
        _ arena: borrowing Arena, from start: Int, to end: Int, to json: inout Arena, decoded: inout Arena,
        hasReplaced: inout Bool
    ) -> Int {
        let stop = nextStop(arena, from: start, to: end)
        guard stop < end else { return -1 }
        if arena[stop] == UInt8(ascii: "\"") {
            if json.appendEscaped(arena, from: start, count: stop - start) { hasReplaced = true }
            return stop + 1
        }
        let next = decode(arena, from: start, stop: stop, to: end, into: &decoded)
        guard next >= 0 else { return -1 }
        if json.appendEscaped(decoded, from: 0, count: decoded.count) { hasReplaced = true }
        return next
    }

    /// The place behind the last quote of a string, -1 when there is none. Its escapes are not looked at.
    @inline(__always)
    static func skip(_ arena: borrowing Arena, from start: Int, to end: Int) -> Int {
        var i = nextStop(arena, from: start, to: end)
        while i < end {
            if arena[i] == UInt8(ascii: "\"") { return i + 1 }
            i = nextStop(arena, from: min(i + 2, end), to: end)
        }
        return -1
    }

    /// The first quote or backslash in `from..<to`, or `to`.
    @inline(__always)
    private static func nextStop(_ arena: borrowing Arena, from: Int, to: Int) -> Int {
        let ones: UInt64 = 0x0101_0101_0101_0101
        var i = from
        while i < to {
            let word = arena.word(at: i)
            let quotes = word ^ (ones &* 0x22)
            let backslashes = word ^ (ones &* 0x5c)
            // The highest bit of a byte that is zero now; only bytes above such a one may have it wrongly.
            let stops = ((quotes &- ones) & ~quotes | (backslashes &- ones) & ~backslashes) & (ones &* 0x80)
            if stops != 0 { return min(to, i + stops.trailingZeroBitCount >> 3) }
            i += 8
        }
        return to
    }

    /// Puts the bytes of a string with escapes into `decoded`; `stop` is its first one.
    @inline(never)
    private static func decode(
        _ arena: borrowing Arena, from start: Int, stop: Int, to end: Int, into decoded: inout Arena
    ) -> Int {
        decoded.removeAll()
        var (i, stop) = (start, stop)
        while stop < end {
            decoded.append(arena, from: i, count: stop - i)
            if arena[stop] == UInt8(ascii: "\"") { return stop + 1 }
            i = escape(arena, at: stop + 1, to: end, into: &decoded)
            guard i >= 0 else { return -1 }
            stop = nextStop(arena, from: i, to: end)
        }
        return -1
    }

    /// One escape, from behind its backslash to behind its end.
    private static func escape(_ arena: borrowing Arena, at i: Int, to end: Int, into decoded: inout Arena) -> Int {
        guard i < end else { return -1 }
        switch arena[i] {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "'"): decoded.append(arena[i])
        case UInt8(ascii: "a"): decoded.append(0x07)
        case UInt8(ascii: "b"): decoded.append(0x08)
        case UInt8(ascii: "t"): decoded.append(0x09)
        case UInt8(ascii: "n"): decoded.append(0x0a)
        case UInt8(ascii: "v"): decoded.append(0x0b)
        case UInt8(ascii: "f"): decoded.append(0x0c)
        case UInt8(ascii: "r"): decoded.append(0x0d)
        case UInt8(ascii: "0")...UInt8(ascii: "7"):
            return byte(number(arena, from: i, count: 3, to: end, bits: 3), behind: i + 3, into: &decoded)
        case UInt8(ascii: "x"):
            return byte(number(arena, from: i + 1, count: 2, to: end, bits: 4), behind: i + 3, into: &decoded)
        case UInt8(ascii: "u"):
            return scalar(number(arena, from: i + 1, count: 4, to: end, bits: 4), behind: i + 5, into: &decoded)
        case UInt8(ascii: "U"):
            return scalar(number(arena, from: i + 1, count: 8, to: end, bits: 4), behind: i + 9, into: &decoded)
        default: return -1
        }
        return i + 1
    }

    /// A byte by its number: it need not be UTF-8.
    private static func byte(_ number: UInt32?, behind next: Int, into decoded: inout Arena) -> Int {
        guard let number, number <= 0xff else { return -1 }
        decoded.append(UInt8(number))
        return next
    }

    /// A character by its number: no surrogate, none behind the last one.
    private static func scalar(_ number: UInt32?, behind next: Int, into decoded: inout Arena) -> Int {
        guard let number, let scalar = Unicode.Scalar(number) else { return -1 }
        for byte in scalar.utf8 { decoded.append(byte) }
        return next
    }

    /// The value of `count` digits of so many bits each; nil when there are others among them, or less.
    private static func number(
        _ arena: borrowing Arena, from start: Int, count: Int, to end: Int, bits: UInt32
    ) -> UInt32? {
        guard end - start >= count else { return nil }
        var value: UInt32 = 0
        for i in start..<start + count {
            let digit: UInt8
            switch arena[i] {
            case 0x30...0x39: digit = arena[i] - 0x30
            case 0x41...0x46: digit = arena[i] - 0x37
            case 0x61...0x66: digit = arena[i] - 0x57
            default: return nil
            }
            guard digit < 1 << bits else { return nil }
            value = value << bits | UInt32(digit)
        }
        return value
    }
}
