// What is read of a pod, rule by rule, and what happens to one that is not as it should be.
import Bytes
import Foundation
import PodMetadata
import TestKit
import Testing

struct PodReaderTests {
    private static let reader = PodReader { $0.hasPrefix("lab.example/") }

    private func pod(_ text: String) throws(ObjectError) -> Pod { try PodReaderTests.reader.pod(arena(text)) }

    /// A pod with more in its metadata.
    private func pod(metadata: String, rest: String = "") throws(ObjectError) -> Pod {
        try pod(#"{"metadata":{"name":"a","namespace":"b","uid":"c"\#(metadata)}\#(rest)}"#)
    }

    // MARK: Names

    @Test func `a pod needs a namespace, a name and a uid, and nothing else`() throws {
        let plain = try pod(metadata: "")
        #expect(plain == Pod(uid: "c", namespace: "b", name: "a"))
        for text in [
            #"{"metadata":{"name":"a","namespace":"b"}}"#, #"{"metadata":{"name":"a","uid":"c"}}"#,
            #"{"metadata":{"namespace":"b","uid":"c"}}"#, #"{"metadata":{"name":"a","namespace":"b","uid":""}}"#,
            #"{"metadata":{"name":"a","namespace":"b","uid":1}}"#, #"{"metadata":[]}"#, "{}", "[]", "", "{", "{}x",
        ] {
            #expect(throws: ObjectError.self) { try pod(text) }
        }
        let error = #expect(throws: ObjectError.self) { try pod(#"{"metadata":{"name":"a","namespace":"b"}}"#) }
        #expect(error?.description == "a pod has no uid: a")
    }

    private static let mirror = #"{"kubernetes.io/config.mirror":"hash","kubernetes.io/config.source":"file"}"#

    @Test(arguments: [
        (#""annotations":\#(mirror)"#, "hash"),
        (
            #""annotations":\#(mirror),"ownerReferences":[{"kind":"Node","name":"n","uid":"u","controller":true}]"#,
            "hash"
        ),
        (#""annotations":\#(mirror),"ownerReferences":[{"kind":"ReplicaSet","name":"n","uid":"u"}]"#, "hash"),
        (
            #""annotations":\#(mirror),"ownerReferences":[{"kind":"ReplicaSet","name":"n","uid":"u","controller":true}]"#,
            nil
        ),
        (#""annotations":{"kubernetes.io/config.mirror":""}"#, nil),
        (#""annotations":{"kubernetes.io/config.source":"file"}"#, "c"),
        (#""annotations":{"kubernetes.io/config.source":"http","kubernetes.io/config.hash":"c"}"#, "c"),
        (#""annotations":{"kubernetes.io/config.source":"file","kubernetes.io/config.hash":"d"}"#, nil),
        (#""annotations":{"kubernetes.io/config.source":"api","kubernetes.io/config.hash":"c"}"#, nil),
    ])
    func `a static pod is known by its hash`(_ example: (metadata: String, hash: String?)) throws {
        let pod = try pod(metadata: "," + example.metadata)
        #expect(pod.isStatic == (example.hash != nil))
        #expect(pod.uid == example.hash ?? "c" && pod.apiUID == "c")
    }

    // MARK: Labels

    @Test func `all labels are kept, and wanted annotations, sorted`() throws {
        let pod = try pod(
            metadata:
                #","labels":{"z":"1","a":"\u00e9\n","n":null,"i":1,"e":""},"annotations":{"lab.example/b":"2","other":"3","sluice.dev/exclude.web":"true","fluentbit.io/parser_stdout-web":"json"}"#
        )
        #expect(pod.labels == [Label("a", "é\n"), Label("e", ""), Label("z", "1")])
        #expect(
            pod.annotations == [
                Label("fluentbit.io/parser_stdout-web", "json"), Label("lab.example/b", "2"),
                Label("sluice.dev/exclude.web", "true"),
            ])
    }

    @Test(arguments: [
        ("sluice.dev/exclude", true), ("sluice.dev/parser", true), ("sluice.dev/multiline", true),
        ("fluentbit.io/exclude", true), ("fluentbit.io/parser", true), ("sluice.dev/exclude.web", true),
        ("fluentbit.io/exclude-web", true), ("fluentbit.io/parser_stdout-web", true),
        ("fluentbit.io/parser_stderr", true),
        ("sluice.dev/multiline.a.b", true), ("sluice.dev/excluded", true), ("sluice.dev/", true), ("", false),
        ("fluentbit.io/multiline", false), ("sluice.dev", false), ("xsluice.dev/exclude", false),
        ("Sluice.dev/exclude", false),
    ])
    func `annotations that Sluice heeds`(_ example: (key: String, isRead: Bool)) {
        #expect(LogInstructions.isInstruction(example.key) == example.isRead)
    }

    // MARK: Times and owners

    @Test(arguments: [
        (#""2026-11-23T03:57:53Z""#, 1_795_406_273), (#""1970-01-01T00:00:01.9+00:00""#, 1),
        (#""1969-12-31T23:59:59Z""#, -1),
        (#""1969-12-31T23:59:59.5Z""#, -1), ("null", 0), (#""yesterday""#, 0), (#""2026-11-23T03:57:53Zx""#, 0),
        (#""""#, 0),
    ])
    func `the time of its creation is seconds`(_ example: (text: String, seconds: Int64)) throws {
        #expect(try pod(metadata: #","creationTimestamp":\#(example.text)"#).created == example.seconds)
    }

    @Test func `the controller is the owner that says so`() throws {
        let owners =
            #"[1,{"kind":"A","name":"a","uid":"1"},{"kind":"B","name":"b","uid":"2","controller":"true"},{"controller":true,"uid":"3","name":"c"}]"#
        #expect(try pod(metadata: #","ownerReferences":\#(owners)"#).controller == Owner(kind: "", name: "c", uid: "3"))
    }

    // MARK: Containers

    private func container(_ state: String) throws -> Pod.Container {
        let rest =
            #","spec":{"containers":[{"name":"x","image":"i"}]},"status":{"containerStatuses":[{"name":"x",\#(state)}]}"#
        return try #require(try pod(metadata: "", rest: rest).container("x"))
    }

    @Test func `a container has its current life and the one before`() throws {
        let running = try container(
            #""restartCount":3,"containerID":"containerd://bb","state":{"running":{}},"lastState":{"terminated":{"containerID":"containerd://aa"}}"#
        )
        #expect(running.current == Pod.Life(id: "bb", restarts: 3, hasEnded: false))
        #expect(running.previous == Pod.Life(id: "aa", restarts: 2, hasEnded: true))
        let ended = try container(
            #""restartCount":0,"containerID":"cri-o://bb","state":{"terminated":{}},"lastState":{}"#)
        #expect(ended.current == Pod.Life(id: "bb", restarts: 0, hasEnded: true) && ended.previous == nil)
    }

    @Test func `a count of restarts that makes no sense does no harm`() throws {
        let odd = try container(
            #""restartCount":-2147483648,"containerID":"x://b","lastState":{"terminated":{"containerID":"x://a"}}"#)
        #expect(odd.previous?.restarts == 0)
    }

    @Test func `a container that waits for its next start has ended`() throws {
        let waiting = try container(
            #""restartCount":4,"containerID":"containerd://aa","state":{"waiting":{"reason":"CrashLoopBackOff"}},"lastState":{"terminated":{"containerID":"containerd://aa"}}"#
        )
        #expect(waiting.current == Pod.Life(id: "aa", restarts: 4, hasEnded: true))
        #expect(waiting.previous == nil)
    }

    @Test(arguments: [
        #""restartCount":0,"state":{"waiting":{}}"#, #""containerID":"""#, #""containerID":"containerd://""#,
        #""containerID":null,"state":null,"lastState":null"#, #""containerID":7,"lastState":[]"#,
    ])
    func `a container without an id has no life`(_ state: String) throws {
        let container = try container(state)
        #expect(container.current == nil && container.previous == nil)
    }

    @Test func `containers of all kinds are listed`() throws {
        let pod = try pod(
            metadata: "",
            rest:
                #","status":{"ephemeralContainerStatuses":[{"name":"e","containerID":"x://1"}],"initContainerStatuses":[{"name":"i","containerID":"x://2","restartCount":"3"}]},"spec":{"ephemeralContainers":[{"name":"e","image":"E"}],"initContainers":[{"name":"i"},{"image":"nameless"},null],"containers":[{"name":"c","image":"C"}]}"#
        )
        #expect(pod.containers.map(\.name) == ["c", "i", "e"])
        #expect(pod.containers.map(\.image) == ["C", "", "E"])
        #expect(pod.containers.map { $0.current?.id } == [nil, "2", "1"])
        #expect(pod.container("i")?.current?.restarts == 0)
    }
}
