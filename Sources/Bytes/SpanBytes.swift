// What the standard library does not do with spans of bytes yet.

extension [UInt8] {
    /// Copies a span.
    public init(copying span: Span<UInt8>) {
        self = unsafe span.withUnsafeBufferPointer { unsafe Array($0) }
    }
}

extension String {
    /// Reads a span as UTF-8, invalid bytes replaced by U+FFFD.
    public init(decoding span: Span<UInt8>) {
        self = unsafe span.withUnsafeBufferPointer { unsafe String(decoding: $0, as: UTF8.self) }
    }
}

extension Span<UInt8> {
    /// The same bytes as a raw span, as libraries take them. (The standard library's own `bytes` is unsafe, because elements of
    /// other types may have padding.)
    public var rawBytes: RawSpan {
        @_lifetime(copy self)
        @inlinable @inline(__always)
        get { unsafe bytes }
    }

    /// The first eight bytes, little-endian, zeros behind the end: enough to tell most names apart.
    @inlinable @inline(__always)
    public var firstWord: UInt64 {
        if count >= 8 { return unsafe UInt64(littleEndian: rawBytes.unsafeLoadUnaligned(as: UInt64.self)) }
        var word: UInt64 = 0
        for i in 0..<count { word |= UInt64(self[i]) << UInt64(8 * i) }
        return word
    }

    /// The last eight bytes, little-endian; those of `firstWord` when there are no more than eight.
    @inlinable @inline(__always)
    public var lastWord: UInt64 {
        guard count > 8 else { return firstWord }
        return unsafe UInt64(
            littleEndian: rawBytes.unsafeLoadUnaligned(fromByteOffset: count - 8, as: UInt64.self))
    }

    /// Whether both are the same bytes.
    @inlinable @inline(__always)
    public func isEqual(to other: Span<UInt8>) -> Bool {
        guard count == other.count else { return false }
        if count <= 8 { return firstWord == other.firstWord }
        var i = 0
        while i + 8 <= count {
            let (a, b) = unsafe (
                rawBytes.unsafeLoadUnaligned(fromByteOffset: i, as: UInt64.self),
                other.rawBytes.unsafeLoadUnaligned(fromByteOffset: i, as: UInt64.self)
            )
            if a != b { return false }
            i += 8
        }
        return lastWord == other.lastWord
    }

    /// Whether these are the bytes of a literal.
    public func isEqual(to literal: StaticString) -> Bool {
        guard count == literal.utf8CodeUnitCount else { return false }
        for i in 0..<count where unsafe self[i] != literal.utf8Start[i] { return false }
        return true
    }
}
