// A small lane that drives one tailer by hand, and records made without a tailer.
import Bytes
import Disk
import Journal
import NodeJournal
import Records
import Telemetry
import TestKit
import Testing

/// Drives a tailer as the lane does, one batch at a time, and keeps what the store would keep of it.
final class TailerBench {
    let kit = TestTelemetry()
    var options = JournalTailOptions(input: "node")
    private var tailer: JournalTailer?
    private var poller: Poller
    private var batch = RecordBatch()
    private var lastSource: SourceNumber = 0
    private var identities: [SourceNumber: SourceIdentity] = [:]
    private(set) var positions: [SourceNumber: Position] = [:]
    /// How far the tailer's clock is ahead of the machine's.
    private var ahead: Int64 = 0
    /// The records so far, encoded.
    private(set) var lines: [String] = []
    private(set) var counts = Counts()

    init(_ folders: String..., change: (inout JournalTailOptions) -> Void = { _ in }) throws {
        poller = try Poller(bell: Bell())
        options.source = .folders(folders)
        options.start = .beginning
        change(&options)
    }

    /// Starts a tailer with the positions that were kept.
    /// - Returns: why nothing can be read.
    @discardableResult
    func start() throws -> String? {
        poller = try Poller(bell: Bell())
        let known = positions.sorted { $0.key < $1.key }.compactMap { number, position in
            identities[number].map { KnownSource(number: number, identity: $0, position: position) }
        }
        let tailer = JournalTailer(options, known: known, telemetry: kit.telemetry)
        self.tailer = tailer
        return tailer.open(on: &poller, now: now)
    }

    /// The process dies: what was not kept is forgotten.
    func stop() { tailer = nil }

    func restart() throws {
        stop()
        try start()
    }

    /// Lets the store remember a source that this bench did not read.
    func remember(_ position: String, path: String) {
        lastSource += 1
        identities[lastSource] = SourceIdentity(kind: .journal, input: "node", path: path)
        positions[lastSource] = Position(Array(position.utf8))
    }

    var now: Int64 { SystemClock.monotonic + ahead }
    var hasReady: Bool { tailer?.hasReady ?? false }
    var nextDeadline: Int64 { tailer?.nextDeadline ?? .max }

    /// Lets the tailer's clock go on.
    func skip(seconds: Int64) {
        ahead += seconds * 1_000_000_000
        wake()
    }

    func wake() { wake(at: now) }
    func wake(at time: Int64) { tailer?.wake(on: &poller, now: time) }

    /// Reads one batch. `keeps`: whether the store takes it; one that it does not take dies with the process, so `restart` has to
    /// follow.
    @discardableResult
    func read(
        sparing: Bool = false, keeps: Bool = true, sourceLocation place: SourceLocation = #_sourceLocation
    )
        -> Bool
    {
        guard let tailer, tailer.hasReady else { return false }
        batch.reset()
        let found = tailer.read(into: &batch, sparing: sparing) { identity in
            lastSource += 1
            identities[lastSource] = identity
            return lastSource
        }
        guard found else {
            #expect(batch.rows.count == 0 && batch.progress.isEmpty && batch.counts.isEmpty, sourceLocation: place)
            return false
        }
        #expect(!batch.progress.isEmpty, "a batch says how far reading got", sourceLocation: place)
        guard keeps else { return true }
        counts.add(batch.counts)
        lines += Encoded.lines(of: batch, &counts)
        for step in batch.progress { positions[step.source] = step.isRetired ? nil : step.position }
        return true
    }

    /// Reads all that can be read now, what the tailer wants to do at once on the way included.
    func readAll(sparing: Bool = false, sourceLocation place: SourceLocation = #_sourceLocation) {
        repeat {
            wake()
            while hasReady { if !read(sparing: sparing, sourceLocation: place) { break } }
        } while !hasReady && nextDeadline <= now
    }

    /// Waits as the lane does until there are so many records.
    func wait(for count: Int, sourceLocation place: SourceLocation = #_sourceLocation) {
        let end = SystemClock.monotonic + 20_000_000_000
        while lines.count < count, SystemClock.monotonic < end {
            while hasReady { if !read(sourceLocation: place) { break } }
            if lines.count >= count { return }
            _ = poller.wait(nanoseconds: max(0, min(nextDeadline - now, end - SystemClock.monotonic)))
            wake()
        }
    }

