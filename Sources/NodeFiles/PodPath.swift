// The names that the kubelet gives to log folders and files.

/// A pod's folder in /var/log/pods: `<namespace>_<pod>_<uid>`. Neither name can hold an underscore.
package struct PodFolder: Hashable, Sendable {
    /// The namespace and the name of the pod.
    package let namespace: String
    package let pod: String
    /// For static pods the hash of the manifest, not the API object's uid.
    package let uid: String

    /// Reads a folder's name; nil for other names.
    package init?(_ name: String) {
        let parts = name.split(separator: "_", maxSplits: 2, omittingEmptySubsequences: false)
        guard parts.count == 3, !parts[0].isEmpty, !parts[1].isEmpty, !parts[2].isEmpty else { return nil }
        namespace = String(parts[0])
        pod = String(parts[1])
        uid = String(parts[2])
    }
}

/// A file in a container's folder: `N.log`, `N.log.<time>` or `N.log.<time>.gz`, where N is the restart count.
package struct ContainerLogName: Hashable, Sendable {
    /// How often the container was restarted before this log.
    package let restart: Int32
    /// `20261123-035943`, the node's local time; empty for the file that is being written.
    package let rotation: String
    /// It ends in `.gz`.
    package let isCompressed: Bool

    /// Reads a file's name; nil for other names, such as the `.tmp` of a compression that is under way.
    package init?(_ name: String) {
        guard let dot = name.firstIndex(of: "."), let restart = Int32(name[..<dot]), restart >= 0 else { return nil }
        var rest = name[dot...]
        guard rest.hasPrefix(".log") else { return nil }
        rest = rest.dropFirst(4)
        let isCompressed = rest.hasSuffix(".gz")
        if isCompressed { rest = rest.dropLast(3) }
        if rest.isEmpty {
            guard !isCompressed else { return nil }
            rotation = ""
        } else {
            // Any suffix that begins like a date: kubelets and other rotators differ in the rest.
            guard rest.first == ".", rest.dropFirst().first?.isNumber == true, !rest.hasSuffix(".tmp") else {
                return nil
            }
            rotation = String(rest.dropFirst())
        }
        self.restart = restart
        self.isCompressed = isCompressed
    }

    /// Whether the runtime has stopped writing to this name.
    package var isRotated: Bool { !rotation.isEmpty }
}

/// A link in /var/log/containers: `<pod>_<namespace>_<container>-<64 hex digits>.log`.
package enum ContainerLink {
    /// The container's id in a link's name; nil for other names.
    package static func containerID(_ name: String) -> String? {
        guard name.hasSuffix(".log"), let dash = name.lastIndex(of: "-") else { return nil }
        let id = name[name.index(after: dash)...].dropLast(4)
        guard id.utf8.count == 64, id.utf8.allSatisfy({ ($0 >= 48 && $0 <= 57) || ($0 >= 97 && $0 <= 102) }) else {
            return nil
        }
        return String(id)
    }

    /// What a link's target names, whatever folder it stands in: `<pod folder>/<container>/<N>.log`.
    package static func key(target: String) -> String? {
        let parts = target.split(separator: "/").suffix(3)
        guard parts.count == 3 else { return nil }
        return parts.joined(separator: "/")
    }
}
