// Times read, refused and written: each day of the range, its ends, and the cached second.
import Bytes
import Testing

/// The time at the beginning of `text` and where it ended, by a parser that has seen nothing.
private func parse(_ text: String) -> (time: Int64, end: Int)? {
    var parser = TimestampParser()
    let arena = Arena(holding: text.bytes)
    let time = parser.parse(arena, from: 0, to: arena.count)
    return time == TimestampParser.invalid ? nil : (time, parser.end)
}

private func written(_ nanoseconds: Int64) -> String {
    var writer = TimestampWriter()
    var arena = Arena(capacity: 0)
    writer.append(nanoseconds, to: &arena)
    return arena.text
}

private let second: Int64 = 1_000_000_000

@Suite struct `RFC 3339` {
    @Test(
        arguments: [
            ("1970-01-01T00:00:00Z", 0), ("2026-01-02T03:04:05.123456789Z", 1_767_323_045_123_456_789),
            ("2026-01-02T03:04:05.1Z", 1_767_323_045_100_000_000),
            ("2026-01-02T03:04:05.12345678Z", 1_767_323_045_123_456_780),
            ("2026-01-02T03:04:05.000000001Z", 1_767_323_045_000_000_001),
            ("2026-01-02t03:04:05z", 1_767_323_045_000_000_000),
            ("2026-01-02T04:04:05.5+01:00", 1_767_323_045_500_000_000),
            ("2026-01-01T22:04:05-05:00", 1_767_323_045_000_000_000),
            ("2026-01-02T03:04:05-00:00", 1_767_323_045_000_000_000),
            ("2026-01-03T03:03:05+23:59", 1_767_323_045_000_000_000),
            ("2000-02-29T23:59:59Z", 951_868_799_000_000_000), ("1969-12-31T23:59:59.999999999Z", -1),
            ("2262-04-11T23:47:16.854775807Z", .max), ("1677-09-21T00:12:43.145224193Z", .min + 1),
        ] as [(String, Int64)])
    func `a valid time is read to its end`(text: String, nanoseconds: Int64) throws {
        for tail in ["", " stdout F x", "9", "Z"] {
            let found = try #require(parse(text + tail))
            #expect(found.time == nanoseconds)
            #expect(found.end == text.utf8.count)
        }
    }

    @Test(arguments: [
        "2026-13-01T00:00:00Z", "2026-00-01T00:00:00Z", "2026-02-29T00:00:00Z", "2024-02-30T00:00:00Z",
        "2100-02-29T00:00:00Z", "2026-04-31T00:00:00Z", "2026-01-00T00:00:00Z", "2026-01-32T00:00:00Z",
        "2026-01-02T24:00:00Z", "2026-01-02T23:60:00Z", "2026-01-02T23:59:60Z", "2026-01-02T23:59:61Z",
        "2026-01-02T03:04:05", "2026-01-02T03:04:05.Z", "2026-01-02T03:04:05.1234567890Z",
        "2026-01-02T03:04:05.123456789",
        "2026-01-02T03:04:05.12345678", "2026-01-02T03:04:05,5Z", "2026-01-02 03:04:05Z", "2026-1-02T03:04:05.55Z",
        "2026-01-02T03:04:05+24:00", "2026-01-02T03:04:05+01:60", "2026-01-02T03:04:05+0100",
        "2026-01-02T03:04:05+01:0",
        "2026-01-02T03:04:05+01", "2026/01/02T03:04:05Z", "+026-01-02T03:04:05Z", "2026-01-02T03:04:0:Z",
        "20x6-01-02T03:04:05Z",
        "2262-04-11T23:47:16.854775808Z", "1677-09-21T00:12:43.145224192Z", "0000-01-01T00:00:00Z",
        "9999-12-31T23:59:59Z", "",
        "2026-01-02T03:04:05.12 456789Z", "2026-01-02T03:04:05 Z", "2026-01-02T03:04:05.-1Z",
    ])
    func `an invalid time is refused`(text: String) {
        #expect(parse(text) == nil)
        #expect(parse(text + " stdout F 2026-01-02T03:04:05Z") == nil)
    }

