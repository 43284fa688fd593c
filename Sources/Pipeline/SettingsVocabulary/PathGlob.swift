// Globs over paths: as Glob within one folder level (`*` does not cross a slash), and `**` for any number of levels.
import Bytes

/// A pattern for paths of files.
package struct PathGlob: Sendable, Hashable {
    /// The pattern as written.
    package let pattern: String
    /// The deepest folder that every match lies in: where to start looking. `.` for a relative pattern without one.
    package let folder: String
    /// The only path it matches; nil when it has a wildcard.
    package let literal: String?
    private let levels: [Level]
    /// Whether it begins at the root, not at the folder in which the agent is started.
    package let isAbsolute: Bool

    /// One step of the pattern.
    private enum Level: Sendable, Hashable {
        case name(Glob)
        case anyLevels
    }

    /// Whether the whole of `path` matches.
    package func matches(_ path: String) -> Bool {
        path.hasPrefix("/") == isAbsolute && reached(by: path)[levels.count]
    }

    /// Whether something below `folder` could match, so that it is worth looking into.
    package func mayMatch(below folder: String) -> Bool {
        folder.hasPrefix("/") == isAbsolute && reached(by: folder).dropLast().contains(true)
    }

    /// For each number of levels of the pattern, whether exactly so many can be used up by the whole of `path`.
    ///
    /// All possibilities are followed side by side: the time is the product of both numbers of levels at most.
    private func reached(by path: String) -> [Bool] {
        var reached = [Bool](repeating: false, count: levels.count + 1)
        reached[0] = true
        skipAnyLevels(&reached)
        for name in Self.names(in: path) {
            var next = [Bool](repeating: false, count: levels.count + 1)
            for (index, level) in levels.enumerated() where reached[index] {
                switch level {
                case .anyLevels: next[index] = true
                case .name(let glob): next[index + 1] = next[index + 1] || glob.matches(String(name))
                }
            }
            skipAnyLevels(&next)
            reached = next
        }
        return reached
    }

    /// `**` may also stand for no level at all.
    private func skipAnyLevels(_ reached: inout [Bool]) {
        for (index, level) in levels.enumerated() where reached[index] && level == .anyLevels {
            reached[index + 1] = true
        }
    }

    private static func names(in path: String) -> [Substring] {
        path.split(separator: "/").filter { $0 != "." }
    }
}

extension PathGlob: TextSettingValue, CustomStringConvertible {
    package static var expectation: String { "a path such as /var/log/*.log" }

    /// The pattern as written.
    package var description: String { pattern }

    package init(text: String) throws(SettingMisfit) {
        guard !text.isEmpty else { throw .text("is empty", hint: "write a path such as /var/log/*.log") }
        if text.hasSuffix("/") {
            throw .text("is a folder", hint: "write \(text)* for its files, or \(text)** for everything below it")
        }
        if text.utf8.contains(0) { throw .text("has a NUL in it, which no path has") }
        if text == "~" || text.hasPrefix("~/") {
            throw .text("begins with '~', which means nothing here", hint: "write the whole path")
        }
        var levels: [Level] = []
        for name in Self.names(in: text) {
            if name == ".." {
                throw .text("has '..' in it, and paths are compared without", hint: "write the whole path")
            }
            if name == "**" {
                if levels.last != .anyLevels { levels.append(.anyLevels) }
            } else if name.contains("**") {
                throw .text("has '**' beside other characters", hint: "'**' stands alone: /var/log/**/*.log")
            } else {
                levels.append(.name(try Glob(text: String(name))))
            }
        }
        pattern = text
        self.levels = levels
        isAbsolute = text.hasPrefix("/")
        var names: [String] = []
        for case .name(let glob) in levels.dropLast().prefix(while: { $0 != .anyLevels }) {
            guard let literal = glob.literal else { break }
            names.append(literal)
        }
        let all = levels.map { level in if case .name(let glob) = level { glob.literal } else { String?.none } }
        literal = all.contains(nil) ? nil : (isAbsolute ? "/" : "") + all.compactMap { $0 }.joined(separator: "/")
        folder = isAbsolute ? "/" + names.joined(separator: "/") : names.isEmpty ? "." : names.joined(separator: "/")
    }
}
