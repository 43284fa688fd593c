// Reads one mapping of the configuration, setting by setting, into typed values.
// Nothing is thrown: what does not fit is reported with its place and its default is used, so that all mistakes show.

/// Settings made from a mapping: of a plugin, or of a section.
package protocol SettingsSection: Sendable {
    /// Reads every setting; what is wrong is reported through `fields`, and then nobody uses the result.
    init(from fields: inout Fields)
}

/// The reader a section's settings are made from: one call for each setting gives its key, type and default.
///
/// Reading a setting also makes its key known. `finish` reports the keys that nobody asked for and the settings that
/// are missing, in the sections below as well; whoever made the outermost reader calls it, plugins do not.
package struct Fields {
    /// The mapping's path, such as `outputs[0]`; empty for the whole file.
    package let path: String
    /// Where problems go.
    package let problems: SettingsProblems
    private let mark: SettingsNode.Mark
    private let entries: [SettingsNode.Entry]
    private let places: [String: Int]
    /// False when there is no mapping to read, which has been reported: then nothing is "missing".
    package let isReadable: Bool
    private let asked = Asked()

    /// What was asked for so far, to be judged by `finish`. A class because a section's reader is handed out by value.
    private final class Asked {
        /// In the order of asking, each once.
        private(set) var keys: [String] = []
        private var known: Set<String> = []
        var sections: [(key: String, fields: Fields)] = []
        /// The items of lists.
        var items: [Fields] = []
        var missing: [(key: String, message: String, hint: String?)] = []
        var reportsUnknown = true

        func note(_ key: String) {
            if known.insert(key).inserted { keys.append(key) }
        }

        func knows(_ key: String) -> Bool { known.contains(key) }
    }

    /// Starts reading a mapping; nothing at all reads like an empty one.
    package init(_ node: SettingsNode, path: String, problems: SettingsProblems) {
        self.path = path
        self.problems = problems
        mark = node.mark
        if case .mapping(let entries) = node.content { self.entries = entries } else { entries = [] }
        places = Dictionary(entries.enumerated().map { ($1.key, $0) }) { first, _ in first }
        switch node.content {
        case .mapping, .null: isReadable = true
        case .scalar, .list, .unusable:
            isReadable = false
            if case .unusable = node.content { return }
            problems.report(at: node.mark, path: path, "expected settings (lines 'key: value'), found \(node.inWords)")
        }
    }

    /// The value of `key`, or its default when it is not given.
    package mutating func value<T: SettingValue>(_ key: String, default standard: T) -> T {
        optional(key, as: T.self) ?? standard
    }

    /// The value of `key` within limits, or its default when it is not given.
    package mutating func value<T: SettingValue & Comparable & CustomStringConvertible>(
        _ key: String, default standard: T, atLeast least: T? = nil, atMost most: T? = nil
    ) -> T {
        optional(key, as: T.self, atLeast: least, atMost: most) ?? standard
    }

    /// The value of `key` within limits, or nil when it is not given.
    package mutating func optional<T: SettingValue & Comparable & CustomStringConvertible>(
        _ key: String, as type: T.Type, atLeast least: T? = nil, atMost most: T? = nil
    ) -> T? {
        guard let node = given(key), let value: T = read(node, path: pathOf(key)) else { return nil }
        let isTooSmall = least.map { value < $0 } ?? false
        let isTooLarge = most.map { value > $0 } ?? false
        guard isTooSmall || isTooLarge else { return value }
        let found = confidentialText(key).map(\.quotedForMessage) ?? "\(value)"
        switch (least, most) {
        case (let least?, let most?): refuse(key, "must be between \(least) and \(most), found \(found)")
        case (let least?, nil): refuse(key, "must be at least \(least), found \(found)")
        case (_, let most): refuse(key, "must be at most \(most ?? value), found \(found)")
        }
        return nil
    }

    /// What may be shown of the text at `key` where that is not all of it.
    private func confidentialText(_ key: String) -> String? {
        guard case .scalar(let scalar)? = entry(key)?.value.content, scalar.isConfidential else { return nil }
        return scalar.shown
    }

    /// A text that was read at `key` as a message may quote it: without what comes from the environment or a file.
    package func quoted(_ text: String, from key: String) -> String {
        (confidentialText(key) ?? text).quotedForMessage
    }

    /// A whole number within a range, or its default when it is not given.
    package mutating func int(_ key: String, default standard: Int, in range: ClosedRange<Int>) -> Int {
        value(key, default: standard, atLeast: range.lowerBound, atMost: range.upperBound)
    }

    /// The value of `key`, or nil when it is not given.
    package mutating func optional<T: SettingValue>(_ key: String, as type: T.Type) -> T? {
        hideWhatIsNoValue(key, type)
        return given(key).flatMap { read($0, path: pathOf(key)) }
    }

    /// The value of `key`; nil when it is missing or wrong, which is reported.
    package mutating func required<T: SettingValue>(_ key: String, as type: T.Type, hint: String? = nil) -> T? {
        hideWhatIsNoValue(key, type)
        if let node = given(key) { return read(node, path: pathOf(key)) }
        if let entry = entry(key) {
            let message = "has no value, expected \(T.expectation)"
            problems.report(at: entry.keyMark, path: pathOf(key), message, hint: hint)
        } else if isReadable {
            asked.missing.append((key, "missing, expected \(T.expectation)", hint))
        }
        return nil
    }

    /// The values of a list, or its default when it is not given. One value stands for a list of one.
    ///
    /// - Parameter fault: says what is wrong with a value for a reason that its type cannot know, nil when nothing is.
    package mutating func list<T: SettingValue>(
        _ key: String, of type: T.Type, default standard: [T] = [], refusing fault: (T) -> SettingMisfit? = { _ in nil }
    ) -> [T] {
        guard let node = given(key) else { return standard }
        guard case .list(let items) = node.content else {
            return read(node, path: pathOf(key), refusing: fault).map { [$0] } ?? standard
        }
        return items.enumerated().compactMap { index, item in
            let path = "\(pathOf(key))[\(index)]"
            if case .null = item.content {
                problems.report(at: item.mark, path: path, "has no value, expected \(T.expectation)")
                return nil
            }
            return read(item, path: path, refusing: fault)
        }
    }

    /// The entries of a mapping whose keys are free names, in the order of the file; empty when it is not given.
    ///
    /// - Parameter fault: says what is wrong with a name, nil when nothing is.
    package mutating func table<T: SettingValue>(
        _ key: String, of type: T.Type, refusingNames fault: (String) -> String? = { _ in nil }
    ) -> [(name: String, value: T)] {
        guard let node = given(key) else { return [] }
        guard case .mapping(let entries) = node.content else {
            if case .unusable = node.content { return [] }
            problems.report(
                at: node.mark, path: pathOf(key),
                "expected names with values (lines 'name: value'), found \(node.inWords)")
            return []
        }
        return entries.compactMap { entry in
            let path = "\(pathOf(key)).\(entry.key)"
            if let fault = fault(entry.key) {
                if T.isSecret { problems.hide(entry.value) }
                problems.report(at: entry.keyMark, path: path, fault)
                return nil
            }
            return (read(entry.value, path: path) as T?).map { (entry.key, $0) }
        }
    }

    /// One of a few words, or its default when it is not given.
    package mutating func choice<E: RawRepresentable<String> & CaseIterable>(_ key: String, default standard: E) -> E {
        guard let node = given(key) else { return standard }
        let words = E.allCases.map(\.rawValue)
        let listed = words.joined(separator: ", ")
        if case .unusable = node.content { return standard }
        guard case .scalar(let scalar) = node.content else {
            problems.report(at: node.mark, path: pathOf(key), "expected one of \(listed), found \(node.inWords)")
            return standard
        }
        if let choice = E(rawValue: scalar.text) { return choice }
        let meant = Suggestions.closest(to: scalar.text, among: words).map { ", did you mean '\($0)'?" } ?? ""
        problems.report(
            at: node.mark, path: pathOf(key), "\(scalar.shown.quotedForMessage) is not one of \(listed)\(meant)")
        return standard
    }

    /// A reader for the mapping at `key`; nil when it is not given.
    package mutating func section(_ key: String) -> Fields? {
        guard let node = given(key) else { return nil }
        return fields(for: key, node)
    }

    /// The settings of the mapping at `key`; all defaults when it is not given.
    package mutating func section<S: SettingsSection>(_ key: String, as type: S.Type) -> S {
        var fields = fields(for: key, given(key) ?? SettingsNode(.null, mark: mark))
        return S(from: &fields)
    }

    /// A reader for each mapping of the list at `key`; empty when it is not given.
    package mutating func sections(_ key: String) -> [Fields] {
        guard let node = given(key) else { return [] }
        switch node.content {
        case .list(let items):
            let readers = items.enumerated().map { index, item in
                Fields(item, path: "\(pathOf(key))[\(index)]", problems: problems)
            }
            asked.items += readers
            return readers
        case .unusable:
            return []
        case .null, .scalar, .mapping:
            problems.report(
                at: node.mark, path: pathOf(key), "expected a list, found \(node.inWords)",
                hint: "begin each item with '- '")
            return []
        }
    }

    /// Reports that the value of `key` cannot be, for a reason that its type cannot know.
    ///
    /// Says nothing when the value has been found wrong already: then a default stands in for it.
    package mutating func refuse(_ key: String, _ message: String, hint: String? = nil) {
        asked.note(key)
        guard let entry = entry(key) else {
            if isReadable { asked.missing.append((key, message, hint)) }
            return
        }
        guard !problems.hasReport(on: pathOf(key)) else { return }
        problems.report(at: entry.value.mark, path: pathOf(key), message, hint: hint)
    }

    /// Reports that a key is no name that can stand here.
    package mutating func refuse(name key: String, _ message: String, hint: String? = nil) {
        asked.note(key)
        guard let entry = entry(key) else { return }
        problems.report(at: entry.keyMark, path: pathOf(key), message, hint: hint)
    }

    /// The keys that are given, in the order of the file: where they are free names.
    package var names: [String] { entries.map(\.key) }

    /// Where the value of `key` stands, or the mapping when it is not given.
    package func origin(of key: String? = nil) -> SettingsOrigin {
        let entry = key.flatMap(entry)
        return problems.origin(path: key.map(pathOf) ?? path, mark: entry?.value.mark ?? mark)
    }

    /// Whether `key` has a value, whatever it is worth.
    package func has(_ key: String) -> Bool {
        if case .null? = entry(key)?.value.content { return false }
        return entry(key) != nil
    }

    /// Whether `key` has something that could be items: a list that is not empty, or what has been reported as no list.
    package func hasItems(_ key: String) -> Bool {
        if case .list(let items)? = entry(key)?.value.content { return !items.isEmpty }
        return has(key)
    }

    /// Says nothing about unknown keys, where it is not clear which ones there are (the plugin is unknown, say).
    package mutating func ignoreUnknown() {
        asked.reportsUnknown = false
    }

    /// Reports the keys that nobody asked for and the settings that are missing, here and in all sections below.
    ///
    /// A setting whose key is merely mistyped is not called missing as well.
    package mutating func finish() {
        let missing = Set(asked.missing.map(\.key))
        var mistyped: Set<String> = []
        for entry in entries where !asked.knows(entry.key) {
            // Nobody knows what it is: it may be a password whose key is mistyped.
            problems.hide(entry.value)
            let meant = problems.isCrowded ? nil : Suggestions.closest(to: entry.key, among: asked.keys)
            if let meant { mistyped.insert(meant) }
            if asked.reportsUnknown || meant.map(missing.contains) == true { report(unknown: entry, meant: meant) }
        }
        for (key, message, hint) in asked.missing where !mistyped.contains(key) {
            problems.report(at: mark, path: pathOf(key), message, hint: hint)
        }
        for var fields in asked.sections.map(\.fields) + asked.items { fields.finish() }
    }

    private func report(unknown entry: SettingsNode.Entry, meant: String?) {
        let home = asked.sections.first { $0.fields.asked.knows(entry.key) }
        var message = "unknown setting"
        var hint: String?
        if let home {
            message += " here, it belongs under '\(home.key):'"
        } else if let meant {
            message += ", did you mean '\(meant)'?"
        } else {
            hint = "known here: " + asked.keys.joined(separator: ", ")
        }
        problems.report(at: entry.keyMark, path: pathOf(entry.key), message, hint: hint)
    }

    private func pathOf(_ key: String) -> String { path.isEmpty ? key : "\(path).\(key)" }

    private func entry(_ key: String) -> SettingsNode.Entry? { places[key].map { entries[$0] } }

    /// Of `password: &x` and `password: #x` YAML leaves nothing, while the line still shows what was meant.
    private func hideWhatIsNoValue<T: SettingValue>(_ key: String, _: T.Type) {
        guard T.isSecret, let entry = entry(key), case .null = entry.value.content else { return }
        let mark = entry.keyMark
        problems.hide(SettingsNode.Mark(line: mark.line, column: mark.column + mark.width + 1, width: .max / 2))
    }

    /// The node of `key`, which is known from now on; nil when it is absent or null.
    private mutating func given(_ key: String) -> SettingsNode? {
        asked.note(key)
        return has(key) ? entry(key)?.value : nil
    }

    private mutating func fields(for key: String, _ node: SettingsNode) -> Fields {
        let fields = Fields(node, path: pathOf(key), problems: problems)
        asked.sections.append((key, fields))
        return fields
    }

    private func read<T: SettingValue>(
        _ node: SettingsNode, path: String, refusing fault: (T) -> SettingMisfit? = { _ in nil }
    ) -> T? {
        if T.isSecret { problems.hide(node) }
        if case .unusable = node.content { return nil }
        let misfit: SettingMisfit
        do throws(SettingMisfit) {
            let value = try T(node)
            guard let fault = fault(value) else { return value }
            guard case .scalar(let scalar) = node.content, !T.isSecret else { throw fault.about("the value") }
            misfit = fault.about(scalar.shown.quotedForMessage)
                .withoutConfidentialText(of: node, expected: T.expectation)
        } catch {
            misfit = error.withoutConfidentialText(of: node, expected: T.expectation)
        }
        problems.report(at: misfit.mark ?? node.mark, path: path, misfit.message, hint: misfit.hint)
        return nil
    }
}
