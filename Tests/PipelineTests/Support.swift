// Scripted plugins over a real store: what is read, and how a receiver answers, is written by the test.
import Bytes
import Disk
import Pipeline
import Records
import Store
import Synchronization
import Telemetry
import TestKit
import Testing

/// A data directory with a faulty disk under it and an ear on its telemetry.
final class Bench: Sendable {
    let scratch: ScratchDirectory
    let disk = FaultyFileSystem()
    let log = TestTelemetry()

    init() throws { scratch = try ScratchDirectory() }

    var folder: StoreFolder { StoreFolder(scratch.path("data")) }

    func open(_ limits: StoreLimits = .forTests) throws(StoreError) -> StoreWriter {
        try Store.open(folder.path, settings: limits, fileSystem: disk, telemetry: log.telemetry)
    }

    func cursor(_ store: Store, _ output: String = "out", mayGiveWay: Bool = true) throws -> StoreCursor {
        try StoreCursor(store, output: output, start: .history, mayGiveWay: mayGiveWay)
    }

    /// A store that has ended, with a chunk for each list of lines.
    func ended(_ chunks: [[String]]) throws -> (store: Store, cursor: Handover<StoreCursor>) {
        var writer = try open()
        let store = writer.store
        let cursor = Handover(try self.cursor(store))
        try fill(&writer, chunks)
        writer.close()
        return (store, cursor)
    }

    func fill(_ writer: inout StoreWriter, _ chunks: [[String]]) throws {
        let source = writer.define(.container("web"))
        for chunk in chunks { try #require(writer.append(lines: chunk, of: source) == .stored) }
    }

    /// Delivers with a scripted output until the store has ended and all is sent.
    func deliver(
        _ store: Store, _ cursor: Handover<StoreCursor>, _ script: OutputScript,
        _ settings: DeliverySettings = .forTests,
        status: DeliveryStatus = DeliveryStatus(), concurrency: Int? = nil
    ) async {
        guard let cursor = cursor.take() else { return }
        let output: any Output =
            if let concurrency { ConcurrentScriptedOutput(script, concurrency: concurrency) } else {
                ScriptedOutput(script)
            }
        let delivery = Delivery(
            output, cursor: cursor, store: store, settings: settings, status: status,
            telemetry: log.telemetry)
        await delivery.run()
    }

    /// What the cursor's file says.
    func onDisk(_ output: String = "out") throws -> CursorState {
        let bytes = try #require(try Slots.read(folder.cursor(lane: 0, output: output)))
        return try #require(CursorState(decoding: bytes))
    }

    /// The segments' paths, oldest first.
    var segments: [String] {
        let lane = folder.segments(lane: 0)
        return ((try? Directory.list(lane)) ?? []).map(\.name).filter { StoreFolder.firstSequence(ofName: $0) != nil }
            .sorted()
            .map { "\(lane)/\($0)" }
    }

    /// Changes a byte in the middle of a record's compressed text.
    func damage(_ store: Store, record: UInt64) throws {
        for path in segments {
            var scan = try SegmentScan(path: path)
            while case .chunk(let place) = try scan.peek() {
                if place.header.recordCount > 0, place.header.firstSequence <= record, record < place.header.endSequence
                {
                    let file = try OwnedFile.open(path, .update)
                    let at = place.offset + UInt64(place.header.bodyOffset + place.header.deflateSize / 2)
                    let byte = try #require(try file.read(count: 1, at: at).first)
                    try file.write([byte ^ 0x10].span, at: at)
                    return
                }
                scan.pass(place)
            }
        }
        Issue.record("there is no record \(record)")
    }
}

/// Lines `1`, `2`, ... as records.
func numbered(_ range: ClosedRange<Int>) -> [String] { range.map { "{\"n\":\($0)}" } }

/// A record that hardly compresses.
func noise(_ number: Int, bytes: Int) -> String {
    var generator = SeededGenerator(seed: UInt64(number))
    let letters = Array("0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ-_".utf8)
    let text = generator.bytes(bytes).map { letters[Int($0 & 63)] }
    return "{\"n\":\(number),\"noise\":\"\(String(decoding: text, as: UTF8.self))\"}"
}

// MARK: Output

/// How a scripted receiver answers, and what it was asked.
final class OutputScript: Sendable {
    enum Answer: Sendable {
        case success
        case failure(String, kind: DeliveryFailure.Kind = .passing, retryAfter: Duration? = nil)
        /// No answer until the delivery is cancelled.
        case silence
    }

