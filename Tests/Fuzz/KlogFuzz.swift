// Feeds texts behind a klog header to the parser under libFuzzer, which wants all sources in one module:
// swiftc -O -sanitize=fuzzer,address -parse-as-library -package-name sluice -enable-experimental-feature Lifetimes -module-name Bytes -I Sources/CLinux Sources/Bytes/*.swift Sources/Records/*.swift Tests/Fuzz/KlogFuzz.swift -o /tmp/klog-fuzz && /tmp/klog-fuzz -max_total_time=60

/// Stops with the input kept when a rule does not hold.
private func require(_ condition: Bool, _ rule: StaticString) {
    if !condition { fatalError("\(rule)") }
}

@_cdecl("LLVMFuzzerTestOneInput")
func fuzzOne(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    let input = unsafe Array(UnsafeBufferPointer(start: start, count: count))
    check(input, header: "")
    check(input, header: "I1123 03:28:02.913293   16167 kubelet.go:2243] ")
    check(input, header: "E1123 03:28:02.913293   16167 kubelet.go:2243] \"message\" ")
    return 0
}

private func check(_ input: [UInt8], header: StaticString) {
    var batch = RecordBatch()
    batch.ending = Array("}\n".utf8)
    for _ in 0..<2 {
        let start = batch.arena.count
        batch.arena.append(header)
        batch.arena.append(input)
        batch.rows.append(Row(time: 0, start: start, length: batch.arena.count - start, stream: .none))
        // What lies behind a line changes nothing: the second one has the first one's members behind it.
        batch.parseKlog()
    }
    var encoder = RecordEncoder(mode: .merge, reserved: ReservedNames())
    var (first, second) = ([UInt8](), [UInt8]())
    var counts = Counts()
    for index in 0..<2 {
        var out = Arena()
        encoder.append(batch.rows[index], of: batch, to: &out, counts: &counts)
        require(JSONScanner.validate(out, from: 0, to: out.count), "a record is valid JSON")
        require(ByteSearch.firstIndex(of: 10, in: out, from: 0, to: out.count) == out.count - 1, "a record is one line")
        if index == 0 { first = Array(copying: out.span) } else { second = Array(copying: out.span) }
    }
    require(first == second, "the same line gives the same record")
    let row = batch.rows[0]
    let severity = KlogLine.severity(of: batch.arena, from: 0, to: header.utf8CodeUnitCount + input.count)
    require(row.flags.contains(.parsed) == (severity != nil), "a line is parsed when it has a severity")
    guard severity != nil else { return }
    require(row.tapeCount == 3, "there are three members")
    let isReplaced = counts[.invalidTextRecords] + batch.counts[.invalidTextRecords] > 0
    require(isReplaced == row.flags.contains(.invalidText), "what was replaced is marked")

    // Every name in `klog` is there once.
    var text = Arena()
    text.append(batch.arena, from: batch.tape[2].valueStart, count: batch.tape[2].valueLength)
    var tape = Column<JSONMember>()
    require(JSONScanner.scanObject(text, from: 0, to: text.count, tape: &tape).memberCount >= 2, "klog is an object")
    for one in 0..<tape.count {
        for other in 0..<one { require(!JSONScanner.keysEqual(text, tape[one], tape[other]), "names differ") }
    }
    // Without pairs the message is the text as it stands, or all of it is one quoted string.
    let quote = UInt8(ascii: "\"")
    guard tape.count == 2, batch.arena[Int(row.messageStart)] != quote, !isReplaced else { return }
    let message = batch.tape[0]
    let shown = JSONScanner.unescape(batch.arena, from: message.valueStart + 1, count: message.valueLength - 2)
    require(
        ByteSearch.equal(batch.arena, from: Int(row.messageStart), count: Int(row.messageLength), shown),
        "a text stays as it is")
}
