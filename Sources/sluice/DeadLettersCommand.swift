// `sluice chunks dead`: the records that receivers refused for good, with what they said.
import ArgumentParser
import Bytes
import Disk
import Display
import Store

struct DeadLettersCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "dead", abstract: "List dead letters: records that an output's receiver refused for good.",
        discussion: "They lie in the data directory under dead-letter/OUTPUT, as lines of JSON.")

    enum Format: String, ExpressibleByArgument, CaseIterable { case text, json }

    @OptionGroup var store: StoreOptions
    @Argument(help: "Only this output's.")
    var output: String?
    @Option(name: [.customShort("o"), .customLong("output")], help: "Output format.")
    var format = Format.text

    func run() throws {
        let folder = StoreFolder(store.dataDir)
        _ = try StoreIdentity.read(folder)
        if let output, !DeadLetters.outputs(folder).contains(output),
            Directory.status(folder.cursor(lane: 0, output: output)) == nil
        {
            throw ValidationError("there is no output '\(output)' in this data directory")
        }
        var count = 0
        for name in DeadLetters.outputs(folder) where output == nil || output == name {
            for path in DeadLetters.files(folder.deadLetters(output: name)) {
                for letter in try DeadLetters.read(path) {
                    count += 1
                    print(format == .json ? json(letter, name) : text(letter, name))
                }
            }
        }
        if count == 0, format == .text { print("no dead letters") }
    }

    private func text(_ letter: DeadLetter, _ output: String) -> String {
        """
        \(output)  record \(letter.sequence)  refused \(letter.refusedAt)
            \(printable(Array(letter.answer.utf8)))
            \(printable(letter.record))
        """
    }

    private func json(_ letter: DeadLetter, _ output: String) -> String {
        var line = Arena(capacity: letter.record.count + 256)
        line.append("{\"output\":")
        line.appendJSONString(output)
        line.append(",\"sequence\":")
        line.append(text: String(letter.sequence))
        line.append(",\"refused_at\":")
        line.appendJSONString(letter.refusedAt)
        line.append(",\"answer\":")
        line.appendJSONString(letter.answer)
        line.append(",\"record\":")
        line.append(letter.record)
        line.append("}")
        guard StandardStream.outputIsTerminal else { return String(decoding: line.span) }
        var safe = Arena(capacity: line.count)
        Printable.append(json: line, to: &safe)
        return String(decoding: safe.span)
    }

    /// What may be shown on a terminal: no control characters, not more than a few lines.
    private func printable(_ bytes: [UInt8]) -> String {
        let limit = 400
        let text = String(decoding: bytes.prefix(limit), as: UTF8.self)
        let shown = String(
            text.unicodeScalars.map { $0.value < 0x20 || (0x7f..<0xa0).contains($0.value) ? "?" : Character($0) })
        return bytes.count > limit ? "\(shown) ... (\(bytes.count) bytes)" : shown
    }
}
