// What a thread waits for: changes of files, descriptors, bells; and the threads themselves.
import Disk
import Synchronization
import TestKit
import Testing

@Suite struct `Watching files` {
    let scratch: ScratchDirectory

    init() throws { scratch = try ScratchDirectory() }

    /// All events that wait.
    private func drain(_ watcher: inout Watcher) -> [WatchEvent] {
        var events: [WatchEvent] = []
        watcher.drain { events.append($0) }
        return events
    }

    @Test func `names that appear, go, are renamed and closed after writing are told`() throws {
        var watcher = try Watcher()
        let watch = try watcher.watchFolder(scratch.path)
        #expect(drain(&watcher).isEmpty)

        try scratch.write("0.log", "line")
        var events = drain(&watcher)
        #expect(events.allSatisfy { $0.watch == watch && $0.name == "0.log" && !$0.isOverflow && !$0.isEnded })
        #expect(events.contains { $0.isAppeared } && events.contains { $0.isClosedAfterWrite })

        try LocalFileSystem().rename(scratch.path("0.log"), to: scratch.path("0.log.20261123-080000"))
        events = drain(&watcher)
        #expect(events.contains { $0.isGone && $0.name == "0.log" })
        #expect(events.contains { $0.isAppeared && $0.name == "0.log.20261123-080000" })

        try LocalFileSystem().remove(scratch.path("0.log.20261123-080000"))
        #expect(drain(&watcher).contains { $0.isGone })

        watcher.remove(watch)
        _ = drain(&watcher)
        try scratch.write("1.log", "")
        #expect(drain(&watcher).isEmpty)
        watcher.remove(watch)
    }

    @Test func `a folder that goes away ends its watch`() throws {
        var watcher = try Watcher()
        try LocalFileSystem().makeFolder(scratch.path("pod"))
        let watch = try watcher.watchFolder(scratch.path("pod"))
        ScratchDirectory.remove(scratch.path("pod"))
        #expect(drain(&watcher).contains { $0.isEnded && $0.watch == watch })
        #expect(throws: DiskError.self) { try watcher.watchFolder(self.scratch.path("pod")) }
    }

    @Test func `only folders are watched as folders`() throws {
        let watcher = try Watcher()
        try scratch.write("file", "")
        #expect(throws: DiskError.self) { try watcher.watchFolder(self.scratch.path("file")) }
    }

    @Test func `an open file tells once that it grew, whatever it is called by now`() throws {
        var watcher = try Watcher()
        let path = try scratch.write("0.log", "a")
        let reader = try OwnedFile.open(path, .read)
        let writer = try OwnedFile.open(path, .append)
        let watch = try watcher.watchFileOnce(reader.descriptor)
        try LocalFileSystem().rename(path, to: path + ".1")
        #expect(drain(&watcher).isEmpty)
        try writer.write(Array("b".utf8).span)
        let events = drain(&watcher)
        #expect(events.contains { $0.watch == watch && $0.isModified && $0.name.isEmpty })
        #expect(events.contains { $0.isEnded }, "it has to be set again")
        try writer.write(Array("c".utf8).span)
        #expect(drain(&watcher).isEmpty)
        _ = try watcher.watchFileOnce(reader.descriptor)
        try writer.write(Array("d".utf8).span)
        #expect(drain(&watcher).contains { $0.isModified })
    }

    @Test func `long names and many events come through whole`() throws {
        var watcher = try Watcher()
        _ = try watcher.watchFolder(scratch.path)
        let names = (0..<2000).map { "\($0)-" + String(repeating: "x", count: $0 % 240) }
        for name in names { try scratch.write(name, "") }
        let appeared = drain(&watcher).filter(\.isAppeared).map(\.name)
        #expect(appeared == names)
    }
}

@Suite struct `Poller and bell` {
    @Test func `a bell wakes the poller, once for any number of rings`() throws {
        let bell = try Bell()
        let poller = try Poller(bell: bell)
        for _ in 0..<5 { bell.ring() }
        let start = SystemClock.monotonic
        let waits = [poller.wait(nanoseconds: -1), poller.wait(nanoseconds: 20_000_000)]
        #expect(waits == [false, false], "nothing can be read")
        #expect(SystemClock.monotonic - start >= 20_000_000, "the bell was silent again")
    }

    @Test func `a bell that rings on another thread ends a wait without limit`() throws {
        let bell = try Bell()
        let poller = try Poller(bell: bell)
        let thread = OSThread("ringer") { bell.ring() }
        let isReadable = poller.wait(nanoseconds: -1)
        #expect(!isReadable)
        thread.join()
    }

