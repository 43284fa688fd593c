// journald's namespaces: each has a journald and a journal of its own, in folders beside those of the machine.
// systemd-journald.service(8), "Journal Namespaces"

/// A journal that services with `LogNamespace=` have to themselves.
package struct JournalNamespace: Hashable, Sendable, Comparable {
    /// What `LogNamespace=` calls it.
    package let name: String
    /// The machine's id, as the folder is called.
    package let machine: String

    /// Reads a folder's name, `<machine id>.<namespace>`; nil when it is another.
    package init?(folder: some StringProtocol) {
        guard let dot = folder.firstIndex(of: "."), folder.index(after: dot) < folder.endIndex else { return nil }
        machine = String(folder[..<dot])
        name = String(folder[folder.index(after: dot)...])
        guard Machines.all.include(machine) else { return nil }
    }

    /// The folder's name.
    package var folder: String { "\(machine).\(name)" }

    package static func < (a: JournalNamespace, b: JournalNamespace) -> Bool {
        (a.name, a.machine) < (b.name, b.machine)
    }
}

extension JournalSource {
    /// The namespaces that have a folder here. They are no part of the source.
    package var namespaces: [JournalNamespace] {
        var found: Set<JournalNamespace> = []
        for (root, machines) in namespaceRoots {
            for name in Folder.names(root) {
                guard let namespace = JournalNamespace(folder: name), machines.include(namespace.machine),
                    Folder.isFolder("\(root)/\(name)")
                else { continue }
                found.insert(namespace)
            }
        }
        return found.sorted()
    }

    /// The folders of a namespace, also those that are not there: the persistent and the volatile one, where the source has both.
    package func folders(of namespace: JournalNamespace) -> [String] {
        namespaceRoots.map { "\($0.path)/\(namespace.folder)" }
    }

    private var namespaceRoots: [(path: String, machines: Machines)] {
        if case .local = self {
            let machines = Machines.isKnownHere ? Machines.this : .all
            return [JournalSource.persistent, JournalSource.volatile].map { ($0, machines) }
        }
        return roots.filter { !$0.path.hasSuffix("/remote") }
    }
}
