// `sluice run` beside an API server: what records show of their pods while pods come, change, go, and are unknown.
import Foundation
import Glibc
import HTTPTestKit
import Records
import TestKit
import Testing

@Suite("pods' metadata")
struct MetadataTests {
    /// What tests look at in a record.
    private struct Record: Decodable {
        struct Kubernetes: Decodable {
            let pod_name: String
            let pod_uid: String
            let container_image: String?
            let owner_kind: String?
            let owner_name: String?
            let labels: [String: String]?
            let namespace_labels: [String: String]?
            let metadata: String?
        }
        let message: String
        let kubernetes: Kubernetes
    }

    private struct Scene {
        let cluster: TestCluster
        let kubelet: KubeletEmulator
        let agent: Agent

        init(input: String = "json: off", more: String = "") async throws {
            cluster = try await TestCluster()
            let scratch = try ScratchDirectory()
            kubelet = try KubeletEmulator(root: scratch.path)
            agent = try Agent(
                pods: kubelet.pods, links: kubelet.links, input: input, more: cluster.section(scratch, more: more))
            keep = scratch
        }

        private let keep: ScratchDirectory

        var records: [Record] {
            agent.delivered.split(separator: "\n").compactMap {
                try? JSONDecoder().decode(Record.self, from: Data($0.utf8))
            }
        }

        func write(_ text: String, _ container: EmulatedContainer) throws {
            try container.write(Array(text.utf8), to: .stdout)
        }

        func record(_ message: String) throws -> Record {
            try #require(records.first { $0.message == message }, "no record '\(message)'")
        }

        func delivered(_ message: String, _ running: Running) async throws -> Record {
            try await running.eventually("'\(message)'") { agent.delivered.contains("\"\(message)\"") }
            return try record(message)
        }
    }

    @Test func `labels are those of the moment, and outlive the pod`() async throws {
        let scene = try await Scene()
        var pod = TestCluster.Pod(
            "web-5c4bdbb59b-x2x4z", uid: "u1", labels: ["app": "web", "pod-template-hash": "5c4bdbb59b"])
        pod.owner = ("ReplicaSet", "web-5c4bdbb59b", "rs")
        scene.cluster.put(pod)
        let log = try scene.kubelet.start(pod: pod.name, uid: "u1")
        try scene.write("one", log)
        let running = try scene.agent.start()
        let one = try await scene.delivered("one", running)
        #expect(one.kubernetes.labels == pod.labels && one.kubernetes.container_image == "nginx:1.27")
        #expect(one.kubernetes.owner_kind == "Deployment" && one.kubernetes.owner_name == "web")

        // Edited while it runs. The change is there once the next snapshot is written.
        pod.labels["version"] = "2"
        scene.cluster.put(pod)
        try await running.eventually("the new label in metadata.json") {
            (try? String(contentsOfFile: scene.agent.data + "/metadata.json", encoding: .utf8))?.contains("version")
                ?? false
        }
        try scene.write("two", log)
        #expect(try await scene.delivered("two", running).kubernetes.labels == pod.labels)

        // Deleted before its last lines are written and read.
        scene.cluster.delete(pod)
        var other = TestCluster.Pod("other", uid: "u9")
        other.labels = ["mark": "1"]
        scene.cluster.put(other)
        let mark = try scene.kubelet.start(pod: "other", uid: "u9")
        try scene.write("mark", mark)
        #expect(try await scene.delivered("mark", running).kubernetes.labels == ["mark": "1"])
        try scene.write("last words", log)
        #expect(try await scene.delivered("last words", running).kubernetes.labels == pod.labels)

        // The same name again, as a stateful set does it, with another uid.
        var again = TestCluster.Pod(pod.name, uid: "u2", labels: ["app": "web", "life": "second"])
        again.owner = ("StatefulSet", "web", "sts")
        scene.cluster.put(again)
        let second = try scene.kubelet.start(pod: pod.name, uid: "u2")
        try scene.write("reborn", second)
        try scene.write("still the old one", log)
        let reborn = try await scene.delivered("reborn", running)
        #expect(reborn.kubernetes.labels == again.labels && reborn.kubernetes.owner_kind == "StatefulSet")
        #expect(try await scene.delivered("still the old one", running).kubernetes.labels == pod.labels)

        let outcome = try await running.stop()
        #expect(outcome.status == 0)
        #expect(scene.records.allSatisfy { $0.kubernetes.metadata == nil })
        #expect(scene.records.count == 6)

        // And it can be asked for.
        func tail(_ arguments: String...) async throws -> [String] {
            let outcome = try await Running(
                Program.path,
                ["tail", "--data-dir", scene.agent.data, "--root", "/nonexistent", "--output", "cat"] + arguments
            ).outcome()
            return outcome.lines.map(String.init).filter { !$0.hasPrefix("--") }
        }
        #expect(try await tail("-l", "life=second") == ["reborn"])
        // Not a word of others.
        let words = try await Program.run(
            "tail", "--data-dir", scene.agent.data, "--root", "/nonexistent", "-l", "life=second")
        #expect(!words.output.contains("other"), "\(words.output)")
        #expect(try await tail("-l", "version=2") == ["two", "last words", "still the old one"])
        #expect(try await tail("deploy/web") == ["one", "two", "last words", "still the old one"])
        #expect(try await tail("sts/web") == ["reborn"])
        let pods = try await Program.run("pods", "--data-dir", scene.agent.data)
        #expect(pods.output.contains("deployment/web") && pods.output.contains("statefulset/web"))
    }

