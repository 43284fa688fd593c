// What goes wrong with an API server, and that it is neither given up nor pestered.
import Foundation
import HTTPTestKit
import Kubernetes
import PodMetadata
import TestKit
import Testing

/// A way to answer that is no answer.
struct Fault: Sendable, CustomTestStringConvertible {
    let testDescription: String
    let counter: String
    let answer: @Sendable () -> ScriptedServer.Answer

    init(_ name: String, _ counter: String, _ answer: @escaping @Sendable () -> ScriptedServer.Answer) {
        testDescription = name
        self.counter = counter
        self.answer = answer
    }

    /// Faults of lists and of watches.
    static let all: [Fault] = [
        Fault("500", "metadata_server_errors") { .json(500, JSON.status(500, "etcd is ill")) },
        Fault("503", "metadata_server_errors") { .status(503, "not ready") },
        Fault("404", "metadata_server_errors") { .status(404, "404 page not found") },
        Fault("403", "metadata_forbidden") { .json(403, JSON.status(403, "pods is forbidden")) },
        Fault("401", "metadata_unauthorized") { .json(401, JSON.status(401, "Unauthorized")) },
        Fault("a redirect", "metadata_unreadable_answers") {
            .status(302, headers: ["Location": "https://login.example.com/"])
        },
        Fault("HTML", "metadata_unreadable_answers") {
            .status(200, headers: ["Content-Type": "text/html"], "<html>Welcome!</html>")
        },
        Fault("a lost connection", "metadata_unreachable") { .hangUp },
        Fault("a reset connection", "metadata_unreachable") { .reset },
        Fault("garbage", "metadata_unreachable") { .raw(Array("this is not HTTP\r\n\r\n".utf8)).closing() },
    ]

