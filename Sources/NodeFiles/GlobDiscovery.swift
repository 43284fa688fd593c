// Finds text files by patterns, as they come and go.
import Disk
import Records
package import Telemetry

/// Watches the folders that patterns lead to and tells a `FileTailer` which files match.
///
/// A watch belongs to a folder, not to a path: each look at a path watches what is there now. What replaces a folder by another
/// (a renaming, a link that moves on) happens in a folder above it, so these are watched too.
package final class GlobDiscovery {
    private let tailer: FileTailer
    private let telemetry: Telemetry
    private let roots: [String]
    private let mayDescend: (_ folder: String) -> Bool
    private let isWanted: (_ path: String) -> Bool
    private let ending: (_ path: String) -> [UInt8]
    /// The paths that a watch's events are about: folders to be looked at, and folders above roots.
    private var watched: [Int32: Set<String>] = [:]
    /// The watch of a folder that is looked at, and the folder that it belongs to.
    private var watches: [String: (watch: Int32, folder: FileID)] = [:]
    private var changed: Set<String> = []
    /// Folders in which a name passed to another file while they were looked at.
    private var unstable: Set<String> = []
    /// The tailer's inotify instance that the watches are of.
    private var watchGeneration = 0
    /// Folders that are looked at once more a little later, and when: a file in them is still being written.
    private var revisits: Set<String> = []
    private var nextRevisit: Int64 = .max
    /// When everything was looked at; nil when that is to be done at once.
    private var lastLook: Int64?
    /// Files that are followed: the key each goes by, and the folder in which it was seen last.
    private var followed: [FileID: (key: FamilyKey, folder: String)] = [:]
    private var filesOfFolder: [String: Set<FileID>] = [:]

    /// How often a folder is looked at again at once because files in it change their names meanwhile.
    private static let mostLooksAtOnce = 8
    private static let revisitInterval: Int64 = 1_000_000_000

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
        lookAtChanged()
        let moved = tailer.endFirstLook(isWanted: isWanted) { [ending] in LogDescription(ending: ending($0)) }
        for (key, id, folder) in moved {
            note(id, key, folder)
            watch(folder)
        }
    }

    /// When `wake` wants to be called although nothing was told, on the monotonic clock.
    package var nextDeadline: Int64 { min(nextLook, tailer.nextDeadline, nextRevisit) }

    private var nextLook: Int64 { lastLook.map { $0 + tailer.lookInterval } ?? 0 }

    /// Takes what was told since, and looks again when it is time.
    package func wake(now: Int64) {
        tailer.settle(now: now)
        for event in tailer.takeEvents() {
            if event.isOverflow {
                telemetry.tell(FileEvent.watchOverflow)
                lastLook = nil
            } else if let paths = watched[event.watch] {
                if event.isEnded, event.name.isEmpty { forget(event.watch) }
                guard event.isAppeared || event.isGone || event.isEnded else { continue }
                for path in paths { changed.formUnion(foldersConcerned(by: event.name, in: path)) }
            }
        }
        if now >= nextRevisit {
            changed.formUnion(revisits)
            revisits = []
            nextRevisit = .max
        }
        if now >= nextLook { lookAtAll(now) }
        lookAtChanged()
        // Files that turned out to be compressed when they had a first byte.
        revisits.formUnion(tailer.takeFoldersToRevisit())
        if !revisits.isEmpty, nextRevisit == .max { nextRevisit = now + GlobDiscovery.revisitInterval }
    }

    // MARK: Watching

    /// The folders to be looked at when a name changed in a watched one: this one, if it is one of those; and each root whose
    /// path leads through that name.
    private func foldersConcerned(by name: String, in folder: String) -> Set<String> {
        let path = Path.join(folder, name)
        var concerned = Set(roots.filter { name.isEmpty || $0 == path || $0.hasPrefix(path + "/") }.map(nearestFolder))
        if watches[folder] != nil { concerned.insert(folder) }
        return concerned
    }

    /// Watches what is at a path now, whatever was there before.
    private func watch(_ folder: String) {
        guard let status = Directory.status(folder), status.kind == .directory else { return unwatch(folder) }
        let id = FileID(status)
        if let known = watches[folder] {
            if known.folder == id, watched[known.watch] != nil { return }
            unwatch(folder)
        }
        guard let watch = tailer.watchFolder(folder) else { return }
        watches[folder] = (watch, id)
        watched[watch, default: []].insert(folder)
    }

    private func unwatch(_ folder: String) {
        guard let (watch, _) = watches.removeValue(forKey: folder) else { return }
        watched[watch]?.remove(folder)
        if watched[watch]?.isEmpty == true {
            watched[watch] = nil
            tailer.unwatch(watch)
        }
    }

    /// A watched folder was deleted or moved.
    private func forget(_ watch: Int32) {
        for path in watched.removeValue(forKey: watch) ?? [] { watches[path] = nil }
        tailer.unwatch(watch)
    }

    /// Watches the folders above a root, and those through which links on its path lead.
    private func watchAbove(_ root: String) {
        var visited: Set<String> = []
        var paths = [root]
        while let path = paths.popLast(), visited.count < 64 {
            let parent = Path.parent(path)
            guard parent != path, visited.insert(path).inserted else { continue }
            if let watch = tailer.watchFolder(parent) { watched[watch, default: []].insert(parent) }
            paths.append(parent)
            if let target = Directory.linkTarget(path) {
                paths.append(target.hasPrefix("/") ? target : Path.join(parent, target))
            }
        }
    }

    // MARK: Looking

    private func lookAtAll(_ now: Int64) {
        lastLook = now
        tailer.retryWatching(now: now)
        if watchGeneration != tailer.watchGeneration {
            // What another inotify instance watched is not watched any more.
            watchGeneration = tailer.watchGeneration
            watched = [:]
            watches = [:]
        }
        var visited: Set<String> = []
        for root in roots {
            watchAbove(root)
            descend(nearestFolder(root), &visited)
        }
        for folder in Array(filesOfFolder.keys) where !visited.contains(folder) { look(folder) }
        changed.subtract(visited)
        tailer.lookAtAll()
        tailer.noteLookEnded()
    }

    private func lookAtChanged() {
        var looks: [String: Int] = [:]
        // A new folder adds itself while the one above it is looked at.
        while let folder = changed.popFirst() ?? unstable.popFirst() {
            looks[folder, default: 0] += 1
            if looks[folder, default: 0] > GlobDiscovery.mostLooksAtOnce {
                revisits.insert(folder)
            } else {
                look(folder)
            }
        }
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
        watch(folder)
        var subfolders: [String] = []
        var present: Set<FileID> = []
        var renamed: [(id: FileID, file: ListedFile)] = []
        let entries: [Directory.Entry]
        do throws(DiskError) {
            entries = try Directory.list(folder)
        } catch {
            if !error.isMissing { telemetry.tell(FileEvent.cannotList(path: folder, reason: error.description)) }
            entries = []
        }
        for entry in entries {
            let path = Path.join(folder, entry.name)
            guard let status = Directory.status(path) else { continue }
            if status.kind == .directory {
                // A link to a folder may lead in circles.
                guard entry.kind != .link else { continue }
                subfolders.append(path)
                if mayDescend(path), watches[path]?.folder != FileID(status) { changed.insert(path) }
                continue
            }
            guard status.kind == .regular else { continue }
            let file = ListedFile(name: entry.name, status: status, isCompressed: false, isRotated: false)
            let id = FileID(status)
            guard isWanted(path) else {
                // Renamed to a name that is not asked for: what is unread in it is still read.
                if followed[id] != nil { renamed.append((id, file)) }
                continue
            }
            // The same file by two names is read once.
            guard present.insert(id).inserted else { continue }
            if entry.kind == .link { watchTarget(of: path, for: folder) }
            follow(id, path, folder, file)
        }
        for (id, file) in renamed where !present.contains(id) {
            guard let (key, seenIn) = followed[id] else { continue }
            present.insert(id)
            let outcome = tailer.follow(
                key, identity: identity(folder), description: LogDescription(ending: []), listed: file, isRenamed: true)
            if outcome == .followed { note(id, key, folder) } else { forget(id, in: seenIn) }
        }
        for id in filesOfFolder[folder] ?? [] where !present.contains(id) {
            guard let (key, _) = followed[id] else { continue }
            tailer.isGone(key)
            if !tailer.isFollowing(key) { forget(id, in: folder) }
        }
        return subfolders
    }

    private func follow(_ id: FileID, _ path: String, _ folder: String, _ listed: ListedFile) {
        // The inode of a file that is gone may have been given to another one, in another folder.
        let before = followed[id].flatMap { tailer.isFollowing($0.key) ? $0.key : nil }
        let key = before ?? FamilyKey(folder: folder, base: "\(id.device).\(id.inode)")
        let outcome = tailer.follow(
            key, identity: identity(path), description: LogDescription(ending: ending(path)), listed: listed,
            isRenamed: false)
        switch outcome {
        case .followed: note(id, key, folder)
        case .changed: unstable.insert(folder)
        case .unsettled: revisits.insert(folder)
        case .left: break
        }
    }

    private func note(_ id: FileID, _ key: FamilyKey, _ folder: String) {
        if let before = followed[id]?.folder, before != folder {
            filesOfFolder[before]?.remove(id)
            tailer.isMoved(key)
        }
        followed[id] = (key, folder)
        filesOfFolder[folder, default: []].insert(id)
    }

    private func forget(_ id: FileID, in folder: String) {
        followed[id] = nil
        filesOfFolder[folder]?.remove(id)
        if filesOfFolder[folder]?.isEmpty == true { filesOfFolder[folder] = nil }
    }

    /// A link's target is replaced in another folder.
    private func watchTarget(of link: String, for folder: String) {
        guard let target = Directory.resolve(link), let watch = tailer.watchFolder(Path.parent(target)) else { return }
        watched[watch, default: []].insert(folder)
    }

    private func identity(_ path: String) -> SourceIdentity {
        SourceIdentity(kind: .file, input: tailer.options.input, path: path)
    }
}
