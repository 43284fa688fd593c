// Whose certificate is taken for the server's: names are proven by names, addresses by addresses.
import Disk
import HTTPTestKit
import HTTPTransport
import NIOSSL
import TestKit
import Testing

@Suite(.timeLimit(.minutes(1))) struct `The server's identity` {
    let scratch: ScratchDirectory
    let authority: TestCertificates

    init() throws {
        scratch = try ScratchDirectory()
        authority = try TestCertificates(in: scratch.path)
    }

    /// Asks a server with a certificate for these names and addresses.
    private func failure(
        dns: [String], ip: [String], _ host: String, name: String? = nil, tunnel: Bool = false
    ) async throws -> TransportFailure? {
        let identity = try authority.server(dns: dns, ip: ip)
        let server = try await ScriptedServer(tls: try identity.serverTLS()) { _ in .status(200) }
        var settings = TransportSettings(url: "https://\(host):\(server.port)")
        settings.authority = .file(authority.authority.certificate)
        settings.serverName = name
        let proxy = tunnel ? try await TunnelProxy(to: server.port) : nil
        if let proxy { settings.environment = ["https_proxy": "http://127.0.0.1:\(proxy.port)"] }
        let failure = try await settings.failure()
        #expect(server.seen.count == (failure == nil ? 1 : 0), "nothing is sent to another one")
        await proxy?.stop()
        await server.stop()
        return failure
    }

    @Test(
        arguments: [
            ("localhost", ["localhost"], [], true),
            ("LOCALHOST", ["LocalHost"], [], true),
            ("localhost", [], ["127.0.0.1"], false),
            ("localhost", ["another.example"], ["127.0.0.1"], false),
            ("localhost", ["*"], [], false),
            ("127.0.0.1", [], ["127.0.0.1"], true),
            ("127.0.0.1", ["127.0.0.1"], [], false),
            ("127.0.0.1", ["localhost"], ["127.0.0.2"], false),
            ("localhost", [], [], false),
        ] as [(String, [String], [String], Bool)])
    func `a name is proven by a name, an address by an address`(
        host: String, dns: [String], ip: [String], isRight: Bool
    ) async throws {
        let failure = try await failure(dns: dns, ip: ip, host)
        #expect((failure == nil) == isRight && failure?.isUntrusted != false, "\(String(describing: failure))")
    }

    @Test(
        arguments: [
            ("logs.example", ["logs.example"], [], true),
            ("logs.example.", ["logs.example"], [], true),
            ("logs.example", [], ["127.0.0.1"], false),
            ("a.logs.example", ["*.logs.example"], [], true),
            ("a.b.logs.example", ["*.logs.example"], [], false),
            ("logs.example", ["*.logs.example"], [], false),
            ("ab.logs.example", ["a*.logs.example"], [], false),
            ("10.9.8.7", [], ["10.9.8.7"], true),
            ("10.9.8.7", [], ["127.0.0.1"], false),
            ("fd00::5", [], ["fd00:0:0:0::5"], true),
        ] as [(String, [String], [String], Bool)])
    func `the name that is set is the one that counts`(
        name: String, dns: [String], ip: [String], isRight: Bool
    ) async throws {
        let failure = try await failure(dns: dns, ip: ip, "127.0.0.1", name: name)
        #expect((failure == nil) == isRight && failure?.isUntrusted != false, "\(String(describing: failure))")
    }

    @Test(
        arguments: [
            ("logs.example", ["logs.example"], [], true),
            ("logs.example", [], ["127.0.0.1"], false),
            ("10.9.8.7", [], ["10.9.8.7"], true),
            ("10.9.8.7", [], ["127.0.0.1"], false),
        ] as [(String, [String], [String], Bool)])
    func `behind a tunnel it is the server that counts, not the proxy`(
        host: String, dns: [String], ip: [String], isRight: Bool
    ) async throws {
        let failure = try await failure(dns: dns, ip: ip, host, tunnel: true)
        #expect((failure == nil) == isRight && failure?.isUntrusted != false, "\(String(describing: failure))")
    }

    @Test func `a certificate without names says so`() async throws {
        let failure = try await failure(dns: [], ip: [], "127.0.0.1")
        #expect(
            failure?.description
                == "the server's certificate has no subject alternative name, so it is not for 127.0.0.1: the common name is not looked at"
        )
    }

    @Test func `TLS 1.1 is not spoken, 1.2 is`() async throws {
        for (version, isRight) in [(TLSVersion.tlsv1, false), (.tlsv11, false), (.tlsv12, true)] {
            var tls = try authority.server().serverTLS()
            tls.minimumTLSVersion = .tlsv1
            tls.maximumTLSVersion = version
            let server = try await ScriptedServer(tls: tls) { _ in .status(200) }
            let settings = TransportSettings.loopback(server.port, scheme: "https").with {
                $0.authority = .file(authority.authority.certificate)
            }
            let failure = try await settings.failure()
            #expect((failure == nil) == isRight)
            if let failure {
                #expect(
                    failure.description == "the server speaks TLS 1.1 at the most, and 1.2 is the least that is safe")
            }
            await server.stop()
        }
    }

    // MARK: Whom the system trusts

    private func failure(_ environment: [String: String], authority file: String? = nil) async throws -> String? {
        let server = try await ScriptedServer(tls: try authority.server().serverTLS()) { _ in .status(200) }
        var settings = TransportSettings.loopback(server.port, scheme: "https")
        settings.environment = environment
        settings.authority = file.map { .file($0) }
        defer { Task { await server.stop() } }
        do {
            return try await settings.failure()?.description
        } catch let error as TransportError {
            return error.description
        }
    }

    @Test func `SSL_CERT_FILE and SSL_CERT_DIR stand for the system's authorities`() async throws {
        let folder = scratch.path("folder")
        try LocalFileSystem().makeFolder(folder)
        try scratch.write("folder/any-name", try ScratchDirectory.contents(of: authority.authority.certificate))
        try scratch.write("folder/notes.txt", "nothing")
        let stranger = try TestCertificates(in: scratch.path, name: "stranger").authority.certificate
        let ours = authority.authority.certificate
        #expect(try await failure([:])?.contains("not trusted") == true)
        #expect(try await failure(["SSL_CERT_FILE": ours]) == nil)
        #expect(try await failure(["SSL_CERT_FILE": stranger])?.contains("not trusted") == true)
        #expect(try await failure(["SSL_CERT_DIR": "/not/there:\(folder)"]) == nil)
        #expect(try await failure(["SSL_CERT_FILE": ours, "SSL_CERT_DIR": "/not/there"]) == nil)
        #expect(try await failure(["SSL_CERT_FILE": ours], authority: stranger)?.contains("not trusted") == true)
        #expect(
            try await failure(["SSL_CERT_FILE": "/not/there.pem"])
                == "SSL_CERT_FILE of the environment: cannot open /not/there.pem: No such file or directory")
    }

    @Test func `a byte order mark before certificates and keys does no harm`() async throws {
        func marked(_ path: String) throws -> String {
            try scratch.write(
                "marked-\(path.split(separator: "/").last ?? "")",
                [0xef, 0xbb, 0xbf] + ScratchDirectory.contents(of: path))
        }
        #expect(try await failure([:], authority: try marked(authority.authority.certificate)) == nil)
        let client = try authority.client()
        let settings = TransportSettings(url: "https://localhost").with {
            $0.certificate = (try? marked(client.certificate)).map { .file($0) }
            $0.key = (try? marked(client.key)).map { .file($0) }
        }
        #expect(settings.certificate != nil && settings.key != nil)
        try await settings.withClient { _ in }
    }
}
