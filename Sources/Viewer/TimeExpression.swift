// Times as operators write them: journalctl's words and dates, kubectl's durations, and RFC 3339.
private import Bytes
private import Disk

/// A moment, from what was written behind `--since` or `--until`.
///
/// - `10m`, `-10m`, `1h30m`, `1.5h`, `2 hours ago`: so long ago. `+5m`: so long from now.
/// - `now`, and `today`, `yesterday`, `tomorrow`: the moment at which that day begins.
/// - `2026-11-23`, `2026-11-23 03:10`, `2026-11-23T03:10:05.123`, `yesterday 03:10`, `03:10` (of today).
/// - A zone behind those: `Z`, `UTC`, `+02:00`. Without one they are local.
/// - `@1795406271`, `@1795406271.5`: seconds since 1970.
///
/// Local times that the clocks pass twice in autumn mean the first time; those that they leave out in spring go on as if the clocks
/// had not been changed, so that 02:30 is half an hour after 02:00 was due. An offset behind the time says it exactly.
package struct TimeExpression: Sendable, Hashable {
    /// Nanoseconds since 1970-01-01T00:00:00Z.
    package let nanoseconds: Int64

    /// Reads a time. `now`: nanoseconds since 1970; `localOffset`: seconds by which local time is ahead of UTC at a Unix time.
    package init(
        _ text: String, now: Int64, localOffset: @escaping (Int64) -> Int = { Machine.localOffset(at: $0) }
    ) throws(QueryError) {
        var words = TimeWords(text)
        let zone = LocalZone(offset: localOffset)
        let value: Int64?
        do throws(TimeFault) {
            value =
                if words.isNext("@") { try words.unixTime() } else if let span = try words.span() {
                    TimeExpression.sum(now, span)
                } else { try words.calendarTime(now: now, zone) }
        } catch {
            throw QueryError("'\(text)' is no time: \(error.reason)", hint: TimeExpression.understood)
        }
        guard let value else {
            throw QueryError("'\(text)' is no time: it is beyond the years 1678 to 2262")
        }
        nanoseconds = value
    }

    /// What is understood.
    package static let understood =
        "write a duration such as 10m, 1h30m or '2 hours ago', a time such as 03:10, '2026-11-23 03:10:05' or "
        + "2026-11-23T03:10:05Z, a day such as 2026-11-23, today or yesterday, or seconds since 1970 such as @1795406271"

    private static func sum(_ a: Int64, _ b: Int64) -> Int64? {
        let (sum, isTooLarge) = a.addingReportingOverflow(b)
        return isTooLarge ? nil : sum
    }
}

/// What is wrong with a text that should be a time.
private struct TimeFault: Error {
    let reason: String
    init(_ reason: String) { self.reason = reason }
}

/// The zone of the machine.
private struct LocalZone {
    let offset: (Int64) -> Int

    /// The Unix time at which clocks in the zone show what is `shown` in UTC.
    func unixTime(shown: Int) -> Int {
        // No zone changes its clocks twice within three days, nor by more than one. Whoever is right about its own offset is right.
        let before = offset(Int64(shown - 129_600))
        let after = offset(Int64(shown + 129_600))
        for candidate in [shown - max(before, after), shown - min(before, after)]
        where candidate + offset(Int64(candidate)) == shown { return candidate }
        return shown - before
    }

    /// The day that clocks in the zone show.
    func day(at nanoseconds: Int64) -> CivilDate {
        let seconds = nanoseconds / 1_000_000_000
        let (shown, _) = nanoseconds.addingReportingOverflow(Int64(offset(seconds)) * 1_000_000_000)
        return CivilTime(nanoseconds: shown).date
    }
}

/// The text of a time, taken apart from its front.
private struct TimeWords {
    private var rest: [UInt8]
    /// Where the part begins that is not taken yet.
    private var next = 0

    init(_ text: String) {
        rest = Array(text.utf8)
        while rest.last == UInt8(ascii: " ") { rest.removeLast() }
        skipSpace()
    }

    // MARK: Pieces

    private var isAtEnd: Bool { next == rest.count }

    /// The byte `ahead` of the next one, or 0.
    private func byte(_ ahead: Int = 0) -> UInt8 { next + ahead < rest.count ? rest[next + ahead] : 0 }

    func isNext(_ character: Unicode.Scalar) -> Bool { byte() == UInt8(ascii: character) }

    private mutating func skipSpace() {
        while isNext(" ") { next += 1 }
    }

    private mutating func take(_ character: Unicode.Scalar) -> Bool {
        guard isNext(character) else { return false }
        next += 1
        return true
    }

    /// Takes a run of bytes.
    private mutating func run(where isPart: (UInt8) -> Bool) -> ArraySlice<UInt8> {
        let start = next
        while !isAtEnd, isPart(rest[next]) { next += 1 }
        return rest[start..<next]
    }

    private static func isDigit(_ byte: UInt8) -> Bool { byte &- 0x30 < 10 }

