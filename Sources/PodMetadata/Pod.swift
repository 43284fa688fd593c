// What is kept of a pod: the parts that records show, or that decide how its logs are read.

/// A label or an annotation, or any other name with a value.
package struct Label: Hashable, Sendable {
    /// `app.kubernetes.io/name`
    package let key: String
    /// What it says; may be empty.
    package let value: String

    package init(_ key: String, _ value: String) {
        self.key = key
        self.value = value
    }
}

/// An object that owns another.
package struct Owner: Hashable, Sendable {
    /// `ReplicaSet`, `Job`, `Node`...
    package let kind: String
    package let name: String
    /// The uid of the object; empty where only its name is known.
    package let uid: String

    package init(kind: String, name: String, uid: String = "") {
        self.kind = kind
        self.name = name
        self.uid = uid
    }
}

/// A pod, as the API server, the kubelet or `metadata.json` told of it.
package struct Pod: Hashable, Sendable {
    /// The uid in the path of its logs: for a static pod the hash of its manifest.
    package var uid: String
    /// The uid of the object in the API; another one for static pods.
    package var apiUID: String
    package var namespace: String
    package var name: String
    /// The node it was given to; empty before that.
    package var node = ""
    /// Its first address; empty before it has one, and once it has ended.
    package var ip = ""
    /// Sorted by key.
    package var labels: [Label] = []
    /// Those that are wanted, sorted by key: see `PodReader`.
    package var annotations: [Label] = []
    /// What the object names as its controller.
    package var controller: Owner?
    /// The workload that a person knows it by; found by `PodDirectory`.
    package var owner: Owner?
    /// When it was made, seconds since 1970; 0 where that is not known.
    package var created: Int64 = 0
    /// Regular, init and ephemeral ones.
    package var containers: [Container] = []
    /// When it was seen to be gone, nanoseconds since 1970; nil while it is there.
    package var deletedAt: Int64?
    /// The kubelet reads it from a file; the API has a mirror of it.
    package var isStatic = false

    package init(uid: String, namespace: String, name: String) {
        self.uid = uid
        apiUID = uid
        self.namespace = namespace
        self.name = name
    }

    /// One of its containers, and its last two lives.
    package struct Container: Hashable, Sendable {
        /// Its name in the pod.
        package var name: String
        /// As the pod's author wrote it.
        package var image: String
        /// The life that runs, or ran last; nil before the first.
        package var current: Life?
        /// The one before it.
        package var previous: Life?

        package init(name: String, image: String) {
            self.name = name
            self.image = image
        }
    }

    /// One run of a container.
    package struct Life: Hashable, Sendable {
        /// 64 hexadecimal digits, without the runtime's name before them.
        package var id: String
        /// How often the container was restarted before.
        package var restarts: Int32
        /// It has ended: nothing will be written to its log any more.
        package var hasEnded: Bool

        package init(id: String, restarts: Int32, hasEnded: Bool) {
            self.id = id
            self.restarts = restarts
            self.hasEnded = hasEnded
        }
    }

    /// A container by its name; nil when there is none.
    package func container(_ name: String) -> Container? { containers.first { $0.name == name } }
}
