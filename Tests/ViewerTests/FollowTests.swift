// What is appended behind a search comes once and in the store's order, however it is looked at; and what is held back is only put in order.
import Bytes
import Disk
import Records
import Store
import TestKit
import Testing
import Viewer

/// Follows a store, and keeps what came.
private struct Follower: ~Copyable {
    private var follower: StoreFollower
    private(set) var lines: [String] = []
    /// Behind how many lines each notice came.
    private(set) var notices: [Int] = []

    /// Begins behind what a search finds; `found` gets that.
    init(
        behind folder: StoreFolder, _ found: inout [String], mayHold: (borrowing StoreFolder) -> Void = { _ in }
    ) throws {
        var sieve = try Sieve(try RecordSelection())
        var search = StoreSearch()
        let place = try search.look(into: folder) {
            mayHold(folder)
            return sieve.mayHold($0)
        }
        var lines: [String] = []
        try search.forEach(isReversed: false, sieve: &sieve) { line, _ in
            lines.append(text(line))
            return true
        }
        found += lines
        follower = StoreFollower(place)
    }

    var damagedChunks: Int { follower.damagedChunks }
    var retiredSegments: Int { follower.retiredSegments }

    mutating func look() throws {
        var told: [Int] = []
        var came = lines
        var isMore = true
        while isMore {
            isMore = try follower.look { _ in
                true
            } notice: { _ in
                told.append(came.count)
            } _: { text, _ in
                came += String(decoding: text.span.extracting(0..<text.count)).split(separator: "\n").map(String.init)
            }
        }
        lines = came
        notices += told
    }
}

private func made(_ number: Int, _ pod: String = "web") -> MadeRecord {
    MadeRecord(time: 1_795_404_847_000_000_000 + Int64(number), message: "line \(number)", source: .log(pod))
}

@Suite("following a store") struct StoreFollowerTests {
    @Test(arguments: 0..<40) func `what is appended comes once and in its order`(seed: Int) throws {
        var random = SeededGenerator(seed: UInt64(seed))
        let store = try MadeStore { limits in
            // Sometimes each chunk has a segment of its own.
            limits.segmentAge = random.oneIn(3) ? 0 : 600_000_000_000
        }
        var count = 0
        func step() throws {
            if random.oneIn(6) { try store.beginSegment() }
            let more = random.below(5)
            try store.append((count..<(count + more)).map { made($0, "web-\($0 % 3)") }, others: [.log("idle")])
            count += more
        }
        for _ in 0..<random.below(12) { try step() }
        var found: [String] = []
        var follower = try Follower(behind: store.folder, &found)
        let atSearch = count
        for _ in 0..<60 {
            try step()
            if random.oneIn(3) { try follower.look() }
        }
        try follower.look()
        #expect(found == store.records[..<atSearch].map(\.line))
        #expect(follower.lines == store.records[atSearch...].map(\.line))
        #expect(follower.damagedChunks == 0 && follower.retiredSegments == 0)
    }

    @Test func `notices come behind the records of their chunk, in a burst too`() throws {
        let store = try MadeStore()
        var found: [String] = []
        var follower = try Follower(behind: store.folder, &found)
        for number in 0..<70 {
            let pod = SourceIdentity.log("web-\(number)")
            try store.append([made(number, "web-\(number)")], retired: number % 20 == 19 ? [pod] : [])
        }
        try follower.look()
        #expect(follower.lines.count == 70 && follower.notices == [20, 40, 60])
    }

    @Test func `a store that is made later is followed from its beginning`() throws {
        let store = try MadeStore()
        let later = StoreFolder(store.scratch.path("later"))
        var found: [String] = []
        var follower = try Follower(behind: later, &found)
        try follower.look()
        try store.append([made(1)])
        try store.beginSegment()
        try store.append([made(2)])
        try LocalFileSystem().rename(store.path, to: later.path)
        try follower.look()
        try follower.look()
        #expect(found == [] && follower.lines == store.records.map(\.line))
    }

    // MARK: What is being written

    /// A file as it is while it is written: `look` is called whenever some more of it is there.
    private func write(_ bytes: [UInt8], to path: String, from first: Int, look: (Int) throws -> Void) throws {
        let file = try OwnedFile.open(path, .update)
        for end in (first + 1)...bytes.count {
            try file.write([bytes[end - 1]].span, at: UInt64(end - 1))
            try look(end)
        }
    }

