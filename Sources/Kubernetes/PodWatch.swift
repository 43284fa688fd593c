// The pods of one node, as the API server tells of them.
internal import Bytes
private import Disk
internal import PodMetadata

/// Hands the pods of a node to the directory.
struct NodePods: WatchedResource {
    let name = "pods"
    let path = "/api/v1/pods"
    let selector: String
    let acceptsLists = APIRequest.json
    let acceptsEvents = APIRequest.json
    private let node: String
    private let directory: PodDirectory
    private let reader: PodReader
    private let changed: @Sendable () -> Void

    /// - Parameter changed: called whenever the directory may know something new.
    init(
        node: String, directory: PodDirectory, reader: PodReader, changed: @escaping @Sendable () -> Void
    ) {
        selector = "fieldSelector=" + APIRequest.escape("spec.nodeName=\(node)")
        self.node = node
        self.directory = directory
        self.reader = reader
        self.changed = changed
    }

    func object(_ json: borrowing Arena) throws(ObjectError) -> Pod { try reader.pod(json) }

    func event(_ json: borrowing Arena) throws(ObjectError) -> PodMetadata.WatchEvent<Pod> { try reader.event(json) }

    func replaceAll(with pods: [Pod], isComplete: Bool) {
        directory.replaceAll(with: pods, keepingOthers: !isComplete, now: SystemClock.realtime)
        changed()
    }

    var whenEmpty: KubernetesEvent? { .noPods(node: node) }

    func update(_ pod: Pod) {
        directory.update(pod)
        changed()
    }

    func remove(_ pod: Pod) {
        directory.remove(pod, now: SystemClock.realtime)
        changed()
    }
}

extension PodDirectory {
    /// These are all pods that there are; with `keepingOthers` some could not be read, and those that are missing may still be there.
    func replaceAll(with pods: [Pod], keepingOthers: Bool, now: Int64) {
        guard keepingOthers else { return replaceAll(with: pods, now: now) }
        for pod in pods { update(pod) }
    }
}
