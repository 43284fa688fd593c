// A look at everything is done a piece at a time, and reading goes on in between.
import Disk
import NodeFiles
import Records
import TestKit
import Testing

@Suite struct `A look in slices` {
    private func pods(
        _ count: Int, _ change: (inout TailOptions) -> Void = { _ in }
    ) throws -> (
        ScratchDirectory, KubeletEmulator, [EmulatedContainer], TailerHarness
    ) {
        let scratch = try ScratchDirectory()
        let node = try KubeletEmulator(root: scratch.path)
        let pods = try (0..<count).map { try node.start(pod: "web-\($0)") }
        for pod in pods { try pod.write(Array("first".utf8), to: .stdout) }
        let reader = TailerHarness(pods: node.pods) {
            $0.sliceTime = 0
            change(&$0)
        }
        return (scratch, node, pods, reader)
    }

    @Test func `lets lines be read before all was looked at`() throws {
        let (scratch, _, pods, reader) = try pods(20)
        reader.open()
        var wakes = 0
        while !reader.readBatch(), wakes < 100 {
            reader.wake(after: 0)
            wakes += 1
        }
        reader.commit()
        #expect(reader.isLooking)
        reader.drain()
        #expect(pods.allSatisfy { reader.texts($0.log(0)) == ["first"] })
        #expect(!reader.isLooking)
        withExtendedLifetime(scratch) {}
    }

    @Test func `looks first at what changes meanwhile`() throws {
        let (scratch, node, _, reader) = try pods(50)
        reader.open()
        for _ in 0..<10 { reader.wake(after: 0) }
        let urgent = try node.start(pod: "urgent")
        try urgent.write(Array("now".utf8), to: .stdout)
        for _ in 0..<4 { reader.wake(after: 0) }
        while reader.readBatch() {}
        reader.commit()
        #expect(reader.texts(urgent.log(0)) == ["now"])
        #expect(reader.isLooking)
        withExtendedLifetime(scratch) {}
    }

    @Test func `from the end on: reads whole what comes before the first look is over`() async throws {
        let (scratch, node, pods, reader) = try pods(20) { $0.skipsPresent = true }
        reader.open()
        // A file's birth is as exact as the kernel's tick.
        try await Task.sleep(for: .milliseconds(20))
        let later = try node.start(pod: "later")
        try later.write(Array("whole".utf8), to: .stdout)
        reader.drain()
        #expect(reader.texts(later.log(0)) == ["whole"])
        #expect(pods.allSatisfy { reader.texts($0.log(0)).isEmpty })
        withExtendedLifetime(scratch) {}
    }

    @Test func `keeps every position, and reports what is gone at its end`() throws {
        let (scratch, _, pods, reader) = try pods(10)
        reader.open()
        reader.drain()
        reader.close()
        for pod in pods[..<3] { try pod.delete() }
        for pod in pods[3...] { try pod.write(Array("second".utf8), to: .stdout) }
        reader.open()
        reader.drain()
        #expect(reader.store.known.count == 7)
        #expect(reader.told.count("files_gone_while_stopped") == 3)
        #expect(pods[3...].allSatisfy { reader.texts($0.log(0)) == ["first", "second"] })
        withExtendedLifetime(scratch) {}
    }

    @Test func `of folders that have not changed lists none, and sees growth that no event told of`() throws {
        let (scratch, _, pods, reader) = try pods(3) { $0.watches = false }
        reader.open()
        reader.drain()
        for turn in 0..<3 {
            for pod in pods { try pod.write(Array("turn \(turn)".utf8), to: .stdout) }
            reader.wake(after: 61_000_000_000)
            reader.drain()
            #expect(pods.allSatisfy { reader.texts($0.log(0)).last == "turn \(turn)" })
        }
        withExtendedLifetime(scratch) {}
    }
}
