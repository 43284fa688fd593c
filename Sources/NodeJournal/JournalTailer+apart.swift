// Reads the boots that have readers of their own, and counts what is lost between two numbers.
import Bytes
import Disk
import Journal
import Records
import Telemetry

extension JournalTailer {
    /// Reads a batch of a boot that is read apart. Returns false when there is nothing.
    func readApart(into batch: inout RecordBatch) -> Bool {
        let now = SystemClock.monotonic
        let before = clocks
        noted.removeAll()
        do throws(JournalError) {
            while let boot = try nextApart() {
                let (stepped, moment) = try readEntries(of: boot, &batch)
                guard stepped > 0, let moment, let text = try boot.reader?.cursor() else {
                    close(boot)
                    continue
                }
                lastEntryAt = now
                if let last = boot.reached.cursor, !mayNotSeeAll {
                    let missing = missing(between: last, text, stepped: stepped, of: boot.boot)
                    if missing > 0 {
                        telemetry.tell(JournalEvent.missing(input: options.title, entries: missing))
                        count(lost: missing)
                    }
                }
                boot.finish(at: text, moment)
                for event in noted { telemetry.tell(event) }
                coverage.note(boot.boot, boot.reached)
                if boot.bytes > JournalTailer.mappedBytes {
                    apart.removeAll { $0 === boot }
                    waiting.insert(boot.boot, at: 0)
                }
                return true
            }
        } catch {
            batch.reset()
            clocks = before
            failed(error, now)
        }
        return false
    }

    /// How many entries between those of two journal cursors are lost, by their numbers. `stepped`: so many were read from behind the
    /// first one on; `boot`: by the reader of this boot, and not that of the whole journal.
    func missing(between first: String, _ last: String, stepped: UInt64, of boot: JournalID? = nil) -> UInt64 {
        guard let from = JournalCursor(first), let to = JournalCursor(last), from.sequenceID == to.sequenceID,
            to.sequence > from.sequence, to.sequence - from.sequence > stepped
        else { return 0 }
        // Other boots may have the numbers, where one journald wrote them in turns.
        let files = JournalSurvey.headers(of: source).filter { file in
            guard let header = file.header, header.sequenceID == from.sequenceID else { return false }
            return header.lastSequence > from.sequence && header.firstSequence < to.sequence
        }
        let others = (try? count(files.map(\.path), from: first, between: from, to, of: boot)) ?? 0
        let absent = to.sequence - from.sequence - stepped
        // A damaged number may say anything.
        return min(absent - min(absent, others), JournalRecords.mostLost)
    }

    /// The entries of some files between two of their numbers that are for another reader than this one, as many as can be counted in a
    /// moment: those of other boots, and for the reader of the whole journal of those what was not read of them.
    private func count(
        _ files: [String], from text: String, between first: JournalCursor, _ last: JournalCursor, of boot: JournalID?
    ) throws(JournalError) -> UInt64 {
        guard !files.isEmpty else { return 0 }
        var reader = try JournalReader(.files(files))
        try reader.seek(to: .cursor(text))
        var (count, looked): (UInt64, Int) = (0, 0)
        while looked < 100_000, try reader.next(), let here = JournalCursor(try reader.cursor()),
            here.sequence < last.sequence
        {
            looked += 1
            guard here.sequence > first.sequence else { continue }
            if let boot {
                if here.bootID != boot { count += 1 }
            } else if here.bootID != standing.boot, !(coverage[here.bootID]?.includes(here.monotonic, 1) ?? false) {
                count += 1
            }
        }
        return count
    }

    /// The boot that has the next batch; nil when none has anything.
    private func nextApart() throws(JournalError) -> BootReader? {
        if let boot = apart.first(where: { !$0.isAtEnd }) { return boot }
        guard let boot = waiting.first else { return nil }
        let reader = try BootReader(boot, after: coverage[boot] ?? .nothing, source, links: options.links)
        waiting.removeFirst()
        apart.append(reader)
        return reader
    }

    /// There is nothing more of a boot now. Its reader stays, if a file is written to that may get more of it.
    private func close(_ boot: BootReader) {
        boot.isAtEnd = true
        if !tails.contains(where: { $0.boot == boot.boot }) { apart.removeAll { $0 === boot } }
    }

    private func readEntries(
        of boot: BootReader, _ batch: inout RecordBatch
    ) throws(JournalError) -> (UInt64, last: JournalMoment?) {
        guard var open = boot.reader.take() else { return (0, nil) }
        // One that failed is not used again.
        let result = try readEntries(of: boot, &open, &batch)
        boot.reader = consume open
        return result
    }

    private func readEntries(
        of boot: BootReader, _ reader: inout JournalReader, _ batch: inout RecordBatch
    ) throws(JournalError) -> (UInt64, last: JournalMoment?) {
        var stepped: UInt64 = 0
        var last: JournalMoment?
        while batch.arena.count < JournalTailer.batchBytes, stepped < JournalTailer.batchEntries {
            guard try reader.next() else { break }
            let moment = try reader.moment()
            if boot.wasRead(moment, isFirst: stepped == 0) { continue }
            stepped += 1
            last = moment
            let time = try reader.realtime()
            noteClocks(time, moment)
            _ = try records.append(&reader, time: time, to: &batch)
            boot.bytes += records.takeBytes()
            noteSuppressed(&batch)
        }
        return (stepped, last)
    }
}
