// Logs whose pods are not known yet, not known any longer than can be waited, known anew, or not wanted by what is known of them.
import Disk
import Foundation
import NodeFiles
import Records
import Telemetry
import TestKit
import Testing

@Suite("descriptions of logs")
struct DescriptionTests {
    /// A second: `drain` goes on by two of them at least.
    private let patience: Int64 = 1_500_000_000

    private func waitingNode() throws -> Node {
        let node = try Node()
        node.reader.patience = patience
        node.reader.describer.unknown = ["web"]
        return node
    }

    @Test func `a log of which too little is known is opened, and read when it is known`() throws {
        let node = try waitingNode()
        try node.write("first")
        node.reader.patience = .max / 4
        node.reader.open()
        node.reader.drain()
        #expect(node.texts() == [])
        #expect(node.reader.describer.told == ["web waits"])
        // Deleted while it waits: it was opened, so nothing is lost.
        try node.app.delete()
        node.reader.drain()
        #expect(node.texts() == [])
        node.reader.describer.unknown = []
        node.reader.describer.labels["web"] = "known"
        node.reader.describer.changes = .pods([node.app.uid])
        #expect(node.reader.nanosecondsToDeadline <= 0, "a change is news")
        node.reader.drain()
        #expect(node.reader.texts(node.app.log(0) + "/known") == ["first"])
        // The slow look.
        node.reader.wake(after: 61_000_000_000)
        #expect(node.reader.describer.told == ["web waits", "web complete", "web gone"])
        #expect(node.reader.count(.partialRecords) == 0)
    }

    @Test func `it goes on without, counted, and completes later`() throws {
        let node = try waitingNode()
        try node.write("first")
        node.reader.open()
        node.reader.wake(after: 1)
        #expect(node.reader.readBatch() == false)
        #expect((1...patience).contains(node.reader.nanosecondsToDeadline))
        node.reader.drain()
        #expect(node.texts() == ["first"])
        #expect(node.reader.describer.told == ["web waits", "web tookTooLong"])
        #expect(node.reader.count(.partialRecords) == 1)
        try node.write("second")
        node.reader.drain()
        node.reader.describer.unknown = []
        node.reader.describer.labels["web"] = "known"
        node.reader.describer.changes = .all
        try node.write("third")
        node.reader.drain()
        #expect(node.texts() == ["first", "second"])
        #expect(node.reader.texts(node.app.log(0) + "/known") == ["third"])
        #expect(node.reader.count(.partialRecords) == 2)
    }

    @Test func `nobody waits for another one's pod`() throws {
        let node = try waitingNode()
        node.reader.patience = .max / 4
        let other = try node.node.start(pod: "other")
        try node.write("waits")
        try other.write(Array("goes".utf8), to: .stdout)
        node.reader.open()
        node.reader.drain()
        #expect(node.texts() == [])
        #expect(node.reader.texts(other.log(0)) == ["goes"])
    }

    @Test func `without patience nobody waits`() throws {
        let node = try waitingNode()
        node.reader.patience = 0
        try node.write("first")
        node.reader.open()
        node.reader.drain()
        #expect(node.texts() == ["first"])
        #expect(node.reader.describer.told == ["web tookTooLong"])
        #expect(node.reader.count(.partialRecords) == 1)
    }

    @Test func `what waited when the agent was killed is read by the next one`() throws {
        let node = try waitingNode()
        node.reader.patience = .max / 4
        try node.write("first")
        node.reader.open()
        node.reader.drain()
        node.reader.crash()
        try node.write("second")
        node.reader.describer.unknown = []
        node.reader.open()
        node.reader.drain()
        #expect(node.texts() == ["first", "second"])
    }

    /// `start_at: end`: what stands in the files at the very first start is passed over.
    @Test func `what is passed over at the first start stays so when the agent is killed while a log waits`() throws {
        let node = try Node { $0.skipsPresent = true }
        node.reader.patience = .max / 4
        node.reader.describer.unknown = ["web"]
        try node.write("before the first start")
        node.reader.open()
        node.reader.drain()
        try node.write("after it")
        node.reader.crash()
        // Something of the input is known to the store by now, or nothing: a second start is not the first.
        node.reader.options.skipsPresent = false
        node.reader.describer.unknown = []
        node.reader.open()
        node.reader.drain()
        #expect(node.texts() == ["after it"])
    }

    @Test func `a log that comes again while the one before it still waits ends that wait`() throws {
        let node = try Node { $0.maxHeld = 100 }
        node.reader.patience = .max / 4
        node.reader.describer.unknown = ["web", "other"]
        let other = try node.node.start(pod: "other")
        try node.write("a line of some thirty bytes")
        // The older one is given up: the times of files are no finer than some milliseconds.
        Thread.sleep(forTimeInterval: 0.05)
        try other.write(Array("a line of some thirty bytes".utf8), to: .stdout)
        node.reader.open()
        node.reader.drain()
        for folder in [node.app.folder, other.folder] {
            try LocalFileSystem().remove("\(folder)/0.log")
            node.reader.drain()
        }
        #expect(node.reader.count(.abandonedBytes) > 0)
        _ = try OwnedFile.open("\(node.app.folder)/0.log", .createNew)
        node.reader.drain()
        let told = node.reader.describer.told.filter { $0.hasPrefix("web") }
        #expect(told == ["web waits", "web abandoned", "web waits"])
    }

