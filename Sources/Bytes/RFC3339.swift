// Times as text: RFC 3339 read and written with nanoseconds, and the calendar it needs. Knows no leap seconds, as Unix time.

/// A day of the proleptic Gregorian calendar.
public struct CivilDate: Equatable, Sendable {
    /// The year; 0 is 1 BC.
    public let year: Int
    /// 1 to 12.
    public let month: Int
    /// 1 to 31.
    public let day: Int

    /// The day, or nil where the calendar has none, as on 30 February.
    public init?(year: Int, month: Int, day: Int) {
        guard (1...12).contains(month), day >= 1, day <= Self.daysIn(month: month, of: year) else { return nil }
        self.year = year
        self.month = month
        self.day = day
    }

    /// The day that lies `days` after 1970-01-01.
    public init(daysSinceEpoch days: Int) {
        // Years are counted from 1 March, so that the leap day is a year's last and months follow one pattern.
        let sinceMarch0 = days + Self.daysFromMarch0ToEpoch
        let cycle = floorQuotient(sinceMarch0, 146_097)
        var rest = sinceMarch0 - cycle * 146_097
        let century = min(rest / 36_524, 3)
        rest -= century * 36_524
        let four = rest / 1461
        rest -= four * 1461
        let one = min(rest / 365, 3)
        rest -= one * 365
        let monthFromMarch = (rest * 5 + 2) / 153
        day = rest - Self.daysBefore(monthFromMarch: monthFromMarch) + 1
        month = monthFromMarch < 10 ? monthFromMarch + 3 : monthFromMarch - 9
        year = cycle * 400 + century * 100 + four * 4 + one + (month <= 2 ? 1 : 0)
    }

    /// Days after 1970-01-01; negative before it.
    public var daysSinceEpoch: Int {
        let yearFromMarch = month <= 2 ? year - 1 : year
        let leapDays =
            floorQuotient(yearFromMarch, 4) - floorQuotient(yearFromMarch, 100) + floorQuotient(yearFromMarch, 400)
        let monthFromMarch = month <= 2 ? month + 9 : month - 3
        return yearFromMarch * 365 + leapDays + Self.daysBefore(monthFromMarch: monthFromMarch) + day - 1
            - Self.daysFromMarch0ToEpoch
    }

    /// 0 for Sunday to 6 for Saturday.
    public var weekday: Int {
        let shifted = daysSinceEpoch + 4
        return shifted - floorQuotient(shifted, 7) * 7
    }

    /// 1 for 1 January to 366.
    public var dayOfYear: Int {
        (1..<month).reduce(day) { $0 + Self.daysIn(month: $1, of: year) }
    }

    /// Whether `year` has a 29 February.
    public static func isLeap(_ year: Int) -> Bool { year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) }

    /// Days of a month, 1 to 12.
    public static func daysIn(month: Int, of year: Int) -> Int {
        switch month {
        case 2: isLeap(year) ? 29 : 28
        case 4, 6, 9, 11: 30
        default: 31
        }
    }

    /// Days from 0000-03-01 to 1970-01-01.
    private static let daysFromMarch0ToEpoch = 719_468

    /// Days of a year before the month that is `monthFromMarch` after March: 31, 30, 31, 30, 31 over and over.
    private static func daysBefore(monthFromMarch: Int) -> Int { (153 * monthFromMarch + 2) / 5 }
}

/// A time of day in UTC beside its date, as `strftime` and the viewer need it.
public struct CivilTime: Equatable, Sendable {
    /// The day.
    public let date: CivilDate
    /// 0 to 23.
    public let hour: Int
    /// 0 to 59.
    public let minute: Int
    /// 0 to 59.
    public let second: Int
    /// 0 to 999 999 999.
    public let nanosecond: Int

