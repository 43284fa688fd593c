// Regular expressions of questions: compiled once, errors with their place, safe to share between threads.
private import Synchronization

/// A regular expression, matched by Unicode scalars and anywhere in a text.
package final class TextPattern: Sendable {
    /// The pattern as written.
    package let text: String
    /// Whether capitals and small letters are the same.
    package let ignoresCase: Bool
    /// A `Regex` cannot be shared; as matching is rare behind the searches for literals, one at a time will do.
    private let regex: Mutex<Regex<AnyRegexOutput>>

    /// Compiles a pattern. With smart case it ignores the case unless it has a capital letter.
    package init(_ text: String, smartCase: Bool = false) throws(QueryError) {
        self.text = text
        let ignoresCase = smartCase && !TextPattern.hasCapital(text)
        self.ignoresCase = ignoresCase
        do {
            // By scalars, not by what looks like one character: then a text matches where its bytes do.
            regex = Mutex(try TextPattern.compiled(text, ignoresCase))
        } catch {
            throw TextPattern.fault(of: text, error)
        }
    }

    private static func compiled(_ text: String, _ ignoresCase: Bool) throws -> sending Regex<AnyRegexOutput> {
        try Regex(text).matchingSemantics(.unicodeScalar).ignoresCase(ignoresCase)
    }

    /// Whether it matches somewhere in `text`.
    package func matches(_ text: String) -> Bool {
        regex.withLock { text.firstMatch(of: $0) != nil }
    }

    /// All that it matches in `text`, as offsets of its UTF-8; what is empty is left out.
    package func ranges(in text: String) -> [Range<Int>] {
        regex.withLock { regex in
            text.matches(of: regex).compactMap { match in
                let start = text.utf8.distance(from: text.startIndex, to: match.range.lowerBound)
                let end = text.utf8.distance(from: text.startIndex, to: match.range.upperBound)
                return start == end ? nil : start..<end
            }
        }
    }

    /// Whether there is a capital letter, those of escapes such as `\S` and `\p{Lu}` aside.
    private static func hasCapital(_ text: String) -> Bool {
        var rest = text.unicodeScalars[...]
        while let scalar = rest.popFirst() {
            if scalar == "\\" {
                let letter = rest.popFirst()
                if letter == "p" || letter == "P", rest.first == "{" { rest = rest.drop { $0 != "}" } }
            } else if scalar.properties.isUppercase {
                return true
            }
        }
        return false
    }

    /// The standard library tells the place to itself only: it is read from the error's insides, and left out once they change.
    private static func fault(of text: String, _ error: any Error) -> QueryError {
        let range = Mirror(reflecting: error).descendant("location", "range") as? Range<String.Index>
        guard let place = range?.lowerBound, place <= text.endIndex else {
            return QueryError("'\(text)' is no regular expression: \(error)", hint: hint)
        }
        let position = text.distance(from: text.startIndex, to: place)
        let marked = position == text.count ? "at its end" : "at its character \(position + 1), '\(text[place...])'"
        return QueryError("'\(text)' is no regular expression: \(error) \(marked)", hint: hint)
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
