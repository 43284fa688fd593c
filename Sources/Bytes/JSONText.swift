// Writes bytes as JSON strings: escapes, and U+FFFD in place of what is not UTF-8.

extension Arena {
    /// Appends `length` bytes of `source` from `start` on as the inside of a JSON string, without quotes.
    ///
    /// `"`, `\` and control characters are escaped, UTF-8 is copied, and each maximal invalid subpart (`UTF8Text`)
    /// becomes U+FFFD. The result may be six times as long.
    /// - Returns: whether something was replaced by U+FFFD.
    @inline(__always)
    public mutating func appendEscaped(_ source: borrowing Arena, from start: Int, count length: Int) -> Bool {
        source.check(start, start + length)
        return unsafe appendEscaped(source.base + start, count: length, readable: length + Self.slack)
    }

    /// The same, but no more than `limit` bytes: as many whole characters as fit, or a few less. Escaping may make a text six times
    /// as long, which nobody who limits its length expects.
    public mutating func appendEscaped(
        _ source: borrowing Arena, from start: Int, count length: Int, atMost limit: Int
    ) -> EscapedPart {
        let (first, end) = (count, start + length)
        var part = EscapedPart(length: 0, hasReplaced: false)
        // What does not fit is tried again in smaller blocks.
        var block = 4096
        while part.length < length {
            let from = start + part.length
            let to = end - from <= block ? end : UTF8Text.floorBoundary(source, from: from, cut: from + block)
            let before = count
            let hasReplaced = appendEscaped(source, from: from, count: to - from)
            if count - first <= limit {
                part.length = to - start
                part.hasReplaced = part.hasReplaced || hasReplaced
                continue
            }
            truncate(to: before)
            if block == 16 { break }
            block /= 16
        }
        return part
    }

    /// Appends all of `bytes` as the inside of a JSON string, without quotes; see the form for arenas.
    @discardableResult
    public mutating func appendEscaped(_ bytes: Span<UInt8>) -> Bool {
        unsafe bytes.withUnsafeBufferPointer { buffer in
            guard let base = buffer.baseAddress else { return false }
            return unsafe appendEscaped(base, count: buffer.count, readable: buffer.count)
        }
    }

    /// Appends all of `bytes` as a JSON string with its quotes.
    public mutating func appendJSONString(_ bytes: Span<UInt8>) {
        append(UInt8(ascii: "\""))
        appendEscaped(bytes)
        append(UInt8(ascii: "\""))
    }

    /// Appends all of `bytes` as a JSON string with its quotes.
    public mutating func appendJSONString(_ bytes: borrowing [UInt8]) { appendJSONString(bytes.span) }

    /// Appends `text` as a JSON string with its quotes.
    public mutating func appendJSONString(_ text: String) { appendJSONString(Array(text.utf8).span) }

    /// Escapes `length` bytes at `source`, of which `readable` may be loaded.
    private mutating func appendEscaped(_ source: UnsafePointer<UInt8>, count length: Int, readable: Int) -> Bool {
        var escaper = unsafe Escaper(source: source, end: length, readable: readable)
        while escaper.position < length {
            // In blocks, so that the room asked for stays small: six bytes for each one, and what overhangs at the end.
            let blockEnd = min(length, escaper.position + 4096)
            _ = fill((blockEnd - escaper.position) * 6 + 64) { room in
                unsafe room.withUnsafeMutableBufferPointer { buffer in
                    guard let target = buffer.baseAddress else { return 0 }
                    return unsafe escaper.escape(upTo: blockEnd, into: target)
                }
            }
        }
        return escaper.hasReplaced
    }
}

/// How much of a text was escaped.
public struct EscapedPart: BitwiseCopyable, Sendable {
    /// Bytes of the text.
    public fileprivate(set) var length: Int
    /// Whether something among them was replaced by U+FFFD.
    public fileprivate(set) var hasReplaced: Bool
}

/// Where escaping stands in its source.
@safe
private struct Escaper {
    let source: UnsafePointer<UInt8>
    /// The number of bytes to escape.
    let end: Int
    /// The number of bytes that may be loaded.
    let readable: Int
    var position = 0
    var hasReplaced = false

