// klog lines that are taken apart and put together again.
import Bytes
import Display
import Records
import TestKit
import Testing

@Suite struct `Lines of klog` {
    /// A journal entry with this message, in the style `cat`.
    private func shown(_ line: String) -> String {
        var batch = RecordBatch()
        batch.ending = Array(",\"origin\":\"journal\",\"journal\":{\"identifier\":\"kubelet\"}}\n".utf8)
        batch.add(line)
        batch.parseKlog()
        let record = encoded(batch)[0]
        #expect(record.contains("\"klog\":{"), "it was taken apart")
        return String(DisplayTests.shown(record, .cat).dropLast())
    }

    private static let header = "I1123 03:28:02.913293   16167 kubelet.go:2243] "

    @Test(arguments: [
        "text", "text with \"quotes\" and a=b", "", "  spaces", "\"quoted\" and more", "caf\u{e9}",
        #""SyncLoop ADD" source="api" pods=["kube-system/x"]"#, #""m" a=1 b=-2.5 c=1e+06 d=true e=<nil> f=null"#,
        #""m" a={Name:x Value:1} b=&{A:1} c=map[a:b c:d] d=(x) e=[] f={"a":1}"#, #""m" status=Running"#,
        #""m" a="" b=" " c="true?" d="1 2""#, #""m" err="[one, two]" error="[three]""#, #""m" err=<nil>"#,
        #""m \"quoted\" \\ \t\n\a\x01\x7f" a="\u200b\u00a0\U000e0001\r\b\f\v""#,
        "\"caf\u{e9} \u{65e5} \u{1f600} \u{fffd}\" a=\"\u{e9}\"", #""m" time="12:00" thread="x" a="1x" a="2y" a="3z""#,
        #""m" a_="x y""#, #""m" k8s.io/name="x" a-b="c""#, #""m" podUID="9bcef0f6-9bf5-4076-ae7f-b2d7952894ca""#,
    ])
    func `a line is what it was`(_ text: String) { #expect(shown(Self.header + text) == Self.header + text) }

    @Test(arguments: [
        "W1123 03:28:02.913293       1 a.go:1] x", "E0101 00:00:00.000000 1234567 a.go:1] x",
        "F1123 23:59:59.999999 123456789 a/b-c_d.go:12345] x",
    ])
    func `every header is what it was`(_ line: String) { #expect(shown(line) == line) }

    @Test(arguments: [
        (#""m""#, "m"), (#""m" a="12""#, #""m" a=12"#), (#""m" a=word"#, #""m" a="word""#),
        (#""m" a="[x]""#, #""m" a=[x]"#),
    ])
    func `quotes that the record does not tell of are guessed`(_ text: String, _ shown: String) {
        #expect(self.shown(Self.header + text) == Self.header + shown)
    }

    @Test func `an entry that lacks a part of its line shows message and pairs`() {
        let place = #""origin":"journal","journal":{"identifier":"x"}}"#
        let klog = #""klog":{"time":"1123 03:28:02.913293","thread":7,"a":"b"}"#
        for members in [
            #""severity":"info","message":"m",\#(klog)"#, #""message":"m","caller":"c:1",\#(klog)"#,
            #""severity":"notice","message":"m","caller":"c:1",\#(klog)"#,
            #""severity":"info","message":"m","caller":"c:1","klog":{"thread":7,"a":"b"}"#,
        ] {
            #expect(DisplayTests.shown("{\(members),\(place)", .cat) == "m a=b\n")
        }
        #expect(
            DisplayTests.shown("{\"severity\":\"info\",\"message\":\"m\",\"caller\":\"c:1\",\(klog),\(place)", .cat)
                == "I1123 03:28:02.913293       7 c:1] \"m\" a=\"b\"\n")
        #expect(DisplayTests.shown("{\"message\":\"m\",\"klog\":3,\(place)", .cat) == "m\n")
    }
}
