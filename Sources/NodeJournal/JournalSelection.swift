// Which entries of a journal are wanted. Every entry is read and judged here, rather than found by libsystemd's index: so globs
// work for units that come later, the position also moves over entries that are not wanted, and a hole in the entries' numbers shows
// what was lost (JournalTailer). An entry that is not wanted costs about a microsecond.
package import Bytes
import Records

/// A condition on entries: every part of it holds.
package struct JournalSelection: Sendable {
    /// The units' globs; empty: any unit and none. An entry belongs to a unit as for `journalctl -u`.
    package var units: [Glob] = []
    /// Globs of syslog identifiers; empty: any.
    package var identifiers: [Glob] = []
    /// syslog's numbers, 0 is the worst; nil, and as for `journalctl -p debug` also all eight: any, and entries without a priority.
    package var priorities: ClosedRange<Int>?
    /// The severity that klog's header tells counts as the priority where there is one: the kubelet logs its errors with priority 6.
    package var believesKlog = false
    /// Fields and the values they may have: one value of each field.
    package var matches: [(field: String, values: [[UInt8]])] = []
    /// Whether the kernel's messages are wanted, whatever `units` and `identifiers` say; nil: as other entries. They are of no unit, and
    /// their identifier is `kernel`.
    package var kernel: Bool?
    /// Whether audit records are wanted; they are also where `matches` ask for a transport.
    package var audit = false

    package init() {}

    /// Fields beside `KnownField` that `includes` looks at.
    var fieldNames: [String] { matches.map(\.field) }

    /// Whether an entry is wanted. `matchFields`: the numbers of the fields of `matches`.
    func includes(_ entry: borrowing EntryFields, matchFields: [KnownField]) -> Bool {
        if !audit, entry.isValue(.transport, "audit"), !matches.contains(where: { $0.field == "_TRANSPORT" }) {
            return false
        }
        let isKernel = kernel != nil && entry.isValue(.transport, "kernel")
        if isKernel, kernel == false { return false }
        if !isKernel {
            if !units.isEmpty, !isOfUnit(entry) { return false }
            if !identifiers.isEmpty, !entry.anyValue(.identifier, fits: { JournalSelection.fits($0, identifiers) }) {
                return false
            }
        }
        for (index, field) in matchFields.enumerated() {
            let values = matches[index].values
            let isAmong = entry.anyValue(field) { value in
                for wanted in values where value.isEqual(to: wanted.span) { return true }
                return false
            }
            if !isAmong { return false }
        }
        if let priorities, priorities != 0...7 {
            guard let priority = priority(of: entry), priorities.contains(priority) else { return false }
        }
        return true
    }

    /// Whether what journald threw away of a unit, or of the kernel's messages, may have been wanted.
    func mayConcern(unit: String?) -> Bool {
        guard let unit else { return kernel ?? (units.isEmpty && identifiers.isEmpty) }
        return units.isEmpty || units.contains { $0.matches(unit) }
    }

    private static func fits(_ name: Span<UInt8>, _ globs: [Glob]) -> Bool {
        for glob in globs where glob.matches(name) { return true }
        return false
    }

    /// As `journalctl -u`: the unit's own entries, and what systemd and daemons of root say about it.
    private func isOfUnit(_ entry: borrowing EntryFields) -> Bool {
        if entry.anyValue(.unit, fits: { JournalSelection.fits($0, units) }) { return true }
        if entry.about.contains(where: { entry.anyValue($0) { JournalSelection.fits($0, units) } }) { return true }
        // journalctl takes a slice's name for all units in it.
        return entry.anyValue(.slice) { slice in
            for glob in units where glob.pattern.hasSuffix(".slice") && glob.matches(slice) { return true }
            return false
        }
    }

    private func priority(of entry: borrowing EntryFields) -> Int? {
        if believesKlog, let severity = entry.klogSeverity { return severity.syslogNumber }
        return entry.number(.priority)
    }
}

extension EntryFields {
    /// The fields by which somebody who may do so says which unit the entry is about. journalctl(1), at --unit
    var about: [KnownField] {
        var fields: [KnownField] = []
        if slot(.aboutUnit) != nil, isValue(.pid, "1") { fields.append(.aboutUnit) }
        guard slot(.objectUnit) != nil || slot(.coredumpUnit) != nil, isValue(.uid, "0") else { return fields }
        if slot(.objectUnit) != nil { fields.append(.objectUnit) }
        // SD_MESSAGE_COREDUMP
        if slot(.coredumpUnit) != nil, isValue(.messageID, "fc2e22bc6ee647b6b90729ab34a250b1") {
            fields.append(.coredumpUnit)
        }
        return fields
    }

    /// What klog's header in the message says; nil without one.
    var klogSeverity: Severity? {
        value(.message) { KlogLine.severity(of: $0) } ?? nil
    }
}
