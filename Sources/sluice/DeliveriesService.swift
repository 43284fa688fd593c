// All deliveries: a task and a thread for each output, and the patience with them at the end.
import Disk
import Logging
import Pipeline
import Settings
import Store
import Telemetry

/// Delivers to every output until the store has ended and all is sent, or patience is over.
final class DeliveriesService: Sendable {
    /// One output's part.
    private struct Part: Sendable {
        let item: AgentSettings.ConfiguredOutput
        let cursor: Handover<StoreCursor>
        let status = DeliveryStatus()
    }

    private let parts: [Part]
    private let store: Store
    private let context: PluginContext
    private let grace: Duration
    private let once: Bool

    init(
        _ outputs: [AgentSettings.ConfiguredOutput], store: Store, context: PluginContext, grace: Duration, once: Bool
    ) throws(DiskError) {
        var parts: [Part] = []
        for item in outputs {
            let cursor = try StoreCursor(
                store, output: item.plugin.name, start: item.delivery.startAt == .history ? .history : .end,
                mayGiveWay: item.delivery.whenFull == .giveWay)
            parts.append(Part(item: item, cursor: Handover(cursor)))
        }
        self.parts = parts
        self.store = store
        self.context = context
        self.grace = grace
        self.once = once
    }

    /// How each output stands.
    var pictures: [(name: String, picture: DeliveryStatus.Picture)] {
        parts.map { ($0.item.plugin.name, $0.status.picture) }
    }

    /// Outputs that have not got everything, and how many records wait for each.
    var undelivered: [(String, UInt64)] {
        parts.compactMap { part in
            let waiting = store.waitingRecords(from: store.cursors[part.item.plugin.name]?.next ?? 0)
            return waiting > 0 ? (part.item.plugin.name, waiting) : nil
        }
    }

    /// Runs until all is delivered or patience is over; an output that cannot be built ends it all.
    ///
    /// - Parameter stuck: called from a thread of its own when it is over and an output does not come back from a call.
    func run(orElse stuck: @escaping @Sendable () -> Void) async throws {
        let watch = ReturnWatch()
        defer { watch.noteReturn() }
        try await withTaskCancellationHandler {
            try await withThrowingTaskGroup(of: Ending.self) { group in
                // Before the group waits for those that are left.
                defer { watch.expectReturn(orElse: stuck) }
                for part in parts {
                    group.addTask {
                        try await self.deliver(part)
                        return .output
                    }
                }
                group.addTask {
                    await self.bePatient()
                    return .patience
                }
                var left = parts.count
                while left > 0, let ending = try await group.next() {
                    left = ending == .patience ? 0 : left - 1
                }
                group.cancelAll()
            }
        } onCancel: {
            watch.expectReturn(orElse: stuck)
        }
    }

    /// What has ended: one output's delivery, or the patience with all of them.
    private enum Ending { case output, patience }

    private func deliver(_ part: Part) async throws {
        let executor = ThreadExecutor("out-\(part.item.plugin.name)")
        defer { executor.stop() }
        try await withTaskExecutorPreference(executor) {
            guard let cursor = part.cursor.take() else { return }
            let name = part.item.plugin.name
            let output: any Output
            do throws(PluginError) {
                output = try part.item.plugin.make(context.named(name))
            } catch {
                throw PluginError.unusable("output \(name): \(error.description)")
            }
            let delivery = Delivery(
                output, cursor: cursor, store: store, settings: part.item.delivery, status: part.status,
                telemetry: context.telemetry)
            await delivery.run()
        }
    }

    /// Says that nothing is read any more, and what is waited for.
    private func tellStop() {
        let waiting = undelivered.map { "\($0.0):\($0.1)" }.joined(separator: ",")
        context.telemetry.logger.info(
            "stopping: nothing is read any more",
            metadata: OrderedMetadata([
                ("waiting", waiting.isEmpty ? "nothing" : waiting), ("grace_s", "\(grace / .seconds(1))"),
            ])
            .metadata)
    }

    /// Waits until the store has ended and then, for as long as there is hope for one of them, for the outputs. A run with --once
    /// gives up on an output that has had no success for the whole grace; a stop gives the grace once to all.
    private func bePatient() async {
        await store.ended()
        let ended = SystemClock.monotonic
        if !once { tellStop() }
        let patience = Int64(grace / .nanoseconds(1))
        while !Task.isCancelled, !parts.allSatisfy({ $0.status.picture.isDone }) {
            let now = SystemClock.monotonic
            // One that gets on is waited for, however long another has been stuck.
            let isHopeless = parts.allSatisfy { part in
                let picture = part.status.picture
                if picture.isDone { return true }
                let deadline = (once ? max(ended, picture.lastSuccess) : ended) + patience
                // Nothing will happen any more before patience is over.
                return now > deadline || picture.nextTry > deadline
            }
            if isHopeless { return }
            try? await Task.sleep(for: .milliseconds(50))
        }
    }
}
