// What the tests of connections share.
import AsyncHTTPClient
import HTTPTransport
import NIOCore
import NIOPosix

extension TransportSettings {
    /// The settings for a server on this machine.
    static func loopback(_ port: Int, scheme: String = "http") -> TransportSettings {
        TransportSettings(url: "\(scheme)://localhost:\(port)")
    }

    /// The same with a change.
    func with(_ change: (inout TransportSettings) -> Void) -> TransportSettings {
        var settings = self
        change(&settings)
        return settings
    }

    /// Lends a client.
    func withClient<Result>(_ body: (HTTPClient) async throws -> Result) async throws -> Result {
        let client = try makeClient(on: MultiThreadedEventLoopGroup.singleton)
        do {
            let result = try await body(client)
            try await client.shutdown()
            return result
        } catch {
            try? await client.shutdown()
            throw error
        }
    }

    /// Asks for a page; nil when there was an answer, whatever it said.
    func failure() async throws -> TransportFailure? {
        try await withClient { client in
            do {
                let request = HTTPClientRequest(url: requestURL)
                let response = try await client.execute(request, deadline: .now() + TimeAmount(whole))
                _ = try await response.body.collect(upTo: 1 << 20)
                return nil
            } catch {
                return TransportFailure(error, self)
            }
        }
    }
}
