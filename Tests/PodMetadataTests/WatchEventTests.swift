// Events of watches, and the heads of objects.
import Bytes
import PodMetadata
import TestKit
import Testing

struct WatchEventTests {
    private let reader = PodReader { _ in false }

    private static let object = #"{"metadata":{"name":"a","namespace":"b","uid":"c","resourceVersion":"7"}}"#

    @Test func `an event has a pod and its resource version`() throws {
        let pod = Pod(uid: "c", namespace: "b", name: "a")
        func event(_ type: String) throws -> WatchEvent<Pod> {
            try reader.event(arena(#"{"object":\#(WatchEventTests.object),"type":"\#(type)"}"#))
        }
        #expect(try event("ADDED") == .added(pod, resourceVersion: "7"))
        #expect(try event("MODIFIED") == .modified(pod, resourceVersion: "7"))
        #expect(try event("DELETED") == .deleted(pod, resourceVersion: "7"))
        #expect(try event("CHANGED") == .unknown(type: "CHANGED"))
    }

    @Test func `a bookmark has a resource version and no name`() throws {
        let text =
            #"{"type":"BOOKMARK","object":{"kind":"Pod","metadata":{"resourceVersion":"673","creationTimestamp":null},"spec":{"containers":null},"status":{}}}"#
        var head = ObjectHead()
        (head.kind, head.resourceVersion) = ("Pod", "673")
        #expect(try reader.event(arena(text)) == .bookmark(head))
        #expect(try WatchEvent<ObjectHead>.read(arena(text)) == .bookmark(head))
    }

    @Test func `an error has a status`() throws {
        let text =
            #"{"type":"ERROR","object":{"kind":"Status","status":"Failure","message":"too old resource version: 1 (673)","reason":"Expired","code":410}}"#
        var status = APIStatus()
        (status.code, status.reason, status.message) = (410, "Expired", "too old resource version: 1 (673)")
        #expect(try reader.event(arena(text)) == .error(status))
        #expect(try reader.event(arena(#"{"type":"ERROR"}"#)) == .error(APIStatus()))
        let object = #"{"code":503.5,"reason":null,"details":{"retryAfterSeconds":-1}}"#
        let odd = try APIStatus.read(arena(object))
        #expect(odd.code == 0 && odd.reason.isEmpty && odd.retryAfterSeconds == -1)
    }

    @Test(arguments: [
        "", "{}", "[]", #"{"type":1}"#, #"{"type":"ADDED"}"#, #"{"type":"ADDED","object":{"metadata":{}}}"#,
    ])
    func `what is no event is an error`(_ text: String) {
        #expect(throws: ObjectError.self) { try reader.event(arena(text)) }
        #expect(throws: ObjectError.self) { try WatchEvent<ObjectHead>.read(arena(text)) }
    }

    @Test func `a head is what all objects have`() throws {
        let text =
            #"{"kind":"PartialObjectMetadata","apiVersion":"meta.k8s.io/v1","metadata":{"name":"web-1","namespace":"shop","uid":"u","resourceVersion":"5","labels":{"b":"2","a":"1"},"ownerReferences":[{"kind":"Deployment","name":"web","uid":"d","controller":true}]}}"#
        let head = try reader.head(arena(text))
        #expect(head.kind == "PartialObjectMetadata" && head.name == "web-1" && head.namespace == "shop")
        #expect(head.uid == "u" && head.resourceVersion == "5" && head.labels == [Label("a", "1"), Label("b", "2")])
        #expect(head.controller == Owner(kind: "Deployment", name: "web", uid: "d"))
        #expect(try reader.head(arena("{}")) == ObjectHead())
        #expect(throws: ObjectError.self) { try reader.head(arena("[]")) }
        let event = try WatchEvent<ObjectHead>.read(arena(#"{"type":"DELETED","object":\#(text)}"#))
        #expect(event == .deleted(head, resourceVersion: "5"))
    }
}
