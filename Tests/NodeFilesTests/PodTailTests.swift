// The rules of reading container logs, each with the shortest history that breaks a simpler design.
import Disk
import Foundation
import NodeFiles
import Records
import TestKit
import Testing

/// A node with one container, and a reader.
private struct Node {
    let scratch = try? ScratchDirectory()
    let node: KubeletEmulator
    let app: EmulatedContainer
    let reader: TailerHarness

    init(_ change: (inout TailOptions) -> Void = { _ in }) throws {
        node = try KubeletEmulator(root: #require(scratch).path)
        app = try node.start(pod: "web")
        reader = TailerHarness(pods: node.pods, change)
    }

    func write(_ text: String, _ stream: RecordStream = .stdout, ends: Bool = true) throws {
        try app.write(Array(text.utf8), to: stream, ends: ends)
    }

    /// Enough lines for a file to be rotated, which the reader has seen.
    func fill(_ name: String) throws {
        for number in 0..<5 { try write("\(name) \(number) of a few lines that fill the file") }
    }

    func texts(_ stream: RecordStream = .stdout, restart: Int32 = 0) -> [String] {
        reader.texts(app.log(restart), stream)
    }

    /// What differs from the truth; nil when nothing does.
    func difference(maxLine: Int = .max) -> String? {
        NodeFilesTests.difference(reader.store, node.truth, maxLine: maxLine)
    }
}

struct UnfinishedLineTests {
    @Test func `after a crash behind a piece of a line, lines of the other stream are not stored again`() throws {
        let run = try Node()
        try run.write("begin ", ends: false)
        for number in 0..<3 { try run.write("error \(number)", .stderr) }
        run.reader.open()
        run.reader.drain()
        run.reader.crash()
        run.reader.open()
        try run.write("end")
        run.reader.drain()
        #expect(run.texts() == ["begin end"])
        #expect(run.difference() == nil)
    }

    @Test func `the lines between two unfinished records of both streams are stored once`() throws {
        let run = try Node()
        try run.write("out ", ends: false)
        try run.write("error one", .stderr)
        try run.write("error ", .stderr, ends: false)
        run.reader.open()
        run.reader.drain()
        run.reader.restart()
        run.reader.drain()
        try run.write("two", .stderr)
        run.reader.drain()
        run.reader.restart()
        try run.write("end")
        run.reader.drain()
        #expect(run.difference() == nil)
        #expect(run.reader.count(.readBytes) == run.node.bytesWritten)
    }

    @Test(arguments: [false, true])
    func `a line is joined over several rotations`(restarts: Bool) throws {
        let run = try Node()
        run.reader.open()
        for piece in 0..<4 {
            try run.fill("before")
            try run.write("piece \(piece) ", .stderr, ends: false)
            try run.app.rotate()
            run.reader.drain()
            if restarts { run.reader.restart() }
        }
        try run.write("end", .stderr)
        run.reader.drain()
        #expect(run.texts(.stderr) == ["piece 0 piece 1 piece 2 piece 3 end"])
        #expect(run.difference() == nil)
    }

    @Test func `a finished line leaves no mark on the files that its pieces lie in`() throws {
        let run = try Node()
        run.reader.open()
        try run.fill("before")
        try run.write("begin ", ends: false)
        try run.app.rotate()
        run.reader.drain()
        #expect(run.reader.positions.filter(\.hasMarks).count == 1)
        try run.write("end")
        run.reader.drain()
        #expect(run.reader.positions.filter(\.hasMarks).isEmpty)
    }

    @Test func `bytes read again after a restart do not spoil the hash of the position`() throws {
        // The lines are shorter than the 64 bytes of the hash, and one read crosses the place where reading stood.
        let run = try Node()
        try run.write("one line that is long enough for the head of the file", .stderr)
        try run.write("p", ends: false)
        run.reader.open()
        run.reader.drain()
        run.reader.restart()
        try run.write("f")
        run.reader.drain()
        run.reader.restart()
        try run.write("next")
        run.reader.drain()
        #expect(run.texts() == ["pf", "next"])
        #expect(run.difference() == nil)
    }

    @Test func `what never got an end is stored and marked when the container has another life`() throws {
        let run = try Node()
        run.reader.open()
        try run.write("Password: ", ends: false)
        run.reader.drain()
        #expect(run.texts().isEmpty)
        try run.app.startAgain()
        run.reader.drain()
        #expect(run.reader.lines(run.app.log(0)).map(\.flags) == [.unfinished])
        #expect(run.reader.count(.unfinishedRecords) == 1)
        run.reader.restart()
        run.reader.drain()
        #expect(run.difference() == nil)
    }

