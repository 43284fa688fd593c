// Regular expressions of questions: compiled once, errors with their place, safe to share between threads.
private import Patterns
private import Synchronization

/// A regular expression, matched by Unicode scalars and anywhere in a text; `^` and `$` match at each of its lines.
package final class TextPattern: Sendable {
    /// The pattern as written.
    package let text: String
    /// Whether capitals and small letters are the same.
    package let ignoresCase: Bool
    /// Matching is rare after the searches for literals: one at a time will do.
    private let matcher: Mutex<PatternMatcher>
    private let exceeded = Atomic(0)

    /// Compiles a pattern. With smart case it ignores the case unless it has a capital letter.
    package init(_ text: String, smartCase: Bool = false) throws(QueryError) {
        self.text = text
        let ignoresCase = smartCase && !TextPattern.hasCapital(text)
        self.ignoresCase = ignoresCase
        let dialect = PatternDialect(text)
        do throws(PatternError) {
            let options: PatternOptions = ignoresCase ? [.anchorsMatchLines, .ignoresCase] : .anchorsMatchLines
            matcher = Mutex(PatternMatcher(try Pattern(dialect.pattern, options)))
        } catch {
            throw TextPattern.fault(of: text, error.reason, at: dialect.original(of: error.offset))
        }
    }

    /// In how many texts it took too long to find out whether it matches; they count as without a match.
    package var exceededCount: Int { exceeded.load(ordering: .relaxed) }

    /// Whether it matches somewhere in `text`, which is UTF-8.
    package func matches(_ text: Span<UInt8>) -> Bool {
        switch matcher.withLock({ $0.match(text) }) {
        case .matched: return true
        case .unmatched: return false
        case .exceeded:
            exceeded.add(1, ordering: .relaxed)
            return false
        }
    }

    /// Whether it matches somewhere in `text`.
    package func matches(_ text: String) -> Bool { matches(text.utf8.span) }

    /// All that it matches in `text`; what is empty is left out.
    package func ranges(in text: Span<UInt8>) -> [Range<Int>] {
        matcher.withLock { matcher in
            var ranges: [Range<Int>] = []
            var start = 0
            while matcher.match(text, from: start) == .matched, let range = matcher.range(of: 0) {
                if !range.isEmpty { ranges.append(range) }
                // What is empty would be found again.
                start = max(range.upperBound, start) + (range.isEmpty ? 1 : 0)
            }
            return ranges
        }
    }

    /// Whether there is a capital letter, those of escapes such as `\S`, `\p{Lu}` and `\x{E9}` aside.
    private static func hasCapital(_ text: String) -> Bool {
        var rest = text.unicodeScalars[...]
        while let scalar = rest.popFirst() {
            if scalar == "\\" {
                let letter = rest.popFirst()
                if rest.first == "{", letter?.properties.isAlphabetic == true {
                    rest = rest.drop { $0 != "}" }
                } else if letter == "x" || letter == "u" {
                    let digits = rest.prefix(letter == "x" ? 2 : 4).prefix { $0.properties.isASCIIHexDigit }
                    rest = rest.dropFirst(digits.count)
                }
            } else if scalar.properties.isUppercase {
                return true
            }
        }
        return false
    }

    private static func fault(of text: String, _ reason: String, at offset: Int) -> QueryError {
        let (before, rest) = (text.utf8.prefix(offset), text.utf8.dropFirst(offset))
        let number = (String(before)?.count ?? offset) + 1
        let place = rest.isEmpty ? "at its end" : "at its character \(number), '\(String(rest) ?? "")'"
        return QueryError("'\(text)' is no regular expression: \(reason) \(place)", hint: hint)
    }

    private static let hint = "write a backslash before a character that is meant as it is, as in \\( or \\["
}

extension TextPattern: Hashable {
    /// Two patterns of one text are the same.
    package static func == (one: TextPattern, other: TextPattern) -> Bool {
        one.text == other.text && one.ignoresCase == other.ignoresCase
    }

    /// As `==` has it.
    package func hash(into hasher: inout Hasher) {
        hasher.combine(text)
        hasher.combine(ignoresCase)
    }
}
