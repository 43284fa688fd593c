// `sluice run`: a node's life while the agent watches, signals, and a second agent.
import Foundation
import Glibc
import TestKit
import Testing

@Suite("sluice run")
struct LiveTests {
    private func lines(of agent: Agent) -> Int { agent.delivered.utf8.count { $0 == UInt8(ascii: "\n") } }

    @Test func `appended lines, rotated files and new pods are delivered, and SIGTERM ends it with everything stored`()
        async throws
    {
        let agent = try Agent()
        let first = try PodLog("first", in: agent.scratch)
        try first.append(10)
        let running = try agent.start()
        try await running.eventually("what stood there at the start") { lines(of: agent) == 10 }
        try first.append(5)
        try await running.eventually("appended lines") { lines(of: agent) == 15 }
        try first.rotate()
        try first.append(20)
        try await running.eventually("lines behind a rotation") { lines(of: agent) == 35 }
        let second = try PodLog("second", in: agent.scratch)
        try second.append(7)
        try await running.eventually("a new pod") { lines(of: agent) == 42 }
        let third = try PodLog("second", in: agent.scratch, container: "late", restart: 1)
        try third.append(3)
        try await running.eventually("a new container") { lines(of: agent) == 45 }

        // What is written right before the signal is read before the end.
        try first.append(1000)
        try second.append(1000)
        let outcome = try await running.stop()
        #expect(outcome.status == 0, "\(outcome.errors)")
        let expected = [first.stream: first.written, second.stream: second.written, third.stream: third.written]
        let afterwards = try await agent.runOnce()
        #expect(afterwards.status == 0)
        let faults = Truth.faults(try Truth.came(agent.delivered), against: expected)
        #expect(faults == [])
        #expect(try await agent.zcat() == agent.delivered)
        let ledger = try await agent.ledger()
        #expect(ledger.closes)
        #expect(ledger.outputs.first?.delivered_records == 2045)
    }

    @Test func `a stop says how much is left waiting for an output that does not work, and is no failure`() async throws
    {
        let agent = try Agent(
            outputs: """
                  - type: file
                    path: "${OUT}"
                  - type: file
                    name: broken
                    path: /dev/null/out.ndjson
                    retry: { initial: 50ms, max: 100ms }
                """, more: "agent: { shutdown_grace: 1s }")
        let log = try PodLog("web", in: agent.scratch)
        try log.append(25)
        let running = try agent.start(environment: ["OUT": agent.file])
        try await running.eventually("delivery to the output that works") { lines(of: agent) == 25 }
        let outcome = try await running.stop()
        #expect(outcome.status == 0)
        #expect(outcome.errors.contains("an output failed; the same records are sent again output=broken"))
        #expect(outcome.errors.contains("records are left for the next start output=broken waiting=25"))
        #expect(!outcome.errors.contains("output=file waiting"))
        let ledger = try await agent.ledger()
        #expect(ledger.closes)
        #expect(ledger.outputs.map(\.waiting_records) == [25, 0])
    }

    @Test(arguments: [true, false]) func `outputs that do not come back cannot hold up the end`(once: Bool) async throws
    {
        let agent = try Agent.overSampleNode(
            outputs: """
                  - type: stdout
                  - { type: file, name: broken, path: /dev/null/out.ndjson, retry: { initial: 10ms, max: 20ms } }
                """, more: "agent: { shutdown_grace: 1s }")
        // Three lines of the sample have no end yet; a running agent waits for it.
        let records = once ? 785 : 782
        let fifo = agent.scratch.path("fifo")
        // A pipe that is open and that nobody reads: writing blocks when it is full.
        let running = try Running(
            "/bin/bash",
            [
                "-c",
                "mkfifo '\(fifo)'; exec 3<>'\(fifo)'; "
                    + "exec '\(Program.path)' run \(once ? "--once" : "") --config '\(agent.configuration)' >&3",
            ])
        if !once {
            try await running.eventually("a failed delivery") { running.errors.contains("an output failed") }
            var looks = 0
            while looks < 300, try await agent.ledger().inputs.first?.stored_records != records { looks += 1 }
            running.send(SIGTERM)
        }
        let outcome = try await running.outcome(within: .seconds(30))
        #expect(outcome.status == (once ? 1 : 0))
        #expect(outcome.errors.contains("records are left for the next start output=stdout waiting=\(records)"))
        #expect(outcome.errors.contains("records are left for the next start output=broken waiting=\(records)"))
        // Nothing was lost by leaving in the middle of a call.
        #expect(try await agent.ledger().outputs.map(\.waiting_records) == [records, records])
        #expect(try await Program.run("chunks", "verify", "--data-dir", agent.data).status == 0)
    }

    @Test func `SIGINT ends it as SIGTERM does`() async throws {
        let agent = try Agent()
        let log = try PodLog("web", in: agent.scratch)
        try log.append(5)
        let running = try agent.start()
        try await running.eventually("delivery") { lines(of: agent) == 5 }
        running.send(SIGINT)
        #expect(try await running.outcome().status == 0)
    }

