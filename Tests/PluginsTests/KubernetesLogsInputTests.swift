// Input `kubernetes_logs` over the sample of a real node, and over pods that come and go.
import Disk
import NodeFiles
import Pipeline
import Plugins
import PodMetadata
import Records
import TestKit
import Testing

@Suite(.timeLimit(.minutes(1))) struct `Input kubernetes_logs` {
    let bench: PluginBench

    init() throws { bench = try PluginBench() }

    // MARK: Settings

    @Test func `its settings have defaults`() {
        let reading = SettingsReading([:], as: KubernetesLogsInput.Settings.self)
        #expect(reading.problems == [])
        let settings = reading.settings
        #expect(settings.path == "/var/log/pods" && settings.containersPath == "/var/log/containers")
        for selection in [settings.include, settings.exclude] {
            #expect(selection.namespaces.isEmpty && selection.pods.isEmpty && selection.containers.isEmpty)
        }
        #expect(!settings.ownLogs && settings.files.start == .beginning && settings.files.json == .merge)
        #expect(settings.files.maxLine == .mebibytes(1) && settings.files.maxHeld == .gibibytes(1))
    }

    @Test(
        arguments: [
            (
                ["json": "merg"],
                "item.json: 'merg' is not a way to treat JSON messages; write merge, off, or under:<key>"
            ),
            (["json": "under:"], "item.json: 'under:' has no key; write the key's name behind it, such as under:app"),
            (
                ["json": "under:time"],
                "item.json: 'under:time' names a member that records have themselves; choose another key, such as under:app"
            ),
            (
                ["json": "under:message"],
                "item.json: 'under:message' names a member that records have themselves; choose another key, such as under:app"
            ),
            (["start_at": "now"], "item.start_at: 'now' is not one of beginning, end"),
            (["max_line": "1B"], "item.max_line: must be between 1KiB and 16MiB, found 1"),
            (["max_line": "1GiB"], "item.max_line: must be between 1KiB and 16MiB, found 1GiB"),
            (["max_held": "1KiB"], "item.max_held: must be at least 1MiB, found 1KiB"),
            (["namespaces": ["a"]], "item.namespaces: unknown setting here, it belongs under 'include:'"),
            (["include": ["namespace": "a"]], "item.include.namespace: unknown setting, did you mean 'namespaces'?"),
            (
                ["exclude": ["pods": "["]],
                "item.exclude.pods: '[' has a '[' without its ']'; write \\[ for the character itself"
            ),
            (["own_logs": "maybe"], "item.own_logs: 'maybe' is neither true nor false"),
        ] as [(SettingsNode, String)])
    func `wrong settings are refused`(_ node: SettingsNode, _ message: String) {
        #expect(SettingsReading(node, as: KubernetesLogsInput.Settings.self).problems == [message])
    }

    // MARK: The sample of a node

    /// Folders of `samples/node` with other settings beside them.
    private func node(_ settings: [(String, SettingsNode)] = []) -> SettingsNode {
        let root = #filePath.split(separator: "/").dropLast(3).map { "/\($0)" }.joined() + "/samples/node/var/log"
        let paths: [(String, SettingsNode)] = [
            ("path", .init(stringLiteral: "\(root)/pods")),
            ("containers_path", .init(stringLiteral: "\(root)/containers")),
        ]
        return SettingsNode(
            .mapping((paths + settings).map { .init(key: $0.0, keyMark: .init(line: 1, column: 1), value: $0.1) }))
    }

    private func read(
        _ settings: [(String, SettingsNode)] = [], once: Bool = true, staticFields: String = ""
    ) throws -> InputBench {
        let input = try InputBench {
            try bench.make(
                KubernetesLogsInput.self, node(settings), context: bench.context(once: once, staticFields: staticFields)
            )
        }
        try input.start()
        input.readAll()
        return input
    }

    private func pods(_ lines: [String]) -> Set<String> {
        Set(lines.compactMap { InputBench.text("pod_name", of: $0) })
    }

    @Test func `every stream of the node is read`() throws {
        let input = try read()
        #expect(
            pods(input.lines) == [
                "web-5c4bdbb59b-rcmqg", "odd", "nonl-exit", "slowline", "long", "crasher", "odoo-7b569fd464-j7trx",
                "postgres",
                "kube-apiserver-lab-node", "static-web-lab-node",
            ])
        #expect(input.counts[.readRecords] == UInt64(input.lines.count) && input.lag == 0)
        #expect(input.counts[.malformedRecords] == 0)
        // A last `P` without its `F`, and two long lines in pieces that end whole.
        #expect(input.counts[.unfinishedRecords] > 0)
        #expect(
            input.lines.filter { InputBench.text("container_name", of: $0) == "b50000" }.allSatisfy {
                $0.utf8.count > 50_000
            })
    }

    @Test func `a record says which container it came from, its id from the link`() throws {
        let input = try read(
            [("include", ["pods": "web-*", "containers": "nginx"])], staticFields: ",\"cluster\":\"prod\"")
        let line = try #require(input.lines.first)
        #expect(
            line.hasPrefix(
                #"{"time":"2026-11-23T03:59:21.674193631Z","stream":"stdout","message":"2026-11-23T03:59:21.673871Z INFO seq=1 nginx"#
            ))
        #expect(
            line.hasSuffix(
                #","origin":"container","kubernetes":{"namespace_name":"shop","pod_name":"web-5c4bdbb59b-rcmqg","container_name":"nginx","#
                    + #""pod_uid":"f350d597-cb8d-4ab6-8b7d-113a70d2787b","#
                    + #""container_id":"bf4dead53d895052a5633fdf18be0b495f5ed4e5222cd5d1e72e6eed1c147857","restart_count":0,"#
                    + #""node_name":"node-7"},"cluster":"prod"}"#), "\(line.suffix(400))")
        #expect(input.lines.count == 128)
    }

    @Test func `each start of a container has its own count and its own id`() throws {
        let lines = try read([("include", ["containers": "odoo"])]).lines
        let second = lines.filter { $0.contains("\"restart_count\":2,") }
        let third = lines.filter { $0.contains("\"restart_count\":3,") }
        #expect(second.count == 125 && third.count == 76 && lines.count == 201)
        let ids = Set(lines.compactMap { InputBench.text("container_id", of: $0) })
        #expect(ids.count == 2)
    }

    @Test(
        arguments: [
            ([("include", ["namespaces": "kube-*"])], ["kube-apiserver-lab-node", "static-web-lab-node"]),
            ([("include", ["pods": ["od*", "postgres"]])], ["odd", "odoo-7b569fd464-j7trx", "postgres"]),
            ([("include", ["namespaces": "shop"]), ("exclude", ["pods": "*-*"])], ["crasher", "postgres"]),
            ([("include", ["containers": "odd"])], ["odd"]),
            (
                [("include", ["namespaces": "shop"]), ("exclude", ["containers": ["odoo", "app", "postgres"]])],
                ["web-5c4bdbb59b-rcmqg"]
            ),
            ([("exclude", ["namespaces": ["*"]])], []),
        ] as [([(String, SettingsNode)], Set<String>)])
    func `globs say which containers are read`(_ settings: [(String, SettingsNode)], _ expected: Set<String>) throws {
        #expect(try pods(read(settings).lines) == expected)
    }

    @Test func `a message that is a JSON object is merged, kept as text, or put under a key`() throws {
        let sidecar: (String, SettingsNode) = ("include", ["containers": "sidecar"])
        let merged = try read([sidecar]).lines
        let text = try read([sidecar, ("json", "off")]).lines
        let under = try read([sidecar, ("json", "under:app")]).lines
        #expect(merged.count == 64 && text.count == 64 && under.count == 64)
        let messages = text.filter { $0.contains("\"message\":\"{") }
        #expect(!messages.isEmpty, "the sidecar writes JSON")
        #expect(under.filter { $0.contains(",\"app\":{") }.count == messages.count)
        #expect(merged.allSatisfy { !$0.contains("\"message\":\"{") && !$0.contains("\"app\":{") })
        #expect(text.allSatisfy { !$0.contains("\"severity\"") }, "text has no severity")
    }

    @Test func `start_at end passes over what stands there, at the first start only`() throws {
        let input = try InputBench {
            try bench.make(KubernetesLogsInput.self, pods([("start_at", "end")]))
        }
        let log = try Pod("shop", "web", scratch: bench.scratch)
        try log.append(["before", "also before"])
        try input.start()
        input.readAll()
        #expect(input.lines.isEmpty)
        try log.append(["after"])
        input.readAll()
        #expect(input.messages == ["after"])
        input.stop()
        try log.append(["while it was stopped"])
        let other = try Pod("shop", "new", scratch: bench.scratch)
        try other.append(["new pod"])
        try input.start()
        input.readAll()
        #expect(Set(input.messages) == ["after", "while it was stopped", "new pod"])
    }

    // MARK: Live

    /// A container's log in a scratch folder.
    private struct Pod {
        let name: String
        let path: String

        init(_ namespace: String, _ pod: String, container: String = "app", scratch: ScratchDirectory) throws {
            name = "pods/\(namespace)_\(pod)_uid-\(pod)/\(container)/0.log"
            path = try scratch.write(name, "")
        }

        func append(_ lines: [String], tag: String = "F") throws {
            let file = try LocalFileSystem().open(path, .append)
            try file.write(
                Array(lines.map { "2026-01-02T03:04:05.000000006Z stdout \(tag) \($0)\n" }.joined().utf8).span)
        }
    }

    private func pods(_ settings: [(String, SettingsNode)] = []) -> SettingsNode {
        let paths: [(String, SettingsNode)] = [
            ("path", .init(stringLiteral: bench.scratch.path("pods"))),
            ("containers_path", .init(stringLiteral: bench.scratch.path("containers"))),
        ]
        return SettingsNode(
            .mapping((paths + settings).map { .init(key: $0.0, keyMark: .init(line: 1, column: 1), value: $0.1) }))
    }

    @Test func `it keeps the rules of inputs`() throws {
        let pod = try Pod("shop", "web", scratch: bench.scratch)
        try InputConformance(make: { try bench.make(KubernetesLogsInput.self, pods()) }, write: { try pod.append($0) })
            .check()
    }

    @Test func `it keeps the rules of inputs where its folders come later`() throws {
        var pod: Pod?
        try InputConformance(
            make: { try bench.make(KubernetesLogsInput.self, pods()) },
            write: { lines in
                if pod == nil { pod = try Pod("shop", "web", scratch: bench.scratch) }
                try pod?.append(lines)
            }
        ).check()
    }

    @Test func `new pods are found, and pieces are joined`() throws {
        let input = try InputBench { try bench.make(KubernetesLogsInput.self, pods()) }
        try LocalFileSystem().makeFolder(bench.scratch.path("pods"))
        try input.start()
        let web = try Pod("shop", "web", scratch: bench.scratch)
        try web.append(["first ", "second "], tag: "P")
        input.readAll()
        #expect(input.lines.isEmpty, "a piece waits for its end")
        try web.append(["third"])
        input.readAll()
        #expect(input.messages == ["first second third"])
        input.stop()
        try input.start()
        input.readAll()
        #expect(input.lines.count == 1)
    }

    @Test func `the agent's own pod is left out unless it is asked for`() async throws {
        await #expect(processExitsWith: .success) {
            // Variables are set in a process of its own.
            let bench = try PluginBench()
            for (pod, lines) in [("sluice-x1", ["own"]), ("web", ["theirs"])] {
                try bench.scratch.write(
                    "pods/logging_\(pod)_uid/app/0.log",
                    lines.map { "2026-01-02T03:04:05.000000006Z stdout F \($0)\n" }.joined())
            }
            let paths: [(String, SettingsNode)] = [
                ("path", .init(stringLiteral: bench.scratch.path("pods"))),
                ("containers_path", .init(stringLiteral: bench.scratch.path("containers"))),
            ]
            func messages(_ settings: [(String, SettingsNode)]) throws -> Set<String> {
                let node = SettingsNode(
                    .mapping(
                        (paths + settings).map { .init(key: $0.0, keyMark: .init(line: 1, column: 1), value: $0.1) }))
                let input = try InputBench { try bench.make(KubernetesLogsInput.self, node) }
                try input.start()
                input.readAll()
                return Set(input.messages)
            }
            Environment.set("POD_NAME", "sluice-x1")
            Environment.set("POD_NAMESPACE", "elsewhere")
            #expect(try messages([]) == ["own", "theirs"], "the same name in another namespace is another pod")
            Environment.set("POD_NAMESPACE", "logging")
            #expect(try messages([]) == ["theirs"])
            #expect(try messages([("own_logs", true)]) == ["own", "theirs"])
        }
    }

    // MARK: What is there

    private func findings(_ path: String) throws -> [String] {
        let settings: SettingsNode = [
            "path": .init(stringLiteral: bench.scratch.path(path)),
            "containers_path": .init(stringLiteral: bench.scratch.path("containers")),
        ]
        return try bench.make(KubernetesLogsInput.self, settings).findings().map {
            $0.replacing(bench.scratch.path, with: "DIR")
        }
    }

    @Test func `a folder without pods is told, and where there are some`() throws {
        _ = try Pod("shop", "web", scratch: bench.scratch)
        try bench.scratch.write("file", "")
        #expect(try findings("pods") == [])
        #expect(try findings("pod").count == 1)
        #expect(
            try findings("pod") == ["there is no folder DIR/pod, did you mean DIR/pods?; in DIR there are file, pods"])
        #expect(
            try findings("").map { $0.replacing("DIR//", with: "DIR/") } == [
                "in DIR/ there is no pod's folder (<namespace>_<pod>_<uid>), did you mean DIR/pods?; in DIR/ there are file, pods"
            ])
        #expect(
            try findings("pods/shop_web_uid-web") == [
                "in DIR/pods/shop_web_uid-web there is no pod's folder (<namespace>_<pod>_<uid>), did you mean DIR/pods?; in DIR/pods/shop_web_uid-web there is app alone"
            ])
        #expect(try findings("file") == ["DIR/file is no folder"])
        try LocalFileSystem().makeFolder(bench.scratch.path("fresh"))
        #expect(try findings("fresh") == [], "a node without pods yet")
    }

    @Test func `with once a missing folder of pods is a failure, else it is waited for`() throws {
        let once = try InputBench {
            try bench.make(KubernetesLogsInput.self, pods(), context: bench.context(once: true))
        }
        try once.start()
        #expect(once.failure?.hasPrefix("there is no folder ") == true)
        let going = try InputBench { try bench.make(KubernetesLogsInput.self, pods()) }
        try going.start()
        #expect(going.failure == nil && bench.log.said("finds nothing to read"))
    }

    @Test(arguments: [
        ("namespaces", "shop,other", "write [shop, other] (2 list items)"), ("pods", "^web-.*$", "write web-*"),
        ("containers", "App", "write app"), ("namespaces", "!kube-system", "under 'exclude:'"),
    ])
    func `globs that no name can match are refused`(_ key: String, _ pattern: String, _ meant: String) {
        for section in ["include", "exclude"] {
            let reading = SettingsReading(
                [section: SettingsNode(mapping: [(key, .init(stringLiteral: pattern))])],
                as: KubernetesLogsInput.Settings.self)
            #expect(reading.problems.count == 1 && reading.problems[0].contains(meant), "\(reading.problems)")
        }
    }

    // MARK: What is missing of a pod

    @Test func `where only the labels of the namespace are missing, that is what is told`() throws {
        var context = bench.context
        let directory = PodDirectory()
        directory.replaceAll(with: [PodMetadata.Pod(uid: "uid-web", namespace: "shop", name: "web")], now: 0)
        context.metadata.directory = directory
        context.metadata.wantsNamespaces = true
        context.metadata.wait = 0
        let log = try Pod("shop", "web", scratch: bench.scratch)
        try log.append(["one"])
        let input = try InputBench { try bench.make(KubernetesLogsInput.self, pods(), context: context) }
        try input.start()
        input.readAll()
        #expect(bench.log.said("the labels of a pod's namespace are not known after metadata_wait"))
        #expect(!bench.log.said("a pod is not known"))
    }
}
