// Writes records as lines of JSON, the native shape of docs/records.md. A clean JSON message costs one copy of its bytes.
public import Bytes

/// What becomes of a message that is a JSON object.
public enum JSONMode: Sendable, Equatable {
    /// Its members become members of the record.
    case merge
    /// It stays text.
    case off
    /// It is kept whole, as an object under this key.
    case under(String)
}

/// How long a text may become when it is escaped. Limits such as `max_line` are for what is read, and a control character becomes
/// six bytes; but what is stored and sent has to have a limit too.
package enum EscapedSize {
    /// A text of so many bytes may be escaped without looking how long it becomes.
    package static let alwaysFits = 16 * 1024

    /// Bytes that a text may become. Quotes and newlines, which every text has, double, and a byte that is not UTF-8 becomes three.
    @inline(__always)
    package static func limit(_ length: Int) -> Int { 3 * length + 3 * alwaysFits }
}

/// The names that members of a message cannot have in a record.
public struct ReservedNames: Sendable {
    /// The names that records use themselves.
    public static let always = ["time", "stream", "severity", "origin", "kubernetes", "journal", "file", "sluice"]

    private let names: [[UInt8]]
    /// The bits of all of them (`MemberName.bit`): most other names are told apart by theirs.
    let bits: UInt64
    /// Those of the static `fields`; 0 without them.
    private let fieldBits: UInt64

    /// The names records use, and those of the static `fields`.
    public init(fields: [String] = []) {
        names = (ReservedNames.always + fields).map { Array($0.utf8) }
        fieldBits = fields.reduce(0) { $0 | MemberName(Array($1.utf8)).bit }
        bits = names.reduce(0) { $0 | MemberName($1).bit }
    }

    /// Whether a name whose bit is in `bits` may be reserved after all.
    @inline(__always)
    func mayContain(_ name: MemberName) -> Bool { name.mayBeReserved || fieldBits & name.bit != 0 }

    /// Whether a decoded name is reserved.
    func contains(_ name: [UInt8]) -> Bool { names.contains(name) }
}

/// Encodes rows of batches. It keeps what repeats from one record to the next: the second of the time.
public struct RecordEncoder: ~Copyable {
    private var times = TimestampWriter()
    private let reserved: ReservedNames
    private let mode: JSONMode
    private let underKey: [UInt8]
    /// What stands between the time and the message, by stream and severity: `","stream":"stdout","severity":"info"`.
    private var middles = Arena(capacity: 2048)
    /// Where each of them begins; the next one begins where it ends.
    private var middleEnds = Column<Int>(capacity: 32)
    private static let severities = 10

    public init(mode: JSONMode, reserved: ReservedNames) {
        self.mode = mode
        self.reserved = reserved
        var key = Arena(capacity: 64)
        if case .under(let name) = mode {
            key.append(",")
            key.appendJSONString(name)
            key.append(":")
        }
        underKey = Array(copying: key.span)
        middleEnds.append(0)
        for stream in [RecordStream.none, .stdout, .stderr] {
            for severity in Severity.allCases {
                middles.append("\"")
                if stream == .stdout { middles.append(",\"stream\":\"stdout\"") }
                if stream == .stderr { middles.append(",\"stream\":\"stderr\"") }
                if severity != .unknown {
                    middles.append(",\"severity\":\"")
                    middles.append(severity.name)
                    middles.append("\"")
                }
                middleEnds.append(middles.count)
            }
        }
    }

    /// Appends one record and its newline to `out`; what had to be mended is added to `counts`.
    public mutating func append(
        _ row: Row, of batch: borrowing RecordBatch, to out: inout Arena, counts: inout Counts
    ) {
        let messageLength = Int(row.messageLength)
        out.reserve(messageLength + batch.ending.count + 256)
        out.append("{\"time\":\"")
        times.append(row.time, to: &out)
        let middle = Int(row.stream.rawValue) * RecordEncoder.severities + Int(row.severity.rawValue)
        out.appendShort(middles, from: middleEnds[middle], count: middleEnds[middle + 1] - middleEnds[middle])
        let start = out.count
        var flags = row.flags
        if flags.contains(.parsed) || flags.contains(.json) && mode != .off {
            if mode == .merge || flags.contains(.parsed) {
                RecordEncoder.appendMerged(row, batch, reserved, &out, &counts)
            } else {
                out.append(underKey)
                out.append("{")
                out.append(batch.arena, from: Int(row.bodyStart), count: Int(row.bodyLength))
                out.append("}")
            }
            if flags.contains(.jsonHasNewlines) { RecordEncoder.replaceNewlines(&out, from: start) }
        } else {
            out.append(",\"message\":\"")
            let hasReplaced: Bool
            if messageLength <= EscapedSize.alwaysFits {
                hasReplaced = out.appendEscaped(batch.arena, from: Int(row.messageStart), count: messageLength)
            } else {
                hasReplaced = RecordEncoder.appendLong(row, batch, &out, &flags, &counts)
            }
            if hasReplaced {
                if !flags.contains(.invalidText) { counts[.invalidTextRecords] += 1 }
                flags.insert(.invalidText)
            }
            out.append("\"")
        }
        if !flags.isDisjoint(with: .marks) { RecordEncoder.appendMarks(flags, &out) }
        if row.ending == 0 {
            out.append(batch.ending.span)
        } else {
            let ending = batch.endings[Int(row.ending) - 1]
            out.append(batch.arena, from: Int(ending.start), count: Int(ending.length))
        }
    }

