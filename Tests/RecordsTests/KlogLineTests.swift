// klog lines: what is one, to the byte, and what becomes of it in its record.
import Bytes
import Foundation
import Records
import TestKit
import Testing

struct KlogLineTests {
    private static let header = "E1123 03:28:02.913293   16167 kubelet.go:2243] "
    private let klog = Encoding(klog: .behindJSON)

    /// What the record of a line has between its stream and its origin.
    private func members(_ line: String, _ encoding: Encoding? = nil) -> String {
        let before = #"{"time":"2026-11-23T03:14:07.123456789Z","stream":"stdout","#
        let record = (encoding ?? klog).line(line)
        guard record.hasPrefix(before), record.hasSuffix(#","origin":"test"}"#) else { return "strange: \(record)" }
        return String(record.dropFirst(before.count).dropLast(#","origin":"test"}"#.count))
    }

    /// The same of `header` with a text behind it, and a `|` in place of what the header always makes.
    private func text(_ text: String) -> String {
        let all = members(KlogLineTests.header + text)
        let severity = #""severity":"error","message":"#
        let caller = #","caller":"kubelet.go:2243","klog":{"time":"1123 03:28:02.913293","thread":16167"#
        let parts = all.components(separatedBy: caller)
        guard all.hasPrefix(severity), parts.count == 2 else { return "strange: \(all)" }
        return parts[0].dropFirst(severity.count) + "|" + parts[1]
    }

    // MARK: Whole records

    @Test(arguments: [
        (
            #"I1123 03:57:35.966203       1 endpoint.go:68] ccResolverWrapper: sending new addresses to cc: [{http://127.0.0.1:2379  <nil> 0 <nil>}]"#,
            #""severity":"info","message":"ccResolverWrapper: sending new addresses to cc: [{http://127.0.0.1:2379  <nil> 0 <nil>}]","caller":"endpoint.go:68","klog":{"time":"1123 03:57:35.966203","thread":1}"#
        ),
        (
            #"W1123 03:58:49.966193       1 controllermanager.go:533] "nodeipam" is disabled"#,
            #""severity":"warning","message":"\"nodeipam\" is disabled","caller":"controllermanager.go:533","klog":{"time":"1123 03:58:49.966193","thread":1}"#
        ),
        (
            #"E1123 03:59:18.620187       1 deployment_controller.go:490] "Error syncing deployment" deployment="shop/web" err="Operation cannot be fulfilled on deployments.apps \"web\": try again""#,
            #""severity":"error","message":"Error syncing deployment","caller":"deployment_controller.go:490","klog":{"time":"1123 03:59:18.620187","thread":1,"deployment":"shop/web","err":"Operation cannot be fulfilled on deployments.apps \"web\": try again"}"#
        ),
        (
            #"F0229 23:59:59.000000 4194304 runtime/asm_amd64.s:1] "#,
            #""severity":"critical","message":"","caller":"runtime/asm_amd64.s:1","klog":{"time":"0229 23:59:59.000000","thread":4194304}"#
        ),
        (
            #"I0101 00:00:00.000000 0 ???:1]"#,
            #""severity":"info","message":"","caller":"???:1","klog":{"time":"0101 00:00:00.000000","thread":0}"#
        ),
    ])
    func `a line becomes message, caller and klog`(_ example: (line: String, members: String)) {
        #expect(members(example.line) == example.members)
    }

    @Test(arguments: [
        // Structured: a Go string, then pairs or nothing.
        (#""Starting""#, #""Starting"|}"#),
        (#""""#, #"""|}"#),
        (
            #""SyncLoop ADD" source="api" pods=["kube-system/x"]"#,
            #""SyncLoop ADD"|,"source":"api","pods":"[\"kube-system/x\"]"}"#
        ),
        (#""a" b="" c= d=1"#, #""a"|,"b":"","c":"","d":"1"}"#),
        (
            #""HTTP" verb="GET" audit-ID="5" resp=200 k8s.io/x_y=1"#,
            #""HTTP"|,"verb":"GET","audit-ID":"5","resp":"200","k8s.io/x_y":"1"}"#
        ),
        // Values for people: brackets hold together, and without them a value goes on up to the next pair.
        (#""a" relatedReplicaSets=[web-5c4 web-688] n=1"#, #""a"|,"relatedReplicaSets":"[web-5c4 web-688]","n":"1"}"#),
        (
            #""a" event=&{ID:9b Type:ContainerStarted Data:c=3} x=y"#,
            #""a"|,"event":"&{ID:9b Type:ContainerStarted Data:c=3}","x":"y"}"#
        ),
        (#""a" m=map[b:1 c=d:(x y=z)] x=y"#, #""a"|,"m":"map[b:1 c=d:(x y=z)]","x":"y"}"#),
        (
            #""a" v=*v1.Pod{Name:"} b=\"c", Ports:[]int{1, 2}} x=y"#,
            #""a"|,"v":"*v1.Pod{Name:\"} b=\\\"c\", Ports:[]int{1, 2}}","x":"y"}"#
        ),
        (#""a" v=[]string{"b", "c d=e"} x=y"#, #""a"|,"v":"[]string{\"b\", \"c d=e\"}","x":"y"}"#),
        (
            #""a" err=<nil> v=<invalid <b> c=d> n=(MISSING)"#,
            #""a"|,"err":"<nil>","v":"<invalid <b> c=d>","n":"(MISSING)"}"#
        ),
        (#""a" v={x -> y < z} w=1<2 u=b) t=a-> x"#, #""a"|,"v":"{x -> y < z}","w":"1<2","u":"b)","t":"a-> x"}"#),
        (
            #""a" at=2021-03-04 05:06:07.8 +0000 UTC m=+0.012 b=c"#,
            #""a"|,"at":"2021-03-04 05:06:07.8 +0000 UTC m=+0.012","b":"c"}"#
        ),
        (#""a" x=1 m=2 m="#, #""a"|,"x":"1","m":"2","m_":""}"#),
        (#""a" x=some "b=c d=e" words = here 1=2 "#, #""a"|,"x":"some \"b=c d=e\" words = here 1=2 "}"#),
        (#""a" b==c=d"#, #""a"|,"b":"=c=d"}"#),
        // Names that are there already.
        (
            #""a" time=1 thread=2 b=3 b=4 b_=5 b=6 time_=7"#,
            #""a"|,"time_":"1","thread_":"2","b":"3","b_":"4","b__":"5","b___":"6","time__":"7"}"#
        ),
        (#""a" message=1 caller=2 klog=3 severity=4"#, #""a"|,"message":"1","caller":"2","klog":"3","severity":"4"}"#),
        // Escapes.
        (
            #""\a\b\f\n\r\t\v\\\"\'" b="\x41\101\u00e9\U0001f9a6\u2028""#,
            "\"\\u0007\\b\\f\\n\\r\\t\\u000b\\\\\\\"'\"|,\"b\":\"AA\u{e9}\u{1f9a6}\u{2028}\"}"
        ),
        (#""\xe2\x82\xac \342\202\254" b="x\U0000004a""#, "\"\u{20ac} \u{20ac}\"|,\"b\":\"xJ\"}"),
        (#""a\x00\x7f" b="☃""#, "\"a\\u0000\u{7f}\"|,\"b\":\"☃\"}"),
    ])
    func `a structured text is taken apart`(_ example: (text: String, members: String)) {
        #expect(text(example.text) == example.members)
    }

    @Test(arguments: [
        // Not a quoted string, or more than one.
        #"SyncLoop (ADD, "api"): "long_noise(95aed0c1)""#, #""foo" is bar"#, #""foo"bar"#, #""foo" "bar""#, #""foo"#,
        #"""#,
        #""foo" "#, #""foo"  a=b"#, " \"foo\"", "\"foo\"\ta=b", #""msg"="x" "key"="y""#, #"{"a":1}"#, " ",
        "a\u{0}b\u{1f9a6}",
        // Keys that are none.
        #""a" =b"#, #""a" 1b=c"#, #""a" b c=d"#, #""a" b"#, #""a" b=c" d=e"#, #""a" b="c"d=e"#, #""a" b="c"  d=e"#,
        #""a" b="c" "#,
        #""a" .b=c"#, #""a" b:c=d"#, #""a" -b=c"#, #""a" é=c"#,
        // Brackets and quotes that do not match: nothing is guessed.
        #""a" b=[c"#, #""a" b=[c d=e"#, #""a" b=[0,5) c=d"#, #""a" b={c]} d=e"#, #""a" b=&{c "d} e=f"#,
        #""a" b=5" c=d"#, #""a" b=<"#,
        #""a" b=<c d=e"#, #""a" b=("c\") d=e"#,
        // Escapes that Go does not write.
        #""\z""#, #""\x4""#, #""\x4g""#, #""\400""#, #""\08""#, #""\ud800""#, #""\U00110000""#, #""\u12""#,
        #""a" b="\q""#, #""\"#,
        #""a" b="c\"#,
    ])
    func `any other text stays as it is`(text: String) throws {
        let record = try klog.record(KlogLineTests.header + text)
        #expect(record["message"] as? String == text)
        #expect(record["klog"] == ["time": "1123 03:28:02.913293", "thread": 16167] as NSDictionary)
        #expect(record["severity"] as? String == "error")
        #expect(record["caller"] as? String == "kubelet.go:2243")
    }

    @Test func `a line may have 64 pairs, and with more it stays as it is`() throws {
        for (count, names) in [(64, 66), (65, 2)] {
            let pairs = (0..<count).map { " key=\($0)" }.joined()
            let record = try klog.record(KlogLineTests.header + "\"many\"" + pairs)
            #expect((record["klog"] as? [String: NSObject])?.count == names)
            #expect(record["message"] as? String == (count == 64 ? "many" : "\"many\"" + pairs))
        }
    }

    @Test func `brackets may be open 64 times`() throws {
        for depth in [64, 65] {
            let value =
                String(repeating: "[{", count: 32) + (depth > 64 ? "()" : "") + String(repeating: "}]", count: 32)
            let record = try klog.record(KlogLineTests.header + "\"deep\" value=\(value) b=c")
            #expect(record["message"] as? String == (depth == 64 ? "deep" : "\"deep\" value=\(value) b=c"))
        }
    }

    // MARK: The header

    /// What a header is, written down once more for another engine.
    private static let pattern: NSRegularExpression? = {
        let date = #"(0[1-9]|1[0-2])(0[1-9]|[12][0-9]|3[01])"#
        let time = #"([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]\.[0-9]{6}"#
        let rest = #" +(0|[1-9][0-9]{0,14}) [!#-9;-\[\]-~]+:[0-9]+\]( |\z)"#
        return try? NSRegularExpression(pattern: #"\A[IWEF]"# + date + " " + time + rest)
    }()

    private static func expected(_ line: [UInt8]) throws -> Severity? {
        let engine = try #require(pattern)
        let text = try #require(String(bytes: line, encoding: .isoLatin1))
        guard engine.firstMatch(in: text, range: NSRange(location: 0, length: line.count)) != nil else { return nil }
        switch line[0] {
        case UInt8(ascii: "I"): return .info
        case UInt8(ascii: "W"): return .warning
        case UInt8(ascii: "E"): return .error
        default: return .critical
        }
    }

    /// Looks at a line by both functions, alone and as a row between others; all have to say the same.
    private func severity(_ line: [UInt8]) -> Severity? {
        let found = KlogLine.severity(of: line.span)
        var batch = RecordBatch()
        batch.arena.append("I1123 03:28:02.9")
        let start = batch.arena.count
        batch.arena.append(line)
        batch.arena.append("13293 1 kubelet.go:2243] ")
        #expect(KlogLine.severity(of: batch.arena, from: start, to: start + line.count) == found)
        batch.rows.append(Row(time: 0, start: start, length: line.count, stream: .none))
        let before = batch.arena.count
        batch.parseKlog()
        let row = batch.rows[0]
        #expect(row.flags.contains(.parsed) == (found != nil))
        #expect(row.severity == found ?? .unknown)
        if found == nil {
            #expect(batch.arena.count == before && batch.tape.isEmpty)
            #expect(Int(row.messageStart) == start && Int(row.messageLength) == line.count)
        }
        return found
    }

    @Test(arguments: [header, "I0101 00:00:00.000000 0 f:1]"])
    func `a header with one byte wrong is a text`(line: String) throws {
        let bytes = Array(line.utf8)
        #expect(severity(bytes) != nil)
        for place in bytes.indices {
            for wrong in [0x00, 0x09, 0x0a, 0x22, 0x5c, 0x7f, 0x80, 0xff] as [UInt8] {
                var other = bytes
                other[place] = wrong
                #expect(severity(other) == nil, "byte \(place) is \(wrong)")
                let record = klog.lines([other]).lines[0]
                let escaped = record.contains("\"message\":\"") && !record.contains("caller")
                #expect(escaped && !record.contains("severity"))
            }
            #expect(severity(Array(bytes[..<place])) == (try KlogLineTests.expected(Array(bytes[..<place]))))
        }
    }

    @Test func `whatever is changed in a header, it is one when the rule says so`() throws {
        var random = SeededGenerator(seed: 71)
        let alphabet = Array("0123456789 :.][IWEFDxé\"\\/-".utf8)
        var kept = 0
        for _ in 0..<4_000 {
            var line = Array((random.oneIn(2) ? KlogLineTests.header : "W0930 19:59:59.999999 10 a-b.s:10] x").utf8)
            for _ in 0...random.below(3) {
                let place = random.below(line.count)
                switch random.below(3) {
                case 0: line[place] = alphabet[random.below(alphabet.count)]
                case 1: line.insert(alphabet[random.below(alphabet.count)], at: place)
                default: line.remove(at: place)
                }
            }
            let expected = try KlogLineTests.expected(line)
            if expected != nil { kept += 1 }
            guard severity(line) == expected else {
                Issue.record("\(String(decoding: line, as: UTF8.self)): not \(String(describing: expected))")
                return
            }
        }
        #expect(kept > 400 && kept < 3_600)
    }

    @Test(arguments: [
        "I1323 03:28:02.913293 1 f:1]", "I0023 03:28:02.913293 1 f:1]", "I1132 03:28:02.913293 1 f:1]",
        "I1100 03:28:02.913293 1 f:1]",
        "I1123 24:28:02.913293 1 f:1]", "I1123 03:60:02.913293 1 f:1]", "I1123 03:28:60.913293 1 f:1]",
        "I1123 03:28:02,913293 1 f:1]",
        "D1123 03:28:02.913293 1 f:1]", "i1123 03:28:02.913293 1 f:1]", "I1123 03:28:02.913293 01 f:1]",
        "I1123 03:28:02.913293 1 :1]",
        "I1123 03:28:02.913293 1234567890123456 f:1]", "I1123 03:28:02.913293 1 f:]", "I1123 03:28:02.913293 1 f:1]x",
        "INFO", "I", "",
        "I1123 03:28:02.91329 12 f:1]", "I1123 03:28:02.9132931 f:1]", "I1123 03:28:02.913293 1 f g:1]",
        "I1123 03:28:02.913293\t1 f:1]",
        "Iñtërnâtiônàlizætiøn, and more of it", "WARNING: 03:28:02.913293 1 f:1] text",
        "E1123 03:28:02.913293   16167 kubelet.go:2243",
    ])
    func `a line that is none stays a text, to the byte`(line: String) throws {
        #expect(severity(Array(line.utf8)) == nil)
        let record = try klog.record(line)
        #expect(record["message"] as? String == line)
        #expect(Set(record.keys) == ["time", "stream", "message", "origin"])
    }

    // MARK: Beside other things

    @Test(arguments: [(RecordFlags.truncated, "truncated"), (.unfinished, "unfinished"), (.malformed, "malformed")])
    func `of a line that was cut short the text is taken as it stands`(
        _ example: (flags: RecordFlags, mark: String)
    ) throws {
        var encoding = klog
        encoding.flags = example.flags
        let isWhole = example.flags.isDisjoint(with: .cutShort)
        let record = try encoding.record(KlogLineTests.header + #""SyncLoop ADD" source="api" pods=3"#)
        #expect(record["sluice"] == [example.mark] as NSArray)
        #expect(record["severity"] as? String == "error")
        #expect(record["caller"] as? String == "kubelet.go:2243")
        #expect(record["message"] as? String == (isWhole ? "SyncLoop ADD" : #""SyncLoop ADD" source="api" pods=3"#))
        #expect((record["klog"] as? NSDictionary)?.count == (isWhole ? 4 : 2))
    }

    @Test(arguments: [JSONMode.merge, .off, .under("app")], [Encoding.Klog.behindJSON, .beforeJSON])
    func `klog is merged whatever becomes of JSON`(_ mode: JSONMode, _ order: Encoding.Klog) throws {
        let encoding = Encoding(mode: mode, klog: order)
        let line = #"I1123 03:28:02.913293 1 f.go:1] "a" b=c"#
        #expect(members(line, encoding) == members(line))
        let text = try encoding.record(KlogLineTests.header + #"{"a":1}"#)
        #expect(text["message"] as? String == #"{"a":1}"#)
        #expect(text["a"] == nil && text["app"] == nil)
        let object = try encoding.record(#"{"message":"\#(KlogLineTests.header)","a":1}"#)
        #expect(object["caller"] == nil && object["klog"] == nil)
        switch mode {
        case .merge: #expect(object["a"] == 1 as NSNumber)
        case .off: #expect((object["message"] as? String)?.hasPrefix("{") == true)
        case .under: #expect((object["app"] as? [String: NSObject])?["a"] == 1 as NSNumber)
        }
    }

    @Test func `static fields keep their names, and klog's members are renamed`() throws {
        let ending = #","origin":"test","caller":"me","klog":1,"message":2}"# + "\n"
        let encoding = Encoding(fields: ["caller", "klog", "message"], ending: ending, klog: .behindJSON)
        let (lines, counts) = encoding.lines([Array((KlogLineTests.header + #""a" b=c"#).utf8)])
        let record = try parsed(lines[0])
        #expect(record["caller"] as? String == "me")
        #expect(record["caller_"] as? String == "kubelet.go:2243")
        #expect(record["message_"] as? String == "a")
        #expect((record["klog_"] as? NSDictionary)?["b"] as? String == "c")
        #expect(counts[.renamedMembers] == 3)
    }

    @Test func `bytes that are not UTF-8 are replaced, marked and counted once`() throws {
        let header = Array(KlogLineTests.header.utf8)
        let examples: [(text: [UInt8], message: String, value: String?)] = [
            ([0x61, 0xff] + Array(" b".utf8), "a\u{fffd} b", nil),
            (Array(#""a\xffb" b="\xe2\x82" c=d"#.utf8), "a\u{fffd}b", "\u{fffd}"),
            (Array(#""a" b=["#.utf8) + [0xe2, 0x82, 0x78] + Array("]".utf8), "a", "[\u{fffd}x]"),
            (Array(#""a" b=["#.utf8) + [0xff], "\"a\" b=[\u{fffd}", nil),
            // The parts of one character, one of them an escape: what counts is what they are together.
            (Array(#""a" b="\xe2\x82"#.utf8) + [0xac] + Array(#"""#.utf8), "a", "\u{20ac}"),
            (Array(#""\xff"#.utf8), #""\xff"#, nil),
        ]
        for (index, example) in examples.enumerated() {
            let (lines, counts) = klog.lines([header + example.text, Array("plain".utf8)])
            let record = try parsed(lines[0])
            let isReplaced = index < 4
            #expect(record["message"] as? String == example.message)
            if let value = example.value { #expect((record["klog"] as? NSDictionary)?["b"] as? String == value) }
            #expect(record["sluice"] == (isReplaced ? ["invalid_text"] as NSArray : nil))
            #expect(counts[.invalidTextRecords] == (isReplaced ? 1 : 0))
        }
    }

    @Test func `a batch has the members of all its lines, and is as new after a reset`() throws {
        var batch = RecordBatch()
        for round in 0..<3 {
            batch.reset()
            let texts = ["plain", KlogLineTests.header + #""a\n" b=c"#, #"{"x":1}"#, KlogLineTests.header + "d", ""]
            for text in texts { batch.add(text) }
            batch.parseJSON()
            batch.parseKlog()
            // Once more, as a second parser would: nothing is taken apart twice.
            let rows = (0..<5).map { batch.rows[$0] }
            let size = batch.arena.count
            batch.parseKlog()
            #expect(batch.arena.count == size && batch.tape.count == 7)
            for index in 0..<5 { #expect(batch.rows[index].tapeStart == rows[index].tapeStart) }
            #expect(
                (0..<5).map { batch.message($0) } == ["plain", #""a\n" b=c"#, #"{"x":1}"#, "d", ""], "round \(round)")
            for (index, wanted) in [1: ["a\n", "kubelet.go:2243"], 3: ["d", "kubelet.go:2243"]] {
                let row = batch.rows[index]
                #expect(row.tapeCount == 3)
                let members = (0..<3).map { batch.tape[Int(row.tapeStart) + $0] }
                #expect(
                    zip(members, ["message", "caller", "klog"]).allSatisfy {
                        JSONScanner.keyEquals(batch.arena, $0, Array($1.utf8))
                    })
                #expect(
                    zip(members, wanted).allSatisfy { JSONScanner.valueEquals(batch.arena, $0, Array($1.utf8).span) })
                // The tape is the one that the scanner would have made of the body.
                var tape = Column<JSONMember>()
                var object = Arena()
                object.append("{")
                object.append(batch.arena, from: Int(row.bodyStart), count: Int(row.bodyLength))
                object.append("}")
                #expect(JSONScanner.scanObject(object, from: 0, to: object.count, tape: &tape).memberCount == 3)
                for (place, member) in members.enumerated() {
                    let shift = Int(row.bodyStart) - 1
                    #expect(
                        tape[place].keyStart + shift == member.keyStart && tape[place].keyLength == member.keyLength)
                    #expect(
                        tape[place].valueStart + shift == member.valueStart
                            && tape[place].valueLength == member.valueLength)
                    #expect(tape[place].valueHasEscapes == member.valueHasEscapes)
                }
            }
        }
    }
}
