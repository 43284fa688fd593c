// Which workload a pod belongs to, as far as the pod itself tells: the way Kubernetes names what it makes.

/// Works out workloads without asking anybody.
package enum OwnerRules {
    /// Whether an owner is of a kind that other workloads make.
    package static func mayBeOwned(_ controller: Owner) -> Bool {
        controller.kind == "ReplicaSet" || controller.kind == "Job"
    }

    /// The workload that a person knows the pod by; nil for one that nobody owns.
    package static func workload(of pod: Pod) -> Owner? {
        guard let controller = pod.controller else {
            // What the kubelet reads from a file has no owner there; the mirror of it is the node's.
            return pod.isStatic && !pod.node.isEmpty ? Owner(kind: "Node", name: pod.node) : nil
        }
        switch controller.kind {
        case "ReplicaSet": return deployment(of: controller, pod) ?? controller
        case "Job": return cronJob(of: controller, pod) ?? controller
        default: return controller
        }
    }

    /// A deployment writes the hash of its template into the name of a replica set and into a label of its pods.
    private static func deployment(of controller: Owner, _ pod: Pod) -> Owner? {
        guard let hash = pod.labels.first(where: { $0.key == "pod-template-hash" })?.value, !hash.isEmpty,
            controller.name.hasSuffix("-\(hash)"), controller.name.utf8.count > hash.utf8.count + 1
        else { return nil }
        return Owner(kind: "Deployment", name: String(controller.name.dropLast(hash.count + 1)))
    }

    /// A cron job writes the time for which it makes a job into the job's name: in minutes since 1970, before Kubernetes 1.21 in
    /// seconds. A job that a person named after a date is not one: its pod was not made at that time.
    private static func cronJob(of controller: Owner, _ pod: Pod) -> Owner? {
        guard let dash = controller.name.lastIndex(of: "-"), dash > controller.name.startIndex,
            let number = Int64(controller.name[controller.name.index(after: dash)...])
        else { return nil }
        let digits = controller.name[controller.name.index(after: dash)...].utf8.count
        // A person may have chosen any number; in seconds none has more than ten digits, until the year 2286.
        guard (8...10).contains(digits) else { return nil }
        let scheduled = digits == 10 ? number : number * 60
        // A day: pods of a job may be made again after failures, and a schedule may be made up for.
        guard (scheduled - 60...scheduled + 86_400).contains(pod.created) else { return nil }
        return Owner(kind: "CronJob", name: String(controller.name[..<dash]))
    }
}
