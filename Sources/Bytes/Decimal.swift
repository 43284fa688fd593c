// Integers as decimal digits: written to an arena, read from bytes; eight digits at a time where it pays.

/// Reads decimal integers, and converts eight digits at once.
public enum DecimalText {
    /// The value of 1 or more ASCII digits that are all of `digits`; nil for anything else and above `UInt64.max`.
    public static func unsigned(_ digits: Span<UInt8>) -> UInt64? {
        guard !digits.isEmpty else { return nil }
        var value: UInt64 = 0
        for i in 0..<digits.count {
            let digit = digits[i] &- 0x30
            guard digit < 10 else { return nil }
            let (tens, tooLarge) = value.multipliedReportingOverflow(by: 10)
            let (sum, carry) = tens.addingReportingOverflow(UInt64(digit))
            if tooLarge || carry { return nil }
            value = sum
        }
        return value
    }

    /// The value of digits with an optional `-` or `+` before them; nil for anything else and outside of `Int64`.
    public static func signed(_ text: Span<UInt8>) -> Int64? {
        guard !text.isEmpty else { return nil }
        let isNegative = text[0] == UInt8(ascii: "-")
        let hasSign = isNegative || text[0] == UInt8(ascii: "+")
        guard let size = unsigned(text.extracting((hasSign ? 1 : 0)..<text.count)) else { return nil }
        if isNegative { return size <= Int64.min.magnitude ? Int64(truncatingIfNeeded: 0 &- size) : nil }
        return Int64(exactly: size)
    }

    /// Whether the eight bytes of `word` are all ASCII digits.
    @inlinable @inline(__always)
    static func areDigits(_ word: UInt64) -> Bool {
        // The high half of a digit is 3, and is still 3 when 6 has been added.
        let high: UInt64 = 0xf0f0_f0f0_f0f0_f0f0
        let three: UInt64 = 0x3030_3030_3030_3030
        return word & high == three && (word &+ 0x0606_0606_0606_0606) & high == three
    }

    /// The value of eight ASCII digits, the first one in the lowest byte.
    @inlinable @inline(__always)
    static func value(ofDigits word: UInt64) -> UInt64 {
        let ones = word & 0x0f0f_0f0f_0f0f_0f0f
        let pairs = (ones & 0x00ff_00ff_00ff_00ff) &* 10 &+ ((ones >> 8) & 0x00ff_00ff_00ff_00ff)
        let fours = (pairs & 0x0000_ffff_0000_ffff) &* 100 &+ ((pairs >> 16) & 0x0000_ffff_0000_ffff)
        return (fours & 0xffff_ffff) &* 10_000 &+ (fours >> 32)
    }

    /// `value`, below 100 000 000, as eight ASCII digits with leading zeros, the first one in the lowest byte.
    @inlinable @inline(__always)
    static func digits(of value: UInt64) -> UInt64 {
        // Each step divides all fields at once: by 100 as a multiplication by 5243 / 2^19, by 10 as one by 103 / 2^10.
        let fours = (value / 10_000) | ((value % 10_000) << 32)
        let hundreds = ((fours &* 5243) >> 19) & 0x0000_007f_0000_007f
        let pairs = hundreds | ((fours &- hundreds &* 100) << 16)
        let tens = ((pairs &* 103) >> 10) & 0x000f_000f_000f_000f
        return (tens | ((pairs &- tens &* 10) << 8)) | 0x3030_3030_3030_3030
    }
}

extension Arena {
    /// Appends `value` in decimal, without leading zeros.
    public mutating func append(decimal value: UInt64) {
        var digits = InlineArray<20, UInt8>(repeating: 0x30)
        var start = 20
        var rest = value
        repeat {
            start -= 1
            digits[start] = 0x30 + UInt8(truncatingIfNeeded: rest % 10)
            rest /= 10
        } while rest > 0
        append(digits.span.extracting(start..<20))
    }

    /// Appends `value` in decimal, with `-` before it when negative.
    public mutating func append(decimal value: Int64) {
        if value < 0 { append(UInt8(ascii: "-")) }
        append(decimal: UInt64(value.magnitude))
    }

    /// Appends `value` in decimal, with `-` before it when negative.
    public mutating func append(decimal value: Int) { append(decimal: Int64(value)) }
}
