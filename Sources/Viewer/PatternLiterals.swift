// Which texts have to be in every line that a regular expression matches: they are searched for first.

/// What a valid regular expression of PCRE2 says about the texts that it matches, read carefully: of what is not surely understood
/// nothing is concluded.
package struct PatternLiterals: Sendable, Hashable {
    /// All that the expression matches; nil when it is more than one text.
    package let whole: [UInt8]?
    /// One of these is in every text that it matches; empty when none is known.
    package let required: [[UInt8]]

    /// Reads an expression that compiles. `ignoresCase`: texts are in small letters, and only of ASCII: other letters may have
    /// relatives of another length.
    package init(_ pattern: String, ignoresCase: Bool) {
        var reader = PatternReader(pattern, ignoresCase: ignoresCase)
        let found = reader.alternatives()
        let isUnderstood = reader.isUnderstood && reader.isAtEnd
        whole = isUnderstood && reader.isPlain ? found?.first ?? [] : nil
        required = isUnderstood ? found ?? [] : []
    }
}

/// Reads an expression by Unicode's scalars, as PCRE2 does.
private struct PatternReader {
    private let characters: [Unicode.Scalar]
    private var next = 0
    private let ignoresCase: Bool
    /// Whether nothing was met yet that changes the meaning of the rest, or that is unknown.
    private(set) var isUnderstood = true
    /// Whether every character so far stands for itself.
    private(set) var isPlain = true
    /// More texts than this take longer than the expression.
    private static let limit = 8

    init(_ pattern: String, ignoresCase: Bool) {
        characters = Array(pattern.unicodeScalars)
        self.ignoresCase = ignoresCase
    }

    var isAtEnd: Bool { next == characters.count }

    private var character: Unicode.Scalar? { isAtEnd ? nil : characters[next] }

    /// What one step of a sequence is.
    private enum Atom {
        case text([UInt8])
        /// A group, and what is required in it.
        case group([[UInt8]]?)
        case other
    }

    /// How often it may come.
    private enum Times { case once, perhaps, oftener }

    /// Reads sequences with bars between them, and tells the texts of which one is required.
    mutating func alternatives() -> [[UInt8]]? {
        var all = sequence()
        while character == "|", isUnderstood {
            isPlain = false
            next += 1
            let more = sequence()
            if let known = all, let more, known.count + more.count <= PatternReader.limit {
                all = known + more
            } else {
                all = nil
            }
        }
        return all
    }

    private mutating func sequence() -> [[UInt8]]? {
        var best: [[UInt8]]?
        var run: [UInt8] = []
        func length(_ texts: [[UInt8]]?) -> Int { texts?.map(\.count).min() ?? 0 }
        func consider(_ texts: [[UInt8]]?) {
            if length(texts) > length(best) { best = texts }
        }
        func endRun() {
            consider(run.isEmpty ? nil : [run])
            run = []
        }
        while let character, character != "|", character != ")", isUnderstood {
            let atom = atom()
            let times = times()
            switch (atom, times) {
            case (.text(let bytes), .once): run += bytes
            case (.text(let bytes), .oftener):
                run += bytes
                endRun()
            case (.group(let texts), .once), (.group(let texts), .oftener):
                endRun()
                consider(texts)
            default: endRun()
            }
            if case .text = atom, case .once = times { continue }
            isPlain = false
        }
        endRun()
        return best
    }

    private mutating func atom() -> Atom {
        let first = characters[next]
        next += 1
        switch first {
        case "(": return group()
        case "[":
            skipSet()
            return .other
        case "\\": return escape()
        case ".", "^", "$", "]", "}": return .other
        case "{", "*", "+", "?":
            // A brace here is itself, which hardly anybody writes; nothing else of these begins a step, but for verbs such as (*FAIL).
            isUnderstood = false
            return .other
        default: return text(first)
        }
    }

    private func text(_ character: Unicode.Scalar) -> Atom {
        guard character.isASCII || !ignoresCase else { return .other }
        return .text(Array((ignoresCase ? character.properties.lowercaseMapping : String(character)).utf8))
    }

    private mutating func escape() -> Atom {
        guard let character, character.isASCII else {
            isUnderstood = false
            return .other
        }
        next += 1
        switch character {
        case "d", "D", "w", "W", "s", "S", "b", "B", "n", "t", "r": return .other
        case "a"..."z", "A"..."Z", "0"..."9": break
        default: if character.value > 0x20, character.value < 0x7f { return text(character) }
        }
        // Letters and digits have too many meanings, some of them for all that follows.
        isUnderstood = false
        return .other
    }

    private mutating func group() -> Atom {
        if character == "?" {
            next += 1
            // What else begins so looks around, or changes how the rest is read.
            guard character == ":" else {
                isUnderstood = false
                return .other
            }
            next += 1
        }
        let texts = alternatives()
        guard isUnderstood, character == ")" else {
            isUnderstood = false
            return .other
        }
        next += 1
        return .group(texts)
    }

    /// Moves over a set such as `[^a-z\]]`; those with sets in them, or with operators, are not understood.
    private mutating func skipSet() {
        if character == "^" { next += 1 }
        if character == "]" { isUnderstood = false }
        var previous: Unicode.Scalar = " "
        while let character, isUnderstood {
            next += 1
            switch character {
            case "]": return
            case "[": isUnderstood = false
            case "\\":
                if let escaped = self.character, escaped == "Q" || escaped == "E" { isUnderstood = false }
                if !isAtEnd { next += 1 }
            case "&", "-", "~": if previous == character { isUnderstood = false }
            default: break
            }
            previous = character
        }
        isUnderstood = false
    }

    private mutating func times() -> Times {
        let times: Times
        switch character {
        case "*", "?":
            next += 1
            times = .perhaps
        case "+":
            next += 1
            times = .oftener
        case "{": times = braces()
        default: return .once
        }
        // As few or as many as possible.
        if character == "?" || character == "+" { next += 1 }
        return times
    }

    /// Reads `{2}`, `{2,}`, `{2,3}` or `{,3}`. What looks a little like them and stands for itself, `{}`, is taken for as little as that.
    private mutating func braces() -> Times {
        next += 1
        let least = digits()
        if character == "," {
            next += 1
            _ = digits()
        }
        guard character == "}" else {
            isUnderstood = false
            return .perhaps
        }
        next += 1
        return least > 0 ? .oftener : .perhaps
    }

    private mutating func digits() -> Int {
        var value = 0
        while let character, character.value &- 0x30 < 10 {
            value = min(value * 10 + Int(character.value - 0x30), 1000)
            next += 1
        }
        return value
    }
}
