// What the answers about one kind of objects say, and what becomes of it.
private import Bytes
private import HTTPTransport
private import PodMetadata
internal import Telemetry

/// Reads the lists and the watches of a resource.
struct ResourceReader<Resource: WatchedResource>: Sendable {
    let resource: Resource
    let objectLimit: Int
    let progress: WatchProgress
    let telemetry: Telemetry

    /// What a list held.
    struct Listed: Sendable {
        var objects: [Resource.Object] = []
        /// Empty where there is none.
        var version = ""
        /// Whether all objects could be read.
        var isComplete = true
    }

    /// Asks for a list, and reads it to its end.
    func list(_ client: APIClient, _ request: APIRequest) async throws(APIError) -> Listed {
        try await client.get(request) { body in try await list(body) }
    }

    /// Asks for a watch, and follows it to its end.
    /// - Throws: also for an event that says that the watch cannot go on.
    func follow(
        _ client: APIClient, _ request: APIRequest, begins: @escaping @Sendable () -> Void
    ) async throws(APIError) {
        try await client.get(request) { body in
            begins()
            try await follow(body)
        }
    }

    private func list(_ body: AnswerBody) async throws -> Listed {
        var listed = Listed()
        let envelope = try await body.readList(limit: objectLimit) { piece, json in
            switch piece {
            case .object:
                do throws(ObjectError) {
                    listed.objects.append(try resource.object(json))
                } catch {
                    listed.isComplete = false
                    tellOdd(error.description)
                }
            case .passedOver(let bytes):
                listed.isComplete = false
                tellTooLarge(bytes)
            }
        }
        listed.version = envelope.resourceVersion
        if !envelope.continueToken.isEmpty { listed.isComplete = false }
        return listed
    }

    private func follow(_ body: AnswerBody) async throws {
        try await body.readEvents(limit: objectLimit) { piece, json in
            switch piece {
            case .object: try take(json)
            case .passedOver(let bytes):
                progress.move(to: "")
                tellTooLarge(bytes)
            }
        }
    }

    private func take(_ json: borrowing Arena) throws {
        let event: WatchEvent<Resource.Object>
        do throws(ObjectError) {
            event = try resource.event(json)
        } catch {
            // The next event brings a later version; asking for this one again would bring the same.
            return tellOdd(error.description)
        }
        switch event {
        case .added(let object, let version), .modified(let object, let version):
            resource.update(object)
            progress.move(to: version)
        case .deleted(let object, let version):
            resource.remove(object)
            progress.move(to: version)
        case .bookmark(let head): progress.move(to: head.resourceVersion)
        case .error(let status): throw APIError(status)
        case .unknown(let type): tellOdd("an event is of the type '\(type.prefix(40))'")
        }
    }

    private func tellOdd(_ reason: String) {
        telemetry.tell(KubernetesEvent.oddObject(resource: resource.name, reason: reason))
    }

    private func tellTooLarge(_ bytes: Int) {
        telemetry.tell(KubernetesEvent.tooLarge(resource: resource.name, bytes: bytes, limit: objectLimit))
    }
}

extension APIError {
    /// What an event of the type `ERROR` means.
    fileprivate init(_ status: APIStatus) {
        let wait = status.retryAfterSeconds.map { min(.seconds(max(0, $0)), RetryAfter.longestWait) }
        switch status.code {
        case 410: self = .gone(status.message)
        case _ where status.reason == "Expired" || status.reason == "Gone": self = .gone(status.message)
        case 429: self = .throttled(status: 429, after: wait)
        case 500... where wait != nil: self = .throttled(status: status.code, after: wait)
        default: self = .server(status: status.code, message: status.message)
        }
    }
}
