// What all objects of the API have in common.
package import Bytes

/// The head of a namespace, a ReplicaSet, a Job or any other object, whole or as `PartialObjectMetadata`.
package struct ObjectHead: Hashable, Sendable {
    /// Empty in lists, whose kind tells it.
    package var kind = ""
    package var name = ""
    /// Empty for what is in no namespace.
    package var namespace = ""
    package var uid = ""
    /// Which of its versions this is; empty where the kubelet tells of it.
    package var resourceVersion = ""
    /// Sorted by key.
    package var labels: [Label] = []
    /// The owner that is its controller.
    package var controller: Owner?

    package init() {}

    init(_ parts: JSONParts, _ arena: borrowing Arena) {
        let metadata = parts.object("metadata", arena)
        kind = parts.text("kind", arena) ?? ""
        name = metadata.text("name", arena) ?? ""
        namespace = metadata.text("namespace", arena) ?? ""
        uid = metadata.text("uid", arena) ?? ""
        resourceVersion = metadata.text("resourceVersion", arena) ?? ""
        labels = metadata.object("labels", arena).labels(arena)
        for owner in metadata.objects("ownerReferences", arena) where owner.isTrue("controller", arena) {
            controller = Owner(
                kind: owner.text("kind", arena) ?? "", name: owner.text("name", arena) ?? "",
                uid: owner.text("uid", arena) ?? "")
            break
        }
    }

    /// Reads the head of the object that is all of `json`. What is missing there is empty here.
    package static func read(_ json: borrowing Arena) throws(ObjectError) -> ObjectHead {
        guard let parts = JSONParts(json, 0..<json.count) else { throw ObjectError.notAnObject }
        return ObjectHead(parts, json)
    }
}

extension PodReader {
    /// Reads the head of the object that is all of `json`. What is missing there is empty here.
    package func head(_ json: borrowing Arena) throws(ObjectError) -> ObjectHead { try ObjectHead.read(json) }
}
