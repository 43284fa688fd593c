// Reads a store as it lies on disk: what it holds, how far its sources were read, and what was counted. It changes nothing,
// so `sluice ledger` and `sluice chunks` use it beside a running agent; recovery starts from it.
package import Disk
package import Records

/// A damaged place in a segment.
package struct DamagedPlace: Sendable, Equatable {
    /// The segment, and the first bad byte in it.
    package let path: String
    package let offset: UInt64
    /// Where the next intact chunk begins; nil when none follows.
    package let nextOffset: UInt64?
    /// Whether the bytes before `nextOffset` were known to be durable: then it is damage, else the end of a torn write.
    package let wasSynced: Bool
}

/// One lane's store in one look.
package struct Survey: Sendable {
    /// Oldest first; the last one may still be growing.
    package var segments: [SegmentSummary] = []
    /// The places of the newest segment's chunks.
    package var newestChunks: [SegmentIndex.Entry] = []
    package var sources: [SourceNumber: (identity: SourceIdentity, position: Position)] = [:]
    package var inputs: [UInt16: String] = [:]
    package var counts: [UInt16: Counts] = [:]
    /// Numbers that no record has.
    package var skipped = SkippedNumbers()
    /// The number the next record would get.
    package var nextSequence: UInt64 = 1
    /// The largest source number ever given.
    package var lastSource: SourceNumber = 0
    /// Files that hold no whole snapshot and nothing that matters: left by a start that was cut short.
    package var unborn: [String] = []
    /// Bad places in the segments that were walked.
    package var damaged: [DamagedPlace] = []
    /// Segments that a power cut left without the end of the one before them: their snapshots speak of lost records.
    package var premature: [String] = []
    /// Files named like segments, with numbers that no record can have, or others than what is in them.
    package var strayed: [String] = []
    /// Made for segments that had no right index: closed by a crash, or not known to be durable.
    package var unindexed: [SegmentIndex] = []

    /// Counts of all inputs together.
    package var total: Counts { counts.values.reduce(into: Counts()) { $0.add($1) } }

    /// Looks at a lane's segments. `isThorough` checks the bytes of every chunk that is walked, not only its field.
    package init(_ folder: StoreFolder, lane: UInt16, isThorough: Bool) throws(DiskError) {
        var attempts = 0
        while true {
            do throws(DiskError) {
                try self.init(looking: folder, lane, isThorough)
                return
            } catch {
                // A segment that was the newest a moment ago has been deleted already: look again.
                attempts += 1
                guard error.isMissing, attempts < 100 else { throw error }
            }
        }
    }

    private init(looking folder: StoreFolder, _ lane: UInt16, _ isThorough: Bool) throws(DiskError) {
        let entries: [Directory.Entry]
        do throws(DiskError) {
            entries = try Directory.list(folder.segments(lane: lane))
        } catch {
            if error.isMissing { return }
            throw error
        }
        let names = entries.map(\.name).filter { StoreFolder.firstSequence(ofName: $0) != nil }.sorted()
        strayed = entries.map(\.name).filter {
            StoreFolder.looksLikeSegment($0) && StoreFolder.firstSequence(ofName: $0) == nil
        }.sorted().map { "\(folder.segments(lane: lane))/\($0)" }
        var paths: [String] = []
        for name in names {
            let path = "\(folder.segments(lane: lane))/\(name)"
            let begins = try Survey.firstNumber(path)
            if begins == nil || begins == StoreFolder.firstSequence(ofName: name) {
                paths.append(path)
            } else {
                strayed.append(path)
            }
        }

        // The newest segment with a whole snapshot says everything about the sources; what is newer must be walked on top.
        var base = try Survey.newestWithSnapshot(paths)
        while base > 0, try Survey.outlived(paths[base], paths[base - 1]) {
            premature.insert(contentsOf: paths[base...], at: 0)
            paths.removeSubrange(base...)
            base = try Survey.newestWithSnapshot(paths)
        }
        if base < paths.count - 1 {
            // Without a snapshot a segment can only be the newest, and hold nothing: records follow a whole one.
            for path in paths[(base + 1)...] where try SegmentIndex.rebuild(segment: path).summary.recordCount == 0 {
                unborn.append(path)
            }
            paths.removeAll { unborn.contains($0) }
        }
        for (index, path) in paths.enumerated() {
            if index >= base {
                try walk(path, isBase: index == base, isNewest: index == paths.count - 1, isThorough: isThorough)
            } else {
                do throws(DiskError) {
                    segments.append(try summary(path))
                } catch {
                    // History that was deleted since the folder was listed.
                    guard error.isMissing else { throw error }
                }
            }
        }
        nextSequence = max(nextSequence, segments.last?.endSequence ?? 1)
    }

    /// The number with which a segment begins; nil when that cannot be read, or the segment was deleted since the folder was listed.
    private static func firstNumber(_ path: String) throws(DiskError) -> UInt64? {
        do throws(DiskError) {
            return try SegmentScan.firstNumber(ofSegment: path)
        } catch {
            guard error.isMissing else { throw error }
            return nil
        }
    }

    private mutating func summary(_ path: String) throws(DiskError) -> SegmentSummary {
        if let index = SegmentIndex.read(segment: path) { return index.summary }
        let index = try SegmentIndex.rebuild(segment: path)
        unindexed.append(index)
        return index.summary
    }

    /// The place of the newest segment that begins with a whole snapshot; -1 when none does.
    private static func newestWithSnapshot(_ paths: [String]) throws(DiskError) -> Int {
        var place = paths.count - 1
        while place >= 0, try !beginsWithSnapshot(paths[place]) { place -= 1 }
        return place
    }

    private static func beginsWithSnapshot(_ path: String) throws(DiskError) -> Bool {
        var scan = try SegmentScan(path: path)
        while case .chunk(let place) = try scan.peek() {
            guard try scan.isIntact(place) else { return false }
            if place.header.kind == .snapshotEnd { return true }
            guard place.header.kind == .snapshot else { return false }
            scan.pass(place)
        }
        return false
    }

    /// Whether a power cut took the end of `previous` and left `path`, whose snapshot speaks of records that are gone.
    /// Segments become durable in their order, so then nothing says of `path` that it ever was.
    private static func outlived(_ path: String, _ previous: String) throws(DiskError) -> Bool {
        if SegmentIndex.read(segment: path) != nil { return false }
        var scan = try SegmentScan(path: path)
        guard case .chunk(let first) = try scan.peek() else { return false }
        guard try lastSyncedSize(path, from: first, limit: scan.size()) == 0 else { return false }
        let own = try SegmentIndex.rebuild(segment: path).summary
        var before = SegmentIndex.read(segment: previous)
        if before == nil { before = try SegmentIndex.rebuild(segment: previous) }
        return before.map { $0.summary.endSequence < own.follows } ?? false
    }

    /// Applies every chunk of one segment.
    private mutating func walk(_ path: String, isBase: Bool, isNewest: Bool, isThorough: Bool) throws(DiskError) {
        var scan = try SegmentScan(path: path)
        let size = try scan.size()
        let name = StoreFolder.firstSequence(ofName: Path.name(path)) ?? 1
        var summary = SegmentSummary(path: path, firstSequence: name)
        var chunks: [SegmentIndex.Entry] = []
        var synced: UInt64 = 0
        while scan.offset < size {
            var found: ChunkPlace?
            var broken: ChunkHeader?
            if case .chunk(let place) = try scan.peek(limit: size) {
                let isIntact = isThorough ? try scan.isIntact(place) : true
                if isIntact { found = place } else { broken = place.header }
            }
            guard let place = found else {
                // Look on: a later chunk may say that this place was durable.
                let bad = scan.offset
                let next = try scan.resync(limit: size)
                if let next { synced = max(synced, try Survey.lastSyncedSize(path, from: next, limit: size)) }
                let wasSynced = !isNewest || bad < synced
                damaged.append(DamagedPlace(path: path, offset: bad, nextOffset: next?.offset, wasSynced: wasSynced))
                if wasSynced, let broken { noteDamage(until: broken.endSequence, of: broken.input, summary) }
                if next == nil || !wasSynced { break }
                continue
            }
            let header = place.header
            synced = max(synced, UInt64(header.syncedSize))
            noteDamage(until: header.firstSequence, of: header.input, summary)
            if let items = try scan.items(place, inputs: &inputs) {
                if isBase, chunks.isEmpty { forgetForSnapshot() }
                // Counts of a snapshot are totals: beside another snapshot they would be added twice.
                let isTotal = header.kind == .snapshot || header.kind == .snapshotEnd
                for item in items { apply(item, ignoringCounts: isTotal && !isBase, &summary) }
            }
            summary.add(place)
            chunks.append(SegmentIndex.Entry(place))
            nextSequence = max(nextSequence, header.endSequence)
            scan.pass(place)
        }
        segments.append(summary)
        if SegmentIndex.read(segment: path) == nil { unindexed.append(SegmentIndex(summary: summary, chunks: chunks)) }
        if isNewest { newestChunks = chunks }
    }

    /// Numbers up to `end` were given to records, and damage has taken some of them: they were stored once.
    private mutating func noteDamage(until end: UInt64, of input: UInt16, _ summary: SegmentSummary) {
        let from = max(nextSequence, summary.firstSequence)
        guard end > from else { return }
        counts[input, default: Counts()][.readRecords] += end - from
        counts[input]?[.storedRecords] += end - from
        nextSequence = end
    }

    private static func lastSyncedSize(_ path: String, from: ChunkPlace, limit: UInt64) throws(DiskError) -> UInt64 {
        var scan = try SegmentScan(path: path, from: from.offset)
        var synced: UInt64 = 0
        while case .chunk(let place) = try scan.peek(limit: limit) {
            synced = max(synced, UInt64(place.header.syncedSize))
            scan.pass(place)
        }
        return synced
    }

    /// A snapshot says everything again: what earlier segments said of sources and counts is superseded.
    private mutating func forgetForSnapshot() {
        sources.removeAll()
        counts.removeAll()
        skipped = SkippedNumbers()
    }

    private mutating func apply(_ item: ChunkItem, ignoringCounts: Bool, _ summary: inout SegmentSummary) {
        switch item {
        case .input(let number, let name): inputs[number] = name
        case .source(let number, let identity, _):
            lastSource = max(lastSource, number)
            sources[number] = (identity, sources[number]?.position ?? Position([]))
        case .coverage(let number, let position, let isRetired):
            lastSource = max(lastSource, number)
            if isRetired { sources[number] = nil } else { sources[number]?.position = position }
        case .counts(let number, let added): if !ignoringCounts { counts[number, default: Counts()].add(added) }
        case .skip(let range): skipped.add(range)
        case .follows(let end): summary.follows = end
        }
    }
}
