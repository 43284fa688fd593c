// What is wrong with a configuration, and where. Readers report into one `SettingsProblems` and go on, so that an
// operator sees every mistake of a file at once. How a problem is printed: SettingsProblem+rendering.swift.

/// The place in a configuration that something comes from.
package struct SettingsOrigin: Sendable, Hashable {
    /// The file's name as the operator gave it.
    package let file: String
    /// The setting's path, such as `outputs[0].url`; empty for the file as a whole.
    package let path: String
    /// Line and column; nil when the file could not be read at all.
    package let mark: SettingsNode.Mark?
    /// The text of that line, secrets starred out; nil when there is none.
    package let excerpt: String?

    /// Creates an origin.
    package init(file: String, path: String, mark: SettingsNode.Mark?, excerpt: String?) {
        self.file = file
        self.path = path
        self.mark = mark
        self.excerpt = excerpt
    }

    /// A problem found later (while a plugin was being built, say), told at this place.
    package func problem(_ message: String, hint: String? = nil) -> SettingsProblem {
        SettingsProblem(origin: self, message: message, hint: hint)
    }
}

/// One mistake in a configuration.
package struct SettingsProblem: Error, Sendable, Hashable {
    /// Where it is.
    package let origin: SettingsOrigin
    /// What is wrong, a sentence without its full stop.
    package let message: String
    /// What to do about it, where that is not plain from the message.
    package let hint: String?

    /// Creates a problem.
    package init(origin: SettingsOrigin, message: String, hint: String?) {
        self.origin = origin
        self.message = message
        self.hint = hint
    }

    /// The line, from 1; 0 when the file could not be read at all.
    package var line: Int { origin.mark?.line ?? 0 }
    /// The column in Unicode scalars, from 1; 0 when the file could not be read at all.
    package var column: Int { origin.mark?.column ?? 0 }
}

/// Collects the problems of one file while it is read.
package final class SettingsProblems {
    /// The file's name as the operator gave it.
    package let file: String
    private let lines: [String]
    private var reports: [Report] = []
    private var hidden: [SettingsNode.Mark] = []

    private struct Report: Hashable {
        let mark: SettingsNode.Mark
        let path: String
        let message: String
        let hint: String?
    }

    /// Starts a collection for a file with these contents (tests may leave them out).
    package init(file: String, text: String = "") {
        self.file = file
        lines = Self.lines(of: text)
    }

    /// The lines of a text, cut where YAML ends a line.
    package static func lines(of text: String) -> [String] {
        text.isEmpty ? [] : text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline).map(String.init)
    }

    /// Whether nothing has been reported.
    package var isEmpty: Bool { reports.isEmpty }

    /// Notes a problem of the setting at `path`, told at `mark`.
    package func report(
        at mark: SettingsNode.Mark, path: String, _ message: String, hint: String? = nil
    ) {
        reports.append(Report(mark: clamped(mark), path: path, message: message, hint: hint))
    }

    /// Whether something is wrong with exactly this setting.
    package func hasReport(on path: String) -> Bool {
        reports.contains { $0.path == path }
    }

    /// Stars out what stands at `mark` wherever its line is shown.
    package func hide(_ mark: SettingsNode.Mark) {
        hidden.append(mark)
    }

    /// The place of a setting, with the text of its line.
    package func origin(path: String, mark: SettingsNode.Mark) -> SettingsOrigin {
        let mark = clamped(mark)
        return SettingsOrigin(file: file, path: path, mark: mark, excerpt: excerpt(at: mark.line))
    }

    /// Everything reported, in the order of the file; the same thing said twice of one place (an alias) once.
    package var sorted: [SettingsProblem] {
        var told: Set<[String]> = []
        return reports.enumerated()
            .sorted { ($0.element.mark, $0.offset) < ($1.element.mark, $1.offset) }
            .compactMap { _, report in
                let place = "\(report.mark.line):\(report.mark.column)"
                guard told.insert([place, report.message]).inserted else { return nil }
                return origin(path: report.path, mark: report.mark).problem(report.message, hint: report.hint)
            }
    }

    /// The mark, moved into the file where a parser complained behind its end.
    private func clamped(_ mark: SettingsNode.Mark) -> SettingsNode.Mark {
        guard !lines.isEmpty else { return mark }
        let line = min(max(mark.line, 1), lines.count)
        let length = lines[line - 1].unicodeScalars.count
        let column = line == mark.line ? min(max(mark.column, 1), length + 1) : length + 1
        return SettingsNode.Mark(line: line, column: column, width: min(mark.width, max(length + 1 - column, 1)))
    }

    private func excerpt(at line: Int) -> String? {
        guard lines.indices.contains(line - 1) else { return nil }
        var scalars = Array(lines[line - 1].unicodeScalars)
        for mark in hidden where mark.line == line {
            let start = min(mark.column - 1, scalars.count)
            Self.starOut(&scalars, start..<min(start + mark.width, scalars.count))
        }
        return String(String.UnicodeScalarView(scalars))
    }

    /// Replaces a secret by stars, but not the references in it: `${file:/run/token}` gives nothing away.
    private static func starOut(_ scalars: inout [Unicode.Scalar], _ range: Range<Int>) {
        let quotes: Set<Unicode.Scalar> = ["\"", "'"]
        let range = scalars[range].first.map(quotes.contains) == true ? range.dropFirst().dropLast() : range
        var index = range.lowerBound
        while index < range.upperBound {
            let rest = scalars[index..<range.upperBound]
            let end = rest.starts(with: ["$", "{"]) ? rest.firstIndex(of: "}") : nil
            if let end, !String(String.UnicodeScalarView(rest[...end])).contains(":-") {
                index = end
            } else {
                scalars[index] = "*"
            }
            index += 1
        }
    }
}
