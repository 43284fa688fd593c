// What must come of a folder of pod logs, computed from the files themselves with none of the program's code, and what came.
import Foundation
import TestKit

/// One stream of one life of a container.
struct StreamName: Hashable, CustomStringConvertible {
    let namespace: String
    let pod: String
    let uid: String
    let container: String
    let restart: Int
    let stream: String

    var description: String { "\(namespace)/\(pod)/\(container)[\(restart)] \(stream)" }
}

/// One line of one stream.
struct LogLine: Hashable {
    let message: String
    /// Without the zeros that one writer keeps and another drops.
    let time: String

    init(message: String, time: String) {
        self.message = message
        guard time.hasSuffix("Z"), time.contains(".") else {
            self.time = time
            return
        }
        var digits = time.dropLast()
        while digits.last == "0" { digits.removeLast() }
        if digits.last == "." { digits.removeLast() }
        self.time = digits + "Z"
    }
}

typealias Streams = [StreamName: [LogLine]]

enum Truth {
    /// All lines on disk below `pods`: rotated and compressed files first, pieces joined.
    static func expected(below pods: String) async throws -> Streams {
        var streams: Streams = [:]
        for folder in try list(pods) {
            let parts = folder.split(separator: "_", maxSplits: 2).map(String.init)
            guard parts.count == 3 else { continue }
            for container in try list("\(pods)/\(folder)") {
                for (restart, files) in try lives("\(pods)/\(folder)/\(container)") {
                    var pending: [String: (time: String, message: [UInt8])] = [:]
                    func note(_ stream: String, _ time: String, _ message: [UInt8]) {
                        let name = StreamName(
                            namespace: parts[0], pod: parts[1], uid: parts[2], container: container, restart: restart,
                            stream: stream)
                        streams[name, default: []].append(
                            LogLine(message: String(decoding: message, as: UTF8.self), time: time))
                    }
                    for file in files {
                        for line in try await contents(of: file).split(separator: UInt8(ascii: "\n")) {
                            let fields = line.split(
                                separator: UInt8(ascii: " "), maxSplits: 3, omittingEmptySubsequences: false)
                            guard fields.count == 4 else { continue }
                            let time = String(decoding: fields[0], as: UTF8.self)
                            let stream = String(decoding: fields[1], as: UTF8.self)
                            let before = pending.removeValue(forKey: stream)
                            let message = (before?.message ?? []) + fields[3]
                            if fields[2].first == UInt8(ascii: "P") {
                                pending[stream] = (before?.time ?? time, message)
                            } else {
                                // It was there when its last piece was.
                                note(stream, time, message)
                            }
                        }
                    }
                    // No newline ever came: all there is, since its first piece.
                    for (stream, rest) in pending { note(stream, rest.time, rest.message) }
                }
            }
        }
        return streams
    }

    /// The files of each life of a container, oldest first.
    private static func lives(_ folder: String) throws -> [Int: [String]] {
        var found: [Int: [(key: String, path: String)]] = [:]
        for name in try list(folder) {
            let parts = name.split(separator: ".").map(String.init)
            guard parts.count >= 2, parts[1] == "log", let restart = Int(parts[0]) else { continue }
            // "~" comes after every digit: the file that is still written is the newest.
            found[restart, default: []].append((parts.count > 2 ? parts[2] : "~", "\(folder)/\(name)"))
        }
        return found.mapValues { files in files.sorted { $0.key < $1.key }.map(\.path) }
    }

    private static func contents(of path: String) async throws -> [UInt8] {
        guard path.hasSuffix(".gz") else { return try ScratchDirectory.contents(of: path) }
        let outcome = try await Running("/usr/bin/env", ["gzip", "-dc", path]).outcome()
        return Array(outcome.output.utf8)
    }

