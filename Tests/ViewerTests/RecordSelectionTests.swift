// Which records a question selects.
import Bytes
import Pipeline
import Records
import TestKit
import Testing
import Viewer

private let bootID = "294062377afe4b7896914df5d9f4d5aa"

/// A record as the agent writes it.
private struct Sample: Sendable, CustomTestStringConvertible {
    let line: String
    let source: SourceIdentity
    var time: Int64 = 1_767_323_045 * 1_000_000_000
    var testDescription: String { line }

    static func container(
        _ namespace: String, _ pod: String, _ container: String = "app", restart: Int32 = 0, severity: String? = nil,
        message: String = "hello", owner: (String, String)? = nil, labels: String? = nil,
        flatLabels: [(String, String)] = []
    ) -> Sample {
        let severity = severity.map { "\"severity\":\"\($0)\"," } ?? ""
        let owner = owner.map { ",\"owner_kind\":\"\($0.0)\",\"owner_name\":\"\($0.1)\"" } ?? ""
        let labels =
            (labels.map { ",\"labels\":\($0)" } ?? "")
            + flatLabels.map { ",\"labels.\($0.0)\":\"\($0.1)\"" }.joined()
        return Sample(
            line:
                "{\"time\":\"2026-01-02T03:04:05.000000000Z\",\"stream\":\"stderr\",\(severity)\"message\":\"\(message)\",\"origin\":\"container\",\"kubernetes\":{\"namespace_name\":\"\(namespace)\",\"pod_name\":\"\(pod)\",\"container_name\":\"\(container)\",\"pod_uid\":\"uid-\(pod)\",\"restart_count\":\(restart)\(owner)\(labels)}}\n",
            source: SourceIdentity(
                kind: .container, input: "logs", path: "/x", namespace: namespace, pod: pod, uid: "uid-\(pod)",
                container: container, restart: restart))
    }

    static func entry(
        _ unit: String, severity: String? = "info", transport: String = "stdout", boot: String = bootID,
        message: String = "hello",
        sender: String? = nil
    ) -> Sample {
        let severity = severity.map { "\"severity\":\"\($0)\"," } ?? ""
        let sender = sender.map { "\"_systemd_unit\":\"\($0)\"," } ?? ""
        return Sample(
            line:
                "{\"time\":\"2026-01-02T03:04:05.000000000Z\",\(severity)\"message\":\"\(message)\",\"origin\":\"journal\",\"journal\":{\"unit\":\"\(unit)\",\(sender)\"transport\":\"\(transport)\",\"boot_id\":\"\(boot)\"}}\n",
            source: SourceIdentity(kind: .journal, input: "journal", path: "/var/log/journal"))
    }

    static let file = Sample(
        line: #"{"time":"2026-01-02T03:04:05.000000000Z","message":"hello","origin":"file","file":{"path":"/x"}}"#
            + "\n",
        source: SourceIdentity(kind: .file, input: "files", path: "/x"))
}

extension RecordSelection {
    /// Whether it selects a record; the source's verdict has to agree, with and without its time.
    fileprivate func selects(_ sample: Sample, place: SourceLocation = #_sourceLocation) -> Bool {
        var memory = SelectionMemory()
        return selects(sample, &memory, place: place)
    }

    fileprivate func selects(_ sample: Sample, _ memory: inout SelectionMemory, place: SourceLocation) -> Bool {
        var arena = Arena()
        arena.append(text: sample.line)
        var fields = RecordFields()
        let isRead = fields.read(arena, from: 0, to: arena.count)
        #expect(isRead, sourceLocation: place)
        let isSelected = includes(fields, in: arena, memory: &memory)
        for times in [nil, fields.time...fields.time, fields.time - 1...fields.time + 1] {
            switch verdict(on: sample.source, times: times) {
            case .all: #expect(isSelected, "the source said all: \(sample.line)", sourceLocation: place)
            case .nothing: #expect(!isSelected, "the source said nothing: \(sample.line)", sourceLocation: place)
            case .depends: break
            }
        }
        return isSelected
    }

    /// A selection with some flags.
    fileprivate static func with(_ change: (inout RecordSelection) throws -> Void) throws -> RecordSelection {
        var selection = try RecordSelection()
        try change(&selection)
        return selection
    }
}

private let odoo = Sample.container("shop", "odoo-7b569fd464-j7trx")
private let fast = Sample.container("noise", "fast", "burst")
private let kubelet = Sample.entry("kubelet.service")
private let containerd = Sample.entry("containerd.service")
private let oom = Sample.entry("", severity: "warning", transport: "kernel")
private let all = [odoo, fast, kubelet, containerd, oom, .file]

