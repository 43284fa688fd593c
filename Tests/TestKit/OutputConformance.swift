// What every output must keep to, and requests made by hand.
import Bytes
import Disk
import Gzip
package import Pipeline
import Store
package import Testing

extension Request {
    /// Its records, one by one.
    package var lines: [String] {
        var buffer = Arena()
        var text = ""
        withTexts(inflatingInto: &buffer) { text += String(decoding: $0) }
        return text.split(separator: "\n").map(String.init)
    }
}

/// A body read back by zlib.
package struct GzipReading {
    /// The text of the first member.
    package let text: String
    /// Bytes behind the first member: what many receivers would never see.
    package let bytesBehind: Int

    package init(_ body: [UInt8], textSize: Int) throws {
        var inflater = Inflater(.gzip)
        var text = [UInt8](repeating: 0, count: textSize + 1)
        var span = text.mutableSpan
        let step = try inflater.step(body.span, into: &span)
        try #require(step.isAtEnd, "the member is whole and its checksum right")
        self.text = String(decoding: text[..<step.produced], as: UTF8.self)
        bytesBehind = body.count - step.consumed
    }
}

/// A store from which requests are cut as a delivery would.
package final class RequestSource: Sendable {
    private let scratch: ScratchDirectory
    private let store: Store
    /// All records, in order.
    package let lines: [String]

    /// - Parameter chunks: the records of each chunk.
    package init(_ chunks: [[String]]) throws {
        scratch = try ScratchDirectory()
        var writer = try Store.open(
            scratch.path("data"), settings: .forTests, fileSystem: LocalFileSystem(),
            telemetry: TestTelemetry().telemetry)
        let source = writer.define(.container("web"))
        for chunk in chunks { #expect(writer.append(lines: chunk, of: source) == .stored) }
        store = writer.store
        writer.close()
        lines = chunks.flatMap { $0 }
    }

    /// Lines such as the agent writes.
    package static func records(_ range: Range<Int>) -> [String] {
        range.map { number in
            "{\"time\":\"2026-01-02T03:04:05.000000000Z\",\"stream\":\"stdout\",\"message\":\"line \(number)\","
                + "\"origin\":\"container\",\"kubernetes\":{\"namespace_name\":\"shop\",\"pod_name\":\"web\",\"container_name\":\"nginx\"}}"
        }
    }

    /// Three chunks of ten records.
    package convenience init() throws {
        try self.init([RequestSource.records(1..<11), RequestSource.records(11..<21), RequestSource.records(21..<31)])
    }

    /// The request of the records with these numbers.
    package func request(_ first: UInt64, _ last: UInt64) throws -> Request {
        var reader = StoreReader(store)
        var chunks: [ReadChunk] = []
        var next = first
        while next <= last {
            guard case .chunk(let chunk) = try reader.next(from: next) else {
                Issue.record("there is no record \(next)")
                break
            }
            chunks.append(chunk)
            next = chunk.header.endSequence
            reader.pass()
        }
        return Request(chunks, first: first, last: last, recordCount: last - first + 1, key: "test/\(first)-\(last)")
    }
}

/// One output with its cursor's part in it: what is kept of its state, and when.
package final class OutputBench {
    private let make: () throws -> any Output
    private var output: (any Output)?
    package let source: RequestSource
    /// What the cursor keeps.
    package private(set) var kept: [UInt8] = []

    package init(_ source: RequestSource, _ make: @escaping () throws -> any Output) {
        self.source = source
        self.make = make
    }

    /// Starts the output with the state that was kept, after a crash or for the first time.
    package func start() async throws {
        // The process that had it is gone.
        output = nil
        let output = try make()
        try await output.open(state: kept)
        self.output = output
    }

    /// Delivers and moves the cursor.
    package func deliver(_ first: UInt64, _ last: UInt64) async throws {
        try await send(first, last)
        kept = output?.state ?? []
    }

    /// Delivers, but dies before the cursor is moved.
    package func send(_ first: UInt64, _ last: UInt64) async throws {
        let output = try #require(output)
        try await output.prepare()
        kept = output.state
        try await output.send(source.request(first, last))
    }

    package func close() async { await output?.close() }

    package var stateSize: Int { output?.state.count ?? 0 }
}

/// The rules for outputs.
package struct OutputConformance {
    /// How often a record may come.
    package enum Promise { case exactlyOnce, atLeastOnce }

    private let make: () throws -> any Output
    private let received: () throws -> [String]
    private let promise: Promise
    private let disk: FaultyFileSystem?

    /// - Parameters:
    ///   - disk: what the output writes to, when it does: it is made to fail.
    ///   - make: builds the output, at each start anew.
    ///   - received: the records that its receiver has by now.
    package init(
        _ promise: Promise, disk: FaultyFileSystem? = nil, make: @escaping () throws -> any Output,
        received: @escaping () throws -> [String]
    ) {
        self.promise = promise
        self.disk = disk
        self.make = make
        self.received = received
    }

    /// Runs every check, on one output that is started again and again.
    package func check(sourceLocation place: SourceLocation = #_sourceLocation) async throws {
        let source = try RequestSource()
        let bench = OutputBench(source, make)
        try await bench.start()
        try await bench.deliver(1, 4)
        try expect(1...4, of: source, "a part of a chunk", place)
        try await bench.deliver(5, 15)
        try expect(1...15, of: source, "what follows, over the edge of a chunk", place)
        #expect(bench.stateSize <= 4096, "the cursor has room for the state", sourceLocation: place)

        await bench.close()
        try await bench.start()
        try expect(1...15, of: source, "a new start changes nothing", place)

        try await bench.send(16, 20)
        try await bench.start()
        try await bench.deliver(16, 20)
        try expect(1...20, of: source, "a crash before the cursor moved: the same request comes again", place)

        if let disk {
            disk.fillUp(with: 28)
            await #expect(throws: DeliveryFailure.self, "a failure is told", sourceLocation: place) {
                try await bench.deliver(21, 25)
            }
            await #expect(throws: DeliveryFailure.self, sourceLocation: place) { try await bench.deliver(21, 25) }
            disk.heal()
        }
        try await bench.deliver(21, 25)
        try expect(1...25, of: source, "the same request again after a failure", place)
        try await bench.deliver(26, 30)
        await bench.close()
        try expect(1...30, of: source, "all of it", place)
    }

    private func expect(
        _ range: ClosedRange<Int>, of source: RequestSource, _ comment: Comment, _ place: SourceLocation
    ) throws {
        let wanted = range.map { source.lines[$0 - 1] }
        var got = try received()
        if promise == .atLeastOnce {
            var seen: Set<String> = []
            got = got.filter { seen.insert($0).inserted }
        }
        #expect(got == wanted, comment, sourceLocation: place)
    }
}
