// Escaped bytes read back, by Foundation and by our own unescaping.
import Bytes
import Foundation
import Testing

@Suite struct `JSON text` {
    private func escaped(_ bytes: [UInt8], after: [UInt8] = []) -> (text: [UInt8], isReplaced: Bool) {
        let source = Surrounded(bytes, before: "<".bytes, after: after)
        var arena = Arena(capacity: 0)
        let isReplaced = arena.appendEscaped(source.arena, from: source.range.lowerBound, count: source.range.count)
        return (arena.bytes, isReplaced)
    }

    /// Bytes with more of what is special than chance would give.
    private func text(_ random: inout SeededGenerator, upTo limit: Int) -> [UInt8] {
        var bytes: [UInt8] = []
        let length = random.below(limit + 1)
        while bytes.count < length {
            switch random.below(12) {
            case 0: bytes.append(UInt8(random.below(0x20)))
            case 1: bytes += "\"\\/".bytes
            case 2: bytes += "ü€😀漢".bytes
            case 3: bytes += random.bytes(1 + random.below(4))
            case 4: bytes += String(repeating: "plain words ", count: random.below(8)).bytes
            default: bytes.append(0x61 + UInt8(random.below(26)))
            }
        }
        return bytes
    }

    @Test(arguments: [
        ("", ""), ("a\"b\\c/d", "a\\\"b\\\\c/d"), ("\n\t\r\u{8}\u{c}", "\\n\\t\\r\\b\\f"),
        ("\u{0}\u{1f}\u{1b}[0m\u{7f}", "\\u0000\\u001f\\u001b[0m\u{7f}"), ("ü€😀\u{2028}", "ü€😀\u{2028}"),
    ])
    func `only what must be escaped is`(text: String, expected: String) {
        let found = escaped(text.bytes)
        #expect(found.text == expected.bytes)
        #expect(!found.isReplaced)
    }

    @Test func `every single byte reads back as itself or as U+FFFD`() throws {
        for byte in UInt8.min...UInt8.max {
            let found = escaped([byte])
            #expect(found.isReplaced == (byte >= 0x80))
            #expect(try decoded(found.text) == String(decoding: [byte], as: UTF8.self))
        }
    }

    @Test func `any bytes read back as Swift repairs them, whatever lies behind them`() throws {
        var random = SeededGenerator(seed: 8)
        for round in 0..<5000 {
            let bytes = text(&random, upTo: round % 50 == 0 ? 20_000 : 90)
            let repaired = String(decoding: bytes, as: UTF8.self)
            let isReplaced = Array(repaired.utf8) != bytes
            let found = escaped(bytes, after: Surrounded.traps[round % Surrounded.traps.count])
            #expect(found.isReplaced == isReplaced)
            #expect(try decoded(found.text) == repaired)
            // Spans have no slack behind them, and take the narrow way near their end: here that of the allocation.
            let exact = bytes.map { $0 }
            var arena = Arena(capacity: 0)
            #expect(arena.appendEscaped(exact.span) == isReplaced)
            #expect(arena.bytes == found.text)
        }
    }

    @Test func `the worst case has room`() {
        for length in [1, 4095, 4096, 4097, 9000] {
            #expect(escaped(Array(repeating: 0, count: length)).text.count == 6 * length)
            #expect(escaped(Array(repeating: 0xff, count: length)).text.count == 3 * length)
        }
    }

    @Test func `a sequence across the blocks' border stays whole`() {
        for shift in 4090...4100 {
            let bytes = Array(repeating: UInt8(ascii: "a"), count: shift) + "😀€".bytes
            let found = escaped(bytes)
            #expect(found.text == bytes)
            #expect(!found.isReplaced)
        }
    }

    @Test func `with a limit, as many whole characters as fit are escaped`() throws {
        var random = SeededGenerator(seed: 10)
        for round in 0..<1000 {
            let bytes = text(&random, upTo: round % 20 == 0 ? 20_000 : 200)
            let whole = escaped(bytes)
            let source = Surrounded(bytes, before: "<".bytes, after: "ü".bytes)
            let limit = random.below(whole.text.count + 40)
            var arena = Arena(holding: "before ".bytes)
            let part = arena.appendEscaped(
                source.arena, from: source.range.lowerBound, count: bytes.count, atMost: limit)
            let found = Array(arena.bytes.dropFirst(7))
            #expect(arena.bytes.starts(with: "before ".bytes))
            #expect(found.count <= limit && found == Array(whole.text.prefix(found.count)))
            // A block that does not fit is tried again down to one of 16 bytes, which may take six times that.
            #expect(found.count == whole.text.count || found.count > limit - 16 * 6, "\(found.count) of \(limit)")
            #expect((part.length == bytes.count) == (whole.text.count <= limit))
            #expect(try decoded(found) == String(decoding: bytes.prefix(part.length), as: UTF8.self))
            #expect(part.hasReplaced == escaped(Array(bytes.prefix(part.length))).isReplaced)
        }
    }

    @Test func `strings get quotes`() {
        var arena = Arena(capacity: 0)
        arena.appendJSONString("a\"ü\n")
        arena.append(",")
        arena.appendJSONString([0x61, 0xff])
        #expect(arena.text == "\"a\\\"ü\\n\",\"a\u{fffd}\"")
    }

    @Test func `unescaping undoes escaping`() {
        var random = SeededGenerator(seed: 9)
        for _ in 0..<2000 {
            let bytes = text(&random, upTo: 90)
            let source = Arena(holding: escaped(bytes).text)
            let repaired = Array(String(decoding: bytes, as: UTF8.self).utf8)
            #expect(JSONScanner.unescape(source, from: 0, count: source.count) == repaired)
            var arena = Arena(capacity: 0)
            arena.appendUnescaped(source, from: 0, count: source.count)
            #expect(arena.bytes == repaired)
        }
    }

    @Test(arguments: [
        (#"\u0041\u00fc\u20ac\uD83D\ude00\/\b\f\n\r\t\"\\"#, "Aü€😀/\u{8}\u{c}\n\r\t\"\\"), (#"\u0000"#, "\u{0}"),
        // Never scanned as valid, and read all the same.
        (#"\ud83d"#, "\u{fffd}"), (#"\ud83dx\ude00"#, "\u{fffd}x\u{fffd}"), (#"\ud83d\u0041"#, "\u{fffd}A"),
        (#"\u12"#, #"\u12"#), (#"\q"#, #"\q"#), (#"end\"#, #"end\"#),
    ])
    func `every escape is read`(text: String, expected: String) {
        let source = Arena(holding: text.bytes)
        #expect(JSONScanner.unescape(source, from: 0, count: source.count) == expected.bytes)
    }

    /// The string whose inside `text` is, read by Foundation.
    private func decoded(_ text: [UInt8]) throws -> String {
        let quoted = Data("\"".bytes + text + "\"".bytes)
        return try #require(try JSONSerialization.jsonObject(with: quoted, options: .fragmentsAllowed) as? String)
    }
}
