// Plugins with settings like the real ones, so that the messages under test are those an operator sees.
import Bytes
import Disk
import Pipeline
import Records
import Settings

/// Settings that carry their plugin's name, so that one fake class per kind is enough.
protocol NamedSettings: PluginSettings {
    static var name: String { get }
}

final class FakeInput<Settings: NamedSettings>: Input {
    static var name: String { Settings.name }
    let settings: Settings
    init(_ settings: Settings, context: PluginContext) { self.settings = settings }

    let jsonMode = JSONMode.off
    let nextDeadline = Int64.max
    let hasReady = false
    let lag: UInt64 = 0
    func open(on poller: inout Poller, start: InputStart) {}
    func wake(on poller: inout Poller, now: Int64) {}
    func read(
        into batch: inout RecordBatch, sparing: Bool, now: Int64, define: (SourceIdentity) -> SourceNumber
    ) -> Bool { false }
}

struct FakeFilter<Settings: NamedSettings>: Filter {
    static var name: String { Settings.name }
    init(_ settings: Settings, context: PluginContext) {}
    func apply(to batch: inout RecordBatch) {}
}

final class FakeOutput<Settings: NamedSettings>: Output {
    static var name: String { Settings.name }
    let settings: Settings
    init(_ settings: Settings, context: PluginContext) { self.settings = settings }

    let state: [UInt8] = []
    func open(state: [UInt8]) async {}
    func send(_ request: borrowing Request) async {}
    func close() async {}
}

struct KubernetesLogsSettings: NamedSettings {
    static let name = "kubernetes_logs"
    var path: String
    var include: Selection
    var exclude: Selection
    var maxLine: ByteSize

    struct Selection: PluginSettings {
        var namespaces: [Glob]
        var pods: [Glob]

        init(from fields: inout Fields) {
            namespaces = fields.list("namespaces", of: Glob.self)
            pods = fields.list("pods", of: Glob.self)
        }
    }

    init(from fields: inout Fields) {
        path = fields.value("path", default: "/var/log/pods")
        include = fields.section("include", as: Selection.self)
        exclude = fields.section("exclude", as: Selection.self)
        maxLine = fields.value("max_line", default: .mebibytes(1), atLeast: .kibibytes(1), atMost: .mebibytes(16))
    }
}

struct FileInputSettings: NamedSettings {
    static let name = "file"
    var include: [PathGlob]

    init(from fields: inout Fields) {
        include = fields.list("include", of: PathGlob.self)
        if !fields.hasItems("include") {
            fields.refuse("include", "there is no file to read, add at least one path", hint: "include: /var/log/*.log")
        }
    }
}

struct DropSettings: NamedSettings {
    static let name = "drop"
    var conditions: [(field: FieldPath, value: Glob)]

    init(from fields: inout Fields) {
        conditions = fields.table("where", of: Glob.self).compactMap { entry in
            (try? FieldPath(text: entry.name)).map { ($0, entry.value) }
        }
    }
}

struct HTTPSettings: NamedSettings {
    static let name = "http"
    var url: Address?
    var timeout: Interval
    var concurrency: Int
    var isCompressed: Bool
    var token: Secret?
    var method: Method

    struct Address: TextSettingValue {
        static var expectation: String { "an address such as https://logs.example.com/ingest" }
        let text: String

        init(text: String) throws(SettingMisfit) {
            guard text.hasPrefix("http://") || text.hasPrefix("https://") else {
                throw .text("is not an address", hint: "it begins with https:// or http://")
            }
            self.text = text
        }
    }

    enum Method: String, CaseIterable { case post = "POST", put = "PUT" }

    init(from fields: inout Fields) {
        url = fields.required("url", as: Address.self)
        timeout = fields.value("timeout", default: .seconds(30), atLeast: .seconds(1))
        concurrency = fields.int("concurrency", default: 1, in: 1...64)
        isCompressed = fields.value("compress", default: true)
        method = fields.choice("method", default: .post)
        if var auth = fields.section("auth") { token = auth.required("token", as: Secret.self) }
    }
}

struct StdoutSettings: NamedSettings {
    static let name = "stdout"
    init(from fields: inout Fields) {}
}

struct NullSettings: NamedSettings {
    static let name = "null"
    init(from fields: inout Fields) {}
}

extension Registry {
    /// All fake plugins.
    static var fake: Registry {
        var registry = Registry()
        registry.addInput(FakeInput<KubernetesLogsSettings>.self)
        registry.addInput(FakeInput<FileInputSettings>.self)
        registry.addFilter(FakeFilter<DropSettings>.self)
        registry.addOutput(FakeOutput<HTTPSettings>.self)
        registry.addOutput(FakeOutput<StdoutSettings>.self)
        registry.addOutput(FakeOutput<NullSettings>.self)
        return registry
    }
}

/// Loads a text as `sluice.yaml` with the fake plugins, a small environment and one readable file.
func load(_ text: String) -> SettingsFile.Loaded {
    SettingsFile.load(
        text: text, fileName: "sluice.yaml", registry: .fake,
        environment: { ["NODE_NAME": "node-7", "PORT": "80a", "SIZE": "64MiB", "EMPTY": ""][$0] },
        readFile: { path throws(SettingsFile.Unreadable) in
            switch path {
            case "/run/token": Array("s3cret\n".utf8)
            case "/run/latin1": [0x6D, 0xFC]
            default: throw SettingsFile.Unreadable("no such file")
            }
        })
}
