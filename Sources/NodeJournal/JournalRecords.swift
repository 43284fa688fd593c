// Makes records of journal entries: the message, and an ending with the entry's fields. The shape is in docs/records.md.
import Bytes
package import Journal
package import Records

/// Which fields of an entry its record has, beside the time and the message.
package enum JournalFields: Sendable, Equatable {
    /// What the record shape has, and what says where in a program and in which run of it the message comes from.
    package static let standard = [
        "_SYSTEMD_UNIT", "SYSLOG_IDENTIFIER", "_PID", "PRIORITY", "_TRANSPORT", "_BOOT_ID", "MESSAGE_ID",
        "SYSLOG_FACILITY",
        "CODE_FILE", "CODE_LINE", "INVOCATION_ID",
    ]

    case all
    case these([String])

    /// The names that are given; none for `all`.
    var names: [String] {
        switch self {
        case .all: []
        case .these(let names): names
        }
    }
}

/// What every record of a journal has from its input.
package struct JournalRecordOptions: Sendable {
    /// What is shown, and which entries.
    package var fields = JournalFields.these(JournalFields.standard)
    package var selection = JournalSelection()
    /// Bytes of a field's value that are kept.
    package var maxField = 1 << 20
    /// The node's name; empty: records have none.
    package var node = ""
    /// The static fields, encoded: `,"name":value` for each.
    package var staticFields: [UInt8] = []

    package init() {}
}

