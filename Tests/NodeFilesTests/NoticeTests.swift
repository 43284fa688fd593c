// How changes are noticed, and whose turn it is.
import Disk
import NodeFiles
import Records
import TestKit
import Testing

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
        // The word of this one is dropped, and its watch is used up.
        try run.write("dropped")
        run.reader.wake(after: 0)
        while run.reader.readBatch() {}
        run.reader.commit()
        #expect(run.reader.told.count("watch_overflows") == 1)
        #expect(run.reader.texts(other.log(0)).count == 1)
        #expect(run.texts() == ["dropped"])
        try run.write("noticed")
        run.reader.wake(after: 0)
        while run.reader.readBatch() {}
        run.reader.commit()
        #expect(run.texts() == ["dropped", "noticed"])
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
