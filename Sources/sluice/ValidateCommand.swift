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
            Also looks whether the inputs can be read here and now (a journal's files, say), and the kubeconfig. Exits with 0 \
            when all is well, with 78 when a file is wrong, and with 1 when all files are right but something cannot be read.
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
            let findings = settingsOnly ? [] : Self.findings(settings)
            Problems.tell(findings)
            if findings.isEmpty {
                print("\(file): ok")
            } else {
                isReadable = false
                print("\(file): right, but not all that it asks for can be read here")
            }
        }
        if !isRight { throw Exit.configuration }
        if !isReadable { throw Exit.failure }
    }

    /// What keeps the agent from reading on this machine.
    private static func findings(_ settings: AgentSettings) -> [SettingsProblem] {
        inputFindings(settings) + outputFindings(settings) + kubernetesFindings(settings)
    }

    /// What keeps outputs from writing their files: something else is there.
    private static func outputFindings(_ settings: AgentSettings) -> [SettingsProblem] {
        let telemetry = Telemetry(Logger(label: "validate") { _ in SwiftLogNoOpLogHandler() })
        return settings.outputs.filter { $0.plugin.written != nil }.compactMap { output in
            do throws(PluginError) {
                _ = try output.plugin.make(PluginContext(name: output.plugin.name, node: "", telemetry: telemetry))
                return nil
            } catch {
                return output.plugin.origin.problem(error.description)
            }
        }
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
        // Nothing is started, and nobody is told of events.
        let telemetry = Telemetry(Logger(label: "validate") { _ in SwiftLogNoOpLogHandler() })
        return settings.inputs.flatMap { input in
            var context = PluginContext(name: input.plugin.name, node: "", telemetry: telemetry)
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
        let count = loaded.problems.count
        write("\(count) mistake\(count == 1 ? "" : "s")")
    }

    static func tell(_ problems: [SettingsProblem]) {
        let isColored = StandardStream.errorTakesColor
        for problem in problems { write(problem.rendered(colour: isColored)) }
    }

    /// Writes a line to standard error.
    static func write(_ line: String) { StandardStream.report(Array((line + "\n").utf8).span) }
}
