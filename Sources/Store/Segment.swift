// What is known of one segment file without reading it again, and the index that keeps it for the next start.
private import Bytes
package import Disk
private import Gzip

/// A segment in numbers.
package struct SegmentSummary: Sendable, Equatable {
    /// Where the segment is.
    package var path: String
    /// The number in its name: that of its first record, or of the next one when it was begun.
    package var firstSequence: UInt64
    /// The number behind its last record.
    package var endSequence: UInt64
    package var recordCount: UInt64 = 0
    package var chunkCount: UInt64 = 0
    /// Bytes that hold whole chunks.
    package var size: UInt64 = 0
    /// Bytes of text when inflated.
    package var textSize: UInt64 = 0
    /// Nanoseconds since 1970 of the earliest and the latest record; 0 without records.
    package var minTime: Int64 = 0
    package var maxTime: Int64 = 0
    /// When its last chunk was written, nanoseconds since 1970.
    package var lastAppend: Int64 = 0
    /// The number behind the last record of the segment before it, when it was begun; 0 when it was the first.
    package var follows: UInt64 = 0
    /// Whether it begins with a whole snapshot.
    package var hasSnapshot = false

    package init(path: String, firstSequence: UInt64) {
        self.path = path
        self.firstSequence = firstSequence
        endSequence = firstSequence
    }

    /// Notes a chunk that lies at the segment's end.
    mutating func add(_ place: ChunkPlace) {
        let header = place.header
        chunkCount += 1
        size = place.end
        textSize += UInt64(header.textSize)
        lastAppend = max(lastAppend, header.appendTime)
        if header.kind == .snapshotEnd { hasSnapshot = true }
        guard header.recordCount > 0 else { return }
        minTime = recordCount == 0 ? header.minTime : min(minTime, header.minTime)
        maxTime = recordCount == 0 ? header.maxTime : max(maxTime, header.maxTime)
        recordCount += UInt64(header.recordCount)
        endSequence = header.endSequence
    }
}