    @Test func `no prefix of a time is a time`() {
        for text in ["2026-01-02T03:04:05.123456789Z", "2026-01-02T03:04:05.123456789+01:00"] {
            for length in 0..<text.utf8.count { #expect(parse(String(text.prefix(length))) == nil) }
            // The rest lies in the arena, but behind the end.
            let arena = Arena(holding: text.bytes)
            for to in 0..<text.utf8.count {
                var parser = TimestampParser()
                #expect(parser.parse(arena, from: 0, to: to) == TimestampParser.invalid)
            }
        }
    }

    @Test func `bytes that are no digits never match a parser that has seen nothing`() {
        for byte in UInt8.min...UInt8.max {
            var parser = TimestampParser()
            let arena = Arena(holding: Array(repeating: byte, count: 19) + "Z".bytes)
            #expect(parser.parse(arena, from: 0, to: 20) == TimestampParser.invalid)
        }
    }

    @Test func `a parser that remembers the second reads like one that does not`() {
        var random = SeededGenerator(seed: 5)
        var parser = TimestampParser()
        let alphabet = "0123456789-:.TZ+ ".bytes
        for _ in 0..<20_000 {
            var bytes = "2026-0\(1 + random.below(2))-28T03:04:0\(random.below(3)).123456789Z".bytes
            if random.oneIn(2) { bytes[random.below(bytes.count)] = alphabet[random.below(alphabet.count)] }
            let text = Surrounded(bytes, before: "x".bytes, after: "y".bytes)
            var fresh = TimestampParser()
            let expected = fresh.parse(text.arena, from: text.range.lowerBound, to: text.range.upperBound)
            #expect(parser.parse(text.arena, from: text.range.lowerBound, to: text.range.upperBound) == expected)
            if expected != TimestampParser.invalid { #expect(parser.end == fresh.end) }
        }
    }

    @Test func `every day of the range is itself in both directions`() throws {
        var date = try #require(CivilDate(year: 1677, month: 9, day: 22))
        var days = date.daysSinceEpoch
        #expect(days == -106_751)
        var parser = TimestampParser()
        var writer = TimestampWriter()
        var random = SeededGenerator(seed: 6)
        while date != CivilDate(year: 2262, month: 4, day: 11) {
            let ofDay = random.below(86_400)
            let fraction = random.below(1_000_000_000)
            let time = Int64(days * 86_400 + ofDay) * second + Int64(fraction)
            let expected =
                pad(date.year, 4) + "-" + pad(date.month, 2) + "-" + pad(date.day, 2) + "T" + pad(ofDay / 3600, 2) + ":"
                + pad(ofDay / 60 % 60, 2) + ":" + pad(ofDay % 60, 2) + "." + pad(fraction, 9) + "Z"
            var arena = Arena()
            writer.append(time, to: &arena)
            // One expectation for all, as there are 213 502 days.
            let isExact =
                date.daysSinceEpoch == days && CivilDate(daysSinceEpoch: days) == date
                && date.weekday == ((days + 4) % 7 + 7) % 7 && arena.text == expected
                && parser.parse(arena, from: 0, to: arena.count) == time
            if !isExact { Issue.record("\(expected)") }
            // The next day, by counting on.
            days += 1
            date = try #require(
                CivilDate(year: date.year, month: date.month, day: date.day + 1)
                    ?? CivilDate(year: date.year, month: date.month + 1, day: 1)
                    ?? CivilDate(year: date.year + 1, month: 1, day: 1))
        }
        #expect(days == 106_751)
    }

    @Test func `any Int64 is written as 30 bytes and read back`() {
        var random = SeededGenerator(seed: 7)
        var writer = TimestampWriter()
        var parser = TimestampParser()
        var times: [Int64] = [.max, .min + 1, 0, -1, 1, second, -second, second - 1, 1 - second]
        for _ in 0..<20_000 {
            times.append(Int64.random(in: .min + 1 ... .max, using: &random) >> Int64(random.below(40)))
        }
        for time in times {
            var arena = Arena(capacity: 0)
            writer.append(time, to: &arena)
            #expect(arena.count == 30)
            #expect(parser.parse(arena, from: 0, to: 30) == time)
            let civil = CivilTime(nanoseconds: time)
            let ofDay = civil.hour * 3600 + civil.minute * 60 + civil.second
            #expect(CivilTime.nanoseconds(civil.date, secondsOfDay: ofDay, nanosecond: civil.nanosecond) == time)
        }
        #expect(written(.min) == "1677-09-21T00:12:43.145224192Z")
    }

    @Test func `a writer that remembers the second writes like one that does not`() {
        var random = SeededGenerator(seed: 8)
        // Seconds that are cut off at the ends of the range, those beside them, and those around 1970.
        let starts: [Int64] = [.min, .min + 854_775_808, -second, 0, second, .max - 854_775_807, .max - 1_854_775_807]
        let offsets: [Int64] = [0, 1, 145_224_191, 145_224_192, 854_775_807, 854_775_808, 999_999_999]
        var writer = TimestampWriter()
        for _ in 0..<20_000 {
            let start = starts[random.below(starts.count)]
            let (time, isOutside) = start.addingReportingOverflow(offsets[random.below(offsets.count)])
            if isOutside { continue }
            var arena = Arena(capacity: 0)
            writer.append(time, to: &arena)
            #expect(arena.text == written(time))
            let civil = CivilTime(nanoseconds: time)
            let expected =
                "\(pad(civil.hour, 2)):\(pad(civil.minute, 2)):\(pad(civil.second, 2)).\(pad(civil.nanosecond, 9))Z"
            #expect(arena.text.hasSuffix(expected) && arena.text.hasPrefix("\(pad(civil.date.year, 4))-"))
        }
    }

    @Test func `dates far outside of any log are exact`() {
        for year in [-400_001, -1, 0, 1, 4, 100, 400, 1600, 2000, 2100, 400_000] {
            for (month, day) in [(1, 1), (2, 28), (3, 1), (12, 31)] {
                let date = CivilDate(year: year, month: month, day: day)
                #expect(date.map { CivilDate(daysSinceEpoch: $0.daysSinceEpoch) } == date)
            }
        }
        #expect(CivilDate(year: 2024, month: 12, day: 31)?.dayOfYear == 366)
        #expect(CivilDate(year: 2026, month: 1, day: 1)?.dayOfYear == 1)
        #expect(CivilDate(year: 1900, month: 2, day: 29) == nil)
        #expect(CivilDate(year: 2000, month: 2, day: 29) != nil)
    }

    private func pad(_ number: Int, _ width: Int) -> String {
        let digits = String(number)
        return String(repeating: "0", count: width - digits.utf8.count) + digits
    }
}
