// What every record of a source ends with: encoded once per source and change, copied per record.
import Bytes

/// Builds the ending of a source's records: `,"origin":"container","kubernetes":{...},"cluster":"prod-1"}` and a newline.
public struct RecordEnding: ~Copyable {
    private var bytes = Arena(capacity: 512)

    /// Starts with the record's origin: "container", "file", "journal".
    public init(origin: String) {
        bytes.append(",\"origin\":")
        bytes.appendJSONString(origin)
    }

    /// Appends an object; empty texts and objects are left out.
    public mutating func append(_ name: String, _ members: [(String, RecordValue)]) {
        bytes.append(",")
        bytes.appendJSONString(name)
        bytes.append(":{")
        var isFirst = true
        for (key, value) in members {
            if value.isEmpty { continue }
            if !isFirst { bytes.append(",") }
            isFirst = false
            bytes.appendJSONString(key)
            bytes.append(":")
            switch value {
            case .text(let text), .label(let text): bytes.appendJSONString(text)
            case .number(let number): bytes.append(text: String(number))
            case .object(let members): append(members)
            }
        }
        bytes.append("}")
    }

    private mutating func append(_ members: [(String, String)]) {
        var isFirst = true
        bytes.append("{")
        for (key, text) in members {
            if !isFirst { bytes.append(",") }
            isFirst = false
            bytes.appendJSONString(key)
            bytes.append(":")
            bytes.appendJSONString(text)
        }
        bytes.append("}")
    }

    /// The finished ending; `staticFields` is `,"name":value` for each of the configuration's `fields`.
    public consuming func finish(staticFields: [UInt8]) -> [UInt8] {
        bytes.append(staticFields)
        bytes.append("}\n")
        return Array(copying: bytes.span)
    }
}

/// A value in a record's ending.
public enum RecordValue: Sendable {
    case text(String)
    case number(Int64)
    /// A text that says something also when it is empty, as a label's.
    case label(String)
    /// Texts by name, in this order; the names must differ.
    case object([(String, String)])

    fileprivate var isEmpty: Bool {
        switch self {
        case .text(let text): text.isEmpty
        case .object(let members): members.isEmpty
        case .number, .label: false
        }
    }
}
