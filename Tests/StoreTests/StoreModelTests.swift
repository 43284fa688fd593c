// The store against a model: a plain list of chunks. Whatever happens between two starts, what is found afterwards is that
// list, or after a power cut a beginning of it with at least everything that was synced; and every source stands exactly
// behind its last record that is found.
import Bytes
import Disk
import Records
import Store
import TestKit
import Testing

@Suite struct `Store model` {
    /// What is done to the store in one run.
    enum Weather: String, CaseIterable, Sendable {
        /// The process is killed, and single calls fail.
        case kills
        /// The power fails, and the disk is full at times.
        case powerCuts
        /// The process is killed, single calls fail, and the store is so small that history must go all the time.
        case smallStore
    }

    /// More of them with the variable SLUICE_SEEDS.
    static let seeds: ClosedRange<UInt64> = 1...(Machine.environment("SLUICE_SEEDS").flatMap { UInt64($0) } ?? 8)

    @Test(arguments: Weather.allCases, seeds)
    func `what is found after a start is what was stored before it`(weather: Weather, seed: UInt64) throws {
        var run = try Run(weather, seed: seed)
        try run.go(steps: 250)
    }
}

/// One random life of a store, with what is known of it.
private struct Run: ~Copyable {
    /// How one chunk moved one source.
    struct Step {
        let name: String
        let input: String
        let from: UInt64
        let to: UInt64
        let isRetired: Bool

        var lines: [String] { (from..<to).map { "\(name)#\($0)" } }
    }

    struct Chunk {
        let first: UInt64
        let steps: [Step]
        var lines: [String] { steps.flatMap(\.lines) }
    }

    let bench: StoreBench
    let weather: `Store model`.Weather
    let seed: UInt64
    var random: SeededGenerator
    var limits = StoreBench.limits

    // The model.
    var chunks: [Chunk] = []
    /// The records of so many of them have been deleted as history.
    var gone = 0
    /// The highest place at which the cursor ever stood.
    var furthest: UInt64 = 1
    /// So many of them are synced.
    var durable = 0
    var live: [String: (number: SourceNumber, input: String, position: UInt64)] = [:]
    var lastName = 0
    /// The places of the cursor since its last sync; the last one was written last.
    var cursorPlaces: [UInt64] = []
    /// Places that it had only in memory.
    var unwrittenPlaces: Set<UInt64> = []
    /// Every number that was ever given, with its epoch.
    var given: Set<[UInt64]> = []
    var highestPromise: UInt64 = 1

    var writer: StoreWriter?
    var cursor: StoreCursor?
    var trace: [String] = []
    var fullFor = 0

    init(_ weather: `Store model`.Weather, seed: UInt64) throws {
        bench = try StoreBench()
        self.weather = weather
        self.seed = seed
        random = SeededGenerator(seed: seed &* 77 &+ UInt64(weather.rawValue.utf8.count))
        limits.segmentSize = 8192
        if weather == .smallStore {
            limits.segmentSize = 2048
            limits.maxSize = 40 * 1024
        }
        limits.syncInterval = random.oneIn(3) ? .max : 0
    }

    private func comment() -> Comment {
        "\(weather) seed \(seed), step \(trace.count): \(trace.suffix(12)); calls \(bench.disk.log.suffix(8))"
    }

    mutating func go(steps: Int) throws {
        try open()
        for _ in 0..<steps {
            try step()
            writer?.awaitSync()
            if bench.disk.isCrashed {
                try end(cleanly: false)
                try open()
            } else {
                if limits.syncInterval == 0, fullFor == 0, weather == .powerCuts { durable = chunks.count }
                checkLedger()
            }
        }
        bench.disk.heal()
        try end(cleanly: true)
        try open()
    }

    // MARK: Steps

    private mutating func step() throws {
        if fullFor > 0 {
            fullFor -= 1
            if fullFor == 0 { bench.disk.heal() }
        }
        switch random.below(20) {
        case 0..<11: append()
        case 11..<14: moveCursor()
        case 14..<16:
            trace.append("housekeep")
            writer?.housekeep()
        case 16:
            bench.disk.heal()
            fullFor = 0
            try end(cleanly: true)
            try open()
        case 17:
            trace.append("crash soon")
            bench.disk.plan(random.oneIn(2) ? .crash : .crashHalfway, afterCalls: random.below(8))
        case 18 where weather != .smallStore:
            trace.append("disk full")
            bench.disk.breakDown([.open, .write], with: 28)
            fullFor = 1 + random.below(4)
        default:
            if weather == .powerCuts {
                try end(cleanly: false)
                try open()
            } else {
                let faults: [FaultyFileSystem.Fault] = [
                    .error(28), .error(5), .halfWrite(28), .halfWrite(5), .shortWrite,
                ]
                trace.append("fault soon")
                bench.disk.plan(faults[random.below(faults.count)], afterCalls: random.below(6))
            }
        }
    }

