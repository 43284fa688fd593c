// What must not be shown of a file that cannot be read as YAML: then nobody knows which of its texts are secrets, and goes by the
// names beside them.
import Pipeline

/// Finds what is likely to be a secret by the keys that it stands under.
enum LikelySecrets {
    /// Parts of keys whose values nobody else should see, or that hold such keys.
    private static let words = [
        "pass", "pwd", "secret", "token", "bearer", "auth", "key", "cred", "cookie", "header", "url", "dsn", "user",
    ]

    /// What to star out when a line, counted from 1, is shown; behind the end of the file the last one is.
    static func marks(inLine wanted: Int, of lines: [String]) -> [SettingsNode.Mark] {
        guard !lines.isEmpty else { return [] }
        let number = min(max(wanted, 1), lines.count)
        let line = Array(lines[number - 1].unicodeScalars)
        let isWhole = isBelowSecret(number - 1, lines)
        let start = isWhole ? line.firstIndex { $0 != " " && $0 != "\t" } : endOfSecretKey(in: line)
        guard let start, start < line.count else { return addresses(in: line, number) }
        return [SettingsNode.Mark(line: number, column: start + 1, width: line.count - start)]
    }

    /// Whether a line stands below a key of a secret: further to the right, with nothing between them that is not.
    private static func isBelowSecret(_ index: Int, _ lines: [String]) -> Bool {
        var depth = indentation(lines[index])
        for line in lines[..<index].suffix(1000).reversed() {
            guard !line.allSatisfy({ $0 == " " }), indentation(line) < depth else { continue }
            depth = indentation(line)
            if endOfSecretKey(in: Array(line.unicodeScalars)) != nil { return true }
            if depth == 0 { return false }
        }
        return false
    }

    private static func indentation(_ line: String) -> Int { line.prefix { $0 == " " || $0 == "-" }.count }

    /// Where the value of the first key that sounds like a secret begins; nil when there is no such key.
    private static func endOfSecretKey(in line: [Unicode.Scalar]) -> Int? {
        var word = String.UnicodeScalarView()
        for (index, scalar) in line.enumerated() {
            if scalar == ":" {
                let key = String(word).lowercased()
                if words.contains(where: { key.contains($0) }) { return index + 2 }
                word = .init()
            } else if scalar.properties.isAlphabetic || "_-. 0123456789".unicodeScalars.contains(scalar) {
                word.append(scalar)
            } else {
                word = .init()
            }
        }
        return nil
    }

    /// What stands before the `@` of an address.
    private static func addresses(in line: [Unicode.Scalar], _ number: Int) -> [SettingsNode.Mark] {
        guard let at = line.lastIndex(of: "@") else { return [] }
        let start = line[..<at].lastIndex { " \t,{[\"'".unicodeScalars.contains($0) }.map { $0 + 1 } ?? 0
        return [SettingsNode.Mark(line: number, column: start + 1, width: max(1, at - start))]
    }
}
