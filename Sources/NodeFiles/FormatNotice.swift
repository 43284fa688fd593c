// Says when the lines of a container's log are not in the CRI format: each becomes a record, but without its own time and stream.
import Bytes
import Disk
import Records
import Telemetry

extension FileTailer {
    private static let formatNoticeInterval: Int64 = 60_000_000_000

    /// Reports, once a minute for each log at most, a batch whose records are mostly malformed.
    @inline(never)
    func noteFormat(of batch: borrowing RecordBatch, _ file: TailedFile, _ family: LogFamily) {
        let malformed = batch.counts[.malformedRecords]
        guard options.format == .cri, malformed * 2 > UInt64(batch.rows.count) else { return }
        let now = SystemClock.monotonic
        guard now >= family.nextFormatNotice else { return }
        for index in 0..<batch.rows.count where batch.rows[index].flags.contains(.malformed) {
            let row = batch.rows[index]
            let start = Int(row.messageStart)
            let line = Array(copying: batch.arena.span.extracting(start..<(start + min(120, Int(row.messageLength)))))
            family.nextFormatNotice = now + FileTailer.formatNoticeInterval
            telemetry.tell(
                FileEvent.otherFormat(
                    path: Path.join(family.key.folder, file.name), format: LineShape.name(of: line),
                    line: String(decoding: line, as: UTF8.self)))
            return
        }
    }
}

/// What lines look like that are not in the CRI format.
enum LineShape {
    /// A name for people.
    static func name(of line: [UInt8]) -> String {
        if line.starts(with: Array(#"{"log":"#.utf8)) {
            return
                "Docker's json-file (dockerd writes it for the log driver json-file; containerd and CRI-O write the CRI format)"
        }
        if line.first == UInt8(ascii: "{") { return "JSON" }
        return "other text"
    }
}
