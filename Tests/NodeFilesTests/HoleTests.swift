// NULs where a log should have text, sparse files, and files that are no text at all.
import Bytes
import Disk
import NodeFiles
import Records
import TestKit
import Testing

struct HoleTests {
    private func nuls(_ count: Int) -> String { String(repeating: "\0", count: count) }

    // MARK: Containers

    @Test(arguments: [1, 7, 63, 64, 65, 4_000, 131_072, 3 << 20, 20 << 20])
    func `the line behind a hole at a line's start is whole`(count: Int) throws {
        let node = try Node()
        try node.write("before")
        try node.app.writeRaw(Array(nuls(count).utf8))
        try node.write("after")
        try node.write("last")
        node.reader.open()
        node.reader.drain()
        #expect(node.texts() == ["before", "after", "last"])
        #expect(node.reader.count(.damagedBytes) == UInt64(count))
        #expect(node.reader.count(.malformedRecords) == 0)
        #expect(node.reader.told.count("files_with_holes") >= 1)
        node.reader.restart()
        node.reader.drain()
        #expect(node.texts() == ["before", "after", "last"])
    }

    @Test(arguments: [64, 100, 4_000, 200_000, 3 << 20])
    func `a hole inside of a line ends that line, and the next one is whole`(count: Int) throws {
        let node = try Node()
        try node.write("before")
        try node.app.writeRaw(Array("2026-11-30T10:00:01.000000001Z stdout F cut\(nuls(count))".utf8))
        try node.write("after")
        node.reader.open()
        node.reader.drain()
        #expect(node.texts() == ["before", "cut", "after"])
        #expect(node.reader.lines(node.app.log(0)).map(\.flags) == [[], .unfinished, []])
        #expect(node.reader.count(.damagedBytes) == UInt64(count))
    }

    @Test func `NULs that a program has logged stay in its message`() throws {
        let node = try Node()
        try node.write("a\0b\0\0c" + nuls(20) + "d")
        node.reader.open()
        node.reader.drain()
        #expect(node.texts() == ["a\0b\0\0c" + nuls(20) + "d"])
        #expect(node.reader.count(.damagedBytes) == 0)
    }

    @Test func `room that a writer has reserved at the end is no hole until something follows`() throws {
        let node = try Node()
        try node.write("one")
        let path = node.app.path
        let end = try OwnedFile.open(path, .read).status().size
        try node.app.writeRaw(Array(nuls(10_000).utf8))
        node.reader.open()
        node.reader.drain()
        #expect(node.texts() == ["one"])
        try OwnedFile.open(path, .update).write(
            Array("2026-11-30T10:00:01.000000001Z stdout F two\n".utf8).span, at: end)
        node.reader.drain()
        node.reader.wake(after: 60_000_000_000)
        node.reader.drain()
        #expect(node.texts() == ["one", "two"])
        #expect(node.reader.count(.damagedBytes) == 0)
    }

    // MARK: Text files

    @Test func `in text files as well, at the start, between lines and inside of one`() throws {
        let folder = try TextFolder()
        try folder.scratch.write(
            "a.log", nuls(5_000) + "one\n" + nuls(3) + "two\nthr" + nuls(4_096) + "four\nfive\n" + nuls(500))
        folder.reader.open()
        folder.reader.drain()
        #expect(folder.texts("a.log") == ["one", "two", "thr", "four", "five"])
        #expect(folder.reader.count(.damagedBytes) == 9_099)
        try folder.scratch.append("six\n", to: "a.log")
        folder.reader.drain()
        #expect(folder.texts("a.log").last == "six")
        #expect(folder.reader.count(.damagedBytes) == 9_599)
    }

    @Test func `the holes of a sparse file are skipped, however large`() throws {
        let folder = try TextFolder()
        let file = try OwnedFile.open(folder.scratch.write("a.log", "one\n"), .update)
        try file.write(Array("two\n".utf8).span, at: 300 << 30)
        folder.reader.open()
        folder.reader.drain()
        #expect(folder.texts("a.log") == ["one", "two"])
        #expect(folder.reader.told.count("files_with_holes") >= 1)
        try file.write(Array("three\n".utf8).span, at: 300 << 30 + 4)
        folder.reader.restart()
        folder.reader.drain()
        #expect(folder.texts("a.log") == ["one", "two", "three"])
    }

    @Test func `what is no text is named once and left alone`() throws {
        let folder = try TextFolder(isWanted: { _ in true })
        // As lastlog is: records of 292 bytes with fixed fields, most of them holes.
        let lastlog = try OwnedFile.open(folder.scratch.write("lastlog", ""), .update)
        var record = [UInt8](repeating: 0, count: 292)
        record.replaceSubrange(0..<4, with: [0x12, 0x34, 0x56, 0x69])
        record.replaceSubrange(4..<9, with: Array("pts/0".utf8))
        record.replaceSubrange(36..<46, with: Array("10.0.0.1\0\0".utf8))
        try lastlog.write(record.span, at: 292 * 1_000_000_000)
        try folder.scratch.write("system.journal", Array("LPKSHHRH".utf8) + [UInt8](repeating: 0, count: 300))
        var random = SeededGenerator(seed: 7)
        try folder.scratch.write("core", (0..<5_000).map { _ in UInt8(random.below(256)) })
        try folder.scratch.write("a.log", "\u{1b}[31mred\u{1b}[0m\tand \u{fc}mlauts\n")
        folder.reader.open()
        for _ in 0..<3 {
            folder.reader.drain()
            folder.reader.wake(after: 60_000_000_000)
        }
        #expect(folder.all == ["\u{1b}[31mred\u{1b}[0m\tand \u{fc}mlauts"])
        #expect(folder.reader.told.count("files_not_text") == 3)
    }

    @Test func `a byte order mark is no part of the first line`() throws {
        let folder = try TextFolder()
        try folder.scratch.write("a.log", "\u{feff}one\n\u{feff}two\n")
        folder.reader.open()
        folder.reader.drain()
        #expect(folder.texts("a.log").map { Array($0.utf8) } == [Array("one".utf8), Array("\u{feff}two".utf8)])
    }
}