    init(source: UnsafePointer<UInt8>, end: Int, readable: Int) {
        unsafe self.source = source
        self.end = end
        self.readable = readable
    }

    /// Goes on to `blockEnd`, or behind it to the end of a sequence that begins before it, and returns how many bytes were
    /// written. There must be room for 6 for each one read, and 64.
    @inline(__always)
    mutating func escape(upTo blockEnd: Int, into target: UnsafeMutablePointer<UInt8>) -> Int {
        var i = position
        var out = unsafe target
        while i < blockEnd {
            if readable - i >= 16 {
                let plain = unsafe min(Self.copyPlain(source + i, to: out), blockEnd - i)
                i += plain
                unsafe out += plain
                if plain == 16 || i == blockEnd { continue }
            }
            let byte = unsafe source[i]
            if byte < 0x80 {
                unsafe out += Self.write(byte, to: out)
                i += 1
                continue
            }
            repeat {
                let length = unsafe UTF8Text.step(source, i, end)
                if length > 0 {
                    if readable - i >= 4 {
                        let four = unsafe UnsafeRawPointer(source + i).loadUnaligned(as: UInt32.self)
                        unsafe UnsafeMutableRawPointer(out).storeBytes(of: four, as: UInt32.self)
                    } else {
                        for k in 0..<length { unsafe out[k] = source[i + k] }
                    }
                    unsafe out += length
                    i += length
                } else {
                    unsafe out[0] = 0xef
                    unsafe out[1] = 0xbf
                    unsafe out[2] = 0xbd
                    unsafe out += 3
                    i -= length
                    hasReplaced = true
                }
            } while unsafe i < blockEnd && source[i] >= 0x80
        }
        position = i
        return unsafe out - target
    }

    /// Copies 16 bytes and returns how many of them, from the first on, need nothing more: up to a quote, backslash,
    /// control character or byte above 7f.
    @inline(__always)
    private static func copyPlain(_ source: UnsafePointer<UInt8>, to target: UnsafeMutablePointer<UInt8>) -> Int {
        let bytes = unsafe UnsafeRawPointer(source).loadUnaligned(as: SIMD16<Int8>.self)
        unsafe UnsafeMutableRawPointer(target).storeBytes(of: bytes, as: SIMD16<Int8>.self)
        // As signed numbers, control characters and bytes above 7f are all below 20. With a scalar to the right, or a
        // vector whose element type is left to inference, the comparisons would be compiled lane by lane.
        let stops =
            (bytes .== SIMD16<Int8>(repeating: 0x22)) .| (bytes .== SIMD16<Int8>(repeating: 0x5c))
            .| (bytes .< SIMD16<Int8>(repeating: 0x20))
        let halves = unsafe unsafeBitCast(stops, to: SIMD2<UInt64>.self)
        if halves[0] != 0 { return halves[0].trailingZeroBitCount >> 3 }
        // Without any stop there are 64 zero bits, which makes 16.
        return 8 + halves[1].trailingZeroBitCount >> 3
    }

    /// Writes an ASCII byte, escaped where it must be, and returns how many bytes that took.
    @inline(__always)
    private static func write(_ byte: UInt8, to target: UnsafeMutablePointer<UInt8>) -> Int {
        let letter: UInt8
        switch byte {
        case 0x22, 0x5c: letter = byte
        case 0x08: letter = UInt8(ascii: "b")
        case 0x09: letter = UInt8(ascii: "t")
        case 0x0a: letter = UInt8(ascii: "n")
        case 0x0c: letter = UInt8(ascii: "f")
        case 0x0d: letter = UInt8(ascii: "r")
        case 0x00..<0x20:
            // \u00 and two hexadecimal digits.
            let low = byte & 15
            unsafe UnsafeMutableRawPointer(target).storeBytes(of: UInt32(0x3030_755c).littleEndian, as: UInt32.self)
            unsafe target[4] = 0x30 + byte >> 4
            unsafe target[5] = low < 10 ? 0x30 + low : 0x57 + low
            return 6
        default:
            unsafe target[0] = byte
            return 1
        }
        unsafe target[0] = 0x5c
        unsafe target[1] = letter
        return 2
    }
}
