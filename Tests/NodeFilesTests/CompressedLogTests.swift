// Rotated files that are read from their compressed copies, whole and damaged.
import Disk
import NodeFiles
import Records
import TestKit
import Testing

struct CompressedLogTests {
    /// A rotated and compressed file; returns its path.
    private func compressed(_ run: Node, lines: Int) throws -> String {
        var random = SeededGenerator(seed: 1)
        for number in 0..<lines { try run.write("\(number) \(random.next()) \(random.next()) \(random.next())") }
        try run.app.rotate()
        try run.write("between")
        try run.app.rotate()
        return "\(run.app.folder)/\(run.app.files[0].name)"
    }

    private func damage(_ path: String, at part: Double) throws {
        let file = try OwnedFile.open(path, .update)
        let middle = UInt64(Double(try file.status().size) * part)
        let bytes = try file.read(count: 64, at: middle).map { ~$0 }
        try file.write(bytes.span, at: middle)
    }

    @Test func `a compressed file whose length is the position is done without inflating it`() throws {
        let run = try Node()
        run.reader.open()
        let path = try compressed(run, lines: 9_000)
        run.reader.drain()
        run.reader.close()
        // Whoever reads on in it notices.
        try damage(path, at: 0.7)
        run.reader.open()
        run.reader.drain()
        #expect(run.difference() == nil)
        #expect(run.reader.count(.damagedBytes) == 0)
    }

    @Test func `of a damaged compressed file what is whole is read, and the rest is counted as lost, once`() throws {
        let run = try Node()
        let path = try compressed(run, lines: 9_000)
        try damage(path, at: 0.7)
        run.reader.open()
        run.reader.drain()
        let lines = run.texts()
        #expect(lines.count > 4_000)
        #expect(lines.count < 9_000)
        #expect(lines.last == "between")
        let lost = run.reader.count(.damagedBytes)
        #expect(lost > 0)
        #expect(run.reader.count(.readBytes) + lost == run.node.bytesWritten)
        run.reader.restart()
        run.reader.drain()
        #expect(run.texts() == lines)
        #expect(run.reader.count(.damagedBytes) == lost)
    }

    @Test func `a compressed file that ends in the middle is read as far as it goes`() throws {
        let run = try Node()
        let path = try compressed(run, lines: 500)
        let file = try OwnedFile.open(path, .update)
        try file.truncate(to: try file.status().size / 2)
        run.reader.open()
        run.reader.drain()
        #expect(run.texts().last == "between")
        #expect(run.reader.told.count("files_damaged") == 1)
    }

    @Test func `reading stops in the middle of a compressed file and goes on there`() throws {
        let run = try Node()
        _ = try compressed(run, lines: 9_000)
        run.reader.open()
        run.reader.readBatch()
        run.reader.readBatch()
        run.reader.restart()
        run.reader.drain()
        #expect(run.difference() == nil)
    }
}
