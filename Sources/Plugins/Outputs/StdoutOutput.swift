// Output `stdout`: records on standard output, as JSON or in a short form for people.
private import Bytes
import Disk
private import Display
package import Pipeline

/// Prints records.
package final class StdoutOutput: Output {
    package static let name = "stdout"

    /// How records look.
    package enum Format: String, CaseIterable, Sendable {
        /// The whole record as it is stored.
        case json
        /// Time, namespace/pod, container, message.
        case short
    }

    package struct Settings: PluginSettings {
        package let format: Format

        package init(from fields: inout Fields) { format = fields.choice("format", default: .json) }

        package var usedFiles: UsedFiles {
            var files = UsedFiles()
            files.isPrinted = true
            return files
        }
    }

    private let format: Format
    private let isForTerminal: Bool
    private var display: RecordDisplay
    private var buffer = Arena(capacity: 512 * 1024)
    private var lines = Arena(capacity: 64 * 1024)

    package init(_ settings: Settings, context: PluginContext) throws(PluginError) {
        format = settings.format
        isForTerminal = StandardStream.outputIsTerminal
        var options = DisplayOptions(settings.format == .short ? .short : .json)
        options.isForTerminal = isForTerminal
        options.isColored = StandardStream.outputTakesColor
        display = RecordDisplay(options)
    }

    package var state: [UInt8] { [] }
    package func open(state: [UInt8]) async throws(DeliveryFailure) {}

    package func send(_ request: borrowing Request) async throws(DeliveryFailure) {
        do throws(DiskError) {
            try request.withTexts(inflatingInto: &buffer) { text throws(DiskError) in
                guard format == .short || isForTerminal else { return try StandardStream.write(text) }
                lines.removeAll()
                display.append(lines: text, to: &lines)
                try StdoutOutput.write(lines)
            }
        } catch {
            throw DeliveryFailure(error.description)
        }
    }

    private static func write(_ lines: borrowing Arena) throws(DiskError) { try StandardStream.write(lines.span) }

    package func close() async {}
}
