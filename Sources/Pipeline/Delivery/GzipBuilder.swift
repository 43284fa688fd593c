// Builds one gzip member out of pieces: deflate data that lies in the store, and text that is compressed now.
import Bytes
import Gzip

/// One gzip member in the making.
package struct GzipBuilder: ~Copyable {
    private var bytes: Arena
    private var splice = GzipSplice()
    private var deflater: Deflater?

    /// - Parameter capacity: the expected size.
    package init(capacity: Int) {
        bytes = Arena(capacity: capacity)
        bytes.append(GzipMember.plainHeader)
    }

    /// Adds deflate data without its final block, untouched.
    mutating func append(deflated piece: Span<UInt8>, textLength: UInt64, textChecksum: UInt32) {
        bytes.append(piece)
        splice.add(textLength: textLength, textChecksum: textChecksum)
    }

    /// Compresses a text and adds it.
    package mutating func append(_ text: Span<UInt8>) {
        var encoder = deflater.take() ?? Deflater()
        _ = bytes.fill(Deflater.bound(text.count)) { encoder.compress(text, into: &$0) }
        deflater = consume encoder
        bytes.truncate(to: bytes.count - Deflater.finalBlock.count)
        splice.add(textLength: UInt64(text.count), textChecksum: CRC32.of(text))
    }

    /// Closes the member; nothing can be added then.
    package mutating func finish() { bytes.append(splice.ending) }

    /// The member, whole after `finish()`.
    package var span: Span<UInt8> {
        @_lifetime(borrow self)
        get { bytes.span }
    }
}
