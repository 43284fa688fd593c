// How long records may become: escaping makes a text up to six times as long, and what is stored is bounded too.
import Bytes
import Foundation
import Records
import Testing

struct RecordSizeTests {
    private static let mebibyte = 1 << 20
    /// What docs/records.md promises for a text of one MiB, and the rest of a record.
    private static let bound = 3 * mebibyte + 48 * 1024 + 1024

    /// Texts of one MiB that become longer.
    private static let texts: [(what: String, text: [UInt8])] = [
        ("NULs", [UInt8](repeating: 0, count: mebibyte)), ("ESCs", [UInt8](repeating: 0x1b, count: mebibyte)),
        ("mixed", Array(String(repeating: "€\u{1}\u{2}\u{3}", count: mebibyte / 6).utf8)),
    ]

    @Test(arguments: texts)
    func `a text that escaping makes too long is cut between two characters, marked and counted`(
        _ example: (what: String, text: [UInt8])
    ) throws {
        let (lines, counts) = Encoding().lines([example.text])
        #expect(lines.count == 1 && lines[0].utf8.count <= Self.bound, "\(lines[0].utf8.count) bytes")
        #expect(lines[0].utf8.count > Self.bound - 2048, "no more is cut than has to be")
        let record = try parsed(lines[0])
        let message = try #require(record["message"] as? String)
        #expect((record["sluice"] as? [String])?.contains("truncated") == true)
        #expect(counts[.truncatedRecords] == 1)
        let kept = example.text.count - Int(counts[.skippedBytes])
        #expect(message == String(decoding: example.text.prefix(kept), as: UTF8.self))
        #expect(String(message.unicodeScalars.suffix(1)) != "\u{fffd}")
    }

    @Test func `a record that was cut when it was read is counted once`() throws {
        let (lines, counts) = Encoding(flags: .truncated).lines([Self.texts[0].text])
        #expect(lines[0].utf8.count <= Self.bound && counts[.truncatedRecords] == 0 && counts[.skippedBytes] > 0)
    }

    @Test(arguments: [
        [UInt8](repeating: 0, count: 16 * 1024), [UInt8](repeating: UInt8(ascii: "\""), count: mebibyte),
        [UInt8](repeating: 0xff, count: mebibyte),
        [UInt8](repeating: UInt8(ascii: "\n"), count: mebibyte),
        Array(String(repeating: "\u{1b}[31mred words\u{1b}[0m\n", count: mebibyte / 20).utf8),
    ])
    func `text as programs write it is never cut, nor are bytes that are no text, nor a short one of any bytes`(
        text: [UInt8]
    ) throws {
        var (lines, counts) = Encoding().lines([text])
        counts[.invalidTextRecords] = 0
        #expect(try parsed(lines[0])["message"] as? String == String(decoding: text, as: UTF8.self))
        #expect(counts.isEmpty)
    }

    @Test func `a klog line whose members would become too long stays text, and is cut`() throws {
        let header = "E1123 03:28:02.913293   16167 kubelet.go:2243] "
        for tail in [
            String(repeating: "\u{1}", count: Self.mebibyte),
            "\"x\" a=\"\(String(repeating: "\u{1}", count: Self.mebibyte))\"",
        ] {
            let (lines, counts) = Encoding(klog: .behindJSON).lines([
                Array((header + tail).utf8), Array((header + "short").utf8),
            ])
            #expect(lines[0].utf8.count <= Self.bound)
            let (record, next) = (try parsed(lines[0]), try parsed(lines[1]))
            #expect((record["message"] as? String)?.hasPrefix(header) == true && record["klog"] == nil)
            #expect(record["severity"] as? String == "error" && counts[.truncatedRecords] == 1)
            #expect(next["message"] as? String == "short" && next["klog"] != nil)
        }
    }

    @Test func `a JSON message is as long in its record as it was`() throws {
        let text = "{\"a\":\"" + String(repeating: "\\u0001", count: Self.mebibyte / 6) + "\",\"time\":1}"
        for mode in [JSONMode.merge, .under("app")] {
            let (lines, counts) = Encoding(mode: mode).lines([Array(text.utf8)])
            #expect(lines[0].utf8.count < text.utf8.count + 256 && counts[.truncatedRecords] == 0)
        }
    }
}
