// Takes the klog lines of a batch apart: severity, caller, message and pairs become members of their records.
import Bytes

extension RecordBatch {
    /// Looks for klog lines among the records that are neither JSON nor taken apart already, and gives each one its
    /// severity and the members `message`, `caller` and `klog` (docs/records.md).
    ///
    /// The members' text lies behind what was read; `messageStart` and `messageLength` then say where the text behind
    /// the header lies, as it was written. A line that was cut short keeps its mark, and its text is taken as it stands.
    public mutating func parseKlog() {
        klog.removeAll()
        // Where the members will be, once all of them are there.
        let base = arena.count
        for index in 0..<rows.count {
            let length = Int(rows[index].messageLength)
            guard length >= KlogHeader.shortest,
                KlogHeader.severity(arena[Int(rows[index].messageStart)]) != .unknown,
                rows[index].flags.isDisjoint(with: .takenApart)
            else { continue }
            parseKlog(index, base)
        }
        arena.append(klog.json, from: 0, count: klog.json.count)
    }

    @inline(__always)
    private mutating func parseKlog(_ index: Int, _ base: Int) {
        var row = rows[index]
        let line = Int(row.messageStart)..<Int(row.messageStart) + Int(row.messageLength)
        guard let header = KlogHeader(arena.span.extracting(line)) else { return }
        let (start, tapeStart) = (klog.json.count, tape.count)
        row.tapeStart = UInt32(tapeStart)
        row.tapeCount = 3
        let isWhole = row.flags.isDisjoint(with: .cutShort)
        let hasReplaced = klog.append(header, of: arena, line, isWhole: isWhole, base: base, tape: &tape)
        if line.count > EscapedSize.alwaysFits, klog.json.count - start > EscapedSize.limit(line.count) {
            // The encoder cuts a plain message, but no members.
            klog.forget(from: start)
            tape.truncate(to: tapeStart)
            rows[index].severity = header.severity
            return
        }
        if hasReplaced {
            // The encoder sees that only of plain messages.
            if !row.flags.contains(.invalidText) { counts[.invalidTextRecords] += 1 }
            row.flags.insert(.invalidText)
        }
        row.bodyStart = UInt32(base + start)
        row.bodyLength = UInt32(klog.json.count - start)
        row.messageStart += UInt32(header.textStart)
        row.messageLength -= UInt32(header.textStart)
        row.severity = header.severity
        row.flags.insert(.parsed)
        rows[index] = row
    }
}

/// The members of klog lines as JSON text, one line's behind the other's. A batch has one and uses it again and again.
///
/// The text is put together here, because an arena cannot be escaped into itself.
struct KlogMembers: ~Copyable {
    /// `"message":"...","caller":"...","klog":{...}` of each line.
    private(set) var json = Arena(capacity: 0)
    /// The bytes of a quoted string with escapes.
    private var decoded = Arena(capacity: 0)
    /// The names that `klog` of the present line has, in `json`.
    private var names = Column<ByteRange>(capacity: 16)
    /// A bit for each of them: most names are told apart by it.
    private var nameBits: UInt64 = 0
    /// Something in the present line was not UTF-8.
    private var hasReplaced = false

    /// Forgets all lines and keeps the room.
    mutating func removeAll() { json.removeAll() }

    /// Forgets the last line, which begins at `start`.
    mutating func forget(from start: Int) { json.truncate(to: start) }

    /// Forgets all lines, and gives back room above `limit` bytes.
    mutating func shrink(toAtMost limit: Int) {
        json.shrink(toAtMost: limit)
        decoded.shrink(toAtMost: limit)
    }

    /// Appends the members of a line and notes them on the tape, as they will be when `json` lies at `base` of an arena.
    /// - Parameter isWhole: without its end, what looks like pairs may be parts of them.
    /// - Returns: whether something was not UTF-8 and became U+FFFD.
    mutating func append(
        _ header: KlogHeader, of arena: borrowing Arena, _ line: Range<Int>, isWhole: Bool, base: Int,
        tape: inout Column<JSONMember>
    ) -> Bool {
        let start = json.count
        let text = line.lowerBound + header.textStart
        hasReplaced = false
        json.append("\"message\":\"")
        if isWhole, text < line.upperBound, arena[text] == UInt8(ascii: "\"") {
            let next = appendGoString(arena, from: text + 1, to: line.upperBound)
            if next >= 0 {
                json.append("\"")
                let messageEnd = json.count
                let callerEnd = append(header, arena, line.lowerBound)
                if appendPairs(arena, from: next, to: line.upperBound) {
                    note(start, messageEnd, callerEnd, base, &tape)
                    return hasReplaced
                }
            }
            // No structured text after all.
            json.truncate(to: start + 11)
        }
        hasReplaced = json.appendEscaped(arena, from: text, count: line.upperBound - text)
        json.append("\"")
        let messageEnd = json.count
        let callerEnd = append(header, arena, line.lowerBound)
        json.append("}")
        note(start, messageEnd, callerEnd, base, &tape)
        return hasReplaced
    }

