// Requests to one server: who we say we are, how long we wait, and what its answers mean.
internal import AsyncHTTPClient
private import Bytes
private import Disk
private import HTTPTransport
internal import NIOCore
private import NIOHTTP1
private import NIOPosix
private import PodMetadata
private import Synchronization

/// Sends requests to one server, one after the other. It is for one task; those who ask at the same time have a client each.
///
/// Connections are made anew after each failure that new certificates may cure, from what is on disk by then.
final class APIClient: Sendable {
    private struct State {
        var client: HTTPClient?
        /// The server has answered over this client: a connection that breaks at the next request may only have idled for too long.
        var hasAnswered = false
    }

    /// One thread serves all connections to API servers: a watch says little.
    private static let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
    /// Of an answer that tells of an error so much is read.
    private static let errorLimit = 64 << 10

    private let access: ClusterAccess
    private let settings: TransportSettings
    private let tokenFile: TokenFile?
    private let state = Mutex(State())

    init(_ access: ClusterAccess, timing: WatchTiming) {
        self.access = access
        var settings = TransportSettings(url: access.server)
        settings.authority = access.authority
        settings.serverName = access.serverName
        settings.skipsVerification = access.skipsVerification
        settings.connect = timing.connect
        settings.tls = .zero
        // Kept here, by `Pulse`: how long a server may be silent depends on the request.
        settings.silence = max(timing.head, timing.listSilence, timing.watchSilence) + .seconds(60)
        settings.names.authority = "the certificate authority of \(access.origin)"
        settings.names.certificate = "the client certificate of \(access.origin)"
        settings.names.key = "the client key of \(access.origin)"
        settings.names.serverName = "the server name of \(access.origin)"
        settings.names.connect = "the time for it"
        settings.names.tls = settings.names.connect
        settings.names.silence = settings.names.connect
        if case .certificate(let certificate, let key) = access.credentials {
            settings.certificate = certificate
            settings.key = key
        }
        self.settings = settings
        if case .tokenFile(let path) = access.credentials { tokenFile = TokenFile(path: path) } else { tokenFile = nil }
    }

    // Also where nobody came to close it: the library insists on it.
    deinit { state.withLock { $0.client }?.shutdown().whenComplete { _ in } }

    /// Which server this is, for messages.
    var server: String { access.server }

    /// Ends the connections. The next request makes new ones.
    func close() async {
        let old = state.withLock { state in
            state.hasAnswered = false
            return state.client.take()
        }
        try? await old?.shutdown()
    }

    /// Asks for something, and hands the body of an answer with status 200 to `read`.
    func get<R: Sendable>(
        _ request: APIRequest, _ read: @escaping @Sendable (AnswerBody) async throws -> R
    ) async throws(APIError) -> R {
        let mayHaveIdled = state.withLock { $0.hasAnswered }
        do throws(Failure) {
            return try await attempt(request, read)
        } catch {
            if error.error.asksForNewClient { await close() }
            guard error.isLostBeforeHead, mayHaveIdled else { throw error.error }
        }
        do throws(Failure) {
            return try await attempt(request, read)
        } catch {
            if error.error.asksForNewClient { await close() }
            throw error.error
        }
    }

    /// Why one attempt failed.
    private struct Failure: Error {
        var error: APIError
        /// There was a connection, and it broke before the server said anything.
        var isLostBeforeHead = false
    }

    private func attempt<R: Sendable>(
        _ request: APIRequest, _ read: @escaping @Sendable (AnswerBody) async throws -> R
    ) async throws(Failure) -> R {
        let pulse = Pulse(request)
        var secrets = OwnSecrets([])
        do {
            let client = try client()
            let message = try message(request)
            secrets = OwnSecrets(OwnSecrets.ofAuthorization(message.headers.first(name: "Authorization")))
            let hidden = secrets
            return try await withThrowingTaskGroup(of: R?.self) { group in
                defer { group.cancelAll() }
                group.addTask {
                    // `Pulse` is quicker.
                    let response = try await client.execute(message, deadline: .now() + .hours(1))
                    return try await self.answer(response, request, pulse, hidden, read)
                }
                group.addTask {
                    try await pulse.watch()
                    return nil
                }
                guard let answer = try await group.next() ?? nil else { throw CancellationError() }
                return answer
            }
        } catch {
            var failure = failure(error, hasBegun: pulse.hasBegun)
            // Some servers show the request that they refuse.
            failure.error = failure.error.mapWords(secrets.replaced)
            throw failure
        }
    }

