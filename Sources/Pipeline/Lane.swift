// The lane: one thread and one poll loop that takes records from their sources to the store. It owns everything it touches,
// so there are no queues and no locks between its stages, and when reading must pause the log files are the buffer.
import Bytes
import Disk
import Records
package import Store
package import Telemetry

/// One input with what the lane keeps for it.
private struct LaneInput: ~Copyable {
    let input: any Input
    var chunk: ChunkBuilder
    var encoder: RecordEncoder
    let parsesJSON: Bool
    let parsers: [any Parser]
    /// Those that the input may choose for single logs.
    let chosenParsers: [any Parser]
    /// When the first record of the chunk came, on the monotonic clock; 0 without records.
    var firstRecordAt: Int64 = 0
}

/// An input as the lane is given it: its name, and how to make it on the lane's thread.
package struct LaneInputPlan: Sendable {
    /// The item's name in the configuration.
    package let name: String
    /// Builds it; called on the lane's thread.
    package let make: @Sendable () throws(PluginError) -> any Input
    /// What its records go through, in this order.
    package let parsers: [LaneParserPlan]
    /// Those that it may choose for single logs, in the order of its context's `chosenParsers`.
    package let chosenParsers: [LaneParserPlan]

    package init(
        name: String, parsers: [LaneParserPlan] = [], chosenParsers: [LaneParserPlan] = [],
        make: @escaping @Sendable () throws(PluginError) -> any Input
    ) {
        self.name = name
        self.parsers = parsers
        self.chosenParsers = chosenParsers
        self.make = make
    }
}

/// A parser as the lane is given it.
package struct LaneParserPlan: Sendable {
    /// Builds it; called on the lane's thread.
    package let make: @Sendable () throws(PluginError) -> any Parser

    package init(make: @escaping @Sendable () throws(PluginError) -> any Parser) { self.make = make }
}

/// A filter as the lane is given it.
package struct LaneFilterPlan: Sendable {
    /// The item's name in the configuration.
    package let name: String
    /// Builds it; called on the lane's thread.
    package let make: @Sendable () throws(PluginError) -> any Filter

    package init(name: String, make: @escaping @Sendable () throws(PluginError) -> any Filter) {
        self.name = name
        self.make = make
    }
}

