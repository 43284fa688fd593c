// The published side of the store: what its writer and its readers know of one another. Only snapshots cross threads here;
// the bytes of the chunks are in the files.
import Disk
package import Records
import Synchronization
import Telemetry

/// Limits and times of a store.
package struct StoreLimits: Sendable {
    /// Bytes that segments may take: waiting, history, dead letters.
    package var maxSize: UInt64 = 2 << 30
    /// Bytes of the file system that are never used up.
    package var minFree: UInt64 = 256 << 20
    /// How long delivered chunks are kept, nanoseconds.
    package var history: Int64 = 24 * 3600 * 1_000_000_000
    /// The longest time between a write and its sync, nanoseconds.
    package var syncInterval: Int64 = 1_000_000_000
    /// A segment is closed at this age, nanoseconds.
    package var segmentAge: Int64 = 600 * 1_000_000_000
    /// A segment is closed at this size at the latest.
    package var segmentSize: UInt64 = 16 << 20

    package init() {}
}

/// What an output's cursor means to the store.
package struct PublishedCursor: Sendable {
    /// The next wanted record.
    package var next: UInt64
    /// Bytes of chunks that wait for it.
    package var waitingBytes: UInt64
    /// Whether it may be made to lose records when the store is full.
    package var mayGiveWay: Bool
    package var account: DeliveryAccount
    /// Records before this number will not be kept for it any more.
    package var floor: UInt64 = 0

    package init(next: UInt64, waitingBytes: UInt64, mayGiveWay: Bool, account: DeliveryAccount) {
        self.next = next
        self.waitingBytes = waitingBytes
        self.mayGiveWay = mayGiveWay
        self.account = account
    }
}

