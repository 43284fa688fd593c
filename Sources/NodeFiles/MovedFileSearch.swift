// Looks for files that were moved while nobody was looking: renamed out of what is asked for, into another folder, or left
// behind by a link that leads elsewhere now.
import Bytes
import Disk

/// A search through the folders near those where the files were. It is bounded, and ends when all are found.
struct MovedFileSearch {
    /// Names that are looked at, at most.
    private static let mostNames = 50_000
    /// Files whose first bytes are compared, at most.
    private static let mostHeads = 5_000
    /// How far above the folder of a file it begins, and how far below that it goes.
    private static let levelsUp = 2
    private static let levelsDown = 4

    private var wanted: Set<FileID>
    private let paths: [String]
    private(set) var found: [FileID: String] = [:]
    /// The heads that are wanted, and the files with these heads in the folders where the wanted ones were.
    private let heads: Set<UInt64>
    private var filesOfHeads: [UInt64: [String]] = [:]
    private var namesLeft = MovedFileSearch.mostNames
    private var headsLeft = MovedFileSearch.mostHeads
    private var seen: Set<FileID> = []

    /// - Parameter files: the positions of the files that are searched, and the paths by which they were found once.
    init(_ files: [(position: FilePosition, path: String)]) {
        wanted = Set(files.map(\.position.fileID))
        paths = files.map(\.path)
        heads = Set(files.filter { $0.position.headLength == 64 }.map(\.position.head))
    }

    /// Searches folder by folder: those of the files, then their surroundings.
    mutating func run() {
        var starts: Set<String> = []
        for path in paths {
            // The folder of the name, and that of the file which a link by this name leads to now.
            for folder in [Path.parent(path), Directory.resolve(path).map(Path.parent) ?? Path.parent(path)] {
                let real = Directory.resolve(folder) ?? folder
                guard starts.insert(real).inserted else { continue }
                for file in look(real, depth: 0) { compareHead(file) }
            }
        }
        for _ in 0..<MovedFileSearch.levelsUp where !wanted.isEmpty {
            // Never from the root of the file system.
            starts = Set(starts.map(Path.parent).filter { $0 != "/" && $0 != "." })
            seen = []
            for start in starts.sorted() { look(start, depth: MovedFileSearch.levelsDown) }
        }
    }

    /// Where the file of a position may be by now, the likeliest first. Each is to be compared by its bytes.
    func candidates(for position: FilePosition) -> [String] {
        let sameInode = found[position.fileID].map { [$0] } ?? []
        return sameInode + (position.headLength == 64 ? filesOfHeads[position.head] ?? [] : [])
    }

    /// Notes a file that begins as a wanted one did: it may be a copy, plain or compressed.
    private mutating func compareHead(_ path: String) {
        guard !heads.isEmpty, headsLeft > 0 else { return }
        headsLeft -= 1
        do throws(DiskError) {
            let file = try OwnedFile.open(path, .read, nonBlocking: true)
            let isCompressed = try file.read(count: 3, at: 0) == FileContent.gzipMagic
            var content = isCompressed ? try FileContent(compressed: file) : FileContent(plain: file)
            var arena = Arena(capacity: 64)
            guard try content.read(64, at: 0, into: &arena) == 64 else { return }
            let head = Hash64.of(Array(copying: arena.span))
            if heads.contains(head) { filesOfHeads[head, default: []].append(path) }
        } catch {}
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
