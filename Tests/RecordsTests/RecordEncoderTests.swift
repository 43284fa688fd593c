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

    @Test func `names that share bits are told apart`() {
        var random = SeededGenerator(seed: 33)
        let encoding = Encoding(fields: ["cluster", "a field with a long name"])
        for _ in 0..<500 {
            // Enough of them that some share theirs with reserved names, and some with each other.
            let numbers = Set((0..<12).map { _ in random.below(5_000) }).sorted()
            let members = numbers.map { number in
                "\"\(["k", "key ", "a name ", "timer"][number % 4])\(number)\":\(number)"
            }
            let (lines, counts) = encoding.lines([Array("{\(members.joined(separator: ","))}".utf8)])
            #expect(lines[0].contains(",\(members.joined(separator: ",")),\"origin\":"))
            let (mended, added) = encoding.lines([Array("{\(members.joined(separator: ",")),\(members[0])}".utf8)])
            let rest = members[1...].map { "\($0)," }.joined()
            #expect(mended[0].contains(",\(rest)\(members[0]),\"origin\":"))
            #expect(counts[.renamedMembers] + counts[.duplicateMembers] + added[.renamedMembers] == 0)
            #expect(added[.duplicateMembers] == 1)
        }
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
