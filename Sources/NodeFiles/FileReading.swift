// Turns the next bytes of a log into records: one batch of one file. The rules are in docs/tailing.md.
import Bytes
import Disk
import Records

/// How the lines of a file are made.
package enum LineFormat: Sendable {
    /// As container runtimes write them (`CRILine`).
    case cri
    /// One record a line.
    case plain
}

/// What a read came to.
enum ReadOutcome {
    /// Lines were read, or at least bytes passed over.
    case progress
    /// There is no complete line (yet).
    case atEnd
}

/// Reads lines. One value serves all files of an input.
struct LineReader {
    let format: LineFormat
    /// The longest message, in bytes, that is kept whole.
    let maxLine: Int
    /// How much is read in one go.
    static let readSize = 128 * 1024
    private var times = TimestampParser()

    init(format: LineFormat, maxLine: Int) {
        self.format = format
        self.maxLine = maxLine
    }

    /// Reads the next lines of `file` into the batch.
    mutating func read(
        _ file: TailedFile, of family: LogFamily, into batch: inout RecordBatch, budget: PieceBudget, now: Int64
    ) throws(DiskError) -> ReadOutcome {
        let start = batch.arena.count
        var limit = LineReader.readSize
        // The longest line that can hold `maxLine` bytes of message, and a little for what stands before it.
        let longest = maxLine + 256
        while true {
            let have = batch.arena.count - start
            let n = try fill(file, &batch.arena, limit - have, file.readOffset + UInt64(have))
            let end = batch.arena.count
            let lastNewline = ByteSearch.lastIndex(of: UInt8(ascii: "\n"), in: batch.arena, from: start, to: end)
            if file.skipsToNewline { return passOver(file, &batch, start, end) }
            if have == 0, n > 0, batch.arena[start] == 0 { return try skipHole(file, &batch, start) }
            if lastNewline >= 0 {
                split(file, family, &batch, from: start, to: lastNewline + 1, budget, now)
                advance(file, batch, from: start, count: lastNewline + 1 - start)
                return .progress
            }
            if let hole = Hole.first(in: batch.arena, from: start, to: end) {
                takeCutLine(file, family, &batch, from: start, to: hole.lowerBound, budget, now)
                return .progress
            }
            if end - start > longest {
                truncateRawLine(file, family, &batch, from: start, to: end, budget, now)
                return .progress
            }
            if n == 0 {
                if !file.isCompressed { file.size = file.readOffset + UInt64(end - start) }
                batch.arena.truncate(to: start)
                return .atEnd
            }
            limit = min(longest + LineReader.readSize, (end - start) * 2 + LineReader.readSize)
        }
    }

    private func fill(_ file: TailedFile, _ arena: inout Arena, _ limit: Int, _ offset: UInt64) throws(DiskError) -> Int
    {
        guard limit > 0 else { return 0 }
        return try file.content?.read(limit, at: offset, into: &arena) ?? 0
    }

    private func advance(_ file: TailedFile, _ batch: borrowing RecordBatch, from start: Int, count: Int) {
        file.advance(batch.arena, from: start, count: count)
    }

    // MARK: Lines

    private mutating func split(
        _ file: TailedFile, _ family: LogFamily, _ batch: inout RecordBatch, from start: Int, to end: Int,
        _ budget: PieceBudget, _ now: Int64
    ) {
        let fresh = firstFresh(file, from: start, to: end)
        batch.counts[.readBytes] += UInt64(end - fresh)
        if fresh > start, fresh < end, file.position.isMidLine {
            let newline = ByteSearch.firstIndex(of: UInt8(ascii: "\n"), in: batch.arena, from: fresh, to: end)
            batch.counts[.skippedBytes] += UInt64(newline - fresh)
        }
        var at = start
        if format == .plain, file.readOffset == 0 { at += ByteOrderMark.length(in: batch.arena, from: start, to: end) }
        let holesBegin = Hole.first(in: batch.arena, from: start, to: end)?.lowerBound ?? end
        while at < end {
            let newline = ByteSearch.firstIndex(of: UInt8(ascii: "\n"), in: batch.arena, from: at, to: end)
            let offset = file.readOffset + UInt64(at - start)
            if newline > holesBegin || batch.arena[at] == 0 {
                splitAtHoles(file, family, &batch, from: at, to: newline, offset, budget, now)
                at = newline + 1
                continue
            }
            switch format {
            case .cri: take(file, family, &batch, from: at, to: newline, offset, budget, now)
            case .plain:
                family.lastTime = now
                if offset >= file.resumeEnd { appendRow(&batch, now, at, newline - at, .none, .none) }
            }
            at = newline + 1
        }
    }

