// Walks the chunks of one segment file, from its start or from any chunk on.
import Bytes
package import Disk
import Records

/// A chunk and where it lies.
package struct ChunkPlace: Sendable, Equatable {
    /// The chunk's header, read and checked.
    package let header: ChunkHeader
    /// Of the gzip member in the segment, in bytes.
    package let offset: UInt64

    /// Where the next chunk begins.
    package var end: UInt64 { offset + UInt64(header.memberSize) }
}

/// Walks a segment. One buffer is reused; what it lends is valid until the next call.
package struct SegmentScan: ~Copyable {
    private let file: OwnedFile
    /// Where the next chunk is expected.
    package private(set) var offset: UInt64
    private var buffer = Arena(capacity: 64 * 1024)
    /// Where the buffer's first byte lies in the segment.
    private var bufferStart: UInt64 = 0
    /// Bytes from here on do not exist for us: they are being written, or will be cut off and written again.
    private var limit: UInt64 = .max

    /// What stands at the scan's place.
    package enum Step: Sendable {
        /// A chunk with a valid field, wholly there.
        case chunk(ChunkPlace)
        /// Nothing, or the beginning of a chunk that is not wholly there (yet).
        case end
        /// Bytes that are no chunk.
        case damaged
    }

    package init(_ file: consuming OwnedFile, from offset: UInt64 = 0) {
        self.file = file
        self.offset = offset
    }

    /// Opens a segment. open(2)
    package init(path: String, from offset: UInt64 = 0) throws(DiskError) {
        self.init(try OwnedFile.open(path, .read), from: offset)
    }

    /// The segment's path.
    package var path: String { file.path }

    /// The file's present size.
    package func size() throws(DiskError) -> UInt64 { try file.status().size }

    /// What fstat(2) tells of the segment.
    package func status() throws(DiskError) -> FileStatus { try file.status() }

    /// Looks at the chunk at the scan's place without passing it. `limit`: bytes from there on do not exist for us.
    package mutating func peek(limit: UInt64 = .max) throws(DiskError) -> Step {
        self.limit = limit
        var wanted = 4096
        while true {
            let available = try load(wanted)
            let at = Int(offset - bufferStart)
            switch ChunkHeader.read(buffer.span.extracting(at..<(at + available))) {
            case .chunk(let header):
                let end = offset + UInt64(header.memberSize)
                // Who knows how far whole chunks reach says so; others ask the file.
                let reach = limit == .max ? try file.status().size : limit
                if end > reach { return .end }
                return .chunk(ChunkPlace(header: header, offset: offset))
            case .needs(let count):
                if available < wanted, available < count { return .end }
                wanted = max(count, wanted)
            case .damaged: return available == 0 ? .end : .damaged
            }
        }
    }

    /// Goes back to a place that was passed.
    mutating func goBack(to place: UInt64) { offset = place }

    /// Goes on behind a chunk that `peek` found.
    package mutating func pass(_ place: ChunkPlace) { offset = place.end }

    /// The chunk's items; nil when they are damaged in a way the checksum does not show.
    package mutating func items(_ place: ChunkPlace, inputs: inout [UInt16: String]) throws(DiskError) -> [ChunkItem]? {
        _ = try load(place.header.bodyOffset, at: place.offset)
        let at = Int(place.offset - bufferStart)
        return ChunkHeader.items(
            buffer.span.extracting(at..<(at + place.header.bodyOffset)), place.header, inputs: &inputs)
    }

    /// Lends the whole member to `body`, or nil when its bytes are not what was written.
    package mutating func withMember<R>(_ place: ChunkPlace, _ body: (Span<UInt8>?) -> R) throws(DiskError) -> R {
        let size = Int(place.header.memberSize)
        let available = try load(size, at: place.offset)
        guard available >= size else { return body(nil) }
        let at = Int(place.offset - bufferStart)
        let member = buffer.span.extracting(at..<(at + size))
        return body(place.header.isIntact(member) ? member : nil)
    }

    /// Whether the chunk's bytes are what was written.
    package mutating func isIntact(_ place: ChunkPlace) throws(DiskError) -> Bool {
        try withMember(place) { $0 != nil }
    }

    /// From a damaged place, the next one at which a whole, intact chunk begins; nil when there is none before `limit`.
    package mutating func resync(limit: UInt64) throws(DiskError) -> ChunkPlace? {
        self.limit = limit
        offset += 1
        while offset + UInt64(ChunkFormat.preamble) <= limit {
            let available = try load(64 * 1024)
            let at = Int(offset - bufferStart)
            let found = ByteSearch.find([0x1f, 0x8b, 8, 4].span, in: buffer.span.extracting(at..<(at + available)))
            guard let found else {
                if available < 64 * 1024 { return nil }
                offset += UInt64(available - 3)
                continue
            }
            offset += UInt64(found)
            if case .chunk(let place) = try peek(limit: limit), try isIntact(place) { return place }
            offset += 1
        }
        return nil
    }

    /// The number with which a segment begins, by its first chunk; nil when that cannot be read.
    static func firstNumber(ofSegment path: String) throws(DiskError) -> UInt64? {
        var scan = try SegmentScan(path: path)
        guard case .chunk(let place) = try scan.peek() else { return nil }
        return place.header.firstSequence
    }

    /// The epoch of a segment's first whole chunk; nil when it has none.
    static func epoch(ofSegment path: String) throws(DiskError) -> UInt64? {
        var scan = try SegmentScan(path: path)
        if case .chunk(let place) = try scan.peek() { return place.header.epoch }
        return try scan.resync(limit: try scan.size())?.header.epoch
    }

    private mutating func load(_ count: Int) throws(DiskError) -> Int { try load(count, at: offset) }

    /// Makes `count` bytes from `place` on available in the buffer, fewer at the end of the file; returns how many there are.
    private mutating func load(_ count: Int, at place: UInt64) throws(DiskError) -> Int {
        let bufferEnd = bufferStart + UInt64(buffer.count)
        if place >= bufferStart, place + UInt64(count) <= bufferEnd { return count }
        buffer.removeAll()
        bufferStart = place
        let wanted = min(max(count, 64 * 1024), Int(clamping: limit - min(limit, place)))
        while buffer.count < wanted {
            let here = place + UInt64(buffer.count)
            let n = try buffer.fill(wanted - buffer.count) { span throws(DiskError) in
                try file.read(into: &span, at: here)
            }
            if n == 0 { break }
        }
        return min(count, buffer.count)
    }

    /// Forgets what was read ahead: the file may have grown since.
    package mutating func refresh() {
        buffer.removeAll()
        bufferStart = 0
    }
}
