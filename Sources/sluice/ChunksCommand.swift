// `sluice chunks`: looks into a store's segments, chunk by chunk.
import ArgumentParser
import Bytes
import Disk
import Display
import Gzip
import Store

struct ChunksCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "chunks", abstract: "List, print or verify the chunks of a store, and its dead letters.",
        subcommands: [List.self, Cat.self, Verify.self, DeadLettersCommand.self])

    struct List: ParsableCommand {
        static let configuration = CommandConfiguration(commandName: "ls", abstract: "List segments and chunks.")

        @OptionGroup var store: StoreOptions

        func run() throws {
            let walk = try ChunkWalk(store.dataDir)
            var times = TimestampWriter()
            try walk.forEachSegment { path in
                print(Path.name(path))
                try walk.forEachChunk(path) { place, _ in
                    let header = place.header
                    var time = Arena(capacity: 32)
                    if header.recordCount > 0 { times.append(header.minTime, to: &time) }
                    let what: String =
                        switch header.kind {
                        case .records: "\(header.firstSequence)-\(header.endSequence - 1)"
                        case .progress: "progress"
                        case .snapshot, .snapshotEnd: "snapshot"
                        }
                    let text = [
                        Column.right("\(place.offset)", 10), Column.left(what, 24),
                        Column.right("\(header.recordCount)", 8),
                        Column.right(Ledger.size(UInt64(header.textSize)), 10),
                        Column.right(Ledger.size(UInt64(header.memberSize)), 10), "epoch \(header.epoch)",
                        String(decoding: time.span),
                    ].joined(separator: " ")
                    print("  " + text)
                }
            }
        }
    }

    struct Cat: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "cat", abstract: "Print records as lines of JSON.",
            discussion:
                "The same as zcat of the segments, but damaged chunks are passed over, and a range can be named.")

        @OptionGroup var store: StoreOptions
        @Option(help: ArgumentHelp("The first record's number; the oldest kept by default.", valueName: "number"))
        var from: UInt64?
        @Option(help: ArgumentHelp("The last record's number; the newest by default.", valueName: "number"))
        var to: UInt64?

        func run() throws {
            let walk = try ChunkWalk(store.dataDir)
            let output = try StandardStream.output()
            let isTerminal = StandardStream.outputIsTerminal
            var safe = Arena(capacity: 0)
            let (from, to) = (from ?? 1, to ?? .max)
            try walk.forEachSegment { path in
                try walk.forEachChunk(path) { place, member in
                    let header = place.header
                    guard header.recordCount > 0, header.endSequence > from, header.firstSequence <= to, let member
                    else { return }
                    let text = try walk.inflate(member, header)
                    let skipped = from > header.firstSequence ? Int(from - header.firstSequence) : 0
                    let wanted = Int(min(to, header.endSequence - 1) - header.firstSequence) + 1
                    let begin = skipped == 0 ? 0 : ChunkWalk.line(skipped, text)
                    let end = wanted == Int(header.recordCount) ? text.count : ChunkWalk.line(wanted, text)
                    guard isTerminal else { return try output.write(text.span.extracting(begin..<end)) }
                    var lines = Arena(capacity: end - begin)
                    lines.append(text.span.extracting(begin..<end))
                    safe.removeAll()
                    Printable.append(json: lines, to: &safe)
                    try output.write(safe.span)
                }
            }
        }
    }

    struct Verify: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "verify", abstract: "Check every chunk: its checksums, its text, the order of its numbers.",
            discussion:
                "Exits with 1 when something is damaged. The last bytes of a store in use may be a write under way.")

        @OptionGroup var store: StoreOptions

        func run() throws {
            let walk = try ChunkWalk(store.dataDir)
            var chunks = 0
            var records: UInt64 = 0
            var problems: [String] = []
            var next: UInt64 = 0
            try walk.forEachSegment { path in
                let end = try walk.forEachChunk(path) { place, member in
                    chunks += 1
                    let name = "\(Path.name(path)):\(place.offset)"
                    guard let member else {
                        problems.append("\(name): the checksum of the compressed bytes is wrong")
                        return
                    }
                    guard place.header.recordCount > 0 else { return }
                    records += UInt64(place.header.recordCount)
                    if place.header.firstSequence < next {
                        problems.append("\(name): number \(place.header.firstSequence) was given before")
                    }
                    next = place.header.endSequence
                    guard let text = try? walk.inflate(member, place.header) else {
                        problems.append("\(name): cannot be inflated")
                        return
                    }
                    if CRC32.of(text.span) != place.header.textChecksum {
                        problems.append("\(name): the text's checksum is wrong")
                    }
                    let lines = text.count { $0 == UInt8(ascii: "\n") }
                    if lines != Int(place.header.recordCount) {
                        problems.append("\(name): holds \(lines) lines instead of \(place.header.recordCount)")
                    }
                }
                if let end {
                    let isLast = path == walk.segments.last
                    if !(isLast && FolderLock.isHeld(store.dataDir)) {
                        problems.append("\(Path.name(path)):\(end): no chunk begins here")
                    }
                }
            }
            for problem in problems { print(problem) }
            print("\(walk.segments.count) segments, \(chunks) chunks, \(records) records, \(problems.count) damaged")
            if !problems.isEmpty { throw Exit.failure }
        }
    }
}

