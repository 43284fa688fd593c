// Pods read with Foundation alone, from the whole tree: what the reader is compared with.
import Foundation
import PodMetadata

enum PlainReading {
    /// The object in `bytes`, or nil.
    static func tree(_ bytes: some Sequence<UInt8>) -> [String: Any]? {
        (try? JSONSerialization.jsonObject(with: Data(bytes))) as? [String: Any]
    }

    static func items(_ bytes: some Sequence<UInt8>) -> [[String: Any]] { list(tree(bytes)?["items"]) }

    /// The pod of an object with all its annotations that `keeps` wants; nil where it cannot be told from others.
    static func pod(_ object: [String: Any], keeps: (String) -> Bool) -> Pod? {
        let metadata = map(object["metadata"])
        let (spec, status) = (map(object["spec"]), map(object["status"]))
        let (uid, namespace, name) = (text(metadata["uid"]), text(metadata["namespace"]), text(metadata["name"]))
        if uid.isEmpty || namespace.isEmpty || name.isEmpty { return nil }
        let annotations = map(metadata["annotations"]).compactMapValues { $0 as? String }

        var pod = Pod(uid: uid, namespace: namespace, name: name)
        pod.controller = controller(metadata)
        if let mirror = annotations["kubernetes.io/config.mirror"], !mirror.isEmpty {
            if pod.controller == nil || pod.controller?.kind == "Node" { (pod.uid, pod.isStatic) = (mirror, true) }
        } else if let source = annotations["kubernetes.io/config.source"], source != "api" {
            let hash = annotations["kubernetes.io/config.hash"]
            pod.isStatic = hash == nil || hash == uid
        }
        pod.node = text(spec["nodeName"])
        pod.ip = text(status["podIP"])
        pod.labels = labels(map(metadata["labels"]).compactMapValues { $0 as? String })
        pod.annotations = labels(annotations.filter { keeps($0.key) })
        let date = ISO8601DateFormatter().date(from: text(metadata["creationTimestamp"]))
        // Its nanoseconds have to fit into 64 bits.
        if let seconds = date?.timeIntervalSince1970, abs(seconds) < 9.2e9 { pod.created = Int64(seconds) }
        for kind in ["container", "initContainer", "ephemeralContainer"] {
            for container in list(spec[kind + "s"]) where !text(container["name"]).isEmpty {
                var read = Pod.Container(name: text(container["name"]), image: text(container["image"]))
                for state in list(status[kind + "Statuses"]) where text(state["name"]) == read.name {
                    (read.current, read.previous) = lives(state)
                }
                pod.containers.append(read)
            }
        }
        return pod
    }

    static func controller(_ metadata: [String: Any]) -> Owner? {
        let owner = list(metadata["ownerReferences"]).first { isTrue($0["controller"]) }
        return owner.map { Owner(kind: text($0["kind"]), name: text($0["name"]), uid: text($0["uid"])) }
    }

    static func labels(_ labels: [String: String]) -> [Label] {
        labels.map { Label($0.key, $0.value) }.sorted { $0.key < $1.key }
    }

    private static func lives(_ state: [String: Any]) -> (current: Pod.Life?, previous: Pod.Life?) {
        let restarts = Int32(integer(state["restartCount"]))
        let ended = (map(state["state"])["terminated"] as? [String: Any]) != nil
        let (id, last) = (id(state), id(map(map(state["lastState"])["terminated"])))
        if id == last, !id.isEmpty { return (Pod.Life(id: id, restarts: restarts, hasEnded: true), nil) }
        return (
            id.isEmpty ? nil : Pod.Life(id: id, restarts: restarts, hasEnded: ended),
            last.isEmpty ? nil : Pod.Life(id: last, restarts: max(0, restarts - 1), hasEnded: true)
        )
    }

    private static func id(_ object: [String: Any]) -> String {
        let id = text(object["containerID"])
        return id.range(of: "://").map { String(id[$0.upperBound...]) } ?? id
    }

    static func map(_ value: Any?) -> [String: Any] { value as? [String: Any] ?? [:] }
    static func list(_ value: Any?) -> [[String: Any]] {
        (value as? [Any] ?? []).compactMap { $0 as? [String: Any] }
    }
    static func text(_ value: Any?) -> String { value as? String ?? "" }
    private static func integer(_ value: Any?) -> Int { (value as? NSNumber).map { isBool($0) ? 0 : $0.intValue } ?? 0 }
    private static func isTrue(_ value: Any?) -> Bool {
        (value as? NSNumber).map { isBool($0) && $0.boolValue } ?? false
    }
    private static func isBool(_ number: NSNumber) -> Bool { unsafe String(cString: number.objCType) == "c" }
}
