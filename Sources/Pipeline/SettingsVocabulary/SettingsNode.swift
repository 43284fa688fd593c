// The tree that settings are read from: what a YAML file says, without the YAML library, and where it says it.
// `Settings` builds it from a file; tests write it as a literal. `Fields` turns it into typed values.

/// One value of a configuration file and the place where it stands.
///
/// A scalar keeps its text and is not interpreted: the setting decides the type, so `on`, `1.10` and `null_pod` reach a
/// text setting as they were written. Only `JSONValue`, which has no type of its own, looks at the quotes.
package struct SettingsNode: Sendable {
    /// What stands there.
    package let content: Content
    /// Where it stands.
    package let mark: Mark

    /// Creates a node; without a mark it stands at the start of the file, which is good enough for tests.
    package init(_ content: Content, mark: Mark = Mark(line: 1, column: 1)) {
        self.content = content
        self.mark = mark
    }

    /// What a node may be.
    package enum Content: Sendable {
        /// Nothing, `~` or `null`: reads like a setting that is not there.
        case null
        /// One text.
        case scalar(Scalar)
        /// Items in the order of the file.
        case list([SettingsNode])
        /// Entries in the order of the file, each key once.
        case mapping([Entry])
        /// A value whose problem has already been reported, so that readers stay quiet about it.
        case unusable
    }

    /// One text.
    package struct Scalar: Sendable {
        /// The text, after expansion.
        package let text: String
        /// What may be printed in a message: the text with its references as they are written. What comes from the environment or
        /// a file is a likely secret.
        package let shown: String
        /// How the text came to be.
        package let style: Style

        /// Creates a scalar; `shown` defaults to the text.
        package init(_ text: String, style: Style, shown: String? = nil) {
            self.text = text
            self.style = style
            self.shown = shown ?? text
        }

        /// Whether something of the text is not to be printed.
        package var isConfidential: Bool { shown != text }

        /// How a text came to be.
        package enum Style: Sendable {
            /// Written without quotes: may mean a number, true or false where no type is asked for.
            case plain
            /// Written in quotes, as a block or with a `!!str` tag.
            case quoted
            /// Holds something that was expanded from the environment or a file.
            case expanded
        }
    }

    /// One line of a mapping.
    package struct Entry: Sendable {
        /// The key.
        package let key: String
        /// Where the key stands.
        package let keyMark: Mark
        /// The value.
        package let value: SettingsNode

        /// Creates an entry.
        package init(key: String, keyMark: Mark, value: SettingsNode) {
            self.key = key
            self.keyMark = keyMark
            self.value = value
        }
    }

    /// A place in the file.
    package struct Mark: Sendable, Hashable, Comparable {
        /// The line, from 1.
        package let line: Int
        /// The column in Unicode scalars, from 1.
        package let column: Int
        /// How many Unicode scalars of this line belong to the thing that stands here, at least 1.
        package let width: Int

        /// Creates a mark.
        package init(line: Int, column: Int, width: Int = 1) {
            self.line = line
            self.column = column
            self.width = max(width, 1)
        }

        package static func < (left: Mark, right: Mark) -> Bool {
            (left.line, left.column) < (right.line, right.column)
        }
    }

    /// What stands here, in words: "a list", "a mapping", "the text 'abc'".
    package var inWords: String {
        switch content {
        case .null: "nothing"
        case .scalar(let scalar): "the text \(scalar.shown.quotedForMessage)"
        case .list: "a list"
        case .mapping: "a mapping"
        case .unusable: "something unusable"
        }
    }
}

extension String {
    /// The text in single quotes, on one line and short enough for a message.
    package var quotedForMessage: String {
        var shown = String.UnicodeScalarView()
        var isCut = false
        for (index, scalar) in unicodeScalars.prefix(81).enumerated() {
            if index < 80 { shown.append(scalar.isSafeToPrint ? scalar : "\u{FFFD}") } else { isCut = true }
        }
        return "'\(String(shown))\(isCut ? "..." : "")'"
    }
}

extension Unicode.Scalar {
    /// Whether a terminal prints it and does nothing else: no control character, and none that turns the direction of writing.
    var isSafeToPrint: Bool {
        switch value {
        case 0x2028, 0x2029, 0x202A...0x202E, 0x2066...0x2069: false
        default: properties.generalCategory != .control
        }
    }
}

extension SettingsNode: ExpressibleByStringLiteral, ExpressibleByIntegerLiteral, ExpressibleByBooleanLiteral {
    package init(stringLiteral text: String) { self.init(.scalar(Scalar(text, style: .quoted))) }
    package init(integerLiteral number: Int) { self.init(.scalar(Scalar(String(number), style: .plain))) }
    package init(booleanLiteral truth: Bool) { self.init(.scalar(Scalar(String(truth), style: .plain))) }
}

extension SettingsNode: ExpressibleByArrayLiteral, ExpressibleByDictionaryLiteral {
    package init(arrayLiteral items: SettingsNode...) { self.init(.list(items)) }
    package init(dictionaryLiteral entries: (String, SettingsNode)...) { self.init(mapping: entries) }
    package init(mapping entries: [(String, SettingsNode)]) {
        self.init(.mapping(entries.map { Entry(key: $0, keyMark: Mark(line: 1, column: 1), value: $1) }))
    }
}
