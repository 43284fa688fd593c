// Which members a reader has asked for.
import Bytes

/// The members to show. A member's path is its names with points between them, `kubernetes.pod_name`; names may have points themselves.
struct OutputFields: Sendable {
    private let names: [[UInt8]]

    init(_ names: [String]) { self.names = names.map { Array($0.utf8) } }

    /// Whether nothing was asked for, so that everything is shown.
    var isEmpty: Bool { names.isEmpty }

    /// Whether one of the names is `path`, so that all of it is shown.
    func contains(_ path: Span<UInt8>) -> Bool { names.contains { ByteSearch.equal($0.span, path) } }

    /// Whether one of the names lies inside of `path`.
    func hasMember(of path: Span<UInt8>) -> Bool {
        names.contains { name in
            name.count > path.count && name[path.count] == UInt8(ascii: ".")
                && ByteSearch.equal(name.span.extracting(0..<path.count), path)
        }
    }
}

/// Copies the wanted members of records. One is used again and again.
struct MemberSelection: ~Copyable {
    private let fields: OutputFields
    private var tape = Column<JSONMember>(capacity: 128)
    /// The path of the member that is looked at.
    private var path = Arena(capacity: 128)

    init(_ fields: OutputFields) { self.fields = fields }

    /// Appends a record with the members that are asked for, in the record's order and in the objects that they are in.
    mutating func append(_ record: borrowing StoredRecord, to out: inout Arena) {
        path.removeAll()
        tape.removeAll()
        appendObject(record.line, from: 0, to: record.line.count, &out)
    }

    private mutating func appendObject(_ line: borrowing Arena, from: Int, to: Int, _ out: inout Arena) {
        let first = tape.count
        _ = JSONScanner.scanObject(line, from: from, to: to, tape: &tape)
        let last = tape.count
        let depth = path.count
        out.append("{")
        var isFirst = true
        for index in first..<last {
            let member = tape[index]
            path.truncate(to: depth)
            if depth > 0 { path.append(".") }
            path.appendUnescaped(line, from: member.keyStart, count: member.keyLength)
            let isWhole = fields.contains(path.span)
            let isObject = line[member.valueStart] == UInt8(ascii: "{")
            guard isWhole || isObject && fields.hasMember(of: path.span) else { continue }
            if !isFirst { out.append(",") }
            isFirst = false
            out.append("\"")
            out.append(line, from: member.keyStart, count: member.keyLength)
            out.append("\":")
            if isWhole {
                out.append(line, from: member.valueStart, count: member.valueLength)
            } else {
                appendObject(line, from: member.valueStart, to: member.valueStart + member.valueLength, &out)
            }
        }
        out.append("}")
        path.truncate(to: depth)
        tape.truncate(to: first)
    }

    /// Appends the values of the members that are asked for, a line each; control characters are escaped.
    mutating func appendValues(_ record: borrowing StoredRecord, to out: inout Arena) {
        path.removeAll()
        tape.removeAll()
        appendValues(record, from: 0, to: record.line.count, &out)
    }

    private mutating func appendValues(_ record: borrowing StoredRecord, from: Int, to: Int, _ out: inout Arena) {
        let first = tape.count
        _ = JSONScanner.scanObject(record.line, from: from, to: to, tape: &tape)
        let last = tape.count
        let depth = path.count
        for index in first..<last {
            let member = tape[index]
            path.truncate(to: depth)
            if depth > 0 { path.append(".") }
            path.appendUnescaped(record.line, from: member.keyStart, count: member.keyLength)
            if fields.contains(path.span) {
                let start = path.count
                record.appendValue(member, to: &path)
                Printable.append(path, from: start, to: path.count, to: &out)
                out.append("\n")
            } else if record.line[member.valueStart] == UInt8(ascii: "{"), fields.hasMember(of: path.span) {
                appendValues(record, from: member.valueStart, to: member.valueStart + member.valueLength, &out)
            }
        }
        path.truncate(to: depth)
        tape.truncate(to: first)
    }
}
