// `sluice validate`: says all that is wrong with configurations, by the same code that `run` starts with.
import ArgumentParser
import Disk
import Pipeline
import Plugins
import Settings

struct ValidateCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "validate",
        abstract: "Check configuration files; every mistake is told at once.",
        discussion: "Exits with 0 when all files are right, and with 78 when one is not.")

    @Argument(help: "Configuration files.", completion: .file(extensions: ["yaml", "yml"]))
    var files: [String]

    func run() throws {
        var isRight = true
        for file in files {
            let loaded = SettingsFile.load(path: file, registry: .builtin)
            Problems.tell(loaded)
            if loaded.settings == nil {
                isRight = false
            } else {
                print("\(file): ok")
            }
        }
        if !isRight { throw Exit.configuration }
    }
}

/// Shows what is wrong with a configuration or a command line.
enum Problems {
    static func tell(_ loaded: SettingsFile.Loaded) {
        let isColored = StandardStream.errorIsTerminal && Machine.environment("NO_COLOR") == nil
        for problem in loaded.problems { write(problem.rendered(colour: isColored)) }
        guard loaded.settings == nil else { return }
        let count = loaded.problems.count
        write("\(count) mistake\(count == 1 ? "" : "s")")
    }

    /// Writes a line to standard error; when that cannot be written nobody is left to tell.
    static func write(_ line: String) {
        if let error = try? StandardStream.error() { try? error.write(Array((line + "\n").utf8).span) }
    }
}
