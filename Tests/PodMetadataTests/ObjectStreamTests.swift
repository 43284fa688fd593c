// Cutting answers into objects: lists, watches, and what is neither.
import Bytes
import PodMetadata
import TestKit
import Testing

struct ObjectStreamTests {
    // MARK: Lists

    @Test(arguments: [
        #"{"kind":"PodList","metadata":{"resourceVersion":"7","continue":"more"},"items":[{"a":1},{"b":[{}]}]}"#,
        #"{"items":[{"a":1},{"b":[{}]}],"metadata":{"continue":"more","resourceVersion":"7"},"kind":"PodList"}"#,
        " { \"kind\" : \"PodList\" ,\r\n\"items\" : [ {\"a\":1}\t, {\"b\":[{}]} ] , \"metadata\":{\"resourceVersion\":\"7\",\"continue\":\"more\"} }\n ",
        #"{"other":{"items":[{"c":1}]},"list":["items",[{}]],"it\u0065ms":[{"a":1},{"b":[{}]}],"kind":"PodList","metadata":{"resourceVersion":"7","continue":"more"}}"#,
    ])
    func `items are cut out of a list and the rest of it is kept`(_ text: String) throws {
        let result = feed(.list, text)
        #expect(result.error == nil)
        #expect(result.texts == [#"{"a":1}"#, #"{"b":[{}]}"#])
        let envelope = try #require(result.envelope)
        #expect(envelope.kind == "PodList" && envelope.resourceVersion == "7" && envelope.continueToken == "more")
        #expect(envelope.hasItems)
    }

    @Test(arguments: [
        #"{"items":null,"metadata":{"resourceVersion":"7"}}"#, #"{"items":[ ],"metadata":{"resourceVersion":"7"}}"#,
    ])
    func `a list may be empty`(_ text: String) {
        let result = feed(.list, text)
        #expect(result.error == nil && result.objects.isEmpty)
        #expect(result.envelope?.hasItems == true && result.envelope?.resourceVersion == "7")
    }

