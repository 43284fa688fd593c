// Without an agent the node's own files are read from where its store ends: what is in both comes once, and nothing is left behind.
import Disk
import Journal
import NodeFiles
import Pipeline
import PodMetadata
import Records
import Store
import TestKit
import Testing
import Viewer

/// A node without an agent: pods, a journal, and perhaps a store that an agent has left.
private final class TestNode {
    let scratch: ScratchDirectory
    let kubelet: KubeletEmulator
    let journal: MadeJournal
    private(set) var entries: [MadeEntry] = []

    init() throws {
        scratch = try ScratchDirectory()
        kubelet = try KubeletEmulator(root: scratch.path)
        journal = MadeJournal(in: scratch.path("journal"))
        try LocalFileSystem().makeFolder(scratch.path("tmp"))
    }

    /// Writes entries into the journal.
    func note(_ numbers: ClosedRange<Int>) throws {
        let more = numbers.map { MadeEntry($0) }
        try journal.append(more)
        entries += more
    }

    func request(_ change: (inout RecordSelection) throws -> Void = { _ in }) throws -> TailRequest {
        var selection = try RecordSelection()
        try change(&selection)
        var request = TailRequest(selection)
        request.dataDirectory = scratch.path("data")
        request.places.pods = kubelet.pods
        request.places.links = kubelet.links
        request.places.journal = [scratch.path("journal")]
        request.places.wantsJournal = !entries.isEmpty
        request.scratch = scratch.path("tmp")
        return request
    }

    /// Reads what is there now into the agent's store, as an agent that is then ended.
    func runAgent() throws {
        let request = try request()
        let folder = StoreFolder(request.dataDirectory)
        let known = try Survey(folder, lane: 0, isThorough: true).sources
            .map { KnownSource(number: $0.key, identity: $0.value.identity, position: $0.value.position) }
        try NodeReading(
            request.places, known: known, once: true, in: folder.path, telemetry: TestTelemetry().telemetry
        ).finish()
    }

    /// The messages of all that was written, by time: no two have the same.
    var truth: [String] {
        let lines = kubelet.truth.values.flatMap { $0 }.map { ($0.time, String(decoding: $0.message, as: UTF8.self)) }
        let entries = entries.map { (Int64($0.realtime) * 1000, $0.message) }
        return (lines + entries).sorted { $0.0 < $1.0 }.map(\.1)
    }

    /// What lies where the node's files are read to.
    var leftBehind: [String] { ((try? Directory.list(scratch.path("tmp"))) ?? []).map(\.name) }
}

extension EmulatedContainer {
    fileprivate func write(_ text: String, _ stream: RecordStream = .stdout) throws {
        try write(Array(text.utf8), to: stream)
    }

    /// Lines, rotations with compression, and another life.
    fileprivate func liveALife(_ name: String) throws {
        for part in 0..<4 {
            for number in 0..<6 { try write("\(name) \(part) \(number)", number % 3 == 0 ? .stderr : .stdout) }
            try rotate()
        }
        try write("\(name) last words")
        try startAgain()
        try write("\(name) born again")
    }
}

