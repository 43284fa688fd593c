// The connections of the output `http`: one client at a time, and a new one every few minutes, so that names are looked up
// again and certificates that were exchanged on disk come into use.
import AsyncHTTPClient
import Disk
import HTTPTransport
import NIOCore
import NIOPosix
import Pipeline
import Synchronization
import Telemetry

/// Lends clients to requests.
final class HTTPConnections: Sendable {
    /// A client and how many requests use it.
    final class Lease: Sendable {
        let client: HTTPClient
        fileprivate let bornAt = SystemClock.monotonic
        fileprivate let users = Mutex(0)
        fileprivate let hasAnswered = Atomic(false)
        private let isShutDown = Atomic(false)

        fileprivate init(_ client: HTTPClient) { self.client = client }

        /// Ends its connections.
        fileprivate func shutDown() async {
            isShutDown.store(true, ordering: .relaxed)
            try? await client.shutdown()
        }

        // Also where nobody came to close the output: the library insists on it.
        deinit { if !isShutDown.load(ordering: .relaxed) { client.shutdown().whenComplete { _ in } } }
    }

    /// One thread serves the connections of all outputs: they send a few large requests a second.
    private static let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)

    private let settings: TransportSettings
    /// The age at which a client is exchanged for a new one.
    private let renew: Interval
    private let output: String
    private let telemetry: Telemetry
    private let current: Mutex<Lease>
    /// Exchanged and not yet shut down.
    private let retired = Mutex<[Lease]>([])

    /// Reads the certificates.
    /// - Throws: naming the file that cannot be used.
    init(
        _ settings: TransportSettings, renew: Interval, output: String, telemetry: Telemetry
    ) throws(PluginError) {
        self.settings = settings
        self.renew = renew
        self.output = output
        self.telemetry = telemetry
        current = Mutex(Lease(try Self.makeClient(settings)))
    }

    /// A client for one request; to be given back.
    func lease() -> Lease {
        let old = current.withLock { lease in
            lease.users.withLock { $0 += 1 }
            return lease
        }
        guard SystemClock.monotonic - old.bornAt > Int64(renew.nanoseconds) else { return old }
        do throws(PluginError) {
            let new = Lease(try Self.makeClient(settings))
            new.users.withLock { $0 += 1 }
            let replaced = current.withLock { lease in
                defer { lease = new }
                return lease
            }
            retired.withLock { $0.append(replaced) }
            old.users.withLock { $0 -= 1 }
            return new
        } catch {
            telemetry.tell(HTTPOutputEvent.cannotRenew(output: output, reason: error.description))
            return old
        }
    }

    /// Takes a client back. `answered`: a server has just answered over it.
    func giveBack(_ lease: Lease, answered: Bool) async {
        lease.hasAnswered.store(answered, ordering: .relaxed)
        lease.users.withLock { $0 -= 1 }
        await shutDownRetired()
    }

    /// Whether a failure may only mean that a connection lay idle for too long.
    func mayHaveIdled(_ lease: Lease) -> Bool { lease.hasAnswered.load(ordering: .relaxed) }

    /// Ends all connections; nothing is lent any more.
    func close() async {
        let last = current.withLock { $0 }
        retired.withLock { $0.append(last) }
        await shutDownRetired()
    }

    private func shutDownRetired() async {
        let unused = retired.withLock { retired in
            let unused = retired.filter { $0.users.withLock { $0 == 0 } }
            retired.removeAll { lease in unused.contains { $0 === lease } }
            return unused
        }
        for lease in unused { await lease.shutDown() }
    }

    private static func makeClient(_ settings: TransportSettings) throws(PluginError) -> HTTPClient {
        do throws(TransportError) {
            return try settings.makeClient(on: group)
        } catch {
            throw .unusable(error.description)
        }
    }
}