    @Test func `also when its last file is still empty after a rotation`() throws {
        let run = try Node()
        try run.fill("before")
        try run.write("Password: ", ends: false)
        try run.app.rotate()
        // The reader never saw the old file being closed.
        run.reader.open()
        run.reader.drain()
        try run.app.startAgain()
        run.reader.drain()
        #expect(run.texts().last == "Password: ")
        #expect(run.difference() == nil)
    }

    @Test func `what never got an end is stored and marked when the pod is deleted`() throws {
        let run = try Node()
        run.reader.open()
        try run.write("whole")
        try run.write("Password: ", .stderr, ends: false)
        run.reader.wake()
        try run.app.delete()
        run.reader.drain()
        #expect(run.texts(.stderr) == ["Password: "])
        #expect(run.difference() == nil)
        #expect(run.reader.store.known.isEmpty)
        #expect(run.reader.tailer?.openFiles == 0)
    }

    @Test func `with once, the present end is the end of everything`() throws {
        let run = try Node { $0.once = true }
        try run.fill("before")
        try run.app.rotate()
        try run.write("Password: ", ends: false)
        run.app.tearsNext = 3
        try run.write("torn", .stderr)
        run.reader.open()
        run.reader.drain()
        #expect(run.texts().last == "Password: ")
        #expect(run.texts(.stderr) == ["to"])
        #expect(run.reader.lines(run.app.log(0), .stderr).map(\.flags) == [.unfinished])
        #expect(run.reader.count(.unfinishedRecords) == 2)
    }

    @Test func `pieces over the budget are forgotten and read again when their end has come`() throws {
        let run = try Node { $0.pieceBudget = 1_000 }
        run.reader.open()
        var texts: [String] = []
        for piece in 0..<6 {
            texts.append("piece \(piece) " + String(repeating: "x", count: 400))
            try run.write(texts[piece], ends: false)
            try run.write("error \(piece)", .stderr)
            if piece == 2 { try run.app.rotate() }
            run.reader.drain()
        }
        try run.write("end")
        run.reader.drain()
        #expect(run.texts() == [texts.joined() + "end"])
        #expect(run.difference() == nil)
    }

    @Test func `forgotten pieces without an end are read again when the container is gone`() throws {
        let run = try Node { $0.pieceBudget = 100 }
        run.reader.open()
        for piece in 0..<3 { try run.write(String(repeating: "\(piece)", count: 90), ends: false) }
        run.reader.drain()
        try run.app.startAgain()
        run.reader.drain()
        #expect(run.difference() == nil)
    }
}

struct LongLineTests {
    @Test(arguments: [1, 2, 3])
    func `the limit is inclusive`(pieces: Int) throws {
        let run = try Node { $0.maxLine = 90 }
        run.reader.open()
        for (count, name) in [(89, "a"), (90, "b"), (91, "c"), (200, "d")] {
            for piece in 0..<pieces {
                let length = count / pieces + (piece < count % pieces ? 1 : 0)
                try run.write(String(repeating: name, count: length), ends: piece == pieces - 1)
            }
        }
        run.reader.drain()
        let lines = run.reader.lines(run.app.log(0))
        #expect(lines.map(\.message.count) == [89, 90, 90, 90])
        #expect(lines.map { $0.flags.contains(.truncated) } == [false, false, true, true])
        #expect(run.reader.count(.truncatedRecords) == 2)
        #expect(run.reader.count(.skippedBytes) == 111)
    }

    @Test func `a line is not cut inside of a character`() throws {
        let run = try Node { $0.maxLine = 10 }
        run.reader.open()
        try run.write("12345678€9")
        try run.write("123456789é")
        try run.write("1234567€90")
        run.reader.drain()
        #expect(run.texts() == ["12345678", "123456789", "1234567€"])
    }

    @Test(arguments: [false, true])
    func `the rest of a truncated line is passed over across a rotation, and nothing else`(restarts: Bool) throws {
        let run = try Node { $0.maxLine = 50 }
        run.reader.open()
        try run.fill("x")
        try run.write(String(repeating: "a", count: 60), ends: false)
        try run.app.rotate()
        run.reader.drain()
        if restarts { run.reader.restart() }
        try run.write("more", ends: false)
        try run.write("error", .stderr)
        run.reader.drain()
        if restarts { run.reader.restart() }
        try run.write("end")
        try run.write("next")
        run.reader.drain()
        // The old file's position must not say any more that something is being passed over.
        run.reader.restart()
        try run.write("last")
        run.reader.drain()
        #expect(run.texts().suffix(2) == ["next", "last"])
        #expect(run.difference(maxLine: 50) == nil)
        #expect(run.reader.count(.truncatedRecords) == 1)
    }

