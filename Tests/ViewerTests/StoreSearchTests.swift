// A search gives every wanted record once and by time, whatever chunks and segments these lie in, and inflates only what it has to.
import Disk
import Records
import Store
import TestKit
import Testing
import Viewer

private let start: Int64 = 1_795_404_847_000_000_000

/// Records of a source at these times behind `start`.
private func made(_ source: SourceIdentity, _ times: [Int64], _ name: String = "line") -> [MadeRecord] {
    times.enumerated().map { MadeRecord(time: start + $1, message: "\(name) \($0)", source: source) }
}

/// Counts how often it is asked.
private final class Counted {
    private var count = 0

    func next() -> Int {
        count += 1
        return count
    }
}

@Suite("searching stores") struct StoreSearchTests {
    /// Stores of random chunks: few times, so that many are equal and chunks overlap.
    private func randomStores(_ random: inout SeededGenerator) throws -> [MadeStore] {
        var stores: [MadeStore] = []
        for storeNumber in 0...random.below(2) {
            let store = try MadeStore()
            for chunk in 0...random.below(24) {
                let source = SourceIdentity.log("web-\(random.below(4))")
                let base = Int64(random.below(4) == 0 ? random.below(200) : chunk * 8)
                let times = (0...random.below(20)).map { _ in base + Int64(random.below(20)) }
                try store.append(made(source, times, "store \(storeNumber) chunk \(chunk) line"))
                if random.oneIn(5) { try store.beginSegment() }
            }
            if random.oneIn(2) { store.close() }
            stores.append(store)
        }
        return stores
    }

    @Test(arguments: 0..<40) func `records come by time, forwards and backwards`(seed: Int) throws {
        var random = SeededGenerator(seed: UInt64(seed))
        let stores = try randomStores(&random)
        let folders = stores.map(\.folder)
        #expect(try search(folders).lines == inOrder(stores))
        #expect(try search(folders, isReversed: true).lines == inOrder(stores, isReversed: true))
        for _ in 0..<6 {
            let first = start + Int64(random.below(240)) - 20
            let window = first...(first + Int64(random.below(80)))
            let isReversed = random.oneIn(2)
            let found = try search(folders, times: window, isReversed: isReversed)
            #expect(found.lines == inOrder(stores, isReversed: isReversed) { window.contains($0.time) }, "\(window)")
            let stats = found.stats
            #expect(stats.chunks == stats.skippedByTime + stats.skippedBySource + stats.inflatedChunks)
            #expect(stats.records == found.lines.count)
        }
    }

    @Test func `what is of another time is not inflated`() throws {
        let store = try MadeStore()
        for part in 0..<3 {
            for chunk in 0..<4 {
                try store.append(made(.log("web"), (0..<10).map { Int64(part * 1000 + chunk * 100) + $0 }))
            }
            if part < 2 { try store.beginSegment() }
        }
        let window = (start + 1100)...(start + 1105)
        let found = try search([store.folder], times: window)
        #expect(found.lines == inOrder([store]) { window.contains($0.time) } && found.lines.count == 6)
        let stats = found.stats
        // The newest segment has no index yet: its chunks are looked at.
        #expect(stats.segments == 3 && stats.skippedSegments == 1)
        #expect(stats.inflatedChunks == 1 && stats.skippedBySource == 0)
        #expect(stats.inflatedBytes == UInt64(store.records[40..<50].reduce(0) { $0 + $1.line.utf8.count + 1 }))
    }

    @Test func `a search that finds nothing can be stopped`() throws {
        let store = try MadeStore()
        for chunk in 0..<20 { try store.append(made(.log("web"), [Int64(chunk)])) }
        var selection = try RecordSelection()
        selection.lines = try LineFilter(grep: ["nosuch"])
        var sieve = try Sieve(selection)
        var search = StoreSearch()
        _ = try search.look(into: store.folder) { sieve.mayHold($0) }
        let asked = Counted()
        search.isStopped = { asked.next() > 3 }
        try search.forEach(isReversed: false, sieve: &sieve) { _, _ in true }
        let inflated = search.stats.inflatedChunks
        #expect(inflated == 3, "\(inflated)")
    }

