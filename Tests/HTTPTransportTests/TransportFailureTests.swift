// Failures in words, with the names that the operator knows the settings by.
import AsyncHTTPClient
import HTTPTestKit
import HTTPTransport
import NIOCore
import NIOHTTP1
import NIOSSL
import TestKit
import Testing

@Suite(.timeLimit(.minutes(1))) struct `Failures of connections` {
    /// Settings whose names are none of the output `http`.
    private var settings: TransportSettings {
        TransportSettings(url: "https://server:6443").with {
            $0.names.authority = "AUTHORITY"
            $0.names.certificate = "CERTIFICATE"
            $0.names.key = "KEY"
            $0.names.serverName = "SERVER-NAME"
            $0.names.connect = "CONNECT"
            $0.names.tls = "TLS"
            $0.names.silence = "SILENCE"
            $0.names.whole = "WHOLE"
            $0.connect = .milliseconds(1500)
            $0.tls = .seconds(10)
            $0.silence = .seconds(5400)
            $0.whole = .seconds(90_061)
        }
    }

    @Test(
        arguments: [
            (.connectTimeout, "no connection within CONNECT (1s500ms)"),
            (.tlsHandshakeTimeout, "no secured connection within CONNECT and TLS (1s500ms and 10s)"),
            (.readTimeout, "no answer within SILENCE (1h30m)"),
            (.writeTimeout, "the server took nothing of the body for SILENCE (1h30m)"),
            (.deadlineExceeded, "not done within WHOLE (1d1h1m1s)"),
        ] as [(HTTPClientError, String)])
    func `times are told with the names of their settings`(error: HTTPClientError, words: String) {
        #expect(TransportFailure(error, settings).description == words)
    }

    @Test(arguments: [(0, "0s"), (999_999, "0s"), (50_000_000, "50ms"), (120_000_000_000, "2m")] as [(Int, String)])
    func `times are told as they are written`(nanoseconds: Int, words: String) {
        let settings = settings.with { $0.connect = .nanoseconds(nanoseconds) }
        #expect(
            TransportFailure(HTTPClientError.connectTimeout, settings).description
                == "no connection within CONNECT (\(words))")
    }

    @Test func `while a body is read, words and losses are other ones`() {
        let silent = TransportFailure(HTTPClientError.readTimeout, settings, inBody: true)
        #expect(silent.description == "nothing more of the answer within SILENCE (1h30m)" && !silent.isLostConnection)
        let brokenOff = TransportFailure(HTTPParserError.invalidEOFState, settings, inBody: true)
        #expect(brokenOff.description == "the connection broke off in the middle of the answer")
        #expect(brokenOff.isLostConnection)
        let garbage = TransportFailure(HTTPParserError.invalidChunkSize, settings, inBody: true)
        #expect(garbage.description == "the server's answer is not HTTP" && !garbage.isLostConnection)
    }

    @Test func `a certificate for another name is not trusted, and the setting for it is named`() {
        let failure = TransportFailure(NIOSSLExtraError.failedToValidateHostname, settings)
        #expect(failure.isUntrusted && !failure.isLostConnection)
        #expect(
            failure.description
                == "the server's certificate is for another name than server; SERVER-NAME says which one to expect")
        let named = TransportFailure(
            NIOSSLExtraError.failedToValidateHostname, settings.with { $0.serverName = "kubernetes" })
        #expect(named.description.contains("another name than kubernetes;"))
    }

    @Test(
        arguments: [
            (HTTPClientError.remoteConnectionClosed, true), (HTTPClientError.uncleanShutdown, true),
            (IOError(errnoCode: 104, reason: "read"), true), (IOError(errnoCode: 32, reason: "write"), true),
            (ChannelError.ioOnClosedChannel, true), (NIOSSLError.uncleanShutdown, true),
            (IOError(errnoCode: 111, reason: "connect"), false), (HTTPClientError.readTimeout, false),
            (CancellationError(), false),
        ] as [(any Error, Bool)])
    func `a lost connection is told from one that never was`(error: any Error, isLost: Bool) {
        let failure = TransportFailure(error, settings)
        #expect(failure.isLostConnection == isLost && !failure.isUntrusted)
    }

    @Test func `a server that shows a certificate of strangers, an old one or one for another name is untrusted`()
        async throws
    {
        let scratch = try ScratchDirectory()
        let authority = try TestCertificates(in: scratch.path)
        let stranger = try TestCertificates(in: scratch.path, name: "stranger")
        let notTrusted =
            "the server's certificate is not trusted: it has expired, or it is not from an authority of AUTHORITY or of this system"
        let cases = [
            (try stranger.server("other"), notTrusted), (try authority.expiredServer(), notTrusted),
            (
                try authority.server("elsewhere", dns: ["elsewhere"], ip: []),
                "the server's certificate is for another name than localhost; SERVER-NAME says which one to expect"
            ),
        ]
        for (identity, words) in cases {
            let server = try await ScriptedServer(tls: try identity.serverTLS()) { _ in .status(200) }
            let settings = settings.with {
                $0.url = "https://localhost:\(server.port)"
                $0.authority = .file(authority.authority.certificate)
            }
            let failure = try await settings.failure()
            #expect(failure?.isUntrusted == true && failure?.description == words)
            #expect(try await settings.with { $0.skipsVerification = true }.failure() == nil)
            await server.stop()
        }
    }

    @Test func `other failures to secure a connection say nothing about trust`() async throws {
        let plain = try await ScriptedServer { _ in .status(200) }
        let failure = try await settings.with { $0.url = "https://localhost:\(plain.port)" }.failure()
        #expect(failure != nil && failure?.isUntrusted == false, "\(String(describing: failure))")
        await plain.stop()

        let scratch = try ScratchDirectory()
        let authority = try TestCertificates(in: scratch.path)
        let tls = try authority.server().serverTLS(onlyClientsOf: authority.authority)
        let server = try await ScriptedServer(tls: tls) { _ in .status(200) }
        let shy = settings.with {
            $0.url = "https://localhost:\(server.port)"
            $0.authority = .file(authority.authority.certificate)
        }
        let refused = try await shy.failure()
        #expect(refused != nil && refused?.isUntrusted == false, "\(String(describing: refused))")
        let stranger = try TestCertificates(in: scratch.path, name: "stranger").client()
        let unknown = try await shy.with {
            $0.certificate = .file(stranger.certificate)
            $0.key = .file(stranger.key)
        }.failure()
        #expect(unknown != nil && unknown?.isUntrusted == false, "\(String(describing: unknown))")
        await server.stop()
    }
}
