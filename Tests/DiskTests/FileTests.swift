// Files, folders, slots, locks: what they keep, and what they say when they cannot.
import Disk
import TestKit
import Testing

@Suite struct `Files` {
    let scratch: ScratchDirectory
    private let files = LocalFileSystem()

    init() throws { scratch = try ScratchDirectory() }

    @Test func `bytes are written and read at any place`() throws {
        let file = try files.open(scratch.path("a"), .createNew)
        try files.write(Array("hello".utf8).span, to: file, at: 3)
        let contents = try scratch.contents("a")
        #expect(contents == [0, 0, 0] + Array("hello".utf8))
        let status = try file.status()
        #expect(status.size == 8 && status.kind == .regular && status.linkCount == 1)
        var buffer = [UInt8](repeating: 0, count: 4)
        var span = buffer.mutableSpan
        let counts = try [file.read(into: &span, at: 6), file.read(into: &span, at: 8)]
        #expect(counts == [2, 0])
        let rest = try file.read(count: 100, at: 6)
        #expect(rest == Array("lo".utf8))
        try files.truncate(file, to: 4)
        #expect(Directory.status(scratch.path("a"))?.size == 4)
        try files.remove(scratch.path("a"))
        let links = try file.status().linkCount
        #expect(links == 0, "open, and without a name")
        try files.remove(scratch.path("a"))
    }

    @Test func `the way of opening is kept`() throws {
        #expect(throws: DiskError.self) { _ = try self.files.open(self.scratch.path("none"), .read) }
        #expect(throws: DiskError.self) { _ = try self.files.open(self.scratch.path("none"), .update) }
        try scratch.write("there", "x")
        #expect(throws: DiskError.self) { _ = try self.files.open(self.scratch.path("there"), .createNew) }
        let read = try files.open(scratch.path("there"), .read)
        #expect(throws: DiskError.self) { try read.write([1].span, at: 0) }
        let more = try files.open(scratch.path("there"), .append)
        try more.write(Array("yz".utf8).span)
        let contents = try scratch.contents("there")
        #expect(contents == Array("xyz".utf8))
        let twin = try more.duplicate()
        try twin.write(Array("!".utf8).span)
        #expect(try scratch.contents("there") == Array("xyz!".utf8))
    }

    @Test func `a file is replaced in one step`() throws {
        try scratch.write("metadata.json", "old")
        try files.replace(scratch.path("metadata.json"), with: Array("new and longer".utf8).span)
        #expect(try scratch.contents("metadata.json") == Array("new and longer".utf8))
        #expect(try Directory.list(scratch.path).map(\.name) == ["metadata.json"])
    }

