// Feeds bytes to the JSON scanner, the escaper and the time parser under libFuzzer, which wants all sources in one module:
// swiftc -O -sanitize=fuzzer,address -parse-as-library -package-name sluice -enable-experimental-feature Lifetimes -module-name BytesFuzz -I Sources/CLinux Sources/Bytes/*.swift Tests/Fuzz/BytesFuzz.swift -o /tmp/bytes-fuzz && /tmp/bytes-fuzz -max_total_time=60

/// Stops with the input kept when a rule does not hold.
private func require(_ condition: Bool, _ rule: StaticString) {
    if !condition { fatalError("\(rule)") }
}

@_cdecl("LLVMFuzzerTestOneInput")
func fuzzOne(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    let input = unsafe Array(UnsafeBufferPointer(start: start, count: count))
    checkScanner(input)
    checkEscaper(input)
    checkTimes(input)
    return 0
}

private func arena(_ bytes: [UInt8]) -> Arena {
    var arena = Arena(capacity: bytes.count)
    arena.append(bytes)
    return arena
}

private func checkScanner(_ input: [UInt8]) {
    var text = arena(input)
    var tape = Column<JSONMember>(capacity: 1)
    let isValid = JSONScanner.validate(text, from: 0, to: input.count)
    let scan = JSONScanner.scanObject(text, from: 0, to: input.count, tape: &tape)
    let first = input.first { $0 > 0x20 }
    require(scan.isObject == (isValid && first == UInt8(ascii: "{")), "an object is a valid value that begins like one")
    require(tape.count == max(0, scan.memberCount), "the tape holds what was found")

    // What lies behind the range changes nothing.
    for tail in ["\"}", "0", "]", "\\"] as [StaticString] {
        text.truncate(to: input.count)
        text.append(tail)
        var other = Column<JSONMember>()
        require(JSONScanner.validate(text, from: 0, to: input.count) == isValid, "only the range counts")
        require(
            JSONScanner.scanObject(text, from: 0, to: input.count, tape: &other) == scan, "only the range counts")
    }

    guard scan.isObject else { return }
    var rebuilt = Arena()
    rebuilt.append("{")
    for index in 0..<tape.count {
        let member = tape[index]
        let keyEnd = member.keyStart + member.keyLength
        require(JSONScanner.validate(text, from: member.keyStart - 1, to: keyEnd + 1), "a key is a string")
        require(
            JSONScanner.validate(text, from: member.valueStart, to: member.valueStart + member.valueLength),
            "a value is valid by itself")
        let key = JSONScanner.decodedKey(text, member)
        require(String(validating: key, as: UTF8.self) != nil, "a decoded key is UTF-8")
        require(JSONScanner.keyEquals(text, member, key), "a key equals what it is decoded to")
        require(JSONScanner.keysEqual(text, member, member), "a key equals itself")
        if index > 0 { rebuilt.append(",") }
        rebuilt.append(text, from: member.keyStart - 1, count: member.keyLength + 2)
        rebuilt.append(":")
        rebuilt.append(text, from: member.valueStart, count: member.valueLength)
    }
    rebuilt.append("}")
    require(JSONScanner.validate(rebuilt, from: 0, to: rebuilt.count), "members make an object again")
    let newlines = input[scan.bodyStart..<scan.bodyEnd].contains(10)
    require(!newlines || scan.hasNewlines, "line feeds in the body are noticed")
}

private func checkEscaper(_ input: [UInt8]) {
    let text = arena(input)
    let repaired = String(decoding: input, as: UTF8.self)
    var escaped = Arena(capacity: 0)
    escaped.append("\"")
    let isReplaced = escaped.appendEscaped(text, from: 0, count: input.count)
    escaped.append("\"")
    require(isReplaced != repaired.utf8.elementsEqual(input), "a replacement is told")
    require(JSONScanner.validate(escaped, from: 0, to: escaped.count), "what is escaped is a JSON string")
    let back = JSONScanner.unescape(escaped, from: 1, count: escaped.count - 2)
    require(repaired.utf8.elementsEqual(back), "what is escaped reads back")
    var narrow = Arena()
    narrow.appendJSONString(input)
    require(ByteSearch.equal(narrow.span, escaped.span), "spans are escaped as arenas are")
    require(UTF8Text.isValid(text, from: 0, to: input.count) != isReplaced, "validity and repair agree")
    // Of bytes that are no JSON string, unescaping only has to end.
    var loose = Arena()
    loose.appendUnescaped(text, from: 0, count: input.count)
    let unescaped = JSONScanner.unescape(text, from: 0, count: input.count)
    require(ByteSearch.equal(loose.span, unescaped.span), "both unescape alike")
    let cut = input.count / 2
    let floor = UTF8Text.floorBoundary(text, from: 0, cut: cut)
    require(floor <= cut && floor >= cut - 3 && floor >= 0, "a cut moves back by 3 at most")
}

private func checkTimes(_ input: [UInt8]) {
    let text = arena(input)
    var parser = TimestampParser()
    let time = parser.parse(text, from: 0, to: input.count)
    require(time == parser.parse(text, from: 0, to: input.count), "a second look reads the same")
    guard time != TimestampParser.invalid else { return }
    require(parser.end >= 20 && parser.end <= input.count, "a time ends inside of its bytes")
    var writer = TimestampWriter()
    var written = Arena()
    writer.append(time, to: &written)
    require(written.count == 30 && parser.parse(written, from: 0, to: 30) == time, "a time reads back")
}