    @Test func `a chunk comes when its last byte is there`() throws {
        let store = try MadeStore()
        try store.append([made(1)])
        let path = store.segments[0]
        let before = try ScratchDirectory.contents(of: path).count
        try store.append([made(2), made(3)])
        let middle = try ScratchDirectory.contents(of: path).count
        try store.append([made(4)])
        let bytes = try ScratchDirectory.contents(of: path)
        try OwnedFile.open(path, .update).truncate(to: UInt64(before))
        var found: [String] = []
        var follower = try Follower(behind: store.folder, &found)
        try write(bytes, to: path, from: before) { end in
            try follower.look()
            try #require(follower.lines.count == (end < middle ? 0 : end < bytes.count ? 2 : 3), "\(end) bytes")
        }
        #expect(found == [made(1).line] && follower.lines == [2, 3, 4].map { made($0).line })
        #expect(follower.damagedChunks == 0)
    }

    @Test func `a segment that is being begun is followed when it is there`() throws {
        let store = try MadeStore()
        try store.append([made(1)])
        var found: [String] = []
        var follower = try Follower(behind: store.folder, &found)
        try store.beginSegment()
        try store.append([made(2)])
        let path = store.segments[1]
        let bytes = try ScratchDirectory.contents(of: path)
        // First it is given up when it is half begun, as on a full disk, and made again under its name.
        try LocalFileSystem().remove(path)
        _ = try OwnedFile.open(path, .create)
        try follower.look()
        let beginning = Array(bytes[..<20])
        try OwnedFile.open(path, .update).write(beginning.span, at: 0)
        try follower.look()
        try LocalFileSystem().remove(path)
        _ = try OwnedFile.open(path, .create)
        try write(bytes, to: path, from: 0) { end in
            try follower.look()
            try #require(follower.lines.count == (end < bytes.count ? 0 : 1))
        }
        #expect(follower.lines == [made(2).line])
    }

    @Test func `a chunk that is not right yet is waited for`() throws {
        let store = try MadeStore()
        var found: [String] = []
        var follower = try Follower(behind: store.folder, &found)
        try store.append([made(1)])
        try store.append([made(2)])
        let (path, place) = try store.chunks()[0]
        let wrong = place.offset + UInt64(place.header.bodyOffset + 5)
        try MadeStore.flip(path, at: wrong)
        for _ in 0..<20 { try follower.look() }
        #expect(follower.lines == [] && follower.damagedChunks == 0)
        try MadeStore.flip(path, at: wrong)
        try follower.look()
        #expect(follower.lines == [made(1).line, made(2).line] && follower.damagedChunks == 0)
    }

    @Test func `a chunk that stays wrong is passed and counted`() throws {
        let store = try MadeStore()
        var found: [String] = []
        var follower = try Follower(behind: store.folder, &found)
        for number in 1...3 { try store.append([made(number)]) }
        for (path, place) in try store.chunks().dropLast() {
            try MadeStore.flip(path, at: place.offset + UInt64(place.header.bodyOffset + 5))
        }
        var looks = 0
        while follower.lines.isEmpty, looks < 1000 {
            try follower.look()
            looks += 1
        }
        #expect(follower.lines == [made(3).line] && follower.damagedChunks == 2)
        #expect(looks > 20, "each may have been a write under way")
    }

    @Test func `a chunk whose field stays wrong is passed when another follows`() throws {
        let store = try MadeStore()
        var found: [String] = []
        var follower = try Follower(behind: store.folder, &found)
        try store.append([made(1)])
        let (path, place) = try store.chunks()[0]
        try MadeStore.flip(path, at: place.offset + 40)
        try follower.look()
        #expect(follower.lines == [])
        try store.append([made(2)])
        try follower.look()
        #expect(follower.lines == [made(2).line])
    }

    // MARK: What is deleted

    @Test func `what is left of a store that is retired while it is followed comes once`() throws {
        let store = try MadeStore { $0.segmentAge = 0 }
        try store.append([made(0)])
        var found: [String] = []
        var follower = try Follower(behind: store.folder, &found)
        for number in 1...6 { try store.append([made(number)]) }
        // The one that is being followed, and the two behind it.
        for path in store.segments[..<3] { try LocalFileSystem().remove(path) }
        try follower.look()
        #expect(found == [made(0).line] && follower.lines == (3...6).map { made($0).line })
    }