    /// `caller` and the beginning of `klog`. Returns where `caller` ends.
    @inline(__always)
    private mutating func append(_ header: KlogHeader, _ arena: borrowing Arena, _ line: Int) -> Int {
        json.append(",\"caller\":\"")
        json.append(arena, from: line + header.caller.lowerBound, count: header.caller.count)
        json.append("\"")
        let callerEnd = json.count
        names.removeAll()
        nameBits = 0
        json.append(",\"klog\":{\"time\":\"")
        noteName(start: json.count - 7, length: 4)
        json.appendShort(arena, from: line + KlogHeader.time.lowerBound, count: KlogHeader.time.count)
        json.append("\",\"thread\":")
        noteName(start: json.count - 8, length: 6)
        json.appendShort(arena, from: line + header.thread.lowerBound, count: header.thread.count)
        return callerEnd
    }

    /// Puts a line's members onto the tape. Their names are always the same, and so is their distance.
    @inline(__always)
    private func note(
        _ start: Int, _ messageEnd: Int, _ callerEnd: Int, _ base: Int, _ tape: inout Column<JSONMember>
    ) {
        let (message, caller, klog) = (start + 10, messageEnd + 10, callerEnd + 8)
        let hasEscapes = ByteSearch.firstIndex(of: UInt8(ascii: "\\"), in: json, from: message, to: messageEnd) >= 0
        tape.append(
            JSONMember(
                keyStart: base + start + 1, keyLength: 7, valueStart: base + message,
                valueLength: messageEnd - message, valueHasEscapes: hasEscapes))
        tape.append(
            JSONMember(
                keyStart: base + messageEnd + 2, keyLength: 6, valueStart: base + caller,
                valueLength: callerEnd - caller))
        tape.append(
            JSONMember(
                keyStart: base + callerEnd + 2, keyLength: 4, valueStart: base + klog,
                valueLength: json.count - klog))
    }

    // MARK: Pairs

    /// The pairs, each as a string, and the end of `klog`. False when the text up to `end` is anything else.
    @inline(__always)
    private mutating func appendPairs(_ arena: borrowing Arena, from start: Int, to end: Int) -> Bool {
        var i = start
        while i < end {
            // Two names were there before.
            guard arena[i] == UInt8(ascii: " "), names.count < KlogPairs.limit + 2 else { return false }
            let equals = KlogPairs.keyEnd(arena, from: i + 1, to: end)
            guard equals >= 0 else { return false }
            appendName(arena, from: i + 1, count: equals - i - 1)
            let value = equals + 1
            if value < end, arena[value] == UInt8(ascii: "\"") {
                i = appendGoString(arena, from: value + 1, to: end)
                guard i >= 0 else { return false }
            } else {
                i = KlogPairs.valueEnd(arena, from: value, to: end)
                guard i >= 0 else { return false }
                if json.appendEscaped(arena, from: value, count: i - value) { hasReplaced = true }
            }
            json.append("\"")
        }
        json.append("}")
        return true
    }

    @inline(__always)
    private mutating func appendGoString(_ arena: borrowing Arena, from start: Int, to end: Int) -> Int {
        GoString.append(arena, from: start, to: end, to: &json, decoded: &decoded, hasReplaced: &hasReplaced)
    }

    /// A name of `klog` up to the quote of its value; one that is there already gets `_` appended until it is free.
    @inline(__always)
    private mutating func appendName(_ arena: borrowing Arena, from key: Int, count: Int) {
        json.append(",\"")
        let start = json.count
        json.append(arena, from: key, count: count)
        while isTaken(start) { json.append("_") }
        noteName(start: start, length: json.count - start)
        json.append("\":\"")
    }

    @inline(__always)
    private mutating func noteName(start: Int, length: Int) {
        names.append(ByteRange(start: start, length: length))
        nameBits |= MemberName(json, at: start, length: length).bit
    }

    /// Whether an earlier name is the one that begins at `start` and ends with `json`.
    @inline(__always)
    private func isTaken(_ start: Int) -> Bool {
        if nameBits & MemberName(json, at: start, length: json.count - start).bit == 0 { return false }
        let name = json.span.extracting(start..<json.count)
        for index in 0..<names.count {
            let other = names[index]
            if ByteSearch.equal(json, from: Int(other.start), count: Int(other.length), name) { return true }
        }
        return false
    }
}
