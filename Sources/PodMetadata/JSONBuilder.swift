// Writes JSON, member by member.
import Bytes

/// Appends members and elements, and puts the commas between them.
struct JSONBuilder: ~Copyable {
    private(set) var out = Arena()
    private var needsComma = false
    private var needsLineFeed = false
    private var times = TimestampWriter()

    /// A member, or without a name an element or the whole text, that is an object.
    mutating func object(_ name: StaticString? = nil, _ body: (inout JSONBuilder) -> Void) {
        brackets(name, UInt8(ascii: "{"), UInt8(ascii: "}"), body)
    }

    /// A member that is an array.
    mutating func array(_ name: StaticString, _ body: (inout JSONBuilder) -> Void) {
        brackets(name, UInt8(ascii: "["), UInt8(ascii: "]"), body)
    }

    private mutating func brackets(
        _ name: StaticString?, _ open: UInt8, _ close: UInt8, _ body: (inout JSONBuilder) -> Void
    ) {
        begin(name)
        out.append(open)
        needsComma = false
        body(&self)
        breakLine()
        out.append(close)
        needsComma = true
    }

    /// A string; nothing when it is empty.
    mutating func text(_ name: StaticString, _ value: String) {
        guard !value.isEmpty else { return }
        begin(name)
        out.appendJSONString(value)
    }

    /// A string of any name.
    mutating func text(key: String, _ value: String) {
        begin(nil)
        out.appendJSONString(key)
        out.append(UInt8(ascii: ":"))
        out.appendJSONString(value)
    }

    mutating func number(_ name: StaticString, _ value: Int64) {
        begin(name)
        out.append(decimal: value)
    }

    mutating func isTrue(_ name: StaticString) {
        begin(name)
        out.append("true")
    }

    /// Nanoseconds since 1970, as RFC 3339 with all nine digits.
    mutating func time(_ name: StaticString, nanoseconds: Int64) {
        begin(name)
        out.append(UInt8(ascii: "\""))
        times.append(nanoseconds, to: &out)
        out.append(UInt8(ascii: "\""))
    }

    /// Seconds since 1970, as Kubernetes writes them; nothing for what has no nanoseconds in 64 bits, which cannot be read back.
    mutating func time(_ name: StaticString, seconds: Int64) {
        let (nanoseconds, isTooLarge) = seconds.multipliedReportingOverflow(by: 1_000_000_000)
        guard !isTooLarge else { return }
        begin(name)
        out.append(UInt8(ascii: "\""))
        times.append(nanoseconds, to: &out)
        out.truncate(to: out.count - ".000000000Z".utf8.count)
        out.append("Z\"")
    }

    /// Begins a new line with what comes next, for whoever looks at the text.
    mutating func lineFeed() { needsLineFeed = true }

    private mutating func breakLine() {
        if needsLineFeed { out.append(UInt8(ascii: "\n")) }
        needsLineFeed = false
    }

    private mutating func begin(_ name: StaticString?) {
        if needsComma { out.append(UInt8(ascii: ",")) }
        needsComma = true
        breakLine()
        guard let name else { return }
        out.append(UInt8(ascii: "\""))
        out.append(name)
        out.append("\":")
    }
}
