// Cursors: where an output begins, what survives a crash, what a damaged slot does.
import Bytes
import Disk
import Records
import Store
import TestKit
import Testing

@Suite struct `Cursors` {
    let bench: StoreBench

    init() throws { bench = try StoreBench() }

    private func cursorPath(_ output: String = "out") -> String { bench.folder.cursor(lane: 0, output: output) }

    @Test(arguments: StartPoint.allCases)
    func `on a store's first start every output begins with the first record`(start: StartPoint) throws {
        let writer = try bench.open()
        let cursor = try StoreCursor(writer.store, output: "out", start: start, mayGiveWay: false)
        #expect(cursor.state.next == 1 && cursor.state.sending.isEmpty)
        writer.close()
    }

    @Test func `later a new output begins at the end, or with all that is kept`() throws {
        try bench.fill(10)
        let writer = try bench.open()
        let end = try StoreCursor(writer.store, output: "end", start: .end, mayGiveWay: false)
        let history = try StoreCursor(writer.store, output: "history", start: .history, mayGiveWay: false)
        #expect(end.state.next == 11 && end.state.account.beforeStart == 10)
        #expect(history.state.next == 1 && history.state.account.beforeStart == 0)
        let ledger = Ledger(writer.store)
        #expect(ledger.closes && ledger.outputs.map(\.waiting) == [0, 10])
        writer.close()
    }

