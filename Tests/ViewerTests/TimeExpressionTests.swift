// Times as operators write them.
import Bytes
import Disk
import Glibc
import Testing
import Viewer

/// 2026-11-23T04:00:00.5Z, a Monday.
private let now: Int64 = 1_795_406_400_500_000_000
private let second: Int64 = 1_000_000_000

/// Central Europe in 2026: an hour ahead of UTC, two from 29 March to 25 October, both at 01:00 UTC.
private func berlin(_ seconds: Int64) -> Int {
    seconds >= 1_774_746_000 && seconds < 1_792_890_000 ? 7200 : 3600
}

/// The moment as text in UTC.
private func utc(_ text: String, _ localOffset: @escaping (Int64) -> Int = berlin) throws -> String {
    var arena = Arena(capacity: 64)
    var writer = TimestampWriter()
    writer.append(try TimeExpression(text, now: now, localOffset: localOffset).nanoseconds, to: &arena)
    return String(decoding: arena.span)
}

@Suite("times") struct TimeExpressionTests {
    @Test(arguments: [
        ("now", 0), ("NOW", 0), ("10m", -600), ("-10m", -600), ("+5m", 300), ("1h30m", -5400), ("1h 30m", -5400),
        ("1.5h", -5400), ("2 hours ago", -7200), ("90s ago", -90), ("  90 sec  ago ", -90), ("- 1d", -86_400),
        ("2w", -1_209_600),
        ("1 month", -2_629_800), ("1M", -2_629_800), ("1m", -60), ("1 year 2 days ago", -31_730_400), ("0s", 0),
        ("3D", -259_200),
    ])
    func `durations count from now`(text: String, seconds: Int64) throws {
        #expect(try TimeExpression(text, now: now).nanoseconds == now + seconds * second)
    }

    @Test(arguments: [
        ("500ms", 500_000_000), ("7us", 7000), ("7µs", 7000), ("9ns", 9), ("0.25s", 250_000_000),
        ("1.000000001s", 1_000_000_001),
    ])
    func `durations may be short`(text: String, nanoseconds: Int64) throws {
        #expect(try TimeExpression(text, now: now).nanoseconds == now - nanoseconds)
    }

    @Test(arguments: [
        ("today", "2026-11-22T23:00:00.000000000Z"),
        ("yesterday", "2026-11-21T23:00:00.000000000Z"),
        ("Tomorrow", "2026-11-23T23:00:00.000000000Z"),
        ("yesterday 03:10", "2026-11-22T02:10:00.000000000Z"),
        ("today UTC", "2026-11-23T00:00:00.000000000Z"),
        ("03:10", "2026-11-23T02:10:00.000000000Z"),
        ("3:10", "2026-11-23T02:10:00.000000000Z"),
        ("03:10:05", "2026-11-23T02:10:05.000000000Z"),
        ("03:10:05.25", "2026-11-23T02:10:05.250000000Z"),
        ("03:10 UTC", "2026-11-23T03:10:00.000000000Z"),
        ("03:10Z", "2026-11-23T03:10:00.000000000Z"),
        ("2026-11-23", "2026-11-22T23:00:00.000000000Z"),
        ("2026-11-23 UTC", "2026-11-23T00:00:00.000000000Z"),
        ("2026-11-23 03:10", "2026-11-23T02:10:00.000000000Z"),
        ("2026-11-23 03:10:05.123", "2026-11-23T02:10:05.123000000Z"),
        ("2026-11-23 03:10:05 utc", "2026-11-23T03:10:05.000000000Z"),
        ("2026-11-23T03:10:05Z", "2026-11-23T03:10:05.000000000Z"),
        ("2026-11-23t03:10:05z", "2026-11-23T03:10:05.000000000Z"),
        ("2026-11-23T03:10:05", "2026-11-23T02:10:05.000000000Z"),
        ("2026-11-23T03:10:05.123456789+02:00", "2026-11-23T01:10:05.123456789Z"),
        ("2026-11-23T03:10:05-0330", "2026-11-23T06:40:05.000000000Z"),
        ("2026-11-23T03:10:05+02", "2026-11-23T01:10:05.000000000Z"),
        ("Mon 2026-11-23 03:10:05 UTC", "2026-11-23T03:10:05.000000000Z"),
        ("Monday 2026-11-23", "2026-11-22T23:00:00.000000000Z"),
        ("2026-07-01 12:00", "2026-07-01T10:00:00.000000000Z"),
        ("@1795406271", "2026-11-23T03:57:51.000000000Z"),
        ("@1795406271.5", "2026-11-23T03:57:51.500000000Z"),
        ("@-1", "1969-12-31T23:59:59.000000000Z"),
        ("1970-01-01 00:00 UTC", "1970-01-01T00:00:00.000000000Z"),
    ])
    func `days and times are local unless they say otherwise`(text: String, expected: String) throws {
        #expect(try utc(text) == expected)
    }

