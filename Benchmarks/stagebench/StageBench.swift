// Throughput of each stage of the lane, and of all of them together, in MB of log input per CPU second.
// `make bench` runs it; docs/performance.md keeps the figures. Every stage works on the same lines, made here: CRI, three
// quarters of them JSON. The first line of the table is the limit: a bare copy of the same bytes.
import Bytes
import Disk
import Gzip
import NodeFiles
import Records

/// Makes log lines as containers of a shop would write them.
struct LineMaker {
    private var state: UInt64 = 42

    private mutating func below(_ n: UInt64) -> UInt64 {
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        return (state >> 33) % n
    }

    mutating func lines(_ megabytes: Int) -> [UInt8] {
        let levels = ["debug", "info", "info", "info", "warn", "error"]
        let words = ["order", "payment", "cart", "timeout", "user", "item", "retry", "café", "shipped", "refused"]
        var out = Arena(capacity: megabytes << 20 + 65_536)
        var times = TimestampWriter()
        var time: Int64 = 1_795_000_000_000_000_000
        var number = 0
        while out.count < megabytes << 20 {
            time += Int64(below(3_000_000))
            number += 1
            times.append(time, to: &out)
            out.append(below(20) == 0 ? " stderr F " : " stdout F ")
            if below(4) > 0 {
                out.append("{\"level\":\"")
                out.append(text: levels[Int(below(6))])
                out.append("\",\"sequence_id\":")
                out.append(decimal: number)
                out.append(",\"msg\":\"")
                for _ in 0..<(5 + below(12)) { out.append(text: words[Int(below(10))] + " ") }
                out.append("\",\"request\":{\"path\":\"/api/v1/orders/")
                out.append(decimal: Int(below(100_000)))
                out.append("\",\"status\":200,\"ms\":")
                out.append(decimal: Int(below(900)))
                out.append("}}")
            } else {
                for _ in 0..<(8 + below(20)) { out.append(text: words[Int(below(10))] + " ") }
            }
            out.append("\n")
        }
        return Array(copying: out.span)
    }
}

/// The stages of the lane, each on top of those before it.
enum Stage: Int, CaseIterable {
    case copy, split, parse, encode, deflate

    var name: String {
        switch self {
        case .copy: "copy the bytes"
        case .split: "+ split CRI lines, read times"
        case .parse: "+ check JSON, note members and severity"
        case .encode: "+ encode records"
        case .deflate: "+ deflate (\(Deflater.encoderName))"
        }
    }
}

/// Runs the stages over the same lines again and again.
struct StageBench: ~Copyable {
    private static let pieceSize = 128 * 1024
    private let input: [UInt8]
    private var batch = RecordBatch()
    private var times = TimestampParser()
    private var encoder = RecordEncoder(mode: .merge, reserved: ReservedNames())
    private var text = Arena(capacity: 1 << 20)
    private var packed = Arena(capacity: 1 << 20)
    private var deflater = Deflater()
    private var counts = Counts()
    private var jsonBytes = 0
    private var packedBytes = 0

    init(megabytes: Int) {
        var maker = LineMaker()
        input = maker.lines(megabytes)
        var metadata = RecordEnding(origin: "container")
        metadata.append(
            "kubernetes",
            [
                ("namespace_name", .text("shop")), ("pod_name", .text("web-688b586558-2n9pr")),
                ("container_name", .text("nginx")),
                ("pod_uid", .text("f350d597-cb8d-4ab6-8b7d-113a70d2787b")),
                ("container_id", .text("27e1c103bd9878ad45e91b647196ab1b04d18fb39b019c1ba84c0298cca01088")),
                ("restart_count", .number(0)), ("node_name", .text("node-1")),
            ])
        batch.ending = metadata.finish(staticFields: [])
    }

    /// Runs each set of stages a few times in turn and prints the table.
    mutating func run(rounds: Int = 5) {
        print("\(input.count / 1_000_000) MB of log lines; MB of input per CPU second, median of \(rounds)")
        var seconds: [[Double]] = Stage.allCases.map { _ in [] }
        for round in 0...rounds {
            for stage in Stage.allCases {
                let start = SystemClock.threadCPU
                pass(upTo: stage)
                // The first round warms up.
                if round > 0 { seconds[stage.rawValue].append(Double(SystemClock.threadCPU - start) / 1e9) }
            }
        }
        let medians = seconds.map { $0.sorted()[rounds / 2] }
        for stage in Stage.allCases {
            let rate = Int(Double(input.count) / 1e6 / medians[stage.rawValue])
            let share = (medians[0] / medians[stage.rawValue] * 1000).rounded() / 10
            print(
                stage.name + String(repeating: " ", count: max(1, 44 - stage.name.count)) + "\(rate) MB/s"
                    + (stage == .copy ? ", the limit" : ", \(share) % of the limit"))
        }
        let growth = (Double(jsonBytes) / Double(input.count) * 100).rounded() / 100
        let ratio = (Double(jsonBytes) / Double(packedBytes) * 100).rounded() / 100
        print("JSON is \(growth) times the input; compressed it is \(ratio) times smaller")
    }

    private mutating func pass(upTo stage: Stage) {
        jsonBytes = 0
        packedBytes = 0
        var at = 0
        while at < input.count {
            let end = min(at + StageBench.pieceSize, input.count)
            batch.arena.removeAll()
            batch.rows.removeAll()
            batch.tape.removeAll()
            StageBench.copy(input, at..<end, into: &batch.arena)
            let read = batch.arena.count
            let last = ByteSearch.lastIndex(of: UInt8(ascii: "\n"), in: batch.arena, from: 0, to: read)
            let whole = last + 1
            batch.arena.truncate(to: whole)
            at += whole
            if stage.rawValue >= Stage.split.rawValue { split() }
            if stage.rawValue >= Stage.parse.rawValue { batch.parseJSON() }
            if stage.rawValue >= Stage.encode.rawValue { encode() }
            if stage.rawValue >= Stage.deflate.rawValue { deflate() }
        }
    }

    private static func copy(_ input: [UInt8], _ range: Range<Int>, into arena: inout Arena) {
        arena.append(input.span.extracting(range))
    }

    private mutating func split() {
        var at = 0
        let end = batch.arena.count
        while at < end {
            let newline = ByteSearch.firstIndex(of: UInt8(ascii: "\n"), in: batch.arena, from: at, to: end)
            let found = CRILine(batch.arena, from: at, to: newline, &times)
            if let line = found {
                let length = newline - line.messageStart
                batch.rows.append(Row(time: line.time, start: line.messageStart, length: length, stream: line.stream))
            }
            at = newline + 1
        }
    }

    private mutating func encode() {
        text.removeAll()
        for index in 0..<batch.rows.count { encoder.append(batch.rows[index], of: batch, to: &text, counts: &counts) }
        jsonBytes += text.count
    }

    private mutating func deflate() {
        packed.removeAll()
        let room = Deflater.bound(text.count)
        packedBytes += StageBench.compress(text, &deflater, room, into: &packed)
    }

    private static func compress(
        _ text: borrowing Arena, _ deflater: inout Deflater, _ room: Int, into packed: inout Arena
    ) -> Int { packed.fill(room) { deflater.compress(text.span, into: &$0) } }
}

@main
struct Main {
    static func main() {
        var bench = StageBench(megabytes: 64)
        bench.run()
    }
}
