// One run of the tail over a store: beside an agent that writes, and for each thing that may be asked for.
import Disk
import Records
import Store
import Synchronization
import TestKit
import Testing
import Viewer

private let start: Int64 = 1_795_404_847_000_000_000

private func made(_ time: Int64, _ source: SourceIdentity, _ message: String? = nil) -> MadeRecord {
    MadeRecord(time: start + time, message: message ?? "\(source.pod) \(time)", source: source)
}

private func entry(_ time: Int64, _ message: String) -> MadeRecord {
    MadeRecord(time: start + time, message: message, source: .journal)
}

/// Puts a container's log into a folder of pods.
private func writeLog(_ source: SourceIdentity, _ text: String = "", in pods: String) throws {
    let folder = "\(pods)/\(source.namespace)_\(source.pod)_\(source.uid)/\(source.container)"
    try LocalFileSystem().makeFolder(folder)
    try OwnedFile.open("\(folder)/\(source.restart).log", .create).write(Array(text.utf8).span, at: 0)
}

@Suite("tail beside an agent", .serialized) struct TailBesideAgentTests {
    @Test func `only the store is read`() throws {
        let store = try MadeStore()
        try store.append([made(1, .log("web"))])
        let request = try TailRequest(store)
        try writeLog(.log("web"), "2026-11-23T03:14:07.000000001Z stdout F not in the store\n", in: request.places.pods)
        #expect(try request.shown().messages == ["web 1"])
        #expect(try Directory.list(request.scratch).map(\.name).sorted() == ["data", "pods"])
        store.close()
        #expect(try request.shown().messages.sorted() == ["not in the store", "web 1"])
    }

    /// A thread that appends chunks, each with records of a later time.
    private func write(_ store: MadeStore, chunks: Int, retires: Bool) -> (thread: OSThread, failed: Flag) {
        let failed = Flag()
        let handover = Mutex<Unchecked<MadeStore>?>(Unchecked(store))
        let thread = OSThread("agent") { [failed] in
            guard let store = handover.withLock({ $0.take() })?.value else { return }
            do {
                for chunk in 0..<chunks {
                    let first = Int64(store.records.count)
                    try store.append((0..<20).map { made(first + $0, .log("web-\(chunk % 3)"), "line \(first + $0)") })
                    if retires, chunk % 2 == 0 { store.housekeep() }
                }
            } catch {
                failed.set()
            }
        }
        return (thread, failed)
    }

    @Test func `what an agent writes meanwhile comes once and in its order`() throws {
        let store = try MadeStore { $0.segmentAge = 3_000_000 }
        try store.append([made(0, .log("web"), "line 0")])
        let tail = try RunningTail(TailRequest(store))
        let agent = write(store, chunks: 400, retires: false)
        agent.thread.join()
        #expect(!agent.failed.isSet && store.segments.count > 2)
        tail.screen.wait(for: "all of it") { $0.count >= store.records.count }
        tail.stop()
        #expect(tail.screen.messages == store.records.map(\.message))
    }

    @Test func `what is not retired comes once`() throws {
        let store = try MadeStore {
            $0.segmentAge = 1_000_000
            $0.history = 0
        }
        try store.append([made(0, .log("web"), "line 0")])
        let agent = write(store, chunks: 300, retires: true)
        var screens: [Screen] = []
        for _ in 0..<10 { screens.append(try TailRequest(store).shown()) }
        agent.thread.join()
        screens.append(try TailRequest(store).shown())
        #expect(!agent.failed.isSet)
        for screen in screens {
            let numbers = screen.messages.compactMap { Int($0.dropFirst(5)) }
            #expect(zip(numbers, numbers.dropFirst()).allSatisfy(<), "in order, and none twice")
            // What is left out was retired: whole chunks, and the oldest first.
            let gaps = zip(numbers, numbers.dropFirst()).filter { $1 != $0 + 1 }
            #expect(gaps.allSatisfy { $0.0 % 20 == 0 && $0.1 % 20 == 1 })
        }
        let left = try store.chunks().map { Int($0.place.header.firstSequence) }
        let last = screens[screens.count - 1].messages
        #expect(last == store.records[(try #require(left.first) - 1)...].map(\.message))
        #expect(last.count < store.records.count, "something was retired")
    }