    private func failure(_ error: any Error, hasBegun: Bool) -> Failure {
        if Task.isCancelled { return Failure(error: .cancelled) }
        switch error {
        case let error as APIError: return Failure(error: error)
        case let error as ObjectError: return Failure(error: .unreadable(error.description))
        case let error as TransportError: return Failure(error: .untrusted(error.description))
        default:
            let failure = TransportFailure(error, settings, inBody: hasBegun)
            guard !failure.isUntrusted else { return Failure(error: .untrusted(failure.description)) }
            return Failure(
                error: .unreachable(failure.description), isLostBeforeHead: failure.isLostConnection && !hasBegun)
        }
    }

    // MARK: Requests

    private func client() throws(TransportError) -> HTTPClient {
        if let client = state.withLock({ $0.client }) { return client }
        let client = try settings.makeClient(on: APIClient.group)
        state.withLock { $0 = State(client: client) }
        return client
    }

    private func message(_ request: APIRequest) throws(APIError) -> HTTPClientRequest {
        var message = HTTPClientRequest(url: settings.requestURL + request.path)
        message.headers.add(name: "Accept", value: request.accept)
        message.headers.add(name: "User-Agent", value: "sluice")
        // The URL may have another host: the name in the certificate, or a proxy that forwards.
        if let target = HTTPTarget(access.server) {
            message.headers.add(name: "Host", value: target.hostHeader)
        }
        switch access.credentials {
        case .none, .certificate: break
        case .token(let token): message.headers.add(name: "Authorization", value: "Bearer \(token)")
        case .tokenFile:
            do throws(TransportError) {
                guard let token = try tokenFile?.token() else { break }
                message.headers.add(name: "Authorization", value: "Bearer \(token)")
            } catch {
                throw .unauthorized(error.description)
            }
        }
        return message
    }

    // MARK: Answers

    private func answer<R>(
        _ response: HTTPClientResponse, _ request: APIRequest, _ pulse: Pulse, _ secrets: OwnSecrets,
        _ read: @Sendable (AnswerBody) async throws -> R
    ) async throws -> R {
        pulse.begin()
        state.withLock { $0.hasAnswered = true }
        let body = AnswerBody(response.body, pulse)
        guard response.status == .ok else { throw await refusal(response, body, request, secrets) }
        if let type = response.headers.first(name: "Content-Type"), !type.lowercased().contains("json") {
            throw APIError.unreadable(
                "the answer is '\(type.prefix(60))' and not JSON; is \(access.server) the right server?")
        }
        return try await read(body)
    }

    /// What a status other than 200 means.
    private func refusal(
        _ response: HTTPClientResponse, _ body: AnswerBody, _ request: APIRequest, _ secrets: OwnSecrets
    ) async -> APIError {
        let status = await errorStatus(body, response.headers.first(name: "Content-Encoding"), secrets)
        let wait =
            response.headers.first(name: "Retry-After").flatMap { RetryAfter.wait($0, now: SystemClock.realtime) }
            ?? status.retryAfterSeconds.map { min(.seconds(max(0, $0)), RetryAfter.longestWait) }
        switch response.status.code {
        case 300...399:
            let place =
                response.headers.first(name: "Location").map {
                    " to " + AnswerWords.words(ofHeader: $0, hiding: secrets)
                } ?? ""
            return .unreadable(
                "the server redirects\(place), which is not followed; is \(access.server) the right server?")
        case 401: return .unauthorized("the server does not accept \(credentials) (401)")
        case 403: return .forbidden(.init(action: request.action, remedy: request.remedy, message: status.message))
        case 404: return .notFound(status.message)
        case 410: return .gone(status.message)
        case 429: return .throttled(status: 429, after: wait)
        case 500... where wait != nil: return .throttled(status: Int(response.status.code), after: wait)
        default: return .server(status: Int(response.status.code), message: status.message)
        }
    }

    private var credentials: String {
        switch access.credentials {
        case .none: "requests without credentials; none are set for \(access.origin)"
        case .token: "the token of \(access.origin)"
        case .tokenFile(let path): "the token in \(path), of \(access.origin)"
        case .certificate: "the client certificate of \(access.origin)"
        }
    }

    /// What the body says of an error; words of the body itself when it is no `Status`.
    private func errorStatus(_ body: AnswerBody, _ encoding: String?, _ secrets: OwnSecrets) async -> APIStatus {
        // A body that breaks off says nothing, and the status is still what it is.
        guard let text = try? await body.text(limit: APIClient.errorLimit) else { return APIStatus() }
        if let status = try? APIStatus.read(text), !status.message.isEmpty || status.code != 0 { return status }
        var status = APIStatus()
        let beginning = text.span.extracting(first: min(text.count, AnswerWords.enough))
        status.message = AnswerWords.words(
            of: beginning.indices.map { beginning[$0] }, isCut: text.count > AnswerWords.enough, encoding: encoding,
            limit: 300, hiding: secrets)
        return status
    }
}
