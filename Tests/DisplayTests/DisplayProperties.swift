// What no record may do to a reader, whatever is in it.
import Bytes
import Display
import Foundation
import Records
import TestKit
import Testing

@Suite struct `Any record` {
    /// Bytes of many kinds, as they may be in a log.
    private func bytes(_ random: inout SeededGenerator) -> [UInt8] {
        var bytes: [UInt8] = []
        for _ in 0..<random.below(12) {
            switch random.below(7) {
            case 0: bytes += random.bytes(random.below(6))
            case 1: bytes += [UInt8(random.below(32))]
            case 2: bytes += [0xc2, UInt8(0x80 + random.below(64))]
            case 3:
                bytes += Array(["\u{1b}[31m", "\u{1b}[2J", "\u{1b}]0;x\u{7}", "\u{7f}", "\r\n"][random.below(5)].utf8)
            case 4: bytes += Array(["\u{e9}", "\u{65e5}\u{672c}", "\u{1f600}", "\\u001b", "\""][random.below(5)].utf8)
            case 5: bytes += Array(String(repeating: "long ", count: random.below(20)).utf8)
            default: bytes += Array("plain".utf8)
            }
        }
        return bytes
    }

    private func string(_ random: inout SeededGenerator) -> String {
        var out = Arena()
        out.appendJSONString(bytes(&random))
        return String(decoding: out.span)
    }

    private func value(_ random: inout SeededGenerator) -> String {
        switch random.below(6) {
        case 0: "[\(string(&random)), \(string(&random))]"
        case 1: "{\(string(&random)):\(string(&random))}"
        case 2: "\(random.below(100))"
        default: string(&random)
        }
    }

    private func record(_ random: inout SeededGenerator) -> String {
        let names = [
            "stream", "severity", "message", "msg", "caller", "klog", "a", "time_", "sluice", "origin", "kubernetes",
            "journal", "file", "cluster",
        ]
        let inner = [
            "namespace_name", "pod_name", "container_name", "restart_count", "node_name", "unit", "identifier", "pid",
            "path", "_hostname", "transport", "_source_realtime_timestamp", "time", "thread",
        ]
        var members = ["\"time\":\"2026-11-03T03:14:07.\(random.below(999_999_999))Z\""]
        for name in names where random.oneIn(2) {
            if ["klog", "kubernetes", "journal", "file"].contains(name), !random.oneIn(8) {
                let within = inner.filter { _ in random.oneIn(2) }.map { "\"\($0)\":\(value(&random))" }
                members.append("\"\(name)\":{\(within.joined(separator: ","))}")
            } else {
                members.append("\"\(name)\":\(value(&random))")
            }
        }
        if random.oneIn(4) { members.append("\(string(&random)):\(value(&random))") }
        return "{\(members.joined(separator: ","))}"
    }

    @Test(arguments: 0..<16)
    func `puts no control character on a terminal, and one line of JSON into a pipe`(seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        // A character after a colour may be one that joins the one before.
        let color = /\u{1b}\[[0-9;]*m/.matchingSemantics(.unicodeScalar)
        for _ in 0..<50 {
            let record = random.oneIn(20) ? String(decoding: bytes(&random), as: UTF8.self) : record(&random)
            for style in DisplayStyle.allCases {
                let ranges = (0..<random.below(4)).map { _ in random.below(50) }.sorted()
                let width: Int? = random.oneIn(2) ? random.below(120) : nil
                let plain = shown(record, style) { $0.width = width }
                let colored = shown(record, style) {
                    $0.width = width
                    $0.isColored = true
                    $0.highlight = { _ in zip(ranges, ranges.dropFirst()).map { $0..<$1 } }
                }
                #expect(plain.utf8.last == 10 || style == .export && plain.isEmpty)
                switch style {
                case .json where record.hasPrefix("{"):
                    #expect(plain.utf8.count { $0 == 10 } == 1)
                case .json, .jsonPretty, .export, .raw: break
                default:
                    #expect(!plain.unicodeScalars.contains(where: isControl), "\(record)")
                    let uncolored = colored.replacing(color, with: "")
                    #expect(!uncolored.unicodeScalars.contains(where: isControl), "\(record)")
                    #expect(uncolored == plain, "colours change nothing else")
                }
            }
        }
    }

    private func isControl(_ scalar: Unicode.Scalar) -> Bool {
        scalar.properties.generalCategory == .control && scalar != "\n" && scalar != "\t"
    }

    @Test(arguments: 0..<20)
    func `is the same JSON when it is made pretty or picked from`(seed: UInt64) throws {
        var random = SeededGenerator(seed: 1000 + seed)
        func parsed(_ text: String) throws -> NSDictionary {
            try #require(try JSONSerialization.jsonObject(with: Data(text.utf8)) as? NSDictionary)
        }
        for _ in 0..<50 {
            let record = record(&random)
            let object = try parsed(record)
            #expect(try parsed(shown(record, .jsonPretty)) == object)
            let message = try parsed(shown(record, .json) { $0.outputFields = ["message", "journal.unit"] })
            #expect(message["message"] as? NSObject == object["message"] as? NSObject)
            let (unit, wanted) = (message["journal"] as? NSDictionary, object["journal"] as? NSDictionary)
            #expect(unit?["unit"] as? NSObject == wanted?["unit"] as? NSObject)
            #expect(Set(message.allKeys.compactMap { $0 as? String }).isSubset(of: ["message", "journal"]))
        }
    }

    @Test(arguments: 0..<20)
    func `of plain text is that text again in raw`(seed: UInt64) {
        var random = SeededGenerator(seed: 2000 + seed)
        for _ in 0..<50 {
            let text = String(decoding: bytes(&random), as: UTF8.self)
            var out = Arena()
            out.appendJSONString(text)
            #expect(shown(container("\"message\":\(String(decoding: out.span))"), .raw) == text + "\n")
        }
    }
}
