// Reads the whole configuration from its tree, plugins included.
import Pipeline

extension AgentSettings {
    /// Names of a record's own members, which `fields:` must not take.
    private static let reservedNames: Set<String> = [
        "time", "stream", "severity", "origin", "kubernetes", "journal", "file", "message", "sluice",
    ]

    /// Reads every setting; when anything was reported the result is not to be used.
    init(from fields: inout Fields, registry: Registry) {
        dataDirectory = fields.path("data_dir") ?? "/var/lib/sluice"
        dataOrigin =
            fields.has("data_dir")
            ? fields.origin(of: "data_dir")
            : SettingsOrigin(file: fields.problems.file, path: "data_dir", mark: nil, excerpt: nil)
        self.fields = fields.table("fields", of: JSONValue.self, refusingNames: Self.faultOfFieldName)
            .map(StaticField.init)

        let inputs = PluginList(noun: "input", key: "inputs", kinds: registry.inputs, registry: registry)
        self.inputs = inputs.read(from: &fields) { plugin, item in
            if plugin.type == "kubernetes_logs" { Self.refuseKubernetes(in: &item) }
            let names = Self.parsers(of: plugin.type, from: &item, registry)
            return ConfiguredInput(
                plugin: plugin, parsers: Self.parsers(names, item, registry),
                chosenParsers: Self.parsers(registry.parsers.keys.sorted(), item, registry))
        }
        inputs.requireItems(in: &fields, "there is nothing to read", example: "inputs:\n  - type: kubernetes_logs")

        filters = PluginList(noun: "filter", key: "filters", kinds: registry.filters, registry: registry)
            .read(from: &fields) { plugin, _ in plugin }

        let outputs = PluginList(noun: "output", key: "outputs", kinds: registry.outputs, registry: registry)
        var writers: [(path: String, files: WrittenFiles)] = []
        self.outputs = outputs.read(from: &fields) { plugin, item in
            if let files = plugin.written {
                if let other = writers.first(where: { $0.files.meet(files) }) {
                    item.refuse(
                        files.setting, "\(other.path) writes to the same file, or will at some time",
                        hint: "outputs that write to one file cut each other's lines back: give each a file of its own")
                }
                writers.append((item.path, files))
            }
            return ConfiguredOutput(plugin: plugin, delivery: DeliverySettings(from: &item))
        }
        outputs.requireItems(in: &fields, "there is nowhere to send records to", example: "outputs:\n  - type: stdout")

        store = fields.section("store", as: StoreSettings.self)
        kubernetes = fields.section("kubernetes", as: Kubernetes.self)
        agent = fields.section("agent", as: Agent.self)
    }

    /// Reports what is said of pods' metadata in an input: there is one directory of pods for all of them.
    private static func refuseKubernetes(in item: inout Fields) {
        for key in item.names where Kubernetes.keys.contains(key) {
            item.refuse(
                name: key, "is not a setting of an input, it belongs in the top-level section 'kubernetes:'",
                hint: "it holds for all inputs")
        }
    }

    /// The parsers of an input: those it names, or those that inputs of its type have.
    private static func parsers(of input: String, from item: inout Fields, _ registry: Registry) -> [String] {
        let known = registry.parsers.keys.sorted().joined(separator: ", ")
        let given = item.list("parsers", of: TypeName.self) { name in
            guard registry.parsers[name.text] == nil else { return nil }
            if let meant = Suggestions.closest(to: name.text, among: registry.parsers.keys) {
                return .text("is no parser, did you mean '\(meant)'?")
            }
            return .text("is no parser", hint: "known parsers: \(known); [] for none")
        }
        return item.has("parsers") ? given.map(\.text) : registry.inputs[input]?.parsers ?? []
    }

    private static func parsers(_ names: [String], _ item: Fields, _ registry: Registry) -> [Configured<any Parser>] {
        let origin = item.origin(of: "parsers")
        return names.compactMap { name in
            guard let kind = registry.parsers[name] else { return nil }
            // None has settings so far: where one does, it becomes a mapping with a `type`.
            var settings = Fields(SettingsNode(.null), path: "parsers", problems: item.problems)
            return Configured(name: name, type: name, origin: origin, make: kind.configure(&settings).make)
        }
    }

