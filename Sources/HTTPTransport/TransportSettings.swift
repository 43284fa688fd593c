// How a web server is reached: what its callers set, each from a configuration of its own.
private import Disk

/// How one server is reached.
package struct TransportSettings: Hashable, Sendable {
    /// Where it is: scheme, host and port count; a path does no harm.
    package var url: String
    /// Whose certificates are trusted; nil for those that the system trusts.
    package var authority: PEMSource?
    /// The certificate to show to the server. It comes with its key or not at all.
    package var certificate: PEMSource?
    /// The key of the certificate.
    package var key: PEMSource?
    /// The name that is expected in the server's certificate, when it is not the one in the URL. Requests then go to `requestURL`.
    package var serverName: String?
    /// Any certificate is taken for right.
    package var skipsVerification = false
    /// How long it may take until there is a connection, the name looked up.
    package var connect: Duration = .seconds(10)
    /// So much longer when it is to be secured.
    package var tls: Duration = .seconds(10)
    /// How long the server may be silent: neither taking a body nor sending one.
    package var silence: Duration = .seconds(30)
    /// How long a request may take in all. It is for the callers to keep, as the deadline of each request.
    package var whole: Duration = .seconds(120)
    /// How many connections are kept at a time.
    package var connections = 1
    /// What the operator calls all this.
    package var names = SettingNames()
    /// The variables that name proxies and authorities; nil for those of this process.
    package var environment: [String: String]?

    /// Creates the settings for a server that is reached without further ado.
    package init(url: String) { self.url = url }

    /// The URL to send requests to. Its host may be another than that of `url`: the name that the certificate must have, while the
    /// client connects to the one in `url` nevertheless; or the proxy that forwards the requests. So the header Host of a request
    /// has to be set to `HTTPTarget.hostHeader` of `url`.
    package var requestURL: String {
        guard let target = HTTPTarget(url) else { return url }
        if let proxy = forwardingProxy { return target.replacing(host: proxy.host, port: proxy.port) }
        return nameToAskFor.map { target.replacing(host: $0) } ?? url
    }

    /// The name to ask the server for (SNI), where it is not the host of `url` as it stands there: a dot at the end does not
    /// belong to it. An address is never asked for.
    var nameToAskFor: String? {
        guard isSecured, let target = HTTPTarget(url) else { return nil }
        let host = serverName ?? target.host
        guard case .name = ServerIdentity(host: host) else { return nil }
        let name = host.hasSuffix(".") ? String(host.dropLast()) : host
        return name == target.host || name.isEmpty ? nil : name
    }

    /// The proxy of the environment; nil to connect directly.
    var proxy: Proxy? {
        get throws(TransportError) { try ProxyEnvironment.proxy(for: url, environment: variable) }
    }

    /// A variable of the environment.
    func variable(_ name: String) -> String? {
        if let environment { environment[name] } else { Machine.environment(name) }
    }

    /// Whether connections are secured.
    var isSecured: Bool { url.lowercased().hasPrefix("https") }
}

/// What an operator calls the settings of a connection, for messages. Where nothing else is said, they are those of the output `http`.
package struct SettingNames: Hashable, Sendable {
    /// The authorities that are trusted.
    package var authority = "tls.ca_file"
    /// The certificate of ours.
    package var certificate = "tls.cert_file"
    /// Its key.
    package var key = "tls.key_file"
    /// The name in the server's certificate.
    package var serverName = "tls.server_name"
    /// The time for a connection.
    package var connect = "timeouts.connect"
    /// The time to secure it.
    package var tls = "timeouts.tls"
    /// The time that the server may be silent.
    package var silence = "timeouts.response"
    /// The time for all of a request.
    package var whole = "timeouts.whole"

    /// Creates the names of the output `http`.
    package init() {}
}
