// YAML text to SettingsNode: composed by Yams, then converted with aliases, merge keys and `${...}` resolved.
// The only file that sees Yams' nodes.
import Pipeline
import Yams

/// Converts one YAML document.
struct YAMLTree {
    /// What kind of file it is.
    enum Kind {
        /// A configuration: references in it are expanded.
        case configuration(Expansion)
        /// A file of others that may hold a secret at any place: nothing is expanded, and no message quotes it.
        case confidential
    }

    private let kind: Kind
    private let problems: SettingsProblems
    /// What keys are really called that had to be renamed to get past the parser (see `compose`).
    private let renamedKeys: [SettingsNode.Mark: String]
    /// How many nodes may still be made: aliases of aliases grow without bound.
    private var nodesLeft = 100_000
    /// They were too many, which has been reported: nothing is read on.
    private var isExhausted = false

    private static let depthMax = 64
    private static let renamesMax = 64
    /// How many bytes may be composed again in all, to tell of more keys that are there twice.
    private static let composedAgainMax = 4 << 20

    /// Reads a text; nil after reporting that it is not YAML. Problems within values are reported and read on.
    static func read(_ text: String, as kind: Kind, problems: SettingsProblems) -> SettingsNode? {
        let lines = SettingsProblems.lines(of: text)
        do {
            let (root, renamedKeys) = try compose(lines, size: text.utf8.count)
            guard let root else {
                problems.report(
                    at: SettingsNode.Mark(line: 1, column: 1), path: "", "the file is empty", hint: kind.least)
                return nil
            }
            var tree = YAMLTree(kind: kind, problems: problems, renamedKeys: renamedKeys)
            return tree.convert(root, path: "", depth: 0)
        } catch {
            let fault = YAMLSyntax(error, lines: lines, isConfidential: kind.isConfidential)
            // What the settings are is not known yet, and one of them may be a password.
            for mark in LikelySecrets.marks(inLine: fault.mark.line, of: lines) { problems.hide(mark) }
            problems.report(at: fault.mark, path: "", fault.message, hint: fault.hint)
            return nil
        }
    }

    private init(kind: Kind, problems: SettingsProblems, renamedKeys: [SettingsNode.Mark: String]) {
        self.kind = kind
        self.problems = problems
        self.renamedKeys = renamedKeys
    }

    // MARK: - Composing

    /// Composes the document.
    ///
    /// Yams gives up at a mapping with the same key twice, telling only where the first one is. So that one is renamed,
    /// by a private-use character in place of its first letter, and the text is composed again; `entries` sees both.
    private static func compose(
        _ original: [String], size: Int
    ) throws -> (root: Node?, renamedKeys: [SettingsNode.Mark: String]) {
        var lines = original
        var renamedKeys: [SettingsNode.Mark: String] = [:]
        while true {
            do {
                return (try Yams.compose(yaml: lines.joined(separator: "\n"), .basic), renamedKeys)
            } catch YamlError.duplicatedKeysInMapping(let keys, let context)
                where renamedKeys.count < min(renamesMax, max(1, composedAgainMax / max(1, size)))
            {
                let mark = SettingsNode.Mark(line: context.mark.line, column: context.mark.column)
                guard let key = keys.first, let stamp = Unicode.Scalar(0xE000 + UInt32(renamedKeys.count)),
                    rename(key, at: mark, to: stamp, in: &lines)
                else { throw YamlError.duplicatedKeysInMapping(duplicates: keys, context: context) }
                renamedKeys[mark] = key
            }
        }
    }

    /// Puts `stamp` in place of a key's first letter; false when the key is not written there letter by letter.
    private static func rename(
        _ key: String, at mark: SettingsNode.Mark, to stamp: Unicode.Scalar, in lines: inout [String]
    ) -> Bool {
        guard lines.indices.contains(mark.line - 1) else { return false }
        var scalars = Array(lines[mark.line - 1].unicodeScalars)
        var index = mark.column - 1
        if scalars.indices.contains(index), scalars[index] == "\"" || scalars[index] == "'" { index += 1 }
        guard let first = key.unicodeScalars.first, first.properties.isAlphabetic,
            scalars.indices.contains(index), scalars[index] == first
        else { return false }
        scalars[index] = stamp
        lines[mark.line - 1] = String(String.UnicodeScalarView(scalars))
        return true
    }

    // MARK: - Converting