    @Test func `a kill or a power cut in a replacement leaves the old or the new, whole`() throws {
        for fault in [FaultyFileSystem.Fault.crash, .crashHalfway] {
            for call in 1...9 {
                for cutsPower in [false, true] {
                    scratch.empty()
                    let disk = FaultyFileSystem()
                    try disk.replace(scratch.path("f"), with: Array("old contents".utf8).span)
                    disk.plan(fault, afterCalls: call - 1)
                    let isDone = (try? disk.replace(scratch.path("f"), with: Array("new".utf8).span)) != nil
                    if cutsPower { try disk.powerCut { _ in 0 } }
                    let contents = String(decoding: try scratch.contents("f"), as: UTF8.self)
                    #expect(
                        isDone ? contents == "new" : ["old contents", "new"].contains(contents), "\(fault) \(call)")
                }
            }
        }
    }

    @Test func `folders are made with all above them, again without complaint`() throws {
        try files.makeFolder(scratch.path("a/b/c"))
        try files.makeFolder(scratch.path("a/b/c"))
        #expect(Directory.status(scratch.path("a/b/c"))?.kind == .directory)
        try scratch.write("file", "")
        #expect(throws: DiskError.self) { try self.files.makeFolder(self.scratch.path("file/x")) }
        try files.syncFolder(scratch.path("a"))
        #expect(try files.freeSpace(scratch.path) > 0)
        #expect(throws: DiskError.self) { try self.files.freeSpace(self.scratch.path("none")) }
    }

    @Test func `a folder's names are listed with their kinds, in any number`() throws {
        try scratch.write("file", "x")
        try files.makeFolder(scratch.path("folder"))
        _ = try ChildProcess.run("ln", "-s", "file", scratch.path("link"))
        _ = try ChildProcess.run("mkfifo", scratch.path("pipe"))
        let kinds = Dictionary(uniqueKeysWithValues: try Directory.list(scratch.path).map { ($0.name, $0.kind) })
        #expect(kinds == ["file": .regular, "folder": .directory, "link": .link, "pipe": .other])
        #expect(
            Directory.linkTarget(scratch.path("link")) == "file" && Directory.linkTarget(scratch.path("file")) == nil)
        #expect(Directory.linkStatus(scratch.path("link"))?.kind == .link)
        #expect(Directory.status(scratch.path("link"))?.kind == .regular)
        #expect(Directory.resolve(scratch.path("folder/../link")) == Directory.resolve(scratch.path("file")))
        #expect(Directory.status(scratch.path("none")) == nil && Directory.resolve(scratch.path("none")) == nil)

        let long = String(repeating: "ä", count: 127)
        try scratch.write("many/\(long)", "")
        for n in 0..<500 { try scratch.write("many/\(n)", "") }
        let names = Set(try Directory.list(scratch.path("many")).map(\.name))
        #expect(names.count == 501 && names.contains(long))
        #expect(throws: DiskError.self) { try Directory.list(self.scratch.path("none")) }
    }

    @Test(arguments: [
        ("/a/b", "/a", "b"), ("/a", "/", "a"), ("b", ".", "b"), ("/a/b/", "/a/b", ""),
        ("/var/log/x.log", "/var/log", "x.log"),
    ])
    func `paths are taken apart`(path: String, parent: String, name: String) {
        #expect(Path.parent(path) == parent && Path.name(path) == name)
    }

    @Test func `an error says what, on what, why, and what to do`() {
        func text(_ code: Int32) -> String { DiskError("open", "/data/lock", code: code).description }
        #expect(text(2) == "cannot open /data/lock: No such file or directory")
        #expect(text(13).contains("Permission denied") && text(13).contains("run as root"))
        #expect(text(28).contains("free some space"))
        #expect(text(24).contains("ulimit -n"))
        #expect(text(30).contains("mount it read-write"))
        // What the kernel calls a full disk and too many files is something else with inotify.
        #expect(DiskError("watch", "/var/log", code: 28).description.contains("max_user_watches"))
        #expect(DiskError("start watching with", "inotify", code: 24).description.contains("max_user_instances"))
        func error(_ code: Int32) -> DiskError { DiskError("open", "/", code: code) }
        #expect(error(2).isMissing && error(20).isMissing && !error(13).isMissing)
        #expect(error(28).isFull && error(122).isFull && error(13).isDenied && error(24).isOutOfDescriptors)
        do throws(DiskError) {
            _ = try OwnedFile.open("/nowhere/at/all", .read)
        } catch {
            #expect(error == DiskError("open", "/nowhere/at/all", code: 2))
        }
    }
}

@Suite struct `Slots in place` {
    let scratch: ScratchDirectory
    private let files = LocalFileSystem()

    init() throws { scratch = try ScratchDirectory() }

    private var path: String { scratch.path("slots") }

    @Test func `the last contents come back, of any size that fits`() throws {
        var random = SeededGenerator(seed: 1)
        for round in 0..<200 {
            let contents = random.bytes([0, 1, 100, Slots.slotSize - Slots.overhead][round % 4])
            var slots =
                try round == 0 ? Slots(creating: path, contents, fileSystem: files) : Slots(path, fileSystem: files)
            try slots.write(contents)
            try slots.sync()
            let held = slots.contents
            #expect(held == contents)
            #expect(try Slots.read(path) == contents)
        }
        #expect(Directory.status(path)?.size == UInt64(2 * Slots.slotSize), "it has its room from the beginning")
    }

