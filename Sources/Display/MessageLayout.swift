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
        // No character has more columns than bytes, but for tabs and text that becomes an emoji.
        guard line.count * 8 > room else { return nil }
        let end = line.count
        let columns = TextWidth.columns(line, from: 0, to: end)
        guard columns > room else { return nil }
        // journalctl rounds it where all is ASCII, and cuts it off elsewhere.
        let wanted = (max(0, room - 1) * 90 + (columns == end ? 50 : 0)) / 100
        var (head, beforeLast, used) = (0, 0, 0)
        while head < end {
            var next = head
            let width = TextWidth.step(line, &next, end)
            if used + width > wanted { break }
            used += width
            (beforeLast, head) = (head, next)
        }
        // As much of the end as there is room for, without the ellipsis.
        var (tail, left) = (head, columns - used)
        while tail < end, left > room - used { left -= TextWidth.step(line, &tail, end) }
        // One character makes room for it.
        if tail < end {
            var freed = 0
            while freed == 0, tail < end { freed = TextWidth.step(line, &tail, end) }
        } else if head > 0 {
            head = beforeLast
        }
        (headEnd, tailStart) = (head, tail)
    }
}