    @Test func `an answer that tells of an error is an envelope without items`() throws {
        let text =
            #"{"kind":"Status","apiVersion":"v1","metadata":{},"status":"Failure","message":"too \"many\"","reason":"TooManyRequests","details":{"retryAfterSeconds":3},"code":429}"#
        let envelope = try #require(feed(.list, text).envelope)
        #expect(envelope.kind == "Status" && !envelope.hasItems)
        var status = APIStatus()
        (status.code, status.reason) = (429, "TooManyRequests")
        (status.message, status.retryAfterSeconds) = (#"too "many""#, 3)
        #expect(envelope.status == status)
    }

    @Test(arguments: [
        "", " ", "[]", "null", "<html>", "{} {}", "{}]", #"{"items":1}"#, #"{"items":{"a":[{}]}}"#,
        #"{"items":"[{}]"}"#,
        #"{"items":[1]}"#, #"{"items":[{},]}"#, #"{"items":[,{}]}"#, #"{"items":[{}{}]}"#, #"{"items":[{}}"#,
        #"{"items":[[]]}"#, #"{"items":[{"a":]]}"#, #"{"items":[{}],"items":[{}]}"#, #"{"items":[{}],"items":null}"#,
        #"{"items" [{}]}"#, #"{"items"::[{}]}"#, #"{"a":"items",[{}]}"#, #"{"items":[{}]"#, #"{"items":[{}"#,
        #"{"items":["#,
        #"{"items":[{"a"#, #"{"kind":"PodList""#, #"{"kind":"PodList","items":[]"#, "\u{feff}{}", #"{"items":{}[{}]}"#,
    ])
    func `what is no whole list is an error`(_ text: String) {
        #expect(feed(.list, text).error != nil)
        #expect(feed(.list, Array(text.utf8)) { 1 } == feed(.list, text))
    }

    @Test func `what is around the items has a limit`() {
        let padding = String(repeating: "x", count: 1000)
        let bytes = Array(#"{"padding":"\#(padding)","items":[{"a":1}]}"#.utf8)
        #expect(feed(.list, bytes, envelopeLimit: 900).error != nil)
        #expect(feed(.list, bytes, envelopeLimit: 1100).error == nil)
    }

    // MARK: Events

    @Test(arguments: ["", "\n", "\r\n \t"])
    func `events follow one another with or without space`(_ space: String) {
        let objects = [#"{}"#, #"{"a":"}{\"\\"}"#, #"{"b":[[{"é":"語]"}]],"c":"\\\""}"#]
        let result = feed(.events, objects.map { space + $0 }.joined() + space)
        #expect(result.error == nil && result.texts == objects)
        #expect(feed(.events, space).error == nil)
    }

    @Test(arguments: ["{},{}", "1", "[]", "{}]", "{]}", "x", "{\"a\":\"", "{", "\0", "{}\u{feff}", "HTTP/1.1 200 OK"])
    func `what is no whole event is an error`(_ text: String) {
        #expect(feed(.events, text).error != nil)
    }

    @Test func `an error stays`() throws {
        var stream = ObjectStream(.events, limit: 100)
        stream.append(Array("{}x{}".utf8).span)
        #expect(try stream.next() == .object)
        for _ in 0..<3 {
            do {
                let piece = try stream.next()
                Issue.record("\(String(describing: piece)) behind an error")
            } catch {
                #expect(error.description == "something else than JSON objects is in the answer")
            }
        }
        #expect(throws: ObjectError.self) { try stream.finish() }
    }

    @Test func `objects stay until they are asked for`() throws {
        var stream = ObjectStream(.events, limit: 100)
        stream.append(Array(#"{"a":1}{"b":"#.utf8).span)
        stream.append(Array(#"2}{"c":3}"#.utf8).span)
        #expect(throws: ObjectError.self) { try stream.finish() }
        var found: [String] = []
        while try stream.next() != nil { found.append(String(decoding: stream.object.span)) }
        #expect(found == [#"{"a":1}"#, #"{"b":2}"#, #"{"c":3}"#])
        try stream.finish()
    }

    // MARK: Sizes

    @Test(arguments: [1, 7, 1000])
    func `an object above the limit is passed over and counted`(_ size: Int) {
        let large = #"{"a":"\#(String(repeating: "}", count: 93))"}"#
        let exact = #"{"a":"\#(String(repeating: "}", count: 92))"}"#
        #expect(large.utf8.count == 101 && exact.utf8.count == 100)
        let objects = ["{}", large, exact, large, large, #"{"b":1}"#]
        for (shape, text) in [
            (ObjectStream.Shape.events, objects.joined()), (.list, #"{"items":[\#(objects.joined(separator: ","))]}"#),
        ] {
            let result = feed(shape, Array(text.utf8), limit: 100) { size }
            #expect(result.error == nil && result.texts == ["{}", exact, #"{"b":1}"#])
            #expect(result.passedOver == [101, 101, 101])
        }
    }

    @Test func `an endless object takes no more room than the limit`() throws {
        var stream = ObjectStream(.events, limit: 1 << 20)
        stream.append(Array(#"{"a":""#.utf8).span)
        let piece = [UInt8](repeating: UInt8(ascii: "x"), count: 64 << 10)
        var largest = 0
        for _ in 0..<100 {
            stream.append(piece.span)
            #expect(try stream.next() == nil)
            largest = max(largest, stream.object.capacity)
        }
        #expect(largest <= 2 << 20)
        #expect(stream.object.capacity <= 256 << 10)
        stream.append(Array(#""}{}"#.utf8).span)
        #expect(try stream.next() == .passedOver(bytes: 100 * piece.count + 8))
        #expect(try stream.next() == .object)
        #expect(String(decoding: stream.object.span) == "{}")
    }
}
