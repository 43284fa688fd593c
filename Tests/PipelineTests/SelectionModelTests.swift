// Delivery of a selection against a plain model: random sources, chunks, conditions, receivers and restarts.
import Disk
import Pipeline
import Records
import Store
import Synchronization
import TestKit
import Testing

/// A condition and what it means, written twice.
private struct PlainCondition: Sendable {
    var terms: [(field: String, patterns: [String])] = []

    init(_ random: inout SeededGenerator) {
        let choices: [(String, [String])] = [
            ("origin", ["container", "file", "!file", "*"]),
            ("kubernetes.namespace_name", ["shop", "bank", "s*", "!shop", "!b*", "nowhere"]),
            ("kubernetes.pod_name", ["web", "db", "!db", "w*"]), ("kubernetes.restart_count", ["0", "1", "!1"]),
            ("severity", ["error", "alert", "!info", "e*", "!error"]), ("file.path", ["/a.log", "!/a.log", "/*"]),
            ("n", ["1*", "!2*", "!3*", "7"]),
        ]
        for _ in 0...random.below(3) {
            let (field, patterns) = choices[random.below(choices.count)]
            if terms.contains(where: { $0.field == field }) { continue }
            terms.append((field, (0...random.below(3)).map { _ in patterns[random.below(patterns.count)] }))
        }
        if random.oneIn(12) { terms = [] }
    }

    var condition: Pipeline.Condition {
        Pipeline.Condition(
            SettingsNode(
                mapping: terms.map {
                    ($0.field, SettingsNode(.list($0.patterns.map { SettingsNode(stringLiteral: $0) })))
                }))
    }

    func selects(_ record: SampleRecord) -> Bool {
        terms.allSatisfy { term in
            let value = Self.value(term.field, record)
            let wanted = term.patterns.filter { !$0.hasPrefix("!") }
            let unwanted = term.patterns.filter { $0.hasPrefix("!") }.map { String($0.dropFirst()) }
            guard let value else { return wanted.isEmpty }
            return !unwanted.contains { Self.fits(value, $0) }
                && (wanted.isEmpty || wanted.contains { Self.fits(value, $0) })
        }
    }

    private static func fits(_ value: String, _ pattern: String) -> Bool {
        pattern.hasSuffix("*") ? value.hasPrefix(pattern.dropLast()) : value == pattern
    }

    private static func value(_ field: String, _ record: SampleRecord) -> String? {
        let isContainer = record.source.kind == .container
        switch field {
        case "origin": return isContainer ? "container" : "file"
        case "kubernetes.namespace_name": return isContainer ? record.source.namespace : nil
        case "kubernetes.pod_name": return isContainer ? record.source.pod : nil
        case "kubernetes.restart_count": return isContainer ? "\(record.source.restart)" : nil
        case "severity": return record.severity
        case "file.path": return isContainer ? nil : record.source.path
        default: return "\(record.number)"
        }
    }
}

/// A receiver that fails now and then, refuses some records for good, and notes what it has taken under which key.
private final class ModelReceiver: Sendable {
    private let state:
        Mutex<(random: SeededGenerator, seen: [String: [String]], taken: [String: [String]], order: [String])>
    private let poison: Set<String>
    private let failures: Int

    init(seed: UInt64, poison: Set<String>, failures: Int) {
        state = Mutex((SeededGenerator(seed: seed), [:], [:], []))
        self.poison = poison
        self.failures = failures
    }

    var taken: [String: [String]] { state.withLock { $0.taken } }
    /// The lines it took, in the order in which it took them first.
    var order: [String] { state.withLock { $0.order } }

    func script(silentAt silent: Int) -> OutputScript {
        let counter = StepCounter()
        return OutputScript { seen in
            let isSilent = counter.next() == silent
            return self.state.withLock { state in
                let before = state.seen.updateValue(seen.lines, forKey: seen.key)
                #expect(before == nil || before == seen.lines, "a key always means the same records: \(seen.key)")
                let body = try? GzipReading(seen.body, textSize: seen.textSize)
                #expect(body?.text == seen.lines.map { $0 + "\n" }.joined() && body?.bytesBehind == 0)
                #expect(seen.recordCount == UInt64(seen.lines.count) && seen.recordCount > 0)
                if isSilent { return .silence }
                if self.failures > 0, state.random.oneIn(self.failures) { return .failure("503") }
                if seen.lines.contains(where: self.poison.contains) { return .failure("400", kind: .refused) }
                if state.taken.updateValue(seen.lines, forKey: seen.key) == nil { state.order += seen.lines }
                return .success
            }
        }
    }
}