    /// Splits `nanoseconds` since 1970-01-01T00:00:00Z.
    public init(nanoseconds: Int64) {
        let seconds = floorQuotient(Int(nanoseconds), 1_000_000_000)
        let days = floorQuotient(seconds, 86_400)
        let ofDay = seconds - days * 86_400
        date = CivilDate(daysSinceEpoch: days)
        hour = ofDay / 3600
        minute = ofDay / 60 % 60
        second = ofDay % 60
        nanosecond = Int(nanoseconds) &- seconds &* 1_000_000_000
    }

    /// Nanoseconds since 1970-01-01T00:00:00Z of a time of day, or nil outside of `Int64`.
    /// `secondsOfDay` may be negative or beyond a day, as when a zone's offset has been taken off.
    public static func nanoseconds(_ date: CivilDate, secondsOfDay: Int, nanosecond: Int) -> Int64? {
        joined(seconds: date.daysSinceEpoch * 86_400 + secondsOfDay, nanosecond: nanosecond)
    }

    /// Whole seconds and the nanoseconds after them as one number, or nil outside of `Int64`.
    @inlinable @inline(__always)
    static func joined(seconds: Int, nanosecond: Int) -> Int64? {
        // Towards zero first: the first second of the range begins below Int64.min.
        let whole = seconds < 0 ? seconds + 1 : seconds
        let rest = seconds < 0 ? nanosecond - 1_000_000_000 : nanosecond
        let (product, tooLarge) = Int64(whole).multipliedReportingOverflow(by: 1_000_000_000)
        let (sum, carry) = product.addingReportingOverflow(Int64(rest))
        return tooLarge || carry ? nil : sum
    }
}

/// Reads RFC 3339 times. Lines of one second share their first 19 bytes, so those are compared before they are parsed.
///
/// Accepted: `2026-01-02T03:04:05`, then nothing or a point and 1 to 9 digits, then `Z` or `+hh:mm` or `-hh:mm` (hours to
/// 23, minutes to 59); `T` and `Z` also in lower case, as the RFC allows. Refused: days the calendar does not have, hour
/// 24, second 60 (Unix time has no leap seconds, no logging clock writes one), more digits, and what `Int64` cannot hold.
public struct TimestampParser: Sendable {
    /// What `parse` returns for what is not a time. As a time it would be the first nanosecond of the range, in 1677.
    public static let invalid = Int64.min

    /// Where the text of the last valid time ended: the index of the byte after it.
    @inlinable public var end: Int { lastEnd }

    // What `parse` uses is usable from inline, or other modules would call it for every line (docs/performance.md).
    @usableFromInline var lastEnd = 0

    // The last first 19 bytes as words at 0, 8 and 11, and the seconds since the epoch they stand for. The words
    // overlap and at first disagree, so that nothing matches them.
    @usableFromInline var head: UInt64 = 0
    @usableFromInline var middle: UInt64 = 0
    @usableFromInline var tail = UInt64.max
    @usableFromInline var seconds = 0

    /// Creates a parser that has seen nothing.
    public init() {}

    /// Nanoseconds since 1970-01-01T00:00:00Z of the time that begins at `from` and ends, with anything behind it, at or
    /// before `to`; `end` says where. `invalid` when there is none.
    @inlinable @inline(__always)
    public mutating func parse(_ arena: borrowing Arena, from: Int, to: Int) -> Int64 {
        arena.check(from, to)
        guard to - from >= 20 else { return Self.invalid }
        let text = unsafe UnsafeRawPointer(arena.base + from)
        let first = unsafe UInt64(littleEndian: text.loadUnaligned(as: UInt64.self))
        let second = unsafe UInt64(littleEndian: text.loadUnaligned(fromByteOffset: 8, as: UInt64.self))
        let third = unsafe UInt64(littleEndian: text.loadUnaligned(fromByteOffset: 11, as: UInt64.self))
        if first != head || second != middle || third != tail {
            guard let fresh = Self.seconds(arena, at: from) else { return Self.invalid }
            (head, middle, tail, seconds) = (first, second, third, fresh)
        }
        // The rest as most runtimes write it, `.123456789Z`, in one go.
        if to - from >= 30 {
            let fraction = unsafe UInt64(littleEndian: text.loadUnaligned(fromByteOffset: 20, as: UInt64.self))
            let point = unsafe text.load(fromByteOffset: 19, as: UInt8.self)
            let lastDigit = unsafe text.load(fromByteOffset: 28, as: UInt8.self) &- 0x30
            let zone = unsafe text.load(fromByteOffset: 29, as: UInt8.self)
            if point == UInt8(ascii: "."), zone == UInt8(ascii: "Z"), lastDigit < 10, DecimalText.areDigits(fraction) {
                let nanosecond = Int(DecimalText.value(ofDigits: fraction)) &* 10 &+ Int(lastDigit)
                guard let time = CivilTime.joined(seconds: seconds, nanosecond: nanosecond) else { return Self.invalid }
                lastEnd = from &+ 30
                return time
            }
        }
        return parseRest(arena, from: from + 19, to: to)
    }

