// Records to be shown: written out, or made of entries; and what journalctl shows of the same.
import Bytes
import Display
import Journal
import NodeJournal
import Records
import TestKit
import Testing

/// What a style shows of a record.
func shown(
    _ record: String, _ style: DisplayStyle = .short, _ change: (inout DisplayOptions) -> Void = { _ in }
) -> String {
    String(decoding: shownBytes([record], style, change), as: UTF8.self)
}

/// What a style shows of records, one after the other; times are in UTC.
func shownBytes(
    _ records: [String], _ style: DisplayStyle, _ change: (inout DisplayOptions) -> Void = { _ in }
) -> [UInt8] {
    var options = DisplayOptions(style)
    options.isUTC = true
    change(&options)
    var display = RecordDisplay(options)
    var out = Arena()
    for record in records { display.append(Array(record.utf8).span, to: &out) }
    return Array(copying: out.span)
}

/// The record of a container's line: `members`, then where it comes from.
func container(_ members: String, restarts: Int = 0) -> String {
    "{\"time\":\"2026-11-03T03:14:07.500000000Z\",\(members),\"origin\":\"container\",\"kubernetes\":{\"namespace_name\":\"shop\","
        + "\"pod_name\":\"web-1\",\"container_name\":\"nginx\",\"restart_count\":\(restarts),\"node_name\":\"node-1\"}}"
}

/// The place of `container`.
let web = "Nov 03 03:14:07 shop/web-1 nginx: "

/// The records of batches, as the store has them.
func encoded(_ batch: borrowing RecordBatch) -> [String] {
    var encoder = RecordEncoder(mode: .merge, reserved: ReservedNames())
    var counts = Counts()
    var lines: [String] = []
    for index in 0..<batch.rows.count {
        var text = Arena()
        encoder.append(batch.rows[index], of: batch, to: &text, counts: &counts)
        lines.append(String(decoding: text.span))
    }
    return lines
}

/// The lines of a text, each without its newline.
func lines(_ text: [UInt8]) -> [String] {
    String(decoding: text, as: UTF8.self).split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
}

#if Journald
    /// The records of a journal, klog taken apart.
    func records(
        _ source: JournalSource, _ change: (inout JournalRecordOptions) -> Void = { _ in }
    ) throws -> [String] {
        var options = JournalRecordOptions()
        options.selection.audit = true
        change(&options)
        var records = JournalRecords(options)
        var reader = try JournalReader(source)
        var batch = RecordBatch()
        while try reader.next() {
            let time = try reader.realtime()
            _ = try records.append(&reader, time: time, to: &batch)
        }
        batch.parseKlog()
        return encoded(batch)
    }
#endif
