// Reads the node's own files where no agent does: a lane of our own, from where the agent's store ends, into a store of our own that is
// gone when we are. So both are searched and followed by the same code, and what is in both comes once.
import Bytes
package import Disk
import Journal
import Logging
import NodeFiles
import NodeJournal
import Pipeline
import PodMetadata
package import Records
package import Store
package import Telemetry

/// Where the node's files are, and which of them are wanted.
package struct NodePlaces: Sendable {
    /// Below which root links are followed: a copied node's lead to its own files.
    package var system = FileRoot.system
    /// The kubelet's folder of pods' logs, and that of the links.
    package var pods = "/var/log/pods"
    package var links = "/var/log/containers"
    /// The journal's folders or files; empty: where this machine has its journal.
    package var journal: [String] = []
    /// The node's name, for records.
    package var node = ""
    /// The file in which an agent kept what it knew of the node's pods; it need not be there.
    package var metadataFile: String?
    /// Whether a container's log may hold wanted records; the name is empty where only the pod is known yet.
    package var wantsContainer: @Sendable (_ namespace: String, _ pod: String, _ container: String) -> Bool = {
        _, _, _ in true
    }
    /// Whether the journal may hold wanted records.
    package var wantsJournal = true

    package init() {}
}

/// Reads the node's files into a store of its own.
package final class NodeReading: Sendable {
    /// Where that store is.
    package let folder: StoreFolder
    private let control: LaneControl
    private let thread: OSThread

    /// Starts reading, on a thread of its own.
    /// - Parameters:
    ///   - known: how far the agent's store has got; what it has is not read again.
    ///   - once: read to the present end only; else whatever comes.
    ///   - isContinued: with `once`, another reading goes on from there: lines that have no end yet are left to it.
    ///   - folder: an empty folder of ours.
    package init(
        _ places: NodePlaces, known: [KnownSource], once: Bool, isContinued: Bool = false, in folder: String,
        telemetry: Telemetry
    ) throws {
        self.folder = StoreFolder(folder)
        control = try LaneControl()
        var limits = StoreLimits()
        // As much as the disk has; where that is not enough its oldest part goes, and `leftOut` says so.
        limits.maxSize = 1 << 40
        limits.minFree = 16 << 20
        // Nothing here has to survive.
        limits.syncInterval = .max
        var writer = try Store.open(folder, settings: limits, fileSystem: LocalFileSystem(), telemetry: telemetry)
        writer.adopt(known)
        var settings = LaneSettings()
        settings.once = once
        settings.linger = 50_000_000
        let handover = Handover(writer)
        let control = self.control
        let inputs = NodeReading.inputs(
            places, known, once: once, isContinued: isContinued, links: folder + "/journal", telemetry)
        let plans = settings
        thread = OSThread("tail-lane") {
            guard let writer = handover.take() else { return }
            let store = writer.store
            do throws(PluginError) {
                let lane = try Lane(
                    writer: writer, inputs: inputs, filters: [], fieldNames: [], settings: plans, control: control,
                    telemetry: telemetry)
                lane.run()
            } catch {
                telemetry.logger.error("\(error.description)")
                store.end()
            }
        }
    }

    /// How many records the disk had no room for: the first ones that were read.
    package var leftOut: UInt64 {
        let names = (try? Directory.list(folder.segments(lane: 0)))?.map(\.name) ?? []
        let first = names.compactMap { StoreFolder.firstSequence(ofName: $0) }.min() ?? 1
        return first - 1
    }

    /// Waits until everything was read, with `once`.
    package func finish() { thread.join() }

    /// Asks it to end.
    package func askToStop() { control.stop() }

    /// Asks it to end, and waits until its files are closed.
    package func stop() {
        askToStop()
        thread.join()
    }

    private static func inputs(
        _ places: NodePlaces, _ known: [KnownSource], once: Bool, isContinued: Bool, links: String,
        _ telemetry: Telemetry
    ) -> [LaneInputPlan] {
        // What is not there at all is not missed: whoever looks at a store elsewhere has no files. What may not be read is said.
        var inputs: [LaneInputPlan] = []
        if places.system.status(places.pods) != nil {
            inputs.append(
                LaneInputPlan(name: "containers") { () throws(PluginError) in
                    ContainersReading(places, known: known, once: once, isContinued: isContinued, telemetry)
                })
        }
        let journal = JournalPaths(places)
        if places.wantsJournal, JournalReader.isBuiltIn, journal.isPresent {
            inputs.append(
                LaneInputPlan(name: "journal") { () throws(PluginError) in
                    JournalReading(journal.paths, places, known: known, once: once, links: links, telemetry)
                })
        }
        return inputs
    }
}

/// What an input of ours would be set by, if anybody could.
private struct NoSettings: PluginSettings {
    init(from fields: inout Fields) {}
}

