// Delivery of what `where` selects: nothing else is sent, nothing is lost or counted twice, and no chunk is touched without need.
import Bytes
import Disk
import Pipeline
import Records
import Store
import TestKit
import Testing

/// A record with the fields that conditions ask for.
struct SampleRecord: Sendable {
    let number: Int
    let source: SourceIdentity
    var severity: String?
    var size = 0

    var line: String {
        var line = "{\"n\":\(number)"
        if let severity { line += ",\"severity\":\"\(severity)\"" }
        if size > 0 { line += ",\"noise\":\"\(noise(number, bytes: size).filter { $0 != "\"" && $0 != "{" })\"" }
        switch source.kind {
        case .container:
            line +=
                ",\"origin\":\"container\",\"kubernetes\":{\"namespace_name\":\"\(source.namespace)\",\"pod_name\":\"\(source.pod)\","
                + "\"container_name\":\"\(source.container)\",\"pod_uid\":\"\(source.uid)\",\"restart_count\":\(source.restart)}}"
        case .file: line += ",\"origin\":\"file\",\"file\":{\"path\":\"\(source.path)\"}}"
        case .journal: line += ",\"origin\":\"journal\"}"
        }
        return line
    }
}

extension SourceIdentity {
    static func pod(
        _ namespace: String, _ pod: String = "web", container: String = "nginx", restart: Int32 = 0
    ) -> SourceIdentity {
        SourceIdentity(
            kind: .container, input: "logs",
            path: "/var/log/pods/\(namespace)_\(pod)_u-\(pod)/\(container)/\(restart).log",
            namespace: namespace, pod: pod, uid: "u-\(pod)", container: container, restart: restart)
    }

    static func file(_ path: String) -> SourceIdentity { SourceIdentity(kind: .file, input: "logs", path: path) }
}

/// Appends chunks of records of several sources, each covered in each chunk that has records of it.
struct SampleWriter: ~Copyable {
    var writer: StoreWriter
    private(set) var records: [SampleRecord] = []
    private var numbers: [SourceIdentity: SourceNumber] = [:]

    init(_ writer: consuming StoreWriter) {
        for known in writer.knownSources(input: "logs") { numbers[known.identity] = known.number }
        self.writer = writer
    }

    var store: Store { writer.store }

    /// - Parameter others: sources without records in it that the chunk covers all the same.
    mutating func append(_ chunkRecords: [SampleRecord], covering others: [SourceIdentity] = []) throws {
        var chunk = ChunkBuilder(input: "logs")
        for record in chunkRecords {
            chunk.text.append(text: record.line + "\n")
            chunk.noteRecord(time: SystemClock.realtime)
        }
        chunk.counts[.readRecords] = UInt64(chunkRecords.count)
        var covered: [SourceIdentity] = []
        for source in chunkRecords.map(\.source) + others where !covered.contains(source) { covered.append(source) }
        for source in covered {
            let number = numbers[source] ?? writer.define(source)
            numbers[source] = number
            let step = Progress(source: number, position: Position(count: UInt64(records.count)))
            chunk.cover([step], bytes: 1, now: SystemClock.monotonic) { writer.definitionSize($0) }
        }
        try #require(writer.append(&chunk) == .stored)
        records += chunkRecords
    }

    consuming func close() -> [SampleRecord] {
        let records = self.records
        writer.close()
        return records
    }
}

