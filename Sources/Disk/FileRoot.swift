// Links of a copied or mounted system lead to its own files, not to those of the system that we run on.

/// A folder that is taken for "/": whatever is looked for below it is found there, or not at all. Absolute links begin at it again, and
/// `..` does not leave it.
package struct FileRoot: Hashable, Sendable {
    /// The folder, without a slash at its end; empty: the system's own root, and links are the kernel's business.
    package let path: String
    /// Links that may be met on the way to a file, as for the kernel: they may lead in a circle.
    private static let mostLinks = 40

    /// The system's own root.
    package static let system = FileRoot("")

    package init(_ path: String) {
        var path = path
        while path.hasSuffix("/"), path.utf8.count > 1 { path.removeLast() }
        self.path = path == "/" ? "" : path
    }

    /// Where `path` leads, free of links. It begins with the root's own path, which is left as it is. What is not there stays a path to
    /// nothing: the links before it were followed all the same.
    package func locate(_ path: String) -> String {
        guard !self.path.isEmpty, path == self.path || path.hasPrefix(self.path + "/") else { return path }
        var rest = FileRoot.names(path.dropFirst(self.path.count))
        var place: [Substring] = []
        var links = 0
        while let name = rest.popLast() {
            if name == ".." {
                _ = place.popLast()
                continue
            }
            place.append(name)
            guard let target = Directory.linkTarget(joined(place)) else { continue }
            links += 1
            guard links <= FileRoot.mostLinks else { return joined(place) + ": too many links" }
            if target.hasPrefix("/") { place.removeAll() } else { place.removeLast() }
            rest += FileRoot.names(target[...])
        }
        return joined(place)
    }

    /// The names of a path, the last one first.
    private static func names(_ path: Substring) -> [Substring] {
        path.split(separator: "/").filter { $0 != "." }.reversed()
    }

    private func joined(_ names: [Substring]) -> String { names.reduce(path) { "\($0)/\($1)" } }

    // MARK: Looking

    /// `Directory.list` below this root.
    package func list(_ path: String) throws(DiskError) -> [Directory.Entry] { try Directory.list(locate(path)) }

    /// `Directory.status` below this root.
    package func status(_ path: String) -> FileStatus? { Directory.status(locate(path)) }

    /// `Directory.look` below this root.
    package func look(_ path: String) throws(DiskError) -> FileStatus { try Directory.look(locate(path)) }

    /// Opens a file below this root for reading, as `OwnedFile.open` does.
    package func open(_ path: String, nonBlocking: Bool = false) throws(DiskError) -> OwnedFile {
        try OwnedFile.open(locate(path), .read, nonBlocking: nonBlocking)
    }

    /// `Directory.resolve` below this root; nil when the path does not exist.
    package func resolve(_ path: String) -> String? { Directory.resolve(locate(path)) }
}
