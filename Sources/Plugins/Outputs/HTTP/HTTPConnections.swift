// The connections of the output `http`: one client at a time, and a new one every few minutes, so that names are looked up
// again and certificates that were exchanged on disk come into use.
import AsyncHTTPClient
import Disk
import NIOCore
import NIOPosix
import NIOSSL
import Pipeline
import Synchronization
import Telemetry

/// Lends clients to requests.
final class HTTPConnections: Sendable {
    /// A client and how many requests use it.
    final class Lease: Sendable {
        let client: HTTPClient
        fileprivate let bornAt = SystemClock.monotonic
        fileprivate let users = Mutex(0)
        fileprivate let hasAnswered = Atomic(false)
        private let isShutDown = Atomic(false)

        fileprivate init(_ client: HTTPClient) { self.client = client }

        /// Ends its connections.
        fileprivate func shutDown() async {
            isShutDown.store(true, ordering: .relaxed)
            try? await client.shutdown()
        }

        // Also where nobody came to close the output: the library insists on it.
        deinit { if !isShutDown.load(ordering: .relaxed) { client.shutdown().whenComplete { _ in } } }
    }

    /// One thread serves the connections of all outputs: they send a few large requests a second.
    private static let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)

    private let settings: HTTPSettings
    private let output: String
    private let telemetry: Telemetry
    private let current: Mutex<Lease>
    /// Exchanged and not yet shut down.
    private let retired = Mutex<[Lease]>([])

    /// Reads the certificates.
    /// - Throws: naming the file that cannot be used.
    init(_ settings: HTTPSettings, output: String, telemetry: Telemetry) throws(PluginError) {
        self.settings = settings
        self.output = output
        self.telemetry = telemetry
        current = Mutex(Lease(try Self.makeClient(settings)))
    }

    /// A client for one request; to be given back.
    func lease() -> Lease {
        let old = current.withLock { lease in
            lease.users.withLock { $0 += 1 }
            return lease
        }
        guard SystemClock.monotonic - old.bornAt > Int64(settings.timeouts.renew.nanoseconds) else { return old }
        do throws(PluginError) {
            let new = Lease(try Self.makeClient(settings))
            new.users.withLock { $0 += 1 }
            let replaced = current.withLock { lease in
                defer { lease = new }
                return lease
            }
            retired.withLock { $0.append(replaced) }
            old.users.withLock { $0 -= 1 }
            return new
        } catch {
            telemetry.tell(HTTPOutputEvent.cannotRenew(output: output, reason: error.description))
            return old
        }
    }

    /// Takes a client back. `answered`: a server has just answered over it.
    func giveBack(_ lease: Lease, answered: Bool) async {
        lease.hasAnswered.store(answered, ordering: .relaxed)
        lease.users.withLock { $0 -= 1 }
        await shutDownRetired()
    }

    /// Whether a failure may only mean that a connection lay idle for too long.
    func mayHaveIdled(_ lease: Lease) -> Bool { lease.hasAnswered.load(ordering: .relaxed) }

    /// Ends all connections; nothing is lent any more.
    func close() async {
        let last = current.withLock { $0 }
        retired.withLock { $0.append(last) }
        await shutDownRetired()
    }

    private func shutDownRetired() async {
        let unused = retired.withLock { retired in
            let unused = retired.filter { $0.users.withLock { $0 == 0 } }
            retired.removeAll { lease in unused.contains { $0 === lease } }
            return unused
        }
        for lease in unused { await lease.shutDown() }
    }

    // MARK: Making a client

    private static func makeClient(_ settings: HTTPSettings) throws(PluginError) -> HTTPClient {
        var configuration = HTTPClient.Configuration()
        configuration.httpVersion = .http1Only
        configuration.redirectConfiguration = .disallow
        configuration.decompression = .disabled
        let isSecured = settings.url.lowercased().hasPrefix("https")
        let connect = settings.timeouts.connect.nanoseconds + (isSecured ? settings.timeouts.tls.nanoseconds : 0)
        let response = TimeAmount.nanoseconds(Int64(settings.timeouts.response.nanoseconds))
        configuration.timeout = .init(connect: .nanoseconds(Int64(connect)), read: response, write: response)
        configuration.connectionPool.retryConnectionEstablishment = false
        configuration.connectionPool.concurrentHTTP1ConnectionsPerHostSoftLimit = settings.concurrency
        configuration.proxy = try ProxyEnvironment.proxy(for: settings.url)
        if isSecured { configuration.tlsConfiguration = try tls(settings.tls) }
        if let name = settings.tls.serverName, let host = HTTPTarget(settings.url)?.host {
            configuration.dnsOverride = [name: host]
        }
        return HTTPClient(eventLoopGroupProvider: .shared(group), configuration: configuration)
    }

    private static func tls(_ settings: HTTPSettings.TLS) throws(PluginError) -> TLSConfiguration {
        var configuration = TLSConfiguration.makeClientConfiguration()
        if settings.insecureSkipVerify { configuration.certificateVerification = .none }
        if let path = settings.caFile {
            let authorities = try read(path, "tls.ca_file") { try NIOSSLCertificate.fromPEMFile(path) }
            configuration.trustRoots = .certificates(authorities)
        }
        if let path = settings.certFile, let keyPath = settings.keyFile {
            let chain = try read(path, "tls.cert_file") { try NIOSSLCertificate.fromPEMFile(path) }
            let key = try read(keyPath, "tls.key_file") { try NIOSSLPrivateKey(file: keyPath, format: .pem) }
            configuration.certificateChain = chain.map { .certificate($0) }
            configuration.privateKey = .privateKey(key)
            do {
                _ = try NIOSSLContext(configuration: configuration)
            } catch {
                throw .unusable("tls.key_file: \(keyPath) is not the key of the certificate in \(path)")
            }
        }
        return configuration
    }

    private static func read<T>(_ path: String, _ setting: String, _ body: () throws -> T) throws(PluginError) -> T {
        do throws(DiskError) {
            // Says why a file cannot be opened; the library would only say that it is no certificate.
            _ = try OwnedFile.open(path, .read)
        } catch {
            throw .unusable("\(setting): \(error.description)")
        }
        do {
            let read = try body()
            if let list = read as? [NIOSSLCertificate], list.isEmpty { throw NIOSSLError.failedToLoadCertificate }
            return read
        } catch {
            throw .unusable("\(setting): \(path) holds nothing of this kind in PEM format")
        }
    }
}
