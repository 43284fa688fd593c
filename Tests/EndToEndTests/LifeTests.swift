// What may befall a running agent besides its work: signals, and a data directory that is taken away under it.
import Disk
import Foundation
import Glibc
import TestKit
import Testing

@Suite("sluice run, when its ground is pulled away")
struct LifeTests {
    private func lines(of agent: Agent) -> Int { agent.delivered.utf8.count { $0 == UInt8(ascii: "\n") } }

    private func started() async throws -> (Agent, Running, PodLog) {
        let agent = try Agent()
        let log = try PodLog("web", in: agent.scratch)
        try log.append(5)
        let running = try agent.start()
        try await running.eventually("delivery") { lines(of: agent) == 5 }
        return (agent, running, log)
    }

    @Test func `SIGHUP is reported each time, and nothing stops`() async throws {
        let (agent, running, log) = try await started()
        for count in 1...3 {
            running.send(SIGHUP)
            try await running.eventually("the report") {
                running.errors.components(separatedBy: "SIGHUP does nothing").count == count + 1
            }
        }
        try log.append(5)
        try await running.eventually("delivery after it") { lines(of: agent) == 10 }
        #expect(try await running.stop().status == 0)
    }

    @Test func `SIGHUP does not end an agent that is just starting`() async throws {
        let agent = try Agent()
        let log = try PodLog("web", in: agent.scratch)
        try log.append(5)
        let running = try agent.start()
        try await running.eventually("the beginning of its start") {
            FileManager.default.fileExists(atPath: agent.data + "/lock")
        }
        running.send(SIGHUP)
        try await running.eventually("delivery") { lines(of: agent) == 5 }
        #expect(try await running.stop().status == 0)
    }

    @Test func `a second run with --once speaks of itself alone`() async throws {
        let agent = try Agent.overSampleNode()
        let first = try await agent.runOnce()
        #expect(first.status == 0 && first.errors.contains("read 785 records, "), "\(first.errors)")
        #expect(first.errors.contains("file: 785 delivered"))
        let second = try await agent.runOnce()
        #expect(second.status == 0 && second.errors.contains("read 0 records, 0 B, "), "\(second.errors)")
        #expect(second.errors.contains("file: 0 delivered"))
    }

    /// What is taken away.
    enum Loss: CaseIterable { case everything, lock, segments, renamed, replaced }

    @Test(arguments: Loss.allCases)
    func `a data directory that is taken away ends the agent within seconds, with a clear error`(
        _ loss: Loss
    ) async throws {
        let (agent, running, _) = try await started()
        let files = FileManager.default
        let gone: String
        switch loss {
        case .everything:
            try files.removeItem(atPath: agent.data)
            gone = agent.data
        case .lock:
            try files.removeItem(atPath: agent.data + "/lock")
            gone = agent.data + "/lock"
        case .segments:
            try files.removeItem(atPath: agent.data + "/store")
            gone = agent.data + "/store/0"
        case .renamed:
            try files.moveItem(atPath: agent.data, toPath: agent.data + "-away")
            gone = agent.data
        case .replaced:
            try files.moveItem(atPath: agent.data, toPath: agent.data + "-away")
            try files.createDirectory(atPath: agent.data, withIntermediateDirectories: false)
            gone = agent.data
        }
        let outcome = try await running.outcome(within: .seconds(20))
        #expect(outcome.status == 1)
        #expect(outcome.errors.contains("error the data directory, or a part of it, was deleted, moved or replaced"))
        #expect(outcome.errors.contains("gone=\(gone)"), "\(outcome.errors)")
    }

    @Test func `after it was taken away the next start reads what was not kept once more`() async throws {
        let (agent, running, log) = try await started()
        try FileManager.default.removeItem(atPath: agent.data)
        try log.append(5)
        _ = try await running.outcome(within: .seconds(20))
        try FileManager.default.removeItem(atPath: agent.file)
        #expect(try await agent.runOnce().status == 0)
        #expect(lines(of: agent) == 10)
        #expect(try await agent.ledger().closes)
    }

    @Test func `a second agent is refused although the lock file was deleted`() async throws {
        let (agent, running, _) = try await started()
        // It ends by itself soon: so it is asked to wait.
        running.send(SIGSTOP)
        try FileManager.default.removeItem(atPath: agent.data + "/lock")
        let second = try await agent.runOnce()
        #expect(second.status == 1 && second.errors.contains("is in use by"), "\(second.errors)")
        running.send(SIGCONT)
        #expect(try await running.outcome(within: .seconds(20)).status == 1)
    }

    @Test func `a pipe as the path of an output is refused by validate and at the start`() async throws {
        let agent = try Agent()
        _ = try ChildProcess.run("mkfifo", agent.file)
        for command in ["validate '\(agent.configuration)'", "run --once --config '\(agent.configuration)'"] {
            let outcome = try await Program.shell("\"$SLUICE\" \(command)")
            #expect(outcome.status == 1)
            #expect(outcome.errors.contains("\(agent.file) is a pipe, a socket or a device, and no file"))
        }
    }
}
