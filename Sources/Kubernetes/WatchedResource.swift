// What is watched at an API server, and what becomes of it.
internal import Bytes
internal import PodMetadata

/// A kind of objects: how to ask for them, how to read them, and where they go.
protocol WatchedResource: Sendable {
    /// What is read of an object.
    associatedtype Object: Hashable & Sendable

    /// `pods`
    var name: String { get }
    /// `/api/v1/pods`
    var path: String { get }
    /// Which of them, as a part of the query: `fieldSelector=...`; empty for all.
    var selector: String { get }
    /// The header Accept of lists.
    var acceptsLists: String { get }
    /// The header Accept of watches.
    var acceptsEvents: String { get }

    /// Reads an object of a list.
    func object(_ json: borrowing Arena) throws(ObjectError) -> Object
    /// Reads an event of a watch.
    func event(_ json: borrowing Arena) throws(ObjectError) -> WatchEvent<Object>

    /// These are all that there are.
    /// - Parameter isComplete: whether all could be read.
    func replaceAll(with objects: [Object], isComplete: Bool)
    /// One is new, or has changed.
    func update(_ object: Object)
    /// One is gone.
    func remove(_ object: Object)
    /// What is told when there are none at all; nil when that is nothing to wonder at.
    var whenEmpty: KubernetesEvent? { get }
}

extension WatchedResource {
    var whenEmpty: KubernetesEvent? { nil }
}
