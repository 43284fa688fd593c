// What the tests of this target share: a tailer with a store of the simplest kind, and what is done to files.
import Bytes
import Disk
import Foundation
import NodeFiles
import Records
import Telemetry
import TestKit
import Testing

/// What tests do to files in their scratch folder.
extension ScratchDirectory {
    /// A folder in it.
    func folder(_ name: String) throws -> String {
        try LocalFileSystem().makeFolder(path(name))
        return path(name)
    }

    func append(_ text: String, to name: String) throws {
        let file = try OwnedFile.open(path(name), .update)
        try file.write(Array(text.utf8).span, at: try file.status().size)
    }

    func rename(_ from: String, to: String) throws { try LocalFileSystem().rename(path(from), to: path(to)) }

    func remove(_ name: String) throws { try LocalFileSystem().remove(path(name)) }

    func link(_ name: String, to target: String) throws {
        try FileManager.default.createSymbolicLink(atPath: path(name), withDestinationPath: target)
    }

    func hardLink(_ name: String, to existing: String) throws {
        try FileManager.default.linkItem(atPath: path(existing), toPath: path(name))
    }
}

extension Arena {
    /// An arena that holds exactly `bytes`, with no room behind them.
    init(holding bytes: [UInt8]) {
        self.init(capacity: bytes.count)
        append(bytes)
    }
}

/// A record as it was stored.
struct StoredLine: Equatable, CustomStringConvertible {
    var time: Int64
    var message: [UInt8]
    var flags: RecordFlags

    var text: String { String(decoding: message, as: UTF8.self) }

    var description: String {
        let shown =
            message.count > 60 ? "\(String(decoding: message.prefix(60), as: UTF8.self))... (\(message.count))" : text
        return "\(time) \(flags.rawValue) \(shown)"
    }
}

/// What a store is to a tailer: records and positions that are kept together or lost together.
struct MemoryStore {
    private(set) var lines: [TrueStream: [StoredLine]] = [:]
    private(set) var sources: [SourceNumber: KnownSource] = [:]
    private(set) var counts = Counts()
    /// Streams in the order in which their records came.
    private(set) var order: [TrueStream] = []
    private var nextNumber: SourceNumber = 1
    private var defined: [SourceNumber: SourceIdentity] = [:]
    private var waiting: [(TrueStream, StoredLine)] = []
    private var waitingProgress: [Records.Progress] = []
    private var waitingCounts = Counts()

    var known: [KnownSource] { sources.values.sorted { $0.number < $1.number } }
    var hasUncommitted: Bool { !waiting.isEmpty || !waitingProgress.isEmpty || !waitingCounts.isEmpty }

    mutating func define(_ identity: SourceIdentity) -> SourceNumber {
        defined[nextNumber] = identity
        nextNumber += 1
        return nextNumber - 1
    }

    mutating func add(_ batch: borrowing RecordBatch) {
        let log = String(decoding: batch.ending, as: UTF8.self)
        for index in 0..<batch.rows.count {
            let row = batch.rows[index]
            let range = Int(row.messageStart)..<Int(row.messageStart + row.messageLength)
            waiting.append(
                (
                    TrueStream(log: log, stream: row.stream),
                    StoredLine(
                        time: row.time, message: Array(copying: batch.arena.span.extracting(range)), flags: row.flags)
                ))
        }
        waitingProgress += batch.progress
        waitingCounts.add(batch.counts)
    }

    mutating func commit() {
        for (stream, line) in waiting {
            lines[stream, default: []].append(line)
            order.append(stream)
        }
        for progress in waitingProgress {
            if progress.isRetired {
                sources[progress.source] = nil
            } else if let identity = defined[progress.source] {
                sources[progress.source] = KnownSource(
                    number: progress.source, identity: identity, position: progress.position)
            }
        }
        counts.add(waitingCounts)
        forget()
    }

    /// A crash before the commit.
    mutating func forget() {
        waiting = []
        waitingProgress = []
        waitingCounts = Counts()
    }
}

/// Describes logs by their paths, as long as their pods are not said to be unknown.
final class TestDescriber: LogDescriber {
    var isWanted: (String) -> Bool = { _ in true }
    var showsIDs = false
    /// Pods of which nothing is known, by name.
    var unknown: Set<String> = []
    /// Pods whose containers have ended, by name.
    var ended: Set<String> = []
    /// What records of a pod get appended, by name.
    var labels: [String: String] = [:]
    var changes = DescriptionChanges.none
    private(set) var told: [String] = []

    func isWanted(_ pod: PodFolder, _ container: String?) -> Bool { isWanted(pod.pod) }