/// Turns entries into records, one after the other. It keeps what repeats from one entry to the next.
package struct JournalRecords: ~Copyable {
    /// What an entry was good for.
    package enum Outcome: Sendable {
        /// It became the batch's last row.
        case record
        /// It is not among those that are wanted.
        case unwanted
    }

    private let options: JournalRecordOptions
    private var bytes: UInt64 = 0
    private(set) var entry: EntryFields
    private let matchFields: [KnownField]
    /// By a name's number: `"pid":`, and whether digits are written as a number; an empty range: not written.
    private var keys = Column<ByteRange>(capacity: 32)
    private var keyText = Arena(capacity: 1024)
    private let numeric: [Bool]
    /// The fields that come first, in this order.
    private static let leading: [KnownField] = [.unit, .identifier, .pid, .priority, .transport, .bootID]
    private static let leadingKeys = ["unit", "identifier", "pid", "priority", "transport", "boot_id"]
    /// Fields that are numbers, when they are all digits.
    private static let numbers: [KnownField] = [.pid, .priority, .facility, .codeLine]
    private let nodeMember: [UInt8]
    private let isAll: Bool

    package init(_ options: JournalRecordOptions) {
        self.options = options
        isAll = options.fields == .all
        var names = KnownField.names
        for name in options.fields.names + options.selection.fieldNames where !names.contains(name) {
            names.append(name)
        }
        entry = EntryFields(names: names, keepsUnknown: isAll, maxField: options.maxField)
        matchFields = options.selection.fieldNames.map { KnownField(index: names.firstIndex(of: $0) ?? 0) }
        numeric = names.indices.map { JournalRecords.numbers.contains(KnownField(index: $0)) }
        for name in names {
            let start = keyText.count
            // A message has its own place; only what there is of them beyond the first is a field.
            if isAll || options.fields.names.contains(name) || name == "MESSAGE" {
                keyText.appendJSONString(JournalRecords.key(of: name))
                keyText.append(":")
            }
            keys.append(ByteRange(start: start, length: keyText.count - start))
        }
        var node = Arena(capacity: 64)
        if !options.node.isEmpty {
            node.append(",\"node_name\":")
            node.appendJSONString(options.node)
        }
        nodeMember = Array(copying: node.span)
    }

    /// The name that a field has in records: that of the record shape, or its own in lower case, with `_` behind it where that name is
    /// taken.
    package static func key(of name: String) -> String {
        if let place = leading.firstIndex(where: { KnownField.names[$0.index] == name }) { return leadingKeys[place] }
        let lower = name.lowercased()
        // `UNIT` and `UNIT_` are two fields, and two members.
        var base = lower[...]
        while base.hasSuffix("_") { base.removeLast() }
        return leadingKeys.contains(String(base)) || base == "node_name" ? lower + "_" : lower
    }

    /// Reads the entry that the reader stands on, and appends its record to the batch if it is wanted.
    /// - Parameter time: the entry's, microseconds since 1970.
    /// - Throws: when the entry is gone, with its file. One that cannot be read for certain is kept, marked and counted.
    package mutating func append(
        _ reader: inout JournalReader, time: UInt64, to batch: inout RecordBatch
    ) throws(JournalError) -> Outcome {
        var isDamaged = false
        entry.reset()
        do throws(JournalError) {
            isDamaged = try reader.forEachField { entry.note($0, $1) } > 0
        } catch .noEntry {
            throw .noEntry
        } catch {
            isDamaged = true
        }
        bytes += UInt64(entry.bytes)
        // Nobody can say of a damaged entry that it is not wanted.
        guard isDamaged || options.selection.includes(entry, matchFields: matchFields) else { return .unwanted }
        entry.linkRepeats()
        // A damaged or foreign time may lie behind the year 2262.
        appendRow(time: Int64(min(time, UInt64(Int64.max / 1000))) * 1000, isDamaged: isDamaged, to: &batch)
        return .record
    }

    /// Bytes of the entries since this was asked last, the unwanted ones included.
    package mutating func takeBytes() -> UInt64 {
        defer { bytes = 0 }
        return bytes
    }

    /// More is not believed to be lost at once.
    static let mostLost: UInt64 = 1_000_000_000

    /// When the last entry, wanted or not, says that journald threw messages away that may have been wanted: whose they were, and how
    /// many.
    package var suppressed: (unit: String, messages: UInt64)? {
        guard entry.isValue(.transport, "driver") else { return nil }
        // SD_MESSAGE_JOURNAL_DROPPED: a service was over its rate limit.
        if entry.isValue(.messageID, "a596d6fe7bfa4994828e72309e95d61e") {
            let unit = entry.value(.objectUnit) { String(decoding: $0) } ?? ""
            guard options.selection.mayConcern(unit: unit) else { return nil }
            return (unit, min(UInt64(entry.number(.dropped) ?? 1), JournalRecords.mostLost))
        }
        // SD_MESSAGE_JOURNAL_MISSED: the kernel's buffer ran over; only the text says how far: "Missed 12 kernel messages".
        guard entry.isValue(.messageID, "e9bf28e6e834481bb6f48f548ad13606"), options.selection.mayConcern(unit: nil)
        else { return nil }
        let text = entry.value(.message) { String(decoding: $0) } ?? ""
        let count = text.split(separator: " ").lazy.compactMap { UInt64($0) }.first ?? 1
        return ("kernel", min(count, JournalRecords.mostLost))
    }

    private mutating func appendRow(time: Int64, isDamaged: Bool, to batch: inout RecordBatch) {
        let start = batch.arena.count
        var isCut = false
        if let message = entry.slot(.message) {
            batch.arena.append(entry.text, from: Int(message.value.start), count: Int(message.value.length))
        }
        var row = Row(time: time, start: start, length: batch.arena.count - start, stream: .none)
        if let number = entry.number(.priority), number < 8, let severity = Severity(number: number) {
            row.severity = severity
        }
        let ending = batch.arena.count
        let written = appendEnding(to: &batch.arena)
        batch.endings.append(ByteRange(start: ending, length: batch.arena.count - ending))
        row.ending = UInt32(batch.endings.count)
        for index in 0..<entry.slots.count {
            let slot = entry.slots[index]
            guard slot.size > slot.value.length, isShown(slot) else { continue }
            isCut = true
            batch.counts[.skippedBytes] += UInt64(slot.size - slot.value.length)
        }
        let skipped = written.skipped + entry.skipped
        batch.counts[.skippedBytes] += UInt64(skipped)
        if isCut || skipped > 0 {
            row.flags.insert(.truncated)
            batch.counts[.truncatedRecords] += 1
        }
        if isDamaged {
            row.flags.insert(.malformed)
            batch.counts[.damagedEntries] += 1
        }
        if written.isInvalid {
            row.flags.insert(.invalidText)
            batch.counts[.invalidTextRecords] += 1
        }
        batch.counts[.readBytes] += UInt64(entry.bytes)
        batch.rows.append(row)
    }

    /// Whether a field is written into records; others are there for the selection.
    private func isShown(_ slot: FieldSlot) -> Bool { slot.number < 0 || keys[Int(slot.number)].length > 0 }

    // MARK: The ending

    /// What became of an entry's fields.
    private struct Written {
        /// Where the ending has to end: escaping may make it six times as long.
        let end: Int
        /// Whether a byte was replaced.
        var isInvalid = false
        /// Bytes of values that had no room.
        var skipped = 0
    }

    /// Appends `,"origin":"journal","journal":{...}` and what is static.
    private func appendEnding(to out: inout Arena) -> Written {
        out.append(",\"origin\":\"journal\",\"journal\":{")
        let length = entry.text.count - Int(entry.slot(.message)?.value.length ?? 0)
        var written = Written(end: out.count + EscapedSize.limit(length))
        var isFirst = true
        // The unit that it is about counts; the one that says it is told as well, then.
        let about = entry.about.first
        for field in JournalRecords.leading where keys[field.index].length > 0 {
            let shown = field == .unit ? about ?? field : field
            guard let slot = entry.slot(shown) else { continue }
            JournalRecords.separate(&isFirst, &out)
            out.append(keyText, from: Int(keys[field.index].start), count: Int(keys[field.index].length))
            let place = entry.place(shown)
            if field == shown, entry.mayRepeat, repeats(from: place) {
                appendAll(from: place, &out, &written)
            } else {
                appendValue(slot, &out, &written)
            }
        }
        if about != nil, keys[KnownField.unit.index].length > 0, let slot = entry.slot(.unit) {
            JournalRecords.separate(&isFirst, &out)
            out.append("\"_systemd_unit\":")
            appendValue(slot, &out, &written)
        }
        appendOthers(&out, &isFirst, &written)
        out.append(isFirst ? nodeMember.span.extracting(droppingFirst: min(1, nodeMember.count)) : nodeMember.span)
        out.append("}")
        out.append(options.staticFields)
        out.append("}\n")
        return written
    }

    private func appendOthers(_ out: inout Arena, _ isFirst: inout Bool, _ written: inout Written) {
        var hasMessage = false
        for index in 0..<entry.slots.count {
            let slot = entry.slots[index]
            let number = Int(slot.number)
            if number >= 0 {
                if keys[number].length == 0 || JournalRecords.isLeading(number) { continue }
                if number == KnownField.message.index {
                    // The first one is the record's message.
                    if !hasMessage {
                        hasMessage = true
                        continue
                    }
                }
            }
            if entry.mayRepeat, isRepeat(index) { continue }
            JournalRecords.separate(&isFirst, &out)
            if number >= 0 {
                out.append(keyText, from: Int(keys[number].start), count: Int(keys[number].length))
            } else {
                appendKey(slot.name, &out)
            }
            if entry.mayRepeat, repeats(from: index) {
                appendAll(from: index, &out, &written)
            } else {
                appendValue(slot, &out, &written)
            }
        }
    }

    @inline(__always)
    private static func separate(_ isFirst: inout Bool, _ out: inout Arena) {
        if !isFirst { out.append(",") }
        isFirst = false
    }

    @inline(__always)
    private static func isLeading(_ number: Int) -> Bool {
        number >= KnownField.unit.index && number <= KnownField.bootID.index
    }

    /// An unknown field's name in lower case.
    private func appendKey(_ name: ByteRange, _ out: inout Arena) {
        let name = entry.span(name)
        out.append("\"")
        let start = out.count
        for i in 0..<name.count {
            let byte = name[i]
            let lower = byte >= 65 && byte <= 90 ? byte | 0x20 : byte
            // journald takes capitals, digits and underscores; other writers are not to break the record.
            out.append(lower < 0x20 || lower >= 0x7f || lower == 0x22 || lower == 0x5c ? UInt8(ascii: "?") : lower)
        }
        var end = out.count
        while end > start, out[end - 1] == UInt8(ascii: "_") { end -= 1 }
        if isTaken(out.span.extracting(start..<end)) { out.append("_") }
        out.append("\":")
    }

    private func isTaken(_ key: Span<UInt8>) -> Bool {
        switch key.count {
        case 3: key.isEqual(to: "pid")
        case 4: key.isEqual(to: "unit")
        case 7: key.isEqual(to: "boot_id")
        case 8: key.isEqual(to: "priority")
        case 9: key.isEqual(to: "transport") || key.isEqual(to: "node_name")
        case 10: key.isEqual(to: "identifier")
        default: false
        }
    }

    // MARK: Repeated fields

    /// Whether an earlier slot has the same name, so that this one is told already. Of messages, the first does not count.
    private func isRepeat(_ index: Int) -> Bool {
        let earlier = entry.previous(index)
        guard earlier >= 0 else { return false }
        return entry.slots[index].number != KnownField.message.index || entry.previous(earlier) >= 0
    }

    private func repeats(from index: Int) -> Bool { entry.next(index) >= 0 }

    private func appendAll(from index: Int, _ out: inout Arena, _ written: inout Written) {
        var isFirst = true
        var index = index
        out.append("[")
        while index >= 0 {
            JournalRecords.separate(&isFirst, &out)
            appendValue(entry.slots[index], &out, &written)
            index = entry.next(index)
        }
        out.append("]")
    }

    private func appendValue(_ slot: FieldSlot, _ out: inout Arena, _ written: inout Written) {
        let start = Int(slot.value.start)
        let count = Int(slot.value.length)
        if slot.number >= 0, numeric[Int(slot.number)], isNumber(start, count) {
            out.append(entry.text, from: start, count: count)
            return
        }
        out.append("\"")
        let room = max(0, written.end - out.count)
        if count <= room / 6 {
            if out.appendEscaped(entry.text, from: start, count: count) { written.isInvalid = true }
        } else {
            let part = out.appendEscaped(entry.text, from: start, count: count, atMost: room)
            if part.hasReplaced { written.isInvalid = true }
            written.skipped += count - part.length
        }
        out.append("\"")
    }

    /// Digits that JSON takes for a number which every receiver can hold.
    private func isNumber(_ start: Int, _ count: Int) -> Bool {
        guard count > 0, count <= 15, count == 1 || entry.text[start] != 48 else { return false }
        for i in start..<(start + count) where entry.text[i] < 48 || entry.text[i] > 57 { return false }
        return true
    }
}
