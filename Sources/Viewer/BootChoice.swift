// `--boot`: which of the machine's starts is asked for.

/// One start of the machine, as its journal knows it.
package struct Boot: Sendable, Hashable {
    /// Its id, 32 hexadecimal digits.
    package let id: String
    /// When its first entry was written; nanoseconds since 1970.
    package let start: Int64

    package init(id: String, start: Int64) {
        self.id = id
        self.start = start
    }
}

/// A start of the machine, and what lies in it.
package struct BootWindow: Sendable, Hashable {
    /// Its id.
    package let id: String
    let idBytes: [UInt8]
    /// From its first entry up to that of the next start: containers know no boots.
    package let times: Range<Int64>

    package init(id: String, times: Range<Int64>) {
        self.id = id
        idBytes = Array(id.utf8)
        self.times = times
    }
}

/// A start of the machine as journalctl takes it: 0 is the newest, -1 the one before it, 1 the oldest; or an id, and perhaps an offset
/// from that: `294062377afe4b7896914df5d9f4d5aa-1`.
package struct BootChoice: Sendable, Hashable {
    private let text: String
    private let id: String?
    private let offset: Int

    /// Reads a choice; an empty text is the newest.
    package init(_ text: String) throws(QueryError) {
        self.text = text
        let hex = text.prefix { $0.isHexDigit && $0.isASCII }
        if hex.count == 32, let offset = BootChoice.offset(text.dropFirst(32)) {
            (id, self.offset) = (hex.lowercased(), offset)
        } else if let offset = BootChoice.offset(text[...]) {
            (id, self.offset) = (nil, offset)
        } else {
            throw QueryError(
                "'\(text)' is no boot",
                hint: "write 0 for the newest, -1 for the one before it, 1 for the oldest, or a boot's id")
        }
    }

    private static func offset(_ text: Substring) -> Int? { text.isEmpty ? 0 : Int(text) }

    /// Finds it among all that are known, the oldest first.
    package func window(among boots: [Boot]) throws(QueryError) -> BootWindow {
        let origin: Int
        if let id {
            guard let place = boots.firstIndex(where: { $0.id == id }) else { throw missing(boots) }
            origin = place + offset
        } else {
            origin = offset > 0 ? offset - 1 : boots.count - 1 + offset
        }
        guard boots.indices.contains(origin) else { throw missing(boots) }
        let end = origin + 1 < boots.count ? boots[origin + 1].start : .max
        let start = boots[origin].start
        return BootWindow(id: boots[origin].id, times: start..<max(start, end))
    }

    private func missing(_ boots: [Boot]) -> QueryError {
        let wanted = text.isEmpty ? "the newest boot" : "the boot '\(text)'"
        if boots.isEmpty { return QueryError("\(wanted) is not known: no journal is there to tell of any") }
        return QueryError(
            "\(wanted) is not known: the journal tells of \(boots.count)",
            hint: "write 0 to \(1 - boots.count), or 1 to \(boots.count)")
    }
}
