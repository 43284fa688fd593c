// `where`: which records an output gets, by what is in their fields. Much of it can be told from a source alone, so that most
// chunks need not be inflated. What it means to an operator is in docs/delivery.md.
package import Bytes
package import Records

/// Fields and the values that they must have: every field has to fit, one of its globs is enough.
package struct Condition: Sendable, Hashable {
    private let terms: [Term]

    /// One field and what it may hold.
    private struct Term: Sendable, Hashable {
        let field: FieldPath
        /// The field's names as bytes.
        let names: [[UInt8]]
        let included: [Glob]
        let excluded: [Glob]

        init(_ field: FieldPath, _ patterns: [ValuePattern]) {
            self.field = field
            names = field.names.map { Array($0.utf8) }
            included = patterns.filter { !$0.excludes }.map(\.glob)
            excluded = patterns.filter(\.excludes).map(\.glob)
        }

        /// What has no text is none of the values that are asked for, and none of those that are excluded.
        var allowsMissing: Bool { included.isEmpty }

        func allows(_ text: Span<UInt8>) -> Bool {
            for glob in excluded where glob.matches(text) { return false }
            for glob in included where glob.matches(text) { return true }
            return included.isEmpty
        }

        func allows(_ text: String?) -> Bool { text.map { allows($0.utf8.span) } ?? allowsMissing }
    }

    /// How much of something a condition selects.
    package enum Verdict: Sendable {
        /// Every record, whatever is in it.
        case all
        /// No record at all.
        case nothing
        /// It depends on the record.
        case depends
    }

    /// Nothing is asked for: every record is selected.
    package var isEmpty: Bool { terms.isEmpty }

    // MARK: Sources

    /// How much it selects of what comes from these sources, and from no others; nil when that is not known.
    package func verdict(on sources: [SourceIdentity]?) -> Verdict {
        if isEmpty { return .all }
        guard let sources, let first = sources.first else { return .depends }
        let verdict = verdict(on: first)
        guard verdict != .depends else { return .depends }
        return sources.dropFirst().allSatisfy { self.verdict(on: $0) == verdict } ? verdict : .depends
    }

    /// How much it selects of a source's records.
    package func verdict(on source: SourceIdentity) -> Verdict {
        var verdict = Verdict.all
        for term in terms {
            switch KnownValue(of: term.field, in: source) {
            case .text(let text): if !term.allows(text) { return .nothing }
            case .missing: if !term.allowsMissing { return .nothing }
            case .unknown: verdict = .depends
            }
        }
        return verdict
    }

    /// What a source says about a field of all its records.
    private enum KnownValue {
        case text(String)
        case missing
        case unknown

        init(of field: FieldPath, in source: SourceIdentity) {
            let names = field.names
            switch names[0] {
            case "origin": self = names.count == 1 ? .text(source.kind.origin) : .missing
            case "kubernetes": self = source.kind == .container ? KnownValue(kubernetes: names, source) : .missing
            // The path in a file's records is that by which it was found in this start: the source may have an older one.
            case "file": self = source.kind == .file ? .unknown : .missing
            case "journal": self = source.kind == .journal ? .unknown : .missing
            default: self = .unknown
            }
        }

        private init(kubernetes names: [String], _ source: SourceIdentity) {
            guard names.count == 2 else {
                self = .unknown
                return
            }
            let text: String
            switch names[1] {
            case "namespace_name": text = source.namespace
            case "pod_name": text = source.pod
            case "pod_uid": text = source.uid
            case "container_name": text = source.container
            case "restart_count": text = String(source.restart)
            default:
                self = .unknown
                return
            }
            // Records leave empty texts out. A long one may have been cut when it was written.
            self = text.isEmpty ? .missing : text.utf8.count < 4090 ? .text(text) : .unknown
        }
    }

    // MARK: Records

    /// Whether it selects a record, one line of JSON at `from..<to` of `arena`. `tape` is overwritten.
    ///
    /// What cannot be taken apart (it has more brackets than are looked into) is selected: better once too often than lost.
    package func selects(
        _ arena: borrowing Arena, from: Int, to: Int, tape: inout Column<JSONMember>
    ) -> Bool {
        tape.removeAll()
        guard JSONScanner.scanObject(arena, from: from, to: to, tape: &tape).isObject else { return true }
        for term in terms where !Condition.selects(term, arena, &tape) { return false }
        return true
    }

    private static func selects(_ term: Term, _ arena: borrowing Arena, _ tape: inout Column<JSONMember>) -> Bool {
        guard let member = member(term.names, arena, &tape) else { return term.allowsMissing }
        let (start, end) = (member.valueStart, member.valueStart + member.valueLength)
        switch arena[start] {
        case UInt8(ascii: "\""):
            if member.valueHasEscapes {
                return term.allows(JSONScanner.unescape(arena, from: start + 1, count: end - start - 2).span)
            }
            return term.allows(arena.span.extracting((start + 1)..<(end - 1)))
        // An object, a list and null have no text.
        case UInt8(ascii: "{"), UInt8(ascii: "["), UInt8(ascii: "n"): return term.allowsMissing
        default: return term.allows(arena.span.extracting(start..<end))
        }
    }

    /// The member at the end of a path; nil when there is none. The record's own members are on the tape.
    private static func member(
        _ names: [[UInt8]], _ arena: borrowing Arena, _ tape: inout Column<JSONMember>
    ) -> JSONMember? {
        let count = tape.count
        defer { tape.truncate(to: count) }
        var found = last(names[0], arena, tape, from: 0)
        for name in names.dropFirst() {
            guard let outer = found, arena[outer.valueStart] == UInt8(ascii: "{") else { return nil }
            let start = tape.count
            let end = outer.valueStart + outer.valueLength
            _ = JSONScanner.scanObject(arena, from: outer.valueStart, to: end, tape: &tape)
            found = last(name, arena, tape, from: start)
        }
        return found
    }

    /// Of members with equal names the last one counts.
    private static func last(
        _ name: [UInt8], _ arena: borrowing Arena, _ tape: borrowing Column<JSONMember>, from start: Int
    ) -> JSONMember? {
        var index = tape.count
        while index > start {
            index -= 1
            if JSONScanner.keyEquals(arena, tape[index], name) { return tape[index] }
        }
        return nil
    }
}

