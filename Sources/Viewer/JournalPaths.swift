// Which of a node's journals are read, so that no link in a copied node leads out of it.
import Disk
import Journal

/// The paths of a node's journal that libsystemd can be given: it follows links as the kernel does, out of a copied node.
struct JournalPaths {
    /// Folders, or files where there are links among them; empty: this machine's journal.
    let paths: [String]
    let isPresent: Bool

    init(_ places: NodePlaces) {
        guard !places.journal.isEmpty else {
            (paths, isPresent) = ([], !JournalSource.local.presentFolders.isEmpty)
            return
        }
        let system = places.system
        var folders = places.journal.map(system.locate)
        // A folder that is missing may come, but not behind a link that leads nowhere.
        if folders != places.journal { folders = folders.filter { system.status($0) != nil } }
        guard !system.path.isEmpty, folders.contains(where: JournalPaths.hasLinks) else {
            (paths, isPresent) = (folders, folders.contains { system.status($0)?.kind == .directory })
            return
        }
        var files: Set<String> = []
        for folder in folders {
            for entry in (try? system.list(folder)) ?? [] {
                let path = "\(folder)/\(entry.name)"
                let inner = (try? system.list(path)) ?? []
                for name in inner.isEmpty ? [path] : inner.map({ "\(path)/\($0.name)" })
                where name.hasSuffix(".journal") || name.hasSuffix(".journal~") {
                    if system.status(name)?.kind == .regular { files.insert(system.locate(name)) }
                }
            }
        }
        (paths, isPresent) = (files.sorted(), !files.isEmpty)
    }

    /// Whether something in a folder, or in a folder in it, is a link.
    private static func hasLinks(_ folder: String) -> Bool {
        ((try? Directory.list(folder)) ?? []).contains { entry in
            let path = "\(folder)/\(entry.name)"
            if Directory.linkTarget(path) != nil { return true }
            return ((try? Directory.list(path)) ?? []).contains { Directory.linkTarget("\(path)/\($0.name)") != nil }
        }
    }
}
