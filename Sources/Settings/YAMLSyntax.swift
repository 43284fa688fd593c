// What the YAML parser complains about, in words that say what to change in the file.
import Pipeline
import Yams

/// A syntax error: where, what, and what to do.
struct YAMLSyntax {
    private(set) var mark = SettingsNode.Mark(line: 1, column: 1)
    private(set) var message: String
    private(set) var hint: String?

    /// Words the parser's error anew; of a confidential file no key is named.
    init(_ error: any Error, lines: [String], isConfidential: Bool) {
        switch error as? YamlError {
        case .scanner(let context, let problem, let mark, _), .parser(let context, let problem, let mark, _),
            .composer(let context, let problem, let mark, _):
            self.mark = SettingsNode.Mark(line: mark.line, column: mark.column)
            message = problem
            explain(problem, context: context, lines: lines)
        case .reader:
            let text = lines.joined(separator: "\n")
            mark = Self.mark(ofFirst: Self.isForbidden, in: text)
            message = "a character stands here that YAML does not allow"
            hint = "remove it (it may be invisible), or write it as an escape in double quotes"
        case .duplicatedKeysInMapping(let keys, let context):
            mark = SettingsNode.Mark(line: context.mark.line, column: context.mark.column)
            let key = isConfidential ? nil : keys.first?.quotedForMessage
            message = "\(key ?? "a key") is set twice in this mapping"
        default:
            message = "the file cannot be read as YAML: \(error)"
        }
    }

    /// The place of the first scalar that `isWanted`, or the start of the file.
    static func mark(ofFirst isWanted: (Unicode.Scalar) -> Bool, in text: String) -> SettingsNode.Mark {
        for (index, line) in SettingsProblems.lines(of: text).enumerated() {
            if let column = line.unicodeScalars.enumerated().first(where: { isWanted($0.element) })?.offset {
                return SettingsNode.Mark(line: index + 1, column: column + 1)
            }
        }
        return SettingsNode.Mark(line: 1, column: 1)
    }

    /// The place of the first such scalar, or the start of the file.
    static func mark(ofFirst scalar: Unicode.Scalar, in text: String) -> SettingsNode.Mark {
        mark(ofFirst: { $0 == scalar }, in: text)
    }

    private static func isForbidden(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        case 0x09, 0x0A, 0x0D, 0x20...0x7E, 0x85, 0xA0...0xD7FF, 0xE000...0xFEFE, 0xFF00...0xFFFD, 0x10000...0x10FFFF:
            false
        default: true
        }
    }

    private mutating func explain(_ problem: String, context: YamlError.Context?, lines: [String]) {
        let openedAt = context.map { SettingsNode.Mark(line: $0.mark.line, column: $0.mark.column) } ?? mark
        let line = lines.indices.contains(mark.line - 1) ? Array(lines[mark.line - 1].unicodeScalars) : []
        let here = line.dropFirst(mark.column - 1).first
        // Braces end a text within brackets: of `[${NAME}]` the parser takes `$` for an item.
        let isReference = here == "{" && line.prefix(mark.column - 1).last == "$"
        switch problem {
        case "found character that cannot start any token" where here == "\t":
            say("a tab stands here, and YAML allows only spaces", "replace the tabs of this file by spaces")
        case "found character that cannot start any token":
            let character = String(here.map(Character.init) ?? "?").quotedForMessage
            say("a value cannot begin with \(character)", "put it in quotes")
        case "found a tab character that violates indentation",
            "found a tab character where an indentation space is expected":
            say("a tab stands here, and YAML allows only spaces", "replace the tabs of this file by spaces")
        case "mapping values are not allowed in this context":
            say(
                "a ':' is not possible here",
                "check the indentation of this line and the one above, and quote a text that has ': ' in it")
        case "did not find expected key":
            say(
                "this does not fit what stands above it",
                "check the indentation of this line and the ones above: keys of one mapping start in one column;"
                    + "\nthe mapping in question starts on line \(openedAt.line)")
        case "did not find expected '-' indicator":
            say(
                "this does not fit the list above it",
                "check the indentation: the items of a list start in one column, the settings of an item in another;"
                    + "\nthe list in question starts on line \(openedAt.line)")
        case "could not find expected ':'":
            say("this line has no ':' after its key", "write 'key: value', or check the indentation and quotes above")
            mark = openedAt
        case "did not find expected ',' or ']'" where isReference, "did not find expected ',' or '}'" where isReference:
            say("a reference within brackets needs quotes", "write \"${NAME}\"")
            mark = SettingsNode.Mark(line: mark.line, column: mark.column - 1, width: 2)
        case "did not find expected ',' or ']'":
            say("the '[' here is not closed, or a ',' is missing between its items", nil)
            mark = openedAt
        case "did not find expected ',' or '}'":
            say("the '{' here is not closed, or a ',' is missing between its entries", nil)
            mark = openedAt
        case "found unexpected end of stream":
            say("the quote that opens here is never closed", nil)
            mark = openedAt
        case "found undefined alias":
            say(
                "this alias has no anchor above it",
                "an anchor is written '&name', its alias '*name'; put a text that begins with '*' in quotes")
        case "block sequence entries are not allowed in this context":
            say("a list item '- ' is not possible here", "begin the list on a line of its own, below its key")
        case "but found another document":
            say("a second YAML document begins here, but a configuration is a single one", "remove the line '---'")
        case "found unknown escape character", "did not find expected hexdecimal number":
            say(
                "this escape in double quotes is none that YAML knows",
                "write \\\\ for a backslash, or use single quotes")
        default:
            hint = context.map { "\($0.text) on line \($0.mark.line)" }
        }
    }

    private mutating func say(_ message: String, _ hint: String?) {
        self.message = message
        self.hint = hint
    }
}