extension Condition: SettingsSection {
    package init(from fields: inout Fields) {
        var terms: [Term] = []
        for name in fields.names {
            let field: FieldPath
            do throws(SettingMisfit) {
                field = try FieldPath(text: name)
            } catch {
                fields.refuse(name: name, error.about(name.quotedForMessage).message, hint: error.hint)
                continue
            }
            if let fault = Condition.fault(of: field) {
                fields.refuse(name: name, fault)
                continue
            }
            let words = Condition.words(of: field)
            let kind = Condition.kind(of: field)
            let patterns = fields.list(name, of: ValuePattern.self) { pattern in
                pattern.fault(among: words) ?? kind.flatMap { $0.fault(in: pattern.glob.pattern) }
            }
            if !fields.hasItems(name) {
                fields.refuse(name, "has no value, expected \(ValuePattern.expectation), or a list of them")
            }
            terms.append(Term(field, patterns))
        }
        self.terms = terms
    }

    /// What records have under names that messages cannot take (docs/records.md). Labels and annotations have names of their own.
    private static let ownMembers: [String: [String]] = [
        "kubernetes": [
            "namespace_name", "pod_name", "pod_uid", "pod_ip", "container_name", "container_id", "container_image",
            "restart_count", "node_name", "owner_kind", "owner_name", "labels", "annotations", "namespace_labels",
        ],
        "file": ["path"],
    ]

    /// What is wrong with a field that no record can have: it would select nothing, or with `!` everything, and nobody would
    /// notice.
    private static func fault(of field: FieldPath) -> String? {
        guard let known = ownMembers[field.names[0]] else { return nil }
        let (whole, outer) = (field.description, field.names[0])
        guard field.names.count > 1 else {
            return "'\(whole)' is no text but an object, name one of its members such as '\(outer).\(known[0])'"
        }
        if known.contains(field.names[1]) { return nil }
        let meant =
            Suggestions.closest(to: field.names[1], among: known)
            ?? known.first { $0.hasPrefix(field.names[1] + "_") }
        return "records have no '\(whole)'"
            + (meant.map { ", did you mean '\(outer).\($0)'?" } ?? ", known are \(known.joined(separator: ", "))")
    }

    /// The kind of name that a field holds.
    private static func kind(of field: FieldPath) -> KubernetesName? {
        switch field.names {
        case ["kubernetes", "namespace_name"]: .namespace
        case ["kubernetes", "pod_name"]: .pod
        case ["kubernetes", "container_name"]: .container
        default: nil
        }
    }

    /// All that a field can hold, where that is a few words.
    private static func words(of field: FieldPath) -> [String] {
        switch field.names {
        case ["severity"]: Severity.allCases.filter { $0 != .unknown }.map { "\($0.name)" }
        case ["origin"]: [SourceKind.container, .file, .journal].map(\.origin)
        case ["stream"]: ["stdout", "stderr"]
        default: []
        }
    }
}

/// A glob for a field's value; with `!` before it, for the values that are not wanted.
private struct ValuePattern: TextSettingValue {
    static var expectation: String { "a glob such as shop-*, or !shop-* for everything else" }
    let glob: Glob
    let excludes: Bool

    init(text: String) throws(SettingMisfit) {
        excludes = text.hasPrefix("!")
        let pattern = excludes ? String(text.dropFirst()) : text
        if excludes, pattern.isEmpty {
            throw .text("excludes nothing", hint: "write what is not wanted behind the '!', in quotes: \"!kube-*\"")
        }
        glob = try Glob(text: pattern)
    }

    /// What is wrong with it when the field can only hold one of these words.
    func fault(among words: [String]) -> SettingMisfit? {
        guard !words.isEmpty, !words.contains(where: { glob.matches($0) }) else { return nil }
        let listed = words.joined(separator: ", ")
        guard let literal = glob.literal else { return .text("matches none of \(listed)") }
        let severity = Severity(named: literal.utf8.span).map { "\($0.name)" }
        let meant = severity.flatMap { words.contains($0) ? $0 : nil } ?? Suggestions.closest(to: literal, among: words)
        let question = meant.map { ", did you mean '\(excludes ? "!" : "")\($0)'?" } ?? ""
        return .text("is not one of \(listed)\(question)")
    }
}

extension SourceKind {
    /// What `origin` says in the records of such a source.
    fileprivate var origin: String {
        switch self {
        case .container: "container"
        case .file: "file"
        case .journal: "journal"
        }
    }
}
