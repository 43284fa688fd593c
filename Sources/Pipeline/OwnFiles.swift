// The files that this process writes, so that no input reads them: each line of such a file would come back as a new one,
// without end. What can be known from the settings is refused at the start (UsedFiles); here is the rest: links, other names of a
// folder, standard output that leads into a file.
package import Disk
private import Synchronization

/// The files that the outputs of this process write.
package final class OwnFiles: Sendable {
    /// What tells a file from all others that exist now.
    private struct Identity: Hashable {
        let device: UInt64
        let inode: UInt64

        init(_ status: FileStatus) {
            device = status.device
            inode = status.inode
        }
    }

    private struct OwnFile {
        /// nil while it does not exist.
        var identity: Identity?
        /// It is being written: then nobody else gets its inode.
        var isCurrent = true
    }

    private struct State {
        var files: [String: OwnFile] = [:]
        var paths: [Identity: String] = [:]
        var current: [String: String] = [:]
        var patterns: [WrittenFiles] = []
    }

    private let state = Mutex(State())

    package init() {}

    /// Notes that `owner` writes this file from now on, and its last one no more. To be called before the file is made, so that no
    /// input can find it first, and again when it is there.
    /// - Parameter status: what is known of it, where looking at the path would tell of something else.
    package func claim(_ path: String, by owner: String, _ status: FileStatus? = nil) {
        let identity = (status ?? Directory.status(path)).map(Identity.init)
        state.withLock { state in
            if let last = state.current[owner], last != path { state.files[last]?.isCurrent = false }
            state.current[owner] = path
            state.files[path] = OwnFile(identity: identity)
            if let identity { state.paths[identity] = path }
        }
    }

    /// Notes that all files of these names are written at times: also those of earlier days, and of earlier starts.
    package func claim(_ files: WrittenFiles) { state.withLock { $0.patterns.append(files) } }

    /// Whether a file is one of them, by its path or by what it is.
    package func contains(_ path: String) -> Bool {
        state.withLock { state in
            guard !state.files.isEmpty || !state.patterns.isEmpty else { return false }
            if !state.patterns.isEmpty {
                let real = Directory.resolve(path) ?? path
                if state.patterns.contains(where: { $0.contains(real) }) { return true }
            }
            if state.files[path] != nil, isStill(path, &state) { return true }
            guard let identity = Directory.status(path).map(Identity.init), let own = state.paths[identity] else {
                return false
            }
            return isStill(own, &state)
        }
    }

    /// Whether a file that was ours is so still. One that is not written any more may be gone, and its name or its inode somebody
    /// else's; then it is forgotten.
    private func isStill(_ path: String, _ state: inout State) -> Bool {
        guard let file = state.files[path] else { return false }
        if file.isCurrent { return true }
        if let identity = file.identity, Directory.status(path).map(Identity.init) == identity { return true }
        state.files[path] = nil
        if let identity = file.identity, state.paths[identity] == path { state.paths[identity] = nil }
        return false
    }
}
