// `${NAME}`, `${NAME:-default}`, `${file:/path}` and the escape `$${` in the texts of a configuration.
// Works on single texts after YAML has been read, so that nothing expanded can change the file's structure.
import Pipeline

/// Replaces references to the environment and to files.
struct Expansion {
    /// The value of an environment variable; nil when it is not set.
    let environment: (String) -> String?
    /// The contents of a file.
    let readFile: (String) throws(SettingsFile.Unreadable) -> [UInt8]

    /// A text with everything in it replaced.
    struct Result {
        var text = ""
        /// The text as it may be printed: references stay as they are written, since what they stand for may be a secret.
        var shown = ""
        var problems: [Problem] = []
    }

    /// A reference that cannot be replaced.
    struct Problem {
        /// As it is written, to find it in the line.
        let reference: String
        let message: String
        let hint: String?
    }

    /// Replaces all references; nil when the text has none.
    func expand(_ raw: String) -> Result? {
        guard raw.contains("${") else { return nil }
        var result = Result()
        var rest = raw[...]
        while let dollar = rest.firstIndex(of: "$") {
            result.append(rest[..<dollar])
            rest = rest[dollar...]
            if rest.hasPrefix("$${") {
                result.append("${")
                rest = rest.dropFirst(3)
            } else if rest.hasPrefix("${") {
                guard let end = rest.firstIndex(of: "}") else {
                    result.refuse(rest, "'${' without its '}'", hint: "write $${ for the characters themselves")
                    return result
                }
                expand(reference: rest[...end], into: &result)
                rest = rest[rest.index(after: end)...]
            } else {
                result.append("$")
                rest = rest.dropFirst()
            }
        }
        result.append(rest)
        return result
    }

    private func expand(reference: Substring, into result: inout Result) {
        let inside = reference.dropFirst(2).dropLast()
        if inside.hasPrefix("file:") {
            return expandFile(String(inside.dropFirst(5)), reference, into: &result)
        }
        let name = inside.prefix { $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "_") }
        let fallback = inside.dropFirst(name.count)
        guard let first = name.first, !first.isNumber, fallback.isEmpty || fallback.hasPrefix(":-") else {
            return result.refuse(
                reference, "this is not a reference that Sluice knows",
                hint: "write ${NAME}, ${NAME:-default} or ${file:/path}, and $${ for the characters themselves")
        }
        guard !fallback.contains("${") else {
            return result.refuse(
                reference, "the default of \(name) has a reference of its own, which is not possible",
                hint: "write the default as plain text")
        }
        let value = environment(String(name))
        if let value, !(value.isEmpty && !fallback.isEmpty) {
            result.append(value, shown: reference)
        } else if !fallback.isEmpty {
            result.append(fallback.dropFirst(2), shown: reference)
        } else {
            result.refuse(
                reference, "the environment variable \(name) is not set",
                hint: "set it for this process, or give a default: ${\(name):-value}")
        }
    }

    private func expandFile(_ path: String, _ reference: Substring, into result: inout Result) {
        guard !path.isEmpty else {
            return result.refuse(reference, "'${file:}' names no file", hint: "write ${file:/path}")
        }
        do throws(SettingsFile.Unreadable) {
            var bytes = try readFile(path)[...]
            if bytes.last == UInt8(ascii: "\n") { bytes.removeLast() }
            if bytes.last == UInt8(ascii: "\r") { bytes.removeLast() }
            guard let text = String(validating: bytes, as: UTF8.self) else {
                return result.refuse(reference, "the file \(path) is not UTF-8 text", hint: nil)
            }
            result.append(text, shown: reference)
        } catch {
            result.refuse(reference, "the file \(path) cannot be read: \(error.reason)", hint: nil)
        }
    }
}

extension Expansion.Result {
    fileprivate mutating func append(_ text: some StringProtocol, shown: Substring? = nil) {
        self.text += text
        self.shown += shown.map(String.init) ?? String(text)
    }

    fileprivate mutating func refuse(_ reference: Substring, _ message: String, hint: String?) {
        problems.append(Expansion.Problem(reference: String(reference), message: message, hint: hint))
    }
}
