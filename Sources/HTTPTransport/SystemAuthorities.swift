// Whom this system trusts, where nothing else is set: the distribution's authorities, or those that SSL_CERT_FILE and
// SSL_CERT_DIR name, as OpenSSL, curl and Go's programs have them.
private import Disk
internal import NIOSSL

/// The authorities of the system.
enum SystemAuthorities {
    /// Adds what the environment names to a configuration, or puts it in the place of the system's.
    ///
    /// `SSL_CERT_FILE` stands for the system's bundle and `SSL_CERT_DIR` for its folder. Most distributions have the same
    /// certificates in both, so that with one of them the system's own still count; with both only what they name does.
    ///
    /// - Throws: for a file that cannot be used, and when both together hold nothing. Folders may be missing, as for OpenSSL.
    static func apply(
        to configuration: inout TLSConfiguration, environment: (String) -> String?
    ) throws(TransportError) {
        func variable(_ name: String) -> String? { environment(name).flatMap { $0.isEmpty ? nil : $0 } }
        var certificates: [NIOSSLCertificate] = []
        let (file, folders) = (variable("SSL_CERT_FILE"), variable("SSL_CERT_DIR"))
        if let file { certificates += try PEMSource.file(file).certificates("SSL_CERT_FILE of the environment") }
        for folder in (folders ?? "").split(separator: ":") { certificates += Self.certificates(in: String(folder)) }
        if file != nil, folders != nil {
            configuration.trustRoots = .certificates(certificates)
        } else if !certificates.isEmpty {
            configuration.additionalTrustRoots = [.certificates(certificates)]
        }
    }

    /// All certificates of a folder, each once: OpenSSL finds them by links named after hashes, Go's programs read all files.
    private static func certificates(in folder: String) -> [NIOSSLCertificate] {
        let names = ((try? Directory.list(folder)) ?? []).map(\.name).sorted()
        var seen: Set<FileStatusKey> = []
        return names.flatMap { name -> [NIOSSLCertificate] in
            let path = "\(folder)/\(name)"
            guard let status = Directory.status(path), status.kind == .regular,
                seen.insert(FileStatusKey(device: status.device, inode: status.inode)).inserted
            else { return [] }
            return (try? PEMSource.file(path).certificates("")) ?? []
        }
    }

    private struct FileStatusKey: Hashable {
        let device: UInt64
        let inode: UInt64
    }
}
