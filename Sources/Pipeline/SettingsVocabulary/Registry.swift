// Which plugins there are, by kind and name, and how one is made from its settings.
// Two stages: reading the settings (what was typed, no effect on the world) and building the instance (what runs).

/// What all plugins have: a name, settings, and a way to be built from them.
package protocol Plugin: SendableMetatype {
    /// What the operator writes as `type:`.
    static var name: String { get }
    /// What the operator can set.
    associatedtype Settings: PluginSettings
    /// Builds the plugin; it may look at the world (open a file, read a certificate), but starts nothing.
    ///
    /// - Throws: `PluginError` that says why it cannot run here.
    init(_ settings: Settings, context: PluginContext) throws(PluginError)
}

/// Builds an instance, on the thread or task that will run it.
package typealias PluginFactory<Instance> = @Sendable (PluginContext) throws(PluginError) -> Instance

/// One plugin as the registry knows it, its own type erased.
package struct PluginKind<Instance>: Sendable {
    /// What the operator writes as `type:`.
    package let name: String
    /// Reads the settings and returns what builds the instance, the files that it will write, and those that it will use.
    package let configure:
        @Sendable (inout Fields) -> (make: PluginFactory<Instance>, written: WrittenFiles?, files: UsedFiles)
    /// Of an input: the parsers that its records go through unless `parsers` says otherwise.
    package let parsers: [String]
}

/// All plugins of this build.
package struct Registry: Sendable {
    /// The inputs by name.
    package private(set) var inputs: [String: PluginKind<any Input>] = [:]
    /// The parsers by name.
    package private(set) var parsers: [String: PluginKind<any Parser>] = [:]
    /// The filters by name.
    package private(set) var filters: [String: PluginKind<any Filter>] = [:]
    /// The outputs by name.
    package private(set) var outputs: [String: PluginKind<any Output>] = [:]

    /// Creates an empty registry.
    package init() {}

    /// Adds an input.
    package mutating func addInput<P: Input>(_: P.Type) {
        Self.add(Self.kind(P.self, parsers: P.standardParsers) { $0 }, to: &inputs)
    }

    /// Adds a parser.
    package mutating func addParser<P: Parser>(_: P.Type) {
        Self.add(Self.kind(P.self) { $0 }, to: &parsers)
    }

    /// Adds a filter.
    package mutating func addFilter<P: Filter>(_: P.Type) {
        Self.add(Self.kind(P.self) { $0 }, to: &filters)
    }

    /// Adds an output.
    package mutating func addOutput<P: Output>(_: P.Type) {
        Self.add(Self.kind(P.self) { $0 }, to: &outputs)
    }

    /// What a name is when it is not what was looked for, and the list it belongs in; nil when there is no such plugin.
    package func kindInWords(of name: String) -> (article: String, list: String)? {
        if inputs[name] != nil { return ("an input", "inputs") }
        if outputs[name] != nil { return ("an output", "outputs") }
        if filters[name] != nil { return ("a filter", "filters") }
        if parsers[name] != nil { return ("a parser", "parsers") }
        return nil
    }

    private static func kind<P: Plugin, Instance>(
        _: P.Type, parsers: [String] = [], as erased: @escaping @Sendable (P) -> Instance
    ) -> PluginKind<Instance> {
        PluginKind(
            name: P.name,
            configure: { fields in
                let settings = P.Settings(from: &fields)
                return (
                    { (context) throws(PluginError) in erased(try P(settings, context: context)) },
                    (settings as? any FileWritingSettings)?.written, settings.usedFiles
                )
            }, parsers: parsers)
    }

    private static func add<Instance>(_ kind: PluginKind<Instance>, to kinds: inout [String: PluginKind<Instance>]) {
        precondition(kinds[kind.name] == nil, "two plugins of one kind are called \(kind.name)")
        kinds[kind.name] = kind
    }
}

/// One item of `inputs`, `filters` or `outputs`: its settings are read and right, its instance not yet built.
package struct Configured<Instance>: Sendable {
    /// The item's name, unique in its list: of counters, cursors, log lines.
    package let name: String
    /// The plugin's name.
    package let type: String
    /// Where the item stands, to tell at that place why `make` failed: `origin.problem("...")`.
    package let origin: SettingsOrigin
    /// The files that it writes, of an output that does.
    package let written: WrittenFiles?
    /// Builds the instance.
    package let make: PluginFactory<Instance>
    /// The files that it will use.
    package let files: UsedFiles

    /// Creates an item.
    package init(
        name: String, type: String, origin: SettingsOrigin, written: WrittenFiles? = nil,
        files: UsedFiles = UsedFiles(), make: @escaping PluginFactory<Instance>
    ) {
        self.name = name
        self.type = type
        self.origin = origin
        self.written = written
        self.make = make
        self.files = files
    }
}