    @Test func `bytes that were forgotten are counted as skipped too`() throws {
        let run = try Node {
            $0.maxLine = 300
            $0.pieceBudget = 50
        }
        run.reader.open()
        for _ in 0..<4 { try run.write(String(repeating: "a", count: 100), ends: false) }
        try run.write("end")
        run.reader.drain()
        #expect(run.reader.lines(run.app.log(0)).map(\.message.count) == [300])
        #expect(run.reader.count(.skippedBytes) == 103)
    }

    @Test func `a line whose newline is still missing is cut as soon as it is too long, once`() throws {
        let run = try Node { $0.maxLine = 100 }
        run.reader.open()
        run.app.tearsNext = 500
        try run.write(String(repeating: "a", count: 2_000))
        run.reader.drain()
        #expect(run.texts().map(\.count) == [100])
        run.reader.restart()
        run.reader.drain()
        try run.app.mend()
        try run.write("next")
        run.reader.drain()
        #expect(run.texts() == [String(repeating: "a", count: 100), "next"])
        #expect(run.reader.count(.skippedBytes) == 1_900)
        #expect(run.reader.count(.readBytes) == run.node.bytesWritten)
    }
}

struct BadLineTests {
    @Test func `a line that is not in the format is kept whole, with the time of the line before it`() throws {
        let run = try Node()
        run.reader.open()
        try run.write("good")
        try run.app.writeMalformed(Array("panic: all at once".utf8))
        run.reader.drain()
        let line = run.reader.lines(run.app.log(0), .none).first
        #expect(line?.text == "panic: all at once")
        #expect(line?.flags == .malformed)
        #expect(line?.time == run.reader.lines(run.app.log(0)).first?.time)
        #expect(run.reader.count(.malformedRecords) == 1)
    }

    @Test func `the first line of all has the present time when it has none`() throws {
        let run = try Node()
        run.reader.open()
        try run.app.writeMalformed(Array("no time".utf8))
        run.reader.drain()
        #expect(run.reader.lines(run.app.log(0), .none).map(\.time) == [1_795_404_847_000_000_000])
    }

    @Test func `bytes pass through as they are`() throws {
        let run = try Node()
        run.reader.open()
        let messages: [[UInt8]] = [
            [], [0], [0x1b, 0x5b, 0x33, 0x31, 0x6d], [0x61, 13, 0x62], [0xff, 0xc3], [0x20, 0x20], [0x3a],
        ]
        for message in messages { try run.app.write(message, to: .stdout) }
        run.reader.drain()
        #expect(run.reader.lines(run.app.log(0)).map(\.message) == messages)
    }
}

struct RotationTests {
    @Test func `lines written to the renamed file come before those of the new one`() throws {
        let run = try Node()
        run.reader.open()
        try run.fill("old")
        run.reader.drain()
        try run.app.rename()
        try run.write("late")
        run.reader.wake()
        run.reader.readBatch()
        try run.write("later")
        try run.app.reopen()
        try run.write("new")
        run.reader.drain()
        #expect(run.texts().suffix(3) == ["late", "later", "new"])
        #expect(run.difference() == nil)
    }

    @Test func `a renamed file that nobody closed is done when the new one has a line`() throws {
        let run = try Node()
        try run.fill("old")
        try run.app.rotate()
        run.reader.open()
        run.reader.drain()
        try run.write("new")
        run.reader.drain()
        #expect(run.texts().last == "new")
    }

    @Test func `without inotify rotations are followed too`() throws {
        let run = try Node { $0.watches = false }
        run.reader.open()
        for turn in 0..<3 {
            try run.fill("turn \(turn)")
            run.reader.drain()
            try run.app.rotate()
            run.reader.drain()
        }
        try run.write("last")
        run.reader.drain()
        #expect(run.difference() == nil)
    }

    @Test func `a renamed file is kept for the quiet time, in case its runtime did not reopen yet`() throws {
        let run = try Node { $0.quietTime = 3_600_000_000_000 }
        try run.fill("old")
        try run.app.rotate()
        try run.write("new")
        run.reader.open()
        run.reader.drain()
        #expect(run.texts().count == 5)
        // Its close says that nothing will come any more.
        try run.app.rotate()
        run.reader.drain()
        #expect(run.texts().count == 6)
    }

