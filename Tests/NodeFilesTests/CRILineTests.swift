// One line as runtimes write it, against tables and against a plain parser that shares no code with the real one.
import Bytes
import NodeFiles
import Records
import TestKit
import Testing

struct CRILineTests {
    /// What is in a line, as far as tests look.
    private struct Parts: Equatable, CustomStringConvertible {
        var time: Int64
        var stream: RecordStream
        var isPartial: Bool
        var message: [UInt8]

        var description: String {
            "\(time) \(stream) \(isPartial ? "P" : "F") \(String(decoding: message, as: UTF8.self))"
        }
    }

    private static func read(_ bytes: [UInt8], before: [UInt8] = [], after: [UInt8] = []) -> Parts? {
        let arena = Arena(holding: before + bytes + after)
        var times = TimestampParser()
        let end = before.count + bytes.count
        guard let line = CRILine(arena, from: before.count, to: end, &times) else { return nil }
        guard line.messageStart >= before.count, line.messageStart <= end else { return nil }
        return Parts(
            time: line.time, stream: line.stream, isPartial: line.isPartial,
            message: Array(copying: arena.span.extracting(line.messageStart..<end)))
    }

    @Test(arguments: [
        ("2026-11-23T03:14:07.123456789Z stdout F message", "message", false, RecordStream.stdout),
        ("2026-11-23T03:14:07.1Z stderr P piece of one", "piece of one", true, .stderr),
        ("2026-11-23T03:14:07Z stdout F ", "", false, .stdout),
        ("2026-11-23T03:14:07Z stdout F", "", false, .stdout),
        ("2026-11-23T03:14:07Z stdout F  two spaces", " two spaces", false, .stdout),
        ("2026-11-23T03:14:07Z stdout F:tag:other message", "message", false, .stdout),
        ("2026-11-23T03:14:07Z stdout P:tag message", "message", true, .stdout),
        ("2026-11-23T03:14:07Z stdout F:tag", "", false, .stdout),
        ("2026-11-23T04:14:07+01:00 stdout F message", "message", false, .stdout),
        ("2026-11-23T03:14:07Z stdout F stdout F again", "stdout F again", false, .stdout),
    ])
    func `a line has a time, a stream, a tag and a message`(
        _ example: (line: String, message: String, isPartial: Bool, stream: RecordStream)
    ) throws {
        let parts = try #require(Self.read(Array(example.line.utf8)))
        #expect(String(decoding: parts.message, as: UTF8.self) == example.message)
        #expect(parts.isPartial == example.isPartial)
        #expect(parts.stream == example.stream)
        #expect(parts.time / 1_000_000_000 == 1_795_403_647)
    }

