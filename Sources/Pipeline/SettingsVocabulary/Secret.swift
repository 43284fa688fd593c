// Tokens and passwords: read like any text, never printed.

/// A text that must not be printed: a token, a password.
package struct Secret: TextSettingValue, CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    package static var expectation: String { "a text" }
    package static var isSecret: Bool { true }
    private let text: String

    package init(text: String) { self.text = text }

    /// The text itself, for the one place that sends it.
    package func revealed() -> String { text }

    /// Stars.
    package var description: String { "*****" }
    /// Stars.
    package var debugDescription: String { "*****" }
    /// Nothing to look into.
    package var customMirror: Mirror { Mirror(self, children: []) }
}
