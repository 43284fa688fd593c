// How far each boot of a journal has been read. One place in the journal cannot say it: libsystemd puts entries of different boots in
// order by their wall clocks, unless one journald numbered both. A boot whose clock was behind (no clock battery, no network yet)
// so lies before a place that was reached in another boot's files, and is never stepped on from there. The rules are in docs/journal.md.
package import Journal
package import Records

/// How far one boot has been read.
package struct BootReached: Equatable, Sendable {
    /// Microseconds since the boot began, of the last entry that was read; and how many entries with this time were.
    package var monotonic: UInt64
    package var count: UInt32
    /// The journal cursor of the last entry that was read; nil: it was not asked for, and the above tells.
    package var cursor: String?
    /// The boot is read by a reader of its own: the one of the whole journal passes over its entries.
    package var isApart: Bool
    /// The boot was looked at, all of it was read, and no file that is written to has it: nothing comes of it any more. To look at a boot
    /// costs a look into every file, which takes its time on a disk that turns.
    package var isSettled = false

    /// More entries than have the same time: all of them were read.
    package static let all = UInt32.max
    /// Nothing was read.
    package static let nothing = BootReached(monotonic: 0, count: 0, cursor: nil, isApart: false)

    package init(monotonic: UInt64, count: UInt32, cursor: String? = nil, isApart: Bool = false) {
        self.monotonic = monotonic
        self.count = count
        self.cursor = cursor
        self.isApart = isApart
    }

    /// Whether an entry of this time, the `number`th with it, was read.
    func includes(_ time: UInt64, _ number: UInt32) -> Bool {
        time < monotonic || time == monotonic && number <= count
    }
}

extension BootReached {
    /// Reads what `position(of:)` gave; nil for anything else.
    package static func read(_ position: Position) -> (boot: JournalID, reached: BootReached)? {
        let parts = String(decoding: position.bytes, as: UTF8.self).split(
            separator: " ", omittingEmptySubsequences: false)
        guard parts.count >= 4, parts[0] == "boot", let boot = JournalID(parts[1]),
            let monotonic = UInt64(parts[2], radix: 16), let count = UInt32(parts[3], radix: 16)
        else { return nil }
        var reached = BootReached(monotonic: monotonic, count: count)
        for part in parts[4...] {
            if part == "apart" { reached.isApart = true }
            if part == "settled" { reached.isSettled = true }
            if part.hasPrefix("s=") { reached.cursor = String(part) }
        }
        return (boot, reached)
    }

    /// Its written form, beside that of the whole journal (`JournalPosition`): about 50 bytes, with a cursor 200.
    package func position(of boot: JournalID) -> Position {
        var text = "boot \(boot) \(String(monotonic, radix: 16)) \(String(count, radix: 16))"
        if isApart { text += " apart" }
        if isSettled { text += " settled" }
        if let cursor, text.utf8.count + 1 + cursor.utf8.count <= Position.maximumSize { text += " \(cursor)" }
        return Position(Array(text.utf8))
    }
}

/// How far the boots of a journal have been read, beside the one in which the reader of the whole journal stands.
struct BootCoverage {
    private var boots: [JournalID: BootReached] = [:]
    private var numbers: [JournalID: SourceNumber] = [:]
    /// The boots of which the store was not told yet.
    private var untold: Set<JournalID> = []
    /// Boots that are gone from the journal are remembered up to here: perhaps their files are only out of reach.
    private static let remembered = 64

    /// Takes what the store remembers.
    init(_ known: [KnownSource]) {
        for source in known {
            guard let (boot, reached) = BootReached.read(source.position) else { continue }
            boots[boot] = reached
            numbers[boot] = source.number
        }
    }

    var isEmpty: Bool { boots.isEmpty }

    /// How far a boot has been read; nil: nobody knows of it.
    subscript(boot: JournalID) -> BootReached? { boots[boot] }

    /// The boots that are read apart.
    var apart: [JournalID] { boots.filter(\.value.isApart).map(\.key).sorted { "\($0)" < "\($1)" } }

    func isApart(_ boot: JournalID) -> Bool { boots[boot]?.isApart ?? false }

    /// Notes how far a boot has been read.
    mutating func note(_ boot: JournalID, _ reached: BootReached) {
        guard boots[boot] != reached else { return }
        boots[boot] = reached
        untold.insert(boot)
    }

    /// Nothing comes of the boot any more.
    mutating func settle(_ boot: JournalID) {
        guard var reached = boots[boot] else { return }
        reached.isSettled = true
        note(boot, reached)
    }

    func isSettled(_ boot: JournalID) -> Bool { boots[boot]?.isSettled ?? false }

    /// From now on the boot is read by a reader of its own.
    mutating func setApart(_ boot: JournalID) {
        var reached = boots[boot] ?? .nothing
        reached.isApart = true
        note(boot, reached)
    }

    /// What the store has to be told, as steps of reading.
    mutating func takeUntold(_ define: () -> SourceNumber) -> [Progress] {
        defer { untold.removeAll() }
        return untold.compactMap { boot in
            guard let reached = boots[boot] else { return nil }
            let number = numbers[boot] ?? define()
            numbers[boot] = number
            return Progress(source: number, position: reached.position(of: boot))
        }
    }

    /// Forgets boots that are not in the journal any more, where there are many. Returns what the store has to be told.
    mutating func forget(except present: Set<JournalID>) -> [Progress] {
        guard boots.count > BootCoverage.remembered else { return [] }
        var steps: [Progress] = []
        for boot in boots.keys where !present.contains(boot) {
            if let number = numbers[boot], let reached = boots[boot] {
                steps.append(Progress(source: number, position: reached.position(of: boot), isRetired: true))
            }
            boots[boot] = nil
            numbers[boot] = nil
            untold.remove(boot)
        }
        return steps
    }
}
