// The address an output sends to, taken apart.
private import Foundation

/// Where requests go.
struct HTTPTarget: Sendable {
    let scheme: String
    let host: String
    let port: Int
    /// As it was written.
    let url: String

    /// nil when it is no address of a web server; settings that were checked hold one.
    init?(_ url: String) {
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

    /// The same with another host.
    func replacing(host: String) -> String {
        guard var parts = URLComponents(string: url) else { return url }
        parts.host = host
        return parts.string ?? url
    }

    /// `host:port` as the header Host has it: without the port that goes without saying.
    var hostHeader: String {
        let name = host.contains(":") ? "[\(host)]" : host
        return port == (scheme == "https" ? 443 : 80) ? name : "\(name):\(port)"
    }
}
