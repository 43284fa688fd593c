// Records in the journal's export format, as systemd-journal-remote reads it: journal entries as the entries that they were.
import Bytes
import Records

/// Writes records as journal entries. One is used again and again.
///
/// A journal's own names are back in place; a container's record has `KUBERNETES_POD_NAME` and the like. What a record does not tell is
/// missing: an entry's cursor, and its monotonic time, which is 0.
struct JournalExport: ~Copyable {
    private let fields: OutputFields
    private var message = MessageText()
    private var name = Arena(capacity: 128)
    private var value = Arena(capacity: 4096)
    /// The elements of a list, as members without names.
    private var elements = Column<JSONMember>(capacity: 16)
    private var path = Arena(capacity: 128)

    init(_ fields: OutputFields) { self.fields = fields }

    /// Appends a record; one without a time is left out, for it cannot be an entry.
    mutating func append(_ record: inout StoredRecord, to out: inout Arena) {
        let time = record.nanoseconds()
        guard time >= 0 else { return }
        out.append("__REALTIME_TIMESTAMP=")
        out.append(decimal: time / 1000)
        out.append("\n__MONOTONIC_TIMESTAMP=0\n")
        switch record.origin {
        case .journal: appendEntry(record, &out)
        case .container: appendContainer(record, &out)
        case .file, .other: appendOther(record, &out)
        }
        appendMarksAndFields(record, &out)
        out.append("\n")
    }

    // MARK: By origin

    private mutating func appendEntry(_ record: borrowing StoredRecord, _ out: inout Arena) {
        appendMessage(record, &out)
        let about = JournalExport.nameOfUnit(record)
        for index in 0..<record.place.count {
            let member = record.place[index]
            name.removeAll()
            if JSONScanner.keyEquals(record.line, member, "node_name") {
                if record.inPlace("_hostname") >= 0 { continue }
                name.append("_HOSTNAME")
            } else if JSONScanner.keyEquals(record.line, member, "unit") {
                guard let about else { continue }
                name.append(about)
            } else {
                JournalExport.appendName(record, member, &name)
            }
            setPath("journal.", record, member)
            appendField(record.line, member, &out)
        }
    }

    /// The field that `unit` was: the sender's own unit, or what the entry is about. nil when that field is there under its own name.
    private static func nameOfUnit(_ record: borrowing StoredRecord) -> StaticString? {
        guard record.inPlace("_systemd_unit") >= 0 else { return "_SYSTEMD_UNIT" }
        let identity = record.inPlace("message_id")
        if identity >= 0 {
            let inside = record.inside(record.place[identity])
            let coreDump: StaticString = "fc2e22bc6ee647b6b90729ab34a250b1"
            if ByteSearch.equal(record.line, from: inside.lowerBound, count: inside.count, coreDump) {
                return record.inPlace("coredump_unit") >= 0 ? nil : "COREDUMP_UNIT"
            }
        }
        let process = record.inPlace("pid")
        if process >= 0, record.number(record.place[process]) == 1 {
            return record.inPlace("unit_") >= 0 ? nil : "UNIT"
        }
        return record.inPlace("object_systemd_unit") >= 0 ? nil : "OBJECT_SYSTEMD_UNIT"
    }

    private mutating func appendContainer(_ record: borrowing StoredRecord, _ out: inout Arena) {
        appendMessage(record, &out)
        appendPriority(record, &out)
        for index in 0..<record.place.count {
            let member = record.place[index]
            setPath("kubernetes.", record, member)
            if JSONScanner.keyEquals(record.line, member, "container_name") {
                name.removeAll()
                name.append("SYSLOG_IDENTIFIER")
                appendField(record.line, member, &out)
            } else if JSONScanner.keyEquals(record.line, member, "node_name") {
                name.removeAll()
                name.append("_HOSTNAME")
                appendField(record.line, member, &out)
            }
            name.removeAll()
            name.append("KUBERNETES_")
            JournalExport.appendUpperCase(record.line, member.keyStart, member.keyLength, &name)
            appendField(record.line, member, &out)
        }
    }

