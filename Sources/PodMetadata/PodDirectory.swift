// What is known of this node's pods, between those who learn it (the API server's watch, the kubelet) and the lane, which only
// ever takes a finished snapshot.
package import Disk
private import Synchronization

/// One state of the directory; it never changes.
package struct PodSnapshot: Sendable {
    /// Counts the states: a later one has a larger number.
    package fileprivate(set) var number: UInt64 = 0
    /// By the uid in the path of their logs; pods that are gone stay for a while.
    package fileprivate(set) var pods: [String: Pod] = [:]
    /// The labels of namespaces, where they are asked for.
    package fileprivate(set) var namespaces: [String: [Label]] = [:]

    /// Nothing is known.
    package init() {}

    /// The pod whose logs are in the folder of these names. One of another name that claims the same uid is not believed: any pod
    /// may call itself the mirror of a static one.
    package func pod(namespace: String, name: String, uid: String) -> Pod? {
        guard let pod = pods[uid], pod.name == name, pod.namespace == namespace else { return nil }
        return pod
    }
}

/// How it goes with asking for pods.
package enum MetadataHealth: Sendable, Equatable {
    /// Nothing was answered yet.
    case starting
    /// What is known is what there is.
    case current
    /// Nothing can be learned, as a sentence that says why; what was known before still counts.
    case failing(String)
}