/// The containers' logs.
private final class ContainersReading: Input {
    static let name = "containers"
    typealias Settings = NoSettings

    let jsonMode = JSONMode.merge
    private let tailer: FileTailer
    private let discovery: PodLogDiscovery

    init(_ settings: NoSettings, context: PluginContext) throws(PluginError) {
        throw .unusable("is not an input of the agent's")
    }

    init(_ places: NodePlaces, known: [KnownSource], once: Bool, isContinued: Bool, _ telemetry: Telemetry) {
        var options = TailOptions(input: ContainersReading.name, format: .cri)
        options.once = once
        options.leavesUnfinished = isContinued
        options.files = places.system
        tailer = FileTailer(
            options, known: known.filter { $0.identity.kind == .container }, telemetry: telemetry)
        discovery = PodLogDiscovery(
            root: places.pods, linksFolder: places.links, tailer: tailer, telemetry: telemetry,
            describer: RememberedPods(places, telemetry))
    }

    func open(on poller: inout Poller, start: InputStart) throws(PluginError) {
        if let descriptor = tailer.watchDescriptor {
            do throws(DiskError) { try poller.add(descriptor) } catch { throw .unusable(error.description) }
        }
        discovery.start(now: SystemClock.monotonic)
    }

    func wake(on poller: inout Poller, now: Int64) { discovery.wake(now: now) }
    var isWaiting: Bool { discovery.isWaiting }
    var nextDeadline: Int64 { discovery.nextDeadline }
    var hasReady: Bool { tailer.hasReady }
    var lag: UInt64 { tailer.lag }

    func read(
        into batch: inout RecordBatch, sparing: Bool, now: Int64, define: (SourceIdentity) -> SourceNumber
    ) -> Bool {
        guard tailer.read(into: &batch, sparing: sparing, now: now, define: define) else { return false }
        // As the agent does by itself.
        batch.parseKlog()
        return true
    }
}

/// Describes logs by what an agent knew of their pods when it was last here, if there was one.
private final class RememberedPods: LogDescriber {
    private let places: NodePlaces
    private let pods: PodSnapshot
    private let format: MetadataFormat

    init(_ places: NodePlaces, _ telemetry: Telemetry) {
        self.places = places
        format = MetadataFormat(node: places.node)
        let directory = PodDirectory()
        if let path = places.metadataFile {
            do {
                if let file = try MetadataFile.read(places.system.locate(path)) { directory.restore(file) }
            } catch {
                telemetry.logger.warning("what an agent knew of the pods cannot be read: \(error)")
            }
        }
        pods = directory.snapshot
    }

    func isWanted(_ pod: PodFolder, _ container: String?) -> Bool {
        places.wantsContainer(pod.namespace, pod.pod, container ?? "")
    }

    func describe(_ log: ContainerLog) -> LogDescription {
        let identity = ContainerIdentity(
            namespace: log.folder.namespace, pod: log.folder.pod, uid: log.folder.uid, container: log.container,
            restarts: log.restart, containerID: log.containerID)
        return LogDescription(
            ending: format.ending(
                of: identity, pod: pods.pod(namespace: log.folder.namespace, name: log.folder.pod, uid: log.folder.uid),
                namespaceLabels: pods.namespaces[log.folder.namespace] ?? []))
    }
}

/// The journal.
private final class JournalReading: Input {
    static let name = "journal"
    typealias Settings = NoSettings

    let jsonMode = JSONMode.merge
    private let tailer: JournalTailer

    init(_ settings: NoSettings, context: PluginContext) throws(PluginError) {
        throw .unusable("is not an input of the agent's")
    }

    init(
        _ paths: [String], _ places: NodePlaces, known: [KnownSource], once: Bool, links: String, _ telemetry: Telemetry
    ) {
        var options = JournalTailOptions(input: JournalReading.name)
        options.paths = paths
        options.links = links
        options.records.node = places.node
        // Nobody pays for them, and whoever looks may want any.
        options.records.fields = .all
        options.start = .beginning
        options.once = once
        tailer = JournalTailer(
            options, known: known.filter { $0.identity.kind == .journal }, telemetry: telemetry)
    }

    func open(on poller: inout Poller, start: InputStart) throws(PluginError) {
        tailer.open(on: &poller, now: SystemClock.monotonic)
    }

    func wake(on poller: inout Poller, now: Int64) { tailer.wake(on: &poller, now: now) }
    var nextDeadline: Int64 { tailer.nextDeadline }
    var hasReady: Bool { tailer.hasReady }
    var lag: UInt64 { 0 }
    var failure: String? { tailer.failure }

    func read(
        into batch: inout RecordBatch, sparing: Bool, now: Int64, define: (SourceIdentity) -> SourceNumber
    ) -> Bool {
        guard tailer.read(into: &batch, sparing: sparing, define: define) else { return false }
        batch.parseKlog()
        return true
    }
}
