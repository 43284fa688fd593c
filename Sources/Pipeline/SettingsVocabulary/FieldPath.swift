// The way to a member of a record: `kubernetes.namespace_name`, `kubernetes.labels."app.kubernetes.io/name"`.

/// Names a member of a record, level by level.
package struct FieldPath: Sendable, Hashable {
    /// The names from the outermost to the innermost, at least one, none empty.
    package let names: [String]

    /// Creates a path of these names.
    package init(names: [String]) {
        precondition(!names.isEmpty && !names.contains(""), "a field path has names, none of them empty")
        self.names = names
    }
}

extension FieldPath: TextSettingValue {
    package static var expectation: String { "a field such as kubernetes.namespace_name" }
    private static let hint =
        "write names joined by dots, one with dots of its own in double quotes:"
        + " kubernetes.labels.\"app.kubernetes.io/name\""

    package init(text: String) throws(SettingMisfit) {
        var names: [String] = []
        var rest = Substring(text)
        repeat {
            if !names.isEmpty { rest.removeFirst() }  // the dot
            let name: String
            if rest.first == "\"" {
                let quoted = rest.dropFirst().prefix { $0 != "\"" }
                rest = rest.dropFirst(quoted.count + 1)
                guard rest.first == "\"" else { throw .text("has a quote that is not closed", hint: Self.hint) }
                rest.removeFirst()
                name = String(quoted)
            } else {
                let plain = rest.prefix { $0 != "." && $0 != "\"" }
                rest = rest.dropFirst(plain.count)
                name = String(plain)
            }
            guard !name.isEmpty, rest.isEmpty || rest.first == "." else {
                throw .text("is not the name of a field", hint: Self.hint)
            }
            names.append(name)
        } while !rest.isEmpty
        self.init(names: names)
    }
}

extension FieldPath: CustomStringConvertible {
    /// The path as it is written.
    package var description: String {
        names.map { $0.contains(".") ? "\"\($0)\"" : $0 }.joined(separator: ".")
    }
}