    @Test(arguments: [false, true]) func `with labels, notices are about the containers that are shown`(
        follows: Bool
    ) throws {
        let store = try MadeStore()
        func labelled(_ time: Int64, _ pod: String, _ app: String) -> MadeRecord {
            var record = made(time, .log(pod))
            record.labels = "{\"app\":\"\(app)\"}"
            return record
        }
        try store.append([labelled(1, "web", "web"), labelled(2, "db", "db")])
        let end = {
            try store.append([labelled(3, "web", "web"), labelled(4, "db", "db")], retired: [.log("db"), .log("web")])
        }
        if !follows { try end() }
        var request = try TailRequest(store)
        request.selection.labels = try LabelSelector("app=web")
        if follows {
            let tail = try RunningTail(request)
            tail.screen.wait(for: "the history") { $0.count == 1 }
            try end()
            tail.screen.wait(for: "the end") { $0.count == 3 }
            tail.stop()
            #expect(tail.screen.notices == ["-- shop/web app: deleted --"])
        } else {
            let shown = try request.shown()
            #expect(shown.messages.count == 2)
            #expect(shown.notices == ["-- shop/web app: deleted --"])
        }
    }

    @Test func `followed notices come behind the records before them`() throws {
        let store = try MadeStore()
        try store.append([made(1, .log("web"))])
        let tail = try RunningTail(TailRequest(store, pods: ["web"]))
        tail.screen.wait(for: "the history") { $0.count == 1 }
        try store.append([made(2, .log("web")), made(3, .log("web"))], retired: [.log("web")])
        tail.screen.wait(for: "the end") { $0.count == 4 }
        tail.stop()
        #expect(tail.screen.lines.dropLast().map(message) == ["web 1", "web 2", "web 3"])
        #expect(tail.screen.lines.last == "-- shop/web app: deleted --")
    }
}

/// Set by one thread, read by another.
private final class Flag: Sendable {
    private let flag = Atomic(false)
    var isSet: Bool { flag.load(ordering: .acquiring) }
    func set() { flag.store(true, ordering: .releasing) }
}

/// Something that one thread at a time uses.
private struct Unchecked<Value>: @unchecked Sendable {
    let value: Value
    init(_ value: Value) { self.value = value }
}

@Suite("what the tail is asked for", .serialized) struct TailTests {
    // MARK: How many, and in which order

    @Test(arguments: [0, 1, 2, 7, 12, 50]) func `the last ones are the end of all`(count: Int) throws {
        let store = try MadeStore()
        for chunk in 0..<4 {
            try store.append((0..<3).map { made(Int64(chunk * 2 + $0), .log("web"), "\(chunk) \($0)") })
        }
        var request = try TailRequest(store)
        let all = try request.shown().lines
        #expect(all == inOrder([store]))
        request.lines = count
        #expect(try request.shown().lines == Array(all.suffix(count)))
        request.isReversed = true
        #expect(try request.shown().lines == Array(all.suffix(count).reversed()))
        request.lines = nil
        #expect(try request.shown().lines == all.reversed())
    }

    @Test func `the last ones are of those that are asked for`() throws {
        let store = try MadeStore()
        for number in 0..<9 { try store.append([made(Int64(number), .log(number % 3 == 0 ? "web" : "db"))]) }
        var request = try TailRequest(store, pods: ["web"])
        request.lines = 2
        #expect(try request.shown().messages == ["web 3", "web 6"])
    }

    @Test func `whoever has seen enough ends it`() throws {
        let store = try MadeStore()
        for number in 0..<9 { try store.append([made(Int64(number), .log("web"))]) }
        var lines: [String] = []
        _ = try Tail(TailRequest(store), telemetry: TestTelemetry().telemetry).run { item in
            if case .record(let line) = item { lines.append(text(line)) }
            return lines.count < 3
        } flush: {
        }
        #expect(lines == Array(inOrder([store]).prefix(3)))
    }

    // MARK: Lives

    @Test func `previous is the life before the newest of each container`() throws {
        let store = try MadeStore()
        for restart: Int32 in 0..<3 { try store.append([made(Int64(restart), .log("web", restart: restart))]) }
        try store.append([made(5, .log("web", container: "proxy"))])
        try store.append([made(7, .log("db", restart: 4)), made(8, .log("db", restart: 5))])
        var request = try TailRequest(store)
        request.selection.previous = true
        #expect(try request.shown().messages == ["web 1", "db 7"])
    }

