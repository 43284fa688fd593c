// Lines name pods by parts: one says its uid only, another its name. What one tells completes what the others mean.

/// The pods that lines and sources have spoken of so far.
package struct KnownPods: Sendable {
    private var byUID: [String: PodReference] = [:]
    /// The namespaces in which there is a pod of a name.
    private var namespaces: [String: Set<String>] = [:]

    package init() {}

    /// Takes in what a line says of a pod.
    package mutating func note(_ reference: PodReference) {
        guard let name = reference.name else { return }
        if let namespace = reference.namespace { namespaces[name, default: []].insert(namespace) }
        guard let uid = reference.uid else { return }
        let known = byUID[uid]
        byUID[uid] = PodReference(namespace: reference.namespace ?? known?.namespace, name: name, uid: uid)
    }

    /// The same with what is known of the pod besides.
    package func completed(_ reference: PodReference) -> PodReference {
        var reference = reference
        if let uid = reference.uid, let known = byUID[uid] {
            reference.name = reference.name ?? known.name
            reference.namespace = reference.namespace ?? known.namespace
        }
        if reference.namespace == nil, let name = reference.name, let only = namespaces[name], only.count == 1 {
            reference.namespace = only.first
        }
        return reference
    }
}
