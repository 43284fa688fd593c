// How an API server or a kubelet is reached, and who we say we are.
package import HTTPTransport

/// A server of a cluster.
package struct ClusterAccess: Hashable, Sendable {
    /// How we authenticate.
    package enum Credentials: Hashable, Sendable {
        case none
        /// A bearer token that does not change.
        case token(String)
        /// A file with a bearer token, read again before each request: service accounts' tokens are exchanged while we run.
        case tokenFile(String)
        /// A client's certificate and its key.
        case certificate(PEMSource, key: PEMSource)
    }

    /// `https://10.96.0.1:443`, without a slash at its end.
    package var server: String
    /// Whose certificates are trusted; nil for those that the system trusts.
    package var authority: PEMSource?
    /// The name expected in the server's certificate, when it is not the one in `server`.
    package var serverName: String?
    /// Any certificate is taken for right.
    package var skipsVerification = false
    package var credentials: Credentials
    /// Where this was found, for messages: `the service account in /var/run/...`, `the kubeconfig /etc/...`.
    package var origin: String

    package init(server: String, credentials: Credentials, origin: String) {
        self.server = server
        self.credentials = credentials
        self.origin = origin
    }
}
