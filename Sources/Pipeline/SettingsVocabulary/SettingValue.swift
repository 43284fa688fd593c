// The types a setting may have. A type says what it expects and why it refuses; `Fields` says where.

/// A type that a setting can be read as.
package protocol SettingValue: Sendable {
    /// What belongs here, after the word "expected": "a size such as 16MiB".
    static var expectation: String { get }
    /// Whether its text must never be shown.
    static var isSecret: Bool { get }
    /// Reads the value.
    ///
    /// - Throws: `SettingMisfit` that says why the node is no such value.
    init(_ node: SettingsNode) throws(SettingMisfit)
}

extension SettingValue {
    package static var isSecret: Bool { false }
}

/// A setting type that is written as one text: the usual case.
package protocol TextSettingValue: SettingValue {
    /// Reads the value from its text.
    ///
    /// - Throws: `SettingMisfit`, best made with `SettingMisfit.text`.
    init(text: String) throws(SettingMisfit)
}

extension TextSettingValue {
    package init(_ node: SettingsNode) throws(SettingMisfit) {
        guard case .scalar(let scalar) = node.content else {
            throw SettingMisfit("expected \(Self.expectation), found \(node.inWords)")
        }
        do throws(SettingMisfit) {
            try self.init(text: scalar.text)
        } catch {
            throw error.about(Self.isSecret ? "the value" : scalar.shown.quotedForMessage)
        }
    }
}

/// Why a node cannot be read as a type.
package struct SettingMisfit: Error, Sendable {
    /// What is wrong, a sentence without its full stop.
    package let message: String
    /// What to do about it.
    package let hint: String?
    /// Where exactly, when the fault lies deeper than the setting itself.
    package let mark: SettingsNode.Mark?
    private let startsWithText: Bool

    /// A complete sentence.
    package init(_ message: String, hint: String? = nil, mark: SettingsNode.Mark? = nil) {
        self.init(message: message, hint: hint, mark: mark, startsWithText: false)
    }

    private init(message: String, hint: String?, mark: SettingsNode.Mark?, startsWithText: Bool) {
        self.message = message
        self.hint = hint
        self.mark = mark
        self.startsWithText = startsWithText
    }

    /// A sentence about the setting's text, without the text itself: `.text("is not a size")`.
    package static func text(_ predicate: String, hint: String? = nil) -> SettingMisfit {
        SettingMisfit(message: predicate, hint: hint, mark: nil, startsWithText: true)
    }

    /// The same without a word of what came from the environment or a file: why a text does not fit quotes parts of it.
    func withoutConfidentialText(of node: SettingsNode, expected: String) -> SettingMisfit {
        guard case .scalar(let scalar) = node.content, scalar.isConfidential else { return self }
        return SettingMisfit(
            "\(scalar.shown.quotedForMessage) does not hold \(expected)",
            hint: "what it holds is not shown, since it may be a secret", mark: mark)
    }

    /// The whole sentence, with what may be shown of the text.
    package func about(_ shown: String) -> SettingMisfit {
        startsWithText ? SettingMisfit("\(shown) \(message)", hint: hint, mark: mark) : self
    }
}

extension String: TextSettingValue {
    package static var expectation: String { "a text" }
    package init(text: String) { self = text }
}

extension Bool: TextSettingValue {
    package static var expectation: String { "true or false" }
    package init(text: String) throws(SettingMisfit) {
        switch text.lowercased() {
        case "true", "yes", "on": self = true
        case "false", "no", "off": self = false
        default: throw .text("is neither true nor false")
        }
    }
}

extension Int: TextSettingValue {
    package static var expectation: String { "a whole number" }
    package init(text: String) throws(SettingMisfit) {
        let digits = text.hasPrefix("-") || text.hasPrefix("+") ? text.dropFirst() : text[...]
        guard !digits.isEmpty, digits.utf8.allSatisfy({ (0x30...0x39).contains($0) }) else {
            throw .text("is not a whole number")
        }
        // For some readers of YAML 010 is 8.
        guard digits.first != "0" || digits.count == 1 else {
            throw .text("is not a whole number", hint: "write it without zeros before it")
        }
        guard let number = Int(text) else { throw .text("is too large a number") }
        self = number
    }
}
