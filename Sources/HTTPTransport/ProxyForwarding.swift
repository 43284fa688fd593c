// Requests for http:// through an HTTP proxy: the proxy is asked for the whole address and forwards the request (RFC 9112,
// 3.2.2). A tunnel would do as well where it is let, but many proxies let CONNECT to port 443 only.
private import AsyncHTTPClient
internal import NIOHTTP1

/// Turns a request to a server into one that a proxy forwards to it.
struct ProxyForwarding: Hashable, Sendable {
    /// `http://logs:8080`, what the path of the request is put behind.
    let origin: String
    /// What the proxy wants to know of us.
    let authorization: String?

    func apply(to head: inout HTTPRequestHead) {
        head.uri = origin + head.uri
        if let authorization { head.headers.replaceOrAdd(name: "Proxy-Authorization", value: authorization) }
    }
}

extension TransportSettings {
    /// The proxy that forwards requests to the server; nil where none does. What is secured goes through a tunnel.
    var forwardingProxy: Proxy? {
        guard !isSecured, let proxy = try? proxy, !proxy.isSOCKS else { return nil }
        return proxy
    }

    /// How requests are changed for the proxy that forwards them; nil without one.
    var forwarding: ProxyForwarding? {
        guard let proxy = forwardingProxy, let target = HTTPTarget(url) else { return nil }
        return ProxyForwarding(
            origin: "\(target.scheme)://\(target.hostHeader)", authorization: proxy.authorization?.headerValue)
    }

    /// What only the proxy of the environment may know of us.
    package var proxySecrets: [String] {
        guard let proxy = try? proxy, proxy.user != nil else { return [] }
        return [proxy.password] + OwnSecrets.ofAuthorization(proxy.authorization?.headerValue)
    }
}
