// Why a kubeconfig cannot be used, in words that hold none of its secrets.
package import Pipeline

/// What is wrong with a kubeconfig: in which file, at which place, and what to do.
///
/// A kubeconfig is full of secrets, and a mistake may have moved them anywhere. So there is no excerpt of the line, and of
/// what stands in the file only names of contexts, clusters and users, addresses of servers and paths are ever quoted.
package struct KubeconfigError: Error, Equatable, CustomStringConvertible {
    /// The kubeconfig, as it was named.
    package let file: String
    /// The place in it; nil for the file as a whole.
    package let mark: SettingsNode.Mark?
    /// What stands there, such as `users[0].user.exec`; empty for the file as a whole.
    package let path: String
    /// What is wrong, a sentence without its full stop.
    package let message: String
    /// What to do about it.
    package let hint: String?

    init(file: String, mark: SettingsNode.Mark? = nil, path: String = "", _ message: String, hint: String? = nil) {
        self.file = file
        self.mark = mark
        self.path = path
        self.message = message
        self.hint = hint
    }

    /// Place and message: `/etc/sluice/kubeconfig:12:5: users[0].user.exec: is not supported`.
    package var reason: String {
        let place = mark.map { "\(file):\($0.line):\($0.column):" } ?? "\(file):"
        return path.isEmpty ? "\(place) \(message)" : "\(place) \(path): \(message)"
    }

    package var description: String { hint.map { "\(reason) (\($0))" } ?? reason }
}
