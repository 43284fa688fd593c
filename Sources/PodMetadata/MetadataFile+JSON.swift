// metadata.json as bytes, written and read.
import Bytes

// MARK: Writing

extension MetadataFile {
    /// The bytes of the file, one pod a line. `damaged` is not among them.
    package func encoded() -> [UInt8] {
        var json = JSONBuilder()
        json.object { json in
            json.text("kind", "PodList")
            json.text("apiVersion", "v1")
            json.object("metadata") { json in
                // Also when it is empty: by this the file is known.
                json.text(key: "node", node)
                if saved != 0 { json.time("saved", nanoseconds: saved) }
            }
            json.lineFeed()
            json.array("namespaces") { json in
                for (name, labels) in namespaces.sorted(by: { $0.key < $1.key }) {
                    json.object { json in
                        json.text(key: "name", name)
                        json.labels("labels", labels)
                    }
                }
            }
            json.lineFeed()
            json.array("owners") { json in
                for (uid, owner) in owners.sorted(by: { $0.key < $1.key }) {
                    json.object { json in
                        json.text(key: "uid", uid)
                        json.owner(owner, uid: "owner_uid")
                    }
                }
            }
            json.lineFeed()
            json.array("items") { json in
                for pod in pods {
                    json.lineFeed()
                    json.object { $0.pod(pod) }
                }
                json.lineFeed()
            }
        }
        return [UInt8](copying: json.out.span) + [UInt8(ascii: "\n")]
    }
}

extension JSONBuilder {
    fileprivate mutating func labels(_ name: StaticString, _ labels: [Label]) {
        guard !labels.isEmpty else { return }
        object(name) { json in
            for label in labels { json.text(key: label.key, label.value) }
        }
    }

    fileprivate mutating func owner(_ owner: Owner, uid: StaticString) {
        text("kind", owner.kind)
        text("name", owner.name)
        text(uid, owner.uid)
    }

    fileprivate mutating func pod(_ pod: Pod) {
        object("metadata") { json in
            json.text("name", pod.name)
            json.text("namespace", pod.namespace)
            json.text("uid", pod.apiUID)
            if pod.created != 0 { json.time("creationTimestamp", seconds: pod.created) }
            json.labels("labels", pod.labels)
            json.labels("annotations", pod.annotations)
            guard let controller = pod.controller else { return }
            json.array("ownerReferences") { json in
                json.object { json in
                    json.owner(controller, uid: "uid")
                    json.isTrue("controller")
                }
            }
        }
        object("spec") { json in
            json.text("nodeName", pod.node)
            json.array("containers") { json in
                for container in pod.containers {
                    json.object { json in
                        json.text("name", container.name)
                        json.text("image", container.image)
                    }
                }
            }
        }
        object("status") { json in
            json.text("podIP", pod.ip)
            json.array("containerStatuses") { json in
                for container in pod.containers where container.current != nil || container.previous != nil {
                    json.object { $0.lives(of: container) }
                }
            }
        }
        object("sluice") { json in
            json.text("path_uid", pod.uid)
            if pod.isStatic { json.isTrue("static") }
            if let time = pod.deletedAt { json.time("deleted_at", nanoseconds: time) }
        }
    }

    private mutating func lives(of container: Pod.Container) {
        text("name", container.name)
        if let life = container.current {
            text("containerID", life.id)
            number("restartCount", Int64(life.restarts))
            object("state") { $0.object(life.hasEnded ? "terminated" : "running") { _ in } }
        }
        // Kubernetes has no count here, and no id of what has not ended.
        guard let life = container.previous else { return }
        object("lastState") { json in
            json.object(life.hasEnded ? "terminated" : "running") { json in
                json.text("containerID", life.id)
                json.number("restartCount", Int64(life.restarts))
            }
        }
    }
}

// MARK: Reading

extension MetadataFile {
    /// Reads the bytes of a file. What is damaged in it is left out and counted, as long as the file as a whole is JSON.
    package static func decode(_ bytes: Span<UInt8>) throws(ObjectError) -> MetadataFile {
        var json = Arena(capacity: bytes.count)
        json.append(bytes)
        guard let parts = JSONParts(json, 0..<json.count) else { throw ObjectError("the file is not one JSON object") }
        let metadata = parts.object("metadata", json)
        guard parts.text("kind", json) == "PodList", let node = metadata.text("node", json) else {
            throw ObjectError("the file is not a list of pods that Sluice wrote")
        }

        var file = MetadataFile(node: node)
        file.saved = metadata.time("saved", json) ?? 0
        let reader = PodReader { _ in true }
        for range in try elements("items", parts, json) {
            guard let item = JSONParts(json, range), let pod = try? reader.savedPod(item, json) else {
                file.damaged += 1
                continue
            }
            file.pods.append(pod)
        }
        for range in try elements("namespaces", parts, json) {
            guard let namespace = JSONParts(json, range), let name = namespace.text("name", json) else {
                file.damaged += 1
                continue
            }
            file.namespaces[name] = namespace.object("labels", json).labels(json)
        }
        for range in try elements("owners", parts, json) {
            guard let owner = JSONParts(json, range), let uid = owner.text("uid", json) else {
                file.damaged += 1
                continue
            }
            file.owners[uid] = Owner(
                kind: owner.text("kind", json) ?? "", name: owner.text("name", json) ?? "",
                uid: owner.text("owner_uid", json) ?? "")
        }
        return file
    }

    private static func elements(
        _ name: StaticString, _ parts: JSONParts, _ json: borrowing Arena
    ) throws(ObjectError) -> [Range<Int>] {
        guard let elements = parts.elements(name, json) else { throw ObjectError("\(name) of the file are not a list") }
        return elements
    }
}

extension PodReader {
    /// A pod as `metadata.json` has it. The member `sluice` is heeded there only: what an API answers is not the author of it.
    fileprivate func savedPod(_ parts: JSONParts, _ json: borrowing Arena) throws(ObjectError) -> Pod {
        var pod = try pod(parts, json)
        let own = parts.object("sluice", json)
        guard let uid = own.text("path_uid", json), !uid.isEmpty else { throw ObjectError("a pod has no path_uid") }
        pod.uid = uid
        pod.isStatic = own.isTrue("static", json)
        pod.deletedAt = own.time("deleted_at", json)
        return pod
    }
}