    @Test(arguments: [
        "", "message", "2026-11-23T03:14:07Z", "2026-11-23T03:14:07Z ", "2026-11-23T03:14:07Z stdout",
        "2026-11-23T03:14:07Z stdout ", "2026-11-23T03:14:07Z stdout X message",
        "2026-11-23T03:14:07Z stdout FF message",
        "2026-11-23T03:14:07Z stdin F message", "2026-11-23T03:14:07Z STDOUT F message",
        "2026-11-23T03:14:07Z  stdout F message",
        "2026-11-23T03:14:07 stdout F message", "2026-11-23 03:14:07Z stdout F message",
        "2026-11-31T03:14:07Z stdout F message",
        "2026-11-23T03:14:07.Z stdout F message", " 2026-11-23T03:14:07Z stdout F message",
        #"{"log":"message\n","stream":"stdout","time":"2026-11-23T03:14:07Z"}"#,
    ])
    func `other lines are not in the format`(line: String) { #expect(Self.read(Array(line.utf8)) == nil) }

    @Test func `random lines are read as a plain parser reads them, whatever stands around them`() {
        var random = SeededGenerator(seed: 21)
        var good = 0
        for round in 0..<20_000 {
            let bytes = Self.randomLine(&random)
            let wanted = Self.plain(bytes)
            if wanted != nil { good += 1 }
            let around = ["\n", "Z stdout F x", "9", " stdout F ", "F "].map { Array($0.utf8) }
            for after in [[]] + around {
                let found = Self.read(bytes, before: around[random.below(around.count)], after: after)
                if found != wanted {
                    Issue.record(
                        "round \(round): [\(String(decoding: bytes, as: UTF8.self))] wanted \(String(describing: wanted)), found \(String(describing: found))"
                    )
                    return
                }
            }
        }
        // The generator makes enough of both kinds.
        #expect(good > 2_000)
        #expect(good < 18_000)
    }

    private static func randomLine(_ random: inout SeededGenerator) -> [UInt8] {
        func pick(_ choices: [String]) -> String { choices[random.below(choices.count)] }
        var text = LogWriter.timeText(Int64(random.next() % 4_000_000_000_000_000_000))
        text +=
            pick([" ", " ", " ", " ", "  ", ""]) + pick(["stdout", "stderr", "stdout", "stdin", "std"])
            + pick([" ", " ", " ", ""])
        text += pick(["F", "P", "F", "P", "F:a", "P:b:c", "X", ""]) + pick([" ", " ", " ", ":", "", "\t"])
        text += pick(["", "message", " F ", "a b c", "Z"])
        var bytes = Array(text.utf8)
        for _ in 0..<(random.oneIn(4) ? random.below(3) : 0) {
            bytes[random.below(bytes.count)] = UInt8.random(in: 0...255, using: &random)
        }
        if random.oneIn(6) { bytes.removeLast(random.below(bytes.count)) }
        return bytes
    }

    /// Splits at spaces.
    private static func plain(_ bytes: [UInt8]) -> Parts? {
        let fields = bytes.split(separator: 0x20, maxSplits: 3, omittingEmptySubsequences: false).map(Array.init)
        guard fields.count >= 3, let time = plainTime(fields[0]) else { return nil }
        let stream: RecordStream
        switch String(decoding: fields[1], as: UTF8.self) {
        case "stdout": stream = .stdout
        case "stderr": stream = .stderr
        default: return nil
        }
        guard let tag = fields[2].first, tag == UInt8(ascii: "F") || tag == UInt8(ascii: "P"),
            fields[2].count == 1 || fields[2][1] == UInt8(ascii: ":")
        else { return nil }
        return Parts(
            time: time, stream: stream, isPartial: tag == UInt8(ascii: "P"), message: fields.count > 3 ? fields[3] : [])
    }

    /// `yyyy-mm-ddThh:mm:ss[.fraction]Z`, or with an offset; nanoseconds since 1970.
    private static func plainTime(_ bytes: [UInt8]) -> Int64? {
        // `T` and `Z` may be lower case.
        let text = String(decoding: bytes, as: UTF8.self).uppercased()
        guard bytes.allSatisfy({ $0 < 0x80 }), bytes.count >= 20 else { return nil }
        let characters = Array(text)
        func number(_ from: Int, _ count: Int) -> Int? {
            guard from + count <= characters.count else { return nil }
            let part = characters[from..<(from + count)]
            return part.allSatisfy { $0 >= "0" && $0 <= "9" } ? Int(String(part)) : nil
        }
        guard characters[4] == "-", characters[7] == "-", characters[10] == "T", characters[13] == ":",
            characters[16] == ":",
            let year = number(0, 4), let month = number(5, 2), let day = number(8, 2), let hour = number(11, 2),
            let minute = number(14, 2), let second = number(17, 2), hour < 24, minute < 60, second < 60,
            (1...12).contains(month)
        else { return nil }
        let isLeap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
        let lengths = [31, isLeap ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]
        guard day >= 1, day <= lengths[month - 1] else { return nil }
        var rest = 19
        var nanoseconds = 0
        if characters[rest] == "." {
            var digits = ""
            rest += 1
            while rest < characters.count, let digit = characters[rest].wholeNumberValue, characters[rest].isASCII {
                digits += "\(digit)"
                rest += 1
            }
            guard !digits.isEmpty, digits.count <= 9,
                let value = Int(digits + String(repeating: "0", count: 9 - digits.count))
            else { return nil }
            nanoseconds = value
        }
        guard rest < characters.count else { return nil }
        var offset = 0
        if characters[rest] == "Z" {
            guard rest + 1 == characters.count else { return nil }
        } else {
            guard characters[rest] == "+" || characters[rest] == "-", rest + 6 == characters.count,
                characters[rest + 3] == ":",
                let hours = number(rest + 1, 2), let minutes = number(rest + 4, 2), hours < 24, minutes < 60
            else { return nil }
            offset = (hours * 60 + minutes) * (characters[rest] == "-" ? -60 : 60)
        }
        var days = 0
        for before in min(1970, year)..<max(1970, year) {
            days += before % 4 == 0 && (before % 100 != 0 || before % 400 == 0) ? 366 : 365
        }
        if year < 1970 { days = -days }
        days += lengths[..<(month - 1)].reduce(day - 1, +)
        let seconds = days * 86_400 + hour * 3_600 + minute * 60 + second - offset
        let (product, isTooLarge) = Int64(seconds).multipliedReportingOverflow(by: 1_000_000_000)
        return isTooLarge ? nil : product + Int64(nanoseconds)
    }
}
