// The text of a record: as people read it, and as its program wrote it.
import Bytes
import Records

/// Writes messages. One is used again and again.
struct MessageText: ~Copyable {
    private var klog = KlogText()
    private var value = Arena(capacity: 1024)

    /// Appends the text as the short styles show it, its newlines and control characters still in it: the line of a journal entry; the
    /// message of anything else, and behind it what a JSON message or a klog line has besides, as ` key=value`.
    mutating func appendReadable(_ record: borrowing StoredRecord, to out: inout Arena) {
        if record.klog >= 0 {
            if record.origin == .journal, klog.appendLine(record, to: &out) { return }
            if record.message >= 0 { record.appendValue(record.members[record.message], to: &out) }
            klog.appendPairs(record, to: &out)
        } else if record.message >= 0 {
            record.appendValue(record.members[record.message], to: &out)
        }
        var isFirst = record.message < 0
        for index in 0..<record.bodyEnd where index != record.message && record.isOfMessage(index) {
            if !isFirst { out.append(" ") }
            isFirst = false
            let member = record.members[index]
            value.removeAll()
            record.appendName(member, to: &value)
            Printable.append(value, to: &out)
            out.append("=")
            value.removeAll()
            record.appendValue(member, to: &value)
            Printable.append(value, to: &out)
        }
    }

    /// Appends the message as it was written, as far as the record tells: a JSON message as an object of its members, a klog line
    /// put together again.
    mutating func appendOriginal(_ record: borrowing StoredRecord, to out: inout Arena) {
        if record.klog >= 0, klog.appendLine(record, to: &out) { return }
        if record.isOfJSON { return MessageText.appendObject(record, to: &out) }
        if record.message >= 0 { record.appendValue(record.members[record.message], to: &out) }
    }

    private static func appendObject(_ record: borrowing StoredRecord, to out: inout Arena) {
        out.append("{")
        var isFirst = true
        for index in 0..<record.bodyEnd where record.isOfMessage(index) {
            if !isFirst { out.append(",") }
            isFirst = false
            let member = record.members[index]
            out.append("\"")
            out.append(record.line, from: member.keyStart, count: originalLength(record, index))
            out.append("\":")
            out.append(record.line, from: member.valueStart, count: member.valueLength)
        }
        out.append("}")
    }

    /// How much of a name the message had. One that records use themselves got `_` appended until it was free, so the longest of its
    /// kind is that one.
    private static func originalLength(_ record: borrowing StoredRecord, _ index: Int) -> Int {
        let member = record.members[index]
        let base = baseLength(record, member)
        guard base < member.keyLength, isReserved(record, member, base) else { return member.keyLength }
        for other in 0..<record.bodyEnd {
            let rival = record.members[other]
            guard rival.keyLength > member.keyLength, baseLength(record, rival) == base else { continue }
            let name = record.line.span.extracting(member.keyStart..<member.keyStart + base)
            if ByteSearch.equal(record.line, from: rival.keyStart, count: base, name) { return member.keyLength }
        }
        return base
    }

    /// A name's length without the `_` at its end.
    private static func baseLength(_ record: borrowing StoredRecord, _ member: JSONMember) -> Int {
        var length = member.keyLength
        while length > 0, record.line[member.keyStart + length - 1] == UInt8(ascii: "_") { length -= 1 }
        return length
    }

    private static func isReserved(_ record: borrowing StoredRecord, _ member: JSONMember, _ length: Int) -> Bool {
        let name = String(decoding: record.line.span.extracting(member.keyStart..<member.keyStart + length))
        return ReservedNames.always.contains(name)
    }
}