/// Takes sources from reading to the store, on the thread that calls `run`.
package struct Lane: ~Copyable {
    private var writer: StoreWriter
    private let settings: LaneSettings
    private let control: LaneControl
    private let telemetry: Telemetry
    private var poller: Poller
    private var slots: LaneSlots
    private var filters: [any Filter] = []
    private var batch = RecordBatch()
    /// Since when the store takes nothing; nil when it does.
    private var isPaused = false
    private var nextTry: Int64 = 0
    private var retryDelay = Lane.shortestRetry
    private static let shortestRetry: Int64 = 50_000_000
    private static let longestRetry: Int64 = 1_000_000_000
    private var nextHousekeeping: Int64 = 0
    private var lastWake: Int64 = 0
    private var isSparing = false
    private var pacing: CatchUpPacing

    /// Makes the inputs and opens them.
    /// - Throws: `PluginError` naming the input that cannot run.
    package init(
        writer: consuming StoreWriter, inputs plans: [LaneInputPlan], filters filterPlans: [LaneFilterPlan],
        fieldNames: [String], settings: LaneSettings, control: LaneControl, telemetry: Telemetry
    ) throws(PluginError) {
        var poller: Poller
        do throws(DiskError) {
            poller = try Poller(bell: control.bell)
        } catch {
            throw .unusable(error.description)
        }
        var slots = LaneSlots()
        for plan in plans {
            do throws(PluginError) {
                let input = try plan.make()
                var parsers: [any Parser] = []
                for parser in plan.parsers { parsers.append(try parser.make()) }
                var chosenParsers: [any Parser] = []
                for parser in plan.chosenParsers { chosenParsers.append(try parser.make()) }
                let start = InputStart(
                    known: writer.knownSources(input: plan.name), isFirst: !writer.hasSeen(input: plan.name))
                try input.open(on: &poller, start: start)
                slots.append(
                    LaneInput(
                        input: input, chunk: ChunkBuilder(input: plan.name),
                        encoder: RecordEncoder(mode: input.jsonMode, reserved: ReservedNames(fields: fieldNames)),
                        parsesJSON: input.jsonMode != .off, parsers: parsers, chosenParsers: chosenParsers))
            } catch {
                throw .unusable("input \(plan.name): \(error)")
            }
        }
        var filters: [any Filter] = []
        for plan in filterPlans { filters.append(try plan.make()) }
        self.writer = writer
        self.settings = settings
        self.control = control
        self.telemetry = telemetry
        self.poller = poller
        self.slots = slots
        self.filters = filters
        pacing = CatchUpPacing(window: settings.catchUpWindow)
        self.writer.store.onCursorMoved { control.cursorMoved() }
    }

    /// Runs until it is asked to stop or, with `once`, until everything is read. Everything read is in the store then,
    /// unless the store took nothing any more.
    package consuming func run() {
        while step() {}
        finish()
        let (control, failure) = (self.control, firstFailure)
        writer.close()
        control.end(failure)
    }

    /// One round: read a batch of each ready input, write the chunks that are due, wait when nothing is ready.
    private mutating func step() -> Bool {
        let now = SystemClock.monotonic
        if control.isStopping { return false }
        var didRead = false
        if !isPaused || now >= nextTry {
            for index in 0..<slots.count {
                if readBatch(index, now) { didRead = true }
                if isPaused { break }
            }
        }
        writeDue(now)
        if now >= nextHousekeeping { housekeep(now) }
        if didRead {
            // New files and rotations must not wait for a backlog to be read.
            if now - lastWake >= settings.pace { wakeInputs(now) }
            return true
        }
        if settings.once, !isPaused, !anyReady, !anyWaiting {
            return !flushForEnd(now)
        }
        wait(now)
        return true
    }

    /// Why an input ended before its end.
    private var firstFailure: String? {
        for index in 0..<slots.count {
            if let failure = slots[index].input.failure { return "input \(slots[index].chunk.input): \(failure)" }
        }
        return nil
    }

    private var anyReady: Bool {
        for index in 0..<slots.count where slots[index].input.hasReady { return true }
        return false
    }

    private var anyWaiting: Bool {
        for index in 0..<slots.count where slots[index].input.isWaiting { return true }
        return false
    }

    // MARK: Reading

    /// Reads one batch of one input and puts it into the input's chunk. Returns whether there was one.
    private mutating func readBatch(_ index: Int, _ now: Int64) -> Bool {
        let input = slots[index].input
        guard input.hasReady else { return false }
        if slots[index].chunk.isFull, !write(index, now) { return false }
        batch.reset()
        let found = input.read(into: &batch, sparing: isSparing, now: SystemClock.realtime) { writer.define($0) }
        guard found else { return false }
        batch.counts[.readRecords] += UInt64(batch.rows.count)
        if slots[index].parsesJSON { batch.parseJSON() }
        slots[index].parse(&batch)
        for filter in filters { filter.apply(to: &batch) }
        slots[index].encode(&batch)
        let bytes = batch.counts[.readBytes]
        slots[index].cover(batch, bytes: bytes, now: now, writer)
        if slots[index].chunk.isFull { _ = write(index, now) }
        return true
    }

    // MARK: Writing

    /// Writes the chunk of one input. On failure reading pauses and the chunk is kept.
    private mutating func write(_ index: Int, _ now: Int64) -> Bool {
        switch writer.append(&slots[index].chunk) {
        case .stored:
            slots[index].reset()
            isPaused = false
            retryDelay = Lane.shortestRetry
            isSparing = pacing.isTooMuch(writer.store.leastWaitingBytes)
        case .full:
            isPaused = true
            // Soon at first: an output may have got on just before anybody listened for it.
            nextTry = now + retryDelay
            retryDelay = min(retryDelay * 2, Lane.longestRetry)
        }
        control.note(waitsForOutputs: isPaused || isSparing)
        return !isPaused
    }

    /// Writes chunks whose oldest record has waited for `linger`; without records, progress of 5 s or 16 MiB.
    private mutating func writeDue(_ now: Int64) {
        if isPaused, now < nextTry { return }
        for index in 0..<slots.count where slots[index].dueAt(settings.linger) <= now {
            guard write(index, now) else { return }
        }
    }

    private mutating func housekeep(_ now: Int64) {
        nextHousekeeping = now + 1_000_000_000
        writer.housekeep()
        pacing.look(appended: writer.appendedBytes, waiting: writer.store.leastWaitingBytes, now: now)
        isSparing = pacing.isTooMuch(writer.store.leastWaitingBytes)
        control.note(waitsForOutputs: isPaused || isSparing)
        var lag: UInt64 = 0
        for index in 0..<slots.count { lag += slots[index].input.lag }
        control.note(lag: lag)
    }

    // MARK: Waiting

    private mutating func wakeInputs(_ now: Int64) {
        lastWake = now
        for index in 0..<slots.count { slots[index].input.wake(on: &poller, now: now) }
    }

    private mutating func wait(_ now: Int64) {
        var deadline = nextHousekeeping
        for index in 0..<slots.count {
            deadline = min(deadline, slots[index].input.nextDeadline, slots[index].dueAt(settings.linger))
        }
        // What is not read now for the outputs' sake is read when one gets on, which rings the bell.
        if isSparing { deadline = min(deadline, now + settings.pace) }
        if isPaused { deadline = min(nextTry, nextHousekeeping) }
        // What happened within the last 50 ms is taken together: one wake-up for many events.
        let rest = settings.pace - (now - lastWake)
        if poller.pause(nanoseconds: min(rest, deadline - now)) { return bellRang() }
        let later = SystemClock.monotonic
        guard later < deadline else { return wakeInputs(later) }
        if !poller.wait(nanoseconds: deadline - later) { bellRang() }
        wakeInputs(SystemClock.monotonic)
    }

    /// Somebody wants something: to stop, or a cursor has moved.
    private mutating func bellRang() {
        if isPaused { nextTry = 0 }
        if isSparing { isSparing = pacing.isTooMuch(writer.store.leastWaitingBytes) }
    }

    // MARK: The end

    /// With `once`: everything is read. Writes what is left; returns whether that is all.
    private mutating func flushForEnd(_ now: Int64) -> Bool {
        wakeInputs(now)
        if anyReady || anyWaiting { return false }
        for index in 0..<slots.count where !slots[index].chunk.isEmpty {
            guard write(index, now) else {
                wait(now)
                return false
            }
        }
        return true
    }

    /// Writes what is held. What the store does not take now is read again at the next start.
    private mutating func finish() {
        for index in 0..<slots.count { _ = writer.append(&slots[index].chunk) }
    }
}

