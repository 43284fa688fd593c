// Reads a store as it lies on disk: what it holds, how far its sources were read, and what was counted. It changes nothing,
// so `sluice ledger` and `sluice chunks` use it beside a running agent; recovery starts from it.
package import Disk
package import Records

/// A damaged place in a segment.
package struct DamagedPlace: Sendable, Equatable {
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
    /// The number the next record would get.
    package var nextSequence: UInt64 = 1
    /// The largest source number ever given.
    package var lastSource: SourceNumber = 0
    /// Files that hold no whole snapshot and nothing that matters: left by a start that was cut short.
    package var unborn: [String] = []
    /// Bad places in the segments that were walked.
    package var damaged: [DamagedPlace] = []

    /// Counts of all inputs together.
    package var total: Counts { counts.values.reduce(into: Counts()) { $0.add($1) } }

    /// Looks at a lane's segments. `isThorough` checks the bytes of every chunk that is walked, not only its field.
    package init(_ folder: StoreFolder, lane: UInt16, isThorough: Bool) throws(DiskError) {
        let entries: [Directory.Entry]
        do throws(DiskError) {
            entries = try Directory.list(folder.segments(lane: lane))
        } catch {
            if error.isMissing { return }
            throw error
        }
        let names = entries.map(\.name).filter { StoreFolder.firstSequence(ofName: $0) != nil }.sorted()
        var paths = names.map { "\(folder.segments(lane: lane))/\($0)" }

        // The newest segment with a whole snapshot says everything about the sources; what is newer must be walked on top.
        var base = paths.count - 1
        while base >= 0, !Survey.beginsWithSnapshot(paths[base]) { base -= 1 }
        if base < paths.count - 1 {
            // Without a snapshot a segment can only be the newest, and hold nothing: records follow a whole one.
            for path in paths[(base + 1)...] where Survey.holdsNoRecords(path) { unborn.append(path) }
            paths.removeAll { unborn.contains($0) }
        }
        for (index, path) in paths.enumerated() {
            if index >= base || base < 0 {
                try walk(path, isBase: index == base, isNewest: index == paths.count - 1, isThorough: isThorough)
            } else {
                if let index = SegmentIndex.read(segment: path) {
                    segments.append(index.summary)
                } else {
                    segments.append(try SegmentIndex.rebuild(segment: path).summary)
                }
            }
        }
        nextSequence = max(nextSequence, segments.last?.endSequence ?? 1)
    }

    private static func beginsWithSnapshot(_ path: String) -> Bool {
        guard var scan = try? SegmentScan(path: path) else { return false }
        while case .chunk(let place)? = try? scan.peek() {
            guard (try? scan.isIntact(place)) == true else { return false }
            if place.header.kind == .snapshotEnd { return true }
            guard place.header.kind == .snapshot else { return false }
            scan.pass(place)
        }
        return false
    }

    private static func holdsNoRecords(_ path: String) -> Bool {
        guard let index = try? SegmentIndex.rebuild(segment: path) else { return true }
        return index.summary.recordCount == 0
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
            if case .chunk(let place) = try scan.peek(limit: size) {
                let isIntact = isThorough ? try scan.isIntact(place) : true
                if isIntact { found = place }
            }
            guard let place = found else {
                // Look on: a later chunk may say that this place was durable.
                let bad = scan.offset
                guard let next = try scan.resync(limit: size) else {
                    damaged.append(DamagedPlace(path: path, offset: bad, nextOffset: nil, wasSynced: !isNewest || bad < synced))
                    break
                }
                let known = try Survey.lastSyncedSize(path, from: next, limit: size)
                let wasSynced = !isNewest || bad < max(synced, known)
                damaged.append(DamagedPlace(path: path, offset: bad, nextOffset: next.offset, wasSynced: wasSynced))
                if !wasSynced { break }
                continue
            }
            synced = max(synced, UInt64(place.header.syncedSize))
            if let items = try scan.items(place, inputs: &inputs) {
                if isBase, chunks.isEmpty { forgetForSnapshot() }
                // Counts of a snapshot are totals: beside another snapshot they would be added twice.
                let isTotal = place.header.kind == .snapshot || place.header.kind == .snapshotEnd
                for item in items { apply(item, ignoringCounts: isTotal && !isBase, &summary) }
            }
            summary.add(place)
            chunks.append(SegmentIndex.Entry(place))
            nextSequence = max(nextSequence, place.header.endSequence)
            scan.pass(place)
        }
        segments.append(summary)
        if isNewest { newestChunks = chunks }
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
        case .skip(let from): summary.skippedFrom = from
        }
    }
}