    @Test func `a file that was compressed between two looks is not read a second time`() throws {
        let run = try Node()
        run.reader.open()
        try run.fill("first")
        run.reader.drain()
        try run.app.rotate()
        try run.fill("second")
        try run.app.rotate()
        try run.write("third")
        run.reader.drain()
        #expect(run.difference() == nil)
        run.reader.restart()
        run.reader.drain()
        #expect(run.difference() == nil)
    }

    @Test func `a file that is compressed and deleted while it is read is not read a second time`() throws {
        let run = try Node()
        run.reader.open()
        try run.fill("first")
        try run.app.rotate()
        run.reader.drain()
        try run.fill("second")
        try run.app.rename()
        // Read before the reader is told of what has happened to the first file meanwhile.
        for file in run.app.rotatedPlain where !file.isOpen { try run.app.compress(file) }
        while run.reader.readBatch() {}
        run.reader.drain()
        #expect(run.difference() == nil)
    }

    @Test func `a file that was read gives back its space as soon as it is compressed`() throws {
        let run = try Node()
        run.reader.open()
        try run.fill("first")
        try run.app.rotate()
        try run.fill("second")
        run.reader.drain()
        #expect(run.reader.tailer?.openFiles == 2)
        try run.app.rotate()
        run.reader.drain()
        #expect(run.reader.tailer?.openFiles == 2)
        run.reader.restart()
        run.reader.drain()
        #expect(run.reader.tailer?.openFiles == 2)
    }

    @Test func `a long stop with many rotations loses nothing and repeats nothing`() throws {
        let run = try Node()
        run.reader.open()
        try run.fill("before")
        run.reader.drain()
        run.reader.close()
        for turn in 0..<5 {
            try run.fill("while stopped \(turn)")
            try run.write("piece \(turn) ", .stderr, ends: false)
            try run.app.rotate()
        }
        try run.write("end", .stderr)
        run.reader.open()
        run.reader.drain()
        #expect(run.difference() == nil)
    }

    @Test func `one line that was read is not repeated when its file was compressed meanwhile`() throws {
        // Shorter than the 64 bytes of a full head.
        let run = try Node()
        try run.write("one")
        run.reader.open()
        run.reader.drain()
        run.reader.close()
        try run.fill("two")
        try run.app.rotate()
        try run.app.rotate()
        run.reader.open()
        run.reader.drain()
        #expect(run.difference() == nil)
    }

    @Test func `rotated files are read in the order of their first lines, whatever the local time called them`() throws
    {
        let run = try Node()
        run.node.stamps = ["20261025-025900", "20261025-020100", "20261025-020300"]
        for turn in 0..<3 {
            if turn == 1 { try run.app.writeMalformed(Array("a file may begin with a line without time".utf8)) }
            try run.fill("turn \(turn)")
            try run.app.rotate()
        }
        try run.write("last")
        run.reader.open()
        run.reader.drain()
        #expect(run.difference() == nil)
    }

    @Test func `a file that was empty when it was opened keeps its place among the rotated ones`() throws {
        let run = try Node()
        run.node.stamps = ["20261025-025900", "20261025-020100", "20261025-020300"]
        run.reader.open()
        // Opened empty, and not read while two more are written.
        for turn in 0..<2 {
            try run.fill("turn \(turn)")
            try run.app.rename()
            try run.app.reopen()
            run.reader.wake()
        }
        try run.fill("last")
        run.reader.drain()
        #expect(run.difference() == nil)
    }
}

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

struct LossTests {
    @Test func `a deleted file is read to its end`() throws {
        let run = try Node()
        run.reader.open()
        try run.fill("held")
        run.reader.wake()
        try run.app.delete()
        run.reader.drain()
        #expect(run.texts().count == 5)
        #expect(run.reader.store.known.isEmpty)
    }

    @Test func `growth of a file without a name is noticed`() throws {
        let run = try Node { $0.quietTime = 3_600_000_000_000 }
        run.reader.open()
        try run.fill("first")
        run.reader.drain()
        if let file = run.app.files.first { try run.app.remove(file) }
        run.reader.drain()
        try run.write("to a file that is only held open")
        run.reader.wake(after: 0)
        while run.reader.readBatch() {}
        run.reader.commit()
        #expect(run.texts().last == "to a file that is only held open")
    }