    /// One request as it was seen.
    struct Seen: Sendable, Equatable {
        let first: UInt64
        let last: UInt64
        let recordCount: UInt64
        let key: String
        let lines: [String]
        let body: [UInt8]
        let textSize: Int
        /// What the cursor's file said while the request was on its way.
        let cursor: CursorState?
    }

    private struct State {
        var answers: [Answer]
        var openAnswers: [Answer] = []
        var seen: [Seen] = []
        var opened: [[UInt8]] = []
        var outputState: [UInt8] = []
        var prepared: [[UInt8]] = []
        var closed = 0
        var waiters: [(count: Int, continuation: CheckedContinuation<Void, Never>)] = []
    }

    private let state: Mutex<State>
    private let cursorPath: String?
    private let judge: @Sendable (Seen) -> Answer

    /// - Parameters:
    ///   - answers: to the first requests.
    ///   - cursorPath: the cursor's file, to look at while a request is on its way.
    ///   - judge: answers all others; they succeed without one.
    init(
        _ answers: [Answer] = [], cursorPath: String? = nil,
        judge: @escaping @Sendable (Seen) -> Answer = { _ in .success }
    ) {
        state = Mutex(State(answers: answers))
        self.cursorPath = cursorPath
        self.judge = judge
    }

    /// What `open` answers, one after the other.
    func answerOpen(_ answers: [Answer]) { state.withLock { $0.openAnswers = answers } }
    /// What `prepare` changes the output's state to, one after the other.
    func prepareStates(_ states: [[UInt8]]) { state.withLock { $0.prepared = states } }

    var seen: [Seen] { state.withLock { $0.seen } }
    /// The states it was opened with.
    var opened: [[UInt8]] { state.withLock { $0.opened } }
    var closed: Int { state.withLock { $0.closed } }
    var outputState: [UInt8] { state.withLock { $0.outputState } }
    var lines: [String] { seen.flatMap(\.lines) }
    var ranges: [String] { seen.map { "\($0.first)-\($0.last)" } }

    /// Waits until so many requests have come.
    func requests(_ count: Int) async {
        await withCheckedContinuation { continuation in
            let isThere = state.withLock { state in
                if state.seen.count >= count { return true }
                state.waiters.append((count, continuation))
                return false
            }
            if isThere { continuation.resume() }
        }
    }

    fileprivate func open(_ kept: [UInt8]) -> Answer {
        state.withLock { state in
            state.opened.append(kept)
            guard state.openAnswers.isEmpty else { return state.openAnswers.removeFirst() }
            state.outputState = kept
            return .success
        }
    }

    fileprivate func prepare() {
        state.withLock { state in if !state.prepared.isEmpty { state.outputState = state.prepared.removeFirst() } }
    }

    fileprivate func take(_ request: borrowing Request) -> Answer {
        let cursor = cursorPath.flatMap { try? Slots.read($0) }.flatMap(CursorState.init(decoding:))
        let seen = Seen(
            first: request.first, last: request.last, recordCount: request.recordCount, key: request.key,
            lines: request.lines,
            body: request.gzipBody(), textSize: request.textSize, cursor: cursor)
        let (answer, due) = state.withLock { state in
            state.seen.append(seen)
            let count = state.seen.count
            let due = state.waiters.filter { $0.count <= count }.map(\.continuation)
            state.waiters.removeAll { $0.count <= count }
            return (state.answers.isEmpty ? judge(seen) : state.answers.removeFirst(), due)
        }
        for waiter in due { waiter.resume() }
        return answer
    }

