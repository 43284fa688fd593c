// Reads little-endian integers and texts one after the other, and remembers when it was asked for more than there is.
import Bytes

/// A cursor over bytes. Reading past the end gives zeros and sets `hasOverrun`, so that callers check once, at the end.
struct ByteReader: ~Escapable {
    private let bytes: Span<UInt8>
    private(set) var at: Int
    private(set) var hasOverrun = false

    @_lifetime(copy bytes)
    init(_ bytes: Span<UInt8>, from at: Int = 0) {
        self.bytes = bytes
        self.at = at
    }

    var isAtEnd: Bool { at >= bytes.count }

    @_lifetime(self: copy self)
    private mutating func integer(_ size: Int) -> UInt64 {
        guard at + size <= bytes.count else {
            hasOverrun = true
            at = bytes.count
            return 0
        }
        var value: UInt64 = 0
        for i in 0..<size { value |= UInt64(bytes[at + i]) << UInt64(8 * i) }
        at += size
        return value
    }

    @_lifetime(self: copy self)
    mutating func u8() -> UInt8 { UInt8(truncatingIfNeeded: integer(1)) }
    @_lifetime(self: copy self)
    mutating func u16() -> UInt16 { UInt16(truncatingIfNeeded: integer(2)) }
    @_lifetime(self: copy self)
    mutating func u32() -> UInt32 { UInt32(truncatingIfNeeded: integer(4)) }
    @_lifetime(self: copy self)
    mutating func u64() -> UInt64 { integer(8) }

    /// So many bytes.
    @_lifetime(self: copy self)
    mutating func bytes(_ count: Int) -> [UInt8] {
        guard at + count <= bytes.count else {
            hasOverrun = true
            at = bytes.count
            return []
        }
        defer { at += count }
        return Array(copying: bytes.extracting(at..<(at + count)))
    }

    /// A text with its length (u16) before it.
    @_lifetime(self: copy self)
    mutating func text() -> String { String(decoding: bytes(Int(u16())), as: UTF8.self) }
}
