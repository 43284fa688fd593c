// Calls on log files that fail, once or for longer: nothing is lost, repeated or read out of order for it.
import CLinux
import Disk
import Foundation
import Glibc
import NodeFiles
import Records
import Synchronization
import TestKit
import Testing

/// Fails calls on log files.
private final class Faults: Sendable {
    private let state = Mutex((calls: 0, failing: Range<Int>?.none, path: ""))

    /// The calls of these numbers fail, counted from now; or with a path all calls on it.
    func fail(_ calls: Range<Int>?, path: String = "") { state.withLock { $0 = (0, calls, path) } }

    var calls: Int { state.withLock { $0.calls } }

    var hook: LogFileFaults {
        LogFileFaults { operation, path throws(DiskError) in
            let fails = self.state.withLock { state in
                state.calls += 1
                if !state.path.isEmpty { return path == state.path }
                return state.failing?.contains(state.calls) ?? false
            }
            if fails { throw DiskError(operation, path, code: 5) }
        }
    }
}

struct FaultTests {
    /// A log with two rotated files, one of them compressed, a torn line and a record over two files.
    private func log(_ faults: Faults, _ change: (inout TailOptions) -> Void = { _ in }) throws -> Node {
        let run = try Node {
            $0.faults = faults.hook
            change(&$0)
        }
        for turn in 0..<3 {
            try run.fill("turn \(turn)")
            try run.write("begins in \(turn) ", ends: false)
            try run.app.rotate()
            try run.write("and ends")
        }
        return run
    }

    @Test(arguments: [1, 2, 5])
    func `any call that fails a few times costs nothing and changes no order`(times: Int) throws {
        let faults = Faults()
        for first in 1...60 {
            let run = try log(faults)
            faults.fail(first..<(first + times))
            run.reader.open()
            run.reader.drain()
            try run.write("more")
            try run.app.rotate()
            try run.write("and more")
            run.reader.drain()
            for _ in 0..<6 { run.reader.drain() }
            #expect(run.difference() == nil, "calls from \(first) on")
            run.reader.restart()
            faults.fail(first..<(first + times))
            try run.write("after a restart")
            for _ in 0..<8 { run.reader.drain() }
            #expect(run.difference() == nil, "calls from \(first) on")
            #expect(run.reader.count(.vanishedBytes) == 0)
        }
    }

    @Test func `a file that cannot be read is reported once, and its log waits; then the rest is read without it`()
        throws
    {
        let faults = Faults()
        let run = try log(faults)
        let rotated = try #require(run.app.rotatedPlain.last)
        run.reader.open()
        faults.fail(nil, path: "\(run.app.folder)/\(rotated.name)")
        let other = try run.node.start(pod: "other")
        try other.write(Array("quick".utf8), to: .stdout)
        run.reader.drain()
        #expect(run.reader.texts(other.log(0)) == ["quick"])
        let before = run.texts().count
        for _ in 0..<8 { run.reader.drain() }
        #expect(run.texts().count > before)
        #expect(run.reader.told.count("files_read_failures") == 1)
        // Mended: read at the next look at everything, if late.
        faults.fail(nil)
        run.reader.wake(after: 61_000_000_000)
        run.reader.drain()
        #expect(run.reader.count(.readBytes) == run.node.bytesWritten)
    }

    @Test func `what stood there at the first start is passed over also when it could not be opened at once`() throws {
        let faults = Faults()
        for first in 1...8 {
            let run = try log(faults) { $0.skipsPresent = true }
            faults.fail(first..<(first + 1))
            run.reader.open()
            for _ in 0..<4 { run.reader.drain() }
            #expect(run.texts().isEmpty, "call \(first)")
        }
    }
}

