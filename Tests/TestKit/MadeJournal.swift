// Journals made by systemd's own writer, and read back by systemd's own reader.
private import Bytes
private import Disk
private import Foundation
package import Journal

/// A field of a journal entry.
package struct MadeField: Hashable, CustomStringConvertible {
    package let name: String
    package let value: [UInt8]

    package init(_ name: String, _ value: [UInt8]) {
        self.name = name
        self.value = value
    }

    package init(_ name: String, _ value: String) { self.init(name, Array(value.utf8)) }

    package var description: String {
        value.count < 200 ? "\(name)=\(String(decoding: value, as: UTF8.self))" : "\(name): \(value.count) bytes"
    }
}

/// A journal entry: its addresses, which are no data of it, and its fields in order.
package struct MadeEntry: Equatable {
    package var cursor = ""
    package var realtime: UInt64
    package var monotonic: UInt64
    package var boot: JournalID
    package var fields: [MadeField]

    package init(cursor: String = "", realtime: UInt64, monotonic: UInt64, boot: JournalID, fields: [MadeField]) {
        self.cursor = cursor
        self.realtime = realtime
        self.monotonic = monotonic
        self.boot = boot
        self.fields = fields
    }

    /// An entry for tests: the number makes its time.
    package init(_ number: Int, _ message: String? = nil, time: UInt64? = nil, more: [MadeField] = []) {
        let time = time ?? UInt64(number) * 1000
        self.init(
            realtime: MadeEntry.start + time, monotonic: 1_000_000 + time, boot: MadeEntry.boot,
            fields: [MadeField("MESSAGE", message ?? "entry \(number)")] + more)
    }

    package static let start: UInt64 = 1_700_000_000_000_000
    package static let boot = JournalID(high: 0xabcd, low: 0x1234)
    package static let machine = JournalID(high: 7, low: 7)

    package func values(_ name: String) -> [[UInt8]] { fields.filter { $0.name == name }.map(\.value) }
    package var message: String { String(decoding: values("MESSAGE").first ?? [], as: UTF8.self) }
}

/// Runs systemd's programs.
package enum Systemd {
    /// A program that ended with an error, and what it said.
    package struct Failure: Error { let what: String }

    /// Appends entries to a journal file, which is made if need be.
    package static func write(_ entries: [MadeEntry], to path: String) throws {
        let input = path + ".export"
        try LocalFileSystem().makeFolder(Path.parent(path))
        try Data(ExportFormat.bytes(entries)).write(to: URL(filePath: input))
        defer { try? FileManager.default.removeItem(atPath: input) }
        try run("/lib/systemd/systemd-journal-remote --output=\(path) \(input) 2>&1")
    }

    /// What journalctl reads, in the export format.
    package static func read(_ arguments: String) throws -> [MadeEntry] {
        ExportFormat.entries(try run("journalctl --quiet --merge --output=export \(arguments)"))
    }

    @discardableResult
    package static func run(_ command: String) throws -> [UInt8] {
        let (status, output) = try ChildProcess.run("sh", "-c", command)
        guard status == 0 else { throw Failure(what: "\(command): \(String(decoding: output, as: UTF8.self))") }
        return output
    }
}

/// The files that one journald would leave in a folder: an active one and archived ones, the entries numbered through all of them.
/// systemd-journal-remote numbers each file for itself, so a new file gets the numbering of the one before.
package final class MadeJournal {
    package let folder: String
    /// The archived files, in their order.
    package private(set) var archived: [String] = []

    /// The file that is being written.
    package var active: String { "\(folder)/system.journal" }

    /// - Parameter folder: one that is read with its machines' subfolders: the files go into one of them.
    package init(in folder: String) { self.folder = "\(folder)/\(MadeEntry.machine)" }

    /// Appends to the active file.
    package func append(_ entries: [MadeEntry]) throws { try Systemd.write(entries, to: active) }

    /// As journald does it: the active file is closed for ever under another name, and a new one goes on with its numbers.
    @discardableResult
    package func rotate() throws -> String {
        let files = LocalFileSystem()
        let path = "\(folder)/system@\(archived.count + 1).journal"
        let numbering = try header(of: active)
        // state, at 16: archived
        try patch(active, at: 16, [2])
        try files.rename(active, to: path)
        archived.append(path)
        try append([])
        // seqnum_id at 72; tail_entry_seqnum at 160, which the next entry's number is counted from
        try patch(active, at: 72, Array(numbering[72..<88]))
        try patch(active, at: 160, Array(numbering[160..<168]))
        return path
    }

    /// Leaves out so many numbers before the next entry, as if entries had been lost.
    package func leaveOut(_ numbers: UInt64) throws {
        let last = try header(of: active)[160..<168].reversed().reduce(0) { $0 << 8 | UInt64($1) } + numbers
        try patch(active, at: 160, (0..<8).map { UInt8(truncatingIfNeeded: last >> (8 * $0)) })
    }

    /// Deletes a file, as journald does when its space is used up.
    package func delete(_ path: String) throws { try LocalFileSystem().remove(path) }

    /// Overwrites bytes of a file.
    package func patch(_ path: String, at offset: UInt64, _ bytes: [UInt8]) throws {
        let file = try LocalFileSystem().open(path, .update)
        try LocalFileSystem().write(bytes.span, to: file, at: offset)
    }

    private func header(of path: String) throws -> [UInt8] { try OwnedFile.open(path, .read).read(count: 208, at: 0) }
}

