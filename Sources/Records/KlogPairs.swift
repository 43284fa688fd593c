// Finds the ends of keys and values in the text of a structured klog line.
import Bytes

/// ` key=value` behind a quoted message. All functions take places in an arena, and `end`, where the line ends.
enum KlogPairs {
    /// How many a line may have. With more it is left as it is: comparing each name with all others would take too long.
    static let limit = 64

    /// Where the key at `start` ends and its `=` stands; -1 when there is no key.
    @inline(__always)
    static func keyEnd(_ arena: borrowing Arena, from start: Int, to end: Int) -> Int {
        var i = start
        while i < end, isOfKey(arena[i]) { i += 1 }
        guard i > start, i < end, arena[i] == UInt8(ascii: "="), mayBegin(arena[start]) else { return -1 }
        return i
    }

    /// Where the value at `start` ends, which is not one quoted string: before the next pair or at the end of the line.
    /// -1 when that cannot be told: brackets and quotes in it do not match.
    ///
    /// Such values are printed by Go for people: `[a b]`, `&{Name:x}`, `map[a:1]`, `<nil>`, `1.5s`, and with spaces.
    /// Inside of brackets and quotes no pair begins.
    @inline(__always)
    static func valueEnd(_ arena: borrowing Arena, from start: Int, to end: Int) -> Int {
        // Two bits for each bracket that is open; the innermost is the lowest.
        var open: UInt128 = 0
        var depth = 0
        var i = start
        while i < end {
            let byte = arena[i]
            switch byte {
            case UInt8(ascii: " "):
                if depth == 0, beginsPair(arena, at: i + 1, to: end) { return i }
            case UInt8(ascii: "\""):
                i = GoString.skip(arena, from: i + 1, to: end)
                guard i >= 0 else { return -1 }
                continue
            case UInt8(ascii: "("), UInt8(ascii: "["), UInt8(ascii: "{"), UInt8(ascii: "<"):
                // Elsewhere it is "less than".
                if byte == UInt8(ascii: "<"), i > start, depth == 0 || open & 3 != kind(byte) { break }
                guard depth < 64 else { return -1 }
                depth += 1
                open = open << 2 | kind(byte)
            case UInt8(ascii: ")"), UInt8(ascii: "]"), UInt8(ascii: "}"), UInt8(ascii: ">"):
                if depth == 0 { break }
                if open & 3 == kind(byte) {
                    depth -= 1
                    open >>= 2
                } else if byte != UInt8(ascii: ">") {
                    return -1
                }
            default: break
            }
            i += 1
        }
        return depth == 0 ? end : -1
    }

    /// Whether a pair begins at `start`. Go ends a time of its own clock with ` m=+0.012`, which is a part of it.
    @inline(__always)
    private static func beginsPair(_ arena: borrowing Arena, at start: Int, to end: Int) -> Bool {
        let equals = keyEnd(arena, from: start, to: end)
        guard equals >= 0 else { return false }
        return equals > start + 1 || arena[start] != UInt8(ascii: "m") || equals + 1 == end
            || arena[equals + 1] != UInt8(ascii: "+")
    }

    /// The kind of a bracket, the same for the opening and the closing one.
    @inline(__always)
    private static func kind(_ bracket: UInt8) -> UInt128 {
        switch bracket {
        case UInt8(ascii: "("), UInt8(ascii: ")"): 0
        case UInt8(ascii: "["), UInt8(ascii: "]"): 1
        case UInt8(ascii: "{"), UInt8(ascii: "}"): 2
        default: 3
        }
    }

    /// Letters, digits, `_`, `.`, `/` and `-`: nothing that JSON would have to escape.
    @inline(__always)
    private static func isOfKey(_ byte: UInt8) -> Bool {
        // The three before the digits are `-`, `.` and `/`.
        mayBegin(byte) || byte >= UInt8(ascii: "-") && byte <= UInt8(ascii: "9")
    }

    @inline(__always)
    private static func mayBegin(_ byte: UInt8) -> Bool {
        byte | 0x20 >= UInt8(ascii: "a") && byte | 0x20 <= UInt8(ascii: "z") || byte == UInt8(ascii: "_")
    }
}