/// A store, as its readers and the reports see it.
package final class Store: Sendable {
    /// Where it is, which store it is, and the number of its lane.
    package let folder: StoreFolder
    package let identity: StoreIdentity
    package let lane: UInt16 = 0
    let telemetry: Telemetry
    let fileSystem: any FileSystem
    /// For what has to be written on a full disk too.
    let reserved: any FileSystem
    let ages: StoreAges
    /// What has to stay where it is while the agent runs.
    private let places: [FilePlace]
    private let state: Mutex<State>
    /// Bytes of dead letters, and how many may be kept: an eighth of `max_size`, of which they are a part.
    private let deadLetters: Atomic<Int64>
    let deadLetterLimit: UInt64
    /// The files of letters that are being written, by output.
    private let letterFiles = Mutex<[String: String]>([:])
    /// Rung when there may be room for the writer: a cursor has moved, or a segment became durable.
    private let cursorMoved: Mutex<(@Sendable () -> Void)?> = Mutex(nil)

    struct State {
        var segments: [SegmentSummary]
        var nextSequence: UInt64
        /// Numbers before the next that no record has.
        var skipped: SkippedNumbers
        var counts: [String: Counts]
        var cursors: [String: PublishedCursor] = [:]
        /// Grows with every append; readers wait for it to change.
        var version: UInt64 = 0
        var waiters: [UInt64: CheckedContinuation<Void, Never>] = [:]
        /// Those who wait for the end only: appends do not wake them.
        var endWaiters: [UInt64: CheckedContinuation<Void, Never>] = [:]
        var lastWaiter: UInt64 = 0
        /// Why nothing can be written, when that is so.
        var trouble: String?
        var isEnded = false

        /// How many of the numbers in `from..<to` were given to records.
        func records(from: UInt64, to: UInt64) -> UInt64 { skipped.given(from: from, to: min(to, nextSequence)) }
    }

    init(
        folder: StoreFolder, identity: StoreIdentity, fileSystem: any FileSystem, reserved: any FileSystem,
        telemetry: Telemetry, segments: [SegmentSummary], nextSequence: UInt64, skipped: SkippedNumbers,
        counts: [String: Counts], maxSize: UInt64, ages: StoreAges, places: [FilePlace]
    ) {
        self.reserved = reserved
        self.ages = ages
        self.places = places
        self.folder = folder
        self.identity = identity
        self.fileSystem = fileSystem
        self.telemetry = telemetry
        deadLetters = Atomic(Int64(DeadLetters.totalSize(folder)))
        deadLetterLimit = maxSize / 8
        state = Mutex(State(segments: segments, nextSequence: nextSequence, skipped: skipped, counts: counts))
    }

    // MARK: What readers ask

    /// Bytes that dead letters take.
    package var deadLetterBytes: UInt64 { UInt64(max(0, deadLetters.load(ordering: .relaxed))) }
    var openLetters: Set<String> { letterFiles.withLock { Set($0.values) } }
    func noteOpenLetters(_ path: String?, of output: String) { letterFiles.withLock { $0[output] = path } }
    func changeDeadLetterBytes(by change: Int64) { deadLetters.add(change, ordering: .relaxed) }

    /// The segments, oldest first; the last one is being written.
    package var segments: [SegmentSummary] { state.withLock { $0.segments } }
    /// The number the next record will get.
    package var nextSequence: UInt64 { state.withLock { $0.nextSequence } }
    /// Changes with every append.
    package var version: UInt64 { state.withLock { $0.version } }
    /// Counts by input's name.
    package var counts: [String: Counts] { state.withLock { $0.counts } }
    package var cursors: [String: PublishedCursor] { state.withLock { $0.cursors } }
    /// Why nothing can be written now; nil when all is well.
    package var trouble: String? { state.withLock { $0.trouble } }

    /// Records from `next` on that are in the store.
    package func waitingRecords(from next: UInt64) -> UInt64 {
        state.withLock { state in
            state.records(from: max(next, state.segments.first?.firstSequence ?? 0), to: .max)
        }
    }

    /// How many of the numbers in `from..<to` were given to records.
    package func records(from: UInt64, to: UInt64) -> UInt64 {
        state.withLock { $0.records(from: from, to: to) }
    }

    /// Bytes of chunks that wait for the most advanced output; 0 when there is none.
    package var leastWaitingBytes: UInt64 {
        state.withLock { $0.cursors.values.map(\.waitingBytes).min() ?? 0 }
    }

    /// How long a chunk has waited, nanoseconds: by the time that the machine has been running, whatever was done to its wall clock.
    package func age(of header: ChunkHeader) -> Int64 {
        ages.age(ofChunk: header.appendTime, number: header.firstSequence)
    }

    /// A file or folder of the store that is not where it was: deleted, moved away, or replaced. Nothing that is written from then on
    /// would be found by the next start; nil when all is in its place.
    package var displaced: String? { places.first(where: \.isLost)?.path }

    /// Waits until the version differs from `version`, the store ends, or the task is cancelled.
    package func changed(since version: UInt64) async {
        await wait(forEndOnly: false) { $0.version != version }
    }

    /// Waits until the store ends or the task is cancelled.
    package func ended() async { await wait(forEndOnly: true) { _ in false } }

    private func wait(
        forEndOnly: Bool, unless isDue: @escaping @Sendable (borrowing State) -> Bool
    ) async {
        let ticket = state.withLock { state in
            state.lastWaiter += 1
            return state.lastWaiter
        }
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let isDue = state.withLock { state in
                    if isDue(state) || state.isEnded || Task.isCancelled { return true }
                    if forEndOnly {
                        state.endWaiters[ticket] = continuation
                    } else {
                        state.waiters[ticket] = continuation
                    }
                    return false
                }
                if isDue { continuation.resume() }
            }
        } onCancel: {
            let waiter = state.withLock {
                $0.waiters.removeValue(forKey: ticket) ?? $0.endWaiters.removeValue(forKey: ticket)
            }
            waiter?.resume()
        }
    }

    /// Waits as `changed(since:)`, but no longer than `limit`.
    package func changed(since version: UInt64, within limit: Duration) async {
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await self.changed(since: version) }
            group.addTask { try? await Task.sleep(for: limit) }
            await group.next()
            group.cancelAll()
        }
    }

    /// Waits as `ended()`, but no longer than `limit`.
    package func ended(within limit: Duration) async {
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await self.ended() }
            group.addTask { try? await Task.sleep(for: limit) }
            await group.next()
            group.cancelAll()
        }
    }

    // MARK: What the writer publishes

    func publish(_ change: (inout State) -> Void) {
        let waiters = state.withLock { state in
            change(&state)
            state.version += 1
            defer { state.waiters.removeAll(keepingCapacity: true) }
            return Array(state.waiters.values)
        }
        for waiter in waiters { waiter.resume() }
    }

    /// Reads a consistent picture.
    func look<R>(_ body: (borrowing State) -> R) -> R { state.withLock { body($0) } }

    /// Nothing more will be appended: whoever waits is let go.
    package func end() {
        publish { $0.isEnded = true }
        let waiters = state.withLock { state in
            defer { state.endWaiters.removeAll() }
            return Array(state.endWaiters.values)
        }
        for waiter in waiters { waiter.resume() }
    }

    /// Whether the lane has written its last chunk.
    package var isEnded: Bool { state.withLock { $0.isEnded } }

    // MARK: What cursors publish

    /// Tells the store where an output stands; returns the number below which nothing is kept for it.
    package func publish(_ cursor: PublishedCursor, of output: String) -> UInt64 {
        let floor = state.withLock { state in
            var cursor = cursor
            cursor.floor = state.cursors[output]?.floor ?? 0
            state.cursors[output] = cursor
            return cursor.floor
        }
        wakeWriter()
        return floor
    }

    /// Lets a writer that is waiting for room try again.
    func wakeWriter() { cursorMoved.withLock { $0 }?() }

    /// `ring` is called, from any thread, whenever a cursor has moved or a sync that the writer waits for is done.
    package func onCursorMoved(_ ring: @escaping @Sendable () -> Void) { cursorMoved.withLock { $0 = ring } }
}
