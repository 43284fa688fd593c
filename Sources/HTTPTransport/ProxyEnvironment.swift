// The proxy that the environment asks for, by the variables that curl and Go's programs read.
package import AsyncHTTPClient
import Disk
private import Foundation

/// Reads HTTP_PROXY, HTTPS_PROXY, ALL_PROXY and NO_PROXY. Names in lower case come first; HTTP_PROXY in capitals is read too:
/// the danger it has for CGI programs is not ours.
package enum ProxyEnvironment {
    /// The proxy for a URL; nil to connect directly.
    /// - Throws: for a proxy that cannot be used.
    package static func proxy(
        for url: String, environment: (String) -> String? = Machine.environment
    ) throws(TransportError) -> HTTPClient.Configuration.Proxy? {
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
            let authorization = parts.user.map {
                HTTPClient.Authorization.basic(username: $0, password: parts.password ?? "")
            }
            return .server(host: host, port: parts.port ?? 80, authorization: authorization)
        case "socks5", "socks5h", "socks":
            if parts.user != nil {
                throw TransportError("a SOCKS proxy with a user name cannot be used; set no_proxy or use an HTTP proxy")
            }
            return .socksServer(host: host, port: parts.port ?? 1080)
        default:
            throw TransportError(
                "the environment names a proxy at \(parts.scheme ?? "")://\(host) (http_proxy, https_proxy or all_proxy); only http:// and socks5:// can be used"
            )
        }
    }

    /// Whether NO_PROXY names the target: `*`, a host, a domain with all below it (a dot in front changes nothing), an address,
    /// a network such as `10.0.0.0/8`, each with or without a port.
    static func isExcepted(_ target: HTTPTarget, by list: String) -> Bool {
        // Go's programs never use a proxy for this machine itself.
        if target.host == "localhost" || target.host == "::1" || target.host.hasPrefix("127.") { return true }
        return list.split(whereSeparator: { $0 == "," || $0 == " " }).contains { entry in
            var name = entry.lowercased()
            if name == "*" { return true }
            if HTTPTarget.withoutBrackets(name) == target.host.lowercased() { return true }
            if let colon = name.lastIndex(of: ":"), name.firstIndex(of: ":") == colon {
                guard Int(name[name.index(after: colon)...]) == target.port else { return false }
                name = String(name[..<colon])
            }
            if let network = IPv4Network(name), let address = IPv4Network.address(target.host) {
                return network.contains(address)
            }
            let domain =
                name.hasPrefix("*.") ? String(name.dropFirst(2)) : name.hasPrefix(".") ? String(name.dropFirst()) : name
            let host = target.host.lowercased()
            return host == domain || host.hasSuffix("." + domain)
        }
    }
}

/// `10.0.0.0/8`
private struct IPv4Network {
    private let base: UInt32
    private let mask: UInt32

    init?(_ text: String) {
        let parts = text.split(separator: "/")
        guard parts.count == 2, let base = Self.address(String(parts[0])), let bits = UInt32(parts[1]), bits <= 32
        else { return nil }
        self.base = base
        mask = bits == 0 ? 0 : ~0 << (32 - bits)
    }

    func contains(_ address: UInt32) -> Bool { address & mask == base & mask }

    static func address(_ text: String) -> UInt32? {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false).map { UInt8($0) }
        guard parts.count == 4, !parts.contains(nil) else { return nil }
        return parts.reduce(0) { $0 << 8 | UInt32($1 ?? 0) }
    }
}
