// What can happen between logs and the metadata of their pods, each fact with its log line and its metric.
import Logging
import Telemetry

/// Facts about logs and their pods.
enum PodEvent: TelemetryEvent {
    case partial(namespace: String, pod: String, uid: String, reason: String)
    case completed(namespace: String, pod: String)
    case cannotFollow(namespace: String, pod: String, annotation: String, value: String, reason: String)

    var level: Logger.Level {
        switch self {
        case .partial: .notice
        case .completed: .debug
        case .cannotFollow: .warning
        }
    }

    var message: String {
        switch self {
        case .partial:
            "a pod is not known after metadata_wait: its records show what file names tell, and are marked \"metadata\":\"partial\""
        case .completed: "a pod is known by now: its records are complete from here on"
        case .cannotFollow: "a pod's annotation cannot be followed, and is left aside"
        }
    }

    var details: [(String, String)] {
        switch self {
        case .partial(let namespace, let pod, let uid, let reason):
            [("namespace", namespace), ("pod", pod), ("uid", uid), ("reason", reason)]
        case .completed(let namespace, let pod): [("namespace", namespace), ("pod", pod)]
        case .cannotFollow(let namespace, let pod, let annotation, let value, let reason):
            [("namespace", namespace), ("pod", pod), ("annotation", annotation), ("value", value), ("reason", reason)]
        }
    }

    var counter: String {
        switch self {
        case .partial: "metadata_partial_logs"
        case .completed: "metadata_completed_logs"
        case .cannotFollow: "metadata_annotation_faults"
        }
    }
}
