// Takes JSON apart one level at a time, as ranges of the arena that it stands in; what nobody asks for is only stepped over.
import Bytes

/// The members of one object. Of a name that is there twice the last one counts, as it does for Kubernetes itself.
///
/// Its accessors take the arena that it was made from. A member of another type than the one asked for is as good as none: an odd
/// label is no reason to know nothing of a pod.
struct JSONParts {
    /// In their order.
    let members: [JSONMember]

    /// The members of the object at `range`; nil when that is not exactly one JSON object.
    init?(_ arena: borrowing Arena, _ range: Range<Int>) {
        var tape = Column<JSONMember>(capacity: 32)
        let scan = JSONScanner.scanObject(arena, from: range.lowerBound, to: range.upperBound, tape: &tape)
        guard scan.isObject else { return nil }
        var members: [JSONMember] = []
        members.reserveCapacity(tape.count)
        for index in 0..<tape.count { members.append(tape[index]) }
        self.members = members
    }

    private init() { members = [] }

    /// The member of a name.
    func member(_ name: StaticString, _ arena: borrowing Arena) -> JSONMember? {
        for member in members.reversed() where JSONScanner.keyEquals(arena, member, name) { return member }
        return nil
    }

    /// The members of a member that is an object; none when it is not.
    func object(_ name: StaticString, _ arena: borrowing Arena) -> JSONParts {
        guard let member = member(name, arena) else { return JSONParts() }
        return JSONParts(arena, member.range) ?? JSONParts()
    }

    /// The elements of a member that is an array; nil when it is missing or something else.
    func elements(_ name: StaticString, _ arena: borrowing Arena) -> [Range<Int>]? {
        guard let member = member(name, arena), arena[member.valueStart] == UInt8(ascii: "[") else { return nil }
        return JSONParts.elements(arena, member.range)
    }

    /// The objects in a member that is an array. Elements that are something else are left out.
    func objects(_ name: StaticString, _ arena: borrowing Arena) -> [JSONParts] {
        (elements(name, arena) ?? []).compactMap { JSONParts(arena, $0) }
    }

    /// What a member says that is a string.
    func text(_ name: StaticString, _ arena: borrowing Arena) -> String? {
        guard let member = member(name, arena) else { return nil }
        return JSONParts.text(of: member, arena)
    }

    /// A member that is a whole number.
    func integer(_ name: StaticString, _ arena: borrowing Arena) -> Int64? {
        guard let member = member(name, arena) else { return nil }
        return DecimalText.signed(arena.span.extracting(member.range))
    }

    /// Whether a member is `true`.
    func isTrue(_ name: StaticString, _ arena: borrowing Arena) -> Bool {
        guard let member = member(name, arena) else { return false }
        return arena[member.valueStart] == UInt8(ascii: "t")
    }

    /// A member that is an RFC 3339 time, in nanoseconds since 1970.
    func time(_ name: StaticString, _ arena: borrowing Arena) -> Int64? {
        guard let member = member(name, arena), arena[member.valueStart] == UInt8(ascii: "\"") else { return nil }
        var parser = TimestampParser()
        let end = member.range.upperBound - 1
        let time = parser.parse(arena, from: member.valueStart + 1, to: end)
        return time != TimestampParser.invalid && parser.end == end ? time : nil
    }

    /// The members that are strings, sorted by their names, of those that are wanted.
    func labels(_ arena: borrowing Arena, where isWanted: (String) -> Bool = { _ in true }) -> [Label] {
        var values: [String: String] = [:]
        for member in members {
            let key = String(decoding: JSONScanner.decodedKey(arena, member), as: UTF8.self)
            guard isWanted(key) else { continue }
            // A later one of the same name counts also when it is odd.
            values[key] = JSONParts.text(of: member, arena)
        }
        return values.map { Label($0.key, $0.value) }.sorted { $0.key < $1.key }
    }

    /// What a string says; nil for other values.
    static func text(of member: JSONMember, _ arena: borrowing Arena) -> String? {
        guard arena[member.valueStart] == UInt8(ascii: "\"") else { return nil }
        let (start, count) = (member.valueStart + 1, member.valueLength - 2)
        if member.valueHasEscapes {
            return String(decoding: JSONScanner.unescape(arena, from: start, count: count), as: UTF8.self)
        }
        return String(decoding: arena.span.extracting(start..<start + count))
    }

    /// Where the elements of an array are, which was checked before; white space around them is theirs.
    private static func elements(_ arena: borrowing Arena, _ array: Range<Int>) -> [Range<Int>] {
        var elements: [Range<Int>] = []
        var nesting = JSONNesting()
        var (start, isEmpty) = (array.lowerBound + 1, true)
        for index in array.lowerBound + 1..<array.upperBound - 1 {
            let byte = arena[index]
            nesting.step(byte)
            if !byte.isJSONSpace { isEmpty = false }
            if byte == UInt8(ascii: ","), nesting.depth == 0, !nesting.isInString {
                elements.append(start..<index)
                start = index + 1
            }
        }
        if !isEmpty { elements.append(start..<array.upperBound - 1) }
        return elements
    }
}

/// How many brackets are open. Looks at brackets and strings alone; whether all the rest is JSON, and whether each bracket is closed
/// by one of its kind, the scanner finds out.
struct JSONNesting {
    private(set) var depth = 0
    private(set) var isInString = false
    private var isEscaped = false

    /// Takes the next byte.
    @inline(__always)
    mutating func step(_ byte: UInt8) {
        if isInString {
            if isEscaped {
                isEscaped = false
            } else if byte == UInt8(ascii: "\\") {
                isEscaped = true
            } else if byte == UInt8(ascii: "\"") {
                isInString = false
            }
            return
        }
        switch byte {
        case UInt8(ascii: "\""): isInString = true
        case UInt8(ascii: "{"), UInt8(ascii: "["): depth += 1
        case UInt8(ascii: "}"), UInt8(ascii: "]"): depth -= 1
        default: break
        }
    }
}

extension JSONMember {
    /// The value, with its quotes or brackets.
    fileprivate var range: Range<Int> { valueStart..<valueStart + valueLength }
}

extension UInt8 {
    /// Whether JSON has it between tokens without a meaning.
    var isJSONSpace: Bool { self == 0x20 || self == 0x0a || self == 0x0d || self == 0x09 }
}
