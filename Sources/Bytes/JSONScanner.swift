// Checks JSON to the letter of RFC 8259 and notes where an object's members are; builds nothing, copies nothing.

/// One member of a JSON object, as ranges of the arena that was scanned. 16 bytes.
public struct JSONMember: BitwiseCopyable, Sendable {
    /// The ranges packed together with their flags; the accessors below take them apart.
    public let keyStartBits: UInt32
    /// The highest bit says that there is an escape.
    public let keyLengthBits: UInt32
    public let valueStartBits: UInt32
    public let valueLengthBits: UInt32

    /// The flag in `keyLengthBits`.
    public static var escapeBit: UInt32 { 1 << 31 }

    /// Creates a member. Offsets are below 2^32, lengths below 2^31; the flags are what the accessors of their names say.
    @inline(__always)
    public init(
        keyStart: Int, keyLength: Int, valueStart: Int, valueLength: Int,
        keyHasEscapes: Bool = false, valueHasEscapes: Bool = false
    ) {
        precondition(keyLength < Self.escapeBit && valueLength < Self.escapeBit, "a JSON member is 2 GiB or longer")
        keyStartBits = UInt32(keyStart)
        keyLengthBits = UInt32(keyLength) | (keyHasEscapes ? Self.escapeBit : 0)
        valueStartBits = UInt32(valueStart)
        valueLengthBits = UInt32(valueLength) | (valueHasEscapes ? Self.escapeBit : 0)
    }

    /// The same for a text that is not too long as a whole.
    @inline(__always)
    fileprivate init(
        unchecked keyStart: Int, _ keyLength: Int, _ valueStart: Int, _ valueLength: Int,
        keyHasEscapes: Bool, valueHasEscapes: Bool
    ) {
        keyStartBits = UInt32(truncatingIfNeeded: keyStart)
        keyLengthBits = UInt32(truncatingIfNeeded: keyLength) | (keyHasEscapes ? Self.escapeBit : 0)
        valueStartBits = UInt32(truncatingIfNeeded: valueStart)
        valueLengthBits = UInt32(truncatingIfNeeded: valueLength) | (valueHasEscapes ? Self.escapeBit : 0)
    }

    /// Where the key begins, behind its quote.
    public var keyStart: Int { Int(keyStartBits) }
    /// Bytes of the key, without its quotes, as written.
    public var keyLength: Int { Int(keyLengthBits & ~Self.escapeBit) }
    /// Where the value begins, with its quote or bracket.
    public var valueStart: Int { Int(valueStartBits) }
    /// Bytes of the value as written; a scanned value has at least one.
    public var valueLength: Int { Int(valueLengthBits & ~Self.escapeBit) }
    /// Whether the key has to be unescaped before it can be compared byte by byte.
    public var keyHasEscapes: Bool { keyLengthBits & Self.escapeBit != 0 }
    /// Whether the value is a string with an escape in it.
    public var valueHasEscapes: Bool { valueLengthBits & Self.escapeBit != 0 }
}

/// What `JSONScanner.scanObject` found.
public struct JSONObjectScan: Equatable, Sendable {
    /// How many members were appended to the tape; -1 when the bytes are not exactly one JSON object.
    public let memberCount: Int
    /// Where the first member begins.
    public let bodyStart: Int
    /// Where the last member ends. The bytes between are all members with their commas.
    public let bodyEnd: Int
    /// Whether a line feed stands between tokens inside the braces, so that a copy of the bytes would be two lines.
    public let hasNewlines: Bool

    /// Whether the bytes were exactly one JSON object.
    public var isObject: Bool { memberCount >= 0 }

    fileprivate static var failure: JSONObjectScan {
        JSONObjectScan(memberCount: -1, bodyStart: 0, bodyEnd: 0, hasNewlines: false)
    }
}

/// Checks and takes apart JSON in an arena. RFC 8259 where it leaves no choice; where it does:
///
/// - whitespace around a value is accepted, a byte order mark is not;
/// - more than `maximumDepth` open brackets are refused;
/// - `\u` escapes of lone surrogates are refused, and so are numbers beyond what a `Double` can hold (`1e400`): many
///   receivers refuse the whole request for either;
/// - duplicate keys are accepted.
public enum JSONScanner {
    /// How many objects and arrays may be open at once; the outermost counts.
    public static let maximumDepth = 128

