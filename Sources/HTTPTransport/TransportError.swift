// What keeps connections from being made at all.

/// A setting, or a file that a setting names, that cannot be used. An operator has to change something, or a file that is being
/// exchanged will be right in a moment.
package struct TransportError: Error, Equatable, CustomStringConvertible {
    /// What is wrong, as a sentence: it names the setting, and the file where there is one.
    package let description: String

    /// Creates an error from a sentence.
    package init(_ description: String) { self.description = description }
}
