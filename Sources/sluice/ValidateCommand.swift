// `sluice validate`: says all that is wrong with configurations, by the same code that `run` starts with.
import ArgumentParser
import Disk
import Logging
import Pipeline
import Plugins
import Settings
import Telemetry

struct ValidateCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "validate",
        abstract: "Check configuration files; every mistake is told at once.",
        discussion: """
            Also looks whether this machine has what they ask for: logs, journals, certificates, tokens, a place for the data. \
            Exits with 0 when all is well, with 78 when a file is wrong, and with 1 when all files are right but something \
            is missing here. No password and no token is ever shown.
            """)

    @Argument(help: "Configuration files.", completion: .file(extensions: ["yaml", "yml"]))
    var files: [String]

    @Flag(help: "Check the files alone, not whether this machine has what they ask for.")
    var settingsOnly = false

    func run() throws {
        var isRight = true
        var isReadable = true
        for file in files {
            let loaded = SettingsFile.load(path: file, registry: .builtin)
            Problems.tell(loaded)
            guard let settings = loaded.settings else {
                isRight = false
                continue
            }
            let findings = loaded.findings + (settingsOnly ? [] : Self.findings(settings))
            Problems.tell(findings)
            if findings.isEmpty {
                print("\(file): ok")
            } else {
                isReadable = false
                print("\(file): right, but not all that it asks for is here or can be done")
            }
        }
        if !isRight { throw Exit.configuration }
        if !isReadable { throw Exit.failure }
    }

    /// What keeps the agent from working on this machine.
    private static func findings(_ settings: AgentSettings) -> [SettingsProblem] {
        dataFindings(settings) + inputFindings(settings) + outputFindings(settings) + kubernetesFindings(settings)
    }

    private static func dataFindings(_ settings: AgentSettings) -> [SettingsProblem] {
        let folder = settings.dataDirectory
        let relative =
            folder.hasPrefix("/")
            ? nil : "'\(folder)' is relative: it depends on the folder in which the agent is started"
        return [relative, WritableFolder.fault(folder)].compactMap { $0 }.map { settings.dataOrigin.problem($0) }
    }

    private static func outputFindings(_ settings: AgentSettings) -> [SettingsProblem] {
        settings.outputs.map(\.plugin).flatMap { output in
            do throws(PluginError) {
                return try output.make(context(output.name)).findings().map { output.origin.problem($0) }
            } catch {
                return [output.origin.problem(error.description)]
            }
        }
    }

    /// Nothing is started, and nobody is told of events.
    private static func context(_ name: String) -> PluginContext {
        PluginContext(
            name: name, node: "", telemetry: Telemetry(Logger(label: "validate") { _ in SwiftLogNoOpLogHandler() }))
    }

    private static func kubernetesFindings(_ settings: AgentSettings) -> [SettingsProblem] {
        do throws(SettingsProblem) {
            _ = try settings.kubernetes.source()
            return []
        } catch {
            // What nobody asked for does not keep the agent from running.
            return settings.kubernetes.metadata == nil ? [] : [error]
        }
    }

    private static func inputFindings(_ settings: AgentSettings) -> [SettingsProblem] {
        settings.inputs.flatMap { input in
            var context = context(input.plugin.name)
            context.parsers = input.parsers.map(\.type)
            do throws(PluginError) {
                return try input.plugin.make(context).findings().map { input.plugin.origin.problem($0) }
            } catch {
                return [input.plugin.origin.problem(error.description)]
            }
        }
    }
}

/// Shows what is wrong with a configuration or a command line.
enum Problems {
    static func tell(_ loaded: SettingsFile.Loaded) {
        tell(loaded.problems)
        guard loaded.settings == nil else { return }
        let count = loaded.problems.count + loaded.untold
        let untold = loaded.untold > 0 ? ", of which the first \(loaded.problems.count) are shown" : ""
        write("\(count) mistake\(count == 1 ? "" : "s")\(untold)")
    }

    static func tell(_ problems: [SettingsProblem]) {
        let isColored = StandardStream.errorTakesColor
        for problem in problems { write(problem.rendered(colour: isColored)) }
    }

    /// Writes a line to standard error.
    static func write(_ line: String) { StandardStream.report(Array((line + "\n").utf8).span) }
}