    @Test func `a pod that is told of too late has partial records, then complete ones`() async throws {
        let scene = try await Scene(more: ", metadata_wait: 3s")
        let log = try scene.kubelet.start(pod: "late", uid: "u1")
        try scene.write("early", log)
        let running = try scene.agent.start()
        let early = try await scene.delivered("early", running)
        #expect(early.kubernetes.metadata == "partial" && early.kubernetes.labels == nil)
        let pod = TestCluster.Pod("late", uid: "u1", labels: ["app": "late"])
        scene.cluster.put(pod)
        var count = 0
        try await running.eventually("a complete record") {
            count += 1
            try scene.write("line \(count)", log)
            return scene.records.contains { $0.kubernetes.labels == pod.labels }
        }
        running.send(SIGUSR1)
        try await running.eventually("the counts") { running.errors.contains("metadata_completed_logs") }
        #expect(running.errors.contains(/metadata_partial_logs +1\n/))
        let outcome = try await running.stop()
        #expect(outcome.errors.contains("a pod is not known after metadata_wait"))
        #expect(outcome.errors.contains("pod=late uid=u1 container=app reason=\"there are no pods on a node node-1;"))
        let ledger = try await Program.run("ledger", "--data-dir", scene.agent.data, "--output", "json")
        let partial = scene.records.count { $0.kubernetes.metadata == "partial" }
        #expect(ledger.output.replacing(" ", with: "").contains("\"partial_metadata_records\":\(partial)"))
    }

    @Test func `a start while nobody answers has what was known at the last stop`() async throws {
        let scene = try await Scene()
        let pod = TestCluster.Pod("web", uid: "u1", labels: ["app": "web"])
        scene.cluster.put(pod)
        let log = try scene.kubelet.start(pod: "web", uid: "u1")
        try scene.write("one", log)
        let first = try scene.agent.start()
        _ = try await scene.delivered("one", first)
        #expect(try await first.stop().status == 0)
        scene.cluster.refuse(503)
        scene.cluster.endWatches()
        try scene.write("two", log)
        let second = try scene.agent.start()
        #expect(try await scene.delivered("two", second).kubernetes.labels == pod.labels)
        try await second.kill9()
        // A damaged file is no reason not to start, and what is told replaces it.
        try "{\"kind\":\"PodList\",".write(
            toFile: scene.agent.data + "/metadata.json", atomically: true, encoding: .utf8)
        scene.cluster.refuse(nil)
        try scene.write("three", log)
        let third = try scene.agent.start()
        #expect(try await scene.delivered("three", third).kubernetes.labels == pod.labels)
        #expect(try await third.stop().status == 0)
        #expect(FileManager.default.fileExists(atPath: scene.agent.data + "/metadata.json.damaged"))
    }

    @Test func `--once waits for pods, and ends`() async throws {
        let scene = try await Scene(more: ", metadata_wait: 20s")
        let pod = TestCluster.Pod("web", uid: "u1", labels: ["app": "web"])
        scene.cluster.put(pod)
        let log = try scene.kubelet.start(pod: "web", uid: "u1")
        for number in 0..<100 { try scene.write("line \(number)", log) }
        let outcome = try await scene.agent.runOnce()
        #expect(outcome.status == 0)
        #expect(scene.records.count == 100 && scene.records.allSatisfy { $0.kubernetes.labels == pod.labels })
    }