    @Test func `over the budget the oldest deleted file is given up, and its unread bytes are counted`() throws {
        let scratch = try ScratchDirectory()
        let node = try KubeletEmulator(root: scratch.path)
        let reader = TailerHarness(pods: node.pods) { $0.maxHeld = 3_000 }
        reader.open()
        var pods: [EmulatedContainer] = []
        for number in 0..<4 {
            let pod = try node.start(pod: "web-\(number)")
            try pod.write(Array(String(repeating: "x", count: 1_000).utf8), to: .stdout)
            let date = Date(timeIntervalSince1970: 1_700_000_000 + Double(number))
            try FileManager.default.setAttributes([.modificationDate: date], ofItemAtPath: "\(pod.folder)/0.log")
            pods.append(pod)
            reader.wake()
        }
        for pod in pods {
            try pod.delete()
            reader.wake()
        }
        reader.drain()
        #expect(reader.texts(pods[0].log(0)).isEmpty)
        #expect(reader.texts(pods[1].log(0)).isEmpty)
        #expect(reader.texts(pods[3].log(0)).count == 1)
        #expect(reader.count(.abandonedBytes) > 2_000)
        #expect(reader.told.count("files_abandoned") == 2)
        #expect(reader.count(.readBytes) + reader.count(.abandonedBytes) == node.bytesWritten)
        #expect(reader.store.known.isEmpty)
        #expect(reader.tailer?.openFiles == 0)
    }

    @Test func `a deleted file with a compressed copy is read from the copy instead of being given up`() throws {
        let run = try Node { $0.maxHeld = 100 }
        run.reader.open()
        for turn in 0..<3 {
            try run.fill("turn \(turn)")
            run.reader.wake()
            try run.app.rotate()
        }
        run.reader.drain()
        #expect(run.difference() == nil)
        #expect(run.reader.count(.abandonedBytes) == 0)
    }

    @Test func `a file that lost its tail is read on at its size, and what is missing is counted`() throws {
        let run = try Node()
        run.reader.open()
        try run.fill("before")
        run.reader.drain()
        run.reader.close()
        let path = "\(run.app.folder)/0.log"
        let whole = try #require(Directory.status(path)).size
        try run.app.stop()
        do {
            let file = try OwnedFile.open(path, .update)
            try file.truncate(to: whole - 100)
            try file.write(LogWriter.line(Array("after the power cut".utf8), .stdout, at: 7).span, at: whole - 100)
            try file.truncate(to: whole - 30)
        }
        run.reader.open()
        run.reader.drain()
        #expect(run.texts().count == 5)
        #expect(run.reader.count(.shrunkBytes) == 30)
        #expect(run.reader.told.count("files_lost_tails") == 1)
        let file = try OwnedFile.open(path, .update)
        try file.write(LogWriter.line(Array("next".utf8), .stdout, at: 8).span, at: whole - 30)
        run.reader.drain()
        #expect(run.texts().last == "next")
        #expect(run.texts().count == 6)
    }

    @Test func `a file that was truncated under the reader is another generation`() throws {
        let run = try Node()
        run.reader.open()
        try run.fill("before")
        run.reader.drain()
        let file = try OwnedFile.open("\(run.app.folder)/0.log", .update)
        try file.truncate(to: 0)
        try file.write(LogWriter.line(Array("anew".utf8), .stdout, at: 9).span, at: 0)
        run.reader.drain()
        #expect(run.texts().last == "anew")
        #expect(run.texts().count == 6)
        #expect(run.reader.store.known.count == 1)
        run.reader.restart()
        run.reader.drain()
        #expect(run.texts().count == 6)
    }

    @Test func `a file with the inode of a known one, but another head, is read from its start`() throws {
        let run = try Node()
        run.reader.open()
        try run.fill("before")
        run.reader.drain()
        run.reader.close()
        // As a new file with a reused inode: longer than the position in the old one.
        let file = try OwnedFile.open("\(run.app.folder)/0.log", .update)
        try file.truncate(to: 0)
        var bytes: [UInt8] = []
        for number in 0..<9 {
            bytes += LogWriter.line(
                Array("other \(number), which is a line of some length".utf8), .stdout, at: 5 + Int64(number))
        }
        try file.write(bytes.span, at: 0)
        run.reader.open()
        run.reader.drain()
        #expect(run.texts().suffix(9).first == "other 0, which is a line of some length")
        #expect(run.texts().count == 14)
        #expect(run.reader.store.known.count == 1)
    }

    @Test func `a file that vanished while the reader was stopped is told, and its unfinished bytes are counted`()
        throws
    {
        let run = try Node()
        run.reader.open()
        try run.write("whole")
        let whole = run.node.bytesWritten
        try run.write("begin", ends: false)
        run.reader.drain()
        run.reader.close()
        try run.app.delete()
        run.reader.open()
        run.reader.drain()
        #expect(run.texts() == ["whole"])
        #expect(run.reader.count(.vanishedBytes) == UInt64(run.node.bytesWritten) - whole)
        #expect(run.reader.told.count("files_gone_while_stopped") == 1)
        #expect(run.reader.store.known.isEmpty)
    }

