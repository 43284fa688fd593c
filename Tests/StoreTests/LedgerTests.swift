// The account: it closes after every step, in one process and on disk, and says what does not.
import Bytes
import Disk
import Records
import Store
import TestKit
import Testing

@Suite struct `Ledgers` {
    let bench: StoreBench

    init() throws { bench = try StoreBench() }

    @Test func `the account closes after every step, in the process and on disk`() throws {
        var random = SeededGenerator(seed: 21)
        for start in 0..<4 {
            var writer = try bench.open()
            var cursors = try ["a", "b"].map {
                Box(try StoreCursor(writer.store, output: $0, start: .end, mayGiveWay: false))
            }
            if start >= 2 {
                cursors.append(Box(try StoreCursor(writer.store, output: "late", start: .end, mayGiveWay: false)))
            }
            let sources = [writer.define(.test("a\(start)")), writer.define(.test("b\(start)", input: "files"))]
            for step in 0..<30 {
                let which = random.below(2)
                var chunk = ChunkBuilder(input: ["logs", "files"][which])
                for n in 0..<random.below(20) { chunk.add("{\"n\":\(n)}") }
                let filtered = UInt64(random.below(5))
                chunk.counts[.readRecords] += filtered
                chunk.counts[.filteredRecords] += filtered
                chunk.counts[.truncatedRecords] += UInt64(random.below(2))
                chunk.cover(sources[which], upTo: UInt64(step))
                #expect(writer.append(&chunk) == .stored)
                for box in cursors where random.oneIn(2) {
                    let end = writer.store.nextSequence
                    let records = writer.store.waitingRecords(from: box.cursor.state.next)
                    try box.cursor.settle(next: end) { account in
                        account.notSelected += records / 2
                        account.delivered += records - records / 2
                    }
                    _ = box.cursor.publish(waitingBytes: 0)
                }
                let ledger = Ledger(writer.store)
                #expect(ledger.closes, "\(ledger.text)")
                #expect(try Ledger(bench.folder) == ledger)
            }
            writer.close()
        }
        let ledger = try Ledger(bench.folder)
        #expect(
            ledger.closes && ledger.outputs.map(\.name) == ["a", "b", "late"]
                && ledger.inputs.map(\.name) == ["files", "logs"])
        #expect(ledger.stored == UInt64(try readFiles(bench).count))
    }

    @Test func `what is missing is said`() throws {
        var writer = try bench.open()
        var cursor = try StoreCursor(writer.store, output: "out", start: .end, mayGiveWay: false)
        let source = writer.define(.test("web"))
        var chunk = ChunkBuilder(input: "logs")
        chunk.add("{}")
        chunk.counts[.readRecords] += 2
        chunk.counts[.vanishedBytes] += 77
        chunk.cover(source, upTo: 1)
        #expect(writer.append(&chunk) == .stored)
        try cursor.settle(next: 2) { $0[.tooOld] += 3 }
        _ = cursor.publish(waitingBytes: 0)
        let ledger = Ledger(writer.store)
        #expect(!ledger.closes)
        #expect(ledger.inputs.first?.missing == 2 && ledger.outputs.first?.missing == -2)
        #expect(ledger.text.contains("DOES NOT CLOSE: 2 records are missing"))
        #expect(ledger.text.contains("! vanished bytes"))
        #expect(ledger.text.contains("the file was gone before it was read"), "remarks explain themselves")
        #expect(ledger.text.contains("+ dropped, too old"))
        writer.close()
    }

    @Test func `the account for programs is one JSON object that says the same`() throws {
        var writer = try bench.open()
        _ = try StoreCursor(writer.store, output: "out", start: .end, mayGiveWay: false)
        let source = writer.define(.test("web"))
        #expect(writer.add(records: 12, of: source, upTo: 12) == .stored)
        let json = Ledger(writer.store).json
        writer.close()
        let program = """
            import json, sys
            ledger = json.loads(sys.argv[1])
            print(ledger['closes'], ledger['inputs'][0]['stored_records'], ledger['outputs'][0]['waiting_records'],
                  sorted(ledger['outputs'][0]['dropped_records']))
            """
        let result = try ChildProcess.run("python3", "-c", program, json)
        #expect(
            String(decoding: result.output, as: UTF8.self)
                == "True 12 12 ['damaged', 'gave_way', 'power_cut', 'retired', 'too_much', 'too_old']\n")
    }

    @Test(arguments: [(0, "0"), (999, "999"), (1000, "1,000"), (1_234_567, "1,234,567")] as [(UInt64, String)])
    func `numbers are grouped and right-aligned`(value: UInt64, text: String) {
        #expect(Ledger.grouped(value).count == 14)
        #expect(Ledger.grouped(value).drop { $0 == " " } == text)
    }

    @Test(
        arguments: [(0, "0 B"), (999, "999 B"), (1000, "1.0 kB"), (12_345_678, "12.3 MB"), (9_990_000_000, "9.9 GB")]
            as [(UInt64, String)])
    func `sizes are told in powers of ten`(bytes: UInt64, text: String) { #expect(Ledger.size(bytes) == text) }
}

/// A cursor in an array.
final class Box {
    var cursor: StoreCursor
    init(_ cursor: consuming StoreCursor) { self.cursor = cursor }
}
