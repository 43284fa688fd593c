// The output `file` among others: logrotate, other writers, other agents, and a cursor that cannot be written.
import Disk
import Pipeline
import Plugins
import Store
import TestKit
import Testing

@Suite(.timeLimit(.minutes(1))) struct `A file that is written, and what others do to it` {
    let bench: PluginBench
    let source: RequestSource

    init() throws {
        bench = try PluginBench()
        source = try RequestSource()
    }

    private func make(_ name: String = "out.ndjson") throws -> FileOutput {
        try bench.make(FileOutput.self, ["path": .init(stringLiteral: bench.scratch.path(name))])
    }

    private func output(_ name: String = "out.ndjson") -> OutputBench { OutputBench(source) { try make(name) } }

    private func started() async throws -> OutputBench {
        let output = output()
        try await output.start()
        try await output.deliver(1, 10)
        return output
    }

    private func move(_ from: String = "out.ndjson", to: String) throws {
        try LocalFileSystem().rename(bench.scratch.path(from), to: bench.scratch.path(to))
    }

    private func truncate(_ name: String = "out.ndjson", to size: UInt64 = 0) throws {
        try OwnedFile.open(bench.scratch.path(name), .update).truncate(to: size)
    }

    private func append(_ text: String, to name: String = "out.ndjson") throws {
        try OwnedFile.open(bench.scratch.path(name), .append).write(Array(text.utf8).span)
    }

    // MARK: While it runs

    @Test(arguments: [false, true])
    func `what comes after it was moved away goes to a new file`(_ isMadeAgain: Bool) async throws {
        let output = try await started()
        try move(to: "out.ndjson.1")
        if isMadeAgain { try bench.scratch.write("out.ndjson", "") }
        try await output.deliver(11, 20)
        #expect(bench.lines("out.ndjson.1") == Array(source.lines[..<10]))
        #expect(bench.lines("out.ndjson") == Array(source.lines[10..<20]))
        #expect(bench.log.count("file_output_moved_files") == 1)
        #expect(bench.log.said("notice a file that is being written was moved away: a new one is begun"))
        try await output.start()
        try await output.deliver(21, 30)
        #expect(bench.lines("out.ndjson") == Array(source.lines[10..<30]))
    }

    @Test func `what comes after it was deleted goes to a new file`() async throws {
        let output = try await started()
        let size = try bench.scratch.contents("out.ndjson").count
        try LocalFileSystem().remove(bench.scratch.path("out.ndjson"))
        try await output.deliver(11, 20)
        #expect(bench.lines("out.ndjson") == Array(source.lines[10..<20]))
        #expect(bench.log.count("file_output_gone_bytes") == UInt64(size))
    }

    @Test func `a file that is truncated gets no hole`() async throws {
        let output = try await started()
        let size = try bench.scratch.contents("out.ndjson").count
        try truncate()
        try await output.deliver(11, 20)
        #expect(bench.lines("out.ndjson") == Array(source.lines[10..<20]))
        #expect(bench.log.count("file_output_truncated_bytes") == UInt64(size))
        try await output.start()
        try await output.deliver(21, 30)
        #expect(bench.lines("out.ndjson") == Array(source.lines[10..<30]))
    }

    @Test func `a file that is truncated between the look and the write gets no hole either`() async throws {
        _ = try await started()
        let output = try make()
        try await output.prepare()
        try truncate()
        try await output.send(source.request(11, 20))
        #expect(bench.lines("out.ndjson") == Array(source.lines[10..<20]))
        #expect(bench.log.count("file_output_truncated_bytes") > 0)
        try await output.prepare()
        try await output.send(source.request(21, 30))
        #expect(bench.lines("out.ndjson") == Array(source.lines[10..<30]))
    }

    @Test func `a request to a file that was deleted meanwhile fails, and goes to the next one`() async throws {
        let output = try make()
        try await output.prepare()
        try LocalFileSystem().remove(bench.scratch.path("out.ndjson"))
        await #expect(throws: DeliveryFailure.self) { try await output.send(source.request(1, 10)) }
        try await output.prepare()
        try await output.send(source.request(1, 10))
        #expect(bench.lines("out.ndjson") == Array(source.lines[..<10]))
    }

    @Test func `what a failed request left in a file is cut back although that was moved away`() async throws {
        let output = try await started()
        bench.disk.plan(.halfWrite(28), afterCalls: 0)
        await #expect(throws: (any Error).self) { try await output.deliver(11, 20) }
        try move(to: "out.ndjson.1")
        try await output.deliver(11, 20)
        #expect(bench.lines("out.ndjson.1") == Array(source.lines[..<10]))
        #expect(bench.lines("out.ndjson") == Array(source.lines[10..<20]))
    }

    @Test func `what somebody else writes to it is kept, and said`() async throws {
        let output = try await started()
        try append("theirs\nunfini")
        try await output.deliver(11, 20)
        #expect(bench.lines("out.ndjson") == source.lines[..<10] + ["theirs", "unfini"] + source.lines[10..<20])
        #expect(bench.log.count("file_output_other_writers_bytes") == 13)
    }

    @Test func `a second writer of our own kind is refused until the first is gone`() async throws {
        let output = try await started()
        let second = self.output()
        try await second.start()
        do {
            try await second.deliver(21, 30)
            Issue.record("two outputs write to one file")
        } catch let failure as DeliveryFailure {
            #expect(failure.reason.contains("another process writes to it, or another output"))
        }
        try await output.deliver(11, 20)
        #expect(bench.lines("out.ndjson") == Array(source.lines[..<20]))
        await output.close()
    }

    @Test func `an agent that takes it up while another has it cuts nothing back`() async throws {
        let output = try await started()
        let kept = output.kept
        try await output.send(11, 20)
        let second = try make()
        await #expect(throws: DeliveryFailure.self) { try await second.open(state: kept) }
        #expect(bench.lines("out.ndjson") == Array(source.lines[..<20]))
    }

    // MARK: While it does not run

    @Test func `an unfinished request is cut back also when the file was moved away meanwhile`() async throws {
        let output = try await started()
        try await output.send(11, 20)
        try move(to: "out.ndjson.1")
        try bench.scratch.write("out.ndjson", "")
        try await output.start()
        #expect(bench.lines("out.ndjson.1") == Array(source.lines[..<10]))
        try await output.deliver(11, 20)
        #expect(bench.lines("out.ndjson") == Array(source.lines[10..<20]))
    }

    @Test func `another file under its name is not cut back`() async throws {
        let output = try await started()
        try LocalFileSystem().remove(bench.scratch.path("out.ndjson"))
        let theirs = String(repeating: "a line of somebody else\n", count: 1000)
        try bench.scratch.write("out.ndjson", theirs)
        try await output.start()
        try await output.deliver(11, 20)
        #expect(try bench.scratch.contents("out.ndjson").starts(with: theirs.utf8))
        #expect(bench.lines("out.ndjson").suffix(10) == source.lines[10..<20])
    }

    @Test func `a copy in its place is known by its bytes`() async throws {
        let output = try await started()
        try await output.send(11, 20)
        let copy = try bench.scratch.contents("out.ndjson")
        try LocalFileSystem().remove(bench.scratch.path("out.ndjson"))
        try bench.scratch.write("out.ndjson", copy)
        try await output.start()
        #expect(bench.lines("out.ndjson") == Array(source.lines[..<10]))
    }

    @Test func `what an earlier version kept is understood`() async throws {
        let path = bench.scratch.path("out.ndjson")
        try bench.scratch.write("out.ndjson", "one\ntwo\n")
        var state: [UInt8] = [4, 0, 0, 0, 0, 0, 0, 0, UInt8(path.utf8.count), 0]
        state += Array(path.utf8)
        let output = try make()
        try await output.open(state: state)
        try await output.prepare()
        try await output.send(source.request(1, 2))
        #expect(bench.lines("out.ndjson") == ["one"] + source.lines[..<2])
    }

    // MARK: What is no file

    @Test func `a pipe and a folder are refused at the start`() throws {
        _ = try ChildProcess.run("mkfifo", bench.scratch.path("pipe"))
        try LocalFileSystem().makeFolder(bench.scratch.path("folder"))
        for (name, words) in [("pipe", "is a pipe, a socket or a device, and no file"), ("folder", "is a folder")] {
            do throws(PluginError) {
                let settings = SettingsReading(
                    ["path": .init(stringLiteral: bench.scratch.path(name))], as: FileOutput.Settings.self)
                _ = try FileOutput(settings.settings, context: bench.context)
                Issue.record("\(name) is taken")
            } catch {
                #expect(error.description.contains(words))
            }
        }
    }

    @Test func `a pipe that comes later fails with words`() async throws {
        let output = try make()
        _ = try ChildProcess.run("mkfifo", bench.scratch.path("out.ndjson"))
        do throws(DeliveryFailure) {
            try await output.prepare()
            Issue.record("a pipe is taken")
        } catch {
            #expect(error.reason.contains("it is a pipe, a socket or a device, and no file"))
        }
    }

    // MARK: A cursor that cannot be written

    @Test(arguments: [0, 1, 2, 3, 5, 8])
    func `nothing comes twice although the cursor could not be written`(_ good: Int) async throws {
        var writer = try Store.open(
            bench.scratch.path("data"), settings: .forTests, fileSystem: bench.disk, telemetry: bench.log.telemetry)
        let source = writer.define(.container("web"))
        for chunk in 0..<20 {
            #expect(
                writer.append(lines: RequestSource.records((chunk * 10)..<(chunk * 10 + 10)), of: source) == .stored)
        }
        let store = writer.store
        let broken = Handover(try StoreCursor(store, output: "file", start: .history, mayGiveWay: true))
        bench.disk.breakDown([.write], on: "cursors/0/file", with: 5, afterCalls: good)
        let status = DeliveryStatus()
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await deliver(store, broken, status) }
            while status.picture.failure == nil, !Task.isCancelled { await Task.yield() }
            group.cancelAll()
        }
        #expect(status.picture.failure?.contains("the output's cursor has to be written first") == true)
        bench.disk.heal()
        writer.close()
        let mended = Handover(try StoreCursor(store, output: "file", start: .history, mayGiveWay: true))
        await deliver(store, mended, DeliveryStatus())
        #expect(bench.lines("out.ndjson") == RequestSource.records(0..<200))
        #expect(Ledger(store).closes)
    }

    private func deliver(_ store: Store, _ cursor: Handover<StoreCursor>, _ status: DeliveryStatus) async {
        guard let cursor = cursor.take(), let output = try? make() else { return }
        let delivery = Delivery(
            output, cursor: cursor, store: store,
            settings: DeliverySettings.forTests.with { $0.maxRequest = ByteSize(bytes: 1) }, status: status,
            telemetry: bench.log.telemetry)
        await delivery.run()
    }
}