    private mutating func appendOther(_ record: borrowing StoredRecord, _ out: inout Arena) {
        appendMessage(record, &out)
        appendPriority(record, &out)
        for index in 0..<record.place.count {
            let member = record.place[index]
            setPath("file.", record, member)
            name.removeAll()
            if JSONScanner.keyEquals(record.line, member, "node_name") {
                name.append("_HOSTNAME")
            } else {
                if JSONScanner.keyEquals(record.line, member, "path") {
                    name.append("SYSLOG_IDENTIFIER")
                    appendField(record.line, member, &out)
                    name.removeAll()
                }
                name.append("FILE_")
                JournalExport.appendUpperCase(record.line, member.keyStart, member.keyLength, &name)
            }
            appendField(record.line, member, &out)
        }
    }

    /// `stream`, the marks, and the static fields.
    private mutating func appendMarksAndFields(_ record: borrowing StoredRecord, _ out: inout Arena) {
        for index in 0..<record.members.count {
            let member = record.members[index]
            let isOwn =
                index < record.bodyEnd
                ? JSONScanner.keyEquals(record.line, member, "stream")
                    || JSONScanner.keyEquals(record.line, member, "sluice")
                : index > record.bodyEnd && index != record.placeMember
            guard isOwn else { continue }
            setPath("", record, member)
            name.removeAll()
            JournalExport.appendUpperCase(record.line, member.keyStart, member.keyLength, &name)
            appendField(record.line, member, &out)
        }
    }

    private mutating func appendMessage(_ record: borrowing StoredRecord, _ out: inout Arena) {
        path.removeAll()
        path.append("message")
        name.removeAll()
        name.append("MESSAGE")
        guard isWanted else { return }
        value.removeAll()
        message.appendOriginal(record, to: &value)
        appendNamed(&out)
    }

    private mutating func appendPriority(_ record: borrowing StoredRecord, _ out: inout Arena) {
        guard let number = record.level.syslogNumber else { return }
        path.removeAll()
        path.append("severity")
        name.removeAll()
        name.append("PRIORITY")
        guard isWanted else { return }
        out.append("PRIORITY=")
        out.append(decimal: number)
        out.append("\n")
    }

    // MARK: Fields

    /// Whether the field `name`, which is the record's member `path`, was asked for. An entry cannot be without its boot.
    private var isWanted: Bool {
        if fields.isEmpty || fields.contains(name.span) || fields.contains(path.span) { return true }
        if name.span.isEqual(to: "_BOOT_ID") { return true }
        guard let point = ByteSearch.firstIndex(of: UInt8(ascii: "."), in: path.span) else { return false }
        return fields.contains(path.span.extracting(0..<point))
    }

    private mutating func setPath(_ place: StaticString, _ record: borrowing StoredRecord, _ member: JSONMember) {
        path.removeAll()
        path.append(place)
        record.appendName(member, to: &path)
    }

    /// A field `name` with a member's value; one for each element of a list.
    private mutating func appendField(_ line: borrowing Arena, _ member: JSONMember, _ out: inout Arena) {
        guard isWanted else { return }
        elements.removeAll()
        if line[member.valueStart] == UInt8(ascii: "[") {
            JournalExport.noteElements(line, member.valueStart..<member.valueStart + member.valueLength, &elements)
        } else {
            elements.append(member)
        }
        for index in 0..<elements.count {
            let element = elements[index]
            value.removeAll()
            if line[element.valueStart] == UInt8(ascii: "\"") {
                value.appendUnescaped(line, from: element.valueStart + 1, count: element.valueLength - 2)
            } else {
                value.append(line, from: element.valueStart, count: element.valueLength)
            }
            appendNamed(&out)
        }
    }

