// Who owns the owners of pods.
import HTTPTestKit
import Kubernetes
import PodMetadata
import TestKit
import Testing

@Suite("owners of owners", .timeLimit(.minutes(1))) struct OwnerTests {
    private static let web = JSON.pod("a", labels: #"{"pod-template-hash":"5d4"}"#, owner: ("ReplicaSet", "web-5d4"))
    private static let path = "/apis/apps/v1/namespaces/shop/replicasets/web-5d4"

    private static func object(_ name: String, uid: String? = nil, owner: String = "") -> String {
        #"{"kind":"PartialObjectMetadata","metadata":{"name":"\#(name)","namespace":"shop","uid":"\#(uid ?? "uid-\(name)")"\#(owner.isEmpty ? "" : #","ownerReferences":[{"kind":"Rollout","name":"\#(owner)","uid":"r","controller":true}]"#)}}"#
    }

    /// A cluster with one pod of a ReplicaSet.
    private func cluster(_ answer: @escaping @Sendable (Int) -> ScriptedServer.Answer?) async throws -> Cluster {
        try await Cluster { request in
            switch request.question {
            case .listPods: .list([OwnerTests.web])
            case .object: answer(request.number)
            default: nil
            }
        }
    }

    private func owner(_ cluster: Cluster) -> Owner? { cluster.directory.snapshot.pods["uid-a"]?.owner }

    @Test func `the controller of the ReplicaSet owns the pod`() async throws {
        let cluster = try await cluster { _ in .json(200, OwnerTests.object("web-5d4", owner: "web-canary")) }
        try await cluster.run {
            try await cluster.until { owner(cluster) == Owner(kind: "Rollout", name: "web-canary", uid: "r") }
        }
        let asked = cluster.requests(.object(OwnerTests.path))
        #expect(asked.count == 1)
        #expect(
            asked.first?.request.seen.header("Accept")?.hasPrefix("application/json;as=PartialObjectMetadata;") == true)
    }

    @Test func `a Job that nobody owns owns its pod`() async throws {
        let cluster = try await Cluster { request in
            switch request.question {
            case .listPods: .list([JSON.pod("a", owner: ("Job", "import"))])
            case .object("/apis/batch/v1/namespaces/shop/jobs/import"): .json(200, OwnerTests.object("import"))
            default: nil
            }
        }
        try await cluster.run {
            try await cluster.until { cluster.pods == ["a"] && cluster.directory.unknownControllers.isEmpty }
        }
        #expect(owner(cluster) == Owner(kind: "Job", name: "import", uid: "uid-import"))
        #expect(cluster.count(.object("/apis/batch/v1/namespaces/shop/jobs/import")) == 1)
    }

    @Test(arguments: ["missing", "another uid"]) func `an owner that is gone is taken from its name`(
        _ way: String
    ) async throws {
        let cluster = try await cluster { _ in
            way == "missing" ? nil : .json(200, OwnerTests.object("web-5d4", uid: "later", owner: "other"))
        }
        try await cluster.run {
            try await cluster.until { !cluster.requests(.object(OwnerTests.path)).isEmpty }
            try await cluster.until { cluster.directory.unknownControllers.isEmpty }
        }
        #expect(owner(cluster) == Owner(kind: "Deployment", name: "web"))
        #expect(cluster.count(.object(OwnerTests.path)) == 1)
    }

    @Test func `what may not be asked for is told once, and asked for again much later`() async throws {
        var timing = Cluster.timing
        timing.ownersRefused = .milliseconds(200)
        let cluster = try await cluster { number in
            number < 3
                ? .json(403, JSON.status(403, "no")) : .json(200, OwnerTests.object("web-5d4", owner: "web-canary"))
        }
        try await cluster.run(timing: timing) {
            try await cluster.until { owner(cluster) == Owner(kind: "Deployment", name: "web") }
            try await cluster.until { owner(cluster)?.kind == "Rollout" }
        }
        let times = cluster.requests(.object(OwnerTests.path)).map(\.time)
        #expect(times.count == 4)
        for (earlier, later) in zip(times, times.dropFirst()) { #expect(later - earlier >= .milliseconds(195)) }
        let lines = cluster.telemetry.lines.filter { $0.contains("who owns pods") }
        #expect(lines.count == 3 && lines.count { $0.contains(" notice ") } == 1)
        #expect(lines.first?.contains("get replicasets.apps in namespace shop") == true)
        #expect(cluster.directory.health == .current)
    }

    @Test func `a failure is followed by another question`() async throws {
        let cluster = try await cluster { number in
            switch number {
            case 0: .status(500)
            case 1: .hangUp
            case 2: .json(200, "no object")
            default: .json(200, OwnerTests.object("web-5d4", owner: "web-canary"))
            }
        }
        try await cluster.run { try await cluster.until { owner(cluster)?.kind == "Rollout" } }
        #expect(cluster.telemetry.count("metadata_owner_failures") >= 2)
    }

    @Test func `few are asked for in a second`() async throws {
        var timing = Cluster.timing
        timing.ownerDistance = .milliseconds(50)
        let cluster = try await Cluster { request in
            request.question == .listPods
                ? .list((0..<8).map { JSON.pod("p\($0)", owner: ("ReplicaSet", "r\($0)")) }) : nil
        }
        try await cluster.run(timing: timing) {
            let start = ContinuousClock.now
            try await cluster.until { cluster.directory.unknownControllers.isEmpty && cluster.pods.count == 8 }
            #expect(ContinuousClock.now - start >= .milliseconds(350))
        }
    }
}