    private mutating func convert(_ node: Node, path: String, depth: Int) -> SettingsNode {
        let mark = mark(of: node)
        guard spend(at: mark, path) else { return SettingsNode(.unusable, mark: mark) }
        if depth > Self.depthMax {
            return unusable(mark, path, "is nested deeper than \(Self.depthMax) levels")
        }
        switch node {
        case .scalar(let scalar):
            return convert(scalar, mark: mark, path: path)
        case .sequence(let items):
            var nodes: [SettingsNode] = []
            for (index, item) in items.enumerated() where !isExhausted {
                nodes.append(convert(item, path: "\(path)[\(index)]", depth: depth + 1))
            }
            return SettingsNode(.list(nodes), mark: mark)
        case .mapping(let mapping):
            if let (key, _) = mapping.first(where: { !$0.key.isText }) {
                return unusable(
                    self.mark(of: key), path, "a key must be a text, found \(inWords(key))",
                    hint: "put a text that begins with '{' or '[' in quotes, and fill in '{{ templates }}' before")
            }
            return SettingsNode(.mapping(entries(of: mapping, path: path, depth: depth)), mark: mark)
        case .alias:
            return unusable(mark, path, "is an alias of nothing")
        }
    }

    /// Counts one more node; false when there are too many.
    private mutating func spend(at mark: SettingsNode.Mark, _ path: String) -> Bool {
        nodesLeft -= 1
        guard nodesLeft < 0 else { return true }
        if !isExhausted {
            isExhausted = true
            problems.report(
                at: mark, path: path, "the file has more values than any configuration needs, counting its aliases")
        }
        return false
    }

    private func convert(_ scalar: Node.Scalar, mark: SettingsNode.Mark, path: String) -> SettingsNode {
        var isPlain = scalar.style == .plain
        switch scalar.tag.rawValue {
        case Tag.Name.implicit.rawValue: break
        case Tag.Name.str.rawValue, Tag.Name.nonSpecific.rawValue: isPlain = false
        case let tag where scalar.hasValue(of: tag): isPlain = true
        default:
            // A password may begin with '!', and then the tag is a part of it.
            _ = unusable(
                SettingsNode.Mark(line: mark.line, column: mark.column), path,
                "begins with '!', which makes it a YAML tag that means nothing here",
                hint: "leave the tag out, or put a text that begins with '!' in quotes")
            let rest = problems.scalars(ofLine: mark.line).count + 1 - mark.column
            return SettingsNode(.unusable, mark: SettingsNode.Mark(line: mark.line, column: mark.column, width: rest))
        }
        guard let expanded = kind.expand(scalar.string) else {
            if isPlain, ["", "~", "null", "Null", "NULL"].contains(scalar.string) {
                return SettingsNode(.null, mark: mark)
            }
            return SettingsNode(.scalar(.init(scalar.string, style: isPlain ? .plain : .quoted)), mark: mark)
        }
        for problem in expanded.problems {
            let place = self.mark(of: problem.reference, from: mark) ?? mark
            problems.report(at: place, path: path, problem.message, hint: problem.hint)
        }
        guard expanded.problems.isEmpty else { return SettingsNode(.unusable, mark: mark) }
        return SettingsNode(
            .scalar(.init(expanded.text, style: isPlain ? .expanded : .quoted, shown: expanded.shown)), mark: mark)
    }

    /// The entries of a mapping, its own before those it merges; of a key that is there twice the first counts.
    private mutating func entries(of mapping: Node.Mapping, path: String, depth: Int) -> [SettingsNode.Entry] {
        var own: [SettingsNode.Entry] = []
        var merged: [SettingsNode.Entry] = []
        var lineOfKey: [String: Int] = [:]
        for (keyNode, valueNode) in mapping where !isExhausted {
            var keyMark = mark(of: keyNode)
            guard case .scalar(let scalar) = keyNode else { continue }
            var key = scalar.string
            if let renamed = renamedKeys[SettingsNode.Mark(line: keyMark.line, column: keyMark.column)] {
                key = renamed
                keyMark = SettingsNode.Mark(line: keyMark.line, column: keyMark.column, width: key.unicodeScalars.count)
            }
            if key == "<<", scalar.style == .plain {
                merged += merge(valueNode, path: path, depth: depth)
                continue
            }
            let keyPath = kind.isConfidential ? "" : path.isEmpty ? key : "\(path).\(key)"
            if let line = lineOfKey[key] {
                problems.report(at: keyMark, path: keyPath, "is set twice, first on line \(line)")
                continue
            }
            lineOfKey[key] = keyMark.line
            own.append(.init(key: key, keyMark: keyMark, value: convert(valueNode, path: keyPath, depth: depth + 1)))
        }
        for entry in merged where lineOfKey[entry.key] == nil {
            lineOfKey[entry.key] = entry.keyMark.line
            own.append(entry)
        }
        return own
    }

