// What can happen between us and an API server or a kubelet, each fact with its log line and its metric.
package import Logging
internal import Telemetry

/// Facts about metadata of pods. None of them loses a record; some leave records without labels.
package enum KubernetesEvent: TelemetryEvent {
    /// `isNews`: it is the first time, or there were failures before.
    case listed(resource: String, objects: Int, version: String, isNews: Bool)
    case noPods(node: String)
    case resumed(resource: String, version: String)
    case watchEnded(resource: String, after: Duration, reason: String)
    case expired(resource: String, reason: String)
    case stalled(server: String, action: String, reason: String)
    case unreachable(server: String, action: String, reason: String)
    case untrusted(server: String, reason: String)
    case unauthorized(server: String, reason: String)
    case forbidden(action: String, remedy: String, reason: String)
    case throttled(server: String, action: String, wait: Duration)
    case serverError(server: String, action: String, reason: String)
    case unreadable(server: String, action: String, reason: String)
    /// One object or event among others.
    case oddObject(resource: String, reason: String)
    case tooLarge(resource: String, bytes: Int, limit: Int)
    /// `isNews`: it is told for the first time.
    case ownersForbidden(action: String, remedy: String, reason: String, isNews: Bool)
    case ownerFailed(action: String, reason: String)
    case restored(path: String, pods: Int)
    case otherNode(path: String, node: String)
    case fileDamaged(path: String, reason: String)
    case filePartlyDamaged(path: String, parts: Int)
    case fileUnreadable(path: String, reason: String)
    /// `isNews`: the last attempt went well.
    case cannotSave(path: String, reason: String, isNews: Bool)
    case savesAgain(path: String)

    package var level: Logger.Level {
        switch self {
        case .listed(_, _, _, let isNews): isNews ? .info : .debug
        case .watchEnded, .ownerFailed: .debug
        case .resumed, .expired, .restored, .otherNode, .savesAgain: .info
        case .ownersForbidden(_, _, _, let isNews): isNews ? .notice : .debug
        case .cannotSave(_, _, let isNews): isNews ? .warning : .debug
        case .noPods, .stalled, .unreachable, .throttled, .serverError, .unreadable, .oddObject, .tooLarge,
            .fileDamaged,
            .filePartlyDamaged, .fileUnreadable:
            .warning
        case .untrusted, .unauthorized, .forbidden: .error
        }
    }

    /// What is wrong stays so for a while, and is tried again soon: the summary says it too.
    package var burst: Int? {
        switch self {
        case .unreachable, .untrusted, .unauthorized, .forbidden, .throttled, .serverError, .unreadable, .stalled: 2
        default: nil
        }
    }

    package var message: String {
        switch self {
        case .listed: "the server has told what there is"
        case .noPods:
            "there are no pods on this node; agent.node or NODE_NAME has to be the name that the node has in the cluster"
        case .resumed: "the server tells of changes again"
        case .watchEnded: "a watch has ended; the next one goes on behind it"
        case .expired: "the server has forgotten the changes since then; it is asked for all again"
        case .stalled: "the server does not say anything; it is asked again"
        case .unreachable:
            "the server cannot be reached; records of new pods have no labels until then, it is tried again and again"
        case .untrusted:
            "the server is not trusted; set the certificate authority that it has, it is read again at each attempt"
        case .unauthorized:
            "the server does not know us; see that the token or certificate is valid, it is read again at each attempt"
        case .forbidden: "the server does not let us ask for this; grant it to our service account or user"
        case .throttled: "the server asks to be left alone for a while"
        case .serverError: "the server answers with an error; it is asked again"
        case .unreadable: "an answer of the server is not what was asked for; see that the address is right"
        case .oddObject: "an object or an event cannot be read; what was known before stays"
        case .tooLarge: "an object is larger than what is read of one; what was known of it stays"
        case .ownersForbidden:
            "the server does not let us ask who owns pods; owners are taken from their names, which is mostly right"
        case .ownerFailed: "the server did not tell who owns a pod; it is asked again"
        case .restored: "what was known of pods at the last stop is known again"
        case .otherNode: "what was known of pods is of another node; it is not used"
        case .fileDamaged: "what was known of pods cannot be read; it was set aside, and the server is asked"
        case .filePartlyDamaged: "parts of what was known of pods are damaged and left out; the server is asked"
        case .fileUnreadable: "the file with what was known of pods cannot be opened; the server is asked"
        case .cannotSave:
            "what is known of pods cannot be saved; after a restart it is missing until the server has answered"
        case .savesAgain: "what is known of pods is saved again"
        }
    }

    package var details: [(String, String)] {
        switch self {
        case .listed(let resource, let objects, let version, _):
            [("resource", resource), ("objects", "\(objects)"), ("version", version)]
        case .noPods(let node): [("node", node)]
        case .resumed(let resource, let version): [("resource", resource), ("version", version)]
        case .watchEnded(let resource, let after, let reason):
            [("resource", resource), ("after_ms", "\(Int(after / .milliseconds(1)))"), ("reason", reason)]
        case .expired(let resource, let reason), .oddObject(let resource, let reason):
            [("resource", resource), ("reason", reason)]
        case .stalled(let server, let action, let reason), .unreachable(let server, let action, let reason),
            .serverError(let server, let action, let reason), .unreadable(let server, let action, let reason):
            [("server", server), ("action", action), ("reason", reason)]
        case .untrusted(let server, let reason), .unauthorized(let server, let reason):
            [("server", server), ("reason", reason)]
        case .forbidden(let action, let remedy, let reason), .ownersForbidden(let action, let remedy, let reason, _):
            [("action", action), ("remedy", remedy), ("reason", reason)]
        case .throttled(let server, let action, let wait):
            [("server", server), ("action", action), ("wait_ms", "\(Int(wait / .milliseconds(1)))")]
        case .tooLarge(let resource, let bytes, let limit):
            [("resource", resource), ("bytes", "\(bytes)"), ("limit", "\(limit)")]
        case .ownerFailed(let action, let reason): [("action", action), ("reason", reason)]
        case .restored(let path, let pods): [("path", path), ("pods", "\(pods)")]
        case .otherNode(let path, let node): [("path", path), ("node", node)]
        case .fileDamaged(let path, let reason), .fileUnreadable(let path, let reason),
            .cannotSave(let path, let reason, _):
            [("path", path), ("reason", reason)]
        case .filePartlyDamaged(let path, let parts): [("path", path), ("parts", "\(parts)")]
        case .savesAgain(let path): [("path", path)]
        }
    }

    package var counter: String {
        switch self {
        case .listed: "metadata_lists"
        case .noPods: "metadata_empty_lists"
        case .resumed: "metadata_reconnects"
        case .watchEnded: "metadata_watch_ends"
        case .expired: "metadata_watch_expiries"
        case .stalled: "metadata_stalls"
        case .unreachable: "metadata_unreachable"
        case .untrusted: "metadata_untrusted"
        case .unauthorized: "metadata_unauthorized"
        case .forbidden: "metadata_forbidden"
        case .throttled: "metadata_throttled"
        case .serverError: "metadata_server_errors"
        case .unreadable: "metadata_unreadable_answers"
        case .oddObject: "metadata_objects_unreadable"
        case .tooLarge: "metadata_objects_too_large"
        case .ownersForbidden: "metadata_owners_forbidden"
        case .ownerFailed: "metadata_owner_failures"
        case .restored: "metadata_restores"
        case .otherNode: "metadata_files_of_other_nodes"
        case .fileDamaged: "metadata_files_damaged"
        case .filePartlyDamaged: "metadata_files_partly_damaged"
        case .fileUnreadable: "metadata_files_unreadable"
        case .cannotSave: "metadata_save_failures"
        case .savesAgain: "metadata_save_recoveries"
        }
    }

    /// What a failed request is told as; nil for one that nobody needs to hear of.
    init?(_ error: APIError, server: String, action: String, wait: Duration) {
        switch error {
        case .unreachable(let words): self = .unreachable(server: server, action: action, reason: words)
        case .untrusted(let words): self = .untrusted(server: server, reason: words)
        case .unauthorized(let words): self = .unauthorized(server: server, reason: words)
        case .forbidden(let refusal):
            self = .forbidden(action: refusal.action, remedy: refusal.remedy, reason: refusal.message)
        case .gone: self = .expired(resource: action, reason: error.description)
        case .notFound: self = .serverError(server: server, action: action, reason: error.description)
        case .throttled: self = .throttled(server: server, action: action, wait: wait)
        case .server: self = .serverError(server: server, action: action, reason: error.description)
        case .unreadable(let words): self = .unreadable(server: server, action: action, reason: words)
        case .stalled(let words): self = .stalled(server: server, action: action, reason: words)
        case .cancelled: return nil
        }
    }
}
