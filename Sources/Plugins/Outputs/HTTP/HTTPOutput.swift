// Output `http`: sends requests to a web server, one answer for each. What an answer means is docs/delivery.md.
import AsyncHTTPClient
import Disk
import HTTPTransport
import NIOCore
import NIOHTTP1
package import Pipeline
import Telemetry

/// Sends records over HTTP.
package final class HTTPOutput: ConcurrentOutput {
    package static let name = "http"

    package struct Settings: PluginSettings {
        let http: HTTPSettings

        package init(from fields: inout Fields) { http = HTTPSettings(from: &fields) }
    }

    private let settings: HTTPSettings
    private let transport: TransportSettings
    private let context: PluginContext
    private let connections: HTTPConnections
    private let credentials: HTTPCredentials
    private let bodies: HTTPBody
    private let url: String
    /// For log lines: a URL's query may hold a token.
    private let server: String
    /// The headers that are the same for every request.
    private let headers: HTTPHeaders
    /// What a server must not tell our log, beside tokens that change.
    private let secrets: OwnSecrets

    package init(_ settings: Settings, context: PluginContext) throws(PluginError) {
        let http = settings.http
        guard let target = HTTPTarget(http.url) else {
            throw .unusable("'url' is not the address of a web server")
        }
        self.settings = http
        self.context = context
        transport = http.transport
        connections = try HTTPConnections(
            transport, renew: http.timeouts.renew, output: context.name, telemetry: context.telemetry)
        credentials = HTTPCredentials(http.auth)
        bodies = HTTPBody(http.format, http.compression)
        var headers = HTTPHeaders()
        headers.add(name: "Content-Type", value: bodies.contentType)
        headers.add(name: "User-Agent", value: "sluice")
        if http.compression == .gzip { headers.add(name: "Content-Encoding", value: "gzip") }
        // The certificate's name may be another than the address; the server is still asked for by its address.
        headers.add(name: "Host", value: target.hostHeader)
        for (name, value) in http.headers { headers.replaceOrAdd(name: name, value: value) }
        self.headers = headers
        url = transport.requestURL
        secrets = http.secrets
        server = "\(target.scheme)://\(target.hostHeader)"
    }

    package var concurrency: Int { settings.concurrency }
    package var measure: RequestMeasure { settings.compression == .gzip ? .compressed : .text }
    package var state: [UInt8] { [] }

    package func findings() -> [String] {
        do throws(DeliveryFailure) {
            _ = try credentials.header()
            return []
        } catch {
            return [error.reason]
        }
    }

    package func open(state: [UInt8]) async throws(DeliveryFailure) {
        if settings.tls.insecureSkipVerify {
            context.telemetry.tell(HTTPOutputEvent.insecure(output: context.name, server: server))
        }
    }

    package func send(_ request: borrowing Request) async throws(DeliveryFailure) {
        var message = HTTPClientRequest(url: url)
        message.method = settings.method.method
        message.headers = headers
        message.headers.add(name: "Idempotency-Key", value: request.key)
        if let header = try credentials.header() { message.headers.replaceOrAdd(name: "Authorization", value: header) }
        let body = bodies.make(request)
        defer { bodies.giveBack(body) }

        let answer: HTTPAnswer
        do throws(TransportFailure) {
            answer = try await exchange(message, body)
        } catch {
            throw DeliveryFailure(error.description)
        }
        try answer.check(now: SystemClock.realtime)
    }

    package func close() async { await connections.close() }

    /// Sends and reads the answer.
    private func exchange(_ message: HTTPClientRequest, _ body: ByteBuffer) async throws(TransportFailure) -> HTTPAnswer
    {
        let lease = connections.lease()
        let mayHaveIdled = connections.mayHaveIdled(lease)
        var outcome = await attempt(message, body, lease.client)
        // A connection that the server closed while it lay idle is no failure: the request goes out once more, over a new one.
        if case .failure(let failure) = outcome, failure.isLostConnection, mayHaveIdled, !Task.isCancelled {
            context.telemetry.tell(HTTPOutputEvent.reconnected(output: context.name, reason: failure.description))
            outcome = await attempt(message, body, lease.client)
        }
        let answered = if case .success = outcome { true } else { false }
        await connections.giveBack(lease, answered: answered)
        return try outcome.get()
    }

    private func attempt(
        _ message: HTTPClientRequest, _ body: ByteBuffer, _ client: HTTPClient
    ) async -> Result<HTTPAnswer, TransportFailure> {
        var message = message
        // In slices, each of which has the time limit for itself: as one piece, a large body would have it for the whole upload.
        message.body = .stream(HTTPBody.Slices(body), length: .known(Int64(body.readableBytes)))
        let deadline = NIODeadline.now() + .nanoseconds(Int64(settings.timeouts.whole.nanoseconds))
        do {
            let response = try await client.execute(message, deadline: deadline)
            let body = await HTTPAnswerBody.read(response.body, until: deadline)
            let secrets = secrets.adding(OwnSecrets.ofAuthorization(message.headers.first(name: "Authorization")))
            return .success(answer(response, body, secrets))
        } catch {
            return .failure(TransportFailure(error, transport))
        }
    }

    private func answer(
        _ response: HTTPClientResponse, _ body: HTTPAnswerBody, _ secrets: OwnSecrets
    ) -> HTTPAnswer {
        let location = (300..<400).contains(response.status.code) ? response.headers.first(name: "Location") : nil
        return HTTPAnswer(
            status: Int(response.status.code), reason: response.status.reasonPhrase,
            retryAfter: response.headers.first(name: "Retry-After"),
            location: location.map { AnswerWords.words(ofHeader: $0, hiding: secrets) },
            words: AnswerWords.words(
                of: body.beginning, isCut: body.isCut, encoding: response.headers.first(name: "Content-Encoding"),
                limit: HTTPAnswer.wordsLimit, hiding: secrets),
            breakOff: body.breakOff.map { TransportFailure($0, transport, inBody: true).description })
    }
}