@Suite("a node without an agent", .serialized, .enabled(if: JournalReader.isBuiltIn)) struct NodeReadingTests {
    @Test func `everything on the node comes by time`() throws {
        let node = try TestNode()
        try node.note(1...40)
        let (web, db) = (try node.kubelet.start(pod: "web"), try node.kubelet.start(pod: "db", uid: "uid-2"))
        for number in 0..<5 {
            try web.write("web \(number)")
            try db.write("db \(number)")
        }
        try web.liveALife("web")
        try db.liveALife("db")
        try node.journal.rotate()
        try node.note(41...60)
        #expect(web.files.contains(where: \.isCompressed) && web.files.contains { $0.isRotated && !$0.isCompressed })
        let screen = try node.request().shown()
        #expect(screen.messages == node.truth)
        #expect(screen.notices == [])
        #expect(node.leftBehind == [])
        var reversed = try node.request()
        reversed.isReversed = true
        #expect(try reversed.shown().messages == node.truth.reversed())
    }

    @Test func `only what may be wanted is read`() throws {
        let node = try TestNode()
        let (web, db) = (try node.kubelet.start(pod: "web"), try node.kubelet.start(pod: "db", uid: "uid-2"))
        try web.write("of web")
        try db.write("of db")
        var request = try node.request()
        request.places.wantsContainer = { _, pod, _ in pod == "db" }
        #expect(try request.shown().messages == ["of db"])
    }

    // MARK: Beside a store

    @Test func `what the agent has stored and what it has not comes once`() throws {
        let node = try TestNode()
        try node.note(1...20)
        let (web, db) = (try node.kubelet.start(pod: "web"), try node.kubelet.start(pod: "db", uid: "uid-2"))
        let gone = try node.kubelet.start(pod: "gone", uid: "uid-3")
        try gone.write("of a pod that is gone")
        try web.liveALife("web")
        try db.write("db")
        try node.runAgent()
        #expect(try node.request().shown().messages == node.truth, "nothing is new")
        try gone.delete()
        try web.write("web afterwards")
        try web.rotate()
        try web.liveALife("web again")
        try node.kubelet.start(pod: "late", uid: "uid-4").write("late")
        try node.note(21...30)
        #expect(try node.request().shown().messages == node.truth)
        try node.runAgent()
        #expect(try node.request().shown().messages == node.truth, "after an agent that went on")
        #expect(node.leftBehind == [])
    }

    @Test(arguments: [false, true]) func `what comes is followed`(hasStore: Bool) throws {
        let node = try TestNode()
        try node.note(1...5)
        let (web, db) = (try node.kubelet.start(pod: "web"), try node.kubelet.start(pod: "db", uid: "uid-2"))
        try db.write("db")
        try web.write("web")
        if hasStore { try node.runAgent() }
        try web.write("web behind the store")
        // Neither the one that says nothing more nor the journal is read again.
        let tail = try RunningTail(node.request())
        tail.screen.wait(for: "the history") { $0.count >= node.truth.count }
        #expect(tail.screen.messages == node.truth)
        #expect(node.leftBehind.count == 1)
        for number in 0..<50 { try web.write("web followed \(number)") }
        tail.screen.wait(for: "what was appended") { $0.count >= node.truth.count }
        try web.rotate()
        try web.write("web in another file")
        tail.screen.wait(for: "what is behind the rotation") { $0.count >= node.truth.count }
        let late = try node.kubelet.start(pod: "late", uid: "uid-4")
        try late.write("late")
        try web.startAgain()
        try web.write("web born again")
        tail.screen.wait(for: "the new ones") { $0.count >= node.truth.count }
        try node.note(6...8)
        tail.screen.wait(for: "the journal's") { $0.count >= node.truth.count }
        try web.write("the end")
        tail.screen.wait(for: "the end") { $0.last.map(message) == "the end" }
        tail.stop()
        #expect(tail.screen.messages.sorted() == node.truth.sorted(), "everything once")
        #expect(node.leftBehind == [])
    }

    @Test func `a line whose end is written when following has begun comes once and whole`() throws {
        let node = try TestNode()
        let web = try node.kubelet.start(pod: "web")
        try web.write("a whole one")
        web.tearsNext = 12
        try web.write("one that is torn")
        let tail = try RunningTail(node.request())
        tail.screen.wait(for: "the history") { $0.count >= 1 }
        try web.mend()
        try web.write("another whole one")
        tail.screen.wait(for: "the rest") { $0.last.map(message) == "another whole one" }
        tail.stop()
        #expect(tail.screen.messages == node.truth)
    }

    @Test func `a line whose first piece is there when following begins comes once and whole`() throws {
        let node = try TestNode()
        let web = try node.kubelet.start(pod: "web")
        try web.write("a whole one")
        try web.write(Array("first piece, ".utf8), to: .stdout, ends: false)
        let tail = try RunningTail(node.request())
        tail.screen.wait(for: "the history") { $0.count >= 1 }
        try web.write("last piece")
        try web.write("another whole one")
        tail.screen.wait(for: "the rest") { $0.last.map(message) == "another whole one" }
        tail.stop()
        #expect(tail.screen.messages == node.truth)
    }

    @Test func `what an agent knew of the pods is shown where none runs any more`() throws {
        let node = try TestNode()
        let (web, db) = (try node.kubelet.start(pod: "web"), try node.kubelet.start(pod: "db", uid: "uid-2"))
        try web.write("web")
        try db.write("db")
        var request = try node.request()
        request.selection.labels = try LabelSelector("app=web")
        #expect(try request.shown().messages == [])
        var pod = Pod(uid: web.uid, namespace: "shop", name: "web")
        pod.labels = [Label("app", "web")]
        let path = MetadataFile.path(inDataDirectory: request.dataDirectory)
        try LocalFileSystem().makeFolder(request.dataDirectory)
        try MetadataFile(node: "n", pods: [pod]).write(path, fileSystem: LocalFileSystem())
        #expect(try request.shown().messages == ["web"])
        // A damaged one is no reason to show nothing.
        try LocalFileSystem().replace(path, with: Array("{".utf8).span)
        request.selection.labels = LabelSelector()
        #expect(try request.shown().messages.sorted() == ["db", "web"])
    }

    @Test func `files that rotation takes away are no end of a pod`() throws {
        let node = try TestNode()
        let (web, db) = (try node.kubelet.start(pod: "web"), try node.kubelet.start(pod: "db", uid: "uid-2"))
        try web.liveALife("web")
        try db.write("db")
        try node.runAgent()
        for file in web.files.prefix(3) { try web.remove(file) }
        try web.write("web goes on")
        #expect(try node.request().shown().lines.suffix(1).map(message) == ["web goes on"])
        try node.runAgent()
        try web.delete()
        for _ in 0..<2 {
            let shown = try node.request().shown()
            #expect(shown.messages == node.truth)
            #expect(shown.notices == ["-- shop/web app: deleted --"])
            #expect(shown.lines.last == shown.notices.last)
            try node.runAgent()
        }
    }

    @Test func `a tail that is stopped while it reads ends, and leaves nothing`() throws {
        let node = try TestNode()
        let web = try node.kubelet.start(pod: "web")
        for number in 0..<2000 { try web.write("web \(number)") }
        let tail = try Tail(node.request(), telemetry: TestTelemetry().telemetry)
        tail.stop()
        let screen = Screen()
        _ = try tail.run {
            screen.add($0)
            return true
        } flush: {
        }
        #expect(screen.lines == [] && node.leftBehind == [])
    }

    @Test func `what a killed one left is removed by the next`() throws {
        let node = try TestNode()
        try node.kubelet.start(pod: "web").write("web")
        // Process ids are below 4,194,304.
        try LocalFileSystem().makeFolder(node.scratch.path("tmp"))
        for name in ["4194305-abc", "4194306"] {
            try Directory.makePrivate(node.scratch.path("tmp/sluice-tail-\(name)"))
        }
        try node.scratch.write("tmp/sluice-tail-4194305-abc/history/store/0/x", "left")
        try node.scratch.write("tmp/sluice-tail-4194306/history/lock", "")
        try node.scratch.write("tmp/sluice-tail-\(Machine.processID)-abc/x", "of one that runs")
        try node.scratch.write("tmp/sluice-tail-notes/x", "of somebody else")
        #expect(try node.request().shown().messages == ["web"])
        #expect(node.leftBehind.sorted() == ["sluice-tail-\(Machine.processID)-abc", "sluice-tail-notes"].sorted())
    }

    // MARK: Nothing to read

    @Test func `without a store and a node it says what is wrong`() throws {
        let scratch = try ScratchDirectory()
        var request = TailRequest(try RecordSelection())
        request.dataDirectory = scratch.path("data")
        request.places.pods = scratch.path("pods")
        request.scratch = scratch.path
        let failure = #expect(throws: TailError.self) { try request.shown() }
        #expect(failure?.description.contains(scratch.path("pods")) == true)
        #expect(failure?.description.contains("--root") == true)
        #expect(try Directory.list(scratch.path).isEmpty)
    }
}
