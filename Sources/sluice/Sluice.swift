// The command line: subcommands and their arguments. What they do is in the file of each.
import ArgumentParser
import Disk

@main
struct Sluice: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "sluice",
        abstract: "Ships the logs of a Kubernetes node, and keeps an account of every line.",
        discussion: """
            Reads the containers' logs of this node, keeps them compressed on disk, and sends them on to any number of \
            outputs. What is on disk can be read with zcat; what happened to each line is in the ledger.
            """,
        version: Version.text,
        subcommands: [
            RunCommand.self, TailCommand.self, PodsCommand.self, ValidateCommand.self, ChunksCommand.self,
            LedgerCommand.self, VersionCommand.self,
        ])

    static func main() async {
        do {
            var command = try parseAsRoot()
            if var command = command as? any AsyncParsableCommand {
                try await command.run()
            } else {
                try command.run()
            }
        } catch {
            guard exitCode(for: error) == .validationFailure else { exit(withError: error) }
            // A command line that cannot be understood; the parser itself would end with 64.
            Problems.write(fullMessage(for: error))
            exit(withError: Exit.usage)
        }
    }
}

/// Exit codes: 1 and 2 as everywhere, 78 as in sysexits(3).
enum Exit {
    static let failure = ExitCode(1)
    static let usage = ExitCode(2)
    static let configuration = ExitCode(78)
}

/// What several commands take.
struct StoreOptions: ParsableArguments {
    @Option(name: .long, help: ArgumentHelp("The data directory of the agent.", valueName: "dir"))
    var dataDir = "/var/lib/sluice"
}

struct VersionCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "version", abstract: "Print the version and what it is built with.")

    func run() { print(Version.text) }
}
