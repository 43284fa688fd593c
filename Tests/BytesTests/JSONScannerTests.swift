// The scanner against JSONTestSuite, against a plain grammar on mutated texts, and against what was generated.
import Bytes
import Foundation
import Testing

/// What a scan found, with everything that was a range as bytes.
private struct Scanned: Equatable {
    struct Member: Equatable {
        let key: [UInt8]
        let value: [UInt8]
    }

    let members: [Member]
    let body: [UInt8]
    let hasNewlines: Bool
}

/// Scans `bytes` behind and before other bytes, and checks that those, and a tape already in use, make no difference.
private func scan(_ bytes: [UInt8]) -> Scanned? {
    var results: [Scanned?] = []
    for trap in Surrounded.traps {
        let text = Surrounded(bytes, before: "\"{".bytes, after: trap)
        var tape = Column<JSONMember>(capacity: 1)
        let kept = JSONMember(keyStart: 1, keyLength: 2, valueStart: 3, valueLength: 4)
        tape.append(kept)
        let found = JSONScanner.scanObject(
            text.arena, from: text.range.lowerBound, to: text.range.upperBound, tape: &tape)
        #expect(tape[0].keyLength == 2 && tape.count == 1 + max(0, found.memberCount))
        func copy(_ start: Int, _ count: Int) -> [UInt8] { (start..<start + count).map { text.arena[$0] } }
        results.append(
            found.isObject
                ? Scanned(
                    members: (1..<tape.count).map {
                        Scanned.Member(
                            key: copy(tape[$0].keyStart, tape[$0].keyLength),
                            value: copy(tape[$0].valueStart, tape[$0].valueLength))
                    },
                    body: copy(found.bodyStart, found.bodyEnd - found.bodyStart), hasNewlines: found.hasNewlines)
                : nil)
    }
    #expect(results.allSatisfy { $0 == results[0] })
    return results[0]
}

private func isValid(_ bytes: [UInt8]) -> Bool {
    let results = Surrounded.traps.map { trap in
        let text = Surrounded(bytes, before: "[".bytes, after: trap)
        return JSONScanner.validate(text.arena, from: text.range.lowerBound, to: text.range.upperBound)
    }
    #expect(results.allSatisfy { $0 == results[0] })
    return results[0]
}

private func isObject(_ bytes: [UInt8]) -> Bool {
    isValid(bytes) && bytes.first { ![0x20, 0x09, 0x0a, 0x0d].contains($0) } == UInt8(ascii: "{")
}

@Suite struct `JSON scanner` {
    /// What RFC 8259 leaves open. Accepted: what a Double can hold, if only as 0. Refused: what receivers refuse.
    private static let decisions: [String: Bool] = [
        "i_number_double_huge_neg_exp": true,
        "i_number_real_underflow": true,
        "i_number_too_big_neg_int": true,
        "i_number_too_big_pos_int": true,
        "i_number_very_big_negative_int": true,
        // Beyond a Double.
        "i_number_huge_exp": false,
        "i_number_neg_int_huge_exp": false,
        "i_number_pos_double_huge_exp": false,
        "i_number_real_neg_overflow": false,
        "i_number_real_pos_overflow": false,
        // Lone surrogates.
        "i_object_key_lone_2nd_surrogate": false,
        "i_string_1st_surrogate_but_2nd_missing": false,
        "i_string_1st_valid_surrogate_2nd_invalid": false,
        "i_string_incomplete_surrogate_and_escape_valid": false,
        "i_string_incomplete_surrogate_pair": false,
        "i_string_incomplete_surrogates_escape_valid": false,
        "i_string_invalid_lonely_surrogate": false,
        "i_string_invalid_surrogate": false,
        "i_string_inverted_surrogates_U+1D11E": false,
        "i_string_lone_second_surrogate": false,
        // Not UTF-8, or with a byte order mark.
        "i_string_UTF-16LE_with_BOM": false,
        "i_string_UTF-8_invalid_sequence": false,
        "i_string_UTF8_surrogate_U+D800": false,
        "i_string_invalid_utf-8": false,
        "i_string_iso_latin_1": false,
        "i_string_lone_utf8_continuation_byte": false,
        "i_string_not_in_unicode_range": false,
        "i_string_overlong_sequence_2_bytes": false,
        "i_string_overlong_sequence_6_bytes": false,
        "i_string_overlong_sequence_6_bytes_null": false,
        "i_string_truncated-utf-8": false,
        "i_string_utf16BE_no_BOM": false,
        "i_string_utf16LE_no_BOM": false,
        "i_structure_UTF-8_BOM_empty_object": false,
        // Deeper than 128.
        "i_structure_500_nested_arrays": false,
    ]

