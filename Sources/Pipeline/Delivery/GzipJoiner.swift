// One gzip member out of pieces: deflate data as it lies in the store, and text that is compressed now. What it makes goes
// straight to where it is wanted, a piece at a time.
import Bytes
import Gzip

/// Writes one gzip member.
package struct GzipJoiner: ~Copyable {
    private var splice = GzipSplice()
    private var deflater: Deflater?
    private var packed = Arena(capacity: 0)

    package init() {}

    /// What the member begins with.
    package func begin(_ write: (Span<UInt8>) -> Void) {
        let header = GzipMember.plainHeader
        write(header.span)
    }

    /// Passes deflate data on without its final block, untouched.
    mutating func pass(deflated: Span<UInt8>, textLength: UInt64, textChecksum: UInt32, _ write: (Span<UInt8>) -> Void)
    {
        splice.add(textLength: textLength, textChecksum: textChecksum)
        write(deflated)
    }

    /// Compresses a text.
    package mutating func compress(_ text: Span<UInt8>, _ write: (Span<UInt8>) -> Void) {
        var encoder = deflater.take() ?? Deflater()
        packed.removeAll()
        _ = packed.fill(Deflater.bound(text.count)) { encoder.compress(text, into: &$0) }
        deflater = consume encoder
        splice.add(textLength: UInt64(text.count), textChecksum: CRC32.of(text))
        write(packed.span.extracting(0..<(packed.count - Deflater.finalBlock.count)))
    }

    /// What the member ends with.
    package func end(_ write: (Span<UInt8>) -> Void) {
        let ending = splice.ending
        write(ending.span)
    }
}
