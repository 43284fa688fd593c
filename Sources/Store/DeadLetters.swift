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

    /// Reads one line; nil when it is not whole. The record is taken as it stands, however deep it is nested.
    package init?(line: Span<UInt8>) {
        let mark = Array(",\"record\":".utf8)
        // Within the answer the quotes would be escaped.
        guard let at = ByteSearch.find(mark.span, in: line), line.count > at + mark.count,
            line[line.count - 1] == UInt8(ascii: "}")
        else { return nil }
        var front = Arena(capacity: at + 1)
        front.append(line.extracting(0..<at))
        front.append("}")
        var members = Column<JSONMember>(capacity: 4)
        guard JSONScanner.scanObject(front, from: 0, to: front.count, tape: &members).isObject else { return nil }
        func value(_ name: StaticString) -> String? {
            guard let index = (0..<members.count).first(where: { JSONScanner.keyEquals(front, members[$0], name) })
            else { return nil }
            let (start, count) = (members[index].valueStart, members[index].valueLength)
            let isText = front[start] == UInt8(ascii: "\"")
            return isText
                ? String(decoding: JSONScanner.unescape(front, from: start + 1, count: count - 2), as: UTF8.self)
                : String(decoding: front.span.extracting(start..<(start + count)))
        }
        guard let sequence = value("sequence").flatMap(UInt64.init), let refusedAt = value("refused_at"),
            let answer = value("answer")
        else { return nil }
        let record = line.extracting((at + mark.count)..<(line.count - 1))
        self.init(sequence: sequence, refusedAt: refusedAt, answer: answer, record: [UInt8](copying: record))
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

        func isDeleted() throws(DiskError) -> Bool { try file.status().linkCount == 0 }
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
        // Somebody may have deleted the file that is being written.
        if let open = current, try open.isDeleted() { current = nil }
        if current == nil, let newest = DeadLetters.files(folder).last { current = try reopen(newest) }
        store.noteOpenLetters(current?.file.path, of: output)
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
        DeadLetters.retire(in: store)
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
        store.noteOpenLetters(path, of: output)
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

    /// Deletes the oldest files of all outputs, also of those that are gone, when the letters have outgrown their share; never
    /// one that is being written.
    static func retire(in store: Store) {
        guard store.deadLetterBytes > store.deadLetterLimit else { return }
        let files = outputs(store.folder).flatMap { output in
            DeadLetters.files(store.folder.deadLetters(output: output)).map { (output: output, path: $0) }
        }
        let open = store.openLetters
        for file in files.sorted(by: { Path.name($0.path) < Path.name($1.path) }) where !open.contains(file.path) {
            guard store.deadLetterBytes > store.deadLetterLimit else { return }
            let letters = (try? read(file.path).count) ?? 0
            guard let size = Directory.status(file.path)?.size, (try? store.fileSystem.remove(file.path)) != nil
            else { continue }
            store.changeDeadLetterBytes(by: -Int64(size))
            store.telemetry.tell(
                StoreEvent.deadLettersRetired(output: file.output, path: file.path, letters: letters))
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
