// Input `kubernetes_logs`: the logs of this node's containers, with the metadata of their pods.
package import Bytes
package import Disk
import NodeFiles
package import Pipeline
import PodMetadata
package import Records
import Telemetry

/// Reads container logs below /var/log/pods.
package final class KubernetesLogsInput: Input {
    package static let name = "kubernetes_logs"
    package static let standardParsers = [KlogParser.name]

    package struct Settings: PluginSettings {
        /// Where the kubelet keeps the pods' logs.
        package let path: String
        /// Where the links with the containers' ids are.
        package let containersPath: String
        package let include: Selection
        package let exclude: Selection
        /// Folders besides `path` in which a log may lie that is a link.
        package let linkTargets: [String]
        /// Also read the agent's own pod, whose standard output would feed itself.
        package let ownLogs: Bool
        package let files: LogFileSettings

        package var usedFiles: UsedFiles {
            var files = UsedFiles()
            files.readsOwnPod = ownLogs
            return files
        }

        package init(from fields: inout Fields) {
            path = fields.path("path") ?? "/var/log/pods"
            containersPath = fields.path("containers_path") ?? "/var/log/containers"
            include = fields.section("include", as: Selection.self)
            exclude = fields.section("exclude", as: Selection.self)
            linkTargets = fields.list("link_targets", of: String.self, default: Settings.runtimeFolders)
            ownLogs = fields.value("own_logs", default: false)
            files = LogFileSettings(from: &fields)
        }

        /// Where container runtimes keep logs to which the kubelet's folders have links: dockerd, containerd, CRI-O and Podman.
        private static let runtimeFolders = [
            "/var/lib/docker/containers", "/var/lib/containerd", "/var/lib/containers",
        ]
    }

    /// Globs on names; an empty list says nothing.
    package struct Selection: SettingsSection {
        package let namespaces: [Glob]
        package let pods: [Glob]
        package let containers: [Glob]

        package init(from fields: inout Fields) {
            namespaces = fields.list("namespaces", of: Glob.self) { KubernetesName.namespace.fault(in: $0.pattern) }
            pods = fields.list("pods", of: Glob.self) { KubernetesName.pod.fault(in: $0.pattern) }
            containers = fields.list("containers", of: Glob.self) { KubernetesName.container.fault(in: $0.pattern) }
        }
    }

    private let settings: Settings
    private let context: PluginContext
    private var tailer: FileTailer?
    private var discovery: PodLogDiscovery?
    /// With `once`: why there was nothing to read at the start.
    private var nothingToRead: String?
    private var hasRead = false
    private var watch = PolledWatch()

    package init(_ settings: Settings, context: PluginContext) throws(PluginError) {
        self.settings = settings
        self.context = context
    }

    package var jsonMode: JSONMode { settings.files.json }

    package func findings() -> [String] {
        [settings.path, settings.containersPath].compactMap(FoundNames.relative)
            + PodLogExamination(settings.path).findings
    }

    package func open(on poller: inout Poller, start: InputStart) throws(PluginError) {
        let examination = PodLogExamination(settings.path)
        for finding in examination.findings {
            context.telemetry.tell(InputEvent.nothingToRead(input: context.name, finding: finding))
        }
        if context.once { nothingToRead = examination.findings.first }
        var options = settings.files.options(.cri, context: context, isFirst: start.isFirst)
        options.allowedFolders = [settings.path] + settings.linkTargets
        let tailer = FileTailer(options, known: start.known, telemetry: context.telemetry)
        watch.update(tailer, &poller)
        context.metadata.directory?.ring(poller.bell)
        context.metadata.directory?.keepPods(withLogsIn: settings.path)
        let discovery = PodLogDiscovery(
            root: settings.path, linksFolder: settings.containersPath, tailer: tailer, telemetry: context.telemetry,
            describer: PodEnrichment(settings, context: context),
            patience: context.metadata.directory == nil ? 0 : context.metadata.wait)
        discovery.start(now: SystemClock.monotonic)
        self.tailer = tailer
        self.discovery = discovery
    }

    package func wake(on poller: inout Poller, now: Int64) {
        discovery?.wake(now: now)
        if let tailer { watch.update(tailer, &poller) }
    }

    package var nextDeadline: Int64 { discovery?.nextDeadline ?? .max }
    package var hasReady: Bool { tailer?.hasReady ?? false }
    package var isWaiting: Bool { discovery?.isWaiting ?? false }
    package var lag: UInt64 { tailer?.lag ?? 0 }

    package func read(
        into batch: inout RecordBatch, sparing: Bool, now: Int64, define: (SourceIdentity) -> SourceNumber
    ) -> Bool {
        guard tailer?.read(into: &batch, sparing: sparing, now: now, define: define) == true else { return false }
        hasRead = true
        return true
    }

    /// What was found by its position, though its name has changed, is something.
    package var failure: String? { hasRead ? nil : nothingToRead }
}
