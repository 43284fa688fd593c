// An API server, or a kubelet, that tests play: real HTTPS on loopback, with a token, and answers that each test chooses.
import Disk
import Foundation
import HTTPTestKit
import HTTPTransport
import Kubernetes
import NIOSSL
import PodMetadata
import Synchronization
import TestKit

/// Certificates for all tests; making them takes longer than most tests do.
enum Certificates {
    static let shared = Result {
        let scratch = try ScratchDirectory()
        let ours = try TestCertificates(in: scratch.path)
        let strangers = try TestCertificates(in: scratch.path, name: "stranger")
        return (scratch: scratch, ours: ours, server: try ours.server(), stranger: strangers.authority)
    }
}

/// What is asked for.
enum Question: Hashable, Sendable {
    case listPods, watchPods, listNamespaces, watchNamespaces, kubelet
    /// An object, by its path.
    case object(String)
}

/// A request, as a test's script sees it.
struct Request: Sendable {
    let question: Question
    /// Counts those with the same question from 0.
    let number: Int
    let seen: ScriptedServer.Seen

    func query(_ name: String) -> String? { seen.query(name) }
}

/// The server, and all that the service under test needs.
final class Cluster: Sendable {
    let scratch: ScratchDirectory
    let telemetry = TestTelemetry()
    let directory = PodDirectory()
    let server: ScriptedServer
    private let log: RequestLog

    /// The requests so far, and when each came.
    private final class RequestLog: Sendable {
        let requests = Mutex<[(request: Request, time: ContinuousClock.Instant)]>([])

        func add(_ seen: ScriptedServer.Seen) -> Request {
            let question = Cluster.question(seen)
            return requests.withLock { requests in
                let request = Request(
                    question: question, number: requests.count { $0.request.question == question }, seen: seen)
                requests.append((request, .now))
                return request
            }
        }
    }

    /// - Parameters:
    ///   - token: the only one that is accepted; with nil none is asked for.
    ///   - tls: the certificate that is shown; by default one for localhost.
    ///   - answer: says what to do about a request; nil stands for what goes without saying: an empty list, a watch that stays
    ///     open, 404 for an object.
    init(
        token: String? = "right", tls: TLSConfiguration? = nil,
        answer: @escaping @Sendable (Request) -> ScriptedServer.Answer?
    ) async throws {
        scratch = try ScratchDirectory()
        try scratch.write("token", "right\n")
        let certificates = try Certificates.shared.get()
        try scratch.write("ca.pem", try ScratchDirectory.contents(of: certificates.ours.authority.certificate))
        let log = RequestLog()
        self.log = log
        server = try await ScriptedServer(tls: try tls ?? certificates.server.serverTLS()) { seen in
            let request = log.add(seen)
            if let token, seen.header("Authorization") != "Bearer \(token)" {
                return .json(401, #"{"kind":"Status","code":401,"message":"Unauthorized"}"#)
            }
            return answer(request) ?? Cluster.usual(request.question)
        }
    }

    private static func question(_ seen: ScriptedServer.Seen) -> Question {
        let watches = seen.query("watch") != nil
        switch seen.path {
        case "/api/v1/pods": return watches ? .watchPods : .listPods
        case "/api/v1/namespaces": return watches ? .watchNamespaces : .listNamespaces
        case "/pods": return .kubelet
        case let path: return .object(path)
        }
    }

    private static func usual(_ question: Question) -> ScriptedServer.Answer {
        switch question {
        case .listPods, .listNamespaces, .kubelet: .list([])
        case .watchPods, .watchNamespaces: .watch(.init())
        case .object: .json(404, #"{"kind":"Status","code":404,"message":"not found"}"#)
        }
    }

    /// All requests so far with this question, and when each came.
    func requests(_ question: Question) -> [(request: Request, time: ContinuousClock.Instant)] {
        log.requests.withLock { $0.filter { $0.request.question == question } }
    }

    /// How many requests there were so far with this question.
    func count(_ question: Question) -> Int { requests(question).count }

    // MARK: The service

    var tokenFile: String { scratch.path("token") }

    var access: ClusterAccess {
        var access = ClusterAccess(
            server: "https://127.0.0.1:\(server.port)", credentials: .tokenFile(tokenFile), origin: "a test")
        access.authority = .file(scratch.path("ca.pem"))
        return access
    }

    /// Quick ones: failures are followed by waits of up to 10, 20, 40 and 80 ms.
    static var timing: MetadataService.Timing {
        var timing = MetadataService.Timing()
        timing.watch.start = .zero
        timing.watch.renewal = .milliseconds(20)
        timing.watch.progressWait = .milliseconds(40)
        timing.watch.firstWait = .milliseconds(10)
        timing.watch.longestWait = .milliseconds(80)
        timing.watch.hurriedWait = .milliseconds(40)
        timing.watch.refusedWait = .milliseconds(100)
        timing.ownerDistance = .milliseconds(5)
        timing.saveDelay = .milliseconds(20)
        timing.saveDistance = .milliseconds(40)
        return timing
    }

    var file: String { scratch.path("data/metadata.json") }

    /// Runs the service as long as the body does. It has to end soon after it was told to.
    func run(
        _ access: ClusterAccess? = nil, kubelet poll: Duration? = nil, options: MetadataService.Options = .init(),
        timing: MetadataService.Timing = Cluster.timing, fileSystem: any FileSystem = LocalFileSystem(),
        _ body: @Sendable () async throws -> Void
    ) async throws {
        let access = access ?? self.access
        let service = MetadataService(
            source: poll.map { .kubelet(access, poll: $0) } ?? .api(access), node: "node-1", directory: directory,
            options: options, file: file, telemetry: telemetry.telemetry,
            fileSystem: fileSystem, timing: timing)
        var told = ContinuousClock.now
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { await service.run() }
            defer { group.cancelAll() }
            try await body()
            told = .now
        }
        let took = ContinuousClock.now - told
        if took > .seconds(3) { throw Slow(description: "the service took \(took) to end") }
    }

    /// The names of the pods that are known and there.
    var pods: Set<String> { Set(directory.snapshot.pods.values.filter { $0.deletedAt == nil }.map(\.name)) }

    /// Waits until something is so; it has to be within 20 seconds.
    func until(_ what: String = "", _ isSo: @Sendable () -> Bool) async throws {
        let limit = ContinuousClock.now + .seconds(20)
        while !isSo() {
            if ContinuousClock.now > limit {
                throw Slow(
                    description: "it never was so: \(what); " + telemetry.lines.suffix(20).joined(separator: "\n"))
            }
            try await Task.sleep(for: .milliseconds(5))
        }
    }
}

/// What took too long.
struct Slow: Error, CustomStringConvertible {
    let description: String
}

extension ScriptedServer.Answer {
    /// An answer in JSON.
    static func json(_ status: Int, _ body: String) -> Self {
        .status(status, headers: ["Content-Type": "application/json"], body)
    }

