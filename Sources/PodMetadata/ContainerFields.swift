// What records show of their container: the object `kubernetes`, encoded once per log and change.
package import Bytes
import Records

/// A container's log, as its path and the link to it tell.
package struct ContainerIdentity: Hashable, Sendable {
    /// Namespace and name of the pod.
    package var namespace: String
    package var pod: String
    /// The uid in the path.
    package var uid: String
    /// The container's name.
    package var container: String
    /// The `N` of `N.log`.
    package var restarts: Int32
    /// From the link's name; empty while there is none.
    package var containerID: String

    package init(namespace: String, pod: String, uid: String, container: String, restarts: Int32, containerID: String) {
        self.namespace = namespace
        self.pod = pod
        self.uid = uid
        self.container = container
        self.restarts = restarts
        self.containerID = containerID
    }
}

/// How labels and annotations are written.
package enum LabelsStyle: String, CaseIterable, Sendable {
    /// An object, with keys as they are: `"labels":{"app.kubernetes.io/name":"web"}`.
    case nested
    /// A member of `kubernetes` for each: `"labels.app.kubernetes.io/name":"web"`.
    case flat
    /// An object whose keys have `_` in place of dots: `"labels":{"app_kubernetes_io/name":"web"}`.
    case dedot
}

/// Which metadata records show, and how.
package struct MetadataFormat: Sendable {
    /// The node's name.
    package var node: String
    /// `,"name":value` for each of the configuration's `fields`.
    package var staticFields: [UInt8]
    /// Which labels, by their keys; nil for all.
    package var labels: [Glob]?
    /// Which annotations, by their keys.
    package var annotations: [Glob] = []
    package var style = LabelsStyle.nested

    /// All labels and no annotations.
    package init(node: String, staticFields: [UInt8] = []) {
        self.node = node
        self.staticFields = staticFields
    }

    /// What each record of a log ends with.
    /// - Parameters:
    ///   - pod: what is known of its pod; nil when nothing is.
    ///   - namespaceLabels: those of its namespace, where they are wanted.
    ///   - isPartial: more was wanted than is known.
    package func ending(
        of log: ContainerIdentity, pod: Pod?, namespaceLabels: [Label] = [], isPartial: Bool = false
    ) -> [UInt8] {
        let container = pod?.container(log.container)
        var members: [(String, RecordValue)] = [
            ("namespace_name", .text(log.namespace)), ("pod_name", .text(log.pod)),
            ("container_name", .text(log.container)), ("pod_uid", .text(log.uid)),
            (
                "container_id",
                .text(log.containerID.isEmpty ? container?.id(restarts: log.restarts) ?? "" : log.containerID)
            ),
            ("container_image", .text(container?.image ?? "")),
            ("restart_count", .number(Int64(log.restarts))), ("node_name", .text(node)),
            ("pod_ip", .text(pod?.ip ?? "")), ("owner_kind", .text(pod?.owner?.kind ?? "")),
            ("owner_name", .text(pod?.owner?.name ?? "")),
        ]
        add("labels", labels.map { pod?.labels.wanted(by: $0) ?? [] } ?? pod?.labels ?? [], to: &members)
        add("annotations", (pod?.annotations ?? []).wanted(by: annotations), to: &members)
        add("namespace_labels", namespaceLabels, to: &members)
        if isPartial { members.append(("metadata", .text("partial"))) }
        var ending = RecordEnding(origin: "container")
        ending.append("kubernetes", members)
        return ending.finish(staticFields: staticFields)
    }

    private func add(_ name: String, _ labels: [Label], to members: inout [(String, RecordValue)]) {
        guard !labels.isEmpty else { return }
        switch style {
        case .nested: members.append((name, .object(labels.map { ($0.key, $0.value) })))
        case .flat: members += labels.map { ("\(name).\($0.key)", .label($0.value)) }
        case .dedot:
            var taken: Set<String> = []
            let renamed = labels.map { label in
                // `a.b` and `a_b` may both be there.
                var key = String(label.key.map { $0 == "." ? "_" : $0 })
                while !taken.insert(key).inserted { key += "_" }
                return (key, label.value)
            }
            members.append((name, .object(renamed)))
        }
    }
}

extension [Label] {
    fileprivate func wanted(by globs: [Glob]) -> [Label] {
        filter { label in globs.contains { $0.matches(label.key) } }
    }
}

extension Pod.Container {
    /// The id of one of its last two lives; nil for one that is not known.
    package func id(restarts: Int32) -> String? { life(restarts: restarts)?.id }

    /// One of its last two lives; nil for one that is not known.
    package func life(restarts: Int32) -> Pod.Life? {
        if let current, current.restarts == restarts { return current }
        if let previous, previous.restarts == restarts { return previous }
        return nil
    }
}