    private static func faultOfFieldName(_ name: String) -> String? {
        if name.isEmpty { return "a field needs a name" }
        if name.unicodeScalars.contains(where: { $0.properties.generalCategory == .control }) {
            return "the name of a field has no control characters in it"
        }
        guard reservedNames.contains(name) else { return nil }
        return "records have a member of this name already, choose another such as 'my_\(name)'"
    }
}

/// One of the lists `inputs`, `filters`, `outputs`.
private struct PluginList<Instance> {
    /// "input", for messages.
    let noun: String
    let key: String
    let kinds: [String: PluginKind<Instance>]
    let registry: Registry

    /// Reads all items that can be read; `complete` reads what the list's items have beside the plugin's own settings.
    func read<Item>(
        from fields: inout Fields, complete: (Configured<Instance>, inout Fields) -> Item
    ) -> [Item] {
        var owners: [String: String] = [:]
        return fields.sections(key).compactMap { section in
            var item = section
            guard let type = type(from: &item), let kind = kinds[type] else {
                item.ignoreUnknown()
                return nil
            }
            let name = name(from: &item, type: type, owners: &owners)
            let read = kind.configure(&item)
            let plugin = Configured(
                name: name, type: type, origin: item.origin(), written: read.written, files: read.files, make: read.make
            )
            return complete(plugin, &item)
        }
    }

    /// Reports a list that has no items.
    func requireItems(in fields: inout Fields, _ reason: String, example: String) {
        guard fields.isReadable, !fields.hasItems(key) else { return }
        fields.refuse(key, "\(reason), add at least one item", hint: "for example\n\(example)")
    }

    /// The item's type, when there is such a plugin.
    private func type(from item: inout Fields) -> String? {
        let known = kinds.keys.sorted().map { $0 == "null" ? "\"null\" (in quotes)" : $0 }.joined(separator: ", ")
        guard let type = item.required("type", as: TypeName.self, hint: "known types: \(known)")?.text else {
            return nil
        }
        if kinds[type] != nil { return type }
        let shown = item.quoted(type, from: "type")
        if let other = registry.kindInWords(of: type) {
            item.refuse("type", "\(shown) is \(other.article), it belongs under '\(other.list):'")
        } else if let meant = Suggestions.closest(to: type, among: kinds.keys) {
            item.refuse("type", "there is no such \(noun) as \(shown), did you mean '\(meant)'?")
        } else {
            item.refuse("type", "there is no such \(noun) as \(shown)", hint: "known types: \(known)")
        }
        return nil
    }

    /// The item's name, which nobody else in the list has.
    private func name(from item: inout Fields, type: String, owners: inout [String: String]) -> String {
        let given = item.optional("name", as: PluginName.self)?.text
        let name = given ?? type
        if let owner = owners[name] {
            if given == nil {
                item.refuse(
                    "type", "\(owner) is already called '\(name)', give this one a name of its own",
                    hint: "for example 'name: \(name)-2'")
            } else {
                item.refuse("name", "\(owner) is already called '\(name)', names are unique in a list")
            }
        } else {
            owners[name] = item.path
        }
        return name
    }

}

/// What an item is.
private struct TypeName: TextSettingValue {
    static var expectation: String { "the name of a plugin" }
    let text: String
    init(text: String) { self.text = text }
}

/// The name of an item, as it appears in file names and metrics.
private struct PluginName: TextSettingValue {
    static var expectation: String { "a name" }
    let text: String

    init(text: String) throws(SettingMisfit) {
        let isAllowed = text.utf8.allSatisfy { byte in
            (0x61...0x7A).contains(byte) || (0x30...0x39).contains(byte) || byte == 0x5F || byte == 0x2D
        }
        guard isAllowed, (1...64).contains(text.utf8.count) else {
            throw .text("is not a name", hint: "use 1 to 64 of the characters a-z, 0-9, _ and -")
        }
        self.text = text
    }
}
