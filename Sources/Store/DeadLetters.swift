// Records that a receiver refuses for good, kept with its answer: lines of JSON that any tool reads.
// A letter is written and synced before the cursor passes its record.
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
            guard
                let index = (0..<members.count).first(where: {
                    JSONScanner.keyEquals(arena, members[$0], Array(name.utf8))
                })
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
    private var current: Current?

    /// The file that is being written; a new one is begun past `fileSize`.
    private final class Current {
        let file: OwnedFile
        var size: UInt64
        var last: DeadLetter?

        init(_ file: consuming OwnedFile, size: UInt64, last: DeadLetter?) {
            self.file = file
            self.size = size
            self.last = last
        }
    }

    /// A file of letters is closed at this size.
    static let fileSize: UInt64 = 1 << 20

    package init(_ store: Store, output: String) {
        self.store = store
        self.output = output
        folder = store.folder.deadLetters(output: output)
    }

    /// Writes a letter, durably. The one that was written last is not written again: a crash may have come before the cursor
    /// passed its record.
    package mutating func append(_ letter: DeadLetter) throws(DiskError) {
        if current == nil, let newest = DeadLetters.files(folder).last { current = try reopen(newest) }
        // The same number may be another record after a power cut.
        if let last = current?.last, last.sequence == letter.sequence, last.record == letter.record { return }
        let current = try open(for: letter.sequence)
        let line = letter.line
        do throws(DiskError) {
            try store.fileSystem.write(line.span, to: current.file, at: current.size)
            try store.fileSystem.sync(current.file)
        } catch {
            try? store.fileSystem.truncate(current.file, to: current.size)
            throw error
        }
        current.size += UInt64(line.count)
        current.last = letter
        store.changeDeadLetterBytes(by: Int64(line.count))
        retire()
    }

    /// The file to write to: the newest while it is small enough.
    private mutating func open(for sequence: UInt64) throws(DiskError) -> Current {
        if let current, current.size < DeadLetters.fileSize { return current }
        try store.fileSystem.makeFolder(folder)
        let path = "\(folder)/\(StoreFolder.digits(sequence)).ndjson"
        let file = try store.fileSystem.open(path, .create)
        try store.fileSystem.syncFolder(folder)
        // There may be a file of this name: its number was given again after a power cut.
        let size = try file.status().size
        let next = Current(file, size: size, last: nil)
        current = next
        return next
    }

    /// Takes up a file that an earlier start left. What a crash left in the middle of a line was never relied on.
    private func reopen(_ path: String) throws(DiskError) -> Current {
        let file = try store.fileSystem.open(path, .update)
        let size = try file.status().size
        let bytes = try file.read(count: Int(size), at: 0)
        var end = 0
        var last: DeadLetter?
        while let newline = ByteSearch.firstIndex(of: UInt8(ascii: "\n"), in: bytes.span, from: end),
            let letter = DeadLetter(line: bytes.span.extracting(end..<newline))
        {
            last = letter
            end = newline + 1
        }
        if end < bytes.count {
            try store.fileSystem.truncate(file, to: UInt64(end))
            store.changeDeadLetterBytes(by: -Int64(bytes.count - end))
        }
        return Current(file, size: UInt64(end), last: last)
    }

    /// Deletes the oldest files of all outputs, also of those that are gone, when the letters have outgrown their share.
    private func retire() {
        guard store.deadLetterBytes > store.deadLetterLimit else { return }
        let files = DeadLetters.outputs(store.folder).flatMap {
            DeadLetters.files(store.folder.deadLetters(output: $0))
        }
        for oldest in files.sorted(by: { Path.name($0) < Path.name($1) }) where oldest != current?.file.path {
            guard store.deadLetterBytes > store.deadLetterLimit else { return }
            let letters = (try? DeadLetters.read(oldest).count) ?? 0
            guard let size = Directory.status(oldest)?.size, (try? store.fileSystem.remove(oldest)) != nil else {
                continue
            }
            store.changeDeadLetterBytes(by: -Int64(size))
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
