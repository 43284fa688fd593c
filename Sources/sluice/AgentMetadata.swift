// Where the metadata of pods comes from in this run: what the settings ask for becomes a directory and the service that fills it.
import Bytes
import Disk
import Kubernetes
import Logging
import Pipeline
import PodMetadata
import ServiceLifecycle
import Settings
import Telemetry

/// The directory of pods, and what keeps it up to date.
struct AgentMetadata {
    /// What inputs are given.
    let source: MetadataSource
    /// Asks for pods; nil where file names are all there is.
    let service: (any Service)?

    /// Looks at this machine for who is to be asked, and takes from disk what was known at the last stop.
    /// - Throws: `SettingsProblem` when what is asked for explicitly cannot be had.
    init(_ settings: AgentSettings, node: String, telemetry: Telemetry) throws {
        var source = MetadataSource()
        source.wait = Int64(settings.kubernetes.metadataWait.nanoseconds)
        source.labels = settings.kubernetes.labels
        source.annotations = settings.kubernetes.annotations
        source.style = settings.kubernetes.labelsStyle
        source.wantsNamespaces = settings.kubernetes.namespaceLabels
        // Nobody asks for pods whose logs nobody reads.
        let isWanted = settings.inputs.contains { $0.plugin.type == "kubernetes_logs" }
        guard isWanted, let access = try Self.access(settings.kubernetes, telemetry) else {
            self.source = source
            service = nil
            return
        }
        let directory = PodDirectory()
        let file = MetadataFile.path(inDataDirectory: settings.dataDirectory)
        MetadataService.restore(file, node: node, into: directory, telemetry: telemetry)
        var options = MetadataService.Options()
        options.namespaceLabels = settings.kubernetes.namespaceLabels
        options.asksOwners = settings.kubernetes.owners == .api
        let annotations = settings.kubernetes.annotations
        options.keepsAnnotation = { key in annotations.contains { $0.matches(key) } }
        source.directory = directory
        self.source = source
        service = CancelledAtShutdown(
            service: MetadataService(
                source: access, node: node, directory: directory, options: options, file: file, telemetry: telemetry))
    }

    /// Who is asked; nil for nobody.
    private static func access(
        _ settings: AgentSettings.Kubernetes, _ telemetry: Telemetry
    ) throws -> MetadataService.Source? {
        do throws(SettingsProblem) {
            switch try settings.source() {
            case .path: return nil
            case .api(let access): return .api(access)
            case .kubelet(let access, let poll): return .kubelet(access, poll: poll.duration)
            }
        } catch {
            // What nobody asked for must not keep logs from being read.
            guard settings.metadata == nil else { throw error }
            telemetry.logger.warning(
                "records show of their pods what file names tell, and no more: \(error.message) (kubernetes.metadata says who is to be asked; path: nobody)"
            )
            return nil
        }
    }
}

/// Runs until the agent shuts down.
private struct CancelledAtShutdown: Service {
    let service: MetadataService

    func run() async {
        await cancelWhenGracefulShutdown { await service.run() }
    }
}
