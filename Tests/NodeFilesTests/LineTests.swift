// Lines that are too long or not in the format.
import Disk
import NodeFiles
import Records
import TestKit
import Testing

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
