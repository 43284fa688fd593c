// `sluice run`: starts the agent, or with --once ships what is there and ends.
import ArgumentParser
import Disk
import Logging
import Pipeline
import Plugins
import Settings
import Store
import Telemetry

struct RunCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "run",
        abstract: "Run the agent.",
        discussion: """
            Reads until SIGTERM or SIGINT, then writes what it holds and delivers for up to agent.shutdown_grace. \
            SIGUSR1 prints the ledger and counts of events; SIGHUP does nothing, since there is no reload. Exit codes: 0 all is well, 1 failure, 78 configuration.
            """)

    @Option(name: [.short, .long], help: ArgumentHelp("The configuration.", valueName: "file"), completion: .file())
    var config = "/etc/sluice/sluice.yaml"

    @Option(help: ArgumentHelp("Use this data directory instead of the configuration's data_dir.", valueName: "dir"))
    var dataDir: String?

    @Flag(help: "Read every input to its present end, deliver all of it, print a summary, and end.")
    var once = false

    func run() async throws {
        let loaded = SettingsFile.load(path: config, registry: .builtin, dataDirectory: dataDir)
        Problems.tell(loaded)
        guard let settings = loaded.settings else { throw Exit.configuration }
        Problems.tell(loaded.findings)
        Machine.ignoreBrokenPipes()
        // Until the reports listen for it. What reads to the end in a terminal ends with the terminal.
        if !once { Machine.ignoreHangUps() }
        Machine.raiseDescriptorLimit()
        let telemetry = Telemetry(Self.logger(settings.agent))
        do {
            let agent = try Agent(settings, once: once, telemetry: telemetry)
            guard try await agent.run() else { throw Exit.failure }
        } catch let error as SettingsProblem {
            Problems.tell([error])
            throw Exit.configuration
        } catch let error as StoreError {
            telemetry.logger.critical("the agent cannot start: \(error.description)")
            throw Exit.failure
        } catch let error as PluginError {
            telemetry.logger.critical("the agent cannot start: \(error.description)")
            throw Exit.failure
        } catch let error as DiskError {
            telemetry.logger.critical("the agent cannot start: \(error.description)")
            throw Exit.failure
        }
    }

    private static func logger(_ settings: AgentSettings.Agent) -> Logger {
        let level = Logger.Level(rawValue: settings.logLevel.rawValue) ?? .info
        let isColored = StandardStream.errorTakesColor
        let format: LogFormat = settings.logFormat == .json ? .json : .text
        return Logger(label: "sluice") { _ in LineLogHandler(level: level, format: format, isColored: isColored) }
    }
}
