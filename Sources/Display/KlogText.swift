// Puts klog lines together again from the members that their records have (docs/records.md).
import Bytes
import Records

/// Writes the lines and the pairs of klog records. One is used again and again.
///
/// A record does not tell which values were in quotes. Those are written without that look like what Go prints of numbers, lists and
/// structures; and whether a message without pairs had quotes is not known at all: it is written without.
struct KlogText: ~Copyable {
    private var klog = Column<JSONMember>(capacity: 64)
    private var value = Arena(capacity: 1024)

    /// Appends the line as its program wrote it: `E1123 03:28:02.913293   16167 kubelet.go:2243] "SyncLoop ADD" source="api"`.
    /// - Returns: false, and appends nothing, when the record lacks a part of it.
    mutating func appendLine(_ record: borrowing StoredRecord, to out: inout Arena) -> Bool {
        guard record.klog >= 0, record.caller >= 0, record.message >= 0, scan(record), klog.count >= 2,
            KlogText.isNamed(record, klog[0], "time"), KlogText.isNamed(record, klog[1], "thread"),
            let letter = KlogText.letter(record.level)
        else { return false }
        out.append(letter)
        record.appendValue(klog[0], to: &out)
        let thread = record.inside(klog[1])
        out.append(" ")
        for _ in 0..<max(0, 7 - thread.count) { out.append(" ") }
        record.appendValue(klog[1], to: &out)
        out.append(" ")
        record.appendValue(record.members[record.caller], to: &out)
        out.append("] ")
        guard klog.count > 2 else {
            record.appendValue(record.members[record.message], to: &out)
            return true
        }
        load(record, record.members[record.message])
        out.appendGoQuoted(value, from: 0, to: value.count)
        for index in 2..<klog.count { appendPair(record, index, to: &out) }
        return true
    }

    /// Appends the pairs as ` key=value`, for people.
    mutating func appendPairs(_ record: borrowing StoredRecord, to out: inout Arena) {
        guard scan(record) else { return }
        for index in 0..<klog.count {
            let member = klog[index]
            if KlogText.isNamed(record, member, "time") || KlogText.isNamed(record, member, "thread") { continue }
            out.append(" ")
            value.removeAll()
            record.appendName(member, to: &value)
            Printable.append(value, to: &out)
            out.append("=")
            load(record, member)
            Printable.append(value, to: &out)
        }
    }

    private mutating func scan(_ record: borrowing StoredRecord) -> Bool {
        let member = record.members[record.klog]
        klog.removeAll()
        let end = member.valueStart + member.valueLength
        return JSONScanner.scanObject(record.line, from: member.valueStart, to: end, tape: &klog).isObject
    }

    private mutating func load(_ record: borrowing StoredRecord, _ member: JSONMember) {
        value.removeAll()
        record.appendValue(member, to: &value)
    }

    private mutating func appendPair(_ record: borrowing StoredRecord, _ index: Int, to out: inout Arena) {
        let member = klog[index]
        out.append(" ")
        let name = member.keyStart..<member.keyStart + nameLength(record, index)
        out.append(record.line, from: name.lowerBound, count: name.count)
        out.append("=")
        load(record, member)
        if isBare(record, name) {
            out.append(value.span)
        } else {
            out.appendGoQuoted(value, from: 0, to: value.count)
        }
    }

    /// How much of a name its line had: `_` was appended where an earlier one was the same.
    private func nameLength(_ record: borrowing StoredRecord, _ index: Int) -> Int {
        let member = klog[index]
        var length = member.keyLength
        while length > 1, record.line[member.keyStart + length - 1] == UInt8(ascii: "_"),
            isTaken(record, member.keyStart, length - 1, before: index)
        {
            length -= 1
        }
        return length
    }

    private func isTaken(_ record: borrowing StoredRecord, _ start: Int, _ length: Int, before index: Int) -> Bool {
        let name = record.line.span.extracting(start..<start + length)
        for earlier in 0..<index where JSONScanner.keyEquals(record.line, klog[earlier], name) { return true }
        return false
    }

    // MARK: What had no quotes

    /// Whether `value` was written without quotes, under the name that lies in the record's line.
    private func isBare(_ record: borrowing StoredRecord, _ name: Range<Int>) -> Bool {
        guard value.count > 0 else { return false }
        if has("true") || has("false") || has("null") || has("<nil>") { return true }
        let key = record.line.span.extracting(name)
        // A pod's phase is a string of a type of its own, which klog writes as it is.
        if key.isEqual(to: "status"), has("Running") || has("Pending") || has("Succeeded") || has("Failed") {
            return true
        }
        switch value[0] {
        case UInt8(ascii: "["):
            // Several errors in one are a text in brackets.
            return !key.isEqual(to: "err") && !key.isEqual(to: "error")
        case UInt8(ascii: "{"), UInt8(ascii: "("), UInt8(ascii: "<"), UInt8(ascii: "&"): return true
        case UInt8(ascii: "m"):
            return value.count >= 5 && ByteSearch.equal(value, from: 0, count: 4, "map[")
                && value[value.count - 1] == UInt8(ascii: "]")
        default: return isNumber
        }
    }

    private func has(_ word: StaticString) -> Bool { ByteSearch.equal(value, from: 0, count: value.count, word) }

    /// Digits with a sign, a point and an exponent, as far as they have them.
    private var isNumber: Bool {
        var digits = 0
        var points = 0
        var exponents = 0
        for i in 0..<value.count {
            switch value[i] {
            case 0x30...0x39: digits += 1
            case UInt8(ascii: "."): points += 1
            case UInt8(ascii: "e"): exponents += digits > 0 ? 1 : 2
            case UInt8(ascii: "-"), UInt8(ascii: "+"):
                guard i == 0 || value[i - 1] == UInt8(ascii: "e") else { return false }
            default: return false
            }
        }
        return digits > 0 && points < 2 && exponents < 2
    }

    /// The letter that a header has for a severity.
    private static func letter(_ severity: Severity) -> StaticString? {
        switch severity {
        case .info: "I"
        case .warning: "W"
        case .error: "E"
        case .critical: "F"
        default: nil
        }
    }

    private static func isNamed(_ record: borrowing StoredRecord, _ member: JSONMember, _ name: StaticString) -> Bool {
        JSONScanner.keyEquals(record.line, member, name)
    }
}
