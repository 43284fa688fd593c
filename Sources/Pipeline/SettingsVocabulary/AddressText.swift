// Addresses of servers as settings: read like any text, and not printed.

/// The text of a URL. It may hold a password before its host, or a token in its path or query, so neither messages nor excerpts
/// show it: whoever checks it says which part is wrong.
package struct AddressText: TextSettingValue {
    package static var expectation: String { "an address" }
    package static var isSecret: Bool { true }
    /// As it is written.
    package let text: String

    package init(text: String) throws(SettingMisfit) {
        if let fault = Self.fault(in: text) { throw SettingMisfit(fault) }
        self.text = text
    }

    /// What is wrong with the letters of an address, whatever it leads to; nil when nothing is. RFC 3986 knows no others, and a
    /// client that writes them as `%20` asks for something else than was meant.
    private static func fault(in text: String) -> String? {
        for (index, scalar) in text.unicodeScalars.enumerated() {
            switch scalar {
            case " ", "\t", "\n", "\r": return "has a blank in it (its character \(index + 1)), which no address has"
            case "\"", "<", ">", "\\", "^", "`", "{", "|", "}":
                return "has a '\(scalar)' in it (its character \(index + 1)), which no address has"
            default:
                if scalar.properties.generalCategory == .control {
                    return "has a control character in it (its character \(index + 1)), which no address has"
                }
            }
        }
        return nil
    }
}
