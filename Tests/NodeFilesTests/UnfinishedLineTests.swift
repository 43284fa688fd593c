// Records in pieces: joined over rotations and restarts, and what becomes of those without an end.
import Disk
import NodeFiles
import Records
import TestKit
import Testing

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
