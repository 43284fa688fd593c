// `kill -9`, again and again: the store and the file output hold every line exactly once.
import Foundation
import TestKit
import Testing

@Suite("kill -9")
struct CrashTests {
    @Test func `lines written while the agent is killed again and again come exactly once`() async throws {
        let agent = try Agent(more: "store: { linger: 5ms }")
        let logs = try (1...3).map { try PodLog("pod-\($0)", in: agent.scratch) }
        var generator = SeededGenerator(seed: 7)
        for round in 1...8 {
            let running = try agent.start()
            // Writing itself is the clock: killed after a number of writes, from the first moment of the start on.
            if round > 2 {
                try await running.eventually("the start") { running.errors.contains("store opened") }
            }
            for _ in 0..<generator.below(120) {
                try logs[generator.below(3)].append(1 + generator.below(40))
                if generator.oneIn(40) { try logs[generator.below(3)].rotate() }
                try await Task.sleep(for: .microseconds(generator.below(500)))
            }
            #expect(running.isRunning, "\(running.errors)")
            try await running.kill9()
        }
        try await expectExactlyOnce(agent, logs)
    }

    @Test(arguments: [0.02, 0.3, 0.6, 0.95]) func `a backlog that is interrupted part of the way comes exactly once`(
        part: Double
    ) async throws {
        let agent = try Agent()
        let logs = try (1...2).map { try PodLog("pod-\($0)", in: agent.scratch) }
        for log in logs {
            try log.append(4000)
            try log.rotate(longAgo: true)
            try log.append(2000)
        }
        let running = try agent.start()
        let whole = logs.reduce(0) { $0 + $1.written.count } * 330
        try await running.eventually("a part of the output") {
            agent.deliveredBytes > Int(Double(whole) * part)
        }
        try await running.kill9()
        try await expectExactlyOnce(agent, logs)
    }

    private func expectExactlyOnce(_ agent: Agent, _ logs: [PodLog]) async throws {
        let outcome = try await agent.runOnce()
        #expect(outcome.status == 0, "\(outcome.errors)")
        let expected = Dictionary(
            uniqueKeysWithValues: logs.filter { !$0.written.isEmpty }.map { ($0.stream, $0.written) })
        let stored = try await agent.zcat()
        let faults = Truth.faults(try Truth.came(stored), against: expected)
        #expect(faults == [], "the store")
        #expect(stored == agent.delivered, "the file output")
        #expect(try await Program.run("chunks", "verify", "--data-dir", agent.data).status == 0)
        let ledger = try await agent.ledger()
        #expect(ledger.closes)
        #expect(ledger.outputs.first?.delivered_records == logs.reduce(0) { $0 + $1.written.count })
    }
}
