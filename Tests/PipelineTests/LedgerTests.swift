// The account closes, whatever becomes of a record: seen by the process that has the store, and read from disk by another.
import Disk
import Pipeline
import Records
import Store
import TestKit
import Testing

@Suite(.timeLimit(.minutes(1))) struct `Ledger closes` {
    let bench: Bench

    init() throws { bench = try Bench() }

    /// Checks both accounts; returns the one of the process.
    @discardableResult
    private func check(_ store: Store, _ reason: String, place: SourceLocation = #_sourceLocation) throws -> Ledger {
        let live = Ledger(store)
        let read = try Ledger(bench.folder)
        #expect(live.closes, "\(reason): \(live.text)", sourceLocation: place)
        #expect(read.closes, "\(reason), read from disk: \(read.text)", sourceLocation: place)
        #expect(read.inputs == live.inputs, "\(reason)", sourceLocation: place)
        for output in live.outputs {
            let same = try #require(read.outputs.first { $0.name == output.name }, sourceLocation: place)
            #expect(same.account.delivered == output.account.delivered, "\(reason)", sourceLocation: place)
            #expect(
                same.waiting + same.account.droppedInAll == output.waiting + output.account.droppedInAll, "\(reason)",
                sourceLocation: place)
        }
        let sums = live.inputs.allSatisfy {
            $0.counts[.readRecords] == $0.counts[.storedRecords] + $0.counts[.filteredRecords]
        }
        #expect(sums, "\(reason)", sourceLocation: place)
        return live
    }

    private func account(_ ledger: Ledger, _ output: String = "out") throws -> DeliveryAccount {
        try #require(ledger.outputs.first { $0.name == output }).account
    }

    private func waiting(_ ledger: Ledger, _ output: String = "out") throws -> UInt64 {
        try #require(ledger.outputs.first { $0.name == output }).waiting
    }

    @Test func `before anything has happened`() throws {
        let writer = try bench.open()
        _ = try bench.cursor(writer.store)
        try check(writer.store, "empty")
    }

    @Test func `stored, waiting, filtered, delivered`() async throws {
        let writer = try bench.open()
        let store = writer.store
        let cursor = Handover(try bench.cursor(store))
        var settings = LaneSettings()
        settings.once = true
        let script = InputScript(messages: [["a", "noise", "b"], ["noise"], ["c"]])
        _ = try bench.startLane(
            writer, ["logs": script, "more": InputScript(messages: [["d"]])], dropping: ["noise"], settings: settings)
        await store.ended()
        let before = try check(store, "waiting")
        #expect(try waiting(before) == 4 && account(before).delivered == 0)
        #expect(before.total(.filteredRecords) == 2 && before.total(.readRecords) == 6)
        await bench.deliver(store, cursor, OutputScript([.failure("once")]))
        let after = try check(store, "delivered")
        #expect(try waiting(after) == 0 && account(after).delivered == 4)
    }

    @Test func `marked, truncated, and bytes that are lost do not disturb it`() async throws {
        let script = InputScript([
            .init(messages: ["a"], position: 1, counts: [.truncatedRecords: 1, .skippedBytes: 500]),
            .init(position: 2, readBytes: 0, counts: [.vanishedBytes: 4096]),
        ])
        let store = try await bench.runOnce(["logs": script])
        let ledger = try check(store, "marks")
        #expect(ledger.total(.vanishedBytes) == 4096 && ledger.total(.skippedBytes) == 500)
    }

    @Test func `halfway through, at every request`() async throws {
        let (store, cursor) = try bench.ended((1...5).map { [noise($0, bytes: 70_000)] })
        var settings = DeliverySettings.forTests
        settings.maxRequest = .kibibytes(64)
        let script = OutputScript(Array(repeating: .failure("no"), count: 3))
        async let delivery: Void = bench.deliver(store, cursor, script, settings)
        for count in 1...8 {
            await script.requests(count)
            let read = try Ledger(bench.folder)
            #expect(Ledger(store).closes && read.closes)
        }
        await delivery
        #expect(try account(check(store, "all")).delivered == 5)
    }

    @Test func `dropped: gave_way`() async throws {
        var limits = StoreLimits.forTests
        limits.maxSize = 256 * 1024
        limits.segmentSize = 32 * 1024
        var writer = try bench.open(limits)
        let store = writer.store
        var fast = try bench.cursor(store, "fast")
        let slow = Handover(try bench.cursor(store))
        let source = writer.define(.container("web"))
        for number in 1...50 {
            let lines = [noise(number, bytes: 10_000)]
            if writer.append(lines: lines, of: source) != .stored {
                writer.awaitSync()
                #expect(writer.append(lines: lines, of: source) == .stored)
            }
            try fast.settle(next: UInt64(number) + 1) { $0.delivered += 1 }
            _ = fast.publish(waitingBytes: 0)
            try check(store, "record \(number)")
        }
        #expect(bench.log.count("output_gave_way_records") > 0)
        writer.close()
        await bench.deliver(store, slow, OutputScript())
        let end = try account(check(store, "gave way"))
        #expect(end[.gaveWay] > 0 && end[.gaveWay] + end.delivered == 50)
        #expect(
            end[.gaveWay] == bench.log.count("output_gave_way_records"), "what the store says and what the output says")
    }

    @Test(arguments: [DropReason.tooOld, .tooMuch, .damaged])
    func `dropped by an output's limits, or damaged`(_ reason: DropReason) async throws {
        let (store, cursor) = try bench.ended((1...6).map { [noise($0, bytes: 20_000)] })
        var settings = DeliverySettings.forTests
        var expected: UInt64 = 0
        switch reason {
        case .tooOld: (settings.maxAge, expected) = (.zero, 6)
        case .tooMuch: (settings.maxWaiting, expected) = (.kibibytes(40), 4)
        default:
            try bench.damage(store, record: 2)
            expected = 1
        }
        try check(store, "before")
        await bench.deliver(store, cursor, OutputScript(), settings)
        let account = try account(check(store, reason.name))
        #expect(account[reason] == expected && account.droppedInAll == expected && account.delivered == 6 - expected)
    }

    @Test func `dropped: retired`() async throws {
        for round in 0..<2 {
            var writer = try bench.open()
            _ = try bench.cursor(writer.store)
            try bench.fill(&writer, [numbered((round * 5 + 1)...(round * 5 + 5))])
            writer.close()
        }
        // Somebody deletes the oldest segment.
        let oldest = try #require(bench.segments.first)
        try LocalFileSystem().remove(oldest)
        try LocalFileSystem().remove(StoreFolder.index(ofSegment: oldest))
        let writer = try bench.open()
        let store = writer.store
        let cursor = Handover(try bench.cursor(store))
        writer.close()
        try check(store, "before")
        await bench.deliver(store, cursor, OutputScript())
        let account = try account(check(store, "retired"))
        #expect(account[.retired] == 5 && account.delivered == 5)
    }

    @Test func `dropped: a power cut took what another output had already sent`() async throws {
        var writer = try bench.open()
        var sent = try bench.cursor(writer.store, "sent")
        _ = try bench.cursor(writer.store)
        try bench.fill(&writer, [numbered(1...4)])
        writer.awaitSync()
        try bench.fill(&writer, [numbered(5...9)])
        try sent.settle(next: 10) { $0.delivered += 9 }
        try sent.sync()
        // The cursor was synced, the newest chunk was not.
        try bench.disk.powerCut()
        _ = consume writer
        bench.disk.restart()

        var again = try bench.open()
        let store = again.store
        let cursor = Handover(try bench.cursor(store))
        let other = Handover(try bench.cursor(store, "sent"))
        #expect(store.nextSequence >= 10, "a number that left the node is not given again")
        #expect(Ledger(store).closes)
        #expect(try Ledger(bench.folder).closes)
        again.awaitSync()
        let lost = bench.log.count("store_power_cut_records")
        #expect(lost == 5 || lost == 9)
        // The lost ones are read again.
        try bench.fill(&again, [numbered(5...9)])
        again.close()
        try check(store, "read again")
        let script = OutputScript()
        await bench.deliver(store, cursor, script)
        guard let state = other.take() else { return }
        let delivery = Delivery(
            ScriptedOutput(OutputScript()), cursor: state, store: store, settings: .forTests, status: DeliveryStatus(),
            telemetry: bench.log.telemetry)
        await delivery.run()
        let ledger = try check(store, "power cut")
        #expect(try account(ledger)[.powerCut] == lost)
        #expect(try account(ledger, "sent").delivered == 14 && waiting(ledger, "sent") == 0)
        #expect(script.lines.suffix(5) == numbered(5...9).suffix(5))
        #expect(ledger.total(.lostToPowerCut) == lost)
    }

    @Test func `a new output has what lay before its start in its account`() async throws {
        var first = try bench.open()
        _ = try bench.cursor(first.store)
        try bench.fill(&first, [numbered(1...7)])
        first.close()
        var writer = try bench.open()
        let store = writer.store
        let old = Handover(try bench.cursor(store))
        let cursor = Handover(try StoreCursor(store, output: "new", start: .end, mayGiveWay: true))
        try bench.fill(&writer, [numbered(8...9)])
        writer.close()
        try check(store, "a new output")
        guard let state = cursor.take() else { return }
        let delivery = Delivery(
            ScriptedOutput(OutputScript()), cursor: state, store: store, settings: .forTests, status: DeliveryStatus(),
            telemetry: bench.log.telemetry)
        await delivery.run()
        await bench.deliver(store, old, OutputScript())
        let ledger = try check(store, "both")
        #expect(try account(ledger, "new").beforeStart == 7 && account(ledger, "new").delivered == 2)
        #expect(try account(ledger).delivered == 9)
    }

    @Test func `one life with everything in it`() async throws {
        var generator = SeededGenerator(seed: 2026)
        var number = 0
        for life in 0..<8 {
            let writer = try bench.open()
            let store = writer.store
            let first = Handover(try bench.cursor(store))
            let second = Handover(try bench.cursor(store, "second"))
            let batches = (0..<generator.below(6)).map { _ in
                (0..<generator.below(5)).map { _ in
                    number += 1
                    return generator.oneIn(4) ? "noise \(number)" : "line \(number)"
                }
            }
            let script = InputScript(messages: batches)
            var settings = LaneSettings()
            settings.once = true
            _ = try bench.startLane(writer, ["logs": script], dropping: ["noise"], settings: settings)
            await store.ended()
            try check(store, "life \(life), stored")
            if generator.oneIn(3), store.nextSequence > 1, let record = try lastRecord(store) {
                try bench.damage(store, record: record)
            }
            var limits = DeliverySettings.forTests
            if generator.oneIn(4) { limits.maxAge = .zero }
            if !generator.oneIn(3) { await bench.deliver(store, first, OutputScript([.failure("no")]), limits) }
            try check(store, "life \(life), one output")
            if let cursor = second.take() {
                let delivery = Delivery(
                    ScriptedOutput(OutputScript()), cursor: cursor, store: store, settings: .forTests,
                    status: DeliveryStatus(),
                    telemetry: bench.log.telemetry)
                await delivery.run()
            }
            let ledger = try check(store, "life \(life), both outputs")
            #expect(try waiting(ledger, "second") == 0)
        }
    }

    /// The last record that was stored in this life; nil when there was none.
    private func lastRecord(_ store: Store) throws -> UInt64? {
        guard let newest = store.segments.last, newest.recordCount > 0 else { return nil }
        return newest.endSequence - 1
    }
}
