// Which files count as logs. Whoever may write to the folder of logs, such as a pod that has it mounted, could put a link there to
// any file of the node: the agent would read it and send it away.
import Disk

/// Folders in which the files must lie that are read, whatever links lead to them.
struct AllowedFolders {
    private let folders: [String]
    /// The same without links, each with a slash at its end.
    private var resolved: [String] = []

    init(_ folders: [String]) {
        self.folders = folders
        resolve()
    }

    private mutating func resolve() {
        resolved = folders.compactMap(Directory.resolve).map { $0.hasSuffix("/") ? $0 : $0 + "/" }
    }

    /// Where an open file lies when that is in none of the folders; nil when it is in one.
    mutating func outside(_ file: borrowing OwnedFile) -> String? {
        guard let path = file.realPath ?? Directory.resolve(file.path) else { return file.path }
        if contains(path) { return nil }
        // Folders may have come since, or links on the way to them may lead elsewhere by now.
        resolve()
        return contains(path) ? nil : path
    }

    /// Whether a path without links lies in one of them.
    func contains(_ path: String) -> Bool { resolved.contains { path.hasPrefix($0) } }
}