    /// Checks that `from..<to` of `arena` is exactly one JSON object and appends its members to `tape`.
    /// The tape is as before when it is not. Duplicate keys appear as often as they are written.
    public static func scanObject(
        _ arena: borrowing Arena, from: Int, to: Int, tape: inout Column<JSONMember>
    ) -> JSONObjectScan {
        arena.check(from, to)
        precondition(to <= UInt32.max && to - from <= Int32.max, "a JSON text lies beyond 4 GiB or is 2 GiB or longer")
        let tapeStart = tape.count
        let scan = unsafe JSONCursor(base: arena.base, end: to).object(at: from, tape: &tape)
        if !scan.isObject { tape.truncate(to: tapeStart) }
        return scan
    }

    /// Whether `from..<to` of `arena` is exactly one JSON value of any kind.
    public static func validate(_ arena: borrowing Arena, from: Int, to: Int) -> Bool {
        arena.check(from, to)
        let cursor = unsafe JSONCursor(base: arena.base, end: to)
        var hasNewlines = false
        let start = cursor.skipSpace(from, &hasNewlines)
        let value = cursor.value(at: start, depth: 0)
        guard value.next >= 0 else { return false }
        return cursor.skipSpace(value.next, &hasNewlines) == to
    }
}

/// Where a token ended, or `failed`, and one thing that was noticed on the way.
private struct JSONStep {
    static let failed = -1
    let next: Int
    /// After a string: whether it has an escape. After an object or array: whether a line feed is between its tokens.
    let flag: Bool

    @inline(__always)
    init(_ next: Int, flag: Bool = false) {
        self.next = next
        self.flag = flag
    }
}

/// The bytes being scanned. Methods take an index and give the index behind what they accepted.
///
/// What lies behind `end` is arbitrary, but it may be looked at: to ask for the end before each byte would take a tenth
/// longer. Indices only grow, and a text is accepted only when the last one is `end`; so where a token reaches behind
/// it, the text is refused, whatever else is found there. All loops ask for the end, which keeps the indices within the
/// arena's slack: the furthest is that behind an escape of 12 bytes at the end of a word.
@safe
private struct JSONCursor {
    let base: UnsafeMutablePointer<UInt8>
    let end: Int

    @inline(__always)
    init(base: UnsafeMutablePointer<UInt8>, end: Int) {
        unsafe self.base = base
        self.end = end
    }

    /// The byte at `i`, which may lie a little behind the end.
    @inline(__always)
    func byte(_ i: Int) -> UInt8 { unsafe base[i] }

    /// The byte at `i`, or 0, which no token begins with, from the end on.
    @inline(__always)
    func byteBeforeEnd(_ i: Int) -> UInt8 { i < end ? unsafe base[i] : 0 }

    /// The index of the first byte from `i` on that is not whitespace.
    @inline(__always)
    func skipSpace(_ i: Int, _ hasNewlines: inout Bool) -> Int {
        if byte(i) > 0x20 { return i }
        let space = spaces(i)
        if space.flag { hasNewlines = true }
        return space.next
    }

    /// Whether `wanted` is the first byte from `i` on that is not whitespace, to which `i` moves. Most often it stands
    /// there already.
    @inline(__always)
    func comes(_ wanted: UInt8, at i: inout Int, _ hasNewlines: inout Bool) -> Bool {
        if byte(i) == wanted { return true }
        i = skipSpace(i, &hasNewlines)
        return byte(i) == wanted
    }

    @inline(never)
    private func spaces(_ start: Int) -> JSONStep {
        var i = start
        var hasNewlines = false
        while true {
            switch byteBeforeEnd(i) {
            case 0x20, 0x09, 0x0d: break
            case 0x0a: hasNewlines = true
            default: return JSONStep(i, flag: hasNewlines)
            }
            i += 1
        }
    }