    /// Reads any fraction and zone; at least one byte is there.
    @usableFromInline @inline(never)
    mutating func parseRest(_ arena: borrowing Arena, from: Int, to: Int) -> Int64 {
        var i = from
        var nanosecond = 0
        if arena[i] == UInt8(ascii: ".") {
            i += 1
            let digitsStart = i
            if to - i >= 8 {
                let word = arena.word(at: i)
                if DecimalText.areDigits(word) {
                    nanosecond = Int(DecimalText.value(ofDigits: word))
                    i += 8
                }
            }
            let tooMany = digitsStart + 10
            while i < to, i < tooMany, arena[i] &- 0x30 < 10 {
                nanosecond = nanosecond * 10 + Int(arena[i] &- 0x30)
                i += 1
            }
            let count = i - digitsStart
            guard count > 0, count < 10, i < to else { return Self.invalid }
            for _ in count..<9 { nanosecond *= 10 }
        }
        var offset = 0
        let zone = arena[i]
        if zone | 0x20 == UInt8(ascii: "z") {
            i += 1
        } else {
            guard zone == UInt8(ascii: "+") || zone == UInt8(ascii: "-"), to - i >= 6,
                arena[i + 3] == UInt8(ascii: ":"),
                let hours = Self.pair(arena, at: i + 1), let minutes = Self.pair(arena, at: i + 4),
                hours < 24, minutes < 60
            else { return Self.invalid }
            offset = (hours * 60 + minutes) * (zone == UInt8(ascii: "-") ? -60 : 60)
            i += 6
        }
        guard let time = CivilTime.joined(seconds: seconds - offset, nanosecond: nanosecond) else {
            return Self.invalid
        }
        lastEnd = i
        return time
    }

    /// Seconds since the epoch of the 19 bytes at `from`, as if in UTC.
    @usableFromInline @inline(never)
    static func seconds(_ arena: borrowing Arena, at from: Int) -> Int? {
        guard
            arena[from + 4] == UInt8(ascii: "-"), arena[from + 7] == UInt8(ascii: "-"),
            arena[from + 10] | 0x20 == UInt8(ascii: "t"),
            arena[from + 13] == UInt8(ascii: ":"), arena[from + 16] == UInt8(ascii: ":"),
            let century = pair(arena, at: from), let year = pair(arena, at: from + 2),
            let month = pair(arena, at: from + 5), let day = pair(arena, at: from + 8),
            let hour = pair(arena, at: from + 11), let minute = pair(arena, at: from + 14),
            let second = pair(arena, at: from + 17),
            hour < 24, minute < 60, second < 60,
            let date = CivilDate(year: century * 100 + year, month: month, day: day)
        else { return nil }
        return date.daysSinceEpoch * 86_400 + hour * 3600 + minute * 60 + second
    }

    /// The value of the two digits at `index`.
    @inline(__always)
    private static func pair(_ arena: borrowing Arena, at index: Int) -> Int? {
        let (tens, ones) = (arena[index] &- 0x30, arena[index + 1] &- 0x30)
        return tens < 10 && ones < 10 ? Int(tens) * 10 + Int(ones) : nil
    }
}

