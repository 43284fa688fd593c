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
    /// The text of that line, secrets starred out, of a very long one the part around the place; nil when there is none.
    package let excerpt: String?
    /// The column at which the excerpt begins, from 1.
    package let excerptColumn: Int

    /// Creates an origin.
    package init(
        file: String, path: String, mark: SettingsNode.Mark?, excerpt: String?, excerptColumn: Int = 1
    ) {
        self.file = file
        self.path = path
        self.mark = mark
        self.excerpt = excerpt
        self.excerptColumn = excerptColumn
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
    /// Lines that were looked into, taken apart once: a line may hold a hundred thousand settings.
    private var scalarsOfLines: [Int: [Unicode.Scalar]] = [:]
    private var reports: [Report] = []
    private var reportedPaths: Set<String> = []
    private var hidden: [Int: [SettingsNode.Mark]] = [:]
    private var ignored = 0

    private struct Report {
        let mark: SettingsNode.Mark
        let path: String
        let message: String
        let hint: String?
    }

    /// Nobody reads on after so many.
    private static let mostShown = 100
    /// So many are gathered, to show the first ones of them.
    private static let mostKept = 10_000
    /// So many scalars of a line are shown at most.
    private static let longestExcerpt = 1000

    /// Starts a collection for a file with these contents (tests may leave them out).
    package init(file: String, text: String = "") {
        self.file = file
        lines = Self.lines(of: text)
    }

    /// The lines of a text, cut where YAML ends a line.
    package static func lines(of text: String) -> [String] {
        guard !text.isEmpty else { return [] }
        var lines: [String] = []
        var line = String.UnicodeScalarView()
        var last: Unicode.Scalar?
        for scalar in text.unicodeScalars {
            if isLineBreak(scalar) {
                if scalar != "\n" || last != "\r" {
                    lines.append(String(line))
                    line = .init()
                }
            } else {
                line.append(scalar)
            }
            last = scalar
        }
        return lines + [String(line)]
    }

    private static func isLineBreak(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        case 0x0A...0x0D, 0x85, 0x2028, 0x2029: true
        default: false
        }
    }

    /// Whether nothing has been reported.
    package var isEmpty: Bool { reports.isEmpty }

    /// So much is wrong that it is not worth finding out what was meant.
    package var isCrowded: Bool { reports.count > 10 * Self.mostShown }

    /// Notes a problem of the setting at `path`, told at `mark`.
    package func report(
        at mark: SettingsNode.Mark, path: String, _ message: String, hint: String? = nil
    ) {
        reportedPaths.insert(path)
        guard reports.count < Self.mostKept else {
            ignored += 1
            return
        }
        reports.append(Report(mark: clamped(mark), path: path, message: message, hint: hint))
    }

    /// Whether something is wrong with exactly this setting.
    package func hasReport(on path: String) -> Bool { reportedPaths.contains(path) }

    /// Stars out what stands at `mark` wherever its line is shown.
    package func hide(_ mark: SettingsNode.Mark) {
        hidden[mark.line, default: []].append(mark)
    }

    /// Stars out a value and all that is in it.
    package func hide(_ node: SettingsNode) {
        switch node.content {
        case .list(let items): for item in items { hide(item) }
        case .mapping(let entries): for entry in entries { hide(entry.value) }
        case .scalar, .unusable: hide(node.mark)
        case .null: break
        }
    }

    /// The place of a setting, with the text of its line.
    package func origin(path: String, mark: SettingsNode.Mark) -> SettingsOrigin {
        let mark = clamped(mark)
        let excerpt = excerpt(at: mark)
        return SettingsOrigin(
            file: file, path: path, mark: mark, excerpt: excerpt?.text, excerptColumn: excerpt?.column ?? 1)
    }

    /// What was reported, in the order of the file, up to a hundred; the same thing said twice of one place (an alias) once.
    package var sorted: [SettingsProblem] { told.problems }

    /// How many more there are.
    package var untold: Int { told.more }

    private var told: (problems: [SettingsProblem], more: Int) {
        var told: Set<[String]> = []
        var problems: [SettingsProblem] = []
        let inOrder = reports.enumerated().sorted { ($0.element.mark, $0.offset) < ($1.element.mark, $1.offset) }
        for (_, report) in inOrder {
            let place = "\(report.mark.line):\(report.mark.column)"
            guard told.insert([place, report.message]).inserted, problems.count < Self.mostShown else { continue }
            problems.append(
                origin(path: report.path, mark: report.mark).problem(report.message, hint: report.hint))
        }
        return (problems, told.count - problems.count + ignored)
    }

    /// The scalars of a line, counted from 1; none of one that there is not.
    package func scalars(ofLine number: Int) -> [Unicode.Scalar] {
        if let known = scalarsOfLines[number] { return known }
        guard lines.indices.contains(number - 1) else { return [] }
        let scalars = Array(lines[number - 1].unicodeScalars)
        scalarsOfLines[number] = scalars
        return scalars
    }

    /// The mark, moved into the file where a parser complained behind its end.
    private func clamped(_ mark: SettingsNode.Mark) -> SettingsNode.Mark {
        guard !lines.isEmpty else { return mark }
        let line = min(max(mark.line, 1), lines.count)
        let length = scalars(ofLine: line).count
        let column = line == mark.line ? min(max(mark.column, 1), length + 1) : length + 1
        return SettingsNode.Mark(line: line, column: column, width: min(mark.width, max(length + 1 - column, 1)))
    }

    private func excerpt(at mark: SettingsNode.Mark) -> (text: String, column: Int)? {
        guard lines.indices.contains(mark.line - 1) else { return nil }
        let all = scalars(ofLine: mark.line)
        let longest = Self.longestExcerpt
        let first = max(0, min(mark.column - 1 - longest / 2, all.count - longest))
        var shown = all[first..<min(first + longest, all.count)]
        for secret in hidden[mark.line] ?? [] { Self.starOut(&shown, secret, of: all) }
        return (String(String.UnicodeScalarView(shown)), first + 1)
    }

    /// Replaces a secret by stars, but not the references in it: `${file:/run/token}` gives nothing away.
    private static func starOut(
        _ shown: inout ArraySlice<Unicode.Scalar>, _ secret: SettingsNode.Mark, of line: [Unicode.Scalar]
    ) {
        let quotes: Set<Unicode.Scalar> = ["\"", "'"]
        let start = min(secret.column - 1, line.count)
        let whole = line[start..<start + min(secret.width, line.count - start)]
        var inner = whole
        if let quote = whole.first, quotes.contains(quote) {
            inner.removeFirst()
            if inner.last == quote { inner.removeLast() }
        }
        guard inner.startIndex < shown.endIndex, inner.endIndex > shown.startIndex else { return }
        var index = inner.startIndex
        while index < min(inner.endIndex, shown.endIndex) {
            if let end = endOfReference(in: inner[index...]) {
                index = end
            } else {
                if index >= shown.startIndex { shown[index] = "*" }
                index += 1
            }
        }
    }

    /// Where a reference that begins here ends; nil when there is none, or one with a text of its own in it.
    private static func endOfReference(in text: ArraySlice<Unicode.Scalar>) -> Int? {
        guard text.starts(with: ["$", "{"]) else { return nil }
        let inside = text.dropFirst(2)
        guard let end = inside.prefix(4096).firstIndex(of: "}") else { return nil }
        let name = inside[..<end]
        let isVariable = name.allSatisfy {
            $0.isASCII && ($0.properties.isAlphabetic || $0 == "_" || ("0"..."9").contains($0))
        }
        return isVariable || name.starts(with: "file:".unicodeScalars) ? end + 1 : nil
    }
}