/// The snapshot of a real node, where there is one.
package enum NodeSnapshot {
    /// SLUICE_NODE_SNAPSHOT, or where the tests of the node's files look for it.
    private static let archive = {
        let repository = #filePath.split(separator: "/").dropLast(3).joined(separator: "/")
        return Machine.environment("SLUICE_NODE_SNAPSHOT") ?? "/\(repository)/../shared/node/snapshot.tar.gz"
    }()

    package static var isHere: Bool { Directory.status(archive) != nil }

    /// Unpacks the node's journal. Returns its folder.
    package static func unpackJournal(to folder: String) throws -> String {
        try Systemd.run("tar -xzf \(archive) -C \(folder) --wildcards '*var/log/journal/*'")
        return "\(folder)/var/log/journal"
    }

    /// Unpacks what the API server and the kubelet answered, in the folders `api`, `kubelet` and `rec`. Returns the folder they are in.
    package static func unpackAnswers(to folder: String) throws -> String {
        let members = ["api", "kubelet", "rec"].map { "'*/\($0)/*.json*'" }.joined(separator: " ")
        try Systemd.run("tar -xzf \(archive) -C \(folder) --wildcards \(members)")
        return folder
    }
}

/// https://systemd.io/JOURNAL_EXPORT_FORMATS
package enum ExportFormat {
    package static func bytes(_ entries: [MadeEntry]) -> [UInt8] {
        var bytes: [UInt8] = []
        for entry in entries {
            let addresses = [
                MadeField("__REALTIME_TIMESTAMP", String(entry.realtime)),
                MadeField("__MONOTONIC_TIMESTAMP", String(entry.monotonic)), MadeField("_BOOT_ID", "\(entry.boot)"),
                MadeField("_MACHINE_ID", "\(MadeEntry.machine)"),
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

    package static func entries(_ bytes: [UInt8]) -> [MadeEntry] {
        var entries: [MadeEntry] = []
        var fields: [MadeField] = []
        var at = 0
        while at < bytes.count {
            guard let end = bytes[at...].firstIndex(of: 10) else { break }
            if end == at {
                entries.append(entry(fields))
                fields = []
                at += 1
            } else if let sign = bytes[at..<end].firstIndex(of: UInt8(ascii: "=")) {
                fields.append(
                    MadeField(String(decoding: bytes[at..<sign], as: UTF8.self), Array(bytes[(sign + 1)..<end])))
                at = end + 1
            } else {
                let count = bytes[(end + 1)..<(end + 9)].reversed().reduce(0) { $0 << 8 | Int($1) }
                let value = Array(bytes[(end + 9)..<(end + 9 + count)])
                fields.append(MadeField(String(decoding: bytes[at..<end], as: UTF8.self), value))
                at = end + 9 + count + 1
            }
        }
        return entries
    }

    private static func entry(_ fields: [MadeField]) -> MadeEntry {
        func text(_ name: String) -> String {
            fields.first { $0.name == name }.map { String(decoding: $0.value, as: UTF8.self) } ?? ""
        }
        return MadeEntry(
            cursor: text("__CURSOR"), realtime: UInt64(text("__REALTIME_TIMESTAMP")) ?? 0,
            monotonic: UInt64(text("__MONOTONIC_TIMESTAMP")) ?? 0,
            boot: JournalID(text("_BOOT_ID")) ?? JournalID(high: 0, low: 0),
            // Where in the entry _BOOT_ID is, the format does not keep.
            fields: fields.filter { !$0.name.hasPrefix("__") && $0.name != "_BOOT_ID" })
    }
}

extension JournalReader {
    /// The entry the reader stands on, as the export format has it.
    package mutating func entry() throws -> MadeEntry {
        let moment = try moment()
        var fields: [MadeField] = []
        let unreadable = try forEachField { name, value in
            let name = String(decoding: name)
            if name != "_BOOT_ID" { fields.append(MadeField(name, Array(copying: value))) }
        }
        guard unreadable == 0 else { throw Systemd.Failure(what: "\(unreadable) fields cannot be read") }
        return MadeEntry(
            cursor: try cursor(), realtime: try realtime(), monotonic: moment.monotonic, boot: moment.bootID,
            fields: fields)
    }

    /// Every entry from here on.
    package mutating func rest() throws -> [MadeEntry] {
        var entries: [MadeEntry] = []
        while try next() { entries.append(try entry()) }
        return entries
    }

    /// The messages of every entry from here on.
    package mutating func messages() throws -> [String] {
        var messages: [String] = []
        while try next() { messages.append(try message()) }
        return messages
    }

    /// The message of the entry the reader stands on.
    package mutating func message() throws -> String {
        var message = ""
        _ = try withField("MESSAGE") { message = String(decoding: $0) }
        return message
    }
}
