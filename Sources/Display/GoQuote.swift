// Writes strings as Go's strconv.Quote does.
import Bytes

extension Arena {
    /// Appends `from..<to` of `source`, which is UTF-8, in quotes; what Go does not take for printable is escaped.
    mutating func appendGoQuoted(_ source: borrowing Arena, from: Int, to: Int) {
        append("\"")
        var i = from
        while i < to {
            let byte = source[i]
            if byte < 0x80 {
                appendGoByte(byte)
                i += 1
                continue
            }
            let length = UTF8Text.step(source, at: i, to: to)
            guard length > 0 else {
                for k in i..<i - length { appendHexadecimalByte(source[k]) }
                i -= length
                continue
            }
            appendGoCharacter(source, at: i, length)
            i += length
        }
        append("\"")
    }

    /// A character of ASCII.
    @inline(__always)
    private mutating func appendGoByte(_ byte: UInt8) {
        switch byte {
        case UInt8(ascii: "\""): append("\\\"")
        case UInt8(ascii: "\\"): append("\\\\")
        case 0x07: append("\\a")
        case 0x08: append("\\b")
        case 0x09: append("\\t")
        case 0x0a: append("\\n")
        case 0x0b: append("\\v")
        case 0x0c: append("\\f")
        case 0x0d: append("\\r")
        case 0..<0x20, 0x7f: appendHexadecimalByte(byte)
        default: append(byte)
        }
    }

    private mutating func appendHexadecimalByte(_ byte: UInt8) {
        append("\\x")
        append(Printable.hexadecimal(byte >> 4))
        append(Printable.hexadecimal(byte & 15))
    }

    /// A character beyond ASCII: of `length` bytes, two to four.
    private mutating func appendGoCharacter(_ source: borrowing Arena, at i: Int, _ length: Int) {
        var code = UInt32(source[i]) & (0x7f >> UInt32(length))
        for k in i + 1..<i + length { code = code << 6 | UInt32(source[k] & 0x3f) }
        guard let scalar = Unicode.Scalar(code), !Arena.isGoPrintable(scalar) else {
            append(source, from: i, count: length)
            return
        }
        let digits = code < 0x10000 ? 4 : 8
        append(code < 0x10000 ? "\\u" : "\\U")
        for k in (0..<digits).reversed() {
            append(Printable.hexadecimal(UInt8(truncatingIfNeeded: code >> UInt32(4 * k)) & 15))
        }
    }

    /// Letters, marks, numbers, punctuation and symbols; no spaces but that of ASCII.
    private static func isGoPrintable(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.properties.generalCategory {
        case .control, .format, .surrogate, .privateUse, .unassigned, .spaceSeparator, .lineSeparator,
            .paragraphSeparator:
            false
        default: true
        }
    }
}
