// Lays a message out behind its place: lines, colours, emphasis, and what is cut.
import Bytes

/// Writes the lines of messages. One is used again and again.
struct MessageLayout: ~Copyable {
    private let width: Int?
    private let highlight: (@Sendable (Span<UInt8>) -> [Range<Int>])?
    /// A line as it is shown, and where in it something is emphasised.
    private var shown = Arena(capacity: 4096)
    private var emphasised: [Range<Int>] = []

    init(width: Int?, highlight: (@Sendable (Span<UInt8>) -> [Range<Int>])?) {
        self.width = width
        self.highlight = highlight
    }

    /// Appends a message and its last newline.
    /// - Parameter indent: the columns before its first line; the further ones begin below it. nil: a newline at its end is shown as one.
    /// - Parameter colors: nil for neither colours nor emphasis.
    mutating func append(
        _ text: borrowing Arena, indent: Int?, colors: LineColors?, to out: inout Arena
    ) {
        let ranges = colors == nil ? [] : highlight?(text.span) ?? []
        // Where there is no room for anything, not even the indent is shown.
        let isNarrow = width.map { $0 - (indent ?? 0) < 3 } ?? false
        var start = 0
        repeat {
            let newline = ByteSearch.firstIndex(of: UInt8(ascii: "\n"), in: text, from: start, to: text.count)
            let end = newline < 0 ? text.count : newline
            if start > 0, let indent, !isNarrow { for _ in 0..<indent { out.append(" ") } }
            if text.count > 0 || indent == nil, let colors, !colors.isPlain { out.append(colors.on) }
            if width == nil && ranges.isEmpty {
                Printable.append(text, from: start, to: end, to: &out)
            } else {
                prepare(text, start, end, ranges)
                appendShown(room: width.map { $0 - (indent ?? 0) }, colors, &out)
            }
            if text.count > 0 || indent == nil, let colors, !colors.isPlain { out.append(LineColors.off) }
            out.append("\n")
            if newline < 0 { break }
            start = newline + 1
        } while start < text.count || indent == nil
    }

    /// Puts a line of the text into `shown`.
    private mutating func prepare(
        _ text: borrowing Arena, _ start: Int, _ end: Int, _ ranges: [Range<Int>]
    ) {
        shown.removeAll()
        emphasised.removeAll(keepingCapacity: true)
        var i = start
        for range in ranges {
            let wanted = range.clamped(to: i..<max(i, end))
            // Half a character would be something else.
            let from = MessageLayout.characterStart(text, wanted.lowerBound, from: i)
            let part = from..<MessageLayout.characterStart(text, wanted.upperBound, from: from)
            guard !part.isEmpty else { continue }
            Printable.append(text, from: i, to: part.lowerBound, to: &shown)
            let first = shown.count
            Printable.append(text, from: part.lowerBound, to: part.upperBound, to: &shown)
            emphasised.append(first..<shown.count)
            i = part.upperBound
        }
        Printable.append(text, from: i, to: end, to: &shown)
    }

    /// Where the character begins that `index` lies in.
    private static func characterStart(_ text: borrowing Arena, _ index: Int, from: Int) -> Int {
        var i = index
        while i > from, i < text.count, text[i] & 0xc0 == 0x80 { i -= 1 }
        return i
    }

    /// Appends `shown`, or as much of its beginning and its end as there is room for, in columns.
    private func appendShown(room: Int?, _ colors: LineColors?, _ out: inout Arena) {
        guard let room, let cut = Ellipsis(shown, room: room) else {
            return appendPart(0..<shown.count, colors, &out)
        }
        guard room >= 3 else { return out.append("...") }
        appendPart(0..<cut.headEnd, colors, &out)
        out.append("\u{2026}")
        appendPart(cut.tailStart..<shown.count, colors, &out)
    }

    private func appendPart(_ part: Range<Int>, _ colors: LineColors?, _ out: inout Arena) {
        var i = part.lowerBound
        for range in emphasised {
            let piece = range.clamped(to: i..<max(i, part.upperBound))
            guard !piece.isEmpty, let colors else { continue }
            out.append(shown, from: i, count: piece.lowerBound - i)
            out.append(colors.emphasis)
            out.append(shown, from: piece.lowerBound, count: piece.count)
            out.append(colors.isPlain ? LineColors.off : colors.on)
            i = piece.upperBound
        }
        out.append(shown, from: i, count: part.upperBound - i)
    }
}

/// Where a line is cut that is too long: nine tenths are of its beginning, as journalctl has it.
private struct Ellipsis {
    let headEnd: Int
    let tailStart: Int

    /// nil when all of `line` fits into `room` columns.
    init?(_ line: borrowing Arena, room: Int) {
        guard line.count > room else { return nil }
        var columns = 0
        var i = 0
        while i < line.count { columns += Ellipsis.columns(line, at: &i) }
        guard columns > room else { return nil }
        // journalctl rounds it where all is ASCII, and cuts it off elsewhere.
        let wanted = (max(0, room - 1) * 90 + (columns == line.count ? 50 : 0)) / 100
        var (head, used) = (0, 0)
        while head < line.count {
            var next = head
            let width = Ellipsis.columns(line, at: &next)
            if used + width > wanted { break }
            used += width
            head = next
        }
        var tail = line.count
        while tail > head {
            let previous = Ellipsis.previous(line, before: tail)
            var next = previous
            let width = Ellipsis.columns(line, at: &next)
            if used + width > room { break }
            used += width
            tail = previous
        }
        // One character makes room for the ellipsis.
        if tail < line.count {
            _ = Ellipsis.columns(line, at: &tail)
        } else if head > 0 {
            head = Ellipsis.previous(line, before: head)
        }
        (headEnd, tailStart) = (head, tail)
    }

    private static func previous(_ line: borrowing Arena, before end: Int) -> Int {
        var i = end - 1
        while i > 0, line[i] & 0xc0 == 0x80 { i -= 1 }
        return i
    }

    /// The columns of the character at `i`, which moves behind it. A tab counts as the most that it can take.
    private static func columns(_ line: borrowing Arena, at i: inout Int) -> Int {
        let byte = line[i]
        if byte < 0x80 {
            i += 1
            return byte == UInt8(ascii: "\t") ? 8 : 1
        }
        let length = max(1, abs(UTF8Text.step(line, at: i, to: line.count)))
        var code = UInt32(byte) & (0x7f >> UInt32(length))
        for k in i + 1..<i + length { code = code << 6 | UInt32(line[k] & 0x3f) }
        i += length
        return isWide(code) ? 2 : 1
    }

    /// The blocks of characters that take two columns: East Asian scripts and what is used with them, and most pictographs.
    private static func isWide(_ code: UInt32) -> Bool {
        switch code {
        case 0x1100...0x115f, 0x2e80...0x303e, 0x3041...0x4dbf, 0x4e00...0xa4cf, 0xa960...0xa97c, 0xac00...0xd7a3,
            0xf900...0xfaff, 0xfe30...0xfe6f, 0xff01...0xff60, 0xffe0...0xffe6, 0x1f300...0x1f64f, 0x1f680...0x1f6ff,
            0x1f900...0x1f9ff, 0x20000...0x3fffd:
            true
        default: false
        }
    }
}
