// Which numbers no record has. A segment's name is never used twice, so one that stays empty takes its number along.

/// Ranges of numbers that were never given to a record, in order.
package struct SkippedNumbers: Sendable, Equatable {
    /// They neither touch nor overlap: starts in a row that store nothing make one range.
    package private(set) var ranges: [Range<UInt64>] = []

    /// Each snapshot writes them all. The oldest are forgotten; no reader is that far behind.
    private static let limit = 256

    /// Creates an empty set.
    package init() {}

    /// Notes that these numbers will not be given. What lies before the last range is known already.
    mutating func add(_ range: Range<UInt64>) {
        guard let last = ranges.last, range.lowerBound <= last.upperBound else {
            if !range.isEmpty { ranges.append(range) }
            if ranges.count > SkippedNumbers.limit { ranges.removeFirst() }
            return
        }
        ranges[ranges.count - 1] = last.lowerBound..<max(last.upperBound, range.upperBound)
    }

    /// How many of the numbers in `from..<to` were given to records.
    func given(from: UInt64, to: UInt64) -> UInt64 {
        guard from < to else { return 0 }
        return ranges.reduce(to - from) { $0 - UInt64($1.clamped(to: from..<to).count) }
    }
}
