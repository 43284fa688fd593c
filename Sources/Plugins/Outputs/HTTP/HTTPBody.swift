// A request's body. NDJSON in gzip is spliced from the chunks' own bytes; everything else is made from their text.
import Bytes
import NIOCore
import Pipeline

/// Makes bodies.
enum HTTPBody {
    /// The body of a request.
    static func make(
        _ request: borrowing Request, _ format: HTTPSettings.Format, _ compression: HTTPSettings.Compression
    ) -> ByteBuffer {
        switch (format, compression) {
        case (.ndjson, .gzip):
            var gzip = GzipBuilder(capacity: request.compressedSize + 64)
            request.append(to: &gzip)
            return buffer(gzip)
        case (.ndjson, .none):
            var text = ByteBuffer()
            text.reserveCapacity(request.textSize)
            var inflated = Arena()
            request.withTexts(inflatingInto: &inflated) { text.writeBytes($0.rawBytes) }
            return text
        case (.jsonArray, .gzip):
            var gzip = GzipBuilder(capacity: request.compressedSize + 4096)
            forEachPartOfArray(request) { gzip.append($0) }
            return buffer(gzip)
        case (.jsonArray, .none):
            var text = ByteBuffer()
            text.reserveCapacity(request.textSize + 1)
            forEachPartOfArray(request) { text.writeBytes($0.rawBytes) }
            return text
        }
    }

    static func contentType(_ format: HTTPSettings.Format) -> String {
        format == .ndjson ? "application/x-ndjson" : "application/json"
    }

    private static func buffer(_ gzip: consuming GzipBuilder) -> ByteBuffer {
        gzip.finish()
        var buffer = ByteBuffer()
        buffer.reserveCapacity(gzip.span.count)
        buffer.writeBytes(gzip.span.rawBytes)
        return buffer
    }

    /// Lends a JSON array chunk by chunk. The newline behind a record becomes the comma before the next one: inside of a
    /// record there is none.
    private static func forEachPartOfArray(_ request: borrowing Request, _ body: (Span<UInt8>) -> Void) {
        var inflated = Arena()
        var part = Arena()
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
