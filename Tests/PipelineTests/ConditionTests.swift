// `where`: how it is written, what is refused, and what it selects, by a record and by a source.
import Bytes
import Pipeline
import Records
import TestKit
import Testing

@Suite struct `A condition` {
    // MARK: How it is written

    @Test func `nothing given selects everything`() {
        for node in [SettingsNode(.null), [:]] {
            let reading = SettingsReading(node, as: Condition.self)
            #expect(reading.problems == [] && reading.settings.isEmpty)
            #expect(reading.settings.verdict(on: nil) == .all)
        }
    }

    @Test func `it stands beside the other settings of an output`() {
        let reading = SettingsReading(["where": ["origin": "file"]], as: DeliverySettings.self)
        #expect(reading.problems == [] && !reading.settings.selection.isEmpty)
        #expect(DeliverySettings.forTests.selection.isEmpty)
    }

    @Test(arguments: [
        ("severity", "warn", "'warn' is not one of \(severities), did you mean 'warning'?"),
        ("severity", "ERROR", "'ERROR' is not one of \(severities), did you mean 'error'?"),
        ("severity", "fatal", "'fatal' is not one of \(severities), did you mean 'critical'?"),
        ("severity", "eror", "'eror' is not one of \(severities), did you mean 'error'?"),
        ("severity", "!err", "'!err' is not one of \(severities), did you mean '!error'?"),
        ("severity", "loud", "'loud' is not one of \(severities)"),
        ("severity", "unknown", "'unknown' is not one of \(severities)"),
        ("severity", "warn-*", "'warn-*' matches none of \(severities)"),
        ("origin", "containers", "'containers' is not one of container, file, journal, did you mean 'container'?"),
        ("stream", "stdin", "'stdin' is not one of stdout, stderr"),
        ("message", "[a", "'[a' has a '[' without its ']'; write \\[ for the character itself"),
        ("message", "![a", "'![a' has a '[' without its ']'; write \\[ for the character itself"),
        ("message", "", "'' is empty; write * to match every name"),
        ("message", "!", "'!' excludes nothing; write what is not wanted behind the '!', in quotes: \"!kube-*\""),
    ])
    func `a value that cannot be is refused`(_ field: String, _ value: String, _ told: String) {
        let node = SettingsNode(mapping: [(field, SettingsNode(stringLiteral: value))])
        #expect(SettingsReading(node, as: Condition.self).problems == ["item.\(field): \(told)"])
        let list = SettingsNode(mapping: [(field, ["*", SettingsNode(stringLiteral: value)])])
        #expect(SettingsReading(list, as: Condition.self).problems == ["item.\(field)[1]: \(told)"])
    }

    private static let severities = "trace, debug, info, notice, warning, error, critical, alert, emergency"

    @Test(arguments: [
        (
            "kubernetes",
            "'kubernetes' is no text but an object, name one of its members such as 'kubernetes.namespace_name'"
        ),
        ("kubernetes.namespace", "records have no 'kubernetes.namespace', did you mean 'kubernetes.namespace_name'?"),
        (
            "kubernetes.namespce_name",
            "records have no 'kubernetes.namespce_name', did you mean 'kubernetes.namespace_name'?"
        ),
        ("file", "'file' is no text but an object, name one of its members such as 'file.path'"),
        ("file.name", "records have no 'file.name', known are path"),
    ])
    func `a field that no record has is refused`(_ field: String, _ told: String) {
        let node = SettingsNode(mapping: [(field, "!x")])
        #expect(SettingsReading(node, as: Condition.self).problems == ["item.\(field): \(told)"])
    }

    @Test(arguments: [
        "kubernetes.labels.app", "kubernetes.labels.\"app.kubernetes.io/name\"", "level", "Severity", "journal.unit",
    ])
    func `a field that records may have is taken`(_ field: String) {
        #expect(SettingsReading(SettingsNode(mapping: [(field, "x")]), as: Condition.self).problems == [])
    }

