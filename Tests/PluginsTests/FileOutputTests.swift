// Output `file`: every record once, whatever happens to the process, the disk and the file.
import Disk
import Pipeline
import Plugins
import Store
import TestKit
import Testing

@Suite(.timeLimit(.minutes(1))) struct `Output file` {
    let bench: PluginBench
    let source: RequestSource

    init() throws {
        bench = try PluginBench()
        source = try RequestSource()
    }

    private func settings(_ name: String, maxSize: SettingsNode = "1GiB") -> SettingsNode {
        ["path": .init(stringLiteral: bench.scratch.path(name)), "max_size": maxSize]
    }

    private func output(_ name: String = "out.ndjson", maxSize: SettingsNode = "1GiB") -> OutputBench {
        OutputBench(source) { try bench.make(FileOutput.self, settings(name, maxSize: maxSize)) }
    }

    // MARK: Settings

    @Test func `its settings have defaults`() {
        let reading = SettingsReading(["path": "/var/log/out.ndjson"], as: FileOutput.Settings.self)
        #expect(reading.problems == [])
        #expect(reading.settings.path == "/var/log/out.ndjson" && reading.settings.maxSize == .gibibytes(1))
    }

    @Test(
        arguments: [
            ([:], "item.path: missing, expected a path; for example 'path: /var/log/sluice/%Y-%m-%d.ndjson'"),
            (
                ["path": "/x/%q"],
                "item.path: '%q' is no conversion that is known here; use %Y %m %d %H %M %S %j, and %% for a percent sign"
            ),
            (
                ["path": "/x/50%"],
                "item.path: '%' is no conversion that is known here; use %Y %m %d %H %M %S %j, and %% for a percent sign"
            ),
            (["path": "/var/log/"], "item.path: is a folder; write '/var/log/%Y-%m-%d.ndjson' for a file in it"),
            (
                ["path": "/dev/stdout"],
                "item.path: '/dev/stdout' is no file of its own; for standard output there is 'type: stdout'"
            ),
            (
                ["path": "/proc/self/fd/2"],
                "item.path: '/proc/self/fd/2' is no file of its own; for standard output there is 'type: stdout'"
            ),
            (["path": "/x", "max_size": "1KiB"], "item.max_size: must be at least 64KiB, found 1KiB"),
            (["path": "/x", "maxsize": "1GiB"], "item.maxsize: unknown setting, did you mean 'max_size'?"),
        ] as [(SettingsNode, String)])
    func `wrong settings are refused`(_ node: SettingsNode, _ message: String) {
        #expect(SettingsReading(node, as: FileOutput.Settings.self).problems == [message])
    }

    // MARK: Once

    @Test func `it keeps the rules of outputs, exactly once`() async throws {
        try await OutputConformance(.exactlyOnce, disk: bench.disk) {
            try bench.make(FileOutput.self, settings("logs/out.ndjson"))
        } received: {
            bench.lines("logs/out.ndjson")
        }.check()
    }

    @Test func `what a request had written before a crash is cut back, and said`() async throws {
        let output = output()
        try await output.start()
        try await output.deliver(1, 10)
        try await output.send(11, 20)
        #expect(bench.lines("out.ndjson").count == 20)
        try await output.start()
        #expect(bench.lines("out.ndjson") == Array(source.lines[..<10]))
        #expect(bench.log.count("file_output_cut_back_bytes") > 0)
        try await output.deliver(11, 20)
        #expect(bench.lines("out.ndjson") == Array(source.lines[..<20]))
    }

    @Test func `the very first request is cut back too`() async throws {
        let output = output()
        try await output.start()
        try await output.send(1, 10)
        try await output.start()
        try await output.deliver(1, 10)
        #expect(bench.lines("out.ndjson") == Array(source.lines[..<10]))
    }

    @Test func `a process that dies at any moment leaves each record once`() async throws {
        for fault in [FaultyFileSystem.Fault.crash, .crashHalfway] {
            var call = 1
            var finished = false
            while !finished {
                bench.scratch.empty()
                let output = output("a/%Y/out.ndjson", maxSize: "64KiB")
                bench.disk.restart()
                bench.disk.plan(fault, afterCalls: call)
                finished = true
                var next: UInt64 = 1
                var attempts = 0
                while next <= 30, attempts < 10 {
                    attempts += 1
                    do {
                        try await output.start()
                        while next <= 30 {
                            try await output.deliver(next, next + 9)
                            next += 10
                        }
                    } catch {
                        finished = false
                        bench.disk.restart()
                    }
                }
                let year = try #require(bench.names("a").first, "call \(call)")
                #expect(bench.lines("a/\(year)/out.ndjson") == source.lines, "\(fault) at call \(call)")
                call += 1
            }
            #expect(call > 5)
        }
    }

    @Test func `a file that was shortened is told, and goes on with whole lines`() async throws {
        let output = output()
        try await output.start()
        try await output.deliver(1, 10)
        let size = try bench.scratch.contents("out.ndjson").count
        let file = try OwnedFile.open(bench.scratch.path("out.ndjson"), .update)
        try file.truncate(to: UInt64(size - 30))
        try await output.start()
        #expect(bench.log.count("file_output_truncated_bytes") == 30)
        #expect(bench.log.said("somebody truncated a file that is being written"))
        try await output.deliver(11, 20)
        let lines = bench.lines("out.ndjson")
        #expect(Array(lines[..<9]) == Array(source.lines[..<9]))
        #expect(lines[9].count == source.lines[9].count - 29, "the rest of a line stands alone")
        #expect(Array(lines[10...]) == Array(source.lines[10..<20]))
    }

    @Test func `a file that is gone is told, and begun anew`() async throws {
        let output = output()
        try await output.start()
        try await output.deliver(1, 10)
        let size = try bench.scratch.contents("out.ndjson").count
        try LocalFileSystem().remove(bench.scratch.path("out.ndjson"))
        try await output.start()
        #expect(bench.log.count("file_output_gone_bytes") == UInt64(size))
        try await output.deliver(11, 20)
        #expect(bench.lines("out.ndjson") == Array(source.lines[10..<20]))
    }

    @Test func `somebody else's unfinished line is ended first`() async throws {
        try bench.scratch.write("out.ndjson", "theirs\nunfini")
        let output = output()
        try await output.start()
        try await output.deliver(1, 2)
        try await output.start()
        try await output.deliver(3, 3)
        #expect(bench.lines("out.ndjson") == ["theirs", "unfini"] + source.lines[..<3])
    }

    // MARK: Files

    @Test func `folders are made, and the time is filled in`() async throws {
        let output = output("%Y/%m/x-%d%%.ndjson")
        try await output.start()
        let before = TimePattern.fill("%Y/%m/x-%d%%.ndjson", at: SystemClock.realtime)
        try await output.deliver(1, 3)
        let after = TimePattern.fill("%Y/%m/x-%d%%.ndjson", at: SystemClock.realtime)
        #expect([before, after].contains { bench.lines($0) == Array(source.lines[..<3]) })
        #expect(before.hasSuffix("%.ndjson"))
    }

    @Test func `a file that has grown too large is followed by a numbered one`() async throws {
        let large = try RequestSource(
            (1...9).map { number in ["{\"n\":\(number),\"x\":\"\(String(repeating: "x", count: 30_000))\"}"] })
        let output = OutputBench(large) { try bench.make(FileOutput.self, settings("out.ndjson", maxSize: "64KiB")) }
        try await output.start()
        for number in 1...8 as ClosedRange<UInt64> { try await output.deliver(number, number) }
        #expect(bench.names() == ["out.ndjson", "out.ndjson.0001", "out.ndjson.0002"])
        #expect(bench.lines("out.ndjson") == Array(large.lines[..<3]))
        #expect(bench.lines("out.ndjson.0001") == Array(large.lines[3..<6]))
        // A new start goes on in the file that it had.
        try await output.start()
        try await output.deliver(9, 9)
        #expect(bench.lines("out.ndjson.0002") == Array(large.lines[6..<9]))
        #expect(bench.names().count == 3)
    }

    @Test func `a crash after the first request to a new file repeats nothing`() async throws {
        let large = try RequestSource(
            (1...4).map { number in ["{\"n\":\(number),\"x\":\"\(String(repeating: "x", count: 70_000))\"}"] })
        let output = OutputBench(large) { try bench.make(FileOutput.self, settings("out.ndjson", maxSize: "64KiB")) }
        try await output.start()
        try await output.deliver(1, 1)
        try await output.send(2, 2)
        try await output.start()
        try await output.deliver(2, 2)
        #expect(bench.names() == ["out.ndjson", "out.ndjson.0001"])
        #expect(bench.lines("out.ndjson.0001") == [large.lines[1]])
    }

    @Test func `what failed in one file and succeeded in the next is in the next alone`() async throws {
        // A new name each second: the first attempt and the second meet different ones.
        let output = output("%H%M%S.ndjson")
        try await output.start()
        try await output.deliver(1, 10)
        let first = try #require(bench.names().first)
        bench.disk.plan(.halfWrite(28), afterCalls: 0)
        await #expect(throws: DeliveryFailure.self) { try await output.deliver(11, 20) }
        bench.disk.heal()
        // Nothing tells when a second is over.
        while bench.names().contains(TimePattern.fill("%H%M%S.ndjson", at: SystemClock.realtime)) {
            try await Task.sleep(for: .milliseconds(10))
        }
        try await output.deliver(11, 20)
        #expect(bench.lines(first) == Array(source.lines[..<10]))
        #expect(bench.names().flatMap { bench.lines($0) } == Array(source.lines[..<20]))
    }

    @Test func `a full disk fails the request with words, and costs nothing`() async throws {
        let output = output()
        try await output.start()
        try await output.deliver(1, 10)
        bench.disk.plan(.halfWrite(28), afterCalls: 0)
        do throws(DeliveryFailure) {
            try await send(output, 11, 30)
            Issue.record("a full disk took it")
        } catch {
            #expect(error.reason.contains("No space left on device") && error.reason.contains("out.ndjson"))
        }
        try await output.deliver(11, 30)
        #expect(bench.lines("out.ndjson") == source.lines)
    }

    private func send(_ output: OutputBench, _ first: UInt64, _ last: UInt64) async throws(DeliveryFailure) {
        do { try await output.deliver(first, last) } catch let failure as DeliveryFailure { throw failure } catch {
            throw DeliveryFailure("\(error)")
        }
    }

    @Test func `a folder that cannot be made fails the request`() async throws {
        try bench.scratch.write("file", "not a folder")
        let output = output("file/out.ndjson")
        try await output.start()
        await #expect(throws: DeliveryFailure.self) { try await output.deliver(1, 1) }
    }

    @Test func `a delivery over it survives kills with nothing twice`() async throws {
        var writer = try Store.open(
            bench.scratch.path("data"), settings: .forTests, fileSystem: LocalFileSystem(),
            telemetry: bench.log.telemetry)
        let source = writer.define(.container("web"))
        for chunk in 0..<20 {
            #expect(
                writer.append(lines: RequestSource.records((chunk * 10)..<(chunk * 10 + 10)), of: source) == .stored)
        }
        let store = writer.store
        let settings = DeliverySettings.forTests.with { $0.maxRequest = ByteSize(bytes: 1) }
        for crash in [3, 5, 8, 13, 21] {
            let cursor = Handover(try StoreCursor(store, output: "file", start: .history, mayGiveWay: true))
            bench.disk.restart()
            bench.disk.plan(.crashHalfway, afterCalls: crash)
            let status = DeliveryStatus()
            await withTaskGroup(of: Void.self) { group in
                group.addTask { await deliver(store, cursor, settings, status) }
                while !bench.disk.isCrashed, !Task.isCancelled, store.cursors["file"]?.next != 201 {
                    await Task.yield()
                }
                group.cancelAll()
            }
        }
        writer.close()
        bench.disk.restart()
        let cursor = Handover(try StoreCursor(store, output: "file", start: .history, mayGiveWay: true))
        await deliver(store, cursor, settings, DeliveryStatus())
        #expect(bench.lines("out.ndjson") == RequestSource.records(0..<200))
        #expect(Ledger(store).closes)
    }

    private func deliver(
        _ store: Store, _ cursor: Handover<StoreCursor>, _ settings: DeliverySettings, _ status: DeliveryStatus
    ) async {
        guard let cursor = cursor.take(), let output = try? bench.make(FileOutput.self, self.settings("out.ndjson"))
        else { return }
        let delivery = Delivery(
            output, cursor: cursor, store: store, settings: settings, status: status, telemetry: bench.log.telemetry)
        await delivery.run()
    }
}

@Suite struct `Times in file names` {
    /// 2026-03-05T07:08:09Z, moved so that it is local time here.
    private var moment: Int64 {
        let utc: Int64 = 1_772_694_489
        return (utc - Int64(Machine.localOffset(at: utc))) * 1_000_000_000
    }

    @Test(arguments: [
        ("plain.ndjson", "plain.ndjson"), ("%Y-%m-%d", "2026-03-05"), ("%H%M%S", "070809"), ("%j", "064"),
        ("100%%", "100%"),
        ("%Y%Y/%%Y", "20262026/%Y"),
    ])
    func `conversions are filled in`(_ pattern: String, _ expected: String) {
        #expect(TimePattern.unknownConversion(in: pattern) == nil)
        #expect(TimePattern.fill(pattern, at: moment) == expected)
    }

    @Test(arguments: [("%q", "q"), ("a%", ""), ("%%%", ""), ("%Y%y", "y"), ("%%", nil)])
    func `others are found`(_ pattern: String, _ unknown: String?) {
        #expect(TimePattern.unknownConversion(in: pattern) == unknown)
    }
}
