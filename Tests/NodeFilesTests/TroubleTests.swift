// Files and folders that cannot be read, excluded ones, and where reading starts.
import Disk
import NodeFiles
import Records
import TestKit
import Testing

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
