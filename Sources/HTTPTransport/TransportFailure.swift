// Why there was no answer, in words for an operator.
import AsyncHTTPClient
private import Disk
private import NIOCore
private import NIOHTTP1
private import NIOPosix
import NIOSSL

/// A request without an answer.
package struct TransportFailure: Error, CustomStringConvertible {
    /// What happened, in an operator's words: no names or places of the libraries' sources.
    package let description: String
    /// There was a connection, and then there was none.
    package let isLostConnection: Bool
    /// The server's certificate is from nobody we trust, has expired, or is for another name: reading the authorities again may help.
    package let isUntrusted: Bool

    /// Finds words for what a client has thrown.
    /// - Parameters:
    ///   - settings: those that the client was made with.
    ///   - inBody: the head of the answer had come, and its body was being read.
    package init(_ error: any Error, _ settings: TransportSettings, inBody: Bool = false) {
        let isBrokenOff = inBody && Self.isBrokenOff(error)
        isLostConnection = isBrokenOff || Self.isLost(error)
        isUntrusted = Self.isUntrusted(error)
        let isProxied = (try? settings.proxy) != nil
        let words =
            if isBrokenOff {
                "the connection broke off in the middle of the answer"
            } else if inBody, case .readTimeout? = error as? HTTPClientError {
                "nothing more of the answer within \(settings.names.silence) (\(settings.silence.words))"
            } else {
                Self.words(error, settings)
            }
        description = words + (isProxied ? " (by the proxy of the environment)" : "")
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

    /// Whether the end of a connection was not the end of a body.
    private static func isBrokenOff(_ error: any Error) -> Bool {
        switch error {
        case let error as HTTPParserError: error == .invalidEOFState
        case let error as HTTPClientError: error == .remoteConnectionClosed
        default: false
        }
    }

    private static func isUntrusted(_ error: any Error) -> Bool {
        switch error {
        case let error as NIOSSLExtraError: error == .failedToValidateHostname
        case is ServerIdentityFault: true
        case NIOSSLError.handshakeFailed(let error): "\(error)".contains(verifyFailed)
        case let error as BoringSSLError: "\(error)".contains(verifyFailed)
        default: false
        }
    }

    private static func words(_ error: any Error, _ settings: TransportSettings) -> String {
        switch error {
        case let error as HTTPClientError: words(error, settings)
        case let error as NIOConnectionError: words(error)
        case let error as IOError: words(error, settings)
        case is SocketAddressError: "the server's name cannot be looked up"
        case is NIOSSLExtraError: words(.otherName, settings)
        case let error as ServerIdentityFault: words(error, settings)
        case let error as AnswerFault: error.words
        case let error as NIOSSLError: words(error, settings.names)
        case let error as BoringSSLError: secured(error, settings.names)
        case is HTTPParserError: "the server's answer is not HTTP"
        default: "\(error)"
        }
    }

    private static func words(_ error: HTTPClientError, _ settings: TransportSettings) -> String {
        let names = settings.names
        return switch error {
        case .connectTimeout: "no connection within \(names.connect) (\(settings.connect.words))"
        case .tlsHandshakeTimeout:
            "no secured connection within \(names.connect) and \(names.tls) (\(settings.connect.words) and \(settings.tls.words))"
        case .readTimeout: "no answer within \(names.silence) (\(settings.silence.words))"
        case .writeTimeout: "the server took nothing of the body for \(names.silence) (\(settings.silence.words))"
        case .deadlineExceeded: "not done within \(names.whole) (\(settings.whole.words))"
        case .remoteConnectionClosed: "the server closed the connection before it answered"
        case .proxyAuthenticationRequired: "the proxy wants a user name and a password"
        case .invalidProxyResponse: "the proxy refuses the connection"
        case .cancelled: "cancelled"
        default: error.shortDescription
        }
    }

    private static func words(_ fault: ServerIdentityFault, _ settings: TransportSettings) -> String {
        let host = settings.serverName ?? HTTPTarget(settings.url)?.host ?? ""
        return switch fault {
        case .otherName:
            "the server's certificate is for another name than \(host); \(settings.names.serverName) says which one to expect"
        case .noNames:
            "the server's certificate has no subject alternative name, so it is not for \(host): the common name is not looked at"
        case .noCertificate: "the server has no certificate"
        }
    }

    /// Codes that come before there is a connection.
    private static let notConnected: Set<CInt> = [ECONNREFUSED, EHOSTUNREACH, ENETUNREACH, ETIMEDOUT, EADDRNOTAVAIL]

    private static func words(_ error: IOError, _ settings: TransportSettings) -> String {
        let reason = DiskError.words(error.errnoCode)
        guard notConnected.contains(error.errnoCode), let target = HTTPTarget(settings.url) else {
            return "the connection broke: \(reason)"
        }
        let (host, port) = (try? settings.proxy).map { ($0.host, $0.port) } ?? (target.host, target.port)
        return "cannot connect to \(host):\(port): \(reason)"
    }

    private static func words(_ error: NIOConnectionError) -> String {
        let place = "\(error.host):\(error.port)"
        if let reason = error.connectionErrors.last?.error {
            return
                "cannot connect to \(place): \((reason as? IOError).map { DiskError.words($0.errnoCode) } ?? "\(reason)")"
        }
        return "the name \(error.host) cannot be looked up"
    }

    private static func words(_ error: NIOSSLError, _ names: SettingNames) -> String {
        switch error {
        case .handshakeFailed(let reason): secured(reason, names)
        case .uncleanShutdown: "the secured connection broke"
        default: "no secured connection: \(error)"
        }
    }

    /// What the library's error holds when the server's certificate does not please.
    private static let verifyFailed = "CERTIFICATE_VERIFY_FAILED"

    private static let oldTLS = "the server speaks TLS 1.1 at the most, and 1.2 is the least that is safe"

    /// The library's errors hold names of its own, and the places in its sources where they arose.
    private static func secured(_ error: BoringSSLError, _ names: SettingNames) -> String {
        let text = "\(error)"
        let known = [
            (
                verifyFailed,
                "the server's certificate is not trusted: it has expired, or it is not from an authority of \(names.authority) or of this system"
            ),
            ("WRONG_VERSION_NUMBER", "the server does not speak TLS on this port"),
            ("CERTIFICATE_REQUIRED", "the server asks for a certificate: set \(names.certificate) and \(names.key)"),
            ("UNSUPPORTED_PROTOCOL", oldTLS), ("ALERT_PROTOCOL_VERSION", oldTLS),
            ("UNKNOWN_CA", "the server does not trust the certificate of \(names.certificate)"),
        ]
        if let words = known.first(where: { text.contains($0.0) })?.1 { return words }
        let names = text.matches(of: /OPENSSL_internal:(\w+)/).map { String($0.output.1) }
        return "no secured connection: " + (names.isEmpty ? "it broke off" : names.joined(separator: ", "))
    }
}

extension Duration {
    /// The way an operator writes it: `1h30m`, `250ms`, `0s`; what is shorter than a millisecond is left out.
    fileprivate var words: String {
        let units = [("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1000), ("ms", 1)] as [(String, Int64)]
        var rest = components.seconds * 1000 + components.attoseconds / 1_000_000_000_000_000
        var text = ""
        for (name, milliseconds) in units where rest >= milliseconds {
            text += "\(rest / milliseconds)\(name)"
            rest %= milliseconds
        }
        return text.isEmpty ? "0s" : text
    }
}
