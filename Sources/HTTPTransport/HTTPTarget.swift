// The address of a web server, taken apart.
private import Foundation

/// Where requests go.
package struct HTTPTarget: Sendable {
    /// `http` or `https`, in lower case.
    package let scheme: String
    /// A name or an address, without the brackets of an IPv6 address.
    package let host: String
    /// The one that was written, or the one that goes without saying.
    package let port: Int
    /// As it was written.
    package let url: String

    /// Takes an address apart; nil when it is none of a web server. Settings that were checked hold one.
    package init?(_ url: String) {
        guard let parts = URLComponents(string: url), let scheme = parts.scheme?.lowercased(), let host = parts.host,
            !host.isEmpty
        else { return nil }
        self.scheme = scheme
        self.host = HTTPTarget.withoutBrackets(host)
        port = parts.port ?? (scheme == "https" ? 443 : 80)
        self.url = url
    }

    /// The brackets of an IPv6 address belong to the URL.
    static func withoutBrackets(_ host: String) -> String {
        host.hasPrefix("[") && host.hasSuffix("]") ? String(host.dropFirst().dropLast()) : host
    }

    /// The same with another host, and perhaps another port.
    package func replacing(host: String, port: Int? = nil) -> String {
        guard var parts = URLComponents(string: url) else { return url }
        parts.host = host.contains(":") ? "[\(host)]" : host
        if let port { parts.port = port }
        return parts.string ?? url
    }

    /// `host:port` as the header Host has it: without the port that goes without saying.
    package var hostHeader: String {
        let name = host.contains(":") ? "[\(host)]" : host
        return port == (scheme == "https" ? 443 : 80) ? name : "\(name):\(port)"
    }
}
