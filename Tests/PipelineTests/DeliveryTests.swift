// Delivery: the same request again after a failure and after a restart, in order, within its limits; every gap with its reason.
import Disk
import Pipeline
import Store
import Synchronization
import TestKit
import Testing

@Suite(.timeLimit(.minutes(1))) struct `A delivery` {
    let bench: Bench

    init() throws { bench = try Bench() }

    private var cursorPath: String { bench.folder.cursor(lane: 0, output: "out") }

    // MARK: Order

    @Test func `everything comes, in order and once, and the cursor ends behind it`() async throws {
        let (store, cursor) = try bench.ended([numbered(1...3), numbered(4...4), numbered(5...9)])
        let script = OutputScript()
        let status = DeliveryStatus()
        await bench.deliver(store, cursor, script, status: status)
        #expect(script.lines == numbered(1...9))
        #expect(script.ranges == ["1-9"])
        let state = try bench.onDisk()
        #expect(state.next == 10 && state.sending.isEmpty && state.account.delivered == 9)
        #expect(status.picture.isDone && status.picture.failure == nil && status.picture.lastSuccess > 0)
        #expect(status.picture.deliveredBytes == UInt64(script.seen[0].textSize))
        #expect(script.closed == 1)
        #expect(Ledger(store).closes)
    }

    @Test func `the key names store, epoch, lane, output and range`() async throws {
        let (store, cursor) = try bench.ended([numbered(1...3)])
        let script = OutputScript()
        await bench.deliver(store, cursor, script)
        #expect(script.seen.map(\.key) == ["\(store.identity.name)/1/0/out/1-3"])
    }

    @Test func `the range is on disk before the request goes out`() async throws {
        let (store, cursor) = try bench.ended([numbered(1...3)])
        let script = OutputScript(cursorPath: cursorPath)
        await bench.deliver(store, cursor, script)
        let during = try #require(script.seen.first?.cursor)
        #expect(during.next == 1 && during.sending == [SendingRange(first: 1, last: 3, epoch: 1)])
        #expect(during.account.delivered == 0)
    }

    @Test func `records that come later are sent later, and the end of the store ends the delivery`() async throws {
        var writer = try bench.open()
        let store = writer.store
        let cursor = Handover(try bench.cursor(store))
        let script = OutputScript()
        async let delivery: Void = bench.deliver(store, cursor, script)
        let source = writer.define(.container("web"))
        for number in 1...5 {
            #expect(writer.append(lines: numbered(number...number), of: source) == .stored)
            await script.requests(number)
        }
        writer.close()
        await delivery
        #expect(script.ranges == ["1-1", "2-2", "3-3", "4-4", "5-5"])
    }

    // MARK: Failures

    @Test func `after a failure the same request comes again, byte for byte`() async throws {
        let (store, cursor) = try bench.ended([numbered(1...3), numbered(4...5)])
        let script = OutputScript([.failure("503"), .failure("timeout"), .failure("reset")], cursorPath: cursorPath)
        let status = DeliveryStatus()
        await bench.deliver(store, cursor, script, status: status)
        #expect(script.ranges == ["1-5", "1-5", "1-5", "1-5"])
        #expect(Set(script.seen.map(\.key)).count == 1 && Set(script.seen.map(\.body)).count == 1)
        #expect(Set(script.seen.map { $0.cursor?.next }) == [1], "the cursor does not move before it succeeds")
        #expect(bench.log.count("output_retries") == 3 && bench.log.count("output_recoveries") == 1)
        #expect(bench.log.said("reason=503") && bench.log.said("attempt=3"))
        #expect(try bench.onDisk().account.delivered == 5)
        #expect(status.picture.failure == nil)
    }

    @Test func `what comes while a request fails does not change it`() async throws {
        var writer = try bench.open()
        let store = writer.store
        let cursor = Handover(try bench.cursor(store))
        let source = writer.define(.container("web"))
        #expect(writer.append(lines: numbered(1...2), of: source) == .stored)
        let script = OutputScript(Array(repeating: .failure("no"), count: 5))
        async let delivery: Void = bench.deliver(store, cursor, script)
        await script.requests(2)
        #expect(writer.append(lines: numbered(3...4), of: source) == .stored)
        writer.close()
        await delivery
        #expect(script.ranges == Array(repeating: "1-2", count: 6) + ["3-4"])
        #expect(Set(script.seen.prefix(6).map(\.body)).count == 1)
    }

    @Test func `a wait that the receiver asks for is kept`() async throws {
        let (store, cursor) = try bench.ended([numbered(1...1)])
        let script = OutputScript([.failure("429", retryAfter: .milliseconds(60))])
        let started = SystemClock.monotonic
        await bench.deliver(store, cursor, script)
        #expect(SystemClock.monotonic - started >= 60_000_000)
        #expect(bench.log.said("next_try_ms=60"))
    }

    @Test func `an output that cannot be opened is opened again, and gets its state`() async throws {
        let (store, cursor) = try bench.ended([numbered(1...2)])
        let script = OutputScript()
        script.answerOpen([.failure("not yet"), .failure("not yet")])
        await bench.deliver(store, cursor, script)
        #expect(script.opened == [[], [], []] && script.ranges == ["1-2"])
        #expect(try bench.onDisk().outputState == Array("2".utf8))

        let writer = try bench.open()
        let again = Handover(try bench.cursor(writer.store))
        let reopened = writer.store
        writer.close()
        let second = OutputScript()
        await bench.deliver(reopened, again, second)
        #expect(second.opened == [Array("2".utf8)] && second.seen.isEmpty)
    }

    @Test func `what an output prepares is kept before the request goes out`() async throws {
        let (store, cursor) = try bench.ended([numbered(1...2)])
        let script = OutputScript([.failure("once")], cursorPath: cursorPath)
        script.prepareStates([Array("new file".utf8), Array("newer file".utf8)])
        await bench.deliver(store, cursor, script)
        #expect(script.seen.map { $0.cursor?.outputState } == [Array("new file".utf8), Array("newer file".utf8)])
        #expect(script.seen.map { $0.cursor?.sending.first?.last } == [2, 2])
    }

    @Test func `a cursor that cannot be written is told, and delivery goes on`() async throws {
        let (store, cursor) = try bench.ended([numbered(1...2)])
        bench.disk.breakDown([.write], with: 5)
        let script = OutputScript()
        await bench.deliver(store, cursor, script)
        #expect(script.ranges == ["1-2"])
        #expect(bench.log.count("cursor_write_failures") > 0)
        #expect(try bench.onDisk().next == 1, "the next start repeats it")
    }

    @Test func `a store that cannot be read for a moment is read later, also at its end`() async throws {
        let (store, cursor) = try bench.ended([numbered(1...3)])
        let path = try #require(bench.segments.last)
        let files = LocalFileSystem()
        // A link to itself in its place: it is there, but cannot be opened.
        try files.rename(path, to: path + ".away")
        #expect(try ChildProcess.run("ln", "-s", path, path).status == 0)
        let script = OutputScript()
        let status = DeliveryStatus()
        async let delivery: Void = bench.deliver(store, cursor, script, status: status)
        while bench.log.count("store_read_failures") == 0 { try await Task.sleep(for: .milliseconds(1)) }
        #expect(!status.picture.isDone)
        // In one step: a file that is missing, if only for a moment, is one that was deleted.
        try files.rename(path + ".away", to: path)
        await delivery
        #expect(script.lines == numbered(1...3) && status.picture.isDone)
    }

    // MARK: Restarts

    /// Delivers until a request hangs, then ends as a process does that is told to stop.
    private func cancelled(
        _ store: Store, _ cursor: Handover<StoreCursor>, _ script: OutputScript, after requests: Int
    ) async {
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await bench.deliver(store, cursor, script) }
            await script.requests(requests)
            group.cancelAll()
        }
    }

    @Test func `after a restart exactly the range that was on its way comes first, under its old key`() async throws {
        let (store, cursor) = try bench.ended([numbered(1...2), numbered(3...4)])
        let hanging = OutputScript([.silence])
        let status = DeliveryStatus()
        await cancelled(store, cursor, hanging, after: 1)
        #expect(!status.picture.isDone)
        #expect(try bench.onDisk().sending == [SendingRange(first: 1, last: 4, epoch: 1)])
        #expect(try bench.onDisk().account.delivered == 0)

        // More has come since, and would fit into the same request.
        var writer = try bench.open()
        let again = Handover(try bench.cursor(writer.store))
        try bench.fill(&writer, [numbered(5...6)])
        let reopened = writer.store
        writer.close()
        let script = OutputScript([.failure("still down")])
        await bench.deliver(reopened, again, script)
        #expect(script.ranges == ["1-4", "1-4", "5-6"])
        #expect(script.seen.prefix(2).allSatisfy { $0.key == hanging.seen[0].key && $0.body == hanging.seen[0].body })
        #expect(script.seen[2].key == "\(reopened.identity.name)/2/0/out/5-6")
        #expect(try bench.onDisk().account.delivered == 6)
        #expect(Ledger(reopened).closes)
    }

    @Test func `a range that ends inside a chunk is repeated as it was, then the rest of the chunk comes`() async throws
    {
        var writer = try bench.open()
        let store = writer.store
        var cursor = try bench.cursor(store)
        try bench.fill(&writer, [numbered(1...4), numbered(5...9)])
        writer.close()
        try cursor.settle(next: 3) { $0.delivered += 2 }
        try cursor.beginSending([SendingRange(first: 3, last: 6, epoch: 1)])
        let script = OutputScript()
        await bench.deliver(store, Handover(cursor), script)
        #expect(script.ranges == ["3-6", "7-9"])
        #expect(script.seen.map(\.recordCount) == [4, 3])
        #expect(script.seen.map(\.lines) == [numbered(3...6), numbered(7...9)])
        #expect(try bench.onDisk().account.delivered == 9)
        #expect(Ledger(store).closes)
    }

    @Test func `a range that was on its way and is lost by now is counted, and what follows comes`() async throws {
        var writer = try bench.open()
        let store = writer.store
        var cursor = try bench.cursor(store)
        try bench.fill(&writer, [numbered(1...2), numbered(3...5)])
        writer.close()
        try cursor.beginSending([SendingRange(first: 1, last: 2, epoch: 1)])
        try bench.damage(store, record: 1)
        let script = OutputScript()
        let status = DeliveryStatus()
        await bench.deliver(store, Handover(cursor), script, status: status)
        #expect(script.ranges == ["3-5"] && status.picture.isDone)
        let account = try bench.onDisk().account
        #expect(account[.damaged] == 2 && account.delivered == 3)
        #expect(Ledger(store).closes)
    }

    @Test func `numbers that were skipped by a restart are not missed`() async throws {
        var first = try bench.open()
        _ = try bench.cursor(first.store)
        try bench.fill(&first, [numbered(1...2)])
        first.close()
        // A start without records: its segment's number is passed over.
        try bench.open().close()
        try bench.open().close()
        var writer = try bench.open()
        let store = writer.store
        let cursor = Handover(try bench.cursor(store))
        try bench.fill(&writer, [numbered(3...4)])
        writer.close()
        let script = OutputScript()
        await bench.deliver(store, cursor, script)
        #expect(script.lines == numbered(1...4))
        #expect(script.seen.reduce(0) { $0 + $1.recordCount } == 4)
        #expect(try bench.onDisk().account.delivered == 4)
        #expect(bench.log.count("output_lost_records") == 0)
        #expect(Ledger(store).closes)
    }

    // MARK: Size and time

    @Test func `a request is no larger than max_request, unless one chunk is`() async throws {
        let chunks =
            (1...6).map { [noise($0, bytes: 40_000)] } + [[noise(7, bytes: 200_000)]] + [[noise(8, bytes: 1000)]]
        let (store, cursor) = try bench.ended(chunks)
        var settings = DeliverySettings.forTests
        settings.maxRequest = .kibibytes(80)
        let script = OutputScript()
        await bench.deliver(store, cursor, script, settings)
        #expect(script.ranges == ["1-2", "3-4", "5-6", "7-7", "8-8"])
        #expect(script.seen.allSatisfy { $0.body.count <= 80 << 10 || $0.first == 7 })
        #expect(script.lines == chunks.flatMap { $0 })
    }

    @Test func `a small request waits for more, a large one does not`() async throws {
        var writer = try bench.open()
        let store = writer.store
        let cursor = Handover(try bench.cursor(store))
        let source = writer.define(.container("web"))
        #expect(writer.append(lines: numbered(1...1), of: source) == .stored)
        var settings = DeliverySettings.forTests
        settings.maxDelay = .hours(1)
        let script = OutputScript()
        async let delivery: Void = bench.deliver(store, cursor, script, settings)
        for number in 2...3 {
            await Task.yield()
            #expect(writer.append(lines: [noise(number, bytes: 50_000)], of: source) == .stored)
        }
        await script.requests(1)
        #expect(script.ranges == ["1-3"])
        // At the end nothing waits any more.
        #expect(writer.append(lines: numbered(4...4), of: source) == .stored)
        writer.close()
        await delivery
        #expect(script.ranges == ["1-3", "4-4"])
    }

    @Test func `a small request goes out after max_delay`() async throws {
        var writer = try bench.open()
        let store = writer.store
        let cursor = Handover(try bench.cursor(store))
        try bench.fill(&writer, [numbered(1...1)])
        var settings = DeliverySettings.forTests
        settings.maxDelay = .milliseconds(50)
        let script = OutputScript()
        let started = SystemClock.monotonic
        async let delivery: Void = bench.deliver(store, cursor, script, settings)
        await script.requests(1)
        #expect(SystemClock.monotonic - started >= 50_000_000)
        writer.close()
        await delivery
        #expect(script.ranges == ["1-1"])
    }

    // MARK: Gaps

    @Test func `segments that are gone are counted as retired`() async throws {
        var first = try bench.open()
        _ = try bench.cursor(first.store)
        try bench.fill(&first, [numbered(1...5)])
        first.close()
        var second = try bench.open()
        try bench.fill(&second, [numbered(6...8)])
        second.close()
        try LocalFileSystem().remove(try #require(bench.segments.first))
        let writer = try bench.open()
        let store = writer.store
        let cursor = Handover(try bench.cursor(store))
        writer.close()
        let script = OutputScript()
        await bench.deliver(store, cursor, script)
        #expect(script.lines == numbered(6...8))
        let account = try bench.onDisk().account
        #expect(account[.retired] == 5 && account.delivered == 3)
        #expect(bench.log.count("output_lost_records") == 5 && bench.log.said("reason=retired"))
        #expect(Ledger(store).closes)
    }

    @Test func `a damaged chunk is skipped and counted, what lies before it is sent first`() async throws {
        let (store, cursor) = try bench.ended([numbered(1...2), numbered(3...6), numbered(7...9)])
        try bench.damage(store, record: 4)
        let script = OutputScript()
        await bench.deliver(store, cursor, script)
        #expect(script.ranges == ["1-2", "7-9"])
        let state = try bench.onDisk()
        #expect(state.account[.damaged] == 4 && state.account.delivered == 5 && state.next == 10)
        #expect(bench.log.said("reason=damaged"))
        #expect(Ledger(store).closes)
    }

    @Test func `damage at the very end is counted too`() async throws {
        let (store, cursor) = try bench.ended([numbered(1...2), numbered(3...6)])
        try bench.damage(store, record: 4)
        let script = OutputScript()
        await bench.deliver(store, cursor, script)
        #expect(script.ranges == ["1-2"])
        #expect(try bench.onDisk().account[.damaged] == 4)
        #expect(try bench.onDisk().next == 7)
    }

    @Test func `what is older than max_age is dropped, a request that was on its way is not`() async throws {
        var writer = try bench.open()
        let store = writer.store
        var cursor = try bench.cursor(store)
        try bench.fill(&writer, [numbered(1...2), numbered(3...5)])
        writer.close()
        try cursor.beginSending([SendingRange(first: 1, last: 2, epoch: 1)])
        var settings = DeliverySettings.forTests
        settings.maxAge = .zero
        let script = OutputScript()
        await bench.deliver(store, Handover(cursor), script, settings)
        #expect(script.ranges == ["1-2"])
        let account = try bench.onDisk().account
        #expect(account[.tooOld] == 3 && account.delivered == 2)
        #expect(bench.log.said("reason=too_old"))
        #expect(Ledger(store).closes)
    }

    @Test(arguments: [7_200_000_000_000, -7_200_000_000_000] as [Int64])
    func `a step of the wall clock drops nothing that has not waited for max_age`(_ step: Int64) async throws {
        let shift = ClockShift()
        let clocks = MachineClocks(
            wall: { SystemClock.realtime + shift.nanoseconds }, running: { SystemClock.boottime }, boot: { [1] })
        var writer = try Store.open(
            bench.folder.path, settings: .forTests, fileSystem: bench.disk, telemetry: bench.log.telemetry,
            clocks: clocks)
        let store = writer.store
        let cursor = Handover(try bench.cursor(store))
        try bench.fill(&writer, [numbered(1...3)])
        shift.nanoseconds = step
        try bench.fill(&writer, [numbered(4...6)])
        shift.nanoseconds = 0
        try bench.fill(&writer, [numbered(7...9)])
        shift.nanoseconds = step
        writer.close()
        var settings = DeliverySettings.forTests
        settings.maxAge = .minutes(30)
        let script = OutputScript()
        await bench.deliver(store, cursor, script, settings)
        #expect(script.lines == numbered(1...9))
        #expect(try bench.onDisk().account.droppedInAll == 0)
    }

    @Test func `what lies further back than max_waiting is dropped`() async throws {
        let (store, cursor) = try bench.ended((1...6).map { [noise($0, bytes: 20_000)] })
        var settings = DeliverySettings.forTests
        settings.maxWaiting = .kibibytes(40)
        let script = OutputScript()
        await bench.deliver(store, cursor, script, settings)
        let account = try bench.onDisk().account
        #expect(account[.tooMuch] == 4 && account.delivered == 2, "\(account)")
        #expect(script.lines == [noise(5, bytes: 20_000), noise(6, bytes: 20_000)])
        #expect(bench.log.said("reason=too_much"))
        #expect(Ledger(store).closes)
    }

    @Test func `the slowest output gives way when the store is full`() async throws {
        var limits = StoreLimits.forTests
        limits.maxSize = 256 * 1024
        limits.segmentSize = 32 * 1024
        var writer = try bench.open(limits)
        let store = writer.store
        var fast = try bench.cursor(store, "fast", mayGiveWay: false)
        let slow = Handover(try bench.cursor(store))
        let source = writer.define(.container("web"))
        for number in 1...60 {
            var outcome = writer.append(lines: [noise(number, bytes: 10_000)], of: source)
            if outcome != .stored {
                // Room is made when the newest segment is durable.
                writer.awaitSync()
                outcome = writer.append(lines: [noise(number, bytes: 10_000)], of: source)
            }
            #expect(outcome == .stored)
            try fast.settle(next: UInt64(number) + 1) { $0.delivered += 1 }
            _ = fast.publish(waitingBytes: 0)
        }
        writer.close()
        let script = OutputScript()
        await bench.deliver(store, slow, script)
        let account = try bench.onDisk().account
        #expect(account[.gaveWay] > 0 && account[.retired] == 0, "\(account)")
        #expect(account[.gaveWay] + account.delivered == 60)
        #expect(script.lines == ((Int(account[.gaveWay]) + 1)...60).map { noise($0, bytes: 10_000) })
        #expect(bench.log.said("reason=gave_way"))
        #expect(Ledger(store).closes)
    }

    @Test func `an output that was never opened keeps its state, whatever it has lost meanwhile`() async throws {
        var limits = StoreLimits.forTests
        limits.maxSize = 256 * 1024
        limits.segmentSize = 32 * 1024
        var writer = try bench.open(limits)
        let store = writer.store
        var fast = try bench.cursor(store, "fast")
        var slow = try bench.cursor(store)
        try slow.settle(next: 1, outputState: Array("a file and its length".utf8)) { _ in }
        let source = writer.define(.container("web"))
        for number in 1...60 {
            if writer.append(lines: [noise(number, bytes: 10_000)], of: source) != .stored { writer.awaitSync() }
            try fast.settle(next: store.nextSequence) { $0.delivered = store.nextSequence - 1 }
            _ = fast.publish(waitingBytes: 0)
        }
        writer.close()
        #expect(bench.log.count("output_gave_way_records") > 0)
        let script = OutputScript()
        script.answerOpen(Array(repeating: .failure("no such disk"), count: 100_000))
        let cursor = Handover(slow)
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await bench.deliver(store, cursor, script) }
            while script.opened.count < 2 { try? await Task.sleep(for: .milliseconds(1)) }
            group.cancelAll()
        }
        let state = try bench.onDisk()
        #expect(state.outputState == Array("a file and its length".utf8))
        #expect(state.account[.gaveWay] > 0)
    }
}

/// By how much a clock is set wrong.
private final class ClockShift: Sendable {
    private let value = Atomic<Int64>(0)

    var nanoseconds: Int64 {
        get { value.load(ordering: .relaxed) }
        set { value.store(newValue, ordering: .relaxed) }
    }
}
