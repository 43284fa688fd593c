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

/// Shows what is wrong with a configuration.
enum Problems {
    static func tell(_ loaded: SettingsFile.Loaded) {
        guard let error = try? StandardStream.error() else { return }
        let isColored = StandardStream.errorIsTerminal && Machine.environment("NO_COLOR") == nil
        for problem in loaded.problems {
            try? error.write(Array((problem.rendered(colour: isColored) + "\n").utf8).span)
        }
        guard loaded.settings == nil else { return }
        let count = loaded.problems.count
        try? error.write(Array("\(count) mistake\(count == 1 ? "" : "s")\n".utf8).span)
    }
}
