// What each stage costs, and all of them together, beside the same work in plain C in the same run (`make bench`).
// docs/performance.md keeps the figures. The unit is always MB of log input for each second of CPU time, also where a
// stage works on what the input has become: so costs can be added up.
import Bytes
private import Glibc

@main
struct StageBench {
    /// An odd number, so that there is one in the middle.
    private static let rounds = 5

    static func main() {
        do {
            let arguments = CommandLine.arguments.dropFirst()
            guard let megabytes = arguments.isEmpty ? 64 : arguments.first.flatMap(Int.init), megabytes > 0 else {
                throw Unreadable(description: "the argument is how many MiB of log lines to take")
            }
            try run(megabytes)
        } catch {
            print("stagebench: \(error)")
            exit(1)
        }
    }

    private static func run(_ megabytes: Int) throws {
        var maker = LineMaker()
        let input = maker.lines(megabytes)
        let size = Double(input.count) / 1e6
        print("\(Int(size)) MB of log lines; MB of them for each second of CPU time, median of \(rounds) rounds")

        let scratch = try Scratch()
        let log = try scratch.log(input)
        var fromFile = Comparison(try AgentWayFromFile(log, scratch.telemetry), try LimitWayFromFile(log))
        _ = try fromFile.check()
        // Each side has lines of its own: the second to read them would find them in the cache.
        var wayIn = Comparison(AgentWayIn(input), LimitWayIn(Array(copying: input.span)))
        let made = try wayIn.check()
        let store = try scratch.store(&wayIn.agent)
        var wayOut = Comparison(AgentWayOut(store), try LimitWayOut(store))
        let sent = try wayOut.check()
        describe(made, sent, size)

        var table = Table(megabytes: size)
        table.title("each stage alone")
        try measure(&fromFile, WayFromFile.allCases.map(\.name), &table)
        try measure(&wayIn, WayIn.allCases.map(\.name), &table)
        try measure(&wayOut, WayOut.allCases.map(\.name), &table)
        table.title("the way in: each row holds those above it")
        try measure(&wayIn, WayIn.routes, &table)
        table.title("the way out")
        try measure(&wayOut, WayOut.routes, &table)
        table.title("klog, each stage alone", besideC: false)
        var klogMaker = LineMaker()
        measure("klog", klogMaker.klogLines(max(1, megabytes / 4)), &table)
        measure("others", input, &table)
    }

    private static func measure(_ name: String, _ input: [UInt8], _ table: inout Table) {
        var stage = KlogStage(input)
        let times = (0...rounds).map { _ in stage.round() }.dropFirst()
        let size = Double(input.count) / 1e6
        table.row("look for klog in \(name), \(stage.share) % are", times.map(\.parse), megabytes: size)
        table.row("encode their records", times.map(\.encode), megabytes: size)
    }

    /// Says what the stages made of the input; both sides made the same.
    private static func describe(_ made: [String: Int], _ sent: [String: Int], _ size: Double) {
        let text = Double(made["bytes of text"] ?? 0)
        let growth = hundredths(text / size / 1e6)
        let ratio = hundredths(text / Double(made["bytes of deflate"] ?? 1))
        print("\(made["lines"] ?? 0) lines, \(made["objects"] ?? 0) of them JSON with \(made["members"] ?? 0) members")
        print("records are \(growth) times the input; compressed they are \(ratio) times smaller")
        print("\(sent["chunks"] ?? 0) chunks in the store; Swift and C agree on all counts and checksums")
    }

    private static func hundredths(_ value: Double) -> Double { (value * 100).rounded() / 100 }

    private static func measure<A: StagePath & ~Copyable, B: StagePath & ~Copyable>(
        _ comparison: inout Comparison<A, B>, _ names: [String], _ table: inout Table
    ) throws {
        var times = [Times](repeating: Times(), count: names.count)
        for _ in 0...rounds { try comparison.alone(into: &times) }
        for (name, times) in zip(names, times) { table.row(name, times.warm) }
    }

    private static func measure<A: StagePath & ~Copyable, B: StagePath & ~Copyable>(
        _ comparison: inout Comparison<A, B>, _ routes: [Route<A.Stage>], _ table: inout Table
    ) throws {
        var times = [Times](repeating: Times(), count: routes.count)
        for _ in 0...rounds {
            for (index, route) in routes.enumerated() {
                try comparison.together(route.stages, into: &times[index])
            }
        }
        for (route, times) in zip(routes, times) { table.row(route.name, times.warm) }
    }
}
