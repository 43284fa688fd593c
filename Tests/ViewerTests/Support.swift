// What the tests of searching and following share: stores of known records, and what comes out of them.
import Bytes
import Disk
import NodeFiles
import Records
import Store
import Synchronization
import Telemetry
import TestKit
import Testing
import Viewer

/// A record as a test wants it in a store.
struct MadeRecord: Equatable {
    var time: Int64
    var message: String
    var source: SourceIdentity
    var severity: Severity?
    /// Of journal entries.
    /// The pod's labels, as JSON.
    var labels: String?
    var unit = "kubelet.service"
    var boot = "294062377afe4b7896914df5d9f4d5aa"

    /// The record as docs/records.md describes it, without its newline.
    var line: String {
        var time = Arena(capacity: 64)
        var writer = TimestampWriter()
        writer.append(self.time, to: &time)
        var line = "{\"time\":\"\(String(decoding: time.span.extracting(0..<time.count)))\""
        if source.kind == .container { line += ",\"stream\":\"stdout\"" }
        if let severity { line += ",\"severity\":\"\(severity.name)\"" }
        line += ",\"message\":\"\(message)\""
        switch source.kind {
        case .container:
            line += ",\"origin\":\"container\",\"kubernetes\":{\"namespace_name\":\"\(source.namespace)\","
            line += "\"pod_name\":\"\(source.pod)\",\"container_name\":\"\(source.container)\","
            line += "\"pod_uid\":\"\(source.uid)\",\"restart_count\":\(source.restart),\"node_name\":\"n1\""
            line += (labels.map { ",\"labels\":\($0)" } ?? "") + "}}"
        case .journal:
            line +=
                ",\"origin\":\"journal\",\"journal\":{\"unit\":\"\(unit)\",\"identifier\":\"kubelet\",\"priority\":6,"
            line += "\"boot_id\":\"\(boot)\",\"node_name\":\"n1\"}}"
        case .file: line += ",\"origin\":\"file\",\"file\":{\"path\":\"\(source.path)\"}}"
        }
        return line
    }
}

extension SourceIdentity {
    /// A container's log.
    static func log(
        _ pod: String, namespace: String = "shop", uid: String? = nil, container: String = "app", restart: Int32 = 0
    ) -> SourceIdentity {
        let uid = uid ?? "uid-\(pod)"
        return SourceIdentity(
            kind: .container, input: "logs",
            path: "/var/log/pods/\(namespace)_\(pod)_\(uid)/\(container)/\(restart).log", namespace: namespace,
            pod: pod, uid: uid, container: container, restart: restart)
    }

    static let journal = SourceIdentity(kind: .journal, input: "journal", path: "/var/log/journal")
}

/// A store that is written by the test, which knows all that is in it.
final class MadeStore {
    let scratch: ScratchDirectory
    private let limits: StoreLimits
    private var writer: StoreWriter?
    private var numbers: [SourceIdentity: SourceNumber] = [:]
    /// All records that were ever appended, by their numbers.
    private(set) var records: [MadeRecord] = []

    init(_ change: (inout StoreLimits) -> Void = { _ in }) throws {
        scratch = try ScratchDirectory(inMemory: true)
        var limits = StoreLimits.forTests
        change(&limits)
        self.limits = limits
        try open()
    }

    var path: String { scratch.path("data") }
    var folder: StoreFolder { StoreFolder(path) }
    /// An empty folder of pods' logs beside the store.
    func emptyPods() throws -> String {
        try LocalFileSystem().makeFolder(scratch.path("pods"))
        return scratch.path("pods")
    }

    /// The segments' paths, oldest first.
    var segments: [String] {
        let lane = folder.segments(lane: 0)
        return ((try? Directory.list(lane)) ?? []).map(\.name)
            .filter { StoreFolder.firstSequence(ofName: $0) != nil }.sorted().map { "\(lane)/\($0)" }
    }

    func open() throws {
        writer = try Store.open(
            path, settings: limits, fileSystem: LocalFileSystem(), telemetry: TestTelemetry().telemetry)
    }

    /// Closes the store: every segment has its index.
    func close() { writer.take()?.close() }

    /// Closes the segment and begins another one, as an agent does that is started again.
    func beginSegment() throws {
        close()
        try open()
    }

    func housekeep() {
        writer?.awaitSync()
        writer?.housekeep()
    }

    func number(of source: SourceIdentity) -> SourceNumber {
        if let number = numbers[source] { return number }
        let number = writer?.define(source) ?? 0
        numbers[source] = number
        return number
    }

    /// Appends a chunk of these records.
    /// - Parameters:
    ///   - others: further sources that are covered.
    ///   - retired: sources that come to their end with it.
    func append(
        _ made: [MadeRecord], others: [SourceIdentity] = [], retired: [SourceIdentity] = [],
        counts: [Counter: UInt64] = [:]
    ) throws {
        let first = (made.map(\.source) + others + retired).first
        var chunk = ChunkBuilder(input: first?.input ?? "logs")
        for record in made {
            chunk.text.append(text: record.line + "\n")
            chunk.noteRecord(time: record.time)
        }
        chunk.counts[.readRecords] = UInt64(made.count)
        for (counter, value) in counts { chunk.counts[counter] = value }
        var steps: [Progress] = []
        for source in made.map(\.source) + others + retired
        where !steps.contains(where: { $0.source == number(of: source) }) {
            steps.append(
                Progress(
                    source: number(of: source), position: Position(count: UInt64(records.count)),
                    isRetired: retired.contains(source)))
        }
        chunk.cover(steps, bytes: 1, now: SystemClock.monotonic) { _ in 200 }
        let outcome = writer?.append(&chunk)
        try #require(outcome == .stored)
        for source in retired { numbers[source] = nil }
        records += made
    }

