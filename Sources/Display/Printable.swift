// Text for terminals: nothing that comes from a record may drive one.
package import Bytes

/// Which characters of a text are printed as what.
package enum Printable {
    /// Appends `from..<to` of `source`, which is UTF-8. What could drive a terminal becomes `\x1b`, C1's control characters too, and
    /// newlines; a tab stays.
    static func append(_ source: borrowing Arena, from: Int, to: Int, to out: inout Arena) {
        var i = from
        while i < to {
            let stop = nextStop(source, from: i, to: to)
            out.append(source, from: i, count: stop - i)
            i = stop
            if i < to { i = appendSpecial(source, at: i, to: to, &out) }
        }
    }

    /// Appends all of `source`.
    static func append(_ source: borrowing Arena, to out: inout Arena) {
        append(source, from: 0, to: source.count, to: &out)
    }

    /// Appends all of `text`, newlines as `\x0a`.
    package static func append(_ text: String, to out: inout Arena) {
        var bytes = Arena(capacity: text.utf8.count)
        bytes.append(text: text)
        append(bytes, to: &out)
    }

    /// Appends lines of text; their newlines stay.
    static func append(lines: borrowing Arena, to out: inout Arena) {
        var start = 0
        while start < lines.count {
            let newline = ByteSearch.firstIndex(of: UInt8(ascii: "\n"), in: lines, from: start, to: lines.count)
            let end = newline < 0 ? lines.count : newline
            append(lines, from: start, to: end, to: &out)
            if newline >= 0 { out.append("\n") }
            start = end + 1
        }
    }

    /// Appends valid JSON so that it stays what it is: DEL and C1's control characters become `\u007f` and the like. Those of ASCII are
    /// escaped in it already, or stand between its tokens, where a space means the same.
    package static func append(json: borrowing Arena, to out: inout Arena) {
        var i = 0
        while i < json.count {
            let stop = nextStop(json, from: i, to: json.count)
            out.append(json, from: i, count: stop - i)
            guard stop < json.count else { return }
            i = stop + 1
            switch json[stop] {
            case UInt8(ascii: "\n"), UInt8(ascii: "\t"): out.append(json[stop])
            case 0x7f: appendUnicodeEscape(0x7f, &out)
            case 0xc2 where i < json.count:
                if json[i] < 0xa0 { appendUnicodeEscape(json[i], &out) } else { out.append(json, from: stop, count: 2) }
                i += 1
            default: out.append(" ")
            }
        }
    }

    private static func appendUnicodeEscape(_ code: UInt8, _ out: inout Arena) {
        out.append("\\u00")
        out.append(hexadecimal(code >> 4))
        out.append(hexadecimal(code & 15))
    }

    /// The first control character, or lead byte of C1's, in `from..<to`; or `to`.
    @inline(__always)
    private static func nextStop(_ source: borrowing Arena, from: Int, to: Int) -> Int {
        let ones: UInt64 = 0x0101_0101_0101_0101
        var i = from
        while i < to {
            let word = source.word(at: i)
            let delete = word ^ (ones &* 0x7f)
            let lead = word ^ (ones &* 0xc2)
            // The highest bit of each byte that is meant; only bytes above such a one may have it wrongly.
            let controls = (word &- ones &* 0x20) & ~word
            let stops = (controls | (delete &- ones) & ~delete | (lead &- ones) & ~lead) & (ones &* 0x80)
            if stops != 0 { return min(to, i + stops.trailingZeroBitCount >> 3) }
            i += 8
        }
        return to
    }

    /// Appends the character at `i`, and returns where the next one is.
    @inline(never)
    private static func appendSpecial(
        _ source: borrowing Arena, at i: Int, to end: Int, _ out: inout Arena
    ) -> Int {
        let byte = source[i]
        if byte == 0xc2, i + 1 < end {
            if source[i + 1] < 0xa0 {
                appendEscape(source[i + 1], &out)
            } else {
                out.append(source, from: i, count: 2)
            }
            return i + 2
        }
        if byte == UInt8(ascii: "\t") { out.append(byte) } else { appendEscape(byte, &out) }
        return i + 1
    }

    private static func appendEscape(_ code: UInt8, _ out: inout Arena) {
        out.append("\\x")
        out.append(hexadecimal(code >> 4))
        out.append(hexadecimal(code & 15))
    }

    /// The digit of a number below sixteen.
    static func hexadecimal(_ digit: UInt8) -> UInt8 { digit < 10 ? 0x30 + digit : 0x57 + digit }
}