    @Test func `what does not fit is a bug`() async {
        await #expect(processExitsWith: .failure) {
            let scratch = try ScratchDirectory()
            var slots = try Slots(creating: scratch.path("slots"), [], fileSystem: LocalFileSystem())
            try slots.write([UInt8](repeating: 0, count: Slots.slotSize))
        }
    }

    @Test func `a write that was cut short at any byte leaves the contents before it`() throws {
        for generations in 1...3 {
            scratch.empty()
            var slots = try Slots(creating: path, Array("contents 0".utf8), fileSystem: files)
            for n in 1..<generations { try slots.write(Array("contents \(n)".utf8)) }
            let before = try scratch.contents("slots")
            try slots.write(Array("the next contents".utf8))
            let after = try scratch.contents("slots")
            let start = (generations + 1) % 2 * Slots.slotSize
            for cut in 0..<(Slots.overhead + 17) {
                var torn = before + [UInt8](repeating: 0, count: max(0, after.count - before.count))
                torn.replaceSubrange(start..<(start + cut), with: after[start..<(start + cut)])
                if torn == after { continue }
                try scratch.write("slots", torn)
                let reopened = try Slots(path, fileSystem: files)
                let contents = reopened.contents
                #expect(contents == Array("contents \(generations - 1)".utf8), "cut at \(cut)")
            }
        }
    }

    @Test func `a failed write is repeated in the same slot`() throws {
        let disk = FaultyFileSystem()
        var slots = try Slots(creating: path, [1], fileSystem: disk)
        try slots.write([2])
        for _ in 0..<3 {
            disk.plan(.halfWrite(28), afterCalls: 0)
            #expect(throws: DiskError.self) { try slots.write([3]) }
            #expect(try Slots.read(path) == [2])
        }
        try slots.write([3])
        #expect(try Slots.read(path) == [3])
    }

    @Test func `damage in one slot shows the other, in both shows nothing`() throws {
        var slots = try Slots(creating: path, [1], fileSystem: files)
        try slots.write([2])
        var bytes = try scratch.contents("slots")
        bytes[24] ^= 1
        try scratch.write("slots", bytes)
        #expect(try Slots.read(path) == [1])
        bytes[Slots.slotSize + 24] ^= 1
        try scratch.write("slots", bytes)
        #expect(try Slots.read(path) == nil)
        let reopened = try Slots(path, fileSystem: files)
        let contents = reopened.contents
        #expect(contents == nil)
    }

    @Test func `a file is there whole or not at all`() throws {
        var call = 0
        var isDone = false
        while !isDone {
            scratch.empty()
            let disk = FaultyFileSystem()
            disk.plan(call % 2 == 0 ? .crash : .crashHalfway, afterCalls: call / 2)
            do throws(DiskError) {
                _ = try Slots(creating: path, [7], fileSystem: disk)
                isDone = true
            } catch {
                #expect(Directory.status(path) == nil || (try? Slots.read(path)) == [7], "call \(call)")
            }
            call += 1
        }
        #expect(call > 10)
    }

    @Test func `a full disk does not keep it from being written`() throws {
        let disk = FaultyFileSystem()
        var slots = try Slots(creating: path, [1], fileSystem: disk)
        // What a full disk refuses is what needs room: a hole that is filled, and what makes a file longer.
        for n in 2...5 as ClosedRange<UInt8> {
            let size = Directory.status(path)?.size
            try slots.write([n])
            #expect(Directory.status(path)?.size == size)
        }
        let blocks = String(decoding: try ChildProcess.run("stat", "-c", "%b", path).output, as: UTF8.self)
        #expect(Int(blocks.filter(\.isNumber)) ?? 0 >= 32, "no holes")
    }

    @Test func `a file of an earlier version gets its room when it is opened`() throws {
        let old = try Slots(creating: path, [1], fileSystem: files)
        _ = consume old
        var bytes = try scratch.contents("slots")
        bytes = Array(bytes[..<(Slots.slotSize + 40)])
        try scratch.write("slots", bytes)
        var slots = try Slots(path, fileSystem: files)
        #expect(Directory.status(path)?.size == UInt64(2 * Slots.slotSize))
        try slots.write([2])
        #expect(try Slots.read(path) == [2])
    }

    @Test func `a file that was deleted says so`() throws {
        let slots = try Slots(creating: path, [1], fileSystem: files)
        #expect(try !slots.isDeleted())
        try files.remove(path)
        #expect(try slots.isDeleted())
    }

    @Test func `random bytes are no contents`() throws {
        var random = SeededGenerator(seed: 3)
        for _ in 0..<100 {
            try scratch.write("slots", Array("SLSLOT1\n".utf8) + random.bytes(random.below(20_000)))
            #expect(try Slots.read(path) == nil)
        }
    }
}

