// The way in, from the bytes of a log to a compressed chunk: as the lane does it, and at least what C needs for it.
import Bytes
import CLimits
import Gzip
import NodeFiles
import Records
import Store

/// The stages of the lane.
enum WayIn: CaseIterable {
    case copy, split, parse, encode, deflate, checksum

    var name: String {
        switch self {
        case .copy: "copy the bytes"
        case .split: "split CRI lines, read times"
        case .parse: "check JSON, note members and severity"
        case .encode: "encode records"
        case .deflate: "deflate (\(Deflater.encoderName))"
        case .checksum: "checksums of text and deflate data"
        }
    }

    /// Each stage on top of those before it.
    static var routes: [Route<WayIn>] {
        allCases.indices.map { index in
            Route(name: (index > 0 ? "+ " : "") + allCases[index].name, stages: Array(allCases[...index]))
        }
    }

    /// How much is read in one go.
    static let pieceSize = 128 * 1024

    /// What every record ends with: the metadata of a pod.
    static var ending: [UInt8] {
        var metadata = RecordEnding(origin: "container")
        metadata.append(
            "kubernetes",
            [
                ("namespace_name", .text("shop")), ("pod_name", .text("web-688b586558-2n9pr")),
                ("container_name", .text("nginx")),
                ("pod_uid", .text("f350d597-cb8d-4ab6-8b7d-113a70d2787b")),
                ("container_id", .text("27e1c103bd9878ad45e91b647196ab1b04d18fb39b019c1ba84c0298cca01088")),
                ("restart_count", .number(0)), ("node_name", .text("node-1")),
            ])
        return metadata.finish(staticFields: [])
    }
}

/// The agent's own code over lines in memory, a batch and a chunk for each piece.
struct AgentWayIn: StagePath, ~Copyable {
    private let input: [UInt8]
    private var at = 0
    private var batch = RecordBatch()
    private var times = TimestampParser()
    private var encoder = RecordEncoder(mode: .merge, reserved: ReservedNames())
    private(set) var chunk = ChunkBuilder(input: "bench")
    private var deflater = Deflater()
    private var packed = Arena(capacity: 1 << 20)
    private var textChecksum: UInt32 = 0
    private var packedChecksum: UInt32 = 0

    init(_ input: [UInt8]) {
        self.input = input
        batch.ending = WayIn.ending
    }

    mutating func rewind() { at = 0 }

    var isAtEnd: Bool { at == input.count }

    mutating func run(_ stage: WayIn) {
        switch stage {
        case .copy: copy()
        case .split: split()
        case .parse: batch.parseJSON()
        case .encode: encode()
        case .deflate: AgentWayIn.compress(chunk.text, &deflater, into: &packed)
        case .checksum:
            textChecksum = CRC32.of(chunk.text.span)
            packedChecksum = CRC32C.of(packed.span)
        }
    }

    /// In place of a read from the page cache.
    private mutating func copy() {
        batch.reset()
        chunk.reset()
        packed.removeAll()
        AgentWayIn.append(input, at..<min(at + WayIn.pieceSize, input.count), to: &batch.arena)
        let read = batch.arena.count
        let last = ByteSearch.lastIndex(of: UInt8(ascii: "\n"), in: batch.arena, from: 0, to: read)
        batch.arena.truncate(to: last + 1)
        at += last + 1
    }

    private static func append(_ input: [UInt8], _ range: Range<Int>, to arena: inout Arena) {
        arena.append(input.span.extracting(range))
    }

    private mutating func split() {
        var at = 0
        let end = batch.arena.count
        while at < end {
            let newline = ByteSearch.firstIndex(of: UInt8(ascii: "\n"), in: batch.arena, from: at, to: end)
            let found = CRILine(batch.arena, from: at, to: newline, &times)
            if let line = found {
                let length = newline - line.messageStart
                batch.rows.append(Row(time: line.time, start: line.messageStart, length: length, stream: line.stream))
            }
            at = newline + 1
        }
    }

    private mutating func encode() {
        var counts = Counts()
        for index in 0..<batch.rows.count {
            let row = batch.rows[index]
            encoder.append(row, of: batch, to: &chunk.text, counts: &counts)
            chunk.noteRecord(time: row.time)
        }
        batch.counts.add(counts)
    }

    private static func compress(_ text: borrowing Arena, _ deflater: inout Deflater, into packed: inout Arena) {
        _ = packed.fill(Deflater.bound(text.count)) { deflater.compress(text.span, into: &$0) }
    }

    /// Gives the chunk of the present piece to a store.
    mutating func store(_ writer: inout StoreWriter) -> AppendOutcome { writer.append(&chunk) }

    var outcome: [String: Int] {
        var (objects, times, severities) = (0, 0, 0)
        for index in 0..<batch.rows.count {
            let row = batch.rows[index]
            if row.flags.contains(.json) { objects += 1 }
            times &+= Int(row.time)
            severities += Int(row.severity.rawValue)
        }
        return [
            "bytes": batch.arena.count, "lines": batch.rows.count, "objects": objects, "members": batch.tape.count,
            "sum of times": times, "sum of severities": severities, "bytes of text": chunk.text.count,
            "CRC-32 of text": Int(textChecksum), "bytes of deflate": packed.count,
            "CRC-32C of deflate": Int(packedChecksum),
        ]
    }
}

/// The same in C.
struct LimitWayIn: StagePath, ~Copyable {
    private let input: [UInt8]
    private let ending = WayIn.ending
    private var at = 0
    private var piece = LimitPiece()

    init(_ input: [UInt8]) { self.input = input }

    mutating func rewind() { at = 0 }

    var isAtEnd: Bool { at == input.count }

    mutating func run(_ stage: WayIn) {
        switch stage {
        case .copy: at += piece.copy(input, at..<min(at + WayIn.pieceSize, input.count))
        case .split: unsafe climits_split(&piece.value)
        case .parse: unsafe climits_parse(&piece.value)
        case .encode: unsafe climits_encode(&piece.value, ending, ending.count)
        case .deflate: unsafe climits_deflate(&piece.value, piece.deflater)
        case .checksum: unsafe climits_checksum(&piece.value)
        }
    }

    var outcome: [String: Int] { piece.outcome }
}

/// The C side's buffers and compressor.
@safe
struct LimitPiece: ~Copyable {
    var value = unsafe climits_piece()
    let deflater: OpaquePointer?

    init() { unsafe deflater = climits_deflater_new() }

    deinit {
        var value = unsafe self.value
        unsafe climits_piece_free(&value)
        unsafe climits_deflater_free(deflater)
    }

    mutating func copy(_ input: [UInt8], _ range: Range<Int>) -> Int {
        unsafe input[range].withUnsafeBufferPointer { unsafe climits_copy(&value, $0.baseAddress, $0.count) }
    }

    var outcome: [String: Int] {
        var (objects, times, severities) = (0, 0, 0)
        for index in 0..<(unsafe value.row_count) {
            let row = unsafe value.rows[index]
            if row.tape_count > 0 { objects += 1 }
            times &+= Int(row.time)
            severities += Int(row.severity)
        }
        return unsafe [
            "bytes": value.byte_count, "lines": value.row_count, "objects": objects, "members": value.member_count,
            "sum of times": times, "sum of severities": severities, "bytes of text": value.text_count,
            "CRC-32 of text": Int(value.text_checksum), "bytes of deflate": value.packed_count,
            "CRC-32C of deflate": Int(value.packed_checksum),
        ]
    }
}
