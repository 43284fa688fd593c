// The chunk: one gzip member whose extra field says what is in it and how far its sources have been read.
// The layout, byte by byte, with what each crash leaves behind, is docs/store-format.md; this file is its only reader and writer.
package import Bytes
private import Gzip
package import Records

/// Fixed numbers of the chunk format.
package enum ChunkFormat {
    /// What this program writes; other versions are not read.
    package static let version: UInt8 = 1
    /// The native record shape (docs/records.md).
    package static let nativeSchema: UInt16 = 1
    /// Bytes before the field's contents: gzip's fixed header, the length of the extra field, the subfield's id and length.
    package static let preamble = 16
    /// Bytes of the field's fixed part.
    package static let fixedPart = 72
    /// Behind the items: CRC-32C over the field.
    package static let fieldChecksum = 4
    /// A chunk is closed before its items are larger than this; gzip allows 65,535 for the whole field.
    package static let itemLimit = 48 * 1024
    /// No field of ours is larger: one item may still be added at the limit.
    package static let largestField = 65_535 - 4
    /// A chunk is closed when it holds this much text.
    package static let textLimit = 256 * 1024
    /// No record has a larger number: at a million records a second that is enough for 146,000 years. What names a larger one is not
    /// believed.
    package static let largestNumber: UInt64 = 1 << 62
    /// Nothing larger is believed when it is read: the longest message that can be set is 16 MiB, and six times as long when escaped.
    package static let largestText = 128 * 1024 * 1024
}

/// What a chunk is for.
package enum ChunkKind: UInt8, Sendable {
    /// Holds records.
    case records = 1
    /// Holds no records, only progress over lines that gave none.
    case progress = 2
    /// Part of the snapshot at the beginning of a segment.
    case snapshot = 3
    /// The last part of the snapshot.
    case snapshotEnd = 4
}

/// The fixed part of a chunk's field.
package struct ChunkHeader: Sendable, Equatable {
    /// What the chunk is for, and the shape of its records.
    package var kind: ChunkKind
    package var schema: UInt16 = ChunkFormat.nativeSchema
    /// Bytes of the whole gzip member.
    package var memberSize: UInt32 = 0
    /// Bytes when inflated.
    package var textSize: UInt32 = 0
    /// CRC-32C of the deflate bytes and the trailer.
    package var bodyChecksum: UInt32 = 0
    /// CRC-32 of the text, as in the trailer; for splicing without reading the trailer.
    package var textChecksum: UInt32 = 0
    package var epoch: UInt64
    package var lane: UInt16
    package var input: UInt16 = 0
    package var recordCount: UInt32 = 0
    /// The number of the first record; without records, of the next one.
    package var firstSequence: UInt64
    /// Nanoseconds since 1970 of the earliest and the latest record; 0 without records.
    package var minTime: Int64 = 0
    package var maxTime: Int64 = 0
    /// When the chunk was written, nanoseconds since 1970.
    package var appendTime: Int64 = 0
    /// So many bytes of this segment were known to be durable when the chunk was written.
    package var syncedSize: UInt32 = 0
    /// Bytes of the field between the gzip header and the deflate data.
    package var fieldSize: UInt16 = 0

    package init(kind: ChunkKind, epoch: UInt64, lane: UInt16, firstSequence: UInt64) {
        self.kind = kind
        self.epoch = epoch
        self.lane = lane
        self.firstSequence = firstSequence
    }

    /// The number behind the last record.
    package var endSequence: UInt64 { firstSequence + UInt64(recordCount) }
    /// Where the deflate data begins, from the start of the member.
    package var bodyOffset: Int { ChunkFormat.preamble + Int(fieldSize) }
    /// Bytes of deflate data, the final block included.
    package var deflateSize: Int { Int(memberSize) - bodyOffset - GzipMember.trailerSize }
}

/// One item of a chunk's field.
package enum ChunkItem: Equatable, Sendable {
    /// An input's number and name.
    case input(number: UInt16, name: String)
    case source(SourceNumber, SourceIdentity, inputNumber: UInt16)
    case coverage(SourceNumber, Position, isRetired: Bool)
    /// In a snapshot all counts of an input, elsewhere what was added by this chunk.
    case counts(inputNumber: UInt16, Counts)
    /// In a snapshot: these numbers were never given to a record.
    case skip(Range<UInt64>)
    /// In a snapshot: the number behind the last record of the segment before it.
    case follows(UInt64)
}

extension ChunkItem {
    private enum Tag {
        static let input: UInt8 = 1
        static let source: UInt8 = 2
        static let coverage: UInt8 = 3
        static let counts: UInt8 = 4
        static let skip: UInt8 = 5
        static let follows: UInt8 = 6
    }

