// Which pods are asked for: by a regular expression on their names, or by the workload they belong to.
package import Bytes

/// What names pods: `odoo`, `shop/web-.*`, `deploy/web`, `shop/job/backup`.
///
/// - A regular expression has to match somewhere in the pod's name: `odoo` finds `odoo-7b569fd464-j7trx`.
/// - A namespace before it is a glob for the whole name of the namespace.
/// - Behind a kind is a glob for the whole name of the workload. Whose pod it is its owner says where that is known, else the
///   name, by the rules that Kubernetes names pods by. A namespace that is called as a kind needs the other way to name one.
package struct PodPattern: Sendable, Hashable {
    /// As written.
    package let text: String
    /// The namespace's name; nil for any.
    package let namespace: Glob?
    private let what: What

    private enum What: Sendable, Hashable {
        case name(TextPattern)
        case workload(WorkloadKind, Glob)
    }

    /// Reads what was written as POD.
    package init(_ text: String) throws(QueryError) {
        self.text = text
        let parts = text.split(separator: "/", omittingEmptySubsequences: false).map(String.init)
        if parts.contains("") {
            throw QueryError(
                "'\(text)' names no pod: " + (text.isEmpty ? "it is empty" : "a '/' has nothing on one side of it"),
                hint: PodPattern.understood)
        }
        switch parts.count {
        case 1:
            namespace = nil
            what = .name(try TextPattern(text))
        case 2:
            if let kind = WorkloadKind(named: parts[0]) {
                namespace = nil
                what = .workload(kind, try PodPattern.glob(parts[1], of: text))
            } else {
                namespace = try PodPattern.namespace(parts[0], of: text)
                what = .name(try TextPattern(parts[1]))
            }
        case 3:
            guard let kind = WorkloadKind(named: parts[1]) else {
                throw QueryError(
                    "'\(text)' names no pod: '\(parts[1])' is no kind of workload", hint: PodPattern.understood)
            }
            namespace = try PodPattern.namespace(parts[0], of: text)
            what = .workload(kind, try PodPattern.glob(parts[2], of: text))
        default: throw QueryError("'\(text)' names no pod: it has too many '/'", hint: PodPattern.understood)
        }
    }

    /// What is understood.
    package static let understood =
        "write a regular expression such as web-.*, one behind its namespace such as shop/web-.*, or a workload such as "
        + "deploy/web, sts/db, ds/agent, job/backup, cronjob/backup, rs/web-688b586558 or pod/web-0"

    private static func namespace(_ pattern: String, of text: String) throws(QueryError) -> Glob {
        if pattern.contains(where: { ".+|()^$".contains($0) }) {
            throw QueryError(
                "'\(text)' names no pod: '\(pattern)' is no namespace", hint: "a namespace is a glob: shop or shop-*")
        }
        return try glob(pattern, of: text)
    }

    private static func glob(_ pattern: String, of text: String) throws(QueryError) -> Glob {
        do throws(GlobError) {
            return try Glob(pattern)
        } catch {
            throw QueryError("'\(text)' names no pod: '\(pattern)' \(error.predicate)", hint: error.hint)
        }
    }

    // MARK: Matching

    /// Whether a pod is asked for, as far as its names tell. A namespace that is not known is none that excludes it.
    package func matches(namespace: String?, pod: String) -> Bool {
        if let namespace, let glob = self.namespace, !glob.matches(namespace) { return false }
        switch what {
        case .name(let pattern): return pattern.matches(pod)
        case .workload(let kind, let name):
            return kind.workloads(ofPod: pod[...]).contains { name.matches(String($0)) }
        }
    }

    /// Whether a pod is asked for whose owner is known.
    package func matches(namespace: String, pod: String, ownerKind: String, ownerName: String) -> Bool {
        guard case .workload(let kind, let name) = what, kind != .pod else {
            return matches(namespace: namespace, pod: pod)
        }
        guard self.namespace?.matches(namespace) ?? true else { return false }
        return kind.workloads(ofOwner: ownerKind, ownerName).contains { name.matches(String($0)) }
    }

    /// Whether the owner of a pod, once it is known, may say something else than its name says.
    package func mayDependOnOwner(namespace: String, pod: String) -> Bool {
        guard case .workload(let kind, let name) = what, kind != .pod else { return false }
        guard self.namespace?.matches(namespace) ?? true else { return false }
        // A pod's name begins with that of its owner, which is cut to make room for what comes behind it: at most a hash of ten, five
        // of the pod itself, and two dashes, or eleven digits, out of 63 characters.
        guard let literal = name.literal else { return true }
        return pod.hasPrefix(literal.prefix(40))
    }
}

