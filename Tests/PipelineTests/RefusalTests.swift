// What is refused: the guilty records are found and kept, a receiver that refuses everything costs nothing but time, sizes
// are learned, and all of it survives a kill at any moment.
import Disk
import Pipeline
import Store
import TestKit
import Testing

@Suite(.timeLimit(.minutes(1))) struct `Refusals` {
    let bench: Bench

    init() throws { bench = try Bench() }

    /// A receiver that refuses requests with any of these records.
    private func refusing(_ guilty: Set<Int>, kind: DeliveryFailure.Kind = .refused) -> OutputScript {
        let lines = Set(guilty.map { "{\"n\":\($0)}" })
        return OutputScript { seen in
            seen.lines.contains(where: lines.contains) ? .failure("400 poisoned", kind: kind) : .success
        }
    }

    private func letters(_ output: String = "out") throws -> [DeadLetter] {
        try DeadLetters.files(bench.folder.deadLetters(output: output)).flatMap(DeadLetters.read)
    }

    /// The lines of the requests that were accepted.
    private func accepted(_ script: OutputScript, without guilty: Set<Int>) -> [String] {
        let lines = Set(guilty.map { "{\"n\":\($0)}" })
        return script.seen.filter { !$0.lines.contains(where: lines.contains) }.flatMap(\.lines)
    }

    @Test(arguments: [
        [1], [2], [77], [5000], [9999], [10000], [4, 5], [1, 2], [10, 11, 12, 13, 14], [3, 700, 701, 8000],
    ])
    func `poisoned records among ten thousand are found, and they alone become dead letters`(guilty: [Int]) async throws
    {
        let chunks = stride(from: 1, through: 10_000, by: 500).map { numbered($0...($0 + 499)) }
        let (store, cursor) = try bench.ended(chunks)
        let script = refusing(Set(guilty))
        await bench.deliver(store, cursor, script)
        #expect(
            accepted(script, without: Set(guilty))
                == numbered(1...10_000).filter { line in
                    !guilty.contains { line == "{\"n\":\($0)}" }
                })
        let letters = try letters()
        #expect(letters.map { String(decoding: $0.record, as: UTF8.self) } == guilty.map { "{\"n\":\($0)}" })
        #expect(letters.map(\.sequence) == guilty.map(UInt64.init))
        #expect(letters.allSatisfy { $0.answer == "400 poisoned" && $0.refusedAt.hasSuffix("Z") })
        let account = try bench.onDisk().account
        #expect(account.delivered == UInt64(10_000 - guilty.count) && account.rejected == UInt64(guilty.count))
        #expect(Ledger(store).closes)
        #expect(bench.log.count("output_dead_letters") == guilty.count)
        #expect(script.seen.count < 50 * guilty.count, "\(script.seen.count) requests")
    }

    @Test(arguments: [DeliveryFailure.Kind.refused, .tooLarge])
    func `a receiver that refuses everything costs nothing but time`(kind: DeliveryFailure.Kind) async throws {
        var writer = try bench.open()
        let store = writer.store
        let cursor = Handover(try bench.cursor(store))
        try bench.fill(&writer, [numbered(1...500), numbered(501...1000)])
        let script = OutputScript(Array(repeating: .failure("400 no such path", kind: kind), count: 200))
        let status = DeliveryStatus()
        async let delivery: Void = bench.deliver(store, cursor, script, status: status)
        await script.requests(150)
        #expect(status.picture.failure == "400 no such path")
        #expect(try bench.onDisk().account.rejected == 0 && bench.onDisk().next == 1)
        writer.close()
        await delivery
        #expect(try letters() == [])
        #expect(try bench.onDisk().account.delivered == 1000)
        #expect(bench.log.count("output_denials") > 5 && bench.log.said("no such path"))
        #expect(!status.picture.isDenied && status.picture.failure == nil)
        #expect(Ledger(store).closes)
    }

    @Test func `what is denied is sent again slowly, under the same key, and shouted`() async throws {
        let (store, cursor) = try bench.ended([numbered(1...3)])
        let script = OutputScript(Array(repeating: .failure("401 who are you", kind: .denied), count: 3))
        let started = SystemClock.monotonic
        await bench.deliver(store, cursor, script, .forTests.with { $0.retry.max = .milliseconds(40) })
        #expect(SystemClock.monotonic - started >= 3 * 20_000_000, "from the first failure on it waits long")
        #expect(script.ranges == ["1-3", "1-3", "1-3", "1-3"] && Set(script.seen.map(\.key)).count == 1)
        #expect(bench.log.count("output_denials") == 3 && bench.log.count("output_retries") == 0)
        #expect(try bench.onDisk().account.delivered == 3)
    }

    @Test func `requests that are too large are halved, and the size is remembered`() async throws {
        // Chunks of about 30 kB that do not compress; the receiver takes 100 kB.
        let (store, cursor) = try bench.ended(
            (1...40).map { n in [noise(2 * n, bytes: 20_000), noise(2 * n + 1, bytes: 20_000)] })
        let script = OutputScript { seen in
            seen.body.count > 100_000 ? .failure("413 too large", kind: .tooLarge) : .success
        }
        await bench.deliver(store, cursor, script)
        let taken = script.seen.filter { $0.body.count <= 100_000 }
        #expect(taken.flatMap(\.lines).count == 80 && Set(taken.flatMap(\.lines)).count == 80)
        #expect(try bench.onDisk().account.delivered == 80 && letters() == [])
        #expect(script.seen.count - taken.count < 6, "\(script.seen.count - taken.count) were refused")
        #expect(bench.log.count("output_too_large") > 0)
    }

    @Test func `a chunk that is too large is cut between its lines`() async throws {
        let lines = (1...12).map { noise($0, bytes: 20_000) }
        let (store, cursor) = try bench.ended([lines])
        let script = OutputScript { seen in
            seen.body.count > 60_000 ? .failure("413", kind: .tooLarge) : .success
        }
        await bench.deliver(store, cursor, script)
        #expect(script.seen.filter { $0.body.count <= 60_000 }.flatMap(\.lines) == lines)
        #expect(try letters() == [])
    }

    @Test func `a single record that is too large becomes a dead letter, and others are sent in full size again`()
        async throws
    {
        let large = noise(1000, bytes: 300_000)
        let rest = (1...60).map { noise($0, bytes: 5_000) }
        let (store, cursor) = try bench.ended([Array(rest[..<20]), [large], Array(rest[20...])])
        let script = OutputScript { seen in
            seen.lines.contains { $0.utf8.count > 200_000 } ? .failure("413", kind: .tooLarge) : .success
        }
        await bench.deliver(store, cursor, script)
        #expect(script.seen.filter { !$0.lines.contains(large) }.flatMap(\.lines) == rest)
        #expect(try letters().map { String(decoding: $0.record, as: UTF8.self) } == [large])
        #expect(Ledger(store).closes)
    }

    @Test func `a poisoned record with nothing behind it waits for company`() async throws {
        var writer = try bench.open()
        let store = writer.store
        let cursor = Handover(try bench.cursor(store))
        let source = writer.define(.container("web"))
        #expect(writer.append(lines: numbered(1...1), of: source) == .stored)
        let script = refusing([1])
        async let delivery: Void = bench.deliver(store, cursor, script)
        await script.requests(10)
        #expect(try bench.onDisk().account.rejected == 0, "it may be the receiver that is to blame")
        #expect(writer.append(lines: numbered(2...2), of: source) == .stored)
        writer.close()
        await delivery
        #expect(try bench.onDisk().account.rejected == 1 && bench.onDisk().account.delivered == 1)
        #expect(try letters().map(\.sequence) == [1])
        #expect(Ledger(store).closes)
    }

    @Test func `a receiver that begins to refuse everything in the middle of a search loses nothing`() async throws {
        let (store, cursor) = try bench.ended([numbered(1...1000)])
        // The whole, then 1 and 8 are taken, then everything is refused for a while.
        let script = OutputScript(
            [.failure("400", kind: .refused), .success, .success]
                + Array(repeating: .failure("400", kind: .refused), count: 30))
        await bench.deliver(store, cursor, script)
        #expect(try letters() == [])
        #expect(try bench.onDisk().account.delivered == 1000)
    }

    @Test func `a dead letter that cannot be written keeps its record and the output waits`() async throws {
        let (store, cursor) = try bench.ended([numbered(1...20)])
        let script = refusing([7])
        let folder = bench.folder.deadLetters
        // A file where the folder should be.
        try bench.scratch.write("data/dead-letter", [])
        async let delivery: Void = bench.deliver(store, cursor, script)
        while bench.log.count("output_dead_letter_failures") == 0 { try await Task.sleep(for: .milliseconds(1)) }
        #expect(try bench.onDisk().account.rejected == 0)
        try LocalFileSystem().remove(folder)
        await delivery
        #expect(try letters().map(\.sequence) == [7])
        #expect(try bench.onDisk().account.rejected == 1 && bench.onDisk().account.delivered == 19)
    }

    // MARK: Kills

    /// Delivers until the receiver does not answer any more, then ends as a process does that is killed.
    private func killed(_ store: Store, _ cursor: Handover<StoreCursor>, _ script: OutputScript, requests: Int) async {
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await bench.deliver(store, cursor, script) }
            await script.requests(requests)
            group.cancelAll()
        }
    }

    @Test(arguments: 1...14)
    func `a kill at any step of a search repeats that step under its key, and ends with the same letters`(
        step: Int
    ) async throws {
        let poison: Set<String> = ["{\"n\":5}", "{\"n\":6}", "{\"n\":90}"]
        let judge: @Sendable (OutputScript.Seen) -> OutputScript.Answer = { seen in
            seen.lines.contains(where: poison.contains) ? .failure("400", kind: .refused) : .success
        }
        let (store, cursor) = try bench.ended([numbered(1...50), numbered(51...100)])
        let silentAt = step
        let counter = StepCounter()
        let hanging = OutputScript { seen in counter.next() == silentAt ? .silence : judge(seen) }
        await killed(store, cursor, hanging, requests: step)
        let seenBefore = hanging.seen
        // What the silent request held may have been taken: the receiver's answer was lost.
        let inFlight = try #require(seenBefore.last)

        let writer = try bench.open()
        let again = Handover(try bench.cursor(writer.store))
        let reopened = writer.store
        writer.close()
        let script = OutputScript(judge: judge)
        await bench.deliver(reopened, again, script)
        let isGuilty = inFlight.lines.contains(where: poison.contains)
        #expect(script.seen.first?.key == inFlight.key, "exactly what was on its way goes first")
        var taken = seenBefore.dropLast().filter { !$0.lines.contains(where: poison.contains) }.flatMap(\.lines)
        if !isGuilty { taken += inFlight.lines }
        let later = script.seen.filter { seen in
            !seen.lines.contains(where: poison.contains) && (isGuilty || seen.key != inFlight.key)
        }
        taken += later.flatMap(\.lines)
        #expect(
            taken.sorted() == numbered(1...100).filter { !poison.contains($0) }.sorted(), "each once, under one key")
        #expect(try letters().map(\.sequence) == [5, 6, 90])
        let account = try bench.onDisk().account
        #expect(account.delivered == 97 && account.rejected == 3)
        #expect(Ledger(reopened).closes)
    }

    // MARK: Several at a time

    /// Delivers until so many requests are on their way together, none of them answered, then ends as a process does that is
    /// killed.
    private func killed(
        _ store: Store, _ cursor: Handover<StoreCursor>, _ settings: DeliverySettings, with requests: Int
    ) async -> OutputScript {
        let hanging = OutputScript(Array(repeating: .silence, count: requests))
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await bench.deliver(store, cursor, hanging, settings, concurrency: requests) }
            await hanging.requests(requests)
            group.cancelAll()
        }
        return hanging
    }

    @Test func `several requests go out together, and the cursor passes them together`() async throws {
        let (store, cursor) = try bench.ended((1...30).map { [noise($0, bytes: 80_000)] })
        let script = OutputScript()
        await bench.deliver(
            store, cursor, script, .forTests.with { $0.maxRequest = .kibibytes(128) }, concurrency: 4)
        #expect(
            script.seen.map(\.first).sorted() == Array(stride(from: 1, through: 29, by: 2)).map(UInt64.init)
                || script.seen.count >= 15)
        #expect(Set(script.lines) == Set((1...30).map { noise($0, bytes: 80_000) }) && script.lines.count == 30)
        #expect(try bench.onDisk().account.delivered == 30 && bench.onDisk().sending.isEmpty)
        #expect(Ledger(store).closes)
    }

    @Test func `what is delivered behind a refused request is not sent again`() async throws {
        let all = (1...24).map { noise($0, bytes: 80_000) }
        let (store, cursor) = try bench.ended(all.map { [$0] })
        let script = OutputScript { seen in
            seen.lines.contains { $0.hasPrefix("{\"n\":3,") } ? .failure("400", kind: .refused) : .success
        }
        await bench.deliver(
            store, cursor, script, .forTests.with { $0.maxRequest = .kibibytes(128) }, concurrency: 4)
        let taken = script.seen.filter { !$0.lines.contains(all[2]) }.flatMap(\.lines)
        #expect(taken.count == 23 && Set(taken) == Set(all).subtracting([all[2]]))
        #expect(try letters().map(\.sequence) == [3])
        let state = try bench.onDisk()
        #expect(state.account.delivered == 23 && state.account.rejected == 1 && state.islands.isEmpty)
        #expect(Ledger(store).closes)
    }

    @Test func `after a kill all that were on their way come again under their keys`() async throws {
        let (store, cursor) = try bench.ended((1...8).map { [noise($0, bytes: 80_000)] })
        let settings = DeliverySettings.forTests.with { $0.maxRequest = .kibibytes(64) }
        let hanging = await killed(store, cursor, settings, with: 4)
        #expect(try bench.onDisk().sending.count == 4)
        let writer = try bench.open()
        let again = Handover(try bench.cursor(writer.store))
        let reopened = writer.store
        writer.close()
        let script = OutputScript()
        await bench.deliver(reopened, again, script, settings, concurrency: 4)
        #expect(Set(script.seen.prefix(4).map(\.key)) == Set(hanging.seen.map(\.key)))
        #expect(Set(script.lines).count == 8 && script.lines.count == 8)
        #expect(try bench.onDisk().account.delivered == 8)
    }

    // MARK: Gaps, other outputs, gaps over islands

    @Test func `suspects right before records that cannot be read do not block what lies behind`() async throws {
        let (store, cursor) = try bench.ended([numbered(1...2), numbered(3...6), numbered(7...9)])
        try bench.damage(store, record: 3)
        let script = refusing([1, 2])
        await bench.deliver(store, cursor, script)
        #expect(try letters().map(\.sequence) == [1, 2])
        #expect(accepted(script, without: [1, 2]).sorted() == numbered(7...9))
        let account = try bench.onDisk().account
        #expect(account.rejected == 2 && account[.damaged] == 4 && account.delivered == 3)
        #expect(Ledger(store).closes)
    }

    @Test func `what several requests left on their way is sent one by one by an output of another kind`() async throws
    {
        let (store, cursor) = try bench.ended((1...8).map { [noise($0, bytes: 80_000)] })
        let settings = DeliverySettings.forTests.with { $0.maxRequest = .kibibytes(64) }
        let hanging = await killed(store, cursor, settings, with: 4)
        let writer = try bench.open()
        let again = Handover(try bench.cursor(writer.store))
        let reopened = writer.store
        writer.close()
        let script = OutputScript()
        await bench.deliver(reopened, again, script, settings)
        #expect(script.seen.prefix(4).map(\.key) == hanging.seen.map(\.key).sorted())
        #expect(script.lines == (1...8).map { noise($0, bytes: 80_000) })
        #expect(Ledger(reopened).closes)
    }

    @Test func `a gap over what is delivered already counts only the rest`() async throws {
        let (store, cursor) = try bench.ended([numbered(1...4), numbered(5...8)])
        guard var cursor = cursor.take() else { return }
        try cursor.settle(
            next: 1, islands: [DeliveredIsland(first: 3, last: 4, delivered: 2, notSelected: 0)]
        ) { _ in }
        try bench.damage(store, record: 1)
        let script = OutputScript()
        await bench.deliver(store, Handover(cursor), script)
        let account = try bench.onDisk().account
        #expect(account[.damaged] == 2 && account.delivered == 6, "\(account)")
        #expect(script.lines == numbered(5...8))
        #expect(Ledger(store).closes)
    }

    @Test func `damage in one of several ranges leaves the keys of the others`() async throws {
        let (store, cursor) = try bench.ended((1...6).map { [noise($0, bytes: 80_000)] })
        let settings = DeliverySettings.forTests.with { $0.maxRequest = .kibibytes(64) }
        let hanging = await killed(store, cursor, settings, with: 3)
        let writer = try bench.open()
        let again = Handover(try bench.cursor(writer.store))
        let reopened = writer.store
        writer.close()
        try bench.damage(reopened, record: 2)
        let script = OutputScript()
        await bench.deliver(reopened, again, script, settings, concurrency: 3)
        let before = hanging.seen.sorted { $0.first < $1.first }.map(\.key)
        let after = script.seen.sorted { $0.first < $1.first }.map(\.key)
        #expect(after.first == before[0] && after.dropFirst().first == before[2], "\(before) \(after)")
        #expect(try bench.onDisk().account[.damaged] == 1 && bench.onDisk().account.delivered == 5)
        #expect(Ledger(reopened).closes)
    }

    // MARK: Letters

    @Test func `letters of any depth are read back, and one that is deep cuts off nothing`() throws {
        let writer = try bench.open()
        var letters = DeadLetters(writer.store, output: "out")
        let deep = String(repeating: "[", count: 400) + String(repeating: "]", count: 400)
        let records = ["{\"n\":1}", "{\"deep\":\(deep)}", "{\"n\":3,\"text\":\",\\\"record\\\":{\"}"]
        for (number, record) in records.enumerated() {
            try letters.append(
                DeadLetter(
                    sequence: UInt64(number + 1), refusedAt: "2026-01-02T03:04:05Z",
                    answer: "no ,\"record\": \(number)",
                    record: Array(record.utf8)))
        }
        var again = DeadLetters(writer.store, output: "out")
        try again.append(DeadLetter(sequence: 4, refusedAt: "", answer: "", record: Array("{}".utf8)))
        let read = try self.letters()
        #expect(read.map(\.sequence) == [1, 2, 3, 4])
        #expect(read.map { String(decoding: $0.record, as: UTF8.self) } == records + ["{}"])
        #expect(read[1].answer == "no ,\"record\": 1")
        writer.close()
    }

    @Test func `letters that outgrow their share go oldest first, but never a file that is being written`() throws {
        var limits = StoreLimits.forTests
        limits.maxSize = 32 << 20
        let writer = try bench.open(limits)
        var quiet = DeadLetters(writer.store, output: "quiet")
        let record = Array("{\"n\":\"\(String(repeating: "x", count: 60_000))\"}".utf8)
        func letter(_ n: Int) -> DeadLetter {
            DeadLetter(sequence: UInt64(n), refusedAt: "", answer: "no", record: record)
        }
        try quiet.append(letter(1))
        var busy = DeadLetters(writer.store, output: "busy")
        for n in 2...120 { try busy.append(letter(n)) }
        #expect(writer.store.deadLetterBytes <= 4 << 20)
        #expect(try self.letters("quiet").map(\.sequence) == [1])
        let kept = try self.letters("busy").map(\.sequence)
        #expect(kept.last == 120 && kept.count < 119 && kept == Array(kept.first!...120))
        #expect(bench.log.count("output_dead_letters_retired") == UInt64(119 - kept.count))

        // A file that somebody deletes while it is written is begun anew.
        for path in DeadLetters.files(bench.folder.deadLetters(output: "quiet")) { try LocalFileSystem().remove(path) }
        try quiet.append(letter(121))
        #expect(try self.letters("quiet").map(\.sequence) == [121])
        writer.close()

        // A smaller store takes less of them, from the start on.
        limits.maxSize = 16 << 20
        let smaller = try bench.open(limits)
        #expect(smaller.store.deadLetterBytes <= 2 << 20)
        smaller.close()
    }
}