    fileprivate func succeeded(_ last: UInt64) { state.withLock { $0.outputState = Array("\(last)".utf8) } }
    fileprivate func close() { state.withLock { $0.closed += 1 } }
}

/// Settings of plugins that have none.
struct NoSettings: PluginSettings {
    init(from fields: inout Fields) {}
}

/// The same, several at a time.
final class ConcurrentScriptedOutput: ConcurrentOutput {
    static let name = "concurrent"
    private let script: OutputScript
    let concurrency: Int

    init(_ script: OutputScript, concurrency: Int) {
        self.script = script
        self.concurrency = concurrency
    }

    convenience init(_ settings: NoSettings, context: PluginContext) { self.init(OutputScript(), concurrency: 1) }

    var state: [UInt8] { [] }
    func open(state: [UInt8]) async throws(DeliveryFailure) { try await script.open(state).act() }
    func send(_ request: borrowing Request) async throws(DeliveryFailure) { try await script.take(request).act() }
    func close() async { script.close() }
}

final class ScriptedOutput: Output {
    static let name = "scripted"
    private let script: OutputScript

    init(_ script: OutputScript) { self.script = script }
    convenience init(_ settings: NoSettings, context: PluginContext) { self.init(OutputScript()) }

    var state: [UInt8] { script.outputState }
    func open(state: [UInt8]) async throws(DeliveryFailure) { try await script.open(state).act() }
    func prepare() async throws(DeliveryFailure) { script.prepare() }

    func send(_ request: borrowing Request) async throws(DeliveryFailure) {
        try await script.take(request).act()
        script.succeeded(request.last)
    }

    func close() async { script.close() }
}

extension OutputScript.Answer {
    fileprivate func act() async throws(DeliveryFailure) {
        switch self {
        case .success: return
        case .failure(let reason, let kind, let retryAfter):
            throw DeliveryFailure(reason, kind: kind, retryAfter: retryAfter)
        case .silence:
            while !Task.isCancelled { try? await Task.sleep(for: .seconds(3600)) }
            throw DeliveryFailure("cancelled")
        }
    }
}

// MARK: Input

/// What a scripted input hands out.
final class InputScript: Sendable {
    /// One batch of one source.
    struct Batch: Sendable {
        var source = "web"
        var messages: [String] = []
        /// Where the source stands behind it.
        var position: UInt64
        var readBytes: UInt64 = 100
        var isRetired = false
        var counts: [Counter: UInt64] = [:]
    }

    private struct State {
        var batches: [Batch]
        var starts: [InputStart] = []
        /// Of each read, whether it was to spare the outputs.
        var sparing: [Bool] = []
        var waiters: [CheckedContinuation<Void, Never>] = []
    }

    private let state: Mutex<State>
    let jsonMode: JSONMode
    let refusal: String?

    init(_ batches: [Batch] = [], jsonMode: JSONMode = .merge, refusal: String? = nil) {
        state = Mutex(State(batches: batches))
        self.jsonMode = jsonMode
        self.refusal = refusal
    }

    /// One batch for each list of messages; the position counts the messages.
    convenience init(messages: [[String]]) {
        var count: UInt64 = 0
        self.init(
            messages.map { messages in
                count += UInt64(messages.count)
                return Batch(messages: messages, position: count)
            })
    }

    /// What the input found at each start.
    var starts: [InputStart] { state.withLock { $0.starts } }
    /// Batches that were not read yet.
    var left: Int { state.withLock { $0.batches.count } }
    /// Of each read, whether it was to spare the outputs.
    var sparing: [Bool] { state.withLock { $0.sparing } }

    /// Waits until everything is read.
    func emptied() async {
        await withCheckedContinuation { continuation in
            let isEmpty = state.withLock { state in
                if state.batches.isEmpty { return true }
                state.waiters.append(continuation)
                return false
            }
            if isEmpty { continuation.resume() }
        }
    }

    /// Hands out one more batch, now.
    func add(_ batch: Batch, waking control: LaneControl) {
        state.withLock { $0.batches.append(batch) }
        control.bell.ring()
    }