    @Test func `everything a cursor knows survives a restart`() throws {
        let writer = try bench.open()
        var cursor = try StoreCursor(writer.store, output: "out", start: .end, mayGiveWay: false)
        try cursor.settle(next: 8, outputState: [1, 2, 3]) { account in
            account.delivered = 4
            account.notSelected = 1
            account.rejected = 2
            for (n, reason) in DropReason.allCases.enumerated() { account[reason] = UInt64(n) }
        }
        try cursor.beginSending([SendingRange(first: 8, last: 12, epoch: 1)])
        let state = cursor.state
        writer.close()
        let again = try bench.open()
        let found = try StoreCursor(again.store, output: "out", start: .end, mayGiveWay: false)
        #expect(found.state == state)
        #expect(
            found.state.sending == [SendingRange(first: 8, last: 12, epoch: 1)],
            "the epoch is that of the first attempt")
        again.close()
    }

    @Test func `a kill in the middle of any write leaves the state before it or after it`() throws {
        let writer = try bench.open()
        var cursor = try StoreCursor(writer.store, output: "out", start: .end, mayGiveWay: false)
        for round in 1...20 {
            let before = cursor.state
            bench.disk.plan(round % 2 == 0 ? .crashHalfway : .crash, afterCalls: 0)
            #expect(throws: DiskError.self) { try cursor.settle(next: before.next + 5) { $0.delivered += 5 } }
            bench.disk.restart()
            cursor = try StoreCursor(writer.store, output: "out", start: .end, mayGiveWay: false)
            #expect(cursor.state == before)
            try cursor.settle(next: before.next + 1) { $0.delivered += 1 }
            cursor = try StoreCursor(writer.store, output: "out", start: .end, mayGiveWay: false)
            #expect(
                cursor.state.next == before.next + 1 && cursor.state.account.delivered == before.account.delivered + 1)
        }
        writer.close()
    }

    @Test func `where the slot cannot be written the cursor still moves, and the next write brings it all`() throws {
        let writer = try bench.open()
        var cursor = try StoreCursor(writer.store, output: "out", start: .end, mayGiveWay: false)
        bench.disk.breakDown([.write], with: 5)
        #expect(throws: DiskError.self) { try cursor.settle(next: 4) { $0.delivered += 3 } }
        #expect(cursor.state.next == 4 && cursor.state.account.delivered == 3)
        bench.disk.heal()
        try cursor.settle(next: 6) { $0.delivered += 2 }
        let found = try StoreCursor(writer.store, output: "out", start: .end, mayGiveWay: false)
        #expect(found.state.next == 6 && found.state.account.delivered == 5)
        writer.close()
    }

    @Test func `one damaged slot costs one step, both cost the place and are told`() throws {
        try bench.fill(5)
        let writer = try bench.open()
        var cursor = try StoreCursor(writer.store, output: "out", start: .end, mayGiveWay: false)
        try cursor.settle(next: 7) { $0.delivered += 1 }
        try cursor.settle(next: 8) { $0.delivered += 1 }
        // Three writes: the newest is in the second slot.
        try bench.flip(cursorPath(), at: 8192 + 40)
        let older = try StoreCursor(writer.store, output: "out", start: .end, mayGiveWay: false)
        #expect(older.state.next == 7 && older.state.account.delivered == 1)
        #expect(bench.log.count("store_damaged_cursors") == 0)
        try bench.flip(cursorPath(), at: 40)
        let lost = try StoreCursor(writer.store, output: "out", start: .end, mayGiveWay: false)
        #expect(lost.state.next == 1, "rather twice than not at all")
        #expect(bench.log.count("store_damaged_cursors") == 1)
        #expect(Ledger(writer.store).closes)
        writer.close()
    }

    @Test(arguments: [0, 8192, 16384])
    func `an empty cursor beside segments is a damaged one, not a new one`(size: Int) throws {
        try bench.fill(5)
        try bench.scratch.write("data/cursors/0/out", [UInt8](repeating: 0, count: size))
        let writer = try bench.open()
        let cursor = try StoreCursor(writer.store, output: "out", start: .end, mayGiveWay: false)
        #expect(cursor.state.next == 1, "rather twice than not at all")
        #expect(bench.log.count("store_damaged_cursors") == 1)
        #expect(Ledger(writer.store).closes)
        writer.close()
    }

    @Test func `a new output that is killed at its first start is a new one at the next`() throws {
        try bench.fill(5)
        for call in 0... {
            let writer = try bench.open()
            bench.disk.plan(call % 2 == 0 ? .crash : .crashHalfway, afterCalls: call / 2)
            let isDone = (try? StoreCursor(writer.store, output: "out", start: .end, mayGiveWay: false)) != nil
            bench.disk.restart()
            writer.close()
            let again = try bench.open()
            #expect(StoreCursor.abandoned(again.store, outputs: ["out"]) == [])
            let cursor = try StoreCursor(again.store, output: "out", start: .end, mayGiveWay: false)
            #expect(cursor.state.next >= 6, "call \(call): not with the history")
            again.close()
            try LocalFileSystem().remove(cursorPath())
            if isDone { break }
        }
        #expect(bench.log.count("store_damaged_cursors") == 0)
    }

    @Test func `a cursor whose file is deleted under it is written again`() throws {
        try bench.fill(5)
        let writer = try bench.open()
        var cursor = try StoreCursor(writer.store, output: "out", start: .history, mayGiveWay: false)
        try cursor.settle(next: 3) { $0.delivered += 2 }
        try LocalFileSystem().remove(cursorPath())
        try cursor.settle(next: 4) { $0.delivered += 1 }
        try cursor.sync()
        #expect(bench.log.count("store_cursors_made_again") == 1)
        try cursor.settle(next: 5) { $0.delivered += 1 }
        let found = try StoreCursor(writer.store, output: "out", start: .end, mayGiveWay: false)
        #expect(found.state.next == 5 && found.state.account.delivered == 4)
        writer.close()
    }

    @Test func `a cursor with a number that no record can have is damaged`() throws {
        try bench.fill(5)
        let writer = try bench.open()
        var cursor = try StoreCursor(writer.store, output: "out", start: .history, mayGiveWay: false)
        try cursor.settle(next: .max) { _ in }
        writer.close()
        let again = try bench.open()
        let found = try StoreCursor(again.store, output: "out", start: .end, mayGiveWay: false)
        #expect(found.state.next == 1 && again.store.nextSequence < 10)
        again.close()
    }

    @Test func `a cursor of another store is not followed`() throws {
        try bench.fill(5)
        let writer = try bench.open()
        var cursor = try StoreCursor(writer.store, output: "out", start: .end, mayGiveWay: false)
        try cursor.settle(next: 9000) { $0.delivered += 8994 }
        writer.close()
        let bytes = try ScratchDirectory.contents(of: cursorPath())
        bench.scratch.empty()
        try bench.fill(3)
        try bench.scratch.write("data/cursors/0/out", bytes)
        let other = try bench.open()
        #expect(other.store.nextSequence < 9000)
        let anew = try StoreCursor(other.store, output: "out", start: .end, mayGiveWay: false)
        #expect(anew.state.next == other.store.nextSequence && anew.state.account.delivered == 0)
        #expect(bench.log.count("store_foreign_cursors") == 1)
        other.close()
    }

    @Test func `a cursor whose output is gone is named, and holds nothing back`() throws {
        let writer = try bench.open()
        _ = try StoreCursor(writer.store, output: "old", start: .end, mayGiveWay: false)
        _ = try StoreCursor(writer.store, output: "kept", start: .end, mayGiveWay: false)
        writer.close()
        let again = try bench.open()
        _ = try StoreCursor(again.store, output: "kept", start: .end, mayGiveWay: false)
        #expect(StoreCursor.abandoned(again.store, outputs: ["kept"]) == ["old"])
        StoreCursor.announceAbandoned(again.store, outputs: ["kept"])
        #expect(bench.log.said("output=old"))
        #expect(Array(again.store.cursors.keys) == ["kept"])
        again.close()
    }

    @Test func `the state of an output may be as large as a slot allows`() throws {
        let writer = try bench.open()
        var cursor = try StoreCursor(writer.store, output: "out", start: .end, mayGiveWay: false)
        let large = SeededGenerator.noise(7500, 1)
        try cursor.settle(next: 2, outputState: large) { _ in }
        let found = try StoreCursor(writer.store, output: "out", start: .end, mayGiveWay: false)
        #expect(found.state.outputState == large)
        writer.close()
    }
}
