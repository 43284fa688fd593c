// Records that a receiver refuses for good, kept with its answer: lines of JSON that any tool reads.
// A letter is written and synced before the cursor passes its record; until then it is a suspicion that may be withdrawn.
private import Bytes
package import Disk
private import Telemetry

/// A record that was refused, as it lies on disk.
package struct DeadLetter: Sendable, Equatable {
    /// The record's number.
    package let sequence: UInt64
    /// When it was refused, as RFC 3339.
    package let refusedAt: String
    /// The receiver's words: status and the beginning of its answer.
    package let answer: String
    /// The record, JSON.
    package let record: [UInt8]

    package init(sequence: UInt64, refusedAt: String, answer: String, record: [UInt8]) {
        self.sequence = sequence
        self.refusedAt = refusedAt
        self.answer = answer
        self.record = record
    }

    /// Reads one line; nil when it is not whole.
    package init?(line: Span<UInt8>) {
        var arena = Arena(capacity: line.count + 1)
        arena.append(line)
        var members = Column<JSONMember>(capacity: 8)
        guard JSONScanner.scanObject(arena, from: 0, to: arena.count, tape: &members).isObject else { return nil }
        var texts: [[UInt8]] = []
        for name in ["sequence", "refused_at", "answer", "record"] {
            guard let index = (0..<members.count).first(where: { JSONScanner.keyEquals(arena, members[$0], Array(name.utf8)) })
            else { return nil }
            let member = members[index]
            let isText = arena[member.valueStart] == UInt8(ascii: "\"")
            texts.append(
                isText
                    ? JSONScanner.unescape(arena, from: member.valueStart + 1, count: member.valueLength - 2)
                    : [UInt8](
                        copying: arena.span.extracting(member.valueStart..<(member.valueStart + member.valueLength))))
        }
        guard let sequence = UInt64(String(decoding: texts[0], as: UTF8.self)) else { return nil }
        self.init(
            sequence: sequence, refusedAt: String(decoding: texts[1], as: UTF8.self),
            answer: String(decoding: texts[2], as: UTF8.self), record: texts[3])
    }

    /// The line, newline included.
    var line: [UInt8] {
        var out = Arena(capacity: record.count + answer.utf8.count + 128)
        out.append("{\"sequence\":")
        out.append(text: String(sequence))
        out.append(",\"refused_at\":")
        out.appendJSONString(refusedAt)
        out.append(",\"answer\":")
        out.appendJSONString(answer)
        out.append(",\"record\":")
        out.append(record)
        out.append("}\n")
        return Array(copying: out.span)
    }
}

