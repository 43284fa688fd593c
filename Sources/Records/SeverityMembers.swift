// Which members of a JSON message tell its severity, and how their values are read. The table, with whose loggers write each of
// them, is in docs/records.md; a number means what the logger with that name means by it, so the name decides.
import Bytes

/// How the value of a member is read.
enum SeverityMember {
    /// It tells none.
    case none
    /// A name, or a number of syslog, pino and bunyan, which may be written as a text.
    case level
    /// A name.
    case name
    /// OpenTelemetry's SeverityText: a name, perhaps with the place in its range behind it, such as `INFO2`.
    case openTelemetryText
    /// OpenTelemetry's SeverityNumber, 1 to 24, which may be written as a text.
    case openTelemetryNumber
    /// ECS: an object with a member `level`.
    case log
    /// Serilog's level, which is left out where it is `Information`.
    case serilogLevel
    /// What else an event of Serilog's compact format has: its time, and its text or template.
    case serilogTime, serilogText

    /// Recognises a member's name by its first eight bytes and, a longer one, its last eight.
    init(_ name: MemberName, _ arena: borrowing Arena, _ member: JSONMember) {
        self = .none
        guard name.length <= 15 else { return }
        switch name.length {
        case 2:
            if name.word == 0x6c40 { self = .serilogLevel }  // @l
            if name.word == 0x7440 { self = .serilogTime }  // @t
            if name.word == 0x6d40 { self = .serilogText }  // @m
        case 3:
            if name.word == 0x6c_766c { self = .level }  // lvl
            if name.word == 0x67_6f6c { self = .log }  // log
            if name.word == 0x74_6d40 { self = .serilogText }  // @mt
        case 5:
            if name.word == 0x6c_6576_656c { self = .level }  // level
            // Level, LEVEL
            if name.word == 0x6c_6576_654c || name.word == 0x4c_4556_454c { self = .name }
        case 6: if name.word == 0x6c65_7665_6c40 { self = .name }  // @level
        case 8:
            if name.word == 0x7974_6972_6576_6573 { self = .level }  // severity
            switch name.word {
            // Severity, loglevel, logLevel, LogLevel
            case 0x7974_6972_6576_6553, 0x6c65_7665_6c67_6f6c, 0x6c65_7665_4c67_6f6c, 0x6c65_7665_4c67_6f4c:
                self = .name
            default: break
            }
        case 9...15: self = SeverityMember.long(name, arena.word(at: Int(member.keyStart) + name.length - 8))
        default: break
        }
    }

    /// A name of nine bytes or more.
    private static func long(_ name: MemberName, _ last: UInt64) -> SeverityMember {
        switch (name.length, name.word, last) {
        // log.level, levelname, log_level
        case (9, 0x6576_656c_2e67_6f6c, 0x6c65_7665_6c2e_676f), (9, 0x6d61_6e6c_6576_656c, 0x656d_616e_6c65_7665),
            (9, 0x6576_656c_5f67_6f6c, 0x6c65_7665_6c5f_676f):
            .name
        // level_name
        case (10, 0x616e_5f6c_6576_656c, 0x656d_616e_5f6c_6576): .name
        // severityText, SeverityText, severity_text
        case (12, 0x7974_6972_6576_6573, 0x7478_6554_7974_6972), (12, 0x7974_6972_6576_6553, 0x7478_6554_7974_6972),
            (13, 0x7974_6972_6576_6573, 0x7478_6574_5f79_7469):
            .openTelemetryText
        // severityNumber, SeverityNumber, severity_number
        case (14, 0x7974_6972_6576_6573, 0x7265_626d_754e_7974), (14, 0x7974_6972_6576_6553, 0x7265_626d_754e_7974),
            (15, 0x7974_6972_6576_6573, 0x7265_626d_756e_5f79):
            .openTelemetryNumber
        default: .none
        }
    }
}

extension MemberName {
    /// Whether it begins as those that tell a severity: with `l`, `s` or `@`. Most others are told apart by this, in one step.
    @inline(__always)
    fileprivate var mayTellSeverity: Bool { 0b1000_0001_0000_0000_0001 >> (word & 31) & 1 == 1 && isOfSuchLength }

    @inline(__always)
    private var isOfSuchLength: Bool {
        switch length {
        case 2: true  // @l, @t, @m
        case 3: word == 0x6c_766c || word == 0x67_6f6c || word == 0x74_6d40  // lvl, log, @mt
        case 5: word | 0x20_2020_2020 == 0x6c_6576_656c  // level
        case 6: word == 0x6c65_7665_6c40  // @level
        // `severity`, `log` and `level`, and what begins with them
        case 8...15: word & 0xdfdf == 0x4553 || word & 0xdfdf == 0x4f4c || word & 0xdfdf == 0x454c
        default: false
        }
    }