    func describe(_ log: ContainerLog) -> LogDescription {
        let path = [log.folder.namespace, log.folder.pod, log.folder.uid, log.container, "\(log.restart)"]
        let id = log.containerID.isEmpty || !showsIDs ? [] : [log.containerID]
        let label = labels[log.folder.pod].map { [$0] } ?? []
        return LogDescription(
            ending: Array((path + id + label).joined(separator: "/").utf8),
            isComplete: !unknown.contains(log.folder.pod))
    }

    func hasEnded(_ log: ContainerLog) -> Bool { ended.contains(log.folder.pod) }
    func waitBegan(_ log: ContainerLog) { told.append("\(log.folder.pod) waits") }
    func waitEnded(_ log: ContainerLog, _ end: WaitEnd) { told.append("\(log.folder.pod) \(end)") }
    func isGone(_ log: ContainerLog) { told.append("\(log.folder.pod) gone") }

    func takeChanges() -> DescriptionChanges {
        defer { changes = .none }
        return changes
    }

    var hasChanges: Bool { if case .none = changes { false } else { true } }
}

/// A tailer over a folder of pods or of text files, and its store.
final class TailerHarness {
    private(set) var store = MemoryStore()
    private(set) var tailer: FileTailer?
    private var pods: PodLogDiscovery?
    private var files: GlobDiscovery?
    private var batch = RecordBatch()
    let told = TestTelemetry()
    var telemetry: Telemetry { told.telemetry }
    var options: TailOptions
    /// Says which pods are read and what is known of them.
    let describer = TestDescriber()
    /// Which pods are read, by name.
    var isWanted: (String) -> Bool {
        get { describer.isWanted }
        set { describer.isWanted = newValue }
    }
    /// How long a new log waits for its description, nanoseconds.
    var patience: Int64 = 0
    private let start: (TailerHarness) -> Void
    /// What `settle` and `wake` believe the time to be; it goes on far enough at each wake for all timers.
    private var clock = SystemClock.monotonic

    /// Reads container logs.
    init(pods root: String, links: String? = nil, _ change: (inout TailOptions) -> Void = { _ in }) {
        options = TailOptions(input: "pods", format: .cri)
        options.quietTime = 0
        options.sliceTime = .max
        change(&options)
        describer.showsIDs = links != nil
        start = { harness in
            let tailer = FileTailer(harness.options, known: harness.store.known, telemetry: harness.telemetry)
            let discovery = PodLogDiscovery(
                root: root, linksFolder: links, tailer: tailer, telemetry: harness.telemetry,
                describer: harness.describer, patience: harness.patience)
            harness.tailer = tailer
            harness.pods = discovery
            discovery.start(now: harness.clock)
        }
    }

    /// Reads text files that are wanted; records are told apart by the folder's `root` and the path they were found by.
    init(
        files root: String, isWanted: @escaping (String) -> Bool = { $0.hasSuffix(".log") },
        _ change: (inout TailOptions) -> Void = { _ in }
    ) {
        options = TailOptions(input: "files", format: .plain)
        options.quietTime = 0
        options.checksTail = true
        change(&options)
        start = { harness in
            let tailer = FileTailer(harness.options, known: harness.store.known, telemetry: harness.telemetry)
            let discovery = GlobDiscovery(
                roots: [root], tailer: tailer, telemetry: harness.telemetry, mayDescend: { $0.hasPrefix(root) },
                isWanted: isWanted, ending: { Array($0.dropFirst(root.count + 1).utf8) })
            harness.tailer = tailer
            harness.files = discovery
            discovery.start(now: harness.clock)
        }
    }

    var isRunning: Bool { tailer != nil }

    /// There is more to look at than one slice could.
    var isLooking: Bool { pods?.isLooking ?? false }

    func open() { start(self) }

    /// Ends without a commit, as `kill -9` does.
    func crash() {
        store.forget()
        tailer = nil
        pods = nil
        files = nil
    }

    /// Ends after a commit.
    func close() {
        store.commit()
        crash()
    }

    func restart() {
        close()
        open()
    }

    func wake(after nanoseconds: Int64 = 1_000_000_000) {
        clock += nanoseconds
        pods?.wake(now: clock)
        files?.wake(now: clock)
    }

    /// Wakes until all was looked at.
    func lookAround() {
        repeat { wakeForLook() } while isLooking
    }

    /// A look goes on soon; else the next timers are due. Without inotify each second has its look, and they would never end.
    private func wakeForLook() { wake(after: isLooking ? 10_000_000 : 1_000_000_000) }

    /// What the discovery wants to be woken at, from now on.
    var nanosecondsToDeadline: Int64 { (pods?.nextDeadline ?? files?.nextDeadline ?? .max) - clock }

