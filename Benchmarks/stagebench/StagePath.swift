// What is measured, and how: two paths that do the same work, one in Swift and one in C, in turn and stage by stage.
import CLimits
import Disk

/// A way that data takes through stages, a unit (a piece of a log, the chunks of a request) at a time.
protocol StagePath: ~Copyable {
    associatedtype Stage: CaseIterable, Equatable

    /// Goes back to the first unit.
    mutating func rewind() throws
    /// Whether there is no unit any more.
    var isAtEnd: Bool { get }
    /// Runs one stage over the unit; the first stage of all takes the next one.
    mutating func run(_ stage: Stage) throws
    /// Counts and checksums of what the stages have made of the unit.
    var outcome: [String: Int] { get }
}

/// Stages one after the other, by the name they have in a table.
struct Route<Stage> {
    let name: String
    let stages: [Stage]
}

/// Swift and C did not come to the same.
struct Mismatch: Error, CustomStringConvertible {
    let description: String

    init(_ swift: [String: Int], _ limit: [String: Int], unit: Int) {
        let different = Set(swift.keys).union(limit.keys).filter { swift[$0] != limit[$0] }.sorted()
        let sides = different.map { "\($0) is \(swift[$0] ?? 0) in Swift, \(limit[$0] ?? 0) in C" }
        description = "the two differ in unit \(unit): " + sides.joined(separator: "; ")
    }
}

/// CPU time that rounds took, in nanoseconds.
struct Times {
    var swift: [Int64] = []
    var limit: [Int64] = []

    /// Without the first round, which warmed up.
    var warm: Times { Times(swift: Array(swift.dropFirst()), limit: Array(limit.dropFirst())) }

    /// Of the rounds' medians, MB of log input for each second.
    func rate(_ side: KeyPath<Times, [Int64]>, megabytes: Double) -> Double {
        megabytes / (Double(Times.median(self[keyPath: side])) / 1e9)
    }

    /// Swift's time as a multiple of C's: the median of the rounds, the lowest and the highest.
    var multiple: (median: Double, low: Double, high: Double) {
        let ratios = zip(swift, limit).map { Double($0) / Double($1) }.sorted()
        return (Times.median(ratios), ratios.first ?? 0, ratios.last ?? 0)
    }

    private static func median<T: Comparable & ExpressibleByIntegerLiteral>(_ values: [T]) -> T {
        values.isEmpty ? 0 : values.sorted()[values.count / 2]
    }
}

/// Measures two paths side by side.
struct Comparison<Agent: StagePath & ~Copyable, Limit: StagePath & ~Copyable>: ~Copyable
where Agent.Stage == Limit.Stage {
    var agent: Agent
    var limit: Limit
    /// One side goes on for so many units, then the other: short against the noise of the machine, long enough to find
    /// its data in the cache as the agent does.
    private let turn = 16

    init(_ agent: consuming Agent, _ limit: consuming Limit) {
        self.agent = agent
        self.limit = limit
    }

    /// Runs every stage on both sides and compares what came out, unit by unit. Warms up, too.
    /// - Returns: the outcomes, added up.
    mutating func check() throws -> [String: Int] {
        try agent.rewind()
        try limit.rewind()
        var total: [String: Int] = [:]
        var unit = 0
        while !agent.isAtEnd {
            for stage in Agent.Stage.allCases {
                try agent.run(stage)
                try limit.run(stage)
            }
            guard agent.outcome == limit.outcome else { throw Mismatch(agent.outcome, limit.outcome, unit: unit) }
            total.merge(agent.outcome) { $0 &+ $1 }
            unit += 1
        }
        guard limit.isAtEnd else { throw Mismatch(["units": unit], ["units": unit + 1], unit: unit) }
        return total
    }

    /// One round of each stage alone. Every stage finds what those before it have just made.
    mutating func alone(into times: inout [Times]) throws {
        var (swift, c) = ([Int64](repeating: 0, count: times.count), [Int64](repeating: 0, count: times.count))
        try inTurns { this throws in
            try Comparison.stages(&this.agent, units: this.turn, &swift)
        } _: { this throws in
            try Comparison.stages(&this.limit, units: this.turn, &c)
        }
        for index in times.indices {
            times[index].swift.append(swift[index])
            times[index].limit.append(c[index])
        }
    }

    private static func stages<Path: StagePath & ~Copyable>(
        _ path: inout Path, units: Int, _ sums: inout [Int64]
    ) throws {
        climits_clear_registers()
        for _ in 0..<units where !path.isAtEnd {
            for (index, stage) in Path.Stage.allCases.enumerated() {
                let start = SystemClock.threadCPU
                try path.run(stage)
                sums[index] += SystemClock.threadCPU - start - ClockCost.nanoseconds
            }
        }
    }

    /// One round of a whole route.
    mutating func together(_ stages: [Agent.Stage], into times: inout Times) throws {
        var (swift, c) = (0 as Int64, 0 as Int64)
        try inTurns { this throws in
            swift += try Comparison.route(&this.agent, units: this.turn, stages)
        } _: { this throws in
            c += try Comparison.route(&this.limit, units: this.turn, stages)
        }
        times.swift.append(swift)
        times.limit.append(c)
    }

    /// Lets both sides go on until the end. Neither is always the first to touch what both read.
    private mutating func inTurns(
        _ one: (inout Comparison) throws -> Void, _ other: (inout Comparison) throws -> Void
    ) throws {
        try agent.rewind()
        try limit.rewind()
        var isOtherFirst = false
        while !agent.isAtEnd {
            if isOtherFirst { try other(&self) }
            try one(&self)
            if !isOtherFirst { try other(&self) }
            isOtherFirst.toggle()
        }
    }

    private static func route<Path: StagePath & ~Copyable>(
        _ path: inout Path, units: Int, _ stages: [Path.Stage]
    ) throws -> Int64 {
        climits_clear_registers()
        let start = SystemClock.threadCPU
        for _ in 0..<units where !path.isAtEnd {
            for stage in stages { try path.run(stage) }
        }
        return SystemClock.threadCPU - start - ClockCost.nanoseconds
    }
}

/// What reading the clock costs by itself: a twentieth of the shortest stage.
private enum ClockCost {
    static let nanoseconds: Int64 = {
        let costs = (0..<1001).map { _ in
            let start = SystemClock.threadCPU
            return SystemClock.threadCPU - start
        }
        return costs.sorted()[500]
    }()
}
