// What a segment's chunks say of themselves, for those who look for records by time and source rather than by number.
package import Bytes
package import Disk
import Gzip
package import Records

/// Where a chunk with records lies, and the times that are in it.
package struct CataloguedChunk: Sendable {
    /// The chunk's place in its segment, in bytes.
    package let offset: UInt64
    /// The number of its first record, and how many there are.
    package let firstSequence: UInt64
    package let recordCount: UInt32
    /// Nanoseconds since 1970 of the earliest and the latest record.
    package let minTime: Int64
    package let maxTime: Int64
}

/// What else a chunk tells, beside its records.
package struct StoreNotice: Sendable {
    /// What happened.
    package enum Kind: Sendable {
        /// Everything of a container's or a file's log is read to its end, and gone, all lives of it.
        case ended(SourceIdentity)
        /// Bytes vanished before they were read, or were given up: of one of these sources, or of one that is not known.
        case missing(bytes: UInt64, [SourceIdentity])
        /// Entries of a journal vanished, or were thrown away by journald.
        case missingEntries(UInt64)
    }

    /// When the chunk was written, nanoseconds since 1970.
    package let time: Int64
    package let kind: Kind
}

/// Walks one segment from a chunk on. The segment may be growing, and may be deleted while it is read.
package struct SegmentCatalogue: ~Copyable {
    /// The segment.
    package let path: String
    private var scan: SegmentScan
    private var definitions = SourceDefinitions()
    private var inputs: [UInt16: String] = [:]
    /// The sources that are not retired.
    private var identities: [SourceNumber: SourceIdentity] = [:]
    /// The segment grows no more, and behind what was walked is no chunk.
    private var isAtDamagedEnd = false
    /// Places where no chunk was found, so far.
    package private(set) var damagedPlaces = 0

    /// Opens a segment at its beginning. open(2)
    package init(path: String) throws(DiskError) {
        self.path = path
        scan = try SegmentScan(path: path)
    }

    /// Bytes that were walked.
    package var offset: UInt64 { scan.offset }

    /// Walks what is there now. At the end, what is no chunk is left for the next walk unless `isClosed`: it may be a write under way.
    /// Before another chunk it is damage.
    /// - Parameters:
    ///   - isClosed: the segment grows no more: what is no chunk is damaged.
    ///   - notice: is told what chunks tell beside their records, behind these.
    ///   - chunk: is given each chunk with records, and where these come from: nil when that is not known.
    package mutating func walk(
        isClosed: Bool, notice: (StoreNotice) -> Void, chunk: (CataloguedChunk, [SourceIdentity]?) -> Void
    ) throws(DiskError) {
        scan.refresh()
        while !isAtDamagedEnd {
            switch try scan.peek() {
            case .end: return
            case .damaged:
                let place = scan.offset
                if try scan.resync(limit: scan.size()) == nil {
                    guard isClosed else { return scan.goBack(to: place) }
                    isAtDamagedEnd = true
                }
                damagedPlaces += 1
            case .chunk(let place):
                let header = place.header
                let sources = try definitions.note(place, &scan)
                let items = try scan.items(place, inputs: &inputs) ?? []
                if header.recordCount > 0 {
                    chunk(
                        CataloguedChunk(
                            offset: place.offset, firstSequence: header.firstSequence, recordCount: header.recordCount,
                            minTime: header.minTime, maxTime: header.maxTime), sources)
                }
                tell(items, header, sources, notice)
                scan.pass(place)
            }
        }
    }

    private mutating func tell(
        _ items: [ChunkItem], _ header: ChunkHeader, _ sources: [SourceIdentity]?, _ notice: (StoreNotice) -> Void
    ) {
        var covered: [SourceIdentity] = []
        var retired: [SourceIdentity] = []
        for item in items {
            switch item {
            case .source(let number, let identity, _): identities[number] = identity
            case .coverage(let number, _, let isRetired):
                guard let identity = identities[number] else { continue }
                covered.append(identity)
                if isRetired {
                    identities[number] = nil
                    retired.append(identity)
                }
            case .counts(_, let counts) where header.kind == .records || header.kind == .progress:
                let bytes =
                    counts[.vanishedBytes] + counts[.abandonedBytes] + counts[.shrunkBytes] + counts[.damagedBytes]
                if bytes > 0 {
                    notice(StoreNotice(time: header.appendTime, kind: .missing(bytes: bytes, covered)))
                }
                let entries = counts[.vanishedEntries] + counts[.suppressedEntries]
                if entries > 0 { notice(StoreNotice(time: header.appendTime, kind: .missingEntries(entries))) }
            default: break
            }
        }
        // A file that rotation took away, and a container's life that another followed, are not the end of a log.
        for (index, identity) in retired.enumerated()
        where !identities.values.contains(where: { $0.isSameLog(as: identity) })
            && !retired[(index + 1)...].contains(where: { $0.isSameLog(as: identity) })
        {
            notice(StoreNotice(time: header.appendTime, kind: .ended(identity)))
        }
    }
}

extension SourceIdentity {
    /// Whether both are files of one container, whatever its lives, or the same text file.
    fileprivate func isSameLog(as other: SourceIdentity) -> Bool {
        guard kind == other.kind else { return false }
        return kind == .container
            ? uid == other.uid && container == other.container && pod == other.pod && namespace == other.namespace
            : path == other.path
    }
}

/// Reads chunks at their places. One value serves all segments.
package struct ChunkText: ~Copyable {
    private var inflater = Inflater(.raw)
    /// The chunk's records as lines of JSON; valid until the next read.
    package private(set) var text = Arena(capacity: 512 * 1024)

    package init() {}

    /// Reads and inflates a chunk into `text`. False when its bytes are not what was written, or are not there any more.
    package mutating func read(_ chunk: CataloguedChunk, of segment: String) throws(DiskError) -> Bool {
        text.removeAll()
        var scan = try SegmentScan(path: segment, from: chunk.offset)
        guard case .chunk(let place) = try scan.peek() else { return false }
        let header = place.header
        guard header.textSize <= ChunkFormat.largestText else { return false }
        let member: [UInt8]? = try scan.withMember(place) { bytes in
            if let bytes { Array(copying: bytes) } else { nil }
        }
        guard let member else { return false }
        inflater.reset()
        var isWhole = true
        _ = text.fill(Int(header.textSize)) { room in
            do throws(GzipError) {
                let deflate = member.span.extracting(header.bodyOffset..<(header.bodyOffset + header.deflateSize))
                try inflater.inflateAll(deflate, into: &room)
                return Int(header.textSize)
            } catch {
                isWhole = false
                return 0
            }
        }
        return isWhole
    }
}
