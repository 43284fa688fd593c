// The fields of one journal entry, copied out of the journal, with the known ones at hand.
import Bytes
import Records

/// A field that means something to this program, by its place in `FieldNames`.
package struct KnownField: Equatable, Sendable {
    /// Its place.
    package let index: Int

    /// As their fields are called.
    package static let message = KnownField(index: 0)
    package static let unit = KnownField(index: 1)
    package static let identifier = KnownField(index: 2)
    package static let pid = KnownField(index: 3)
    package static let priority = KnownField(index: 4)
    package static let transport = KnownField(index: 5)
    package static let bootID = KnownField(index: 6)
    package static let aboutUnit = KnownField(index: 7)
    package static let objectUnit = KnownField(index: 8)
    package static let coredumpUnit = KnownField(index: 9)
    package static let uid = KnownField(index: 10)
    package static let messageID = KnownField(index: 11)
    package static let slice = KnownField(index: 12)
    package static let dropped = KnownField(index: 13)
    package static let facility = KnownField(index: 14)
    package static let codeLine = KnownField(index: 15)

    /// The names of the above, in their order. systemd.journal-fields(7)
    package static let names = [
        "MESSAGE", "_SYSTEMD_UNIT", "SYSLOG_IDENTIFIER", "_PID", "PRIORITY", "_TRANSPORT", "_BOOT_ID", "UNIT",
        "OBJECT_SYSTEMD_UNIT", "COREDUMP_UNIT", "_UID", "MESSAGE_ID", "_SYSTEMD_SLICE", "N_DROPPED", "SYSLOG_FACILITY",
        "CODE_LINE",
    ]
}

/// Finds the number of a field's name, without a dictionary.
package struct FieldNames: ~Copyable {
    /// What is not among the names.
    package static let unknown = -1

    private var text = Arena(capacity: 512)
    private var ranges = Column<ByteRange>(capacity: 32)
    /// Open addressing: the number of a name, or `unknown`.
    private var table: Column<Int32>
    private let mask: Int

    /// `names`: each once.
    package init(_ names: [String]) {
        var size = 64
        while size < names.count * 4 { size *= 2 }
        mask = size - 1
        table = Column(capacity: size)
        for _ in 0..<size { table.append(Int32(FieldNames.unknown)) }
        for (number, name) in names.enumerated() {
            ranges.append(ByteRange(start: text.count, length: name.utf8.count))
            text.append(text: name)
            var place = FieldNames.hash(name.utf8.span) & mask
            while table[place] >= 0 { place = (place + 1) & mask }
            table[place] = Int32(number)
        }
    }

    /// The number of a name: its place in the list.
    @inline(__always)
    package func number(of name: Span<UInt8>) -> Int {
        var place = FieldNames.hash(name) & mask
        while true {
            let number = Int(table[place])
            if number < 0 || isName(number, name) { return number }
            place = (place + 1) & mask
        }
    }

    @inline(__always)
    private func isName(_ number: Int, _ name: Span<UInt8>) -> Bool {
        let range = ranges[number]
        guard Int(range.length) == name.count else { return false }
        let known = text.span.extracting(Int(range.start)..<Int(range.start + range.length))
        return known.isEqual(to: name)
    }

    @inline(__always)
    fileprivate static func hash(_ name: Span<UInt8>) -> Int {
        let word = (name.firstWord &+ UInt64(name.count)) &* 0x9e37_79b9_7f4a_7c15 ^ name.lastWord
        return Int(truncatingIfNeeded: (word &* 0x9e37_79b9_7f4a_7c15) >> 40)
    }
}

/// One field of an entry.
struct FieldSlot: BitwiseCopyable {
    /// The name's number, or `FieldNames.unknown`.
    let number: Int32
    /// An unknown field's name.
    let name: ByteRange
    let value: ByteRange
    /// Bytes that the value had before it was cut.
    let size: UInt32
}

/// The fields of one entry. It is filled again for each.
struct EntryFields: ~Copyable {
    let names: FieldNames
    /// Bytes of all names and values that are kept: escaped they may be six times as long, and a chunk's text has a limit.
    static let maxEntry = 10 << 20
    /// Fields that are kept, and bytes of the name of one that is not known. journald takes 1024 and 64; a file that somebody else made may
    /// have anything.
    static let maxFields = 4096
    static let maxName = 256
    /// Bytes of a value that are kept.
    let maxField: Int
    /// Whether fields whose names are not known are kept.
    let keepsUnknown: Bool
    /// Names and values.
    var text = Arena(capacity: 4096)
    var slots = Column<FieldSlot>(capacity: 64)
    /// Where each known field comes first among the slots; -1: not in this entry.
    private var first = Column<Int32>(capacity: 64)
    private let nameCount: Int
    /// Bytes of names and values, as the entry has them.
    private(set) var bytes = 0
    /// Bytes of fields that were too many.
    private(set) var skipped = 0
    /// Whether a known field came more than once, or there are unknown ones: then repeats are to be looked for.
    private(set) var mayRepeat = false

    init(names: [String], keepsUnknown: Bool, maxField: Int) {
        self.names = FieldNames(names)
        nameCount = names.count
        self.keepsUnknown = keepsUnknown
        self.maxField = maxField
        for _ in names { first.append(-1) }
    }

    /// For each slot the one before and the one behind it with the same name; -1 for none.
    private var links = Column<(previous: Int32, next: Int32)>(capacity: 64)
    /// By the hash of a name, the last slot that has it; the mark says of which entry.
    private var lastOfName = Column<(mark: UInt32, slot: Int32)>(capacity: 64)
    private var mark: UInt32 = 0

