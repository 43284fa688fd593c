// Random JSON objects, full of names that clash: the rules of docs/records.md, written down plainly once more.
import Bytes
import Foundation
import Records
import TestKit
import Testing

struct RecordProperties {
    private static let names =
        ReservedNames.always + ReservedNames.always.map { "\($0)_" } + [
            "message", "level", "lvl", "msg", "a", "b", "kubernetic", "timestamp", "stream_name", "a rather long name",
            "a rather long nam",
            "", "\"", "é", "🦦", "cluster", "cluster_", "zone", "exactly8", "exactly9!",
        ]

    /// A value and how it is written.
    private static func randomValue(_ random: inout SeededGenerator, _ depth: Int = 0) -> String {
        switch random.below(depth > 2 ? 6 : 8) {
        case 0: return "null"
        case 1: return random.oneIn(2) ? "true" : "false"
        case 2: return "\(Int64(truncatingIfNeeded: random.next()) >> Int64(random.below(60) + 3))"
        case 3: return ["0", "-0", "1.5", "1e3", "-2.25E-2", "12345678.125"][random.below(6)]
        case 4:
            return string(
                ["warn", "ERROR", "x", "tab\t", "line\n", "quote\" \\ slash/", "☃", "🦦"][random.below(8)], &random)
        case 5: return string(String(repeating: "long ", count: random.below(40)), &random)
        case 6:
            let count = random.below(4)
            return "[\(space(&random))"
                + (0..<count).map { _ in randomValue(&random, depth + 1) }.joined(separator: ",\(space(&random))") + "]"
        default:
            let members = names.shuffled(using: &random).prefix(random.below(4))
            return "{"
                + members.map { "\(string($0, &random)):\(randomValue(&random, depth + 1))" }.joined(separator: ",")
                + "\(space(&random))}"
        }
    }

    private static func space(_ random: inout SeededGenerator) -> String {
        random.oneIn(3) ? ["", " ", "\t", "\n", "\r\n", "  \n"][random.below(6)] : ""
    }

    /// A string with some of its characters escaped.
    private static func string(_ text: String, _ random: inout SeededGenerator) -> String {
        var written = "\""
        for unit in text.unicodeScalars {
            switch unit {
            case "\"": written += random.oneIn(2) ? "\\\"" : "\\u0022"
            case "\\": written += "\\\\"
            case "\n": written += "\\n"
            case "\t": written += "\\t"
            default:
                if random.oneIn(30) {
                    for word in String(unit).utf16 {
                        written += "\\u" + String(String(0x10000 + Int(word), radix: 16).dropFirst())
                    }
                } else {
                    written += String(unit)
                }
            }
        }
        return written + "\""
    }

    @Test func `every record is valid JSON with exactly the members that the rules say`() throws {
        var random = SeededGenerator(seed: 31)
        let fields = ["cluster", "zone"]
        let encoding = Encoding(fields: fields, ending: #","origin":"test","cluster":"c","zone":7}"# + "\n")
        let reserved = Set(ReservedNames.always + fields)
        var (renamed, duplicates) = (0, 0)
        for round in 0..<1_500 {
            var members: [(name: String, value: String)] = []
            for _ in 0..<(1 + random.below(random.oneIn(20) ? 50 : 8)) {
                members.append((Self.names[random.below(Self.names.count)], Self.randomValue(&random)))
            }
            let object =
                ["", "", " ", "\t "][random.below(4)] + "{"
                + members.map { member in
                    [Self.string(member.name, &random), Self.space(&random), ":", Self.space(&random), member.value]
                        .joined()
                }.joined(separator: "," + Self.space(&random)) + Self.space(&random) + "}"

            // The rules, written down plainly.
            var wanted: [String: NSObject] = [
                "time": "2026-11-23T03:14:07.123456789Z" as NSString, "stream": "stdout" as NSString,
                "origin": "test" as NSString,
                "cluster": "c" as NSString, "zone": 7 as NSNumber,
            ]
            var last: [String: String] = [:]
            for member in members {
                if last.updateValue(member.value, forKey: member.name) != nil { duplicates += 1 }
            }
            for (index, member) in members.enumerated()
            where !members[(index + 1)...].contains(where: { $0.name == member.name }) {
                var name = member.name
                if reserved.contains(name) {
                    renamed += 1
                    repeat { name += "_" } while reserved.contains(name) || last[name] != nil || wanted[name] != nil
                }
                wanted[name] = try value(member.value)
            }

            let (lines, counts) = encoding.lines([Array(object.utf8)])
            guard lines.count == 1 else {
                Issue.record("round \(round): \(lines.count) lines of \(object)")
                return
            }
            var found = try parsed(lines[0])
            // Its own tests say what it is.
            if members.contains(where: { ["level", "lvl", "severity"].contains($0.name) }) { found["severity"] = nil }
            guard found == wanted else {
                let names = Set(found.keys).union(wanted.keys).filter { found[$0] != wanted[$0] }
                Issue.record("round \(round), \(names): \(object)\n  became \(lines[0])")
                return
            }
            #expect(Self.topLevelNames(lines[0]).count == Set(Self.topLevelNames(lines[0])).count)
            #expect(counts[.invalidTextRecords] == 0)
            renamed -= Int(counts[.renamedMembers])
            duplicates -= Int(counts[.duplicateMembers])
        }
        #expect(renamed == 0)
        #expect(duplicates == 0)
    }

    /// The names in an object as often as they are written, escapes and all.
    private static func topLevelNames(_ line: String) -> [String] {
        var names: [String] = []
        var depth = 0
        var text: [UInt8]?
        var isEscaped = false
        var mayBeName = true
        for byte in line.utf8 {
            if var inside = text {
                if isEscaped {
                    isEscaped = false
                } else if byte == UInt8(ascii: "\\") {
                    isEscaped = true
                } else if byte == UInt8(ascii: "\"") {
                    if depth == 1, mayBeName { names.append(String(decoding: inside, as: UTF8.self)) }
                    text = nil
                    continue
                }
                inside.append(byte)
                text = inside
                continue
            }
            switch byte {
            case UInt8(ascii: "\""): text = []
            case UInt8(ascii: "{"), UInt8(ascii: "["): depth += 1
            case UInt8(ascii: "}"), UInt8(ascii: "]"): depth -= 1
            case UInt8(ascii: ":") where depth == 1: mayBeName = false
            case UInt8(ascii: ",") where depth == 1: mayBeName = true
            default: break
            }
        }
        return names
    }

    @Test func `whatever a message holds, its record is one line of valid JSON`() throws {
        var random = SeededGenerator(seed: 32)
        let pieces = [
            "{", "}", "\"", ":", ",", "[", "]", "\\", "a", "time", "1", "\n", "\\u00", "\u{0}", " ", "null", "\"a\":1",
        ].map { Array($0.utf8) }
        for _ in 0..<1_500 {
            var message: [UInt8] = random.oneIn(2) ? [UInt8(ascii: "{")] : []
            for _ in 0..<random.below(20) {
                message += random.oneIn(8) ? random.bytes(2) : pieces[random.below(pieces.count)]
            }
            message.removeAll { $0 == 10 }
            for mode in [JSONMode.merge, .under("app"), .off] {
                let (lines, counts) = Encoding(mode: mode).lines([message])
                try #require(lines.count == 1)
                let record = try parsed(lines[0])
                if let text = record["message"] as? String, record["sluice"] != nil || mode == .off {
                    #expect(text == String(decoding: message, as: UTF8.self))
                    #expect((counts[.invalidTextRecords] == 1) == (String(validating: message, as: UTF8.self) == nil))
                }
            }
        }
    }
}
