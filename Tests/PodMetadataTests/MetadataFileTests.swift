// metadata.json: what is written is read again, and what is damaged costs no more than itself.
import Bytes
import Disk
import Foundation
import PodMetadata
import TestKit
import Testing

struct MetadataFileTests {
    private static func file(_ random: inout SeededGenerator) -> MetadataFile {
        var file = MetadataFile(node: random.oneIn(5) ? "" : random.text())
        if random.oneIn(2) { file.saved = Int64.random(in: -Int64.max...Int64.max, using: &random) }
        for _ in 0..<random.below(5) { file.pods.append(random.pod()) }
        for _ in 0..<random.below(4) { file.namespaces[random.text()] = random.labels() }
        for _ in 0..<random.below(4) { file.owners[random.text()] = random.owner() }
        return file
    }

    @Test(arguments: 0..<500)
    func `any file survives writing and reading`(_ seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        let file = MetadataFileTests.file(&random)
        let bytes = file.encoded()
        #expect(try decode(bytes) == file)
        #expect(isJSON(bytes))
        #expect(try decode(bytes).encoded() == bytes)
        // Who reads it as a list sees the same pods, but for what only Sluice says of them.
        let reader = PodReader { _ in true }
        let result = feed(.list, bytes) { 1 + random.below(100) }
        #expect(result.error == nil)
        #expect(try result.objects.map { try reader.pod(arena($0)).name } == file.pods.map(\.name))
    }