@Suite struct `Folder lock` {
    let scratch: ScratchDirectory

    init() throws { scratch = try ScratchDirectory() }

    @Test func `a held folder is refused to others, and free when its holder lets go`() throws {
        do {
            let lock = try FolderLock(scratch.path)
            #expect(FolderLock.holder(scratch.path) == Machine.processID)
            #expect(FolderLock.isHeld(scratch.path))
            #expect(throws: FolderLock.Failure.self) { _ = try FolderLock(self.scratch.path) }
            #expect(try ChildProcess.run("flock", "-n", scratch.path("lock"), "true").status == 1)
            _ = consume lock
        }
        #expect(!FolderLock.isHeld(scratch.path))
        #expect(try ChildProcess.run("flock", "-n", scratch.path("lock"), "true").status == 0)
        _ = try FolderLock(scratch.path)
    }

    @Test func `the refusal names the process that holds the folder`() throws {
        let child = try ChildProcess([
            "flock", scratch.path("lock"), "sh", "-c", "echo $$ > \(scratch.path("lock")); echo $$; read end",
        ])
        let pid = child.line()
        do throws(FolderLock.Failure) {
            _ = try FolderLock(scratch.path)
            Issue.record("the folder was locked twice")
        } catch {
            #expect(error.description.contains("\(scratch.path) is in use by process \(pid):"))
        }
        _ = child.finish()
        _ = try FolderLock(scratch.path)
    }

    @Test func `a holder whose lock file was deleted holds the folder all the same, and can see it`() throws {
        let lock = try FolderLock(scratch.path)
        let places = try lock.places()
        #expect(places.filter(\.isLost).isEmpty)
        try LocalFileSystem().remove(scratch.path("lock"))
        #expect(places.filter(\.isLost).map(\.path) == [scratch.path("lock")])
        #expect(FolderLock.isHeld(scratch.path))
        #expect(throws: FolderLock.Failure.self) { _ = try FolderLock(self.scratch.path) }
        _ = consume lock
        _ = try FolderLock(scratch.path)
        #expect(places.filter(\.isLost).map(\.path) == [scratch.path("lock")], "another file of this name")
    }

    @Test func `a holder's id is written without room for another one`() throws {
        try scratch.write("lock", "1234567890123\n")
        let lock = try FolderLock(scratch.path)
        #expect(FolderLock.holder(scratch.path) == Machine.processID)
        _ = consume lock
    }

    @Test func `a killed holder holds nothing`() throws {
        let program = """
            import fcntl, sys
            lock = open(sys.argv[1], 'w')
            fcntl.flock(lock, fcntl.LOCK_EX)
            print('held', flush=True)
            sys.stdin.read()
            """
        let child = try ChildProcess(["python3", "-c", program, scratch.path("lock")])
        #expect(child.line() == "held")
        #expect(FolderLock.isHeld(scratch.path))
        child.kill()
        #expect(!FolderLock.isHeld(scratch.path))
        _ = try FolderLock(scratch.path)
    }

    @Test func `asking whether a folder is held keeps nobody out`() throws {
        let folder = scratch.path
        let asking = OSThread("asking") { for _ in 0..<3000 { _ = FolderLock.isHeld(folder) } }
        for _ in 0..<300 { _ = try FolderLock(folder) }
        asking.join()
    }

    @Test func `a folder that is not there is an error of the disk`() {
        do throws(FolderLock.Failure) {
            _ = try FolderLock(scratch.path("none"))
        } catch {
            #expect(error.description.hasPrefix("cannot open"))
        }
        #expect(!FolderLock.isHeld(scratch.path("none")) && FolderLock.holder(scratch.path("none")) == nil)
    }
}
