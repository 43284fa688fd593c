// Which lines are wanted for what is in them; the searches that come first never change the answer.
import Bytes
import TestKit
import Testing
import Viewer

extension LineFilter {
    fileprivate func matches(_ text: String) -> Bool { matches(Array(text.utf8).span) }

    /// The line with brackets around its ranges.
    fileprivate func marked(_ text: String) -> String {
        var bytes = Array(text.utf8)
        for range in ranges(in: bytes.span).reversed() {
            bytes.insert(UInt8(ascii: "]"), at: range.upperBound)
            bytes.insert(UInt8(ascii: "["), at: range.lowerBound)
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}

@Suite("line filters") struct LineFilterTests {
    @Test(arguments: [
        ("timeout", "Timeout after 3 s", true), ("Timeout", "timeout after 3 s", false),
        ("time.*s$", "TIMEOUT IS", true),
        ("größe", "Größe 3", true), ("größe", "GRÖßE 3", true), ("Größe", "größe", false),
        ("kelvin", "\u{212A}elvin", true),
        ("a.b", "A+B", true), ("a\\.b", "a+b", false), ("\\Sx", "AX", true), ("\\p{Lu}x", "AX", true), ("", "", true),
        ("ſ", "s", true), ("set", "\u{17F}et", true), ("x|", "y", true), ("caf\u{E9}", "cafe\u{301}", false),
        // As the standard library's expressions have it.
        ("caf\\u{E9}", "café", true), ("caf\\u00E9s", "CAFÉS", true), ("^x{,2}$", "xx", true),
        ("^x{,2}$", "xxx", false),
        ("[\\u{e0}-\\u{ff}[:digit:]]{,3}!", "é1!", true), ("[{,3}]", ",", true), ("\\Q\\u{e9}\\E", "\\u{e9}", true),
    ])
    func `the case counts when the pattern has a capital`(pattern: String, line: String, matches: Bool) throws {
        #expect(try LineFilter(grep: [pattern]).matches(line) == matches)
    }

    @Test func `one pattern is enough, and one exclusion too much`() throws {
        let filter = try LineFilter(grep: ["error", "warn"], exclude: ["health", "ping$"])
        #expect(filter.matches("an ERROR") && filter.matches("a warning"))
        #expect(
            !filter.matches("all is well") && !filter.matches("error in healthcheck") && !filter.matches("warn: ping"))
        #expect(try LineFilter(exclude: ["health"]).matches("anything"))
        #expect(try LineFilter().isEmpty && LineFilter(highlight: ["x"]).isEmpty && !filter.isEmpty)
        #expect(try LineFilter(highlight: ["x"]).matches("y"), "a highlight selects nothing")
    }

    @Test(arguments: [
        (["timeout"], [], "a Timeout, a timeout", "a [Timeout], a [timeout]"),
        (["o+"], ["book", "z*"], "a boook, a book", "a b[ooo]k, a [book]"),
        ([], ["ü.", "r"], "über für", "[üb]e[r] f[ür]"),
        (["aa"], [], "aaaaa", "[aaaa]a"),
        (["k"], [], "k\u{212A}", "[k\u{212A}]"),
        ([], [], "nothing", "nothing"),
        ([""], ["\\b"], "nothing", "nothing"),
        (["nosuch.*"], [], "nothing", "nothing"),
    ])
    func `matches are marked`(grep: [String], highlight: [String], line: String, marked: String) throws {
        #expect(try LineFilter(grep: grep, highlight: highlight).marked(line) == marked)
    }

    @Test func `a wrong pattern is told with its flag and place`() {
        let error = #expect(throws: QueryError.self) { try LineFilter(exclude: ["fine", "a(b"]) }
        #expect(error?.message == "--exclude: 'a(b' is no regular expression: missing closing parenthesis at its end")
    }

    @Test func `a wrong pattern's place is that in the text as written`() {
        #expect(
            throws: QueryError(
                "'é\\u{E9}{,3}[z-a]' is no regular expression: range out of order in character class at its character 15, 'a]'",
                hint: "write a backslash before a character that is meant as it is, as in \\( or \\[")
        ) {
            try TextPattern("é\\u{E9}{,3}[z-a]")
        }
    }

    @Test func `anchors match at each line of a message`() throws {
        let trace = "panic: x\ncaused by: y\r\n  at main.go:3"
        #expect(
            try LineFilter(grep: ["^caused by: y$"]).matches(trace)
                && LineFilter(grep: ["^\\s+at .*:3$"]).matches(trace))
        #expect(
            try !LineFilter(grep: ["panic.*caused"]).matches(trace)
                && LineFilter(grep: ["(?s)panic.*caused"]).matches(trace))
    }

    @Test func `what is beside bytes that are not UTF-8 is found`() throws {
        let filter = try LineFilter(grep: ["c.$"])
        let line: [UInt8] = [0x62, 0xFF, 0x63, 0x64]
        let (isWanted, ranges) = (filter.matches(line.span), filter.ranges(in: line.span))
        #expect(isWanted && ranges == [2..<4])
    }

    @Test func `lines on which a pattern takes too long are counted`() throws {
        let filter = try LineFilter(grep: ["^(a+)+$", "nosuch"], exclude: ["(b|bb)+$"])
        let line = String(repeating: "a", count: 40) + "-"
        #expect(filter.shortcomings == [] && !filter.matches(line) && !filter.matches(line) && filter.matches("aaa"))
        #expect(
            try #require(filter.shortcomings.first).hasPrefix("--grep '^(a+)+$' takes too long on 2 lines, left out"))
        #expect(filter.shortcomings.count == 1)
        _ = filter.matches(String(repeating: "b", count: 40) + "-")
        #expect(filter.shortcomings.last?.hasPrefix("--exclude '(b|bb)+$' takes too long on 1 line, shown") == true)
    }
}

