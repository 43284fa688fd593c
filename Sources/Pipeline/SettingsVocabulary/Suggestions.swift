// "Did you mean": the known name that a mistyped one was most likely meant to be.

/// Finds the name that was probably meant.
package enum Suggestions {
    /// The known name closest to `typed`, or nil when none is close enough to be worth saying.
    ///
    /// Case and the choice between `-` and `_` cost nothing. One slip is allowed for every three characters.
    package static func closest(to typed: String, among known: some Sequence<String>) -> String? {
        let wanted = normalized(typed)
        guard !wanted.isEmpty else { return nil }
        let slips = max(1, min(wanted.count / 3, 3))
        return
            known
            .compactMap { name -> (name: String, distance: Int)? in
                let other = normalized(name)
                // Each letter too many costs one slip at least.
                return abs(other.count - wanted.count) > slips ? nil : (name, distance(wanted, other))
            }
            .filter { $0.distance <= slips && $0.distance < max(wanted.count, $0.name.count) }
            .min { ($0.distance, $0.name) < ($1.distance, $1.name) }?
            .name
    }

    private static func normalized(_ name: String) -> [UInt8] {
        name.prefix(64).lowercased().utf8.prefix(64).map { $0 == UInt8(ascii: "-") ? UInt8(ascii: "_") : $0 }
    }

    /// Damerau-Levenshtein distance (optimal string alignment): insertions, deletions, replacements, swaps.
    private static func distance(_ left: [UInt8], _ right: [UInt8]) -> Int {
        var beforeLast: [Int] = []
        var last = Array(0...right.count)
        for (row, byte) in left.enumerated() {
            var current = [row + 1]
            for (column, other) in right.enumerated() {
                var best = min(last[column] + (byte == other ? 0 : 1), last[column + 1] + 1, current[column] + 1)
                if row > 0, column > 0, byte == right[column - 1], left[row - 1] == other {
                    best = min(best, beforeLast[column - 1] + 1)
                }
                current.append(best)
            }
            beforeLast = last
            last = current
        }
        return last[right.count]
    }
}
