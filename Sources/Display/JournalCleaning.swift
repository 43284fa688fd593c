// Text of journal entries as journalctl prints it: without what programs write for terminals.
import Bytes

/// Takes out of messages what journalctl does not show either.
enum JournalCleaning {
    /// Appends `text` without colours, links and titles for terminals, and without carriage returns at the ends of lines; a tab becomes
    /// eight spaces. Other control characters stay.
    static func append(_ text: borrowing Arena, to out: inout Arena) {
        var i = 0
        while i < text.count {
            let stop = nextStop(text, from: i)
            out.append(text, from: i, count: stop - i)
            i = stop
            if i < text.count { i = appendSpecial(text, at: i, &out) }
        }
    }

    /// The first tab, carriage return or escape character from `start` on, or the end.
    private static func nextStop(_ text: borrowing Arena, from start: Int) -> Int {
        var i = start
        while i < text.count {
            let byte = text[i]
            if byte == UInt8(ascii: "\t") || byte == UInt8(ascii: "\r") || byte == 0x1b { return i }
            i += 1
        }
        return i
    }

    /// Appends what becomes of the character at `i`, and returns where the next one is.
    private static func appendSpecial(_ text: borrowing Arena, at i: Int, _ out: inout Arena) -> Int {
        let byte = text[i]
        var next = i + 1
        if byte == UInt8(ascii: "\t") {
            out.append("        ")
            return next
        }
        if byte == 0x1b {
            let end = sequenceEnd(text, from: next)
            if end > 0 { return end }
        } else {
            while next < text.count, text[next] == byte { next += 1 }
            if next == text.count || text[next] == UInt8(ascii: "\n") { return next }
        }
        out.append(text, from: i, count: next - i)
        return next
    }

    /// Where a sequence that sets colours, or one for the terminal's window or links, ends behind its escape character; -1 for any other.
    private static func sequenceEnd(_ text: borrowing Arena, from start: Int) -> Int {
        let end = text.count
        guard start < end else { return -1 }
        var i = start + 1
        if text[start] == UInt8(ascii: "[") {
            while i < end, text[i] &- 0x30 < 10 || text[i] == UInt8(ascii: ";") { i += 1 }
            return i < end && text[i] == UInt8(ascii: "m") ? i + 1 : -1
        }
        guard text[start] == UInt8(ascii: "]") else { return -1 }
        while i < end, text[i] >= 0x20, text[i] < 0x7f { i += 1 }
        return i < end && text[i] == 0x07 ? i + 1 : -1
    }
}
