// From settings to a client that can be used.
package import AsyncHTTPClient
package import NIOCore
private import NIOSSL

extension TransportSettings {
    /// Makes a client: it speaks HTTP/1.1, follows no redirects, leaves bodies as they are, and goes through the proxy of the
    /// environment. It reads the certificates now, so a new client has what was exchanged on disk. To be shut down by the caller.
    /// - Throws: naming the setting, and the file, that cannot be used.
    package func makeClient(on group: any EventLoopGroup) throws(TransportError) -> HTTPClient {
        var configuration = HTTPClient.Configuration()
        configuration.httpVersion = .http1Only
        configuration.redirectConfiguration = .disallow
        configuration.decompression = .disabled
        let silence = TimeAmount(silence)
        configuration.timeout = .init(
            connect: TimeAmount(isSecured ? connect + tls : connect), read: silence, write: silence)
        configuration.connectionPool.retryConnectionEstablishment = false
        configuration.connectionPool.concurrentHTTP1ConnectionsPerHostSoftLimit = connections
        if let proxy = try proxy, forwardingProxy == nil {
            configuration.proxy =
                proxy.isSOCKS
                ? .socksServer(host: proxy.host, port: proxy.port)
                : .server(host: proxy.host, port: proxy.port, authorization: proxy.authorization)
        }
        if isSecured { configuration.tlsConfiguration = try tlsConfiguration() }
        if let nameToAskFor, let host = HTTPTarget(url)?.host { configuration.dnsOverride = [nameToAskFor: host] }
        // Before the first request of each connection, whatever its way; a connection for which it fails is not used.
        configuration.http1_1ConnectionDebugInitializer = { prepare($0) }
        return HTTPClient(eventLoopGroupProvider: .shared(group), configuration: configuration)
    }

    private func tlsConfiguration() throws(TransportError) -> TLSConfiguration {
        var configuration = TLSConfiguration.makeClientConfiguration()
        // A server that does not say goodbye, as one that hangs, must not hold up the end.
        configuration.shutdownTimeout = .milliseconds(200)
        // TLS 1.0 and 1.1 are broken (RFC 8996).
        configuration.minimumTLSVersion = .tlsv12
        switch identity {
        case nil: configuration.certificateVerification = .none
        // The library would look for the peer's address, which may be that of a proxy: `prepare` looks for the right one.
        case .address: configuration.certificateVerification = .noHostnameVerification
        // It takes the peer's address for the name, too: `prepare` looks again.
        case .name: configuration.certificateVerification = .fullVerification
        }
        if let authority {
            configuration.trustRoots = .certificates(try authority.certificates(names.authority))
        } else {
            try SystemAuthorities.apply(to: &configuration, environment: variable)
        }
        switch (certificate, key) {
        case (nil, nil): break
        case (_?, nil): throw TransportError("\(names.key): missing, a client certificate needs its key")
        case (nil, _?): throw TransportError("\(names.certificate): missing, a key needs its certificate")
        case (let certificate?, let key?):
            configuration.certificateChain = try certificate.certificates(names.certificate).map { .certificate($0) }
            configuration.privateKey = .privateKey(try key.privateKey(names.key))
            do {
                _ = try NIOSSLContext(configuration: configuration)
            } catch {
                throw TransportError(
                    "\(names.key): \(key.place(or: "the text")) is not the key of the certificate in \(certificate.place(or: names.certificate))"
                )
            }
        }
        return configuration
    }
}
