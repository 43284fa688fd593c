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
        try read(setting) { text in
            let certificates = try NIOSSLCertificate.fromPEMBytes(text)
            if certificates.isEmpty { throw NIOSSLError.failedToLoadCertificate }
            return certificates
        }
    }

    /// Reads a private key.
    /// - Parameter setting: what the operator calls the setting that led here.
    func privateKey(_ setting: String) throws(TransportError) -> NIOSSLPrivateKey {
        try read(setting) { try NIOSSLPrivateKey(bytes: $0, format: .pem) }
    }

    /// The path of the file; for a text, which is never shown, the word for what stands in its place.
    func place(or word: String) -> String {
        switch self {
        case .file(let path): path
        case .text: word
        }
    }

    /// Hands the text on, without the byte order mark that some editors write before it.
    private func read<T>(_ setting: String, _ body: ([UInt8]) throws -> T) throws(TransportError) -> T {
        var text: [UInt8]
        switch self {
        case .text(let given): text = given
        case .file(let path):
            do throws(DiskError) {
                text = try OwnedFile.open(path, .read, nonBlocking: true).read(count: Self.mostBytes, at: 0)
            } catch {
                throw TransportError("\(setting): \(error.description)")
            }
        }
        if text.starts(with: [0xef, 0xbb, 0xbf]) { text.removeFirst(3) }
        do {
            return try body(text)
        } catch {
            throw TransportError("\(setting): \(place(or: "the text")) holds nothing of this kind in PEM format")
        }
    }

    /// Some twenty times the authorities of a system.
    private static let mostBytes = 4 << 20
}
