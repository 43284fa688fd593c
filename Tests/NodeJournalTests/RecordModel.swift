// What a record should be.
import Foundation
import NodeJournal
import TestKit

/// What a record should be, told independently of the code that makes it.
struct RecordModel {
    var fields = JournalFields.these(JournalFields.standard)
    var node = ""

    private static let own = [
        ("_SYSTEMD_UNIT", "unit"), ("SYSLOG_IDENTIFIER", "identifier"), ("_PID", "pid"), ("PRIORITY", "priority"),
        ("_TRANSPORT", "transport"), ("_BOOT_ID", "boot_id"),
    ]

    /// - Parameter entry: as journalctl exports it.
    func record(of entry: MadeEntry) -> OrderedJSON {
        var members = [OrderedJSON.Member("time", .of(RecordModel.time(entry.realtime)))]
        let severities = ["emergency", "alert", "critical", "error", "warning", "notice", "info", "debug"]
        if let digits = entry.values("PRIORITY").first, let number = RecordModel.digits(digits), number < 8 {
            members.append(.init("severity", .of(severities[Int(number)])))
        }
        let message = RecordModel.text(entry.values("MESSAGE").first ?? [])
        members.append(.init("message", message))
        let journal = journal(entry)
        let isInvalid = ([entry.values("MESSAGE").first ?? []] + shownValues(entry)).contains { bytes in
            String(validating: bytes, as: UTF8.self) == nil
        }
        if isInvalid { members.append(.init("sluice", .list([.of("invalid_text")]))) }
        members += [.init("origin", .of("journal")), .init("journal", .object(journal))]
        return .object(members)
    }

    private func isShown(_ name: String) -> Bool {
        if name == "MESSAGE" { return true }
        return switch fields {
        case .all: true
        case .these(let names): names.contains(name)
        }
    }

    /// Values that get into the record, those of the message left out.
    private func shownValues(_ entry: MadeEntry) -> [[UInt8]] {
        var values: [[UInt8]] = []
        for name in Set(entry.fields.map(\.name)) where isShown(name) && name != "_SYSTEMD_UNIT" {
            values += entry.values(name)
        }
        guard isShown("_SYSTEMD_UNIT") else { return values }
        guard let about = RecordModel.about(entry) else { return values + entry.values("_SYSTEMD_UNIT") }
        return values + entry.values(about).prefix(1) + entry.values("_SYSTEMD_UNIT").prefix(1)
    }

    private static func about(_ entry: MadeEntry) -> String? {
        func first(_ name: String) -> String? {
            entry.values(name).first.map { String(decoding: $0, as: UTF8.self) }
        }
        if first("_PID") == "1", first("UNIT") != nil { return "UNIT" }
        guard first("_UID") == "0" else { return nil }
        if first("OBJECT_SYSTEMD_UNIT") != nil { return "OBJECT_SYSTEMD_UNIT" }
        let isCrash = first("MESSAGE_ID") == "fc2e22bc6ee647b6b90729ab34a250b1"
        return isCrash && first("COREDUMP_UNIT") != nil ? "COREDUMP_UNIT" : nil
    }

    private func journal(_ entry: MadeEntry) -> [OrderedJSON.Member] {
        var members: [OrderedJSON.Member] = []
        func add(_ key: String, _ name: String, _ values: [[UInt8]]) {
            let shown = values.map { RecordModel.value($0, of: name) }
            if let first = shown.first { members.append(.init(key, shown.count == 1 ? first : .list(shown))) }
        }
        let about = RecordModel.about(entry)
        for (name, key) in RecordModel.own where isShown(name) {
            if name == "_SYSTEMD_UNIT", let about {
                // There is one that it is about.
                add(key, about, Array(entry.values(about).prefix(1)))
            } else {
                // journalctl tells the boot apart from the other fields.
                add(key, name, name == "_BOOT_ID" ? [Array("\(entry.boot)".utf8)] : entry.values(name))
            }
        }
        if about != nil, isShown("_SYSTEMD_UNIT") {
            add("_systemd_unit", "", Array(entry.values("_SYSTEMD_UNIT").prefix(1)))
        }
        var told: Set<String> = []
        var messages = 0
        for field in entry.fields where isShown(field.name) {
            if RecordModel.own.contains(where: { $0.0 == field.name }) { continue }
            if field.name == "MESSAGE" {
                // The first one is not a field, and the others are where the second one is.
                messages += 1
                if messages == 2 { add("message", "MESSAGE", Array(entry.values("MESSAGE").dropFirst())) }
                continue
            }
            guard told.insert(field.name).inserted else { continue }
            let key = field.name.lowercased()
            let isTaken = key == "node_name" || RecordModel.own.contains { $0.1 == key }
            add(isTaken ? key + "_" : key, field.name, entry.values(field.name))
        }
        if !node.isEmpty { members.append(.init("node_name", .of(node))) }
        return members
    }

    private static func digits(_ bytes: [UInt8]) -> UInt64? {
        guard !bytes.isEmpty, bytes.allSatisfy({ $0 >= 48 && $0 <= 57 }) else { return nil }
        return UInt64(String(decoding: bytes, as: UTF8.self))
    }

    /// Bytes that are not UTF-8 are replaced as the standard library does it: each maximal part by one U+FFFD.
    private static func text(_ bytes: [UInt8]) -> OrderedJSON {
        .text(Array(String(decoding: bytes, as: UTF8.self).utf8))
    }

    private static func value(_ bytes: [UInt8], of name: String) -> OrderedJSON {
        let isNumber = ["_PID", "PRIORITY", "SYSLOG_FACILITY", "CODE_LINE"].contains(name)
        // A number is one that is written back as it was, and that a double holds exactly.
        if isNumber, let number = digits(bytes), number < 1_000_000_000_000_000, "\(number)".utf8.elementsEqual(bytes) {
            return .word("\(number)")
        }
        return text(bytes)
    }

    /// Microseconds since 1970, as records have them.
    private static func time(_ microseconds: UInt64) -> String {
        let seconds = ISO8601DateFormatter().string(from: Date(timeIntervalSince1970: Double(microseconds / 1_000_000)))
        let fraction = "\(1_000_000 + microseconds % 1_000_000)".dropFirst()
        return "\(seconds.dropLast()).\(fraction)000Z"
    }
}