    /// Appends the item in its written form.
    package func encode(to out: inout Arena) {
        switch self {
        case .input(let number, let name):
            out.append(Tag.input)
            out.append(littleEndian: number)
            ChunkItem.put(name, &out)
        case .source(let number, let identity, let inputNumber):
            out.append(Tag.source)
            out.append(littleEndian: number)
            out.append(identity.kind.rawValue)
            out.append(littleEndian: inputNumber)
            out.append(littleEndian: identity.restart)
            for text in [identity.path, identity.namespace, identity.pod, identity.uid, identity.container] {
                ChunkItem.put(text, &out)
            }
        case .coverage(let number, let position, let isRetired):
            out.append(Tag.coverage)
            out.append(littleEndian: number)
            out.append(isRetired ? 1 : 0 as UInt8)
            out.append(UInt8(position.bytes.count))
            out.append(position.bytes)
        case .counts(let inputNumber, let counts):
            out.append(Tag.counts)
            out.append(littleEndian: inputNumber)
            let values = counts.nonZero
            out.append(UInt8(values.count))
            for (counter, value) in values {
                out.append(counter.rawValue)
                out.append(littleEndian: value)
            }
        case .skip(let range):
            out.append(Tag.skip)
            out.append(littleEndian: range.lowerBound)
            out.append(littleEndian: range.upperBound)
        case .follows(let end):
            out.append(Tag.follows)
            out.append(littleEndian: end)
        }
    }

    private static func put(_ text: String, _ out: inout Arena) {
        let bytes = Array(text.utf8.prefix(4096))
        out.append(littleEndian: UInt16(bytes.count))
        out.append(bytes)
    }

    /// Reads all items of a field; nil when they do not fit together. `inputs` gives names to input numbers met before.
    static func decode(_ reader: inout ByteReader, inputs: inout [UInt16: String]) -> [ChunkItem]? {
        var items: [ChunkItem] = []
        while !reader.isAtEnd {
            switch reader.u8() {
            case Tag.input:
                let number = reader.u16()
                let name = reader.text()
                inputs[number] = name
                items.append(.input(number: number, name: name))
            case Tag.source:
                let number = reader.u32()
                let kind = SourceKind(rawValue: reader.u8())
                let inputNumber = reader.u16()
                let restart = Int32(bitPattern: reader.u32())
                let identity = SourceIdentity(
                    kind: kind ?? .file, input: inputs[inputNumber] ?? "", path: reader.text(),
                    namespace: reader.text(),
                    pod: reader.text(), uid: reader.text(), container: reader.text(), restart: restart)
                guard kind != nil else { return nil }
                items.append(.source(number, identity, inputNumber: inputNumber))
            case Tag.coverage:
                let number = reader.u32()
                let flags = reader.u8()
                let position = Position(reader.bytes(Int(reader.u8())))
                items.append(.coverage(number, position, isRetired: flags & 1 != 0))
            case Tag.counts:
                let inputNumber = reader.u16()
                var counts = Counts()
                for _ in 0..<reader.u8() {
                    let counter = Counter(rawValue: reader.u8())
                    let value = reader.u64()
                    if let counter { counts[counter] = value }
                }
                items.append(.counts(inputNumber: inputNumber, counts))
            case Tag.skip:
                let (from, to) = (reader.u64(), reader.u64())
                guard from <= to, to <= ChunkFormat.largestNumber else { return nil }
                items.append(.skip(from..<to))
            case Tag.follows: items.append(.follows(reader.u64()))
            default: return nil
            }
            if reader.hasOverrun { return nil }
        }
        return items
    }
}

extension ChunkHeader {
    /// Appends the member's beginning: the gzip header, the field with its items. Sizes and checksums are set by `seal`.
    func encodeBeginning(items: borrowing Arena, to out: inout Arena) {
        let field = ChunkFormat.fixedPart + items.count + ChunkFormat.fieldChecksum
        precondition(
            field <= ChunkFormat.largestField, "a chunk's field is too large: the chunk was not closed in time")
        out.append(GzipMember.extraHeader)
        out.append(littleEndian: UInt16(field + 4))
        out.append("SL")
        out.append(littleEndian: UInt16(field))
        out.append(ChunkFormat.version)
        out.append(kind.rawValue)
        out.append(littleEndian: schema)
        out.append(littleEndian: memberSize)
        out.append(littleEndian: textSize)
        out.append(littleEndian: bodyChecksum)
        out.append(littleEndian: textChecksum)
        out.append(littleEndian: syncedSize)
        out.append(littleEndian: epoch)
        out.append(littleEndian: lane)
        out.append(littleEndian: input)
        out.append(littleEndian: recordCount)
        out.append(littleEndian: firstSequence)
        out.append(littleEndian: minTime)
        out.append(littleEndian: maxTime)
        out.append(littleEndian: appendTime)
        out.append(items, from: 0, count: items.count)
        out.append(littleEndian: 0 as UInt32)
    }

