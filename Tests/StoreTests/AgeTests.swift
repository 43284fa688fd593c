// How long chunks have waited: by time that really went by, whatever is done to the wall clock.
import Disk
import Records
import Store
import Synchronization
import TestKit
import Testing

/// Clocks that a test sets.
final class TestClocks: Sendable {
    private struct State {
        var wall: Int64 = 1_800_000_000_000_000_000
        var running: Int64 = 1_000_000_000_000
        var boot: UInt8 = 1
    }

    private let state = Mutex(State())
    static let hour: Int64 = 3_600_000_000_000
    static let minute: Int64 = 60_000_000_000

    var clocks: MachineClocks {
        MachineClocks(
            wall: { self.state.withLock { $0.wall } }, running: { self.state.withLock { $0.running } },
            boot: { self.state.withLock { [$0.boot] } })
    }

    /// Time goes by.
    func pass(_ time: Int64) {
        state.withLock { state in
            state.wall += time
            state.running += time
        }
    }

    /// Somebody sets the wall clock.
    func step(_ time: Int64) { state.withLock { $0.wall += time } }

    /// The machine is off for a while.
    func reboot(offFor time: Int64) {
        state.withLock { state in
            state.wall += time
            state.running = 5_000_000_000
            state.boot += 1
        }
    }
}

@Suite struct `Ages of chunks` {
    let bench: StoreBench
    let time = TestClocks()

    init() throws { bench = try StoreBench() }

    private func open() throws -> StoreWriter {
        try Store.open(
            bench.path, settings: StoreBench.limits, fileSystem: bench.disk, telemetry: bench.log.telemetry,
            clocks: time.clocks)
    }

    /// The age of each chunk with records, in whole minutes.
    private func ages(_ store: Store) throws -> [Int64] {
        var reader = StoreReader(store)
        var ages: [Int64] = []
        var next: UInt64 = 1
        while case .chunk(let chunk) = try reader.next(from: next) {
            ages.append((store.age(of: chunk.header) + TestClocks.minute / 2) / TestClocks.minute)
            next = chunk.header.endSequence
            reader.pass()
        }
        return ages
    }

    private func add(_ writer: inout StoreWriter) {
        let source = writer.define(.test("web"))
        #expect(writer.add(records: 1, of: source, upTo: 1) == .stored)
    }

    @Test(arguments: [2 * TestClocks.hour, -2 * TestClocks.hour, 10_000 * TestClocks.hour, -400_000 * TestClocks.hour])
    func `a step of the clock changes no age`(_ step: Int64) throws {
        var writer = try open()
        add(&writer)
        time.pass(10 * TestClocks.minute)
        time.step(step)
        #expect(try ages(writer.store) == [10], "before anybody has noticed")
        add(&writer)
        time.pass(5 * TestClocks.minute)
        #expect(try ages(writer.store) == [15, 5])
        time.step(-step / 2)
        writer.housekeep()
        add(&writer)
        time.pass(TestClocks.minute)
        #expect(try ages(writer.store) == [16, 6, 1])
        #expect(bench.log.count("store_clock_steps") == 2)
        writer.close()
    }

    @Test func `small corrections are no steps`() throws {
        var writer = try open()
        for _ in 0..<20 {
            add(&writer)
            time.pass(TestClocks.minute)
            time.step(40_000_000)
            writer.housekeep()
        }
        #expect(bench.log.count("store_clock_steps") == 0)
        #expect(try ages(writer.store) == (1...20).reversed())
        writer.close()
    }

    @Test(arguments: [true, false], [0, 2 * TestClocks.hour, -2 * TestClocks.hour])
    func `over a restart of the agent ages go on, also when the clock was set meanwhile`(
        _ isKilled: Bool, _ step: Int64
    ) throws {
        var writer = try open()
        add(&writer)
        time.pass(10 * TestClocks.minute)
        time.step(step)
        add(&writer)
        if isKilled { _ = consume writer } else { writer.close() }
        time.pass(20 * TestClocks.minute)
        time.step(step)
        writer = try open()
        #expect(try ages(writer.store) == [30, 20])
        add(&writer)
        time.pass(TestClocks.minute)
        #expect(try ages(writer.store) == [31, 21, 1])
        writer.close()
    }

    @Test(arguments: [2 * TestClocks.hour, -2 * TestClocks.hour, -400_000 * TestClocks.hour])
    func `time in which the machine was off counts as none, whatever its clock shows afterwards`(_ off: Int64) throws {
        var writer = try open()
        add(&writer)
        time.pass(10 * TestClocks.minute)
        writer.close()
        time.reboot(offFor: off)
        writer = try open()
        #expect(try ages(writer.store) == [10])
        time.pass(7 * TestClocks.minute)
        // The time server is found at last.
        time.step(-off / 2)
        add(&writer)
        #expect(try ages(writer.store) == [17, 0])
        writer.close()
    }

    @Test func `a power cut takes from the age, and never adds to it`() throws {
        var writer = try open()
        add(&writer)
        time.pass(3 * TestClocks.minute)
        time.step(2 * TestClocks.hour)
        add(&writer)
        writer.awaitSync()
        time.pass(4 * TestClocks.minute)
        _ = consume writer
        time.reboot(offFor: TestClocks.hour)
        let again = try open()
        let found = try ages(again.store)
        #expect(found.count == 2 && found[0] <= 7 && found[1] <= 4 && found[0] >= 3, "\(found)")
        again.close()
    }

    @Test func `a store without the file goes by the wall clock once more`() throws {
        var writer = try open()
        add(&writer)
        writer.close()
        time.pass(TestClocks.hour)
        for contents in [nil, [], [UInt8](repeating: 7, count: 16384)] as [[UInt8]?] {
            try LocalFileSystem().remove(bench.folder.clock)
            if let contents { try bench.scratch.write("data/clock", contents) }
            let again = try open()
            #expect(try ages(again.store) == [60])
            again.close()
            #expect(try Slots.read(bench.folder.clock) != nil)
        }
    }

    @Test func `history is kept for so long as it says`() throws {
        var limits = StoreBench.limits
        limits.history = TestClocks.hour
        func open() throws -> StoreWriter {
            try Store.open(
                bench.path, settings: limits, fileSystem: bench.disk, telemetry: bench.log.telemetry,
                clocks: time.clocks)
        }
        for _ in 0..<3 {
            var writer = try open()
            add(&writer)
            writer.close()
        }
        var writer = try open()
        writer.awaitSync()
        let segments = bench.segments.count
        time.step(10 * TestClocks.hour)
        writer.housekeep()
        #expect(bench.segments.count == segments, "an hour has not gone by")
        time.step(-20 * TestClocks.hour)
        time.pass(TestClocks.hour + TestClocks.minute)
        writer.housekeep()
        #expect(bench.segments.count == segments - 1, "and now it has")
        writer.close()
    }
}