/// What is known of this node's pods.
///
/// Those who learn something have the writer's side, one at a time; it works out owners and what has changed, and then puts a
/// new snapshot in place of the old one. Readers wait for nothing but that exchange.
package final class PodDirectory: Sendable {
    /// A pod that is gone is forgotten after so long, unless its logs are still there: an hour, nanoseconds.
    package static let retention: Int64 = 3_600_000_000_000
    /// Of pods that are gone so many are kept at most.
    package static let mostDeleted = 1_000
    /// How many of the last changes are remembered one by one; who is further behind looks at everything.
    private static let rememberedChanges = 1_024

    private struct Published {
        var snapshot = PodSnapshot()
        /// The states in which pods changed, oldest first.
        var changes: [(number: UInt64, uid: String)] = []
        /// Changes up to this state are not remembered any more.
        var forgotten: UInt64 = 0
        var health = MetadataHealth.starting
        var namespacesHealth = MetadataHealth.starting
        var bells: [Bell] = []
        var awaited: [String: Int] = [:]
        var logFolders: Set<String> = []
    }

    private struct Writing {
        var owners: [String: Owner] = [:]
        /// Controllers of pods whose own owners are not known, by their uids.
        var unknownControllers: [String: (controller: Owner, namespace: String)] = [:]
        /// Namespaces that are gone, and known for as long as pods of theirs are.
        var goneNamespaces: Set<String> = []
    }

    private let published = Mutex(Published())
    private let writing = Mutex(Writing())
    private let number = Atomic<UInt64>(0)
    /// Tells that a log waits for a pod that is not known. For one consumer.
    package let demand: AsyncStream<Void>
    private let demandSource: AsyncStream<Void>.Continuation

    package init() {
        (demand, demandSource) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1))
    }

    // MARK: Reading

    /// What is known now.
    package var snapshot: PodSnapshot { published.withLock { $0.snapshot } }

    /// The number of the present snapshot; cheap enough to be asked all the time.
    package var currentNumber: UInt64 { number.load(ordering: .acquiring) }

    /// Why something may be missing.
    package var health: MetadataHealth { published.withLock { $0.health } }

    /// Why the labels of a namespace may be missing.
    package var namespacesHealth: MetadataHealth { published.withLock { $0.namespacesHealth } }

    /// The pods that changed in later states than `number`; nil when that is too long ago to be known: any may have.
    package func changes(since number: UInt64) -> Set<String>? {
        published.withLock { published in
            guard number >= published.forgotten else { return nil }
            return Set(published.changes.reversed().prefix { $0.number > number }.map(\.uid))
        }
    }

    /// Rings the bell at every change from now on.
    package func ring(_ bell: Bell) { published.withLock { $0.bells.append(bell) } }

    /// A log waits for this pod; called once per log, and ended by `stopAwaiting`.
    package func await(uid: String) {
        published.withLock { $0.awaited[uid, default: 0] += 1 }
        demandSource.yield()
    }

    /// A log does not wait for this pod any more.
    package func stopAwaiting(uid: String) {
        published.withLock { published in
            guard let count = published.awaited[uid] else { return }
            published.awaited[uid] = count > 1 ? count - 1 : nil
        }
    }

    /// The pods' logs are in this folder: who has a log there is not forgotten.
    package func keepPods(withLogsIn folder: String) { published.withLock { _ = $0.logFolders.insert(folder) } }

    /// Whether a log waits for a pod that is not known.
    package var isAwaited: Bool { published.withLock { !$0.awaited.isEmpty } }

    // MARK: Writing

    /// These are all pods that there are: those that are known and not among them are gone.
    /// - Parameter now: nanoseconds since 1970.
    package func replaceAll(with pods: [Pod], now: Int64) {
        write { writing, snapshot, changed in
            var present: Set<String> = []
            for pod in pods {
                present.insert(pod.uid)
                put(pod, &snapshot, &changed, &writing)
            }
            for (uid, pod) in snapshot.pods where pod.deletedAt == nil && !present.contains(uid) {
                snapshot.pods[uid]?.deletedAt = now
                changed.insert(uid)
            }
        }
    }

    /// A pod is new, or has changed.
    package func update(_ pod: Pod) {
        write { writing, snapshot, changed in put(pod, &snapshot, &changed, &writing) }
    }

    /// A pod is gone; what is known of it stays for a while. A static pod's mirror may have been made anew by then.
    /// - Parameter now: nanoseconds since 1970.
    package func remove(_ pod: Pod, now: Int64) {
        write { writing, snapshot, changed in
            if let known = snapshot.pods[pod.uid], known.apiUID != pod.apiUID { return }
            var pod = pod
            pod.deletedAt = now
            put(pod, &snapshot, &changed, &writing)
        }
    }

    /// These are all namespaces, with their labels.
    package func replaceNamespaces(with namespaces: [String: [Label]]) {
        write { writing, snapshot, changed in
            writing.goneNamespaces = Set(snapshot.namespaces.keys).subtracting(namespaces.keys)
            // Lines of the pods that they had may still be read; the others go with the next purge.
            let all = namespaces.merging(snapshot.namespaces) { present, _ in present }
            guard snapshot.namespaces != all else { return }
            for (uid, pod) in snapshot.pods where snapshot.namespaces[pod.namespace] != all[pod.namespace] {
                changed.insert(uid)
            }
            snapshot.namespaces = all
        }
    }

    /// A namespace is new or has changed; nil: it is gone, and what is known of it stays with the pods that it had.
    package func updateNamespace(_ name: String, labels: [Label]?) {
        write { writing, snapshot, changed in
            guard let labels else {
                writing.goneNamespaces.insert(name)
                return
            }
            writing.goneNamespaces.remove(name)
            guard snapshot.namespaces[name] != labels else { return }
            snapshot.namespaces[name] = labels
            for (uid, pod) in snapshot.pods where pod.namespace == name { changed.insert(uid) }
        }
    }

    /// An owner of pods is itself owned by a workload, or is one.
    package func learn(owner: Owner, of controllerUID: String) {
        write { writing, snapshot, changed in
            writing.owners[controllerUID] = owner
            writing.unknownControllers[controllerUID] = nil
            for (uid, pod) in snapshot.pods where pod.controller?.uid == controllerUID && pod.owner != owner {
                snapshot.pods[uid]?.owner = owner
                changed.insert(uid)
            }
        }
    }

    /// What was known at an earlier time; what is known already counts more.
    package func restore(_ file: MetadataFile) {
        write { writing, snapshot, changed in
            writing.owners.merge(file.owners) { known, _ in known }
            snapshot.namespaces.merge(file.namespaces) { known, _ in known }
            for pod in file.pods where snapshot.pods[pod.uid] == nil { put(pod, &snapshot, &changed, &writing) }
        }
    }

    /// Tells how it goes; returns whether that is something new.
    @discardableResult
    package func note(_ health: MetadataHealth) -> Bool {
        published.withLock { published in
            defer { published.health = health }
            return published.health != health
        }
    }

    /// Tells how it goes with asking for namespaces.
    package func noteNamespaces(_ health: MetadataHealth) { published.withLock { $0.namespacesHealth = health } }

    /// Forgets pods that have been gone for long enough and have no logs any more.
    /// - Parameter now: nanoseconds since 1970.
    package func purge(now: Int64) {
        let folders = published.withLock { $0.logFolders }
        func hasLogs(_ pod: Pod) -> Bool {
            folders.contains { Directory.status("\($0)/\(pod.namespace)_\(pod.name)_\(pod.uid)") != nil }
        }
        write { writing, snapshot, _ in
            let deleted = snapshot.pods.values.filter { $0.deletedAt != nil }
                .sorted { ($0.deletedAt ?? 0) > ($1.deletedAt ?? 0) }
            for (index, pod) in deleted.enumerated() {
                // The time may be from a file that was damaged.
                let (age, isTooLarge) = now.subtractingReportingOverflow(pod.deletedAt ?? now)
                let isOld = age > PodDirectory.retention || isTooLarge
                let isOneTooMany = index >= PodDirectory.mostDeleted
                // Those with logs last, but not for ever.
                guard (isOld || isOneTooMany) && !hasLogs(pod) || index >= 2 * PodDirectory.mostDeleted else {
                    continue
                }
                snapshot.pods[pod.uid] = nil
            }
            let controllers = Set(snapshot.pods.values.compactMap { $0.controller?.uid })
            writing.owners = writing.owners.filter { controllers.contains($0.key) }
            writing.unknownControllers = writing.unknownControllers.filter { controllers.contains($0.key) }
            for name in writing.goneNamespaces.subtracting(snapshot.pods.values.map(\.namespace)) {
                snapshot.namespaces[name] = nil
                writing.goneNamespaces.remove(name)
            }
        }
    }

    /// The owners of pods whose own owners nobody has asked for yet, each with its namespace.
    package var unknownControllers: [(controller: Owner, namespace: String)] {
        writing.withLock { Array($0.unknownControllers.values) }
    }

    /// What is to be known at the next start.
    package func file(node: String) -> MetadataFile {
        writing.withLock { writing in
            let snapshot = self.snapshot
            var file = MetadataFile(node: node)
            file.pods = snapshot.pods.values.sorted { $0.uid < $1.uid }
            file.namespaces = snapshot.namespaces
            file.owners = writing.owners
            return file
        }
    }

    private func put(_ pod: Pod, _ snapshot: inout PodSnapshot, _ changed: inout Set<String>, _ writing: inout Writing)
    {
        let known = snapshot.pods[pod.uid]
        // A pod may call itself the mirror of another one; the real one is not given up for it. While both are there nobody can
        // tell which of two mirrors lies, so that readers compare the names with those of the logs.
        if let known, pod.isStatic, !known.isStatic { return }
        if let known, pod.isStatic, known.deletedAt == nil, pod.namespace != known.namespace || pod.name != known.name {
            return
        }
        var pod = pod
        pod.owner = pod.controller.flatMap { writing.owners[$0.uid] } ?? OwnerRules.workload(of: pod)
        // The address goes when the pod ends, but its last lines are read after that.
        if pod.ip.isEmpty { pod.ip = known?.ip ?? "" }
        guard pod != known else { return }
        if let controller = pod.controller, pod.deletedAt == nil, OwnerRules.mayBeOwned(controller),
            writing.owners[controller.uid] == nil
        {
            writing.unknownControllers[controller.uid] = (controller, pod.namespace)
        }
        snapshot.pods[pod.uid] = pod
        changed.insert(pod.uid)
    }

    /// Makes the next snapshot from the present one. Nothing is published when nothing has changed.
    private func write(_ body: (inout Writing, inout PodSnapshot, inout Set<String>) -> Void) {
        writing.withLock { writing in
            var next = snapshot
            let before = next
            var changed: Set<String> = []
            body(&writing, &next, &changed)
            guard !changed.isEmpty || next.pods.count != before.pods.count || next.namespaces != before.namespaces
            else { return }
            next.number += 1
            publish(next, changed)
        }
    }

    private func publish(_ next: PodSnapshot, _ changed: Set<String>) {
        let bells = published.withLock { published in
            published.snapshot = next
            published.changes += changed.map { (next.number, $0) }
            let excess = published.changes.count - PodDirectory.rememberedChanges
            if excess > 0 {
                published.forgotten = published.changes[excess - 1].number
                published.changes.removeFirst(excess)
            }
            return published.bells
        }
        number.store(next.number, ordering: .releasing)
        for bell in bells { bell.ring() }
    }
}
