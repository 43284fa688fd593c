// The API server of the cluster that this process runs in, as the kubelet tells every container of it.
package import Disk
import HTTPTransport

extension ClusterAccess {
    /// Where the kubelet puts the token of a pod's service account, and the certificates of the cluster's authority.
    package static let serviceAccountFolder = "/var/run/secrets/kubernetes.io/serviceaccount"

    /// The API server of the cluster that this process runs in, with the service account of its pod.
    ///
    /// - Parameters:
    ///   - environment: the value of a variable: `KUBERNETES_SERVICE_HOST` and `KUBERNETES_SERVICE_PORT` are looked at.
    ///   - folder: where the service account's files are.
    /// - Throws: `InClusterError`, which says what is missing and what to do about it.
    package static func inCluster(
        environment: (String) -> String? = Machine.environment, folder: String = serviceAccountFolder
    ) throws(InClusterError) -> ClusterAccess {
        guard let host = environment(InClusterError.hostVariable), !host.isEmpty else {
            throw .notSet(InClusterError.hostVariable)
        }
        guard let port = environment(InClusterError.portVariable), !port.isEmpty else {
            throw .notSet(InClusterError.portVariable)
        }
        guard let number = UInt16(port), number > 0 else { throw .noPort(port) }
        let (token, authority) = (tokenFile(in: folder), authorityFile(in: folder))
        for file in [token, authority] {
            do throws(DiskError) {
                // Some of it is read, since a folder can be opened, too.
                _ = try OwnedFile.open(file, .read, nonBlocking: true).read(count: 1, at: 0)
            } catch {
                throw .unreadable(error)
            }
        }
        var access = ClusterAccess(
            server: "https://\(bracketed(host)):\(number)", credentials: .tokenFile(token),
            origin: "the service account in \(folder)")
        access.authority = .file(authority)
        return access
    }

    /// The file with a service account's token, in its folder.
    package static func tokenFile(in folder: String = serviceAccountFolder) -> String { "\(folder)/token" }
    /// The file with the certificates of the cluster's authority, in a service account's folder.
    package static func authorityFile(in folder: String = serviceAccountFolder) -> String { "\(folder)/ca.crt" }

    /// A host as a URL has it: IPv6 addresses in brackets.
    package static func bracketed(_ host: String) -> String {
        host.contains(":") && !host.hasPrefix("[") ? "[\(host)]" : host
    }
}

/// Why a process does not know the API server of the cluster that it runs in.
package enum InClusterError: Error, Equatable, CustomStringConvertible {
    /// A variable of the environment is not set.
    case notSet(String)
    /// What `KUBERNETES_SERVICE_PORT` says is not a port.
    case noPort(String)
    /// A file of the service account is missing, or cannot be read.
    case unreadable(DiskError)

    /// The variable with the API server's address; it is set in every container of a cluster.
    package static let hostVariable = "KUBERNETES_SERVICE_HOST"
    /// The variable with its port.
    package static let portVariable = "KUBERNETES_SERVICE_PORT"

    /// What is wrong, without what to do about it.
    package var reason: String {
        switch self {
        case .notSet(let name):
            "the API server is not known: the environment variable \(name) is not set, as it is in every pod of a cluster"
        case .noPort(let text):
            "the API server is not known: the environment variable \(Self.portVariable) is '\(text.prefix(40))', "
                + "which is not a port"
        case .unreadable(let error) where error.isMissing:
            "this pod has no service account to ask the API server with: there is no file \(error.path)"
        case .unreadable(let error):
            "the service account of this pod cannot be used: \(error.description)"
        }
    }

    /// What to do about it.
    package var hint: String {
        switch self {
        case .notSet, .noPort:
            "outside of a cluster, name a kubeconfig: 'kubernetes.kubeconfig' in the configuration"
        case .unreadable(let error) where error.isMissing && Path.name(error.path) == "ca.crt":
            "the volume with the service account's token needs the ConfigMap kube-root-ca.crt beside it, as volumes have "
                + "that Kubernetes adds by itself (automountServiceAccountToken); or name a kubeconfig"
        case .unreadable(let error) where error.isMissing:
            "remove 'automountServiceAccountToken: false' from the pod or its service account, or name a kubeconfig"
        case .unreadable:
            "the agent's user has to be able to read it: see runAsUser and fsGroup of the pod"
        }
    }

    package var description: String { "\(reason) (\(hint))" }
}
