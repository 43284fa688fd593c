// Names of files are bytes, ours are text. A byte that is no UTF-8 is written `\xe9`, and read as that byte by whatever opens, lists or
// watches a path. All other names are written as they are; one that happens to look like such an escape has its backslash escaped.
private import CLinux
private import Glibc

/// Turns the system's names into text and back, without loss.
enum EscapedPath {
    private static let backslash = UInt8(ascii: "\\")

    /// The text for a name or path as the system has it.
    static func text(of name: [UInt8]) -> String {
        if let text = String(validating: name, as: UTF8.self), !name.contains(backslash) { return text }
        var text = ""
        var at = 0
        while at < name.count {
            if name[at] == backslash, escapedByte(name, at) != nil {
                text += #"\x5c"#
                at += 1
            } else if let (character, length) = character(name, at) {
                text += character
                at += length
            } else {
                let digits = String(name[at], radix: 16)
                text += #"\x"# + (digits.count < 2 ? "0" : "") + digits
                at += 1
            }
        }
        return text
    }

    /// The text for a name that ends with a zero byte.
    static func text(of name: UnsafePointer<CChar>) -> String {
        unsafe text(of: Array(UnsafeBufferPointer(start: name, count: strlen(name)).map { UInt8(bitPattern: $0) }))
    }

    /// The name or path as the system has it, with a zero byte at its end.
    static func bytes(of text: String) -> [CChar] {
        let written = Array(text.utf8)
        guard written.contains(backslash) else { return written.map { CChar(bitPattern: $0) } + [0] }
        var name: [CChar] = []
        var at = 0
        while at < written.count {
            if let byte = escapedByte(written, at) {
                name.append(CChar(bitPattern: byte))
                at += 4
            } else {
                name.append(CChar(bitPattern: written[at]))
                at += 1
            }
        }
        return name + [0]
    }

    /// The byte that an escape at this place stands for; nil when there is none. Only bytes that are no ASCII and the backslash itself
    /// are ever escaped.
    private static func escapedByte(_ text: [UInt8], _ at: Int) -> UInt8? {
        guard at + 4 <= text.count, text[at] == backslash, text[at + 1] == UInt8(ascii: "x"),
            let high = digit(text[at + 2]), let low = digit(text[at + 3])
        else { return nil }
        let byte = high << 4 | low
        return byte >= 0x80 || byte == backslash ? byte : nil
    }

    private static func digit(_ character: UInt8) -> UInt8? {
        switch character {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): character - UInt8(ascii: "0")
        case UInt8(ascii: "a")...UInt8(ascii: "f"): character - UInt8(ascii: "a") + 10
        default: nil
        }
    }

    /// The character that begins at this place, and how many bytes it has; nil when these bytes are none.
    private static func character(_ name: [UInt8], _ at: Int) -> (String, Int)? {
        for length in 1...4 where at + length <= name.count {
            if let text = String(validating: name[at..<(at + length)], as: UTF8.self) { return (text, length) }
        }
        return nil
    }
}