    /// Faults of lists alone.
    static let ofLists: [Fault] = [
        Fault("nothing", "metadata_unreadable_answers") { .json(200, "") },
        Fault("no list", "metadata_unreadable_answers") { .json(200, "{}") },
        Fault("a Status", "metadata_unreadable_answers") { .json(200, JSON.status(200, "fine")) },
        Fault("no version", "metadata_unreadable_answers") {
            .json(200, #"{"kind":"PodList","metadata":{},"items":[]}"#)
        },
        Fault("half a list", "metadata_unreadable_answers") {
            .json(200, #"{"kind":"PodList","metadata":{"resourceVersion":"1"},"items":[{"kind":"Po"#)
        },
        Fault("half of what was promised", "metadata_unreachable") {
            .partial(200, headers: ["Content-Type": "application/json"], #"{"kind":"PodList","metadata":{}}"#, sent: 20)
        },
        Fault("text among the items", "metadata_unreadable_answers") {
            .json(200, #"{"kind":"PodList","metadata":{"resourceVersion":"1"},"items":[1,2]}"#)
        },
    ]

    /// Faults of watches alone.
    static let ofWatches: [Fault] = [
        Fault("nothing", "metadata_watch_ends") { .json(200, "") },
        Fault("half an event", "metadata_unreadable_answers") { .json(200, #"{"type":"ADDED","object":{"#) },
        Fault("half an event and a broken connection", "metadata_watch_ends") {
            let stream = ScriptedServer.Stream(#"{"type":"ADDED","object":{"#)
            stream.cut()
            return .watch(stream)
        },
        Fault("a list", "metadata_objects_unreadable") { .list([]) },
        Fault("garbage", "metadata_unreadable_answers") { .json(200, "watch this") },
        Fault("an event of an unknown type", "metadata_objects_unreadable") { .json(200, JSON.event("MOVED", "{}")) },
        Fault("an event without a pod", "metadata_objects_unreadable") { .json(200, JSON.event("ADDED", "{}")) },
        Fault("an error", "metadata_server_errors") {
            .json(200, JSON.event("ERROR", JSON.status(500, "etcd is ill")))
        },
    ]
}

@Suite("faults of an API server", .timeLimit(.minutes(1))) struct FaultTests {
    /// Failures are followed by waits of up to 80 ms, 40 on average.
    private let most = 60

    /// A cluster on which a pod is known from before.
    private func cluster(_ answer: @escaping @Sendable (Request) -> ScriptedServer.Answer?) async throws -> Cluster {
        let cluster = try await Cluster(answer: answer)
        cluster.directory.update(Pod(uid: "uid-known", namespace: "shop", name: "known"))
        return cluster
    }

    @Test(arguments: Fault.all + Fault.ofLists) func `a list that fails is asked for again, and takes nothing away`(
        _ fault: Fault
    ) async throws {
        let cluster = try await cluster { request in request.question == .listPods ? fault.answer() : nil }
        try await cluster.run {
            try await cluster.until(fault.counter) {
                cluster.telemetry.count(fault.counter) >= 4 && cluster.count(.listPods) >= 4
            }
            #expect(cluster.pods == ["known"])
            guard case .failing(let words) = cluster.directory.health else {
                Issue.record("\(cluster.directory.health)")
                return
            }
            #expect(words.hasPrefix("https://127.0.0.1"))
            let before = cluster.count(.listPods)
            try await Task.sleep(for: .seconds(1))
            #expect((1...most).contains(cluster.count(.listPods) - before), "it goes on, and slowly")
        }
        #expect(cluster.count(.watchPods) == 0)
    }

    @Test(arguments: Fault.all + Fault.ofWatches) func `a watch that fails is asked for again from where it stood`(
        _ fault: Fault
    ) async throws {
        let last = ScriptedServer.Stream(JSON.event("ADDED", JSON.pod("b", version: "101")))
        let cluster = try await cluster { request in
            switch request.question {
            case .listPods: .list([JSON.pod("a")])
            case .watchPods: request.number < 2 ? fault.answer() : .watch(last)
            default: nil
            }
        }
        try await cluster.run {
            try await cluster.until { cluster.pods == ["a", "b"] }
            #expect(cluster.directory.health == .current)
        }
        // A connection that breaks at once may have idled for too long: then the request is made again, and not told.
        #expect(cluster.telemetry.count(fault.counter) >= 1)
        #expect(cluster.count(.listPods) == 1)
        #expect(cluster.requests(.watchPods).allSatisfy { $0.request.query("resourceVersion") == "100" })
    }

    @Test(arguments: Fault.all + Fault.ofWatches) func `a watch that always fails does not make a busy loop`(
        _ fault: Fault
    ) async throws {
        let cluster = try await cluster { request in request.question == .watchPods ? fault.answer() : nil }
        try await cluster.run {
            try await cluster.until { cluster.count(.watchPods) >= 8 }
            try await Task.sleep(for: .seconds(1))
        }
        #expect(cluster.count(.watchPods) < 8 + most)
        #expect(cluster.count(.listPods) <= 1 + cluster.count(.watchPods) / 3)
    }

    @Test func `watches that break off at once still go on`() async throws {
        let cluster = try await cluster { request in
            guard request.question == .watchPods else { return nil }
            // All in one piece, and the end with it.
            let version = (request.query("resourceVersion").flatMap { Int($0) } ?? 0) + 1
            let event = JSON.event("ADDED", JSON.pod("p\(version)", version: "\(version)"))
            let head = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
            let chunk = "\(String(event.utf8.count, radix: 16))\r\n\(event)\r\n"
            return .raw(Array((head + chunk + "40\r\n{\"type\":\"ADDED\",").utf8)).closing()
        }
        try await cluster.run { try await cluster.until { cluster.pods.contains("p110") } }
        #expect(cluster.count(.listPods) == 1)
        #expect((10...20).contains(cluster.count(.watchPods)), "what came before the end was taken")
    }

    @Test func `lists make up for watches that never bring anything`() async throws {
        let cluster = try await cluster { request in
            switch request.question {
            case .listPods: .list((0...request.number).map { JSON.pod("p\($0)") }, version: "\(100 + request.number)")
            case .watchPods:
                request.number % 2 == 0 ? .json(504, JSON.status(504, "Too large resource version")) : .json(200, "")
            default: nil
            }
        }
        try await cluster.run { try await cluster.until { cluster.pods == ["p0", "p1", "p2"] } }
        #expect(cluster.requests(.listPods).allSatisfy { $0.request.query("resourceVersion") == "0" })
        #expect(cluster.count(.watchPods) >= 6)
    }

    @Test func `a watch that is cut again and again loses no event`() async throws {
        let cluster = try await cluster { request in
            guard request.question == .watchPods, request.number < 12 else { return nil }
            let version = "\(101 + request.number)"
            let stream = ScriptedServer.Stream(JSON.event("ADDED", JSON.pod("p\(request.number)", version: version)))
            switch request.number % 4 {
            case 0: stream.end()
            case 1: stream.cut()
            case 2: stream.reset()
            default:
                stream.send(#"{"type":"ADDED","object":{"metadata":{"name":"half""#)
                stream.cut()
            }
            return .watch(stream)
        }
        try await cluster.run {
            try await cluster.until { cluster.count(.watchPods) >= 13 }
        }
        // A reset may overtake what was sent before it: its event comes with the next watch, from the version before.
        #expect(cluster.pods.count >= 9)
        #expect(cluster.count(.listPods) == 1)
        let versions = cluster.requests(.watchPods).map { $0.request.query("resourceVersion") ?? "" }
        #expect(versions == versions.sorted() && versions.last == "112")
        let warnings = cluster.telemetry.lines.filter {
            $0.contains(" warning ") && !$0.contains("no pods on this node")
        }
        // That it breaks off again and again is told.
        #expect(!warnings.isEmpty && warnings.allSatisfy { $0.contains("action=\"watch pods\"") })
    }

    @Test func `a node without pods is told of, which mostly has another name`() async throws {
        let cluster = try await cluster { request in request.question == .listPods ? .list([]) : nil }
        try await cluster.run { try await cluster.until { cluster.count(.watchPods) >= 1 } }
        #expect(cluster.telemetry.count("metadata_empty_lists") == 1)
        #expect(cluster.telemetry.said("agent.node or NODE_NAME has to be the name that the node has in the cluster"))
    }

    // MARK: 410

    @Test(arguments: [false, true]) func `a forgotten version leads to a new list`(asEvent: Bool) async throws {
        let gone = JSON.status(410, "too old resource version: 150 (200)", reason: "Expired")
        let cluster = try await cluster { request in
            switch (request.question, request.number) {
            case (.listPods, let number): .list([JSON.pod("a\(number)")], version: "\(100 * (number + 1))")
            case (.watchPods, 0): .json(200, JSON.event("ADDED", JSON.pod("b", version: "150")))
            case (.watchPods, 1): asEvent ? .json(200, JSON.event("ERROR", gone)) : .json(410, gone)
            default: nil
            }
        }
        try await cluster.run {
            try await cluster.until { cluster.count(.watchPods) >= 3 }
        }
        #expect(cluster.pods == ["a1"])
        #expect(cluster.requests(.listPods).map { $0.request.query("resourceVersion") } == ["0", "0"])
        #expect(cluster.requests(.watchPods).map { $0.request.query("resourceVersion") } == ["100", "150", "200"])
        #expect(cluster.telemetry.count("metadata_watch_expiries") == 1)
        #expect(cluster.directory.health == .current)
    }

    @Test func `a version that is forgotten at once leads to a list from the database`() async throws {
        let gone = JSON.status(410, "too old resource version")
        let cluster = try await cluster { request in
            switch (request.question, request.number) {
            case (.watchPods, 0...1): .json(410, gone)
            case (.watchPods, 2): .json(200, JSON.event("ADDED", JSON.pod("b", version: "150")))
            case (.watchPods, 3): .json(200, JSON.event("ERROR", gone))
            default: nil
            }
        }
        try await cluster.run {
            try await cluster.until { cluster.count(.watchPods) >= 5 }
        }
        let lists = cluster.requests(.listPods).map { $0.request.query("resourceVersion") ?? "none" }
        #expect(lists == ["0", "none", "none", "0"])
    }

    @Test func `a server that forgets everything is not pestered`() async throws {
        let cluster = try await cluster { request in
            request.question == .watchPods ? .json(410, JSON.status(410, "too old")) : nil
        }
        try await cluster.run {
            try await cluster.until { cluster.count(.listPods) >= 8 }
            try await Task.sleep(for: .seconds(1))
        }
        #expect(cluster.count(.listPods) < 8 + most)
    }

    // MARK: Waiting

    @Test(arguments: ["header", "date", "body"]) func `the server says how long to wait`(_ way: String) async throws {
        let cluster = try await cluster { request in
            guard request.question == .listPods, request.number == 0 else { return nil }
            let status = #"{"kind":"Status","code":429,"message":"slowly","details":{"retryAfterSeconds":1}}"#
            return switch way {
            case "header": .status(503, headers: ["Retry-After": "1"], "busy")
            case "date": .status(429, headers: ["Retry-After": httpDate(inSeconds: 2)], "busy")
            default: .json(429, status)
            }
        }
        // Not even a log that waits may go against it.
        cluster.directory.await(uid: "uid-new")
        try await cluster.run {
            try await cluster.until { cluster.count(.listPods) >= 1 }
            cluster.directory.await(uid: "uid-newer")
            try await cluster.until { cluster.count(.listPods) >= 2 }
        }
        let times = cluster.requests(.listPods).map(\.time)
        #expect((.seconds(1)...(.seconds(3))).contains(times[1] - times[0]), "\(times[1] - times[0])")
        #expect(cluster.telemetry.count("metadata_throttled") == 1)
    }

    private func httpDate(inSeconds seconds: Double) -> String {
        let format = DateFormatter()
        format.locale = Locale(identifier: "en_US_POSIX")
        format.timeZone = TimeZone(secondsFromGMT: 0)
        format.dateFormat = "EEE, dd MMM yyyy HH:mm:ss 'GMT'"
        return format.string(from: Date(timeIntervalSinceNow: seconds))
    }

    @Test func `a log that waits shortens the wait after failures`() async throws {
        var timing = Cluster.timing
        timing.watch.firstWait = .seconds(3600)
        timing.watch.longestWait = .seconds(3600)
        let cluster = try await cluster { request in
            request.question == .listPods && request.number < 3 ? .status(500) : nil
        }
        try await cluster.run(timing: timing) {
            try await cluster.until { cluster.telemetry.count("metadata_server_errors") >= 1 }
            cluster.directory.await(uid: "uid-new")
            try await cluster.until { cluster.count(.watchPods) >= 1 }
        }
        let times = cluster.requests(.listPods).map(\.time)
        for (earlier, later) in zip(times.dropFirst(), times.dropFirst(2)) {
            #expect(later - earlier >= .milliseconds(20), "half of the hurried wait at least")
        }
    }

    @Test(arguments: [401, 403]) func `a refusal is not hurried past`(_ status: Int) async throws {
        var timing = Cluster.timing
        timing.watch.refusedWait = .milliseconds(300)
        timing.watch.hurriedWait = .milliseconds(10)
        let cluster = try await cluster { request in
            request.question == .listPods ? .json(status, JSON.status(status, "no")) : nil
        }
        cluster.directory.await(uid: "uid-new")
        try await cluster.run(timing: timing) { try await cluster.until { cluster.count(.listPods) >= 3 } }
        let times = cluster.requests(.listPods).map(\.time)
        for (earlier, later) in zip(times, times.dropFirst()) { #expect(later - earlier >= .milliseconds(295)) }
    }

    @Test func `what may not be asked for is told with what to grant`() async throws {
        let cluster = try await cluster { request in
            switch request.question {
            case .listPods:
                request.number == 0 ? .json(403, JSON.status(403, "User \\\"me\\\" cannot list pods")) : nil
            case .watchPods: request.number == 0 ? .json(403, JSON.status(403, "nor watch")) : nil
            default: nil
            }
        }
        try await cluster.run { try await cluster.until { cluster.count(.watchPods) >= 2 } }
        let lines = cluster.telemetry.lines.filter { $0.contains(" error ") }
        #expect(lines.count == 2)
        #expect(lines.first?.contains(#"action="list pods" remedy="grant the verbs list and watch on pods"#) == true)
        #expect(lines.first?.contains(#"cannot list pods"#) == true)
        #expect(lines.last?.contains(#"action="watch pods""#) == true)
    }

    // MARK: Silence

    @Test func `a watch in which nothing comes is cut and goes on`() async throws {
        var timing = Cluster.timing
        timing.watch.watchSilence = .milliseconds(150)
        let dead = ScriptedServer.Stream(JSON.event("ADDED", JSON.pod("b", version: "101")))
        let cluster = try await cluster { request in
            switch (request.question, request.number) {
            case (.watchPods, 0): .watch(dead)
            case (.watchPods, 1): .watch(.init(JSON.event("ADDED", JSON.pod("c", version: "102"))))
            default: nil
            }
        }
        try await cluster.run(timing: timing) {
            try await cluster.until { cluster.pods.contains("c") }
        }
        await dead.ended()
        #expect(cluster.telemetry.count("metadata_stalls") >= 1)
        #expect(cluster.requests(.watchPods)[1].request.query("resourceVersion") == "101")
        #expect(cluster.count(.listPods) == 1)
    }

    @Test func `a watch that the server does not end is ended`() async throws {
        var timing = Cluster.timing
        timing.watch.watchSeconds = 0...0
        timing.watch.watchGrace = .milliseconds(200)
        timing.watch.watchSilence = .milliseconds(199)
        let cluster = try await cluster { request in
            request.question == .watchPods ? .watch(.init(JSON.event("ADDED", JSON.pod("b", version: "101")))) : nil
        }
        try await cluster.run(timing: timing) { try await cluster.until { cluster.count(.watchPods) >= 2 } }
    }

    @Test func `a server that never answers is given up after a time`() async throws {
        var timing = Cluster.timing
        timing.watch.head = .milliseconds(400)
        let cluster = try await cluster { request in
            switch (request.question, request.number) {
            case (.listPods, 0), (.watchPods, 0): .silence
            default: nil
            }
        }
        try await cluster.run(timing: timing) { try await cluster.until { cluster.count(.watchPods) >= 2 } }
        #expect(cluster.telemetry.count("metadata_stalls") >= 2)
        #expect(cluster.telemetry.said("no answer within"))
    }

    @Test func `a list that stops in its middle is given up after a time`() async throws {
        var timing = Cluster.timing
        timing.watch.listSilence = .milliseconds(150)
        let cluster = try await cluster { request in
            guard request.question == .listPods, request.number == 0 else { return nil }
            return .watch(.init(#"{"kind":"PodList","metadata":{"resourceVersion":"1"},"items":["#))
        }
        try await cluster.run(timing: timing) { try await cluster.until { cluster.count(.watchPods) >= 1 } }
        #expect(cluster.telemetry.count("metadata_stalls") == 1)
    }

    @Test func `what cannot be asked for does not stand in the way of pods`() async throws {
        let cluster = try await cluster { request in
            switch request.question {
            case .listPods: .list([JSON.pod("a")])
            case .listNamespaces: .json(403, JSON.status(403, "no"))
            default: nil
            }
        }
        var options = MetadataService.Options()
        options.namespaceLabels = true
        try await cluster.run(options: options) {
            try await cluster.until { cluster.pods == ["a"] && cluster.telemetry.count("metadata_forbidden") >= 2 }
            #expect(cluster.directory.health == .current)
        }
    }

    @Test func `stopping does not wait for a silent server`() async throws {
        let cluster = try await cluster { request in request.question == .listPods ? .silence : nil }
        try await cluster.run { try await cluster.until { cluster.count(.listPods) >= 1 } }
    }

    // MARK: Objects

    @Test func `an object that cannot be read takes nothing away`() async throws {
        let cluster = try await cluster { request in
            switch (request.question, request.number) {
            case (.listPods, _): .list([JSON.pod("a"), "{}", JSON.pod("b")])
            case (.watchPods, 0):
                .watch(
                    .init(
                        JSON.event("ADDED", "{}"), JSON.event("MOVED", JSON.pod("b")), "\n",
                        JSON.event("ADDED", JSON.pod("c", version: "102"))))
            default: nil
            }
        }
        try await cluster.run { try await cluster.until { cluster.pods.contains("c") } }
        #expect(cluster.pods == ["a", "b", "c", "known"])
        #expect(cluster.telemetry.count("metadata_objects_unreadable") == 3)
        #expect(cluster.count(.watchPods) == 1)
    }

    @Test func `an object over the limit is passed over, in a list and in a watch`() async throws {
        var timing = Cluster.timing
        timing.watch.objectLimit = 4096
        let cluster = try await cluster { request in
            switch (request.question, request.number) {
            case (.listPods, _): .list([JSON.pod("a"), JSON.pod("huge", padding: 100_000), JSON.pod("b")])
            case (.watchPods, 0):
                .watch(
                    .init(
                        JSON.event("MODIFIED", JSON.pod("huge", version: "101", padding: 100_000)),
                        JSON.event("ADDED", JSON.pod("c", version: "102"))))
            default: nil
            }
        }
        try await cluster.run(timing: timing) { try await cluster.until { cluster.pods.contains("c") } }
        #expect(cluster.pods == ["a", "b", "c", "known"], "nobody knows whether the huge one is the known one")
        #expect(cluster.telemetry.count("metadata_objects_too_large") == 2)
    }
}
