// How many columns text takes on a terminal. Terminals differ where characters are joined: here it is never less than any of them takes.
import Bytes

/// Widths by Unicode's East Asian Width, general categories and emoji sequences.
///
/// glibc's wcwidth(3) would need a locale to be set for the whole process, and knows no sequences.
enum TextWidth {
    /// The columns of `from..<to` of `text`, which has no control characters but tabs. A tab counts as the most that it can take.
    static func columns(_ text: borrowing Arena, from: Int, to: Int) -> Int {
        var (columns, i) = (0, from)
        while i < to { columns += step(text, &i, to) }
        return columns
    }

    /// The columns of the character at `i`, which moves behind it: one with all that is joined to it, and is not to be cut from it.
    static func step(_ text: borrowing Arena, _ i: inout Int, _ to: Int) -> Int {
        let byte = text[i]
        if byte < 0x80, i + 1 == to || text[i + 1] < 0x80 {
            i += 1
            return byte == UInt8(ascii: "\t") ? 8 : 1
        }
        let first = scalar(text, &i, to)
        var columns = columns(of: first)
        if isRegion(first), i < to {
            var next = i
            if isRegion(scalar(text, &next, to)) {
                i = next
                columns = 2
            }
        }
        while i < to, text[i] >= 0x80 {
            var next = i
            let joined = scalar(text, &next, to)
            let isModifier = joined.properties.isEmojiModifier
            guard isModifier || TextWidth.columns(of: joined) == 0 else { break }
            i = next
            // A text character that is to be shown as an emoji, and a colour for a face, which some terminals show beside it.
            if joined == "\u{FE0F}" { columns = max(columns, 2) }
            if isModifier { columns += 2 }
            // Whatever is joined; some terminals show the parts one after the other.
            if joined == "\u{200D}", i < to, text[i] >= 0x80 { columns += TextWidth.columns(of: scalar(text, &i, to)) }
        }
        return columns
    }

    private static func scalar(_ text: borrowing Arena, _ i: inout Int, _ to: Int) -> Unicode.Scalar {
        let byte = text[i]
        if byte < 0x80 {
            i += 1
            return Unicode.Scalar(byte)
        }
        let length = UTF8Text.step(text, at: i, to: to)
        guard length > 0 else {
            i += max(1, -length)
            return "\u{FFFD}"
        }
        var code = UInt32(byte) & (0x7f >> UInt32(length))
        for k in i + 1..<i + length { code = code << 6 | UInt32(text[k] & 0x3f) }
        i += length
        return Unicode.Scalar(code) ?? "\u{FFFD}"
    }

    private static func isRegion(_ scalar: Unicode.Scalar) -> Bool { scalar.value &- 0x1f1e6 < 26 }

    /// The columns of a character by itself: none for those that change others, two for wide ones.
    static func columns(of scalar: Unicode.Scalar) -> Int {
        if scalar.value < 0x300 { return scalar == "\t" ? 8 : 1 }
        if isWide(scalar.value) { return 2 }
        switch scalar.properties.generalCategory {
        case .nonspacingMark, .enclosingMark: return 0
        // Arabic signs that stand below the digits that follow are of this category too, and are seen.
        case .format: return scalar.value < 0x900 && scalar != "\u{61C}" ? 1 : 0
        // Vowels and final consonants of Hangul become one with the consonant before them.
        default: return scalar.value &- 0x1160 < 0xa0 || scalar.value &- 0xd7b0 < 0x50 ? 0 : 1
        }
    }

    private static func isWide(_ code: UInt32) -> Bool {
        var (low, high) = (0, wide.count)
        while low < high {
            let middle = (low + high) / 2
            if code > wide[middle].last { low = middle + 1 } else { high = middle }
        }
        return low < wide.count && code >= wide[low].first
    }

    /// What has the East Asian Width W or F, as of Unicode 16; where emoji and ideographs are to come, what is not assigned yet too. Of
    /// the ambiguous ones, those that glibc has as wide.
    private static let wide: [(first: UInt32, last: UInt32)] = [
        (0x1100, 0x115f), (0x231a, 0x231b), (0x2329, 0x232a), (0x23e9, 0x23ec), (0x23f0, 0x23f0), (0x23f3, 0x23f3),
        (0x25fd, 0x25fe), (0x2614, 0x2615), (0x2630, 0x2637), (0x2648, 0x2653), (0x267f, 0x267f), (0x268a, 0x268f),
        (0x2693, 0x2693), (0x26a1, 0x26a1), (0x26aa, 0x26ab), (0x26bd, 0x26be), (0x26c4, 0x26c5), (0x26ce, 0x26ce),
        (0x26d4, 0x26d4), (0x26ea, 0x26ea), (0x26f2, 0x26f3), (0x26f5, 0x26f5), (0x26fa, 0x26fa), (0x26fd, 0x26fd),
        (0x2705, 0x2705), (0x270a, 0x270b), (0x2728, 0x2728), (0x274c, 0x274c), (0x274e, 0x274e), (0x2753, 0x2755),
        (0x2757, 0x2757), (0x2795, 0x2797), (0x27b0, 0x27b0), (0x27bf, 0x27bf), (0x2b1b, 0x2b1c), (0x2b50, 0x2b50),
        (0x2b55, 0x2b55), (0x2e80, 0x303e), (0x3041, 0xa4c6), (0xa960, 0xa97c), (0xac00, 0xd7a3),
        (0xf900, 0xfad9), (0xfe10, 0xfe6b), (0xff01, 0xff60), (0xffe0, 0xffe6), (0x16fe0, 0x18d08),
        (0x1aff0, 0x1b122), (0x1b150, 0x1b2fb), (0x1d300, 0x1d376), (0x1f004, 0x1f004), (0x1f0cf, 0x1f0cf),
        (0x1f18e, 0x1f18e), (0x1f191, 0x1f19a), (0x1f200, 0x1f265), (0x1f300, 0x1f320), (0x1f32d, 0x1f335),
        (0x1f337, 0x1f37c), (0x1f37e, 0x1f393), (0x1f3a0, 0x1f3ca), (0x1f3cf, 0x1f3d3), (0x1f3e0, 0x1f3f0),
        (0x1f3f4, 0x1f3f4), (0x1f3f8, 0x1f43e), (0x1f440, 0x1f440), (0x1f442, 0x1f4fc), (0x1f4ff, 0x1f53d),
        (0x1f54b, 0x1f54e), (0x1f550, 0x1f567), (0x1f57a, 0x1f57a), (0x1f595, 0x1f596), (0x1f5a4, 0x1f5a4),
        (0x1f5fb, 0x1f64f), (0x1f680, 0x1f6c5), (0x1f6cc, 0x1f6cc), (0x1f6d0, 0x1f6d2), (0x1f6d5, 0x1f6df),
        (0x1f6eb, 0x1f6ec), (0x1f6f4, 0x1f6fc), (0x1f7e0, 0x1f7f0), (0x1f90c, 0x1f93a), (0x1f93c, 0x1f945),
        (0x1f947, 0x1f9ff), (0x1fa70, 0x1faff), (0x20000, 0x3fffd),
    ]
}