    @Test func `what is of other sources is not inflated`() throws {
        let store = try MadeStore()
        for chunk in 0..<6 {
            try store.append(made(.log(chunk % 3 == 0 ? "web" : "db-\(chunk)"), [0, 5, 9], "chunk \(chunk) line"))
        }
        let found = try search([store.folder]) { $0.pods = [try PodPattern("web")] }
        #expect(found.lines == inOrder([store]) { $0.source.pod == "web" } && found.lines.count == 6)
        #expect(found.stats.chunks == 6 && found.stats.skippedBySource == 4 && found.stats.inflatedChunks == 2)
    }

    @Test func `a chunk of several sources is looked at for each of them`() throws {
        let store = try MadeStore()
        try store.append(made(.log("web"), [1, 3]) + made(.log("db"), [2, 4]))
        for pod in ["web", "db"] {
            let found = try search([store.folder]) { $0.pods = [try PodPattern(pod)] }
            #expect(found.lines == inOrder([store]) { $0.source.pod == pod } && found.lines.count == 2)
        }
    }

    @Test func `the last record ends it`() throws {
        let store = try MadeStore()
        for chunk in 0..<5 { try store.append(made(.log("web"), [Int64(chunk) * 10])) }
        var sieve = try Sieve(try RecordSelection())
        var search = StoreSearch()
        _ = try search.look(into: store.folder) { sieve.mayHold($0) }
        var count = 0
        try search.forEach(isReversed: true, sieve: &sieve) { _, _ in
            count += 1
            return count < 2
        }
        #expect(count == 2 && search.stats.records == 2)
        #expect(search.stats.inflatedChunks <= 3, "what comes later is not inflated for it")
    }

    // MARK: Damage

    enum Damage: CaseIterable { case body, field }

    /// Three segments of three chunks; the last one may still grow.
    private func nineChunks() throws -> MadeStore {
        let store = try MadeStore()
        for chunk in 0..<9 {
            try store.append(made(.log("web"), [Int64(chunk) * 10, Int64(chunk) * 10 + 5], "chunk \(chunk) line"))
            if chunk % 3 == 2, chunk < 8 { try store.beginSegment() }
        }
        return store
    }

    @Test(arguments: Damage.allCases, 0..<9) func `a damaged chunk is left out and counted`(
        damage: Damage, chunk: Int
    ) throws {
        let store = try nineChunks()
        let (path, place) = try store.chunks()[chunk]
        let header = place.header
        try MadeStore.flip(
            path, at: place.offset + UInt64(damage == .field ? 40 : header.bodyOffset + header.deflateSize / 2))
        let found = try search([store.folder])
        #expect(found.lines == inOrder([store]) { !$0.message.hasPrefix("chunk \(chunk) ") })
        // At the end of what grows it may be a write under way.
        #expect(found.stats.damagedChunks == (damage == .field && chunk == 8 ? 0 : 1))
    }

    @Test func `a chunk whose sources are damaged is looked at for everybody`() throws {
        let store = try MadeStore()
        try store.append(made(.log("web"), [0, 1], "first"))
        try store.append(made(.log("web"), [2, 3], "second"))
        let (path, place) = try store.chunks()[0]
        try MadeStore.flip(path, at: place.offset + 40)
        let found = try search([store.folder]) { $0.pods = [try PodPattern("web")] }
        #expect(found.lines == inOrder([store]) { $0.message.hasPrefix("second") })
        let others = try search([store.folder]) { $0.pods = [try PodPattern("db")] }
        #expect(others.lines == [] && others.stats.inflatedChunks == 1)
    }

    // MARK: Files that are not there

    @Test func `a segment that is deleted meanwhile is told once`() throws {
        let store = try nineChunks()
        let found = try search([store.folder], between: { try LocalFileSystem().remove(store.segments[1]) })
        #expect(found.lines == inOrder([store]) { !["3", "4", "5"].contains($0.message.split(separator: " ")[1]) })
        #expect(found.stats.retiredSegments == 1 && found.stats.damagedChunks == 0)
        #expect(found.stats.described.contains("1 segments deleted meanwhile"))
    }

