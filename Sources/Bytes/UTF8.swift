// Says where bytes are UTF-8 and where not, as table 3-7 of the Unicode Standard has it; changes nothing itself.

/// UTF-8 in raw bytes. What is not UTF-8 is cut into *maximal subparts* (Unicode, "U+FFFD Substitution of Maximal
/// Subparts"): the longest beginnings of a valid sequence, else single bytes, each to be shown as one U+FFFD.
/// Swift's `String(decoding:as:)`, Python and browsers cut alike.
public enum UTF8Text {
    /// What begins at `index` of `arena` and is part of `index..<to`: the length of a valid sequence (1 to 4), or the
    /// length of a maximal invalid subpart (1 to 3) as a negative number.
    @inline(__always)
    public static func step(_ arena: borrowing Arena, at index: Int, to: Int) -> Int {
        arena.check(index, to)
        precondition(index < to, "nothing is left to decode")
        return unsafe step(arena.base, index, to)
    }

    /// Whether all of `from..<to` is UTF-8.
    public static func isValid(_ arena: borrowing Arena, from: Int, to: Int) -> Bool {
        arena.check(from, to)
        var i = from
        while i < to {
            if to - i >= 8, arena.word(at: i) & 0x8080_8080_8080_8080 == 0 {
                i += 8
            } else {
                let length = unsafe step(arena.base, i, to)
                if length < 0 { return false }
                i += length
            }
        }
        return true
    }

    /// Where to cut a text that begins at `from` so that it keeps at most the bytes before `cut` and no beginning of a
    /// sequence whose end would be lost: `cut`, or up to 3 bytes less. Bytes that are not UTF-8 are cut anywhere.
    public static func floorBoundary(_ arena: borrowing Arena, from: Int, cut: Int) -> Int {
        arena.check(from, cut)
        var lead = cut - 1
        while lead >= from, lead >= cut - 3, arena[lead] & 0xc0 == 0x80 { lead -= 1 }
        guard lead >= from, lead >= cut - 3, arena[lead] >= 0xc2, arena[lead] <= 0xf4 else { return cut }
        // A subpart that reaches the cut lacks only what lies behind it.
        return unsafe step(arena.base, lead, cut) == lead - cut ? lead : cut
    }

    /// As the public function, on bytes that are readable up to `end`.
    @inline(__always)
    static func step(_ base: UnsafePointer<UInt8>, _ index: Int, _ end: Int) -> Int {
        let lead = unsafe base[index]
        if lead < 0x80 { return 1 }
        if lead < 0xc2 || lead > 0xf4 || index + 1 >= end { return -1 }
        let second = unsafe base[index + 1]
        if lead < 0xe0 { return second & 0xc0 == 0x80 ? 2 : -1 }
        // The range of the second byte; those after it are 80 to bf.
        var low: UInt8 = 0x80
        var high: UInt8 = 0xbf
        switch lead {
        case 0xe0: low = 0xa0
        case 0xed: high = 0x9f
        case 0xf0: low = 0x90
        case 0xf4: high = 0x8f
        default: break
        }
        if second < low || second > high { return -1 }
        if unsafe index + 2 >= end || base[index + 2] & 0xc0 != 0x80 { return -2 }
        if lead < 0xf0 { return 3 }
        return unsafe index + 3 >= end || base[index + 3] & 0xc0 != 0x80 ? -3 : 4
    }
}
