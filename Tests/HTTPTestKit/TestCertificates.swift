// Certificates for tests with TLS, made by the program `openssl` (3.0 or later) when a test asks for them.
private import Foundation
package import NIOSSL
private import TestKit

/// A certificate authority in a folder, and the certificates it signs; one with another name is a stranger to it.
///
/// All keys are of the curve P-256, all files are PEM. Each call that makes a certificate makes a new one and replaces
/// what has its name in the folder, so tests in parallel use folders of their own.
package struct TestCertificates: Sendable {
    /// A certificate and its private key, by the paths of their files.
    package struct Identity: Sendable {
        package let certificate: String
        package let key: String
    }

    /// An `openssl` that failed, with what it said.
    package struct Failure: Error, CustomStringConvertible {
        package let description: String
    }

    /// What a certificate is for; the raw value is the section of the configuration that says so.
    private enum Role: String {
        case authority, server, client
    }

    package let folder: String
    package let name: String

    /// Makes the authority.
    ///
    /// - Parameters:
    ///   - folder: a folder that exists.
    ///   - name: the common name, and what the names of the authority's files begin with.
    package init(in folder: String, name: String = "authority") throws {
        self.folder = folder
        self.name = name
        try make(authority, .authority, commonName: name, signed: false)
    }

    /// The authority's own certificate, which those trust who trust it.
    package var authority: Identity { identity(name) }

    /// Makes a certificate for a server that is reached by these names and addresses.
    package func server(
        _ file: String = "server", dns: [String] = ["localhost"], ip: [String] = ["127.0.0.1"]
    ) throws -> Identity {
        let server = identity("\(name)-\(file)")
        try make(server, .server, commonName: file, alternatives: alternatives(dns, ip))
        return server
    }

    /// Makes a certificate for a server that was valid in January 2020 only.
    package func expiredServer(
        _ file: String = "expired", dns: [String] = ["localhost"], ip: [String] = ["127.0.0.1"]
    ) throws -> Identity {
        let server = identity("\(name)-\(file)")
        try makeExpired(server, commonName: file, alternatives: alternatives(dns, ip))
        return server
    }

    /// Makes a certificate a client shows to a server.
    package func client(_ file: String = "client") throws -> Identity {
        let client = identity("\(name)-\(file)")
        try make(client, .client, commonName: file)
        return client
    }

    // MARK: openssl

    private func identity(_ file: String) -> Identity {
        Identity(certificate: "\(folder)/\(file).pem", key: "\(folder)/\(file).key")
    }

    private func alternatives(_ dns: [String], _ ip: [String]) -> [String] {
        dns.map { "DNS:\($0)" } + ip.map { "IP:\($0)" }
    }

    private func make(
        _ made: Identity, _ role: Role, commonName: String, signed: Bool = true, alternatives: [String] = []
    ) throws {
        let signer = signed ? ["-CA", authority.certificate, "-CAkey", authority.key] : []
        try openssl(
            request(made, commonName, alternatives)
                + ["-x509", "-extensions", role.rawValue, "-days", "30", "-out", made.certificate] + signer)
    }

    /// Makes it in two steps, because of the commands of OpenSSL 3.0 only `ca` can set both dates.
    private func makeExpired(_ made: Identity, commonName: String, alternatives: [String]) throws {
        let wish = made.certificate + ".csr"
        let configuration = try self.configuration(made, alternatives)
        try openssl(request(made, commonName, alternatives) + ["-new", "-out", wish])
        try Data().write(to: URL(filePath: made.certificate + ".index"))
        try openssl([
            "ca", "-batch", "-notext", "-config", configuration, "-name", "past", "-extensions", Role.server.rawValue,
            "-cert", authority.certificate, "-keyfile", authority.key, "-in", wish, "-out", made.certificate,
            "-startdate", "20200101000000Z", "-enddate", "20200201000000Z",
        ])
    }

    /// The arguments that make a new key and something with it.
    private func request(_ made: Identity, _ commonName: String, _ alternatives: [String]) throws -> [String] {
        [
            "req", "-batch", "-config", try configuration(made, alternatives), "-subj", "/CN=\(commonName)",
            "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", made.key,
        ]
    }

    /// Writes the configuration file for one certificate and returns its path.
    private func configuration(_ made: Identity, _ alternatives: [String]) throws -> String {
        let names = alternatives.isEmpty ? "" : "subjectAltName = \(alternatives.joined(separator: ", "))"
        let text = """
            [req]
            distinguished_name = subject
            [subject]
            [authority]
            basicConstraints = critical, CA:TRUE
            keyUsage = critical, keyCertSign, cRLSign
            subjectKeyIdentifier = hash
            [server]
            basicConstraints = critical, CA:FALSE
            keyUsage = critical, digitalSignature
            extendedKeyUsage = serverAuth
            \(names)
            [client]
            basicConstraints = critical, CA:FALSE
            keyUsage = critical, digitalSignature
            extendedKeyUsage = clientAuth
            [past]
            database = \(made.certificate).index
            new_certs_dir = \(folder)
            rand_serial = yes
            default_md = sha256
            policy = policy
            [policy]
            commonName = supplied

            """
        let path = made.certificate + ".cnf"
        try Data(text.utf8).write(to: URL(filePath: path))
        return path
    }

    /// Runs `openssl`; what it says comes out only when it fails.
    private func openssl(_ arguments: [String]) throws {
        let openssl = try ChildProcess(["sh", "-c", "exec openssl \"$@\" 2>&1", "sh"] + arguments).finish()
        guard openssl.status == 0 else {
            let said = String(decoding: openssl.output, as: UTF8.self)
            throw Failure(description: "openssl \(arguments.joined(separator: " ")): \(said)")
        }
    }
}

extension TestCertificates.Identity {
    /// Returns what a server with this certificate needs.
    ///
    /// - Parameter authority: whose clients alone are let in; with nil, clients need no certificate. A client of TLS
    ///   1.3 takes the handshake for done before the server has looked at its certificate, so it learns of a refusal
    ///   only when it reads.
    package func serverTLS(onlyClientsOf authority: TestCertificates.Identity? = nil) throws -> TLSConfiguration {
        var configuration = TLSConfiguration.makeServerConfiguration(
            certificateChain: try NIOSSLCertificate.fromPEMFile(certificate).map { .certificate($0) },
            privateKey: .privateKey(try NIOSSLPrivateKey(file: key, format: .pem)))
        if let authority {
            configuration.certificateVerification = .noHostnameVerification
            configuration.trustRoots = .file(authority.certificate)
        }
        return configuration
    }
}
