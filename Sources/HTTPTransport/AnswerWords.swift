// The beginning of an answer's body as words for a log line.
private import Gzip

/// Makes words of what a server says.
package enum AnswerWords {
    /// So much of a body is enough to make words of.
    package static let enough = 8 * 1024
    /// A compressed body is inflated to no more than this.
    private static let mostInflated = 16 * 1024

    /// The beginning of a body on one line, without control characters and without secrets of ours.
    ///
    /// - Parameters:
    ///   - body: the body, or its beginning.
    ///   - isCut: the body has more than that.
    ///   - encoding: the header Content-Encoding.
    ///   - limit: so many bytes of the text are shown.
    package static func words(
        of body: [UInt8], isCut: Bool, encoding: String?, limit: Int, hiding secrets: OwnSecrets
    ) -> String {
        guard !body.isEmpty else { return "" }
        guard let (text, isTextCut) = decoded(body, encoding) else {
            return "(a text that is encoded as '\(words(of: Array((encoding ?? "").utf8.prefix(40))))')"
        }
        let hidden = secrets.replaced(in: text, isCut: isCut || isTextCut)
        // A control character in the middle of a secret does not hide it.
        let words = secrets.replaced(in: words(of: Array(hidden.prefix(limit))))
        return words + (hidden.count > limit || isCut || isTextCut ? " ..." : "")
    }

    /// One header's value in the same way.
    package static func words(ofHeader value: String, hiding secrets: OwnSecrets) -> String {
        words(of: Array(value.utf8), isCut: false, encoding: nil, limit: 200, hiding: secrets)
    }

    private static func words(of bytes: [UInt8]) -> String {
        let text = String(decoding: bytes, as: UTF8.self)
        let words = text.split { $0.isWhitespace || $0.isNewline }.joined(separator: " ")
        return String(words.unicodeScalars.filter { $0.value >= 0x20 && !(0x7f..<0xa0).contains($0.value) })
    }

    /// nil for an encoding that is not known, or not what it says.
    private static func decoded(_ body: [UInt8], _ encoding: String?) -> (text: [UInt8], isCut: Bool)? {
        switch encoding?.lowercased().filter({ !$0.isWhitespace }) {
        case nil, "", "identity": (body, false)
        case "gzip", "x-gzip": inflated(body[...], .gzip)
        case "deflate":
            // With the two bytes of zlib in front, or without: servers do both.
            body.count > 2 && body[0] & 15 == 8 && (Int(body[0]) << 8 | Int(body[1])) % 31 == 0
                ? inflated(body[2...], .raw) : inflated(body[...], .raw)
        default: nil
        }
    }

    /// As far as it can be inflated: what is damaged or cut off ends there.
    private static func inflated(_ body: ArraySlice<UInt8>, _ wrapping: Inflater.Wrapping) -> ([UInt8], Bool)? {
        let input = Array(body)
        var inflater = Inflater(wrapping)
        var text: [UInt8] = []
        var at = 0
        var isAtEnd = false
        while !isAtEnd, text.count < mostInflated {
            var room = [UInt8](repeating: 0, count: mostInflated - text.count)
            var target = room.mutableSpan
            guard let step = try? inflater.step(input.span.extracting(at..<input.count), into: &target),
                step.consumed > 0 || step.produced > 0 || step.isAtEnd
            else { break }
            text += room.prefix(step.produced)
            at += step.consumed
            isAtEnd = step.isAtEnd
        }
        return text.isEmpty && !isAtEnd ? nil : (text, !isAtEnd)
    }
}