    @inline(__always)
    private mutating func take(
        _ file: TailedFile, _ family: LogFamily, _ batch: inout RecordBatch, from start: Int, to end: Int,
        _ offset: UInt64,
        _ budget: PieceBudget, _ now: Int64
    ) {
        guard let line = CRILine(batch.arena, from: start, to: end, &times) else {
            if offset >= file.resumeEnd {
                batch.counts[.malformedRecords] += 1
                appendRow(&batch, family.lastTime == 0 ? now : family.lastTime, start, end - start, .none, .malformed)
            }
            return
        }
        guard offset >= file.resumeEnd || file.takes(line.stream, at: offset) else { return }
        family.lastTime = line.time
        let isIdle: Bool
        if line.stream == .stdout {
            if case .idle = family.stdout { isIdle = true } else { isIdle = false }
        } else {
            if case .idle = family.stderr { isIdle = true } else { isIdle = false }
        }
        if isIdle && !line.isPartial {
            appendRow(&batch, line.time, line.messageStart, end - line.messageStart, line.stream, .none)
        } else {
            takePiece(line, file, family, &batch, end, offset, budget)
        }
    }

    /// A line that is a piece, or that ends pieces.
    @inline(never)
    private mutating func takePiece(
        _ line: CRILine, _ file: TailedFile, _ family: LogFamily, _ batch: inout RecordBatch, _ end: Int,
        _ offset: UInt64,
        _ budget: PieceBudget
    ) {
        let count = end - line.messageStart
        var pending: PendingLine
        switch family.state(line.stream) {
        case .skipping:
            batch.counts[.skippedBytes] += UInt64(count)
            if !line.isPartial {
                set(.idle, line.stream, family)
                noteFinished(file, family)
            }
            return
        case .idle: pending = PendingLine(file: file, offset: offset, time: line.time)
        case .pending(let before): pending = before
        }
        let heldBefore = family.heldBytes
        // Released first, so that adding to the array does not copy it.
        set(.idle, line.stream, family)
        let isFirstOverLimit = pending.length + count > maxLine
        pending.add(batch.arena, from: line.messageStart, count: count)
        if isFirstOverLimit || !line.isPartial {
            if pending.isForgotten {
                restore(&pending, file, family, line.stream, upTo: offset, batch.arena, line, count)
            }
            let start = batch.arena.count
            batch.arena.append(pending.bytes)
            // The time of the piece that finishes it: only then was the line there.
            appendRow(&batch, line.time, start, pending.bytes.count, line.stream, .none)
            // What was not held was not appended above.
            if pending.bytes.count > maxLine {
                batch.counts[.skippedBytes] += UInt64(pending.length - pending.bytes.count)
            }
            if pending.file !== file { noteFinished(file, family) }
            if line.isPartial { set(.skipping, line.stream, family) }
        } else {
            set(.pending(pending), line.stream, family)
        }
        budget.note(family, change: family.heldBytes - heldBefore)
    }

    private func set(_ state: StreamState, _ stream: RecordStream, _ family: LogFamily) {
        if stream == .stderr { family.stderr = state } else { family.stdout = state }
    }

    /// What was unfinished before `file` is so no more: the other files' marks are told again.
    private func noteFinished(_ file: TailedFile, _ family: LogFamily) {
        for other in family.files where other !== file && other.number != nil { other.hasNewMarks = true }
    }

    /// Reads the pieces of a forgotten record again, as after a restart.
    private mutating func restore(
        _ pending: inout PendingLine, _ file: TailedFile, _ family: LogFamily, _ stream: RecordStream, upTo end: UInt64,
        _ arena: borrowing Arena, _ last: CRILine, _ lastCount: Int
    ) {
        pending.isForgotten = false
        pending.bytes = []
        let first = family.files.firstIndex { $0 === pending.file } ?? 0
        for source in family.files[first...] {
            let from = source === pending.file ? pending.offset : 0
            let to = source === file ? end : source.readOffset
            collect(source, stream, from, to, &pending.bytes)
            if source === file { break }
        }
        let rest = max(0, maxLine + 1 - pending.bytes.count)
        let span = arena.span.extracting(last.messageStart..<(last.messageStart + min(lastCount, rest)))
        pending.bytes.append(contentsOf: Array(copying: span))
    }