    /// A whole text that is one object.
    @inline(__always)
    func object(at start: Int, tape: inout Column<JSONMember>) -> JSONObjectScan {
        var hasNewlines = false
        var outerNewline = false
        var i = skipSpace(start, &outerNewline)
        guard byte(i) == UInt8(ascii: "{") else { return .failure }
        i = skipSpace(i + 1, &hasNewlines)
        let bodyStart = i
        var bodyEnd = i
        let tapeStart = tape.count
        if byte(i) != UInt8(ascii: "}") {
            while true {
                guard comes(UInt8(ascii: "\""), at: &i, &hasNewlines) else { return .failure }
                let keyStart = i + 1
                let key = string(after: keyStart)
                i = key.next
                guard i >= 0, comes(UInt8(ascii: ":"), at: &i, &hasNewlines) else { return .failure }
                let valueStart = skipSpace(i + 1, &hasNewlines)
                let isString = byte(valueStart) == UInt8(ascii: "\"")
                let value = isString ? string(after: valueStart + 1) : value(at: valueStart, depth: 1)
                guard value.next >= 0 else { return .failure }
                bodyEnd = value.next
                tape.append(
                    JSONMember(
                        unchecked: keyStart, key.next &- 1 &- keyStart, valueStart, bodyEnd &- valueStart,
                        keyHasEscapes: key.flag, valueHasEscapes: isString && value.flag))
                if !isString && value.flag { hasNewlines = true }
                i = bodyEnd
                guard comes(UInt8(ascii: ","), at: &i, &hasNewlines) else { break }
                i += 1
            }
            guard byte(i) == UInt8(ascii: "}") else { return .failure }
        }
        guard skipSpace(i + 1, &outerNewline) == end else { return .failure }
        return JSONObjectScan(
            memberCount: tape.count - tapeStart, bodyStart: bodyStart, bodyEnd: bodyEnd, hasNewlines: hasNewlines)
    }

    /// A value inside of `depth` open brackets. Iterative: open brackets are bits, not stack frames.
    @inline(never)
    func value(at start: Int, depth outerDepth: Int) -> JSONStep {
        var i = start
        var hasNewlines = false
        var depth = outerDepth
        // One bit for each bracket opened here, 1 for an object; the innermost is the lowest.
        var isObject: UInt128 = 0
        while true {
            let first = byte(i)
            if first == UInt8(ascii: "{") || first == UInt8(ascii: "[") {
                guard depth < JSONScanner.maximumDepth, i < end else { return JSONStep(JSONStep.failed) }
                depth += 1
                isObject = isObject << 1 | (first == UInt8(ascii: "{") ? 1 : 0)
                i = skipSpace(i + 1, &hasNewlines)
                // In ASCII the closing brackets come two after their opening ones.
                if byte(i) != first + 2 {
                    if isObject & 1 == 1 {
                        i = name(at: i, &hasNewlines)
                        guard i >= 0 else { return JSONStep(JSONStep.failed) }
                    }
                    continue
                }
            } else {
                i = scalar(at: i, first: first)
                guard i >= 0 else { return JSONStep(JSONStep.failed) }
                if depth == outerDepth { return JSONStep(i) }
                i = skipSpace(i, &hasNewlines)
            }
            // A value is complete, or an empty pair of brackets about to be; `i` is at what follows.
            while true {
                let next = byteBeforeEnd(i)
                if next == UInt8(ascii: ",") {
                    i += 1
                    if isObject & 1 == 1 {
                        i = name(at: i, &hasNewlines)
                        guard i >= 0 else { return JSONStep(JSONStep.failed) }
                    } else {
                        i = skipSpace(i, &hasNewlines)
                    }
                    break
                }
                guard next == (isObject & 1 == 1 ? UInt8(ascii: "}") : UInt8(ascii: "]")) else {
                    return JSONStep(JSONStep.failed)
                }
                i += 1
                depth -= 1
                isObject >>= 1
                if depth == outerDepth { return JSONStep(i, flag: hasNewlines) }
                i = skipSpace(i, &hasNewlines)
            }
        }
    }

    /// A key and its colon, up to its value.
    @inline(__always)
    private func name(at start: Int, _ hasNewlines: inout Bool) -> Int {
        var i = start
        guard comes(UInt8(ascii: "\""), at: &i, &hasNewlines) else { return JSONStep.failed }
        i = string(after: i + 1).next
        guard i >= 0, comes(UInt8(ascii: ":"), at: &i, &hasNewlines) else { return JSONStep.failed }
        return skipSpace(i + 1, &hasNewlines)
    }

