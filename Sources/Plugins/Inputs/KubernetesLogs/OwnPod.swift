// The pod that this process runs in.
import Disk
import NodeFiles

/// The pod that this process runs in, so that it does not read what it writes itself.
struct OwnPod {
    let namespace: String?
    let pod: String

    /// From the downward API's usual variables; inside a cluster a pod's host name is its name.
    static func find() -> OwnPod? {
        guard Machine.environment("KUBERNETES_SERVICE_HOST") != nil || Machine.environment("POD_NAME") != nil else {
            return nil
        }
        let account = "/var/run/secrets/kubernetes.io/serviceaccount/namespace"
        let file = try? OwnedFile.open(account, .read)
        let namespace = (try? file?.read(count: 256, at: 0)).flatMap { $0 }.map { String(decoding: $0, as: UTF8.self) }
        return OwnPod(
            namespace: Machine.environment("POD_NAMESPACE") ?? namespace,
            pod: Machine.environment("POD_NAME") ?? Machine.environment("HOSTNAME") ?? Machine.hostName)
    }

    func isSame(_ folder: PodFolder) -> Bool {
        folder.pod == pod && (namespace == nil || folder.namespace == namespace)
    }
}
