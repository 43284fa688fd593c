// What the tests of the store share: a store in a scratch folder on a disk that can fail, chunks, and ways to read it back.
import Bytes
import Disk
import Gzip
import Records
import Store
import Telemetry
import TestKit
import Testing

/// A data directory with a faulty disk under it and an ear on its telemetry.
final class StoreBench: Sendable {
    let scratch: ScratchDirectory
    let disk = FaultyFileSystem()
    let log = TestTelemetry()

    init() throws { scratch = try ScratchDirectory(inMemory: true) }

    var path: String { scratch.path("data") }
    var folder: StoreFolder { StoreFolder(path) }

    /// Limits that the machine's own free space does not disturb, and small segments.
    static var limits: StoreLimits {
        var limits = StoreLimits()
        limits.minFree = 0
        limits.segmentSize = 1 << 20
        return limits
    }

    func open(_ limits: StoreLimits = StoreBench.limits) throws(StoreError) -> StoreWriter {
        try Store.open(path, settings: limits, fileSystem: disk, telemetry: log.telemetry)
    }

    /// Appends `count` records of a new source and closes the store again.
    func fill(_ count: Int, _ limits: StoreLimits = StoreBench.limits) throws {
        var writer = try open(limits)
        let source = writer.define(.test("fill"))
        #expect(writer.add(records: count, of: source, upTo: UInt64(count)) == .stored)
        writer.close()
    }

    /// The segments' paths, oldest first.
    var segments: [String] {
        let lane = folder.segments(lane: 0)
        return ((try? Directory.list(lane)) ?? []).map(\.name).filter { StoreFolder.firstSequence(ofName: $0) != nil }
            .sorted()
            .map { "\(lane)/\($0)" }
    }

    var newest: String { segments.last ?? "" }

    /// Changes bytes of a file behind the store's back.
    func overwrite(_ path: String, at offset: Int, with bytes: [UInt8]) throws {
        let file = try OwnedFile.open(path, .update)
        try file.write(bytes.span, at: UInt64(offset))
    }

    func flip(_ path: String, at offset: Int) throws {
        let byte = try OwnedFile.open(path, .read).read(count: 1, at: UInt64(offset))
        try overwrite(path, at: offset, with: [try #require(byte.first) ^ 0x10])
    }
}

extension SourceIdentity {
    static func test(_ name: String, input: String = "logs") -> SourceIdentity {
        SourceIdentity(
            kind: .container, input: input, path: "/var/log/pods/\(name)/0.log", namespace: "shop", pod: name,
            uid: "uid-\(name)",
            container: "nginx", restart: 1)
    }
}

extension Position {
    /// A position for tests: a count.
    init(count: UInt64) { self.init((0..<8).map { UInt8(truncatingIfNeeded: count >> UInt64(8 * $0)) }) }

    var count: UInt64 { bytes.reversed().reduce(0) { $0 << 8 | UInt64($1) } }
}

extension ChunkBuilder {
    /// Adds one record and counts it as read.
    mutating func add(_ line: String, time: Int64 = 1_700_000_000_000_000_000) {
        text.append(text: line + "\n")
        noteRecord(time: time)
        counts[.readRecords] += 1
    }

    /// Notes how far a source has been read.
    mutating func cover(_ source: SourceNumber, upTo count: UInt64, isRetired: Bool = false) {
        let step = Progress(source: source, position: Position(count: count), isRetired: isRetired)
        cover([step], bytes: 1, now: SystemClock.monotonic) { _ in 200 }
    }
}

extension StoreWriter {
    /// Appends one chunk of `records` lines of one source that then stands at `count`.
    mutating func add(
        records: Int, of source: SourceNumber, upTo count: UInt64, input: String = "logs", padding: [UInt8] = []
    ) -> AppendOutcome {
        var chunk = ChunkBuilder(input: input)
        let pad = padding.isEmpty ? "" : padding.map { String($0, radix: 16) }.joined()
        for index in 0..<records {
            chunk.add(
                "{\"source\":\(source),\"n\":\(Int(count) - records + index)\(pad.isEmpty ? "" : ",\"pad\":\"\(pad)\"")}"
            )
        }
        chunk.cover(source, upTo: count)
        return append(&chunk)
    }
}

/// One record, read back.
struct StoredRecord: Equatable, Hashable {
    let sequence: UInt64
    let line: String
}

/// What a reader saw.
struct Seen {
    var records: [StoredRecord] = []
    var gaps: [ReadGap] = []

    var lines: [String] { records.map(\.line) }
}

extension ReadChunk {
    /// The inflated lines with their numbers.
    func records() throws -> [StoredRecord] { try StoredRecord.read(member, header) }
}

extension StoredRecord {
    static func read(_ member: [UInt8], _ header: ChunkHeader) throws -> [StoredRecord] {
        let text = try inflate(
            Array(member[header.bodyOffset..<(header.bodyOffset + header.deflateSize)]), size: Int(header.textSize))
        let lines = String(decoding: text, as: UTF8.self).split(separator: "\n")
        #expect(lines.count == Int(header.recordCount))
        return lines.enumerated().map {
            StoredRecord(sequence: header.firstSequence + UInt64($0.offset), line: String($0.element))
        }
    }
}

func inflate(_ deflate: [UInt8], size: Int, _ wrapping: Inflater.Wrapping = .raw) throws(GzipError) -> [UInt8] {
    var inflater = Inflater(wrapping)
    var text = [UInt8](repeating: 0, count: size)
    var span = text.mutableSpan
    try inflater.inflateAll(deflate.span, into: &span)
    return text
}

extension Store {
    /// Reads everything from a number on, as an output does.
    func readAll(from first: UInt64 = 1) throws -> Seen {
        var reader = StoreReader(self)
        var seen = Seen()
        var next = first
        while true {
            switch try reader.next(from: next) {
            case .nothing: return seen
            case .gap(let gap):
                #expect(gap.from >= next && gap.to > gap.from)
                seen.gaps.append(gap)
                next = gap.to
            case .chunk(let chunk):
                seen.records += try chunk.records().filter { $0.sequence >= next }
                next = chunk.header.endSequence
                reader.pass()
            }
        }
    }
}

/// All records in the files of a data directory, read without the store: every whole chunk, oldest segment first.
func readFiles(_ bench: StoreBench) throws -> [StoredRecord] {
    var records: [StoredRecord] = []
    for path in bench.segments {
        var scan = try SegmentScan(path: path)
        while case .chunk(let place) = try scan.peek() {
            let member: [UInt8]? = try scan.withMember(place) {
                if let bytes = $0 { Array(copying: bytes) } else { nil }
            }
            if place.header.recordCount > 0, let member { records += try StoredRecord.read(member, place.header) }
            scan.pass(place)
        }
    }
    return records
}

extension ChunkHeader {
    func isIntact(_ member: [UInt8]) -> Bool { isIntact(member.span) }
}

extension ReadGap {
    var text: String { "\(from)..<\(to) \(records) \(reason.name)" }
}
