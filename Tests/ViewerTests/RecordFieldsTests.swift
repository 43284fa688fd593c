// Records taken apart.
import Bytes
import Records
import TestKit
import Testing
import Viewer

/// What is in a record, as text.
private struct Parts: Equatable {
    var time: Int64 = 0
    var severity = Severity.unknown
    var stream = RecordStream.none
    var origin: SourceKind?
    var message: String?
    var others: [String] = []
    var statics: [String] = []
    var source: [String] = []
    var text = ""

    /// nil when it is no record.
    init?(_ line: String) {
        // What stands around a record must not matter.
        var arena = Arena(capacity: 16)
        arena.append(text: "{\"time\":")
        let start = arena.count
        arena.append(text: line)
        let end = arena.count
        arena.append(text: ",\"x\"}")
        var fields = RecordFields()
        guard fields.read(arena, from: start, to: end) else { return nil }
        time = fields.time
        severity = fields.severity
        stream = fields.stream
        origin = fields.origin
        message = fields.message.isPresent ? RecordFields.text(of: fields.message, arena) : nil
        func pairs(_ members: borrowing Column<JSONMember>, _ arena: borrowing Arena) -> [String] {
            var pairs: [String] = []
            for index in 0..<members.count {
                let key = String(decoding: JSONScanner.decodedKey(arena, members[index]), as: UTF8.self)
                pairs.append("\(key)=\(RecordFields.text(of: members[index], arena))")
            }
            return pairs
        }
        others = pairs(fields.others, arena)
        statics = pairs(fields.statics, arena)
        source = pairs(fields.sourceMembers, arena)
        var text = Arena(capacity: 16)
        var tape = Column<JSONMember>()
        fields.appendText(arena, to: &text, tape: &tape)
        self.text = String(decoding: text.span)
        if let plain = fields.plainText(arena) {
            #expect(String(decoding: arena.span.extracting(plain)) == self.text)
        }
    }
}

