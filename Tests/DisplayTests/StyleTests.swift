// The styles for programs, and `cat`.
import Bytes
import Display
import Foundation
import Records
import TestKit
import Testing

@Suite struct `Styles for programs` {
    /// The records of these messages, taken apart as the lane does it, and shown.
    private func shown(messages: [String], _ style: DisplayStyle) -> [String] {
        var batch = RecordBatch()
        batch.ending = Array(",\"origin\":\"container\",\"kubernetes\":{\"pod_name\":\"p\"}}\n".utf8)
        for message in messages { batch.add(message) }
        batch.parseJSON()
        batch.parseKlog()
        return encoded(batch).map { record in
            String(decoding: shownBytes([record], style).dropLast(), as: UTF8.self)
        }
    }

    @Test func `raw is what was written`() {
        let messages = [
            "plain text", "", "  spaces\t\u{1b}[31m \r", "caf\u{e9} \"quoted\" \\", "{}", "[1,2]", "{\"a\":1}",
            "{\"msg\":\"m\",\"n\":1.50,\"o\":{\"x\":[true]},\"u\":\"\\u0041\"}", "{\"message\":{\"a\":1}}",
            "{\"message\":\"m\",\"time\":\"t\",\"severity\":\"info\",\"stream\":1,\"origin\":2,\"sluice\":3,\"file\":4}",
            "{\"time\":1,\"time_\":2}", "{\"a_\":1,\"_\":2,\"\":3}", "{\"a\":1,\"kubernetes\":null,\"journal_x\":0}",
            #"E1123 03:28:02.913293   16167 kubelet.go:2243] "SyncLoop ADD" source="api" pods=["a/b"] n=12"#,
            "I1123 03:28:02.913293 1234567 a_b.go:1] text as it is", "I1123 03:28:02.913293       1 f.go:1] ",
        ]
        #expect(shown(messages: messages, .raw) == messages)
    }

    @Test func `raw ends with a newline, and is not escaped`() {
        #expect(DisplayTests.shown(container(#""message":"a\nb\u0000""#), .raw) == "a\nb\0\n")
        #expect(DisplayTests.shown(container(#""sluice":["truncated"],"message":"a""#), .raw) == "a\n")
    }

    @Test func `cat is the message alone, and safe`() {
        #expect(DisplayTests.shown(container(#""message":"a\nb\n\u001b[1m""#), .cat) == "a\nb\n\\x1b[1m\n")
        #expect(DisplayTests.shown(container(#""message":"m","a":1"#), .cat) == "m a=1\n")
        #expect(DisplayTests.shown(container(#""message":"""#), .cat) == "\n")
    }

    @Test func `cat shows the members that are asked for, a line each`() {
        let record = container(#""message":"a\nb","n":12"#)
        #expect(
            DisplayTests.shown(record, .cat) {
                $0.outputFields = ["message", "n", "kubernetes.pod_name", "kubernetes.none", "none"]
            } == "a\\x0ab\n12\nweb-1\n")
    }

    @Test func `json is the record`() {
        let record = container(#""message":"a\n\u007f","b" : 1.50"#)
        #expect(DisplayTests.shown(record, .json) == record + "\n")
        #expect(DisplayTests.shown(record + "\n", .json) == record + "\n")
    }

    @Test(arguments: [
        (["message"], #"{"message":"m"}"#), (["kubernetes.pod_name"], #"{"kubernetes":{"pod_name":"web-1"}}"#),
        (
            ["kubernetes.pod_name", "message", "kubernetes.restart_count"],
            #"{"message":"m","kubernetes":{"pod_name":"web-1","restart_count":0}}"#
        ),
        (["a.b.c"], #"{"a":{"b.c":1}}"#), (["a"], #"{"a":{"b.c":1,"d":2}}"#), (["a.b"], #"{"a":{}}"#), (["none"], "{}"),
    ])
    func `json has the members that are asked for`(_ fields: [String], _ text: String) {
        let record = container(#""message":"m","a":{"b.c":1,"d":2}"#)
        #expect(DisplayTests.shown(record, .json) { $0.outputFields = fields } == text + "\n")
    }

    @Test func `pretty JSON has a line for each member`() {
        let record = #"{"a":1, "b":{"c":[1,{"d":"x,{y}\"]\\"}],"e":{} ,"f":[ ]},"g":null}"#
        let wanted = """
            {
              "a": 1,
              "b": {
                "c": [
                  1,
                  {
                    "d": "x,{y}\\"]\\\\"
                  }
                ],
                "e": {},
                "f": []
              },
              "g": null
            }

            """
        #expect(DisplayTests.shown(record, .jsonPretty) == wanted)
        #expect(DisplayTests.shown("{}", .jsonPretty) == "{}\n")
        #expect(
            DisplayTests.shown(container(#""message":"m""#), .jsonPretty) { $0.outputFields = ["message"] }
                == "{\n  \"message\": \"m\"\n}\n")
    }

    @Test func `styles have journalctl's names`() {
        #expect(
            DisplayStyle.allCases.map(\.rawValue).joined(separator: " ")
                == "short short-iso short-precise short-full short-unix with-unit cat json json-pretty export raw")
    }
}
