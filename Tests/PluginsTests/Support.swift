// What the tests of plugins share.
import Disk
import Glibc
import Pipeline
import TestKit
import Testing

/// A folder, a disk that can fail, an ear on the telemetry, and the context a plugin is built with.
struct PluginBench {
    let scratch: ScratchDirectory
    let disk = FaultyFileSystem()
    let log = TestTelemetry()

    init() throws { scratch = try ScratchDirectory() }

    var context: PluginContext { context() }

    func context(once: Bool = false, staticFields: String = "") -> PluginContext {
        PluginContext(
            name: "it", node: "node-7", staticFields: Array(staticFields.utf8), once: once, telemetry: log.telemetry,
            fileSystem: disk)
    }

    /// Builds a plugin from a literal; wrong settings fail the test.
    func make<P: Plugin>(
        _: P.Type, _ settings: SettingsNode, context: PluginContext? = nil, place: SourceLocation = #_sourceLocation
    ) throws -> P {
        let reading = SettingsReading(settings, as: P.Settings.self)
        #expect(reading.problems == [], sourceLocation: place)
        return try P(reading.settings, context: context ?? self.context)
    }

    /// The lines of a file; none when there is no file.
    func lines(_ name: String) -> [String] {
        guard let bytes = try? scratch.contents(name) else { return [] }
        return String(decoding: bytes, as: UTF8.self).split(separator: "\n").map(String.init)
    }

    /// The names of the files in the folder, sorted.
    func names(_ folder: String = "") -> [String] {
        ((try? Directory.list(scratch.path(folder))) ?? []).map(\.name).sorted()
    }
}

/// Variables of this process; for exit tests, which have a process of their own.
enum Environment {
    static func set(_ name: String, _ value: String) { _ = unsafe setenv(name, value, 1) }
}