/// Walks a store on disk.
private struct ChunkWalk {
    let segments: [String]

    init(_ dataDirectory: String) throws {
        let folder = StoreFolder(dataDirectory)
        _ = try StoreIdentity.read(folder)
        let names = try Directory.list(folder.segments(lane: 0)).map(\.name)
        segments = names.filter { StoreFolder.firstSequence(ofName: $0) != nil }.sorted()
            .map { "\(folder.segments(lane: 0))/\($0)" }
    }

    func forEachSegment(_ body: (String) throws -> Void) throws {
        for path in segments {
            do {
                try body(path)
            } catch let error as DiskError where error.isMissing {
                continue  // Retired since it was listed.
            }
        }
    }

    /// Hands each chunk and its bytes (nil when they are damaged) to `body`; returns where bytes that are no chunk begin.
    @discardableResult
    func forEachChunk(_ path: String, _ body: (ChunkPlace, [UInt8]?) throws -> Void) throws -> UInt64? {
        var scan = try SegmentScan(path: path)
        var bad: UInt64?
        while true {
            switch try scan.peek() {
            case .chunk(let place):
                let member: [UInt8]? = try scan.withMember(place) { bytes in
                    if let bytes { [UInt8](copying: bytes) } else { nil }
                }
                try body(place, member)
                scan.pass(place)
            case .end:
                if try scan.offset < scan.size() { bad = bad ?? scan.offset }
                return bad
            case .damaged:
                bad = bad ?? scan.offset
                guard try scan.resync(limit: scan.size()) != nil else { return bad }
            }
        }
    }

    func inflate(_ member: [UInt8], _ header: ChunkHeader) throws -> [UInt8] {
        var text = [UInt8](repeating: 0, count: Int(header.textSize))
        var inflater = Inflater(.raw)
        var span = text.mutableSpan
        let deflate = member.span.extracting(header.bodyOffset..<(header.bodyOffset + header.deflateSize))
        try inflater.inflateAll(deflate, into: &span)
        return text
    }

    /// Where the `n`-th line begins.
    static func line(_ n: Int, _ text: [UInt8]) -> Int {
        var at = 0
        for _ in 0..<n {
            at = (ByteSearch.firstIndex(of: UInt8(ascii: "\n"), in: text.span, from: at) ?? text.count - 1) + 1
        }
        return at
    }
}

/// Aligns words in tables.
private enum Column {
    static func right(_ text: String, _ width: Int) -> String {
        String(repeating: " ", count: max(0, width - text.count)) + text
    }
    static func left(_ text: String, _ width: Int) -> String {
        text + String(repeating: " ", count: max(0, width - text.count))
    }
}
