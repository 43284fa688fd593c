// `--selector`: what is asked of a pod's labels, in kubectl's words.
package import Bytes

/// Requirements on labels, all of which have to hold: `app=web,tier!=db,zone in (a,b),track notin (canary),team,!legacy`.
///
/// As in Kubernetes, a pod without the label fulfils `!=`, `notin` and `!`.
package struct LabelSelector: Sendable, Hashable {
    private let requirements: [Requirement]

    private struct Requirement: Sendable, Hashable {
        /// The label's key, also as records have it in the other styles: with `_` in place of dots, and behind `labels.`.
        let key: [UInt8]
        let dedotted: [UInt8]
        let flat: [UInt8]
        let test: Test

        init(key: [UInt8], test: Test) {
            self.key = key
            dedotted = key.map { $0 == UInt8(ascii: ".") ? UInt8(ascii: "_") : $0 }
            flat = Array("labels.".utf8) + key
            self.test = test
        }
    }

    private enum Test: Sendable, Hashable {
        case exists
        case isMissing
        case isAmong([[UInt8]])
        case isNoneOf([[UInt8]])

        var allowsMissing: Bool {
            switch self {
            case .exists, .isAmong: false
            case .isMissing, .isNoneOf: true
            }
        }
    }

    /// Asks nothing.
    package init() { requirements = [] }

    /// Reads requirements with commas between them.
    package init(_ text: String) throws(QueryError) {
        var requirements: [Requirement] = []
        for part in LabelSelector.parts(of: text) { requirements.append(try LabelSelector.requirement(part, of: text)) }
        self.requirements = requirements
    }

    /// Whether it asks nothing.
    package var isEmpty: Bool { requirements.isEmpty }

    // MARK: Reading

    /// The text cut at its commas outside of brackets.
    private static func parts(of text: String) -> [Substring] {
        var depth = 0
        return text.split(omittingEmptySubsequences: false) { character in
            if character == "(" { depth += 1 }
            if character == ")" { depth -= 1 }
            return character == "," && depth <= 0
        }
    }

    private static func requirement(_ part: Substring, of text: String) throws(QueryError) -> Requirement {
        func fault(_ reason: String) -> QueryError {
            QueryError(
                "'\(text)' is no label selector: \(reason)",
                hint:
                    "write requirements such as app=web, tier!=db, 'zone in (a,b)', 'track notin (canary)', team or '!legacy', "
                    + "with commas between them")
        }
        func bytes(_ word: Substring, _ what: String, mayBeEmpty: Bool = false) throws(QueryError) -> [UInt8] {
            let word = word.trimmed
            if word.isEmpty, !mayBeEmpty { throw fault("\(what) is empty") }
            let isWhole = word.utf8.allSatisfy { byte in
                (byte | 0x20) &- 0x61 < 26 || byte &- 0x30 < 10 || "-_.".utf8.contains(byte)
                    || byte == UInt8(ascii: "/") && what == "a label"
            }
            if !isWhole { throw fault("'\(word)' cannot be \(what)") }
            return Array(word.utf8)
        }
        let part = part.trimmed
        if part.hasPrefix("!") { return Requirement(key: try bytes(part.dropFirst(), "a label"), test: .isMissing) }
        if let equals = part.firstIndex(of: "=") {
            let isNegated = part[..<equals].hasSuffix("!")
            let key = try bytes(part[..<equals].dropLast(isNegated ? 1 : 0), "a label")
            var value = part[equals...].dropFirst()
            if value.hasPrefix("="), !isNegated { value = value.dropFirst() }
            let values = [try bytes(value, "a value", mayBeEmpty: true)]
            return Requirement(key: key, test: isNegated ? .isNoneOf(values) : .isAmong(values))
        }
        guard let bracket = part.firstIndex(of: "(") else {
            return Requirement(key: try bytes(part, "a label"), test: .exists)
        }
        guard part.hasSuffix(")") else { throw fault("'\(part)' has a '(' without its ')'") }
        let words = part[..<bracket].split(separator: " ")
        guard words.count == 2, words[1] == "in" || words[1] == "notin" else {
            throw fault("before '\(part[bracket...])' come a label and 'in' or 'notin'")
        }
        var values: [[UInt8]] = []
        for value in part[bracket...].dropFirst().dropLast().split(separator: ",", omittingEmptySubsequences: false) {
            values.append(try bytes(value, "a value", mayBeEmpty: true))
        }
        return Requirement(
            key: try bytes(words[0], "a label"), test: words[1] == "in" ? .isAmong(values) : .isNoneOf(values))
    }

    // MARK: Matching

    /// Whether the labels of a record fulfil all requirements, whatever style they are written in. `tape` is overwritten.
    package func matches(
        _ fields: borrowing RecordFields, _ arena: borrowing Arena, tape: inout Column<JSONMember>
    ) -> Bool {
        tape.removeAll()
        let labels = fields.sourceMember("labels", arena)
        guard labels.isPresent else {
            for requirement in requirements
            where !LabelSelector.holds(requirement, requirement.flat, arena, fields.sourceMembers) {
                return false
            }
            return true
        }
        let range = labels.valueRange
        _ = JSONScanner.scanObject(arena, from: range.lowerBound, to: range.upperBound, tape: &tape)
        let isDedotted = !LabelSelector.hasDots(arena, tape)
        for requirement in requirements {
            let key = isDedotted ? requirement.dedotted : requirement.key
            if !LabelSelector.holds(requirement, key, arena, tape) { return false }
        }
        return true
    }

    /// Whether one of the keys has a dot.
    private static func hasDots(_ arena: borrowing Arena, _ tape: borrowing Column<JSONMember>) -> Bool {
        for index in 0..<tape.count {
            let member = tape[index]
            for at in member.keyStart..<member.keyStart + member.keyLength where arena[at] == UInt8(ascii: ".") {
                return true
            }
        }
        return false
    }

    private static func holds(
        _ requirement: Requirement, _ key: [UInt8], _ arena: borrowing Arena, _ tape: borrowing Column<JSONMember>
    ) -> Bool {
        for index in 0..<tape.count where JSONScanner.keyEquals(arena, tape[index], key) {
            func isAmong(_ values: [[UInt8]], _ arena: borrowing Arena, _ member: JSONMember) -> Bool {
                for value in values where JSONScanner.valueEquals(arena, member, value.span) { return true }
                return false
            }
            switch requirement.test {
            case .exists: return true
            case .isMissing: return false
            case .isAmong(let values): return isAmong(values, arena, tape[index])
            case .isNoneOf(let values): return !isAmong(values, arena, tape[index])
            }
        }
        return requirement.test.allowsMissing
    }
}

extension Substring {
    /// Without the spaces around it.
    fileprivate var trimmed: Substring {
        var text = self
        while text.hasPrefix(" ") { text.removeFirst() }
        while text.hasSuffix(" ") { text.removeLast() }
        return text
    }
}
