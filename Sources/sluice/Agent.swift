// The wiring: a store, a lane that fills it, deliveries that empty it, and the order in which they end.
import Bytes
import Disk
import Glibc
import Logging
import Pipeline
import PodMetadata
import ServiceLifecycle
import Settings
import Store
import Telemetry
import UnixSignals

/// One run of the agent.
struct Agent {
    private let settings: AgentSettings
    private let once: Bool
    private let telemetry: Telemetry
    private let store: Store
    private let control: LaneControl
    private let lane: LaneService
    private let deliveries: DeliveriesService
    private let metadata: AgentMetadata

    /// Opens the store and everything else that can fail before anything runs.
    init(_ settings: AgentSettings, once: Bool, telemetry: Telemetry) throws {
        self.settings = settings
        self.once = once
        self.telemetry = telemetry
        let name = NodeName(settings.agent.node)
        let node = name.text
        if !name.isGiven, Machine.environment("KUBERNETES_SERVICE_HOST") != nil {
            telemetry.logger.warning(
                "the node's name is taken from the host's name, which in a pod is mostly the pod's; set the variable NODE_NAME from the field spec.nodeName, or agent.node",
                metadata: ["node": "\(node)"])
        }
        var fields = Arena(capacity: 256)
        for field in settings.fields {
            fields.append(",")
            fields.appendJSONString(field.name)
            fields.append(":")
            fields.append(field.value.bytes)
        }
        var context = PluginContext(
            name: "", node: node, staticFields: [UInt8](copying: fields.span), once: once, telemetry: telemetry)

        context.dataDirectory = settings.dataDirectory
        try settings.refuseOwnJournal()
        settings.claimOwnFiles(context.ownFiles)

        // After the store's lock is held: what is known of pods is in the same folder.
        let writer = try Store.open(
            settings.dataDirectory, settings: StoreLimits(settings.store), fileSystem: LocalFileSystem(),
            telemetry: telemetry)
        let store = writer.store
        self.store = store
        metadata = try AgentMetadata(settings, node: node, telemetry: telemetry)
        context.metadata = metadata.source
        control = try LaneControl()
        deliveries = try DeliveriesService(
            settings.outputs, store: store, context: context, grace: settings.agent.shutdownGrace.duration, once: once)
        StoreCursor.announceAbandoned(store, outputs: Set(settings.outputs.map(\.plugin.name)))

        var laneSettings = LaneSettings()
        laneSettings.linger = Int64(settings.store.linger.nanoseconds)
        laneSettings.catchUpWindow = UInt64(settings.store.catchUpWindow.bytes)
        laneSettings.once = once
        lane = LaneService(
            writer: Handover(writer),
            inputs: settings.inputs.map { [context] in $0.plan(context) },
            filters: settings.filters.map { [context] item in
                LaneFilterPlan(name: item.name) { () throws(PluginError) in try item.make(context.named(item.name)) }
            },
            fieldNames: settings.fields.map(\.name), settings: laneSettings, control: control, telemetry: telemetry)
    }

    /// Runs until a signal or, with --once, until all is delivered. Returns whether everything went well.
    func run() async throws -> Bool {
        let started = SystemClock.monotonic
        Machine.forgetStart()
        let report = ReportService(
            store: store, control: control, deliveries: deliveries, pods: metadata.source.directory,
            telemetry: telemetry,
            interval: settings.agent.summaryInterval.duration,
            once: once,
            showsProgress: once && StandardStream.errorIsTerminal
                && !settings.outputs.contains { $0.plugin.type == "stdout" })
        // They end in the reverse order: the reports come last.
        var services: [ServiceGroupConfiguration.ServiceConfiguration] = [
            .init(service: report, successTerminationBehavior: .ignore),
            .init(
                service: StoreWatchService(store: store, telemetry: telemetry), successTerminationBehavior: .ignore),
        ]
        if let service = metadata.service {
            services.append(.init(service: service, successTerminationBehavior: .ignore))
        }
        let group = ServiceGroup(
            configuration: ServiceGroupConfiguration(
                services: services + [
                    .init(
                        service: ShippingService(lane: lane, deliveries: deliveries) {
                            // All that is stored stays, and no cursor moves before its output has come back.
                            exit(finish(report, started) ? EXIT_SUCCESS : EXIT_FAILURE)
                        },
                        successTerminationBehavior: .gracefullyShutdownGroup)
                ],
                gracefulShutdownSignals: [.sigterm, .sigint],
                logger: Logger(label: "services") { _ in SwiftLogNoOpLogHandler() }))
        try await group.run()
        return finish(report, started)
    }

    /// Says how it went. Returns whether it went well.
    private func finish(_ report: ReportService, _ started: Int64) -> Bool {
        let undelivered = deliveries.undelivered
        if once { report.summarize(since: started) }
        for (output, records) in undelivered {
            telemetry.logger.warning(
                "records are left for the next start", metadata: ["output": "\(output)", "waiting": "\(records)"])
        }
        if let reason = control.reason {
            telemetry.logger.error("not everything was read: \(reason)")
            return false
        }
        return !once || undelivered.isEmpty
    }
}

extension AgentSettings.ConfiguredInput {
    /// The input as the lane is given it.
    func plan(_ context: PluginContext) -> LaneInputPlan {
        var context = context.named(plugin.name)
        context.parsers = parsers.map(\.type)
        context.chosenParsers = chosenParsers.map(\.type)
        func plans(_ parsers: [Configured<any Parser>]) -> [LaneParserPlan] {
            parsers.map { [context] parser in LaneParserPlan { () throws(PluginError) in try parser.make(context) } }
        }
        return LaneInputPlan(name: plugin.name, parsers: plans(parsers), chosenParsers: plans(chosenParsers)) {
            [context, plugin] () throws(PluginError) in try plugin.make(context)
        }
    }
}

extension PluginContext {
    /// The same for another item.
    func named(_ name: String) -> PluginContext {
        var context = self
        context.name = name
        return context
    }
}

extension StoreLimits {
    init(_ settings: StoreSettings) {
        self.init()
        maxSize = UInt64(settings.maxSize.bytes)
        minFree = UInt64(settings.minFree.bytes)
        history = Int64(settings.history.nanoseconds)
        syncInterval = Int64(settings.sync.nanoseconds)
    }
}
