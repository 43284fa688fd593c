// Containers write, the kubelet rotates, compresses and deletes, the tailer reads, commits, crashes and comes back, all in
// random order: at the end the store has exactly what was written.
import Disk
import NodeFiles
import Records
import Telemetry
import TestKit
import Testing

struct PodLogProperties {
    @Test(arguments: seeds)
    func `whatever happens to the files and to the reader, every line is stored once and in order`(seed: Int) throws {
        var run = try PodLogRun(seed: UInt64(seed))
        if let failure = try run.play(steps: 160) {
            run.note("\(run.harness.telemetry.counters)")
            Issue.record("seed \(seed): \(failure)\n\(run.actions.joined(separator: "\n"))")
        }
    }

    @Test(arguments: seeds)
    func `nor is one lost or repeated while pods are unknown, unwanted and wanted again`(seed: Int) throws {
        var run = try PodLogRun(seed: UInt64(seed), describesAnew: true)
        if let failure = try run.play(steps: 160) {
            run.note("\(run.harness.telemetry.counters)")
            Issue.record("seed \(seed): \(failure)\n\(run.actions.joined(separator: "\n"))")
        }
    }
}

/// One random history.
private struct PodLogRun {
    private var random: SeededGenerator
    private let scratch = try? ScratchDirectory()
    private let node: KubeletEmulator
    private var containers: [EmulatedContainer] = []
    let harness: TailerHarness
    private let maxLine: Int
    /// What was done, for the report of a failure.
    private(set) var actions: [String] = []
    /// Files that may be deleted at any time: all in them is committed.
    private var settled: [EmulatedFile] = []
    /// Something was deleted that the reader only holds open: it must not crash before it has committed.
    private var mustNotCrash = false
    private var pods = 0
    private var lines = 0
    /// Pods become known, unknown, unwanted and wanted again.
    private let describesAnew: Bool
    private var unwanted: Set<String> = []

    init(seed: UInt64, describesAnew: Bool = false) throws {
        self.describesAnew = describesAnew
        random = SeededGenerator(seed: seed)
        let root = try #require(scratch).path
        let node = try KubeletEmulator(root: root)
        let maxLine = [300, 20_000, 40_000, 1 << 20][random.below(4)]
        let budget = [4_000, 30_000, 4 << 20][random.below(3)]
        let sliceTime = [0, Int64.max][random.below(2)]
        harness = TailerHarness(pods: node.pods) { options in
            options.maxLine = maxLine
            options.pieceBudget = budget
            options.sliceTime = sliceTime
        }
        if describesAnew { harness.patience = 900_000_000 }
        self.node = node
        self.maxLine = maxLine
        actions.append("max_line \(maxLine), piece budget \(budget)")
    }

    mutating func play(steps: Int) throws -> String? {
        for _ in 0..<2 { try startPod() }
        harness.open()
        for _ in 0..<steps {
            try step()
            if let wrong = prematureDifference() { return wrong }
        }
        if !harness.isRunning { harness.open() }
        want([])
        if !mustNotCrash, random.oneIn(2) { harness.restart() }
        drain()
        for container in containers { try container.mend() }
        drain()
        if let unread = unread() { return unread }
        for container in containers { try container.stop() }
        harness.lookAround()
        for container in containers { try container.delete() }
        note("the end")
        drain()
        return difference(harness.store, node.truth, maxLine: maxLine) ?? leftovers()
    }

    /// What was written and has not come although nothing is left to be waited for; a container may never write again.
    private func unread() -> String? {
        for (stream, written) in node.truth where harness.store.lines[stream, default: []].count < written.count {
            let files = containers.flatMap { container in
                ((try? Directory.list(container.folder)) ?? []).map { entry in
                    let size = Directory.status("\(container.folder)/\(entry.name)")?.size ?? 0
                    return "\(container.pod)/\(entry.name) has \(size) bytes"
                }
            }
            let state =
                "\(harness.tailer?.openFiles ?? 0) open, \(harness.tailer?.lag ?? 0) bytes behind, ready: \(harness.tailer?.hasReady ?? false), looking: \(harness.isLooking)"
            let positions = harness.positions.map { "\($0.inode) read to \($0.end)" }
            return ([difference(harness.store, node.truth, maxLine: maxLine) ?? ""] + files + positions + [state])
                .joined(separator: "\n")
        }
        return nil
    }

