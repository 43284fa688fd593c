// `--priority`: how bad a record has to be.
private import Bytes
package import Records

/// A range of severities as journalctl takes it: `err` and all that is worse, `warning..err`, or numbers from 0 to 7.
package struct PriorityRange: Sendable, Hashable {
    /// From the least to the worst.
    package let severities: ClosedRange<Severity>

    /// Reads a priority or two with `..` between them, in either order.
    package init(_ text: String) throws(QueryError) {
        var ends: [Severity] = []
        if let dots = text.firstRange(of: "..") {
            ends = [
                try PriorityRange.severity(text[..<dots.lowerBound]),
                try PriorityRange.severity(text[dots.upperBound...]),
            ]
        } else {
            ends = [try PriorityRange.severity(text[...]), .emergency]
        }
        let (least, worst) = (min(ends[0], ends[1]), max(ends[0], ends[1]))
        // syslog has nothing below debug: asking for it asks for all.
        severities = (least == .debug ? .trace : least)...worst
    }

    /// Every severity, and none at all: as for journalctl, a record without one is then asked for too.
    package var isEverything: Bool { severities == .trace ... .emergency }

    private static func severity(_ text: Substring) throws(QueryError) -> Severity {
        if let number = Int(text), (0...7).contains(number), let severity = Severity(number: number) { return severity }
        if let severity = Severity(named: Array(text.utf8).span) { return severity }
        throw QueryError(
            "'\(text)' is no priority",
            hint:
                "write emerg, alert, crit, err, warning, notice, info or debug, a number from 0 to 7, or two with '..' between them"
        )
    }
}
