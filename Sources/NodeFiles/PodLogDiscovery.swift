// Finds the logs of containers below /var/log/pods, and the containers' ids in /var/log/containers, as they come and go.
import Disk
import Records
package import Telemetry

/// One container's log as its names tell it.
package struct ContainerLog: Hashable, Sendable {
    /// The pod, the container's name, and how often it was restarted before.
    package let folder: PodFolder
    package let container: String
    package let restart: Int32
    /// From the link in /var/log/containers, which comes a little later than the log; empty until then.
    package var containerID = ""

    package init(folder: PodFolder, container: String, restart: Int32) {
        self.folder = folder
        self.container = container
        self.restart = restart
    }
}

/// Watches the folders of pods and tells a `FileTailer` which files there are.
package final class PodLogDiscovery {
    private let root: String
    private let linksFolder: String?
    private let tailer: FileTailer
    private let telemetry: Telemetry
    private let describer: any LogDescriber
    /// How long a new log waits for its description to be complete, nanoseconds.
    private let patience: Int64

    /// Below which root links are followed.
    private var system: FileRoot { tailer.options.files }

    private enum Place {
        case root
        case links
        case pod(String)
        case container(String)
    }
    private var places: [Int32: Place] = [:]
    private var watches: [String: Int32] = [:]
    /// Container folders whose names changed and must be looked at again.
    private var changed: Set<String> = []
    private var closed: [(folder: String, name: String)] = []
    /// Container ids by `<pod folder>/<container>/<N>.log`.
    private var containerIDs: [String: String] = [:]
    private var linkKeys: [String: String] = [:]
    private var logs: [FamilyKey: ContainerLog] = [:]
    /// The same logs by the uid of their pod.
    private var logsOfPods: [String: Set<FamilyKey>] = [:]
    /// Logs that wait for their descriptions, and until when.
    private var waiting: [FamilyKey: Int64] = [:]
    /// Pods' folders of which something is not wanted, by the uid in their names: that may change.
    private var passedOver: [String: String] = [:]
    /// When everything was looked at; nil when that is to be done at once.
    private var lastLook: Int64?
    private var now: Int64 = 0

    /// - Parameters:
    ///   - root: the folder of pods' logs, `/var/log/pods` on a node.
    ///   - linksFolder: the folder of links, `/var/log/containers`; nil: ids stay unknown.
    ///   - describer: says which logs are read, and what their records get with them.
    ///   - patience: how long a new log waits for its description to be complete, nanoseconds; no other log waits with it.
    package init(
        root: String, linksFolder: String?, tailer: FileTailer, telemetry: Telemetry, describer: any LogDescriber,
        patience: Int64 = 0
    ) {
        self.root = root
        self.linksFolder = linksFolder
        self.tailer = tailer
        self.telemetry = telemetry
        self.describer = describer
        self.patience = patience
    }

    /// Looks at everything for the first time.
    package func start(now: Int64) {
        self.now = now
        _ = describer.takeChanges()
        lookAtAll(now)
        tailer.endFirstLook()
    }

    /// When `wake` wants to be called although nothing was told, on the monotonic clock.
    package var nextDeadline: Int64 {
        if describer.hasChanges { return 0 }
        return min(nextLook, tailer.nextDeadline, waiting.values.min() ?? .max)
    }

    /// Whether there is something to read that waits for its description.
    package var isWaiting: Bool { !waiting.isEmpty }

    private var nextLook: Int64 { lastLook.map { $0 + tailer.lookInterval } ?? 0 }

    /// Takes what inotify has to tell, and looks at everything when it is time to.
    package func wake(now: Int64) {
        self.now = now
        tailer.settle(now: now)
        takeChanges()
        for event in tailer.takeEvents() { take(event) }
        if now >= nextLook { lookAtAll(now) } else { lookAtChanged() }
        for (key, deadline) in waiting where now >= deadline { endWait(key, .tookTooLong) }
    }

    // MARK: Descriptions

    private func takeChanges() {
        switch describer.takeChanges() {
        case .none: return
        case .pods(let uids):
            for uid in uids {
                if let name = passedOver[uid] { lookAtPod(name) }
                for key in logsOfPods[uid] ?? [] { describeAnew(key) }
            }
        case .all:
            for name in passedOver.values { lookAtPod(name) }
            for key in logs.keys { describeAnew(key) }
        }
    }

    private func describeAnew(_ key: FamilyKey) {
        guard let log = logs[key] else { return }
        guard describer.isWanted(log.folder, log.container) else {
            forget(key)
            tailer.drop(key)
            passedOver[log.folder.uid] = Path.name(Path.parent(key.folder))
            return
        }
        let description = describer.describe(log)
        tailer.update(key, description)
        if description.isComplete { endWait(key, .complete) }
        if describer.hasEnded(log) { tailer.end(key) }
    }

    private func forget(_ key: FamilyKey) {
        endWait(key, .abandoned)
        guard let log = logs.removeValue(forKey: key) else { return }
        logsOfPods[log.folder.uid]?.remove(key)
        if logsOfPods[log.folder.uid]?.isEmpty == true { logsOfPods[log.folder.uid] = nil }
        describer.isGone(log)
    }

    private func beginWait(_ key: FamilyKey, _ log: ContainerLog) {
        waiting[key] = now + patience
        describer.waitBegan(log)
    }

    private func endWait(_ key: FamilyKey, _ end: WaitEnd) {
        guard waiting.removeValue(forKey: key) != nil, let log = logs[key] else { return }
        describer.waitEnded(log, end)
        tailer.release(key)
    }

    private func take(_ event: WatchEvent) {
        if event.isOverflow {
            telemetry.tell(FileEvent.watchOverflow)
            lastLook = nil
            return
        }
        guard let place = places[event.watch] else { return }
        if event.isEnded, event.name.isEmpty {
            forget(event.watch)
            if case .container(let path) = place { changed.insert(path) }
            if case .root = place { lastLook = nil }
            return
        }
        switch place {
        case .root: if event.isAppeared { lookAtPod(event.name) }
        case .pod(let path): if event.isAppeared { lookAtContainer(path, event.name) }
        case .links:
            if event.isAppeared { takeLink(event.name) } else if event.isGone { dropLink(event.name) }
        case .container(let path):
            if event.isAppeared || event.isGone { changed.insert(path) }
            if event.isClosedAfterWrite { closed.append((path, event.name)) }
        }
    }

    // MARK: Looking

    private func lookAtAll(_ now: Int64) {
        lastLook = now
        watch(root, .root)
        if let linksFolder {
            watch(linksFolder, .links)
            for entry in (try? system.list(linksFolder)) ?? [] { takeLink(entry.name) }
        }
        do throws(DiskError) {
            for entry in try system.list(root) { lookAtPod(entry.name) }
            for (uid, name) in passedOver where system.status("\(root)/\(name)") == nil { forgetPod(uid, name) }
        } catch {
            telemetry.tell(FileEvent.cannotList(path: root, reason: error.description))
        }
        for key in logs.keys { changed.insert(key.folder) }
        lookAtChanged()
        tailer.lookAtAll()
    }

    private func lookAtPod(_ name: String) {
        guard let folder = PodFolder(name) else { return }
        passedOver[folder.uid] = nil
        guard describer.isWanted(folder, nil) else {
            passedOver[folder.uid] = name
            return
        }
        let path = "\(root)/\(name)"
        watch(path, .pod(name))
        do throws(DiskError) {
            for entry in try system.list(path) where entry.kind != .regular { lookAtContainer(name, entry.name) }
        } catch {
            if !error.isMissing { telemetry.tell(FileEvent.cannotList(path: path, reason: error.description)) }
        }
    }

    private func lookAtContainer(_ pod: String, _ name: String) {
        guard let folder = PodFolder(pod) else { return }
        guard describer.isWanted(folder, name) else {
            passedOver[folder.uid] = pod
            return
        }
        let path = "\(root)/\(pod)/\(name)"
        watch(path, .container(path))
        changed.insert(path)
    }

    private func forgetPod(_ uid: String, _ name: String) {
        passedOver[uid] = nil
        tailer.forget(below: "\(root)/\(name)")
    }

    /// Looks again at every container folder whose names changed, then tells which files were closed: a close counts only
    /// for a file that is known to be renamed by then.
    private func lookAtChanged() {
        for path in changed { list(path) }
        changed.removeAll(keepingCapacity: true)
        for (folder, name) in closed {
            guard let file = ContainerLogName(name) else { continue }
            tailer.closed(FamilyKey(folder: folder, base: "\(file.restart).log"), name: name)
        }
        closed.removeAll(keepingCapacity: true)
    }

    /// Lists one container's folder and hands each log's files on.
    private func list(_ path: String) {
        let container = Path.name(path)
        guard let folder = PodFolder(Path.name(Path.parent(path))), describer.isWanted(folder, container) else {
            return
        }
        let files: [(restart: Int32, file: ListedFile)]
        do throws(DiskError) {
            files = try stableListing(path)
        } catch {
            // Not to be mistaken for an empty folder.
            telemetry.tell(FileEvent.cannotList(path: path, reason: error.description))
            return
        }
        var byRestart: [Int32: [ListedFile]] = [:]
        for (restart, file) in files { byRestart[restart, default: []].append(file) }
        let newest = byRestart.keys.max() ?? -1
        for key in logs.keys where key.folder == path {
            guard let log = logs[key] else { continue }
            if byRestart[log.restart] == nil { byRestart[log.restart] = [] }
        }
        for (restart, files) in byRestart.sorted(by: { $0.key < $1.key }) {
            let key = FamilyKey(folder: path, base: "\(restart).log")
            if logs[key] == nil, !files.isEmpty {
                var log = ContainerLog(folder: folder, container: container, restart: restart)
                log.containerID = containerIDs["\(Path.name(Path.parent(path)))/\(container)/\(restart).log"] ?? ""
                logs[key] = log
                logsOfPods[folder.uid, default: []].insert(key)
            }
            guard let log = logs[key] else { continue }
            let isNew = !tailer.isFollowing(key)
            // One that waits and was given up for want of room: what comes now is another log by its name.
            if isNew { endWait(key, .abandoned) }
            tailer.reconcile(
                key,
                identity: SourceIdentity(
                    kind: .container, input: tailer.options.input, path: "\(path)/\(restart).log",
                    namespace: folder.namespace,
                    pod: folder.pod, uid: folder.uid, container: container, restart: restart),
                description: describer.describe(log), waits: patience > 0, files: files)
            if isNew {
                if tailer.isHeld(key) {
                    beginWait(key, log)
                } else if !tailer.isComplete(key) {
                    describer.waitEnded(log, .tookTooLong)
                }
            }
            if restart < newest || newest < 0 || describer.hasEnded(log) { tailer.end(key) }
            if files.isEmpty, !tailer.isFollowing(key) {
                forget(key)
            }
        }
        tailer.forgetMissing(in: path)
        if newest < 0, system.status(path) == nil, let watch = watches[path] { forget(watch) }
    }

    /// The logs in a container's folder; none when it is gone. A name whose file is gone by the time it is looked at
    /// shows that the folder is changing: a file may be listed by neither its old nor its new name then.
    private func stableListing(_ path: String) throws(DiskError) -> [(restart: Int32, file: ListedFile)] {
        var files: [(restart: Int32, file: ListedFile)] = []
        var isStable = false
        for _ in 0..<8 where !isStable {
            files = []
            isStable = true
            let entries: [Directory.Entry]
            do throws(DiskError) {
                entries = try system.list(path)
            } catch {
                if error.isMissing { return [] }
                throw error
            }
            for entry in entries {
                guard let name = ContainerLogName(entry.name) else { continue }
                guard let status = system.status("\(path)/\(entry.name)") else {
                    if entry.kind != .link { isStable = false }
                    continue
                }
                guard status.kind == .regular else { continue }
                if entry.kind == .link { watchTarget(of: "\(path)/\(entry.name)", for: path) }
                let file = ListedFile(
                    name: entry.name, status: status, isCompressed: name.isCompressed, isRotated: name.isRotated)
                files.append((name.restart, file))
            }
        }
        return files
    }

    // MARK: Watches

    private func watch(_ path: String, _ place: Place) {
        guard watches[path] == nil, let watch = tailer.watchFolder(path) else { return }
        watches[path] = watch
        places[watch] = place
    }

    /// A log that is itself a link: what happens to it happens in another folder.
    private func watchTarget(of link: String, for container: String) {
        guard let target = system.resolve(link) else { return }
        watch(Path.parent(target), .container(container))
    }

    private func forget(_ watch: Int32) {
        places[watch] = nil
        for (path, known) in watches where known == watch { watches[path] = nil }
        tailer.unwatch(watch)
    }

    // MARK: Container ids

    private func takeLink(_ name: String) {
        guard let linksFolder, linkKeys[name] == nil, let id = ContainerLink.containerID(name),
            let target = Directory.linkTarget("\(system.locate(linksFolder))/\(name)"),
            let key = ContainerLink.key(target: target)
        else { return }
        linkKeys[name] = key
        containerIDs[key] = id
        let path = "\(root)/\(Path.parent(key))"
        let family = FamilyKey(folder: path, base: Path.name(key))
        guard var log = logs[family], log.containerID != id else { return }
        log.containerID = id
        logs[family] = log
        describeAnew(family)
    }

    private func dropLink(_ name: String) {
        guard let key = linkKeys.removeValue(forKey: name) else { return }
        containerIDs[key] = nil
    }
}