    fileprivate func start(_ start: InputStart) { state.withLock { $0.starts.append(start) } }
    fileprivate func next(sparing: Bool) -> Batch? {
        let (batch, due) = state.withLock { state in
            state.sparing.append(sparing)
            let batch = state.batches.isEmpty ? nil : state.batches.removeFirst()
            guard state.batches.isEmpty else { return (batch, [] as [CheckedContinuation<Void, Never>]) }
            defer { state.waiters = [] }
            return (batch, state.waiters)
        }
        for waiter in due { waiter.resume() }
        return batch
    }
}

final class ScriptedInput: Input {
    static let name = "scripted"
    private let script: InputScript
    private let inputName: String
    private var numbers: [String: SourceNumber] = [:]

    init(_ script: InputScript, name: String) {
        self.script = script
        inputName = name
    }

    convenience init(_ settings: NoSettings, context: PluginContext) { self.init(InputScript(), name: context.name) }

    var jsonMode: JSONMode { script.jsonMode }
    var nextDeadline: Int64 { .max }
    var hasReady: Bool { script.left > 0 }
    var lag: UInt64 { UInt64(script.left) }
    func wake(on poller: inout Poller, now: Int64) {}

    func open(on poller: inout Poller, start: InputStart) throws(PluginError) {
        if let refusal = script.refusal { throw .unusable(refusal) }
        script.start(start)
        for source in start.known { numbers[source.identity.pod] = source.number }
    }

    func read(
        into batch: inout RecordBatch, sparing: Bool, now: Int64, define: (SourceIdentity) -> SourceNumber
    ) -> Bool {
        guard let next = script.next(sparing: sparing) else { return false }
        let number = numbers[next.source] ?? define(.container(next.source, input: inputName))
        numbers[next.source] = number
        batch.ending = Array(",\"origin\":\"\(next.source)\"}\n".utf8)
        for message in next.messages { batch.add(message) }
        batch.counts[.readBytes] = next.readBytes
        for (counter, value) in next.counts { batch.counts[counter] = value }
        batch.progress = [Progress(source: number, position: Position(count: next.position), isRetired: next.isRetired)]
        return true
    }
}

/// Leaves out records whose message has a word in it.
final class WordFilter: Filter {
    static let name = "word"
    private let word: String

    init(_ word: String) { self.word = word }
    convenience init(_ settings: NoSettings, context: PluginContext) { self.init("") }

    func apply(to batch: inout RecordBatch) {
        for index in 0..<batch.rows.count where batch.message(index).contains(word) {
            batch.rows[index].flags.insert(.filtered)
        }
    }
}

extension Bench {
    /// Starts a lane on a thread of its own. It has ended when the store has.
    func startLane(
        _ writer: consuming StoreWriter, _ inputs: [String: InputScript], dropping words: [String] = [],
        fieldNames: [String] = [], settings: LaneSettings
    ) throws -> LaneControl {
        let control = try LaneControl()
        let store = writer.store
        let handover = Handover(writer)
        let plans = inputs.sorted { $0.key < $1.key }.map { name, script in
            LaneInputPlan(name: name) { () throws(PluginError) in ScriptedInput(script, name: name) }
        }
        let filters = words.map { word in LaneFilterPlan(name: word) { () throws(PluginError) in WordFilter(word) } }
        let telemetry = log.telemetry
        _ = OSThread("lane") {
            guard let writer = handover.take() else { return }
            do throws(PluginError) {
                let lane = try Lane(
                    writer: writer, inputs: plans, filters: filters, fieldNames: fieldNames, settings: settings,
                    control: control, telemetry: telemetry)
                lane.run()
            } catch {
                Issue.record("the lane cannot run: \(error)")
                store.end()
            }
        }
        return control
    }

    /// Runs a lane with `once` to its end, and returns the store that it filled.
    func runOnce(
        _ inputs: [String: InputScript], dropping words: [String] = [], fieldNames: [String] = []
    ) async throws -> Store {
        let writer = try open()
        let store = writer.store
        var settings = LaneSettings()
        settings.once = true
        _ = try startLane(writer, inputs, dropping: words, fieldNames: fieldNames, settings: settings)
        await store.ended()
        return store
    }
}

/// Counts calls, from 1.
final class StepCounter: Sendable {
    private let count = Atomic(0)
    func next() -> Int { count.add(1, ordering: .relaxed).newValue }
}