    /// Letters, and whatever is not ASCII: units may be spelled with a µ.
    private static func isLetter(_ byte: UInt8) -> Bool { (byte | 0x20) &- 0x61 < 26 || byte >= 0x80 }

    /// Takes a word if it is this one, in any case.
    private mutating func take(word: String) -> Bool {
        let start = next
        let letters = String(decoding: run(where: Self.isLetter), as: UTF8.self)
        if letters.lowercased() == word { return true }
        next = start
        return false
    }

    private func quotedRest() -> String { "'\(String(decoding: rest[next...], as: UTF8.self))'" }

    private func mustEnd() throws(TimeFault) {
        if !isAtEnd { throw TimeFault("\(quotedRest()) behind it is not understood") }
    }

    /// Takes exactly so many digits.
    private mutating func number(digits: Int) -> Int? {
        for ahead in 0..<digits where !Self.isDigit(byte(ahead)) { return nil }
        if Self.isDigit(byte(digits)) { return nil }
        defer { next += digits }
        return rest[next..<next + digits].reduce(0) { $0 * 10 + Int($1 - 0x30) }
    }

    /// Takes digits and perhaps a fraction, as a multiple of a unit of so many nanoseconds; nil beyond `Int64`.
    private static func nanoseconds(_ whole: ArraySlice<UInt8>, _ fraction: ArraySlice<UInt8>, unit: Int64) -> Int64? {
        guard whole.count <= 18 else { return nil }
        let (product, isTooLarge) = whole.reduce(Int64(0)) { $0 * 10 + Int64($1 - 0x30) }.multipliedReportingOverflow(
            by: unit)
        // Further digits are parts of a nanosecond, or nearly so for units that are longer than a week.
        let digits = fraction.prefix(18)
        let numerator = digits.reduce(Int128(0)) { $0 * 10 + Int128($1 - 0x30) } * Int128(unit)
        let part = digits.indices.reduce(numerator) { value, _ in value / 10 }
        let (sum, carry) = product.addingReportingOverflow(Int64(part))
        return isTooLarge || carry ? nil : sum
    }

    /// Takes the digits behind a point; empty when there is no point.
    private mutating func fraction() throws(TimeFault) -> ArraySlice<UInt8> {
        guard take(".") else { return [] }
        let digits = run(where: Self.isDigit)
        if digits.isEmpty { throw TimeFault("there are no digits behind the point") }
        return digits
    }

    // MARK: Seconds since 1970

    mutating func unixTime() throws(TimeFault) -> Int64? {
        next += 1
        let isNegative = take("-")
        let whole = run(where: Self.isDigit)
        if whole.isEmpty { throw TimeFault("there are no seconds behind the '@'") }
        let fraction = try fraction()
        try mustEnd()
        return Self.nanoseconds(whole, fraction, unit: 1_000_000_000).map { isNegative ? -$0 : $0 }
    }

    // MARK: Durations

    /// Takes a duration: how far it is from now. nil when the text is something else.
    mutating func span() throws(TimeFault) -> Int64? {
        let start = next
        let sign: Int64 = isNext("+") ? 1 : -1
        let isSigned = take("+") || take("-")
        skipSpace()
        var total: Int64 = 0
        var count = 0
        while Self.isDigit(byte()) {
            let whole = run(where: Self.isDigit)
            // A date or a time of day.
            if !isSigned, count == 0, isNext("-") || isNext(":") {
                next = start
                return nil
            }
            let fraction = try fraction()
            skipSpace()
            let name = run(where: Self.isLetter)
            let unit = try Self.unit(String(decoding: name, as: UTF8.self), behind: whole)
            guard let part = Self.nanoseconds(whole, fraction, unit: unit) else {
                throw TimeFault("the duration is too long")
            }
            let (sum, isTooLarge) = total.addingReportingOverflow(part)
            if isTooLarge { throw TimeFault("the duration is too long") }
            total = sum
            count += 1
            skipSpace()
        }
        if count == 0 {
            if isSigned { throw TimeFault("there is no duration behind the sign") }
            next = start
            return nil
        }
        if take(word: "ago"), isSigned { throw TimeFault("it has both a sign and 'ago'") }
        try mustEnd()
        return sign * total
    }

    /// Nanoseconds of a unit. As for journalctl, `m` is a minute and `M` a month, which is the twelfth of a year of 365.25 days.
    private static func unit(_ name: String, behind number: ArraySlice<UInt8>) throws(TimeFault) -> Int64 {
        let second: Int64 = 1_000_000_000
        switch name == "M" ? "month" : name.lowercased() {
        case "ns", "nsec": return 1
        case "us", "usec", "µs", "μs": return 1000
        case "ms", "msec": return 1_000_000
        case "s", "sec", "secs", "second", "seconds": return second
        case "m", "min", "mins", "minute", "minutes": return 60 * second
        case "h", "hr", "hrs", "hour", "hours": return 3600 * second
        case "d", "day", "days": return 86_400 * second
        case "w", "week", "weeks": return 604_800 * second
        case "month", "months": return 2_629_800 * second
        case "y", "year", "years": return 31_557_600 * second
        case "":
            let digits = String(decoding: number, as: UTF8.self)
            throw TimeFault("\(digits) has no unit, as \(digits)m or \(digits)s would have")
        default: throw TimeFault("'\(name)' is no unit of time")
        }
    }