/// The lane's inputs in a row. (An array cannot hold noncopyable values yet.)
private struct LaneSlots: ~Copyable {
    private var boxes: [Box] = []

    final class Box {
        var value: LaneInput
        init(_ value: consuming LaneInput) { self.value = value }
    }

    var count: Int { boxes.count }

    mutating func append(_ input: consuming LaneInput) { boxes.append(Box(input)) }

    subscript(index: Int) -> LaneInput {
        _read { yield boxes[index].value }
        _modify { yield &boxes[index].value }
    }
}

extension LaneInput {
    /// Puts the records through the parsers of the input, or through the one that it has chosen for their log.
    mutating func parse(_ batch: inout RecordBatch) {
        switch Int(batch.parsing) {
        case 0: for parser in parsers { parser.parse(&batch) }
        case let place where place <= chosenParsers.count: chosenParsers[place - 1].parse(&batch)
        default: break
        }
    }

    /// Appends the batch's records to the chunk.
    mutating func encode(_ batch: inout RecordBatch) {
        var counts = Counts()
        var filtered: UInt64 = 0
        for index in 0..<batch.rows.count {
            let row = batch.rows[index]
            if row.flags.contains(.filtered) {
                filtered += 1
                continue
            }
            encoder.append(row, of: batch, to: &chunk.text, counts: &counts)
            chunk.noteRecord(time: row.time)
        }
        counts[.filteredRecords] = filtered
        batch.counts.add(counts)
    }

    mutating func cover(_ batch: borrowing RecordBatch, bytes: UInt64, now: Int64, _ writer: borrowing StoreWriter) {
        chunk.counts.add(batch.counts)
        if firstRecordAt == 0, chunk.hasRecords { firstRecordAt = now }
        chunk.cover(batch.progress, bytes: bytes, now: now) { writer.definitionSize($0) }
    }

    mutating func reset() {
        chunk.reset()
        firstRecordAt = 0
    }

    /// When the chunk is to be written, on the monotonic clock.
    func dueAt(_ linger: Int64) -> Int64 {
        if chunk.isEmpty { return .max }
        if firstRecordAt > 0 { return firstRecordAt + linger }
        if chunk.bytesCovered >= 16 << 20 { return 0 }
        return chunk.openedAt + 5_000_000_000
    }
}