@Suite("literals of patterns") struct PatternLiteralsTests {
    @Test(arguments: [
        ("timeout", ["timeout"], true), ("a\\.b\\-c", ["a.b-c"], true), ("", [], true), ("größe", ["größe"], true),
        ("time.*out of", ["out of"], false), ("ab+c", ["ab"], false), ("abc?d", ["ab"], false), ("abc*", ["ab"], false),
        ("abc{2}", ["abc"], false), ("abc{0,2}x", ["ab"], false), ("(error|warn) in", ["error", "warn"], false),
        ("(a|warn) in", [" in"], false),
        ("(error|warning)", ["error", "warning"], false), ("error|warn", ["error", "warn"], false),
        ("error|w?", [], false),
        ("(?:could not) translate+", [" translate"], false), ("(abc)?de", ["de"], false), ("(abc)+de", ["abc"], false),
        ("[a-z]+ed[^x]", ["ed"], false), ("[a\\]b]cd", ["cd"], false), ("\\d+ms\\b", ["ms"], false),
        // What is not surely understood says nothing.
        ("(?i)abc", [], false), ("(?=abc)", [], false), ("abc(?!d)", [], false), ("\\Qabc\\E", [], false),
        ("\\x41bc", [], false), ("[[a]b]cd", [], false), ("[a-z&&b]cd", [], false), ("(?<name>abc)", [], false),
        ("a|b|c|d|e|f|g|h|i", [], false), ("{", [], false), ("a{b", [], false), ("(*UTF)abc", [], false),
        // By scalars: this bar is one, whatever stands on it.
        ("e\u{301}abc", ["e\u{301}abc"], true), ("a|\u{301}b", ["a", "\u{301}b"], false), ("ab{}c", ["a"], false),
    ])
    func `what every match has in it`(pattern: String, required: [String], isWhole: Bool) {
        let literals = PatternLiterals(pattern, ignoresCase: false)
        #expect(literals.required.map { String(decoding: $0, as: UTF8.self) } == required)
        #expect((literals.whole != nil) == isWhole)
    }

    @Test func `without the case only ASCII is certain`() {
        #expect(PatternLiterals("größe", ignoresCase: true).required == [Array("gr".utf8)])
        #expect(PatternLiterals("größe", ignoresCase: true).whole == nil)
    }

    /// Patterns and lines of few different pieces, so that they meet often.
    @Test(arguments: 1...8) func `searching first never changes the answer`(seed: Int) throws {
        var random = SeededGenerator(seed: UInt64(seed))
        let pieces = [
            "a", "b", "k", "K", "A", "B", "ab", "é", "e\u{301}", "ß", ".", "*", "+", "?", "|", "(", ")", "(?:", "[",
            "]", "^", "$",
            "{2}", "{1,}", "{0,1}", "{,2}", "{", "}", "\\d", "\\w", "\\b", "\\.", "\\-", "\\Q", "\\E", "\\\\", "(?i)",
            "(?-i)", "(?x)",
            "(?=", "(?!", "&&", "-", " ", "#", "\\n", "\r\n", "İ", "ſ", "(?<n>", "\\u{212A}", "[^", "1", "/", "~~",
            "*?", "a++", "\u{301}", "(?<!", "(?<=", "(*F)", "[:alpha:]", "(?|", "\\K", "\\1", "s", "S", "[]", "{}",
        ]
        let characters = [
            "a", "b", "k", "K", "A", "B", "\u{212A}", "é", "É", "e", "\u{301}", "ß", "ẞ", ".", "-", "1", " ", "\n",
            "\r\n", "\\", "İ", "i", "ſ", "s", "[", "{", "2",
        ]
        var (compiled, matched) = (0, 0)
        for _ in 0..<6000 {
            let pattern = (0...random.below(7)).map { _ in pieces[random.below(pieces.count)] }.joined()
            let smartCase = !random.oneIn(3)
            guard let text = try? TextPattern(pattern, smartCase: smartCase) else { continue }
            compiled += 1
            let matcher = LineMatcher(text)
            for _ in 0..<12 {
                let line = (0..<random.below(9)).map { _ in characters[random.below(characters.count)] }.joined()
                let expected = text.matches(line)
                if expected { matched += 1 }
                let bytes = Array(line.utf8)
                let (matches, ranges) = (matcher.matches(bytes.span), matcher.ranges(in: bytes.span))
                #expect(matches == expected, "\(pattern.debugDescription) on \(line.debugDescription)")
                #expect(
                    ranges == text.ranges(in: bytes.span), "\(pattern.debugDescription) on \(line.debugDescription)")
            }
        }
        #expect(compiled > 1000 && matched > 1000, "\(compiled) patterns, \(matched) matches")
    }

    @Test func `a letter of ASCII is the same as no other but the Kelvin sign and the long s`() throws {
        let ascii = try TextPattern("[a-z]", smartCase: true)
        for value in UInt32(0x80)...0x10FFFF {
            guard let scalar = Unicode.Scalar(value) else { continue }
            #expect(!ascii.matches(String(scalar)) || value == 0x212A || value == 0x17F, "\(scalar)")
        }
    }
}
