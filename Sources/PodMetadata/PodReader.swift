// Reads pods, and what else a Kubernetes API answers with, from their JSON.
package import Bytes

/// Why bytes are not the object that was expected.
package struct ObjectError: Error, CustomStringConvertible, Equatable {
    /// As a sentence without a full stop, for an operator.
    package let description: String

    package init(_ description: String) { self.description = description }

    static var notAnObject: ObjectError { ObjectError("an object of the answer is not JSON") }
}

/// Reads the parts of pods that are wanted. What a pod has besides costs no memory.
///
/// A member that is missing, or of another type than it should be, leaves what it would have said at its default; only a pod's
/// namespace, name and uid have to be there.
package struct PodReader: Sendable {
    private let keepsAnnotation: @Sendable (String) -> Bool

    /// - Parameter keepsAnnotation: which annotations are wanted, beside those that Sluice itself reads
    ///   (`LogInstructions.isInstruction`).
    package init(keepsAnnotation: @escaping @Sendable (String) -> Bool) { self.keepsAnnotation = keepsAnnotation }

    /// Reads the pod that is all of `json`, as the API server or the kubelet shows it.
    package func pod(_ json: borrowing Arena) throws(ObjectError) -> Pod {
        guard let parts = JSONParts(json, 0..<json.count) else { throw ObjectError.notAnObject }
        return try pod(parts, json)
    }

    func pod(_ parts: JSONParts, _ json: borrowing Arena) throws(ObjectError) -> Pod {
        let head = ObjectHead(parts, json)
        for (value, name) in [(head.namespace, "namespace"), (head.name, "name"), (head.uid, "uid")] where value.isEmpty
        {
            throw ObjectError("a pod has no \(name)\(name == "name" || head.name.isEmpty ? "" : ": \(head.name)")")
        }
        let metadata = parts.object("metadata", json)
        let spec = parts.object("spec", json)
        let status = parts.object("status", json)
        let annotations = metadata.object("annotations", json)

        var pod = Pod(uid: head.uid, namespace: head.namespace, name: head.name)
        pod.node = spec.text("nodeName", json) ?? ""
        pod.ip = status.text("podIP", json) ?? ""
        pod.labels = head.labels
        pod.annotations = annotations.labels(json) { LogInstructions.isInstruction($0) || keepsAnnotation($0) }
        pod.controller = head.controller
        pod.created = metadata.time("creationTimestamp", json).map { PodReader.seconds(nanoseconds: $0) } ?? 0
        if let hash = PodReader.manifestHash(annotations, head, json) {
            pod.uid = hash
            pod.isStatic = true
        }
        let groups: [(specs: StaticString, states: StaticString)] = [
            ("containers", "containerStatuses"), ("initContainers", "initContainerStatuses"),
            ("ephemeralContainers", "ephemeralContainerStatuses"),
        ]
        for group in groups {
            let states = status.objects(group.states, json)
            for container in spec.objects(group.specs, json) {
                if let container = ContainerReader.container(container, states, json) {
                    pod.containers.append(container)
                }
            }
        }
        return pod
    }

    /// The hash that the kubelet takes for the uid of a pod that it has from a file or a URL; nil for pods of the API.
    private static func manifestHash(_ annotations: JSONParts, _ head: ObjectHead, _ json: borrowing Arena) -> String? {
        // The API shows a mirror of such a pod. A pod with another controller has the annotation from a copied template.
        if let hash = annotations.text("kubernetes.io/config.mirror", json), !hash.isEmpty {
            return head.controller == nil || head.controller?.kind == "Node" ? hash : nil
        }
        // The kubelet shows the pod itself. Of a pod of the API that has this annotation from a copy the uid is not the hash.
        guard let source = annotations.text("kubernetes.io/config.source", json), source != "api",
            annotations.text("kubernetes.io/config.hash", json) ?? head.uid == head.uid
        else { return nil }
        return head.uid
    }

    /// Whole seconds, rounded down.
    private static func seconds(nanoseconds: Int64) -> Int64 {
        let (quotient, remainder) = nanoseconds.quotientAndRemainder(dividingBy: 1_000_000_000)
        return remainder < 0 ? quotient - 1 : quotient
    }
}

/// Reads containers and their lives.
private enum ContainerReader {
    /// A container, and of the states of its kind the one with its name; nil when it has no name.
    static func container(_ spec: JSONParts, _ states: [JSONParts], _ json: borrowing Arena) -> Pod.Container? {
        guard let name = spec.text("name", json), !name.isEmpty else { return nil }
        var container = Pod.Container(name: name, image: spec.text("image", json) ?? "")
        for state in states where state.text("name", json) == name {
            let restarts = PodReader.count(state.integer("restartCount", json))
            container.previous = previous(state, restarts, json)
            guard let id = id(state, json) else { continue }
            let isTerminated = PodReader.has("terminated", state.object("state", json), json)
            container.current = Pod.Life(id: id, restarts: restarts, hasEnded: isTerminated)
            // Waiting for its next start (CrashLoopBackOff) it is told of as the last state already, but is still the newest life.
            if container.previous?.id == id {
                container.current?.hasEnded = true
                container.previous = nil
            }
        }
        return container
    }

    private static func previous(_ state: JSONParts, _ restarts: Int32, _ json: borrowing Arena) -> Pod.Life? {
        let last = state.object("lastState", json)
        // `running` and `restartCount` are told here by `metadata.json` alone.
        for (kind, hasEnded) in [("terminated" as StaticString, true), ("running", false)] {
            let life = last.object(kind, json)
            guard let id = id(life, json) else { continue }
            let own = life.integer("restartCount", json).map { PodReader.count($0) }
            return Pod.Life(id: id, restarts: own ?? max(1, restarts) - 1, hasEnded: hasEnded)
        }
        return nil
    }

    /// A container's id without the runtime's name before it: `containerd://1234` is 1234.
    private static func id(_ state: JSONParts, _ json: borrowing Arena) -> String? {
        guard let text = state.text("containerID", json) else { return nil }
        let bytes = Array(text.utf8)
        var start = 0
        if let place = ByteSearch.find(Array("://".utf8).span, in: bytes.span) { start = place + 3 }
        return start < bytes.count ? String(decoding: bytes[start...], as: UTF8.self) : nil
    }
}

extension PodReader {
    /// A number of restarts; 0 for what is none.
    fileprivate static func count(_ number: Int64?) -> Int32 { number.flatMap { Int32(exactly: $0) } ?? 0 }

    /// Whether a state is the one that is told of: it is there, and not `null`.
    fileprivate static func has(_ name: StaticString, _ state: JSONParts, _ json: borrowing Arena) -> Bool {
        state.member(name, json).map { json[$0.valueStart] == UInt8(ascii: "{") } ?? false
    }
}