    /// Where the chunks with records lie, in the order of their numbers.
    func chunks() throws -> [(path: String, place: ChunkPlace)] {
        var chunks: [(String, ChunkPlace)] = []
        for path in segments {
            var scan = try SegmentScan(path: path)
            while case .chunk(let place) = try scan.peek() {
                if place.header.recordCount > 0 { chunks.append((path, place)) }
                scan.pass(place)
            }
        }
        return chunks
    }

    /// Changes a byte of a file.
    static func flip(_ path: String, at offset: UInt64) throws {
        let file = try OwnedFile.open(path, .update)
        let byte = try #require(try file.read(count: 1, at: offset).first)
        try file.write([byte ^ 0x10].span, at: offset)
    }
}

/// The order in which a search has to give records: by time, those of one time by their store and number.
func inOrder(
    _ stores: [MadeStore], isReversed: Bool = false, where wanted: (MadeRecord) -> Bool = { _ in true }
) -> [String] {
    let all = stores.flatMap(\.records).enumerated().filter { wanted($0.element) }
    let sorted = all.sorted { ($0.element.time, $0.offset) < ($1.element.time, $1.offset) }.map(\.element.line)
    return isReversed ? sorted.reversed() : sorted
}

/// What a search gave.
struct Found {
    var lines: [String] = []
    var stats = SearchStats()
    var notices: [StoreNotice] = []
}

/// Searches stores.
/// - Parameter between: is called after the segments were looked through and before their records are read.
func search(
    _ folders: [StoreFolder], times: ClosedRange<Int64> = .min ... .max, isReversed: Bool = false,
    _ change: (inout RecordSelection) throws -> Void = { _ in }, between: () throws -> Void = {}
) throws -> Found {
    var selection = try RecordSelection()
    if times.lowerBound > .min { selection.since = times.lowerBound }
    if times.upperBound < .max { selection.until = times.upperBound }
    try change(&selection)
    var sieve = try Sieve(selection)
    var search = StoreSearch(times: times)
    for folder in folders { _ = try search.look(into: folder) { sieve.mayHold($0) } }
    try between()
    var found = Found()
    try search.forEach(isReversed: isReversed, sieve: &sieve) { line, _ in
        found.lines.append(text(line))
        return true
    }
    found.stats = search.stats
    found.notices = search.notices
    return found
}

/// A line without its newline.
func text(_ line: Span<UInt8>) -> String {
    let text = String(decoding: line)
    #expect(text.hasSuffix("\n"))
    return String(text.dropLast())
}

/// What a `Tail` shows, to be looked at and waited for by other threads.
final class Screen: Sendable {
    private let condition = Condition()
    private let shown = Mutex<[String]>([])

    /// Records' lines, and notices as `-- text --`.
    var lines: [String] { shown.withLock { $0 } }
    var notices: [String] { lines.filter { $0.hasPrefix("-- ") } }
    var records: [String] { lines.filter { !$0.hasPrefix("-- ") } }
    var messages: [String] { records.map(message) }

    func add(_ item: borrowing TailItem) {
        let line =
            switch item {
            case .record(let record): text(record)
            case .notice(let notice): "-- \(notice) --"
            }
        condition.lock()
        shown.withLock { $0.append(line) }
        condition.wakeAll()
        condition.unlock()
    }

    /// Waits until what is shown is as it should be; 30 s at most.
    func wait(
        for what: String, sourceLocation place: SourceLocation = #_sourceLocation, _ isThere: ([String]) -> Bool
    ) {
        let end = SystemClock.monotonic + 30_000_000_000
        condition.lock()
        while !isThere(lines), SystemClock.monotonic < end { condition.wait(until: end) }
        condition.unlock()
        #expect(isThere(lines), "never came: \(what); \(lines.count) lines are there", sourceLocation: place)
    }
}

/// The message of a record's line.
func message(_ line: String) -> String {
    var fields = RecordFields()
    var arena = Arena(capacity: line.utf8.count + 64)
    arena.append(text: line)
    guard fields.read(arena, from: 0, to: arena.count) else { return "no record: \(line)" }
    return fields.message.isPresent ? RecordFields.text(of: fields.message, arena) : "no message: \(line)"
}

extension TailRequest {
    /// A request to a store that is not the machine's, with no node beside it.
    init(_ store: MadeStore, pods: [String] = [], units: [String] = []) throws {
        var selection = try RecordSelection()
        for pod in pods { selection.pods.append(try PodPattern(pod)) }
        for unit in units { selection.units.append(try UnitPattern(unit)) }
        self.init(selection)
        dataDirectory = store.path
        places.pods = try store.emptyPods()
        places.wantsJournal = false
        scratch = store.scratch.path
    }

    /// Runs to the end, and returns what was shown.
    func shown() throws -> Screen {
        let screen = Screen()
        _ = try Tail(self, telemetry: TestTelemetry().telemetry).run {
            screen.add($0)
            return true
        } flush: {
        }
        return screen
    }
}

/// A `Tail` that follows on a thread of its own.
final class RunningTail {
    let screen = Screen()
    private let tail: Tail
    private let thread: OSThread

    init(_ request: TailRequest) throws {
        var request = request
        request.follows = true
        let tail = try Tail(request, telemetry: TestTelemetry().telemetry)
        self.tail = tail
        let screen = self.screen
        thread = OSThread("tail") {
            do {
                _ = try tail.run {
                    screen.add($0)
                    return true
                } flush: {
                }
            } catch {
                Issue.record("the tail ended: \(error)")
            }
        }
    }

    func stop() {
        tail.stop()
        thread.join()
    }
}
