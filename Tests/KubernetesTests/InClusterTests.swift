// The API server as a pod's environment and service account tell of it, and what is said when they do not.
import Disk
import HTTPTransport
import Kubernetes
import TestKit
import Testing

struct InClusterTests {
    private static let pod = ["KUBERNETES_SERVICE_HOST": "10.96.0.1", "KUBERNETES_SERVICE_PORT": "443"]

    private func account(token: Bool = true, authority: Bool = true) throws -> ScratchDirectory {
        let folder = try ScratchDirectory()
        if token { try folder.write("token", "eyJ") }
        if authority { try folder.write("ca.crt", "-----BEGIN CERTIFICATE-----\n") }
        return folder
    }

    private func failure(_ environment: [String: String], _ folder: String) throws -> InClusterError {
        try #require(throws: InClusterError.self) {
            try ClusterAccess.inCluster(environment: { environment[$0] }, folder: folder)
        }
    }

    @Test(arguments: [
        ("10.96.0.1", "443", "https://10.96.0.1:443"), ("fd00:10:96::1", "443", "https://[fd00:10:96::1]:443"),
        ("[fd00::1]", "6443", "https://[fd00::1]:6443"),
        ("kubernetes.default", "8443", "https://kubernetes.default:8443"),
    ])
    func `a pod knows its API server`(_ host: String, _ port: String, _ server: String) throws {
        let folder = try account()
        let environment = ["KUBERNETES_SERVICE_HOST": host, "KUBERNETES_SERVICE_PORT": port]
        let access = try ClusterAccess.inCluster(environment: { environment[$0] }, folder: folder.path)
        #expect(access.server == server)
        #expect(access.credentials == .tokenFile(folder.path("token")))
        #expect(access.authority == .file(folder.path("ca.crt")))
        #expect(access.serverName == nil && !access.skipsVerification)
        #expect(access.origin == "the service account in \(folder.path)")
    }

    @Test(arguments: ["KUBERNETES_SERVICE_HOST", "KUBERNETES_SERVICE_PORT"], [nil, ""])
    func `a variable that is missing is named`(_ name: String, _ value: String?) throws {
        var environment = Self.pod
        environment[name] = value
        let folder = try account()
        let error = try failure(environment, folder.path)
        #expect(error == .notSet(name))
        #expect(error.description.contains(name) && error.description.contains("kubeconfig"))
    }

    @Test(arguments: ["https", "0", "65536", "-1", "443 ", "tcp://10.96.0.1:443"])
    func `a port that is none is told`(_ port: String) throws {
        let folder = try account()
        let error = try failure(["KUBERNETES_SERVICE_HOST": "h", "KUBERNETES_SERVICE_PORT": port], folder.path)
        #expect(error == .noPort(port))
        #expect(error.description.contains("KUBERNETES_SERVICE_PORT is '\(port)'"))
    }

    @Test func `a pod without its token is told what to do`() throws {
        let folder = try account(token: false)
        let error = try failure(Self.pod, folder.path)
        #expect(error.reason.contains("no file \(folder.path("token"))"))
        #expect(error.hint.contains("automountServiceAccountToken") && error.hint.contains("kubeconfig"))
        let none = try failure(Self.pod, folder.path("missing"))
        #expect(none.reason.contains("/missing/token"))
    }

    @Test func `a pod without its authority is told which file`() throws {
        let folder = try account(authority: false)
        let error = try failure(Self.pod, folder.path)
        #expect(error.reason.contains("no file \(folder.path("ca.crt"))"))
        #expect(error.hint.contains("kube-root-ca.crt") && error.hint.contains("automountServiceAccountToken"))
    }

    @Test func `a token that cannot be read is told with the reason`() throws {
        let folder = try account(token: false)
        try LocalFileSystem().makeFolder(folder.path("token"))
        let error = try failure(Self.pod, folder.path)
        #expect(error.reason.contains("cannot read \(folder.path("token")): Is a directory"))
        #expect(error.hint.contains("runAsUser"))
    }
}