    @Test func `every mistake is told, with its place`() {
        let reading = SettingsReading(
            ["where": ["a..b": "x", "message": [], "severity": ["error", ["warn"], "err?"], "ok": ["x": "y"]]],
            as: DeliverySettings.self)
        let expected = "expected a glob such as shop-*, or !shop-* for everything else"
        let hint =
            "write names joined by dots, one with dots of its own in double quotes: kubernetes.labels.\"app.kubernetes.io/name\""
        #expect(
            reading.problems == [
                "item.where.a..b: 'a..b' is not the name of a field; \(hint)",
                "item.where.message: has no value, \(expected), or a list of them",
                "item.where.severity[1]: \(expected), found a list",
                "item.where.severity[2]: 'err?' matches none of \(Self.severities)",
                "item.where.ok: \(expected), found a mapping",
            ])
        #expect(
            SettingsReading(["stream": .init(.null)], as: Condition.self).problems
                == ["item.stream: has no value, \(expected), or a list of them"])
        #expect(
            SettingsReading(["where": "origin"], as: DeliverySettings.self).problems
                == ["item.where: expected settings (lines 'key: value'), found the text 'origin'"])
    }

    // MARK: Records

    private func selects(_ condition: SettingsNode, _ line: String) -> Bool {
        let condition = Condition(condition)
        var arena = Arena()
        arena.append(text: "before" + line + "\n")
        var tape = Column<JSONMember>()
        return condition.selects(arena, from: 6, to: arena.count - 1, tape: &tape)
    }

    @Test(
        arguments: [
            (["a": "x"], #"{"a":"x"}"#, true), (["a": "x"], #"{"a":"xy"}"#, false), (["a": "x*"], #"{"a":"xy"}"#, true),
            (["a": ["y", "x"]], #"{"a":"x"}"#, true), (["a": "x", "b": "y"], #"{"a":"x","b":"y"}"#, true),
            (["a": "x", "b": "y"], #"{"a":"x","b":"z"}"#, false), (["a": "x"], #"{"b":"x"}"#, false),
            // Excluding ones.
            (["a": "!x"], #"{"a":"x"}"#, false), (["a": "!x"], #"{"a":"y"}"#, true), (["a": "!x"], #"{}"#, true),
            (["a": ["!x", "!y"]], #"{"a":"y"}"#, false), (["a": ["!x", "!y"]], #"{}"#, true),
            (["a": ["x*", "!xy"]], #"{"a":"xy"}"#, false), (["a": ["x*", "!xy"]], #"{"a":"xz"}"#, true),
            (["a": ["!xy", "x*"]], #"{"a":"xy"}"#, false), (["a": ["x*", "!xy"]], #"{"a":"z"}"#, false),
            (["a": ["x*", "!xy"]], #"{}"#, false), (["a": #"\!x"#], #"{"a":"!x"}"#, true),
            // Everything that has a text.
            (["a": "*"], #"{"a":""}"#, true), (["a": "*"], #"{"b":1}"#, false), (["a": "!*"], #"{"b":1}"#, true),
            (["a": "!*"], #"{"a":1}"#, false),
            // Numbers and words as they are written.
            (["a": "15"], #"{"a":15}"#, true), (["a": "15"], #"{"a":15.0}"#, false),
            (["a": "15"], #"{"a":"15"}"#, true),
            (["a": "-1e3"], #"{"a": -1e3 }"#, true), (["a": "true"], #"{"a":true}"#, true),
            (["a": "false"], #"{"a":true}"#, false),
            // What has no text is as good as missing.
            (["a": "*"], #"{"a":null}"#, false), (["a": "!null"], #"{"a":null}"#, true),
            (["a": "*"], #"{"a":[1]}"#, false),
            (["a": "*"], #"{"a":{"b":1}}"#, false), (["a": "!x"], #"{"a":["x"]}"#, true),
            // Deeper ones.
            (["a.b": "x"], #"{"a":{"b":"x"}}"#, true), (["a.b": "x"], #"{"a.b":"x"}"#, false),
            ([#""a.b""#: "x"], #"{"a.b":"x"}"#, true), (["a.b": "x"], #"{"a":"x"}"#, false),
            (["a.b": "!x"], #"{"a":"x"}"#, true), (["a.b.c": "x"], #"{"z":0,"a":{"b": { "c":"x"}}}"#, true),
            (["a.b.c": "x"], #"{"a":{"b":[{"c":"x"}]}}"#, false),
            (["a.b": "x", "a.c": "y"], #"{"a":{"b":"x","c":"y"}}"#, true),
            // Spelling.
            (["a": "é"], #"{"a":"é"}"#, true), (["a": "é"], #"{"a":"\u00e9"}"#, true),
            (["a": "x/y"], #"{"a":"x\/y"}"#, true),
            (["a": #"x"y"#], #"{"a":"x\"y"}"#, true), (["a": "x"], #"{"\u0061":"x"}"#, true),
            (["a": "?"], #"{"a":"é"}"#, true),
            // The last of equal names.
            (["a": "x"], #"{"a":"x","a":"y"}"#, false), (["a": "y"], #"{"a":"x","a":"y"}"#, true),
            (["a.b": "y"], #"{"a":{"b":"x","b":"y"}}"#, true), (["a.b": "y"], #"{"a":{"b":"y"},"a":1}"#, false),
        ] as [(SettingsNode, String, Bool)])
    func `a record is selected by what is in its fields`(_ condition: SettingsNode, _ line: String, _ isSelected: Bool)
    {
        #expect(selects(condition, line) == isSelected)
    }

    @Test func `what cannot be taken apart is rather delivered than lost`() {
        let deep = String(repeating: "[", count: 128) + String(repeating: "]", count: 128)
        #expect(selects(["a": "x"], "{\"under\":\(deep),\"a\":\"y\"}"))
        #expect(selects(["a": "x"], "no JSON"))
    }

    // MARK: Sources

    private static let shop = SourceIdentity(
        kind: .container, input: "logs", path: "/var/log/pods/shop_web_u1/nginx/2.log", namespace: "shop", pod: "web",
        uid: "u1",
        container: "nginx", restart: 2)
    private static let file = SourceIdentity(kind: .file, input: "files", path: "/var/log/app.log")
    private static let journal = SourceIdentity(kind: .journal, input: "journal", path: "/var/log/journal")

    @Test(
        arguments: [
            (["origin": "container"], .all, .nothing, .nothing), (["origin": "!container"], .nothing, .all, .all),
            (["origin": ["file", "journal"]], .nothing, .all, .all), (["origin.x": "!y"], .all, .all, .all),
            (["kubernetes.namespace_name": ["shop-*", "shop"]], .all, .nothing, .nothing),
            (["kubernetes.namespace_name": "!kube-*"], .all, .all, .all),
            (["kubernetes.namespace_name": "!shop"], .nothing, .all, .all),
            (["kubernetes.pod_name": "web"], .all, .nothing, .nothing),
            (["kubernetes.pod_uid": "u?"], .all, .nothing, .nothing),
            (["kubernetes.container_name": "n*"], .all, .nothing, .nothing),
            (["kubernetes.restart_count": "2"], .all, .nothing, .nothing),
            (["kubernetes.restart_count": "0"], .nothing, .nothing, .nothing),
            (["kubernetes.node_name": "n1"], .depends, .nothing, .nothing),
            (["kubernetes.labels.app": "!x"], .depends, .all, .all),
            (["journal.unit": "*"], .nothing, .nothing, .depends),
            (["file.path": "/var/log/app.log"], .nothing, .depends, .nothing),
            (["file.path": "!x"], .all, .depends, .all),
            (["severity": "error"], .depends, .depends, .depends),
            (["severity": "error", "origin": "container"], .depends, .nothing, .nothing),
            (["origin": "container", "kubernetes.pod_name": "web"], .all, .nothing, .nothing),
        ] as [(SettingsNode, Condition.Verdict, Condition.Verdict, Condition.Verdict)])
    func `what a source says of all its records decides`(
        _ node: SettingsNode, _ onContainer: Condition.Verdict, _ onFile: Condition.Verdict,
        _ onJournal: Condition.Verdict
    ) {
        let condition = Condition(node)
        #expect(condition.verdict(on: Self.shop) == onContainer)
        #expect(condition.verdict(on: Self.file) == onFile)
        #expect(condition.verdict(on: Self.journal) == onJournal)
    }

    @Test func `several sources decide when they agree`() {
        let condition = Condition(["origin": "container", "kubernetes.namespace_name": "shop"])
        #expect(condition.verdict(on: [Self.shop, Self.shop]) == .all)
        #expect(condition.verdict(on: [Self.file, Self.journal]) == .nothing)
        #expect(condition.verdict(on: [Self.shop, Self.file]) == .depends)
        #expect(condition.verdict(on: nil) == .depends && condition.verdict(on: []) == .depends)
    }

    @Test func `a name that is empty or was cut when it was written does not decide wrongly`() {
        var source = Self.shop
        source.uid = ""
        #expect(Condition(["kubernetes.pod_uid": "!x"]).verdict(on: source) == .all)
        #expect(Condition(["kubernetes.pod_uid": "*"]).verdict(on: source) == .nothing)
        source.pod = String(repeating: "x", count: 4096)
        #expect(Condition(["kubernetes.pod_name": "x*"]).verdict(on: source) == .depends)
    }
}

extension Condition {
    /// A condition as it is written; it must have no mistakes.
    init(_ node: SettingsNode) {
        let reading = SettingsReading(node, as: Condition.self)
        #expect(reading.problems == [])
        self = reading.settings
    }
}
