// The lane as a service: its thread, and how it is asked to stop.
import Disk
import Pipeline
import ServiceLifecycle
import Store
import Synchronization
import Telemetry

/// Runs the lane on a thread of its own until the service is shut down or, with --once, everything is read.
final class LaneService: Service {
    private let writer: Handover<StoreWriter>
    private let inputs: [LaneInputPlan]
    private let filters: [LaneFilterPlan]
    private let fieldNames: [String]
    private let settings: LaneSettings
    private let control: LaneControl
    private let telemetry: Telemetry

    init(
        writer: Handover<StoreWriter>, inputs: [LaneInputPlan], filters: [LaneFilterPlan], fieldNames: [String],
        settings: LaneSettings, control: LaneControl, telemetry: Telemetry
    ) {
        self.writer = writer
        self.inputs = inputs
        self.filters = filters
        self.fieldNames = fieldNames
        self.settings = settings
        self.control = control
        self.telemetry = telemetry
    }

    func run() async throws {
        let outcome: Result<Void, PluginError> = await withTaskCancellationOrGracefulShutdownHandler {
            await withCheckedContinuation { continuation in
                _ = OSThread("sluice-lane") { [self] in continuation.resume(returning: runLane()) }
            }
        } onCancelOrGracefulShutdown: { [control] in
            control.stop()
        }
        try outcome.get()
    }

    private func runLane() -> Result<Void, PluginError> {
        guard let writer = writer.take() else { return .success(()) }
        let store = writer.store
        do throws(PluginError) {
            let lane = try Lane(
                writer: writer, inputs: inputs, filters: filters, fieldNames: fieldNames, settings: settings,
                control: control,
                telemetry: telemetry)
            lane.run()
            return .success(())
        } catch {
            store.end()
            return .failure(error)
        }
    }
}
