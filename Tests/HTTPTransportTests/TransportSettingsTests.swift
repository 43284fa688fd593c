// Making clients: certificates from files and from texts, and the words for those that cannot be used.
import HTTPTestKit
import HTTPTransport
import NIOPosix
import TestKit
import Testing

@Suite(.timeLimit(.minutes(1))) struct `Settings of a connection` {
    let scratch: ScratchDirectory

    init() throws { scratch = try ScratchDirectory() }

    private func text(_ path: String) throws -> PEMSource { .text(try ScratchDirectory.contents(of: path)) }

    /// What keeps a client from being made.
    private func error(_ change: (inout TransportSettings) -> Void) -> String? {
        let settings = TransportSettings(url: "https://localhost").with(change)
        let error = #expect(throws: TransportError.self) {
            try settings.makeClient(on: MultiThreadedEventLoopGroup.singleton)
        }
        return error?.description
    }

    @Test(arguments: [false, true])
    func `authority, certificate and key may be files or texts`(asText: Bool) async throws {
        let authority = try TestCertificates(in: scratch.path)
        let client = try authority.client()
        func source(_ path: String) throws -> PEMSource { asText ? try text(path) : .file(path) }
        let tls = try authority.server().serverTLS(onlyClientsOf: authority.authority)
        let server = try await ScriptedServer(tls: tls) { _ in .status(200) }
        var settings = TransportSettings.loopback(server.port, scheme: "https")
        settings.authority = try source(authority.authority.certificate)
        #expect(try await settings.failure() != nil, "the server wants a certificate")
        settings.certificate = try source(client.certificate)
        settings.key = try source(client.key)
        let failure = try await settings.failure()
        #expect(failure == nil, "\(String(describing: failure))")
        await server.stop()
    }

    @Test func `several authorities in one text count, each`() async throws {
        let (one, two) = (
            try TestCertificates(in: scratch.path), try TestCertificates(in: scratch.path, name: "two")
        )
        let both = try [one, two].flatMap { try ScratchDirectory.contents(of: $0.authority.certificate) }
        for authority in [one, two] {
            let server = try await ScriptedServer(tls: try authority.server().serverTLS()) { _ in .status(200) }
            let settings = TransportSettings.loopback(server.port, scheme: "https").with { $0.authority = .text(both) }
            #expect(try await settings.failure() == nil)
            await server.stop()
        }
    }

    @Test func `a server may be reached by an address and be known by a name`() async throws {
        let authority = try TestCertificates(in: scratch.path)
        let identity = try authority.server(dns: ["kubernetes.default.svc"], ip: [])
        let server = try await ScriptedServer(tls: try identity.serverTLS()) { _ in .status(200) }
        var settings = TransportSettings(url: "https://127.0.0.1:\(server.port)")
        #expect(settings.requestURL == settings.url)
        settings.authority = .file(authority.authority.certificate)
        #expect(try await settings.failure()?.isUntrusted == true)
        settings.serverName = "kubernetes.default.svc"
        #expect(settings.requestURL == "https://kubernetes.default.svc:\(server.port)")
        #expect(try await settings.failure() == nil)
        await server.stop()
    }

    @Test func `a certificate for an address is enough for that address`() async throws {
        let authority = try TestCertificates(in: scratch.path)
        let identity = try authority.server(dns: [], ip: ["127.0.0.1"])
        let server = try await ScriptedServer(tls: try identity.serverTLS()) { _ in .status(200) }
        var settings = TransportSettings(url: "https://127.0.0.1:\(server.port)")
        settings.authority = .file(authority.authority.certificate)
        #expect(try await settings.failure() == nil)
        await server.stop()
    }

    // MARK: What cannot be used

    @Test(arguments: ["", "no certificate\n", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"])
    func `what is no certificate is an error that names the setting, and the file but never a text`(
        contents: String
    ) throws {
        let path = try scratch.write("wrong.pem", contents)
        let nothing = "holds nothing of this kind in PEM format"
        #expect(error { $0.authority = .file(path) } == "tls.ca_file: \(path) \(nothing)")
        let wrong = PEMSource.text(Array(contents.utf8))
        #expect(error { $0.authority = wrong } == "tls.ca_file: the text \(nothing)")
        #expect(
            error {
                $0.authority = wrong
                $0.names.authority = "certificate-authority-data"
            } == "certificate-authority-data: the text \(nothing)")

        let authority = try TestCertificates(in: scratch.path)
        let client = try authority.client()
        #expect(
            error {
                $0.certificate = wrong
                $0.key = .file(client.key)
                $0.names.certificate = "client-certificate-data"
            } == "client-certificate-data: the text \(nothing)")
        #expect(
            error {
                $0.certificate = .file(client.certificate)
                $0.key = wrong
                $0.names.key = "client-key-data"
            } == "client-key-data: the text \(nothing)")
        #expect(
            error {
                $0.certificate = .file(client.certificate)
                $0.key = .file(path)
            } == "tls.key_file: \(path) \(nothing)")
    }

    @Test func `a file that is not there is named, with its setting`() {
        #expect(
            error {
                $0.authority = .file("/not/there.pem")
                $0.names.authority = "certificate-authority"
            } == "certificate-authority: cannot open /not/there.pem: No such file or directory")
    }

    @Test func `a key must be that of the certificate, and neither comes alone`() throws {
        let authority = try TestCertificates(in: scratch.path)
        let (one, two) = (try authority.client("one"), try authority.client("two"))
        #expect(
            error {
                $0.certificate = .file(one.certificate)
                $0.key = .file(two.key)
            } == "tls.key_file: \(two.key) is not the key of the certificate in \(one.certificate)")
        let (certificate, key) = (try text(one.certificate), try text(two.key))
        #expect(
            error {
                $0.certificate = certificate
                $0.key = key
                $0.names.certificate = "client-certificate-data"
                $0.names.key = "client-key-data"
            } == "client-key-data: the text is not the key of the certificate in client-certificate-data")
        #expect(error { $0.certificate = certificate } == "tls.key_file: missing, a client certificate needs its key")
        #expect(error { $0.key = key } == "tls.cert_file: missing, a key needs its certificate")
    }
}