    private static func list(_ folder: String) throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: folder).sorted()
    }

    /// The same of NDJSON.
    static func came(_ ndjson: String) throws -> Streams {
        struct Record: Decodable {
            struct Place: Decodable {
                let namespace_name: String
                let pod_name: String
                let pod_uid: String
                let container_name: String
                let restart_count: Int
            }
            let time: String
            let stream: String
            let message: String
            let kubernetes: Place
        }
        var streams: Streams = [:]
        let decoder = JSONDecoder()
        for line in ndjson.utf8.split(separator: UInt8(ascii: "\n")) {
            let record: Record
            do {
                record = try decoder.decode(Record.self, from: Data(line))
            } catch {
                throw Trouble("not a record: \(String(decoding: line.prefix(300), as: UTF8.self)): \(error)")
            }
            let place = record.kubernetes
            let name = StreamName(
                namespace: place.namespace_name, pod: place.pod_name, uid: place.pod_uid,
                container: place.container_name,
                restart: place.restart_count, stream: record.stream)
            streams[name, default: []].append(LogLine(message: record.message, time: record.time))
        }
        return streams
    }

    /// What is wrong with what came; empty when every line is there once, in order, with its time.
    static func faults(_ came: Streams, against expected: Streams) -> [String] {
        var faults: [String] = []
        for (name, want) in expected {
            let got = came[name] ?? []
            if got == want { continue }
            let wanted = Dictionary(want.map { ($0, 1) }, uniquingKeysWith: +)
            let gotten = Dictionary(got.map { ($0, 1) }, uniquingKeysWith: +)
            let lost = wanted.filter { gotten[$0.key, default: 0] < $0.value }
            let extra = gotten.filter { wanted[$0.key, default: 0] < $0.value }
            let example = (lost.first ?? extra.first).map { String($0.key.message.prefix(80)) } ?? "out of order"
            faults.append(
                "\(name): wanted \(want.count), came \(got.count), lost \(lost.count), extra \(extra.count): \(example)"
            )
        }
        faults += came.keys.filter { expected[$0] == nil }.map { "\($0): nobody wrote it" }
        return faults.sorted()
    }
}

/// Writes logs as a container runtime does.
final class PodLog {
    let folder: String
    private let scratch: ScratchDirectory
    private let name: String
    private let restart: Int
    private var file: FileHandle
    private var count = 0
    private var rotations = 0
    /// Everything that was written, as it must come.
    private(set) var written: [LogLine] = []

    init(_ pod: String, in scratch: ScratchDirectory, container: String = "app", restart: Int = 0) throws {
        self.scratch = scratch
        self.restart = restart
        name = "pods/test_\(pod)_uid-\(pod)/\(container)"
        folder = scratch.path(name)
        file = try FileHandle(forWritingTo: URL(filePath: scratch.write("\(name)/\(restart).log", "")))
    }

    var stream: StreamName {
        let parts = name.split(separator: "/").map(String.init)
        let pod = parts[1].split(separator: "_").map(String.init)
        return StreamName(
            namespace: pod[0], pod: pod[1], uid: pod[2], container: parts[2], restart: restart, stream: "stdout")
    }

    /// Appends lines in one write.
    func append(_ lines: Int) throws {
        var text = ""
        for _ in 0..<lines {
            count += 1
            let digits = String(count)
            let time = "2026-01-02T03:04:05.\(String(repeating: "0", count: 9 - digits.count))\(digits)Z"
            let message = "line \(count) of \(name): the quick brown fox jumps over the lazy dog"
            text += "\(time) stdout F \(message)\n"
            written.append(LogLine(message: message, time: time))
        }
        try file.write(contentsOf: Data(text.utf8))
    }

    /// Renames the file and begins a new one, as the kubelet and the runtime do.
    ///
    /// - Parameter longAgo: the renamed file has been quiet for an hour. An agent that did not see it closed waits for
    ///   fifteen quiet seconds before it takes it for complete.
    func rotate(longAgo: Bool = false) throws {
        rotations += 1
        let stamp = "20260102-0304\(rotations < 10 ? "0" : "")\(rotations)"
        try FileManager.default.moveItem(
            atPath: "\(folder)/\(restart).log", toPath: "\(folder)/\(restart).log.\(stamp)")
        try file.close()
        if longAgo {
            try FileManager.default.setAttributes(
                [.modificationDate: Date(timeIntervalSinceNow: -3600)],
                ofItemAtPath: "\(folder)/\(restart).log.\(stamp)")
        }
        file = try FileHandle(forWritingTo: URL(filePath: scratch.write("\(name)/\(restart).log", "")))
    }
}
