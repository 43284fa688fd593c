// Takes the records that an output does not get out of a chunk. What a condition selects: Condition.
import Bytes
import Gzip
import Store

/// Decides over the records of chunks of which their sources do not say enough.
struct RecordSelector: ~Copyable {
    private let condition: Condition
    private var inflater = Inflater(.raw)
    private var deflater: Deflater?
    private var text = Arena(capacity: 0)
    private var kept = Arena(capacity: 0)
    private var tape = Column<JSONMember>()
    /// More room than this is not kept from one chunk to the next.
    private static let usualText = 1 << 20

    init(_ condition: Condition) { self.condition = condition }

    /// The chunk with the records that are selected: untouched when all are, without bytes when none is.
    mutating func select(from chunk: ReadChunk) -> ReadChunk {
        chunk.inflate(&inflater, into: &text)
        var selected: [UInt32] = []
        kept.removeAll()
        let end = text.count
        var start = 0
        for place in 0..<chunk.header.recordCount {
            let newline = ByteSearch.firstIndex(of: UInt8(ascii: "\n"), in: text, from: start, to: end)
            guard newline >= 0 else { break }
            if condition.selects(text, from: start, to: newline, tape: &tape) {
                selected.append(place)
                kept.append(text, from: start, count: newline + 1 - start)
            }
            start = newline + 1
        }
        defer {
            text.shrink(toAtMost: RecordSelector.usualText)
            kept.shrink(toAtMost: RecordSelector.usualText)
        }
        if selected.count == chunk.header.recordCount { return chunk }
        if selected.isEmpty { return chunk.withoutRecords() }
        var encoder = deflater.take() ?? Deflater()
        let chosen = chunk.keeping(selected, text: kept.span, with: &encoder)
        deflater = consume encoder
        return chosen
    }
}