    @Test func `what is deleted while it is unwanted is forgotten when its log is wanted again`() throws {
        let node = try Node()
        try node.fill("first")
        node.reader.open()
        node.reader.drain()
        try node.app.rotate()
        node.reader.drain()
        #expect(node.reader.positions.count == 1)
        node.reader.isWanted = { _ in false }
        node.reader.describer.changes = .all
        node.reader.drain()
        try node.app.remove(#require(node.app.rotatedPlain.first))
        try node.write("second")
        node.reader.isWanted = { _ in true }
        node.reader.describer.changes = .all
        node.reader.drain()
        #expect(node.difference() == nil)
        #expect(node.reader.positions.count == 1)
    }

    @Test func `a log that is not wanted any more is left where it stands, and goes on there`() throws {
        let node = try Node()
        try node.write("first")
        try node.write("half", ends: false)
        node.reader.open()
        node.reader.drain()
        node.reader.isWanted = { _ in false }
        node.reader.describer.changes = .pods([node.app.uid])
        node.reader.drain()
        try node.write(" a line")
        try node.fill("meanwhile")
        try node.app.rotate()
        try node.write("second")
        node.reader.drain()
        #expect(node.texts() == ["first"])
        node.reader.isWanted = { _ in true }
        node.reader.describer.changes = .pods([node.app.uid])
        node.reader.drain()
        #expect(node.difference() == nil)
    }

    @Test(arguments: [false, true]) func `an unwanted log is found again after a restart`(wantedAtStart: Bool) throws {
        let node = try Node()
        try node.write("first")
        node.reader.open()
        node.reader.drain()
        node.reader.isWanted = { _ in false }
        node.reader.describer.changes = .all
        node.reader.drain()
        try node.write("second")
        if wantedAtStart { node.reader.isWanted = { _ in true } }
        node.reader.restart()
        node.reader.drain()
        node.reader.isWanted = { _ in true }
        node.reader.describer.changes = .all
        node.reader.drain()
        #expect(node.difference() == nil)
        #expect(node.reader.told.count("files_gone_while_stopped") == 0)
    }

    @Test func `an unwanted log may be compressed meanwhile`() throws {
        let node = try Node()
        try node.fill("first")
        node.reader.open()
        node.reader.drain()
        try node.app.rotate()
        node.reader.isWanted = { _ in false }
        node.reader.restart()
        node.reader.drain()
        try node.app.compress(#require(node.app.rotatedPlain.first))
        try node.write("second")
        node.reader.restart()
        node.reader.drain()
        #expect(node.reader.told.count("files_gone_while_stopped") == 0)
        node.reader.isWanted = { _ in true }
        node.reader.restart()
        node.reader.drain()
        #expect(node.difference() == nil)
    }

    @Test func `an unwanted log that is deleted is forgotten without a word`() throws {
        let node = try Node()
        try node.write("first")
        node.reader.open()
        node.reader.drain()
        #expect(node.reader.positions.count == 1)
        node.reader.isWanted = { _ in false }
        node.reader.describer.changes = .all
        node.reader.drain()
        try node.app.delete()
        // The slow look.
        node.reader.wake(after: 61_000_000_000)
        node.reader.drain()
        #expect(node.reader.positions == [])
        node.reader.restart()
        #expect(node.reader.told.count("files_gone_while_stopped") == 0)
    }

    @Test func `a line without its end is stored once its container is known to have ended`() throws {
        let node = try Node()
        try node.write("Password: ", ends: false)
        node.reader.open()
        node.reader.drain()
        #expect(node.texts() == [])
        node.reader.describer.ended = ["web"]
        node.reader.describer.changes = .pods([node.app.uid])
        node.reader.drain()
        #expect(node.reader.lines(node.app.log(0)).map(\.flags) == [.unfinished])
    }

    @Test func `whatever happens while logs wait, are left and are wanted again, each line is stored once`() throws {
        for seed in 1...60 as ClosedRange<UInt64> {
            var random = SeededGenerator(seed: seed)
            let node = try waitingNode()
            node.reader.describer.unknown = Bool.random(using: &random) ? ["web"] : []
            node.reader.open()
            var log: [String] = []
            for step in 0..<40 {
                let action = Int.random(in: 0..<10, using: &random)
                log.append("\(step):\(action)")
                switch action {
                case 0..<4:
                    try node.write(
                        "line \(step) of the log, long enough for rotations",
                        ends: Int.random(in: 0..<4, using: &random) > 0)
                case 4: if !node.app.isBetweenRenameAndReopen { try node.app.rotate() }
                case 5:
                    node.reader.describer.unknown = Bool.random(using: &random) ? ["web"] : []
                    node.reader.describer.changes = .pods([node.app.uid])
                case 6:
                    let isWanted = Bool.random(using: &random)
                    node.reader.isWanted = { _ in isWanted }
                    node.reader.describer.changes = .all
                case 7:
                    node.reader.crash()
                    node.reader.open()
                case 8: node.reader.restart()
                default: node.reader.drain()
                }
            }
            node.reader.isWanted = { _ in true }
            node.reader.describer.unknown = []
            node.reader.describer.changes = .all
            node.reader.drain()
            let difference = node.difference()
            #expect(difference == nil, "seed \(seed): \(log.joined(separator: "; "))")
        }
    }
}
