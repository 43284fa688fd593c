// The four kinds of plugins, and what each is given. How to add one: plugins.md.
package import Disk
package import Records
package import Telemetry

/// What a plugin is built with.
package struct PluginContext: Sendable {
    /// The item's name in the configuration.
    package var name: String
    /// The node's name.
    package var node: String
    /// The static `fields`, encoded: `,"name":value` for each.
    package var staticFields: [UInt8]
    /// Every input is read to its present end, then the agent finishes.
    package var once: Bool
    package var telemetry: Telemetry
    package var fileSystem: any FileSystem

    package init(
        name: String, node: String, staticFields: [UInt8] = [], once: Bool = false, telemetry: Telemetry,
        fileSystem: any FileSystem = LocalFileSystem()
    ) {
        self.name = name
        self.node = node
        self.staticFields = staticFields
        self.once = once
        self.telemetry = telemetry
        self.fileSystem = fileSystem
    }
}

/// Why a plugin cannot run here.
package enum PluginError: Error, CustomStringConvertible {
    /// What is wrong and what to do about it, as a sentence.
    case unusable(String)

    package var description: String {
        switch self {
        case .unusable(let reason): reason
        }
    }
}

/// What an input finds when it starts.
package struct InputStart: Sendable {
    /// What the store remembers of its sources.
    package let known: [KnownSource]
    /// No input of this name has ever run on this store: `start_at` counts.
    package let isFirst: Bool

    package init(known: [KnownSource], isFirst: Bool) {
        self.known = known
        self.isFirst = isFirst
    }
}

/// Reads sources. It is driven by the lane's thread and never waits.
///
/// The store itself keeps the positions it was given, in the same write as the records: an input learns what is committed
/// when it starts, not while it runs.
package protocol Input: AnyObject, Plugin {
    /// What becomes of messages that are JSON objects.
    var jsonMode: JSONMode { get }
    /// Starts reading: finds its sources, and gives the poller the descriptors that wake it.
    func open(on poller: inout Poller, start: InputStart) throws(PluginError)
    /// Takes what its descriptors have to tell; called after one of them can be read, and when `nextDeadline` has come.
    func wake(now: Int64)
    /// When it wants to be woken although nothing was told, nanoseconds on the monotonic clock.
    var nextDeadline: Int64 { get }
    /// Whether something can be read at once.
    var hasReady: Bool { get }
    /// Reads one batch of one source, a few hundred kilobytes at most, into the empty batch.
    /// - Parameters:
    ///   - sparing: much is waiting for the outputs: read only what is nearly up to date or about to be lost.
    ///   - define: gives a source that is new its number.
    /// - Returns: false when there was nothing.
    func read(
        into batch: inout RecordBatch, sparing: Bool, now: Int64, define: (SourceIdentity) -> SourceNumber
    ) -> Bool
    /// Bytes known to be unread.
    var lag: UInt64 { get }
}

/// Works out what is in messages, on a batch in place. It never fails: what it cannot read it marks and counts.
package protocol Parser: Plugin {
    func parse(_ batch: inout RecordBatch)
}

/// Drops or changes records, on a batch in place. A record is dropped by its flag `.filtered`.
package protocol Filter: Plugin {
    func apply(to batch: inout RecordBatch)
}

/// Why a request was not delivered. It is tried again until it is.
package struct DeliveryFailure: Error, CustomStringConvertible {
    /// What happened, for the operator.
    package let reason: String
    /// How long the receiver asks to wait.
    package let retryAfter: Duration?

    package init(_ reason: String, retryAfter: Duration? = nil) {
        self.reason = reason
        self.retryAfter = retryAfter
    }

    package var description: String { reason }
}

/// Sends records somewhere. It belongs to one task, which runs on a thread of its own, so it may block.
package protocol Output: AnyObject, Plugin {
    /// Called before the first request, again until it succeeds.
    /// - Parameter state: what `state` was when the cursor was moved last; empty for a new output.
    func open(state: [UInt8]) async throws(DeliveryFailure)
    /// Called before each attempt to send, to begin something new (another file, say): what `state` is afterwards is kept
    /// before the request goes out, so that a crash in the middle of it is known for what it was.
    func prepare() async throws(DeliveryFailure)
    /// Delivers all of the request or fails. After a failure or a crash the same request comes again.
    func send(_ request: borrowing Request) async throws(DeliveryFailure)
    /// What it wants to find again after a restart; kept in the same write as the cursor. At most 4 KiB.
    var state: [UInt8] { get }
    /// Nothing more will be sent.
    func close() async
}

extension Output {
    /// Most outputs have nothing to prepare.
    package func prepare() async throws(DeliveryFailure) {}
}