    /// Appends the messages of a stream's lines between two offsets of a file, up to just over `maxLine` bytes.
    private mutating func collect(
        _ source: TailedFile, _ stream: RecordStream, _ from: UInt64, _ to: UInt64, _ bytes: inout [UInt8]
    ) {
        var offset = from
        var arena = Arena(capacity: LineReader.readSize)
        var limit = LineReader.readSize
        while offset < to, bytes.count <= maxLine {
            arena.removeAll()
            var n = 0
            // A disk that stumbles once must not cost a part of the record.
            for _ in 0..<3 where n == 0 {
                n = (try? source.content?.read(min(limit, Int(clamping: to - offset)), at: offset, into: &arena)) ?? 0
            }
            guard n > 0 else { return }
            let last = ByteSearch.lastIndex(of: UInt8(ascii: "\n"), in: arena, from: 0, to: n)
            guard last >= 0 else {
                if n < limit { return }
                limit *= 2
                continue
            }
            var at = 0
            while at <= last {
                let newline = ByteSearch.firstIndex(of: UInt8(ascii: "\n"), in: arena, from: at, to: n)
                if let line = CRILine(arena, from: at, to: newline, &times), line.stream == stream {
                    bytes.append(contentsOf: Array(copying: arena.span.extracting(line.messageStart..<newline)))
                }
                at = newline + 1
            }
            offset += UInt64(last + 1)
        }
    }

    /// Appends a record, cut at `maxLine` if need be. Mutating, though it changes nothing here: else the reader would be
    /// copied before each record.
    @inline(__always)
    private mutating func appendRow(
        _ batch: inout RecordBatch, _ time: Int64, _ start: Int, _ count: Int, _ stream: RecordStream,
        _ flags: RecordFlags
    ) {
        if count > maxLine {
            appendTruncated(&batch, time, start, count, stream, flags)
        } else {
            batch.rows.append(Row(time: time, start: start, length: count, stream: stream, flags: flags))
        }
    }

    @inline(never)
    private func appendTruncated(
        _ batch: inout RecordBatch, _ time: Int64, _ start: Int, _ count: Int, _ stream: RecordStream,
        _ flags: RecordFlags
    ) {
        let cut = UTF8Text.floorBoundary(batch.arena, from: start, cut: start + maxLine)
        batch.rows.append(
            Row(time: time, start: start, length: cut - start, stream: stream, flags: flags.union(.truncated)))
        batch.counts[.truncatedRecords] += 1
        batch.counts[.skippedBytes] += UInt64(count - (cut - start))
    }

    /// The first of the bytes that were just read which was not read before the start. Below it only some lines are taken,
    /// and nothing is counted.
    private func firstFresh(_ file: TailedFile, from start: Int, to end: Int) -> Int {
        file.readOffset >= file.resumeEnd ? start : min(end, start + Int(file.resumeEnd - file.readOffset))
    }

    // MARK: Holes

    /// Takes a line that begins with NULs or holds a hole: what stands before a hole is a line that was cut, what stands
    /// behind the last one is whole.
    @inline(never)
    private mutating func splitAtHoles(
        _ file: TailedFile, _ family: LogFamily, _ batch: inout RecordBatch, from start: Int, to newline: Int,
        _ offset: UInt64, _ budget: PieceBudget, _ now: Int64
    ) {
        var at = start
        var skipped = 0
        while at < newline {
            let text = Hole.end(in: batch.arena, from: at, to: newline)
            skipped += text - at
            at = text
            guard at < newline else { break }
            let place = offset + UInt64(at - start)
            guard let hole = Hole.first(in: batch.arena, from: at, to: newline) else {
                switch format {
                case .cri: take(file, family, &batch, from: at, to: newline, place, budget, now)
                case .plain: if place >= file.resumeEnd { appendRow(&batch, now, at, newline - at, .none, .none) }
                }
                break
            }
            if place >= file.resumeEnd { appendCutLine(family, &batch, from: at, to: hole.lowerBound, now) }
            at = hole.lowerBound
        }
        if offset >= file.resumeEnd { noteHole(file, &batch, skipped, at: offset) }
    }

