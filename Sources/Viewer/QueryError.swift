// What is wrong with a question, in words for whoever asked it.

/// Why a question cannot be answered as it was asked: what is wrong with which words, and what to write instead.
package struct QueryError: Error, Hashable, CustomStringConvertible {
    /// What is wrong, and why: "'10' is no time: it has no unit".
    package let message: String
    /// What to write instead; nil where the message says it all.
    package let hint: String?

    package init(_ message: String, hint: String? = nil) {
        self.message = message
        self.hint = hint
    }

    /// Both in one line.
    package var description: String { hint.map { "\(message); \($0)" } ?? message }

    /// The same behind the flag that it is about: "--since: '10' is no time".
    package func about(_ flag: String) -> QueryError { QueryError("\(flag): \(message)", hint: hint) }
}