    @Test(arguments: [
        // The clocks go from 02:00 to 03:00.
        ("2026-03-29 01:59:59", "2026-03-29T00:59:59.000000000Z"),
        ("2026-03-29 02:30", "2026-03-29T01:30:00.000000000Z"),
        ("2026-03-29 03:00", "2026-03-29T01:00:00.000000000Z"),
        ("2026-03-29", "2026-03-28T23:00:00.000000000Z"),
        ("2026-03-30", "2026-03-29T22:00:00.000000000Z"),
        // The clocks go from 03:00 to 02:00.
        ("2026-10-25", "2026-10-24T22:00:00.000000000Z"),
        ("2026-10-25 01:59", "2026-10-24T23:59:00.000000000Z"),
        ("2026-10-25 02:30", "2026-10-25T00:30:00.000000000Z"),
        ("2026-10-25 02:30 +01:00", "2026-10-25T01:30:00.000000000Z"),
        ("2026-10-25 03:00", "2026-10-25T02:00:00.000000000Z"),
        ("2026-10-26", "2026-10-25T23:00:00.000000000Z"),
    ])
    func `clocks are changed twice a year`(text: String, expected: String) throws {
        #expect(try utc(text) == expected)
    }

    @Test func `a day that has no midnight begins with its first moment`() throws {
        // As in Santiago: from 00:00 to 01:00.
        let change = try TimeExpression("2026-09-06 04:00 UTC", now: now).nanoseconds / second
        let midnight = try utc("2026-09-06") { $0 < change ? -14_400 : -10_800 }
        #expect(midnight == "2026-09-06T04:00:00.000000000Z")
    }

    @Test func `yesterday is a day of the calendar, not 24 hours`() throws {
        let monday = try TimeExpression("2026-03-30 10:00", now: now, localOffset: berlin).nanoseconds
        let sunday = try TimeExpression("yesterday", now: monday, localOffset: berlin).nanoseconds
        #expect(try sunday == TimeExpression("2026-03-28T23:00:00Z", now: now).nanoseconds)
        #expect(
            try TimeExpression("today", now: monday, localOffset: berlin).nanoseconds - sunday == 23 * 3600 * second)
    }

    @Test func `every local time is found again`() throws {
        // A whole year in steps that meet all minutes.
        for seconds in stride(from: Int64(1_767_225_600), to: 1_798_761_600, by: 1807 * 3) {
            let shown = CivilTime(nanoseconds: (seconds + Int64(berlin(seconds))) * second)
            func two(_ number: Int) -> String { number < 10 ? "0\(number)" : "\(number)" }
            let text =
                "\(shown.date.year)-\(two(shown.date.month))-\(two(shown.date.day)) \(two(shown.hour)):\(two(shown.minute)):\(two(shown.second))"
            let found = try TimeExpression(text, now: now, localOffset: berlin).nanoseconds / second
            // The second time that clocks show something in autumn cannot be told from the first.
            #expect(found == seconds || found == seconds - 3600 && berlin(found) != berlin(seconds), "\(text)")
        }
    }

    @Test func `the machine's zone counts`() async {
        await #expect(processExitsWith: .success) {
            _ = unsafe setenv("TZ", "CET-1CEST,M3.5.0,M10.5.0/3", 1)
            let pairs = [
                ("2026-11-23 03:10", "2026-11-23T02:10:00Z"), ("2026-07-01 03:10", "2026-07-01T01:10:00Z"),
                ("2026-10-25 02:30", "2026-10-25T00:30:00Z"), ("2026-03-29 02:30", "2026-03-29T01:30:00Z"),
                ("yesterday", "2026-11-21T23:00:00Z"),
            ]
            for (local, universal) in pairs {
                let found = try TimeExpression(local, now: 1_795_406_400_500_000_000).nanoseconds
                let expected = try TimeExpression(universal, now: 0).nanoseconds
                #expect(found == expected, "\(local)")
            }
        }
    }

    @Test(arguments: [
        ("", "it is empty"),
        ("10", "10 has no unit, as 10m or 10s would have"),
        ("10 parsecs", "'parsecs' is no unit of time"),
        ("soon", "'soon' is not understood"),
        ("-", "there is no duration behind the sign"),
        ("-2h ago", "it has both a sign and 'ago'"),
        ("2h hence", "'hence' behind it is not understood"),
        ("@", "there are no seconds behind the '@'"),
        ("@12x", "'x' behind it is not understood"),
        ("2026-02-30", "the calendar has no such day"),
        ("2026-2-3", "a date has four, two and two digits, as 2026-11-23"),
        ("24:00", "no clock shows that time of day"),
        ("03:10:60", "no clock shows that time of day"),
        ("03:1", "a time of day has hours and minutes, as 03:10"),
        ("03:10:05.", "there are no digits behind the point"),
        ("2026-11-23 03:10 CET", "'CET' behind it is not understood"),
        ("2026-11-23 03:10 +25:00", "no zone is that far from UTC"),
        ("Tue 2026-11-23", "that date is another day of the week"),
        ("99999999999999999999s", "the duration is too long"),
        ("9999-01-01", "it is beyond the years 1678 to 2262"),
        ("290y", "it is beyond the years 1678 to 2262"),
    ])
    func `what is no time is told`(text: String, reason: String) {
        let error = #expect(throws: QueryError.self) { try TimeExpression(text, now: Int64.min + 1) }
        #expect(error?.message == "'\(text)' is no time: \(reason)")
    }

    @Test func `the error says what is understood`() {
        let error = #expect(throws: QueryError.self) { try TimeExpression("soon", now: now) }
        #expect(error?.description == "'soon' is no time: 'soon' is not understood; \(TimeExpression.understood)")
        #expect(error?.about("--since").message.hasPrefix("--since: 'soon'") == true)
    }
}
