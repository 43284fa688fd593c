// Looks for files that were moved while nobody was looking: renamed out of what is asked for, into another folder, or left
// behind by a link that leads elsewhere now.
import Disk

/// A search through the folders near those where the files were. It is bounded, and ends when all are found.
struct MovedFileSearch {
    /// Names that are looked at, at most.
    private static let mostNames = 50_000
    /// How far above the folder of a file it begins, and how far below that it goes.
    private static let levelsUp = 2
    private static let levelsDown = 4

    private var wanted: Set<FileID>
    private let paths: [String]
    private(set) var found: [FileID: String] = [:]
    /// Files in the folders where the wanted ones were, for a comparison of their bytes.
    private var neighbours: [String: [String]] = [:]
    private var namesLeft = MovedFileSearch.mostNames
    private var seen: Set<FileID> = []

    /// - Parameters:
    ///   - files: what is searched.
    ///   - paths: by which the files were found once; as many.
    init(_ files: [FileID], paths: [String]) {
        wanted = Set(files)
        self.paths = paths
    }

    /// Searches folder by folder: those of the files, then their surroundings.
    mutating func run() {
        var starts: [String] = []
        for path in paths {
            for folder in [Path.parent(path), Directory.resolve(path).map(Path.parent) ?? Path.parent(path)] {
                let real = Directory.resolve(folder) ?? folder
                if !starts.contains(real) { starts.append(real) }
                if neighbours[Path.parent(path)] == nil { neighbours[Path.parent(path)] = look(real, depth: 0) }
            }
        }
        for _ in 0..<MovedFileSearch.levelsUp where !wanted.isEmpty {
            starts = starts.map(Path.parent).filter { $0.split(separator: "/").count >= 1 }
            seen = []
            for start in Set(starts).sorted() { look(start, depth: MovedFileSearch.levelsDown) }
        }
    }

    /// Where the file of a position may be by now, the likeliest first. Each is to be compared by its bytes.
    /// - Parameter path: by which the file was found once.
    func candidates(for position: FilePosition, path: String) -> [String] {
        let sameInode = found[position.fileID].map { [$0] } ?? []
        let folder = Path.parent(path)
        let stem = Path.name(path).prefix { $0 != "." }
        // Rotated files are named after the first one.
        let others = (neighbours[folder] ?? []).filter { Path.name($0).hasPrefix(stem) && $0 != path }
        return sameInode + others.sorted()
    }

    /// Notes which wanted files a folder holds, and goes down. Returns the regular files in it.
    @discardableResult
    private mutating func look(_ folder: String, depth: Int) -> [String] {
        guard let here = Directory.status(folder), seen.insert(FileID(here)).inserted else { return [] }
        var files: [String] = []
        var folders: [String] = []
        for entry in (try? Directory.list(folder)) ?? [] where namesLeft > 0 {
            namesLeft -= 1
            let path = folder == "/" ? "/\(entry.name)" : "\(folder)/\(entry.name)"
            guard entry.kind != .link, let status = Directory.linkStatus(path) else { continue }
            if status.kind == .regular {
                files.append(path)
                let id = FileID(status)
                if wanted.remove(id) != nil { found[id] = path }
            } else if status.kind == .directory, status.device == here.device {
                folders.append(path)
            }
        }
        if depth > 0 {
            for sub in folders where !wanted.isEmpty { look(sub, depth: depth - 1) }
        }
        return files
    }
}