    @Test func `a descriptor wakes the poller while it can be read, until it is removed`() throws {
        let scratch = try ScratchDirectory()
        let bell = try Bell()
        var poller = try Poller(bell: bell)
        var watcher = try Watcher()
        _ = try watcher.watchFolder(scratch.path)
        try poller.add(watcher.file.descriptor)
        var waits = [poller.wait(nanoseconds: 0)]
        try scratch.write("x", "")
        waits += [poller.wait(nanoseconds: -1), poller.wait(nanoseconds: -1)]
        bell.ring()
        waits.append(poller.wait(nanoseconds: -1))
        #expect(waits == [false, true, true, true], "the last time both at once")
        watcher.drain { _ in }
        waits = [poller.wait(nanoseconds: 0)]
        try scratch.write("y", "")
        poller.remove(watcher.file.descriptor)
        waits.append(poller.wait(nanoseconds: 0))
        #expect(waits == [false, false])
    }

    @Test func `a pause hears the bell and nothing else`() throws {
        let scratch = try ScratchDirectory()
        let bell = try Bell()
        var poller = try Poller(bell: bell)
        let watcher = try Watcher()
        _ = try watcher.watchFolder(scratch.path)
        try poller.add(watcher.file.descriptor)
        try scratch.write("x", "")
        var rang = [poller.pause(nanoseconds: 1_000_000)]
        bell.ring()
        rang += [poller.pause(nanoseconds: 60_000_000_000), poller.pause(nanoseconds: 0)]
        #expect(rang == [false, true, false])
        let isReadable = poller.wait(nanoseconds: 0)
        #expect(isReadable, "what was there is still there")
    }

    @Test func `a short wait is not rounded down to none`() throws {
        let poller = try Poller(bell: try Bell())
        let start = SystemClock.monotonic
        _ = poller.wait(nanoseconds: 400_000)
        #expect(SystemClock.monotonic - start >= 400_000)
    }
}

@Suite struct `Own threads` {
    @Test func `joining waits until the body has returned, also a second time`() {
        let done = Atomic(false)
        let gate = Latch()
        let thread = OSThread("a name of more than fifteen bytes") {
            gate.wait()
            done.store(true, ordering: .releasing)
        }
        let before = done.load(ordering: .acquiring)
        gate.open()
        thread.join()
        let after = done.load(ordering: .acquiring)
        #expect(!before && after)
        thread.join()
    }

    @Test func `a condition wakes who waits, and lets go at its deadline`() {
        let condition = Condition()
        condition.lock()
        let start = SystemClock.monotonic
        condition.wait(until: start + 5_000_000)
        condition.unlock()
        #expect(SystemClock.monotonic - start >= 5_000_000)
    }

    @Test func `tasks that prefer a thread run on it, one after the other, and may block`() async {
        let executor = ThreadExecutor("test")
        let crowd = Crowd()
        await withTaskGroup(of: Void.self) { group in
            for _ in 0..<50 {
                group.addTask(executorPreference: executor) {
                    let now = crowd.inside.wrappingAdd(1, ordering: .relaxed).newValue
                    _ = crowd.most.max(now, ordering: .relaxed)
                    crowd.inside.wrappingSubtract(1, ordering: .relaxed)
                }
            }
        }
        let together = crowd.most.load(ordering: .relaxed)
        #expect(together == 1)
        executor.stop()
    }

    @Test func `clocks go forward and tell nanoseconds`() {
        let (monotonic, realtime) = (SystemClock.monotonic, SystemClock.realtime)
        #expect(SystemClock.monotonic >= monotonic)
        #expect(realtime > 1_700_000_000_000_000_000 && realtime < 4_000_000_000_000_000_000)
        #expect(SystemClock.processCPU > 0 && SystemClock.threadCPU > 0)
    }

    @Test func `the machine answers`() {
        #expect(!Machine.hostName.isEmpty && Machine.processID > 1)
        #expect(Machine.environment("PATH") != nil && Machine.environment("SLUICE_NOT_SET") == nil)
        #expect(Set((0..<50).map { _ in Machine.randomIdentity() }).count == 50)
        #expect(abs(Machine.localOffset(at: 0)) <= 14 * 3600)
        Machine.raiseDescriptorLimit()
    }
}

/// Who is in a place at the same time.
private final class Crowd: Sendable {
    let inside = Atomic(0)
    let most = Atomic(0)
}
