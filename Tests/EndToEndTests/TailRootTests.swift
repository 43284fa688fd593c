// `sluice tail --root` over a copied node: whatever its links say, nothing of this machine is read.
import Disk
import Foundation
import Journal
import TestKit
import Testing

@Suite("sluice tail over a copied node")
struct TailRootTests {
    private let scratch: ScratchDirectory
    private let root: String
    private static let uid = "0b5d8f4e-1111-4111-8111-"

    init() throws {
        scratch = try ScratchDirectory()
        root = scratch.path("copy")
        try scratch.write("copy/var/log/pods/.keep", "")
    }

    private func write(_ path: String, _ text: String, second: Int = 1) throws {
        try scratch.write(path, "2026-11-23T03:00:0\(second).5Z stdout F \(text)\n")
    }

    /// Makes a link, and the folder that it lies in.
    private func link(_ name: String, to target: String) throws {
        try LocalFileSystem().makeFolder(Path.parent(scratch.path(name)))
        try FileManager.default.createSymbolicLink(atPath: scratch.path(name), withDestinationPath: target)
    }

    private func folder(_ pod: String) -> String {
        "copy/var/log/pods/shop_\(pod)_\(Self.uid)\(String(repeating: "0", count: 12 - pod.count))\(pod.utf8.map { String($0 % 10) }.joined())"
    }

    private func tail(_ arguments: String...) async throws -> Outcome {
        let line = arguments.map { "'\($0)'" }.joined(separator: " ")
        return try await Program.shell(
            "TZ=UTC \"$SLUICE\" tail --root '\(root)' \(line)", environment: ["TMPDIR": scratch.path("")])
    }

    @Test func `absolute links lead to the copy's own files`() async throws {
        // The same path on this machine and in the copy.
        let host = scratch.path("host")
        for place in ["file", "container", "pod"] {
            try write("host/\(place)/c/0.log", "WRONG \(place)")
            try write("copy\(host)/\(place)/c/0.log", "right \(place)")
        }
        try link(folder("file") + "/c/0.log", to: host + "/file/c/0.log")
        try link(folder("cont") + "/c", to: host + "/container/c")
        try link(folder("pod"), to: host + "/pod")
        try write("copy/var/lib/x/r.log", "right relative")
        try link(folder("rel") + "/c/0.log", to: "../../../../lib/x/r.log")
        try write("host/only.log", "WRONG only here")
        try link(folder("only") + "/c/0.log", to: host + "/only.log")
        try link(folder("up") + "/c/0.log", to: String(repeating: "../", count: 30) + host.dropFirst() + "/only.log")
        try link(folder("loop") + "/c/0.log", to: "/var/log/pods/" + Path.name(folder("loop")) + "/c/0.log")
        let outcome = try await tail("-o", "cat", "-q")
        #expect(outcome.status == 0, "\(outcome.errors)")
        #expect(outcome.lines.sorted() == ["right container", "right file", "right pod", "right relative"])
        let pods = try await Program.run("pods", "--root", root, "-o", "json")
        #expect(pods.status == 0 && pods.output.components(separatedBy: #""gone":false"#).count == 5, "\(pods.output)")
    }

    @Test func `a folder of pods elsewhere is followed`() async throws {
        let host = scratch.path("host")
        try FileManager.default.removeItem(atPath: root + "/var/log/pods")
        try link("copy/var/log/pods", to: host + "/pods")
        let pod = "shop_web_\(Self.uid)000000000001"
        try write("host/pods/\(pod)/c/0.log", "WRONG")
        let log = "copy\(host)/pods/\(pod)/c"
        try write("copy\(host)/files/0.log", "right 0")
        try link(log + "/0.log", to: host + "/files/0.log")
        let tail = try Running(
            Program.path, ["tail", "-f", "-o", "cat", "-q", "--root", root], environment: ["TMPDIR": scratch.path("")])
        try await tail.eventually("what is there") { tail.output == "right 0\n" }
        try write("copy\(host)/files/1.log", "right 1", second: 2)
        try link(log + "/1.log", to: host + "/files/1.log")
        try await tail.eventually("what comes") { tail.output == "right 0\nright 1\n" }
        let file = try FileHandle(forWritingTo: URL(filePath: scratch.path("copy\(host)/files/1.log")))
        try file.seekToEnd()
        try file.write(contentsOf: Data("2026-11-23T03:00:03.5Z stdout F right 2\n".utf8))
        try await tail.eventually("what grows behind a link") { tail.output == "right 0\nright 1\nright 2\n" }
        _ = try await tail.stop()
    }

    @Test func `a data directory elsewhere is the copy's`() async throws {
        let agent = try Agent()
        let log = try PodLog("web-1", in: agent.scratch)
        try log.append(3)
        #expect(try await agent.runOnce().status == 0)
        // This machine has a store where the link leads to, the copy has none.
        try link("copy/var/lib/sluice", to: agent.data)
        #expect(try await tail("-o", "cat", "-q").output.isEmpty)
        try LocalFileSystem().makeFolder(root + Path.parent(agent.data))
        try FileManager.default.copyItem(atPath: agent.data, toPath: root + agent.data)
        #expect(try await tail("-o", "cat", "-q").lines.count == 3)
    }

    @Test(.enabled(if: JournalReader.isBuiltIn), arguments: ["folder", "machine", "file"])
    func `a journal elsewhere is the copy's`(what: String) async throws {
        let host = scratch.path("host/var/log/journal")
        let machine = "294062377afe4b7896914df5d9f4d5aa"
        for (place, text) in [(host, "WRONG"), (root + host, "right")] {
            try LocalFileSystem().makeFolder("\(place)/\(machine)")
            try Systemd.write(
                [MadeEntry(1, text)], to: "\(place)/\(machine)/system.journal")
        }
        switch what {
        case "folder": try link("copy/var/log/journal", to: host)
        case "machine": try link("copy/var/log/journal/\(machine)", to: "\(host)/\(machine)")
        default: try link("copy/var/log/journal/\(machine)/system.journal", to: "\(host)/\(machine)/system.journal")
        }
        let outcome = try await tail("-o", "cat", "-q")
        #expect(outcome.output == "right\n", "\(outcome.output)\(outcome.errors)")
        try FileManager.default.removeItem(atPath: root + scratch.path("host"))
        #expect(try await tail("-o", "cat", "-q").output.isEmpty)
    }

    @Test func `a copied node has its own name or none`() async throws {
        try write(folder("web") + "/c/0.log", "a line")
        #expect(try await !tail("-o", "json").output.contains("node_name"))
        try scratch.write("copy/etc/hostname", "lab-node\n")
        #expect(try await tail("-o", "json").output.contains(#""node_name":"lab-node""#))
        let named = try await Program.shell("NODE_NAME=other \"$SLUICE\" tail --root '\(root)' -o json")
        #expect(named.output.contains(#""node_name":"other""#))
    }
}
