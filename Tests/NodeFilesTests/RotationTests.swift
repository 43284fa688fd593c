// What the kubelet does to files, each time with the shortest history that breaks a simpler design.
import Disk
import NodeFiles
import Records
import TestKit
import Testing

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
