// How long a chunk has waited. The wall clock cannot say: it is set forward and back, by hours when a machine without a clock battery
// finds a time server. So beside the times in the chunks, which are the wall clock's, it is kept by how much that was ahead of the time
// that really went by, from which record on.
private import Bytes
import Disk
private import Synchronization

/// The clocks of a machine, as the store asks them.
package struct MachineClocks: Sendable {
    /// Nanoseconds since 1970, as set.
    package var wall: @Sendable () -> Int64
    /// Nanoseconds since the machine started, also while it slept; never set.
    package var running: @Sendable () -> Int64
    /// What no other start of the machine has.
    package var boot: @Sendable () -> [UInt8]

    /// - Parameters: what the three answer.
    package init(
        wall: @escaping @Sendable () -> Int64, running: @escaping @Sendable () -> Int64,
        boot: @escaping @Sendable () -> [UInt8]
    ) {
        self.wall = wall
        self.running = running
        self.boot = boot
    }

    /// Those of this machine.
    package static let system = MachineClocks(
        wall: { SystemClock.realtime }, running: { SystemClock.boottime }, boot: { Machine.bootID })
}

/// Tells how old a chunk is by the time that the machine has been running since it was written.
///
/// Time in which the machine was off counts as none: nothing but the wall clock knows it, and what a wrong clock drops is gone.
package struct AgeClock: Sendable, Equatable {
    /// From a record on, what has to be added to the wall clock for the age clock.
    struct Shift: Sendable, Equatable {
        let from: UInt64
        let nanoseconds: Int64
    }

    /// In the order of the records; the last one counts now.
    private(set) var shifts: [Shift]
    /// At one moment of this start of the machine: the running clock and the age clock.
    private let boot: [UInt8]
    private var running: Int64
    private var age: Int64

    /// Smaller steps are not noted: time servers correct by them all day.
    private static let tolerance: UInt64 = 1_000_000_000
    /// So many are kept; older chunks go by the oldest of them.
    private static let mostShifts = 256

    /// Goes on after an earlier start, or begins.
    ///
    /// - Parameters:
    ///   - kept: what the last start left; nil for a store that has none.
    ///   - next: the number of the next record.
    init(after kept: AgeClock?, next: UInt64, _ clocks: MachineClocks) {
        boot = clocks.boot()
        running = clocks.running()
        guard let kept else {
            shifts = [Shift(from: 0, nanoseconds: 0)]
            age = clocks.wall()
            return
        }
        shifts = kept.shifts
        // After another start of the machine it goes on where it was kept last.
        age = !boot.isEmpty && kept.boot == boot ? kept.age &+ (running &- kept.running) : kept.age
        note(next: next, clocks)
    }

    /// What the age clock shows.
    func now(_ clocks: MachineClocks) -> Int64 { age &+ (clocks.running() &- running) }

    /// The same at this moment, to be kept: what comes later begins here.
    func anchored(_ clocks: MachineClocks) -> AgeClock {
        var copy = self
        copy.age = now(clocks)
        copy.running = running &+ (copy.age &- age)
        return copy
    }

    /// Notes a step of the wall clock before the record `next` is written. Returns whether there was one.
    @discardableResult
    mutating func note(next: UInt64, _ clocks: MachineClocks) -> Bool {
        let shift = now(clocks) &- clocks.wall()
        guard let last = shifts.last, (shift &- last.nanoseconds).magnitude > AgeClock.tolerance else { return false }
        // A second step before any record was written takes the place of the first.
        if last.from == next { shifts.removeLast() }
        shifts.append(Shift(from: next, nanoseconds: shift))
        if shifts.count > AgeClock.mostShifts { shifts.removeFirst() }
        return true
    }

    /// How long a chunk has waited.
    /// - Parameters:
    ///   - written: what the wall clock showed when it was written.
    ///   - number: of one of its records.
    func age(ofChunk written: Int64, number: UInt64, _ clocks: MachineClocks) -> Int64 {
        let shift = shifts.last { $0.from <= number } ?? shifts.first
        return now(clocks) &- (written &+ (shift?.nanoseconds ?? 0))
    }

    // MARK: On disk

    private static let version: UInt8 = 1

    /// What is kept for the next start: the anchor of this one, and all shifts.
    var encoded: [UInt8] {
        var out = Arena(capacity: 256)
        out.append(AgeClock.version)
        out.append(UInt8(boot.count))
        out.append(boot)
        out.append(littleEndian: running)
        out.append(littleEndian: age)
        out.append(littleEndian: UInt16(shifts.count))
        for shift in shifts {
            out.append(littleEndian: shift.from)
            out.append(littleEndian: shift.nanoseconds)
        }
        return Array(copying: out.span)
    }

    /// Reads what `encoded` gave; nil when it is none.
    init?(decoding bytes: [UInt8]) {
        var reader = ByteReader(bytes.span)
        guard reader.u8() == AgeClock.version else { return nil }
        boot = reader.bytes(Int(reader.u8()))
        running = Int64(bitPattern: reader.u64())
        age = Int64(bitPattern: reader.u64())
        shifts = (0..<reader.u16()).map { _ in
            Shift(from: reader.u64(), nanoseconds: Int64(bitPattern: reader.u64()))
        }
        guard !reader.hasOverrun, !shifts.isEmpty else { return nil }
    }
}

/// The age clock of a store: the writer notes steps of the wall clock, readers ask how old chunks are.
final class StoreAges: Sendable {
    let clocks: MachineClocks
    private let clock: Mutex<AgeClock>

    init(_ clock: AgeClock, _ clocks: MachineClocks) {
        self.clock = Mutex(clock)
        self.clocks = clocks
    }

    /// Notes a step of the wall clock, before the record `next` is written. Returns by how much it went ahead; nil for none.
    func note(next: UInt64) -> Int64? {
        clock.withLock { clock in
            let before = clock.shifts.last?.nanoseconds ?? 0
            guard clock.note(next: next, clocks) else { return nil }
            return before &- (clock.shifts.last?.nanoseconds ?? 0)
        }
    }

    /// What is to be kept of it now.
    var kept: AgeClock { clock.withLock { $0.anchored(clocks) } }

    /// How long a chunk has waited, nanoseconds.
    func age(ofChunk written: Int64, number: UInt64) -> Int64 {
        clock.withLock { $0.age(ofChunk: written, number: number, clocks) }
    }
}

/// The file that the age clock is kept in. Where it cannot be written that is tried again at the next occasion.
final class AgeClockFile: Sendable {
    private let path: String
    private let fileSystem: any FileSystem
    private let slots = Mutex<Slots?>(nil)

    /// Opens the file, when there is one.
    init(_ path: String, _ fileSystem: any FileSystem) {
        self.path = path
        self.fileSystem = fileSystem
        slots.withLock { $0 = try? Slots(path, fileSystem: fileSystem) }
    }

    /// What the last start left; nil when nothing can be read.
    var kept: AgeClock? { slots.withLock { $0?.contents }.flatMap(AgeClock.init(decoding:)) }

    /// Writes the clock. Returns whether that succeeded; it is not durable yet.
    func write(_ clock: AgeClock) -> Bool {
        slots.withLock { slots in
            do throws(DiskError) {
                if slots?.contents == nil {
                    slots = try Slots(creating: path, clock.encoded, fileSystem: fileSystem)
                } else {
                    try slots?.write(clock.encoded)
                }
                return true
            } catch {
                return false
            }
        }
    }

    /// Makes the last write durable.
    func sync() { slots.withLock { try? $0?.sync() } }
}
