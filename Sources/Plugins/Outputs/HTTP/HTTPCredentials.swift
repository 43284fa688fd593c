// The header Authorization: fixed, or a token from a file that is read again when the file has changed.
import AsyncHTTPClient
import HTTPTransport
import Pipeline

/// Who we say we are.
final class HTTPCredentials: Sendable {
    private enum Source: Sendable {
        case none
        case fixed(String)
        case file(TokenFile)
    }

    private let source: Source

    init(_ settings: HTTPSettings.Auth) {
        if let username = settings.username, let password = settings.password {
            let basic = HTTPClient.Authorization.basic(username: username, password: password.revealed())
            source = .fixed(basic.headerValue)
        } else if let bearer = settings.bearer {
            source = .fixed("Bearer " + bearer.token.revealed())
        } else if let path = settings.bearerFile {
            source = .file(TokenFile(path: path))
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
        case .file(let file):
            do throws(TransportError) {
                return "Bearer \(try file.token())"
            } catch {
                throw DeliveryFailure(error.description)
            }
        }
    }
}
