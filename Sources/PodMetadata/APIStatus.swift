// How a Kubernetes API says that something went wrong.
package import Bytes

/// A `Status` object, as it stands in place of an answer and in watch events of type `ERROR`.
package struct APIStatus: Hashable, Sendable {
    /// As in HTTP: 410 when a resource version is too old; 0 where it is missing.
    package var code = 0
    /// One word: `Expired`, `Forbidden`...; empty where it is missing.
    package var reason = ""
    /// For people; empty where it is missing.
    package var message = ""
    /// How long the server wants to be left alone; nil where it does not say.
    package var retryAfterSeconds: Int?

    package init() {}

    init(_ parts: JSONParts, _ arena: borrowing Arena) {
        code = Int(parts.integer("code", arena) ?? 0)
        reason = parts.text("reason", arena) ?? ""
        message = parts.text("message", arena) ?? ""
        retryAfterSeconds = parts.object("details", arena).integer("retryAfterSeconds", arena).map { Int($0) }
    }

    /// Reads a `Status`, which is all that `json` holds. Objects of other kinds give what they have of the same names.
    package static func read(_ json: borrowing Arena) throws(ObjectError) -> APIStatus {
        guard let parts = JSONParts(json, 0..<json.count) else { throw ObjectError.notAnObject }
        return APIStatus(parts, json)
    }
}
