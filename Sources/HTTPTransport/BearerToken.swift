// What a bearer token looks like, wherever it comes from.

/// Reads tokens.
package enum BearerToken {
    /// The token of a text: one word of visible ASCII characters. Blanks and line ends around it and a byte order mark before it,
    /// which editors and `echo` leave there, are not sent. nil when there is no word, or more than one.
    package static func read(_ text: some StringProtocol) -> String? {
        let text = text.unicodeScalars.first == "\u{feff}" ? text.unicodeScalars.dropFirst() : text.unicodeScalars[...]
        let words = text.split { $0.properties.isWhitespace }
        guard words.count == 1, words[0].allSatisfy({ (0x21..<0x7f).contains($0.value) }) else { return nil }
        return String(String.UnicodeScalarView(words[0]))
    }
}