    @Test func `a signal ends a run with --once that waits for an output, and it says what is left`() async throws {
        let agent = try Agent(
            outputs: "  - { type: file, path: /dev/null/out.ndjson, retry: { initial: 10ms, max: 20ms } }",
            more: "agent: { shutdown_grace: 1s }")
        let log = try PodLog("web", in: agent.scratch)
        try log.append(5)
        let running = try Running(Program.path, ["run", "--once", "--config", agent.configuration])
        try await running.eventually("a failed delivery") { running.errors.contains("an output failed") }
        let outcome = try await running.stop()
        #expect(outcome.status == 1)
        #expect(outcome.errors.contains("records are left for the next start output=file waiting=5"))
        #expect(!outcome.errors.contains("ServiceGroupError"))
    }

    @Test func `SIGUSR1 prints the ledger and nothing stops`() async throws {
        let agent = try Agent()
        let log = try PodLog("web", in: agent.scratch)
        try log.append(5)
        let running = try agent.start()
        try await running.eventually("delivery") { lines(of: agent) == 5 }
        running.send(SIGUSR1)
        try await running.eventually("the ledger") {
            running.errors.contains("input kubernetes_logs\n") && running.errors.contains("output file\n")
        }
        try log.append(5)
        try await running.eventually("delivery after the ledger") { lines(of: agent) == 10 }
        running.send(SIGUSR1)
        try await running.eventually("the ledger again") {
            running.errors.components(separatedBy: "output file\n").count == 3
        }
        #expect(!running.errors.contains("DOES NOT CLOSE"))
        #expect(try await running.stop().status == 0)
    }

    @Test func `a second agent on a data directory is refused and told who has it`() async throws {
        let agent = try Agent()
        let log = try PodLog("web", in: agent.scratch)
        try log.append(5)
        let running = try agent.start()
        try await running.eventually("delivery") { lines(of: agent) == 5 }
        let second = try await agent.runOnce()
        #expect(second.status == 1)
        #expect(second.errors.contains("process \(running.pid)"))
        #expect(second.errors.contains(agent.data))
        #expect(lines(of: agent) == 5)
        // The store can be looked at meanwhile.
        #expect(try await Program.run("chunks", "verify", "--data-dir", agent.data).status == 0)
        #expect(try await Program.run("ledger", "--data-dir", agent.data).status == 0)
        #expect(try await running.stop().status == 0)
        #expect(try await agent.runOnce().status == 0)
    }

    @Test func `whoever looks at a store in use never finds it wrong`() async throws {
        let agent = try Agent(more: "store: { linger: 1ms }")
        let log = try PodLog("busy", in: agent.scratch)
        let running = try agent.start()
        try await running.eventually("the start") { running.errors.contains("store opened") && !agent.segments.isEmpty }
        for _ in 1...12 {
            for _ in 1...20 { try log.append(25) }
            let ledger = try await Program.run("ledger", "--data-dir", agent.data)
            #expect(ledger.status == 0, "\(ledger.output) \(ledger.errors)")
            for _ in 1...20 { try log.append(25) }
            let verdict = try await Program.run("chunks", "verify", "--data-dir", agent.data)
            #expect(verdict.status == 0, "\(verdict.output) \(verdict.errors)")
        }
        try await running.eventually("delivery of everything") { lines(of: agent) == log.written.count }
        #expect(try await running.stop().status == 0)
        #expect(try await agent.ledger().outputs.first?.delivered_records == log.written.count)
    }

    @Test func `the log in JSON is JSON, line by line, and tells the summary`() async throws {
        let agent = try Agent(more: "agent: { log_format: json, log_level: trace, summary_interval: 1s }")
        let log = try PodLog("web", in: agent.scratch)
        try log.append(5)
        let running = try agent.start()
        try await running.eventually("a summary") { running.errors.contains("\"message\":\"summary\"") }
        let outcome = try await running.stop()
        let lines = outcome.errors.split(separator: "\n")
        #expect(lines.count > 2)
        for line in lines {
            let object = try? JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any]
            #expect(
                object?["time"] is String && object?["severity"] is String && object?["message"] is String, "\(line)")
        }
        #expect(
            lines.contains {
                $0.contains("\"lines\":") && $0.contains("\"waiting\":") && $0.contains("\"unread_bytes\":")
            })
    }

    @Test func `what is no terminal gets no escape codes, and a terminal none with NO_COLOR`() async throws {
        let agent = try Agent.overSampleNode(
            outputs: "  - { type: stdout, format: short }", more: "agent: { log_level: trace }")
        let plain = try await agent.runOnce()
        #expect(plain.status == 0 && plain.lines.count == 785)
        #expect(!plain.output.contains("\u{1b}") && !plain.errors.contains("\u{1b}"))

        guard FileManager.default.isExecutableFile(atPath: "/usr/bin/script") else { return }
        let command =
            "script -qec \"'$SLUICE' run --once --config '\(agent.configuration)' --data-dir '$DATA'\" /dev/null"
        let colored = try await Program.shell(command, environment: ["DATA": agent.scratch.path("colored")])
        #expect(colored.output.contains("\u{1b}["))
        let bare = try await Program.shell(command, environment: ["DATA": agent.scratch.path("bare"), "NO_COLOR": "1"])
        #expect(bare.output.contains("could not translate host name"))
        #expect(!bare.output.contains("\u{1b}"))
    }
}