    /// `level`, as most write it.
    @inline(__always)
    fileprivate var isLevel: Bool { length == 5 && word == 0x6c_6576_656c }
}

extension RecordBatch {
    /// The severity that the members at `from..<to` of the tape tell: that of the first one that can be read as one.
    @inline(__always)
    mutating func severity(_ from: Int, _ to: Int) -> Severity {
        var serilog = Serilog()
        for index in from..<to {
            let member = tape[index]
            let name = MemberName(arena, member)
            guard name.mayTellSeverity else { continue }
            if name.isLevel, arena[member.valueStart] == UInt8(ascii: "\""),
                let found = Severity(named: arena, at: member.valueStart + 1, length: member.valueLength - 2)
            {
                return found
            }
            let found = severity(at: index, &serilog)
            if found != .unknown { return found }
        }
        return serilog.isInformation ? .info : .unknown
    }

    /// The severity that one member tells.
    @inline(never)
    private mutating func severity(at index: Int, _ serilog: inout Serilog) -> Severity {
        let member = tape[index]
        let kind = SeverityMember(MemberName(arena, member), arena, member)
        switch kind {
        case .none: return .unknown
        case .log: return severityWithin(member)
        case .serilogTime: serilog.hasTime = true
        case .serilogText: serilog.hasText = true
        case .serilogLevel:
            serilog.hasLevel = true
            return severity(of: member, kind) ?? .unknown
        default: return severity(of: member, kind) ?? .unknown
        }
        return .unknown
    }

    /// What the value of a member stands for.
    @inline(__always)
    private func severity(of member: JSONMember, _ kind: SeverityMember) -> Severity? {
        var start = member.valueStart
        var length = member.valueLength
        let isText = arena[start] == UInt8(ascii: "\"")
        if isText {
            start += 1
            length -= 2
            switch kind {
            case .openTelemetryText: return Severity(openTelemetryName: arena, at: start, length: length)
            case .openTelemetryNumber: break
            default: if let found = Severity(named: arena, at: start, length: length) { return found }
            }
        }
        guard kind == .level || kind == .openTelemetryNumber, length == 1 || length == 2 else { return nil }
        var number = 0
        for i in start..<(start + length) {
            guard arena[i] >= UInt8(ascii: "0"), arena[i] <= UInt8(ascii: "9") else { return nil }
            number = number * 10 + Int(arena[i]) - 48
        }
        return kind == .level ? Severity(number: number) : Severity(openTelemetryNumber: number)
    }

    /// The severity that the member `level` of an object tells.
    @inline(never)
    private mutating func severityWithin(_ object: JSONMember) -> Severity {
        guard arena[object.valueStart] == UInt8(ascii: "{") else { return .unknown }
        let before = tape.count
        let end = object.valueStart + object.valueLength
        let scan = JSONScanner.scanObject(arena, from: object.valueStart, to: end, tape: &tape)
        defer { tape.truncate(to: before) }
        guard scan.isObject else { return .unknown }
        for index in before..<tape.count {
            let member = tape[index]
            guard MemberName(arena, member) == MemberName.level else { continue }
            if let found = severity(of: member, .name) { return found }
        }
        return .unknown
    }
}

/// What of Serilog's compact format an object has.
private struct Serilog {
    var hasTime = false
    var hasText = false
    var hasLevel = false

    /// Whether it is an event without a level.
    var isInformation: Bool { hasTime && hasText && !hasLevel }
}

extension MemberName {
    /// `level`
    fileprivate static let level = MemberName(Array("level".utf8))
}

extension Severity {
    /// The severity that a number of OpenTelemetry's log data model stands for: four for each of its names.
    public init?(openTelemetryNumber number: Int) {
        switch number {
        case 1...4: self = .trace
        case 5...8: self = .debug
        case 9...12: self = .info
        case 13...16: self = .warning
        case 17...20: self = .error
        case 21...24: self = .critical
        default: return nil
        }
    }

    /// The severity of a word in an arena, as `init(named:)`, or of one of OpenTelemetry's short names with a place behind it, such as
    /// `INFO2`.
    init?(openTelemetryName arena: borrowing Arena, at start: Int, length: Int) {
        if let found = Severity(named: arena, at: start, length: length) {
            self = found
            return
        }
        guard length >= 5, arena[start + length - 1] >= UInt8(ascii: "2"),
            arena[start + length - 1] <= UInt8(ascii: "4"),
            let found = Severity(named: arena, at: start, length: length - 1)
        else { return nil }
        switch length - 1 {
        // INFO2, WARN2; TRACE2, DEBUG2, ERROR2, FATAL2
        case 4 where found == .info || found == .warning: self = found
        case 5 where [.trace, .debug, .error, .critical].contains(found): self = found
        default: return nil
        }
    }
}
