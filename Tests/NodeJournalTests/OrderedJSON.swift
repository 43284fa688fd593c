// Records taken apart, without the code that makes them.

/// JSON with its members in order and its strings as bytes: what Foundation makes of it has lost both.
indirect enum OrderedJSON: Equatable, CustomStringConvertible {
    case text([UInt8])
    /// A number, true, false or null, as written.
    case word(String)
    case list([OrderedJSON])
    case object([Member])

    struct Member: Equatable {
        let name: String
        let value: OrderedJSON

        init(_ name: String, _ value: OrderedJSON) {
            self.name = name
            self.value = value
        }
    }

    struct Malformed: Error { let at: Int }

    init(_ text: String) throws {
        var parser = Parser(bytes: Array(text.utf8))
        self = try parser.value()
        guard parser.at == parser.bytes.count else { throw Malformed(at: parser.at) }
    }

    /// A string's JSON.
    static func of(_ text: String) -> OrderedJSON { .text(Array(text.utf8)) }

    /// The only member of this name; nil when there is none or several.
    subscript(name: String) -> OrderedJSON? {
        guard case .object(let members) = self else { return nil }
        let found = members.filter { $0.name == name }
        return found.count == 1 ? found[0].value : nil
    }

    func text(_ name: String) -> String? {
        guard case .text(let bytes)? = self[name] else { return nil }
        return String(decoding: bytes, as: UTF8.self)
    }

    var names: [String] {
        guard case .object(let members) = self else { return [] }
        return members.map(\.name)
    }

    /// Compact, with strings that are not escaped.
    var description: String {
        switch self {
        case .text(let bytes): "\"\(String(decoding: bytes, as: UTF8.self))\""
        case .word(let word): word
        case .list(let items): "[\(items.map(\.description).joined(separator: ","))]"
        case .object(let members): "{\(members.map { "\"\($0.name)\":\($0.value)" }.joined(separator: ","))}"
        }
    }

    private struct Parser {
        let bytes: [UInt8]
        var at = 0

        var next: UInt8 { at < bytes.count ? bytes[at] : 0 }

        mutating func expect(_ character: Character) throws {
            guard next == character.asciiValue else { throw Malformed(at: at) }
            at += 1
        }

        mutating func take(_ character: Character) -> Bool {
            guard next == character.asciiValue else { return false }
            at += 1
            return true
        }

        mutating func value() throws -> OrderedJSON {
            if next == UInt8(ascii: "\"") { return .text(try string()) }
            if take("[") {
                var items: [OrderedJSON] = []
                if take("]") { return .list(items) }
                repeat { items.append(try value()) } while take(",")
                try expect("]")
                return .list(items)
            }
            if take("{") {
                var members: [Member] = []
                if take("}") { return .object(members) }
                repeat {
                    let name = String(decoding: try string(), as: UTF8.self)
                    try expect(":")
                    members.append(Member(name, try value()))
                } while take(",")
                try expect("}")
                return .object(members)
            }
            let start = at
            while at < bytes.count, !",]}".utf8.contains(next) { at += 1 }
            guard at > start else { throw Malformed(at: at) }
            return .word(String(decoding: bytes[start..<at], as: UTF8.self))
        }

        mutating func string() throws -> [UInt8] {
            try expect("\"")
            var text: [UInt8] = []
            while next != UInt8(ascii: "\"") {
                guard at < bytes.count, next >= 0x20 else { throw Malformed(at: at) }
                if !take("\\") {
                    text.append(next)
                    at += 1
                    continue
                }
                let escaped = next
                at += 1
                switch Character(UnicodeScalar(escaped)) {
                case "n": text.append(10)
                case "r": text.append(13)
                case "t": text.append(9)
                case "b": text.append(8)
                case "f": text.append(12)
                case "\"", "\\", "/": text.append(escaped)
                case "u":
                    guard at + 4 <= bytes.count,
                        let unit = UInt32(String(decoding: bytes[at..<at + 4], as: UTF8.self), radix: 16),
                        let scalar = UnicodeScalar(unit)
                    else { throw Malformed(at: at) }
                    text += Array(String(Character(scalar)).utf8)
                    at += 4
                default: throw Malformed(at: at)
                }
            }
            at += 1
            return text
        }
    }
}
