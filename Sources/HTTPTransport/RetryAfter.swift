// How long a server asks to be left alone.
private import Bytes

/// The header Retry-After.
package enum RetryAfter {
    /// Nobody is asked to wait longer than this, whatever the header says: a slip of a server must not stop a node for good.
    package static let longestWait: Duration = .seconds(3600)

    /// The wait that is meant by seconds or by a date; nil when it is neither.
    /// - Parameter now: nanoseconds since 1970.
    package static func wait(_ header: String, now: Int64) -> Duration? {
        let text = String(
            header.drop { $0 == " " || $0 == "\t" }.reversed().drop { $0 == " " || $0 == "\t" }.reversed())
        if let seconds = Int64(text) {
            guard seconds >= 0 else { return nil }
            return min(.seconds(seconds), longestWait)
        }
        guard let date = HTTPDate.parse(text) else { return nil }
        return min(max(.zero, .seconds(date - now / 1_000_000_000)), longestWait)
    }
}

/// Dates in HTTP headers, in the three forms that RFC 9110 section 5.6.7 wants read.
private enum HTTPDate {
    private static let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]

    /// Seconds since 1970; nil when it is no date, or one that no clock of ours will ever show.
    ///
    /// `Sun, 06 Nov 1994 08:49:37 GMT`, `Sunday, 06-Nov-94 08:49:37 GMT`, `Sun Nov  6 08:49:37 1994`.
    static func parse(_ text: String) -> Int64? {
        let parts = text.split { " ,-".contains($0) }.map(String.init)
        switch parts.count {
        case 6 where parts[5] == "GMT": return date(day: parts[1], month: parts[2], year: parts[3], time: parts[4])
        case 5: return date(day: parts[2], month: parts[1], year: parts[4], time: parts[3])
        default: return nil
        }
    }

    private static func date(day: String, month: String, year: String, time: String) -> Int64? {
        guard let month = months.firstIndex(of: month), let day = Int(day), var year = Int(year) else { return nil }
        // Two digits: what is not in the past century is meant (RFC 9110: no more than 50 years ahead).
        if year < 100 { year += year < 70 ? 2000 : 1900 }
        let clock = time.split(separator: ":", omittingEmptySubsequences: false).map { Int($0) ?? -1 }
        guard (1601...9999).contains(year), clock.count == 3, (0..<24).contains(clock[0]), (0..<60).contains(clock[1]),
            (0...60).contains(clock[2]),
            let date = CivilDate(year: year, month: month + 1, day: day)
        else { return nil }
        return Int64(date.daysSinceEpoch * 86_400 + clock[0] * 3600 + clock[1] * 60 + clock[2])
    }
}
