// The times before short lines, in journalctl's forms.
import Bytes
import Disk

/// Writes times in the form of a style; what the times of one second share is made once.
struct DisplayTimes: ~Copyable {
    private let style: DisplayStyle
    private let isUTC: Bool
    private var second: Int64?
    /// The text of `second`, without what is behind the point.
    private var head = Arena(capacity: 64)

    private static let months = "JanFebMarAprMayJunJulAugSepOctNovDec"
    private static let days = "SunMonTueWedThuFriSat"

    init(_ style: DisplayStyle, isUTC: Bool) {
        self.style = style
        self.isUTC = isUTC
    }

    /// Appends `nanoseconds` since 1970.
    mutating func append(_ nanoseconds: Int64, to out: inout Arena) {
        let (quotient, remainder) = nanoseconds.quotientAndRemainder(dividingBy: 1_000_000_000)
        let isBefore = remainder < 0
        let seconds = isBefore ? quotient - 1 : quotient
        if second != seconds { prepare(seconds) }
        out.append(head.span)
        guard style == .shortPrecise || style == .shortUnix else { return }
        out.append(".")
        DisplayTimes.append(Int(isBefore ? remainder + 1_000_000_000 : remainder) / 1000, digits: 6, to: &out)
    }

    private mutating func prepare(_ seconds: Int64) {
        second = seconds
        head.removeAll()
        if style == .shortUnix {
            let start = head.count
            head.append(decimal: seconds)
            if head.count - start >= 10 { return }
            let digits = [UInt8](copying: head.span)
            head.removeAll()
            for _ in digits.count..<10 { head.append(" ") }
            head.append(digits)
            return
        }
        let zone = isUTC ? (offset: 0, name: "UTC") : Machine.localZone(at: seconds)
        // The first and the last hours of the range have no local time.
        let shown = max(min(seconds, Int64.max / 1_000_000_000 - 90_000), Int64.min / 1_000_000_000 + 90_000)
        let time = CivilTime(nanoseconds: (shown + Int64(zone.offset)) * 1_000_000_000)
        switch style {
        case .shortISO:
            appendDay(time.date)
            head.append("T")
            appendClock(time)
            appendOffset(zone.offset)
        case .shortFull, .withUnit:
            head.append(text: String(DisplayTimes.days.dropFirst(3 * time.date.weekday).prefix(3)))
            head.append(" ")
            appendDay(time.date)
            head.append(" ")
            appendClock(time)
            head.append(" ")
            head.append(text: zone.name)
        default:
            head.append(text: String(DisplayTimes.months.dropFirst(3 * (time.date.month - 1)).prefix(3)))
            head.append(" ")
            append(time.date.day)
            head.append(" ")
            appendClock(time)
        }
    }

    private mutating func appendDay(_ date: CivilDate) {
        DisplayTimes.append(date.year, digits: 4, to: &head)
        head.append("-")
        append(date.month)
        head.append("-")
        append(date.day)
    }

    private mutating func appendClock(_ time: CivilTime) {
        append(time.hour)
        head.append(":")
        append(time.minute)
        head.append(":")
        append(time.second)
    }

    /// `+0130`
    private mutating func appendOffset(_ seconds: Int) {
        head.append(seconds < 0 ? "-" : "+")
        append(abs(seconds) / 3600)
        append(abs(seconds) / 60 % 60)
    }

    private mutating func append(_ number: Int) { DisplayTimes.append(number, digits: 2, to: &head) }

    /// Appends a number with leading zeros.
    private static func append(_ number: Int, digits: Int, to out: inout Arena) {
        let start = out.count
        out.appendZeros(digits)
        var rest = number
        for index in (start..<start + digits).reversed() {
            out[index] = UInt8(truncatingIfNeeded: 0x30 + rest % 10)
            rest /= 10
        }
    }
}