    @Test func `annotations exclude, choose a parser, and are told when they cannot be followed`() async throws {
        let scene = try await Scene(input: "json: off")
        var quiet = TestCluster.Pod("quiet", uid: "u1")
        quiet.annotations = ["sluice.dev/exclude": "true"]
        var klog = TestCluster.Pod("klog", uid: "u2")
        klog.annotations = ["sluice.dev/parser": "klog", "fluentbit.io/exclude-app": "perhaps"]
        for pod in [quiet, klog] { scene.cluster.put(pod) }
        let quietLog = try scene.kubelet.start(pod: "quiet", uid: "u1")
        let klogLog = try scene.kubelet.start(pod: "klog", uid: "u2")
        try scene.write("not for everybody", quietLog)
        try scene.write("E1123 03:28:02.913293   16167 kubelet.go:2243] \"It broke\" pod=\"a\"", klogLog)
        let running = try scene.agent.start()
        try await running.eventually("the line of klog") { scene.agent.delivered.contains("It broke") }
        #expect(scene.agent.delivered.contains(#""message":"It broke","caller":"kubelet.go:2243""#))
        #expect(!scene.agent.delivered.contains("not for everybody"))
        // Wanted again: it goes on from where reading stands, which is the start.
        quiet.annotations = [:]
        scene.cluster.put(quiet)
        _ = try await scene.delivered("not for everybody", running)
        // And not wanted again, while it runs: what is written then is not read.
        quiet.annotations = ["fluentbit.io/exclude": "true"]
        quiet.labels = ["now": "excluded"]
        scene.cluster.put(quiet)
        try await running.eventually("the change in metadata.json") {
            (try? String(contentsOfFile: scene.agent.data + "/metadata.json", encoding: .utf8))?.contains("excluded")
                ?? false
        }
        try scene.write("secret", quietLog)
        let mark = try scene.kubelet.start(pod: "klog", uid: "u2", name: "mark")
        try scene.write("mark", mark)
        try await running.eventually("the mark") { scene.agent.delivered.contains("\"mark\"") }
        let outcome = try await running.stop()
        #expect(!scene.agent.delivered.contains("secret"))
        #expect(
            outcome.errors.contains(
                "annotation=fluentbit.io/exclude-app value=perhaps reason=\"is neither true nor false\""))
    }

    @Test func `a pod that calls itself a static pod's mirror does not silence it`() async throws {
        let scene = try await Scene(more: ", metadata_wait: 3s")
        var liar = TestCluster.Pod("liar", uid: "l1", labels: ["app": "liar"])
        liar.annotations = ["kubernetes.io/config.mirror": "hash1", "sluice.dev/exclude": "true"]
        scene.cluster.put(liar)
        let log = try scene.kubelet.start(namespace: "kube-system", pod: "etcd-node-1", uid: "hash1")
        try scene.write("still heard", log)
        let running = try scene.agent.start()
        let record = try await scene.delivered("still heard", running)
        #expect(record.kubernetes.labels == nil && record.kubernetes.metadata == "partial")
        #expect(try await running.stop().status == 0)
    }

    @Test func `labels of namespaces, and labels in the style of others`() async throws {
        let scene = try await Scene(more: ", namespace_labels: true, labels_style: dedot, labels: [\"app*\"]")
        scene.cluster.put(namespace: "shop", labels: ["team": "a"])
        scene.cluster.put(TestCluster.Pod("web", uid: "u1", labels: ["app.kubernetes.io/name": "web", "other": "x"]))
        let log = try scene.kubelet.start(pod: "web", uid: "u1")
        let running = try scene.agent.start()
        var count = 0
        try await running.eventually("the namespace's labels") {
            count += 1
            try scene.write("line \(count)", log)
            return scene.records.last?.kubernetes.namespace_labels == ["team": "a"]
        }
        #expect(scene.records.last?.kubernetes.labels == ["app_kubernetes_io/name": "web"])
        scene.cluster.put(namespace: "shop", labels: ["team": "b"])
        try await running.eventually("the namespace's new labels") {
            count += 1
            try scene.write("line \(count)", log)
            return scene.records.last?.kubernetes.namespace_labels == ["team": "b"]
        }
        #expect(try await running.stop().status == 0)
    }
}
