// The labels of all namespaces.
internal import Bytes
internal import PodMetadata

/// Hands the labels of namespaces to the directory. Only the metadata of namespaces is asked for.
struct ClusterNamespaces: WatchedResource {
    let name = "namespaces"
    let path = "/api/v1/namespaces"
    let selector = ""
    let acceptsLists = APIRequest.partialList
    let acceptsEvents = APIRequest.partialObject
    private let directory: PodDirectory
    private let changed: @Sendable () -> Void

    /// - Parameter changed: called whenever the directory may know something new.
    init(directory: PodDirectory, changed: @escaping @Sendable () -> Void) {
        self.directory = directory
        self.changed = changed
    }

    func object(_ json: borrowing Arena) throws(ObjectError) -> ObjectHead {
        let head = try ObjectHead.read(json)
        guard !head.name.isEmpty else { throw ObjectError("a namespace has no name") }
        return head
    }

    func event(_ json: borrowing Arena) throws(ObjectError) -> WatchEvent<ObjectHead> {
        try WatchEvent.read(json)
    }

    func replaceAll(with namespaces: [ObjectHead], isComplete: Bool) {
        let listed = Dictionary(namespaces.map { ($0.name, $0.labels) }) { $1 }
        // Of those that could not be read stays what was known.
        directory.replaceNamespaces(
            with: isComplete ? listed : directory.snapshot.namespaces.merging(listed) { $1 })
        changed()
    }

    func update(_ namespace: ObjectHead) {
        directory.updateNamespace(namespace.name, labels: namespace.labels)
        changed()
    }

    func remove(_ namespace: ObjectHead) {
        directory.updateNamespace(namespace.name, labels: nil)
        changed()
    }
}
