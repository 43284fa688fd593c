// `sluice run --once`: everything that is there, stored and delivered, and then the end.
import Foundation
import TestKit
import Testing

@Suite("sluice run --once")
struct OnceTests {
    @Test func `every line of a real node's files is delivered once, in order, with its time`() async throws {
        let agent = try Agent.overSampleNode()
        let outcome = try await agent.runOnce()
        #expect(outcome.status == 0, "\(outcome.errors)")
        let expected = try await Truth.expected(below: Program.sampleNode + "/var/log/pods")
        #expect(expected.count > 20 && expected.values.reduce(0) { $0 + $1.count } > 700)
        let faults = Truth.faults(try Truth.came(agent.delivered), against: expected)
        #expect(faults == [])
        #expect(outcome.errors.contains("read 785 records"))
        #expect(outcome.errors.contains("file: 785 delivered"))
    }

    @Test func `zcat of the store is what the file output has`() async throws {
        let agent = try Agent.overSampleNode(input: "json: merge")
        #expect(try await agent.runOnce().status == 0)
        #expect(!agent.delivered.isEmpty)
        #expect(try await agent.zcat() == agent.delivered)
    }

    @Test func `a second run has nothing more to deliver`() async throws {
        let agent = try Agent.overSampleNode()
        #expect(try await agent.runOnce().status == 0)
        let before = agent.delivered
        let outcome = try await agent.runOnce()
        #expect(outcome.status == 0)
        #expect(agent.delivered == before)
        #expect(try await agent.zcat() == before)
    }

    @Test func `lines that come between two runs are all that the second one delivers`() async throws {
        let agent = try Agent()
        let log = try PodLog("web-1", in: agent.scratch)
        try log.append(100)
        #expect(try await agent.runOnce().status == 0)
        try log.append(10)
        try log.rotate()
        try log.append(5)
        #expect(try await agent.runOnce().status == 0)
        let faults = Truth.faults(try Truth.came(agent.delivered), against: [log.stream: log.written])
        #expect(faults == [])
    }

    @Test func `members of JSON lines become members of the record`() async throws {
        let agent = try Agent.overSampleNode(input: "json: merge")
        #expect(try await agent.runOnce().status == 0)
        let lines = agent.delivered.split(separator: "\n")
        #expect(lines.count == 785)
        for line in lines {
            #expect((try? JSONSerialization.jsonObject(with: Data(line.utf8))) is [String: Any], "\(line.prefix(200))")
        }
        #expect(lines.contains { $0.contains("\"container_name\":\"sidecar\"") && !$0.contains("\"message\":\"{") })
    }

    @Test func `an output that cannot be reached keeps its records, says so with exit code 1, and gets them later`()
        async throws
    {
        let agent = try Agent.overSampleNode(
            outputs: """
                  - type: file
                    name: blocked
                    path: "${TARGET}/out.ndjson"
                    retry: { initial: 50ms, max: 100ms }
                """, more: "agent: { shutdown_grace: 1s }")
        let folder = agent.scratch.path("folder")
        try agent.scratch.write("folder", "a regular file stands where the output wants its folder")
        let outcome = try await agent.runOnce(environment: ["TARGET": folder])
        #expect(outcome.status == 1)
        #expect(outcome.errors.contains("blocked: 0 delivered, 785 waiting; last failure: cannot "))
        #expect(outcome.errors.contains("records are left for the next start output=blocked waiting=785"))
        #expect(try await agent.ledger().outputs.first?.waiting_records == 785)

        try FileManager.default.removeItem(atPath: folder)
        let second = try await agent.runOnce(environment: ["TARGET": folder])
        #expect(second.status == 0, "\(second.errors)")
        let delivered = String(decoding: try agent.scratch.contents("folder/out.ndjson"), as: UTF8.self)
        #expect(try await agent.zcat() == delivered)
        #expect(delivered.split(separator: "\n").count == 785)
    }

