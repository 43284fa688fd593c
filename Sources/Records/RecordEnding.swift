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

    /// Appends an object of strings and numbers; empty strings are left out.
    public mutating func append(_ name: String, _ members: [(String, RecordValue)]) {
        bytes.append(",")
        bytes.appendJSONString(name)
        bytes.append(":{")
        var isFirst = true
        for (key, value) in members {
            if case .text("") = value { continue }
            if !isFirst { bytes.append(",") }
            isFirst = false
            bytes.appendJSONString(key)
            bytes.append(":")
            switch value {
            case .text(let text): bytes.appendJSONString(text)
            case .number(let number): bytes.append(text: String(number))
            }
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
}
