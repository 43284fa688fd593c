// Right configurations: every setting arrives with its value, and a shortest one with all defaults.
import Pipeline
import Settings
import TestKit
import Testing

struct ConfigurationTests {
    @Test func `the shortest configuration has every default`() throws {
        let settings = try accepted("inputs: [{ type: kubernetes_logs }]\noutputs: [{ type: stdout }]")
        #expect(settings.dataDirectory == "/var/lib/sluice")
        #expect(settings.fields.isEmpty && settings.filters.isEmpty)
        #expect(settings.inputs.map(\.plugin.name) == ["kubernetes_logs"])
        #expect(settings.store.maxSize == .gibibytes(2))
        #expect(settings.store.history == .hours(24))
        #expect(settings.store.minFree == .mebibytes(256))
        #expect(settings.store.sync == .seconds(1))
        #expect(settings.store.linger == .milliseconds(250))
        #expect(settings.store.catchUpWindow == .mebibytes(64))
        #expect(settings.agent.node == nil)
        #expect(settings.agent.shutdownGrace == .seconds(25))
        #expect(settings.agent.logLevel == .info && settings.agent.logFormat == .text)
        #expect(settings.agent.summaryInterval == .minutes(1))
        let delivery = try #require(settings.outputs.first).delivery
        #expect(delivery.whenFull == .giveWay && delivery.startAt == .end)
        #expect(delivery.maxAge == nil && delivery.maxWaiting == nil)
        #expect(delivery.maxRequest == .mebibytes(1) && delivery.maxDelay == .seconds(1))
        #expect(delivery.retry.initial == .seconds(1) && delivery.retry.max == .minutes(1))
    }

    @Test func `every setting arrives`() throws {
        let settings = try accepted(longConfiguration)
        #expect(settings.dataDirectory == "/data/sluice")
        #expect(settings.fields.map(\.name) == ["cluster", "zone", "weights"])
        #expect(settings.fields.map(\.value.description) == [#""prod-1""#, #""node-7""#, "[1,2.50,true]"])
        #expect(settings.inputs.map(\.plugin.name) == ["kubernetes_logs", "app"])
        #expect(settings.filters.map(\.type) == ["drop"])
        #expect(settings.outputs.map(\.plugin.name) == ["central", "stdout"])
        #expect(settings.outputs.map(\.plugin.origin.mark?.line) == [18, 28])
        #expect(settings.store.maxSize == .gibibytes(4) && settings.store.minFree == ByteSize(bytes: 100_000_000))
        #expect(settings.agent.node == "node-7" && settings.agent.logLevel == .debug)
        let delivery = try #require(settings.outputs.first).delivery
        #expect(delivery.whenFull == .pause && delivery.startAt == .history)
        #expect(delivery.maxAge == .hours(48) && delivery.maxWaiting == .mebibytes(64))
        #expect(delivery.retry.initial == .milliseconds(500) && delivery.retry.max == .minutes(5))
    }

    @Test func `a plugin is built from the settings that were read`() throws {
        let settings = try accepted(longConfiguration)
        let context = PluginContext(name: "central", node: "node-7", telemetry: TestTelemetry().telemetry)
        let http = try #require(try settings.outputs[0].plugin.make(context) as? FakeOutput<HTTPSettings>)
        #expect(http.settings.url?.text == "https://logs.example.com/ingest")
        #expect(http.settings.token?.revealed() == "s3cret")
        #expect("\(http.settings.token as Any)".contains("s3cret") == false)
        let input = try #require(try settings.inputs[1].plugin.make(context) as? FakeInput<FileInputSettings>)
        #expect(input.settings.include.map(\.pattern) == ["/var/log/app/*.log"])
    }

    @Test func `anchors and merge keys save typing, and own keys win`() throws {
        let settings = try accepted(
            """
            inputs: [{ type: kubernetes_logs }]
            outputs:
              - &base { type: stdout, max_delay: 3s, max_age: 1h }
              - { <<: *base, name: second, max_age: 2h }
            """)
        #expect(settings.outputs.map(\.plugin.name) == ["stdout", "second"])
        #expect(settings.outputs.map(\.delivery.maxDelay) == [.seconds(3), .seconds(3)])
        #expect(settings.outputs.map(\.delivery.maxAge) == [.hours(1), .hours(2)])
    }

    @Test(arguments: ["store:", "store: ~", "store: {}", "store: { max_size: }", "filters:", "filters: []", "fields:"])
    func `a setting without a value has its default`(_ line: String) throws {
        let settings = try accepted("inputs: [{ type: kubernetes_logs }]\noutputs: [{ type: stdout }]\n\(line)\n")
        #expect(settings.store.maxSize == .gibibytes(2))
    }

    @Test func `aliases that grow without bound are refused`() {
        var text = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n"
        for level in 1...9 {
            let aliases = [String](repeating: "*a\(level - 1)", count: 10).joined(separator: ", ")
            text += "a\(level): &a\(level) [\(aliases)]\n"
        }
        let loaded = load(text)
        #expect(loaded.settings == nil)
        #expect(loaded.problems.contains { $0.message.contains("more values than any configuration needs") })
    }

    @Test func `deep nesting is refused`() {
        let loaded = load("fields: { a: \(String(repeating: "[", count: 200))\(String(repeating: "]", count: 200)) }\n")
        #expect(loaded.problems.contains { $0.message.contains("nested deeper") })
    }

    private func accepted(_ text: String) throws -> AgentSettings {
        let loaded = load(text)
        #expect(loaded.problems.map { $0.rendered() } == [])
        return try #require(loaded.settings)
    }
}

/// A configuration that uses nearly everything.
let longConfiguration = #"""
    data_dir: /data/sluice
    fields:
      cluster: prod-1
      zone: ${NODE_NAME}
      weights: [1, 2.50, true]
    inputs:
      - type: kubernetes_logs
        exclude: { namespaces: [kube-node-lease, "debug-*"] }
        max_line: 256KiB
      - type: file
        name: app
        include: /var/log/app/*.log
    filters:
      - type: drop
        where:
          kubernetes.namespace_name: "debug-*"
    outputs:
      - name: central
        type: http
        url: https://logs.example.com/ingest
        auth:
          token: "${file:/run/token}"
        when_full: pause
        start_at: history
        max_age: 2d
        max_waiting: ${SIZE}
        retry: { initial: 500ms, max: 5m }
      - type: stdout
    store: { max_size: 4GiB, history: 12h, min_free: 100MB }
    agent: { node: "${NODE_NAME:-unknown}", log_level: debug, log_format: json }
    """#
