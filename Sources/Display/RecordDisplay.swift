// The front of this floor: a stored record in, text out.
package import Bytes

/// Shows records in one of the styles.
///
/// The short styles, `cat` and what is no record are safe for a terminal, whatever bytes come. `raw`, `export` and the JSON styles are for
/// programs, and hand on what is there, unless a terminal is to show them.
package struct RecordDisplay: ~Copyable {
    private let style: DisplayStyle
    /// Whether what comes out is made safe for a terminal before it is given.
    private let isMadeSafe: Bool
    private let fields: OutputFields
    private var record = StoredRecord()
    private var short: ShortForm
    private var message = MessageText()
    private var selection: MemberSelection
    private var export: JournalExport
    private var selected = Arena(capacity: 0)
    private var asItIs = Arena(capacity: 0)

    package init(_ options: DisplayOptions) {
        style = options.style
        isMadeSafe =
            switch options.style {
            case .json, .jsonPretty, .raw, .export: options.isForTerminal
            default: false
            }
        fields = OutputFields(options.outputFields)
        short = ShortForm(options)
        selection = MemberSelection(fields)
        export = JournalExport(fields)
    }

    /// Appends a record, with its newline: one line of JSON in the native shape (docs/records.md), with or without its own newline. What is
    /// no JSON object is shown as text, and left out of `export`.
    package mutating func append(_ text: Span<UInt8>, to out: inout Arena) {
        guard isMadeSafe else { return appendAsItIs(text, to: &out) }
        var given = Arena(capacity: 0)
        swap(&given, &asItIs)
        given.removeAll()
        appendAsItIs(text, to: &given)
        if style == .json || style == .jsonPretty {
            Printable.append(json: given, to: &out)
        } else {
            Printable.append(lines: given, to: &out)
        }
        swap(&given, &asItIs)
    }

    private mutating func appendAsItIs(_ text: Span<UInt8>, to out: inout Arena) {
        guard record.read(text) else {
            if style != .export { short.append(unreadable: record, to: &out) }
            return
        }
        switch style {
        case .short, .shortISO, .shortPrecise, .shortFull, .shortUnix, .withUnit: short.append(&record, to: &out)
        case .cat:
            if fields.isEmpty { short.append(&record, to: &out) } else { selection.appendValues(record, to: &out) }
        case .json:
            if fields.isEmpty { out.append(record.line.span) } else { selection.append(record, to: &out) }
            out.append("\n")
        case .jsonPretty: appendPretty(&out)
        case .export: export.append(&record, to: &out)
        case .raw:
            message.appendOriginal(record, to: &out)
            out.append("\n")
        }
    }

    /// Appends each record of `lines`, one line of JSON each.
    package mutating func append(lines: Span<UInt8>, to out: inout Arena) {
        var start = 0
        while start < lines.count {
            let end = ByteSearch.firstIndex(of: UInt8(ascii: "\n"), in: lines, from: start) ?? lines.count
            append(lines.extracting(start..<end), to: &out)
            start = end + 1
        }
    }

    private mutating func appendPretty(_ out: inout Arena) {
        if fields.isEmpty {
            out.appendPretty(record.line, from: 0, to: record.line.count)
        } else {
            selected.removeAll()
            selection.append(record, to: &selected)
            out.appendPretty(selected, from: 0, to: selected.count)
        }
        out.append("\n")
    }
}
