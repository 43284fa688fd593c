// Lines of JSON: the shape of docs/records.md, to the byte where it is fixed and to the member where it is not.
import Bytes
import Foundation
import Records
import TestKit
import Testing

struct RecordEncoderTests {
    @Test func `a record has its time, stream and message, and ends with what its source says`() {
        #expect(
            Encoding().line("hello")
                == #"{"time":"2026-11-23T03:14:07.123456789Z","stream":"stdout","message":"hello","origin":"test"}"#)
        #expect(
            Encoding(stream: .none, time: 0).line("")
                == #"{"time":"1970-01-01T00:00:00.000000000Z","message":"","origin":"test"}"#)
        #expect(Encoding(stream: .stderr).line("x").contains(#""stream":"stderr""#))
    }

    @Test func `the severity stands between stream and message`() {
        #expect(
            Encoding().line(#"{"level":"warn"}"#)
                == #"{"time":"2026-11-23T03:14:07.123456789Z","stream":"stdout","severity":"warning","level":"warn","origin":"test"}"#
        )
    }

    @Test(arguments: [
        "hello", #"say "hi" \ there"#, "\u{0}\u{1b}[31m\u{7f}\t\r", "snow ☃ and 🦦", "{\"a\":1} and more", "[1]", "1",
        "null", "{", "",
    ])
    func `a text comes back as it was`(text: String) throws {
        for mode in [JSONMode.merge, .off, .under("app")] {
            let record = try Encoding(mode: mode).record(text)
            #expect(record["message"] as? String == text)
            #expect(Set(record.keys) == ["time", "stream", "message", "origin"])
        }
    }

    @Test func `bytes that are not UTF-8 are replaced, marked and counted`() throws {
        let (lines, counts) = Encoding().lines([[0x61, 0xff, 0x62], [0xe2, 0x82], Array("fine".utf8)])
        #expect(try parsed(lines[0])["message"] as? String == "a\u{fffd}b")
        #expect(try parsed(lines[0])["sluice"] == ["invalid_text"] as NSArray)
        #expect(try parsed(lines[1])["message"] as? String == "\u{fffd}")
        #expect(try parsed(lines[2])["sluice"] == nil)
        #expect(counts[.invalidTextRecords] == 2)
    }