@Suite struct `Which files an output writes` {
    private func written(_ path: String) throws -> WrittenFiles {
        try #require(
            SettingsReading(["path": .init(stringLiteral: path)], as: FileOutput.Settings.self).settings.written)
    }

    @Test(arguments: [
        ("/nowhere/a.ndjson", "/nowhere/a.ndjson"),
        ("/nowhere/a.ndjson", "/nowhere/b/.././/a.ndjson"),
        ("/nowhere/%Y-%m-%d.ndjson", "/nowhere/%Y-%d-%m.ndjson"),
        ("/nowhere/%Y.ndjson", "/nowhere/2026.ndjson"),
        ("/nowhere/%Y/a", "/nowhere/%H%M/a"),
        ("/nowhere/a", "/nowhere/a.0001"),
        ("/nowhere/a.%H%M", "/nowhere/a"),
        ("/nowhere/100%%", "/nowhere/100%%"),
    ])
    func `two paths that can be one file meet`(_ a: String, _ b: String) throws {
        #expect(try written(a).meet(written(b)) && written(b).meet(written(a)))
    }

    @Test(arguments: [
        ("/nowhere/a.ndjson", "/nowhere/b.ndjson"), ("/nowhere/a", "/somewhere/a"),
        ("/nowhere/a-%Y.ndjson", "/nowhere/b-%Y.ndjson"), ("/nowhere/%Y", "/nowhere/%j"),
        ("/nowhere/%m", "/nowhere/20"), ("/nowhere/a", "/nowhere/a.1"), ("/nowhere/%H.%Y", "/nowhere/%H:%Y"),
    ])
    func `others do not`(_ a: String, _ b: String) throws {
        #expect(try !written(a).meet(written(b)) && !written(b).meet(written(a)))
    }

    @Test func `links and relative paths are followed as far as they exist`() throws {
        let scratch = try ScratchDirectory()
        try LocalFileSystem().makeFolder(scratch.path("real"))
        _ = try ChildProcess.run("ln", "-s", "real", scratch.path("link"))
        try scratch.write("real/there", "")
        _ = try ChildProcess.run("ln", "-s", "real/there", scratch.path("other"))
        let real = try written(scratch.path("real/%Y/x"))
        #expect(try real.meet(written(scratch.path("link/%Y/x"))))
        #expect(try real.meet(written(scratch.path("link/../real/2026/x"))))
        #expect(try written(scratch.path("other")).meet(written(scratch.path("link/there"))))
        #expect(try written("made/%Y").meet(written("./made/../made/%Y")))
    }

    @Test func `a path is known as one of them`() throws {
        let files = try written("/nowhere/%Y.ndjson")
        #expect(files.contains("/nowhere/2026.ndjson") && files.contains("/nowhere/2026.ndjson.0012"))
        #expect(!files.contains("/nowhere/2026") && !files.contains("/nowhere/2026.ndjson.1"))
        #expect(files.example == "/nowhere/0000.ndjson")
    }
}
