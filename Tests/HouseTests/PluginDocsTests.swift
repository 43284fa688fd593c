// Every plugin is documented, with each of its settings, and is shown in a sample.
import Foundation
import Pipeline
import Plugins
import Settings
import Testing

/// A plugin as its source file and BuiltinPlugins.swift tell it.
private struct PluginSource: CustomStringConvertible {
    /// "Input", "Output", ...
    let kind: String
    let name: String
    /// Its settings and those of its sections.
    let keys: Set<String>

    var description: String { "\(kind.lowercased()) \(name)" }
    var heading: String { "## \(kind) `\(name)`" }

    static func all() throws -> [PluginSource] {
        let builtin = try House.file("Sources/Plugins/BuiltinPlugins.swift").text
        return try builtin.matches(of: /registry\.add(\w+)\((\w+)\.self\)/).map { match in
            let file = try source(of: String(match.output.2))
            let name = try #require(file.text.firstMatch(of: /static let name = "([^"]+)"/))
            return PluginSource(kind: String(match.output.1), name: String(name.output.1), keys: try keys(in: file))
        }
    }

    /// The keys that a file reads, and those of the settings it shares with others.
    static func keys(in file: HouseFile) throws -> Set<String> {
        let calls =
            /(?:fields\.(?:value|path|optional|required|list|choice|section|sections|table|int)|names)\(\s*"([^"]+)"/
        var keys = Set(file.text.matches(of: calls).map { String($0.output.1) })
        for shared in file.text.matches(of: /= (\w+)\(from: &fields\)/) {
            keys.formUnion(try self.keys(in: try source(of: String(shared.output.1))))
        }
        return keys
    }

    private static func source(of type: String) throws -> HouseFile {
        let files = try House.files(below: "Sources/Plugins", ending: "\(type).swift").filter {
            $0.name == "\(type).swift"
        }
        return try #require(files.first, "a type of Sources/Plugins is in a file of its name: \(type)")
    }
}

@Suite("plugins are documented")
struct PluginDocsTests {
    private static let common = "## Settings of every output"
    private static let commonToInputs = "## Settings of every input"

    /// The part of plugins.md below a heading, up to the next of its level.
    private func section(_ heading: String) throws -> String? {
        let document = try House.file("plugins.md").text
        guard let start = document.range(of: heading + "\n") else { return nil }
        let rest = document[start.upperBound...]
        return String(rest[..<(rest.range(of: "\n## ")?.lowerBound ?? rest.endIndex)])
    }

