// Text files are written, rotated by renaming and by copying and truncating, replaced and deleted, while the reader reads,
// commits, crashes and comes back, all in random order.
import Bytes
import Disk
import NodeFiles
import Records
import Telemetry
import TestKit
import Testing

struct TextFileProperties {
    @Test(arguments: seeds)
    func `whatever happens to text files and to the reader, every line is stored once and in order`(seed: Int) throws {
        var run = try TextFileRun(seed: UInt64(seed))
        try run.play(steps: 150)
        let found = run.harness.store.lines.values.flatMap { $0 }.map(\.text)
        if found.sorted() != run.written.sorted() || run.disorder != nil {
            let lost = Set(run.written).subtracting(found).map { $0.prefix(40) }.sorted()
            let extra = Dictionary(grouping: found) { $0 }.values.filter { $0.count > 1 }.map { $0[0].prefix(40) }
                .sorted()
            run.note("\(run.harness.telemetry.counters)")
            Issue.record(
                "seed \(seed): lost \(lost), extra \(extra), \(run.disorder ?? "in order")\n\(run.actions.joined(separator: "\n"))"
            )
        }
        #expect(run.harness.count(.readBytes) == run.bytes)
    }
}

/// One random history of a folder of text files that are rotated by renaming and by copying and truncating.
private struct TextFileRun {
    private var random: SeededGenerator
    private let scratch: ScratchDirectory
    let harness: TailerHarness
    private(set) var actions: [String] = []
    private(set) var written: [String] = []
    private(set) var bytes: UInt64 = 0
    private let names = ["a.log", "b.log", "sub/c.log"]
    /// A line whose newline is still missing.
    private var halves: [String: String] = [:]
    /// How often there was another file by a name: only lines of one file are in order.
    private var generations: [String: Int] = [:]

    init(seed: UInt64) throws {
        random = SeededGenerator(seed: seed)
        scratch = try ScratchDirectory()
        _ = try scratch.folder("sub")
        // `.1` is asked for, `.2` is not.
        harness = TailerHarness(files: scratch.path, isWanted: { $0.hasSuffix(".log") || $0.hasSuffix(".log.1") })
        for name in names { try scratch.write(name, "") }
    }

    mutating func play(steps: Int) throws {
        harness.open()
        for _ in 0..<steps { try step() }
        if !harness.isRunning { harness.open() }
        for name in names { try finishLine(name) }
        harness.drain()
    }

    mutating func note(_ action: String) { actions.append(action) }

    private mutating func step() throws {
        let name = names[random.below(names.count)]
        switch random.below(100) {
        case 0..<40: try append(to: name)
        case 40..<46:
            // The next two need all lines to be stored, since nobody can read what is overwritten or deleted.
            try drain(name)
            note("truncate \(name)")
            generations[name, default: 0] += 1
            try scratch.write(name, "")
            for _ in 0..<random.below(12) { try append(to: name) }
        case 46..<53: try rotate(name)
        case 53..<57:
            try drain(name)
            note("replace \(name)")
            generations[name, default: 0] += 1
            try scratch.remove(name)
            try scratch.write(name, "")
        case 57..<60: try replaceByItsCopy(name)
        case 60..<85:
            note("read")
            harness.wake()
            for _ in 0..<random.below(4) { harness.readBatch() }
        case 85..<90:
            note("commit")
            harness.commit()
        case 90..<93:
            note("drain")
            harness.drain()
        default:
            note("crash")
            if random.oneIn(3) { harness.close() } else { harness.crash() }
            for _ in 0..<random.below(8) {
                let name = names[random.below(names.count)]
                if random.oneIn(4) { try rotate(name) } else { try append(to: name) }
            }
            note("start")
            harness.open()
        }
    }

    private mutating func drain(_ name: String) throws {
        try finishLine(name)
        if !harness.isRunning { harness.open() }
        harness.drain()
    }

    private mutating func append(to name: String) throws {
        try finishLine(name)
        let line =
            "\(written.count) \(name)#\(generations[name, default: 0]) "
            + String(repeating: "x", count: random.oneIn(20) ? 3_000 : random.below(60))
        note("append \(written.count) to \(name)")
        written.append(line)
        bytes += UInt64(line.utf8.count) + 1
        let cut = random.oneIn(8) ? random.below(line.count) : line.count
        try scratch.append(String(line.prefix(cut)) + (cut == line.count ? "\n" : ""), to: name)
        if cut < line.count { halves[name] = String(line.dropFirst(cut)) + "\n" }
    }

    private mutating func finishLine(_ name: String) throws {
        guard let rest = halves.removeValue(forKey: name) else { return }
        try scratch.append(rest, to: name)
    }

    /// Whether the store knows the file that has a name now.
    private func isKnown(_ source: KnownSource, _ name: String) -> Bool {
        guard let status = Directory.status(scratch.path(name)), let position = FilePosition(source.position) else {
            return false
        }
        guard position.inode == status.inode, position.device == status.device,
            let head = try? scratch.contents(name).prefix(Int(position.headLength))
        else { return false }
        // Not, if it was truncated and written anew since.
        return Hash64.of(Array(head)) == position.head
    }

    /// Replaces a file by one with its content and a line more. What was not read of it is in the new one.
    private mutating func replaceByItsCopy(_ name: String) throws {
        try finishLine(name)
        let content = try scratch.contents(name)
        // Shorter ones are told from others by the time of their making, which a restart forgets.
        guard content.count >= 64 else { return }
        if !harness.isRunning { harness.open() }
        harness.drain()
        note("replace \(name) by a copy")
        try scratch.write("\(name).new", content)
        try scratch.rename("\(name).new", to: name)
        try append(to: name)
    }

    private mutating func rotate(_ name: String) throws {
        try finishLine(name)
        if Directory.status(scratch.path("\(name).2")) != nil {
            // What is deleted must be read before, and stored.
            if !harness.isRunning { harness.open() }
            harness.drain()
            try scratch.remove("\(name).2")
        }
        note("rotate \(name)")
        generations[name, default: 0] += 1
        if Directory.status(scratch.path("\(name).1")) != nil {
            // A file that is not asked for any more is read to its end, if the store knows of it.
            if !harness.store.known.contains(where: { isKnown($0, "\(name).1") }) {
                if !harness.isRunning { harness.open() }
                harness.drain()
            }
            try scratch.rename("\(name).1", to: "\(name).2")
        }
        try scratch.rename(name, to: "\(name).1")
        try scratch.write(name, "")
    }

    /// The first line that comes after a later one of the same file.
    var disorder: String? {
        for stream in harness.store.lines.values {
            var newest: [Substring: Int] = [:]
            for line in stream {
                let parts = line.text.split(separator: " ")
                guard parts.count > 1, let number = Int(parts[0]) else { continue }
                if let before = newest[parts[1]], before > number { return "\(number) after \(before)" }
                newest[parts[1]] = number
            }
        }
        return nil
    }
}