    @Test func `segments that were found and are gone when they are read are counted`() throws {
        let store = try MadeStore()
        var found: [String] = []
        var follower = try Follower(behind: store.folder, &found)
        try store.append([made(1)])
        try store.append([made(2)])
        try store.beginSegment()
        try store.append([made(3)])
        try LocalFileSystem().remove(store.segments[0])
        try follower.look()
        #expect(follower.lines == [made(3).line] && follower.retiredSegments == 1)
    }

    @Test func `nothing comes twice when the newest segment is gone before it is walked`() throws {
        let store = try MadeStore { $0.segmentAge = 0 }
        for number in 0..<3 { try store.append([made(number)]) }
        let newest = store.segments[2]
        var found: [String] = []
        var follower = try Follower(behind: store.folder, &found) { _ in try? LocalFileSystem().remove(newest) }
        try store.append([made(3)])
        try follower.look()
        #expect(found == [made(0).line, made(1).line] && follower.lines == [made(3).line])
    }
}

@Suite("holding back") struct HoldBackTests {
    /// A record that was added.
    private struct Added {
        let time: Int64
        let order: UInt64
        let due: Int64
        var isBefore: (Int64, UInt64) { (time, order) }
    }

    private func line(_ order: UInt64) -> [UInt8] { Array("\(order)\n".utf8) }

    private func run(_ records: [Added]) -> RecordRun {
        let run = RecordRun()
        for record in records { run.append(line(record.order).span, time: record.time, order: record.order) }
        return run
    }

    @Test(arguments: 0..<60) func `nothing is lost or repeated, and what is held together is put in order`(
        seed: Int
    ) throws {
        var random = SeededGenerator(seed: UInt64(seed))
        var held = HoldBack()
        var waiting: [Added] = []
        var now: Int64 = 1_000_000_000
        var order: UInt64 = 0
        var total = 0
        for _ in 0..<200 {
            now += Int64(random.below(120)) * 1_000_000
            if random.oneIn(2) {
                var records: [Added] = []
                for _ in 0..<random.below(6) {
                    let time = now / 1_000_000 - Int64(random.below(random.oneIn(10) ? 2000 : 300))
                    records.append(Added(time: time, order: order, due: now + 200_000_000))
                    order += 1
                }
                held.add(run(records), now: now)
                waiting += records
            }
            var given: [UInt64] = []
            let goesOn = held.release(now: now) { line, time in
                let number = UInt64(text(line)) ?? .max
                #expect(waiting.contains { $0.order == number && $0.time == time })
                given.append(number)
                return true
            }
            #expect(goesOn)
            total += given.count
            // What is due comes, with all that is earlier; nothing else does before its time.
            let last = waiting.filter { $0.due <= now }.map(\.time).max()
            let wanted = waiting.filter { record in last.map { record.time <= $0 } ?? false }
                .sorted { $0.isBefore < $1.isBefore }
            #expect(given == wanted.map(\.order))
            waiting.removeAll { record in given.contains(record.order) }
            #expect(held.isEmpty == waiting.isEmpty)
            #expect(held.nextDue == waiting.map(\.due).min() ?? .max)
        }
        #expect(UInt64(total + waiting.count) == order)
    }

    @Test func `more than fits is let go early, the oldest first`() throws {
        var held = HoldBack()
        let big = [UInt8](repeating: UInt8(ascii: "x"), count: 1 << 20) + [10]
        var given: [Int64] = []
        for time: Int64 in 0..<40 {
            let run = RecordRun()
            run.append(big.span, time: time, order: UInt64(time))
            held.add(run, now: 0)
            _ = held.release(now: 1) { _, time in
                given.append(time)
                return true
            }
            try #require(given.count >= Int(time) + 1 - 17, "16 MiB at most are held")
        }
        #expect(!given.isEmpty && given == Array(0..<Int64(given.count)))
    }

    @Test func `what comes within the delay is put in order, what comes later is not`() {
        var held = HoldBack()
        var given: [Int64] = []
        func add(_ time: Int64, at now: Int64) {
            held.add(run([Added(time: time, order: UInt64(time), due: 0)]), now: now)
        }
        func release(at now: Int64) {
            _ = held.release(now: now) { _, time in
                given.append(time)
                return true
            }
        }
        add(50, at: 0)
        add(40, at: 199_999_999)
        release(at: 199_999_999)
        #expect(given == [])
        release(at: 200_000_000)
        #expect(given == [40, 50])
        add(30, at: 200_000_001)
        add(60, at: 200_000_001)
        release(at: 400_000_000)
        #expect(given == [40, 50])
        release(at: 400_000_001)
        #expect(given == [40, 50, 30, 60])
    }
}
