// A bearer token in a file, as the kubelet puts it there for service accounts.
private import Disk
private import Synchronization

/// A token in a file. It is read again when the file has changed: tokens of service accounts are exchanged while we run.
package final class TokenFile: Sendable {
    /// Where the file is.
    package let path: String
    /// The token as it was last read, and the file's state then.
    private let known = Mutex<(status: FileStatus, token: String)?>(nil)

    /// Names the file; it is read when the token is asked for.
    package init(path: String) { self.path = path }

    /// The token that the file holds now.
    /// - Throws: when there is no file or no token in it. That may pass, so nothing is remembered of it.
    package func token() throws(TransportError) -> String {
        let status = Directory.status(path)
        if let status, let last = known.withLock({ $0 }), last.status == status { return last.token }
        let bytes: [UInt8]
        let read: FileStatus
        do throws(DiskError) {
            let file = try OwnedFile.open(path, .read, nonBlocking: true)
            read = try file.status()
            bytes = try file.read(count: 64 * 1024, at: 0)
        } catch {
            throw TransportError("the token cannot be read: \(error.description)")
        }
        guard let token = BearerToken.read(String(decoding: bytes, as: UTF8.self)) else {
            throw TransportError("\(path) holds no token: expected one word")
        }
        known.withLock { $0 = (read, token) }
        return token
    }
}
