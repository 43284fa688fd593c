// The very beginning, from a file: as the agent follows logs, and at least what C needs for it.
import Bytes
import CLimits
import Disk
import NodeFiles
import Records
import Telemetry

/// What a log file goes through until its lines are rows of a batch.
enum WayFromFile: CaseIterable {
    case tail

    var name: String { "read a file and split its lines" }
}

/// The agent's own code: `FileTailer`, which copies from the page cache and keeps account of positions.
struct AgentWayFromFile: StagePath, ~Copyable {
    private let folder: String
    private let name: String
    private let telemetry: Telemetry
    private let status: FileStatus
    private var tailer: FileTailer
    private var batch = RecordBatch()
    private var at: UInt64 = 0

    init(_ path: String, _ telemetry: Telemetry) throws {
        guard let status = Directory.status(path) else { throw Unreadable(description: "\(path) is not there") }
        self.status = status
        self.telemetry = telemetry
        folder = Path.parent(path)
        name = Path.name(path)
        tailer = AgentWayFromFile.tailer(telemetry)
    }

    private static func tailer(_ telemetry: Telemetry) -> FileTailer {
        var options = TailOptions(input: "bench", format: .cri)
        options.once = true
        return FileTailer(options, known: [], telemetry: telemetry)
    }

    mutating func rewind() {
        at = 0
        tailer = AgentWayFromFile.tailer(telemetry)
        let file = ListedFile(name: name, status: status, isCompressed: false, isRotated: false)
        tailer.reconcile(
            FamilyKey(folder: folder, base: name),
            identity: SourceIdentity(kind: .container, input: "bench", path: "\(folder)/\(name)"),
            description: LogDescription(ending: WayIn.ending), files: [file])
        tailer.endFirstLook()
    }

    var isAtEnd: Bool { at == status.size }

    mutating func run(_ stage: WayFromFile) throws {
        batch.reset()
        guard tailer.read(into: &batch, sparing: false, now: SystemClock.realtime, define: { _ in 1 }) else {
            throw Unreadable(description: "the log ends at byte \(at)")
        }
        at += batch.counts[.readBytes]
    }

    var outcome: [String: Int] {
        var times = 0
        for index in 0..<batch.rows.count { times &+= Int(batch.rows[index].time) }
        return ["bytes": Int(batch.counts[.readBytes]), "lines": batch.rows.count, "sum of times": times]
    }
}

/// The same in C.
struct LimitWayFromFile: StagePath, ~Copyable {
    private let file: OwnedFile
    private let size: UInt64
    private var piece = LimitPiece()
    private var at: UInt64 = 0

    init(_ path: String) throws {
        let opened = try OwnedFile.open(path, .read)
        size = try opened.status().size
        file = opened
    }

    mutating func rewind() { at = 0 }

    var isAtEnd: Bool { at == size }

    mutating func run(_ stage: WayFromFile) throws {
        let taken = unsafe climits_read_piece(&piece.value, file.descriptor, Int64(at), WayIn.pieceSize)
        guard taken > 0 else { throw Unreadable(description: "\(file.path) cannot be read in C") }
        at += UInt64(taken)
        unsafe climits_split(&piece.value)
    }

    var outcome: [String: Int] { piece.outcome.filter { ["bytes", "lines", "sum of times"].contains($0.key) } }
}
