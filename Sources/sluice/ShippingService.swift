// The lane and the deliveries together: what is asked to stop is the lane, and the deliveries end by themselves behind it.
import ServiceLifecycle

/// Reads, stores and delivers until the lane is told to stop or has read everything, and what it stored is delivered.
///
/// One service, because a group takes it for a failure when one of its services ends while it shuts down another, and the
/// deliveries may end at the same moment as the lane.
struct ShippingService: Service {
    let lane: LaneService
    let deliveries: DeliveriesService
    /// Called from a thread of its own when it is over and an output does not come back from a call.
    let stuck: @Sendable () -> Void

    func run() async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await lane.run() }
            group.addTask { try await deliveries.run(orElse: stuck) }
            // The first that fails ends the other.
            for try await _ in group {}
        }
    }
}