    /// The first column of the tables in a section.
    private func tableKeys(_ section: String) -> Set<String> {
        Set(section.matches(of: /(?m)^\| `([^`]+)` \|/).map { String($0.output.1) })
    }

    @Test func `plugins are found in the sources as the registry has them`() throws {
        let sources = try PluginSource.all()
        #expect(Set(sources.filter { $0.kind == "Input" }.map(\.name)) == Set(Registry.builtin.inputs.keys))
        #expect(Set(sources.filter { $0.kind == "Parser" }.map(\.name)) == Set(Registry.builtin.parsers.keys))
        #expect(Set(sources.filter { $0.kind == "Filter" }.map(\.name)) == Set(Registry.builtin.filters.keys))
        #expect(Set(sources.filter { $0.kind == "Output" }.map(\.name)) == Set(Registry.builtin.outputs.keys))
        #expect(!sources.isEmpty)
    }

    @Test func `every plugin has a section in which each of its settings has a row`() throws {
        for plugin in try PluginSource.all() {
            guard let section = try section(plugin.heading) else {
                Issue.record("plugins.md has no section '\(plugin.heading)'")
                continue
            }
            #expect(section.contains("```yaml"), "\(plugin) has no example")
            let rows = Set(tableKeys(section).map { $0.split(separator: ".").last.map(String.init) ?? $0 })
            let missing = plugin.keys.subtracting(rows).sorted()
            #expect(missing == [], "settings of \(plugin) that plugins.md does not name")
            let unknown = rows.subtracting(plugin.keys).sorted()
            #expect(unknown == [], "settings in plugins.md that \(plugin) does not have")
        }
    }

    @Test func `the settings that every output has are documented`() throws {
        let delivery = try House.file("Sources/Pipeline/SettingsVocabulary/DeliverySettings.swift")
        let keys = try PluginSource.keys(in: delivery).union(["name", "type"])
        let section = try #require(try section(Self.common))
        let rows = Set(tableKeys(section).map { $0.split(separator: ".").last.map(String.init) ?? $0 })
        #expect(rows == keys)
    }

    @Test func `the settings that every input has are documented`() throws {
        let section = try #require(try section(Self.commonToInputs))
        #expect(tableKeys(section) == ["type", "name", "parsers"])
    }

    @Test func `every section is about a plugin there is`() throws {
        let headings = Set(try PluginSource.all().map(\.heading))
        let document = try House.file("plugins.md").text
        for heading in document.matches(of: /(?m)^## (?:Input|Parser|Filter|Output) .*$/) {
            #expect(headings.contains(String(heading.output)), "\(heading.output)")
        }
    }

    @Test func `every example is a configuration that loads`() throws {
        let document = try House.file("plugins.md").text
        let examples = document.matches(of: /(?s)```yaml\n(.*?)```/)
        #expect(examples.count > 4)
        for example in examples {
            // An example shows one list: what else has to be there is added.
            var text = String(example.output.1)
            if !text.contains("inputs:") { text += "inputs: [{ type: kubernetes_logs }]\n" }
            if !text.contains("outputs:") { text += "outputs: [{ type: stdout }]\n" }
            let loaded = SettingsFile.load(text: text, fileName: "plugins.md", registry: .builtin)
            #expect(loaded.problems.map { $0.rendered(colour: false) } == [])
        }
    }

    @Test func `every plugin is shown in a sample`() throws {
        let samples = try House.files(below: "samples", ending: ".yaml").map(\.text).joined(separator: "\n")
        for plugin in try PluginSource.all() {
            // A parser is named by the inputs whose records go through it.
            let pattern = try Regex(
                plugin.kind == "Parser"
                    ? "(?m)parsers: \\[.*\\b\(plugin.name)\\b.*\\]" : "(?m)type: \"?\(plugin.name)\"?(\\s|$)")
            #expect(samples.contains(pattern), "no sample names the \(plugin)")
        }
    }
}

@Suite("samples")
struct SamplesTests {
    @Test func `every sample is a configuration that loads, without any environment`() throws {
        let samples = try House.files(below: "samples", ending: ".yaml")
        #expect(samples.count >= 4)
        for sample in samples {
            let loaded = SettingsFile.load(
                text: sample.text, fileName: sample.path, registry: .builtin, environment: { _ in nil })
            #expect(loaded.problems.map { $0.rendered(colour: false) } == [])
            #expect(loaded.settings?.inputs.isEmpty == false && loaded.settings?.outputs.isEmpty == false)
        }
    }
}

@Suite("the configuration is documented")
struct ConfigurationDocsTests {
    @Test(
        arguments: [
            ("store", "Sources/Pipeline/SettingsVocabulary/StoreSettings.swift"),
            ("agent", "Sources/Settings/AgentSettings.swift"),
            ("kubernetes", "Sources/Settings/KubernetesSettings.swift"),
        ])
    func `each setting of a section has a row, and each row a setting`(_ section: String, _ path: String) throws {
        let keys = try PluginSource.keys(in: House.file(path))
        let document = try House.file("docs/configuration.md").text
        let start = try #require(document.range(of: "## `\(section)`\n"))
        let rest = document[start.upperBound...]
        let text = String(rest[..<(rest.range(of: "\n## ")?.lowerBound ?? rest.endIndex)])
        let rows = Set(text.matches(of: /(?m)^\| `(?:[^`]+\.)?([^`.]+)` \|/).map { String($0.output.1) })
        #expect(rows == keys && !keys.isEmpty)
    }
}
