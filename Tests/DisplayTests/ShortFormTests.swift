// The short styles of what is not in a journal: containers and files.
import Bytes
import Display
import Records
import TestKit
import Testing

@Suite struct `Short form of containers` {
    /// The members behind the ones that a line is about.
    private let origin =
        #""origin":"container","kubernetes":{"namespace_name":"shop","pod_name":"web-1","container_name":"nginx","restart_count":0}}"#

    @Test func `a plain message stands behind time, namespace, pod and container`() {
        #expect(shown(container(#""stream":"stdout","message":"hello world""#)) == web + "hello world\n")
    }

    @Test(arguments: [
        (DisplayStyle.short, "Nov 03 03:14:07"), (.shortISO, "2026-11-03T03:14:07+0000"),
        (.shortPrecise, "Nov 03 03:14:07.500000"), (.shortFull, "Tue 2026-11-03 03:14:07 UTC"),
        (.shortUnix, "1793675647.500000"), (.withUnit, "Tue 2026-11-03 03:14:07 UTC"),
    ])
    func `each short style has its time`(_ style: DisplayStyle, _ time: String) {
        #expect(shown(container(#""message":"m""#), style) == "\(time) shop/web-1 nginx: m\n")
    }

    @Test func `a container that was started again has its count in brackets`() {
        #expect(shown(container(#""message":"m""#, restarts: 3)) == "Nov 03 03:14:07 shop/web-1 nginx[3]: m\n")
    }

    @Test func `a file has its path`() {
        #expect(
            shown(#"{"message":"m","origin":"file","file":{"path":"/var/log/a.log","node_name":"n"}}"#)
                == "/var/log/a.log: m\n")
    }