    /// Waits for nothing but the descriptor.
    func isTold(within nanoseconds: Int64 = 10_000_000_000) -> Bool { poller.wait(nanoseconds: nanoseconds) }

    /// The numbers in messages that are `entry <number>`; -1 for others.
    var numbers: [Int] {
        lines.map { line in
            guard let start = line.prefix(120).firstRange(of: "\"message\":\"entry ") else { return -1 }
            return Int(line[start.upperBound...].prefix { $0 != "\"" }) ?? -1
        }
    }

    /// The position of the whole journal that would be kept, as text.
    var position: String { whole.map(\.text).joined(separator: ",") }
    /// The paths of the sources that are known, those of boots left out.
    var paths: [String] { whole.compactMap { identities[$0.number]?.path } }
    /// What is kept of boots, as text.
    var boots: [String] { texts.map(\.text).filter { $0.hasPrefix("boot ") } }

    private var texts: [(number: SourceNumber, text: String)] {
        positions.sorted { $0.key < $1.key }.map { ($0.key, String(decoding: $0.value.bytes, as: UTF8.self)) }
    }
    private var whole: [(number: SourceNumber, text: String)] { texts.filter { !$0.text.hasPrefix("boot ") } }
}

enum Encoded {
    /// The records of a batch, each without its newline. Each is checked to be one line of JSON.
    static func lines(of batch: borrowing RecordBatch, _ counts: inout Counts) -> [String] {
        var encoder = RecordEncoder(mode: .off, reserved: ReservedNames())
        var lines: [String] = []
        for index in 0..<batch.rows.count {
            var text = Arena()
            encoder.append(batch.rows[index], of: batch, to: &text, counts: &counts)
            let line = String(decoding: text.span)
            let isJSON = JSONScanner.validate(text, from: 0, to: text.count)
            let isOneLine = line.utf8.last == 10 && !line.utf8.dropLast().contains(10)
            #expect(isJSON && isOneLine, "\(line.prefix(2000))")
            lines.append(String(line.dropLast()))
        }
        return lines
    }
}

/// Records of entries, without a tailer.
struct MadeRecords {
    private(set) var lines: [String] = []
    private(set) var flags: [RecordFlags] = []
    private(set) var counts = Counts()
    /// The entries, as journalctl exports them.
    let entries: [MadeEntry]

    /// Writes a journal of these entries, and reads it.
    init(
        _ entries: [MadeEntry], in scratch: ScratchDirectory, _ change: (inout JournalRecordOptions) -> Void = { _ in }
    ) throws {
        let path = scratch.path("made-\(UInt64.random(in: 0 ... .max)).journal")
        try Systemd.write(entries, to: path)
        try self.init(.files([path]), "--file=\(path)", change)
    }

    /// Reads a journal, and lets journalctl do so.
    init(_ source: JournalSource, _ arguments: String, _ change: (inout JournalRecordOptions) -> Void) throws {
        var options = JournalRecordOptions()
        options.selection.audit = true
        change(&options)
        var records = JournalRecords(options)
        var reader = try JournalReader(source)
        var batch = RecordBatch()
        while try reader.next() {
            let time = try reader.realtime()
            _ = try records.append(&reader, time: time, to: &batch)
        }
        lines = Encoded.lines(of: batch, &counts)
        counts.add(batch.counts)
        for index in 0..<batch.rows.count { flags.append(batch.rows[index].flags) }
        entries = try Systemd.read(arguments)
    }

    /// A record, taken apart.
    func record(_ index: Int = 0) throws -> OrderedJSON { try OrderedJSON(lines[index]) }

    /// The text of a record's journal fields.
    func journal(_ index: Int = 0) throws -> String { try record(index)["journal"]?.description ?? "" }
}

extension ScratchDirectory {
    /// Makes a folder in it.
    func folder(_ name: String) throws -> String {
        try LocalFileSystem().makeFolder(path(name))
        return path(name)
    }
}