    /// A string, a number or a word, which begins with `first`.
    @inline(__always)
    private func scalar(at i: Int, first: UInt8) -> Int {
        switch first {
        case UInt8(ascii: "\""): string(after: i + 1).next
        case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): number(at: i)
        case UInt8(ascii: "t"): word(at: i, 0x6575_7274)
        case UInt8(ascii: "n"): word(at: i, 0x6c6c_756e)
        case UInt8(ascii: "f"): word(at: i + 1, 0x6573_6c61)
        default: JSONStep.failed
        }
    }

    /// The four letters of `word`, the first one lowest.
    @inline(__always)
    private func word(at i: Int, _ word: UInt32) -> Int {
        guard end - i >= 4 else { return JSONStep.failed }
        let letters = unsafe UInt32(littleEndian: UnsafeRawPointer(base + i).loadUnaligned(as: UInt32.self))
        return letters == word ? i + 4 : JSONStep.failed
    }

    /// A string from behind its first quote to behind its last one.
    @inline(__always)
    func string(after start: Int) -> JSONStep {
        var i = start
        var hasEscape = false
        while i < end {
            let word = unsafe UInt64(littleEndian: UnsafeRawPointer(base + i).loadUnaligned(as: UInt64.self))
            let stops = Self.stops(in: word)
            if stops == 0 {
                i += 8
                continue
            }
            i &+= stops.trailingZeroBitCount >> 3
            let stop = byte(i)
            if stop == UInt8(ascii: "\"") { return JSONStep(i + 1, flag: hasEscape) }
            if stop >= 0x80 {
                i = text(at: i)
            } else {
                hasEscape = true
                i = escape(at: i)
            }
            guard i >= 0 else { break }
        }
        return JSONStep(JSONStep.failed)
    }

    /// The high bits of the bytes that are a quote, a backslash, a control character or above 7f. Those above the lowest
    /// such byte may be wrong.
    @inline(__always)
    private static func stops(in word: UInt64) -> UInt64 {
        let ones: UInt64 = 0x0101_0101_0101_0101
        // With bit 1 turned over, a quote is 20, and comes just behind the control characters; nothing else does.
        let quotesAndControls = (word ^ (ones &* 0x02)) &- (ones &* 0x21)
        let backslashes = (word ^ (ones &* 0x5c)) &- ones
        return (quotesAndControls | backslashes | word) & (ones &* 0x80)
    }

    /// UTF-8 up to the next ASCII byte.
    @inline(never)
    private func text(at start: Int) -> Int {
        var i = start
        while byteBeforeEnd(i) >= 0x80 {
            let length = unsafe UTF8Text.step(base, i, end)
            if length < 0 { return JSONStep.failed }
            i += length
        }
        return i
    }

    /// One escape; also called for, and refusing, a control character.
    @inline(never)
    private func escape(at i: Int) -> Int {
        guard byte(i) == UInt8(ascii: "\\") else { return JSONStep.failed }
        switch byte(i + 1) {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"), UInt8(ascii: "b"), UInt8(ascii: "f"),
            UInt8(ascii: "n"), UInt8(ascii: "r"), UInt8(ascii: "t"):
            return i + 2
        case UInt8(ascii: "u"):
            guard let unit = hexadecimal(at: i + 2) else { return JSONStep.failed }
            if unit & 0xf800 != 0xd800 { return i + 6 }
            guard unit < 0xdc00, byte(i + 6) == UInt8(ascii: "\\"), byte(i + 7) == UInt8(ascii: "u"),
                let low = hexadecimal(at: i + 8), low & 0xfc00 == 0xdc00
            else { return JSONStep.failed }
            return i + 12
        default: return JSONStep.failed
        }
    }

    /// The value of four hexadecimal digits.
    private func hexadecimal(at start: Int) -> UInt32? {
        var value: UInt32 = 0
        for i in start..<start + 4 {
            guard let digit = hexadecimalDigit(byte(i)) else { return nil }
            value = value << 4 | digit
        }
        return value
    }

    /// A number, by its grammar and its size.
    @inline(__always)
    private func number(at start: Int) -> Int {
        var i = start
        if byte(i) == UInt8(ascii: "-") { i += 1 }
        let whole = i
        i = digits(at: i)
        // No digit, or one more after a leading zero.
        if i == whole || (byte(whole) == UInt8(ascii: "0") && i > whole + 1) { return JSONStep.failed }
        // A number may be the whole text, and then what lies behind the end is not to spoil it.
        if byteBeforeEnd(i) == UInt8(ascii: ".") {
            let fraction = i + 1
            i = digits(at: fraction)
            if i == fraction { return JSONStep.failed }
        }
        var exponentLength = 0
        if byteBeforeEnd(i) | 0x20 == UInt8(ascii: "e") {
            i += 1
            if byte(i) == UInt8(ascii: "+") || byte(i) == UInt8(ascii: "-") { i += 1 }
            let exponent = i
            i = digits(at: exponent)
            if i == exponent { return JSONStep.failed }
            exponentLength = i - exponent
        }
        // 200 digits times 1e99 are still far from the largest Double.
        if (exponentLength > 2 || i - start > 200) && !isFinite(from: start, to: i) { return JSONStep.failed }
        return i
    }

    @inline(__always)
    private func digits(at start: Int) -> Int {
        var i = start
        while byteBeforeEnd(i) &- 0x30 < 10 { i += 1 }
        return i
    }

    /// Whether a number that is long or has a long exponent can be held by a Double.
    @inline(never)
    private func isFinite(from: Int, to: Int) -> Bool {
        let text = unsafe String(decoding: UnsafeBufferPointer(start: base + from, count: to - from), as: UTF8.self)
        return Double(text)?.isFinite ?? false
    }
}