    private mutating func append() {
        let input = random.oneIn(3) ? "files" : "logs"
        var chunk = ChunkBuilder(input: input)
        var steps: [Step] = []
        for _ in 0..<(1 + random.below(4)) {
            let known = live.filter { $0.value.input == input }.keys.sorted()
            var name = ""
            if known.isEmpty || random.oneIn(4) {
                lastName += 1
                name = "s\(lastName)"
                guard let number = writer?.define(.test(name, input: input)) else { return }
                live[name] = (number, input, 0)
            } else {
                name = known[random.below(known.count)]
            }
            guard let source = live[name], !steps.contains(where: { $0.name == name }) else { continue }
            let records = random.oneIn(4) ? 0 : random.below(12)
            let step = Step(
                name: name, input: input, from: source.position, to: source.position + UInt64(records),
                isRetired: random.oneIn(8))
            for line in step.lines { chunk.add(line) }
            chunk.cover(source.number, upTo: step.to, isRetired: step.isRetired)
            steps.append(step)
        }
        let epoch = writer?.store.identity.epoch ?? 0
        let outcome = writer?.append(&chunk)
        trace.append("append \(steps.map { "\($0.name):\($0.to)\($0.isRetired ? "!" : "")" }) \(outcome == .stored)")
        guard outcome == .stored, let end = writer?.store.nextSequence else { return }
        let first = end - UInt64(chunk.recordCount)
        chunks.append(Chunk(first: first, steps: steps))
        for number in first..<end {
            let isNew = given.insert([epoch, number]).inserted
            #expect(isNew, "number \(number) was given twice in epoch \(epoch)")
        }
        for step in steps {
            if step.isRetired { live[step.name] = nil } else { live[step.name]?.position = step.to }
        }
    }

    private mutating func moveCursor() {
        guard let store = writer?.store, var next = cursor?.state.next else { return }
        var reader = StoreReader(store)
        for _ in 0..<(1 + random.below(3)) {
            var records: UInt64 = 0
            var reason: DropReason?
            switch try? reader.next(from: next) {
            case .chunk(let chunk):
                records = chunk.header.endSequence - max(next, chunk.header.firstSequence)
                next = chunk.header.endSequence
                reader.pass()
            case .gap(let gap):
                records = gap.records
                reason = gap.reason
                next = gap.to
                #expect(gap.reason == .powerCut || weather == .smallStore, comment())
            default: return
            }
            do {
                try cursor?.settle(next: next) { account in
                    if let reason { account[reason] += records } else { account.delivered += records }
                }
                cursorPlaces.append(next)
            } catch {
                unwrittenPlaces.insert(next)
            }
            _ = cursor?.publish(waitingBytes: 0)
            furthest = max(furthest, next)
            trace.append("cursor \(next)")
            if random.oneIn(2), !bench.disk.isCrashed, (try? cursor?.sync()) != nil, let last = cursorPlaces.last,
                !bench.disk.isCrashed
            {
                cursorPlaces = [last]
                highestPromise = max(highestPromise, last)
            }
        }
    }

    private mutating func checkLedger() {
        guard let store = writer?.store else { return }
        let ledger = Ledger(store)
        if !ledger.closes { Issue.record("\(comment().rawValue)\n\(ledger.text)") }
    }

    // MARK: Ends and starts

    /// The process ends; after a power cut nothing of it is left but what was synced, and more by chance.
    private mutating func end(cleanly: Bool) throws {
        cursor = nil
        if cleanly {
            trace.append("close")
            if let writer = writer.take() { writer.close() }
            if !bench.disk.isCrashed { durable = chunks.count }
        }
        writer = nil
        guard !cleanly || bench.disk.isCrashed else { return }
        bench.disk.crash()
        fullFor = 0
        if weather == .powerCuts, random.oneIn(2) {
            let mode = random.below(3)
            var generator = random
            try bench.disk.powerCut { count in mode == 0 ? 0 : mode == 1 ? count : generator.below(count + 1) }
            trace.append("power cut \(mode)")
            isAfterPowerCut = true
        } else {
            trace.append("killed")
        }
    }

    private var isAfterPowerCut = false

