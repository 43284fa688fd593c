// The outside of a gzip member (RFC 1952), and the splice: many chunks joined into one member without recompressing.

/// The fixed parts of gzip members that we write.
package enum GzipMember {
    /// A header without any optional field: deflate, no time, unknown system.
    package static let plainHeader: [UInt8] = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255]
    /// The first ten bytes of a member with an extra field (FLG.FEXTRA); its length (u16) and the field follow.
    package static let extraHeader: [UInt8] = [0x1f, 0x8b, 8, 4, 0, 0, 0, 0, 0, 255]
    /// CRC-32 and length of the text, both u32.
    package static let trailerSize = 8
}

/// Joins the deflate data of chunks into one gzip member.
///
/// Each piece is deflate data that ends with the empty final block `03 00` on a byte boundary, as `Deflater` leaves it.
/// The member is: a plain header, each piece without its last two bytes, one `03 00`, the combined checksum, the total length.
package struct GzipSplice: Sendable {
    private var checksum: UInt32 = 0
    private var length: UInt64 = 0

    package init() {}

    /// Notes a piece; `textLength` and `textChecksum` are those of its inflated bytes.
    package mutating func add(textLength: UInt64, textChecksum: UInt32) {
        checksum = CRC32.combine(checksum, textChecksum, secondLength: textLength)
        length += textLength
    }

    /// What closes the member: the final block, the checksum, the length modulo 2^32.
    package var ending: [UInt8] {
        var bytes = Deflater.finalBlock
        for value in [checksum, UInt32(truncatingIfNeeded: length)] {
            for shift in [0, 8, 16, 24] { bytes.append(UInt8(truncatingIfNeeded: value >> UInt32(shift))) }
        }
        return bytes
    }
}
