// What can happen between logs and the metadata of their pods, each fact with its log line and its metric.
import Logging
import Telemetry

/// Facts about logs and their pods.
enum PodEvent: TelemetryEvent {
    /// What of a pod was not known in time.
    enum Missing {
        case pod
        /// Of the pod all is known.
        case namespaceLabels
    }

    /// `isNews`: the first log of this pod.
    case partial(
        namespace: String, pod: String, uid: String, container: String, missing: Missing, reason: String, isNews: Bool)
    case excluded(namespace: String, pod: String, container: String)
    case completed(namespace: String, pod: String)
    case cannotFollow(namespace: String, pod: String, annotation: String, value: String, reason: String)

    var level: Logger.Level {
        switch self {
        case .partial(_, _, _, _, _, _, let isNews): isNews ? .notice : .debug
        case .excluded: .info
        case .completed: .debug
        case .cannotFollow: .warning
        }
    }

    var message: String {
        switch self {
        case .partial(_, _, _, _, .namespaceLabels, _, _):
            "the labels of a pod's namespace are not known after metadata_wait: its records come without them, and are marked \"metadata\":\"partial\""
        case .partial:
            "a pod is not known after metadata_wait: its records show what file names tell, and are marked \"metadata\":\"partial\""
        case .excluded: "a container's logs are not read, since an annotation of its pod says so"
        case .completed: "what was missing of a pod is known by now: its records are complete from here on"
        case .cannotFollow: "a pod's annotation cannot be followed, and is left aside"
        }
    }

    var details: [(String, String)] {
        switch self {
        case .partial(let namespace, let pod, let uid, let container, _, let reason, _):
            [("namespace", namespace), ("pod", pod), ("uid", uid), ("container", container), ("reason", reason)]
        case .excluded(let namespace, let pod, let container):
            [("namespace", namespace), ("pod", pod), ("container", container)]
        case .completed(let namespace, let pod): [("namespace", namespace), ("pod", pod)]
        case .cannotFollow(let namespace, let pod, let annotation, let value, let reason):
            [("namespace", namespace), ("pod", pod), ("annotation", annotation), ("value", value), ("reason", reason)]
        }
    }

    var counter: String {
        switch self {
        case .partial: "metadata_partial_logs"
        case .excluded: "metadata_excluded_containers"
        case .completed: "metadata_completed_logs"
        case .cannotFollow: "metadata_annotation_faults"
        }
    }
}
