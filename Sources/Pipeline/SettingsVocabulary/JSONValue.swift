// Any value of a configuration as JSON, for what is copied into records as it stands (`fields:`).
// Types follow YAML's core schema; what was quoted or expanded is a text, so that its type is the same on every node.

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

    /// An unquoted text: true, false, a number in JSON's spelling, or itself in quotes.
    private static func plain(_ text: String, mark: SettingsNode.Mark) throws(SettingMisfit) -> String {
        switch text {
        case "true", "True", "TRUE": return "true"
        case "false", "False", "FALSE": return "false"
        default: break
        }
        let unsigned = text.first == "-" || text.first == "+" ? text.dropFirst() : text[...]
        let notFinite = [".inf", ".Inf", ".INF"].contains(unsigned) || [".nan", ".NaN", ".NAN"].contains(text)
        if notFinite || number(unsigned).map({ Double($0)?.isFinite == false }) == true {
            throw SettingMisfit(
                "\(text.quotedForMessage) is no number that JSON can hold", hint: "put it in quotes to make it a text",
                mark: mark)
        }
        guard let number = number(unsigned) else { return quoted(text) }
        return text.first == "-" ? "-" + number : number
    }

    /// A number of the core schema without its sign, in JSON's spelling and with all its digits; nil when it is none.
    private static func number(_ text: Substring) -> String? {
        for (prefix, radix) in [("0x", 16), ("0o", 8)] where text.hasPrefix(prefix) {
            return UInt64(text.dropFirst(2), radix: radix).map(String.init)
        }
        var rest = text
        func digits() -> Substring {
            let digits = rest.prefix { $0.isASCII && $0.isNumber }
            rest = rest.dropFirst(digits.count)
            return digits
        }
        let whole = digits()
        var fraction: Substring?
        if rest.first == "." {
            rest.removeFirst()
            fraction = digits()
        }
        guard !whole.isEmpty || fraction?.isEmpty == false else { return nil }
        var exponent = ""
        if rest.first == "e" || rest.first == "E" {
            rest.removeFirst()
            if let sign = rest.first, sign == "-" || sign == "+" {
                exponent = String(sign)
                rest.removeFirst()
            }
            let power = digits()
            guard !power.isEmpty else { return nil }
            exponent = "e" + exponent + power
        }
        guard rest.isEmpty else { return nil }
        let significant = whole.drop { $0 == "0" }
        let decimals = fraction.map { "." + ($0.isEmpty ? "0" : $0) } ?? ""
        return (significant.isEmpty ? "0" : significant) + decimals + exponent
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
