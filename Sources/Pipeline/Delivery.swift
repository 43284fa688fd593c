// One task per output: takes the chunks that wait at its cursor, sends them in order, moves the cursor.
import Disk
package import Store
private import Synchronization
package import Telemetry

/// How an output stands, for reports.
package final class DeliveryStatus: Sendable {
    /// A consistent picture of it.
    package struct Picture: Sendable {
        /// When a request last succeeded, on the monotonic clock; 0 before the first.
        package var lastSuccess: Int64 = 0
        /// What went wrong last; nil when the last request succeeded.
        package var failure: String?
        /// Everything in the store has been sent, and nothing more will come.
        package var isDone = false
        package var deliveredBytes: UInt64 = 0
    }

    private let state = Mutex(Picture())

    package init() {}

    /// How it stands now.
    package var picture: Picture { state.withLock { $0 } }

    func change(_ body: (inout Picture) -> Void) { state.withLock { body(&$0) } }
}

/// Delivers to one output.
package struct Delivery: ~Copyable {
    private let store: Store
    private let settings: DeliverySettings
    private let status: DeliveryStatus
    private let telemetry: Telemetry
    private let output: any Output
    private let retry: RetryPolicy
    private var cursor: StoreCursor
    private var reader: StoreReader
    private var generator = SystemRandomNumberGenerator()
    /// Chunks that were read and not yet sent.
    private var gathered: [ReadChunk] = []
    private var gatheredBytes = 0
    private var gatheredText = 0
    /// Less than this waits for more, up to `max_delay`.
    private static let worthSending = 64 * 1024
    private static let largestText = 16 << 20
    private static let shortestPause: Int64 = 10_000_000
    /// The output has taken up its state; until then the kept one counts.
    private var isOpen = false
    /// The store could not be read when that was tried last.
    private var isUnreadable = false
    /// When the last request was done, on the monotonic clock.
    private var lastRequest: Int64 = 0

    /// - Parameter cursor: opened before anything was appended in this start of the agent.
    package init(
        _ output: any Output, cursor: consuming StoreCursor, store: Store, settings: DeliverySettings,
        status: DeliveryStatus, telemetry: Telemetry
    ) {
        self.output = output
        self.cursor = cursor
        self.store = store
        self.settings = settings
        self.status = status
        self.telemetry = telemetry
        retry = RetryPolicy(initial: settings.retry.initial.duration, maximum: settings.retry.max.duration)
        reader = StoreReader(store)
    }

    /// Delivers until the store has ended and everything is sent, or the task is cancelled.
    package consuming func run() async {
        let state = cursor.state.outputState
        let output = self.output
        isOpen = await persist { () async throws(DeliveryFailure) in try await output.open(state: state) }
        while !Task.isCancelled {
            let version = store.version
            let hasEnded = store.isEnded
            gather()
            if gathered.isEmpty {
                if isUnreadable {
                    // Something waits there: neither the end nor the next append has anything to do with it.
                    try? await Task.sleep(for: retry.initial)
                    continue
                }
                if hasEnded { break }
                await rest()
                await store.changed(since: version)
                continue
            }
            if !hasEnded, cursor.state.sending == nil, settings.maxDelay > .zero, gatheredBytes < Delivery.worthSending
            {
                await fillUp(since: SystemClock.monotonic)
            }
            await sendGathered()
        }
        settleGivenUp()
        try? cursor.sync()
        await output.close()
        if !Task.isCancelled { status.change { $0.isDone = true } }
    }

    /// A store that is being filled fast changes a thousand times a second: between two looks a short rest lets several
    /// chunks come together, so that the hand-over costs the lane nothing.
    private func rest() async {
        let since = SystemClock.monotonic - lastRequest
        if since < Delivery.shortestPause { try? await Task.sleep(for: .nanoseconds(Delivery.shortestPause - since)) }
    }

    // MARK: Gathering

    /// Reads waiting chunks up to the size of a request, or to the end of the range that was on its way before a restart.
    private mutating func gather() {
        isUnreadable = false
        while gatheredBytes < Int(clamping: settings.maxRequest.bytes), gatheredText < Delivery.largestText {
            let next = gathered.last?.header.endSequence ?? cursor.state.next
            if let last = cursor.state.sending?.last, next > last { return }
            do throws(DiskError) {
                switch try reader.next(from: next) {
                case .nothing: return
                case .gap(let gap):
                    // What lies before the gap is sent first.
                    guard gathered.isEmpty else { return }
                    settle(gap)
                case .chunk(let chunk):
                    if gathered.isEmpty, let reason = whyNot(chunk) {
                        let lost = chunk.header.endSequence - max(next, chunk.header.firstSequence)
                        settle(ReadGap(from: next, to: chunk.header.endSequence, records: lost, reason: reason))
                        reader.pass()
                        continue
                    }
                    if !gathered.isEmpty, gatheredBytes + chunk.member.count > Int(clamping: settings.maxRequest.bytes)
                    {
                        return
                    }
                    reader.pass()
                    gathered.append(chunk)
                    gatheredBytes += chunk.member.count
                    gatheredText += Int(chunk.header.textSize)
                }
            } catch {
                isUnreadable = true
                telemetry.tell(DeliveryEvent.cannotReadStore(output: cursor.output, reason: error.description))
                return
            }
        }
    }

    /// Why a chunk is not delivered at all: the output's own limits.
    private func whyNot(_ chunk: ReadChunk) -> DropReason? {
        // What was on its way already is sent to its end: the receiver may have it.
        if cursor.state.sending != nil { return nil }
        if let limit = settings.maxAge, SystemClock.realtime - chunk.header.appendTime > Int64(limit.nanoseconds) {
            return .tooOld
        }
        if let limit = settings.maxWaiting, reader.waitingBytes > limit.bytes { return .tooMuch }
        return nil
    }

    /// Waits for more to come, up to `max_delay`.
    private mutating func fillUp(since start: Int64) async {
        while gatheredBytes < Delivery.worthSending, !store.isEnded, !Task.isCancelled {
            let rest = Int64(settings.maxDelay.nanoseconds) - (SystemClock.monotonic - start)
            guard rest > 0 else { return }
            let version = store.version
            let before = gathered.count
            gather()
            guard gathered.count == before else { continue }
            await self.rest()
            await store.changed(since: version, within: .nanoseconds(rest))
        }
    }

    // MARK: Sending

    private mutating func sendGathered() async {
        guard let firstChunk = gathered.first, let lastChunk = gathered.last else { return }
        // Numbers that were never given lie between a cursor and its next chunk after a restart.
        let first = max(cursor.state.next, firstChunk.header.firstSequence)
        let last = min(lastChunk.header.endSequence - 1, cursor.state.sending?.last ?? .max)
        let records =
            gathered.reduce(0) { $0 + UInt64($1.header.recordCount) }
            - (first - firstChunk.header.firstSequence) - (lastChunk.header.endSequence - 1 - last)
        let epoch = cursor.state.sending?.epoch ?? store.identity.epoch
        let key = "\(store.identity.name)/\(epoch)/\(store.lane)/\(cursor.output)/\(first)-\(last)"
        let request = Request(gathered, first: first, last: last, recordCount: records, key: key)
        do throws(DiskError) {
            try cursor.beginSending(first: first, last: last)
        } catch {
            telemetry.tell(DeliveryEvent.cannotSaveCursor(output: cursor.output, reason: error.description))
        }
        guard await attempt(request) else { return }
        let bytes = UInt64(request.textSize)
        settle(next: last + 1) { $0.delivered += records }
        lastRequest = SystemClock.monotonic
        status.change { $0.deliveredBytes += bytes }
        // A range from before a restart may end inside a chunk: the rest of it comes again.
        if last + 1 < lastChunk.header.endSequence { reader = StoreReader(store) }
        gathered.removeAll(keepingCapacity: true)
        gatheredBytes = 0
        gatheredText = 0
        publish()
    }

    /// Sends until it succeeds; false when the task is cancelled.
    private mutating func attempt(_ request: borrowing Request) async -> Bool {
        var attempts = 0
        while !Task.isCancelled {
            do throws(DeliveryFailure) {
                try await output.prepare()
                keepState()
                try await output.send(request)
                succeeded(after: attempts)
                return true
            } catch {
                attempts += 1
                await failed(error, attempts)
            }
        }
        return false
    }

    /// Repeats something until it succeeds; false when the task is cancelled.
    private mutating func persist(_ body: () async throws(DeliveryFailure) -> Void) async -> Bool {
        var attempts = 0
        while !Task.isCancelled {
            do throws(DeliveryFailure) {
                try await body()
                if attempts > 0 { succeeded(after: attempts) }
                return true
            } catch {
                attempts += 1
                await failed(error, attempts)
            }
        }
        return false
    }

    private func succeeded(after attempts: Int) {
        if attempts > 0 { telemetry.tell(DeliveryEvent.recovered(output: cursor.output, attempts: attempts)) }
        status.change {
            $0.lastSuccess = SystemClock.monotonic
            $0.failure = nil
        }
    }

    private mutating func failed(_ failure: DeliveryFailure, _ attempt: Int) async {
        let wait = retry.wait(afterAttempt: attempt, asked: failure.retryAfter, using: &generator)
        let milliseconds = Int(wait / .milliseconds(1))
        telemetry.tell(
            DeliveryEvent.failed(
                output: cursor.output, reason: failure.reason, attempt: attempt, waitMilliseconds: milliseconds))
        status.change { $0.failure = failure.reason }
        publish()
        try? await Task.sleep(for: wait)
    }

    // MARK: The cursor

    /// At the end: what the store gave up for this output's sake is counted now, while the reason is known.
    private mutating func settleGivenUp() {
        let floor = store.cursors[cursor.output]?.floor ?? 0
        guard floor > cursor.state.next else { return }
        settle(
            ReadGap(
                from: cursor.state.next, to: floor, records: store.records(from: cursor.state.next, to: floor),
                reason: .gaveWay))
    }

    private mutating func settle(_ gap: ReadGap) {
        let floor = store.cursors[cursor.output]?.floor ?? 0
        let reason = gap.reason == .retired && floor >= gap.to ? .gaveWay : gap.reason
        telemetry.tell(
            DeliveryEvent.lost(
                output: cursor.output, records: gap.records, from: gap.from, to: gap.to - 1, reason: reason.name))
        settle(next: gap.to) { $0[reason] += gap.records }
        publish()
    }

    /// Keeps what `prepare` has changed, before anything is sent on its strength.
    private mutating func keepState() {
        do throws(DiskError) {
            try cursor.keep(outputState: output.state)
        } catch {
            telemetry.tell(DeliveryEvent.cannotSaveCursor(output: cursor.output, reason: error.description))
        }
    }

    private mutating func settle(next: UInt64, _ change: (inout DeliveryAccount) -> Void) {
        do throws(DiskError) {
            try cursor.settle(next: next, outputState: isOpen ? output.state : nil, change)
        } catch {
            telemetry.tell(DeliveryEvent.cannotSaveCursor(output: cursor.output, reason: error.description))
        }
    }

    private func publish() { _ = cursor.publish(waitingBytes: reader.waitingBytes + UInt64(gatheredBytes)) }
}
