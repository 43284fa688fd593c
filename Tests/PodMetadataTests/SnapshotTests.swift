// The answers of a real API server and a real kubelet, read here and with Foundation alone.
import Bytes
import Disk
import Foundation
import PodMetadata
import TestKit
import Testing

@Suite(.enabled(if: NodeSnapshot.isHere, "there is no snapshot of a node here"))
struct SnapshotTests {
    private let scratch: ScratchDirectory
    private let reader = PodReader { $0.hasPrefix("lab.example/") }

    init() throws {
        scratch = try ScratchDirectory()
        _ = try NodeSnapshot.unpackAnswers(to: scratch.path)
    }

    private static func keeps(_ key: String) -> Bool {
        key.hasPrefix("lab.example/") || LogInstructions.isInstruction(key)
    }

    @Test(arguments: ["api/pods-list.json", "kubelet/pods.json", "rec/pods-list-at-start.json"])
    func `every pod of a list is read as it is`(_ name: String) throws {
        let bytes = try scratch.contents(name)
        let result = feed(.list, bytes) { 1000 }
        let wanted = PlainReading.items(bytes)
        #expect(result.error == nil && result.objects.count == wanted.count)
        #expect(result.envelope?.kind == "PodList")
        let metadata = PlainReading.map(PlainReading.tree(bytes)?["metadata"])
        #expect(result.envelope?.resourceVersion == PlainReading.text(metadata["resourceVersion"]))
        var statics = 0
        for (object, plain) in zip(result.objects, wanted) {
            let pod = try reader.pod(arena(object))
            #expect(pod == PlainReading.pod(plain, keeps: SnapshotTests.keeps))
            if pod.isStatic { statics += 1 }
        }
        #expect(statics == (wanted.isEmpty ? 0 : 5))
    }

    @Test func `API server and kubelet agree on the uids of logs`() throws {
        let uids = try ["api/pods-list.json", "kubelet/pods.json"].map { name in
            Set(try feed(.list, scratch.contents(name)).objects.map { try reader.pod(arena($0)).uid })
        }
        #expect(uids[0] == uids[1] && uids[0].count == 20)
    }

    @Test func `every event of a watch is read as it is`() throws {
        let bytes = try scratch.contents("rec/pods-watch.jsonl")
        let result = feed(.events, bytes) { 1461 }
        let lines = bytes.split(separator: UInt8(ascii: "\n"))
        #expect(result.error == nil && result.objects == lines.map { Array($0) } && lines.count == 121)
        for line in lines {
            let tree = try #require(PlainReading.tree(line))
            let object = PlainReading.map(tree["object"])
            let version = PlainReading.text(PlainReading.map(object["metadata"])["resourceVersion"])
            let pod = PlainReading.pod(object, keeps: SnapshotTests.keeps)
            switch try reader.event(arena(Array(line))) {
            case .added(let read, version): #expect(tree["type"] as? String == "ADDED" && read == pod)
            case .modified(let read, version): #expect(tree["type"] as? String == "MODIFIED" && read == pod)
            case .deleted(let read, version): #expect(tree["type"] as? String == "DELETED" && read == pod)
            case .bookmark(let head): #expect(tree["type"] as? String == "BOOKMARK" && head.resourceVersion == version)
            case let other: Issue.record("\(other)")
            }
        }
    }

    @Test(arguments: ["api/namespaces.json", "api/replicasets.json", "api/pods-list.json"])
    func `heads are read of objects of any kind`(_ name: String) throws {
        let bytes = try scratch.contents(name)
        let objects = feed(.list, bytes).objects
        let wanted = PlainReading.items(bytes)
        #expect(objects.count == wanted.count && !wanted.isEmpty)
        for (object, plain) in zip(objects, wanted) {
            let head = try reader.head(arena(object))
            let metadata = PlainReading.map(plain["metadata"])
            #expect(head.name == PlainReading.text(metadata["name"]) && head.uid == PlainReading.text(metadata["uid"]))
            #expect(head.namespace == PlainReading.text(metadata["namespace"]))
            #expect(head.resourceVersion == PlainReading.text(metadata["resourceVersion"]))
            #expect(head.controller == PlainReading.controller(metadata))
            #expect(head.labels == PlainReading.labels(metadata["labels"] as? [String: String] ?? [:]))
        }
    }

    @Test func `the pods of the node survive metadata.json`() throws {
        var file = MetadataFile(node: "lab-node")
        file.pods = try feed(.list, scratch.contents("api/pods-list.json")).objects.map { try reader.pod(arena($0)) }
        #expect(try decode(file.encoded()) == file)
    }

    /// Members of the wrong type, missing ones and damaged bytes: never another pod than the plain reading's.
    @Test func `damaged pods are read as they are or not at all`() throws {
        var random = SeededGenerator(seed: 1)
        let objects = feed(.list, try scratch.contents("api/pods-list.json")).objects
        var (read, refused) = (0, 0)
        for _ in 0..<2000 {
            let object = objects[random.below(objects.count)]
            let bytes: [UInt8]
            if random.oneIn(2) {
                bytes = random.damaged(object)
            } else {
                let tree = try #require(PlainReading.tree(object))
                let odd = SnapshotTests.odd(tree, &random, oneIn: 1 + random.below(100))
                bytes = Array(try JSONSerialization.data(withJSONObject: odd))
            }
            let plain = PlainReading.tree(bytes).flatMap { PlainReading.pod($0, keeps: SnapshotTests.keeps) }
            do {
                let pod = try reader.pod(arena(bytes))
                #expect(pod == plain)
                read += 1
            } catch {
                #expect(plain == nil || !isJSON(bytes))
                refused += 1
            }
        }
        #expect(read > 200 && refused > 200)
    }

    /// The same value with members left out or of another type.
    private static func odd(_ value: Any, _ random: inout SeededGenerator, oneIn chances: Int) -> Any {
        if let object = value as? [String: Any] {
            var copy: [String: Any] = [:]
            for (key, value) in object.sorted(by: { $0.key < $1.key }) where !random.oneIn(chances) {
                copy[key] = random.oneIn(chances) ? strange(&random) : odd(value, &random, oneIn: chances)
            }
            return copy
        }
        guard let array = value as? [Any] else { return value }
        return array.map { random.oneIn(chances) ? strange(&random) : odd($0, &random, oneIn: chances) }
    }

    private static func strange(_ random: inout SeededGenerator) -> Any {
        let values: [Any] = [NSNull(), 1, true, "x", "", [] as [Any], [1], [:] as [String: Any], ["name": "x"]]
        return values[random.below(values.count)]
    }
}
