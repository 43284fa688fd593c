// Finds and compares bytes with the C library's wide routines, over spans and over ranges of an arena.
private import CLinux
private import Glibc

/// Searches and comparisons. Indices are byte offsets into what was given, never relative to `from`.
public enum ByteSearch {
    /// The first place of `byte` in `bytes` at or after `from`; memchr(3).
    @inline(__always)
    public static func firstIndex(of byte: UInt8, in bytes: Span<UInt8>, from: Int = 0) -> Int? {
        precondition(from >= 0 && from <= bytes.count, "a search starts outside of the bytes")
        let found = unsafe bytes.withUnsafeBufferPointer { buffer in
            guard let base = buffer.baseAddress else { return -1 }
            return unsafe firstIndex(of: byte, at: base, from: from, to: buffer.count)
        }
        return found < 0 ? nil : found
    }

    /// The first place of `byte` in `from..<to` of `arena`, or -1; memchr(3).
    @inline(__always)
    public static func firstIndex(of byte: UInt8, in arena: borrowing Arena, from: Int, to: Int) -> Int {
        arena.check(from, to)
        return unsafe firstIndex(of: byte, at: arena.base, from: from, to: to)
    }

    /// The last place of `byte` in `from..<to` of `arena`, or -1.
    @inline(__always)
    public static func lastIndex(of byte: UInt8, in arena: borrowing Arena, from: Int, to: Int) -> Int {
        arena.check(from, to)
        var i = to - 1
        while i >= from, unsafe arena.base[i] != byte { i -= 1 }
        return i < from ? -1 : i
    }

    /// The last place of `byte` in `bytes` before `to`.
    public static func lastIndex(of byte: UInt8, in bytes: Span<UInt8>, to: Int) -> Int? {
        precondition(to >= 0 && to <= bytes.count, "a search ends outside of the bytes")
        return (0..<to).last { bytes[$0] == byte }
    }

    /// The first place of `needle` in `haystack`, 0 for an empty needle; memmem(3).
    public static func find(_ needle: Span<UInt8>, in haystack: Span<UInt8>) -> Int? {
        if needle.isEmpty { return 0 }
        return unsafe haystack.withUnsafeBufferPointer { hay in
            guard let base = hay.baseAddress else { return nil }
            let found = unsafe find(needle, at: base, count: hay.count)
            return found < 0 ? nil : found
        }
    }

    /// The first place of `needle` in `from..<to` of `arena`, or -1; `from` for an empty needle; memmem(3).
    public static func find(_ needle: Span<UInt8>, in arena: borrowing Arena, from: Int, to: Int) -> Int {
        arena.check(from, to)
        if needle.isEmpty { return from }
        let found = unsafe find(needle, at: arena.base + from, count: to - from)
        return found < 0 ? -1 : from + found
    }

    /// Whether `count` bytes of `arena` from `from` on are `bytes`.
    @inline(__always)
    public static func equal(_ arena: borrowing Arena, from: Int, count: Int, _ bytes: Span<UInt8>) -> Bool {
        arena.check(from, from + count)
        guard count == bytes.count else { return false }
        return unsafe bytes.withUnsafeBufferPointer { other in
            guard let base = other.baseAddress else { return true }
            return unsafe memcmp(arena.base + from, base, count) == 0
        }
    }

    /// Whether `count` bytes of `arena` from `from` on are `bytes`.
    @inline(__always)
    public static func equal(_ arena: borrowing Arena, from: Int, count: Int, _ bytes: borrowing [UInt8]) -> Bool {
        equal(arena, from: from, count: count, bytes.span)
    }

    /// Whether `count` bytes of `arena` from `from` on are the UTF-8 of `text`.
    @inline(__always)
    public static func equal(_ arena: borrowing Arena, from: Int, count: Int, _ text: StaticString) -> Bool {
        arena.check(from, from + count)
        return unsafe count == text.utf8CodeUnitCount && memcmp(arena.base + from, text.utf8Start, count) == 0
    }

    /// Whether two spans hold the same bytes.
    public static func equal(_ one: Span<UInt8>, _ other: Span<UInt8>) -> Bool {
        guard one.count == other.count else { return false }
        return unsafe one.withUnsafeBufferPointer { a in
            unsafe other.withUnsafeBufferPointer { b in
                guard let first = a.baseAddress, let second = b.baseAddress else { return true }
                return unsafe memcmp(first, second, a.count) == 0
            }
        }
    }

    @inline(__always)
    private static func firstIndex(
        of byte: UInt8, at base: UnsafePointer<UInt8>, from: Int, to: Int
    ) -> Int {
        guard from < to, let place = unsafe memchr(base + from, Int32(byte), to - from) else { return -1 }
        return unsafe UnsafeRawPointer(place) - UnsafeRawPointer(base)
    }

    private static func find(_ needle: Span<UInt8>, at base: UnsafePointer<UInt8>, count: Int) -> Int {
        unsafe needle.withUnsafeBufferPointer { wanted in
            guard let place = unsafe sluice_memmem(base, count, wanted.baseAddress, wanted.count) else { return -1 }
            return unsafe UnsafeRawPointer(place) - UnsafeRawPointer(base)
        }
    }
}

extension Arena {
    /// Stops the program when `from..<to` is not a range of the contents.
    @inlinable @inline(__always)
    func check(_ from: Int, _ to: Int) {
        precondition(from >= 0 && from <= to && to <= count, "a range lies outside of the arena")
    }
}