/// The kinds of workloads that own pods.
private enum WorkloadKind: Sendable {
    case deployment, replicaSet, statefulSet, daemonSet, job, cronJob, pod

    /// The names that kubectl takes for it.
    init?(named name: String) {
        switch name.lowercased() {
        case "deploy", "deployment", "deployments": self = .deployment
        case "rs", "replicaset", "replicasets": self = .replicaSet
        case "sts", "statefulset", "statefulsets": self = .statefulSet
        case "ds", "daemonset", "daemonsets": self = .daemonSet
        case "job", "jobs": self = .job
        case "cj", "cronjob", "cronjobs": self = .cronJob
        case "po", "pod", "pods": self = .pod
        default: return nil
        }
    }

    /// The workloads of this kind that a pod may belong to, by its name.
    func workloads(ofPod pod: Substring) -> [Substring] {
        switch self {
        case .pod: [pod]
        case .statefulSet: [pod.base(behind: 1...10, isPart: \.isDigit)].compactMap(\.self)
        case .replicaSet, .daemonSet, .job: [pod.withoutPodSuffix].compactMap(\.self)
        case .deployment: [pod.withoutPodSuffix?.withoutTemplateHash].compactMap(\.self)
        case .cronJob: [pod.withoutPodSuffix?.withoutSchedule].compactMap(\.self)
        }
    }

    /// The workloads of this kind that a pod belongs to, by its owner: that may be the one above it, or already the topmost.
    func workloads(ofOwner kind: String, _ name: String) -> [Substring] {
        switch (self, kind) {
        case (.deployment, "Deployment"), (.replicaSet, "ReplicaSet"), (.statefulSet, "StatefulSet"),
            (.daemonSet, "DaemonSet"), (.job, "Job"), (.cronJob, "CronJob"):
            [name[...]]
        case (.deployment, "ReplicaSet"): [name[...].withoutTemplateHash].compactMap(\.self)
        case (.cronJob, "Job"): [name[...].withoutSchedule].compactMap(\.self)
        default: []
        }
    }
}

extension Substring {
    /// Without the five characters that tell the pods of one owner apart.
    fileprivate var withoutPodSuffix: Substring? { base(behind: 5...5, isPart: \.isSafe) }

    /// Without the hash of a pod template: a number of 32 bits, each digit as one character. Hardly one in 400 is shorter than eight.
    fileprivate var withoutTemplateHash: Substring? { base(behind: 6...10, isPart: \.isSafe) }

    /// Without the time for which a cron job made its job: in minutes, once in seconds.
    fileprivate var withoutSchedule: Substring? { base(behind: 8...11, isPart: \.isDigit) }

    /// What stands before the last dash, if it is a name, and behind the dash are so many characters of a sort.
    fileprivate func base(behind count: ClosedRange<Int>, isPart: (UInt8) -> Bool) -> Substring? {
        guard let dash = utf8.lastIndex(of: UInt8(ascii: "-")), dash > startIndex else { return nil }
        let suffix = utf8[utf8.index(after: dash)...]
        return count.contains(suffix.count) && suffix.allSatisfy(isPart) ? self[..<dash] : nil
    }
}

extension UInt8 {
    fileprivate var isDigit: Bool { self &- 0x30 < 10 }

    /// Whether Kubernetes makes random names of it: no vowels, so that no words come out, and nothing that looks like another.
    fileprivate var isSafe: Bool { "bcdfghjklmnpqrstvwxz2456789".utf8.contains(self) }
}