@Suite("fields of records") struct RecordFieldsTests {
    @Test func `a container's line`() throws {
        let parts = try #require(
            Parts(
                #"{"time":"2026-01-02T03:04:05.123456789Z","stream":"stderr","severity":"error","message":"say \"no\"","sluice":["truncated"],"origin":"container","kubernetes":{"namespace_name":"shop","pod_name":"web-1","restart_count":2,"labels":{"a":"b"}},"cluster":"prod-1"}"#
                    + "\n"))
        #expect(parts.time == 1_767_323_045_123_456_789)
        #expect(parts.severity == .error && parts.stream == .stderr && parts.origin == .container)
        #expect(parts.message == "say \"no\"" && parts.text == "say \"no\"")
        #expect(parts.source == ["namespace_name=shop", "pod_name=web-1", "restart_count=2", "labels={\"a\":\"b\"}"])
        #expect(parts.others == [] && parts.statics == ["cluster=prod-1"])
    }

    @Test func `a merged message`() throws {
        let parts = try #require(
            Parts(
                #"{"time":"2026-01-02T03:04:05.000000000Z","stream":"stdout","user":"\u00e4x","n":1.50,"o":{"a":[1]},"caller":"a.go:1","klog":"yes","mess\u0061ge":"hi","origin":"container","kubernetes":{}}"#
            ))
        #expect(parts.message == "hi")
        #expect(parts.others == ["user=äx", "n=1.50", "o={\"a\":[1]}", "klog=yes", "caller=a.go:1"])
        #expect(parts.text == "hi user=äx n=1.50 o={\"a\":[1]} klog=yes caller=a.go:1")
        #expect(
            Parts(#"{"time":"2026-01-02T03:04:05.000000000Z","a":1,"origin":"file","file":{"path":"/x"}}"#)?.text
                == "a=1")
    }

    @Test func `a line of the kubelet`() throws {
        let parts = try #require(
            Parts(
                #"{"time":"2026-11-23T03:58:00.210381000Z","severity":"info","message":"SyncLoop ADD","caller":"kubelet.go:2243","klog":{"time":"1123 03:28:02.913293","thread":16167,"source":"api","pods":"[\"kube-system/x\"]"},"origin":"journal","journal":{"unit":"kubelet.service","pid":26198},"klog":1}"#
            ))
        #expect(parts.origin == .journal && parts.others == [] && parts.statics == ["klog=1"])
        #expect(parts.text == "SyncLoop ADD source=api pods=[\"kube-system/x\"]")
        #expect(parts.source == ["unit=kubelet.service", "pid=26198"])
    }

    @Test(arguments: [
        "", "{}", "[]", "{\"time\":\"2026\"}", "{\"time\":1}", "{\"message\":\"x\"}",
        "{\"time\":\"2026-01-02T03:04:05.000000000Z\"", "x",
    ])
    func `what is no record is told`(line: String) {
        #expect(Parts(line) == nil)
    }

    @Test func `nothing is left of the record before`() throws {
        var arena = Arena()
        arena.append(
            text:
                #"{"time":"2026-01-02T03:04:05.000000000Z","stream":"stdout","severity":"info","a":1,"message":"x","caller":"c","klog":{},"sluice":[],"origin":"file","file":{"path":"/x"},"s":1}"#
        )
        let end = arena.count
        arena.append(text: #"{"time":"2026-01-02T03:04:06.000000000Z"}"#)
        var fields = RecordFields()
        var isRead = fields.read(arena, from: 0, to: end)
        #expect(isRead)
        var present = [fields.klog, fields.caller, fields.marks, fields.source, fields.message].map(\.isPresent)
        #expect(present == [true, true, true, true, true])
        let texts = [fields.sourceText("path", arena), fields.sourceText("pod_name", arena)]
        #expect(texts == ["/x", nil])
        isRead = fields.read(arena, from: end, to: arena.count)
        #expect(isRead)
        present = [fields.klog, fields.caller, fields.marks, fields.source, fields.message].map(\.isPresent)
        #expect(present == [false, false, false, false, false])
        let (severity, stream, origin) = (fields.severity, fields.stream, fields.origin)
        #expect(severity == .unknown && stream == .none && origin == nil)
        let counts = [fields.others.count, fields.statics.count, fields.sourceMembers.count]
        #expect(counts == [0, 0, 0])
        let plain = fields.plainText(arena)
        #expect(plain == nil)
    }

    @Test(arguments: 1...4) func `what the encoder writes is read again`(seed: Int) throws {
        var random = SeededGenerator(seed: UInt64(seed))
        let severities = Severity.allCases
        for _ in 0..<500 {
            let pieces = ["a", "\"", "\\", "é", "\u{1F600}", "\t", "time", "{", "}", " ", "\u{1}"]
            let message = (0..<random.below(12)).map { _ in pieces[random.below(pieces.count)] }.joined()
            let severity = severities[random.below(severities.count)]
            let time = Int64(random.below(4_000_000_000)) * 1_000_000_000 + Int64(random.below(1_000_000_000))
            var batch = RecordBatch()
            batch.add(message, time: time, stream: random.oneIn(2) ? .stdout : .stderr)
            var row = batch.rows[0]
            row.severity = severity
            var ending = RecordEnding(origin: "container")
            ending.append("kubernetes", [("namespace_name", .text("shop")), ("restart_count", .number(3))])
            batch.ending = ending.finish(staticFields: [])
            var encoder = RecordEncoder(mode: .off, reserved: ReservedNames())
            var out = Arena()
            var counts = Counts()
            encoder.append(row, of: batch, to: &out, counts: &counts)
            let parts = try #require(Parts(String(decoding: out.span)))
            #expect(parts.message == message && parts.text == message)
            #expect(parts.time == time && parts.severity == severity && parts.stream == row.stream)
            #expect(parts.source == ["namespace_name=shop", "restart_count=3"])
        }
    }
}
