// The four kinds of plugins, and what each is given. How to add one: plugins.md.
package import Disk
package import PodMetadata
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
    /// The names of the parsers that an input's records go through.
    package var parsers: [String] = []
    /// The parsers that an input may choose for single logs: see `RecordBatch.parsing`.
    package var chosenParsers: [String] = []
    /// What is known of pods.
    package var metadata = MetadataSource()
    /// The data directory, where a plugin may have a folder of its own; nil where nothing may be written (`sluice validate`).
    package var dataDirectory: String?
    /// The files that the outputs write, for inputs not to read them.
    package var ownFiles = OwnFiles()
    /// Every input is read to its present end, then the agent finishes.
    package var once: Bool
    package var telemetry: Telemetry
    package var fileSystem: any FileSystem
    /// What log files may hold open, all inputs together.
    package var descriptors = DescriptorBudget()

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
    /// The parsers that its records go through unless `parsers` says otherwise.
    static var standardParsers: [String] { get }
    /// What becomes of messages that are JSON objects.
    var jsonMode: JSONMode { get }
    /// What keeps it from reading here and now what its settings ask for, each as a sentence; looked for without starting anything.
    func findings() -> [String]
    /// Starts reading: finds its sources, and gives the poller the descriptors that wake it.
    func open(on poller: inout Poller, start: InputStart) throws(PluginError)
    /// Takes what its descriptors have to tell; called after one of them can be read, and when `nextDeadline` has come. It may
    /// exchange its descriptors.
    func wake(on poller: inout Poller, now: Int64)
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
    /// Whether there is something to read that waits for something else than its turn: with `once` it is not the end yet.
    var isWaiting: Bool { get }
    /// Bytes known to be unread.
    var lag: UInt64 { get }
    /// With `once`: why it ended although there is more to read.
    var failure: String? { get }
}

extension Input {
    /// Most inputs have none, and read files that may come and go.
    package static var standardParsers: [String] { [] }
    package var failure: String? { nil }
    package var isWaiting: Bool { false }
    package func findings() -> [String] { [] }
}

/// Works out what is in messages, on a batch in place. It never fails: what it cannot read it marks and counts.
package protocol Parser: Plugin {
    func parse(_ batch: inout RecordBatch)
}

/// Drops or changes records, on a batch in place. A record is dropped by its flag `.filtered`.
package protocol Filter: Plugin {
    func apply(to batch: inout RecordBatch)
}

/// Why a request was not delivered. Nothing is lost by it: each kind says what happens to the records.
package struct DeliveryFailure: Error, CustomStringConvertible {
    /// The kinds of failure, by what becomes of the request.
    package enum Kind: Sendable {
        /// It will pass: the same request is sent again, soon at first, until it is delivered.
        case passing
        /// The request is larger than the receiver takes: it comes again in smaller ones. A single record becomes a dead letter.
        case tooLarge
        /// Something in the request is refused for good: the records that are to blame are found and become dead letters.
        case refused
        /// Nothing is taken from us at all (a wrong token, a wrong path): the request is sent again, slowly, and loudly.
        case denied
    }

    /// What is to be done about it.
    package let kind: Kind
    /// What happened, for the operator.
    package let reason: String
    /// How long the receiver asks to wait.
    package let retryAfter: Duration?

    package init(_ reason: String, kind: Kind = .passing, retryAfter: Duration? = nil) {
        self.kind = kind
        self.reason = reason
        self.retryAfter = retryAfter
    }

    package var description: String { reason }
}

/// What an output's requests are measured in.
package enum RequestMeasure: Sendable {
    /// Bytes as they lie in the store.
    case compressed
    /// Bytes of text.
    case text
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
    /// What `max_request` limits.
    var measure: RequestMeasure { get }
    /// Nothing more will be sent.
    func close() async
    /// What keeps it from delivering here and now, each as a sentence; looked for without starting or writing anything.
    func findings() -> [String]
}

extension Output {
    /// Most outputs need nothing of this machine.
    package func findings() -> [String] { [] }
    /// Most outputs have nothing to prepare.
    package func prepare() async throws(DeliveryFailure) {}
    package var measure: RequestMeasure { .compressed }
}

/// An output that can send several requests at the same time, from several tasks. It prepares nothing and keeps no state.
package protocol ConcurrentOutput: Output, Sendable {
    /// How many at most, from 1 to `CursorState.mostSending`.
    var concurrency: Int { get }
}
