// The header Authorization: fixed, or a token from a file that is read again when the file has changed.
import AsyncHTTPClient
import Disk
import Pipeline
import Synchronization

/// Who we say we are.
final class HTTPCredentials: Sendable {
    private enum Source: Sendable {
        case none
        case fixed(String)
        case file(String)
    }

    private let source: Source
    /// The token as it was last read, and the file's state then.
    private let known = Mutex<(status: FileStatus, header: String)?>(nil)

    init(_ settings: HTTPSettings.Auth) {
        if let username = settings.username, let password = settings.password {
            let basic = HTTPClient.Authorization.basic(username: username, password: password.revealed())
            source = .fixed(basic.headerValue)
        } else if let bearer = settings.bearer {
            source = .fixed("Bearer " + bearer.revealed())
        } else if let path = settings.bearerFile {
            source = .file(path)
        } else {
            source = .none
        }
    }

    /// The header's value; nil when there is none to send. A file that cannot be read is a failure that may pass: tokens of
    /// service accounts are exchanged while we run.
    func header() throws(DeliveryFailure) -> String? {
        switch source {
        case .none: return nil
        case .fixed(let header): return header
        case .file(let path): return try header(from: path)
        }
    }

    private func header(from path: String) throws(DeliveryFailure) -> String {
        let status = Directory.status(path)
        if let status, let last = known.withLock({ $0 }), last.status == status { return last.header }
        let bytes: [UInt8]
        let read: FileStatus
        do throws(DiskError) {
            let file = try OwnedFile.open(path, .read)
            read = try file.status()
            bytes = try file.read(count: 64 * 1024, at: 0)
        } catch {
            throw DeliveryFailure("the token cannot be read: \(error.description)")
        }
        let words = String(decoding: bytes, as: UTF8.self).split { $0.isWhitespace || $0.isNewline }
        guard words.count == 1, words[0].utf8.allSatisfy({ (0x21..<0x7f).contains($0) }) else {
            throw DeliveryFailure("\(path) holds no token: expected one word")
        }
        let header = "Bearer \(words[0])"
        known.withLock { $0 = (read, header) }
        return header
    }
}
