// What the directory makes of what it is told.
import Disk
import PodMetadata
import TestKit
import Testing

@Suite("the directory of pods")
struct PodDirectoryTests {
    private let directory = PodDirectory()

    private func pod(_ name: String, uid: String? = nil, labels: [Label] = []) -> Pod {
        var pod = Pod(uid: uid ?? "uid-\(name)", namespace: "shop", name: name)
        pod.labels = labels
        return pod
    }

    @Test func `a list replaces what was known, and what is gone stays, marked`() {
        directory.replaceAll(with: [pod("a"), pod("b")], now: 1)
        directory.replaceAll(with: [pod("b"), pod("c")], now: 2)
        let pods = directory.snapshot.pods
        #expect(pods.count == 3)
        #expect(pods["uid-a"]?.deletedAt == 2)
        #expect(pods["uid-b"]?.deletedAt == nil && pods["uid-c"]?.deletedAt == nil)
        // It is there again, whatever was thought of it.
        directory.replaceAll(with: [pod("a")], now: 3)
        #expect(directory.snapshot.pods["uid-a"]?.deletedAt == nil)
    }

    @Test func `what is told again changes nothing`() {
        directory.update(pod("a"))
        let number = directory.currentNumber
        directory.update(pod("a"))
        directory.replaceAll(with: [pod("a")], now: 1)
        #expect(directory.currentNumber == number)
        #expect(directory.changes(since: number) == [])
    }

    @Test func `changes are known one by one, for a while`() {
        directory.update(pod("a"))
        let number = directory.currentNumber
        directory.update(pod("b"))
        directory.update(pod("a", labels: [Label("x", "y")]))
        #expect(directory.changes(since: number) == ["uid-a", "uid-b"])
        #expect(directory.changes(since: directory.currentNumber) == [])
        for turn in 0..<2_000 { directory.update(pod("c", labels: [Label("turn", "\(turn)")])) }
        #expect(directory.changes(since: number) == nil, "who is too far behind looks at everything")
        #expect(directory.changes(since: directory.currentNumber - 10) == ["uid-c"])
    }

    @Test func `the address of a pod outlives it, and so do its last labels`() {
        var running = pod("a", labels: [Label("app", "web")])
        running.ip = "10.0.0.1"
        directory.update(running)
        var last = running
        last.ip = ""
        last.labels = [Label("app", "web"), Label("last", "yes")]
        directory.remove(last, now: 7)
        let known = directory.snapshot.pods["uid-a"]
        #expect(known?.ip == "10.0.0.1" && known?.labels == last.labels && known?.deletedAt == 7)
    }

    @Test func `a mirror pod that was made anew is not deleted with the old one`() {
        func mirror(_ apiUID: String) -> Pod {
            var mirror = pod("etcd", uid: "hash")
            mirror.apiUID = apiUID
            mirror.isStatic = true
            return mirror
        }
        directory.update(mirror("one"))
        directory.update(mirror("two"))
        directory.remove(mirror("one"), now: 5)
        #expect(directory.snapshot.pods["hash"]?.deletedAt == nil)
        directory.remove(mirror("two"), now: 6)
        #expect(directory.snapshot.pods["hash"]?.deletedAt == 6)
    }

    @Test func `a pod that calls itself another one's mirror is not believed`() {
        directory.update(pod("real", uid: "victim"))
        var liar = pod("liar", uid: "victim")
        liar.apiUID = "liar"
        liar.isStatic = true
        directory.update(liar)
        #expect(directory.snapshot.pods["victim"]?.name == "real")
    }

    @Test func `an odd time in the file of the last stop does no harm`() {
        var old = pod("a")
        old.deletedAt = .min
        var file = MetadataFile(node: "node")
        file.pods = [old]
        directory.restore(file)
        directory.purge(now: 1_795_402_800_000_000_000)
        #expect(directory.snapshot.pods.isEmpty)
    }

    @Test func `labels of a namespace that is gone stay with the pods that it had`() {
        directory.update(pod("a"))
        directory.replaceNamespaces(with: ["shop": [Label("team", "x")]])
        directory.replaceAll(with: [], now: 1)
        directory.replaceNamespaces(with: [:])
        #expect(directory.snapshot.namespaces["shop"] == [Label("team", "x")])
    }

