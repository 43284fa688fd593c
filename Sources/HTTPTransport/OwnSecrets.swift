// Secrets of ours in what a server says: some show the request they refuse, its headers too, and their words go into our log.

/// What we send to a server and nobody else may read.
package struct OwnSecrets: Sendable {
    /// Stands in the place of a secret.
    private static let stars = Array("*****".utf8)
    /// Everything to look for, the longest first.
    private let forms: [[UInt8]]

    /// Creates them from texts; empty ones are left out.
    package init(_ secrets: some Sequence<String>) {
        var forms: Set<[UInt8]> = []
        for secret in secrets where !secret.isEmpty {
            forms.formUnion(
                [secret, Self.inJSON(secret), Self.inHTML(secret), Self.inURL(secret)].map { Array($0.utf8) })
        }
        self.forms = forms.sorted { $0.count > $1.count }
    }

    /// The same and more.
    package func adding(_ secrets: [String]) -> OwnSecrets {
        OwnSecrets(forms.map { String(decoding: $0, as: UTF8.self) } + secrets)
    }

    /// The secrets of a header Authorization: all of it, and what stands behind the scheme.
    package static func ofAuthorization(_ header: String?) -> [String] {
        guard let header else { return [] }
        return [header] + (header.firstIndex(of: " ").map { [String(header[header.index(after: $0)...])] } ?? [])
    }

    /// A text without the secrets.
    package func replaced(in text: String) -> String {
        forms.isEmpty ? text : String(decoding: replaced(in: Array(text.utf8), isCut: false), as: UTF8.self)
    }

    /// Bytes without the secrets. Where they are `isCut`, the beginning of a secret at their end is left out, too.
    package func replaced(in bytes: [UInt8], isCut: Bool) -> [UInt8] {
        guard !forms.isEmpty else { return bytes }
        var result: [UInt8] = []
        var at = 0
        while at < bytes.count {
            let rest = bytes[at...]
            if let found = forms.first(where: { rest.starts(with: $0) }) {
                result += Self.stars
                at += found.count
            } else if isCut, forms.contains(where: { $0.count > rest.count && $0.starts(with: rest) }) {
                break
            } else {
                result.append(bytes[at])
                at += 1
            }
        }
        return result
    }

    // MARK: Ways to write a secret

    private static func inJSON(_ text: String) -> String {
        text.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"")
    }

    private static func inHTML(_ text: String) -> String {
        text.replacing("&", with: "&amp;").replacing("<", with: "&lt;").replacing(">", with: "&gt;")
            .replacing("\"", with: "&quot;")
    }

    private static func inURL(_ text: String) -> String {
        let hex = Array("0123456789ABCDEF".utf8)
        var bytes: [UInt8] = []
        for byte in text.utf8 {
            let isPlain =
                (0x30...0x39).contains(byte) || (0x41...0x5A).contains(byte) || (0x61...0x7A).contains(byte)
                || [0x2d, 0x2e, 0x5f, 0x7e].contains(byte)
            bytes += isPlain ? [byte] : [UInt8(ascii: "%"), hex[Int(byte >> 4)], hex[Int(byte & 15)]]
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}