    /// Reads one batch; false when nothing is ready.
    @discardableResult
    func readBatch(sparing: Bool = false) -> Bool {
        guard let tailer else { return false }
        batch.reset()
        var store = self.store
        let found = tailer.read(into: &batch, sparing: sparing, now: 1_795_404_847_000_000_000) { store.define($0) }
        if found { store.add(batch) }
        self.store = store
        return found
    }

    func commit() { store.commit() }

    /// Reads until nothing comes any more, and commits.
    func drain(sparing: Bool = false) {
        var idle = 0
        while idle < 2 {
            wakeForLook()
            var found = false
            while readBatch(sparing: sparing) { found = true }
            if found { idle = 0 } else if !isLooking { idle += 1 }
        }
        commit()
    }

    // MARK: Looking

    /// The messages of a stream as text.
    func texts(_ log: String, _ stream: RecordStream = .stdout) -> [String] {
        store.lines[TrueStream(log: log, stream: stream), default: []].map(\.text)
    }

    func lines(_ log: String, _ stream: RecordStream = .stdout) -> [StoredLine] {
        store.lines[TrueStream(log: log, stream: stream), default: []]
    }

    func count(_ counter: Counter) -> UInt64 { store.counts[counter] }

    /// The committed positions, by path and order of definition.
    var positions: [FilePosition] { store.known.compactMap { FilePosition($0.position) } }
}

/// A node with one container, and a reader.
struct Node {
    let scratch = try? ScratchDirectory()
    let node: KubeletEmulator
    let app: EmulatedContainer
    let reader: TailerHarness

    init(_ change: (inout TailOptions) -> Void = { _ in }) throws {
        node = try KubeletEmulator(root: #require(scratch).path)
        app = try node.start(pod: "web")
        reader = TailerHarness(pods: node.pods, change)
    }

    func write(_ text: String, _ stream: RecordStream = .stdout, ends: Bool = true) throws {
        try app.write(Array(text.utf8), to: stream, ends: ends)
    }

    /// Enough lines for a file to be rotated, which the reader has seen.
    func fill(_ name: String) throws {
        for number in 0..<5 { try write("\(name) \(number) of a few lines that fill the file") }
    }

    func texts(_ stream: RecordStream = .stdout, restart: Int32 = 0) -> [String] {
        reader.texts(app.log(restart), stream)
    }

    /// What differs from the truth; nil when nothing does.
    func difference(maxLine: Int = .max) -> String? {
        NodeFilesTests.difference(reader.store, node.truth, maxLine: maxLine)
    }
}

/// Compares what was stored with what was written; returns what differs, or nil.
func difference(_ store: MemoryStore, _ truth: [TrueStream: [TrueLine]], maxLine: Int = .max) -> String? {
    for stream in Set(truth.keys).union(store.lines.keys).sorted(by: { "\($0)" < "\($1)" }) {
        let wanted = truth[stream, default: []].map { expected($0, stream.stream, maxLine) }
        var found = store.lines[stream, default: []]
        // Malformed lines have no time of their own.
        for index in found.indices where stream.stream == .none || found[index].flags.contains(.truncated) {
            found[index].time = 0
        }
        guard wanted != found else { continue }
        let at = zip(wanted, found).prefix { $0 == $1 }.count
        let was = at < found.count ? "\(found[at])" : "nothing"
        let should = at < wanted.count ? "\(wanted[at])" : "nothing"
        let names = [wanted, found].map {
            $0.map { "\($0.text.prefix { $0 != " " })/\($0.message.count)" }.joined(separator: " ")
        }
        return
            "\(names[0])\n\(names[1])\n\(stream): \(wanted.count) lines written, \(found.count) stored; line \(at) should be [\(should)], is [\(was)]"
    }
    return nil
}

/// What is to be stored of a line. Lines that are cut are ASCII in these tests, and their time is not compared: it is that
/// of the piece that went over the limit.
private func expected(_ line: TrueLine, _ stream: RecordStream, _ maxLine: Int) -> StoredLine {
    var flags: RecordFlags = line.hasEnd ? [] : .unfinished
    if stream == .none { flags.insert(.malformed) }
    guard line.message.count > maxLine else { return StoredLine(time: line.time, message: line.message, flags: flags) }
    flags.insert(.truncated)
    flags.remove(.unfinished)
    return StoredLine(time: 0, message: Array(line.message[..<maxLine]), flags: flags)
}

/// The seeds of random histories; `SLUICE_SEEDS=100-2000` for a long search, `SLUICE_SEEDS=17` to repeat a failure.
let seeds: [Int] = {
    let ends = (Machine.environment("SLUICE_SEEDS") ?? "0-24").split(separator: "-").compactMap { Int($0) }
    guard let first = ends.first, let last = ends.last else { return [] }
    return ends.count > 1 ? Array(first..<last) : [first]
}()