@Suite(.timeLimit(.minutes(5))) struct `A selection agrees with a plain filter` {
    private static let sources: [SourceIdentity] = [
        .pod("shop", "web"), .pod("shop", "db", restart: 1), .pod("bank", "web"),
        .pod("bank", "web", container: "proxy"),
        .file("/a.log"), .file("/b.log"),
    ]

    /// One random store, and how it is delivered.
    private struct Trial {
        let bench: Bench
        var random: SeededGenerator
        var records: [SampleRecord] = []
        /// The records of each chunk.
        var chunks: [[SampleRecord]] = []
        var settings = DeliverySettings.forTests
        let concurrency: Int?

        init(seed: Int) throws {
            bench = try Bench()
            random = SeededGenerator(seed: UInt64(seed))
            settings.maxRequest = [.kibibytes(1), .kibibytes(4), .mebibytes(1)][random.below(3)]
            concurrency = random.oneIn(3) ? 3 : nil
            try fill()
        }

        private mutating func fill() throws {
            var writer = SampleWriter(try bench.open())
            _ = try bench.cursor(writer.store)
            let sizes = random.oneIn(2) ? 1500 : 0
            var number = 0
            for _ in 0..<(3 + random.below(20)) {
                if random.oneIn(8) {
                    _ = writer.close()
                    if random.oneIn(3) { try bench.open().close() }
                    writer = SampleWriter(try bench.open())
                }
                let here = (0...random.below(3)).map { _ in
                    `A selection agrees with a plain filter`.sources[random.below(6)]
                }
                var chunk: [SampleRecord] = []
                for _ in 0...random.below(12) {
                    number += 1
                    chunk.append(
                        SampleRecord(
                            number: number, source: here[random.below(here.count)],
                            severity: [nil, "info", "info", "error", "alert"][random.below(5)],
                            size: sizes > 0 ? random.below(sizes) : 0))
                }
                try writer.append(
                    chunk,
                    covering: random.oneIn(4) ? [`A selection agrees with a plain filter`.sources[random.below(6)]] : []
                )
                chunks.append(chunk)
                records += chunk
            }
            _ = writer.close()
        }

        /// Some records that are refused for good; never the last two that are selected, which show that others are taken.
        mutating func poison(among selected: [SampleRecord]) -> Set<String> {
            guard selected.count > 2, random.oneIn(2) else { return [] }
            return Set((0...random.below(3)).map { _ in selected[random.below(selected.count - 2)].line })
        }

        /// Delivers until the end, or until the request of that number hangs.
        func deliver(_ store: Store, _ cursor: Handover<StoreCursor>, _ script: OutputScript, stopAt: Int) async {
            let status = DeliveryStatus()
            await withTaskGroup(of: Void.self) { [bench, settings, concurrency] group in
                group.addTask {
                    await bench.deliver(store, cursor, script, settings, status: status, concurrency: concurrency)
                }
                while !status.picture.isDone, script.seen.count < stopAt {
                    try? await Task.sleep(for: .milliseconds(1))
                }
                // With several at a time, those beside the one that hangs are answered.
                if concurrency != nil { try? await Task.sleep(for: .milliseconds(5)) }
                if !status.picture.isDone { group.cancelAll() }
            }
        }

        func reopened() throws -> (store: Store, cursor: Handover<StoreCursor>) {
            let writer = try bench.open()
            let cursor = Handover(try bench.cursor(writer.store))
            let store = writer.store
            writer.close()
            return (store, cursor)
        }

        var letters: [String] {
            get throws {
                try DeadLetters.files(bench.folder.deadLetters(output: "out")).flatMap(DeadLetters.read).map {
                    String(decoding: $0.record, as: UTF8.self)
                }
            }
        }
    }

    @Test(arguments: 1...150) func `whatever the condition, and whenever it is stopped`(seed: Int) async throws {
        var trial = try Trial(seed: seed)
        let plain = PlainCondition(&trial.random)
        trial.settings.selection = plain.condition
        let selected = trial.records.filter(plain.selects)
        let poison = trial.poison(among: selected)
        let receiver = ModelReceiver(seed: UInt64(seed), poison: poison, failures: trial.random.oneIn(2) ? 4 : 0)
        var stops = trial.random.oneIn(3) ? 0 : trial.random.below(6)
        while true {
            let (store, cursor) = try trial.reopened()
            let stopAt = stops > 0 ? 1 + trial.random.below(6) : .max
            let script = receiver.script(silentAt: stopAt)
            await trial.deliver(store, cursor, script, stopAt: stopAt)
            #expect(Ledger(store).closes, "seed \(seed)")
            stops -= 1
            if stopAt == .max { break }
        }
        let wanted = selected.map(\.line).filter { !poison.contains($0) }
        let taken = receiver.taken.values.flatMap { $0 }
        #expect(taken.sorted() == wanted.sorted(), "seed \(seed): each once, under one key")
        if poison.isEmpty, trial.concurrency == nil { #expect(receiver.order == wanted, "seed \(seed)") }
        #expect(try trial.letters.sorted() == poison.sorted(), "seed \(seed)")
        let state = try trial.bench.onDisk()
        #expect(
            state.account.delivered == UInt64(wanted.count) && state.account.rejected == UInt64(poison.count),
            "seed \(seed)")
        #expect(state.account.notSelected == UInt64(trial.records.count - selected.count), "seed \(seed)")
        #expect(state.islands.isEmpty && state.sending.isEmpty && state.account.droppedInAll == 0, "seed \(seed)")
    }

    @Test(arguments: 1...100) func `with another condition after each restart nothing that all select is missing`(
        seed: Int
    ) async throws {
        var trial = try Trial(seed: 1000 + seed)
        var conditions: [PlainCondition] = []
        for _ in 0...(1 + trial.random.below(4)) { conditions.append(PlainCondition(&trial.random)) }
        var delivered: Set<String> = []
        for (index, plain) in conditions.enumerated() {
            trial.settings.selection = plain.condition
            let (store, cursor) = try trial.reopened()
            let stopAt = index == conditions.count - 1 ? Int.max : 1 + trial.random.below(4)
            // Under one key other records may come now: each start has a receiver of its own.
            let receiver = ModelReceiver(seed: UInt64(seed), poison: [], failures: 0)
            await trial.deliver(store, cursor, receiver.script(silentAt: stopAt), stopAt: stopAt)
            #expect(Ledger(store).closes, "seed \(seed)")
            #expect(
                receiver.order.allSatisfy(Set(trial.records.filter(plain.selects).map(\.line)).contains), "seed \(seed)"
            )
            delivered.formUnion(receiver.order)
        }
        let inAll = trial.records.filter { record in conditions.allSatisfy { $0.selects(record) } }.map(\.line)
        #expect(delivered.isSuperset(of: inAll), "seed \(seed)")
        let state = try trial.bench.onDisk()
        #expect(state.account.delivered + state.account.notSelected == UInt64(trial.records.count), "seed \(seed)")
        #expect(state.islands.isEmpty && state.sending.isEmpty)
    }

    @Test(arguments: 1...60) func `damage costs the records of its chunk and no others`(seed: Int) async throws {
        var trial = try Trial(seed: 2000 + seed)
        let plain = PlainCondition(&trial.random)
        trial.settings.selection = plain.condition
        let (store, cursor) = try trial.reopened()
        let victim = trial.random.below(trial.chunks.count)
        // The body, or the field with what it defines.
        let places = try trial.bench.segments.flatMap { path in
            try SegmentIndex.rebuild(segment: path).chunks.filter { $0.recordCount > 0 }.map { (path, $0) }
        }
        let (path, entry) = places[victim]
        let file = try OwnedFile.open(path, .update)
        let at = entry.offset + (trial.random.oneIn(2) ? 60 : UInt64(entry.memberSize) - 9)
        let byte = try #require(try file.read(count: 1, at: at).first)
        try file.write([byte ^ 0x10].span, at: at)

        let receiver = ModelReceiver(seed: UInt64(seed), poison: [], failures: 5)
        await trial.deliver(store, cursor, receiver.script(silentAt: .max), stopAt: .max)
        let lost = Set(trial.chunks[victim].map(\.number))
        let wanted = trial.records.filter { plain.selects($0) && !lost.contains($0.number) }.map(\.line)
        #expect(receiver.taken.values.flatMap { $0 }.sorted() == wanted.sorted(), "seed \(seed)")
        let state = try trial.bench.onDisk()
        #expect(
            state.account[.damaged] == UInt64(lost.count) && state.account.delivered == UInt64(wanted.count),
            "seed \(seed)")
        #expect(Ledger(store).closes, "seed \(seed)")
    }
}
