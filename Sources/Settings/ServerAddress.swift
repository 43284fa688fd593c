// The address of an API server or a kubelet, as it is written in the configuration or in a kubeconfig.
private import Foundation
import Pipeline

/// `https://10.96.0.1:443`: a scheme, a host, perhaps a port; nothing that would have to be kept secret.
struct ServerAddress {
    /// In the form that is sent to: a scheme in small letters, no slash at its end.
    let url: String
    /// Whether it begins with https.
    let isSecure: Bool

    /// Reads an address.
    ///
    /// - Parameter mayHavePath: an API server may stand below a path of a proxy, a kubelet does not.
    /// - Throws: a whole sentence, which quotes nothing: any part may be a password or a token.
    init(_ text: String, mayHavePath: Bool) throws(SettingMisfit) {
        let hint = "for example https://10.0.0.1:\(mayHavePath ? 6443 : 10_250)"
        guard var parts = URLComponents(string: text, encodingInvalidCharacters: false),
            let scheme = parts.scheme?.lowercased(), scheme == "https" || scheme == "http"
        else {
            throw SettingMisfit("this is not the address of a server, expected https:// or http://", hint: hint)
        }
        if parts.user != nil || parts.password != nil {
            throw SettingMisfit("holds a user name or a password, which is not supported", hint: "use a token")
        }
        guard let host = parts.host, !host.isEmpty, host != "[]" else {
            throw SettingMisfit("has no host", hint: hint)
        }
        if let port = parts.port, !(1...65_535).contains(port) {
            throw SettingMisfit("has the port \(port), expected 1 to 65535")
        }
        if parts.query != nil || parts.fragment != nil {
            throw SettingMisfit("holds more than the address of a server: leave out what begins with '?' or '#'")
        }
        while parts.path.hasSuffix("/") { parts.path.removeLast() }
        if !mayHavePath, !parts.path.isEmpty {
            throw SettingMisfit("holds more than the address of a server: leave out the path behind the host")
        }
        parts.scheme = scheme
        guard let url = parts.string else {
            throw SettingMisfit("this is not the address of a server", hint: hint)
        }
        self.url = url
        isSecure = scheme == "https"
    }
}
