// How figures are shown.

/// Prints rates in columns.
struct Table {
    private static let nameWidth = 48
    let megabytes: Double

    init(megabytes: Double) { self.megabytes = megabytes }

    /// Begins a block of rows.
    func title(_ title: String, besideC: Bool = true) {
        print("")
        let rest = besideC ? right("C", 9) + "   Swift's time / C's (range)" : ""
        print(pad(title, Table.nameWidth) + right("Swift", 9) + rest)
    }

    /// One stage or route.
    func row(_ name: String, _ times: Times) {
        let multiple = times.multiple
        print(
            pad("  " + name, Table.nameWidth) + right(rate(times.rate(\.swift, megabytes: megabytes)), 9)
                + right(rate(times.rate(\.limit, megabytes: megabytes)), 9)
                + "   \(fixed(multiple.median))  (\(fixed(multiple.low)) to \(fixed(multiple.high)))")
    }

    /// A stage without anything beside it: the median of its rounds, in nanoseconds.
    func row(_ name: String, _ times: [Int64], megabytes: Double) {
        let only = Times(swift: times)
        print(pad("  " + name, Table.nameWidth) + right(rate(only.rate(\.swift, megabytes: megabytes)), 9))
    }

    /// A whole number with a comma before its thousands.
    private func rate(_ value: Double) -> String {
        let digits = String(Int(value.rounded()))
        guard digits.count > 3 else { return digits }
        return "\(digits.dropLast(3)),\(digits.suffix(3))"
    }

    private func fixed(_ value: Double) -> String {
        let hundredths = String(Int((value * 100).rounded()))
        let padded = String(repeating: "0", count: max(0, 3 - hundredths.count)) + hundredths
        return "\(padded.dropLast(2)).\(padded.suffix(2))"
    }

    private func pad(_ text: String, _ width: Int) -> String {
        text + String(repeating: " ", count: max(1, width - text.count))
    }

    private func right(_ text: String, _ width: Int) -> String {
        String(repeating: " ", count: max(1, width - text.count)) + text
    }
}
