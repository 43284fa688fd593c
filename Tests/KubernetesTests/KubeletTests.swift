// Pods from a kubelet, which has to be asked again and again.
import HTTPTestKit
import Kubernetes
import PodMetadata
import TestKit
import Testing

@Suite("pods of a kubelet", .timeLimit(.minutes(1))) struct KubeletTests {
    @Test func `each answer is all there is`() async throws {
        let cluster = try await Cluster { request in
            .list(request.number == 0 ? [JSON.pod("a"), JSON.pod("b")] : [JSON.pod("b"), JSON.pod("c")], version: "")
        }
        try await cluster.run(kubelet: .milliseconds(50)) {
            try await cluster.until { cluster.count(.kubelet) >= 4 }
        }
        #expect(cluster.pods == ["b", "c"])
        #expect(cluster.directory.snapshot.pods["uid-a"]?.deletedAt != nil)
        #expect(cluster.server.seen.allSatisfy { $0.uri == "/pods" }, "a kubelet knows nothing else")
        let times = cluster.requests(.kubelet).map(\.time)
        for (earlier, later) in zip(times, times.dropFirst()) { #expect(later - earlier >= .milliseconds(20)) }
        #expect(cluster.server.connections == 1)
    }

    @Test func `a log that waits is a reason to ask, at growing distances`() async throws {
        let cluster = try await Cluster { request in
            .list(request.number < 4 ? [JSON.pod("a")] : [JSON.pod("a"), JSON.pod("new")], version: "")
        }
        try await cluster.run(kubelet: .seconds(3600)) {
            try await cluster.until { cluster.pods == ["a"] }
            cluster.directory.await(uid: "uid-new")
            try await cluster.until { cluster.pods == ["a", "new"] }
            cluster.directory.stopAwaiting(uid: "uid-new")
        }
        let times = cluster.requests(.kubelet).map(\.time)
        #expect(times.count == 5)
        let distances = zip(times, times.dropFirst()).map { $1 - $0 }
        #expect(distances.first.map { $0 >= .milliseconds(20) } == true, "not sooner after the last one than this")
        for (distance, least) in zip(distances.dropFirst(), [80, 160, 320]) {
            // Seen from the server, one may come late and the next in time.
            #expect(distance >= .milliseconds(least / 2))
        }
    }

    @Test func `what may not be asked for is told with what to grant`() async throws {
        let cluster = try await Cluster { request in
            request.number == 0
                ? .status(
                    403, headers: ["Content-Type": "text/plain"],
                    "Forbidden (user=me, verb=get, resource=nodes, subresource(s)=[pods proxy])")
                : .list([JSON.pod("a")], version: "")
        }
        try await cluster.run(kubelet: .milliseconds(50)) { try await cluster.until { cluster.pods == ["a"] } }
        let line = try #require(cluster.telemetry.lines.first { $0.contains(" error ") })
        #expect(line.contains("nodes/proxy") && line.contains("nodes/pods"))
        #expect(line.contains("subresource(s)=[pods proxy]"))
        #expect(cluster.directory.health == .current)
    }

    @Test(arguments: Fault.all + Fault.ofLists.filter { $0.testDescription != "no version" })
    func `an answer that is none takes nothing away`(_ fault: Fault) async throws {
        let cluster = try await Cluster { request in
            request.number == 0 ? .list([JSON.pod("a")], version: "") : fault.answer()
        }
        try await cluster.run(kubelet: .milliseconds(10)) {
            try await cluster.until { cluster.telemetry.count(fault.counter) >= 5 }
            let before = cluster.count(.kubelet)
            try await Task.sleep(for: .seconds(1))
            #expect(cluster.count(.kubelet) - before < 80)
        }
        #expect(cluster.pods == ["a"])
    }
}
