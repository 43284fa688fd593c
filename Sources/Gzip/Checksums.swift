// The two checksums of a chunk: gzip's own over the text, and CRC-32C over the compressed bytes.
private import CZlib

#if ISAL
    private import CISAL
#endif

/// CRC-32 as in a gzip trailer (RFC 1952, section 8).
package enum CRC32 {
    /// The checksum of `bytes`, continued from that of the bytes before them.
    package static func of(_ bytes: Span<UInt8>, continuing previous: UInt32 = 0) -> UInt32 {
        unsafe bytes.withUnsafeBufferPointer { buffer in
            guard let start = buffer.baseAddress else { return previous }
            #if ISAL
                return unsafe sluice_isal_crc32(previous, start, UInt64(buffer.count))
            #else
                return unsafe UInt32(truncatingIfNeeded: crc32_z(UInt(previous), start, buffer.count))
            #endif
        }
    }

    /// The checksum of two runs of bytes, one behind the other, from the checksum of each. crc32_combine
    package static func combine(_ first: UInt32, _ second: UInt32, secondLength: UInt64) -> UInt32 {
        UInt32(truncatingIfNeeded: crc32_combine(UInt(first), UInt(second), Int(secondLength)))
    }
}

/// CRC-32C (Castagnoli, RFC 3720 appendix B.4), the checksum of everything the store writes.
package enum CRC32C {
    /// The checksum of `bytes`.
    package static func of(_ bytes: Span<UInt8>) -> UInt32 {
        #if ISAL
            return unsafe bytes.withUnsafeBufferPointer { buffer in
                guard let start = buffer.baseAddress else { return 0 }
                return unsafe ~sluice_isal_crc32c(start, Int32(buffer.count), ~0)
            }
        #else
            return software(bytes)
        #endif
    }

    /// The same by table, eight bytes a step: for machines and builds without the instruction.
    package static func software(_ bytes: Span<UInt8>) -> UInt32 {
        var crc: UInt32 = ~0
        var i = 0
        while i + 8 <= bytes.count {
            crc ^=
                UInt32(bytes[i]) | UInt32(bytes[i + 1]) << 8 | UInt32(bytes[i + 2]) << 16 | UInt32(bytes[i + 3]) << 24
            let low = tables[7][Int(crc & 255)] ^ tables[6][Int(crc >> 8 & 255)]
            let high = tables[5][Int(crc >> 16 & 255)] ^ tables[4][Int(crc >> 24)]
            let next = tables[3][Int(bytes[i + 4])] ^ tables[2][Int(bytes[i + 5])]
            crc = low ^ high ^ next ^ tables[1][Int(bytes[i + 6])] ^ tables[0][Int(bytes[i + 7])]
            i += 8
        }
        while i < bytes.count {
            crc = crc >> 8 ^ tables[0][Int((crc ^ UInt32(bytes[i])) & 255)]
            i += 1
        }
        return ~crc
    }

    /// tables[k][b]: what byte b does to the checksum when k more bytes follow it.
    private static let tables: [[UInt32]] = {
        var tables = [[UInt32]](repeating: [UInt32](repeating: 0, count: 256), count: 8)
        for byte in 0..<256 {
            var crc = UInt32(byte)
            for _ in 0..<8 { crc = crc & 1 == 1 ? crc >> 1 ^ 0x82f6_3b78 : crc >> 1 }
            tables[0][byte] = crc
        }
        for k in 1..<8 {
            for byte in 0..<256 {
                let crc = tables[k - 1][byte]
                tables[k][byte] = crc >> 8 ^ tables[0][Int(crc & 255)]
            }
        }
        return tables
    }()
}
