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
        configuration.proxy = try ProxyEnvironment.proxy(for: url)
        if isSecured { configuration.tlsConfiguration = try tlsConfiguration() }
        if let serverName, let host = HTTPTarget(url)?.host { configuration.dnsOverride = [serverName: host] }
        return HTTPClient(eventLoopGroupProvider: .shared(group), configuration: configuration)
    }

    private func tlsConfiguration() throws(TransportError) -> TLSConfiguration {
        var configuration = TLSConfiguration.makeClientConfiguration()
        // A server that does not say goodbye, as one that hangs, must not hold up the end.
        configuration.shutdownTimeout = .milliseconds(200)
        if skipsVerification { configuration.certificateVerification = .none }
        if let authority { configuration.trustRoots = .certificates(try authority.certificates(names.authority)) }
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
