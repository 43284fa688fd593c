// Copies of text files: what was read from the original is not read again, and what only looks like a copy is read.
import Disk
import Foundation
import NodeFiles
import Records
import TestKit
import Testing

struct CopiedTextTests {
    private static let long = (0..<20).map { "2026-12-01 00:00:\(10 + $0) line \($0) of an application with some text" }
    private static let short = ["one", "two"]

    @Test(arguments: [long, short], [true, false])
    func `copytruncate to a name that is asked for repeats no line and loses none`(
        lines: [String], isLooking: Bool
    ) throws {
        let folder = try TextFolder { $0.quietTime = 15_000_000_000 }
        try folder.scratch.write("app.log", lines.joined(separator: "\n") + "\n")
        folder.reader.open()
        folder.reader.drain()
        // A line that is in the copy and was not read from the original.
        try folder.scratch.append("late\n", to: "app.log")
        try folder.copy("app.log", to: "app-1.log")
        if isLooking { folder.readNoticed() }
        try folder.waitForFileTime()
        try folder.scratch.write("app.log", "")
        if isLooking { folder.readNoticed() }
        try folder.scratch.append("new\n", to: "app.log")
        folder.reader.drain()
        try folder.age("app-1.log", by: 2)
        folder.reader.drain()
        #expect(folder.all.sorted() == (lines + ["late", "new"]).sorted())
        #expect(folder.reader.count(.shrunkBytes) == 0)
        folder.reader.restart()
        try folder.scratch.append("newer\n", to: "app.log")
        folder.reader.drain()
        #expect(folder.all.sorted() == (lines + ["late", "new", "newer"]).sorted())
    }

    @Test func `a copy that is still being written waits for its end`() throws {
        let folder = try TextFolder { $0.quietTime = 15_000_000_000 }
        let text = CopiedTextTests.long.joined(separator: "\n") + "\n"
        try folder.scratch.write("app.log", text)
        folder.reader.open()
        folder.reader.drain()
        try folder.scratch.write("app-1.log", String(text.prefix(200)))
        folder.readNoticed()
        try folder.scratch.append(String(text.dropFirst(200).prefix(100)), to: "app-1.log")
        folder.reader.drain()
        try folder.scratch.append(String(text.dropFirst(300)) + "only here\n", to: "app-1.log")
        try folder.scratch.write("app.log", "new\n")
        folder.reader.drain()
        try folder.age("app-1.log", by: 2)
        folder.reader.drain()
        #expect(folder.all.sorted() == (CopiedTextTests.long + ["only here", "new"]).sorted())
    }

    @Test func `a copy made before the original had its last lines repeats nothing`() throws {
        let folder = try TextFolder { $0.quietTime = 15_000_000_000 }
        try folder.scratch.write("app.log", CopiedTextTests.long.joined(separator: "\n") + "\n")
        folder.reader.open()
        folder.reader.drain()
        try folder.copy("app.log", to: "app-1.log")
        folder.readNoticed()
        try folder.scratch.append("not in the copy\n", to: "app.log")
        folder.readNoticed()
        try folder.scratch.write("app.log", "new\n")
        folder.reader.drain()
        try folder.age("app-1.log", by: 2)
        folder.reader.drain()
        #expect(folder.all.sorted() == (CopiedTextTests.long + ["not in the copy", "new"]).sorted())
    }

    @Test(arguments: [long, short])
    func `a file that is replaced by one with its content and a line more gives that line`(lines: [String]) throws {
        let folder = try TextFolder { $0.quietTime = 15_000_000_000 }
        let text = lines.joined(separator: "\n") + "\n"
        try folder.scratch.write("app.log", text)
        folder.reader.open()
        folder.reader.drain()
        try folder.scratch.write("app.log.new", text + "more\n")
        try folder.waitForFileTime()
        try folder.scratch.rename("app.log.new", to: "app.log")
        folder.reader.drain()
        try folder.age("app.log", by: 2)
        folder.reader.drain()
        #expect(folder.all == lines + ["more"])
    }

    @Test func `also when that happened while nobody looked`() throws {
        let folder = try TextFolder()
        let text = CopiedTextTests.long.joined(separator: "\n") + "\n"
        try folder.scratch.write("app.log", text)
        folder.reader.open()
        folder.reader.drain()
        folder.reader.close()
        try folder.scratch.write("app.log.new", text + "more\n")
        try folder.scratch.rename("app.log.new", to: "app.log")
        folder.reader.open()
        folder.reader.drain()
        #expect(folder.all == CopiedTextTests.long + ["more"])
    }

    @Test func `a copy made while nobody looked does not take its original's place`() throws {
        let folder = try TextFolder()
        try folder.scratch.write("b.log", CopiedTextTests.long.joined(separator: "\n") + "\n")
        folder.reader.open()
        folder.reader.drain()
        folder.reader.close()
        // Listed before its original, or after it.
        try folder.copy("b.log", to: "a.log")
        try folder.copy("b.log", to: "c.log")
        try folder.scratch.append("more\n", to: "b.log")
        folder.reader.open()
        folder.reader.drain()
        #expect(folder.texts("b.log") == CopiedTextTests.long + ["more"])
        #expect(folder.all.count == CopiedTextTests.long.count + 1)
    }

