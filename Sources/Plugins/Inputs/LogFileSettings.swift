// Settings that every input of log files has.
package import NodeFiles
package import Pipeline
package import Records

extension JSONMode: TextSettingValue {
    package static var expectation: String { "merge, off, or under:<key>" }

    package init(text: String) throws(SettingMisfit) {
        switch text {
        case "merge": self = .merge
        case "off": self = .off
        default:
            guard text.hasPrefix("under:") else {
                throw .text("is not a way to treat JSON messages", hint: "write merge, off, or under:<key>")
            }
            let key = String(text.dropFirst("under:".count))
            guard !key.isEmpty else {
                throw .text("has no key", hint: "write the key's name behind it, such as under:app")
            }
            guard !ReservedNames.always.contains(key), key != "message" else {
                throw .text(
                    "names a member that records have themselves", hint: "choose another key, such as under:app")
            }
            self = .under(key)
        }
    }
}

/// How files are read: what `kubernetes_logs` and `file` have in common.
package struct LogFileSettings: Sendable {
    /// Where to begin in files that stood there when the input was started for the first time ever.
    package let start: FileStart
    /// What becomes of messages that are JSON objects.
    package let json: JSONMode
    /// Bytes of message that are kept whole.
    package let maxLine: ByteSize
    /// Bytes of deleted files that are held open until they are read.
    package let maxHeld: ByteSize

    init(from fields: inout Fields) {
        start = fields.choice("start_at", default: .beginning)
        json = fields.value("json", default: .merge)
        maxLine = fields.value("max_line", default: .mebibytes(1), atLeast: .kibibytes(1), atMost: .mebibytes(16))
        maxHeld = fields.value("max_held", default: .gibibytes(1), atLeast: .mebibytes(1))
    }

    /// The options of the tailer of an input called `name`.
    func options(_ format: LineFormat, context: PluginContext, isFirst: Bool) -> TailOptions {
        var options = TailOptions(input: context.name, format: format)
        options.maxLine = maxLine.bytes
        options.maxHeld = UInt64(maxHeld.bytes)
        options.once = context.once
        options.descriptors = context.descriptors
        options.skipsPresent = isFirst && start == .end
        return options
    }
}