    @Test(arguments: ["missing", "damaged", "another's", "short"]) func `a wrong index is not believed`(
        _ wrong: String
    ) throws {
        let store = try nineChunks()
        store.close()
        let segments = store.segments
        let index = StoreFolder.index(ofSegment: segments[1])
        let bytes = try ScratchDirectory.contents(of: index)
        try LocalFileSystem().remove(index)
        switch wrong {
        case "damaged": try write(bytes, to: index, flipping: 60)
        case "another's": try write(ScratchDirectory.contents(of: StoreFolder.index(ofSegment: segments[0])), to: index)
        case "short": try write(Array(bytes.dropLast(20)), to: index)
        default: break
        }
        // Sizes differ, so that one segment's index cannot be another's.
        let sizes = segments.compactMap { Directory.status($0)?.size }
        try #require(wrong != "another's" || sizes[0] != sizes[1])
        let window = (start + 40)...(start + 45)
        #expect(try search([store.folder], times: window).lines == inOrder([store]) { window.contains($0.time) })
        let elsewhere = try search([store.folder], times: (start + 80)...(start + 85))
        #expect(elsewhere.lines.count == 2 && elsewhere.stats.skippedSegments == 1, "the first one's index is right")
    }

    private func write(_ bytes: [UInt8], to path: String, flipping place: Int? = nil) throws {
        let file = try OwnedFile.open(path, .create)
        try file.write(bytes.span, at: 0)
        if let place { try MadeStore.flip(path, at: UInt64(place)) }
    }

    @Test func `an index knows records of the first moment of 1970`() throws {
        let store = try MadeStore()
        for time: Int64 in [0, 100] {
            try store.append([MadeRecord(time: time, message: "at \(time)", source: .log("web"))])
        }
        try store.beginSegment()
        #expect(try search([store.folder], times: -5...5).lines == inOrder([store]) { $0.time == 0 })
    }

    @Test func `there may be no store, or an empty one`() throws {
        let scratch = try ScratchDirectory()
        #expect(try search([StoreFolder(scratch.path("nowhere"))]).lines == [])
        let store = try MadeStore()
        let found = try search([store.folder, StoreFolder(scratch.path("nowhere")), store.folder])
        #expect(found.lines == [] && found.stats.chunks == 0 && found.stats.segments == 2)
    }
}

@Suite("notices of a store") struct StoreNoticeTests {
    private func kinds(_ store: MadeStore) throws -> [String] {
        try search([store.folder]).notices.map { notice in
            switch notice.kind {
            case .ended(let source): "ended \(source.pod) \(source.container)[\(source.restart)]"
            case .missing(let bytes, let sources): "missing \(bytes) of \(sources.map(\.pod).sorted())"
            case .missingEntries(let count): "missing entries \(count)"
            }
        }
    }

    @Test func `a log ends with its last file, not with one that rotation takes away`() throws {
        let store = try MadeStore()
        let (old, new) = (SourceIdentity.log("web"), SourceIdentity.log("web", restart: 1))
        try store.append(made(old, [1]))
        try store.append(made(new, [2]))
        try store.append(made(new, [3]), retired: [old])
        #expect(try kinds(store) == [])
        // What is known of the others is in the snapshot of each segment.
        try store.append(made(.log("db"), [4]))
        try store.beginSegment()
        try store.append([], retired: [.log("db")])
        #expect(try kinds(store) == ["ended db app[0]"])
        try store.append([], retired: [new])
        #expect(try kinds(store) == ["ended db app[0]", "ended web app[1]"])
    }

    @Test func `files that go together are one end, and so is each container`() throws {
        let store = try MadeStore()
        let logs = [SourceIdentity.log("web"), .log("web", restart: 1), .log("web", container: "proxy")]
        for log in logs { try store.append(made(log, [1])) }
        try store.append([], retired: logs)
        #expect(try kinds(store) == ["ended web app[1]", "ended web proxy[0]"])
    }

    @Test func `missing bytes are of the sources that were read with them`() throws {
        let store = try MadeStore()
        try store.append(made(.log("web"), [1]), counts: [.vanishedBytes: 7, .damagedBytes: 5])
        try store.append(made(.log("web"), [1]) + made(.log("db"), [2]), counts: [.abandonedBytes: 3])
        try store.append([MadeRecord(time: start, message: "x", source: .journal)], counts: [.vanishedEntries: 2])
        #expect(try kinds(store) == ["missing 12 of [\"web\"]", "missing 3 of [\"db\", \"web\"]", "missing entries 2"])
        // Totals in a snapshot are not told again.
        try store.beginSegment()
        try store.append(made(.log("web"), [3]))
        #expect(try kinds(store).count == 3)
    }
}
