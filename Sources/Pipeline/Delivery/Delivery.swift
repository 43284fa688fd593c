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
    /// What was on its way before a restart and lies behind what goes out now: it comes again when it is its turn.
    private var later: [SendingRange] = []
    private var sizeLimit: SizeLimit
    /// Less than this waits for more, up to `max_delay`.
    private static let worthSending = 64 * 1024
    private static let shortestPause: Int64 = 10_000_000
    /// So many stored bytes of what the output does not get are read at most before what it gets is sent.
    private static let mostPassedOver = 16 << 20
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
            store: store, output: cursor.output,
            retry: RetryPolicy(initial: settings.retry.initial.duration, maximum: settings.retry.max.duration),
            status: status, telemetry: telemetry)
        window = RequestWindow(store, measure: output.measure, selection: settings.selection)
        letters = DeadLetters(store, output: cursor.output)
        sizeLimit = SizeLimit(Int(clamping: settings.maxRequest.bytes))
        self.cursor = cursor
    }

    /// Delivers until the store has ended and everything is sent, or the task is cancelled.
    package consuming func run() async {
        let state = cursor.state.outputState
        let output = self.output
        let opening = await sender.send { () async throws(DeliveryFailure) in try await output.open(state: state) }
        if case .delivered = opening { isOpen = true }
        while !Task.isCancelled {
            let version = store.version
            let hasEnded = store.isEnded
            var requests = nextRequests()
            if requests.isEmpty {
                if Task.isCancelled { break }
                if isUnreadable {
                    // Something waits there: neither the end nor the next append has anything to do with it.
                    try? await Task.sleep(for: sender.retry.initial)
                } else if search != nil {
                    await decideWithoutSuccessor(since: version)
                } else if hasEnded {
                    break
                } else {
                    await rest()
                    await waitForMore(since: version)
                }
                continue
            }
            if !hasEnded, search == nil, cursor.state.sending.isEmpty, settings.maxDelay > .zero, isSmall {
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

    /// Waits for the store to change. A cursor that has moved is durable after a second of waiting.
    private mutating func waitForMore(since version: UInt64) async {
        if cursor.isDirty {
            await store.changed(since: version, within: .seconds(1))
            guard store.version == version else { return }
            try? cursor.sync()
        }
        await store.changed(since: version)
    }

    /// What has been read gives a small request, and not much had to be passed over for it.
    private var isSmall: Bool {
        borrowing get { window.bytes < Delivery.worthSending && window.passedBytes < Delivery.mostPassedOver }
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
        if let step = search?.step { return next(in: step).map { [$0] } ?? [] }
        let ranges = cursor.state.sending
        if let last = ranges.last?.last {
            gather(text: .max, through: last)
            let again = ranges.compactMap { range in
                // What the output does not get any more has been passed already.
                let from = max(range.first, cursor.state.next)
                return cut(from: from, RequestLimits(bytes: .max, through: range.last), epoch: range.epoch)
            }
            // Cut short by a file that cannot be read now, it would come under another key.
            if isUnreadable { return [] }
            if !again.isEmpty { return again }
            // It is lost by now, which has been told, or `where` was changed.
            note(sending: [])
        }
        let most = (output as? any ConcurrentOutput)?.concurrency ?? 1
        gather(upTo: sizeLimit.bytes * most, text: RequestWindow.largestText * most)
        return cutInOrder(most)
    }

    /// The next step of a search. What is delivered already is not sent again to show that something is taken.
    private mutating func next(in step: RefusalSearch.Step) -> Outgoing? {
        var (from, through) = (step.from, step.through)
        gather(text: .max, holding: from)
        for island in cursor.state.islands where island.last >= from {
            if window.hasSelected(from: from, through: island.first - 1) {
                through = min(through, island.first - 1)
                break
            }
            from = island.last + 1
            gather(text: .max, holding: from)
        }
        if let next = cut(from: from, RequestLimits(bytes: .max, records: step.records, through: through)) {
            return next
        }
        return search?.suspects.isEmpty == false ? witness() : nil
    }

    /// A record behind what cannot be read any more, to show that something is taken: without it suspects right before a gap
    /// would block everything behind it.
    private borrowing func witness() -> Outgoing? {
        guard let gap = window.gapBehind else { return nil }
        var from = max(gap.to, (cursor.state.islands.last?.last ?? 0) + 1)
        var beyond = RequestWindow(store, measure: output.measure, selection: settings.selection)
        while true {
            do throws(DiskError) {
                switch try beyond.readOn(from: from, dropping: nil) {
                case .chunk: break
                case .gap(let next):
                    from = next.to
                    continue
                case .nothing: return nil
                }
            } catch {
                return nil
            }
            let request = beyond.cut(from: from, RequestLimits(bytes: .max, records: 1)) { first, last in
                key(first, last, epoch: store.identity.epoch)
            }
            if let request { return Outgoing(request: request, epoch: store.identity.epoch) }
        }
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

    private borrowing func key(_ first: UInt64, _ last: UInt64, epoch: UInt64) -> String {
        "\(store.identity.name)/\(epoch)/\(store.lane)/\(cursor.output)/\(first)-\(last)"
    }

    private borrowing func cut(from: UInt64, _ limits: RequestLimits, epoch: UInt64? = nil) -> Outgoing? {
        let epoch = epoch ?? store.identity.epoch
        let request = window.cut(from: from, limits) { first, last in key(first, last, epoch: epoch) }
        return request.map { Outgoing(request: $0, epoch: epoch) }
    }

    /// Reads waiting chunks until the window holds so many bytes, or reaches the record `through`, or holds `holding` or a
    /// later record that the output gets.
    private mutating func gather(
        upTo bytes: Int = .max, text: Int = RequestWindow.largestText, through last: UInt64 = .max,
        holding wanted: UInt64 = .max
    ) {
        isUnreadable = false
        passUnselected()
        // What was on its way already is sent to its end: the receiver may have it.
        let rules = cursor.state.sending.isEmpty ? settings : nil
        while window.bytes < bytes, window.textBytes < text, window.lastSelected < wanted,
            max(window.end ?? 0, cursor.state.next) <= last
        {
            if last == .max {
                if Task.isCancelled { return }
                if wanted == .max, window.passedBytes >= Delivery.mostPassedOver { return }
            }
            do throws(DiskError) {
                switch try window.readOn(from: cursor.state.next, dropping: rules) {
                case .chunk: passUnselected()
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

    /// Moves the cursor over the records before the next one that the output gets, as far as they have been read, so that
    /// they keep nobody waiting.
    private mutating func passUnselected() {
        let before = cursor.state.next
        while true {
            let island = cursor.state.islands.first
            let next = passingSkipped(to: island)
            let (end, records) = window.notSelected(from: next, to: island?.first ?? .max)
            guard end > cursor.state.next else { break }
            settle(next: end, sending: cursor.state.sending) { $0.notSelected += records }
        }
        guard cursor.state.next > before else { return }
        window.forget(before: cursor.state.next)
        publish()
    }

    /// Waits for more to come, up to `max_delay`.
    private mutating func fillUp(since start: Int64) async {
        while isSmall, !store.isEnded, !Task.isCancelled {
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
        guard let last = outgoing.last?.request.last else { return }
        let ranges = outgoing.map(\.range)
        let requests = outgoing.map(\.request)
        later = cursor.state.sending.filter { $0.first > last }
        note(sending: ranges + later)
        publish()
        if requests.count > 1, let concurrent = output as? any ConcurrentOutput {
            try? cursor.sync()
            let outcomes = await sendTogether(requests, to: concurrent)
            lastRequest = SystemClock.monotonic
            settle(requests, outcomes, ranges)
        } else {
            // Several may have been on their way from an output that is another now: they go one by one.
            let outcome = await send(requests[0])
            lastRequest = SystemClock.monotonic
            if search == nil {
                settle(requests, [outcome] + requests.dropFirst().map { _ in .cancelled }, ranges)
            } else {
                await settleStep(requests[0], outcome)
            }
        }
        passUnselected()
        window.forget(before: cursor.state.next)
        publish()
    }

    /// Sends one request, in the output's own order: prepare, keep what that began, send.
    private mutating func send(_ request: Request) async -> SendingOutcome {
        let output = self.output
        return await sender.send(afterFailure: { syncAndPublish() }) { () async throws(DeliveryFailure) in
            try await output.prepare()
            try keepState()
            try await output.send(request)
        }
    }

    private borrowing func sendTogether(
        _ requests: [Request], to output: any ConcurrentOutput
    ) async -> [SendingOutcome] {
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
        var underWay: [SendingRange] = []
        var delivered: [Request] = []
        var refusal: (Request, DeliveryFailure)?
        for (index, request) in requests.enumerated() {
            switch outcomes[index] {
            case .delivered: delivered.append(request)
            case .cancelled: underWay.append(ranges[index])
            case .refused(let failure): refusal = refusal ?? (request, failure)
            }
        }
        settle(delivered: delivered, underWay + later)
        if let (request, failure) = refusal { refused(request, failure) }
    }

    /// Settles requests that were delivered: the cursor passes those that lie directly before it, the others are islands.
    private mutating func settle(delivered requests: [Request], _ underWay: [SendingRange] = []) {
        guard !requests.isEmpty else { return note(sending: underWay) }
        var islands = cursor.state.islands
        for request in requests {
            islands.append(
                DeliveredIsland(
                    first: request.first, last: request.last, delivered: request.recordCount,
                    notSelected: request.notSelected))
            sizeLimit.grow(afterDelivering: request.measuredBytes)
            let bytes = UInt64(request.textSize)
            sender.status.change { $0.deliveredBytes += bytes }
        }
        islands.sort { $0.first < $1.first }
        settle(next: passingSkipped(to: islands.first), islands: islands, sending: underWay) { _ in }
    }

    /// The cursor's next record, or the beginning of an island when only numbers that were never given lie before it.
    private borrowing func passingSkipped(to island: DeliveredIsland?) -> UInt64 {
        let next = cursor.state.next
        guard let first = island?.first, first > next, store.records(from: next, to: first) == 0 else { return next }
        return first
    }

    /// A request was refused as it is: smaller ones go next, or a search begins.
    private mutating func refused(_ request: Request, _ failure: DeliveryFailure) {
        if failure.kind == .tooLarge, request.recordCount > 1, sizeLimit.shrink(from: request.measuredBytes) {
            telemetry.tell(
                DeliveryEvent.tooLarge(
                    output: cursor.output, reason: failure.reason, bytes: request.measuredBytes,
                    newLimit: sizeLimit.bytes))
            return
        }
        telemetry.tell(
            DeliveryEvent.searching(output: cursor.output, reason: failure.reason, records: request.recordCount))
        // What was on its way before a crash may lie behind suspects of the search that the crash ended.
        search = RefusalSearch(
            first: min(cursor.state.next, request.first), last: request.last, records: request.recordCount)
    }

    /// One step of a search is answered.
    private mutating func settleStep(_ request: Request, _ outcome: SendingOutcome) async {
        guard var state = search else { return }
        switch outcome {
        case .cancelled: return
        case .delivered:
            settle(delivered: [request], later)
            state.accepted(through: request.last)
        case .refused(let failure):
            note(sending: later)
            switch state.refused(records: request.recordCount, through: request.last) {
            case .narrower: break
            case .suspected: sender.status.change { $0.failure = failure.reason }
            case .guilty: guard await bury(request, failure) else { return }
            case .denied:
                search = nil
                return await denied(failure)
            }
        }
        search = state.isOver ? nil : state
    }

    /// The receiver refuses whatever it gets: that says nothing about the records. They are kept, and tried again slowly.
    private mutating func denied(_ failure: DeliveryFailure) async {
        let wait = sender.slowWait(asked: failure.retryAfter)
        telemetry.tell(
            DeliveryEvent.denied(
                output: cursor.output, reason: failure.reason, waitMilliseconds: wait.inMilliseconds))
        sender.status.change {
            $0.failure = failure.reason
            $0.isDenied = true
        }
        syncAndPublish()
        await sender.pause(wait)
    }

    /// A suspect is the last record there is. Either what came before it decides, or more has to come.
    private mutating func decideWithoutSuccessor(since version: UInt64) async {
        guard var state = search else { return }
        if state.goOnWithoutSuccessor() {
            search = state
            return
        }
        telemetry.tell(
            DeliveryEvent.undecided(
                output: cursor.output, record: cursor.state.next, reason: sender.status.picture.failure ?? "refused"))
        sender.status.change { $0.isDenied = true }
        syncAndPublish()
        let wait = sender.slowWait(asked: nil)
        if store.isEnded {
            // Nothing more can come but a change of the receiver's mind.
            try? await Task.sleep(for: wait)
            search = nil
            return
        }
        let known = window.lastSelected
        let end = SystemClock.monotonic + Int64(wait.inMilliseconds) * 1_000_000
        var version = version
        while !Task.isCancelled, window.lastSelected == known, !store.isEnded {
            let rest = end - SystemClock.monotonic
            guard rest > 0 else {
                search = nil
                return
            }
            await store.changed(since: version, within: .nanoseconds(rest))
            version = store.version
            // What comes need not be for this output.
            gather(text: .max, holding: known + 1)
        }
    }

    /// Keeps a record that is refused for good, durably, and passes it; false when the task is cancelled first.
    private mutating func bury(_ request: Request, _ failure: DeliveryFailure) async -> Bool {
        precondition(
            store.records(from: cursor.state.next, to: request.first) == 0,
            "records before a dead letter are not settled")
        var time = Arena(capacity: 40)
        var times = TimestampWriter()
        times.append(SystemClock.realtime, to: &time)
        let letter = DeadLetter(
            sequence: request.first, refusedAt: String(decoding: time.span), answer: failure.reason,
            record: request.firstLine)
        while !Task.isCancelled {
            do throws(DiskError) {
                try letters.append(letter)
                settle(next: request.last + 1, sending: later) { $0.rejected += 1 }
                telemetry.tell(DeliveryEvent.deadLettered(output: cursor.output, records: 1))
                return true
            } catch {
                telemetry.tell(
                    DeliveryEvent.cannotWriteDeadLetter(output: cursor.output, reason: error.description))
                try? await Task.sleep(for: sender.retry.initial)
            }
        }
        return false
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
        // What was delivered already is not lost with the rest.
        let delivered = cursor.state.islands.reduce(UInt64(0)) { sum, island in
            let (from, to) = (max(island.first, gap.from), min(island.last + 1, gap.to))
            return from < to ? sum + store.records(from: from, to: to) : sum
        }
        let lost = gap.records - min(gap.records, delivered)
        telemetry.tell(
            DeliveryEvent.lost(
                output: cursor.output, records: lost, from: gap.from, to: gap.to - 1, reason: reason.name))
        settle(next: gap.to, sending: cursor.state.sending.filter { $0.first >= gap.to }) { $0[reason] += lost }
        publish()
    }

    /// Keeps what `prepare` has changed, before anything is sent on its strength. Where that fails nothing is sent: after a restart
    /// the output would not know what it has written.
    private mutating func keepState() throws(DeliveryFailure) {
        do throws(DiskError) {
            try cursor.keep(outputState: output.state)
        } catch {
            throw DeliveryFailure("the output's cursor has to be written first, and cannot be: \(error.description)")
        }
    }

    /// Notes what is on its way: after a crash that goes first.
    private mutating func note(sending ranges: [SendingRange]) {
        do throws(DiskError) {
            try cursor.beginSending(ranges)
        } catch {
            telemetry.tell(DeliveryEvent.cannotSaveCursor(output: cursor.output, reason: error.description))
        }
    }

    private mutating func settle(
        next: UInt64, islands: [DeliveredIsland]? = nil, sending: [SendingRange] = [],
        _ change: (inout DeliveryAccount) -> Void
    ) {
        do throws(DiskError) {
            try cursor.settle(
                next: next, islands: islands, sending: sending, outputState: isOpen ? output.state : nil, change)
        } catch {
            telemetry.tell(DeliveryEvent.cannotSaveCursor(output: cursor.output, reason: error.description))
        }
    }

    /// Before a wait of unknown length: what was delivered is durable.
    private mutating func syncAndPublish() {
        try? cursor.sync()
        publish()
    }

    private borrowing func publish() {
        let inflated = window.inflatedChunks
        sender.status.change { $0.inflatedChunks = inflated }
        _ = cursor.publish(waitingBytes: window.waitingBytes)
    }
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
