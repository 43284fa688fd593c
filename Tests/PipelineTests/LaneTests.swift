// The lane: from an input to the store, with positions, in time, and when the store takes nothing.
import Disk
import Pipeline
import Records
import Store
import TestKit
import Testing

@Suite(.timeLimit(.minutes(1))) struct `A lane` {
    let bench: Bench

    init() throws { bench = try Bench() }

    private var slow: LaneSettings {
        var settings = LaneSettings()
        settings.linger = 3600 * 1_000_000_000
        settings.pace = 1_000_000
        return settings
    }

    private var fast: LaneSettings {
        var settings = LaneSettings()
        settings.linger = 0
        settings.pace = 1_000_000
        return settings
    }

    private func tail(_ lines: [String]) -> [String] {
        // Without the time, which is the same for all.
        lines.map { String($0.drop { $0 != "," }.dropFirst()) }
    }

    // MARK: Reading

    @Test func `records arrive in the store, in order and whole`() async throws {
        let script = InputScript(messages: [["one", "two"], ["{\"level\":\"error\",\"a\":1}"]])
        let store = try await bench.runOnce(["logs": script])
        #expect(
            try tail(store.lines()) == [
                #""stream":"stdout","message":"one","origin":"web"}"#,
                #""stream":"stdout","message":"two","origin":"web"}"#,
                #""stream":"stdout","severity":"error","level":"error","a":1,"origin":"web"}"#,
            ])
        #expect(store.isEnded)
    }

    @Test func `JSON stays text where the input says so`() async throws {
        let script = InputScript([.init(messages: ["{\"a\":1}"], position: 1)], jsonMode: .off)
        let store = try await bench.runOnce(["logs": script])
        #expect(try tail(store.lines()) == [#""stream":"stdout","message":"{\"a\":1}","origin":"web"}"#])
    }

    @Test func `the names of static fields are reserved`() async throws {
        let store = try await bench.runOnce(["logs": InputScript(messages: [["{\"zone\":1}"]])], fieldNames: ["zone"])
        #expect(try tail(store.lines()) == [#""stream":"stdout","zone_":1,"origin":"web"}"#])
        #expect(store.counts["logs"]?[.renamedMembers] == 1)
    }

    @Test func `the next start finds the positions that were stored with the records`() async throws {
        let first = InputScript([
            .init(messages: ["a"], position: 1), .init(source: "db", messages: ["b"], position: 7),
            .init(messages: ["c"], position: 2),
        ])
        _ = try await bench.runOnce(["logs": first])
        let begin = try #require(first.starts.first)
        #expect(begin.known.isEmpty && begin.isFirst)

        let second = InputScript([.init(source: "db", position: 8, isRetired: true)])
        let other = InputScript()
        _ = try await bench.runOnce(["logs": second, "other": other])
        let known = try #require(second.starts.first)
        #expect(known.known.map(\.identity.pod) == ["web", "db"])
        #expect(known.known.map(\.position.count) == [2, 7])
        #expect(!known.isFirst)
        #expect(other.starts.first?.isFirst == true && other.starts.first?.known.isEmpty == true)

        let third = InputScript()
        _ = try await bench.runOnce(["logs": third])
        #expect(third.starts.first?.known.map(\.identity.pod) == ["web"], "a source that is done is forgotten")
    }

    @Test func `after a crash the positions are those of the last chunk`() async throws {
        let writer = try bench.open()
        let store = writer.store
        let script = InputScript(messages: [["a"]])
        let control = try bench.startLane(writer, ["logs": script], settings: fast)
        await store.wait { $0.nextSequence == 2 }
        // What comes now is read, and lost with the process.
        bench.disk.crash()
        script.add(.init(messages: ["b"], position: 2), waking: control)
        await store.wait { $0.trouble != nil }
        control.stop()
        await store.ended()
        bench.disk.restart()

        let again = InputScript()
        let reopened = try await bench.runOnce(["logs": again])
        #expect(again.starts.first?.known.map(\.position.count) == [1])
        #expect(try reopened.lines().count == 1)
    }

    @Test func `inputs are served in turn, each with chunks of its own`() async throws {
        let one = InputScript(messages: [["a1"], ["a2"]])
        let two = InputScript(messages: [["b1"], ["b2"]])
        let store = try await bench.runOnce(["one": one, "two": two])
        #expect(store.counts["one"]?[.storedRecords] == 2 && store.counts["two"]?[.storedRecords] == 2)
        #expect(store.segments.reduce(0) { $0 + $1.recordCount } == 4)
        #expect(Ledger(store).closes)
    }

    @Test func `an input that cannot run is named`() throws {
        let writer = try bench.open()
        let script = InputScript(refusal: "the folder is on fire")
        let plan = LaneInputPlan(name: "logs") { () throws(PluginError) in ScriptedInput(script, name: "logs") }
        let telemetry = bench.log.telemetry
        let control = try LaneControl()
        do throws(PluginError) {
            _ = try Lane(
                writer: writer, inputs: [plan], filters: [], fieldNames: [], settings: LaneSettings(), control: control,
                telemetry: telemetry)
            Issue.record("the lane was made")
        } catch {
            #expect(error.description == "input logs: the folder is on fire")
        }
    }

    // MARK: Filters

    @Test func `a filtered record is not stored, but counted, and its source gets on`() async throws {
        let script = InputScript(messages: [["keep 1", "secret"], ["noise"], ["keep 2"]])
        let store = try await bench.runOnce(["logs": script], dropping: ["secret", "noise"])
        #expect(try store.lines().count == 2)
        let counts = try #require(store.counts["logs"])
        #expect(counts[.readRecords] == 4 && counts[.storedRecords] == 2 && counts[.filteredRecords] == 2)
        #expect(Ledger(store).closes)
        let again = InputScript()
        _ = try await bench.runOnce(["logs": again])
        #expect(again.starts.first?.known.map(\.position.count) == [4])
    }

    @Test func `the scripted filter itself keeps the rules of filters`() throws {
        try FilterConformance { WordFilter("one") }.check()
    }

    @Test func `where everything is filtered, progress is stored without records`() async throws {
        let store = try await bench.runOnce(["logs": InputScript(messages: [["noise"]])], dropping: ["noise"])
        #expect(store.nextSequence == 1)
        let again = InputScript()
        _ = try await bench.runOnce(["logs": again])
        #expect(again.starts.first?.known.map(\.position.count) == [1])
    }

    // MARK: When chunks are written

    @Test func `a chunk is written when its oldest record has lingered`() async throws {
        let writer = try bench.open()
        let store = writer.store
        var settings = fast
        settings.linger = 40_000_000
        let started = SystemClock.monotonic
        let script = InputScript(messages: [["a"]])
        let control = try bench.startLane(writer, ["logs": script], settings: settings)
        await store.wait { $0.nextSequence == 2 }
        #expect(SystemClock.monotonic - started >= settings.linger)
        control.stop()
        await store.ended()
    }

    @Test func `records that come within the linger share a chunk`() async throws {
        let writer = try bench.open()
        let store = writer.store
        let script = InputScript(messages: [["a"], ["b"], ["c"]])
        let before = try #require(store.segments.last?.chunkCount)
        let control = try bench.startLane(writer, ["logs": script], settings: slow)
        await script.emptied()
        control.stop()
        await store.ended()
        #expect(store.nextSequence == 4)
        #expect(store.segments.last?.chunkCount == before + 1)
    }

    @Test func `a full chunk does not linger`() async throws {
        let writer = try bench.open()
        let store = writer.store
        let big = String(repeating: "x", count: 300 * 1024)
        let control = try bench.startLane(writer, ["logs": InputScript(messages: [[big]])], settings: slow)
        await store.wait { $0.nextSequence == 2 }
        control.stop()
        await store.ended()
    }

    @Test func `progress over much that gave no records is stored at once`() async throws {
        let writer = try bench.open()
        let store = writer.store
        let before = store.segments.last?.chunkCount
        let script = InputScript([.init(position: 5, readBytes: 16 << 20)])
        let control = try bench.startLane(writer, ["logs": script], settings: slow)
        await store.wait { $0.segments.last?.chunkCount != before }
        #expect(store.nextSequence == 1 && store.counts["logs"]?[.readBytes] == 16 << 20)
        control.stop()
        await store.ended()
    }

    @Test func `stopping writes what is held`() async throws {
        let writer = try bench.open()
        let store = writer.store
        let script = InputScript(messages: [["a"], ["b"]])
        let control = try bench.startLane(writer, ["logs": script], settings: slow)
        await script.emptied()
        #expect(store.nextSequence == 1)
        control.stop()
        await store.ended()
        #expect(store.nextSequence == 3)
        #expect(Ledger(store).closes)
    }

    @Test func `a batch that comes later wakes a waiting lane`() async throws {
        let writer = try bench.open()
        let store = writer.store
        let script = InputScript()
        let control = try bench.startLane(writer, ["logs": script], settings: fast)
        for number in 1...5 {
            script.add(.init(messages: ["\(number)"], position: UInt64(number)), waking: control)
            await store.wait { $0.nextSequence == UInt64(number) + 1 }
        }
        control.stop()
        await store.ended()
        #expect(control.reason == nil)
    }

    // MARK: When the store takes nothing

    private var small: StoreLimits {
        var limits = StoreLimits.forTests
        limits.maxSize = 256 * 1024
        limits.segmentSize = 32 * 1024
        return limits
    }

    @Test func `reading pauses when the store is full, and goes on when a cursor moves`() async throws {
        let writer = try bench.open(small)
        let store = writer.store
        var cursor = try bench.cursor(store)
        let script = InputScript(messages: (1...60).map { [noise($0, bytes: 10_000)] })
        let control = try bench.startLane(writer, ["logs": script], settings: fast)
        await store.wait { $0.trouble != nil }
        #expect(bench.log.said("the store is full: reading pauses"))
        let reached = store.nextSequence
        #expect(reached < 60)

        // Everything that waits is delivered, again and again, until all is in.
        while store.nextSequence < 61 {
            let next = store.nextSequence
            try cursor.settle(next: next) { $0.delivered = next - 1 }
            _ = cursor.publish(waitingBytes: 0)
            await store.wait { $0.nextSequence > next }
        }
        #expect(script.left == 0)
        control.stop()
        await store.ended()
        #expect(store.counts["logs"]?[.storedRecords] == 60)
        try cursor.settle(next: 61) { $0.delivered = 60 }
        _ = cursor.publish(waitingBytes: 0)
        #expect(Ledger(store).closes)
    }

    // Hundreds of pauses: were each of them as long as the longest retry, the limit would be passed.
    @Test(.timeLimit(.minutes(1)))
    func `a store that is full all the time passes on what its output takes, without stalls`() async throws {
        let writer = try bench.open(small)
        let store = writer.store
        let cursor = Handover(try bench.cursor(store))
        let script = InputScript(messages: (1...300).map { [noise($0, bytes: 10_000)] })
        var settings = fast
        settings.once = true
        _ = try bench.startLane(writer, ["logs": script], settings: settings)
        let output = OutputScript()
        await bench.deliver(store, cursor, output)
        #expect(output.lines.count == 300)
        #expect(Ledger(store).closes)
    }

    @Test func `while much waits for the outputs, reading spares them`() async throws {
        let writer = try bench.open()
        let store = writer.store
        var cursor = try bench.cursor(store)
        var settings = fast
        settings.catchUpWindow = 30_000
        let script = InputScript(messages: (1...3).map { [noise($0, bytes: 20_000)] })
        let control = try bench.startLane(writer, ["logs": script], settings: settings)
        await store.wait { $0.nextSequence == 4 }
        script.add(.init(messages: ["a"], position: 4), waking: control)
        await store.wait { $0.nextSequence == 5 }
        try cursor.settle(next: 5) { $0.delivered += 4 }
        _ = cursor.publish(waitingBytes: 0)
        script.add(.init(messages: ["b"], position: 5), waking: control)
        await store.wait { $0.nextSequence == 6 }
        #expect(script.sparing.first == false && script.sparing.last == false)
        #expect(script.sparing[3], "more than the window waits: \(script.sparing)")
        control.stop()
        await store.ended()
    }

    @Test func `what the store did not take before the end is read again`() async throws {
        let writer = try bench.open(small)
        let store = writer.store
        let cursor = try bench.cursor(store)
        let script = InputScript(messages: (1...60).map { [noise($0, bytes: 10_000)] })
        let control = try bench.startLane(writer, ["logs": script], settings: fast)
        await store.wait { $0.trouble != nil }
        control.stop()
        await store.ended()
        let stored = store.nextSequence - 1
        #expect(cursor.state.next == 1)
        let again = InputScript()
        var settings = LaneSettings()
        settings.once = true
        let second = try bench.open(small)
        let reopened = second.store
        _ = try bench.startLane(second, ["logs": again], settings: settings)
        await reopened.ended()
        #expect(again.starts.first?.known.map(\.position.count) == [stored], "not one record more, not one less")
    }

    @Test func `a disk that is full for a while costs nothing`() async throws {
        let writer = try bench.open()
        let store = writer.store
        let script = InputScript()
        let control = try bench.startLane(writer, ["logs": script], settings: fast)
        script.add(.init(messages: ["a"], position: 1), waking: control)
        await store.wait { $0.nextSequence == 2 }
        bench.disk.fillUp(with: 28)
        script.add(.init(messages: ["b"], position: 2), waking: control)
        await store.wait { $0.trouble != nil }
        #expect(store.trouble?.contains("No space left") == true)
        bench.disk.heal()
        await store.wait { $0.nextSequence == 3 }
        #expect(store.trouble == nil)
        control.stop()
        await store.ended()
        #expect(bench.log.said("the store can be written again"))
        #expect(Ledger(store).closes)
    }
}