/// The dead letters of one output. It belongs to the task that delivers.
package struct DeadLetters: ~Copyable {
    private let store: Store
    private let output: String
    private let folder: String
    /// The file that is being written, and its size; a new one is begun past `fileSize`.
    private var file: Current?
    private var size: UInt64 = 0
    /// Where each letter that may still be withdrawn begins in the file.
    private var suspicions: [(sequence: UInt64, offset: UInt64)] = []

    /// Letters are there that may still be withdrawn.
    package var hasSuspicions: Bool { !suspicions.isEmpty }

    /// A file of letters is closed at this size.
    static let fileSize: UInt64 = 1 << 20

    private final class Current {
        let handle: OwnedFile
        init(_ handle: consuming OwnedFile) { self.handle = handle }
    }

    package init(_ store: Store, output: String) {
        self.store = store
        self.output = output
        folder = store.folder.deadLetters(output: output)
    }

    /// Writes a letter, durably. It is a suspicion until `confirm()`.
    package mutating func suspect(_ letter: DeadLetter) throws(DiskError) {
        let line = letter.line
        let current = try open(for: letter.sequence)
        do throws(DiskError) {
            try store.fileSystem.write(line.span, to: current.handle, at: size)
            try store.fileSystem.sync(current.handle)
        } catch {
            try? store.fileSystem.truncate(current.handle, to: size)
            throw error
        }
        suspicions.append((letter.sequence, size))
        size += UInt64(line.count)
        store.changeDeadLetterBytes(by: Int64(line.count))
    }

    /// The suspicions were right: their records will never be sent again. The oldest files are deleted when the letters
    /// have outgrown their share.
    package mutating func confirm() {
        suspicions.removeAll()
        retire()
    }

    /// The suspicions were wrong: the receiver refuses everything.
    package mutating func withdraw() throws(DiskError) {
        guard let first = suspicions.first, let current = file else { return }
        try store.fileSystem.truncate(current.handle, to: first.offset)
        try store.fileSystem.sync(current.handle)
        store.changeDeadLetterBytes(by: -Int64(size - first.offset))
        size = first.offset
        suspicions.removeAll()
    }

    /// Takes up what a start finds: letters of records that the cursor has not passed are suspicions. Returns their numbers.
    package mutating func recover(next: UInt64) throws(DiskError) -> [UInt64] {
        guard let path = DeadLetters.files(folder).last else { return [] }
        let found = try store.fileSystem.open(path, .update)
        let bytes = try found.read(count: Int(try found.status().size), at: 0)
        var end = 0
        var start = 0
        while let newline = ByteSearch.firstIndex(of: UInt8(ascii: "\n"), in: bytes.span, from: start) {
            guard let letter = DeadLetter(line: bytes.span.extracting(start..<newline)) else { break }
            if letter.sequence >= next { suspicions.append((letter.sequence, UInt64(start))) }
            start = newline + 1
            end = start
        }
        // What a crash left in the middle of a line was never relied on.
        if end < bytes.count {
            try store.fileSystem.truncate(found, to: UInt64(end))
            store.changeDeadLetterBytes(by: -Int64(bytes.count - end))
        }
        size = UInt64(end)
        file = Current(found)
        return suspicions.map(\.sequence)
    }

    /// Makes sure that there is a file to write to.
    private mutating func open(for sequence: UInt64) throws(DiskError) -> Current {
        if let file, size < DeadLetters.fileSize || !suspicions.isEmpty { return file }
        try store.fileSystem.makeFolder(folder)
        let path = "\(folder)/\(StoreFolder.digits(sequence)).ndjson"
        let next = try store.fileSystem.open(path, .create)
        size = try next.status().size
        try store.fileSystem.syncFolder(folder)
        let current = Current(next)
        file = current
        return current
    }

    private func retire() {
        var files = DeadLetters.files(folder)
        while store.deadLetterBytes > store.deadLetterLimit, files.count > 1 {
            let oldest = files.removeFirst()
            guard let status = Directory.status(oldest) else { continue }
            let letters = (try? DeadLetters.read(oldest).count) ?? 0
            guard (try? store.fileSystem.remove(oldest)) != nil else { return }
            store.changeDeadLetterBytes(by: -Int64(status.size))
            store.telemetry.tell(StoreEvent.deadLettersRetired(output: output, path: oldest, letters: letters))
        }
    }

    // MARK: Reading

    /// The files of letters in an output's folder, oldest first.
    package static func files(_ folder: String) -> [String] {
        ((try? Directory.list(folder)) ?? []).map(\.name).filter { $0.hasSuffix(".ndjson") }.sorted()
            .map { "\(folder)/\($0)" }
    }

    /// The letters of a file, also while an agent writes to it.
    package static func read(_ path: String) throws(DiskError) -> [DeadLetter] {
        let file = try OwnedFile.open(path, .read)
        let bytes = try file.read(count: Int(try file.status().size), at: 0)
        var letters: [DeadLetter] = []
        var start = 0
        while let newline = ByteSearch.firstIndex(of: UInt8(ascii: "\n"), in: bytes.span, from: start) {
            if let letter = DeadLetter(line: bytes.span.extracting(start..<newline)) { letters.append(letter) }
            start = newline + 1
        }
        return letters
    }

    /// Outputs that have letters in a data directory, by name.
    package static func outputs(_ folder: StoreFolder) -> [String] {
        ((try? Directory.list(folder.deadLetters)) ?? []).map(\.name).sorted()
    }

    /// Bytes of all letters in a data directory.
    static func totalSize(_ folder: StoreFolder) -> UInt64 {
        outputs(folder).reduce(0) { sum, output in
            files(folder.deadLetters(output: output)).reduce(sum) { $0 + (Directory.status($1)?.size ?? 0) }
        }
    }
}