    // These are static and get the names alone: a method would have the whole encoder copied before each call.

    /// Appends a message of which escaping may make too much, up to what is allowed. Returns whether something was not UTF-8.
    @inline(never)
    private static func appendLong(
        _ row: Row, _ batch: borrowing RecordBatch, _ out: inout Arena, _ flags: inout RecordFlags,
        _ counts: inout Counts
    ) -> Bool {
        let length = Int(row.messageLength)
        let part = out.appendEscaped(
            batch.arena, from: Int(row.messageStart), count: length, atMost: EscapedSize.limit(length))
        if part.length < length {
            counts[.skippedBytes] += UInt64(length - part.length)
            if !flags.contains(.truncated) { counts[.truncatedRecords] += 1 }
            flags.insert(.truncated)
        }
        return part.hasReplaced
    }

    @inline(__always)
    private static func appendMerged(
        _ row: Row, _ batch: borrowing RecordBatch, _ reserved: borrowing ReservedNames, _ out: inout Arena,
        _ counts: inout Counts
    ) {
        if isClean(row, batch, reserved) {
            out.append(",")
            out.append(batch.arena, from: Int(row.bodyStart), count: Int(row.bodyLength))
        } else {
            appendMembers(row, batch, reserved, &out, &counts)
        }
    }

    /// A newline between tokens of valid JSON is white space, and a record is one line.
    @inline(never)
    private static func replaceNewlines(_ out: inout Arena, from start: Int) {
        for i in start..<out.count where out[i] == UInt8(ascii: "\n") { out[i] = UInt8(ascii: " ") }
    }

    /// Whether no member's name is reserved or given twice, as far as can be told cheaply; else each is looked at.
    @inline(__always)
    private static func isClean(_ row: Row, _ batch: borrowing RecordBatch, _ reserved: borrowing ReservedNames) -> Bool
    {
        // A set of 256 bits tells most names apart; where it does not, each is looked at.
        var seen: [4 of UInt64] = .init(repeating: 0)
        let reservedBits = reserved.bits
        let from = Int(row.tapeStart)
        for index in from..<(from + Int(row.tapeCount)) {
            let member = batch.tape[index]
            let name = MemberName(batch.arena, member)
            let (quarter, bit) = (name.quarter, name.bit)
            if seen[quarter] & bit != 0 || member.keyHasEscapes || reservedBits & bit != 0 && reserved.mayContain(name)
            {
                return isCleanWhenLookedAt(row, batch, reserved)
            }
            seen[quarter] |= bit
        }
        return true
    }

    @inline(never)
    private static func isCleanWhenLookedAt(
        _ row: Row, _ batch: borrowing RecordBatch, _ reserved: borrowing ReservedNames
    ) -> Bool {
        let from = Int(row.tapeStart)
        let to = from + Int(row.tapeCount)
        guard to - from <= 32 else { return false }
        for index in from..<to {
            let member = batch.tape[index]
            if member.keyHasEscapes { return false }
            let name = MemberName(batch.arena, member)
            if reserved.mayContain(name), reserved.contains(batch.key(member)) { return false }
            for earlier in from..<index where MemberName(batch.arena, batch.tape[earlier]) == name {
                if name.length <= 8 || batch.key(batch.tape[earlier]) == batch.key(member) { return false }
            }
        }
        return true
    }

    /// Member by member: of equal names the last one stays, a reserved name gets `_` appended until it is free.
    @inline(never)
    private static func appendMembers(
        _ row: Row, _ batch: borrowing RecordBatch, _ reserved: borrowing ReservedNames, _ out: inout Arena,
        _ counts: inout Counts
    ) {
        let from = Int(row.tapeStart)
        let to = from + Int(row.tapeCount)
        var last: [[UInt8]: Int] = [:]
        var names: [[UInt8]] = []
        for index in from..<to {
            let name = batch.key(batch.tape[index])
            last[name] = index
            names.append(name)
        }
        var taken = Set(names)
        for index in from..<to {
            let member = batch.tape[index]
            var name = names[index - from]
            guard last[name] == index else {
                counts[.duplicateMembers] += 1
                continue
            }
            if reserved.contains(name) {
                repeat { name.append(UInt8(ascii: "_")) } while reserved.contains(name) || taken.contains(name)
                taken.insert(name)
                counts[.renamedMembers] += 1
            }
            out.append(",")
            out.appendJSONString(name)
            out.append(":")
            out.append(batch.arena, from: Int(member.valueStart), count: Int(member.valueLength))
        }
    }

    @inline(never)
    private static func appendMarks(_ flags: RecordFlags, _ out: inout Arena) {
        out.append(",\"sluice\":[")
        var separator: StaticString = ""
        func put(_ flag: RecordFlags, _ name: StaticString, _ out: inout Arena) {
            guard flags.contains(flag) else { return }
            out.append(separator)
            out.append("\"")
            out.append(name)
            out.append("\"")
            separator = ","
        }
        put(.truncated, "truncated", &out)
        put(.malformed, "malformed", &out)
        put(.unfinished, "unfinished", &out)
        put(.invalidText, "invalid_text", &out)
        out.append("]")
    }
}

extension RecordBatch {
    /// The decoded name of a member.
    func key(_ member: JSONMember) -> [UInt8] { JSONScanner.decodedKey(arena, member) }
}
