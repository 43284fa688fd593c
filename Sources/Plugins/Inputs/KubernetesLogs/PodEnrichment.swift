// Which containers' logs are read, and what their records show of their pods: by the settings, and by what is known of the
// pods at the moment.
import Bytes
import NodeFiles
import Pipeline
import PodMetadata
import Records
import Telemetry

/// Describes the logs of containers. It belongs to the lane's thread and looks at nothing but a snapshot.
final class PodEnrichment: LogDescriber {
    private let settings: KubernetesLogsInput.Settings
    private let own: OwnPod?
    private let directory: PodDirectory?
    private let format: MetadataFormat
    private let wantsNamespaces: Bool
    private let node: String
    private let parsers: [String]
    private let telemetry: Telemetry
    private var snapshot = PodSnapshot()
    /// Logs that wait for their pods.
    private var waiting: Set<ContainerLog> = []
    /// Logs that went on without their pods being known, by pod.
    private var partial: [PodFolder: Set<ContainerLog>] = [:]
    /// A container that its pod asks not to read.
    private struct Excluded: Hashable {
        let uid: String
        let container: String
    }
    /// Those that were told.
    private var excluded: Set<Excluded> = []
    /// Pods whose annotations were found faulty, and told.
    private var faulty: Set<String> = []

    init(_ settings: KubernetesLogsInput.Settings, context: PluginContext) {
        self.settings = settings
        own = settings.ownLogs ? nil : OwnPod.find()
        directory = context.metadata.directory
        format = context.metadata.format(node: context.node, staticFields: context.staticFields)
        wantsNamespaces = context.metadata.wantsNamespaces
        node = context.node
        parsers = context.chosenParsers
        telemetry = context.telemetry
        snapshot = directory?.snapshot ?? snapshot
    }

    // MARK: What is read

    /// Included by every list that is not empty, excluded by none, and not by its pod either. A pod is judged before its
    /// containers are known.
    func isWanted(_ pod: PodFolder, _ container: String?) -> Bool {
        func isIn(_ globs: [Glob], _ name: String) -> Bool { globs.contains { $0.matches(name) } }
        let (include, exclude) = (settings.include, settings.exclude)
        if !include.namespaces.isEmpty, !isIn(include.namespaces, pod.namespace) { return false }
        if !include.pods.isEmpty, !isIn(include.pods, pod.pod) { return false }
        if isIn(exclude.namespaces, pod.namespace) || isIn(exclude.pods, pod.pod) { return false }
        if own?.isSame(pod) == true { return false }
        guard let container else { return true }
        if !include.containers.isEmpty, !isIn(include.containers, container) { return false }
        if isIn(exclude.containers, container) { return false }
        guard instructions(pod, container)?.isExcluded == true else {
            if !excluded.isEmpty { excluded.remove(Excluded(uid: pod.uid, container: container)) }
            return true
        }
        if excluded.insert(Excluded(uid: pod.uid, container: container)).inserted {
            telemetry.tell(PodEvent.excluded(namespace: pod.namespace, pod: pod.pod, container: container))
        }
        return false
    }

    private func instructions(_ folder: PodFolder, _ container: String) -> LogInstructions? {
        guard let pod = pod(of: folder), !pod.annotations.isEmpty else { return nil }
        tellFaults(of: pod)
        return LogInstructions(of: pod, container: container, parsers: parsers)
    }

    private func pod(of folder: PodFolder) -> Pod? {
        snapshot.pod(namespace: folder.namespace, name: folder.pod, uid: folder.uid)
    }

    /// Once per pod: its author may not be able to change it, and whoever reads the messages is somebody else.
    private func tellFaults(of pod: Pod) {
        guard !faulty.contains(pod.uid) else { return }
        let faults = LogInstructions.faults(of: pod, parsers: parsers)
        if !faults.isEmpty { faulty.insert(pod.uid) }
        for fault in faults {
            telemetry.tell(
                PodEvent.cannotFollow(
                    namespace: pod.namespace, pod: pod.name, annotation: fault.annotation.key,
                    value: fault.annotation.value, reason: fault.reason))
        }
    }

    // MARK: What records show