    @Test func `bytes without a newline at the end of a rotated file are kept as they are`() throws {
        let run = try Node()
        try run.fill("before")
        // A power cut in the middle of a line, then a rotation.
        let file = try OwnedFile.open("\(run.app.folder)/0.log", .update)
        try file.write(Array("2026-11-23T03:14:07Z stdout F cut".utf8).span, at: try file.status().size)
        try run.app.rotate()
        try run.write("after")
        run.reader.open()
        run.reader.drain()
        #expect(run.texts().last == "after")
        let rest = run.reader.lines(run.app.log(0), .none)
        #expect(rest.map(\.text) == ["2026-11-23T03:14:07Z stdout F cut"])
        #expect(rest.map(\.flags) == [[.malformed, .unfinished]])
    }
}

struct TroubleTests {
    @Test func `a folder that cannot be listed is not an empty one`() throws {
        let run = try Node()
        run.reader.open()
        try run.write("begin ", ends: false)
        run.reader.drain()
        // A link that leads to itself gives ELOOP.
        try LocalFileSystem().rename(run.app.folder, to: "\(run.app.folder).aside")
        try run.scratch?.link("pods/shop_web_9bcef0f6-9bf5-4076/app", to: "app")
        run.reader.drain()
        #expect(run.texts().isEmpty)
        #expect(run.reader.told.count("folders_list_failures") > 0)
        try LocalFileSystem().remove(run.app.folder)
        try LocalFileSystem().rename("\(run.app.folder).aside", to: run.app.folder)
        try run.write("end")
        run.reader.drain()
        #expect(run.texts() == ["begin end"])
        #expect(run.reader.told.count("watch_failures") == 0)
    }

    @Test func `a file that cannot be read is told, and others are read on`() throws {
        let run = try Node()
        try run.scratch?.link("pods/shop_web_9bcef0f6-9bf5-4076/app/7.log", to: "/proc/self/mem")
        run.reader.open()
        try run.write("line")
        run.reader.drain()
        #expect(run.texts().count == 1)
        #expect(run.reader.told.count("files_open_failures") > 0)
    }

    @Test func `what is excluded for a while is not read again when it comes back`() throws {
        let run = try Node()
        run.reader.open()
        try run.write("before")
        run.reader.drain()
        run.reader.isWanted = { _ in false }
        run.reader.restart()
        run.reader.drain()
        run.reader.isWanted = { _ in true }
        run.reader.restart()
        try run.write("after")
        run.reader.drain()
        #expect(run.texts() == ["before", "after"])
        #expect(run.reader.told.count("files_gone_while_stopped") == 0)
    }

    @Test func `positions survive a start at which nothing could be listed`() throws {
        let run = try Node()
        run.reader.open()
        try run.write("before")
        run.reader.drain()
        run.reader.close()
        try LocalFileSystem().rename(run.app.folder, to: "\(run.app.folder).aside")
        try run.scratch?.link("pods/shop_web_9bcef0f6-9bf5-4076/app", to: "app")
        run.reader.open()
        run.reader.drain()
        run.reader.close()
        try LocalFileSystem().remove(run.app.folder)
        try LocalFileSystem().rename("\(run.app.folder).aside", to: run.app.folder)
        run.reader.open()
        try run.write("after")
        run.reader.drain()
        #expect(run.texts() == ["before", "after"])
    }

    @Test func `a log that is a link is followed where it leads`() throws {
        let scratch = try ScratchDirectory()
        let node = try KubeletEmulator(root: scratch.path)
        let folder = try scratch.folder("pods/shop_web_uid/app")
        try scratch.write("docker/0123/0123-json.log", LogWriter.line(Array("one".utf8), .stdout, at: 1))
        try scratch.link("pods/shop_web_uid/app/0.log", to: scratch.path("docker/0123/0123-json.log"))
        let reader = TailerHarness(pods: node.pods)
        reader.open()
        reader.drain()
        let file = try OwnedFile.open("\(folder)/0.log", .update)
        try file.write(LogWriter.line(Array("two".utf8), .stdout, at: 2).span, at: try file.status().size)
        reader.wake(after: 0)
        while reader.readBatch() {}
        reader.commit()
        #expect(reader.texts("shop/web/uid/app/0") == ["one", "two"])
    }

