// A request's body. NDJSON in gzip is spliced from the chunks' own bytes; everything else is made from their text.
import Bytes
import NIOCore
import Pipeline
import Synchronization

/// Makes bodies, and lets the room of one serve for the next: a fresh megabyte for each request would cost more than the copy.
final class HTTPBody: Sendable {
    private let format: HTTPSettings.Format
    private let compression: HTTPSettings.Compression
    private let spare = Mutex<ByteBuffer?>(nil)

    init(_ format: HTTPSettings.Format, _ compression: HTTPSettings.Compression) {
        self.format = format
        self.compression = compression
    }

    /// The header Content-Type.
    var contentType: String { format == .ndjson ? "application/x-ndjson" : "application/json" }

    /// The body of a request; to be given back.
    func make(_ request: borrowing Request) -> ByteBuffer {
        var body = spare.withLock { $0.take() } ?? ByteBuffer()
        body.clear(minimumCapacity: compression == .gzip ? request.compressedSize + 64 : request.textSize + 1)
        var inflated = Arena(capacity: 0)
        switch (format, compression) {
        case (.ndjson, .gzip): request.writeGzip { body.writeBytes($0.rawBytes) }
        case (.ndjson, .none): request.withTexts(inflatingInto: &inflated) { body.writeBytes($0.rawBytes) }
        case (.jsonArray, .gzip):
            var gzip = GzipJoiner()
            gzip.begin { body.writeBytes($0.rawBytes) }
            HTTPBody.forEachPartOfArray(request, &inflated) { part in
                gzip.compress(part) { body.writeBytes($0.rawBytes) }
            }
            gzip.end { body.writeBytes($0.rawBytes) }
        case (.jsonArray, .none): HTTPBody.forEachPartOfArray(request, &inflated) { body.writeBytes($0.rawBytes) }
        }
        return body
    }

    /// Keeps a body's room for the next.
    func giveBack(_ body: consuming ByteBuffer) {
        let body = body
        spare.withLock { $0 = body }
    }

    /// A body in slices.
    struct Slices: AsyncSequence, Sendable {
        private static let size = 128 * 1024
        private let body: ByteBuffer

        init(_ body: ByteBuffer) { self.body = body }

        struct AsyncIterator: AsyncIteratorProtocol {
            var rest: ByteBuffer

            mutating func next() async -> ByteBuffer? {
                rest.readableBytes > 0 ? rest.readSlice(length: Swift.min(rest.readableBytes, Slices.size)) : nil
            }
        }

        func makeAsyncIterator() -> AsyncIterator { AsyncIterator(rest: body) }
    }

    /// Lends a JSON array chunk by chunk. The newline behind a record becomes the comma before the next one: inside of a
    /// record there is none.
    private static func forEachPartOfArray(
        _ request: borrowing Request, _ inflated: inout Arena, _ body: (Span<UInt8>) -> Void
    ) {
        var part = Arena(capacity: 0)
        var isFirst = true
        request.withTexts(inflatingInto: &inflated) { text in
            guard !text.isEmpty else { return }
            part.removeAll()
            part.append(isFirst ? "[" : ",")
            isFirst = false
            part.append(text.extracting(0..<(text.count - 1)))
            var at = 1
            while true {
                at = ByteSearch.firstIndex(of: UInt8(ascii: "\n"), in: part, from: at, to: part.count)
                guard at >= 0, at < part.count else { break }
                part[at] = UInt8(ascii: ",")
            }
            body(part.span)
        }
        part.removeAll()
        part.append(isFirst ? "[]" : "]")
        body(part.span)
    }
}
