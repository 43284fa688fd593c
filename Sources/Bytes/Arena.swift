// Raw storage of batches and chunks: bytes that grow, are reused for ever and are lent out as spans.
// Every range that comes from outside is checked here, once, so that the floors above need no unsafe code.
/// A growable run of bytes that is written once per use and then recycled; it never shrinks by itself.
///
/// `slack` readable bytes always follow the last one, so that a scanner may load a whole word at the end of the contents.
@safe
public struct Arena: ~Copyable, @unchecked Sendable {
    /// Bytes behind the capacity that word-wise scanners may read, and copies in blocks overwrite.
    public static let slack = 64

    /// Where the bytes are, and how many there is room for. Public only to be inlined: use the methods.
    public var base: UnsafeMutablePointer<UInt8>
    public var capacity: Int
    /// How many bytes are in use.
    public var count = 0

    /// Creates an empty arena with room for `capacity` bytes.
    public init(capacity: Int = 4096) {
        precondition(capacity >= 0, "an arena's capacity is not negative")
        self.capacity = capacity
        unsafe base = .allocate(capacity: capacity + Self.slack)
        unsafe base.initialize(repeating: 0, count: capacity + Self.slack)
    }

    deinit { unsafe base.deallocate() }

    /// The contents.
    public var span: Span<UInt8> {
        @_lifetime(borrow self)
        get {
            let bytes = unsafe UnsafeBufferPointer(start: base, count: count)
            return unsafe _overrideLifetime(Span(_unsafeElements: bytes), borrowing: self)
        }
    }

    /// The byte at `index`.
    public subscript(index: Int) -> UInt8 {
        @inlinable @inline(__always)
        get {
            precondition(index >= 0 && index < count, "arena index out of range")
            return unsafe base[index]
        }
        @inlinable @inline(__always)
        set {
            precondition(index >= 0 && index < count, "arena index out of range")
            unsafe base[index] = newValue
        }
    }

    /// The eight bytes from `index` on, little-endian; those behind the contents are arbitrary.
    @inlinable @inline(__always)
    public func word(at index: Int) -> UInt64 {
        precondition(index >= 0 && index <= count, "arena index out of range")
        return unsafe UInt64(littleEndian: UnsafeRawPointer(base + index).loadUnaligned(as: UInt64.self))
    }

    /// Forgets the contents and keeps the room.
    public mutating func removeAll() { count = 0 }

    /// Forgets what lies behind the first `newCount` bytes.
    public mutating func truncate(to newCount: Int) {
        precondition(newCount >= 0 && newCount <= count, "an arena is truncated to less than it holds")
        count = newCount
    }

    /// Gives back room above `limit` bytes, after an unusually large record. The contents are forgotten.
    public mutating func shrink(toAtMost limit: Int) {
        count = 0
        guard capacity > limit else { return }
        unsafe base.deallocate()
        capacity = limit
        unsafe base = .allocate(capacity: limit + Self.slack)
        unsafe base.initialize(repeating: 0, count: limit + Self.slack)
    }

    /// Makes room for `extra` more bytes.
    @inlinable @inline(__always)
    public mutating func reserve(_ extra: Int) {
        if capacity - count < extra { grow(extra) }
    }

    /// Makes room for `extra` more bytes; `reserve` calls it when there is none.
    @inline(never)
    public mutating func grow(_ extra: Int) {
        precondition(extra >= 0, "a negative number of bytes is reserved")
        let wanted = max(count + extra, capacity * 2)
        let moved = UnsafeMutablePointer<UInt8>.allocate(capacity: wanted + Self.slack)
        unsafe moved.update(from: base, count: count)
        unsafe (moved + count).initialize(repeating: 0, count: wanted + Self.slack - count)
        unsafe base.deallocate()
        unsafe base = moved
        capacity = wanted
    }

    // Bytes are copied by `initialize(from:)`, as what is appended never overlaps: `update(from:)` asks whether it does.

    /// Appends one byte.
    @inlinable @inline(__always)
    public mutating func append(_ byte: UInt8) {
        reserve(1)
        unsafe base[count] = byte
        count += 1
    }

    /// Appends the bytes of a literal.
    @inlinable @inline(__always)
    public mutating func append(_ text: StaticString) {
        let n = text.utf8CodeUnitCount
        reserve(n)
        unsafe (base + count).initialize(from: text.utf8Start, count: n)
        count += n
    }