    /// What must be true when all is read and gone.
    private func leftovers() -> String? {
        if !harness.store.known.isEmpty { return "\(harness.store.known.count) sources were not retired" }
        if let open = harness.tailer?.openFiles, open > 0 { return "\(open) files are still open" }
        for counter in [Counter.vanishedBytes, .shrunkBytes, .abandonedBytes, .damagedBytes]
        where harness.count(counter) > 0 {
            return "\(counter) is \(harness.count(counter)), but nothing was lost"
        }
        let skipped = node.truth.values.joined().reduce(0) { $0 + max(0, $1.message.count - maxLine) }
        if harness.count(.skippedBytes) != UInt64(skipped) {
            return "skipped_bytes is \(harness.count(.skippedBytes)), not \(skipped)"
        }
        if harness.count(.readBytes) != node.bytesWritten {
            return "read_bytes is \(harness.count(.readBytes)), not \(node.bytesWritten)"
        }
        return nil
    }

    /// Nothing may be stored that was not written, at any time.
    private func prematureDifference() -> String? {
        for (stream, found) in harness.store.lines {
            let written = node.truth[stream, default: []]
            // What is too long is stored before its end has come.
            let isAhead = found.last?.flags.contains(.truncated) ?? false
            if found.count > written.count + (isAhead ? 1 : 0) {
                return difference(harness.store, node.truth, maxLine: maxLine)
            }
        }
        return nil
    }

    mutating func note(_ action: String) { actions.append(action) }

    // MARK: Steps

    private mutating func step() throws {
        if describesAnew, random.oneIn(12) { return describeAnew() }
        switch random.below(100) {
        case 0..<45: try write()
        case 45..<52: try rotate()
        case 52..<56: try halfRotation()
        case 56..<58: try delete()
        case 58..<60: try restartContainer()
        case 60: try replacePod()
        case 61..<84: read()
        case 84..<90:
            note("commit")
            harness.commit()
        case 90..<93: drain()
        case 93..<98: try stopReader()
        default:
            note("wake")
            harness.wake()
        }
    }

    private mutating func describeAnew() {
        let (index, container) = pick()
        let describer = harness.describer
        switch random.below(3) {
        case 0:
            let wasUnknown = describer.unknown.remove(container.pod) != nil
            if !wasUnknown { describer.unknown.insert(container.pod) }
            note("\(index) is \(wasUnknown ? "known" : "unknown")")
            describer.changes = .all
        default:
            // What is only held open would be lost.
            if mustNotCrash { drain() }
            var next = unwanted
            if next.remove(container.pod) == nil { next.insert(container.pod) }
            note("\(index) is \(next.contains(container.pod) ? "unwanted" : "wanted")")
            want(next)
        }
    }

    private mutating func want(_ next: Set<String>) {
        unwanted = next
        harness.isWanted = { !next.contains($0) }
        harness.describer.changes = .all
    }

    private mutating func startPod() throws {
        pods += 1
        containers.append(try node.start(pod: "web-\(pods)", uid: "9bcef0f6-9bf5-\(pods)"))
        note("start \(containers.count - 1) web-\(pods)")
    }

    private mutating func pick() -> (Int, EmulatedContainer) {
        let index = random.below(containers.count)
        return (index, containers[index])
    }

    private mutating func message() -> [UInt8] {
        lines += 1
        let length: Int
        switch random.below(12) {
        case 0: length = 0
        case 1: length = random.below(2) + LogWriter.pieceSize
        case 2: length = random.below(60_000)
        case 3: length = maxLine < 100_000 ? maxLine + random.below(3) - 1 : 200
        default: length = random.below(150)
        }
        return Array(String("\(lines) " + String(repeating: "abcdefghi-", count: length / 10 + 1)).utf8.prefix(length))
    }

    private mutating func write() throws {
        let (index, container) = pick()
        if random.oneIn(10) { container.tearsNext = 1 + random.below(60) }
        if random.oneIn(40) {
            lines += 1
            note("\(index) malformed \(lines)")
            return try container.writeMalformed(Array("\(lines) this is not CRI".utf8))
        }
        let stream: RecordStream = random.oneIn(3) ? .stderr : .stdout
        let ends = !random.oneIn(6)
        let message = message()
        note("\(index) \(stream) \(message.count) bytes \(ends ? "F" : "P")\(container.tearsNext > 0 ? ", torn" : "")")
        try container.write(message, to: stream, ends: ends)
    }

