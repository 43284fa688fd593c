// A number of bytes as an operator writes it: 16MiB, 64k, 1.5GiB.

/// A number of bytes, never negative.
package struct ByteSize: Sendable, Hashable, Comparable {
    /// How many bytes.
    package let bytes: Int

    /// Creates a size of so many bytes.
    package init(bytes: Int) {
        precondition(bytes >= 0, "a size is not negative")
        self.bytes = bytes
    }

    /// A size in units of 1024 bytes.
    package static func kibibytes(_ count: Int) -> ByteSize { ByteSize(bytes: count << 10) }
    /// A size in units of 1024² bytes.
    package static func mebibytes(_ count: Int) -> ByteSize { ByteSize(bytes: count << 20) }
    /// A size in units of 1024³ bytes.
    package static func gibibytes(_ count: Int) -> ByteSize { ByteSize(bytes: count << 30) }

    package static func < (left: ByteSize, right: ByteSize) -> Bool { left.bytes < right.bytes }

    /// The bytes in one unit, by its lower-case name; nil for a unit that does not exist.
    fileprivate static func bytes(in unit: String) -> Int? {
        switch unit {
        case "", "b": 1
        case "k", "kb": 1_000
        case "m", "mb": 1_000_000
        case "g", "gb": 1_000_000_000
        case "t", "tb": 1_000_000_000_000
        case "ki", "kib": 1 << 10
        case "mi", "mib": 1 << 20
        case "gi", "gib": 1 << 30
        case "ti", "tib": 1 << 40
        default: nil
        }
    }
}

extension ByteSize: TextSettingValue {
    package static var expectation: String { "a size such as 16MiB" }
    /// More than any node has; far enough below what an Int holds that sums of sizes cannot overflow.
    private static let most = 1 << 50
    private static let hint =
        "write a number and a unit, such as 16MiB, 64k or 1.5GiB (k M G T are 1000s, Ki Mi Gi Ti 1024s)"

    package init(text: String) throws(SettingMisfit) {
        if text.hasPrefix("-") { throw .text("is negative, and a size cannot be", hint: Self.hint) }
        var rest = Substring(text)
        guard let number = try DecimalNumber(takenFrom: &rest) else { throw .text("is not a size", hint: Self.hint) }
        let unit = rest.drop { $0 == " " }
        guard let unitBytes = Self.bytes(in: unit.lowercased()) else {
            throw .text("is not a size: there is no unit \(String(unit).quotedForMessage)", hint: Self.hint)
        }
        if unitBytes == 1, number.decimals > 0 { throw .text("is not a whole number of bytes", hint: Self.hint) }
        guard let bytes = number.times(unitBytes), bytes <= Self.most else {
            throw .text("is too large a size", hint: "1024TiB at most")
        }
        self.init(bytes: bytes)
    }
}

extension ByteSize: CustomStringConvertible {
    /// The shortest exact way to write it: `16MiB`, `100MB`, `12345`.
    package var description: String {
        let units = ["TiB", "GiB", "MiB", "KiB", "TB", "GB", "MB", "kB"]
        for unit in units {
            if let size = Self.bytes(in: unit.lowercased()), bytes >= size, bytes % size == 0 {
                return "\(bytes / size)\(unit)"
            }
        }
        return String(bytes)
    }
}

/// A decimal number such as `12` or `1.5`, kept exactly.
struct DecimalNumber {
    /// All digits, without the point.
    let digits: Int
    /// How many of them stand behind the point.
    let decimals: Int

    /// Takes a number from the start of a text; nil when there is none.
    ///
    /// - Throws: `SettingMisfit` when it has more digits than can be counted with.
    init?(takenFrom text: inout Substring) throws(SettingMisfit) {
        let whole = text.prefix { $0.isASCII && $0.isNumber }
        guard !whole.isEmpty else { return nil }
        text = text.dropFirst(whole.count)
        var fraction = Substring()
        if text.first == "." {
            fraction = text.dropFirst().prefix { $0.isASCII && $0.isNumber }
            guard !fraction.isEmpty else { return nil }
            text = text.dropFirst(fraction.count + 1)
        }
        guard whole.count + fraction.count <= 18, let digits = Int(whole + fraction) else {
            throw .text("has too many digits")
        }
        self.digits = digits
        decimals = fraction.count
    }

    /// The number times `unit`, rounded down; nil when it does not fit.
    func times(_ unit: Int) -> Int? {
        var divisor: Int128 = 1
        for _ in 0..<decimals { divisor *= 10 }
        return Int(exactly: Int128(digits) * Int128(unit) / divisor)
    }
}
