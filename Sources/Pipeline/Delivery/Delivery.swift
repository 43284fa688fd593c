// One task per output: takes the chunks that wait at its cursor, sends them in order, moves the cursor.
// Who does what: RequestWindow reads and cuts, RequestSender repeats, RefusalSearch finds what is refused, DeadLetters keeps it.
private import Bytes
import Disk
package import Store
package import Telemetry

/// Delivers to one output.
package struct Delivery: ~Copyable {
    private let store: Store
    private let settings: DeliverySettings
    private let telemetry: Telemetry
    private let output: any Output
    private let sender: RequestSender
    private var cursor: StoreCursor
    private var window: RequestWindow
    private var letters: DeadLetters
    private var search: RefusalSearch?
    private var sizeLimit: SizeLimit
    /// Less than this waits for more, up to `max_delay`.
    private static let worthSending = 64 * 1024
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
        self.store = store
        self.settings = settings
        self.telemetry = telemetry
        sender = RequestSender(
            output: cursor.output,
            retry: RetryPolicy(initial: settings.retry.initial.duration, maximum: settings.retry.max.duration),
            status: status, telemetry: telemetry)
        window = RequestWindow(store, measure: output.measure)
        letters = DeadLetters(store, output: cursor.output)
        sizeLimit = SizeLimit(Int(clamping: settings.maxRequest.bytes))
        self.cursor = cursor
    }

    /// Delivers until the store has ended and everything is sent, or the task is cancelled.
    package consuming func run() async {
        let state = cursor.state.outputState
        let output = self.output
        if case .delivered = await sender.send({ () async throws(DeliveryFailure) in try await output.open(state: state) })
        {
            isOpen = true
        }
        recoverSuspicions()
        while !Task.isCancelled {
            let version = store.version
            let hasEnded = store.isEnded
            var requests = nextRequests()
            if requests.isEmpty {
                if isUnreadable {
                    // Something waits there: neither the end nor the next append has anything to do with it.
                    try? await Task.sleep(for: sender.retry.initial)
                } else if search != nil {
                    await decideWithoutSuccessor(since: version)
                } else if hasEnded {
                    break
                } else {
                    await rest()
                    await store.changed(since: version)
                }
                continue
            }
            if !hasEnded, search == nil, cursor.state.sending.isEmpty, settings.maxDelay > .zero,
                window.bytes < Delivery.worthSending
            {
                await fillUp(since: SystemClock.monotonic)
                requests = nextRequests()
            }
            await deliver(requests)
        }
        settleGivenUp()
        try? cursor.sync()
        await output.close()
        if !Task.isCancelled { sender.status.change { $0.isDone = true } }
    }

    /// A store that is being filled fast changes a thousand times a second: between two looks a short rest lets several
    /// chunks come together, so that the hand-over costs the lane nothing.
    private func rest() async {
        let since = SystemClock.monotonic - lastRequest
        if since < Delivery.shortestPause { try? await Task.sleep(for: .nanoseconds(Delivery.shortestPause - since)) }
    }

    // MARK: What goes next

    /// A request, and the epoch of its first attempt.
    private struct Outgoing: Sendable {
        let request: Request
        let epoch: UInt64

        var range: SendingRange { SendingRange(first: request.first, last: request.last, epoch: epoch) }
    }

    /// The requests that go out next, together: exactly those that were on their way before a restart, or the next step of a
    /// search, or what fits.
    private mutating func nextRequests() -> [Outgoing] {
        if let search {
            gather(through: search.next)
            let limits = RequestLimits(bytes: .max, records: search.size, through: search.through)
            return cut(from: search.next, limits).map { [$0] } ?? []
        }
        let ranges = cursor.state.sending
        if let last = ranges.last?.last {
            gather(through: last)
            let again = ranges.compactMap { range in
                cut(from: range.first, RequestLimits(bytes: .max, through: range.last), epoch: range.epoch)
            }
            if !again.isEmpty { return again }
            if isUnreadable { return [] }
            forgetSending()
        }
        let most = (output as? any ConcurrentOutput)?.concurrency ?? 1
        gather(upTo: sizeLimit.bytes * most)
        return cutInOrder(most)
    }

    /// Cuts up to `most` requests, one behind the other; what is delivered already ends the run.
    private borrowing func cutInOrder(_ most: Int) -> [Outgoing] {
        var requests: [Outgoing] = []
        var from = cursor.state.next
        let through = (cursor.state.islands.first?.first ?? 0) &- 1
        while requests.count < most,
            let next = cut(from: from, RequestLimits(bytes: sizeLimit.bytes, through: through))
        {
            // Of several only the last may be small, and there is no hurry with it.
            if !requests.isEmpty, next.request.measuredBytes < sizeLimit.bytes / 2 { break }
            from = next.request.last + 1
            requests.append(next)
        }
        return requests
    }

    private borrowing func cut(from: UInt64, _ limits: RequestLimits, epoch: UInt64? = nil) -> Outgoing? {
        let epoch = epoch ?? store.identity.epoch
        let request = window.cut(from: from, limits) { first, last in
            "\(store.identity.name)/\(epoch)/\(store.lane)/\(cursor.output)/\(first)-\(last)"
        }
        return request.map { Outgoing(request: $0, epoch: epoch) }
    }

    /// Reads waiting chunks until the window holds so many bytes, or reaches the record `through`.
    private mutating func gather(upTo bytes: Int = .max, through last: UInt64 = .max) {
        isUnreadable = false
        // Numbers that were never given may lie before what is delivered already.
        if let island = cursor.state.islands.first, store.records(from: cursor.state.next, to: island.first) == 0 {
            settle(next: island.first) { _ in }
        }
        // What was on its way already is sent to its end: the receiver may have it.
        let rules = cursor.state.sending.isEmpty ? settings : nil
        while window.bytes < bytes, window.textBytes < RequestWindow.largestText, (window.end ?? 0) <= last {
            do throws(DiskError) {
                switch try window.readOn(from: cursor.state.next, dropping: rules) {
                case .chunk: continue
                case .gap(let gap): settle(gap)
                case .nothing: return
                }
            } catch {
                isUnreadable = true
                telemetry.tell(DeliveryEvent.cannotReadStore(output: cursor.output, reason: error.description))
                return
            }
        }
    }

    /// Waits for more to come, up to `max_delay`.
    private mutating func fillUp(since start: Int64) async {
        while window.bytes < Delivery.worthSending, !store.isEnded, !Task.isCancelled {
            let rest = Int64(settings.maxDelay.nanoseconds) - (SystemClock.monotonic - start)
            guard rest > 0 else { return }
            let version = store.version
            let before = window.bytes
            gather(upTo: Delivery.worthSending)
            guard window.bytes == before else { continue }
            await self.rest()
            await store.changed(since: version, within: .nanoseconds(rest))
        }
    }

    // MARK: Sending

    private mutating func deliver(_ outgoing: [Outgoing]) async {
        let ranges = outgoing.map(\.range)
        let requests = outgoing.map(\.request)
        do throws(DiskError) {
            try cursor.beginSending(ranges)
        } catch {
            telemetry.tell(DeliveryEvent.cannotSaveCursor(output: cursor.output, reason: error.description))
        }
        if requests.count == 1 {
            let outcome = await send(requests[0])
            lastRequest = SystemClock.monotonic
            if search == nil { settle(requests, [outcome], ranges) } else { await settleStep(requests[0], outcome) }
        } else {
            let outcomes = await sendTogether(requests)
            lastRequest = SystemClock.monotonic
            settle(requests, outcomes, ranges)
        }
        window.forget(before: cursor.state.next)
        publish()
    }

    /// Sends one request, in the output's own order: prepare, keep what that began, send.
    private mutating func send(_ request: Request) async -> SendingOutcome {
        let output = self.output
        return await sender.send(afterFailure: { publish() }) { () async throws(DeliveryFailure) in
            try await output.prepare()
            keepState()
            try await output.send(request)
        }
    }

    private borrowing func sendTogether(_ requests: [Request]) async -> [SendingOutcome] {
        guard let output = output as? any ConcurrentOutput else { return requests.map { _ in .cancelled } }
        let sender = self.sender
        return await withTaskGroup(of: (Int, SendingOutcome).self) { group in
            for (index, request) in requests.enumerated() {
                group.addTask {
                    (
                        index,
                        await sender.send { () async throws(DeliveryFailure) in
                            try await ConcurrentSending.send(request, to: output)
                        }
                    )
                }
            }
            var outcomes = [SendingOutcome](repeating: .cancelled, count: requests.count)
            for await (index, outcome) in group { outcomes[index] = outcome }
            return outcomes
        }
    }

    // MARK: What came of it

    /// Moves the cursor over what was delivered in a row, notes what was delivered behind it, and turns to what was refused.
    private mutating func settle(_ requests: [Request], _ outcomes: [SendingOutcome], _ ranges: [SendingRange]) {
        let row = outcomes.prefix { $0.isDelivered }.count
        var islands = cursor.state.islands
        var underWay: [SendingRange] = []
        for index in row..<requests.count {
            let request = requests[index]
            switch outcomes[index] {
            case .delivered:
                islands.append(
                    DeliveredIsland(
                        first: request.first, last: request.last, delivered: request.recordCount, notSelected: 0))
            case .cancelled: underWay.append(ranges[index])
            case .refused: continue
            }
        }
        islands.sort { $0.first < $1.first }
        for request in requests.prefix(row) { noteDelivered(request) }
        if row > 0 || islands.count > cursor.state.islands.count {
            let next = row > 0 ? requests[row - 1].last + 1 : cursor.state.next
            let records = requests.prefix(row).reduce(0) { $0 + $1.recordCount }
            // Behind suspects from before a restart something was delivered: that confirms them.
            let suspects = row > 0 ? recoveredSuspects(before: requests[0].first) : 0
            settle(next: next, islands: islands) {
                $0.delivered += records
                $0.rejected += suspects
            }
            confirm(suspects)
        }
        if !underWay.isEmpty { try? cursor.beginSending(underWay) }
        guard row < requests.count, case .refused(let failure) = outcomes[row] else { return }
        refused(requests[row], failure)
    }

    private mutating func noteDelivered(_ request: Request) {
        sizeLimit.grow(afterDelivering: request.measuredBytes)
        let bytes = UInt64(request.textSize)
        sender.status.change { $0.deliveredBytes += bytes }
    }

    /// A request was refused as it is: a smaller one goes next, or a search begins.
    private mutating func refused(_ request: Request, _ failure: DeliveryFailure) {
        withdrawSuspicions()
        forgetSending()
        if failure.kind == .tooLarge, request.recordCount > 1, sizeLimit.shrink(from: request.measuredBytes) {
            telemetry.tell(
                DeliveryEvent.tooLarge(
                    output: cursor.output, reason: failure.reason, bytes: request.measuredBytes,
                    newLimit: sizeLimit.bytes))
            return
        }
        telemetry.tell(
            DeliveryEvent.searching(output: cursor.output, reason: failure.reason, records: request.recordCount))
        search = RefusalSearch(first: request.first, last: request.last)
    }

    /// One step of a search is answered.
    private mutating func settleStep(_ request: Request, _ outcome: SendingOutcome) async {
        guard var step = search else { return }
        switch outcome {
        case .cancelled: return
        case .delivered:
            noteDelivered(request)
            let suspects = step.suspects
            step.accepted(through: request.last)
            settle(next: request.last + 1) {
                $0.delivered += request.recordCount
                $0.rejected += suspects
            }
            confirm(suspects)
            search = step.isOver ? nil : step
        case .refused(let failure):
            forgetSending()
            switch step.refused(records: request.recordCount, through: request.last) {
            case .narrower: search = step
            case .suspected:
                guard await suspect(request, failure) else { return }
                search = step
            case .denied: await denied(failure)
            }
        }
    }

    /// The receiver refuses whatever it gets: that says nothing about the records. They are kept, and tried again slowly.
    private mutating func denied(_ failure: DeliveryFailure) async {
        withdrawSuspicions()
        search = nil
        var generator = SystemRandomNumberGenerator()
        let wait = sender.retry.slowWait(asked: failure.retryAfter, using: &generator)
        telemetry.tell(
            DeliveryEvent.denied(
                output: cursor.output, reason: failure.reason, waitMilliseconds: wait.inMilliseconds))
        sender.status.change {
            $0.failure = failure.reason
            $0.isDenied = true
        }
        publish()
        try? await Task.sleep(for: wait)
    }

    /// A suspect is the last record there is. Either what came before it decides, or more has to come.
    private mutating func decideWithoutSuccessor(since version: UInt64) async {
        guard let step = search else { return }
        if step.isConfirmedWithoutSuccessor || step.suspects == 0 {
            let suspects = step.suspects
            settle(next: step.next) { $0.rejected += suspects }
            confirm(suspects)
            search = nil
            return
        }
        telemetry.tell(
            DeliveryEvent.undecided(
                output: cursor.output, record: cursor.state.next, reason: sender.status.picture.failure ?? "refused"))
        sender.status.change { $0.isDenied = true }
        publish()
        var generator = SystemRandomNumberGenerator()
        await store.changed(since: version, within: sender.retry.slowWait(asked: nil, using: &generator))
        guard store.version == version || store.isEnded else { return }
        // Nothing came: perhaps the receiver has changed its mind.
        withdrawSuspicions()
        search = nil
    }

    // MARK: Dead letters

    /// Writes a record down as refused, durably, before anything depends on it; false when the task is cancelled first.
    private mutating func suspect(_ request: Request, _ failure: DeliveryFailure) async -> Bool {
        var time = Arena(capacity: 40)
        var times = TimestampWriter()
        times.append(SystemClock.realtime, to: &time)
        let letter = DeadLetter(
            sequence: request.first, refusedAt: String(decoding: time.span), answer: failure.reason,
            record: request.firstLine)
        sender.status.change { $0.failure = failure.reason }
        while !Task.isCancelled {
            do throws(DiskError) {
                try letters.suspect(letter)
                return true
            } catch {
                telemetry.tell(
                    DeliveryEvent.cannotWriteDeadLetter(output: cursor.output, reason: error.description))
                try? await Task.sleep(for: sender.retry.initial)
            }
        }
        return false
    }

    private mutating func confirm(_ suspects: UInt64) {
        guard suspects > 0 else { return }
        letters.confirm()
        telemetry.tell(DeliveryEvent.deadLettered(output: cursor.output, records: suspects))
    }

    private mutating func withdrawSuspicions() {
        do throws(DiskError) {
            try letters.withdraw()
        } catch {
            telemetry.tell(DeliveryEvent.cannotWriteDeadLetter(output: cursor.output, reason: error.description))
        }
    }

    /// At a start: letters that the cursor has not passed belong to a search that a crash ended. When the step behind them
    /// was on its way, its answer still confirms them; else the search begins anew.
    private mutating func recoverSuspicions() {
        do throws(DiskError) {
            let suspected = try letters.recover(next: cursor.state.next)
            guard let last = suspected.last else { return }
            let sending = cursor.state.sending.first?.first ?? 0
            if sending <= last { try letters.withdraw() }
        } catch {
            telemetry.tell(DeliveryEvent.cannotWriteDeadLetter(output: cursor.output, reason: error.description))
        }
    }

    /// Suspects from before a restart: what lies between the cursor and the request that was on its way.
    private borrowing func recoveredSuspects(before first: UInt64) -> UInt64 {
        letters.hasSuspicions ? store.records(from: cursor.state.next, to: first) : 0
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

    /// What was on its way was refused, or cannot be read any more: after a crash it does not go first.
    private mutating func forgetSending() {
        do throws(DiskError) {
            try cursor.beginSending([])
        } catch {
            telemetry.tell(DeliveryEvent.cannotSaveCursor(output: cursor.output, reason: error.description))
        }
    }

    private mutating func settle(
        next: UInt64, islands: [DeliveredIsland]? = nil, _ change: (inout DeliveryAccount) -> Void
    ) {
        do throws(DiskError) {
            try cursor.settle(
                next: next, islands: islands, outputState: isOpen ? output.state : nil, change)
        } catch {
            telemetry.tell(DeliveryEvent.cannotSaveCursor(output: cursor.output, reason: error.description))
        }
    }

    private borrowing func publish() { _ = cursor.publish(waitingBytes: window.waitingBytes) }
}

/// How large requests may be: the setting, less after a receiver found one too large, and slowly more again.
private struct SizeLimit {
    private let most: Int
    private(set) var bytes: Int
    /// Below this it is a record that is too large, not the number of them.
    private static let least = 16 * 1024

    init(_ most: Int) {
        self.most = most
        bytes = most
    }

    /// Halves; false when that would be too small to be the cause.
    mutating func shrink(from refused: Int) -> Bool {
        let half = min(bytes, refused) / 2
        guard half >= SizeLimit.least else { return false }
        bytes = half
        return true
    }

    /// A request that used the room was taken: a fiftieth more may fit next time.
    mutating func grow(afterDelivering size: Int) {
        guard bytes < most, size > bytes / 2 else { return }
        bytes = min(most, bytes + bytes / 50)
    }
}

extension SendingOutcome {
    fileprivate var isDelivered: Bool { if case .delivered = self { true } else { false } }
}

/// Opens an existential on the way to a child task.
private enum ConcurrentSending {
    static func send(_ request: Request, to output: any ConcurrentOutput) async throws(DeliveryFailure) {
        try await output.send(request)
    }
}
