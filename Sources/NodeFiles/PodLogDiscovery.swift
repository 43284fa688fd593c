// Finds the logs of containers below /var/log/pods, and the containers' ids in /var/log/containers, as they come and go. A look at
// everything is done in slices (`TailOptions.sliceTime`), so that reading goes on meanwhile.
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
    /// The paths that a watch is known by.
    private var watchedPaths: [Int32: Set<String>] = [:]
    /// The tailer's inotify instance that these are of.
    private var watchGeneration: Int
    /// Container folders whose names changed and must be looked at again.
    private var changed: Set<String> = []
    /// Names in a folder that a writer has closed.
    private var closed: [String: [String]] = [:]

    /// A step of a look at everything, or of what a change of all pods asks for.
    private enum Step {
        case links
        case link(String)
        case root
        case pod(name: String)
        case folder(String)
        case describe(FamilyKey)
        /// Folders with logs that the look has not met: their pods are gone.
        case rest
        case end
    }
    private var agenda = Agenda<Step>()
    /// Counts the looks at everything.
    private var look = 0

    /// A container's folder as it was listed last.
    private struct Folder {
        /// The restarts that have a log.
        var restarts: Set<Int32> = []
        /// When its names changed last, as the listing showed; 0 when it has to be listed in any case.
        var modified: Int64 = 0
        /// The look at everything that met it last.
        var look = 0
    }
    private var folders: [String: Folder] = [:]
    /// The names in a pod's folder, and when they changed last.
    private var pods: [String: (modified: Int64, containers: Set<String>)] = [:]
    /// Names that changed within so long before a listing may have changed once more with the same time.
    private static let timeGrain: Int64 = 1_000_000_000
    /// Container ids by `<pod folder>/<container>/<N>.log`.
    private var containerIDs: [String: String] = [:]
    private var linkKeys: [String: String] = [:]
    private var logs: [FamilyKey: ContainerLog] = [:]
    /// The same logs by the uid of their pod.
    private var logsOfPods: [String: Set<FamilyKey>] = [:]
    /// Logs that wait for their descriptions, and until when.
    private var waiting: [FamilyKey: Int64] = [:]
    /// The same in the order of their ends; some do not wait any more.
    private var waits = Agenda<(end: Int64, key: FamilyKey)>()
    /// Pods' folders of which something is not wanted, by the uid in their names: that may change.
    private var passedOver: [String: String] = [:]
    /// When everything was looked at; nil when that is to be done at once.
    private var lastLook: Int64?
    private var now: Int64 = 0
    /// How often in a row the root could not be listed.
    private var rootFailures = 0

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
        watchGeneration = tailer.watchGeneration
    }

    /// Begins to look at everything for the first time; `wake` goes on with it.
    package func start(now: Int64) {
        self.now = now
        _ = describer.takeChanges()
        beginLook()
        work()
    }

    /// When `wake` wants to be called although nothing was told, on the monotonic clock.
    package var nextDeadline: Int64 {
        if describer.hasChanges || isLooking { return 0 }
        return min(nextLook, tailer.nextDeadline, waits.first?.end ?? .max)
    }

    /// Whether there is something to read that waits for its description, or that is still to be found.
    package var isWaiting: Bool { !waiting.isEmpty || isLooking || tailer.isRetrying || rootFailures > 0 }

    /// Whether there is more to look at than one slice could.
    package var isLooking: Bool { !agenda.isEmpty || !changed.isEmpty }

    private var nextLook: Int64 { lastLook.map { $0 + tailer.lookInterval } ?? 0 }

    /// Takes what inotify has to tell, and looks at everything when it is time to.
    package func wake(now: Int64) {
        self.now = now
        tailer.settle(now: now)
        takeChanges()
        for event in tailer.takeEvents() { take(event) }
        changed.formUnion(tailer.takeFoldersToRevisit())
        if now >= nextLook, agenda.isEmpty { beginLook() }
        work()
        tailer.holdWithinBudget()
        while let wait = waits.first, now >= wait.end || waiting[wait.key] != wait.end {
            _ = waits.next()
            if waiting[wait.key] == wait.end { endWait(wait.key, .tookTooLong) }
        }
    }

    // MARK: A slice of work

    /// Looks at what has changed, then goes on with the agenda, for as long as the lane's thread may be kept.
    private func work() {
        noteGeneration()
        let (deadline, isPast) = SystemClock.monotonic.addingReportingOverflow(tailer.options.sliceTime)
        func isOver() -> Bool { !isPast && SystemClock.monotonic >= deadline }
        repeat {
            if let path = changed.popFirst() {
                list(path)
                if let names = closed.removeValue(forKey: path) { tellClosed(names, in: path) }
                continue
            }
            for (folder, names) in closed { tellClosed(names, in: folder) }
            closed.removeAll(keepingCapacity: true)
            guard let step = agenda.next() else { return }
            if case .end = step {
                if !endLook(before: isPast ? .max : deadline) { agenda.append(.end) }
            } else {
                perform(step)
            }
        } while !isOver()
    }

    /// A close counts only for a file that is known to be renamed by then: the folder was looked at before.
    private func tellClosed(_ names: [String], in folder: String) {
        for name in names {
            guard let file = ContainerLogName(name) else { continue }
            tailer.closed(FamilyKey(folder: folder, base: "\(file.restart).log"), name: name)
        }
    }

    private func perform(_ step: Step) {
        switch step {
        case .links: lookAtLinks()
        case .link(let name): takeLink(name)
        case .root: lookAtRoot()
        case .pod(let name): revisitPod(name)
        case .folder(let path): revisit(path)
        case .describe(let key): describeAnew(key)
        case .rest:
            for (path, folder) in folders where folder.look != look { agenda.append(.folder(path)) }
            agenda.append(.end)
        case .end: break
        }
    }

    /// All that was watched by an inotify instance is watched anew by the next one.
    private func noteGeneration() {
        guard watchGeneration != tailer.watchGeneration else { return }
        watchGeneration = tailer.watchGeneration
        watches = [:]
        places = [:]
        watchedPaths = [:]
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
            for name in passedOver.values { agenda.append(.pod(name: name)) }
            for key in logs.keys { agenda.append(.describe(key)) }
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
        folders[key.folder]?.restarts.remove(log.restart)
        logsOfPods[log.folder.uid]?.remove(key)
        if logsOfPods[log.folder.uid]?.isEmpty == true { logsOfPods[log.folder.uid] = nil }
        describer.isGone(log)
    }

    private func beginWait(_ key: FamilyKey, _ log: ContainerLog) {
        waiting[key] = now + patience
        waits.append((now + patience, key))
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
            if event.isClosedAfterWrite { closed[path, default: []].append(event.name) }
        }
    }

    // MARK: Looking

    /// Puts a look at everything on the agenda.
    private func beginLook() {
        lastLook = now
        look += 1
        tailer.retryWatching(now: now)
        if linksFolder != nil { agenda.append(.links) }
        agenda.append(.root)
    }

    /// A look at everything is over. Returns false when there is more to do about the end of the first one.
    private func endLook(before deadline: Int64) -> Bool {
        guard tailer.endFirstLook(before: deadline) else { return false }
        tailer.noteLookEnded()
        return true
    }

    private func lookAtLinks() {
        guard let linksFolder else { return }
        watch(linksFolder, .links)
        for entry in (try? system.list(linksFolder)) ?? [] where linkKeys[entry.name] == nil {
            agenda.append(.link(entry.name))
        }
    }

    private func lookAtRoot() {
        watch(root, .root)
        do throws(DiskError) {
            let names = Set(try system.list(root).map(\.name))
            tailer.noteListed(root)
            for name in names { agenda.append(.pod(name: name)) }
            for (uid, name) in passedOver where !names.contains(name) { forgetPod(uid, name) }
            agenda.append(.rest)
        } catch {
            tailer.noteUnlisted(root, error)
            if error.mayPass, rootFailures < 5 {
                // Without it nothing is known; the look goes on in a second.
                rootFailures += 1
                lastLook = now - tailer.lookInterval + 1_000_000_000
                return
            }
            // Nothing tells when it is made: the folder above it may be missing as well.
            if error.isMissing { lastLook = now - tailer.lookInterval + 1_000_000_000 }
            agenda.append(.rest)
        }
        rootFailures = 0
    }

    /// A pod's folder in a look at everything. It is listed only if its names have changed since it was listed last.
    private func revisitPod(_ name: String) {
        let path = "\(root)/\(name)"
        if let pod = pods[name], watches[path] != nil, let folder = PodFolder(name), passedOver[folder.uid] == nil,
            system.status(path)?.modified == pod.modified, pod.modified != 0, describer.isWanted(folder, nil)
        {
            for container in pod.containers { revisit("\(path)/\(container)") }
        } else {
            lookAtPod(name)
        }
    }

    /// A container's folder in a look at everything: if its names are those of the last listing, only growth is looked for.
    private func revisit(_ path: String) {
        if let folder = folders[path], folder.modified != 0, watches[path] != nil || tailer.hasNoWatch,
            system.status(path)?.modified == folder.modified
        {
            tailer.retryFailed(in: path)
            folders[path]?.look = look
            tailer.lookForGrowth(in: path)
        } else {
            list(path)
        }
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
        let modified = system.status(path)?.modified ?? 0
        do throws(DiskError) {
            var containers: Set<String> = []
            for entry in try system.list(path) where entry.kind != .regular {
                containers.insert(entry.name)
                lookAtContainer(name, entry.name)
            }
            tailer.noteListed(path)
            pods[name] = (settledTime(modified), containers)
        } catch {
            pods[name] = nil
            if !error.isMissing { tailer.noteUnlisted(path, error) }
        }
    }

    /// The time of a folder's last change, if a change that comes now is sure to have another one; else 0.
    private func settledTime(_ modified: Int64) -> Int64 {
        SystemClock.realtime - modified > PodLogDiscovery.timeGrain ? modified : 0
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
        pods[name] = nil
        tailer.forget(below: "\(root)/\(name)")
    }

    /// Lists one container's folder and hands each log's files on.
    private func list(_ path: String) {
        let container = Path.name(path)
        let pod = Path.name(Path.parent(path))
        guard let folder = PodFolder(pod) else { return }
        guard describer.isWanted(folder, container) else {
            // When it is wanted again it has to be looked at: what has changed in it was not taken.
            passedOver[folder.uid] = pod
            return
        }
        // Once a look at everything, what could not be read gets another try.
        if let before = folders[path]?.look, before != look { tailer.retryFailed(in: path) }
        folders[path]?.look = look
        let modified = system.status(path)?.modified
        let files: [(restart: Int32, file: ListedFile)]
        do throws(DiskError) {
            files = try stableListing(path)
            tailer.noteListed(path)
        } catch {
            // Not to be mistaken for an empty folder.
            folders[path]?.modified = 0
            tailer.noteUnlisted(path, error)
            return
        }
        var byRestart: [Int32: [ListedFile]] = [:]
        for (restart, file) in files { byRestart[restart, default: []].append(file) }
        let newest = byRestart.keys.max() ?? -1
        for restart in folders[path]?.restarts ?? [] where byRestart[restart] == nil { byRestart[restart] = [] }
        for (restart, files) in byRestart.sorted(by: { $0.key < $1.key }) {
            let key = FamilyKey(folder: path, base: "\(restart).log")
            if logs[key] == nil, !files.isEmpty {
                var log = ContainerLog(folder: folder, container: container, restart: restart)
                log.containerID = containerIDs["\(Path.name(Path.parent(path)))/\(container)/\(restart).log"] ?? ""
                logs[key] = log
                folders[path, default: Folder(look: look)].restarts.insert(restart)
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
        if newest < 0, modified == nil || system.status(path) == nil {
            if let watch = watches[path] { forget(watch) }
            if folders[path]?.restarts.isEmpty == true { folders[path] = nil }
            pods[Path.name(Path.parent(path))] = nil
        } else {
            // A file that could not be opened is tried again at each look, and links may lead elsewhere by then.
            let isPlain = !tailer.hasUnopened(in: path) && !files.contains { $0.file.isLink }
            folders[path]?.modified = isPlain ? settledTime(modified ?? 0) : 0
            folders[path]?.look = look
        }
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
                let status: FileStatus
                do throws(DiskError) {
                    status = try system.look("\(path)/\(entry.name)")
                } catch {
                    if error.isMissing {
                        if entry.kind != .link { isStable = false }
                    } else if entry.kind != .link {
                        // What cannot be looked at is not gone.
                        throw error
                    }
                    continue
                }
                guard status.kind == .regular else { continue }
                if entry.kind == .link { watchTarget(of: "\(path)/\(entry.name)", for: path) }
                let file = ListedFile(
                    name: entry.name, status: status, isCompressed: name.isCompressed, isRotated: name.isRotated,
                    isLink: entry.kind == .link)
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
        watchedPaths[watch, default: []].insert(path)
    }

    /// A log that is itself a link: what happens to it happens in another folder.
    private func watchTarget(of link: String, for container: String) {
        guard let target = system.resolve(link), tailer.mayLie(target) else { return }
        watch(Path.parent(target), .container(container))
    }

    private func forget(_ watch: Int32) {
        places[watch] = nil
        for path in watchedPaths.removeValue(forKey: watch) ?? [] { watches[path] = nil }
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
        // What was said of an earlier life with another id counts no more.
        tailer.revive(family)
        describeAnew(family)
        changed.insert(path)
    }

    private func dropLink(_ name: String) {
        guard let key = linkKeys.removeValue(forKey: name) else { return }
        containerIDs[key] = nil
    }
}
