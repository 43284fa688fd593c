// `--grep`, `--exclude` and `--highlight`: which lines are wanted for what is in them, and what of them is to be seen at once.
private import Bytes

/// What is asked of the text of a line: one of the patterns of `grep` matches and none of those of `exclude`.
package struct LineFilter: Sendable, Hashable {
    private let included: [LineMatcher]
    private let excluded: [LineMatcher]
    private let highlighted: [LineMatcher]

    /// Compiles patterns: regular expressions that ignore the case unless they have a capital letter.
    package init(grep: [String] = [], exclude: [String] = [], highlight: [String] = []) throws(QueryError) {
        included = try LineFilter.matchers(grep, "--grep")
        excluded = try LineFilter.matchers(exclude, "--exclude")
        highlighted = try LineFilter.matchers(highlight, "--highlight")
    }

    private static func matchers(_ patterns: [String], _ flag: String) throws(QueryError) -> [LineMatcher] {
        var matchers: [LineMatcher] = []
        for pattern in patterns {
            do throws(QueryError) {
                matchers.append(LineMatcher(try TextPattern(pattern, smartCase: true)))
            } catch {
                throw error.about(flag)
            }
        }
        return matchers
    }

    /// Whether it lets every line through.
    package var isEmpty: Bool { included.isEmpty && excluded.isEmpty }

    /// Whether nothing in a line can be of interest.
    package var hasNoRanges: Bool { included.isEmpty && highlighted.isEmpty }

    /// Whether a line is wanted. `message` is UTF-8.
    package func matches(_ message: Span<UInt8>) -> Bool {
        for matcher in excluded where matcher.matches(message) { return false }
        for matcher in included where matcher.matches(message) { return true }
        return included.isEmpty
    }

    /// Which patterns could not be matched against how many lines, because that takes too long: a sentence for each.
    package var shortcomings: [String] {
        func sentences(_ matchers: [LineMatcher], _ flag: String, _ consequence: String) -> [String] {
            matchers.compactMap { matcher in
                let count = matcher.pattern.exceededCount
                if count == 0 { return nil }
                return
                    "\(flag) '\(matcher.pattern.text)' takes too long on \(count == 1 ? "1 line" : "\(count) lines"), "
                    + "\(consequence) without an answer: a repetition of a repetition, such as (a+)+, has too many ways to match"
            }
        }
        return sentences(included, "--grep", "left out") + sentences(excluded, "--exclude", "shown")
    }

    /// What `grep` and `highlight` match in a line, in order; what overlaps or touches is one.
    package func ranges(in message: Span<UInt8>) -> [Range<Int>] {
        var found: [Range<Int>] = []
        for matcher in included { found += matcher.ranges(in: message) }
        for matcher in highlighted { found += matcher.ranges(in: message) }
        found.sort { ($0.lowerBound, $0.upperBound) < ($1.lowerBound, $1.upperBound) }
        var ranges: [Range<Int>] = []
        for range in found {
            if let last = ranges.last, range.lowerBound <= last.upperBound {
                ranges[ranges.count - 1] = last.lowerBound..<max(last.upperBound, range.upperBound)
            } else {
                ranges.append(range)
            }
        }
        return ranges
    }
}

/// One pattern, and the texts without one of which it cannot match: most lines are told by them.
package struct LineMatcher: Sendable, Hashable {
    let pattern: TextPattern
    private let literals: [LiteralSearch]
    /// Whether a line that has the only literal matches.
    private let isLiteral: Bool
    /// Of letters that are not of ASCII and yet the same as one in the literals when the case does not matter.
    private let relatives: [LiteralSearch]
    private static let kelvin = LiteralSearch(Array("\u{212A}".utf8), ignoresCase: false)
    private static let longS = LiteralSearch(Array("\u{17F}".utf8), ignoresCase: false)

    /// Finds out how to search fastest.
    package init(_ pattern: TextPattern) {
        self.pattern = pattern
        let found = PatternLiterals(pattern.text, ignoresCase: pattern.ignoresCase)
        literals = found.required.map { LiteralSearch($0, ignoresCase: pattern.ignoresCase) }
        isLiteral = found.whole != nil && literals.count == 1
        guard pattern.ignoresCase else {
            relatives = []
            return
        }
        func has(_ letter: UInt8) -> Bool { found.required.contains { $0.contains(letter) } }
        relatives =
            (has(UInt8(ascii: "k")) ? [LineMatcher.kelvin] : []) + (has(UInt8(ascii: "s")) ? [LineMatcher.longS] : [])
    }

    /// Whether the pattern matches somewhere in a line. `line` is UTF-8.
    package func matches(_ line: Span<UInt8>) -> Bool {
        if !literals.isEmpty {
            let hasLiteral = hasOne(of: literals, line)
            if isLiteral, hasLiteral { return true }
            if !hasLiteral, !hasOne(of: relatives, line) { return false }
        }
        return pattern.matches(line)
    }

    /// All that the pattern matches in a line.
    package func ranges(in line: Span<UInt8>) -> [Range<Int>] {
        let hasRelative = hasOne(of: relatives, line)
        if isLiteral, !hasRelative {
            var ranges: [Range<Int>] = []
            while let start = literals[0].first(in: line, from: ranges.last?.upperBound ?? 0) {
                ranges.append(start..<start + literals[0].bytes.count)
            }
            return ranges
        }
        if !literals.isEmpty, !hasOne(of: literals, line), !hasRelative { return [] }
        return pattern.ranges(in: line)
    }

    private func hasOne(of texts: [LiteralSearch], _ line: Span<UInt8>) -> Bool {
        for text in texts where text.first(in: line) != nil { return true }
        return false
    }
}
