// A record taken apart as far as all styles need it.
import Bytes
import Records

/// A stored record as ranges of its line. One is used again and again.
struct StoredRecord: ~Copyable {
    /// Which member says where the record comes from.
    enum Origin { case container, journal, file, other }

    private(set) var line = Arena(capacity: 4096)
    /// All members, in their order.
    private(set) var members = Column<JSONMember>(capacity: 64)
    /// The members of `kubernetes`, `journal` or `file`.
    private(set) var place = Column<JSONMember>(capacity: 64)
    private(set) var origin = Origin.other

    // Places in `members`; -1: there is none.
    private(set) var time = -1
    private(set) var severity = -1
    private(set) var klog = -1
    private(set) var caller = -1
    private(set) var placeMember = -1
    /// The member that is shown as the message.
    private(set) var message = -1
    /// Where the members end that are the record's own or its message's; what follows is the same for all records of a source.
    private(set) var bodyEnd = 0
    private var parser = TimestampParser()

    /// Takes a record apart. False when it is not a JSON object; then `line` alone is of use.
    mutating func read(_ record: Span<UInt8>) -> Bool {
        line.removeAll()
        let hasNewline = !record.isEmpty && record[record.count - 1] == UInt8(ascii: "\n")
        line.append(record.extracting(0..<record.count - (hasNewline ? 1 : 0)))
        members.removeAll()
        place.removeAll()
        origin = .other
        (time, severity, klog, caller, placeMember, message) = (-1, -1, -1, -1, -1, -1)
        guard JSONScanner.scanObject(line, from: 0, to: line.count, tape: &members).isObject else { return false }
        bodyEnd = members.count
        for index in 0..<members.count { note(index) }
        if message < 0 { message = otherMessage() }
        if placeMember >= 0 {
            let member = members[placeMember]
            let end = member.valueStart + member.valueLength
            if !JSONScanner.scanObject(line, from: member.valueStart, to: end, tape: &place).isObject {
                origin = .other
            }
        }
        return true
    }

    /// Remembers a member that has a meaning; of those with equal names the first one.
    private mutating func note(_ index: Int) {
        let member = members[index]
        switch member.keyHasEscapes ? -1 : member.keyLength {
        case 4:
            if time < 0, named(member, "time") { time = index }
            if klog < 0, named(member, "klog") { klog = index }
            if placeMember < 0, named(member, "file") { noteOrigin(index, .file) }
        case 6:
            if caller < 0, named(member, "caller") { caller = index }
            if bodyEnd == members.count, named(member, "origin") { bodyEnd = index }
        case 7:
            if message < 0, named(member, "message") { message = index }
            if placeMember < 0, named(member, "journal") { noteOrigin(index, .journal) }
        case 8: if severity < 0, named(member, "severity") { severity = index }
        case 10: if placeMember < 0, named(member, "kubernetes") { noteOrigin(index, .container) }
        case -1: if message < 0, JSONScanner.keyEquals(line, member, "message") { message = index }
        default: break
        }
    }

    private mutating func noteOrigin(_ index: Int, _ origin: Origin) {
        placeMember = index
        self.origin = origin
    }

    /// What other loggers call the message.
    private func otherMessage() -> Int {
        for name in ["msg", "MESSAGE", "log"] as [StaticString] {
            for index in 0..<bodyEnd where JSONScanner.keyEquals(line, members[index], name) { return index }
        }
        return -1
    }

    @inline(__always)
    private func named(_ member: JSONMember, _ name: StaticString) -> Bool {
        ByteSearch.equal(line, from: member.keyStart, count: member.keyLength, name)
    }

    // MARK: What is in it

    /// Nanoseconds since 1970, or `TimestampParser.invalid`.
    mutating func nanoseconds() -> Int64 {
        guard time >= 0, isString(members[time]) else { return TimestampParser.invalid }
        let inside = inside(members[time])
        return parser.parse(line, from: inside.lowerBound, to: inside.upperBound)
    }

    /// The severity, `unknown` without one.
    var level: Severity {
        guard severity >= 0, isString(members[severity]) else { return .unknown }
        let inside = inside(members[severity])
        return Severity(named: line, at: inside.lowerBound, length: inside.count) ?? .unknown
    }

    /// Whether a member is the message's rather than one that Sluice puts before it.
    func isOfMessage(_ index: Int) -> Bool {
        if index >= bodyEnd || index == time || index == severity { return false }
        if klog >= 0, index == klog || index == caller { return false }
        let member = members[index]
        return !JSONScanner.keyEquals(line, member, "stream") && !JSONScanner.keyEquals(line, member, "sluice")
    }

    /// Whether the message was a JSON object, as far as can be told: one that had nothing but a `message` looks like text.
    var isOfJSON: Bool {
        if klog >= 0 { return false }
        if message >= 0, !isString(members[message]) || members[message].keyLength != 7 { return true }
        for index in 0..<bodyEnd where index != message && isOfMessage(index) { return true }
        return false
    }

    /// The member of `kubernetes`, `journal` or `file` with this name; -1 without one.
    func inPlace(_ name: StaticString) -> Int {
        let length = name.utf8CodeUnitCount
        for index in 0..<place.count where place[index].keyLength == length && named(place[index], name) {
            return index
        }
        return -1
    }

    /// Whether a value is a string.
    @inline(__always)
    func isString(_ member: JSONMember) -> Bool { line[member.valueStart] == UInt8(ascii: "\"") }

    /// Where a value's text is in `line`: that of a string without its quotes.
    @inline(__always)
    func inside(_ member: JSONMember) -> Range<Int> {
        let end = member.valueStart + member.valueLength
        return isString(member) ? member.valueStart + 1..<end - 1 : member.valueStart..<end
    }

    /// Appends what a value stands for: a string without its quotes and escapes, anything else as it stands.
    func appendValue(_ member: JSONMember, to out: inout Arena) {
        let inside = inside(member)
        if member.valueHasEscapes {
            out.appendUnescaped(line, from: inside.lowerBound, count: inside.count)
        } else {
            out.append(line, from: inside.lowerBound, count: inside.count)
        }
    }

    /// Appends a member's name without its escapes.
    func appendName(_ member: JSONMember, to out: inout Arena) {
        if member.keyHasEscapes {
            out.appendUnescaped(line, from: member.keyStart, count: member.keyLength)
        } else {
            out.append(line, from: member.keyStart, count: member.keyLength)
        }
    }

    /// The digits of a value, as a number or as a string of them.
    func number(_ member: JSONMember) -> UInt64? { DecimalText.unsigned(line.span.extracting(inside(member))) }
}