    @Test(arguments: JSONVector.all)
    func `JSONTestSuite is accepted and refused as it says`(vector: JSONVector) throws {
        let expected =
            switch vector.name.prefix(2) {
            case "y_": true
            case "n_": false
            default: try #require(Self.decisions[vector.name] as Bool?)
            }
        #expect(isValid(vector.bytes) == expected)
        #expect((scan(vector.bytes) != nil) == isObject(vector.bytes))
    }

    @Test func `JSONTestSuite is whole`() {
        let names = JSONVector.all.map(\.name)
        #expect(names.count == 318)
        #expect(Set(names.filter { $0.hasPrefix("i_") }) == Set(Self.decisions.keys))
    }

    @Test func `members are ranges of what was written`() throws {
        let text = #" {"a": "x\n" ,"b\u0062":[1,{"c":"}"}],"":null , "n":-1.5e3}"# + "\r\n"
        let found = try #require(scan(text.bytes))
        #expect(found.members.map { String(decoding: $0.key, as: UTF8.self) } == ["a", #"b\u0062"#, "", "n"])
        #expect(
            found.members.map { String(decoding: $0.value, as: UTF8.self) }
                == [#""x\n""#, #"[1,{"c":"}"}]"#, "null", "-1.5e3"])
        #expect(found.body == #""a": "x\n" ,"b\u0062":[1,{"c":"}"}],"":null , "n":-1.5e3"#.bytes)
        #expect(!found.hasNewlines)
    }

    @Test func `an empty object has no members and an empty body`() throws {
        for text in ["{}", " {\t} ", "{ }"] {
            let found = try #require(scan(text.bytes))
            #expect(found.members.isEmpty && found.body.isEmpty && !found.hasNewlines)
        }
    }

    @Test(arguments: [
        ("{\"a\":1,\n\"b\":2}", true), ("{\n\"a\":1}", true), ("{\"a\":\n1}", true), ("{\"a\":[1,\n2]}", true),
        ("{\"a\":1\n}", true), ("{\"a\":{\"b\"\n:{}}}", true), ("{\n}", true), ("{\"a\":[ [\n] ]}", true),
        ("\n{\"a\":\"\\n\"}\n", false), ("{\"a\":1,\r\t \"b\":[ ]}", false),
    ])
    func `line feeds between tokens inside the braces are noticed`(text: String, hasNewlines: Bool) {
        #expect(scan(text.bytes)?.hasNewlines == hasNewlines)
    }

    @Test func `escapes are flagged where they are`() {
        let arena = Arena(holding: #"{"a\u0062":"x","y":"\n","z":["\n"],"é":"ü"}"#.bytes)
        var tape = Column<JSONMember>()
        #expect(JSONScanner.scanObject(arena, from: 0, to: arena.count, tape: &tape).memberCount == 4)
        #expect((0..<4).map { tape[$0].keyHasEscapes } == [true, false, false, false])
        #expect((0..<4).map { tape[$0].valueHasEscapes } == [false, true, false, false])
    }

    @Test func `keys and strings are compared by what they mean`() {
        let arena = Arena(
            holding: #"{"level":"warn","lev\u0065l":"w\u0061rn","\ud83d\ude00":1,"":2,"levels":"warns"}"#.bytes)
        var tape = Column<JSONMember>()
        let found = JSONScanner.scanObject(arena, from: 0, to: arena.count, tape: &tape)
        #expect(found.memberCount == 5)
        #expect((0..<5).map { JSONScanner.keyEquals(arena, tape[$0], "level") } == [true, true, false, false, false])
        #expect(JSONScanner.keyEquals(arena, tape[2], "😀".bytes) == true)
        #expect(JSONScanner.keyEquals(arena, tape[3], [UInt8]().span) == true)
        #expect(JSONScanner.keyEquals(arena, tape[1], "leve") == false)
        #expect(JSONScanner.keyEquals(arena, tape[1], "levels") == false)
        #expect(
            (0..<5).map { JSONScanner.valueEquals(arena, tape[$0], "warn".bytes.span) } == [
                true, true, false, false, false,
            ])
        #expect((0..<5).map { JSONScanner.keysEqual(arena, tape[0], tape[$0]) } == [true, true, false, false, false])
        #expect((0..<5).map { JSONScanner.keysEqual(arena, tape[1], tape[$0]) } == [true, true, false, false, false])
        #expect(JSONScanner.decodedKey(arena, tape[2]) == "😀".bytes)
    }

    @Test func `brackets may be open 128 deep and no deeper`() {
        func nested(_ depth: Int) -> [UInt8] {
            (String(repeating: "[", count: depth) + String(repeating: "]", count: depth)).bytes
        }
        func objects(_ depth: Int) -> [UInt8] {
            (String(repeating: "{\"a\":", count: depth) + "1" + String(repeating: "}", count: depth)).bytes
        }
        #expect(isValid(nested(JSONScanner.maximumDepth)))
        #expect(!isValid(nested(JSONScanner.maximumDepth + 1)))
        #expect(isValid(objects(128)) && scan(objects(128)) != nil)
        #expect(!isValid(objects(129)) && scan(objects(129)) == nil)
        #expect(scan("{\"a\":".bytes + nested(127) + "}".bytes) != nil)
        #expect(scan("{\"a\":".bytes + nested(128) + "}".bytes) == nil)
        // Depth is what is open, not what has been opened.
        #expect(isValid("[".bytes + Array(repeating: nested(100), count: 5).joined(separator: ",".bytes) + "]".bytes))
    }

    @Test(arguments: [
        ("1.7976931348623157e308", true), ("-1.7976931348623157E+308", true), ("1.8e308", false), ("1e309", false),
        ("0e999999999999999999999", true), ("0.0000001e310", true), ("1e-400", true), ("1e0000000000000001", true),
        ("1" + String(repeating: "0", count: 308), true), ("1" + String(repeating: "0", count: 309), false),
        ("1" + String(repeating: "0", count: 400) + "e-200", true), ("-" + String(repeating: "9", count: 5000), false),
        ("0." + String(repeating: "0", count: 5000) + "1", true),
        ("1" + String(repeating: "0", count: 215) + "e99", false),
    ])
    func `numbers beyond a Double are refused`(number: String, expected: Bool) {
        #expect(isValid(number.bytes) == expected)
        #expect((scan("{\"a\":\(number)}".bytes) != nil) == expected)
    }

    @Test func `a stop at any place of a long string is seen`() {
        for length in 0..<40 {
            let filler = String(repeating: "x", count: length)
            #expect(scan("{\"\(filler)\":\"\(filler)\"}".bytes)?.members.first?.value == "\"\(filler)\"".bytes)
            for bad in ["\u{0}", "\u{1f}", "\n", "\\x", "\\", "\\u12g4", "\\uD800"] {
                #expect(scan("{\"a\":\"\(filler)\(bad)yy\"}".bytes) == nil)
                #expect(scan("{\"\(filler)\(bad)yy\":1}".bytes) == nil)
            }
            #expect(scan("{\"a\":\"".bytes + filler.bytes + [0xff] + "yyyyyyyyy\"}".bytes) == nil)
            #expect(scan("{\"a\":\"\(filler)\u{7f}ü😀\"}".bytes) != nil)
        }
    }

    @Test func `every ASCII byte is plain or a stop at any place of a word`() {
        for byte in UInt8.min..<0x80 {
            let isPlain = byte >= 0x20 && byte != UInt8(ascii: "\"") && byte != UInt8(ascii: "\\")
            for place in 0..<17 {
                // Next to bytes of both ends of the range, which a carry or a borrow would change.
                for filler in [0x20, 0x23, 0x7f] as [UInt8] {
                    var inside = Array(repeating: filler, count: 17)
                    inside[place] = byte
                    #expect(isValid("\"".bytes + inside + "\"".bytes) == isPlain)
                }
            }
        }
    }

    @Test func `brackets behind the end close nothing`() {
        for opened in [1, 63, 64, 100, 128] {
            #expect(isValid(Array(repeating: UInt8(ascii: "["), count: opened)) == false)
            #expect(isValid(Array(repeating: UInt8(ascii: "["), count: opened) + "1".bytes) == false)
            #expect(scan(Array("{\"a\":".utf8) + Array(repeating: UInt8(ascii: "["), count: opened - 1)) == nil)
        }
    }
}

// MARK: - Random JSON

/// Writes random JSON and knows what it wrote.
private struct JSONMaker {
    var random: SeededGenerator
    /// Whether whitespace may stand between tokens.
    var isSpaced = true
    /// Whether a line feed has been written since it was last reset.
    var hasNewline = false

    mutating func space() -> [UInt8] {
        guard isSpaced, random.oneIn(4) else { return [] }
        let space = (0..<1 + random.below(3)).map { _ in " \t\r\n".bytes[random.below(4)] }
        if space.contains(10) { hasNewline = true }
        return space
    }

    mutating func string() -> [UInt8] {
        var inside: [UInt8] = []
        for _ in 0..<random.below(random.oneIn(10) ? 60 : 6) {
            switch random.below(8) {
            case 0:
                inside +=
                    [#"\n"#, #"\""#, #"\\"#, #"\/"#, #"\u00e9"#, #"\uD83D\uDE00"#, #"\u0000"#][random.below(7)].bytes
            case 1: inside += ["é", "€", "😀", "\u{7f}", "}", "]", ",", ":"][random.below(8)].bytes
            default: inside += ["a", "message", "Zz ", "{", "'", "//"][random.below(6)].bytes
            }
        }
        return "\"".bytes + inside + "\"".bytes
    }

    mutating func number() -> [UInt8] {
        var text = random.oneIn(3) ? "-" : ""
        text += random.oneIn(4) ? "0" : String(1 + random.below(100_000))
        if random.oneIn(3) { text += ".\(random.below(1000))" }
        if random.oneIn(4) { text += ["e", "E", "e+", "E-"][random.below(4)] + String(random.below(40)) }
        return text.bytes
    }

    mutating func value(_ depth: Int) -> [UInt8] {
        switch random.below(depth > 0 ? 8 : 6) {
        case 0: return "true".bytes
        case 1: return "false".bytes
        case 2: return "null".bytes
        case 3: return number()
        case 4, 5: return string()
        case 6:
            let items = (0..<random.below(4)).map { _ in space() + value(depth - 1) + space() }
            return "[".bytes + (items.isEmpty ? space() : Array(items.joined(separator: ",".bytes))) + "]".bytes
        default:
            return object(depth - 1).text
        }
    }

    mutating func object(_ depth: Int) -> (text: [UInt8], members: [Scanned.Member], body: [UInt8]) {
        var members: [Scanned.Member] = []
        let leading = space()
        var body: [UInt8] = []
        for index in 0..<random.below(6) {
            if index > 0 { body += space() + ",".bytes + space() }
            let key = string()
            let (before, after) = (space(), space())
            let content = value(depth)
            members.append(Scanned.Member(key: Array(key[1..<key.count - 1]), value: content))
            body += key + before + ":".bytes + after + content
        }
        return ("{".bytes + leading + body + space() + "}".bytes, members, body)
    }

    /// `bytes` with one or two small changes.
    mutating func mutated(_ bytes: [UInt8]) -> [UInt8] {
        var bytes = bytes
        for _ in 0...random.below(2) {
            let place = random.below(bytes.count + 1)
            let special =
                "{}[]\",:\\0123456789.eE+-tfn u/\n\t".bytes + [0x00, 0x1f, 0x80, 0xc3, 0xed, 0xa0, 0xf0, 0xff]
            switch random.below(4) {
            case 0: bytes.insert(special[random.below(special.count)], at: place)
            case 1 where place < bytes.count: bytes[place] = special[random.below(special.count)]
            case 2 where place < bytes.count: bytes.remove(at: place)
            case 3: bytes.removeSubrange(place..<min(bytes.count, place + random.below(4)))
            default: break
            }
        }
        return bytes
    }
}

/// The grammar of RFC 8259 once more, written to be read, not to be fast.
private struct Grammar {
    let bytes: [UInt8]
    var i = 0

    static func accepts(_ bytes: [UInt8]) -> Bool {
        var grammar = Grammar(bytes: bytes)
        grammar.space()
        guard grammar.value(depth: 1) else { return false }
        grammar.space()
        return grammar.i == bytes.count
    }

    private var next: Character? { i < bytes.count ? Character(Unicode.Scalar(bytes[i])) : nil }

    private mutating func take(_ text: String) -> Bool {
        guard bytes[i...].starts(with: text.utf8) else { return false }
        i += text.utf8.count
        return true
    }

    private mutating func space() { while take(" ") || take("\t") || take("\n") || take("\r") {} }

    private mutating func value(depth: Int) -> Bool {
        if take("true") || take("false") || take("null") { return true }
        if next == "\"" { return string() }
        if next == "[" || next == "{" {
            if depth > 128 { return false }
            let isObject = next == "{"
            i += 1
            space()
            if take(isObject ? "}" : "]") { return true }
            repeat {
                space()
                if isObject {
                    guard string() else { return false }
                    space()
                    guard take(":") else { return false }
                    space()
                }
                guard value(depth: depth + 1) else { return false }
                space()
            } while take(",")
            return take(isObject ? "}" : "]")
        }
        return number()
    }

    private mutating func number() -> Bool {
        let start = i
        _ = take("-")
        if !take("0") && !digits() { return false }
        if take(".") && !digits() { return false }
        if take("e") || take("E") {
            _ = take("+") || take("-")
            if !digits() { return false }
        }
        return Double(String(decoding: bytes[start..<i], as: UTF8.self))?.isFinite == true
    }

    private mutating func digits() -> Bool {
        let start = i
        while let digit = next, ("0"..."9").contains(digit) { i += 1 }
        return i > start
    }

    private mutating func string() -> Bool {
        guard take("\"") else { return false }
        let start = i
        while let character = next, character != "\"" {
            if bytes[i] < 0x20 { return false }
            i += 1
            if character == "\\" { guard escape() else { return false } }
        }
        return String(validating: bytes[start..<i], as: UTF8.self) != nil && take("\"")
    }

    private mutating func escape() -> Bool {
        if take("u") {
            guard let high = unit() else { return false }
            if (0xdc00...0xdfff).contains(high) { return false }
            if (0xd800...0xdbff).contains(high) {
                guard take("\\u"), let low = unit() else { return false }
                return (0xdc00...0xdfff).contains(low)
            }
            return true
        }
        return ["\"", "\\", "/", "b", "f", "n", "r", "t"].contains { take($0) }
    }

    private mutating func unit() -> Int? {
        guard i + 4 <= bytes.count,
            bytes[i..<i + 4].allSatisfy({ Character(Unicode.Scalar($0)).isHexDigit && $0 < 0x80 })
        else { return nil }
        i += 4
        return Int(String(decoding: bytes[i - 4..<i], as: UTF8.self), radix: 16)
    }
}

@Suite struct `JSON scanner on random texts` {
    @Test func `random objects are accepted, members exactly as written`() {
        var maker = JSONMaker(random: SeededGenerator(seed: 10))
        for round in 0..<4000 {
            maker.isSpaced = round % 2 == 0
            maker.hasNewline = false
            let object = maker.object(3)
            let hasNewlines = maker.hasNewline
            let expected = Scanned(members: object.members, body: object.body, hasNewlines: hasNewlines)
            #expect(scan(maker.space() + object.text + maker.space()) == expected)
        }
    }

    @Test func `mutated texts are judged as the grammar judges them`() {
        var maker = JSONMaker(random: SeededGenerator(seed: 11))
        var accepted = 0
        for _ in 0..<20_000 {
            let bytes = maker.mutated(maker.value(3))
            let expected = Grammar.accepts(bytes)
            if expected { accepted += 1 }
            if isValid(bytes) != expected { Issue.record("\(String(decoding: bytes, as: UTF8.self))") }
            if (scan(bytes) != nil) != isObject(bytes) { Issue.record("\(String(decoding: bytes, as: UTF8.self))") }
        }
        #expect((2000...18_000).contains(accepted))
    }

    @Test func `a text ends where it is said to, though it goes on behind its end`() {
        var maker = JSONMaker(random: SeededGenerator(seed: 14))
        for _ in 0..<1000 {
            let bytes = maker.value(3)
            let arena = Arena(holding: bytes + maker.value(2))
            for end in 0..<bytes.count {
                let expected = Grammar.accepts(Array(bytes[..<end]))
                if JSONScanner.validate(arena, from: 0, to: end) != expected {
                    Issue.record("\(String(decoding: bytes, as: UTF8.self)) up to \(end)")
                }
                var tape = Column<JSONMember>()
                // Only whole texts end with the bracket of an object.
                let scan = JSONScanner.scanObject(arena, from: 0, to: end, tape: &tape)
                if scan.isObject != (expected && bytes.first { $0 > 0x20 } == UInt8(ascii: "{")) {
                    Issue.record("\(String(decoding: bytes, as: UTF8.self)) up to \(end)")
                }
                if !scan.isObject, !tape.isEmpty { Issue.record("members of what is no object") }
            }
        }
    }

    @Test func `whatever is accepted is accepted by Foundation`() {
        var maker = JSONMaker(random: SeededGenerator(seed: 12))
        for _ in 0..<5000 {
            let bytes = maker.mutated(maker.object(3).text)
            guard isValid(bytes) else { continue }
            #expect(throws: Never.self) {
                try JSONSerialization.jsonObject(with: Data(bytes), options: .fragmentsAllowed)
            }
        }
    }

    @Test func `random bytes are judged as the grammar judges them`() {
        var random = SeededGenerator(seed: 13)
        let alphabet = "{}[]\",:\\01-.eEtrufalsn \n".bytes + [0x00, 0xc3, 0xa9]
        for _ in 0..<50_000 {
            let bytes = (0..<random.below(8)).map { _ in alphabet[random.below(alphabet.count)] }
            if isValid(bytes) != Grammar.accepts(bytes) { Issue.record("\(String(decoding: bytes, as: UTF8.self))") }
        }
    }
}