// MARK: - Strings behind their escapes

extension JSONScanner {
    /// Whether the key of `member` is `name`, however it is spelled.
    @inline(__always)
    public static func keyEquals(_ arena: borrowing Arena, _ member: JSONMember, _ name: Span<UInt8>) -> Bool {
        if member.keyHasEscapes {
            return unescapedEquals(arena, from: member.keyStart, count: member.keyLength, name)
        }
        return ByteSearch.equal(arena, from: member.keyStart, count: member.keyLength, name)
    }

    /// Whether the key of `member` is `name`, however it is spelled.
    @inline(__always)
    public static func keyEquals(_ arena: borrowing Arena, _ member: JSONMember, _ name: borrowing [UInt8]) -> Bool {
        keyEquals(arena, member, name.span)
    }

    /// Whether the key of `member` is `name`, however it is spelled.
    public static func keyEquals(_ arena: borrowing Arena, _ member: JSONMember, _ name: StaticString) -> Bool {
        let bytes = unsafe UnsafeBufferPointer(start: name.utf8Start, count: name.utf8CodeUnitCount)
        return unsafe keyEquals(arena, member, Span(_unsafeElements: bytes))
    }

    /// Whether two members have the same key, however each is spelled.
    public static func keysEqual(_ arena: borrowing Arena, _ one: JSONMember, _ other: JSONMember) -> Bool {
        if one.keyHasEscapes && other.keyHasEscapes {
            return decodedKey(arena, one) == decodedKey(arena, other)
        }
        let (plain, spelled) = one.keyHasEscapes ? (other, one) : (one, other)
        return keyEquals(arena, spelled, arena.span.extracting(plain.keyStart..<plain.keyStart + plain.keyLength))
    }

    /// The key of `member` without its escapes.
    public static func decodedKey(_ arena: borrowing Arena, _ member: JSONMember) -> [UInt8] {
        unescape(arena, from: member.keyStart, count: member.keyLength)
    }

    /// Whether the value of `member` is a string and that string is `text`, however it is spelled.
    public static func valueEquals(_ arena: borrowing Arena, _ member: JSONMember, _ text: Span<UInt8>) -> Bool {
        guard member.valueLength >= 2, arena[member.valueStart] == UInt8(ascii: "\"") else { return false }
        let (start, length) = (member.valueStart + 1, member.valueLength - 2)
        if member.valueHasEscapes { return unescapedEquals(arena, from: start, count: length, text) }
        return ByteSearch.equal(arena, from: start, count: length, text)
    }

    /// The bytes that the inside of a JSON string stands for, in an array of its own.
    public static func unescape(_ arena: borrowing Arena, from: Int, count: Int) -> [UInt8] {
        arena.check(from, from + count)
        var bytes: [UInt8] = []
        bytes.reserveCapacity(count)
        var i = from
        while i < from + count {
            let piece = UnescapedPiece(arena, at: i, to: from + count)
            i += piece.sourceLength
            for k in 0..<piece.length { bytes.append(piece.bytes[k]) }
        }
        return bytes
    }