/// The file beside a closed segment: its summary and the place of each chunk. Derived, so it is rebuilt when it is wrong.
///
/// Layout, little-endian: `SLINDEX1`, the summary's numbers (12 × u64), then per chunk 48 bytes: offset u64, member size u32,
/// record count u32, first sequence u64, min and max time i64, input u16, kind u8, zero ×5; CRC-32C over all before it (u32).
package struct SegmentIndex: Sendable, Equatable {
    /// One chunk of a closed segment.
    package struct Entry: Sendable, Equatable {
        /// The numbers of the chunk's header that are needed to find records without reading the segment.
        package let offset: UInt64
        package let memberSize: UInt32
        package let recordCount: UInt32
        package let firstSequence: UInt64
        package let minTime: Int64
        package let maxTime: Int64
        package let input: UInt16
        package let kind: UInt8

        package init(_ place: ChunkPlace) {
            offset = place.offset
            memberSize = place.header.memberSize
            recordCount = place.header.recordCount
            firstSequence = place.header.firstSequence
            minTime = place.header.minTime
            maxTime = place.header.maxTime
            input = place.header.input
            kind = place.header.kind.rawValue
        }

        fileprivate init(_ reader: inout ByteReader) {
            offset = reader.u64()
            memberSize = reader.u32()
            recordCount = reader.u32()
            firstSequence = reader.u64()
            minTime = Int64(bitPattern: reader.u64())
            maxTime = Int64(bitPattern: reader.u64())
            input = reader.u16()
            kind = reader.u8()
            _ = reader.bytes(5)
        }
    }

    /// The segment in numbers, and its chunks in order.
    package var summary: SegmentSummary
    package var chunks: [Entry] = []

    private static let magic = Array("SLINDEX1".utf8)

    var encoded: [UInt8] {
        var out = Arena(capacity: 128 + chunks.count * 48)
        out.append(SegmentIndex.magic)
        let numbers: [UInt64] = [
            summary.firstSequence, summary.endSequence, summary.recordCount, summary.chunkCount, summary.size,
            summary.textSize, UInt64(bitPattern: summary.minTime), UInt64(bitPattern: summary.maxTime),
            UInt64(bitPattern: summary.lastAppend), summary.follows, summary.hasSnapshot ? 1 : 0,
            UInt64(chunks.count),
        ]
        for number in numbers { out.append(littleEndian: number) }
        for chunk in chunks {
            out.append(littleEndian: chunk.offset)
            out.append(littleEndian: chunk.memberSize)
            out.append(littleEndian: chunk.recordCount)
            out.append(littleEndian: chunk.firstSequence)
            out.append(littleEndian: chunk.minTime)
            out.append(littleEndian: chunk.maxTime)
            out.append(littleEndian: chunk.input)
            out.append(chunk.kind)
            out.appendZeros(5)
        }
        out.append(littleEndian: CRC32C.of(out.span))
        return Array(copying: out.span)
    }

    /// Reads the index of a segment; nil when it is missing, damaged, or not that of a file of this size.
    package static func read(segment path: String) -> SegmentIndex? {
        guard let file = try? OwnedFile.open(StoreFolder.index(ofSegment: path), .read),
            let status = try? file.status(),
            status.size < 64 << 20, let bytes = try? file.read(count: Int(status.size), at: 0), bytes.count >= 108,
            Array(bytes[0..<8]) == magic
        else { return nil }
        var end = ByteReader(bytes.span, from: bytes.count - 4)
        guard end.u32() == CRC32C.of(bytes.span.extracting(0..<(bytes.count - 4))) else { return nil }
        var reader = ByteReader(bytes.span, from: 8)
        var summary = SegmentSummary(path: path, firstSequence: reader.u64())
        summary.endSequence = reader.u64()
        summary.recordCount = reader.u64()
        summary.chunkCount = reader.u64()
        summary.size = reader.u64()
        summary.textSize = reader.u64()
        summary.minTime = Int64(bitPattern: reader.u64())
        summary.maxTime = Int64(bitPattern: reader.u64())
        summary.lastAppend = Int64(bitPattern: reader.u64())
        summary.follows = reader.u64()
        summary.hasSnapshot = reader.u64() == 1
        let count = Int(clamping: reader.u64())
        guard (bytes.count - 108) % 48 == 0, (bytes.count - 108) / 48 == count,
            Directory.status(path)?.size == summary.size,
            summary.firstSequence == StoreFolder.firstSequence(ofName: Path.name(path)),
            summary.endSequence <= ChunkFormat.largestNumber
        else { return nil }
        var index = SegmentIndex(summary: summary)
        index.chunks.reserveCapacity(count)
        for _ in 0..<count { index.chunks.append(Entry(&reader)) }
        return index
    }

    /// Writes the index beside its segment. It is derived: where that fails, the next start makes it again.
    func write(_ fileSystem: any FileSystem) {
        guard let file = try? fileSystem.open(StoreFolder.index(ofSegment: summary.path), .create) else { return }
        let bytes = encoded
        try? fileSystem.write(bytes.span, to: file, at: 0)
        try? fileSystem.truncate(file, to: UInt64(bytes.count))
    }

    /// Makes the index by walking the chunks. What is no chunk is passed over.
    package static func rebuild(segment path: String) throws(DiskError) -> SegmentIndex {
        let sequence = StoreFolder.firstSequence(ofName: Path.name(path)) ?? 0
        var index = SegmentIndex(summary: SegmentSummary(path: path, firstSequence: sequence))
        var scan = try SegmentScan(path: path)
        let size = try scan.size()
        var inputs: [UInt16: String] = [:]
        while scan.offset < size {
            guard case .chunk(let place) = try scan.peek(limit: size) else {
                if try scan.resync(limit: size) == nil { break }
                continue
            }
            if index.chunks.isEmpty, let items = try scan.items(place, inputs: &inputs) {
                for case .follows(let end) in items { index.summary.follows = end }
            }
            index.summary.add(place)
            index.chunks.append(Entry(place))
            scan.pass(place)
        }
        return index
    }
}
