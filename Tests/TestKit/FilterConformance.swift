// What every filter must keep to, whatever its rules are.
import Bytes
package import Pipeline
import Records
package import Testing

/// The rules for filters: they change a batch in place, and leave alone what is not theirs.
package struct FilterConformance {
    private let make: () throws -> any Filter

    /// - Parameter make: builds the filter under test.
    package init(_ make: @escaping () throws -> any Filter) { self.make = make }

    /// Runs every check.
    package func check(sourceLocation: SourceLocation = #_sourceLocation) throws {
        let filter = try make()
        var batch = RecordBatch()
        filter.apply(to: &batch)
        #expect(
            batch.rows.count == 0 && batch.counts.isEmpty, "an empty batch stays empty", sourceLocation: sourceLocation)

        batch.ending = Array(",\"origin\":\"test\"}\n".utf8)
        batch.progress = [Progress(source: 1, position: Position(count: 7))]
        batch.counts[.readRecords] = 3
        for message in ["one", "{\"a\":1}", ""] { batch.add(message) }
        batch.parseJSON()
        filter.apply(to: &batch)
        #expect(
            batch.rows.count == 3, "a record is dropped by its flag, not taken away", sourceLocation: sourceLocation)
        #expect(
            batch.progress.map(\.position.count) == [7], "positions are not a filter's", sourceLocation: sourceLocation)
        #expect(batch.counts[.readRecords] == 3, "what was read was read", sourceLocation: sourceLocation)
        #expect(batch.counts[.filteredRecords] == 0, "the lane counts what is filtered", sourceLocation: sourceLocation)
        let end = UInt32(batch.arena.count)
        for index in 0..<batch.rows.count {
            let row = batch.rows[index]
            #expect(
                row.messageStart + row.messageLength <= end, "rows stay inside the arena",
                sourceLocation: sourceLocation)
        }
    }
}
