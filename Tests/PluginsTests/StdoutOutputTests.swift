// Output `stdout` and the short form of records; output `null`.
import Bytes
import Disk
import Pipeline
import Plugins
import TestKit
import Testing

@Suite struct `Short format` {
    /// The line for a record, its time left out.
    private func short(_ record: String, colors: Bool = false) -> String {
        var format = ShortFormat(isColored: colors)
        var out = Arena()
        format.append(Array((record + "\n").utf8).span, to: &out)
        return String(decoding: out.span)
    }

    private let web =
        #""origin":"container","kubernetes":{"namespace_name":"shop","pod_name":"web-1","container_name":"nginx","restart_count":0}}"#

    @Test func `a plain message stands behind time, namespace, pod and container`() throws {
        let line = short(#"{"time":"2026-11-03T03:14:07.5Z","stream":"stdout","message":"hello world",\#(web)"#)
        #expect(line.hasSuffix(" shop/web-1 nginx: hello world\n"))
        // Local time, as the terminal's reader lives in it.
        let utc: Int64 = 1_793_675_647
        let offset = Machine.localOffset(at: utc)
        if offset == 0 { #expect(line.hasPrefix("Nov  3 03:14:07 ")) }
        let clock = try #require(line.split(separator: " ").dropFirst(2).first)
        #expect(clock.hasSuffix(":07") && clock.count == 8)
    }

    @Test func `a container that was started again has its count in brackets`() {
        let record =
            #"{"time":"x","message":"m","origin":"container","kubernetes":{"namespace_name":"shop","pod_name":"odoo","container_name":"odoo","restart_count":3}}"#
        #expect(short(record) == "shop/odoo odoo[3]: m\n")
    }

    @Test func `a file has its path`() {
        #expect(
            short(#"{"message":"m","origin":"file","file":{"path":"/var/log/a.log","node_name":"n"}}"#)
                == "/var/log/a.log: m\n")
    }

    @Test func `a journal entry looks as journalctl shows it`() {
        func entry(_ more: String) -> String {
            #"{"message":"m","origin":"journal","journal":{\#(more)"node_name":"node-1"}}"#
        }
        #expect(
            short(entry(#""unit":"kubelet.service","identifier":"kubelet","pid":812,"#)) == "node-1 kubelet[812]: m\n")
        #expect(short(entry(#""identifier":"kernel","#)) == "node-1 kernel: m\n")
        #expect(short(entry(#""unit":"x.service","pid":"7","#)) == "node-1 x.service[7]: m\n")
    }

    @Test func `a klog line shows its message and its pairs`() {
        let klog =
            #""caller":"kubelet.go:1","klog":{"time":"1123 03:28:02.913293","thread":7,"pod":"a/b","err":"no \n"}"#
        #expect(short("{\"message\":\"m\",\(klog),\(web)") == "shop/web-1 nginx: m pod=a/b err=no \\x0a\n")
        #expect(short("{\"message\":\"m\",\"caller\":\"c\",\(web)") == "shop/web-1 nginx: m caller=c\n")
    }

    @Test(arguments: [
        (#""message":"started","port":8080,"tls":true"#, "started port=8080 tls=true"),
        (#""level":"info","msg":"started","port":8080"#, "started level=info port=8080"),
        (#""msg":"first","log":"second""#, "first log=second"),
        (#""MESSAGE":"m","a":"b c""#, "m a=b c"),
        (#""a":{"b":[1,2]},"c":null"#, #"a={"b":[1,2]} c=null"#),
        (#""stream_":"theirs","message":"m""#, "m stream_=theirs"),
        (#""message":{"text":"m"}"#, #"{"text":"m"}"#),
    ])
    func `a JSON message shows its message, then its members`(_ members: String, _ shown: String) {
        #expect(
            short("{\"stream\":\"stdout\",\"severity\":\"info\",\(members),\(web)") == "shop/web-1 nginx: \(shown)\n")
    }

    @Test func `static fields and marks are not shown`() {
        let record =
            #"{"stream":"stdout","message":"m","sluice":["truncated"],"origin":"file","file":{"path":"/a"},"cluster":"prod"}"#
        #expect(short(record) == "/a: m\n")
    }

    @Test(arguments: [
        (#"\u001b[31mred"#, #"\x1b[31mred"#), (#"a\nb\r"#, #"a\x0ab\x0d"#), ("tab\\there", "tab\there"),
        (#"\u0000\u007f"#, #"\x00\x7f"#),
        ("\u{9b}31m", #"\x9b31m"#), ("caf\u{e9} \u{1F600} \u{a0}", "caf\u{e9} \u{1F600} \u{a0}"),
        (#"\"quoted\" \\ \/"#, #""quoted" \ /"#),
    ])
    func `nothing in a record can drive the terminal`(_ text: String, _ shown: String) {
        #expect(short("{\"message\":\"\(text)\",\(web)") == "shop/web-1 nginx: \(shown)\n")
        #expect(short("{\"x\(text)\":1,\(web)") == "shop/web-1 nginx: x\(shown)=1\n", "a member's name neither")
        #expect(
            short("{\"message\":\"m\",\"file\":{\"path\":\"/\(text)\"}}").hasPrefix("/\(shown): "), "a path neither")
    }

    @Test(arguments: [
        ("emergency", "31"), ("alert", "31"), ("critical", "31"), ("error", "31"), ("warning", "33"), ("notice", "1"),
        ("debug", "2"),
        ("trace", "2"), ("info", ""), ("", ""),
    ])
    func `severities have colours when asked for`(_ severity: String, _ color: String) {
        let record = "{\"severity\":\"\(severity)\",\"message\":\"m\",\(web)"
        #expect(short(record) == "shop/web-1 nginx: m\n")
        let colored = color.isEmpty ? "m" : "\u{1b}[\(color)mm\u{1b}[0m"
        #expect(short(record, colors: true) == "shop/web-1 nginx: \(colored)\n")
    }

    @Test func `every record is one line, in order`() {
        var format = ShortFormat(isColored: false)
        var out = Arena()
        let text = (1...100).map { "{\"message\":\"\($0)\",\(web)\n" }.joined()
        format.append(Array(text.utf8).span, to: &out)
        #expect(String(decoding: out.span) == (1...100).map { "shop/web-1 nginx: \($0)\n" }.joined())
    }
}

@Suite(.timeLimit(.minutes(1))) struct `Output stdout` {
    @Test func `its settings have defaults, and a wrong format is refused`() {
        #expect(SettingsReading([:], as: StdoutOutput.Settings.self).settings.format == .json)
        #expect(SettingsReading(["format": "short"], as: StdoutOutput.Settings.self).settings.format == .short)
        #expect(
            SettingsReading(["format": "shrot"], as: StdoutOutput.Settings.self).problems
                == ["item.format: 'shrot' is not one of json, short, did you mean 'short'?"])
        #expect(
            SettingsReading(["color": "on"], as: StdoutOutput.Settings.self).problems
                == ["item.color: unknown setting; known here: format"])
    }

    @Test func `records are printed whole, once for each request`() async throws {
        let result = await #expect(processExitsWith: .success, observing: [\.standardOutputContent]) {
            let bench = try PluginBench()
            let output = OutputBench(try RequestSource()) { try bench.make(StdoutOutput.self, ["format": "json"]) }
            try await output.start()
            try await output.deliver(1, 15)
            try await output.deliver(16, 30)
            await output.close()
        }
        let printed = String(decoding: try #require(result).standardOutputContent, as: UTF8.self)
        #expect(
            printed.split(separator: "\n").filter { $0.hasPrefix("{\"time\"") }.map(String.init)
                == RequestSource.records(1..<31))
    }

    @Test func `the short form is printed without colours where nobody looks`() async throws {
        let result = await #expect(processExitsWith: .success, observing: [\.standardOutputContent]) {
            let bench = try PluginBench()
            let output = OutputBench(try RequestSource()) { try bench.make(StdoutOutput.self, ["format": "short"]) }
            try await output.start()
            try await output.deliver(1, 30)
        }
        let printed = String(decoding: try #require(result).standardOutputContent, as: UTF8.self)
        let lines = printed.split(separator: "\n").filter { $0.contains("shop/web nginx: ") }
        #expect(lines.count == 30 && lines.last?.hasSuffix("shop/web nginx: line 30") == true)
        #expect(!printed.contains("\u{1b}["))
    }
}

@Suite struct `Output null` {
    @Test func `it takes everything and has nothing to set`() async throws {
        let bench = try PluginBench()
        #expect(
            SettingsReading(["x": 1], as: NullOutput.Settings.self).problems.first?.hasPrefix("item.x: unknown setting")
                == true)
        let output = OutputBench(try RequestSource()) { try bench.make(NullOutput.self, [:]) }
        try await output.start()
        try await output.deliver(1, 30)
        try await output.start()
        #expect(output.kept.isEmpty)
        await output.close()
    }
}
