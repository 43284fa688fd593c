// Regular expressions as they may be written here: as PCRE2 has them, and two more ways that people know from elsewhere.

/// A pattern for PCRE2. `\u{E9}`, `\u00E9` and `\U000000E9` become `\x{E9}`; `{,3}` becomes `{0,3}`, which it is for newer PCRE2 only.
struct PatternDialect {
    /// What PCRE2 is to read.
    private(set) var pattern = ""
    /// Where the two begin to differ otherwise than before, as bytes of both.
    private var places: [(translated: Int, original: Int)] = []
    private let scalars: [Unicode.Scalar]
    private var next = 0
    private var original = 0
    private var isInSet = false

    init(_ text: String) {
        scalars = Array(text.unicodeScalars)
        while next < scalars.count { translateNext() }
    }

    /// Where something was in the text that is at `offset` in `pattern`.
    func original(of offset: Int) -> Int {
        guard let place = places.last(where: { $0.translated <= offset }) else { return offset }
        return place.original + offset - place.translated
    }

    private mutating func translateNext() {
        switch scalars[next] {
        case "\\": translateEscape()
        case "[" where !isInSet:
            isInSet = true
            copy(1)
            // A bracket at the beginning stands for itself.
            if scalar(next) == "^" { copy(1) }
            if scalar(next) == "]" { copy(1) }
        case "[" where scalar(next + 1) == ":": copy(2)
        case "]":
            // That of [:alpha:] ends no set.
            if next == 0 || scalars[next - 1] != ":" || !isNamedSet { isInSet = false }
            copy(1)
        case "{" where !isInSet && isShortRepetition: replace(2, with: "{0,")
        default: copy(1)
        }
    }

    private mutating func translateEscape() {
        switch scalar(next + 1) {
        case "u":
            if scalar(next + 2) == "{" { return replace(3, with: "\\x{") }
            translateDigits(4)
        case "U": translateDigits(8)
        case "Q" where !isInSet:
            var end = next + 2
            while end < scalars.count, !(scalars[end - 1] == "\\" && scalars[end] == "E" && end > next + 2) { end += 1 }
            copy(end - next)
        default: copy(2)
        }
    }

    /// Of `\u00E9` and the like.
    private mutating func translateDigits(_ count: Int) {
        let digits = scalars[min(next + 2, scalars.count)...].prefix(count)
        guard digits.count == count, digits.allSatisfy({ $0.isASCII && $0.properties.isASCIIHexDigit }) else {
            return copy(2)
        }
        replace(2 + count, with: "\\x{\(String(String.UnicodeScalarView(digits)))}")
    }

    /// Whether `{,3}` is here.
    private var isShortRepetition: Bool {
        guard scalar(next + 1) == "," else { return false }
        let rest = scalars[(next + 2)...]
        let digits = rest.prefix { $0.value &- 0x30 < 10 }
        return !digits.isEmpty && rest.dropFirst(digits.count).first == "}"
    }

    /// Whether the bracket here ends something that `[:` began.
    private var isNamedSet: Bool {
        var i = next - 2
        while i > 0, scalars[i].properties.isAlphabetic || scalars[i] == "^" { i -= 1 }
        return i > 0 && scalars[i] == ":" && scalars[i - 1] == "["
    }

    private func scalar(_ index: Int) -> Unicode.Scalar? { index < scalars.count ? scalars[index] : nil }

    private mutating func copy(_ count: Int) {
        for _ in 0..<min(count, scalars.count - next) {
            pattern.unicodeScalars.append(scalars[next])
            original += UTF8.width(scalars[next])
            next += 1
        }
    }

    private mutating func replace(_ count: Int, with text: String) {
        for _ in 0..<count {
            original += UTF8.width(scalars[next])
            next += 1
        }
        pattern += text
        places.append((pattern.utf8.count, original))
    }
}
