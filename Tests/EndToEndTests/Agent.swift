// The program under test as an operator has it: the binary, a configuration, a data directory, signals.
import Foundation
import Glibc
import TestKit

/// The binary that was built together with this test.
enum Program {
    /// It lies beside the test bundle, in the build folder.
    static let path: String = {
        let own =
            (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")) ?? CommandLine.arguments[0]
        return URL(filePath: own).deletingLastPathComponent().appending(path: "sluice").path(percentEncoded: false)
    }()

    /// The small piece of a real node that the demo ships.
    static let sampleNode: String = URL(filePath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        .appending(path: "samples/node").path(percentEncoded: false)

    /// Runs the program to its end.
    static func run(_ arguments: String..., environment: [String: String] = [:]) async throws -> Outcome {
        try await Running(path, arguments, environment: environment).outcome()
    }

    /// Runs a line of shell in which `$SLUICE` is the program.
    static func shell(_ line: String, environment: [String: String] = [:]) async throws -> Outcome {
        var environment = environment
        environment["SLUICE"] = path
        return try await Running("/bin/bash", ["-c", line], environment: environment).outcome()
    }
}

/// How a program ended, and what it said.
struct Outcome {
    /// The exit code, or the negative number of the signal that ended it.
    let status: Int
    let output: String
    let errors: String

    var lines: [Substring] {
        output.split(separator: "\n", omittingEmptySubsequences: false).dropLast(output.hasSuffix("\n") ? 1 : 0)
    }
}

/// A deadline has passed, or a program did what it must not do.
struct Trouble: Error, CustomStringConvertible {
    let description: String
    init(_ description: String) { self.description = description }
}

/// Waits until something is so, looking again and again.
func eventually(
    _ what: String, within limit: Duration = .seconds(60), _ condition: () throws -> Bool,
    else details: () -> String = { "" }
) async throws {
    let clock = ContinuousClock()
    let deadline = clock.now.advanced(by: limit)
    while try !condition() {
        guard clock.now < deadline else { throw Trouble("\(what): not within \(limit). \(details())") }
        try await Task.sleep(for: .milliseconds(5))
    }
}

/// A program that runs beside the test; its output goes to files, so that it can never block on us.
final class Running {
    private let process = Process()
    private let scratch: ScratchDirectory

    init(_ path: String, _ arguments: [String], environment: [String: String] = [:]) throws {
        scratch = try ScratchDirectory()
        process.executableURL = URL(filePath: path)
        process.arguments = arguments
        // What a developer's or a CI's environment says must not change what is tested.
        var all = ProcessInfo.processInfo.environment.filter {
            !["NO_COLOR", "NODE_NAME", "POD_NAME"].contains($0.key)
        }
        all.merge(environment) { $1 }
        process.environment = all
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = try FileHandle(forWritingTo: URL(filePath: scratch.write("stdout", "")))
        process.standardError = try FileHandle(forWritingTo: URL(filePath: scratch.write("stderr", "")))
        try process.run()
    }

    /// A test that fails in the middle leaves nothing running.
    deinit { if process.isRunning { send(SIGKILL) } }

    var pid: Int { Int(process.processIdentifier) }
    var isRunning: Bool { process.isRunning }
    var output: String { String(decoding: (try? scratch.contents("stdout")) ?? [], as: UTF8.self) }
    var errors: String { String(decoding: (try? scratch.contents("stderr")) ?? [], as: UTF8.self) }

    func send(_ signal: Int32) { _ = kill(process.processIdentifier, signal) }

    /// Waits until something is so; when it is not in time, the failure tells what the program said.
    func eventually(_ what: String, _ condition: () throws -> Bool) async throws {
        try await EndToEndTests.eventually(what, condition, else: { "It said:\n\(errors.suffix(4000))" })
    }

    /// Waits for its end.
    func outcome(within limit: Duration = .seconds(120)) async throws -> Outcome {
        try await EndToEndTests.eventually("the end of the program", within: limit) {
            !process.isRunning
        } else: {
            "It said:\n\(errors.suffix(4000))"
        }
        let status = Int(process.terminationStatus)
        return Outcome(
            status: process.terminationReason == .uncaughtSignal ? -status : status, output: output, errors: errors)
    }

    /// Asks it to stop as Kubernetes does.
    func stop() async throws -> Outcome {
        send(SIGTERM)
        return try await outcome()
    }

    /// Ends it without any chance to clean up.
    func kill9() async throws {
        send(SIGKILL)
        try await eventually("its death") { !process.isRunning }
    }
}

/// An agent with everything it reads and writes in one scratch folder.
struct Agent {
    let scratch: ScratchDirectory
    let configuration: String
    let data: String
    /// The file output's file.
    let file: String

    /// - Parameters:
    ///   - pods: the folder of the pods' logs; one in the scratch folder by default.
    ///   - outputs: YAML of the outputs; a file output by default.
    ///   - more: YAML behind it.
    init(
        pods: String? = nil, links: String? = nil, input: String = "json: off", outputs: String? = nil,
        more: String = ""
    ) throws {
        scratch = try ScratchDirectory()
        data = scratch.path("data")
        file = scratch.path("out.ndjson")
        let outputs =
            outputs ?? """
                  - type: file
                    path: "\(file)"
                    max_delay: 20ms
                """
        configuration = try scratch.write(
            "sluice.yaml",
            """
            data_dir: "\(data)"
            inputs:
              - type: kubernetes_logs
                path: "\(pods ?? scratch.path("pods"))"
                containers_path: "\(links ?? scratch.path("containers"))"
                start_at: beginning
                parsers: []             # messages as they stand in the files, to be compared
                \(input)
            outputs:
            \(outputs)
            \(more)

            """)
    }

    /// Over samples/node.
    static func overSampleNode(input: String = "json: off", outputs: String? = nil, more: String = "") throws -> Agent {
        try Agent(
            pods: Program.sampleNode + "/var/log/pods", links: Program.sampleNode + "/var/log/containers", input: input,
            outputs: outputs, more: more)
    }

    func runOnce(environment: [String: String] = [:]) async throws -> Outcome {
        try await Program.run("run", "--once", "--config", configuration, environment: environment)
    }

    /// Starts `sluice run`; it goes on until it is stopped.
    func start(environment: [String: String] = [:]) throws -> Running {
        try Running(Program.path, ["run", "--config", configuration], environment: environment)
    }

    // MARK: What it wrote

    /// What is in the file output.
    var delivered: String { String(decoding: (try? ScratchDirectory.contents(of: file)) ?? [], as: UTF8.self) }

    /// The size of the file output.
    var deliveredBytes: Int {
        ((try? FileManager.default.attributesOfItem(atPath: file)) ?? [:])[.size] as? Int ?? 0
    }

    /// The segments, oldest first.
    var segments: [String] {
        let folder = data + "/store/0"
        return ((try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? [])
            .filter { $0.hasSuffix(".ndjson.gz") }.sorted().map { "\(folder)/\($0)" }
    }

    /// What zcat makes of the store.
    func zcat() async throws -> String {
        let outcome = try await Running("/usr/bin/env", ["gzip", "-dc"] + segments).outcome()
        guard outcome.status == 0 else { throw Trouble("zcat of the store failed: \(outcome.errors)") }
        return outcome.output
    }

    /// The account, as `sluice ledger` tells it to programs.
    func ledger() async throws -> LedgerPicture {
        let outcome = try await Program.run("ledger", "--data-dir", data, "--output", "json")
        return try JSONDecoder().decode(LedgerPicture.self, from: Data(outcome.output.utf8))
    }
}

/// What tests look at in the ledger.
struct LedgerPicture: Decodable {
    struct Input: Decodable {
        let name: String
        let read_records: Int
        let stored_records: Int
        let closes: Bool
    }
    struct Output: Decodable {
        let name: String
        let stored_records: Int
        let delivered_records: Int
        let waiting_records: Int
        let dropped_records: [String: Int]
        let closes: Bool
    }
    let inputs: [Input]
    let outputs: [Output]
    let closes: Bool
}
