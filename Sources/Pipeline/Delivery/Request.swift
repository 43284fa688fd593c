// What an output is given to send: a run of chunks, as they lie in the store.
package import Bytes
import Gzip
package import Store

/// A run of records. Its body is either spliced from the chunks' compressed bytes, or inflated text by text.
package struct Request: Sendable {
    private let chunks: [ReadChunk]
    /// The numbers of the first and the last record.
    package let first: UInt64
    package let last: UInt64
    /// The records in it, and those between the first and the last that the output does not get.
    package let recordCount: UInt64
    package let notSelected: UInt64
    /// Bytes of JSON in its chunks; where it is a part of one, it has fewer.
    package let textSize: Int
    /// Unique to these records on their way to this output: receivers may use it to drop repeats (plugins.md).
    package let key: String
    /// Its size in the output's measure; of a part of a chunk, about so much.
    package let measuredBytes: Int

    /// - Parameter chunks: at least one; they may hold records before `first` and behind `last`, which are left out.
    package init(
        _ chunks: [ReadChunk], first: UInt64, last: UInt64, recordCount: UInt64, notSelected: UInt64 = 0, key: String,
        measuredBytes: Int? = nil
    ) {
        precondition(!chunks.isEmpty && first <= last, "a request has records")
        self.chunks = chunks
        self.first = first
        self.last = last
        self.recordCount = recordCount
        self.notSelected = notSelected
        self.key = key
        textSize = chunks.reduce(0) { $0 + Int($1.header.textSize) }
        self.measuredBytes = measuredBytes ?? chunks.reduce(0) { $0 + $1.member.count }
    }

    /// Lends the text of each chunk in turn, lines of JSON that end with newlines. `buffer` is overwritten.
    package borrowing func withTexts<E: Error>(
        inflatingInto buffer: inout Arena, _ body: (Span<UInt8>) throws(E) -> Void
    ) throws(E) {
        var inflater = Inflater(.raw)
        for chunk in chunks {
            chunk.inflate(&inflater, into: &buffer)
            let range = wanted(of: chunk, buffer)
            try body(buffer.span.extracting(range))
        }
    }

    /// Its first record, without the newline.
    package var firstLine: [UInt8] {
        var inflater = Inflater(.raw)
        var text = Arena(capacity: Int(chunks[0].header.textSize))
        chunks[0].inflate(&inflater, into: &text)
        let start = wanted(of: chunks[0], text).lowerBound
        let end = ByteSearch.firstIndex(of: UInt8(ascii: "\n"), in: text, from: start, to: text.count)
        return [UInt8](copying: text.span.extracting(start..<max(start, end)))
    }

    /// Bytes that its chunks take in the store.
    package var compressedSize: Int { chunks.reduce(0) { $0 + $1.member.count } }

    /// All records as one gzip member.
    package borrowing func gzipBody() -> [UInt8] {
        var body = Arena(capacity: compressedSize + 64)
        writeGzip { body.append($0) }
        return Array(copying: body.span)
    }

    /// Writes all records as one gzip member, piece by piece. Whole chunks are spliced untouched; one that is cut is compressed
    /// anew.
    package borrowing func writeGzip(_ write: (Span<UInt8>) -> Void) {
        var gzip = GzipJoiner()
        gzip.begin(write)
        for chunk in chunks {
            let header = chunk.header
            if chunk.lines(from: first, through: last).count == chunk.lineCount {
                gzip.pass(
                    deflated: chunk.member.span.extracting(chunk.splice), textLength: UInt64(header.textSize),
                    textChecksum: header.textChecksum, write)
                continue
            }
            var inflater = Inflater(.raw)
            var text = Arena(capacity: Int(header.textSize))
            chunk.inflate(&inflater, into: &text)
            gzip.compress(text.span.extracting(wanted(of: chunk, text)), write)
        }
        gzip.end(write)
    }

    /// The lines of a chunk that belong to the request.
    private borrowing func wanted(of chunk: ReadChunk, _ text: borrowing Arena) -> Range<Int> {
        let lines = chunk.lines(from: first, through: last)
        let from = Request.line(lines.lowerBound, text)
        let to = lines.upperBound == chunk.lineCount ? text.count : Request.line(lines.upperBound, text)
        return from..<to
    }

    /// Where the `n`-th line begins.
    private static func line(_ n: Int, _ text: borrowing Arena) -> Int {
        var at = 0
        for _ in 0..<n {
            let newline = ByteSearch.firstIndex(of: UInt8(ascii: "\n"), in: text, from: at, to: text.count)
            guard newline >= 0 else { return text.count }
            at = newline + 1
        }
        return at
    }
}

extension ReadChunk {
    /// Inflates its text. `buffer` is overwritten.
    func inflate(_ inflater: inout Inflater, into buffer: inout Arena) {
        buffer.removeAll()
        let deflate = member.span.extracting(header.bodyOffset..<(header.bodyOffset + header.deflateSize))
        let size = Int(header.textSize)
        _ = buffer.fill(size) { span in
            do throws(GzipError) {
                try inflater.inflateAll(deflate, into: &span)
            } catch {
                preconditionFailure("a chunk whose checksum is right cannot be inflated: \(error)")
            }
            return size
        }
    }
}
