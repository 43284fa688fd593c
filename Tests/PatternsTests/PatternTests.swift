// What regular expressions match, and that every search ends.
import Patterns
import TestKit
import Testing

/// A matcher that can be asked within expectations.
private final class Search {
    private var matcher: PatternMatcher

    init(_ pattern: Pattern) { matcher = PatternMatcher(pattern) }
    convenience init(_ pattern: String) throws { self.init(try Pattern(pattern)) }

    func match(_ bytes: [UInt8], from start: Int = 0) -> PatternOutcome { matcher.match(bytes.span, from: start) }
    func range(_ group: Int = 0) -> Range<Int>? { matcher.range(of: group) }
}

/// The texts of all groups of the first match; nil without a match.
private func groups(_ pattern: String, _ text: String, _ options: PatternOptions = []) throws -> [String?]? {
    let pattern = try Pattern(pattern, options)
    let search = Search(pattern)
    let bytes = Array(text.utf8)
    guard search.match(bytes) == .matched else { return nil }
    return pattern.groupNames.indices.map { group in
        search.range(group).map { String(decoding: bytes[$0], as: UTF8.self) }
    }
}

private func outcome(_ pattern: String, _ bytes: [UInt8]) throws -> PatternOutcome {
    try Search(pattern).match(bytes)
}