@Suite("selections") struct RecordSelectionTests {
    private func selected(
        _ selection: RecordSelection, of samples: [Sample] = all, place: SourceLocation = #_sourceLocation
    ) -> [Int] {
        samples.indices.filter { selection.selects(samples[$0], place: place) }
    }

    @Test func `containers and units are one or the other, or both`() throws {
        #expect(try selected(.with { _ in }) == [0, 1, 2, 3, 4, 5])
        #expect(try selected(.with { $0.pods = [try PodPattern("odoo")] }) == [0])
        #expect(try selected(.with { $0.pods = [try PodPattern("odoo"), try PodPattern("noise/f")] }) == [0, 1])
        #expect(try selected(.with { $0.namespaces = [try Glob("no*")] }) == [1])
        #expect(try selected(.with { $0.containers = [try TextPattern("^ap")] }) == [0])
        #expect(try selected(.with { $0.excludedContainers = [try TextPattern("^ap")] }) == [1])
        #expect(try selected(.with { $0.units = [try UnitPattern("kubelet")] }) == [2])
        #expect(try selected(.with { $0.units = [try UnitPattern("*.service")] }) == [2, 3])
        #expect(try selected(.with { $0.kernel = true }) == [4])
        #expect(
            try selected(
                .with {
                    $0.kernel = true; $0.units = [try UnitPattern("kubelet")]
                }) == [2, 4])
        #expect(
            try selected(
                .with {
                    $0.units = [try UnitPattern("kubelet")]; $0.pods = [try PodPattern("odoo")]
                }) == [0, 2])
        #expect(
            try selected(
                .with {
                    $0.kernel = true; $0.namespaces = [try Glob("noise")]; $0.pods = [try PodPattern("odoo")]
                }) == [4])
    }

    @Test func `a source alone tells what it can`() throws {
        let source = odoo.source
        func verdict(
            _ change: (inout RecordSelection) throws -> Void, _ times: ClosedRange<Int64>? = nil
        ) throws -> Condition.Verdict {
            try RecordSelection.with(change).verdict(on: source, times: times)
        }
        #expect(try verdict { _ in } == .all)
        #expect(try verdict { $0.pods = [try PodPattern("odoo")] } == .all)
        #expect(try verdict { $0.pods = [try PodPattern("web")] } == .nothing)
        #expect(try verdict { $0.pods = [try PodPattern("deploy/odoo")] } == .depends, "its owner may say otherwise")
        #expect(try verdict { $0.pods = [try PodPattern("deploy/web")] } == .nothing)
        #expect(try verdict { $0.units = [try UnitPattern("kubelet")] } == .nothing)
        #expect(try verdict { $0.lines = try LineFilter(grep: ["x"]) } == .depends)
        #expect(try verdict { $0.priority = try PriorityRange("debug") } == .all)
        #expect(try verdict { $0.priority = try PriorityRange("err") } == .depends)
        #expect(try verdict { $0.since = 5 } == .depends)
        #expect(try verdict({ $0.since = 5 }, 5...9) == .all)
        #expect(try verdict({ $0.since = 5 }, 4...9) == .depends)
        #expect(try verdict({ $0.since = 5 }, 3...4) == .nothing)
        #expect(try verdict({ $0.until = 5 }, 5...6) == .depends)
        #expect(try verdict({ $0.until = 5 }, 6...7) == .nothing)
        #expect(
            try verdict {
                $0.since = 5; $0.until = 4
            } == .nothing)
        #expect(try RecordSelection.with { $0.pods = [try PodPattern("odoo")] }.verdict(on: kubelet.source) == .nothing)
        #expect(try RecordSelection.with { $0.kernel = true }.verdict(on: kubelet.source) == .depends)
    }

    @Test func `times are taken with both their ends`() throws {
        let time = odoo.time
        #expect(
            try selected(
                .with {
                    $0.since = time; $0.until = time
                }) == [0, 1, 2, 3, 4, 5])
        #expect(try selected(.with { $0.since = time + 1 }) == [])
        #expect(try selected(.with { $0.until = time - 1 }) == [])
    }

    @Test func `priorities hold for containers as for the journal`() throws {
        let samples = [
            Sample.container("a", "a", severity: "error"), .container("a", "a", severity: "trace"),
            .container("a", "a"),
            .entry("x", severity: "critical"), .entry("x", severity: "notice"), .entry("x", severity: nil), .file,
        ]
        func selected(_ priority: String) throws -> [Int] {
            try self.selected(.with { $0.priority = try PriorityRange(priority) }, of: samples)
        }
        #expect(try selected("err") == [0, 3])
        #expect(
            try selected("info") == [0, 2, 3, 4, 6], "what has no severity is info, but for entries of the journal")
        #expect(try selected("debug") == [0, 1, 2, 3, 4, 5, 6])
        #expect(try selected("notice..info") == [2, 4, 6])
        #expect(try selected("0..3") == [0, 3])
        #expect(try selected("7..7") == [1])
    }

    @Test func `owners and labels are in the record`() throws {
        let samples = [
            Sample.container(
                "shop", "odd", owner: ("ReplicaSet", "web-688b586558"), labels: #"{"app":"web","tier":"front"}"#),
            .container(
                "shop", "web-688b586558-nlvgb", owner: ("ReplicaSet", "other-688b586558"), labels: #"{"app":"db"}"#),
            .container("shop", "web-688b586558-nlvgb"),
        ]
        #expect(try self.selected(.with { $0.pods = [try PodPattern("deploy/web")] }, of: Array(samples[1...])) == [1])
        func selected(_ labels: String) throws -> [Int] {
            try self.selected(.with { $0.labels = try LabelSelector(labels) }, of: samples)
        }
        #expect(try selected("app=web") == [0])
        #expect(try selected("app==db") == [1])
        #expect(try selected("app!=web") == [1, 2])
        #expect(try selected("app in (web, db),tier") == [0])
        #expect(try selected("app notin (web)") == [1, 2])
        #expect(try selected("!tier") == [1, 2])
        #expect(try selected(" ! tier , app ") == [1])
        #expect(try selected("app=") == [])
    }

    @Test func `labels are found in every style`() throws {
        let styles = [
            Sample.container("shop", "a", labels: #"{"app.kubernetes.io/name":"web","my_team":"x"}"#),
            .container("shop", "b", labels: #"{"app_kubernetes_io/name":"web","my_team":"x"}"#),
            .container("shop", "c", flatLabels: [("app.kubernetes.io/name", "web"), ("my_team", "x")]),
        ]
        func selected(_ labels: String) throws -> [Int] {
            try self.selected(.with { $0.labels = try LabelSelector(labels) }, of: styles)
        }
        #expect(try selected("app.kubernetes.io/name=web") == [0, 1, 2])
        #expect(try selected("app.kubernetes.io/name!=web") == [])
        #expect(try selected("my_team=x,!other") == [0, 1, 2])
        #expect(try selected("my.team") == [1], "a record whose labels have dots has them as they are")
    }

    @Test func `the previous life is the one before the newest`() throws {
        let lives = (0...3).map { Sample.container("shop", "crasher", restart: Int32($0)) }
        let other = Sample.container("shop", "calm")
        var selection = try RecordSelection.with { $0.previous = true }
        for sample in [lives[1], lives[3], lives[2], other, kubelet] { selection.lives.note(sample.source) }
        #expect(selected(selection, of: lives + [other, kubelet]) == [2])
        // The memory must not outlive what it was made of.
        var memory = SelectionMemory()
        #expect(selection.selects(lives[2], &memory, place: #_sourceLocation))
        selection.lives.note(Sample.container("shop", "crasher", restart: 4).source)
        #expect(!selection.selects(lives[2], &memory, place: #_sourceLocation))
        #expect(selection.selects(lives[3], &memory, place: #_sourceLocation))
    }

    @Test func `a memory keeps containers apart`() throws {
        let selection = try RecordSelection.with { $0.pods = [try PodPattern("odoo")] }
        var memory = SelectionMemory()
        var selected: [Bool] = []
        for sample in [odoo, odoo, fast, fast, odoo, fast, kubelet] {
            selected.append(selection.selects(sample, &memory, place: #_sourceLocation))
        }
        #expect(selected == [true, true, false, false, true, false, false])
    }

    @Test func `boots are told by ids in the journal, else by times`() throws {
        let (time, after) = (odoo.time, odoo.time + 1)
        let entries = [kubelet, .entry("kubelet.service", boot: "00000000000000000000000000000000"), odoo, .file]
        func selected(_ id: String, _ times: Range<Int64>) throws -> [Int] {
            try self.selected(.with { $0.boot = BootWindow(id: id, times: times) }, of: entries)
        }
        #expect(try selected(bootID, time..<after) == [0, 2, 3])
        #expect(try selected(bootID, after..<after + 1) == [0])
        #expect(try selected("11111111111111111111111111111111", 0..<time) == [])
    }

    @Test func `units are what an entry is about and what wrote it`() throws {
        let about = Sample.entry("shop.service", sender: "init.scope")
        #expect(try selected(.with { $0.units = [try UnitPattern("shop")] }, of: [about]) == [0])
        #expect(try selected(.with { $0.units = [try UnitPattern("init.scope")] }, of: [about]) == [0])
        #expect(try selected(.with { $0.units = [try UnitPattern("init")] }, of: [about]) == [])
    }

    @Test func `patterns see the whole text of a record`() throws {
        let plain = Sample.container("a", "a", message: "could not translate")
        let quoted = Sample.container("a", "a", message: #"say \"no\""#)
        let merged = Sample(
            line:
                #"{"time":"2026-01-02T03:04:05.000000000Z","level":"x","origin":"container","kubernetes":{"pod_name":"translate"}}"#,
            source: odoo.source)
        func selected(_ pattern: String) throws -> [Int] {
            try self.selected(.with { $0.lines = try LineFilter(grep: [pattern]) }, of: [plain, quoted, merged])
        }
        #expect(try selected("translate") == [0])
        #expect(try selected("say \"no\"$") == [1])
        #expect(try selected("level=x") == [2])
        #expect(
            try self.selected(.with { $0.lines = try LineFilter(exclude: ["say"]) }, of: [plain, quoted, merged]) == [
                0, 2,
            ])
    }

    @Test func `the kubelet's lines concern the pods that are asked for`() throws {
        let selection = try RecordSelection.with { $0.pods = [try PodPattern("shop/bad.*")] }
        #expect(selection.concerns(PodReference(namespace: "shop", name: "badimage")))
        #expect(!selection.concerns(PodReference(namespace: "noise", name: "badimage")))
        #expect(selection.concerns(PodReference(name: "badimage")), "its namespace may be the one")
        #expect(!selection.concerns(PodReference(namespace: "shop", name: "odoo")))
        #expect(!selection.concerns(PodReference(uid: "x")))
        let shop = try RecordSelection.with { $0.namespaces = [try Glob("shop")] }
        #expect(shop.concerns(PodReference(namespace: "shop", name: "odoo")))
        #expect(
            !shop.concerns(PodReference(namespace: "noise", name: "odoo")) && !shop.concerns(PodReference(name: "odoo"))
        )
        #expect(try !RecordSelection().concerns(PodReference(namespace: "shop", name: "odoo")))
    }
}

@Suite("words of selections") struct SelectionWordTests {
    @Test(arguments: ["", "loud", "8", "-1", "err..", "..err", "err..loud"]) func `what is no priority is told`(
        text: String
    ) {
        let error = #expect(throws: QueryError.self) { try PriorityRange(text) }
        #expect(error?.message.hasSuffix("is no priority") == true && error?.hint != nil)
    }

    @Test(arguments: [
        ("", "'' is no label selector: a label is empty"),
        ("a=b,", "'a=b,' is no label selector: a label is empty"),
        ("=b", "'=b' is no label selector: a label is empty"),
        ("a b", "'a b' is no label selector: 'a b' cannot be a label"),
        ("a=b c", "'a=b c' is no label selector: 'b c' cannot be a value"),
        ("a in (b", "'a in (b' is no label selector: 'a in (b' has a '(' without its ')'"),
        ("a of (b)", "'a of (b)' is no label selector: before '(b)' come a label and 'in' or 'notin'"),
        ("a=b/c", "'a=b/c' is no label selector: 'b/c' cannot be a value"),
    ])
    func `what is no label selector is told`(text: String, message: String) {
        let error = #expect(throws: QueryError.self) { try LabelSelector(text) }
        #expect(error?.message == message)
    }

    @Test(arguments: [
        ("", "c", 30, Int64.max), ("0", "c", 30, .max), ("-0", "c", 30, .max), ("-1", "b", 20, 30), ("-2", "a", 10, 20),
        ("1", "a", 10, 20),
        ("+3", "c", 30, .max), ("bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb", "b", 20, 30),
        ("BBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBB-1", "a", 10, 20),
        ("bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb+1", "c", 30, .max),
    ])
    func `boots are counted from either end`(text: String, letter: Character, start: Int64, end: Int64) throws {
        let boots = ["a", "b", "c"].enumerated().map {
            Boot(id: String(repeating: $1, count: 32), start: Int64(10 * ($0 + 1)))
        }
        let window = try BootChoice(text).window(among: boots)
        #expect(window.id == String(repeating: letter, count: 32) && window.times == start..<end)
    }

    @Test func `boots that are not there are told`() throws {
        let boots = [Boot(id: String(repeating: "a", count: 32), start: 1)]
        for text in ["-1", "2", String(repeating: "b", count: 32), String(repeating: "a", count: 32) + "+1"] {
            let error = #expect(throws: QueryError.self) { try BootChoice(text).window(among: boots) }
            #expect(
                error?.description == "the boot '\(text)' is not known: the journal tells of 1; write 0 to 0, or 1 to 1"
            )
        }
        let error = #expect(throws: QueryError.self) { try BootChoice("").window(among: []) }
        #expect(error?.message == "the newest boot is not known: no journal is there to tell of any")
        #expect(throws: QueryError.self) { try BootChoice("yesterday") }
    }

    @Test func `what is no unit is told`() {
        let error = #expect(throws: QueryError.self) { try UnitPattern("") }
        #expect(error?.message == "the unit '' is empty")
    }
}
