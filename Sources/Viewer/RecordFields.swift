// One record taken apart, as docs/records.md describes it: where everything is, without making anything of it.
package import Bytes
package import Records

extension JSONMember {
    /// What stands for a member that a record does not have.
    package static var absent: JSONMember { JSONMember(keyStart: 0, keyLength: 0, valueStart: 0, valueLength: 0) }

    /// Whether the record has it.
    package var isPresent: Bool { valueLength > 0 }

    /// The value, as a range of the arena that the record is in.
    package var valueRange: Range<Int> { valueStart..<valueStart + valueLength }
}

/// Where the parts of one record are, as ranges of the arena that it was read from. Made once and used for record after record.
package struct RecordFields: ~Copyable {
    /// Nanoseconds since 1970-01-01T00:00:00Z; `TimestampParser.invalid` when the record has no time, which no agent writes.
    package private(set) var time = TimestampParser.invalid
    /// `unknown` when the record has none.
    package private(set) var severity = Severity.unknown
    /// Of a container's line.
    package private(set) var stream = RecordStream.none
    /// What the record comes from; nil when it does not say so.
    package private(set) var origin: SourceKind?
    /// The text; absent when the line was a JSON object without one.
    package private(set) var message = JSONMember.absent
    /// What else stood in a klog line: `klog`, an object, and `caller`, which is absent without it.
    package private(set) var klog = JSONMember.absent
    package private(set) var caller = JSONMember.absent
    /// `sluice`: in which way the record is not quite what was written.
    package private(set) var marks = JSONMember.absent
    /// The object that says where the record comes from: `kubernetes`, `journal` or `file`.
    package private(set) var source = JSONMember.absent
    /// The members of `source`.
    package private(set) var sourceMembers = Column<JSONMember>(capacity: 32)
    /// What the application gave besides its message, in its order.
    package private(set) var others = Column<JSONMember>(capacity: 64)
    /// The static fields of the configuration.
    package private(set) var statics = Column<JSONMember>(capacity: 8)

    private var tape = Column<JSONMember>(capacity: 64)
    private var times = TimestampParser()

    package init() {}

    // MARK: Reading

    /// Takes apart the record at `from..<to`, with or without its newline; false when that is not one.
    package mutating func read(_ arena: borrowing Arena, from: Int, to: Int) -> Bool {
        forget()
        guard JSONScanner.scanObject(arena, from: from, to: to, tape: &tape).isObject else { return false }
        for index in 0..<tape.count { note(tape[index], arena) }
        // Without `klog` the name is free for applications.
        if caller.isPresent, !klog.isPresent {
            others.append(caller)
            caller = .absent
        }
        if source.isPresent {
            let range = source.valueRange
            _ = JSONScanner.scanObject(arena, from: range.lowerBound, to: range.upperBound, tape: &sourceMembers)
        }
        return time != TimestampParser.invalid
    }

    private mutating func forget() {
        time = TimestampParser.invalid
        severity = .unknown
        stream = .none
        origin = nil
        message = .absent
        klog = .absent
        caller = .absent
        marks = .absent
        source = .absent
        sourceMembers.removeAll()
        others.removeAll()
        statics.removeAll()
        tape.removeAll()
    }

    private mutating func note(_ member: JSONMember, _ arena: borrowing Arena) {
        let length = member.keyLength
        var word = arena.word(at: member.keyStart)
        if length < 8 { word &= (1 << UInt64(8 * length)) - 1 }
        let (start, count) = (member.valueStart + 1, member.valueLength - 2)
        switch (word, length) {
        case (Name.time, 4): time = times.parse(arena, from: start, to: start + max(0, count))
        case (Name.message, 7): message = member
        case (Name.origin, 6): origin = RecordFields.kind(arena, start, count)
        case (Name.stream, 6): stream = RecordFields.stream(arena, start, count)
        case (Name.severity, 8): severity = Severity(named: arena, at: start, length: count) ?? .unknown
        case (Name.kubernet, 10) where ByteSearch.equal(arena, from: member.keyStart, count: 10, "kubernetes"):
            source = member
        case (Name.journal, 7), (Name.file, 4): source = member
        case (Name.sluice, 6): marks = member
        case (Name.klog, 4) where origin == nil && isObject(member, arena): klog = member
        case (Name.caller, 6) where origin == nil: caller = member
        default:
            if member.keyHasEscapes, JSONScanner.keyEquals(arena, member, "message") {
                message = member
            } else if origin == nil {
                others.append(member)
            } else {
                statics.append(member)
            }
        }
    }

    private func isObject(_ member: JSONMember, _ arena: borrowing Arena) -> Bool {
        arena[member.valueStart] == UInt8(ascii: "{")
    }

    private static func kind(_ arena: borrowing Arena, _ start: Int, _ count: Int) -> SourceKind? {
        switch count {
        case 9 where ByteSearch.equal(arena, from: start, count: count, "container"): .container
        case 7 where ByteSearch.equal(arena, from: start, count: count, "journal"): .journal
        case 4 where ByteSearch.equal(arena, from: start, count: count, "file"): .file
        default: nil
        }
    }

    private static func stream(_ arena: borrowing Arena, _ start: Int, _ count: Int) -> RecordStream {
        guard count == 6 else { return .none }
        if ByteSearch.equal(arena, from: start, count: count, "stdout") { return .stdout }
        return ByteSearch.equal(arena, from: start, count: count, "stderr") ? .stderr : .none
    }

    /// The first eight bytes of the record's own names, little-endian.
    private enum Name {
        static let time: UInt64 = 0x656d_6974
        static let stream: UInt64 = 0x6d61_6572_7473
        static let severity: UInt64 = 0x7974_6972_6576_6573
        static let message: UInt64 = 0x65_6761_7373_656d
        static let caller: UInt64 = 0x7265_6c6c_6163
        static let klog: UInt64 = 0x676f_6c6b
        static let sluice: UInt64 = 0x6563_6975_6c73
        static let origin: UInt64 = 0x6e69_6769_726f
        static let kubernet: UInt64 = 0x7465_6e72_6562_756b
        static let journal: UInt64 = 0x6c_616e_7275_6f6a
        static let file: UInt64 = 0x656c_6966
    }

    // MARK: Asking

    /// A member of `kubernetes`, `journal` or `file`; absent when there is none of that name.
    package func sourceMember(_ name: StaticString, _ arena: borrowing Arena) -> JSONMember {
        for index in 0..<sourceMembers.count where JSONScanner.keyEquals(arena, sourceMembers[index], name) {
            return sourceMembers[index]
        }
        return .absent
    }

    /// The text of a member of `kubernetes`, `journal` or `file`: nil when there is none of that name.
    package func sourceText(_ name: StaticString, _ arena: borrowing Arena) -> String? {
        let member = sourceMember(name, arena)
        return member.isPresent ? RecordFields.text(of: member, arena) : nil
    }

    /// What a value says: a string without its quotes and escapes, anything else as it is written.
    package static func text(of member: JSONMember, _ arena: borrowing Arena) -> String {
        guard arena[member.valueStart] == UInt8(ascii: "\"") else {
            return String(decoding: arena.span.extracting(member.valueRange))
        }
        let (start, count) = (member.valueStart + 1, member.valueLength - 2)
        if member.valueHasEscapes {
            return String(decoding: JSONScanner.unescape(arena, from: start, count: count), as: UTF8.self)
        }
        return String(decoding: arena.span.extracting(start..<start + count))
    }

    /// Appends what `text(of:)` says.
    package static func append(_ member: JSONMember, _ arena: borrowing Arena, to out: inout Arena) {
        if arena[member.valueStart] != UInt8(ascii: "\"") {
            out.append(arena, from: member.valueStart, count: member.valueLength)
        } else if member.valueHasEscapes {
            out.appendUnescaped(arena, from: member.valueStart + 1, count: member.valueLength - 2)
        } else {
            out.append(arena, from: member.valueStart + 1, count: member.valueLength - 2)
        }
    }

    /// Where the whole text of the record stands as it is: it is a message without escapes, and nothing else. Empty when it has to be
    /// put together by `appendText`.
    package func plainText(_ arena: borrowing Arena) -> Range<Int>? {
        guard message.isPresent, !message.valueHasEscapes, others.isEmpty, !klog.isPresent,
            arena[message.valueStart] == UInt8(ascii: "\"")
        else { return nil }
        return message.valueStart + 1..<message.valueStart + message.valueLength - 1
    }

    /// Appends the text of the record in one piece: its message, then what else the application said as ` key=value`, then that of a
    /// klog line. `tape` is overwritten.
    package func appendText(_ arena: borrowing Arena, to out: inout Arena, tape: inout Column<JSONMember>) {
        let start = out.count
        if message.isPresent { RecordFields.append(message, arena, to: &out) }
        func appendPair(_ member: JSONMember, _ arena: borrowing Arena, _ out: inout Arena) {
            if out.count > start { out.append(UInt8(ascii: " ")) }
            out.appendUnescaped(arena, from: member.keyStart, count: member.keyLength)
            out.append(UInt8(ascii: "="))
            RecordFields.append(member, arena, to: &out)
        }
        for index in 0..<others.count { appendPair(others[index], arena, &out) }
        guard klog.isPresent else { return }
        tape.removeAll()
        let range = klog.valueRange
        _ = JSONScanner.scanObject(arena, from: range.lowerBound, to: range.upperBound, tape: &tape)
        for index in 0..<tape.count {
            let isOfHeader =
                JSONScanner.keyEquals(arena, tape[index], "time") || JSONScanner.keyEquals(arena, tape[index], "thread")
            if !isOfHeader { appendPair(tape[index], arena, &out) }
        }
    }
}
