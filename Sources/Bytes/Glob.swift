// Globs over names: `*` any run of characters, `?` any character, `[a-z]` and `[!a-z]` sets, backslash takes the next
// character as it is. A slash is a character like any other here; for paths there is PathGlob.

/// A pattern for names: namespaces, pods, units.
public struct Glob: Sendable, Hashable {
    /// The pattern as written.
    public let pattern: String
    private let tokens: [Token]

    /// One step of the pattern.
    private enum Token: Sendable, Hashable {
        case byte(UInt8)
        case anyCharacter
        case anyRun
        case set(ranges: [ClosedRange<UInt32>], isNegated: Bool)
    }

    /// Whether it has no wildcard, so that it matches exactly one name.
    public var isLiteral: Bool { literal != nil }

    /// The only name it matches, escapes taken out; nil when it has a wildcard.
    public var literal: String? {
        var bytes: [UInt8] = []
        for token in tokens {
            guard case .byte(let byte) = token else { return nil }
            bytes.append(byte)
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    /// Whether the whole of `name` matches.
    public func matches(_ name: String) -> Bool { matches(name.utf8.span) }

    /// Whether the whole of `name`, UTF-8, matches.
    ///
    /// Only the last `*` is ever tried again, so the time is at most the product of both lengths, whatever the pattern.
    public func matches(_ name: Span<UInt8>) -> Bool {
        var token = 0
        var position = 0
        var retry: (token: Int, position: Int)?
        while position < name.count || token < tokens.count {
            if token < tokens.count {
                if tokens[token] == .anyRun {
                    retry = (token + 1, position)
                    token += 1
                    continue
                }
                let taken = taken(by: tokens[token], from: name, at: position)
                if taken > 0 {
                    token += 1
                    position += taken
                    continue
                }
            }
            guard let last = retry, last.position < name.count else { return false }
            let next = last.position + Self.character(in: name, at: last.position).length
            retry = (last.token, next)
            (token, position) = (last.token, next)
        }
        return true
    }

    /// How many bytes the token takes at `position`; 0 when it does not match there.
    private func taken(by token: Token, from name: Span<UInt8>, at position: Int) -> Int {
        guard position < name.count else { return 0 }
        switch token {
        case .byte(let byte):
            return name[position] == byte ? 1 : 0
        case .anyRun:
            return 0
        case .anyCharacter:
            return Self.character(in: name, at: position).length
        case .set(let ranges, let isNegated):
            let character = Self.character(in: name, at: position)
            return ranges.contains { $0.contains(character.value) } != isNegated ? character.length : 0
        }
    }

    /// The character at `position`; a byte that is not UTF-8 counts as one character that is in no set.
    private static func character(in name: Span<UInt8>, at position: Int) -> (value: UInt32, length: Int) {
        let first = name[position]
        let length = first < 0x80 ? 1 : first < 0xC0 ? 0 : first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4
        guard length > 1 else { return (length == 1 ? UInt32(first) : .max, 1) }
        guard position + length <= name.count else { return (.max, 1) }
        var value = UInt32(first) & (0x7F >> UInt32(length))
        for index in position + 1..<position + length {
            guard name[index] & 0xC0 == 0x80 else { return (.max, 1) }
            value = value << 6 | UInt32(name[index] & 0x3F)
        }
        return (value, length)
    }
}

extension Glob: CustomStringConvertible {
    /// The pattern as written.
    public var description: String { pattern }

    /// Reads a pattern.
    public init(_ text: String) throws(GlobError) {
        guard !text.isEmpty else { throw GlobError("is empty", hint: "write * to match every name") }
        pattern = text
        var tokens: [Token] = []
        var rest = text.unicodeScalars[...]
        while let scalar = rest.popFirst() {
            switch scalar {
            case "*":
                if tokens.last != .anyRun { tokens.append(.anyRun) }
            case "?":
                tokens.append(.anyCharacter)
            case "[":
                tokens.append(try Self.set(takenFrom: &rest))
            case "{", "}":
                throw GlobError(
                    "has braces, which mean nothing in a glob",
                    hint: "write a list of globs instead, or \\\(scalar) for the character itself")
            case "\\":
                guard let escaped = rest.popFirst() else {
                    throw GlobError("ends with a backslash", hint: "write \\\\ for the character itself")
                }
                tokens += UTF8.encode(escaped).map { $0.map { .byte($0) } } ?? []
            default:
                tokens += UTF8.encode(scalar).map { $0.map { .byte($0) } } ?? []
            }
        }
        self.tokens = tokens
    }

    /// Reads a set, the opening bracket being already taken.
    private static func set(takenFrom rest: inout Substring.UnicodeScalarView) throws(GlobError) -> Token {
        var ranges: [ClosedRange<UInt32>] = []
        var isNegated = false
        if let sign = rest.first, sign == "!" || sign == "^" {
            isNegated = true
            rest.removeFirst()
        }
        while let scalar = rest.popFirst() {
            if scalar == "]", !ranges.isEmpty { return .set(ranges: ranges, isNegated: isNegated) }
            let low = scalar == "\\" ? rest.popFirst() ?? scalar : scalar
            var high = low
            if rest.first == "-", let end = rest.dropFirst().first, end != "]" {
                rest.removeFirst(2)
                high = end == "\\" ? rest.popFirst() ?? end : end
            }
            guard low <= high else { throw GlobError("has the range \(low)-\(high), which runs backwards") }
            ranges.append(low.value...high.value)
        }
        throw GlobError("has a '[' without its ']'", hint: "write \\[ for the character itself")
    }
}

/// Why a text is no glob.
public struct GlobError: Error {
    /// What is wrong, to stand behind the text itself: "is empty".
    public let predicate: String
    /// What to write instead.
    public let hint: String?

    init(_ predicate: String, hint: String? = nil) {
        self.predicate = predicate
        self.hint = hint
    }
}