    @Test func `several outputs that cannot be reached end it within one grace`() async throws {
        let agent = try Agent.overSampleNode(
            outputs: """
                  - { type: file, name: one, path: /dev/null/1, retry: { initial: 10ms, max: 20ms } }
                  - { type: file, name: two, path: /dev/null/2, retry: { initial: 10ms, max: 20ms } }
                  - { type: file, name: three, path: /dev/null/3, retry: { initial: 10ms, max: 20ms } }
                """, more: "agent: { shutdown_grace: 500ms }")
        let running = try Running(Program.path, ["run", "--once", "--config", agent.configuration])
        let outcome = try await running.outcome(within: .seconds(30))
        #expect(outcome.status == 1)
        for name in ["one", "two", "three"] {
            #expect(outcome.errors.contains("records are left for the next start output=\(name) waiting=785"))
        }
    }

    @Test func `a closed standard output ends the run within its grace, and the records wait`() async throws {
        let agent = try Agent.overSampleNode(outputs: "  - type: stdout", more: "agent: { shutdown_grace: 1s }")
        let outcome = try await Program.shell(
            "\"$SLUICE\" run --once --config '\(agent.configuration)' | head -c 1000 > /dev/null; exit ${PIPESTATUS[0]}"
        )
        #expect(outcome.status == 1)
        #expect(outcome.errors.contains("Broken pipe"))
        let output = try #require(try await agent.ledger().outputs.first)
        #expect(output.waiting_records > 0)
        #expect(output.delivered_records + output.waiting_records == 785)

        let second = try await agent.runOnce()
        #expect(second.status == 0)
        #expect(second.lines.count == output.waiting_records)
        #expect(try await agent.ledger().outputs.first?.waiting_records == 0)
    }

    @Test func `the longest message that can be set is stored, within three times its bytes as JSON`() async throws {
        let scratch = try ScratchDirectory()
        let size = 16 << 20
        let text = String(repeating: "a line as logs have them\n", count: 60)
        let log = try scratch.write("a.log", text + String(repeating: "\u{1}", count: size) + "\nnext\n")
        let path = try scratch.write(
            "sluice.yaml",
            """
            data_dir: "\(scratch.path("data"))"
            inputs: [{ type: file, include: "\(log)", max_line: 16MiB }]
            outputs: [{ type: file, path: "\(scratch.path("out.ndjson"))" }]
            """)
        let outcome = try await Program.run("run", "--once", "--config", path)
        #expect(outcome.status == 0, "\(outcome.errors)")
        let lines = try scratch.contents("out.ndjson").split(separator: UInt8(ascii: "\n"))
        #expect(lines.count == 62)
        let longest = lines.map(\.count).max() ?? 0
        #expect(longest > 2 * size && longest < 3 * size + (64 << 10))
    }

    @Test func `standard output and a file get the same from one store`() async throws {
        let agent = try Agent.overSampleNode(
            outputs: """
                  - type: stdout
                  - type: file
                    path: "${OUT}"
                """)
        let file = agent.scratch.path("both.ndjson")
        let outcome = try await agent.runOnce(environment: ["OUT": file])
        #expect(outcome.status == 0)
        #expect(outcome.lines.count == 785)
        #expect(outcome.output == String(decoding: try agent.scratch.contents("both.ndjson"), as: UTF8.self))
    }

    @Test func `the short format shows why odoo does not start`() async throws {
        let agent = try Agent.overSampleNode(outputs: "  - { type: stdout, format: short }")
        let outcome = try await agent.runOnce()
        #expect(outcome.status == 0)
        let cause = "could not translate host name"
        let expected = try await Truth.expected(below: Program.sampleNode + "/var/log/pods")
        let wanted = expected.values.joined().count { $0.message.contains(cause) }
        let lines = outcome.lines.filter { $0.contains(cause) }
        #expect(wanted > 0 && lines.count == wanted)
        for line in lines {
            #expect(
                line.contains(" shop/odoo-7b569fd464-j7trx odoo[2]: ")
                    || line.contains(" shop/odoo-7b569fd464-j7trx odoo[3]: "))
            #expect(line.contains(try Regex("^[A-Z][a-z]{2} [ 0-9]{2} [0-9]{2}:[0-9]{2}:[0-9]{2} ")))
        }
    }

    @Test func `an empty node is no failure`() async throws {
        let agent = try Agent()
        try FileManager.default.createDirectory(
            atPath: agent.scratch.path("pods"), withIntermediateDirectories: false)
        let outcome = try await agent.runOnce()
        #expect(outcome.status == 0, "\(outcome.errors)")
        #expect(try await agent.ledger().closes)
    }
}
