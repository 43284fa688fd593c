// Integers to text and back, to the ends of their ranges.
import Bytes
import Testing

@Suite struct `Decimal text` {
    @Test func `integers are written without leading zeros`() {
        var random = SeededGenerator(seed: 4)
        var values: [Int64] = [0, 9, 10, 99, 100, -1, .max, .min]
        for _ in 0..<1000 { values.append(Int64.random(in: .min ... .max, using: &random) >> Int64(random.below(64))) }
        for value in values {
            var arena = Arena(capacity: 0)
            arena.append(decimal: value)
            #expect(arena.text == String(value))
            #expect(DecimalText.signed(arena.span) == value)
            arena.removeAll()
            arena.append(decimal: UInt64(bitPattern: value))
            #expect(arena.text == String(UInt64(bitPattern: value)))
            #expect(DecimalText.unsigned(arena.span) == UInt64(bitPattern: value))
        }
    }

    @Test(arguments: [
        "", "+", "-", " 1", "1 ", "1.0", "0x1", "18446744073709551616", "99999999999999999999", "--1", "1-",
    ])
    func `what is not a number is refused`(text: String) {
        #expect(DecimalText.unsigned(text.bytes.span) == nil)
        #expect(DecimalText.signed(text.bytes.span) == nil)
    }

    @Test func `the ends of the range are read, what lies beyond is refused`() {
        #expect(DecimalText.unsigned("18446744073709551615".bytes.span) == .max)
        #expect(DecimalText.signed("9223372036854775807".bytes.span) == .max)
        #expect(DecimalText.signed("9223372036854775808".bytes.span) == nil)
        #expect(DecimalText.signed("-9223372036854775808".bytes.span) == .min)
        #expect(DecimalText.signed("-9223372036854775809".bytes.span) == nil)
        #expect(DecimalText.signed("+007".bytes.span) == 7)
        #expect(DecimalText.unsigned("-0".bytes.span) == nil)
    }
}
