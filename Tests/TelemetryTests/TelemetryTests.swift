// Telemetry: every fact is a line and a count; lines that repeat are held back, counts never.
import Logging
import Synchronization
import Telemetry
import TestKit
import Testing

private enum Fact: TelemetryEvent {
    case lost(records: UInt64, path: String)
    case started

    var level: Logger.Level { if case .lost = self { .error } else { .info } }
    var message: String { if case .lost = self { "records were lost" } else { "started" } }
    var details: [(String, String)] {
        switch self {
        case .lost(let records, let path): [("zone", "b"), ("records", "\(records)"), ("path", path)]
        case .started: []
        }
    }
    var counter: String { if case .lost = self { "lost_records" } else { "starts" } }
    var amount: UInt64 { if case .lost(let records, _) = self { records } else { 1 } }
}

@Suite struct `Telemetry of facts` {
    @Test func `a fact is one line and one count`() {
        let log = TestTelemetry()
        log.telemetry.tell(Fact.lost(records: 3, path: "/a"))
        log.telemetry.tell(Fact.lost(records: 4, path: "/b"))
        log.telemetry.tell(Fact.started)
        #expect(log.lines.count == 3)
        #expect(log.count("lost_records") == 7 && log.count("starts") == 1 && log.count("other") == 0)
        #expect(log.telemetry.counters == ["lost_records": 7, "starts": 1])
    }

    @Test func `details keep their order`() throws {
        let log = TestTelemetry()
        log.telemetry.tell(Fact.lost(records: 3, path: "/a"))
        #expect(try #require(log.lines.first).hasSuffix(" error records were lost zone=b records=3 path=/a"))
        let many = OrderedMetadata((0..<12).map { ("k\($0)", "\($0)") })
        #expect(OrderedMetadata.pairs(many.metadata).map(\.0) == (0..<12).map { "k\($0)" })
        #expect(OrderedMetadata.pairs(["plain": "x"]).map(\.0) == ["plain"])
    }

    @Test func `a fact that repeats is held back in the log, and counted all the same`() {
        let log = TestTelemetry(burst: 3)
        for _ in 0..<100 { log.telemetry.tell(Fact.lost(records: 2, path: "/a")) }
        log.telemetry.tell(Fact.started)
        #expect(log.lines.count == 4, "each kind has a burst of its own")
        #expect(log.count("lost_records") == 200)
    }

    @Test func `lines below the level are not written`() {
        let log = TestTelemetry(level: .error)
        log.telemetry.tell(Fact.started)
        log.telemetry.tell(Fact.lost(records: 1, path: ""))
        #expect(log.lines.count == 1 && log.count("starts") == 1)
    }
}

@Suite struct `Log throttle` {
    @Test func `a burst passes, the rest is held back until the window is over, and is told then`() {
        var throttle = LogThrottle(burst: 2, window: .seconds(60))
        let start = ContinuousClock.now
        #expect(throttle.admit("a", at: start) == .tell(heldBack: 0))
        #expect(throttle.admit("a", at: start + .seconds(1)) == .tell(heldBack: 0))
        for second in 2..<60 { #expect(throttle.admit("a", at: start + .seconds(second)) == .holdBack) }
        #expect(throttle.admit("b", at: start + .seconds(59)) == .tell(heldBack: 0))
        #expect(throttle.admit("a", at: start + .seconds(60)) == .tell(heldBack: 58))
        #expect(throttle.admit("a", at: start + .seconds(61)) == .tell(heldBack: 0))
        #expect(throttle.admit("a", at: start + .seconds(62)) == .holdBack)
    }
}

@Suite struct `Log lines` {
    private func line(
        _ format: LogFormat, _ message: String, _ metadata: [(String, String)] = [], isColored: Bool = false
    ) -> String {
        let log = Lines()
        let handler = LineLogHandler(level: .trace, format: format, isColored: isColored) { span in
            log.add((0..<span.count).map { span[$0] })
        }
        Logger(label: "x") { _ in handler }.warning("\(message)", metadata: OrderedMetadata(metadata).metadata)
        return log.text
    }

    @Test func `text is time, level, message, details, and a newline`() throws {
        let text = line(.text, "the disk is full", [("free", "0"), ("path", "/var/lib")])
        #expect(
            text.wholeMatch(
                of: /\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z warning the disk is full free=0 path=\/var\/lib\n/) != nil)
    }

    @Test(arguments: [
        ("a b", "\"a b\""), ("", "\"\""), ("a=b", "\"a=b\""), ("say \"x\"", #""say \"x\"""#),
        ("two\nlines", #""two\nlines""#),
        ("plain", "plain"), ("ä", "ä"),
    ])
    func `a value that could be misread is quoted`(value: String, written: String) {
        #expect(line(.text, "m", [("k", value)]).hasSuffix(" m k=\(written)\n"))
    }

    @Test func `JSON is one object a line, whatever is in the message`() throws {
        let text = line(.json, "a \"quoted\"\nmessage\u{1}", [("path", "/ä\\b"), ("n", "1")])
        #expect(text.hasSuffix("\n") && !text.dropLast().contains("\n"))
        let program = """
            import json, sys
            line = json.loads(sys.argv[1])
            assert list(line) == ['time', 'severity', 'message', 'path', 'n'], list(line)
            assert line['severity'] == 'warning' and line['message'] == 'a "quoted"\\nmessage\\x01'
            assert line['path'] == '/ä\\\\b' and line['n'] == '1'
            assert len(line['time']) == 30 and line['time'].endswith('Z')
            """
        #expect(try ChildProcess.run("python3", "-c", program, text).status == 0)
    }

    @Test func `a message stays on its line`() {
        let text = line(.text, "two\nlines")
        #expect(text.dropLast().contains("\n") == false)
    }

    @Test func `colours surround the level and nothing else`() {
        #expect(line(.text, "m", isColored: true).contains(" \u{1b}[33mwarning\u{1b}[0m m\n"))
    }
}

private final class Lines: Sendable {
    private let bytes = Mutex<[UInt8]>([])
    func add(_ more: [UInt8]) { bytes.withLock { $0 += more } }
    var text: String { bytes.withLock { String(decoding: $0, as: UTF8.self) } }
}
