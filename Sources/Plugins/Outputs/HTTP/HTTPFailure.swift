// Why there was no answer, in words for an operator.
import AsyncHTTPClient
import Disk
import NIOCore
import NIOHTTP1
import NIOPosix
import NIOSSL
import Pipeline

/// A request without an answer.
struct HTTPFailure: Error, CustomStringConvertible {
    let description: String
    /// There was a connection, and then there was none.
    let isLostConnection: Bool

    init(_ error: any Error, _ settings: HTTPSettings) {
        isLostConnection = Self.isLost(error)
        let isProxied = (try? ProxyEnvironment.proxy(for: settings.url)) != nil
        description = Self.words(error, settings) + (isProxied ? " (by the proxy of the environment)" : "")
    }

    private static func isLost(_ error: any Error) -> Bool {
        switch error {
        case let error as HTTPClientError: error == .remoteConnectionClosed || error == .uncleanShutdown
        case let error as IOError: [ECONNRESET, EPIPE].contains(error.errnoCode)
        case let error as ChannelError: error == .ioOnClosedChannel || error == .eof || error == .alreadyClosed
        case let error as NIOSSLError: error == .uncleanShutdown
        default: false
        }
    }

    private static func words(_ error: any Error, _ settings: HTTPSettings) -> String {
        switch error {
        case let error as HTTPClientError: words(error, settings)
        case let error as NIOConnectionError: words(error)
        case let error as IOError: words(error, settings)
        case is SocketAddressError: "the server's name cannot be looked up"
        case is NIOSSLExtraError:
            "the server's certificate is for another name than \(settings.tls.serverName ?? HTTPTarget(settings.url)?.host ?? ""); tls.server_name says which one to expect"
        case let error as NIOSSLError: words(error)
        case let error as BoringSSLError: secured(error)
        case is HTTPParserError: "the server's answer is not HTTP"
        default: "\(error)"
        }
    }

    private static func words(_ error: HTTPClientError, _ settings: HTTPSettings) -> String {
        switch error {
        case .connectTimeout: "no connection within timeouts.connect (\(settings.timeouts.connect))"
        case .tlsHandshakeTimeout:
            "no secured connection within timeouts.connect and timeouts.tls (\(settings.timeouts.connect) and \(settings.timeouts.tls))"
        case .readTimeout: "no answer within timeouts.response (\(settings.timeouts.response))"
        case .writeTimeout: "the server took nothing of the body for timeouts.response (\(settings.timeouts.response))"
        case .deadlineExceeded: "not done within timeouts.whole (\(settings.timeouts.whole))"
        case .remoteConnectionClosed: "the server closed the connection before it answered"
        case .proxyAuthenticationRequired: "the proxy wants a user name and a password"
        case .invalidProxyResponse: "the proxy refuses the connection"
        case .cancelled: "cancelled"
        default: error.shortDescription
        }
    }

    /// Codes that come before there is a connection.
    private static let notConnected: Set<CInt> = [ECONNREFUSED, EHOSTUNREACH, ENETUNREACH, ETIMEDOUT, EADDRNOTAVAIL]

    private static func words(_ error: IOError, _ settings: HTTPSettings) -> String {
        let reason = DiskError.words(error.errnoCode)
        guard notConnected.contains(error.errnoCode), let target = HTTPTarget(settings.url) else {
            return "the connection broke: \(reason)"
        }
        return "cannot connect to \(target.host):\(target.port): \(reason)"
    }

    private static func words(_ error: NIOConnectionError) -> String {
        let place = "\(error.host):\(error.port)"
        if let reason = error.connectionErrors.last?.error {
            return
                "cannot connect to \(place): \((reason as? IOError).map { DiskError.words($0.errnoCode) } ?? "\(reason)")"
        }
        return "the name \(error.host) cannot be looked up"
    }

    private static func words(_ error: NIOSSLError) -> String {
        switch error {
        case .handshakeFailed(let reason): secured(reason)
        case .uncleanShutdown: "the secured connection broke"
        default: "no secured connection: \(error)"
        }
    }

    /// The library's errors hold names of its own, and the places in its sources where they arose.
    private static func secured(_ error: BoringSSLError) -> String {
        let text = "\(error)"
        let known = [
            (
                "CERTIFICATE_VERIFY_FAILED",
                "the server's certificate is not trusted: it has expired, or it is not from an authority of tls.ca_file or of this system"
            ),
            ("WRONG_VERSION_NUMBER", "the server does not speak TLS on this port"),
            ("CERTIFICATE_REQUIRED", "the server asks for a certificate: set tls.cert_file and tls.key_file"),
            ("UNKNOWN_CA", "the server does not trust the certificate of tls.cert_file"),
        ]
        if let words = known.first(where: { text.contains($0.0) })?.1 { return words }
        let names = text.matches(of: /OPENSSL_internal:(\w+)/).map { String($0.output.1) }
        return "no secured connection: " + (names.isEmpty ? "it broke off" : names.joined(separator: ", "))
    }
}
