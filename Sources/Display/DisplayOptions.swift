// How records are to be shown: what a command line can say about it.

/// The styles of output, by the names that journalctl gives them where it has them.
package enum DisplayStyle: String, CaseIterable, Sendable {
    case short
    case shortISO = "short-iso"
    case shortPrecise = "short-precise"
    case shortFull = "short-full"
    case shortUnix = "short-unix"
    case withUnit = "with-unit"
    case cat
    case json
    case jsonPretty = "json-pretty"
    case export
    case raw
}

/// What a reader wants to see of each record, and how.
package struct DisplayOptions: Sendable {
    /// How a record looks.
    package var style: DisplayStyle
    /// Whether severities and pods have colours; in the short styles and `cat`.
    package var isColored = false
    /// Whether times are in UTC; else they are local. Of the short styles.
    package var isUTC = false
    /// Whether the short styles say where a message comes from.
    package var hasPrefix = true
    /// The members to show, empty for all: `message`, `kubernetes.pod_name`, a whole `kubernetes`. `export` also takes names of journal
    /// fields (`_PID`). Of `json`, `json-pretty`, `export` and `cat`.
    package var outputFields: [String] = []
    /// The columns that there are for a line of a short style: longer ones get an ellipsis. nil: however many it needs.
    package var width: Int?
    /// Whether a terminal shows it: then nothing of a record may steer one, in any style. A pipe gets `raw`, `export` and JSON as they are.
    package var isForTerminal = false
    /// The parts of a text to be emphasised, when there are colours. It is given what the short styles and `cat` show as the message,
    /// before control characters are escaped; the ranges are in order and do not overlap.
    package var highlight: (@Sendable (Span<UInt8>) -> [Range<Int>])?

    package init(_ style: DisplayStyle = .short) { self.style = style }
}
