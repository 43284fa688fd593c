// Reads the store chunk by chunk from a wanted record on, without any lock: the published sizes say what is whole.
import Bytes
package import Disk
import Telemetry

/// Records that cannot be read any more.
package struct ReadGap: Sendable, Equatable {
    /// The first missing number, and the one behind the last.
    package let from: UInt64
    package let to: UInt64
    /// How many of these numbers were given to records.
    package let records: UInt64
    /// Why they cannot be read.
    package let reason: DropReason

    package init(from: UInt64, to: UInt64, records: UInt64, reason: DropReason) {
        self.from = from
        self.to = to
        self.records = records
        self.reason = reason
    }
}

/// One reader's place in the store.
package struct StoreReader: ~Copyable {
    private let store: Store
    private var scan: SegmentScan?
    /// Where the scan stands, for those who only ask.
    private var path = ""
    private var offset: UInt64 = 0
    /// The chunk that was given last.
    private var given: ChunkPlace?
    /// What the segment's chunks up to the scan's place say about sources; nil when nobody asks.
    private var definitions: SourceDefinitions?

    /// What comes next.
    package enum Found: Sendable {
        case chunk(ReadChunk)
        case gap(ReadGap)
        /// Everything has been read.
        case nothing
    }

    /// - Parameter tracksSources: whether chunks are to say where their records come from.
    package init(_ store: Store, tracksSources: Bool = false) {
        self.store = store
        definitions = tracksSources ? SourceDefinitions() : nil
    }

    /// The chunk that holds record `wanted`, or what lies in the way. A chunk may begin before `wanted`.
    package mutating func next(from wanted: UInt64) throws(DiskError) -> Found {
        var wanted = wanted
        while true {
            let (segments, end) = store.look { ($0.segments, $0.nextSequence) }
            guard wanted < end else { return .nothing }
            guard let index = segments.lastIndex(where: { $0.firstSequence <= wanted }) else {
                guard let oldest = segments.first else { return .nothing }
                let lost = store.records(from: wanted, to: oldest.firstSequence)
                return .gap(ReadGap(from: wanted, to: oldest.firstSequence, records: lost, reason: .retired))
            }
            let segment = segments[index]
            if wanted >= segment.endSequence {
                guard index + 1 < segments.count else { return .nothing }
                let next = segments[index + 1].firstSequence
                let lost = store.records(from: wanted, to: next)
                if lost > 0 { return .gap(ReadGap(from: wanted, to: next, records: lost, reason: .powerCut)) }
                wanted = next
                continue
            }
            do throws(DiskError) {
                if let found = try find(wanted, in: segment) { return found }
            } catch {
                guard error.isMissing else { throw error }
                // The one that is being written is written again when somebody deletes it.
                if index + 1 == segments.count, !store.isEnded { throw error }
                // Deleted between the look and the open: look again. Or deleted by somebody else: its records are gone.
                if store.segments.first?.path != segments.first?.path { continue }
                let lost = store.records(from: wanted, to: segment.endSequence)
                return .gap(ReadGap(from: wanted, to: segment.endSequence, records: lost, reason: .retired))
            }
            if try isStale() {
                scan = nil
                path = ""
                continue
            }
            // The segment ends before `wanted` although its summary says otherwise: the rest of it is gone.
            let lost = store.records(from: wanted, to: segment.endSequence)
            return .gap(ReadGap(from: wanted, to: segment.endSequence, records: lost, reason: .damaged))
        }
    }

    /// Whether the file that is being read was deleted: the segment goes on in another one of its name.
    private func isStale() throws(DiskError) -> Bool { try scan?.status().linkCount == 0 }

    private mutating func find(_ wanted: UInt64, in segment: SegmentSummary) throws(DiskError) -> Found? {
        var scan: SegmentScan
        if path == segment.path, let same = self.scan.take() {
            scan = same
        } else {
            scan = try SegmentScan(path: segment.path)
            if definitions != nil { definitions = SourceDefinitions() }
        }
        let outcome: Result<Found?, DiskError>
        do throws(DiskError) {
            outcome = .success(try find(wanted, in: segment, &scan))
        } catch {
            outcome = .failure(error)
        }
        path = segment.path
        offset = scan.offset
        self.scan = consume scan
        return try outcome.get()
    }

    private mutating func find(
        _ wanted: UInt64, in segment: SegmentSummary, _ scan: inout SegmentScan
    ) throws(DiskError) -> Found? {
        while true {
            switch try scan.peek(limit: segment.size) {
            case .end: return nil
            case .damaged:
                let bad = scan.offset
                store.telemetry.tell(
                    StoreEvent.unreadableChunk(path: segment.path, offset: bad, reason: "no chunk begins here"))
                guard try scan.resync(limit: segment.size) != nil else { return nil }
            case .chunk(let place):
                let header = place.header
                let sources = try definitions?.note(place, &scan) ?? nil
                guard header.recordCount > 0, header.endSequence > wanted else {
                    scan.pass(place)
                    continue
                }
                if header.firstSequence > wanted {
                    let lost = header.firstSequence - wanted
                    return .gap(ReadGap(from: wanted, to: header.firstSequence, records: lost, reason: .damaged))
                }
                let member: [UInt8]? = try scan.withMember(place) { bytes in
                    if let bytes { Array(copying: bytes) } else { nil }
                }
                guard let member else {
                    store.telemetry.tell(
                        StoreEvent.unreadableChunk(
                            path: segment.path, offset: place.offset, reason: "its checksum is wrong"))
                    scan.pass(place)
                    let lost = header.endSequence - wanted
                    return .gap(ReadGap(from: wanted, to: header.endSequence, records: lost, reason: .damaged))
                }
                given = place
                return .chunk(ReadChunk(header: header, member: member, sources: sources))
            }
        }
    }

    /// Bytes of chunks from the reader's place on.
    package var waitingBytes: UInt64 {
        let segments = store.segments
        guard let index = segments.firstIndex(where: { $0.path == path }) else {
            return segments.reduce(0) { $0 + $1.size }
        }
        return segments[index...].reduce(0) { $0 + $1.size } - min(offset, segments[index].size)
    }

    /// Passes the chunk that `next` gave last.
    package mutating func pass() {
        guard let place = given else { return }
        given = nil
        scan?.pass(place)
        offset = place.end
    }
}
