// What can be lost, and that it is counted.
import Disk
import Foundation
import NodeFiles
import Records
import TestKit
import Testing

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