    /// Sets the sizes and checksums of a member that lies in `out` from `start` on with its deflate data, appends the trailer.
    mutating func seal(_ out: inout Arena, from start: Int, textSize: Int, textChecksum: UInt32) {
        fieldSize = UInt16(out[start + 14]) | UInt16(out[start + 15]) << 8
        let body = start + bodyOffset
        out.append(littleEndian: textChecksum)
        out.append(littleEndian: UInt32(textSize))
        self.textSize = UInt32(textSize)
        self.textChecksum = textChecksum
        memberSize = UInt32(out.count - start)
        bodyChecksum = CRC32C.of(out.span.extracting(body..<out.count))
        let field = start + ChunkFormat.preamble
        out.overwrite(littleEndian: memberSize, at: field + 4)
        out.overwrite(littleEndian: self.textSize, at: field + 8)
        out.overwrite(littleEndian: bodyChecksum, at: field + 12)
        out.overwrite(littleEndian: textChecksum, at: field + 16)
        let checked = field..<(body - ChunkFormat.fieldChecksum)
        out.overwrite(littleEndian: CRC32C.of(out.span.extracting(checked)), at: checked.upperBound)
    }

    /// What the first bytes at a place in a segment say.
    package enum Reading: Sendable {
        /// A whole, valid field.
        case chunk(ChunkHeader)
        /// So many bytes are needed to tell.
        case needs(Int)
        /// Not a chunk of ours, or a damaged one.
        case damaged
    }

    /// Reads a member's beginning and checks the field's checksum.
    package static func read(_ bytes: Span<UInt8>) -> Reading {
        let magic = GzipMember.extraHeader
        for i in 0..<min(magic.count, bytes.count) where bytes[i] != magic[i] { return .damaged }
        guard bytes.count >= ChunkFormat.preamble else { return .needs(ChunkFormat.preamble) }
        var reader = ByteReader(bytes, from: 10)
        let extra = Int(reader.u16())
        guard reader.u8() == UInt8(ascii: "S"), reader.u8() == UInt8(ascii: "L") else { return .damaged }
        let field = Int(reader.u16())
        guard field + 4 == extra, field >= ChunkFormat.fixedPart + ChunkFormat.fieldChecksum else { return .damaged }
        guard bytes.count >= ChunkFormat.preamble + field else { return .needs(ChunkFormat.preamble + field) }
        let end = ChunkFormat.preamble + field - ChunkFormat.fieldChecksum
        var checksum = ByteReader(bytes, from: end)
        guard checksum.u32() == CRC32C.of(bytes.extracting(ChunkFormat.preamble..<end)) else { return .damaged }
        guard reader.u8() == ChunkFormat.version, let kind = ChunkKind(rawValue: reader.u8()) else { return .damaged }
        var header = ChunkHeader(kind: kind, epoch: 0, lane: 0, firstSequence: 0)
        header.schema = reader.u16()
        header.memberSize = reader.u32()
        header.textSize = reader.u32()
        header.bodyChecksum = reader.u32()
        header.textChecksum = reader.u32()
        header.syncedSize = reader.u32()
        header.epoch = reader.u64()
        header.lane = reader.u16()
        header.input = reader.u16()
        header.recordCount = reader.u32()
        header.firstSequence = reader.u64()
        header.minTime = Int64(bitPattern: reader.u64())
        header.maxTime = Int64(bitPattern: reader.u64())
        header.appendTime = Int64(bitPattern: reader.u64())
        header.fieldSize = UInt16(field)
        guard header.deflateSize >= 2, header.textSize <= ChunkFormat.largestText,
            header.firstSequence <= ChunkFormat.largestNumber
        else { return .damaged }
        return .chunk(header)
    }

    /// The items of a field that `read` found whole.
    package static func items(
        _ bytes: Span<UInt8>, _ header: ChunkHeader, inputs: inout [UInt16: String]
    ) -> [ChunkItem]? {
        let from = ChunkFormat.preamble + ChunkFormat.fixedPart
        let to = ChunkFormat.preamble + Int(header.fieldSize) - ChunkFormat.fieldChecksum
        var reader = ByteReader(bytes.extracting(0..<to), from: from)
        return ChunkItem.decode(&reader, inputs: &inputs)
    }

    /// Whether the deflate data and the trailer of a whole member are what was written.
    package func isIntact(_ member: Span<UInt8>) -> Bool {
        member.count == Int(memberSize) && CRC32C.of(member.extracting(bodyOffset..<member.count)) == bodyChecksum
    }
}
