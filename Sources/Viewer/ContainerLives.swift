// How often each container was started: `--previous` asks for the life before the newest.
package import Records

/// The newest life of every container that is known.
package struct ContainerLives: Sendable {
    private var newest: [Container: Int32] = [:]
    /// Grows with each change.
    package private(set) var version = 0

    private struct Container: Hashable, Sendable {
        let uid: String
        let namespace: String
        let pod: String
        let name: String
    }

    package init() {}

    /// Takes notice of a source; what is no container's changes nothing.
    package mutating func note(_ source: SourceIdentity) {
        guard source.kind == .container else { return }
        note(
            namespace: source.namespace, pod: source.pod, uid: source.uid, container: source.container,
            restart: source.restart)
    }

    /// Takes notice of a life.
    package mutating func note(namespace: String, pod: String, uid: String, container: String, restart: Int32) {
        let key = Container(uid: uid, namespace: namespace, pod: pod, name: container)
        if let known = newest[key], known >= restart { return }
        newest[key] = restart
        version += 1
    }

    /// Whether this is the life before the newest.
    package func isPrevious(namespace: String, pod: String, uid: String, container: String, restart: Int32) -> Bool {
        newest[Container(uid: uid, namespace: namespace, pod: pod, name: container)] == restart + 1
    }
}