    @Test func `one batch tells of a truncation and of what follows it`() throws {
        // Else a crash between the two would leave two positions in one file.
        let run = try Node()
        run.reader.open()
        try run.fill("before")
        run.reader.drain()
        let file = try OwnedFile.open("\(run.app.folder)/0.log", .update)
        try file.truncate(to: 0)
        try file.write(LogWriter.line(Array("anew".utf8), .stdout, at: 9).span, at: 0)
        run.reader.wake()
        run.reader.readBatch()
        run.reader.commit()
        #expect(run.reader.store.known.count == 1)
    }

    @Test func `a pod that comes back under the same path is a new log`() throws {
        let run = try Node()
        run.reader.open()
        try run.write("first life")
        run.reader.wake()
        try run.app.delete()
        run.reader.wake()
        let again = try run.node.start(pod: "web")
        try again.write(Array("second life".utf8), to: .stdout)
        run.reader.wake()
        run.reader.readBatch()
        run.reader.readBatch()
        try again.write(Array("second line".utf8), to: .stdout)
        run.reader.drain()
        run.reader.restart()
        run.reader.drain()
        #expect(run.texts() == ["first life", "second life", "second line"])
    }
}

struct StartTests {
    @Test func `from the end on, what stands there is passed over, also by later starts`() throws {
        let run = try Node { $0.skipsPresent = true }
        try run.fill("rotated")
        try run.app.rotate()
        try run.fill("rotated, too")
        try run.app.rotate()
        try run.fill("present")
        run.app.tearsNext = 4
        try run.write("being written")
        run.reader.open()
        run.reader.drain()
        #expect(run.texts().isEmpty)
        #expect(run.reader.store.known.count == 3)
        run.reader.options.skipsPresent = false
        run.reader.restart()
        run.reader.drain()
        #expect(run.texts().isEmpty)
        try run.write("after")
        run.reader.drain()
        #expect(run.texts() == ["being written", "after"])
    }

    @Test func `from the end on, files that come later are read whole`() throws {
        let run = try Node { $0.skipsPresent = true }
        try run.fill("present")
        run.reader.open()
        run.reader.drain()
        try run.app.startAgain()
        try run.write("new life")
        let other = try run.node.start(pod: "other")
        try other.write(Array("new pod".utf8), to: .stdout)
        run.reader.drain()
        #expect(run.texts().isEmpty)
        #expect(run.texts(restart: 1) == ["new life"])
        #expect(run.reader.texts(other.log(0)) == ["new pod"])
    }

    @Test func `what comes while the reader is stopped is read, although it began at the end`() throws {
        let run = try Node { $0.skipsPresent = true }
        run.reader.open()
        run.reader.drain()
        run.reader.options.skipsPresent = false
        run.reader.close()
        try run.fill("while stopped")
        try run.app.rotate()
        try run.fill("then")
        try run.app.rotate()
        run.reader.open()
        run.reader.drain()
        #expect(run.difference() == nil)
    }
}

struct NoticeTests {
    @Test func `growth is noticed without a look at everything`() throws {
        let run = try Node()
        run.reader.open()
        run.reader.drain()
        for number in 0..<3 {
            try run.write("line \(number)")
            run.reader.wake(after: 0)
            while run.reader.readBatch() {}
            run.reader.commit()
            #expect(run.texts().count == number + 1)
        }
    }

    @Test func `new pods, lives and rotations are noticed without a look at everything`() throws {
        let run = try Node()
        run.reader.open()
        let other = try run.node.start(pod: "other")
        try other.write([1], to: .stdout)
        try run.app.startAgain()
        try run.fill("life")
        try run.app.rotate()
        try run.write("rotated")
        run.reader.wake(after: 0)
        while run.reader.readBatch() {}
        run.reader.commit()
        #expect(run.reader.texts(other.log(0)).count == 1)
        #expect(run.texts(restart: 1).count == 6)
    }

    @Test func `when the kernel drops events, everything is looked at`() throws {
        let run = try Node()
        run.reader.open()
        run.reader.drain()
        // More than fs.inotify.max_queued_events, which is 16384 unless somebody has raised it.
        let setting = try OwnedFile.open("/proc/sys/fs/inotify/max_queued_events", .read).read(count: 16, at: 0)
        let limit = try #require(Int(String(decoding: setting.dropLast(), as: UTF8.self)))
        try #require(limit < 100_000, "this machine's queue is too long to be filled in a test")
        let noise = "\(run.app.folder)/noise"
        try run.node.write([1], to: noise)
        for _ in 0...limit / 4 {
            try LocalFileSystem().rename(noise, to: "\(noise).1")
            try LocalFileSystem().rename("\(noise).1", to: noise)
        }
        let other = try run.node.start(pod: "other")
        try other.write([1], to: .stdout)
        run.reader.wake(after: 0)
        while run.reader.readBatch() {}
        run.reader.commit()
        #expect(run.reader.told.count("watch_overflows") == 1)
        #expect(run.reader.texts(other.log(0)).count == 1)
    }