    private mutating func open() throws {
        while writer == nil {
            bench.disk.restart()
            // Sometimes the start itself does not come to its end.
            if random.oneIn(4) {
                bench.disk.plan(random.oneIn(2) ? .crash : .crashHalfway, afterCalls: random.below(30))
            }
            do throws(StoreError) {
                writer = try bench.open(limits)
            } catch {
                trace.append("start failed")
                #expect(bench.disk.isCrashed, comment())
                if weather == .powerCuts, random.oneIn(2) {
                    var generator = random
                    try bench.disk.powerCut { generator.below($0 + 1) }
                    trace.append("power cut")
                    isAfterPowerCut = true
                }
            }
        }
        try check()
        if !bench.disk.isCrashed { writer?.awaitSync() }
        do {
            guard let store = writer?.store else { return }
            cursor = try StoreCursor(store, output: "out", start: .history, mayGiveWay: false)
        } catch {
            #expect(bench.disk.isCrashed, comment())
            try end(cleanly: false)
            try open()
            return
        }
        checkCursor()
        isAfterPowerCut = false
    }

    /// Compares what is found with the model, and goes on from what is found.
    private mutating func check() throws {
        guard let store = writer?.store else { return }
        let seen = try store.readAll()
        let known = ["logs", "files"].flatMap { writer?.knownSources(input: $0) ?? [] }
        let found = Dictionary(known.map { ($0.identity.pod, $0.position.count) }, uniquingKeysWith: max)
        var match: Int?
        for count in stride(from: chunks.count, through: isAfterPowerCut ? durable : chunks.count, by: -1) {
            let prefix = chunks[..<count]
            var first = gone
            if weather == .smallStore { first = firstKept(seen.records.count) }
            if prefix[first...].flatMap(\.lines) == seen.lines, positions(prefix) == found {
                match = count
                gone = first
                break
            }
        }
        guard let match else {
            let expected = chunks.flatMap(\.lines)
            let differs = zip(expected, seen.lines).enumerated().first { $0.element.0 != $0.element.1 }
            Issue.record(
                """
                \(comment().rawValue): found \(seen.lines.count) records of \(expected.count), \(durable) of \(chunks.count) chunks durable,
                first difference \(String(describing: differs)), positions \(found.sorted { $0.key < $1.key }) for
                \(positions(chunks[...]).sorted { $0.key < $1.key })
                """)
            throw Mismatch()
        }
        let numbers = chunks[gone..<match].flatMap { chunk in chunk.lines.indices.map { chunk.first + UInt64($0) } }
        #expect(seen.records.map(\.sequence) == numbers, comment())
        #expect(known.allSatisfy { $0.identity == .test($0.identity.pod, input: $0.identity.input) }, comment())
        #expect(seen.gaps.allSatisfy { $0.reason == .powerCut || weather == .smallStore }, comment())
        let needed = chunks[..<gone].filter { $0.first + UInt64($0.lines.count) > furthest && !$0.lines.isEmpty }
        #expect(
            needed.isEmpty,
            "deleted, but not delivered: \(needed.map(\.first)), cursor \(furthest); \(comment().rawValue)")
        #expect(store.nextSequence > (numbers.last ?? 0) && store.nextSequence >= highestPromise, comment())
        chunks.removeSubrange(match...)
        live = Dictionary(
            known.map { ($0.identity.pod, ($0.number, $0.identity.input, $0.position.count)) },
            uniquingKeysWith: { a, _ in a })
        // A start makes all it finds durable before its snapshot speaks of it.
        if !bench.disk.isCrashed { durable = chunks.count } else { durable = min(durable, chunks.count) }
    }

    private mutating func checkCursor() {
        guard let place = cursor?.state.next else { return }
        if let last = cursorPlaces.last {
            let allowed = Set(cursorPlaces).union(unwrittenPlaces)
            #expect(allowed.contains(place), comment())
            if !isAfterPowerCut, unwrittenPlaces.isEmpty { #expect(place == last || weather == .powerCuts, comment()) }
        }
        if let index = cursorPlaces.lastIndex(of: place), !isAfterPowerCut {
            cursorPlaces.removeSubrange((index + 1)...)
        } else {
            cursorPlaces = [place]
        }
        unwrittenPlaces = []
    }

    /// The first chunk that must be there when the last `count` records are.
    private func firstKept(_ count: Int) -> Int {
        var kept = 0
        for index in chunks.indices.reversed() {
            if kept >= count { return index + 1 }
            kept += chunks[index].lines.count
        }
        return 0
    }

    private func positions(_ chunks: ArraySlice<Chunk>) -> [String: UInt64] {
        var positions: [String: UInt64] = [:]
        for step in chunks.flatMap(\.steps) { positions[step.name] = step.isRetired ? nil : step.to }
        return positions
    }

    private struct Mismatch: Error {}
}
