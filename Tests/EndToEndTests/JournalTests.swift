// The journal by the binary: beside the containers of the sample node, and where there is none.
import Foundation
import Journal
import TestKit
import Testing

@Suite("sluice run with a journal", .enabled(if: JournalReader.isBuiltIn))
struct JournalTests {
    private let scratch: ScratchDirectory
    private var output: String { scratch.path("out.ndjson") }

    init() throws { scratch = try ScratchDirectory() }

    /// The sample node's journal as a file.
    private func sampleJournal() throws -> String {
        let folder = scratch.path("journal")
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        try Systemd.run(
            "/lib/systemd/systemd-journal-remote --output=\(folder)/system.journal \(Program.sampleNode)/journal.export 2>&1"
        )
        return folder
    }

    private func configuration(journal: String, more: String = "") throws -> String {
        try scratch.write(
            "sluice.yaml",
            """
            data_dir: "\(scratch.path("data"))"
            inputs:
              - type: kubernetes_logs
                path: "\(Program.sampleNode)/var/log/pods"
                containers_path: "\(Program.sampleNode)/var/log/containers"
              - type: journal
                path: "\(journal)"
                start_at: beginning
                \(more)
            outputs: [{ type: file, path: "\(output)", max_delay: 20ms }]
            """)
    }

    private struct Record: Decodable {
        struct Journal: Decodable {
            let unit: String?
            let pid: Int?
        }
        let message: String?
        let severity: String?
        let caller: String?
        let origin: String
        let journal: Journal?
    }

    private func records() throws -> [Record] {
        let text = String(decoding: try scratch.contents("out.ndjson"), as: UTF8.self)
        return try text.split(separator: "\n").map { try JSONDecoder().decode(Record.self, from: Data($0.utf8)) }
    }

    @Test func `container lines and kubelet lines are delivered together, klog's severity in both`() async throws {
        let journal = try sampleJournal()
        let path = try configuration(journal: journal)
        let outcome = try await Program.run("run", "--once", "--config", path)
        #expect(outcome.status == 0, "\(outcome.errors)")
        let records = try records()
        let entries = records.filter { $0.origin == "journal" }
        #expect(entries.count == 70 && records.count == 855)
        let truth = try Systemd.read("--directory=\(journal)")
        let kubelet = truth.filter { $0.values("_SYSTEMD_UNIT") == [Array("kubelet.service".utf8)] }
        #expect(entries.filter { $0.journal?.unit == "kubelet.service" }.count == kubelet.count)
        for (letter, severity) in [("E", "error"), ("W", "warning"), ("I", "info")] {
            let wanted = kubelet.filter { $0.message.hasPrefix(letter) }.count
            #expect(wanted > 0)
            #expect(
                entries.filter { $0.journal?.unit == "kubelet.service" && $0.severity == severity }.count == wanted)
        }
        // Each message is the end of the entry's own.
        for (record, entry) in zip(entries, truth) {
            #expect(entry.message.hasSuffix(record.message ?? "-"), "\(entry.message.prefix(100))")
        }
        #expect(records.contains { $0.origin == "container" && $0.severity == "warning" && $0.caller != nil })

        let again = try await Program.run("run", "--once", "--config", path)
        #expect(again.status == 0 && again.errors.contains("went on in the journal where reading stood"))
        #expect(try self.records().count == 855)
    }

    @Test func `a journal that is not there ends validate and a single run with 1, said where and why`() async throws {
        let path = try configuration(journal: scratch.path("nowhere"))
        let why = "cannot read \(scratch.path("nowhere")): it does not exist"
        let validated = try await Program.run("validate", path)
        #expect(validated.status == 1)
        #expect(validated.errors.contains("\(path):6:5: inputs[1]: \(why)"))
        #expect(try await Program.run("validate", "--settings-only", path).status == 0)
        let once = try await Program.run("run", "--once", "--config", path)
        #expect(once.status == 1 && once.errors.contains("input journal: \(why)"))
        #expect(try records().count == 785, "the other input was read")
    }

    @Test func `a running agent says that there is no journal, and ships the rest`() async throws {
        let path = try configuration(journal: scratch.path("nowhere"))
        let running = try Running(Program.path, ["run", "--config", path])
        try await eventually("the containers' lines are delivered") {
            // Three unfinished lines may still be going on.
            (try? records().count) == 782
        }
        let outcome = try await running.stop()
        #expect(outcome.status == 0)
        #expect(outcome.errors.contains("there is no journal to read"))
    }

    @Test func `a unit that does not exist is said by validate with what was meant`() async throws {
        let path = try configuration(journal: try sampleJournal(), more: "units: kublet")
        let outcome = try await Program.run("validate", path)
        #expect(outcome.status == 1)
        #expect(outcome.errors.contains("unit kublet.service: did you mean kubelet.service?"))
    }
}
