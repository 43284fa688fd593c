// JSON over several lines.
import Bytes

extension Arena {
    /// Appends the JSON value in `from..<to` of `source`, its members a line each and two spaces further in than what they are in.
    /// Members keep their order, strings and numbers their bytes. It has to be valid.
    mutating func appendPretty(_ source: borrowing Arena, from: Int, to: Int) {
        var depth = 0
        var i = from
        while i < to {
            let byte = source[i]
            switch byte {
            case UInt8(ascii: "{"), UInt8(ascii: "["):
                append(byte)
                i = Arena.skipSpace(source, i + 1, to)
                // In ASCII the closing brackets come two after their opening ones.
                if i < to, source[i] == byte + 2 {
                    append(source[i])
                    i += 1
                } else {
                    depth += 1
                    appendLineStart(depth)
                }
                continue
            case UInt8(ascii: "}"), UInt8(ascii: "]"):
                depth -= 1
                appendLineStart(depth)
                append(byte)
            case UInt8(ascii: ","):
                append(byte)
                appendLineStart(depth)
            case UInt8(ascii: ":"): append(": ")
            case UInt8(ascii: "\""):
                let end = Arena.stringEnd(source, i + 1, to)
                append(source, from: i, count: end - i)
                i = end
                continue
            case UInt8(ascii: " "), UInt8(ascii: "\t"), UInt8(ascii: "\r"), UInt8(ascii: "\n"): break
            default: append(byte)
            }
            i += 1
        }
    }

    private mutating func appendLineStart(_ depth: Int) {
        append("\n")
        for _ in 0..<max(0, depth) { append("  ") }
    }

    private static func skipSpace(_ source: borrowing Arena, _ start: Int, _ end: Int) -> Int {
        var i = start
        while i < end, source[i] <= 0x20 { i += 1 }
        return i
    }

    /// The place behind a string's last quote.
    private static func stringEnd(_ source: borrowing Arena, _ start: Int, _ end: Int) -> Int {
        var i = start
        while i < end {
            switch source[i] {
            case UInt8(ascii: "\""): return i + 1
            case UInt8(ascii: "\\"): i += 2
            default: i += 1
            }
        }
        return end
    }
}
