// Pods, namespaces and owners from an API server on which all goes well.
import HTTPTestKit
import Kubernetes
import PodMetadata
import TestKit
import Testing

@Suite("pods of an API server", .timeLimit(.minutes(1))) struct FlowTests {
    @Test func `a list, its watch, and the next watch behind it`() async throws {
        let first = ScriptedServer.Stream()
        let second = ScriptedServer.Stream()
        let cluster = try await Cluster { request in
            switch (request.question, request.number) {
            case (.listPods, _): .list([JSON.pod("a"), JSON.pod("b")], version: "100")
            case (.watchPods, 0): .watch(first)
            case (.watchPods, 1): .watch(second)
            default: nil
            }
        }
        try await cluster.run {
            try await cluster.until("listed") { cluster.pods == ["a", "b"] }
            first.event("ADDED", JSON.pod("c", version: "101"))
            try await cluster.until("added") { cluster.pods == ["a", "b", "c"] }
            first.event("MODIFIED", JSON.pod("a", version: "102", labels: #"{"tier":"web"}"#))
            first.event("DELETED", JSON.pod("b", version: "103", labels: #"{"last":"state"}"#))
            try await cluster.until("deleted") { cluster.pods == ["a", "c"] }
            first.bookmark("150")
            first.end()
            try await cluster.until("watched again") { cluster.count(.watchPods) >= 2 }
            second.event("MODIFIED", JSON.pod("c", version: "160", labels: #"{"tier":"db"}"#))
            try await cluster.until("modified") {
                cluster.directory.snapshot.pods["uid-c"]?.labels == [Label("tier", "db")]
            }
        }
        #expect(cluster.directory.snapshot.pods["uid-a"]?.labels == [Label("tier", "web")])
        #expect(cluster.directory.snapshot.pods["uid-b"]?.labels == [Label("last", "state")], "the last state stays")
        #expect(cluster.count(.listPods) == 1)
        let list = try #require(cluster.requests(.listPods).first?.request)
        #expect(list.seen.uri == "/api/v1/pods?resourceVersion=0&fieldSelector=spec.nodeName%3Dnode-1")
        #expect(list.seen.header("Accept") == "application/json")
        #expect(list.seen.header("User-Agent") == "sluice")
        let watches = cluster.requests(.watchPods).map(\.request)
        #expect(watches.map { $0.query("resourceVersion") } == ["100", "150"])
        for watch in watches {
            #expect(watch.query("allowWatchBookmarks") == "true")
            #expect(watch.query("fieldSelector") == "spec.nodeName=node-1")
            #expect((300...600).contains(watch.query("timeoutSeconds").flatMap { Int($0) } ?? 0))
        }
        #expect(cluster.directory.health == .current)
    }

    @Test func `namespaces bring their labels`() async throws {
        let stream = ScriptedServer.Stream()
        let cluster = try await Cluster { request in
            switch request.question {
            case .listNamespaces: .list([JSON.namespace("shop", team: "a"), JSON.namespace("bank", team: "b")])
            case .watchNamespaces: .watch(stream)
            default: nil
            }
        }
        var options = MetadataService.Options()
        options.namespaceLabels = true
        try await cluster.run(options: options) {
            try await cluster.until { cluster.directory.snapshot.namespaces["bank"] == [Label("team", "b")] }
            stream.event("MODIFIED", JSON.namespace("shop", team: "c", version: "101"))
            try await cluster.until { cluster.directory.snapshot.namespaces["shop"] == [Label("team", "c")] }
        }
        let list = try #require(cluster.requests(.listNamespaces).first?.request)
        let watch = try #require(cluster.requests(.watchNamespaces).first?.request)
        #expect(list.seen.header("Accept")?.hasPrefix("application/json;as=PartialObjectMetadataList;") == true)
        #expect(watch.seen.header("Accept")?.hasPrefix("application/json;as=PartialObjectMetadata;") == true)
        #expect(list.query("fieldSelector") == nil)
    }

    @Test func `namespaces and owners are not asked for where they are not wanted`() async throws {
        let cluster = try await Cluster { request in
            request.question == .listPods ? .list([JSON.pod("a", owner: ("ReplicaSet", "web-1"))]) : nil
        }
        var options = MetadataService.Options()
        options.asksOwners = false
        try await cluster.run(options: options) {
            try await cluster.until { cluster.count(.watchPods) >= 1 }
        }
        #expect(cluster.server.seen.count <= 2)
    }
}
