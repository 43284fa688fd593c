// Prints a problem the way a compiler does: place and message, the line, a caret under what is at fault, a hint.

extension SettingsProblem {
    /// The problem as text of one to four lines, without a newline at its end.
    ///
    ///     sluice.yaml:12:5: outputs[0].urll: unknown setting, did you mean 'url'?
    ///        12 |     urll: https://x
    ///           |     ^~~~
    ///
    /// - Parameter colour: adds ANSI colours, for terminals.
    package func rendered(colour: Bool = false) -> String {
        func painted(_ text: String, _ code: String) -> String { colour ? "\u{1B}[\(code)m\(text)\u{1B}[0m" : text }

        let place = origin.mark.map { "\(origin.file):\($0.line):\($0.column):" } ?? "\(origin.file):"
        let path = origin.path.isEmpty ? "" : "\(origin.path.printable): "
        var text = "\(painted(place, "1")) \(path)\(painted(message.printable, "31"))"
        let emptyGutter = "      "
        if let mark = origin.mark, let excerpt = origin.excerpt, !excerpt.isEmpty {
            let shown = ExcerptLine(excerpt, from: origin.excerptColumn, mark: mark)
            let number = String(mark.line)
            let gutter = String(repeating: " ", count: max(5 - number.count, 0)) + number + " "
            text += "\n\(painted(gutter + "|", "34")) \(shown.text)"
            text += "\n\(painted(emptyGutter + "|", "34")) \(shown.indent)\(painted(shown.underline, "1;31"))"
        }
        if let hint {
            for (index, line) in hint.split(separator: "\n").enumerated() {
                text += "\n\(painted(emptyGutter + (index == 0 ? "=" : " "), "34")) \(String(line).printable)"
            }
        }
        return text
    }
}

extension String {
    /// The text with a replacement for what a terminal would obey: keys and paths are written by anybody.
    fileprivate var printable: String {
        String(String.UnicodeScalarView(unicodeScalars.map { $0.isSafeToPrint ? $0 : "\u{FFFD}" }))
    }
}

/// One line of the file cut to a terminal's width, and the caret's place under it.
private struct ExcerptLine {
    let text: String
    let indent: String
    let underline: String

    /// Columns that are shown at most, and how many of them stand before the caret when the start is cut off.
    private static let columnsMax = 100
    private static let columnsBefore = 40

    /// - Parameter column: the column of the file at which `line` begins.
    init(_ line: String, from column: Int, mark: SettingsNode.Mark) {
        let scalars = Array(line.unicodeScalars)
        let start = min(max(mark.column - column, 0), scalars.count)
        let end = min(start + mark.width, scalars.count)
        let isLong = Self.columns(scalars[...]) > Self.columnsMax
        let first = isLong ? max(0, start - Self.columnsBefore) : 0
        let last = isLong ? min(scalars.count, first + Self.columnsMax) : scalars.count

        let before = Self.printable(scalars[first..<start])
        let cutStart = first > 0 || column > 1 ? "..." : ""
        let cutEnd = last < scalars.count ? "..." : ""
        text = cutStart + before + Self.printable(scalars[start..<max(last, start)]) + cutEnd
        indent = String(repeating: " ", count: cutStart.count + Self.columns(scalars[first..<start]))
        let columns = Self.columns(scalars[start..<max(min(end, last), start)])
        underline = "^" + String(repeating: "~", count: max(columns - 1, 0))
    }

    /// Tabs become two spaces and other control characters a replacement, so that nothing moves the caret.
    private static func printable(_ scalars: ArraySlice<Unicode.Scalar>) -> String {
        var shown = String.UnicodeScalarView()
        for scalar in scalars {
            if scalar == "\t" {
                shown.append(contentsOf: "  ".unicodeScalars)
            } else {
                shown.append(scalar.isSafeToPrint ? scalar : "\u{FFFD}")
            }
        }
        return String(shown)
    }

    /// How many columns a terminal needs for the scalars.
    private static func columns(_ scalars: ArraySlice<Unicode.Scalar>) -> Int {
        scalars.reduce(0) { $0 + columns($1) }
    }

    private static func columns(_ scalar: Unicode.Scalar) -> Int {
        if scalar == "\t" { return 2 }
        switch scalar.properties.generalCategory {
        case .nonspacingMark, .enclosingMark, .format: return 0
        default: break
        }
        // East Asian wide and fullwidth blocks, and the emoji that terminals draw in two columns.
        switch scalar.value {
        case 0x1100...0x115F, 0x2E80...0xA4CF, 0xAC00...0xD7A3, 0xF900...0xFAFF, 0xFE30...0xFE6F, 0xFF00...0xFF60,
            0xFFE0...0xFFE6, 0x20000...0x3FFFD:
            return 2
        default:
            return scalar.properties.isEmojiPresentation ? 2 : 1
        }
    }
}
