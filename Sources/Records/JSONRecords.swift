// Finds the JSON objects among the messages of a batch and notes their members.
import Bytes

extension RecordBatch {
    /// Checks every message that begins like a JSON object; those that are one get their members onto the tape.
    /// `{}` and everything else stays text.
    public mutating func parseJSON() {
        for index in 0..<rows.count {
            var row = rows[index]
            let start = Int(row.messageStart)
            let length = Int(row.messageLength)
            guard length > 2, beginsLikeObject(start, length), row.flags.isDisjoint(with: .notForJSON) else { continue }
            let before = tape.count
            let scan = JSONScanner.scanObject(arena, from: start, to: start + length, tape: &tape)
            guard scan.isObject, tape.count > before else { continue }
            row.flags.insert(.json)
            if scan.hasNewlines { row.flags.insert(.jsonHasNewlines) }
            row.tapeStart = UInt32(before)
            row.tapeCount = UInt32(tape.count - before)
            row.bodyStart = UInt32(scan.bodyStart)
            row.bodyLength = UInt32(scan.bodyEnd - scan.bodyStart)
            // What the application says of its line counts more than what its transport made of it.
            let found = severity(before, tape.count)
            if found != .unknown { row.severity = found }
            rows[index] = row
        }
    }

    @inline(__always)
    private func beginsLikeObject(_ start: Int, _ length: Int) -> Bool {
        let first = arena[start]
        if first == UInt8(ascii: "{") { return true }
        return first == UInt8(ascii: " ") || first == UInt8(ascii: "\t")
    }
}

/// The first eight bytes of a member's name and its length: enough to tell most names apart in one comparison.
struct MemberName: Equatable {
    let word: UInt64
    let length: Int

    @inline(__always)
    init(_ arena: borrowing Arena, _ member: JSONMember) {
        self.init(arena, at: Int(member.keyStart), length: Int(member.keyLength))
    }

    @inline(__always)
    init(_ arena: borrowing Arena, at start: Int, length: Int) {
        self.length = length
        let raw = arena.word(at: start)
        word = length < 8 ? raw & ((1 << UInt64(8 * length)) - 1) : raw
    }

    init(_ bytes: [UInt8]) {
        length = bytes.count
        var word: UInt64 = 0
        for (i, byte) in bytes.prefix(8).enumerated() { word |= UInt64(byte) << UInt64(8 * i) }
        self.word = word
    }

    /// Spread over all bits; different names may have the same.
    @inline(__always)
    var hash: UInt64 { (word &+ UInt64(truncatingIfNeeded: length)) &* 0x9e37_79b9_7f4a_7c15 }

    /// A bit for this name in a set of 64; different names may share one.
    @inline(__always)
    var bit: UInt64 { 1 << (hash >> 58) }

    /// Which quarter of a set of 256 that bit is in.
    @inline(__always)
    var quarter: Int { Int(hash >> 56 & 3) }

    /// Whether it may be one of the names that records use themselves (`ReservedNames.always`); exact up to eight bytes.
    @inline(__always)
    var mayBeReserved: Bool {
        switch length {
        case 4: word == 0x656d_6974 || word == 0x656c_6966  // time, file
        // stream, origin, sluice
        case 6: word == 0x6d61_6572_7473 || word == 0x6e69_6769_726f || word == 0x6563_6975_6c73
        case 7: word == 0x6c_616e_7275_6f6a  // journal
        case 8: word == 0x7974_6972_6576_6573  // severity
        case 10: word == 0x7465_6e72_6562_756b  // kubernetes
        default: false
        }
    }
}
