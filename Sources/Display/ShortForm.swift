// Records for people, a line each: time, where it comes from, and what it says.
import Bytes
import Records

/// Writes records in the short styles and in `cat`.
struct ShortForm: ~Copyable {
    private let options: DisplayOptions
    private var times: DisplayTimes
    private var message = MessageText()
    private var layout: MessageLayout
    private var text = Arena(capacity: 4096)
    private var cleaned = Arena(capacity: 4096)
    private var scratch = Arena(capacity: 256)

    init(_ options: DisplayOptions) {
        self.options = options
        times = DisplayTimes(options.style, isUTC: options.isUTC)
        layout = MessageLayout(
            width: options.style == .cat ? nil : options.width, highlight: options.highlight)
    }

    /// Appends a record's lines.
    mutating func append(_ record: inout StoredRecord, to out: inout Arena) {
        text.removeAll()
        message.appendReadable(record, to: &text)
        let colors = options.isColored ? ShortForm.colors(record) : nil
        if options.style == .cat {
            return layout.append(text, indent: nil, colors: colors, to: &out)
        }
        let start = out.count
        var invisible = 0
        appendTime(&record, &out)
        if options.hasPrefix { invisible = appendPlace(record, &out) }
        if record.origin == .journal {
            cleaned.removeAll()
            JournalCleaning.append(text, to: &cleaned)
            swap(&text, &cleaned)
        }
        let indent = TextWidth.columns(out, from: start, to: out.count) - invisible
        layout.append(text, indent: indent, colors: colors, to: &out)
    }

    /// Appends what is no record, as text.
    func append(unreadable record: borrowing StoredRecord, to out: inout Arena) {
        // It need not be UTF-8.
        Printable.append(String(decoding: record.line.span), to: &out)
        out.append("\n")
    }

    /// The message's: by its severity.
    private static func colors(_ record: borrowing StoredRecord) -> LineColors {
        let colors = LineColors.of(record.level)
        guard colors.isPlain, record.origin == .journal else { return colors }
        let transport = record.inPlace("transport")
        guard transport >= 0 else { return colors }
        let inside = record.inside(record.place[transport])
        return ByteSearch.equal(record.line, from: inside.lowerBound, count: inside.count, "audit") ? .audit : colors
    }

    private mutating func appendTime(_ record: inout StoredRecord, _ out: inout Arena) {
        var time = record.nanoseconds()
        if record.origin == .journal {
            // journalctl shows the time of the sender where there is one.
            let sent = record.inPlace("_source_realtime_timestamp")
            if sent >= 0, let microseconds = record.number(record.place[sent]), microseconds > 0,
                microseconds <= UInt64(Int64.max) / 1000
            {
                time = Int64(microseconds) * 1000
            }
        }
        guard time != TimestampParser.invalid else { return }
        times.append(time, to: &out)
        out.append(" ")
    }

    // MARK: The place

    /// Appends where a record comes from, and returns how many columns of that take no room.
    private mutating func appendPlace(_ record: borrowing StoredRecord, _ out: inout Arena) -> Int {
        switch record.origin {
        case .container: return appendContainer(record, &out)
        case .journal: appendSender(record, &out)
        case .file: appendPart(record, record.inPlace("path"), &out)
        case .other: return 0
        }
        out.append(": ")
        return 0
    }

    /// `shop/web-1 nginx[2]: `
    private mutating func appendContainer(_ record: borrowing StoredRecord, _ out: inout Arena) -> Int {
        scratch.removeAll()
        let (namespace, pod) = (record.inPlace("namespace_name"), record.inPlace("pod_name"))
        if namespace >= 0 { record.appendValue(record.place[namespace], to: &scratch) }
        scratch.append("/")
        if pod >= 0 { record.appendValue(record.place[pod], to: &scratch) }
        let start = out.count
        if options.isColored { out.append(PodPalette.color(Hash64.of(scratch.span))) }
        var invisible = out.count - start
        Printable.append(scratch, to: &out)
        out.append(" ")
        appendPart(record, record.inPlace("container_name"), &out)
        let restarts = record.inPlace("restart_count")
        if restarts >= 0, record.number(record.place[restarts]) != 0 { appendInBrackets(record, restarts, &out) }
        out.append(":")
        if options.isColored {
            out.append(LineColors.off)
            invisible += LineColors.off.utf8CodeUnitCount
        }
        out.append(" ")
        return invisible
    }

    /// `node-1 kubelet[812]`
    private mutating func appendSender(_ record: borrowing StoredRecord, _ out: inout Arena) {
        let host = ShortForm.first(record, "_hostname", "node_name")
        if host >= 0 {
            appendPart(record, host, &out)
            out.append(" ")
        }
        appendProgram(record, &out)
        let process = ShortForm.first(record, "pid", "syslog_pid")
        if process >= 0 { appendInBrackets(record, process, &out) }
    }

    private mutating func appendProgram(_ record: borrowing StoredRecord, _ out: inout Arena) {
        if options.style == .withUnit {
            let unit = ShortForm.first(record, "_systemd_unit", "unit")
            let user = record.inPlace("_systemd_user_unit")
            if unit >= 0 { appendPart(record, unit, &out) }
            if unit >= 0, user >= 0 { out.append("/") }
            if user >= 0 { appendPart(record, user, &out) }
            if unit >= 0 || user >= 0 { return }
        }
        let named = ShortForm.first(record, "identifier", "_comm")
        let program = named >= 0 ? named : record.inPlace("unit")
        guard program >= 0 else { return out.append("unknown") }
        appendPart(record, program, &out)
    }

    /// The first of two members that is there and not empty.
    private static func first(_ record: borrowing StoredRecord, _ one: StaticString, _ other: StaticString) -> Int {
        let first = record.inPlace(one)
        if first >= 0, !record.inside(record.place[first]).isEmpty { return first }
        return record.inPlace(other)
    }

    private mutating func appendInBrackets(_ record: borrowing StoredRecord, _ index: Int, _ out: inout Arena) {
        guard !record.inside(record.place[index]).isEmpty else { return }
        out.append("[")
        appendPart(record, index, &out)
        out.append("]")
    }

    /// A member of the place, as a part of one line.
    private mutating func appendPart(_ record: borrowing StoredRecord, _ index: Int, _ out: inout Arena) {
        guard index >= 0 else { return }
        let member = record.place[index]
        if member.valueHasEscapes {
            scratch.removeAll()
            record.appendValue(member, to: &scratch)
            Printable.append(scratch, to: &out)
        } else {
            let inside = record.inside(member)
            Printable.append(record.line, from: inside.lowerBound, to: inside.upperBound, to: &out)
        }
    }
}
