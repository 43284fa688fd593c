// A length of time as an operator writes it: 5s, 250ms, 1h30m, 7d.

/// A length of time, never negative.
package struct Interval: Sendable, Hashable, Comparable {
    /// How many nanoseconds.
    package let nanoseconds: Int

    /// Creates an interval of so many nanoseconds.
    package init(nanoseconds: Int) {
        precondition(nanoseconds >= 0, "an interval is not negative")
        self.nanoseconds = nanoseconds
    }

    /// No time at all, written `0s`.
    package static let zero = Interval(nanoseconds: 0)
    /// An interval in milliseconds.
    package static func milliseconds(_ count: Int) -> Interval { Interval(nanoseconds: count * 1_000_000) }
    /// An interval in seconds.
    package static func seconds(_ count: Int) -> Interval { Interval(nanoseconds: count * 1_000_000_000) }
    /// An interval in minutes.
    package static func minutes(_ count: Int) -> Interval { .seconds(count * 60) }
    /// An interval in hours.
    package static func hours(_ count: Int) -> Interval { .seconds(count * 3600) }

    /// The same as the standard library's type.
    package var duration: Duration { .nanoseconds(nanoseconds) }

    package static func < (left: Interval, right: Interval) -> Bool { left.nanoseconds < right.nanoseconds }

    /// The units an interval is written with, longest first.
    fileprivate static let units: [(name: String, nanoseconds: Int)] = [
        ("d", 86_400_000_000_000), ("h", 3_600_000_000_000), ("m", 60_000_000_000), ("s", 1_000_000_000),
        ("ms", 1_000_000),
    ]
}

extension Interval: TextSettingValue {
    package static var expectation: String { "a time such as 5s" }
    /// 27 years; far enough below what an Int holds that it can be added to any time.
    private static let most = 10_000 * 86_400_000_000_000
    private static let hint = "write a number and a unit, such as 250ms, 5s, 10m, 24h, 7d or 1h30m"

    package init(text: String) throws(SettingMisfit) {
        if text.hasPrefix("-") { throw .text("is negative, and a time cannot be", hint: Self.hint) }
        var rest = Substring(text)
        var total = 0
        var nextUnit = 0
        repeat {
            guard let number = try DecimalNumber(takenFrom: &rest) else {
                throw .text("is not a time", hint: Self.hint)
            }
            let name = rest.prefix { $0.isLetter }
            rest = rest.dropFirst(name.count)
            if name.isEmpty, rest.isEmpty {
                throw .text(
                    "has no unit", hint: "write \(text.prefix(20))s for seconds, or one of the units ms, s, m, h, d")
            }
            guard let unit = Self.units.firstIndex(where: { $0.name == name }) else {
                throw .text("is not a time", hint: Self.hint)
            }
            guard unit >= nextUnit else {
                throw .text("is not a time: units go from long to short, each once", hint: Self.hint)
            }
            nextUnit = unit + 1
            guard let part = number.times(Self.units[unit].nanoseconds),
                case (let sum, false) = total.addingReportingOverflow(part)
            else { throw .text("is too long a time", hint: "10000d at most") }
            total = sum
        } while !rest.isEmpty
        guard total <= Self.most else { throw .text("is too long a time", hint: "10000d at most") }
        self.init(nanoseconds: total)
    }
}

extension Interval: CustomStringConvertible {
    /// The way to write it: `1h30m`, `250ms`, `0s`; what is shorter than a millisecond is left out.
    package var description: String {
        var rest = nanoseconds
        var text = ""
        for unit in Self.units where rest >= unit.nanoseconds {
            text += "\(rest / unit.nanoseconds)\(unit.name)"
            rest %= unit.nanoseconds
        }
        return text.isEmpty ? "0s" : text
    }
}