    @Test func `the file looks like an answer of Kubernetes`() {
        var pod = Pod(uid: "hash", namespace: "shop", name: "web")
        (pod.apiUID, pod.node, pod.ip, pod.created) = ("u", "n", "198.51.100.7", 1_795_406_273)
        pod.labels = [Label("app", "web")]
        pod.annotations = [Label("sluice.dev/exclude", "true")]
        pod.controller = Owner(kind: "Node", name: "n", uid: "v")
        pod.owner = Owner(kind: "Node", name: "n")
        pod.containers = [Pod.Container(name: "c", image: "i"), Pod.Container(name: "d", image: "")]
        pod.containers[0].current = Pod.Life(id: "bb", restarts: 1, hasEnded: false)
        pod.containers[0].previous = Pod.Life(id: "aa", restarts: 0, hasEnded: true)
        (pod.isStatic, pod.deletedAt) = (true, 1_795_406_300_000_000_001)
        var file = MetadataFile(node: "n")
        (file.saved, file.pods) = (1_795_406_300_000_000_002, [pod])
        file.namespaces = ["shop": [Label("team", "t")], "bare": []]
        file.owners = ["r": Owner(kind: "Deployment", name: "web", uid: "d")]
        let wanted = #"""
            {"kind":"PodList","apiVersion":"v1","metadata":{"node":"n","saved":"2026-11-23T03:58:20.000000002Z"},
            "namespaces":[{"name":"bare"},{"name":"shop","labels":{"team":"t"}}],
            "owners":[{"uid":"r","kind":"Deployment","name":"web","owner_uid":"d"}],
            "items":[
            {"metadata":{"name":"web","namespace":"shop","uid":"u","creationTimestamp":"2026-11-23T03:57:53Z","labels":{"app":"web"},"annotations":{"sluice.dev/exclude":"true"},"ownerReferences":[{"kind":"Node","name":"n","uid":"v","controller":true}]},"spec":{"nodeName":"n","containers":[{"name":"c","image":"i"},{"name":"d"}]},"status":{"podIP":"198.51.100.7","containerStatuses":[{"name":"c","containerID":"bb","restartCount":1,"state":{"running":{}},"lastState":{"terminated":{"containerID":"aa","restartCount":0}}}]},"sluice":{"path_uid":"hash","static":true,"deleted_at":"2026-11-23T03:58:20.000000001Z"}}
            ]}

            """#
        #expect(String(decoding: file.encoded(), as: UTF8.self) == wanted)
    }

    // MARK: Damage

    @Test func `a damaged item costs itself alone`() throws {
        let text =
            #"{"kind":"PodList","metadata":{"node":"n"},"namespaces":[{"name":"a","labels":{"x":1,"y":"2"}},{},7],"owners":[{"kind":"A"},{"uid":"u"}],"items":[{"metadata":{"name":"a","namespace":"b","uid":"c"},"sluice":{"path_uid":"d","deleted_at":"no"}},{"metadata":{"name":"a","namespace":"b","uid":"c"}},{"metadata":{"name":"a"},"sluice":{"path_uid":"d"}},null,[]]}"#
        let file = try decode(Array(text.utf8))
        var pod = Pod(uid: "d", namespace: "b", name: "a")
        pod.apiUID = "c"
        #expect(file.pods == [pod])
        #expect(file.namespaces == ["a": [Label("y", "2")]])
        #expect(file.owners == ["u": Owner(kind: "", name: "")])
        #expect(file.damaged == 7)
    }

    @Test(arguments: [
        "", "{}", "[]", "null", #"{"kind":"PodList","items":[]}"#,
        #"{"kind":"PodList","metadata":{"resourceVersion":"1"},"items":[]}"#,
        #"{"kind":"List","metadata":{"node":"n"},"namespaces":[],"owners":[],"items":[]}"#,
        #"{"kind":"PodList","metadata":{"node":"n"},"namespaces":[],"owners":[]}"#,
        #"{"kind":"PodList","metadata":{"node":"n"},"namespaces":{},"owners":[],"items":[]}"#,
    ])
    func `a foreign file is an error`(_ text: String) {
        #expect(throws: ObjectError.self) { try decode(Array(text.utf8)) }
    }

    @Test(arguments: 0..<20)
    func `a file that is cut off or damaged never ends the program`(_ seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        let file = MetadataFileTests.file(&random)
        let bytes = file.encoded()
        // The last byte is a line feed.
        for end in 0..<bytes.count - 1 {
            #expect(throws: ObjectError.self) { try decode(Array(bytes[..<end])) }
        }
        for _ in 0..<200 {
            let damaged = random.damaged(bytes)
            guard let read = try? decode(damaged) else { continue }
            #expect(isJSON(damaged))
            for pod in read.pods { #expect(!pod.uid.isEmpty && !pod.name.isEmpty && !pod.namespace.isEmpty) }
        }
    }

    // MARK: Files

    @Test func `a file is written and read`() throws {
        let scratch = try ScratchDirectory()
        let path = scratch.path("metadata.json")
        #expect(try MetadataFile.read(path) == nil)
        #expect(try MetadataFile.read(scratch.path("no/metadata.json")) == nil)
        var random = SeededGenerator(seed: 1)
        for _ in 0..<3 {
            let file = MetadataFileTests.file(&random)
            try file.write(path, fileSystem: LocalFileSystem())
            #expect(try MetadataFile.read(path) == file)
        }
        #expect(try Directory.list(scratch.path).map(\.name) == ["metadata.json"])
        try scratch.write("metadata.json", "{")
        #expect(throws: ObjectError.self) { try MetadataFile.read(path) }
        #expect(throws: DiskError.self) { try MetadataFile.read(scratch.path) }
    }

    @Test func `a write that fails leaves the file as it was`() throws {
        let scratch = try ScratchDirectory()
        let path = scratch.path("metadata.json")
        let old = MetadataFile(node: "old")
        try old.write(path, fileSystem: LocalFileSystem())
        for call in 1...4 {
            let files = FaultyFileSystem()
            files.plan(.error(28), atCall: call)
            #expect(throws: DiskError.self) { try MetadataFile(node: "new").write(path, fileSystem: files) }
            #expect(try MetadataFile.read(path) == old)
        }
        let files = FaultyFileSystem()
        files.plan(.halfWrite(28), atCall: 3)
        #expect(throws: DiskError.self) { try MetadataFile(node: "new").write(path, fileSystem: files) }
        #expect(try Directory.list(scratch.path).map(\.name) == ["metadata.json"], "the disk is full")
    }
}