    @Test func `namespaces that come and go are not kept for ever`() {
        for number in 0..<1_000 {
            directory.updateNamespace("ci-\(number)", labels: [Label("build", "\(number)")])
            directory.updateNamespace("ci-\(number)", labels: nil)
        }
        directory.purge(now: 1)
        #expect(directory.snapshot.namespaces.count < 10)
    }

    @Test func `a static pod's logs are not another pod's because that says so`() {
        func mirror(_ name: String, _ apiUID: String, _ labels: [Label]) -> Pod {
            var mirror = pod(name, uid: "hash", labels: labels)
            mirror.apiUID = apiUID
            mirror.isStatic = true
            return mirror
        }
        directory.update(mirror("etcd", "real", [Label("component", "etcd")]))
        directory.update(mirror("liar", "liar", [Label("component", "lies")]))
        #expect(directory.snapshot.pods["hash"]?.name == "etcd")
        directory.remove(mirror("liar", "liar", [Label("component", "lies")]), now: 1)
        #expect(directory.snapshot.pods["hash"]?.name == "etcd")
        #expect(directory.snapshot.pods["hash"]?.deletedAt == nil)
    }

    @Test func `a name that is used again is another pod`() {
        directory.update(pod("db-0", uid: "one", labels: [Label("revision", "1")]))
        directory.remove(pod("db-0", uid: "one", labels: [Label("revision", "1")]), now: 1)
        directory.update(pod("db-0", uid: "two", labels: [Label("revision", "2")]))
        #expect(directory.snapshot.pods["one"]?.labels == [Label("revision", "1")])
        #expect(directory.snapshot.pods["two"]?.labels == [Label("revision", "2")])
    }

    @Test func `owners that are learned count for all pods, now and later`() {
        var first = pod("web-1", labels: [Label("pod-template-hash", "5c4bdbb59b")])
        first.controller = Owner(kind: "ReplicaSet", name: "web-5c4bdbb59b", uid: "rs")
        directory.update(first)
        #expect(directory.snapshot.pods["uid-web-1"]?.owner == Owner(kind: "Deployment", name: "web"))
        #expect(directory.unknownControllers.map(\.controller.name) == ["web-5c4bdbb59b"])
        let number = directory.currentNumber
        directory.learn(owner: Owner(kind: "Rollout", name: "shop-web", uid: "r"), of: "rs")
        #expect(directory.changes(since: number) == ["uid-web-1"])
        #expect(directory.unknownControllers.isEmpty)
        var second = first
        second.uid = "uid-web-2"
        directory.update(second)
        #expect(directory.snapshot.pods["uid-web-2"]?.owner?.name == "shop-web")
    }

    @Test func `labels of namespaces are those of their pods' records`() {
        directory.update(pod("a"))
        var number = directory.currentNumber
        directory.replaceNamespaces(with: ["shop": [Label("team", "x")], "other": []])
        #expect(directory.changes(since: number) == ["uid-a"])
        number = directory.currentNumber
        directory.updateNamespace("other", labels: [Label("a", "b")])
        #expect(directory.changes(since: number) == [])
        directory.updateNamespace("shop", labels: nil)
        #expect(
            directory.snapshot.namespaces["shop"] == [Label("team", "x")], "its last pods' lines are still to be read")
    }

    @Test func `what is gone is forgotten after an hour, unless its logs are there`() throws {
        let scratch = try ScratchDirectory()
        try LocalFileSystem().makeFolder(scratch.path + "/shop_b_uid-b")
        directory.keepPods(withLogsIn: scratch.path)
        directory.replaceAll(with: [pod("a"), pod("b"), pod("c")], now: 0)
        directory.replaceAll(with: [pod("c")], now: 10)
        directory.purge(now: 10 + PodDirectory.retention)
        #expect(directory.snapshot.pods.count == 3)
        directory.purge(now: 11 + PodDirectory.retention)
        #expect(directory.snapshot.pods.keys.sorted() == ["uid-b", "uid-c"])
    }

    @Test func `of those that are gone a thousand are kept`() {
        for number in 0..<1_500 { directory.remove(pod("p\(number)"), now: Int64(number)) }
        directory.purge(now: 1_500)
        #expect(directory.snapshot.pods.count == PodDirectory.mostDeleted)
        #expect(directory.snapshot.pods["uid-p499"] == nil && directory.snapshot.pods["uid-p500"] != nil)
    }

    @Test func `what is restored gives way to what is known`() {
        var file = MetadataFile(node: "node")
        file.pods = [pod("a", labels: [Label("old", "1")]), pod("b", labels: [Label("old", "1")])]
        directory.update(pod("a", labels: [Label("new", "1")]))
        directory.restore(file)
        #expect(directory.snapshot.pods["uid-a"]?.labels == [Label("new", "1")])
        #expect(directory.snapshot.pods["uid-b"]?.labels == [Label("old", "1")])
        #expect(directory.file(node: "node").pods.map(\.name) == ["a", "b"])
    }

    @Test func `a change rings, and so does a wait`() async throws {
        let bell = try Bell()
        let poller = try Poller(bell: bell)
        directory.ring(bell)
        directory.update(pod("a"))
        let rang = poller.pause(nanoseconds: 5_000_000_000)
        #expect(rang)
        directory.update(pod("a"))
        let rangAgain = poller.pause(nanoseconds: 1_000_000)
        #expect(!rangAgain, "nothing has changed")
        directory.await(uid: "x")
        directory.await(uid: "x")
        #expect(directory.isAwaited)
        for await _ in directory.demand { break }
        directory.stopAwaiting(uid: "x")
        #expect(directory.isAwaited)
        directory.stopAwaiting(uid: "x")
        #expect(!directory.isAwaited)
    }
}

