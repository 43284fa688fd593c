// The counters of the ledger: what is written to disk by number never changes.
import Bytes
import Records
import Testing

struct CounterTests {
    @Test func `numbers on disk are what they always were`() {
        let numbers: [(Counter, UInt8)] = [
            (.readRecords, 1), (.readBytes, 2), (.storedRecords, 3), (.storedBytes, 4), (.filteredRecords, 5),
            (.lostToPowerCut, 6),
            (.truncatedRecords, 16), (.malformedRecords, 17), (.unfinishedRecords, 18), (.invalidTextRecords, 19),
            (.renamedMembers, 20), (.duplicateMembers, 21), (.vanishedBytes, 32), (.shrunkBytes, 33),
            (.abandonedBytes, 34),
            (.skippedBytes, 35), (.damagedBytes, 36),
        ]
        for (counter, number) in numbers { #expect(counter.rawValue == number, "\(counter)") }
        #expect(SourceKind.container.rawValue == 1)
        #expect(SourceKind.file.rawValue == 2)
        #expect(SourceKind.journal.rawValue == 3)
    }

    @Test func `every counter has a place and a name of its own`() {
        var counts = Counts()
        for (index, counter) in Counter.allCases.enumerated() { counts[counter] = UInt64(index + 1) }
        for (index, counter) in Counter.allCases.enumerated() { #expect(counts[counter] == UInt64(index + 1)) }
        #expect(Set(Counter.allCases.map(\.name)).count == Counter.allCases.count)
        #expect(counts.nonZero.count == Counter.allCases.count)
    }

    @Test func `what a counter means fits beside it in a ledger of 80 columns`() {
        #expect(Set(Counter.allCases.map(\.meaning)).count == Counter.allCases.count)
        for counter in Counter.allCases { #expect(1...39 ~= counter.meaning.count, "\(counter)") }
    }

    @Test func `counts are added kind by kind`() {
        var one = Counts()
        #expect(one.isEmpty)
        one[.readRecords] = 2
        var two = one
        two[.vanishedBytes] = 5
        one.add(two)
        #expect(one[.readRecords] == 4)
        #expect(one[.vanishedBytes] == 5)
        #expect(one != two)
        #expect(!one.isEmpty)
        #expect(one.nonZero.map(\.0) == [.readRecords, .vanishedBytes])
    }

    @Test func `a batch that is reset is as new, and gives back the room of a giant`() {
        var batch = RecordBatch()
        batch.arena.append([UInt8](repeating: 0x61, count: 5 << 20))
        batch.rows.append(Row(time: 1, start: 0, length: 5, stream: .stdout))
        batch.progress = [Progress(source: 1, position: Position([1]))]
        batch.counts[.readBytes] = 5
        batch.reset()
        #expect(batch.arena.count == 0)
        #expect(batch.arena.capacity < 4 << 20)
        #expect(batch.rows.count == 0)
        #expect(batch.progress.isEmpty)
        #expect(batch.counts.isEmpty)
    }
}