    @Test func `gone is what has no log any more, whoever bears its name now`() throws {
        let store = try MadeStore()
        try store.append([made(1, .log("static", uid: "old")), made(2, .log("static", uid: "new"))])
        for restart: Int32 in 0..<2 { try store.append([made(3 + Int64(restart), .log("web", restart: restart))]) }
        try store.append([made(6, .log("db")), made(7, .log("away"))])
        try store.append([entry(8, "said by the kubelet")])
        var request = try TailRequest(store)
        for present: SourceIdentity in [.log("static", uid: "new"), .log("web", restart: 1), .log("db")] {
            try writeLog(present, in: request.places.pods)
        }
        request.isGone = true
        #expect(try request.shown().messages == ["static 1", "web 3", "away 7"])
        request = try TailRequest(store, pods: ["static"])
        request.isGone = true
        #expect(try request.shown().messages == ["static 1"])
        // Beside it, what is asked for by its unit.
        request = try TailRequest(store, pods: ["static"], units: ["kubelet"])
        request.isGone = true
        #expect(try request.shown().messages == ["static 1", "said by the kubelet"])
    }

    // MARK: The kubelet

    @Test func `of a pod without a log the kubelet tells`() throws {
        let store = try MadeStore()
        try store.append([
            entry(1, #"\"Error syncing pod\" pod=\"shop/badimage\" err=\"cannot pull\""#),
            entry(2, #"\"Error syncing pod\" pod=\"shop/web\" err=\"cannot mount\""#),
            entry(3, #"\"Error syncing pod\" pod=\"other/web\" err=\"cannot mount\""#), entry(4, "nobody's"),
        ])
        try store.append([made(5, .log("web"))])
        func times(_ pods: [String], units: [String] = []) throws -> [Int64] {
            let shown = try TailRequest(store, pods: pods, units: units).shown().lines
            return store.records.filter { shown.contains($0.line) }.map { $0.time - start }
        }
        #expect(try times(["badimage"]) == [1])
        #expect(try times(["shop/web"]) == [5], "it has a log")
        #expect(try times(["web"]) == [3, 5], "the other one has none")
        #expect(try times(["nothing"]) == [])
        #expect(try times(["badimage"], units: ["kubelet"]) == [1, 2, 3, 4])
        #expect(try times([]) == [1, 2, 3, 4, 5])
    }

    @Test func `when its log comes the kubelet's lines end`() throws {
        let store = try MadeStore()
        func kubelet(_ time: Int64) -> MadeRecord { entry(time, "cannot start pod=shop/web number \(time)") }
        try store.append([kubelet(1)])
        let tail = try RunningTail(TailRequest(store, pods: ["web"]))
        tail.screen.wait(for: "the history") { $0.count == 1 }
        try store.append([kubelet(2)])
        tail.screen.wait(for: "the kubelet's") { $0.count == 2 }
        try store.append([made(3, .log("web"))])
        tail.screen.wait(for: "the pod's own") { $0.count == 3 }
        try store.append([kubelet(4)])
        try store.append([made(5, .log("web"))])
        tail.screen.wait(for: "the pod's own") { $0.count >= 4 }
        tail.stop()
        #expect(tail.screen.lines == [0, 1, 2, 4].map { store.records[$0].line })
    }

    // MARK: Boots

    @Test func `a boot is chosen by its place among those that are known`() throws {
        let store = try MadeStore()
        let boots = [
            "294062377afe4b7896914df5d9f4d5aa", "00000000000000000000000000000002", "f0000000000000000000000000000003",
        ]
        for (index, boot) in boots.enumerated() {
            for time in 0..<2 {
                var record = entry(Int64(index * 100 + time), "\(index) \(time)")
                record.boot = boot
                try store.append([record])
            }
            try store.append([made(Int64(index * 100 + 50), .log("web"), "web in boot \(index)")])
            if index == 1 { try store.beginSegment() }
        }
        func messages(_ boot: String) throws -> [String] {
            var request = try TailRequest(store)
            request.boot = try BootChoice(boot)
            return try request.shown().messages
        }
        #expect(try messages("0") == ["2 0", "2 1", "web in boot 2"])
        #expect(try messages("-1") == ["1 0", "1 1", "web in boot 1"])
        #expect(try messages("1") == ["0 0", "0 1", "web in boot 0"])
        #expect(try messages(boots[1]) == ["1 0", "1 1", "web in boot 1"])
        #expect(throws: QueryError.self) { try messages("-3") }
    }

    // MARK: Notices

    /// Two pods; one ends. Chunks tell when they were written, so records are made before that.
    private func withNotices() throws -> MadeStore {
        let store = try MadeStore()
        let now = SystemClock.realtime - start
        try store.append([made(now, .log("web"), "web")], counts: [.vanishedBytes: 2048])
        try store.append([made(now, .log("db"), "db")], counts: [.damagedBytes: 10])
        try store.append([entry(now, "kubelet")], counts: [.vanishedEntries: 3])
        try store.append([], retired: [.log("web")])
        // Long afterwards.
        try store.append([made(now + 3_600_000_000_000, .log("db"), "db later")])
        return store
    }

    @Test func `notices come at their time and about what was asked for`() throws {
        let store = try withNotices()
        let web = try TailRequest(store, pods: ["web"]).shown().lines
        #expect(web.first.map(message) == "web")
        #expect(
            web.dropFirst().map { $0.prefix { $0 != ":" } } == [
                "-- 2.0 kB of shop/web app missing here", "-- shop/web app",
            ])
        let db = try TailRequest(store, pods: ["db"]).shown().lines
        #expect(db.count == 3 && message(db[0]) == "db" && message(db[2]) == "db later")
        #expect(db[1].hasPrefix("-- 10") && db[1].contains("of shop/db app missing here"))
        let kubelet = try TailRequest(store, units: ["kubelet"]).shown().lines
        #expect(kubelet.count == 2 && kubelet[1].hasPrefix("-- 3 entries of the journal missing here"))
        #expect(try TailRequest(store).shown().notices.count == 4)
        var quiet = try TailRequest(store)
        quiet.isQuiet = true
        #expect(try quiet.shown().lines == inOrder([store]))
    }

    @Test func `notices come with the last lines too, and the other way round`() throws {
        let store = try withNotices()
        var request = try TailRequest(store)
        let all = try request.shown().lines
        request.isReversed = true
        #expect(try request.shown().lines.last.map(message) == "web")
        #expect(try request.shown().lines.sorted() == all.sorted())
        #expect(try request.shown().notices == all.filter { $0.hasPrefix("-- ") }.reversed())
        // What happened before the first line that is shown is left out.
        request.isReversed = false
        request.lines = 1
        #expect(try request.shown().lines.map { $0.hasPrefix("-- ") ? $0 : message($0) } == ["db later"])
        request = try TailRequest(store, pods: ["web"])
        request.lines = 1
        #expect(try request.shown().lines == TailRequest(store, pods: ["web"]).shown().lines)
    }

    // MARK: Pods

    @Test func `pods are counted by container`() throws {
        let store = try MadeStore()
        var records = [
            made(5, .log("web")), made(3, .log("web", restart: 1)), made(9, .log("web", container: "proxy")),
        ]
        records += [made(4, .log("web", restart: 1)), made(7, .log("away", namespace: "a")), entry(1, "not a pod's")]
        records[1].severity = .error
        records[3].severity = .critical
        records[0].severity = .warning
        for record in records { try store.append([record]) }
        let request = try TailRequest(store)
        // The present life has said nothing yet.
        try writeLog(.log("web", restart: 2), in: request.places.pods)
        try writeLog(.log("web", container: "proxy"), in: request.places.pods)
        let found = try Tail(request, telemetry: TestTelemetry().telemetry).containers()
        let described = found.map {
            "\($0.namespace)/\($0.pod) \($0.uid) \($0.container)[\($0.restarts)] \($0.first - start)-\($0.last - start): "
                + "\($0.lines) lines, \($0.errors) errors\($0.isGone ? ", gone" : "")"
        }
        #expect(
            described == [
                "a/away uid-away app[0] 7-7: 1 lines, 0 errors, gone", "shop/web uid-web app[1] 3-5: 3 lines, 2 errors",
                "shop/web uid-web proxy[0] 9-9: 1 lines, 0 errors",
            ])
        #expect(found.map(\.bytes).reduce(0, +) == UInt64(records.dropLast().reduce(0) { $0 + $1.line.utf8.count + 1 }))
        let web = try Tail(TailRequest(store, pods: ["web"]), telemetry: TestTelemetry().telemetry).containers()
        #expect(web.map(\.pod) == ["web", "web"])
    }
}