    /// A list.
    static func list(_ items: [String], version: String = "100") -> Self {
        .json(
            200,
            #"{"kind":"PodList","apiVersion":"v1","metadata":{"resourceVersion":"\#(version)"},"items":[\#(items.joined(separator: ","))]}"#
        )
    }

    /// A watch whose events the test sends.
    static func watch(_ stream: ScriptedServer.Stream) -> Self {
        .stream(200, headers: ["Content-Type": "application/json"], stream)
    }
}

extension ScriptedServer.Stream {
    /// Sends an event.
    func event(_ type: String, _ object: String) { send(JSON.event(type, object)) }

    /// Sends a bookmark.
    func bookmark(_ version: String) {
        event("BOOKMARK", #"{"kind":"Pod","metadata":{"resourceVersion":"\#(version)"}}"#)
    }

    /// A stream that has these events from its beginning.
    convenience init(_ events: String...) {
        self.init()
        for event in events { send(event) }
    }
}

/// Objects as the API writes them.
enum JSON {
    static func event(_ type: String, _ object: String) -> String { #"{"type":"\#(type)","object":\#(object)}"# + "\n" }

    /// A pod whose uid is `uid-<name>`.
    static func pod(
        _ name: String, version: String = "1", labels: String = "{}", owner: (kind: String, name: String)? = nil,
        padding: Int = 0
    ) -> String {
        let owners = owner.map {
            #"[{"kind":"\#($0.kind)","name":"\#($0.name)","uid":"uid-\#($0.name)","controller":true}]"#
        }
        let padding = String(repeating: "x", count: padding)
        return
            #"{"kind":"Pod","metadata":{"name":"\#(name)","namespace":"shop","uid":"uid-\#(name)","resourceVersion":"\#(version)","labels":\#(labels),"annotations":{"padding":"\#(padding)"},"ownerReferences":\#(owners ?? "[]")},"spec":{"nodeName":"node-1"},"status":{"podIP":"10.0.0.1"}}"#
    }

    static func namespace(_ name: String, team: String, version: String = "1") -> String {
        #"{"kind":"PartialObjectMetadata","metadata":{"name":"\#(name)","resourceVersion":"\#(version)","labels":{"team":"\#(team)"}}}"#
    }

    static func status(_ code: Int, _ message: String, reason: String = "") -> String {
        #"{"kind":"Status","apiVersion":"v1","status":"Failure","code":\#(code),"reason":"\#(reason)","message":"\#(message)"}"#
    }
}
