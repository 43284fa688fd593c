// The proxy that the environment asks for, by the variables that curl and Go's programs read.
package import AsyncHTTPClient
import Disk
private import Foundation

/// A proxy.
package struct Proxy: Hashable, Sendable {
    /// A name or an address, without the brackets of an IPv6 address.
    package let host: String
    /// The one that was written, or the one that goes without saying.
    package let port: Int
    /// Whether it speaks SOCKS5 instead of HTTP.
    package let isSOCKS: Bool
    /// Who we are to it; nil when it does not ask.
    let user: String?
    let password: String

    /// What it wants to know of us.
    package var authorization: HTTPClient.Authorization? { user.map { .basic(username: $0, password: password) } }
}

/// Reads HTTP_PROXY, HTTPS_PROXY, ALL_PROXY and NO_PROXY. Names in lower case come first; HTTP_PROXY in capitals is read too:
/// the danger it has for CGI programs is not ours.
package enum ProxyEnvironment {
    /// The proxy for a URL; nil to connect directly.
    /// - Throws: for a proxy that cannot be used.
    package static func proxy(
        for url: String, environment: (String) -> String? = Machine.environment
    ) throws(TransportError) -> Proxy? {
        guard let target = HTTPTarget(url) else { return nil }
        func variable(_ name: String) -> String? {
            let value = environment(name) ?? environment(name.uppercased())
            return value?.isEmpty == false ? value : nil
        }
        guard let text = variable("\(target.scheme)_proxy") ?? variable("all_proxy"),
            !isExcepted(target, by: variable("no_proxy") ?? "")
        else { return nil }
        guard let parts = URLComponents(string: text.contains("://") ? text : "http://\(text)"), let name = parts.host,
            !name.isEmpty
        else { throw TransportError("the environment names a proxy that is no address; expected http://HOST:PORT") }
        let host = HTTPTarget.withoutBrackets(name)
        if let port = parts.port, !(1...65_535).contains(port) {
            throw TransportError("the environment names a proxy with the port \(port), expected 1 to 65535")
        }
        switch parts.scheme?.lowercased() {
        case "http":
            return Proxy(
                host: host, port: parts.port ?? 80, isSOCKS: false, user: parts.user, password: parts.password ?? "")
        case "socks5", "socks5h", "socks":
            if parts.user != nil {
                throw TransportError("a SOCKS proxy with a user name cannot be used; set no_proxy or use an HTTP proxy")
            }
            return Proxy(host: host, port: parts.port ?? 1080, isSOCKS: true, user: nil, password: "")
        default:
            throw TransportError(
                "the environment names a proxy at \(parts.scheme ?? "")://\(host) (http_proxy, https_proxy or all_proxy); only http:// and socks5:// can be used"
            )
        }
    }

    /// Whether NO_PROXY names the target: `*`, a host, a domain with all below it (a dot in front changes nothing), an address
    /// in whatever spelling, a network such as `10.0.0.0/8` or `fd00::/8`; a host or an address with or without a port.
    static func isExcepted(_ target: HTTPTarget, by list: String) -> Bool {
        let host = withoutFinalDot(target.host.lowercased())
        let address = IPAddress(host)
        // Go's programs never use a proxy for this machine itself.
        if host == "localhost" || address?.isLoopback == true { return true }
        return list.split { $0 == "," || $0.isWhitespace }.contains { entry in
            let entry = entry.lowercased()
            if entry == "*" { return true }
            if entry.contains("/") { return address.map { IPNetwork(entry)?.contains($0) == true } ?? false }
            let (name, port) = parts(of: entry)
            if let port, port != target.port { return false }
            if let address { return IPAddress(name) == address }
            let domain = withoutFinalDot(
                name.hasPrefix("*.") ? String(name.dropFirst(2)) : name.hasPrefix(".") ? String(name.dropFirst()) : name
            )
            return !domain.isEmpty && (host == domain || host.hasSuffix("." + domain))
        }
    }

    /// A host, and the port behind it; -1, which no target has, for a port that is none.
    private static func parts(of entry: String) -> (host: String, port: Int?) {
        if IPAddress(entry) != nil { return (entry, nil) }
        guard let colon = entry.lastIndex(of: ":"), !entry.hasSuffix("]") else {
            return (HTTPTarget.withoutBrackets(entry), nil)
        }
        return (
            HTTPTarget.withoutBrackets(String(entry[..<colon])), Int(entry[entry.index(after: colon)...]) ?? -1
        )
    }

    private static func withoutFinalDot(_ name: String) -> String {
        name.hasSuffix(".") ? String(name.dropLast()) : name
    }
}