    /// Appends all of `bytes`.
    @inlinable @inline(__always)
    public mutating func append(_ bytes: Span<UInt8>) {
        let n = bytes.count
        guard n > 0 else { return }
        reserve(n)
        unsafe bytes.withUnsafeBufferPointer { source in
            if let start = source.baseAddress { unsafe (base + count).initialize(from: start, count: n) }
        }
        count += n
    }

    /// Appends all of `bytes`.
    @inlinable @inline(__always)
    public mutating func append(_ bytes: borrowing [UInt8]) { append(bytes.span) }

    /// Appends the UTF-8 of `text`. Literals are better appended as `StaticString`, which needs no copy.
    public mutating func append(text: String) { append(Array(text.utf8).span) }

    /// Appends `length` bytes of another arena from `start` on.
    @inlinable @inline(__always)
    public mutating func append(_ other: borrowing Arena, from start: Int, count length: Int) {
        precondition(start >= 0 && length >= 0 && start + length <= other.count, "bytes outside of an arena are copied")
        reserve(length)
        unsafe (base + count).initialize(from: other.base + start, count: length)
        count += length
    }

    /// As `append(_:from:count:)` for at most `slack` bytes: copies that many, whatever the length. So it takes a few
    /// instructions, where memcpy(3) has to be called and to choose its way.
    @inlinable @inline(__always)
    public mutating func appendShort(_ other: borrowing Arena, from start: Int, count length: Int) {
        precondition(start >= 0 && length >= 0 && start + length <= other.count, "bytes outside of an arena are copied")
        precondition(length <= Self.slack, "a short run is longer than the slack")
        reserve(length)
        let block = unsafe UnsafeRawPointer(other.base + start).loadUnaligned(as: SIMD64<UInt8>.self)
        unsafe UnsafeMutableRawPointer(base + count).storeBytes(of: block, as: SIMD64<UInt8>.self)
        count += length
    }

    /// Appends `length` of the arena's own bytes from `start` on.
    public mutating func appendOwn(from start: Int, count length: Int) {
        precondition(start >= 0 && length >= 0 && start + length <= count, "bytes outside of an arena are copied")
        reserve(length)
        unsafe (base + count).update(from: base + start, count: length)
        count += length
    }

    /// Appends `n` zero bytes, to be overwritten later.
    public mutating func appendZeros(_ n: Int) {
        reserve(n)
        unsafe (base + count).initialize(repeating: 0, count: n)
        count += n
    }

    /// Overwrites bytes that are in use, from `start` on, with `bytes`.
    public mutating func overwrite(at start: Int, with bytes: Span<UInt8>) {
        precondition(start >= 0 && start + bytes.count <= count, "bytes outside of an arena are overwritten")
        for i in 0..<bytes.count { unsafe base[start + i] = bytes[i] }
    }

    /// Lends room for at most `limit` more bytes to `body` (a read, a compressor), which returns how many it wrote.
    @inline(__always)
    public mutating func fill<E: Error>(
        _ limit: Int, _ body: (inout MutableSpan<UInt8>) throws(E) -> Int
    ) throws(E) -> Int {
        reserve(limit)
        let room = unsafe UnsafeMutableBufferPointer(start: base + count, count: limit)
        var span = unsafe room.mutableSpan
        let written = try body(&span)
        precondition(written >= 0 && written <= limit, "more was written than there was room")
        count += written
        return written
    }

    // Fixed-width integers, little-endian: the byte order of all our formats.

    /// Appends a fixed-width integer, little-endian.
    @inline(__always)
    public mutating func append<T: FixedWidthInteger>(littleEndian value: T) {
        reserve(MemoryLayout<T>.size)
        unsafe UnsafeMutableRawPointer(base + count).storeBytes(of: value.littleEndian, as: T.self)
        count += MemoryLayout<T>.size
    }

    /// Overwrites the integer at `start`, little-endian.
    public mutating func overwrite<T: FixedWidthInteger>(littleEndian value: T, at start: Int) {
        precondition(start >= 0 && start + MemoryLayout<T>.size <= count, "bytes outside of an arena are overwritten")
        unsafe UnsafeMutableRawPointer(base + start).storeBytes(of: value.littleEndian, as: T.self)
    }
}
