// One line as container runtimes write it: `2026-11-23T03:14:07.123456789Z stdout F message`.
// The format is the CRI's (kubernetes/design-proposals, kubelet-cri-logging); P marks a piece, F the last or only one.
package import Bytes
package import Records

/// The parts of a CRI line, as offsets into the arena that it lies in.
package struct CRILine: BitwiseCopyable, Sendable {
    /// Nanoseconds since 1970.
    package var time: Int64
    package var messageStart: Int
    package var stream: RecordStream
    package var isPartial: Bool

    /// Reads the line at `start..<end` (without its newline); nil when it is not in this format.
    @inline(__always)
    package init?(_ arena: borrowing Arena, from start: Int, to end: Int, _ times: inout TimestampParser) {
        let time = times.parse(arena, from: start, to: end)
        guard time != TimestampParser.invalid else { return nil }
        let at = times.end
        // " stdout " or " stderr ", eight bytes, the tag's letter, and a space or colon or the line's end.
        guard at + 9 <= end else { return nil }
        switch arena.word(at: at) {
        case 0x2074_756f_6474_7320: stream = .stdout
        case 0x2072_7265_6474_7320: stream = .stderr
        default: return nil
        }
        self.time = time
        // "F " and a message, as in most lines.
        if at + 10 <= end, arena.word(at: at + 8) & 0xffff == 0x2046 {
            isPartial = false
            messageStart = at + 10
            return
        }
        switch arena[at + 8] {
        case UInt8(ascii: "F"): isPartial = false
        case UInt8(ascii: "P"): isPartial = true
        default: return nil
        }
        var message = at + 9
        if message < end {
            if arena[message] == UInt8(ascii: ":") {
                // Further tags, as the format allows.
                while message < end, arena[message] != UInt8(ascii: " ") { message += 1 }
            }
            guard message == end || arena[message] == UInt8(ascii: " ") else { return nil }
            if message < end { message += 1 }
        }
        messageStart = message
    }
}