    /// The kubelet rotates when a file is large; here it has at least a few lines.
    private func mayRotate(_ container: EmulatedContainer) -> Bool {
        container.isRunning && (container.files.last?.bytes.count ?? 0) > 100
    }

    private mutating func rotate() throws {
        let (index, container) = pick()
        guard mayRotate(container) else { return }
        note("\(index) rotate")
        try container.rotate()
    }

    /// Only a part of what a rotation is.
    private mutating func halfRotation() throws {
        let (index, container) = pick()
        if container.isBetweenRenameAndReopen {
            note("\(index) reopen")
            return try container.reopen()
        }
        if random.oneIn(3) {
            // Two and more that nobody compresses, and nothing in the one that is written.
            note("\(index) quick rotations")
            for _ in 0..<(2 + random.below(2)) {
                try container.write(message(), to: .stdout, ends: !random.oneIn(5))
                try container.rename()
                try container.reopen()
                look()
            }
            return
        }
        guard random.oneIn(2), let file = container.rotatedPlain.first, !file.isOpen else {
            guard mayRotate(container) else { return }
            note("\(index) rename")
            return try container.rename()
        }
        note("\(index) compress \(file.name) with looks between")
        try container.beginCompression(of: file)
        look()
        try container.nameCompressed(file)
        look()
        try container.endCompression(of: file)
    }

    private mutating func look() {
        guard random.oneIn(2) else { return }
        note("  wake, read")
        harness.wake()
        harness.readBatch()
    }

    /// The oldest file that nobody writes to goes, if all of it was read or the reader has it open.
    private mutating func delete() throws {
        let (index, container) = pick()
        guard let file = container.files.first(where: { !$0.isOpen }), container.files.count > 1, !file.hasUnfinished,
            !unwanted.contains(container.pod)
        else { return }
        try delete(file, of: container, index)
    }

    private mutating func delete(_ file: EmulatedFile, of container: EmulatedContainer, _ index: Int) throws {
        if !settled.contains(where: { $0 === file }) {
            guard harness.isRunning else { return }
            harness.lookAround()
            mustNotCrash = true
        }
        note("\(index) delete \(file.name)\(mustNotCrash ? ", held open" : "")")
        try container.remove(file)
    }

    private mutating func restartContainer() throws {
        let (index, container) = pick()
        note("\(index) container restarts")
        try container.startAgain()
    }

    private mutating func replacePod() throws {
        let (index, container) = pick()
        guard harness.isRunning, !unwanted.contains(container.pod) else { return }
        harness.lookAround()
        mustNotCrash = true
        note("\(index) pod deleted")
        try container.delete()
        containers.remove(at: index)
        try startPod()
    }

    // MARK: The reader

    private mutating func read() {
        let count = 1 + random.below(4)
        let wakes = random.oneIn(2)
        note("\(wakes ? "wake, " : "")read \(count)")
        if wakes { harness.wake() }
        for _ in 0..<count { harness.readBatch() }
    }

    private mutating func drain() {
        guard harness.isRunning else { return }
        note("drain")
        harness.drain()
        mustNotCrash = false
        settled = containers.filter { !unwanted.contains($0.pod) }.flatMap(\.files)
            .filter { !$0.isOpen && !$0.hasUnfinished }
    }

    private mutating func stopReader() throws {
        if mustNotCrash { drain() }
        if random.oneIn(3) {
            note("reader stops")
            harness.close()
        } else {
            note("reader crashes")
            harness.crash()
        }
        if random.oneIn(2) {
            let (index, container) = pick()
            note("\(index) many rotations")
            for _ in 0..<(1 + random.below(4)) {
                for _ in 0..<(1 + random.below(4)) {
                    try container.write(message(), to: .stdout, ends: !random.oneIn(5))
                }
                if mayRotate(container) { try container.rotate() }
            }
        }
        for _ in 0..<random.below(6) { try write() }
        note("reader starts")
        harness.open()
    }
}
