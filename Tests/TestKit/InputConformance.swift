// What every input must keep to, and a small lane that drives one input by hand.
import Bytes
import Disk
package import Pipeline
package import Records
package import Testing

/// Drives one input as the lane does, one batch at a time, and keeps what the store would keep of it.
package final class InputBench {
    private let make: () throws -> any Input
    private var input: (any Input)?
    private var poller: Poller
    private var batch = RecordBatch()
    private var lastSource: SourceNumber = 0
    private var identities: [SourceNumber: SourceIdentity] = [:]
    private var positions: [SourceNumber: Position] = [:]
    private var hasRun = false
    /// The records so far, encoded.
    package private(set) var lines: [String] = []
    package private(set) var counts = Counts()
    private let fieldNames: [String]

    /// - Parameter make: builds the input, at each start anew.
    package init(fieldNames: [String] = [], _ make: @escaping () throws -> any Input) throws {
        self.make = make
        self.fieldNames = fieldNames
        poller = try Poller(bell: Bell())
    }

    /// What the store would say of the sources.
    package var known: [KnownSource] {
        positions.sorted { $0.key < $1.key }.compactMap { number, position in
            identities[number].map { KnownSource(number: number, identity: $0, position: position) }
        }
    }

    package var hasReady: Bool { input?.hasReady ?? false }
    package var lag: UInt64 { input?.lag ?? 0 }
    package var failure: String? { input?.failure }

    /// Starts the input, with the positions of the last batch that was kept.
    package func start() throws {
        poller = try Poller(bell: Bell())
        let input = try make()
        try input.open(on: &poller, start: InputStart(known: known, isFirst: !hasRun))
        hasRun = true
        self.input = input
    }

    /// The process dies: what was not kept is forgotten.
    package func stop() { input = nil }

    /// Lets the input see what has happened.
    package func wake() { input?.wake(on: &poller, now: SystemClock.monotonic) }

    /// Reads one batch and keeps it. Returns whether there was one.
    @discardableResult
    package func read(sourceLocation: SourceLocation = #_sourceLocation) -> Bool {
        guard let input, input.hasReady else { return false }
        batch.reset()
        let found = input.read(into: &batch, sparing: false, now: SystemClock.realtime) { identity in
            lastSource += 1
            identities[lastSource] = identity
            return lastSource
        }
        guard found else {
            #expect(batch.rows.count == 0 && batch.progress.isEmpty, "nothing was read", sourceLocation: sourceLocation)
            return false
        }
        judge(sourceLocation)
        counts.add(batch.counts)
        counts[.readRecords] += UInt64(batch.rows.count)
        if input.jsonMode != .off { batch.parseJSON() }
        var encoder = RecordEncoder(mode: input.jsonMode, reserved: ReservedNames(fields: fieldNames))
        var text = Arena()
        for index in 0..<batch.rows.count { encoder.append(batch.rows[index], of: batch, to: &text, counts: &counts) }
        lines += String(decoding: text.span).split(separator: "\n").map(String.init)
        for step in batch.progress { positions[step.source] = step.isRetired ? nil : step.position }
        return true
    }

    /// What holds for each batch of each input.
    private func judge(_ place: SourceLocation) {
        let progress = batch.progress
        if batch.rows.count > 0 {
            #expect(!progress.isEmpty, "records come with the position behind them", sourceLocation: place)
        }
        #expect(
            batch.rows.count > 0 || !progress.isEmpty || !batch.counts.isEmpty, "a batch tells something",
            sourceLocation: place)
        #expect(
            progress.allSatisfy { identities[$0.source] != nil }, "sources are defined before they are told of",
            sourceLocation: place)
        #expect(
            batch.counts[.readRecords] == 0 && batch.counts[.storedRecords] == 0, "records are counted by the lane",
            sourceLocation: place)
        for index in 0..<batch.rows.count {
            let row = batch.rows[index]
            #expect(
                Int(row.messageStart) + Int(row.messageLength) <= batch.arena.count, "rows lie in the arena",
                sourceLocation: place)
            #expect(row.time > 0, "a record has a time", sourceLocation: place)
            let ending = ending(of: row)
            #expect(
                ending.hasPrefix(",\"origin\":\"") && ending.hasSuffix("}\n"), "the ending closes the record",
                sourceLocation: place)
        }
    }

    private func ending(of row: Row) -> String {
        // Copied: a span of what a class holds is not to be returned from here.
        guard row.ending > 0 else { return String(decoding: batch.ending, as: UTF8.self) }
        let range = batch.endings[Int(row.ending) - 1]
        let bytes = (Int(range.start)..<Int(range.start + range.length)).map { batch.arena[$0] }
        return String(decoding: bytes, as: UTF8.self)
    }

    /// Reads all that can be read now.
    package func readAll(sourceLocation: SourceLocation = #_sourceLocation) {
        wake()
        while hasReady {
            if !read(sourceLocation: sourceLocation) { break }
        }
    }

    /// The messages of the records so far.
    package var messages: [String] { lines.map { InputBench.text("message", of: $0) ?? $0 } }

    /// The value of a member that is a simple text.
    package static func text(_ name: String, of line: String) -> String? {
        guard let start = line.firstRange(of: "\"\(name)\":\"") else { return nil }
        return line[start.upperBound...].firstIndex(of: "\"").map { String(line[start.upperBound..<$0]) }
    }
}

/// The rules for inputs.
package struct InputConformance {
    private let make: () throws -> any Input
    private let write: ([String]) throws -> Void

    /// - Parameters:
    ///   - make: builds the input over a place in which nothing is yet.
    ///   - write: adds lines to that place.
    package init(make: @escaping () throws -> any Input, write: @escaping ([String]) throws -> Void) {
        self.make = make
        self.write = write
    }

    /// Runs every check.
    package func check(sourceLocation place: SourceLocation = #_sourceLocation) throws {
        let bench = try InputBench(make)
        try bench.start()
        bench.readAll(sourceLocation: place)
        #expect(bench.lines.isEmpty && bench.lag == 0, "where nothing is, nothing is read", sourceLocation: place)
        bench.wake()
        #expect(!bench.read(sourceLocation: place), "reading again finds nothing again", sourceLocation: place)

        // Enough for several batches, in several goes; each start knows what the batches before it brought.
        let padding = String(repeating: "x", count: 200)
        var expected: [String] = []
        for round in 0..<6 {
            let lines = (0..<400).map { "round \(round) line \($0) \(padding)" }
            try write(lines)
            expected += lines
            if round % 2 == 1 {
                bench.stop()
                try bench.start()
            }
            bench.wake()
            // Stopped with something unread, and with everything read.
            bench.read(sourceLocation: place)
            if round == 3 {
                bench.stop()
                try bench.start()
            }
            if round != 1 { bench.readAll(sourceLocation: place) }
        }
        bench.stop()
        try bench.start()
        bench.readAll(sourceLocation: place)
        #expect(bench.messages == expected, "every line once and in order, over starts", sourceLocation: place)
        #expect(bench.counts[.readRecords] == UInt64(expected.count), sourceLocation: place)
        #expect(bench.lag == 0, "nothing is left", sourceLocation: place)
        #expect(bench.counts[.readBytes] >= UInt64(expected.reduce(0) { $0 + $1.utf8.count }), sourceLocation: place)
    }
}