    @Test func `JSON with bytes that are not UTF-8 is text`() throws {
        let (lines, counts) = Encoding().lines([Array(#"{"a":"x"#.utf8) + [0xff] + Array(#""}"#.utf8)])
        #expect(try parsed(lines[0])["message"] as? String == "{\"a\":\"x\u{fffd}\"}")
        #expect(counts[.invalidTextRecords] == 1)
    }

    @Test(arguments: [
        (RecordFlags.truncated, ["truncated"]), (RecordFlags.malformed, ["malformed"]),
        (RecordFlags.unfinished, ["unfinished"]),
        (RecordFlags.marks, ["truncated", "malformed", "unfinished", "invalid_text"]),
        (RecordFlags.none, [String]()), (RecordFlags.filtered, [String]()),
    ])
    func `what is special about a record stands in its member sluice`(
        _ example: (flags: RecordFlags, marks: [String])
    ) throws {
        let record = try Encoding(flags: example.flags).record("text")
        #expect(record["sluice"] as? [String] ?? [] == example.marks)
    }

    @Test(arguments: [RecordFlags.truncated, .unfinished])
    func `what is not whole is not taken for JSON, even if it looks like it`(flags: RecordFlags) throws {
        let record = try Encoding(flags: flags).record(#"{"a":1}"#)
        #expect(record["message"] as? String == #"{"a":1}"#)
        #expect(record["a"] == nil)
    }

    // MARK: Merging

    @Test func `an object's members become the record's, and their bytes stay as they are`() {
        let line = Encoding().line(#"{"a":1.50,"b":"\u0041\/","c":{"d":[ ]},"message":"mine"}"#)
        #expect(line.contains(#","a":1.50,"b":"\u0041\/","c":{"d":[ ]},"message":"mine","origin""#))
    }

    @Test(arguments: [#"  {"a":1}"#, "\t{\"a\":1}\t ", #"{ "a" : 1 }"#, "{\r\"a\":1}"])
    func `white space around and inside of an object does no harm`(message: String) throws {
        let record = try Encoding().record(message)
        #expect(record["a"] == 1 as NSNumber)
        #expect(record["message"] == nil)
    }

    @Test func `newlines between tokens become spaces`() throws {
        for mode in [JSONMode.merge, .under("app")] {
            let line = Encoding(mode: mode).line("{\n\"a\":\n[1,\n2]\n,\"time\":\"a\\nb\"\n}")
            #expect(!line.contains("<newline>"))
            let record = try parsed(line)
            let members = mode == .merge ? record : try #require(record["app"] as? [String: NSObject])
            #expect(members["a"] == [1, 2] as NSArray)
            #expect(members[mode == .merge ? "time_" : "time"] as? String == "a\nb")
        }
    }

    @Test(arguments: [
        "{}", "{ }", "{\n}", "[{}]", "[]", "1", "\"text\"", "null", "{\"a\":1}x", "{\"a\":1,}", "{'a':1}", "{\"a\":01}",
        "{\"a\":1e999}",
    ])
    func `an empty object, and what is no object, is text`(message: String) throws {
        #expect(try Encoding().record(message)["message"] as? String == message)
    }

    @Test func `off leaves an object as text`() throws {
        let record = try Encoding(mode: .off).record(#"{"a":1}"#)
        #expect(record["message"] as? String == #"{"a":1}"#)
        #expect(record["severity"] == nil)
    }

    @Test func `under keeps an object whole beneath its key, whatever its members are called`() throws {
        let (lines, counts) = Encoding(mode: .under("my \"app\"")).lines([
            Array(#"{"time":1,"a":2,"level":"warn"}"#.utf8)
        ])
        let record = try parsed(lines[0])
        #expect(
            record["my \"app\""] as? [String: NSObject] == [
                "time": 1 as NSNumber, "a": 2 as NSNumber, "level": "warn" as NSString,
            ])
        #expect(record["severity"] as? String == "warning")
        #expect(record["message"] == nil)
        #expect(counts[.renamedMembers] == 0)
    }

    // MARK: Clashes

    @Test(arguments: ReservedNames.always)
    func `a member with a name of the record's own is renamed and counted`(name: String) throws {
        let (lines, counts) = Encoding().lines([Array(#"{"\#(name)":"mine","x":1}"#.utf8)])
        let record = try parsed(lines[0])
        #expect(record["\(name)_"] as? String == "mine")
        #expect(record[name] as? String != "mine")
        #expect(counts[.renamedMembers] == 1)
    }

    @Test func `underscores are appended until the name is free`() throws {
        let (lines, counts) = Encoding(fields: ["time__"]).lines([
            Array(#"{"time":1,"time_":2,"time____":3,"a":4}"#.utf8)
        ])
        let record = try parsed(lines[0])
        #expect(record["time_"] == 2 as NSNumber)
        #expect(record["time___"] == 1 as NSNumber)
        #expect(record["time____"] == 3 as NSNumber)
        #expect(record["time__"] == nil)
        #expect(counts[.renamedMembers] == 1)
    }

    @Test(arguments: ["cluster", "a", "environment of this cluster", "grün", "message"])
    func `names of static fields are reserved too`(field: String) throws {
        let encoding = Encoding(fields: ["zone", field], ending: ",\"\(field)\":\"static\"}\n")
        let (lines, counts) = encoding.lines([Array(#"{"\#(field)":"mine","other":1}"#.utf8)])
        let record = try parsed(lines[0])
        #expect(record[field] as? String == "static")
        #expect(record["\(field)_"] as? String == "mine")
        #expect(counts[.renamedMembers] == 1)
    }

    @Test func `an escaped name is the name it stands for`() throws {
        let (lines, counts) = Encoding().lines([Array(#"{"t\u0069me":1,"\u0061":2,"a":3,"\ud83e\udda6\n":4}"#.utf8)])
        let record = try parsed(lines[0])
        #expect(record["time_"] == 1 as NSNumber)
        #expect(record["a"] == 3 as NSNumber)
        #expect(record["🦦\n"] == 4 as NSNumber)
        #expect(counts[.renamedMembers] == 1)
        #expect(counts[.duplicateMembers] == 1)
    }

    @Test(arguments: ["a", "exactly8", "a name longer than eight bytes", "message", "level"])
    func `of equal names the last one stays, and the others are counted`(name: String) throws {
        let (lines, counts) = Encoding().lines([Array(#"{"\#(name)":1,"x":0,"\#(name)":2,"\#(name)":"three"}"#.utf8)])
        #expect(try parsed(lines[0])[name] as? String == "three")
        #expect(lines[0].components(separatedBy: "\"\(name)\":").count == 2)
        #expect(counts[.duplicateMembers] == 2)
    }

    @Test func `names that only begin alike are different`() throws {
        let names = [
            "kubernetes", "kubernetic", "kubernete", "timer", "streams", "message1", "message2", "a long name 1",
            "a long name 2",
        ]
        let object = "{" + names.map { "\"\($0)\":\"\($0)\"" }.joined(separator: ",") + "}"
        let (lines, counts) = Encoding().lines([Array(object.utf8)])
        let record = try parsed(lines[0])
        for name in names { #expect(record[name == "kubernetes" ? "kubernetes_" : name] as? String == name) }
        #expect(counts[.renamedMembers] == 1)
        #expect(counts[.duplicateMembers] == 0)
    }

    @Test func `an object with hundreds of members is looked at member by member`() throws {
        let names = (0..<300).map { "member \($0)" } + ["member 7", "origin"]
        let object = "{" + names.enumerated().map { "\"\($1)\":\($0)" }.joined(separator: ",") + "}"
        let (lines, counts) = Encoding().lines([Array(object.utf8)])
        let record = try parsed(lines[0])
        #expect(record["member 7"] == 300 as NSNumber)
        #expect(record["origin_"] == 301 as NSNumber)
        #expect(record.count == 300 + 4)
        #expect(counts[.renamedMembers] == 1)
        #expect(counts[.duplicateMembers] == 1)
    }

    // MARK: Endings

    @Test func `an ending has its origin, its objects without what is empty, and the static fields`() throws {
        var ending = RecordEnding(origin: "container")
        ending.append(
            "kubernetes",
            [
                ("pod_name", .text("web \"1\"")), ("container_id", .text("")), ("restart_count", .number(0)),
                ("node_name", .text("n")),
            ])
        ending.append("empty", [("a", .text(""))])
        let bytes = ending.finish(staticFields: Array(#","cluster":"prod-1""#.utf8))
        let record = try Encoding(ending: String(decoding: bytes, as: UTF8.self)).record("text")
        #expect(record["origin"] as? String == "container")
        #expect(record["cluster"] as? String == "prod-1")
        #expect(
            record["kubernetes"] as? [String: NSObject]
                == ["pod_name": "web \"1\"" as NSString, "restart_count": 0 as NSNumber, "node_name": "n" as NSString])
        #expect(record["empty"] as? [String: NSObject] == [:])
    }
}

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
