// Who a server has to be, and whether its certificate says so: a name is proven by a name, an address by an address. The TLS
// library would take the peer's address for either, so whoever forges a DNS answer could show a certificate of his own address.
internal import NIOSSL

/// The one that a server's certificate has to be for (RFC 9525).
enum ServerIdentity: Hashable, Sendable {
    /// A name in small letters, without a dot at its end.
    case name(String)
    case address(IPAddress)

    /// What is expected of a server that is reached by this host: a name, or an address without brackets.
    init(host: String) {
        if let address = IPAddress(host) {
            self = .address(address)
        } else {
            let name = host.lowercased()
            self = .name(name.hasSuffix(".") ? String(name.dropLast()) : name)
        }
    }

    /// Looks whether the certificate is for this server. Only the subject alternative names count, never the common name.
    /// - Throws: `ServerIdentityFault` unless it is.
    func check(_ certificate: NIOSSLCertificate) throws {
        var hasNames = false
        for name in certificate._subjectAlternativeNames() {
            hasNames = true
            switch (self, name.nameType) {
            case (.name(let host), .dnsName):
                if Self.matches(host, pattern: Array(name.contents)) { return }
            case (.address(let address), .ipAddress):
                if IPAddress(bytes: Array(name.contents)) == address { return }
            default: continue
            }
        }
        throw hasNames ? ServerIdentityFault.otherName : .noNames
    }

    /// Whether a name of a certificate stands for a host. `*` stands for one whole label, the first of several.
    static func matches(_ host: String, pattern: [UInt8]) -> Bool {
        let wanted = host.utf8.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        let labels = pattern.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        guard labels.count == wanted.count else { return false }
        return labels.indices.allSatisfy { index in
            if index == 0, labels.count > 1, labels[0].elementsEqual([UInt8(ascii: "*")]) { return !wanted[0].isEmpty }
            return !labels[index].isEmpty && labels[index].allSatisfy(isOfName)
                && labels[index].elementsEqual(wanted[index]) { small($0) == small($1) }
        }
    }

    private static func small(_ byte: UInt8) -> UInt8 { (0x41...0x5A).contains(byte) ? byte | 0x20 : byte }

    private static func isOfName(_ byte: UInt8) -> Bool {
        (0x61...0x7A).contains(small(byte)) || (0x30...0x39).contains(byte)
            || byte == UInt8(ascii: "-") || byte == UInt8(ascii: "_")
    }
}

/// Why a certificate that somebody we trust has signed is not that of our server.
enum ServerIdentityFault: Error, Hashable {
    /// There are others in it.
    case otherName
    /// It has no subject alternative names.
    case noNames
    /// The server has shown none.
    case noCertificate
}