@Suite("patterns") struct PatternTests {
    @Test func `groups are ranges of bytes, and have numbers and names`() throws {
        let pattern = try Pattern(#"(?<method>[A-Z]+) (\S+)(?: (?<größe>\d+))?( end)?"#)
        #expect(pattern.groupNames == [nil, "method", nil, "größe", nil])
        #expect(pattern.group(named: "größe") == 3 && pattern.group(named: "other") == nil)
        let search = Search(pattern)
        let line = Array("é GET /ü 17".utf8)
        #expect(search.match(line) == .matched)
        #expect(search.range() == 3..<13 && search.range(1) == 3..<6 && search.range(3) == 11..<13)
        #expect(search.range(2).map { String(decoding: line[$0], as: UTF8.self) } == "/ü")
        #expect(search.range(4) == nil && search.range(5) == nil, "it took no part; there is none")
        #expect(search.match([]) == .unmatched && search.range() == nil)
    }

    @Test(
        arguments: [
            (#"(?<=user=)\w+"#, "user=änne x", ["änne"]), (#"(?<!x)b"#, "xb ab", ["b"]), ("a(?=b)", "acab", ["a"]),
            (#"(\w)\1"#, "abccd", ["cc", "c"]), (#"\p{Greek}+"#, "abc δεζ", ["δεζ"]), (#"\d"#, "٣", ["٣"]),
            (#"^\S++ \d"#, "abc 1", ["abc 1"]), (#"a.b"#, "a\u{1F600}b", ["a\u{1F600}b"]),
            (#"(?s)a.b"#, "a\nb", ["a\nb"]), ("b$", "a b\r\n", ["b"]), (#"\bü\b"#, "eü ü", ["ü"]),
        ] as [(String, String, [String?])])
    func `patterns are those of PCRE2, by Unicode's rules`(pattern: String, text: String, found: [String?]) throws {
        #expect(try groups(pattern, text) == found)
    }

    @Test func `a point ends at a line's end, and anchors know lines when they are asked to`() throws {
        #expect(try groups("a.b", "a\nb") == nil && groups("a.b", "a\rb") == nil)
        #expect(try groups("^b$", "a\nb\nc") == nil)
        for text in ["a\nb\nc", "a\r\nb\r\nc", "a\rb\rc", "a\nb"] {
            #expect(try groups("^b$", text, .anchorsMatchLines) == ["b"], "\(text.debugDescription)")
        }
    }

    @Test func `capitals are the same as small letters where they are to be`() throws {
        #expect(try groups("größe", "GRÖßE", .ignoresCase) == ["GRÖßE"] && groups("größe", "GRÖßE") == nil)
        #expect(try groups("ks", "\u{212A}\u{17F}", .ignoresCase) == ["\u{212A}\u{17F}"])
    }

    @Test func `bytes that are not UTF-8 match nothing, and what is beside them is found`() throws {
        let bytes = Array("é".utf8) + [0xff, 0xc3] + Array("b".utf8) + [0x80, 0x80] + Array("cü".utf8) + [0xc3]
        #expect(try outcome("^é", bytes) == .matched && outcome("b", bytes) == .matched)
        #expect(try outcome("cü", bytes) == .matched && outcome("b.", bytes) == .unmatched)
        #expect(try outcome("é.", bytes) == .unmatched && outcome(#"\x{FFFD}"#, bytes) == .unmatched)
        let search = try Search(#"\w"#)
        var found: [Range<Int>] = []
        while search.match(bytes, from: found.last?.upperBound ?? 0) == .matched, let range = search.range() {
            found.append(range)
        }
        #expect(found == [0..<2, 4..<5, 7..<8, 8..<10])
    }

    @Test func `any bytes can be searched, from any place`() throws {
        var random = SeededGenerator(seed: 7)
        let patterns = try ["a.?é", #"(\w+)\W"#, "[^a]é|$", #"(?<=é)."#, "(é|a)*a"].map { try Pattern($0) }
        let pieces: [[UInt8]] = [
            [0x61], [0xc3, 0xa9], [0xc3], [0xa9], [0xff], [0xf0, 0x9f, 0x98, 0x80], [0xf0, 0x9f], [10],
        ]
        for pattern in patterns {
            let search = Search(pattern)
            for _ in 0..<2000 {
                let bytes = (0..<random.below(8)).flatMap { _ in pieces[random.below(pieces.count)] }
                for start in 0...bytes.count + 1 {
                    guard search.match(bytes, from: start) == .matched else { continue }
                    let range = search.range() ?? 0..<0
                    #expect(range.lowerBound >= start && range.upperBound <= bytes.count)
                }
            }
        }
    }

    @Test(arguments: [
        ("a(b", "missing closing parenthesis", 3), ("a)b", "unmatched closing parenthesis", 1),
        ("é[z-a]", "range out of order in character class", 5),
        (#"a\C"#, "using \\C is disabled by the application", 3),
        ("*a", "quantifier does not follow a repeatable item", 0), (String(repeating: "(", count: 300), "", 0),
    ])
    func `what is wrong has a place`(text: String, reason: String, offset: Int) {
        let error = #expect(throws: PatternError.self) { try Pattern(text) }
        if !reason.isEmpty { #expect(error == PatternError(reason: reason, offset: offset)) }
    }
}

@Suite("limits of patterns") struct PatternLimitTests {
    private static let explosive = [
        ("^(a+)+$", String(repeating: "a", count: 40) + "b"), ("(a|aa)+$", String(repeating: "a", count: 40) + "b"),
        ("(x+x+)+y", String(repeating: "x", count: 5000) + "z y"),
        ("(?:.|a)+b$", String(repeating: "a", count: 4000) + "b "),
        ("(.*)*=(.*)*;z", String(repeating: "a=", count: 3000) + "; z"),
    ]

    @Test(arguments: ["", "(*NO_JIT)"]) func `a search that would not end is given up soon`(verb: String) throws {
        for (pattern, text) in Self.explosive {
            let search = try Search(verb + pattern)
            let bytes = Array(text.utf8)
            var outcome = PatternOutcome.matched
            let time = SuspendingClock().measure { outcome = search.match(bytes) }
            #expect(outcome == .exceeded && time < .seconds(3), "\(pattern): \(outcome) after \(time)")
        }
    }

    @Test func `thousands of lines that explode cost no more than a few seconds`() throws {
        let search = try Search("^(a+)+$")
        let line = Array(String(repeating: "a", count: 40).utf8) + [0x62]
        var exceeded = 0
        let time = SuspendingClock().measure {
            for _ in 0..<20_000 where search.match(line) == .exceeded { exceeded += 1 }
        }
        #expect(exceeded == 20_000 && time < .seconds(30), "\(time)")
        #expect(search.match(Array("aaa".utf8)) == .matched, "what needs few steps is still searched")
    }

    /// Many places, each of which costs as much as the text is long, and none of them enough to be noticed.
    @Test func `a megabyte that each place goes through to its end is given up`() throws {
        let search = try Search(#"(?:\w\w)+ -|[ab](?=\w*=;)"#)
        let bytes = [UInt8](repeating: 0x61, count: 1 << 20) + Array("=- -".utf8)
        let time = SuspendingClock().measure { _ = search.match(bytes) }
        #expect(time < .seconds(10), "\(time)")
    }

    @Test func `what needs many steps is still found`() throws {
        // More than the first attempt has, far fewer than the second.
        let search = try Search("(?:a?){14}a{14}c|(a+)+d")
        let line = Array((String(repeating: "a", count: 14) + "b").utf8) + Array("aaac aad".utf8)
        #expect(search.match(line) == .matched)
        #expect(search.range() == line.count - 3..<line.count)
    }

    @Test func `a long text is searched to its end`() throws {
        let search = try Search("(?<=ü)needle|ü{3}|(?:a|b)*c")
        var bytes = [UInt8](repeating: 0x2e, count: 3 << 20)
        bytes += Array("xneedle üneedle".utf8)
        #expect(search.match(bytes) == .matched)
        #expect(search.range() == bytes.count - 6..<bytes.count)
        // As many steps as there are bytes, and a deep stack.
        let deep = [UInt8](repeating: 0x61, count: 100_000) + [0x63]
        #expect(search.match(deep) == .matched && search.range() == 0..<100_001)
    }

    @Test func `threads share a pattern`() async throws {
        let pattern = try Pattern(#"(\w+)@(\w+)"#)
        let found = await withTaskGroup(of: Int.self) { group in
            for seed in 0..<4 {
                group.addTask {
                    var matcher = PatternMatcher(pattern)
                    var found = 0
                    for number in 0..<2000 {
                        let line = Array("x\(seed) user\(number)@host".utf8)
                        if matcher.match(line.span) == .matched, matcher.range(of: 2)?.count == 4 { found += 1 }
                    }
                    return found
                }
            }
            return await group.reduce(0, +)
        }
        #expect(found == 8000)
    }
}
