// Which entries a reader steps on; libsystemd finds them by its index.

/// A field that has exactly this value.
package struct JournalTerm: Hashable, Sendable {
    /// The field's name: capitals, digits, underscores.
    package let field: String
    package let value: [UInt8]

    package init(_ field: String, _ value: [UInt8]) {
        self.field = field
        self.value = value
    }

    package init(_ field: String, _ value: String) { self.init(field, Array(value.utf8)) }
}

/// A condition on entries, in the shape that libsystemd knows:
/// every one of the `clauses` holds; a clause holds when any of its groups does; a group when, for each field it names, the entry has
/// one of the values named for it. `[PRIORITY=3, PRIORITY=4, _SYSTEMD_UNIT=kubelet.service]` is a group: the kubelet's warnings and
/// errors.
package struct JournalMatches: Hashable, Sendable {
    /// And, of or, of groups.
    package let clauses: [[[JournalTerm]]]

    private init(clauses: [[[JournalTerm]]]) { self.clauses = clauses }

    /// Every entry.
    package static let everything = JournalMatches(clauses: [])

    /// The entries that one group describes; all, when it is empty.
    package init(_ group: [JournalTerm]) { self.init(anyOf: [group]) }

    /// The entries that any of the groups describes; all, when one of them is empty or there is none.
    package init(anyOf groups: [[JournalTerm]]) {
        self.init(clauses: groups.isEmpty || groups.contains { $0.isEmpty } ? [] : [groups])
    }

    /// The entries for which both hold.
    package func and(_ other: JournalMatches) -> JournalMatches { JournalMatches(clauses: clauses + other.clauses) }
}
