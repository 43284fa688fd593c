// Journals made by systemd's own writer, and read back by systemd's own reader.
import Bytes
import Disk
import Foundation
import Journal
import TestKit

/// A field of an entry.
struct Field: Hashable, CustomStringConvertible {
    let name: String
    let value: [UInt8]

    init(_ name: String, _ value: [UInt8]) {
        self.name = name
        self.value = value
    }

    init(_ name: String, _ value: String) { self.init(name, Array(value.utf8)) }

    var description: String {
        value.count < 200 ? "\(name)=\(String(decoding: value, as: UTF8.self))" : "\(name): \(value.count) bytes"
    }
}

/// An entry: its addresses, which are no data of it, and its fields in order.
struct Entry: Equatable {
    var cursor = ""
    var realtime: UInt64
    var monotonic: UInt64
    var boot: JournalID
    var fields: [Field]

    init(cursor: String = "", realtime: UInt64, monotonic: UInt64, boot: JournalID, fields: [Field]) {
        self.cursor = cursor
        self.realtime = realtime
        self.monotonic = monotonic
        self.boot = boot
        self.fields = fields
    }

    /// An entry for tests: the number makes its time.
    init(_ number: Int, _ message: String? = nil, time: UInt64? = nil, more: [Field] = []) {
        let time = time ?? UInt64(number) * 1000
        self.init(
            realtime: Entry.start + time, monotonic: 1_000_000 + time, boot: Entry.boot,
            fields: [Field("MESSAGE", message ?? "entry \(number)")] + more)
    }

    static let start: UInt64 = 1_700_000_000_000_000
    static let boot = JournalID(high: 0xabcd, low: 0x1234)
    static let machine = JournalID(high: 7, low: 7)

    func values(_ name: String) -> [[UInt8]] { fields.filter { $0.name == name }.map(\.value) }
    var message: String { String(decoding: values("MESSAGE").first ?? [], as: UTF8.self) }
}

/// Runs systemd's programs.
enum Systemd {
    struct Failure: Error { let what: String }

    /// Appends entries to a journal file, which is made if need be.
    static func write(_ entries: [Entry], to path: String) throws {
        let input = path + ".export"
        try LocalFileSystem().makeFolder(Path.parent(path))
        try Data(ExportFormat.bytes(entries)).write(to: URL(filePath: input))
        defer { try? FileManager.default.removeItem(atPath: input) }
        try run("/lib/systemd/systemd-journal-remote --output=\(path) \(input) 2>&1")
    }

    /// What journalctl reads, in the export format.
    static func read(_ arguments: String) throws -> [Entry] {
        ExportFormat.entries(try run("journalctl --quiet --merge --output=export \(arguments)"))
    }

    @discardableResult
    static func run(_ command: String) throws -> [UInt8] {
        let (status, output) = try ChildProcess.run("sh", "-c", command)
        guard status == 0 else { throw Failure(what: "\(command): \(String(decoding: output, as: UTF8.self))") }
        return output
    }
}

/// https://systemd.io/JOURNAL_EXPORT_FORMATS
enum ExportFormat {
    static func bytes(_ entries: [Entry]) -> [UInt8] {
        var bytes: [UInt8] = []
        for entry in entries {
            let addresses = [
                Field("__REALTIME_TIMESTAMP", String(entry.realtime)),
                Field("__MONOTONIC_TIMESTAMP", String(entry.monotonic)), Field("_BOOT_ID", "\(entry.boot)"),
                Field("_MACHINE_ID", "\(Entry.machine)"),
            ]
            for field in addresses + entry.fields {
                bytes += field.name.utf8
                if field.value.allSatisfy({ $0 >= 32 && $0 < 127 }) {
                    bytes += [UInt8(ascii: "=")]
                } else {
                    bytes += [10] + (0..<8).map { UInt8(truncatingIfNeeded: field.value.count >> (8 * $0)) }
                }
                bytes += field.value + [10]
            }
            bytes += [10]
        }
        return bytes
    }

    static func entries(_ bytes: [UInt8]) -> [Entry] {
        var entries: [Entry] = []
        var fields: [Field] = []
        var at = 0
        while at < bytes.count {
            guard let end = bytes[at...].firstIndex(of: 10) else { break }
            if end == at {
                entries.append(entry(fields))
                fields = []
                at += 1
            } else if let sign = bytes[at..<end].firstIndex(of: UInt8(ascii: "=")) {
                fields.append(
                    Field(String(decoding: bytes[at..<sign], as: UTF8.self), Array(bytes[(sign + 1)..<end])))
                at = end + 1
            } else {
                let count = bytes[(end + 1)..<(end + 9)].reversed().reduce(0) { $0 << 8 | Int($1) }
                let value = Array(bytes[(end + 9)..<(end + 9 + count)])
                fields.append(Field(String(decoding: bytes[at..<end], as: UTF8.self), value))
                at = end + 9 + count + 1
            }
        }
        return entries
    }

    private static func entry(_ fields: [Field]) -> Entry {
        func text(_ name: String) -> String {
            fields.first { $0.name == name }.map { String(decoding: $0.value, as: UTF8.self) } ?? ""
        }
        return Entry(
            cursor: text("__CURSOR"), realtime: UInt64(text("__REALTIME_TIMESTAMP")) ?? 0,
            monotonic: UInt64(text("__MONOTONIC_TIMESTAMP")) ?? 0,
            boot: JournalID(text("_BOOT_ID")) ?? JournalID(high: 0, low: 0),
            // Where in the entry _BOOT_ID is, the format does not keep.
            fields: fields.filter { !$0.name.hasPrefix("__") && $0.name != "_BOOT_ID" })
    }
}

extension JournalReader {
    /// The entry the reader stands on, as the export format has it.
    mutating func entry() throws -> Entry {
        let moment = try moment()
        var fields: [Field] = []
        let unreadable = try forEachField { name, value in
            let name = String(decoding: name)
            if name != "_BOOT_ID" { fields.append(Field(name, Array(copying: value))) }
        }
        guard unreadable == 0 else { throw Systemd.Failure(what: "\(unreadable) fields cannot be read") }
        return Entry(
            cursor: try cursor(), realtime: try realtime(), monotonic: moment.monotonic, boot: moment.bootID,
            fields: fields)
    }

    /// Every entry from here on.
    mutating func rest() throws -> [Entry] {
        var entries: [Entry] = []
        while try next() { entries.append(try entry()) }
        return entries
    }

    /// The messages of every entry from here on.
    mutating func messages() throws -> [String] {
        var messages: [String] = []
        while try next() { messages.append(try message()) }
        return messages
    }

    /// The message of the entry the reader stands on.
    mutating func message() throws -> String {
        var message = ""
        _ = try withField("MESSAGE") { message = String(decoding: $0) }
        return message
    }
}
