// `sluice tail` and `sluice pods` by the binary: over a node's files, a store, and beside a running agent.
import Foundation
import Journal
import TestKit
import Testing

@Suite("sluice tail")
struct TailTests {
    private let scratch: ScratchDirectory
    /// A copied node: the sample's pods, and its journal where there can be one.
    private let root: String

    init() throws {
        scratch = try ScratchDirectory()
        root = scratch.path("node")
        try FileManager.default.createDirectory(atPath: root + "/var/log/journal", withIntermediateDirectories: true)
        try FileManager.default.copyItem(atPath: Program.sampleNode + "/var/log/pods", toPath: root + "/var/log/pods")
        if JournalReader.isBuiltIn {
            try Systemd.run(
                "/lib/systemd/systemd-journal-remote --output=\(root)/var/log/journal/system.journal"
                    + " \(Program.sampleNode)/journal.export 2>&1")
        }
    }

    private func tail(_ arguments: String...) async throws -> Outcome {
        let line = arguments.map { "'\($0)'" }.joined(separator: " ")
        return try await Program.shell(
            "TZ=UTC \"$SLUICE\" tail --root '\(root)' \(line)", environment: ["TMPDIR": scratch.path("")])
    }

    @Test func `everything in one stream, ordered by time, once`() async throws {
        let outcome = try await tail("-o", "json")
        #expect(outcome.status == 0, "\(outcome.errors)")
        #expect(outcome.lines.count == 785 + (JournalReader.isBuiltIn ? 70 : 0))
        let times = outcome.lines.map { $0.dropFirst(9).prefix(30) }
        #expect(times.allSatisfy { $0.hasPrefix("2026-11-2") } && times == times.sorted())
        let reversed = try await tail("-o", "json", "-r")
        #expect(Array(reversed.lines.reversed()) == outcome.lines)
        let last = try await tail("-o", "json", "-n", "7")
        #expect(last.lines == outcome.lines.suffix(7))
        #expect(
            try FileManager.default.contentsOfDirectory(atPath: scratch.path("")).allSatisfy {
                !$0.hasPrefix("sluice-tail")
            }, "its own folder is gone")
    }

    @Test func `pods, times and patterns choose`() async throws {
        let odoo = try await tail("odoo", "-g", "could not translate", "-o", "cat")
        #expect(!odoo.lines.isEmpty && odoo.lines.allSatisfy { $0.contains("could not translate host name") })
        let smart = try await tail("odoo", "-g", "COULD NOT", "-o", "cat")
        #expect(smart.output.isEmpty, "a capital makes case count")
        let window = try await tail("-S", "2026-11-23 03:59:19", "-U", "2026-11-23 03:59:20", "-o", "json")
        #expect(!window.lines.isEmpty && window.lines.allSatisfy { $0.hasPrefix(#"{"time":"2026-11-23T03:59:19."#) })
        #expect(try await tail("-S", "-1h", "-g", "-x").status == 0, "values may begin with a dash")
        let all = try await tail("shop/odoo", "-o", "json").lines.count
        #expect(try await tail("deploy/odoo", "-o", "json").lines.count == all && all > 50)
        #expect(try await tail("-N", "noise", "-c", "^odd$", "-o", "json").lines.count == 31)
    }

    @Test(.enabled(if: JournalReader.isBuiltIn))
    func `a pod without a log shows the kubelet's lines, and units stand beside pods`() async throws {
        let badimage = try await tail("badimage")
        #expect(badimage.lines.count > 3)
        #expect(badimage.lines.allSatisfy { $0.contains(" kubelet[26198]: ") && $0.contains("badimage") })
        let both = try await tail("static-web", "-u", "kubelet")
        #expect(
            both.lines.contains { $0.contains(" kubelet[") }
                && both.lines.contains { $0.contains("static-web-lab-node web: ") })
        let truth = try Systemd.run("TZ=UTC journalctl -q -D \(root)/var/log/journal -u kubelet.service -o short")
        let shown = try await tail("-u", "kubelet", "--utc")
        #expect(shown.output == String(decoding: truth, as: UTF8.self))
    }

    @Test(.enabled(if: JournalReader.isBuiltIn))
    func `another boot is said between the entries, to people only`() async throws {
        let other = scratch.path("other")
        try FileManager.default.createDirectory(atPath: other + "/var/log/pods", withIntermediateDirectories: true)
        let later = JournalID(high: 0xabcd, low: 0x5678)
        try Systemd.write(
            [
                MadeEntry(1), MadeEntry(2),
                MadeEntry(
                    realtime: MadeEntry.start + 9_000_000, monotonic: 5, boot: later,
                    fields: [MadeField("MESSAGE", "up again")]),
            ], to: other + "/var/log/journal/system.journal")
        let shown = try await Program.run("tail", "--root", other)
        #expect(shown.lines.count == 4 && shown.lines[2] == "-- Boot \(later) --", "\(shown.output)\(shown.errors)")
        #expect(try await Program.run("tail", "--root", other, "-o", "json").lines.count == 3)
        #expect(try await Program.run("tail", "--root", other, "-q").lines.count == 3)
        #expect(try await Program.run("tail", "--root", other, "-b", "-1", "-o", "cat").output == "entry 1\nentry 2\n")
    }

    @Test func `beside an agent its store is read, and followed with what comes`() async throws {
        let agent = try Agent()
        let log = try PodLog("web-1", in: agent.scratch)
        try log.append(20)
        let running = try agent.start()
        try await eventually("the agent has read it") { agent.delivered.split(separator: "\n").count == 20 }
        let tail = try Running(
            Program.path, ["tail", "-f", "-n", "5", "-o", "json", "--data-dir", agent.data, "--root", scratch.path("")])
        try await eventually("the last five are there") { tail.output.split(separator: "\n").count == 5 }
        try log.append(100)
        let other = try PodLog("web-2", in: agent.scratch)
        try other.append(50)
        try await eventually("what comes is there") { tail.output.split(separator: "\n").count == 155 }
        let outcome = try await tail.stop()
        #expect(outcome.status == 0 && Set(outcome.lines).count == 155)
        _ = try await running.stop()
    }

    @Test func `what the store has is not read from the files again`() async throws {
        let agent = try Agent(pods: root + "/var/log/pods", links: root + "/var/log/containers")
        #expect(try await agent.runOnce().status == 0)
        let log = try FileHandle(forWritingTo: URL(filePath: Self.oneLog(below: root)))
        try log.seekToEnd()
        try log.write(contentsOf: Data("2026-11-24T00:00:00.5Z stdout F one more\n".utf8))
        let outcome = try await Program.shell(
            "\"$SLUICE\" tail -N shop,noise,kube-system -N '*' --data-dir '\(agent.data)' --root '\(root)' -o json -U '2026-11-25'"
        )
        #expect(outcome.status == 0, "\(outcome.errors)")
        let lines = outcome.lines.filter { $0.contains(#""origin":"container""#) }
        #expect(lines.count == 786 && Set(lines).count == 786)
        #expect(lines.last?.contains("one more") == true)
    }

    private static func oneLog(below root: String) throws -> String {
        let pods = root + "/var/log/pods"
        let pod = try #require(
            FileManager.default.contentsOfDirectory(atPath: pods).first { $0.hasPrefix("shop_postgres") })
        return "\(pods)/\(pod)/postgres/0.log"
    }

    @Test(arguments: [
        (["-n", "shop"], "-n takes a number or 'all', not 'shop': did you mean -N shop (a namespace)?"),
        (["-S", "someday"], "--since: 'someday' is no time"), (["-p", "loud"], "--priority: "),
        (["-o", "pretty"], "'pretty' is not an output format; use one of short, "),
        (["-f", "-r"], "do not go together"),
        (["web-("], "web-("),
    ])
    func `a wrong question is a wrong command line`(arguments: [String], told: String) async throws {
        let outcome = try await Program.shell(
            "\"$SLUICE\" tail --root '\(root)' " + arguments.map { "'\($0)'" }.joined(separator: " "))
        #expect(outcome.status == 2 && outcome.errors.contains(told), "\(outcome.errors)")
    }

    @Test func `where there is nothing it says so`() async throws {
        let outcome = try await Program.run("tail", "--root", scratch.path("nothing"))
        #expect(outcome.status == 1)
        #expect(outcome.errors.contains("there is no store in ") && outcome.errors.contains("is this a node?"))
    }

    @Test func `a pipe that is closed ends it quietly`() async throws {
        let outcome = try await Program.shell(
            "\"$SLUICE\" tail --root '\(root)' | head -n 1; echo ${PIPESTATUS[0]}")
        #expect(outcome.lines.count == 2 && outcome.lines.last == "0" && outcome.errors.isEmpty)
    }

    @Test func `pods come with their numbers`() async throws {
        let outcome = try await Program.run("pods", "--root", root, "-o", "json")
        struct Row: Decodable {
            let pod: String
            let container: String
            let lines: Int
            let gone: Bool
            let restarts: Int
        }
        let rows = try JSONDecoder().decode([Row].self, from: Data(outcome.output.utf8))
        #expect(rows.reduce(0) { $0 + $1.lines } == 785)
        #expect(rows.contains { $0.container == "odoo" && $0.restarts == 3 && !$0.gone })
        let text = try await Program.run("pods", "--root", root, "shop/web")
        #expect(text.lines.first?.hasPrefix("NAMESPACE") == true && text.lines.count == 5)
    }
}
