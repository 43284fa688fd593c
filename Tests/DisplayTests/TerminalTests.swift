// What a terminal is given: lines that fit into it, and nothing that steers it.
import Bytes
import Display
import Foundation
import TestKit
import Testing

@Suite("widths on a terminal") struct TextWidthTests {
    /// What is shown of a message in `room` columns behind the place.
    private func cut(_ message: String, _ room: Int) -> String {
        let line = shown(container("\"message\":\"\(message)\"")) { $0.width = web.utf8.count + room }
        return String(line.dropFirst(web.count).dropLast())
    }

    @Test(arguments: [
        ("a", 1), ("é", 1), ("e\u{301}", 1), ("日", 2), ("한", 2), ("\u{1112}\u{1161}\u{11AB}", 2), ("ｱ", 1), ("Ａ", 2),
        ("א\u{5B0}", 1), ("\u{1F680}", 2), ("\u{2705}", 2), ("\u{1FAE8}", 2), ("\u{1F9FF}", 2),
        ("\u{1F1E9}\u{1F1EA}", 2),
        ("a\u{200B}", 1), ("│", 1), ("\u{E0B0}", 1), ("ก\u{E31}", 1),
        // The most that a terminal takes for them: some join them, some do not.
        ("\u{2764}\u{FE0F}", 2), ("1\u{FE0F}\u{20E3}", 2), ("\u{1F44D}\u{1F3FD}", 4),
        ("\u{1F468}\u{200D}\u{1F469}\u{200D}\u{1F467}", 6),
    ])
    func `a line is cut exactly when it is wider than the terminal, and characters stay whole`(
        text: String, columns: Int
    ) {
        let line = String(repeating: text, count: 30)
        #expect(cut(line, 30 * columns) == line, "it fits")
        for room in [30 * columns - 1, 20, 7] {
            let parts = cut(line, room).components(separatedBy: "\u{2026}")
            guard parts.count == 2 else {
                Issue.record("not cut to \(room)")
                continue
            }
            let kept = parts.map { $0.unicodeScalars.count / text.unicodeScalars.count }
            #expect(zip(parts, kept).allSatisfy { $0 == String(repeating: text, count: $1) }, "\(parts)")
            let used = (kept[0] + kept[1]) * columns + 1
            #expect(used <= room && used > room - 2 * columns - 1, "\(used) of \(room)")
        }
    }

    @Test func `places have widths too`() {
        let record =
            #"{"time":"2026-11-03T03:14:07Z","message":"0123456789","origin":"journal","journal":{"_hostname":"h","identifier":"größe日"}}"#
        let place = "Nov 03 03:14:07 h größe日: "
        let columns = place.count + 1
        #expect(shown(record) { $0.width = columns + 10 } == place + "0123456789\n")
        #expect(shown(record) { $0.width = columns + 9 }.contains("\u{2026}"))
    }

    @Test func `a tab may take eight columns`() {
        #expect(cut("a\\tb", 10) == "a\tb" && cut("a\\tb", 9).contains("\u{2026}"))
    }

    /// Asks the C library: prints the number of every character that has so many columns for it.
    private static let characters = """
        import ctypes, locale, sys
        locale.setlocale(locale.LC_CTYPE, "C.UTF-8")
        wcwidth = ctypes.CDLL(None).wcwidth
        for code in range(0xa0, 0x40000):
            if wcwidth(code) == int(sys.argv[1]): print(code)
        """

    private func characters(ofColumns columns: Int) throws -> [Unicode.Scalar] {
        let (status, output) = try ChildProcess.run("python3", "-c", Self.characters, "\(columns)")
        #expect(status == 0)
        return String(decoding: output, as: UTF8.self).split(separator: "\n").compactMap {
            UInt32($0).flatMap(Unicode.Scalar.init)
        }
    }

    /// The table is ours, and the C library's is another one.
    @Test func `no character is narrower than the C library has it, and letters are no wider`() throws {
        var wide = 0
        for scalar in try characters(ofColumns: 2) {
            // Of the large blocks of ideographs and syllables some will do.
            let value = scalar.value
            let isLarge =
                0x3400...0x9fff ~= value || 0xac00...0xd7a3 ~= value || 0x17000...0x18cff ~= value || value > 0x20000
            if isLarge, value % 211 != 0 { continue }
            wide += 1
            let line = String(repeating: String(scalar), count: 10)
            #expect(cut(line, 19).contains("\u{2026}"), "U+\(String(value, radix: 16))")
        }
        #expect(wide > 1500)
        let blocks: [ClosedRange<UInt32>] = [0xa1...0x2ff, 0x370...0x482, 0x1e00...0x1eff, 0x2500...0x25fc]
        for scalar in try characters(ofColumns: 1) where blocks.contains(where: { $0.contains(scalar.value) }) {
            let line = String(repeating: String(scalar), count: 10)
            #expect(cut(line, 10) == line, "U+\(String(scalar.value, radix: 16))")
        }
    }
}

@Suite("safety of a terminal") struct TerminalSafetyTests {
    private static let nasty = #"é\u007f\u0080\u001b[2J"# + "\u{7f}\u{80}\u{9b}2J\u{9f}\u{a0}"

    @Test(arguments: DisplayStyle.allCases) func `nothing that steers a terminal gets through`(style: DisplayStyle) {
        for record in [
            container("\"message\":\"\(Self.nasty)\",\"a\u{9b}\":{\"b\":[\"\(Self.nasty)\"]}"),
            "no JSON \u{1b}[2J \u{9b}2J \r", "{\"message\":\"x\",\r \"y\":1}",
        ] {
            for scalar in shown(record, style, { $0.isForTerminal = true }).unicodeScalars {
                #expect(scalar == "\n" || scalar.value >= 0x20 && !(0x7f...0x9f ~= scalar.value), "\(scalar.value)")
            }
        }
        // A byte of C1 that is not UTF-8.
        let bytes = shownBytes(["x"], style) { $0.isForTerminal = true }
        var options = DisplayOptions(style)
        options.isForTerminal = true
        var display = RecordDisplay(options)
        var out = Arena()
        let lone: [UInt8] = [0x78, 0x9b, 0x32, 0x4a]
        display.append(lone.span, to: &out)
        #expect(String(validating: Array(copying: out.span), as: UTF8.self) != nil && bytes.last ?? 10 == 10)
    }

    @Test(arguments: [DisplayStyle.json, .jsonPretty]) func `JSON stays the same JSON`(style: DisplayStyle) throws {
        let record = container("\"message\":\"\(Self.nasty)\",\r\"a\u{85}b\" : [1,\"\u{7f}\"]")
        func value(_ isForTerminal: Bool) throws -> NSDictionary? {
            let text = shown(record, style) { $0.isForTerminal = isForTerminal }
            return try JSONSerialization.jsonObject(with: Data(text.utf8)) as? NSDictionary
        }
        #expect(try value(true) != nil && value(true) == value(false))
        #expect(shown(record, .json) == record + "\n", "what is no terminal gets it as it is")
    }

    @Test func `raw lines stay lines on a terminal`() {
        let record = container(#""message":"one\n\ttwo\u001b[1m\n""#)
        #expect(shown(record, .raw) { $0.isForTerminal = true } == "one\n\ttwo\\x1b[1m\n\n")
        #expect(shown(record, .raw) == "one\n\ttwo\u{1b}[1m\n\n")
    }
}