@Suite(.timeLimit(.minutes(2))) struct `A selection` {
    let bench: Bench
    private static let shop = SourceIdentity.pod("shop")
    private static let bank = SourceIdentity.pod("bank")
    private static let file = SourceIdentity.file("/var/log/app.log")

    init() throws { bench = try Bench() }

    private func settings(_ condition: SettingsNode) -> DeliverySettings {
        .forTests.with { $0.selection = Condition(condition) }
    }

    /// A store that has ended, with a chunk for each list of records.
    private func ended(_ chunks: [[SampleRecord]]) throws -> (store: Store, cursor: Handover<StoreCursor>) {
        var writer = SampleWriter(try bench.open())
        let store = writer.store
        let cursor = Handover(try bench.cursor(store))
        for chunk in chunks { try writer.append(chunk) }
        _ = writer.close()
        return (store, cursor)
    }

    private func records(
        _ range: ClosedRange<Int>, _ source: SourceIdentity, _ severity: String? = nil
    ) -> [SampleRecord] {
        range.map { SampleRecord(number: $0, source: source, severity: severity) }
    }

    /// Numbers with an error every `step` records, all of one source.
    private func mixed(
        _ range: ClosedRange<Int>, errorEvery step: Int, _ source: SourceIdentity = .pod("shop")
    ) -> [SampleRecord] {
        range.map { SampleRecord(number: $0, source: source, severity: $0 % step == 0 ? "error" : "info") }
    }

    private func expectBodies(_ script: OutputScript) throws {
        for seen in script.seen {
            let body = try GzipReading(seen.body, textSize: seen.textSize)
            #expect(body.text == seen.lines.map { $0 + "\n" }.joined() && body.bytesBehind == 0)
            #expect(seen.recordCount == UInt64(seen.lines.count))
        }
    }

    // MARK: Whole chunks

    @Test func `chunks of which all is selected are spliced byte for byte, without inflating`() async throws {
        let chunks = [records(1...5, Self.shop), records(6...9, Self.shop) + records(10...12, .pod("shop", "db"))]
        let (store, cursor) = try ended(chunks)
        var reader = StoreReader(store)
        var spliced: [UInt8] = []
        for next in [1, 6] as [UInt64] {
            guard case .chunk(let chunk) = try reader.next(from: next) else { throw CancellationError() }
            spliced += chunk.member[chunk.splice]
            reader.pass()
        }
        let script = OutputScript()
        let status = DeliveryStatus()
        await bench.deliver(store, cursor, script, settings(["kubernetes.namespace_name": "sh*"]), status: status)
        #expect(script.lines == chunks.flatMap { $0 }.map(\.line) && script.ranges == ["1-12"])
        #expect(Array(script.seen[0].body.dropFirst(10).dropLast(10)) == spliced)
        #expect(status.picture.inflatedChunks == 0)
        let account = try bench.onDisk().account
        #expect(account.delivered == 12 && account.notSelected == 0 && Ledger(store).closes)
    }

    @Test func `chunks of which nothing is selected are passed without inflating, and nothing is sent`() async throws {
        let (store, cursor) = try ended([
            records(1...5, Self.bank), records(6...9, Self.file) + records(10...10, Self.bank),
        ])
        let script = OutputScript()
        let status = DeliveryStatus()
        await bench.deliver(store, cursor, script, settings(["kubernetes.namespace_name": "shop"]), status: status)
        #expect(script.seen.isEmpty && status.picture.isDone && status.picture.inflatedChunks == 0)
        let state = try bench.onDisk()
        #expect(state.account.notSelected == 10 && state.account.delivered == 0 && state.next == 11)
        #expect(Ledger(store).closes)
    }

    @Test func `between chunks that are selected others are left out`() async throws {
        let (store, cursor) = try ended([
            records(1...2, Self.bank), records(3...5, Self.shop), records(6...8, Self.bank), records(9...10, Self.shop),
            records(11...14, Self.file),
        ])
        let script = OutputScript()
        let status = DeliveryStatus()
        await bench.deliver(store, cursor, script, settings(["kubernetes.namespace_name": "shop"]), status: status)
        #expect(script.ranges == ["3-10"] && script.seen[0].recordCount == 5)
        #expect(script.seen[0].key.hasSuffix("/out/3-10"))
        #expect(script.lines == (records(3...5, Self.shop) + records(9...10, Self.shop)).map(\.line))
        #expect(status.picture.inflatedChunks == 0)
        let state = try bench.onDisk()
        #expect(state.account.notSelected == 9 && state.account.delivered == 5 && state.next == 15)
        #expect(Ledger(store).closes)
        try expectBodies(script)
    }

    // MARK: Parts of chunks

    @Test func `of a chunk of several sources only the selected records are sent`() async throws {
        let (store, cursor) = try ended([
            records(1...3, Self.bank) + records(4...6, Self.shop) + records(7...8, Self.file),
            records(9...9, Self.shop) + records(10...10, Self.bank),
        ])
        let script = OutputScript()
        let status = DeliveryStatus()
        await bench.deliver(store, cursor, script, settings(["kubernetes.namespace_name": "shop"]), status: status)
        #expect(script.ranges == ["4-9"])
        #expect(script.lines == (records(4...6, Self.shop) + records(9...9, Self.shop)).map(\.line))
        #expect(status.picture.inflatedChunks == 2)
        let state = try bench.onDisk()
        #expect(state.account.notSelected == 6 && state.account.delivered == 4 && state.next == 11)
        #expect(Ledger(store).closes)
        try expectBodies(script)
    }

    @Test func `what is in the records decides where their source does not`() async throws {
        let (store, cursor) = try ended([
            mixed(1...10, errorEvery: 3), mixed(11...12, errorEvery: 100), mixed(13...14, errorEvery: 1),
            mixed(15...20, errorEvery: 1, Self.bank),
        ])
        let script = OutputScript()
        let status = DeliveryStatus()
        await bench.deliver(
            store, cursor, script, settings(["severity": ["error", "critical"], "kubernetes.namespace_name": "shop"]),
            status: status)
        #expect(
            script.lines.map { $0.prefix(8) } == [
                "{\"n\":3,\"", "{\"n\":6,\"", "{\"n\":9,\"", "{\"n\":13,", "{\"n\":14,",
            ])
        #expect(script.ranges == ["3-14"] && status.picture.inflatedChunks == 3)
        #expect(try bench.onDisk().account.notSelected == 15 && Ledger(store).closes)
        try expectBodies(script)
    }

    @Test func `a large chunk that is partly selected is cut by the records that are`() async throws {
        let all = (1...40).map {
            SampleRecord(number: $0, source: Self.shop, severity: $0 % 4 == 0 ? "error" : "info", size: 20_000)
        }
        let (store, cursor) = try ended([all])
        let script = OutputScript { $0.body.count > 60_000 ? .failure("413", kind: .tooLarge) : .success }
        await bench.deliver(store, cursor, script, settings(["severity": "error"]))
        let taken = script.seen.filter { $0.body.count <= 60_000 }
        #expect(taken.flatMap(\.lines) == all.filter { $0.severity == "error" }.map(\.line))
        #expect(taken.count > 3 && taken.allSatisfy { $0.first % 4 == 0 && $0.last % 4 == 0 })
        let account = try bench.onDisk().account
        #expect(account.delivered == 10 && account.notSelected == 30 && account.rejected == 0 && Ledger(store).closes)
        try expectBodies(script)
    }

    // MARK: While it runs

    @Test func `a quiet selection follows the store, so that it holds no history back`() async throws {
        var writer = SampleWriter(try bench.open())
        let store = writer.store
        let cursor = Handover(try bench.cursor(store))
        let script = OutputScript()
        async let delivery: Void = bench.deliver(store, cursor, script, settings(["severity": "error"]))
        for n in 0..<5 {
            try writer.append(mixed((10 * n + 1)...(10 * n + 10), errorEvery: 1000))
            let end = UInt64(10 * n + 11)
            while store.cursors["out"]?.next != end { try await Task.sleep(for: .milliseconds(1)) }
            #expect(store.cursors["out"]?.account.notSelected == end - 1 && store.cursors["out"]?.waitingBytes == 0)
        }
        _ = writer.close()
        await delivery
        #expect(script.seen.isEmpty && Ledger(store).closes)
    }

    @Test func `a record is not kept waiting for company by much that is not selected`() async throws {
        var writer = try bench.open()
        let store = writer.store
        let cursor = Handover(try bench.cursor(store))
        let source = writer.define(Self.shop)
        let large = noise(1, bytes: 250_000).replacing("{", with: "{\"severity\":\"info\",")
        #expect(writer.append(lines: ["{\"severity\":\"error\"}"], of: source) == .stored)
        for _ in 0..<90 { #expect(writer.append(lines: [large], of: source) == .stored) }
        let script = OutputScript()
        async let delivery: Void = bench.deliver(
            store, cursor, script, settings(["severity": "error"]).with { $0.maxDelay = .hours(1) })
        await script.requests(1)
        #expect(script.ranges == ["1-1"])
        writer.close()
        await delivery
        #expect(try bench.onDisk().account.notSelected == 90 && Ledger(store).closes)
    }

    @Test func `what is not selected is passed while a request fails, up to its first record and behind it`()
        async throws
    {
        let (store, cursor) = try ended([mixed(1...10, errorEvery: 4)])
        let script = OutputScript(
            [.failure("503"), .failure("503")], cursorPath: bench.folder.cursor(lane: 0, output: "out"))
        await bench.deliver(store, cursor, script, settings(["severity": "error"]))
        #expect(script.ranges == ["4-8", "4-8", "4-8"] && Set(script.seen.map(\.body)).count == 1)
        #expect(script.seen.map { $0.cursor?.next } == [4, 4, 4] && script.seen[0].cursor?.account.notSelected == 3)
        let state = try bench.onDisk()
        #expect(state.next == 11 && state.account.notSelected == 8 && state.account.delivered == 2)
        #expect(Ledger(store).closes)
    }

    // MARK: Restarts

    /// Delivers until a request hangs, then ends as a process does that is told to stop, and opens the store again.
    private func restarted(
        _ store: Store, _ cursor: Handover<StoreCursor>, _ script: OutputScript, _ settings: DeliverySettings,
        after requests: Int,
        concurrency: Int? = nil
    ) async throws -> (store: Store, cursor: Handover<StoreCursor>) {
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await bench.deliver(store, cursor, script, settings, concurrency: concurrency) }
            await script.requests(requests)
            group.cancelAll()
        }
        let writer = try bench.open()
        let again = Handover(try bench.cursor(writer.store))
        let reopened = writer.store
        writer.close()
        return (reopened, again)
    }

    @Test func `a range that was on its way comes again as it was`() async throws {
        let (store, cursor) = try ended([
            mixed(1...10, errorEvery: 3), records(11...12, Self.bank), mixed(13...20, errorEvery: 4),
        ])
        let settings = settings(["severity": "error"])
        let hanging = OutputScript([.silence])
        let (reopened, again) = try await restarted(store, cursor, hanging, settings, after: 1)
        #expect(try bench.onDisk().sending == [SendingRange(first: 3, last: 20, epoch: 1)])
        let script = OutputScript()
        await bench.deliver(reopened, again, script, settings)
        #expect(script.ranges == ["3-20"])
        #expect(script.seen[0].key == hanging.seen[0].key && script.seen[0].body == hanging.seen[0].body)
        let account = try bench.onDisk().account
        #expect(account.delivered == 5 && account.notSelected == 15 && Ledger(reopened).closes)
    }

    @Test(
        arguments: [
            (["severity": "info"], ["4-8", "10-10"]), (["severity": "notice"], []),
            (["kubernetes.namespace_name": "shop"], ["3-9", "10-10"]), ([:], ["3-9", "10-12"]),
            (["origin": "file"], []),
        ] as [(SettingsNode, [String])])
    func `with another condition the range is sent as it is selected now, and the ledger closes`(
        _ other: SettingsNode, _ ranges: [String]
    ) async throws {
        // 3, 6 and 9 are errors.
        let (store, cursor) = try ended([mixed(1...10, errorEvery: 3), records(11...12, Self.bank, "alert")])
        let (reopened, again) = try await restarted(
            store, cursor, OutputScript([.silence]), settings(["severity": "error"]), after: 1)
        let script = OutputScript()
        await bench.deliver(reopened, again, script, settings(other))
        let state = try bench.onDisk()
        #expect(script.ranges == ranges)
        #expect(state.account.delivered == UInt64(script.lines.count) && state.next == 13)
        #expect(state.account.notSelected == 12 - state.account.delivered && Ledger(reopened).closes)
    }

    @Test func `what was passed of a range under another condition is not counted twice`() async throws {
        var writer = SampleWriter(try bench.open())
        let store = writer.store
        var cursor = try bench.cursor(store)
        try writer.append(records(1...12, Self.shop))
        _ = writer.close()
        try cursor.settle(next: 4, sending: [SendingRange(first: 2, last: 9, epoch: 1)]) { $0.notSelected += 3 }
        let script = OutputScript()
        await bench.deliver(store, Handover(cursor), script)
        #expect(script.ranges == ["4-9", "10-12"])
        let account = try bench.onDisk().account
        #expect(account.delivered == 9 && account.notSelected == 3 && Ledger(store).closes)
    }

    @Test func `a range stays noted while what is not selected before it is passed`() async throws {
        var writer = SampleWriter(try bench.open())
        let store = writer.store
        var cursor = try bench.cursor(store)
        try writer.append(mixed(1...10, errorEvery: 4))
        _ = writer.close()
        let range = SendingRange(first: 1, last: 9, epoch: 1)
        try cursor.beginSending([range])
        // The process dies right behind the first change of the cursor.
        bench.disk.plan(.crash, afterCalls: 1)
        await bench.deliver(store, Handover(cursor), OutputScript(), settings(["severity": "error"]))
        #expect(try bench.onDisk().next == 4 && bench.onDisk().sending == [range])
    }

    @Test func `several at a time leave islands behind what is not selected, over a restart too`() async throws {
        let chunks = (0..<6).map { n in
            (1...4).map {
                SampleRecord(
                    number: 4 * n + $0, source: Self.shop, severity: $0 == 2 || $0 == 3 ? "error" : "info", size: 40_000
                )
            }
        }
        let (store, cursor) = try ended(chunks)
        let settings = settings(["severity": "error"]).with { $0.maxRequest = .kibibytes(64) }
        // The first one is never answered, those behind it are taken.
        let hanging = OutputScript { $0.first == 2 ? .silence : .success }
        let (reopened, again) = try await restarted(store, cursor, hanging, settings, after: 4, concurrency: 4)
        let script = OutputScript()
        await bench.deliver(reopened, again, script, settings, concurrency: 4)
        let delivered = hanging.seen.filter { $0.first != 2 } + script.seen
        #expect(Set(delivered.map(\.key)).count == delivered.count || delivered.count >= 6)
        #expect(
            Set(delivered.flatMap(\.lines)) == Set(chunks.flatMap { $0 }.filter { $0.severity == "error" }.map(\.line)))
        let state = try bench.onDisk()
        #expect(
            state.account.delivered == 12 && state.account.notSelected == 12 && state.islands.isEmpty
                && state.next == 25)
        #expect(Ledger(reopened).closes)
    }

    // MARK: Refusals

    @Test(arguments: [[10], [500], [10, 20], [240, 250], [980, 990], [1000], [10, 20, 30, 40, 50]])
    func `refused records are found among neighbours that are not selected`(_ guilty: [Int]) async throws {
        let chunks =
            (0..<10).map { mixed((100 * $0 + 1)...(100 * $0 + 100), errorEvery: 10) } + [
                mixed(1001...1005, errorEvery: 100)
            ]
        let (store, cursor) = try ended(chunks)
        let poison = Set(chunks.flatMap { $0 }.filter { guilty.contains($0.number) }.map(\.line))
        let script = OutputScript { seen in
            seen.lines.contains(where: poison.contains) ? .failure("400 poisoned", kind: .refused) : .success
        }
        await bench.deliver(store, cursor, script, settings(["severity": "error"]))
        let letters = try DeadLetters.files(bench.folder.deadLetters(output: "out")).flatMap(DeadLetters.read)
        #expect(letters.map(\.sequence) == guilty.map(UInt64.init))
        let accepted = script.seen.filter { !$0.lines.contains(where: poison.contains) }.flatMap(\.lines)
        let wanted = chunks.flatMap { $0 }.filter { $0.severity == "error" && !guilty.contains($0.number) }
        #expect(accepted == wanted.map(\.line))
        let state = try bench.onDisk()
        #expect(state.account.rejected == UInt64(guilty.count) && state.account.delivered == 100 - UInt64(guilty.count))
        #expect(state.account.notSelected == 905 && state.next == 1006 && state.islands.isEmpty)
        #expect(Ledger(store).closes && script.seen.count < 40 * guilty.count, "\(script.seen.count) requests")
    }

    @Test func `a search goes by the records that are selected, not by numbers`() async throws {
        let (store, cursor) = try ended([mixed(1...400, errorEvery: 40)])
        let script = OutputScript { seen in
            seen.lines.contains { $0.hasPrefix("{\"n\":360,") } ? .failure("400", kind: .refused) : .success
        }
        await bench.deliver(store, cursor, script, settings(["severity": "error"]))
        let single = stride(from: 40, through: 400, by: 40).map { "\($0)-\($0)" }
        #expect(script.ranges == ["40-400"] + single + ["360-360"])
        #expect(Ledger(store).closes)
    }

    @Test func `a suspect finds its witness behind much that is not selected, as soon as it is there`() async throws {
        var writer = SampleWriter(try bench.open())
        let store = writer.store
        let cursor = Handover(try bench.cursor(store))
        try writer.append(mixed(1...1, errorEvery: 1))
        let script = OutputScript { $0.first == 1 ? .failure("400", kind: .refused) : .success }
        let started = SystemClock.monotonic
        async let delivery: Void = bench.deliver(
            store, cursor, script, settings(["severity": "error"]).with { $0.retry.max = .seconds(60) })
        await script.requests(2)
        for n in 1...50 { try writer.append(mixed((10 * n)...(10 * n + 9), errorEvery: 10_000)) }
        try writer.append(mixed(510...512, errorEvery: 511))
        await script.requests(4)
        _ = writer.close()
        await delivery
        #expect(SystemClock.monotonic - started < 20_000_000_000, "it does not wait for the slow retry")
        #expect(script.ranges == ["1-1", "1-1", "503-503", "1-1"])
        let state = try bench.onDisk()
        #expect(state.account.rejected == 1 && state.account.delivered == 1 && state.account.notSelected == 502)
        #expect(state.next == 505 && Ledger(store).closes)
    }

    @Test func `a suspect without company is tried again, however much comes that is not selected`() async throws {
        var writer = SampleWriter(try bench.open())
        let store = writer.store
        let cursor = Handover(try bench.cursor(store))
        try writer.append(mixed(1...1, errorEvery: 1))
        let script = OutputScript(Array(repeating: .failure("400", kind: .refused), count: 6))
        async let delivery: Void = bench.deliver(
            store, cursor, script, settings(["severity": "error"]).with { $0.retry.max = .milliseconds(60) })
        var number = 1
        while script.seen.count < 7 {
            number += 1
            try writer.append(mixed(number...number, errorEvery: 100_000))
            try await Task.sleep(for: .milliseconds(2))
        }
        _ = writer.close()
        await delivery
        let account = try bench.onDisk().account
        #expect(account.delivered == 1 && account.rejected == 0 && account.notSelected == UInt64(number - 1))
        #expect(bench.log.count("output_undecided") <= 3, "it is told once for each search")
        #expect(Ledger(store).closes)
    }

    // MARK: Limits and damage

    @Test func `what is too old is dropped, but not what would not have been sent`() async throws {
        let (store, cursor) = try ended([
            records(1...4, Self.bank), records(5...7, Self.shop) + records(8...9, Self.bank),
        ])
        let script = OutputScript()
        let status = DeliveryStatus()
        await bench.deliver(
            store, cursor, script, settings(["kubernetes.namespace_name": "shop"]).with { $0.maxAge = .zero },
            status: status)
        let account = try bench.onDisk().account
        #expect(script.seen.isEmpty && account.notSelected == 4 && account[.tooOld] == 5 && Ledger(store).closes)
        #expect(status.picture.inflatedChunks == 0)
    }

    @Test func `a source whose definition is damaged is decided record by record`() async throws {
        let (store, cursor) = try ended([
            records(1...2, Self.shop), records(3...5, Self.shop), records(6...7, Self.bank), records(8...9, Self.bank),
        ])
        let path = try #require(bench.segments.first)
        let victim = try #require(
            try SegmentIndex.rebuild(segment: path).chunks.first { $0.firstSequence == 1 && $0.recordCount > 0 })
        let file = try OwnedFile.open(path, .update)
        try file.write([0xff].span, at: victim.offset + 40)
        let script = OutputScript()
        let status = DeliveryStatus()
        await bench.deliver(store, cursor, script, settings(["kubernetes.namespace_name": "shop"]), status: status)
        #expect(script.lines == records(3...5, Self.shop).map(\.line))
        #expect(status.picture.inflatedChunks == 1, "the other source is defined behind the damage")
        let account = try bench.onDisk().account
        #expect(account[.damaged] == 2 && account.delivered == 3 && account.notSelected == 4 && Ledger(store).closes)
    }

    @Test func `sources that are defined in a snapshot, or that a chunk covers beside others, decide too`() async throws
    {
        var first = SampleWriter(try bench.open())
        _ = try bench.cursor(first.store)
        try first.append(records(1...2, Self.shop), covering: [Self.bank, Self.file])
        _ = first.close()
        var second = SampleWriter(try bench.open())
        let store = second.store
        let cursor = Handover(try bench.cursor(store))
        try second.append(records(3...4, Self.shop))
        try second.append(records(5...6, Self.bank), covering: [Self.file])
        _ = second.close()
        let script = OutputScript()
        let status = DeliveryStatus()
        await bench.deliver(store, cursor, script, settings(["kubernetes.namespace_name": "shop"]), status: status)
        #expect(script.lines == records(1...4, Self.shop).map(\.line) && status.picture.inflatedChunks == 1)
        #expect(try bench.onDisk().account.notSelected == 2 && Ledger(store).closes)
    }
}