@Suite("owners by their names")
struct OwnerRulesTests {
    private func workload(_ kind: String, _ name: String, hash: String? = nil, created: Int64 = 0) -> Owner? {
        var pod = Pod(uid: "u", namespace: "n", name: "p")
        pod.controller = Owner(kind: kind, name: name, uid: "c")
        pod.labels = hash.map { [Label("pod-template-hash", $0)] } ?? []
        pod.created = created
        return OwnerRules.workload(of: pod)
    }

    @Test func `a replica set with its template's hash is a deployment's`() {
        #expect(workload("ReplicaSet", "web-5c4bdbb59b", hash: "5c4bdbb59b") == Owner(kind: "Deployment", name: "web"))
        #expect(
            workload("ReplicaSet", "a-b-c-5c4bdbb59b", hash: "5c4bdbb59b") == Owner(kind: "Deployment", name: "a-b-c"))
        // Without the label, or with another's, it is one that somebody made by hand.
        #expect(workload("ReplicaSet", "web-5c4bdbb59b")?.kind == "ReplicaSet")
        #expect(workload("ReplicaSet", "web-5c4bdbb59b", hash: "688b586558")?.kind == "ReplicaSet")
        #expect(workload("ReplicaSet", "-5c4bdbb59b", hash: "5c4bdbb59b")?.kind == "ReplicaSet")
    }

    @Test func `a job that is named after the time it was made for is a cron job's`() {
        // 2026-11-23 03:00:00 UTC.
        let time: Int64 = 1_795_402_800
        #expect(workload("Job", "backup-\(time / 60)", created: time + 3) == Owner(kind: "CronJob", name: "backup"))
        #expect(workload("Job", "backup-\(time)", created: time + 3) == Owner(kind: "CronJob", name: "backup"))
        #expect(workload("Job", "import-20261123", created: time)?.kind == "Job", "a date is no such time")
        #expect(workload("Job", "backup-\(time / 60)", created: time + 200_000)?.kind == "Job")
        #expect(workload("Job", "backup-99999999999999999999", created: time)?.kind == "Job")
        #expect(workload("Job", "\(time / 60)", created: time)?.kind == "Job")
    }

    @Test(arguments: [Int64.max, Int64.max - 86_400, 999_999_999, 0])
    func `a job may be named after any number`(number: Int64) {
        let name = "x-" + String(repeating: "0", count: 8) + "\(number)"
        #expect(workload("Job", name, created: 1_795_402_800)?.kind == "Job")
        #expect(workload("Job", "x-\(number)", created: 1_795_402_800)?.kind == "Job")
    }

    @Test func `others are what they are`() {
        #expect(workload("StatefulSet", "db") == Owner(kind: "StatefulSet", name: "db", uid: "c"))
        #expect(OwnerRules.workload(of: Pod(uid: "u", namespace: "n", name: "p")) == nil)
        var mirror = Pod(uid: "u", namespace: "n", name: "etcd-node-1")
        mirror.isStatic = true
        mirror.node = "node-1"
        #expect(OwnerRules.workload(of: mirror) == Owner(kind: "Node", name: "node-1"))
    }
}
