// metadata.json: what was known at the last stop is known at the next start.
import Disk
import HTTPTestKit
import Kubernetes
import PodMetadata
import TestKit
import Testing

@Suite("metadata.json", .timeLimit(.minutes(1))) struct KeepingTests {
    private func restored(_ cluster: Cluster, node: String = "node-1") -> PodDirectory {
        let directory = PodDirectory()
        MetadataService.restore(cluster.file, node: node, into: directory, telemetry: cluster.telemetry.telemetry)
        return directory
    }

    @Test func `what is known is saved soon, and at the end`() async throws {
        let stream = ScriptedServer.Stream()
        let cluster = try await Cluster { request in
            switch request.question {
            case .listPods: .list([JSON.pod("a")])
            case .watchPods: .watch(stream)
            default: nil
            }
        }
        var timing = Cluster.timing
        timing.saveDistance = .seconds(3600)
        try await cluster.run(timing: timing) {
            try await cluster.until { restored(cluster).snapshot.pods["uid-a"] != nil }
            stream.event("ADDED", JSON.pod("b", version: "101"))
            try await cluster.until { cluster.pods == ["a", "b"] }
        }
        #expect(Set(restored(cluster).snapshot.pods.keys) == ["uid-a", "uid-b"])
        #expect(cluster.telemetry.said("what was known of pods at the last stop is known again"))
    }

    @Test func `a file that is damaged is set aside`() async throws {
        let cluster = try await Cluster { request in request.question == .listPods ? .list([JSON.pod("a")]) : nil }
        try cluster.scratch.write("data/metadata.json", #"{"kind":"PodList","items":[{"#)
        #expect(restored(cluster).snapshot.pods.isEmpty)
        #expect(cluster.telemetry.count("metadata_files_damaged") == 1)
        #expect(Directory.status(cluster.file + ".damaged") != nil && Directory.status(cluster.file) == nil)
        try await cluster.run { try await cluster.until { restored(cluster).snapshot.pods["uid-a"] != nil } }
    }

    @Test func `a file of another node is not used, one that is missing is nothing to tell`() async throws {
        let cluster = try await Cluster { request in request.question == .listPods ? .list([JSON.pod("a")]) : nil }
        #expect(restored(cluster).snapshot.pods.isEmpty)
        #expect(cluster.telemetry.lines.isEmpty)
        try await cluster.run { try await cluster.until { cluster.pods == ["a"] } }
        #expect(restored(cluster, node: "node-2").snapshot.pods.isEmpty)
        #expect(cluster.telemetry.count("metadata_files_of_other_nodes") == 1)
    }

    @Test func `a disk that fails is told of once`() async throws {
        let files = FaultyFileSystem()
        files.fillUp(with: 28)
        let cluster = try await Cluster { request in request.question == .listPods ? .list([JSON.pod("a")]) : nil }
        try await cluster.run(fileSystem: files) {
            try await cluster.until { cluster.telemetry.count("metadata_save_failures") >= 3 }
            files.heal()
            try await cluster.until { cluster.telemetry.count("metadata_save_recoveries") >= 1 }
        }
        #expect(cluster.telemetry.lines.count { $0.contains(" warning ") } == 1)
        #expect(restored(cluster).snapshot.pods["uid-a"] != nil)
    }

    @Test func `the last bit of a disk is left to the store`() async throws {
        let files = FaultyFileSystem()
        files.answerFreeSpace([1 << 20])
        let cluster = try await Cluster { request in request.question == .listPods ? .list([JSON.pod("a")]) : nil }
        try await cluster.run(fileSystem: files) {
            try await cluster.until { cluster.telemetry.count("metadata_save_failures") >= 2 }
            #expect(Directory.status(cluster.file) == nil)
            files.answerFreeSpace([1 << 30])
            try await cluster.until { cluster.telemetry.count("metadata_save_recoveries") >= 1 }
        }
        #expect(restored(cluster).snapshot.pods["uid-a"] != nil)
    }

    @Test func `pods that are long gone are forgotten, but not while they have logs`() async throws {
        let cluster = try await Cluster { request in request.question == .listPods ? .list([JSON.pod("a")]) : nil }
        for name in ["logged", "gone"] {
            var pod = Pod(uid: "uid-\(name)", namespace: "shop", name: name)
            pod.deletedAt = 1
            cluster.directory.update(pod)
        }
        try LocalFileSystem().makeFolder(cluster.scratch.path("pods/shop_logged_uid-logged"))
        cluster.directory.keepPods(withLogsIn: cluster.scratch.path("pods"))
        var timing = Cluster.timing
        timing.purge = .milliseconds(20)
        try await cluster.run(timing: timing) {
            try await cluster.until { cluster.directory.snapshot.pods["uid-gone"] == nil && cluster.pods == ["a"] }
        }
        #expect(Set(restored(cluster).snapshot.pods.keys) == ["uid-a", "uid-logged"])
    }
}
