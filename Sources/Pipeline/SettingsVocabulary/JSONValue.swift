// Any value of a configuration as JSON, for what is copied into records as it stands (`fields:`).
// Nothing is read into something else: what is not plainly a number, true or false stays the text that was written. What was quoted
// or expanded is a text in any case, so that its type is the same on every node.

/// A value that was written in YAML, as JSON.
package struct JSONValue: Sendable, Hashable {
    /// The JSON text, UTF-8.
    package let bytes: [UInt8]
}

extension JSONValue: SettingValue, CustomStringConvertible {
    package static var expectation: String { "a value" }

    /// The JSON text.
    package var description: String { String(decoding: bytes, as: UTF8.self) }

    package init(_ node: SettingsNode) throws(SettingMisfit) {
        var json = ""
        try Self.write(node, to: &json)
        bytes = Array(json.utf8)
    }

    private static func write(_ node: SettingsNode, to json: inout String) throws(SettingMisfit) {
        switch node.content {
        case .null, .unusable:
            json += "null"
        case .scalar(let scalar):
            json += try scalar.style == .plain ? plain(scalar.text, mark: node.mark) : quoted(scalar.text)
        case .list(let items):
            json += "["
            for (index, item) in items.enumerated() {
                if index > 0 { json += "," }
                try write(item, to: &json)
            }
            json += "]"
        case .mapping(let entries):
            json += "{"
            for (index, entry) in entries.enumerated() {
                json += (index > 0 ? "," : "") + quoted(entry.key) + ":"
                try write(entry.value, to: &json)
            }
            json += "}"
        }
    }

    /// An unquoted text: true, false, a number, or itself in quotes.
    private static func plain(_ text: String, mark: SettingsNode.Mark) throws(SettingMisfit) -> String {
        switch text {
        case "true", "True", "TRUE": return "true"
        case "false", "False", "FALSE": return "false"
        case ".inf", ".Inf", ".INF", "+.inf", "+.Inf", "+.INF", "-.inf", "-.Inf", "-.INF", ".nan", ".NaN", ".NAN":
            throw SettingMisfit(
                "\(text.quotedForMessage) is no number that JSON can hold", hint: "put it in quotes to make it a text",
                mark: mark)
        default: return isNumber(text) ? text : quoted(text)
        }
    }

    /// Whether an unquoted text is a number: digits without zeros before them, perhaps `-`, perhaps decimals. Then JSON writes it
    /// in the same way.
    ///
    /// What YAML would read as a number besides is rather a zip code (`01234`), a phone's number (`+49`), a commit (`1E3`, `0x1F`)
    /// or an id of more digits than a number has in programs. Records hold it as it was written.
    package static func isNumber(_ text: String) -> Bool {
        var rest = text.utf8[...]
        func digits() -> Substring.UTF8View.SubSequence {
            let digits = rest.prefix { (0x30...0x39).contains($0) }
            rest = rest.dropFirst(digits.count)
            return digits
        }
        if rest.first == UInt8(ascii: "-") { rest.removeFirst() }
        let whole = digits()
        guard let first = whole.first, first != UInt8(ascii: "0") || whole.count == 1 else { return false }
        guard !rest.isEmpty else { return Int64(text) != nil }
        guard rest.removeFirst() == UInt8(ascii: "."), !digits().isEmpty, rest.isEmpty else { return false }
        return Double(text)?.isFinite == true
    }

    /// A text as a JSON string.
    private static func quoted(_ text: String) -> String {
        var json = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": json += "\\\""
            case "\\": json += "\\\\"
            case "\n": json += "\\n"
            case "\r": json += "\\r"
            case "\t": json += "\\t"
            case "\u{00}"..<"\u{20}":
                let hex = String(scalar.value, radix: 16)
                json += "\\u" + String(repeating: "0", count: 4 - hex.count) + hex
            default: json.unicodeScalars.append(scalar)
            }
        }
        return json + "\""
    }
}
