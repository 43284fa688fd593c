// The logs of a real node, where there is a copy of them: all lines, in order, with their times, against a plain reading.
import Bytes
import Disk
import Foundation
import NodeFiles
import Records
import TestKit
import Testing

private let snapshot: String = {
    let repository = #filePath.split(separator: "/").dropLast(3).joined(separator: "/")
    return "/\(repository)/../shared/node/snapshot.tar.gz"
}()

struct SnapshotTests {
    @Test(.enabled(if: Directory.status(snapshot) != nil, "there is no snapshot of a node here"))
    func `of a real node's logs every line is read once, in order, with its time`() throws {
        let scratch = try ScratchDirectory()
        let tar = Process()
        tar.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        tar.arguments = ["tar", "--sparse", "-xzf", snapshot, "-C", scratch.path, "--wildcards", "*var/log/pods/*"]
        try tar.run()
        tar.waitUntilExit()
        try #require(tar.terminationStatus == 0)
        let root = try #require(Self.find("pods", below: scratch.path))

        let reader = TailerHarness(pods: root) { $0.once = true }
        reader.open()
        while reader.readBatch() {}
        reader.commit()

        let wanted = try Self.expected(root)
        #expect(wanted.count > 30)
        var total = 0
        for stream in Set(wanted.keys).union(reader.store.lines.keys) {
            let found = reader.store.lines[stream, default: []].map { Line(time: $0.time, message: $0.message) }
            #expect(found == wanted[stream, default: []], "\(stream)")
            total += found.count
        }
        #expect(total > 30_000)
        #expect(reader.count(.malformedRecords) == 0)
        #expect(reader.count(.damagedBytes) == 0)
    }

    private struct Line: Equatable {
        var time: Int64
        var message: [UInt8]
    }

    private static func find(_ name: String, below folder: String) -> String? {
        for entry in (try? Directory.list(folder)) ?? [] where entry.kind == .directory {
            let path = "\(folder)/\(entry.name)"
            if entry.name == name { return path }
            if let found = find(name, below: path) { return found }
        }
        return nil
    }

    /// Every line that the files hold: plain, rotated and compressed ones by their names, pieces joined.
    private static func expected(_ root: String) throws -> [TrueStream: [Line]] {
        var lines: [TrueStream: [Line]] = [:]
        for pod in try Directory.list(root) {
            for container in try Directory.list("\(root)/\(pod.name)") {
                let folder = "\(root)/\(pod.name)/\(container.name)"
                var byRestart: [String: [String]] = [:]
                for entry in try Directory.list(folder) {
                    byRestart[entry.name.components(separatedBy: ".log")[0], default: []].append(entry.name)
                }
                for (restart, names) in byRestart {
                    // 0.log is the newest, whatever its name says.
                    let files = names.sorted { ($0.hasSuffix(".log") ? "~" : $0) < ($1.hasSuffix(".log") ? "~" : $1) }
                    let log =
                        pod.name.split(separator: "_", maxSplits: 2).joined(separator: "/")
                        + "/\(container.name)/\(restart)"
                    try read(files.map { "\(folder)/\($0)" }, log, &lines)
                }
            }
        }
        return lines
    }

    private static func read(_ files: [String], _ log: String, _ lines: inout [TrueStream: [Line]]) throws {
        var pending: [RecordStream: Line] = [:]
        for file in files {
            for line in try contents(file).split(separator: 10) {
                let parts = line.split(separator: 0x20, maxSplits: 3, omittingEmptySubsequences: false)
                guard parts.count == 4, let time = time(String(decoding: parts[0], as: UTF8.self)) else { continue }
                let stream: RecordStream = parts[1].elementsEqual("stderr".utf8) ? .stderr : .stdout
                var joined = pending.removeValue(forKey: stream) ?? Line(time: time, message: [])
                joined.message += parts[3]
                if parts[2].first == UInt8(ascii: "P") {
                    pending[stream] = joined
                } else {
                    joined.time = time
                    lines[TrueStream(log: log, stream: stream), default: []].append(joined)
                }
            }
        }
        for (stream, line) in pending { lines[TrueStream(log: log, stream: stream), default: []].append(line) }
    }

    private static func contents(_ path: String) throws -> [UInt8] {
        guard path.hasSuffix(".gz") else { return try ScratchDirectory.contents(of: path) }
        let zcat = Process()
        let pipe = Pipe()
        zcat.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        zcat.arguments = ["gzip", "-dc", path]
        zcat.standardOutput = pipe
        try zcat.run()
        let bytes = Array(pipe.fileHandleForReading.readDataToEndOfFile())
        zcat.waitUntilExit()
        return bytes
    }

    /// `2026-11-23T03:14:07[.fraction]Z`, all of one year.
    private static func time(_ text: String) -> Int64? {
        guard text.hasPrefix("2026-11-"), text.hasSuffix("Z"), text.utf8.count >= 20 else { return nil }
        let numbers = text.dropLast().split { "-T:.".contains($0) }
        guard numbers.count >= 6, let day = Int(numbers[2]), let hour = Int(numbers[3]), let minute = Int(numbers[4]),
            let second = Int(numbers[5])
        else { return nil }
        // 2026-11-01 is day 20758 after 1970-01-01.
        let seconds = ((20_758 + day - 1) * 24 + hour) * 3_600 + minute * 60 + second
        let fraction = numbers.count > 6 ? String(numbers[6]) : ""
        let nanoseconds = Int(fraction + String(repeating: "0", count: 9 - fraction.count)) ?? 0
        return Int64(seconds) * 1_000_000_000 + Int64(nanoseconds)
    }
}
