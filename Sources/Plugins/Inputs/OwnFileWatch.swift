// Keeps an input of text files from reading what the agent itself writes.
import Disk
import NodeFiles
import Pipeline
import Telemetry

/// Tells the agent's own files, and reports each once.
final class OwnFileWatch {
    private let context: PluginContext
    private let dataDirectory: String?
    private let ownPod: OwnPod?
    private var told: Set<String> = []

    init(_ context: PluginContext) {
        self.context = context
        dataDirectory = context.dataDirectory.map { (Directory.resolve($0) ?? $0) + "/" }
        ownPod = OwnPod.find()
    }

    /// Whether this process writes the file at `path`: an output, the store, or the runtime for the pod that it runs in.
    func isOwn(_ path: String) -> Bool {
        guard context.ownFiles.contains(path) || isInDataDirectory(path) || isOwnPod(path) else { return false }
        if told.insert(path).inserted { context.telemetry.tell(InputEvent.ownFile(input: context.name, path: path)) }
        return true
    }

    private func isInDataDirectory(_ path: String) -> Bool {
        guard let dataDirectory else { return false }
        if path.hasPrefix(dataDirectory) { return true }
        // A relative path, or one through a link, has the same name in the end.
        guard !path.hasPrefix("/") || context.dataDirectory.map({ path.hasPrefix($0 + "/") }) == true else {
            return false
        }
        return (Directory.resolve(path) ?? path).hasPrefix(dataDirectory)
    }

    /// `<folder of pods>/<pod's folder>/<container>/0.log`, or the link in /var/log/containers.
    private func isOwnPod(_ path: String) -> Bool {
        guard let ownPod else { return false }
        if let folder = PodFolder(Path.name(Path.parent(Path.parent(path)))) { return ownPod.isSame(folder) }
        let parts = Path.name(path).split(separator: "_", maxSplits: 2).map(String.init)
        guard parts.count == 3, ContainerLink.containerID(Path.name(path)) != nil,
            let folder = PodFolder("\(parts[1])_\(parts[0])_link")
        else { return false }
        return ownPod.isSame(folder)
    }
}
