// Why a server did not tell what it was asked for, and what a person can do about it.

/// A request to the API server or the kubelet that was not answered as it should be.
enum APIError: Error, Hashable, Sendable {
    /// There was no connection, or it broke before the answer was whole.
    case unreachable(String)
    /// The server is not the one we trust, or a file with certificates cannot be used.
    case untrusted(String)
    /// 401, or a token that cannot be read: we are not who we say we are.
    case unauthorized(String)
    /// 403: we may not ask for this.
    case forbidden(Refusal)
    /// 410: the resource version is too old.
    case gone(String)
    /// 404
    case notFound(String)
    /// 429, or another status with a time to wait.
    case throttled(status: Int, after: Duration?)
    /// Any other status.
    case server(status: Int, message: String)
    /// An answer that is not what was asked for.
    case unreadable(String)
    /// Nothing came for too long.
    case stalled(String)
    /// Our own task was cancelled.
    case cancelled

    /// What we may not do.
    struct Refusal: Hashable, Sendable {
        /// `list pods`, `get replicasets.apps in namespace shop`
        var action: String
        /// As a sentence for an administrator: `grant ...`.
        var remedy: String
        /// What the server says.
        var message: String

        init(action: String, remedy: String, message: String) {
            self.action = action
            self.remedy = remedy
            self.message = message
        }
    }
}

extension APIError: CustomStringConvertible {
    var description: String {
        switch self {
        case .unreachable(let words), .untrusted(let words), .unauthorized(let words), .unreadable(let words),
            .stalled(let words):
            words
        case .forbidden(let refusal):
            "may not \(refusal.action); \(refusal.remedy)"
                + (refusal.message.isEmpty ? "" : " (the server says: \(refusal.message))")
        case .gone(let message): message.isEmpty ? "the resource version is too old" : message
        case .notFound(let message): "404" + (message.isEmpty ? "" : ": \(message)")
        case .throttled(let status, let after):
            "the server has too much to do (\(status))" + (after.map { ", it asks to wait for \($0)" } ?? "")
        case .server(let status, let message): "the server answers \(status)" + (message.isEmpty ? "" : ": \(message)")
        case .cancelled: "cancelled"
        }
    }

    /// The same, with each text in it changed.
    func mapWords(_ change: (String) -> String) -> APIError {
        switch self {
        case .unreachable(let words): .unreachable(change(words))
        case .untrusted(let words): .untrusted(change(words))
        case .unauthorized(let words): .unauthorized(change(words))
        case .forbidden(let refusal):
            .forbidden(.init(action: refusal.action, remedy: refusal.remedy, message: change(refusal.message)))
        case .gone(let message): .gone(change(message))
        case .notFound(let message): .notFound(change(message))
        case .server(let status, let message): .server(status: status, message: change(message))
        case .unreadable(let words): .unreadable(change(words))
        case .stalled(let words): .stalled(change(words))
        case .throttled, .cancelled: self
        }
    }

    /// Whether connections have to be made anew, with what is on disk by then.
    var asksForNewClient: Bool {
        switch self {
        case .unreachable, .untrusted, .unauthorized, .stalled: true
        default: false
        }
    }

    /// Whether only a person can help.
    var isRefusal: Bool {
        switch self {
        case .forbidden, .unauthorized: true
        default: false
        }
    }
}