    func describe(_ log: ContainerLog) -> LogDescription {
        let pod = pod(of: log.folder)
        let namespaceLabels = snapshot.namespaces[log.folder.namespace]
        let isComplete = directory == nil || pod != nil && (namespaceLabels != nil || !wantsNamespaces)
        var parsing: UInt8 = 0
        if let parser = instructions(log.folder, log.container)?.parser {
            parsing = parsers.firstIndex(of: parser).map { UInt8($0 + 1) } ?? RecordBatch.noParsing
        }
        if isComplete, !partial.isEmpty, removePartial(log) {
            telemetry.tell(PodEvent.completed(namespace: log.folder.namespace, pod: log.folder.pod))
        }
        var description = LogDescription(
            ending: format.ending(
                of: ContainerIdentity(log), pod: pod, namespaceLabels: namespaceLabels ?? [],
                isPartial: !isComplete),
            isComplete: isComplete, parsing: parsing)
        // Of the namespace nothing will come soon.
        if pod != nil, case .failing = directory?.namespacesHealth { description.isWorthWaiting = false }
        return description
    }

    /// By the container's id alone: the kubelet may count restarts anew.
    func hasEnded(_ log: ContainerLog) -> Bool {
        guard !log.containerID.isEmpty, let container = pod(of: log.folder)?.container(log.container) else {
            return false
        }
        return [container.current, container.previous].contains { life in
            life?.id == log.containerID && life?.hasEnded == true
        }
    }

    // MARK: Waiting

    func waitBegan(_ log: ContainerLog) {
        if waiting.insert(log.withoutID).inserted { directory?.await(uid: log.folder.uid) }
    }

    func waitEnded(_ log: ContainerLog, _ end: WaitEnd) {
        if waiting.remove(log.withoutID) != nil { directory?.stopAwaiting(uid: log.folder.uid) }
        guard end == .tookTooLong else { return }
        let isNews = partial[log.folder] == nil
        partial[log.folder, default: []].insert(log.withoutID)
        telemetry.tell(
            PodEvent.partial(
                namespace: log.folder.namespace, pod: log.folder.pod, uid: log.folder.uid, container: log.container,
                missing: pod(of: log.folder) == nil ? .pod : .namespaceLabels, reason: reason(log), isNews: isNews))
    }

    func isGone(_ log: ContainerLog) { _ = removePartial(log) }

    private func removePartial(_ log: ContainerLog) -> Bool {
        guard partial[log.folder]?.remove(log.withoutID) != nil else { return false }
        if partial[log.folder]?.isEmpty == true { partial[log.folder] = nil }
        return true
    }

    private func reason(_ log: ContainerLog) -> String {
        if pod(of: log.folder) != nil {
            if case .failing(let words) = directory?.namespacesHealth { return words }
            return "nobody has told of the namespace yet"
        }
        return switch directory?.health {
        case .failing(let words): words
        case .starting: "nobody has answered yet"
        case .current, nil:
            // Hardly a node is without any pod: more likely it has another name.
            snapshot.pods.values.contains { $0.deletedAt == nil }
                ? "nobody has told of it: it is gone already, or a static pod that has no mirror yet"
                : "there are no pods on a node \(node); agent.node or NODE_NAME has to be the node's name in the cluster"
        }
    }

    // MARK: Changes

    var hasChanges: Bool { directory.map { $0.currentNumber != snapshot.number } ?? false }

    func takeChanges() -> DescriptionChanges {
        guard hasChanges, let directory else { return .none }
        let before = snapshot.number
        // The snapshot first: what changes between the two is looked at once more the next time, and not missed.
        snapshot = directory.snapshot
        let changes = directory.changes(since: before)
        faulty.formIntersection(snapshot.pods.keys)
        excluded = excluded.filter { snapshot.pods[$0.uid] != nil }
        return changes.map { .pods($0) } ?? .all
    }
}

extension ContainerLog {
    /// The same before its link was seen.
    fileprivate var withoutID: ContainerLog {
        var log = self
        log.containerID = ""
        return log
    }
}

extension ContainerIdentity {
    /// What a log's path and link tell.
    init(_ log: ContainerLog) {
        self.init(
            namespace: log.folder.namespace, pod: log.folder.pod, uid: log.folder.uid, container: log.container,
            restarts: log.restart, containerID: log.containerID)
    }
}