    /// `name=value`, or the form for values that are no text: a newline, the length in eight bytes, the bytes.
    private func appendNamed(_ out: inout Arena) {
        out.append(name.span)
        var isText = true
        for i in 0..<value.count where value[i] < 0x20 && value[i] != UInt8(ascii: "\t") {
            isText = false
            break
        }
        if isText {
            out.append("=")
        } else {
            out.append("\n")
            out.append(littleEndian: UInt64(value.count))
        }
        out.append(value.span)
        out.append("\n")
    }

    /// The elements of a list, which is valid.
    private static func noteElements(
        _ line: borrowing Arena, _ list: Range<Int>, _ elements: inout Column<JSONMember>
    ) {
        var depth = 0
        var start = -1
        var i = list.lowerBound + 1
        while i < list.upperBound {
            let byte = line[i]
            switch byte {
            case UInt8(ascii: ","), UInt8(ascii: "]"):
                if depth == 0 {
                    if start >= 0 {
                        elements.append(
                            JSONMember(keyStart: 0, keyLength: 0, valueStart: start, valueLength: i - start))
                    }
                    start = -1
                } else if byte == UInt8(ascii: "]") {
                    depth -= 1
                }
                i += 1
                continue
            case UInt8(ascii: " "), UInt8(ascii: "\t"), UInt8(ascii: "\r"):
                i += 1
                continue
            case UInt8(ascii: "["), UInt8(ascii: "{"): depth += 1
            case UInt8(ascii: "}"): depth -= 1
            default: break
            }
            if start < 0 { start = i }
            if byte == UInt8(ascii: "\"") {
                i += 1
                while line[i] != UInt8(ascii: "\"") { i += line[i] == UInt8(ascii: "\\") ? 2 : 1 }
            }
            i += 1
        }
    }

    // MARK: Names

    /// A journal field's own name for a member of `journal`: one that is not among the record shape's has it in lower case, with `_`
    /// behind it where that is a name of the shape.
    private static func appendName(_ record: borrowing StoredRecord, _ member: JSONMember, _ name: inout Arena) {
        let key = record.line.span.extracting(member.keyStart..<member.keyStart + member.keyLength)
        switch key.count {
        case 3 where key.isEqual(to: "pid"): return name.append("_PID")
        case 7 where key.isEqual(to: "boot_id"): return name.append("_BOOT_ID")
        case 8 where key.isEqual(to: "priority"): return name.append("PRIORITY")
        case 9 where key.isEqual(to: "transport"): return name.append("_TRANSPORT")
        case 10 where key.isEqual(to: "identifier"): return name.append("SYSLOG_IDENTIFIER")
        default: break
        }
        var base = key.count
        while base > 0, key[base - 1] == UInt8(ascii: "_") { base -= 1 }
        let isMarked = base < key.count && isOfShape(key.extracting(0..<base))
        appendUpperCase(record.line, member.keyStart, member.keyLength - (isMarked ? 1 : 0), &name)
    }

    private static func isOfShape(_ key: Span<UInt8>) -> Bool {
        key.isEqual(to: "unit") || key.isEqual(to: "identifier") || key.isEqual(to: "pid")
            || key.isEqual(to: "priority")
            || key.isEqual(to: "transport") || key.isEqual(to: "boot_id") || key.isEqual(to: "node_name")
    }

    /// A name as fields may have it: capitals, digits and `_`, 64 bytes at most, and no digit first.
    private static func appendUpperCase(_ line: borrowing Arena, _ start: Int, _ count: Int, _ name: inout Arena) {
        let begin = name.count
        for i in start..<start + count {
            let byte = line[i]
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"): name.append(byte & 0xdf)
            case UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "_"): name.append(byte)
            case UInt8(ascii: "0")...UInt8(ascii: "9"):
                if name.count == 0 { name.append("X") }
                name.append(byte)
            default: name.append("_")
            }
        }
        if name.count == begin { name.append("X") }
        if name.count > 64 { name.truncate(to: 64) }
    }
}