    /// Takes the beginning of a line whose rest a hole has swallowed, and lets reading go on in the hole.
    private mutating func takeCutLine(
        _ file: TailedFile, _ family: LogFamily, _ batch: inout RecordBatch, from start: Int, to end: Int,
        _ budget: PieceBudget, _ now: Int64
    ) {
        if file.readOffset >= file.resumeEnd { appendCutLine(family, &batch, from: start, to: end, now) }
        batch.counts[.readBytes] += UInt64(end - firstFresh(file, from: start, to: end))
        advance(file, batch, from: start, count: end - start)
    }

    /// A record of what is left of a line. A container's has its time and stream if these are left; a piece of a longer line
    /// is kept as a record of its own, since nobody knows what stood behind it.
    private mutating func appendCutLine(
        _ family: LogFamily, _ batch: inout RecordBatch, from start: Int, to end: Int, _ now: Int64
    ) {
        batch.counts[.unfinishedRecords] += 1
        if format == .plain { return appendRow(&batch, now, start, end - start, .none, .unfinished) }
        if let line = CRILine(batch.arena, from: start, to: end, &times) {
            family.lastTime = line.time
            appendRow(&batch, line.time, line.messageStart, end - line.messageStart, line.stream, .unfinished)
        } else {
            batch.counts[.malformedRecords] += 1
            let time = family.lastTime == 0 ? now : family.lastTime
            appendRow(&batch, time, start, end - start, .none, [.unfinished, .malformed])
        }
    }

    /// Passes over the NULs at the place of reading, if something follows them: else they may be room that a writer has
    /// reserved and will fill.
    @inline(never)
    private mutating func skipHole(
        _ file: TailedFile, _ batch: inout RecordBatch, _ start: Int
    ) throws(DiskError) -> ReadOutcome {
        defer { batch.arena.truncate(to: start) }
        let from = file.readOffset
        // A sparse file says itself where its next data lie.
        guard let data = try file.content?.nextData(from: from) else {
            if let status = try file.content?.status() { file.size = status.size }
            return .atEnd
        }
        if data > from, from >= file.resumeEnd {
            try file.jump(to: data)
            noteHole(file, &batch, Int(clamping: data - from), at: from)
            batch.counts[.readBytes] += data - from
            return .progress
        }
        var scanned = 0
        var limit = batch.arena.count - start
        while true {
            let end = batch.arena.count
            let text = Hole.end(in: batch.arena, from: start, to: end)
            scanned += text - start
            if text < end || scanned >= Hole.longestReserved { break }
            batch.arena.truncate(to: start)
            let n = try fill(file, &batch.arena, limit, from + UInt64(scanned))
            limit = LineReader.readSize
            if n == 0 {
                if !file.isCompressed { file.size = from + UInt64(scanned) }
                return .atEnd
            }
        }
        let fresh = from >= file.resumeEnd ? scanned : max(0, scanned - Int(clamping: file.resumeEnd - from))
        batch.counts[.readBytes] += UInt64(fresh)
        noteHole(file, &batch, fresh, at: from)
        try file.jump(to: from + UInt64(scanned))
        return .progress
    }

    private func noteHole(_ file: TailedFile, _ batch: inout RecordBatch, _ count: Int, at offset: UInt64) {
        guard count > 0 else { return }
        batch.counts[.damagedBytes] += UInt64(count)
        if file.hole.bytes == 0 { file.hole.offset = offset }
        file.hole.bytes += UInt64(count)
    }

    // MARK: Lines without an end

    /// A line that is longer than any that could be kept: its beginning is stored, the rest passed over to its newline.
    private mutating func truncateRawLine(
        _ file: TailedFile, _ family: LogFamily, _ batch: inout RecordBatch, from start: Int, to end: Int,
        _ budget: PieceBudget, _ now: Int64
    ) {
        let offset = file.readOffset
        switch format {
        case .plain:
            if offset >= file.resumeEnd { appendRow(&batch, now, start, end - start, .none, .none) }
        case .cri: take(file, family, &batch, from: start, to: end, offset, budget, now)
        }
        let fresh = firstFresh(file, from: start, to: end)
        batch.counts[.readBytes] += UInt64(end - fresh)
        if offset < file.resumeEnd { batch.counts[.skippedBytes] += UInt64(end - fresh) }
        file.skipsToNewline = true
        advance(file, batch, from: start, count: end - start)
    }