    private static func unescapedEquals(
        _ arena: borrowing Arena, from: Int, count: Int, _ bytes: Span<UInt8>
    ) -> Bool {
        arena.check(from, from + count)
        var i = from
        var matched = 0
        while i < from + count {
            let piece = UnescapedPiece(arena, at: i, to: from + count)
            i += piece.sourceLength
            for k in 0..<piece.length {
                guard matched < bytes.count, bytes[matched] == piece.bytes[k] else { return false }
                matched += 1
            }
        }
        return matched == bytes.count
    }
}

extension Arena {
    /// Appends what `length` bytes of `source` from `start` on, the inside of a JSON string, stand for.
    public mutating func appendUnescaped(_ source: borrowing Arena, from start: Int, count length: Int) {
        source.check(start, start + length)
        let end = start + length
        var i = start
        while i < end {
            let backslash = ByteSearch.firstIndex(of: UInt8(ascii: "\\"), in: source, from: i, to: end)
            let plainEnd = backslash < 0 ? end : backslash
            append(source, from: i, count: plainEnd - i)
            i = plainEnd
            if i == end { break }
            let piece = UnescapedPiece(source, at: i, to: end)
            i += piece.sourceLength
            append(piece.bytes.span.extracting(first: piece.length))
        }
    }
}

/// One byte or one escape of the inside of a JSON string, and the bytes it stands for.
///
/// Of strings that were scanned every escape is valid; of others, a lone surrogate stands for U+FFFD, and a backslash
/// before anything else for itself.
private struct UnescapedPiece {
    /// The first `length` are meant.
    var bytes: InlineArray<4, UInt8>
    var length = 1
    /// How many bytes it takes in the JSON text.
    var sourceLength = 1

    init(_ arena: borrowing Arena, at i: Int, to end: Int) {
        bytes = InlineArray(repeating: arena[i])
        guard bytes[0] == UInt8(ascii: "\\"), end - i >= 2 else { return }
        let letter = arena[i + 1]
        switch letter {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): bytes[0] = letter
        case UInt8(ascii: "b"): bytes[0] = 0x08
        case UInt8(ascii: "f"): bytes[0] = 0x0c
        case UInt8(ascii: "n"): bytes[0] = 0x0a
        case UInt8(ascii: "r"): bytes[0] = 0x0d
        case UInt8(ascii: "t"): bytes[0] = 0x09
        case UInt8(ascii: "u"):
            guard let unit = Self.unit(arena, at: i + 2, to: end) else { return }
            sourceLength = 6
            var scalar = unit
            if unit & 0xfc00 == 0xd800, end - i >= 8, arena[i + 6] == UInt8(ascii: "\\"),
                arena[i + 7] == UInt8(ascii: "u"),
                let low = Self.unit(arena, at: i + 8, to: end), low & 0xfc00 == 0xdc00
            {
                scalar = 0x10000 + (unit & 0x3ff) << 10 + (low & 0x3ff)
                sourceLength = 12
            }
            encode(Unicode.Scalar(scalar) ?? "\u{fffd}")
            return
        default: return
        }
        sourceLength = 2
    }

    private mutating func encode(_ scalar: Unicode.Scalar) {
        length = 0
        for byte in scalar.utf8 {
            bytes[length] = byte
            length += 1
        }
    }

    private static func unit(_ arena: borrowing Arena, at start: Int, to end: Int) -> UInt32? {
        guard end - start >= 4 else { return nil }
        var value: UInt32 = 0
        for i in start..<start + 4 {
            guard let digit = hexadecimalDigit(arena[i]) else { return nil }
            value = value << 4 | digit
        }
        return value
    }
}

/// The value of a hexadecimal digit in either case.
private func hexadecimalDigit(_ byte: UInt8) -> UInt32? {
    switch byte {
    case 0x30...0x39: UInt32(byte - 0x30)
    case 0x41...0x46: UInt32(byte - 0x37)
    case 0x61...0x66: UInt32(byte - 0x57)
    default: nil
    }
}
