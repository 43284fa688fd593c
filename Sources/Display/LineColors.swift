// The colours of lines: those of severities, as journalctl has them, and one for each pod.
import Records

/// What switches a text's colour on and off; empty strings where it has none.
struct LineColors {
    /// Before a text, and behind its emphasised parts.
    let on: StaticString
    /// Before an emphasised part.
    let emphasis: StaticString
    var isPlain: Bool { on.utf8CodeUnitCount == 0 }

    /// Behind a coloured text.
    static let off: StaticString = "\u{1b}[0m"
    static let none = LineColors(on: "", emphasis: "\u{1b}[0;1;31m")
    /// Entries of the audit subsystem, which have no priority.
    static let audit = LineColors(on: "\u{1b}[0;34m", emphasis: "\u{1b}[0;1;31m")

    /// From `error` on bold red, warnings bold yellow, notices bold, below `info` grey.
    static func of(_ severity: Severity) -> LineColors {
        switch severity {
        case .emergency, .alert, .critical, .error: LineColors(on: "\u{1b}[0;1;31m", emphasis: "\u{1b}[0;1;39m")
        case .warning: LineColors(on: "\u{1b}[0;1;33m", emphasis: "\u{1b}[0;1;39m")
        case .notice: LineColors(on: "\u{1b}[0;1;39m", emphasis: "\u{1b}[0;1;31m")
        case .debug, .trace: LineColors(on: "\u{1b}[0;90m", emphasis: "\u{1b}[0;1;31m")
        case .info, .unknown: .none
        }
    }
}

/// Colours that tell pods apart.
enum PodPalette {
    /// Of the 256 that terminals agree upon: each can be read on black and on white, and none is a severity's.
    static let colors: [StaticString] = [
        "\u{1b}[38;5;28m", "\u{1b}[38;5;30m", "\u{1b}[38;5;32m", "\u{1b}[38;5;62m", "\u{1b}[38;5;64m",
        "\u{1b}[38;5;66m", "\u{1b}[38;5;97m", "\u{1b}[38;5;99m", "\u{1b}[38;5;130m", "\u{1b}[38;5;132m",
        "\u{1b}[38;5;135m", "\u{1b}[38;5;169m",
    ]

    /// The colour for a hash: the same one for ever.
    static func color(_ hash: UInt64) -> StaticString { colors[Int(hash % UInt64(colors.count))] }
}