    private func passOver(
        _ file: TailedFile, _ batch: inout RecordBatch, _ start: Int, _ end: Int
    ) -> ReadOutcome {
        guard end > start else {
            file.size = file.readOffset
            return .atEnd
        }
        let newline = ByteSearch.firstIndex(of: UInt8(ascii: "\n"), in: batch.arena, from: start, to: end)
        let count = (newline >= 0 ? newline + 1 : end) - start
        let fresh = UInt64(start + count - firstFresh(file, from: start, to: start + count))
        batch.counts[.readBytes] += fresh
        batch.counts[.skippedBytes] += newline >= 0 ? max(1, fresh) - 1 : fresh
        file.skipsToNewline = newline < 0
        advance(file, batch, from: start, count: count)
        batch.arena.truncate(to: start)
        return .progress
    }

    // MARK: The end of a log

    /// Takes the bytes behind a file's last newline, when nothing will be added to it. Returns whether there were any.
    mutating func takeRest(
        of file: TailedFile, _ family: LogFamily, into batch: inout RecordBatch, budget: PieceBudget, now: Int64
    ) throws(DiskError) -> Bool {
        guard file.readOffset >= file.resumeEnd, !file.skipsToNewline, file.content?.isDamaged == false else {
            return false
        }
        let first = batch.arena.count
        // No further than what was looked at: there may be whole lines behind it by now.
        let read = try fill(file, &batch.arena, Int(min(file.lag, UInt64(maxLine + 1024))), file.readOffset)
        guard read > 0 else { return false }
        // NULs to which nothing was added.
        let start = Hole.end(in: batch.arena, from: first, to: first + read)
        let n = first + read - start
        noteHole(file, &batch, start - first, at: file.readOffset)
        batch.counts[.readBytes] += UInt64(start - first)
        advance(file, batch, from: first, count: start - first)
        guard n > 0 else { return true }
        if format == .cri, file === family.files.last,
            var line = CRILine(batch.arena, from: start, to: start + n, &times)
        {
            // Without its newline it has no end either.
            line.isPartial = true
            takePiece(line, file, family, &batch, start + n, file.readOffset, budget)
        } else {
            let flags: RecordFlags = format == .cri ? [.unfinished, .malformed] : .unfinished
            appendRow(&batch, family.lastTime == 0 ? now : family.lastTime, start, n, .none, flags)
            if format == .cri { batch.counts[.malformedRecords] += 1 }
            batch.counts[.unfinishedRecords] += 1
        }
        batch.counts[.readBytes] += UInt64(n)
        advance(file, batch, from: start, count: n)
        return true
    }

    /// The writer is gone: what is unfinished is stored as it is, marked. Returns whether there was anything.
    mutating func finish(
        _ family: LogFamily, into batch: inout RecordBatch, budget: PieceBudget, now: Int64
    ) throws(DiskError) -> Bool {
        var found = false
        if let file = family.files.last(where: { $0.content != nil }) {
            found = try takeRest(of: file, family, into: &batch, budget: budget, now: now)
        }
        return finishStreams(of: family, into: &batch, budget: budget) || found
    }

    /// Stores what is unfinished on the streams of a log, marked. Returns whether there was anything.
    mutating func finishStreams(of family: LogFamily, into batch: inout RecordBatch, budget: PieceBudget) -> Bool {
        var found = false
        for stream in [RecordStream.stdout, .stderr] {
            switch family.state(stream) {
            case .idle: continue
            case .skipping: break
            case .pending(var pending):
                let heldBefore = family.heldBytes
                if pending.isForgotten, let last = family.files.last {
                    pending.bytes = []
                    let first = family.files.firstIndex { $0 === pending.file } ?? 0
                    for source in family.files[first...] {
                        let from = source === pending.file ? pending.offset : 0
                        collect(
                            source, stream, from, source === last ? last.readOffset : source.readOffset, &pending.bytes)
                    }
                }
                let start = batch.arena.count
                batch.arena.append(pending.bytes)
                appendRow(&batch, pending.time, start, pending.bytes.count, stream, .unfinished)
                batch.counts[.unfinishedRecords] += 1
                set(.idle, stream, family)
                budget.note(family, change: family.heldBytes - heldBefore)
            }
            set(.idle, stream, family)
            for file in family.files { file.hasNewMarks = true }
            found = true
        }
        return found
    }
}
