// What `validate` finds on this machine, and that `run --once` is not content with nothing to read while `run` waits for it.
import Foundation
import TestKit
import Testing

@Suite("what a configuration asks for is not there")
struct ValidateTests {
    private let scratch: ScratchDirectory

    init() throws {
        scratch = try ScratchDirectory()
        try scratch.write("logs/app.log", "one\n")
        try scratch.write("log/pods/shop_web_uid/app/0.log", "2026-01-02T03:04:05.000000006Z stdout F one\n")
        try scratch.write("file", "no folder, and no certificate")
    }

    private func configuration(
        input: String = "{ type: file, include: [\"DIR/logs/*.log\"] }", output: String = "{ type: \"null\" }",
        more: String = "", data: String = "DIR/data"
    ) throws -> String {
        try scratch.write(
            "sluice.yaml",
            "data_dir: \(data)\ninputs: [\(input)]\noutputs: [\(output)]\n\(more)\n".replacing(
                "DIR", with: scratch.path))
    }

    @Test func `all is there`() async throws {
        let outcome = try await Program.run("validate", configuration())
        #expect(outcome.status == 0 && outcome.errors.isEmpty, "\(outcome.errors)")
        #expect(!FileManager.default.fileExists(atPath: scratch.path("data")), "nothing is made")
    }

    @Test(arguments: [
        (
            "input", "{ type: kubernetes_logs, path: DIR/log/podz }",
            "there is no folder DIR/log/podz, did you mean DIR/log/pods?"
        ),
        (
            "input", "{ type: kubernetes_logs, path: DIR/log }",
            "did you mean DIR/log/pods?; in DIR/log there is pods alone"
        ),
        ("input", "{ type: kubernetes_logs, path: no/pods }", "'no/pods' is relative"),
        (
            "input", "{ type: file, include: [\"DIR/logs/*.txt\"] }",
            "no file matches 'DIR/logs/*.txt': in DIR/logs there is app.log alone"
        ),
        (
            "output", "{ type: http, url: \"https://h\", tls: { ca_file: DIR/none } }",
            "tls.ca_file: cannot open DIR/none: No such file"
        ),
        (
            "output", "{ type: http, url: \"https://h\", tls: { ca_file: DIR/file } }",
            "holds nothing of this kind in PEM format"
        ),
        (
            "output", "{ type: http, url: \"https://h\", tls: { cert_file: DIR/none, key_file: DIR/none } }",
            "tls.cert_file: cannot open DIR/none"
        ),
        (
            "output", "{ type: http, url: \"https://h\", auth: { bearer_file: DIR/none } }",
            "the token cannot be read: cannot open DIR/none"
        ),
        ("output", "{ type: file, path: DIR/file/out }", "DIR/file is no folder"),
        ("output", "{ type: file, path: DIR/logs }", "DIR/logs is a folder"),
        ("data", "DIR/file/data", "data_dir: the folder DIR/file/data cannot be made: DIR/file is no folder"),
        ("data", "DIR/file", "data_dir: DIR/file is no folder"), ("data", "some/data", "'some/data' is relative"),
    ]) func `validate tells what is missing and ends with 1, and with settings alone it does not look`(
        _ part: String, _ text: String, _ told: String
    ) async throws {
        let path =
            switch part {
            case "input": try configuration(input: text)
            case "output": try configuration(output: text)
            default: try configuration(data: text)
            }
        let outcome = try await Program.run("validate", path)
        let wanted = told.replacing("DIR", with: scratch.path)
        #expect(outcome.status == 1 && outcome.errors.contains(wanted), "\(outcome.errors)")
        #expect(outcome.output.contains("right, but not all that it asks for is here or can be done"))
        #expect(try await Program.run("validate", "--settings-only", path).status == 0)
    }

    @Test(arguments: [
        ("{ type: kubernetes_logs, path: DIR/log }", "there is no pod's folder"),
        ("{ type: kubernetes_logs, path: DIR/none }", "there is no folder"),
        ("{ type: file, include: [\"DIR/logs/*.txt\"] }", "no file matches"),
    ]) func `run with once fails where there is nothing to read`(_ input: String, _ told: String) async throws {
        let outcome = try await Program.run("run", "--once", "--config", configuration(input: input))
        #expect(outcome.status == 1 && outcome.errors.contains(told), "\(outcome.errors)")
        #expect(outcome.errors.contains("not everything was read"))
    }

    @Test(arguments: [
        ("{ type: file, include: [\"DIR/fresh/*.log\"] }", "fresh/a.log", "hello\n"),
        (
            "{ type: kubernetes_logs, path: DIR/fresh/pods, containers_path: DIR/fresh/containers }",
            "fresh/pods/shop_web_uid/app/0.log", "2026-01-02T03:04:05.000000006Z stdout F hello\n"
        ),
    ]) func `run goes on, and reads what appears`(_ input: String, _ log: String, _ line: String) async throws {
        let output = "{ type: file, path: \"DIR/out.ndjson\", max_delay: 20ms }"
        let path = try configuration(input: input, output: output)
        let running = try Running(Program.path, ["run", "--config", path])
        try await running.eventually("the warning") { running.errors.contains("finds nothing to read") }
        try scratch.write(log, line)
        try await running.eventually("the record") {
            (try? scratch.contents("out.ndjson")).map { String(decoding: $0, as: UTF8.self).contains("hello") } == true
        }
        #expect(try await running.stop().status == 0)
    }

    @Test(arguments: ["logs", "link"]) func `what the agent writes is told by validate, and passed over by run`(
        folder: String
    ) async throws {
        try FileManager.default.createSymbolicLink(
            atPath: scratch.path("link"), withDestinationPath: scratch.path("logs"))
        let path = try configuration(
            output: "{ type: file, path: \"DIR/\(folder)/sluice.log\", max_delay: 20ms }")
        // Through a link it is the same folder by another name, which only shows at run time.
        let validated = try await Program.run("validate", "--settings-only", path)
        #expect(validated.status == (folder == "logs" ? 1 : 0))
        #expect(validated.errors.contains("inputs[0]: would read what the output 'file' writes") == (folder == "logs"))
        let running = try Running(Program.path, ["run", "--config", path])
        let written = { String(decoding: (try? scratch.contents("logs/sluice.log")) ?? [], as: UTF8.self) }
        try await running.eventually("the first record") { written().contains("one") }
        try scratch.write("logs/app.log", "one\ntwo\nthree\n")
        try await running.eventually("the last record") { written().contains("three") }
        #expect(try await running.stop().status == 0)
        #expect(written().split(separator: "\n").count == 3)
        #expect(running.errors.contains("a file is not read, since this agent writes it"))
    }

    @Test func `standard output that leads into a file of an input is passed over`() async throws {
        let path = try configuration(output: "{ type: stdout, max_delay: 20ms }", more: "agent: { shutdown_grace: 5s }")
        let outcome = try await Program.shell(
            "\"$SLUICE\" run --config '\(path)' >> '\(scratch.path("logs/own.log"))' & pid=$!; "
                + "for i in $(seq 200); do grep -q one '\(scratch.path("logs/own.log"))' && break; sleep 0.05; done; "
                + "echo two >> '\(scratch.path("logs/app.log"))'; "
                + "for i in $(seq 200); do grep -q two '\(scratch.path("logs/own.log"))' && break; sleep 0.05; done; "
                + "kill $pid; wait $pid")
        #expect(outcome.status == 0)
        let lines = String(decoding: try scratch.contents("logs/own.log"), as: UTF8.self).split(separator: "\n")
        #expect(lines.count == 2, "\(lines)")
    }
}