    /// The entries that `<<:` brings in: of a mapping, or of several, the first of which counts most.
    private mutating func merge(_ node: Node, path: String, depth: Int) -> [SettingsNode.Entry] {
        guard spend(at: mark(of: node), path) else { return [] }
        switch node {
        case .mapping(let mapping) where depth < Self.depthMax:
            return entries(of: mapping, path: path, depth: depth + 1)
        case .sequence(let items) where depth < Self.depthMax:
            var entries: [SettingsNode.Entry] = []
            for item in items where !isExhausted { entries += merge(item, path: path, depth: depth + 1) }
            return entries
        default:
            problems.report(at: mark(of: node), path: path, "'<<' merges mappings, found \(inWords(node))")
            return []
        }
    }

    private func inWords(_ node: Node) -> String { node.inWords(quoting: !kind.isConfidential) }

    private func unusable(
        _ mark: SettingsNode.Mark, _ path: String, _ message: String, hint: String? = nil
    ) -> SettingsNode {
        problems.report(at: mark, path: path, message, hint: hint)
        return SettingsNode(.unusable, mark: mark)
    }

    // MARK: - Places

    /// Where a node stands, and how much of its line a scalar takes.
    private func mark(of node: Node) -> SettingsNode.Mark {
        guard let mark = node.mark else { return SettingsNode.Mark(line: 1, column: 1) }
        var width = 1
        // Nobody shows a line of a confidential file.
        if !kind.isConfidential, case .scalar(let scalar) = node {
            width = Self.width(of: scalar, in: problems.scalars(ofLine: mark.line).dropFirst(mark.column - 1))
        }
        return SettingsNode.Mark(line: mark.line, column: mark.column, width: width)
    }

    private static func width(of scalar: Node.Scalar, in rest: ArraySlice<Unicode.Scalar>) -> Int {
        let text = scalar.string.unicodeScalars
        if scalar.style == .plain, !text.isEmpty, rest.starts(with: text) { return text.count }
        let wholeLine = rest.count - rest.reversed().prefix { $0 == " " }.count
        // A block's `|`, an anchor or a tag before the text, a text over several lines.
        guard let quote = rest.first, quote == "\"" || quote == "'" else { return wholeLine }
        var width = 1
        var inside = rest.dropFirst()
        while let character = inside.popFirst() {
            width += 1
            let isEscape = quote == "\"" ? character == "\\" : character == "'" && inside.first == "'"
            if isEscape {
                inside = inside.dropFirst()
                width += 1
            } else if character == quote {
                return width
            }
        }
        return wholeLine
    }

    /// A reference that far behind the beginning of its text is told at the beginning.
    private static let longestSearch = 10_000

    /// Where exactly on the scalar's line a reference is written; nil when it is on another line.
    private func mark(of reference: String, from mark: SettingsNode.Mark) -> SettingsNode.Mark? {
        let line = problems.scalars(ofLine: mark.line)
        let wanted = Array(reference.unicodeScalars)
        guard line.count >= wanted.count, mark.column - 1 <= line.count - wanted.count else { return nil }
        return (mark.column - 1...line.count - wanted.count)
            .prefix(Self.longestSearch)
            .first { line[$0..<$0 + wanted.count].elementsEqual(wanted) }
            .map { SettingsNode.Mark(line: mark.line, column: $0 + 1, width: wanted.count) }
    }
}

extension YAMLTree.Kind {
    fileprivate var isConfidential: Bool {
        if case .confidential = self { true } else { false }
    }

    /// The text with its references replaced; nil when it has none.
    fileprivate func expand(_ text: String) -> Expansion.Result? {
        if case .configuration(let expansion) = self { expansion.expand(text) } else { nil }
    }

    /// What to write into an empty file.
    fileprivate var least: String? {
        isConfidential
            ? nil : "the least it needs is\ninputs:\n  - type: kubernetes_logs\noutputs:\n  - type: stdout"
    }
}

extension Node.Scalar {
    /// Whether `tag` is one of YAML's own for what has no quotes, and the text is such a value.
    fileprivate func hasValue(of tag: String) -> Bool {
        switch tag {
        case Tag.Name.int.rawValue, Tag.Name.float.rawValue: JSONValue.isNumber(string)
        case Tag.Name.bool.rawValue: ["true", "false"].contains(string.lowercased())
        case Tag.Name.null.rawValue: ["", "~", "null"].contains(string.lowercased())
        default: false
        }
    }
}

extension Node {
    fileprivate var isText: Bool {
        if case .scalar = self { true } else { false }
    }

    fileprivate func inWords(quoting: Bool) -> String {
        switch self {
        case .scalar(let scalar): quoting ? "the text \(scalar.string.quotedForMessage)" : "a text"
        case .sequence: "a list"
        case .mapping: "a mapping"
        case .alias: "an alias"
        }
    }
}
