// Ends the agent when its data directory is taken away under it.
import Disk
import Glibc
import Logging
import ServiceLifecycle
import Store
import Telemetry

/// Looks once a second whether the store is where it was.
///
/// What is written to a folder that is gone is found by nobody: records would be read, delivered and forgotten, and the next start would
/// not know it. So the agent ends as it would in a crash, at once and without moving anything on, and says why.
struct StoreWatchService: Service {
    let store: Store
    let telemetry: Telemetry

    private static let interval = Duration.seconds(1)

    func run() async throws {
        await cancelWhenGracefulShutdown {
            while !Task.isCancelled {
                if let path = store.displaced { end(path) }
                try? await Task.sleep(for: Self.interval)
            }
        }
    }

    private func end(_ path: String) {
        telemetry.logger.error(
            "the data directory, or a part of it, was deleted, moved or replaced under the running agent: it ends at once, since nothing that it writes there would be found again. Start it again when the folder is as it should be; what was not stored is read again from the logs",
            metadata: ["gone": "\(path)"])
        exit(EXIT_FAILURE)
    }
}
