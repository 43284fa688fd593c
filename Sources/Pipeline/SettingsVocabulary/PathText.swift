// Paths of files and folders as settings.

/// The path of a file or a folder.
package struct PathText: TextSettingValue {
    package static var expectation: String { "a path" }
    /// As it is written.
    package let text: String

    package init(text: String) throws(SettingMisfit) {
        if text.isEmpty { throw SettingMisfit("is empty, expected a path") }
        if text.utf8.contains(0) { throw .text("has a NUL in it, which no path has") }
        if text.first?.isWhitespace == true || text.last?.isWhitespace == true {
            throw .text("has a blank at its beginning or end")
        }
        if text == "~" || text.hasPrefix("~/") {
            throw .text("begins with '~', which means nothing here", hint: "write the whole path")
        }
        self.text = text
    }
}

extension Fields {
    /// The path at `key`; nil when it is not given, or wrong, which is reported.
    package mutating func path(_ key: String) -> String? { optional(key, as: PathText.self)?.text }
}