    @Test func `an entry has host, program and process, as far as they are known`() {
        func entry(_ more: String) -> String {
            shown(#"{"message":"m","origin":"journal","journal":{\#(more)"node_name":"node-1"}}"#)
        }
        #expect(entry(#""unit":"kubelet.service","identifier":"kubelet","pid":812,"#) == "node-1 kubelet[812]: m\n")
        #expect(entry(#""identifier":"kernel","#) == "node-1 kernel: m\n")
        #expect(entry(#""unit":"x.service","pid":"7","#) == "node-1 x.service[7]: m\n")
        #expect(entry(#""identifier":"a","_hostname":"h","#) == "h a: m\n")
        #expect(entry("") == "node-1 unknown: m\n")
    }

    @Test func `without a prefix there is no place`() {
        #expect(shown(container(#""message":"m""#)) { $0.hasPrefix = false } == "Nov 03 03:14:07 m\n")
        #expect(
            shown(#"{"message":"a\nb","origin":"journal","journal":{"identifier":"x"}}"#) { $0.hasPrefix = false }
                == "a\nb\n")
    }

    @Test func `a klog line shows its message and its pairs`() {
        let klog =
            #""caller":"kubelet.go:1","klog":{"time":"1123 03:28:02.913293","thread":7,"pod":"a/b","err":"no \n"}"#
        #expect(shown(container("\"message\":\"m\",\(klog)")) == web + "m pod=a/b err=no \\x0a\n")
        #expect(shown(container("\"message\":\"m\",\"caller\":\"c\"")) == web + "m caller=c\n")
    }

    @Test(arguments: [
        (#""message":"started","port":8080,"tls":true"#, "started port=8080 tls=true"),
        (#""level":"info","msg":"started","port":8080"#, "started level=info port=8080"),
        (#""msg":"first","log":"second""#, "first log=second"),
        (#""MESSAGE":"m","a":"b c""#, "m a=b c"),
        (#""a":{"b":[1,2]},"c":null"#, #"a={"b":[1,2]} c=null"#),
        (#""stream_":"theirs","message":"m""#, "m stream_=theirs"),
        (#""message":{"text":"m"}"#, #"{"text":"m"}"#),
        (#""m\u0065ssage":"m","a":1"#, "m a=1"), (#""a":"x\ny","b\n":1"#, "a=x\\x0ay b\\x0a=1"),
    ])
    func `a JSON message shows its message, then its members`(_ members: String, _ text: String) {
        #expect(shown(container("\"stream\":\"stdout\",\"severity\":\"info\",\(members)")) == web + text + "\n")
    }

    @Test func `static fields and marks are not shown`() {
        let record =
            #"{"stream":"stdout","message":"m","sluice":["truncated"],"origin":"file","file":{"path":"/a"},"cluster":"prod"}"#
        #expect(shown(record) == "/a: m\n")
    }

    @Test(arguments: [
        (#"\u001b[31mred"#, #"\x1b[31mred"#), (#"b\r"#, #"b\x0d"#), ("tab\\there", "tab\there"),
        (#"\u0000\u007f"#, #"\x00\x7f"#), ("\u{9b}31m", #"\x9b31m"#),
        ("caf\u{e9} \u{1F600} \u{a0}", "caf\u{e9} \u{1F600} \u{a0}"), (#"\"quoted\" \\ \/"#, #""quoted" \ /"#),
        ("long enough for two words \u{7f} and more", #"long enough for two words \x7f and more"#),
    ])
    func `nothing in a record can drive the terminal`(_ text: String, _ clean: String) {
        #expect(shown(container("\"message\":\"\(text)\"")) == web + clean + "\n")
        #expect(shown(container("\"x\(text)\":1")) == web + "x\(clean)=1\n", "a member's name neither")
        #expect(
            shown("{\"message\":\"m\",\"origin\":\"file\",\"file\":{\"path\":\"/\(text)\"}}") == "/\(clean): m\n",
            "a path neither")
        #expect(shown("no record \(text)").hasPrefix("no record "))
    }

    @Test func `what is no record is shown as text`() {
        #expect(shown("no \u{1b}[2J record\n") == "no \\x1b[2J record\n")
        #expect(shown("", .json) == "\n" && shown("[1]", .raw) == "[1]\n" && shown("[1]", .export) == "")
    }

    @Test func `further lines of a message begin below the first`() {
        let spaces = String(repeating: " ", count: web.count)
        #expect(shown(container(#""message":"a\nb\n\nc\n""#)) == "\(web)a\n\(spaces)b\n\(spaces)\n\(spaces)c\n")
        let colored = shown(container(#""message":"a\nb""#)) { $0.isColored = true }
        #expect(colored.split(separator: "\n").last == "\(spaces)b", "colours take no room")
        #expect(shown(container(#""message":"""#)) == web + "\n")
    }

    // MARK: Colours

    @Test(arguments: [
        ("emergency", "0;1;31"), ("alert", "0;1;31"), ("critical", "0;1;31"), ("error", "0;1;31"),
        ("warning", "0;1;33"), ("notice", "0;1;39"), ("debug", "0;90"), ("trace", "0;90"), ("info", ""), ("", ""),
    ])
    func `severities have colours when asked for`(_ severity: String, _ color: String) {
        let record = "{\"severity\":\"\(severity)\",\"message\":\"m\",\(origin)"
        #expect(shown(record) == "shop/web-1 nginx: m\n")
        let text = color.isEmpty ? "m" : "\u{1b}[\(color)mm\u{1b}[0m"
        let colored = shown(record) { $0.isColored = true }
        #expect(colored.hasSuffix("shop/web-1 nginx:\u{1b}[0m \(text)\n"))
        #expect(shown(record, .cat) { $0.isColored = true } == text + "\n")
    }

    @Test func `a pod has the same colour in each of its containers`() {
        func color(_ pod: String, _ container: String, namespace: String = "shop") -> Substring {
            shown(
                "{\"message\":\"m\",\"kubernetes\":{\"namespace_name\":\"\(namespace)\",\"pod_name\":\"\(pod)\","
                    + "\"container_name\":\"\(container)\"}}"
            ) { $0.isColored = true }.prefix { $0 != "m" }
        }
        #expect(color("web-1", "a") == color("web-1", "b"))
        let pods = Set((0..<200).map { color("web-\($0)", "a") })
        #expect(pods.count == 12)
        #expect(Set((0..<20).map { color("web", "a", namespace: "n\($0)") }).count > 5)
    }

    @Test func `pods' colours can be read on black and on white`() {
        let codes = Set(
            (0..<500).compactMap { index in
                let line = shown(
                    "{\"message\":\"m\",\"kubernetes\":{\"namespace_name\":\"n\",\"pod_name\":\"p\(index)\"}}"
                ) { $0.isColored = true }
                return line.wholeMatch(of: /\u{1b}\[38;5;(\d+)m(?s:.*)/).flatMap { Int($0.output.1) }
            })
        #expect(codes.count == 12)
        for code in codes {
            // The cube of 6 x 6 x 6 colours, and the contrast of two as the web's guidelines define it.
            let levels = [(code - 16) / 36, (code - 16) / 6 % 6, (code - 16) % 6].map { $0 == 0 ? 0 : 55 + 40 * $0 }
            let linear = levels.map { level -> Double in
                let share = Double(level) / 255
                return share <= 0.03928 ? share / 12.92 : power((share + 0.055) / 1.055)
            }
            let light = 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
            #expect((light + 0.05) / 0.05 >= 3 && 1.05 / (light + 0.05) >= 3, "\(code)")
        }
    }

    /// `base` to the power of 2.4.
    private func power(_ base: Double) -> Double {
        // The fifth root of the twelfth power, by Newton's method.
        let twelfth = (0..<12).reduce(1) { product, _ in product * base }
        return (0..<200).reduce(1) { root, _ in root - (root - twelfth / (root * root * root * root)) / 5 }
    }

    // MARK: Emphasis and width

    @Test func `parts of a message are emphasised, also across lines, escapes and cuts`() {
        func emphasised(_ message: String, _ ranges: [Range<Int>], width: Int? = nil) -> String {
            shown(container("\"severity\":\"error\",\"message\":\"\(message)\"")) {
                $0.isColored = true
                $0.hasPrefix = false
                $0.width = width
                $0.highlight = { _ in ranges }
            }.replacing("\u{1b}[0;1;31m", with: "<").replacing("\u{1b}[0;1;39m", with: "{").replacing(
                "\u{1b}[0m", with: ">")
        }
        let time = "Nov 03 03:14:07 "
        let spaces = String(repeating: " ", count: time.count)
        #expect(emphasised("one two", [0..<3]) == "\(time)<{one< two>\n")
        #expect(emphasised("one two", [0..<3, 4..<7]) == "\(time)<{one< {two<>\n")
        #expect(emphasised(#"one\ntwo"#, [2..<5]) == "\(time)<on{e<>\n\(spaces)<{t<wo>\n")
        #expect(emphasised(#"\u0001two"#, [0..<2]) == "\(time)<{\\x01t<wo>\n")
        #expect(emphasised("one", [1..<9, 20..<30]) == "\(time)<o{ne<>\n", "outside of it is nothing")
        #expect(emphasised("a\u{80}\u{e9}b", [2..<4]) == "\(time)<a{\\x80<\u{e9}b>\n", "characters stay whole")
        #expect(emphasised("one", []) == "\(time)<one>\n")
        let long = "0123456789012345678901234567890123456789"
        #expect(emphasised(long, [0..<2, 38..<40], width: 26) == "\(time)<{01<234567\u{2026}{9<>\n")
        #expect(
            shown(container("\"message\":\"m\"")) { $0.highlight = { _ in [0..<1] } } == web + "m\n",
            "not without colours")
    }

    @Test func `the emphasis is told what is shown`() {
        var options = DisplayOptions(.short)
        options.isColored = true
        options.hasPrefix = false
        options.highlight = { text in
            #expect(String(decoding: text) == "m a=1")
            return [2..<5]
        }
        var display = RecordDisplay(options)
        var out = Arena()
        display.append(Array(container("\"message\":\"m\",\"a\":1").utf8).span, to: &out)
        #expect(String(decoding: out.span).contains("m \u{1b}[0;1;31ma=1\u{1b}[0m\n"))
    }

    @Test func `lines are cut to the width, each for itself`() {
        func cut(_ message: String, _ width: Int) -> [String] {
            lines(Array(shown(container("\"message\":\"\(message)\"")) { $0.width = width }.utf8)).dropLast()
                .map { String($0.dropFirst(web.count)) }
        }
        let room = web.count
        #expect(cut("0123456789", room + 10) == ["0123456789"])
        #expect(cut("0123456789a", room + 10) == ["01234567\u{2026}a"])
        #expect(cut(#"a\nb\nc\n0123456789abc\nd"#, room + 10) == ["a", "b", "c", "01234567\u{2026}c", "d"])
        #expect(cut("0123456789", room + 2) == ["..."] && cut("0123456789", 5) == ["..."])
    }

    @Test func `every record has its line, in order`() {
        var display = RecordDisplay(DisplayOptions(.cat))
        var out = Arena()
        let text = (1...100).map { container("\"message\":\"\($0)\"") + "\n" }.joined()
        display.append(lines: Array(text.utf8).span, to: &out)
        #expect(String(decoding: out.span) == (1...100).map { "\($0)\n" }.joined())
    }
}
