// Recognises klog lines, as Kubernetes' own programs write them, by their header.
public import Bytes

/// What a klog line tells without being taken apart.
public enum KlogLine {
    /// The severity in the header of `line`; nil when it does not begin with one. Most other lines are told by their
    /// first byte.
    @inline(__always)
    public static func severity(of line: Span<UInt8>) -> Severity? {
        guard KlogHeader.mayBegin(line) else { return nil }
        return KlogHeader(line)?.severity
    }

    /// The severity in the header of the line in `from..<to` of `arena`; nil when it does not begin with one.
    @inline(__always)
    public static func severity(of arena: borrowing Arena, from: Int, to: Int) -> Severity? {
        severity(of: arena.span.extracting(from..<to))
    }
}

/// `E1123 03:28:02.913293   16167 kubelet.go:2243] `, as offsets from the beginning of the line.
///
/// It is strict: whatever else begins with a letter and digits is a text, and has to stay one.
struct KlogHeader {
    /// `I1123 03:28:02.913293 1 f:1]`
    static let shortest = 28
    /// The date and the time stand always at the same place.
    static let time = 1..<21

    let severity: Severity
    let thread: Range<Int>
    /// File, colon and line number. There is nothing in it that JSON would have to escape.
    let caller: Range<Int>
    /// Where the text begins, or the end of the line.
    let textStart: Int

    /// Whether a line is long enough and has the right first byte.
    @inline(__always)
    static func mayBegin(_ line: Span<UInt8>) -> Bool { line.count >= shortest && severity(line[0]) != .unknown }

    /// The severity of a header's letter.
    @inline(__always)
    static func severity(_ letter: UInt8) -> Severity {
        switch letter {
        case UInt8(ascii: "I"): .info
        case UInt8(ascii: "W"): .warning
        case UInt8(ascii: "E"): .error
        case UInt8(ascii: "F"): .critical
        default: .unknown
        }
    }

    /// The header at the beginning of `line`; nil when there is none.
    @inline(never)
    init?(_ line: Span<UInt8>) {
        guard KlogHeader.mayBegin(line), KlogHeader.isTime(line), line[21] == UInt8(ascii: " ") else { return nil }
        severity = KlogHeader.severity(line[0])
        var i = 22
        while i < line.count, line[i] == UInt8(ascii: " ") { i += 1 }
        thread = i..<KlogHeader.digits(line, i)
        // It becomes a number: one that JSON allows and a double holds exactly.
        guard (1...15).contains(thread.count), thread.count == 1 || line[i] != UInt8(ascii: "0") else { return nil }
        i = thread.upperBound
        guard i < line.count, line[i] == UInt8(ascii: " ") else { return nil }
        i += 1
        let callerStart = i
        while i < line.count, KlogHeader.isOfFileName(line[i]) { i += 1 }
        guard i > callerStart, i < line.count, line[i] == UInt8(ascii: ":") else { return nil }
        let number = i + 1
        i = KlogHeader.digits(line, number)
        guard i > number, i < line.count, line[i] == UInt8(ascii: "]") else { return nil }
        caller = callerStart..<i
        i += 1
        guard i == line.count || line[i] == UInt8(ascii: " ") else { return nil }
        textStart = min(i + 1, line.count)
    }

    /// Whether `1123 03:28:02.913293` stands behind the letter, as a clock can show it.
    @inline(__always)
    private static func isTime(_ line: Span<UInt8>) -> Bool {
        let (month, day) = (two(line, 1), two(line, 3))
        let (hour, minute, second) = (two(line, 6), two(line, 9), two(line, 12))
        guard month > 0, month <= 12, day > 0, day <= 31, hour < 24, minute < 60, second < 60 else { return false }
        return line[5] == UInt8(ascii: " ") && line[8] == UInt8(ascii: ":") && line[11] == UInt8(ascii: ":")
            && line[14] == UInt8(ascii: ".") && two(line, 15) < 100 && two(line, 17) < 100 && two(line, 19) < 100
    }

    /// The value of two digits; 255 for anything else.
    @inline(__always)
    private static func two(_ line: Span<UInt8>, _ i: Int) -> UInt8 {
        let (tens, ones) = (line[i] &- 0x30, line[i + 1] &- 0x30)
        return tens < 10 && ones < 10 ? tens * 10 + ones : 255
    }

    /// Where the digits from `start` on end.
    @inline(__always)
    private static func digits(_ line: Span<UInt8>, _ start: Int) -> Int {
        var i = start
        while i < line.count, line[i] &- 0x30 < 10 { i += 1 }
        return i
    }

    /// Visible ASCII, without the colon that ends the name and what JSON would have to escape.
    @inline(__always)
    private static func isOfFileName(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: ":"), UInt8(ascii: "\""), UInt8(ascii: "\\"): false
        default: byte > 0x20 && byte < 0x7f
        }
    }
}
