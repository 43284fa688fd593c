// The names of machines, boots and entries.

/// A 128-bit id of systemd: of a machine, a boot, a file. sd_id128_t
package struct JournalID: Hashable, Sendable, CustomStringConvertible {
    /// The first and the last eight bytes, as big-endian numbers.
    package let high: UInt64
    package let low: UInt64

    package init(high: UInt64, low: UInt64) {
        self.high = high
        self.low = low
    }

    /// Reads 32 hexadecimal digits; nil when `text` is anything else.
    package init?(_ text: some StringProtocol) {
        guard text.utf8.count == 32, text.utf8.allSatisfy({ $0 != UInt8(ascii: "+") && $0 != UInt8(ascii: "-") }),
            let high = UInt64(text.prefix(16), radix: 16), let low = UInt64(text.suffix(16), radix: 16)
        else { return nil }
        self.init(high: high, low: low)
    }

    /// Takes the sixteen bytes at `offset`.
    init(_ bytes: [UInt8], at offset: Int) {
        func number(_ from: Int) -> UInt64 { bytes[from..<(from + 8)].reduce(0) { $0 << 8 | UInt64($1) } }
        self.init(high: number(offset), low: number(offset + 8))
    }

    /// 32 hexadecimal digits, as systemd writes it.
    package var description: String { JournalID.digits(high) + JournalID.digits(low) }

    private static func digits(_ number: UInt64) -> String {
        let text = String(number, radix: 16)
        return String(repeating: "0", count: 16 - text.utf8.count) + text
    }
}

/// What a journal cursor says. Its text is for `JournalReader`; the numbers tell how much was lost when its entry is gone.
package struct JournalCursor: Equatable, Sendable {
    /// What counts the entries, shared by the files of one journald, and the entry's number in it. The numbers have no gaps over
    /// all files of the machine, those of users included.
    package let sequenceID: JournalID
    package let sequence: UInt64
    /// The boot the entry was written in, and microseconds since it began.
    package let bootID: JournalID
    package let monotonic: UInt64
    /// Microseconds since 1970.
    package let realtime: UInt64
    /// All of the entry's fields, hashed.
    package let contentHash: UInt64

    /// Whether an entry of the same machine was written at the very same time.
    package func isSameMoment(as other: JournalCursor) -> Bool {
        bootID == other.bootID && monotonic == other.monotonic && realtime == other.realtime
    }

    /// Reads a cursor's text, `s=…;i=…;b=…;m=…;t=…;x=…`; nil when a part of it is missing.
    package init?(_ text: String) {
        var parts: [Character: Substring] = [:]
        for part in text.split(separator: ";") where part.dropFirst().first == "=" {
            if let key = part.first { parts[key] = part.dropFirst(2) }
        }
        func number(_ key: Character) -> UInt64? { parts[key].flatMap { UInt64($0, radix: 16) } }
        guard let sequenceID = parts["s"].flatMap({ JournalID($0) }), let sequence = number("i"),
            let bootID = parts["b"].flatMap({ JournalID($0) }), let monotonic = number("m"), let realtime = number("t"),
            let contentHash = number("x")
        else { return nil }
        self.sequenceID = sequenceID
        self.sequence = sequence
        self.bootID = bootID
        self.monotonic = monotonic
        self.realtime = realtime
        self.contentHash = contentHash
    }
}