    // MARK: Days and times of day

    mutating func calendarTime(now: Int64, _ zone: LocalZone) throws(TimeFault) -> Int64? {
        if isAtEnd { throw TimeFault("it is empty") }
        if take(word: "now") {
            try mustEnd()
            return now
        }
        let weekday = takeWeekday()
        let date = try takeDate()
        if let weekday {
            guard case .date(let day) = date else { throw TimeFault("a day of the week needs its date") }
            if day.weekday != weekday { throw TimeFault("that date is another day of the week") }
        }
        var secondsOfDay = 0
        var nanosecond = 0
        if date == nil || isNext(" ") || isNext("T") || isNext("t") {
            if date != nil { next += 1 }
            skipSpace()
            if date == nil || Self.isDigit(byte()) { (secondsOfDay, nanosecond) = try takeTimeOfDay() }
        }
        let offset = try takeOffset()
        try mustEnd()
        let utc = LocalZone { _ in offset ?? 0 }
        let dayZone = offset == nil ? zone : utc
        let day =
            switch date {
            case .date(let day): day
            case .fromToday(let days): CivilDate(daysSinceEpoch: dayZone.day(at: now).daysSinceEpoch + days)
            case nil: dayZone.day(at: now)
            }
        let shown = day.daysSinceEpoch * 86_400 + secondsOfDay
        let seconds = offset.map { shown - $0 } ?? zone.unixTime(shown: shown)
        return CivilTime.nanoseconds(CivilDate(daysSinceEpoch: 0), secondsOfDay: seconds, nanosecond: nanosecond)
    }

    private enum Day {
        case date(CivilDate)
        case fromToday(Int)
    }

    /// Takes the day of the week that journalctl prints before a date: 0 for Sunday.
    private mutating func takeWeekday() -> Int? {
        let names = ["sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday"]
        for (index, name) in names.enumerated() where take(word: name) || take(word: String(name.prefix(3))) {
            skipSpace()
            return index
        }
        return nil
    }

    private mutating func takeDate() throws(TimeFault) -> Day? {
        if take(word: "today") { return .fromToday(0) }
        if take(word: "yesterday") { return .fromToday(-1) }
        if take(word: "tomorrow") { return .fromToday(1) }
        let start = next
        guard let year = number(digits: 4), take("-") else {
            next = start
            return nil
        }
        guard let month = number(digits: 2), take("-"), let day = number(digits: 2) else {
            throw TimeFault("a date has four, two and two digits, as 2026-11-23")
        }
        guard let date = CivilDate(year: year, month: month, day: day) else {
            throw TimeFault("the calendar has no such day")
        }
        return .date(date)
    }

    private mutating func takeTimeOfDay() throws(TimeFault) -> (secondsOfDay: Int, nanosecond: Int) {
        guard Self.isDigit(byte()) else { throw TimeFault("\(quotedRest()) is not understood") }
        guard let hour = number(digits: 2) ?? number(digits: 1), take(":"), let minute = number(digits: 2) else {
            throw TimeFault("a time of day has hours and minutes, as 03:10")
        }
        var second = 0
        var nanosecond: Int64 = 0
        if take(":") {
            guard let digits = number(digits: 2) else { throw TimeFault("seconds have two digits, as 03:10:05") }
            second = digits
            nanosecond = Self.nanoseconds([], try fraction(), unit: 1_000_000_000) ?? 0
        }
        guard hour < 24, minute < 60, second < 60 else { throw TimeFault("no clock shows that time of day") }
        return (hour * 3600 + minute * 60 + second, Int(nanosecond))
    }

    /// Takes `Z`, `UTC` or an offset: seconds ahead of UTC.
    private mutating func takeOffset() throws(TimeFault) -> Int? {
        skipSpace()
        if take(word: "z") || take(word: "utc") { return 0 }
        let isWest = isNext("-")
        guard take("+") || take("-") else { return nil }
        guard let hours = number(digits: 2) else {
            // As strftime's %z writes it.
            guard let both = number(digits: 4), both / 100 < 24, both % 100 < 60 else {
                throw TimeFault("an offset from UTC has hours and minutes, as +02:00")
            }
            return (both / 100 * 3600 + both % 100 * 60) * (isWest ? -1 : 1)
        }
        var minutes = 0
        if take(":") {
            guard let digits = number(digits: 2) else {
                throw TimeFault("an offset from UTC has hours and minutes, as +02:00")
            }
            minutes = digits
        }
        guard hours < 24, minutes < 60 else { throw TimeFault("no zone is that far from UTC") }
        return (hours * 3600 + minutes * 60) * (isWest ? -1 : 1)
    }
}