    /// Finds the fields that come several times, in time that grows with their number alone.
    mutating func linkRepeats() {
        guard mayRepeat else { return }
        links.removeAll()
        var size = max(64, lastOfName.count)
        while size < slots.count * 4 { size *= 2 }
        if lastOfName.count < size {
            lastOfName.removeAll()
            for _ in 0..<size { lastOfName.append((0, -1)) }
            mark = 0
        }
        mark &+= 1
        for index in 0..<slots.count {
            links.append((-1, -1))
            var place = hash(slots[index]) & (size - 1)
            while lastOfName[place].mark == mark, !isSame(Int(lastOfName[place].slot), index) {
                place = (place + 1) & (size - 1)
            }
            if lastOfName[place].mark == mark {
                let earlier = lastOfName[place].slot
                links[index] = (earlier, -1)
                links[Int(earlier)] = (links[Int(earlier)].previous, Int32(index))
            }
            lastOfName[place] = (mark, Int32(index))
        }
    }

    private func hash(_ slot: FieldSlot) -> Int {
        if slot.number >= 0 { return Int(slot.number) &* 7 }
        let name = span(slot.name)
        return Int(truncatingIfNeeded: FieldNames.hash(name) &+ name.count)
    }

    private func isSame(_ a: Int, _ b: Int) -> Bool {
        guard slots[a].number == slots[b].number else { return false }
        return slots[a].number >= 0 || span(slots[a].name).isEqual(to: span(slots[b].name))
    }

    /// The slot before this one, and behind it, that has the same name; -1 for none. Once repeats are linked.
    func previous(_ index: Int) -> Int { Int(links[index].previous) }
    func next(_ index: Int) -> Int { Int(links[index].next) }

    /// The first slot of a known field; -1: not in this entry.
    func place(_ field: KnownField) -> Int { Int(first[field.index]) }

    /// Forgets the last entry.
    mutating func reset() {
        if text.capacity > 1 << 20 { text.shrink(toAtMost: 64 * 1024) } else { text.removeAll() }
        slots.removeAll()
        for i in 0..<nameCount { first[i] = -1 }
        bytes = 0
        skipped = 0
        mayRepeat = false
    }

    /// Takes a field, if it is of any use.
    @inline(__always)
    mutating func note(_ name: Span<UInt8>, _ value: Span<UInt8>) {
        bytes += name.count + value.count + 2
        let number = names.number(of: name)
        var nameRange = ByteRange(start: 0, length: 0)
        if number < 0 {
            guard keepsUnknown else { return }
            guard slots.count < EntryFields.maxFields else {
                skipped += value.count
                return
            }
            mayRepeat = true
            let length = min(name.count, EntryFields.maxName)
            nameRange = ByteRange(start: text.count, length: length)
            text.append(name.extracting(first: length))
        } else if first[number] < 0 {
            first[number] = Int32(slots.count)
        } else {
            guard slots.count < EntryFields.maxFields else {
                skipped += value.count
                return
            }
            mayRepeat = true
        }
        let limit = min(maxField, max(0, EntryFields.maxEntry - text.count))
        let kept = value.count <= limit ? value.count : EntryFields.cut(value, at: limit)
        let range = ByteRange(start: text.count, length: kept)
        text.append(value.extracting(first: kept))
        slots.append(
            FieldSlot(number: Int32(number), name: nameRange, value: range, size: UInt32(clamping: value.count)))
    }

    /// Where to cut so that no character is cut in two.
    private static func cut(_ value: Span<UInt8>, at limit: Int) -> Int {
        var end = limit
        while end > limit - 4, end > 0, value[end] & 0xC0 == 0x80 { end -= 1 }
        return value[end] & 0xC0 == 0x80 ? limit : end
    }

    /// The first slot of a known field; nil when the entry has none.
    @inline(__always)
    func slot(_ field: KnownField) -> FieldSlot? {
        let place = first[field.index]
        return place < 0 ? nil : slots[Int(place)]
    }

    /// Lends the value of a known field, the first if it is repeated; false when the entry has none.
    @inline(__always)
    func value<R>(_ field: KnownField, _ body: (Span<UInt8>) -> R) -> R? {
        guard let slot = slot(field) else { return nil }
        return body(span(slot.value))
    }

    /// Bytes of the entry.
    @inline(__always)
    @_lifetime(borrow self)
    func span(_ range: ByteRange) -> Span<UInt8> {
        text.span.extracting(Int(range.start)..<(Int(range.start) + Int(range.length)))
    }

    /// Whether any value of a known field fits.
    func anyValue(_ field: KnownField, fits: (Span<UInt8>) -> Bool) -> Bool {
        let place = first[field.index]
        guard place >= 0 else { return false }
        for index in Int(place)..<slots.count where Int(slots[index].number) == field.index {
            if fits(span(slots[index].value)) { return true }
        }
        return false
    }

    /// Whether a known field has just this value.
    @inline(__always)
    func isValue(_ field: KnownField, _ literal: StaticString) -> Bool {
        value(field) { $0.isEqual(to: literal) } ?? false
    }

    /// A known field's value as a number below 10^18; nil when it is not all digits.
    func number(_ field: KnownField) -> Int? {
        value(field) { (digits: Span<UInt8>) -> Int? in
            guard digits.count > 0, digits.count <= 18 else { return nil }
            var number = 0
            for i in 0..<digits.count {
                guard digits[i] >= 48, digits[i] <= 57 else { return nil }
                number = number * 10 + Int(digits[i] - 48)
            }
            return number
        } ?? nil
    }
}