/// Writes RFC 3339 times in UTC with nanoseconds, always 30 bytes; what times of one second share is made once.
public struct TimestampWriter: Sendable {
    // `2026-01-02T03:04:05.` of the second that was written last.
    @usableFromInline var head: UInt64 = 0
    @usableFromInline var middle: UInt64 = 0
    @usableFromInline var tail: UInt32 = 0
    // Its first nanosecond, and how many it has: 0 for what is cut off at an end of the range of `Int64`.
    @usableFromInline var start: Int64 = 0
    @usableFromInline var length: UInt64 = 0

    /// Creates a writer.
    public init() {}

    /// Appends `nanoseconds` since 1970-01-01T00:00:00Z as `2026-01-02T03:04:05.123456789Z`.
    @inlinable @inline(__always)
    public mutating func append(_ nanoseconds: Int64, to arena: inout Arena) {
        var fraction = UInt64(bitPattern: nanoseconds &- start)
        if fraction >= length { fraction = prepare(for: nanoseconds) }
        let lastDigit = UInt16(truncatingIfNeeded: 0x30 + fraction % 10)
        arena.reserve(30)
        let place = unsafe UnsafeMutableRawPointer(arena.base + arena.count)
        unsafe place.storeBytes(of: head.littleEndian, as: UInt64.self)
        unsafe place.storeBytes(of: middle.littleEndian, toByteOffset: 8, as: UInt64.self)
        unsafe place.storeBytes(of: tail.littleEndian, toByteOffset: 16, as: UInt32.self)
        let digits = DecimalText.digits(of: fraction / 10)
        unsafe place.storeBytes(of: digits.littleEndian, toByteOffset: 20, as: UInt64.self)
        let ending = lastDigit | UInt16(UInt8(ascii: "Z")) << 8
        unsafe place.storeBytes(of: ending.littleEndian, toByteOffset: 28, as: UInt16.self)
        arena.count += 30
    }

    /// Makes the bytes of the second of a time, and returns how many nanoseconds of it have passed.
    @usableFromInline @inline(never)
    mutating func prepare(for nanoseconds: Int64) -> UInt64 {
        let seconds = floorQuotient(Int(nanoseconds), 1_000_000_000)
        let (product, isCutOff) = Int64(seconds).multipliedReportingOverflow(by: 1_000_000_000)
        start = product
        length = isCutOff || product > Int64.max - 999_999_999 ? 0 : 1_000_000_000
        let days = floorQuotient(Int(seconds), 86_400)
        let ofDay = Int(seconds) - days * 86_400
        let date = CivilDate(daysSinceEpoch: days)
        // 20260102 and 00030405 as digits, then cut into 2026-01- | 02T03:04 | :05.
        let day = DecimalText.digits(of: UInt64(date.year * 10_000 + date.month * 100 + date.day))
        let time = DecimalText.digits(of: UInt64(ofDay / 3600 * 10_000 + ofDay / 60 % 60 * 100 + ofDay % 60))
        let dash = UInt64(UInt8(ascii: "-"))
        let colon = UInt64(UInt8(ascii: ":"))
        head = day & 0xffff_ffff | dash << 32 | (day >> 32 & 0xffff) << 40 | dash << 56
        middle = day >> 48 | UInt64(UInt8(ascii: "T")) << 16
        middle |= (time >> 16 & 0xffff) << 24 | colon << 40 | (time >> 32 & 0xffff) << 48
        tail = UInt32(colon | (time >> 48) << 8 | UInt64(UInt8(ascii: ".")) << 24)
        return UInt64(bitPattern: nanoseconds &- start)
    }
}

/// The quotient rounded towards negative infinity.
@inline(__always)
private func floorQuotient(_ dividend: Int, _ divisor: Int) -> Int {
    let quotient = dividend / divisor
    return dividend % divisor < 0 ? quotient - 1 : quotient
}
