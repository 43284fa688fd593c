// Finds records in stores by time and source, and gives them in the order of time. What is inflated is decided by the chunks' headers.
import Bytes
package import Disk
package import Records
package import Store

/// What a search has looked at.
package struct SearchStats: Sendable {
    /// Segments there were.
    package var segments = 0
    /// Segments that were passed over by their time.
    package var skippedSegments = 0
    package var chunks = 0
    /// Chunks that were passed over by their time, and by their sources.
    package var skippedByTime = 0
    package var skippedBySource = 0
    package var inflatedChunks = 0
    package var inflatedBytes: UInt64 = 0
    package var records = 0
    package var damagedChunks = 0
    /// Segments that were deleted meanwhile.
    package var retiredSegments = 0

    package init() {}
}

/// A chunk that may hold something, in the segment of a number.
private struct Candidate {
    let segment: Int
    let chunk: CataloguedChunk
}

/// Looks through the segments of some stores. It holds no lock, and the agent need not know of it.
package struct StoreSearch: ~Copyable {
    private var paths: [String] = []
    /// Of each segment, which store it is of.
    private var stores: [Int] = []
    private var storeCount = 0
    private var candidates: [Candidate] = []
    /// What was looked at so far.
    package private(set) var stats = SearchStats()
    /// What chunks in the time that is asked for tell beside their records, by time.
    package private(set) var notices: [StoreNotice] = []
    /// The pods that have records of their own, as `namespace/pod`.
    package private(set) var podsWithLogs: Set<String> = []
    private var reader = ChunkText()
    /// The segment whose deletion was counted last.
    private var lastRetired = -1
    private let times: ClosedRange<Int64>
    /// Whether the search is to end although it is not through.
    package var isStopped: () -> Bool = { false }

    /// - Parameter times: records of other times are not wanted, nanoseconds since 1970.
    package init(times: ClosedRange<Int64> = .min ... .max) { self.times = times }

    /// Notes the chunks of a store that may hold wanted records.
    /// - Parameter mayHold: whether records of these sources may be wanted; nil: nobody knows where they come from.
    /// - Returns: where following has to go on.
    package mutating func look(
        into folder: StoreFolder, mayHold: ([SourceIdentity]?) -> Bool
    ) throws(DiskError) -> FollowPlace {
        let root = folder.segments(lane: 0)
        let names: [String]
        do throws(DiskError) {
            names = try Directory.list(root).map(\.name).filter { StoreFolder.firstSequence(ofName: $0) != nil }
                .sorted()
        } catch {
            guard error.isMissing else { throw error }
            names = []
        }
        // What is newer is followed, also when the newest of these is gone before it is walked.
        var place = FollowPlace(folder: folder, behind: names.last ?? "")
        storeCount += 1
        for (index, name) in names.enumerated() {
            let path = "\(root)/\(name)"
            stats.segments += 1
            let isNewest = index == names.count - 1
            if !isNewest, let known = SegmentIndex.read(segment: path), !isInTime(known.summary) {
                stats.skippedSegments += 1
                stats.chunks += Int(known.summary.chunkCount)
                stats.skippedByTime += Int(known.summary.chunkCount)
                continue
            }
            do throws(DiskError) {
                var catalogue = try SegmentCatalogue(path: path)
                try walk(&catalogue, isClosed: !isNewest, mayHold)
                if isNewest { place.take(consume catalogue) }
            } catch {
                guard error.isMissing else { throw error }
                stats.retiredSegments += 1
            }
        }
        return place
    }

    private func isInTime(_ summary: SegmentSummary) -> Bool {
        // Notices have the time of writing, which may be long after that of the records.
        summary.recordCount > 0 && summary.maxTime >= times.lowerBound && summary.minTime <= times.upperBound
    }

    private mutating func walk(
        _ catalogue: inout SegmentCatalogue, isClosed: Bool, _ mayHold: ([SourceIdentity]?) -> Bool
    ) throws(DiskError) {
        let segment = paths.count
        paths.append(catalogue.path)
        stores.append(storeCount)
        var found: [Candidate] = []
        var told: [StoreNotice] = []
        var stats = SearchStats()
        var pods: Set<String> = []
        let times = self.times
        try catalogue.walk(isClosed: isClosed) { notice in
            if times.contains(notice.time) { told.append(notice) }
        } chunk: { chunk, sources in
            stats.chunks += 1
            for source in sources ?? [] where source.kind == .container {
                pods.insert("\(source.namespace)/\(source.pod)")
            }
            guard chunk.maxTime >= times.lowerBound, chunk.minTime <= times.upperBound else {
                stats.skippedByTime += 1
                return
            }
            guard mayHold(sources) else {
                stats.skippedBySource += 1
                return
            }
            found.append(Candidate(segment: segment, chunk: chunk))
        }
        candidates += found
        notices += told
        podsWithLogs.formUnion(pods)
        self.stats.chunks += stats.chunks
        self.stats.skippedByTime += stats.skippedByTime
        self.stats.skippedBySource += stats.skippedBySource
        self.stats.damagedChunks += catalogue.damagedPlaces
    }

    /// Gives every wanted record in the order of time, the earliest first or the latest first.
    /// - Parameters:
    ///   - sieve: picks the wanted ones of a chunk.
    ///   - body: is lent a record, a line of JSON with its newline, and its time; false ends the search.
    package mutating func forEach(
        isReversed: Bool, sieve: inout Sieve, _ body: (Span<UInt8>, Int64) throws -> Bool
    ) throws {
        let isReversed = isReversed
        candidates.sort { a, b in
            isReversed ? a.chunk.maxTime > b.chunk.maxTime : a.chunk.minTime < b.chunk.minTime
        }
        var heap = RunHeap(isReversed: isReversed)
        var next = 0
        while true {
            while next < candidates.count,
                heap.isEmpty
                    || (isReversed
                        ? candidates[next].chunk.maxTime >= heap.time : candidates[next].chunk.minTime <= heap.time)
            {
                // Nothing may be found for a long time.
                if isStopped() { return }
                if let run = try open(candidates[next], isReversed, &sieve) { heap.insert(run) }
                next += 1
            }
            guard !heap.isEmpty else { return }
            stats.records += 1
            guard try heap.takeFirst(body) else { return }
        }
    }

    /// Lends the text of every chunk that was found, in no order.
    mutating func forEachText(_ body: (borrowing Arena) -> Void) throws {
        for candidate in candidates {
            do throws(DiskError) {
                if try reader.read(candidate.chunk, of: paths[candidate.segment]) { body(reader.text) }
            } catch {
                guard error.isMissing else { throw error }
            }
        }
    }

    /// The wanted records of a chunk; nil when it cannot be read.
    private mutating func open(
        _ candidate: Candidate, _ isReversed: Bool, _ sieve: inout Sieve
    ) throws -> RecordRun? {
        do throws(DiskError) {
            guard try reader.read(candidate.chunk, of: paths[candidate.segment]) else {
                stats.damagedChunks += 1
                return nil
            }
        } catch {
            guard error.isMissing else { throw error }
            if lastRetired != candidate.segment { stats.retiredSegments += 1 }
            lastRetired = candidate.segment
            return nil
        }
        stats.inflatedChunks += 1
        stats.inflatedBytes += UInt64(reader.text.count)
        let run = RecordRun(isReversed: isReversed)
        sieve.pick(
            reader.text, store: stores[candidate.segment], firstSequence: candidate.chunk.firstSequence, into: run)
        run.sort()
        return run
    }
}

extension SearchStats {
    /// For people, two lines.
    package var described: String {
        "\(segments) segments, \(skippedSegments) passed over by their time; \(chunks) chunks: \(skippedByTime) passed over by their time,"
            + " \(skippedBySource) by their sources, \(inflatedChunks) inflated (\(Ledger.size(inflatedBytes)) of text)\n"
            + "\(records) records"
            + (damagedChunks > 0 ? "; \(damagedChunks) damaged chunks left out" : "")
            + (retiredSegments > 0 ? "; \(retiredSegments) segments deleted meanwhile" : "")
    }
}
