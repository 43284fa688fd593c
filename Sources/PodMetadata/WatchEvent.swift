// The events of a watch.
package import Bytes

/// What happened to an object: a pod, or one of which only the head is read.
package enum WatchEvent<Object: Hashable & Sendable>: Hashable, Sendable {
    /// It is there now, or was when the watch began.
    case added(Object, resourceVersion: String)
    case modified(Object, resourceVersion: String)
    /// It is gone; this is how it was last.
    case deleted(Object, resourceVersion: String)
    /// Nothing, up to this resource version.
    case bookmark(ObjectHead)
    /// The watch cannot go on: mostly 410, its resource version is too old.
    case error(APIStatus)
    /// An event of a type that is not known.
    case unknown(type: String)

    /// Reads the event that is all of `json`, and its object with `read`.
    static func read(
        _ json: borrowing Arena, _ read: (JSONParts, borrowing Arena) throws(ObjectError) -> Object
    ) throws(ObjectError) -> WatchEvent {
        guard let parts = JSONParts(json, 0..<json.count) else { throw ObjectError("an event is not JSON") }
        guard let type = parts.text("type", json) else { throw ObjectError("an event has no type") }
        let object = parts.object("object", json)
        let head = ObjectHead(object, json)
        switch type {
        case "ADDED": return .added(try read(object, json), resourceVersion: head.resourceVersion)
        case "MODIFIED": return .modified(try read(object, json), resourceVersion: head.resourceVersion)
        case "DELETED": return .deleted(try read(object, json), resourceVersion: head.resourceVersion)
        case "BOOKMARK": return .bookmark(head)
        case "ERROR": return .error(APIStatus(object, json))
        default: return .unknown(type: type)
        }
    }
}

extension WatchEvent<ObjectHead> {
    /// Reads the event that is all of `json`, of an object that has to have a name.
    package static func read(_ json: borrowing Arena) throws(ObjectError) -> WatchEvent {
        try read(json) { (parts, json) throws(ObjectError) in
            let head = ObjectHead(parts, json)
            guard !head.name.isEmpty else { throw ObjectError("the object of an event has no name") }
            return head
        }
    }
}

extension PodReader {
    /// Reads the event that is all of `json`, of a pod.
    package func event(_ json: borrowing Arena) throws(ObjectError) -> WatchEvent<Pod> {
        try WatchEvent.read(json) { (parts, json) throws(ObjectError) in try pod(parts, json) }
    }
}
