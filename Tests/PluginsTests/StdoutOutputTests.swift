// Output `stdout`; output `null`.
import Pipeline
import Plugins
import TestKit
import Testing

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