    // MARK: What is no copy

    @Test func `two files that begin alike are both read`() throws {
        let folder = try TextFolder()
        folder.reader.open()
        let head = String(repeating: "#Fields: date time c-ip cs-uri ", count: 4)
        for name in ["a.log", "b.log", "c.log"] {
            try folder.scratch.write(name, "\(head)\nfirst of \(name)\n")
            folder.reader.drain()
            try folder.scratch.append("second of \(name)\n", to: name)
            folder.reader.drain()
        }
        for name in ["a.log", "b.log", "c.log"] {
            #expect(folder.texts(name) == [head, "first of \(name)", "second of \(name)"])
        }
    }

    @Test func `short files with the same line are all read`() throws {
        let folder = try TextFolder()
        folder.reader.open()
        for name in ["a.log", "b.log", "c.log"] {
            try folder.scratch.write(name, "started\n")
            folder.reader.drain()
        }
        // A program that starts again says the same again.
        try folder.scratch.remove("a.log")
        folder.reader.drain()
        try folder.scratch.write("a.log", "started\n")
        folder.reader.drain()
        #expect(folder.texts("a.log") == ["started", "started"])
        #expect(folder.texts("b.log") == ["started"])
        #expect(folder.texts("c.log") == ["started"])
    }

    @Test func `a busy file that begins with a short line which another has too does not wait for long`() throws {
        let folder = try TextFolder { $0.quietTime = 50_000_000 }
        try folder.scratch.write("a.log", "started\n")
        folder.reader.open()
        folder.reader.drain()
        try folder.scratch.write("b.log", "started\n")
        // Written to again and again, so that it is never quiet.
        var count = 0
        while folder.texts("b.log").isEmpty, count < 1_000_000 {
            count += 1
            try folder.scratch.append(".\n", to: "b.log")
            folder.reader.drain()
        }
        #expect(folder.texts("b.log").first == "started")
        #expect(folder.texts("a.log") == ["started"])
    }

    // MARK: Compressed files

    @Test(arguments: [long, short])
    func `the compressed copy of a file that was read is not read again`(lines: [String]) throws {
        let folder = try TextFolder(isWanted: { $0.contains("syslog") })
        try folder.scratch.write("syslog", lines.joined(separator: "\n") + "\n")
        folder.reader.open()
        folder.reader.drain()
        try folder.scratch.rename("syslog", to: "syslog.1")
        try folder.scratch.write("syslog", "new\n")
        folder.reader.drain()
        try folder.compress("syslog.1", to: "syslog.2.gz")
        try folder.scratch.remove("syslog.1")
        folder.reader.drain()
        #expect(folder.all == lines + ["new"])
        // Its name moves on, and the reader starts again.
        try folder.scratch.rename("syslog.2.gz", to: "syslog.3.gz")
        folder.reader.drain()
        folder.reader.restart()
        folder.reader.drain()
        #expect(folder.all == lines + ["new"])
    }

    @Test func `a compressed file that nobody has read is read as its lines`() throws {
        let folder = try TextFolder(isWanted: { $0.contains("syslog") })
        try folder.scratch.write("plain", "one\ntwo\n")
        try folder.compress("plain", to: "syslog.2.gz")
        try folder.compress("plain", to: "syslog.3")
        folder.reader.open()
        folder.reader.drain()
        #expect(folder.texts("syslog.2.gz") == ["one", "two"])
        #expect(folder.texts("syslog.3") == ["one", "two"])
        folder.reader.restart()
        folder.reader.drain()
        #expect(folder.all.count == 4)
        #expect(folder.reader.tailer?.openFiles == 0)
    }

    @Test func `a compressed file is left until it is complete`() throws {
        let folder = try TextFolder(isWanted: { $0.hasSuffix(".gz") })
        folder.reader.open()
        let packed = KubeletEmulator.gzip(Array((0..<3_000).map { "line \($0 * 7919)\n" }.joined().utf8))
        for part in [packed[..<0], packed[..<1_000], packed[1_000...]] {
            if part.isEmpty { try folder.scratch.write("a.gz", "") }
            let file = try OwnedFile.open(folder.scratch.path("a.gz"), .update)
            try file.write(Array(part).span, at: file.status().size)
            folder.reader.drain()
            #expect(folder.all.isEmpty)
        }
        try folder.age("a.gz", by: 60)
        folder.reader.drain()
        #expect(folder.all.count == 3_000)
        #expect(folder.reader.told.count("files_damaged") == 0)
    }

    @Test func `a file named .gz that holds text is read as text`() throws {
        let folder = try TextFolder(isWanted: { $0.hasSuffix(".gz") })
        try folder.scratch.write("a.gz", "one\n")
        folder.reader.open()
        folder.reader.drain()
        #expect(folder.all == ["one"])
    }
}