@Suite struct `Files that may not be opened` {
    @Test(.enabled(if: sluice_file_user(0) == 0, "only root can look with another user's eyes"))
    func `are reported in one line with their number, and once`() throws {
        let run = try Node()
        for restart in 0..<3 {
            if restart > 0 { try run.app.startAgain() }
            try run.write("secret")
        }
        try openFolders(of: run.node)
        for restart in 0..<3 { try setMode(0, of: "\(run.app.folder)/\(restart).log") }
        asNobody {
            run.reader.open()
            run.reader.drain()
            run.reader.wake(after: 61_000_000_000)
            run.reader.drain()
        }
        #expect(run.reader.told.count("files_open_failures") == 3)
        #expect(run.reader.told.lines.filter { $0.contains("may not be opened") }.count == 1)
    }

    @Test(.enabled(if: sluice_file_user(0) == 0, "only root can look with another user's eyes"))
    func `do not cost others their watches when they were open before`() throws {
        let run = try Node()
        let other = try run.node.start(pod: "other")
        try openFolders(of: run.node)
        run.reader.open()
        run.reader.drain()
        try run.write("one")
        try setMode(0, of: "\(run.app.folder)/0.log")
        asNobody { run.reader.drain() }
        #expect(run.reader.tailer?.hasNoWatch == false)
        #expect(run.reader.told.count("files_unwatched") == 1)
        #expect(run.reader.told.count("watch_failures") == 0)
        try other.write(Array("noticed at once".utf8), to: .stdout)
        run.reader.wake(after: 0)
        while run.reader.readBatch() {}
        run.reader.commit()
        #expect(run.reader.texts(other.log(0)) == ["noticed at once"])
        try run.write("two")
        run.reader.wake(after: 1_000_000_000)
        while run.reader.readBatch() {}
        run.reader.commit()
        #expect(run.texts() == ["one", "two"])
    }
}

@Suite struct `Without room for inotify` {
    @Test func `changes are noticed by looking, and at once again when there is room`() async throws {
        await #expect(processExitsWith: .success) {
            let run = try Node()
            let told = TestTelemetry()
            // The last descriptors are taken: no inotify instance can be had.
            var limit = rlimit(rlim_cur: 64, rlim_max: 64)
            _ = unsafe setrlimit(__rlimit_resource_t(7), &limit)
            var taken: [Int32] = []
            while case let descriptor = dup(1), descriptor >= 0 { taken.append(descriptor) }
            let tailer = FileTailer(TailOptions(input: "pods", format: .cri), known: [], telemetry: told.telemetry)
            try #require(tailer.hasNoWatch)
            for descriptor in taken { close(descriptor) }
            let discovery = PodLogDiscovery(
                root: run.node.pods, linksFolder: nil, tailer: tailer, telemetry: told.telemetry,
                describer: TestDescriber())
            var now = SystemClock.monotonic
            discovery.start(now: now)
            var batch = RecordBatch()
            func readAll() {
                while tailer.read(into: &batch, sparing: false, now: 1, define: { _ in 1 }) { batch.reset() }
            }
            for seconds in [1, 61, 62] {
                now += Int64(seconds) * 1_000_000_000
                while discovery.wake(now: now) == (), discovery.isWaiting {}
                readAll()
            }
            try #require(!tailer.hasNoWatch)
            try #require(told.count("watch_failures") == 1)
            try #require(told.count("watch_recoveries") == 1)
            try run.write("noticed at once")
            discovery.wake(now: now)
            try #require(tailer.hasReady)
        }
    }
}

/// Looks at files as the user 65534 does; setfsuid(2), which is of the calling thread.
private func asNobody<R>(_ body: () throws -> R) rethrows -> R {
    let before = sluice_file_user(65534)
    defer { _ = sluice_file_user(UInt32(before)) }
    return try body()
}

/// Lets everybody into a node's folders, and read its files.
private func openFolders(of node: KubeletEmulator) throws {
    for path in [Path.parent(node.pods), node.pods, node.links] { try setMode(0o755, of: path) }
    for name in try FileManager.default.subpathsOfDirectory(atPath: node.pods) {
        try setMode(name.contains(".log") ? 0o644 : 0o755, of: "\(node.pods)/\(name)")
    }
}

private func setMode(_ mode: Int, of path: String) throws {
    try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: path)
}
