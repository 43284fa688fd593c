// Where certificates and keys come from, and how they are read.
private import Disk
import NIOSSL

/// Something in PEM format.
package enum PEMSource: Hashable, Sendable {
    /// A file, by its path; read whenever connections are made anew.
    case file(String)
    /// The text itself.
    case text([UInt8])
}

extension PEMSource {
    /// Reads certificates, at least one.
    /// - Parameter setting: what the operator calls the setting that led here.
    func certificates(_ setting: String) throws(TransportError) -> [NIOSSLCertificate] {
        try read(setting) { source in
            let certificates =
                switch source {
                case .file(let path): try NIOSSLCertificate.fromPEMFile(path)
                case .text(let text): try NIOSSLCertificate.fromPEMBytes(text)
                }
            if certificates.isEmpty { throw NIOSSLError.failedToLoadCertificate }
            return certificates
        }
    }

    /// Reads a private key.
    /// - Parameter setting: what the operator calls the setting that led here.
    func privateKey(_ setting: String) throws(TransportError) -> NIOSSLPrivateKey {
        try read(setting) { source in
            switch source {
            case .file(let path): try NIOSSLPrivateKey(file: path, format: .pem)
            case .text(let text): try NIOSSLPrivateKey(bytes: text, format: .pem)
            }
        }
    }

    /// The path of the file; for a text, which is never shown, the word for what stands in its place.
    func place(or word: String) -> String {
        switch self {
        case .file(let path): path
        case .text: word
        }
    }

    private func read<T>(_ setting: String, _ body: (PEMSource) throws -> T) throws(TransportError) -> T {
        if case .file(let path) = self {
            do throws(DiskError) {
                // Says why a file cannot be opened; the library would only say that it is no certificate.
                _ = try OwnedFile.open(path, .read)
            } catch {
                throw TransportError("\(setting): \(error.description)")
            }
        }
        do {
            return try body(self)
        } catch {
            throw TransportError("\(setting): \(place(or: "the text")) holds nothing of this kind in PEM format")
        }
    }
}
