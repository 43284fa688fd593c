// What is done to each new connection before the first request goes out over it, whatever way it took: directly, through the
// tunnel of a proxy, or to a proxy that forwards.
private import AsyncHTTPClient
internal import NIOCore
private import NIOHTTP1
private import NIOSSL

extension TransportSettings {
    /// Who the server's certificate has to be for; nil when nobody looks.
    var identity: ServerIdentity? {
        guard isSecured, !skipsVerification, let target = HTTPTarget(url) else { return nil }
        return ServerIdentity(host: serverName ?? target.host)
    }

    /// Looks at the server's certificate, and puts a guard between its answers and the client.
    ///
    /// The future fails for a server that is another one; the connection ends then, and nothing was sent over it.
    func prepare(_ channel: any Channel) -> EventLoopFuture<Void> {
        let (isSecured, identity, forwarding) = (isSecured, identity, forwarding)
        return channel.eventLoop.makeCompletedFuture {
            do {
                let pipeline = channel.pipeline.syncOperations
                if isSecured {
                    guard let certificate = try pipeline.nioSSL_peerCertificate() else {
                        throw ServerIdentityFault.noCertificate
                    }
                    try identity?.check(certificate)
                }
                let decoder = try pipeline.handler(type: ByteToMessageHandler<HTTPResponseDecoder>.self)
                try pipeline.addHandler(AnswerGuard(forwarding), position: .after(decoder))
            } catch {
                // Later, when the client knows that there is no connection.
                channel.eventLoop.execute { channel.close(promise: nil) }
                throw error
            }
        }
    }
}
