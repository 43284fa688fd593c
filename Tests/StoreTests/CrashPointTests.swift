// Every call at which a process can die: for each one, what is found afterwards is exactly what was stored.
import Bytes
import Disk
import Records
import Store
import TestKit
import Testing

@Suite struct `Crash points` {
    let bench: StoreBench

    init() throws { bench = try StoreBench() }

    /// What the run had done when it died.
    private struct Done {
        var stored: Set<String> = []
        var cursor: UInt64 = 1
        /// What the cursor may also stand at: the write of it was under way.
        var cursorNext: UInt64 = 1
        var finished = false
    }

    /// One life of an agent that does everything a store can do. Ends early when the disk is dead.
    private func live(_ life: String, _ done: inout Done) {
        var limits = StoreBench.limits
        limits.segmentAge = 0
        limits.syncInterval = 0
        guard var writer = try? bench.open(limits) else { return }
        guard var cursor = try? StoreCursor(writer.store, output: "out", start: .end, mayGiveWay: false) else { return }
        func dead() -> Bool { bench.disk.isCrashed }

        let first = writer.define(.test("\(life)-1"))
        let second = writer.define(.test("\(life)-2", input: "files"))
        var logs = ChunkBuilder(input: "logs")
        var files = ChunkBuilder(input: "files")
        for step in 1...4 as ClosedRange<UInt64> {
            append(&logs, first, life, step, isRetired: false, &writer, &done)
            if dead() { return }
            append(&files, second, life, step, isRetired: step == 4, &writer, &done)
            if dead() { return }
            done.cursorNext = writer.store.nextSequence - 1
            let records = writer.store.waitingRecords(from: cursor.state.next) - 1
            let range = SendingRange(
                first: cursor.state.next, last: done.cursorNext - 1, epoch: writer.store.identity.epoch)
            guard (try? cursor.beginSending([range])) != nil else { return }
            guard (try? cursor.settle(next: done.cursorNext) { $0.delivered += records }) != nil else { return }
            done.cursor = done.cursorNext
            _ = cursor.publish(waitingBytes: 0)
            try? cursor.sync()
            if dead() { return }
            writer.housekeep()
            writer.awaitSync()
            if dead() { return }
        }
        writer.close()
        done.finished = !dead()
    }

    /// Appends two records of a source.
    private func append(
        _ chunk: inout ChunkBuilder, _ source: SourceNumber, _ life: String, _ step: UInt64, isRetired: Bool,
        _ writer: inout StoreWriter, _ done: inout Done
    ) {
        chunk.reset()
        let lines = [2 * step - 2, 2 * step - 1].map { "\(life)-\(chunk.input)-\($0)" }
        for line in lines { chunk.add(line) }
        chunk.cover(source, upTo: 2 * step, isRetired: isRetired)
        if writer.append(&chunk) == .stored { done.stored.formUnion(lines) }
        writer.awaitSync()
    }

    /// Opens the store as the next start does and checks it against what is known.
    private func check(_ done: Done, isExact: Bool, _ comment: Comment) throws {
        bench.disk.restart()
        let writer = try bench.open()
        let seen = try writer.store.readAll()
        let lines = Set(seen.lines)
        #expect(lines.count == seen.lines.count, comment)
        #expect(seen.records.map(\.sequence) == seen.records.map(\.sequence).sorted(), comment)
        if isExact { #expect(lines == done.stored, comment) } else { #expect(lines.isSubset(of: done.stored), comment) }
        #expect(seen.gaps.allSatisfy { $0.reason == .powerCut }, comment)

        // Each source stands exactly behind its last record that is in the store.
        for (input, name) in [("logs", "1"), ("files", "2")] {
            for life in ["x", "y"] {
                let stored = UInt64(seen.lines.filter { $0.hasPrefix("\(life)-\(input)-") }.count)
                let known = writer.knownSources(input: input).filter { $0.identity.pod == "\(life)-\(name)" }
                #expect(known.count == (stored == 0 || stored == 8 && input == "files" ? 0 : 1), comment)
                if let source = known.first { #expect(source.position.count == stored, comment) }
                for n in 0..<stored { #expect(lines.contains("\(life)-\(input)-\(n)"), comment) }
            }
        }
        let cursor = try StoreCursor(writer.store, output: "out", start: .end, mayGiveWay: false)
        if isExact, !done.stored.isEmpty {
            #expect([done.cursor, done.cursorNext].contains(cursor.state.next), comment)
        }
        #expect(cursor.state.next <= writer.store.nextSequence, comment)
        #expect(Ledger(writer.store).closes, comment)
        writer.close()
        #expect(try readFiles(bench).count == seen.records.count, comment)
    }

    @Test(arguments: [FaultyFileSystem.Fault.crash, .crashHalfway])
    func `a kill at any call, in a first life and in a second`(fault: FaultyFileSystem.Fault) throws {
        for isSecond in [false, true] {
            var call = 0
            while true {
                call += 1
                bench.scratch.empty()
                bench.disk.restart()
                var done = Done()
                if isSecond { live("x", &done) }
                let before = bench.disk.calls
                bench.disk.plan(fault, afterCalls: call)
                done.finished = false
                live(isSecond ? "y" : "x", &done)
                if done.finished { break }
                try check(done, isExact: true, "\(fault) at call \(call): \(bench.disk.log[before...].suffix(4))")
            }
            #expect(call > 60)
        }
    }

    @Test(arguments: [0, 1, 2, 3])
    func `a power cut at any call, whatever had reached the disk by itself`(seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        var call = 0
        while true {
            call += 1
            bench.scratch.empty()
            bench.disk.restart()
            var done = Done()
            live("x", &done)
            let before = bench.disk.calls
            bench.disk.plan(random.oneIn(2) ? .crash : .crashHalfway, afterCalls: call)
            done.finished = false
            live("y", &done)
            let isLast = done.finished
            try bench.disk.powerCut { count in seed == 0 ? 0 : seed == 1 ? count : random.below(count + 1) }
            try check(done, isExact: false, "seed \(seed), call \(call): \(bench.disk.log[before...].suffix(4))")
            if isLast { break }
        }
    }
}
