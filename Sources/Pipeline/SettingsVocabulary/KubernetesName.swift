// Names of namespaces, pods and containers as settings: what none of them can be is refused, since it would match nothing and
// nobody would notice.
private import Bytes

/// Kinds of names in Kubernetes. https://kubernetes.io/docs/concepts/overview/working-with-objects/names/
package enum KubernetesName: Sendable {
    /// Small letters, digits and `-`, 63 at most.
    case namespace
    /// The same with dots, 253 at most.
    case pod
    /// As a namespace's.
    case container

    private var hasDots: Bool { self == .pod }
    private var longest: Int { self == .pod ? 253 : 63 }

    /// What is wrong with a glob that no name of this kind can match, and what was probably meant; nil when nothing is.
    package func fault(in pattern: String) -> SettingMisfit? {
        if pattern.hasPrefix("!") {
            return .text("begins with '!'", hint: "what is not to be read stands under 'exclude:', without a '!'")
        }
        if let fault = faultOfSeveral(pattern) { return fault }
        if pattern.contains("/") {
            let parts = pattern.split(separator: "/", omittingEmptySubsequences: false).map(String.init)
            let hint =
                parts.count == 2 && !parts.contains("") && self != .container
                ? "write 'namespaces: [\(quoted(parts[0]))]' and 'pods: [\(quoted(parts[1]))]'" : nil
            return .text("has a '/', and names in Kubernetes have none", hint: hint)
        }
        let plain = KubernetesName.withoutSets(pattern)
        if isRegularExpression(pattern, plain) {
            let meant = KubernetesName.glob(of: pattern).filter { fault(in: $0) == nil }
            return .text(
                "looks like a regular expression, and globs are expected",
                hint: meant.isEmpty ? "write * for any characters" : "write \(list(meant))")
        }
        if plain.contains(where: \.isUppercase) {
            return .text("has capitals, and names in Kubernetes have none", hint: "write \(pattern.lowercased())")
        }
        if plain.contains("_") {
            return .text("has a '_', and names in Kubernetes have none", hint: meant(pattern.replacing("_", with: "-")))
        }
        if plain.contains("=") {
            return .text("looks like a label, and names are expected", hint: "outputs choose by labels with 'where:'")
        }
        return faultOfLetters(plain)
    }

    private func faultOfLetters(_ plain: String) -> SettingMisfit? {
        let odd = plain.first { character in
            !(character.isASCII && (character.isLetter || character.isNumber)) && !"-*?".contains(character)
                && !(hasDots && character == ".")
        }
        if let odd { return .text("has a '\(odd)', which no such name in Kubernetes has") }
        if plain.hasPrefix("-") || plain.hasSuffix("-") || plain.hasPrefix(".") || plain.hasSuffix(".") {
            return .text("begins or ends with '-' or '.', and names in Kubernetes do not")
        }
        // `?` and letters stand for one character each.
        guard plain.count(where: { $0 != "*" }) > longest else { return nil }
        return .text("is longer than any such name in Kubernetes (\(longest) characters)")
    }

    /// Several names in one text.
    private func faultOfSeveral(_ pattern: String) -> SettingMisfit? {
        let parts = pattern.split { $0 == "," || $0 == ";" || $0.isWhitespace }.map(String.init)
        guard parts != [pattern] else { return nil }
        let what = parts.count > 1 ? "are several names in one text" : "has a blank or a comma beside the name"
        let count = parts.count > 1 ? " (\(parts.count) list items)" : ""
        return .text(what, hint: parts.isEmpty ? nil : "write \(list(parts))\(count)")
    }

    private func isRegularExpression(_ pattern: String, _ plain: String) -> Bool {
        if plain.contains(where: { "^$()|+".contains($0) }) { return true }
        // Between letters a dot is one, in names that have dots; `.*` behind anything else is none.
        var before: Character = "-"
        var rest = plain[...]
        while let character = rest.popFirst() {
            if character == ".", let next = rest.first, next == "*" || next == "?",
                !hasDots || !(before.isLetter || before.isNumber)
            {
                return true
            }
            before = character
        }
        return false
    }

    private func meant(_ pattern: String) -> String? { fault(in: pattern) == nil ? "write \(quoted(pattern))" : nil }

    private func list(_ patterns: [String]) -> String {
        patterns.count == 1 ? quoted(patterns[0]) : "[\(patterns.map(quoted).joined(separator: ", "))]"
    }

    /// As it is written in YAML: what begins with a `*` would be an alias.
    private func quoted(_ pattern: String) -> String {
        pattern.first.map { "*?[!".contains($0) } == true ? "\"\(pattern)\"" : pattern
    }

    /// The pattern with `?` in place of each set, and escapes taken out.
    private static func withoutSets(_ pattern: String) -> String {
        var text = ""
        var rest = pattern[...]
        while let character = rest.popFirst() {
            switch character {
            case "[":
                text.append("?")
                // The first `]` in a set is one of its members.
                _ = rest.popFirst()
                while let inside = rest.popFirst(), inside != "]" {}
            case "\\": if let escaped = rest.popFirst() { text.append(escaped.isLetter ? "(" : escaped) }
            default: text.append(character)
            }
        }
        return text
    }

    /// The globs that say the same as a simple regular expression.
    private static func glob(of pattern: String) -> [String] {
        var text = pattern.filter { !"^$()".contains($0) }
        for (expression, glob) in [
            ("\\.", "\u{0}"), ("\\d", "[0-9]"), ("\\w", "?"), (".*", "*"), (".+", "?*"), (".", "?"),
        ] {
            text = text.replacing(expression, with: glob)
        }
        text = text.replacing("\u{0}", with: ".").replacing("[0-9]+", with: "[0-9]*").replacing("+", with: "*")
        return text.split(separator: "|").map(String.init)
    }
}