    @Test func `without inotify everything is looked at each second`() throws {
        let run = try Node { $0.watches = false }
        run.reader.open()
        #expect(run.reader.tailer?.hasNoWatch == true)
        run.reader.drain()
        #expect(run.reader.nanosecondsToDeadline <= 1_000_000_000)
        try run.write("line")
        let other = try run.node.start(pod: "other")
        try other.write([1], to: .stdout)
        run.reader.wake(after: 1_000_000_000)
        while run.reader.readBatch() {}
        run.reader.commit()
        #expect(run.texts() == ["line"])
        #expect(run.reader.texts(other.log(0)).count == 1)
    }

    @Test func `the container's id comes with the link, and counts from then on`() throws {
        let scratch = try ScratchDirectory()
        let node = try KubeletEmulator(root: scratch.path)
        node.linksAtOnce = false
        let app = try node.start(pod: "web")
        let reader = TailerHarness(pods: node.pods, links: node.links)
        reader.open()
        try app.write(Array("before the link".utf8), to: .stdout)
        reader.drain()
        try app.link()
        try app.write(Array("after the link".utf8), to: .stdout)
        reader.drain()
        #expect(reader.texts(app.log(0)) == ["before the link"])
        #expect(reader.texts("\(app.log(0))/\(app.containerID)") == ["after the link"])
        reader.restart()
        try app.write(Array("after a restart".utf8), to: .stdout)
        reader.drain()
        #expect(reader.texts("\(app.log(0))/\(app.containerID)") == ["after the link", "after a restart"])
    }
}

struct TurnTests {
    /// Two pods, the first with a few megabytes to read.
    private func backlog(
        _ change: (inout TailOptions) -> Void = { _ in }
    ) throws -> (ScratchDirectory, TailerHarness, EmulatedContainer, EmulatedContainer) {
        let scratch = try ScratchDirectory()
        let node = try KubeletEmulator(root: scratch.path)
        let busy = try node.start(pod: "busy")
        let quiet = try node.start(pod: "quiet")
        try grow(busy)
        try quiet.write(Array("quiet".utf8), to: .stdout)
        return (scratch, TailerHarness(pods: node.pods, change), busy, quiet)
    }

    private func grow(_ app: EmulatedContainer) throws {
        for _ in 0..<200 { try app.write([UInt8](repeating: 0x61, count: LogWriter.pieceSize), to: .stdout) }
    }

    @Test func `a backlog does not hold back a quiet log's next line`() throws {
        let (scratch, reader, busy, quiet) = try backlog()
        reader.open()
        for _ in 0..<6 { reader.readBatch() }
        reader.commit()
        #expect(reader.texts(quiet.log(0)) == ["quiet"])
        for turn in 0..<3 {
            try quiet.write(Array("turn \(turn)".utf8), to: .stdout)
            reader.wake(after: 0)
            for _ in 0..<6 { reader.readBatch() }
            reader.commit()
            #expect(reader.texts(quiet.log(0)).count == turn + 2)
        }
        #expect(reader.texts(busy.log(0)).count < 200)
        withExtendedLifetime(scratch) {}
    }

    @Test func `while much is waiting, a log far behind is left alone, and others are not`() throws {
        let (scratch, reader, busy, quiet) = try backlog()
        reader.open()
        reader.drain(sparing: true)
        #expect(reader.texts(quiet.log(0)) == ["quiet"])
        #expect(reader.texts(busy.log(0)).isEmpty)
        #expect(reader.tailer?.hasReady == true)
        reader.drain()
        #expect(reader.texts(busy.log(0)).count == 200)
        // One that falls behind while it is followed, too.
        try grow(busy)
        reader.drain(sparing: true)
        #expect(reader.texts(busy.log(0)).count == 200)
        withExtendedLifetime(scratch) {}
    }

    @Test func `while much is waiting, a file that may be lost is read nevertheless`() throws {
        let (scratch, reader, busy, _) = try backlog()
        try busy.rotate()
        try busy.write([1], to: .stdout)
        reader.open()
        reader.drain(sparing: true)
        #expect(reader.texts(busy.log(0)).count == 201)
        withExtendedLifetime(scratch) {}
    }
}
