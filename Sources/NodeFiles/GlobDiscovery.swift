// Finds text files by patterns, as they come and go.
import Disk
import Records
package import Telemetry

/// Watches the folders that patterns lead to and tells a `FileTailer` which files match.
package final class GlobDiscovery {
    private let tailer: FileTailer
    private let telemetry: Telemetry
    private let roots: [String]
    private let mayDescend: (_ folder: String) -> Bool
    private let isWanted: (_ path: String) -> Bool
    private let ending: (_ path: String) -> [UInt8]
    private var folders: [Int32: String] = [:]
    private var watches: [String: Int32] = [:]
    private var changed: Set<String> = []
    /// When everything was looked at; nil when that is to be done at once.
    private var lastLook: Int64?
    /// Files that are followed: the key each goes by, and the folder in which it was seen last.
    private var followed: [FileID: (key: FamilyKey, folder: String)] = [:]

    /// - Parameters:
    ///   - roots: the folders in which the patterns begin.
    ///   - mayDescend: whether a pattern may match below a folder.
    ///   - isWanted: whether a file is read.
    package init(
        roots: [String], tailer: FileTailer, telemetry: Telemetry, mayDescend: @escaping (String) -> Bool,
        isWanted: @escaping (String) -> Bool, ending: @escaping (String) -> [UInt8]
    ) {
        self.roots = roots
        self.tailer = tailer
        self.telemetry = telemetry
        self.mayDescend = mayDescend
        self.isWanted = isWanted
        self.ending = ending
    }

    /// Watches and looks at all folders for the first time.
    package func start(now: Int64) {
        lookAtAll(now)
        tailer.endFirstLook()
    }

    /// When `wake` wants to be called although nothing was told, on the monotonic clock.
    package var nextDeadline: Int64 { min(nextLook, tailer.nextDeadline) }

    private var nextLook: Int64 { lastLook.map { $0 + tailer.lookInterval } ?? 0 }

    /// Takes what was told since, and looks again when it is time.
    package func wake(now: Int64) {
        tailer.settle(now: now)
        for event in tailer.takeEvents() {
            if event.isOverflow {
                telemetry.tell(FileEvent.watchOverflow)
                lastLook = nil
            } else if let folder = folders[event.watch] {
                if event.isEnded, event.name.isEmpty {
                    folders[event.watch] = nil
                    watches[folder] = nil
                    tailer.unwatch(event.watch)
                }
                if event.isAppeared || event.isGone || event.isEnded { changed.insert(folder) }
            }
        }
        if now >= nextLook {
            lookAtAll(now)
        } else {
            // A new folder adds itself while the one above it is looked at.
            while let folder = changed.popFirst() { look(folder) }
        }
    }

    private func lookAtAll(_ now: Int64) {
        lastLook = now
        var visited: Set<String> = []
        for root in roots { descend(nearestFolder(root), &visited) }
        for folder in Set(followed.values.map(\.folder)) where !visited.contains(folder) { look(folder) }
        changed.removeAll()
        tailer.lookAtAll()
    }

    /// The folder itself, or the nearest one above it that exists: it is watched until the wanted one appears.
    private func nearestFolder(_ path: String) -> String {
        var path = path
        while path != "/" && path != ".", Directory.status(path)?.kind != .directory { path = Path.parent(path) }
        return path
    }

    private func descend(_ folder: String, _ visited: inout Set<String>) {
        guard visited.insert(folder).inserted else { return }
        for sub in look(folder) where mayDescend(sub) { descend(sub, &visited) }
    }

    /// Lists one folder: hands its matching files on, returns its subfolders.
    @discardableResult
    private func look(_ folder: String) -> [String] {
        if watches[folder] == nil, let watch = tailer.watchFolder(folder) {
            watches[folder] = watch
            folders[watch] = folder
        }
        var subfolders: [String] = []
        var present: Set<FileID> = []
        var renamed: [FileID: (name: String, status: FileStatus)] = [:]
        let entries: [Directory.Entry]
        do throws(DiskError) {
            entries = try Directory.list(folder)
        } catch {
            if !error.isMissing { telemetry.tell(FileEvent.cannotList(path: folder, reason: error.description)) }
            entries = []
        }
        for entry in entries {
            let path = folder == "/" ? "/\(entry.name)" : "\(folder)/\(entry.name)"
            guard let status = Directory.status(path) else { continue }
            if status.kind == .directory {
                // A link to a folder may lead in circles.
                guard entry.kind != .link else { continue }
                subfolders.append(path)
                if watches[path] == nil, mayDescend(path) { changed.insert(path) }
                continue
            }
            guard status.kind == .regular else { continue }
            let id = FileID(status)
            guard isWanted(path) else {
                // Renamed to a name that is not asked for: what is unread in it is still read.
                if followed[id] != nil { renamed[id] = (entry.name, status) }
                continue
            }
            // The same file by two names is read once.
            guard present.insert(id).inserted else { continue }
            follow(
                id, path, folder, ListedFile(name: entry.name, status: status, isCompressed: false, isRotated: false))
        }
        for (id, (key, seenIn)) in followed where seenIn == folder && !present.contains(id) {
            let files = renamed[id].map {
                [ListedFile(name: $0.name, status: $0.status, isCompressed: false, isRotated: true)]
            }
            tailer.reconcile(
                key, identity: identity(folder), description: LogDescription(ending: []), files: files ?? [])
            if !tailer.isFollowing(key) { followed[id] = nil }
        }
        return subfolders
    }

    private func follow(_ id: FileID, _ path: String, _ folder: String, _ listed: ListedFile) {
        // The inode of a file that is gone may have been given to another one, in another folder.
        let before = followed[id].flatMap { tailer.isFollowing($0.key) ? $0.key : nil }
        let key = before ?? FamilyKey(folder: folder, base: "\(id.device).\(id.inode)")
        followed[id] = (key, folder)
        tailer.reconcile(
            key, identity: identity(path), description: LogDescription(ending: ending(path)), files: [listed])
    }

    private func identity(_ path: String) -> SourceIdentity {
        SourceIdentity(kind: .file, input: tailer.options.input, path: path)
    }
}
