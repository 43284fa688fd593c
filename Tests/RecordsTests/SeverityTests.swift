// How the names and numbers of common loggers are read.
import Bytes
import Records
import Testing

struct SeverityTests {
    private static let table: [(Severity, [String])] = [
        (.trace, ["trace", "verbose", "finest", "finer"]),
        (.debug, ["debug", "dbg", "fine"]),
        (.info, ["info", "inf", "information", "config"]),
        (.notice, ["notice"]),
        (.warning, ["warning", "warn", "wrn"]),
        (.error, ["error", "err", "severe"]),
        (.critical, ["critical", "crit", "fatal", "ftl", "dpanic"]),
        (.alert, ["alert"]),
        (.emergency, ["emergency", "emerg", "panic"]),
    ]

    /// By both readers, which must agree.
    private static func read(_ name: String) -> Severity? {
        let bytes = Array(name.utf8)
        let plain = Severity(named: bytes.span)
        for (before, after) in [("", ""), ("\"", "\","), ("warn", "warn")] {
            var arena = Arena(capacity: 64)
            arena.append(Array((before + name + after).utf8))
            #expect(
                Severity(named: arena, at: before.utf8.count, length: bytes.count) == plain, "\(before)\(name)\(after)")
        }
        return plain
    }

    @Test func `the names of all common loggers are known, in any case`() {
        for (severity, names) in Self.table {
            for name in names {
                let mixed = name.prefix(1).uppercased() + name.dropFirst()
                for spelling in [name, name.uppercased(), mixed] {
                    #expect(Self.read(spelling) == severity, "\(spelling)")
                }
            }
        }
    }

    @Test func `every severity is read from the name it is written by`() {
        for severity in Severity.allCases where severity != .unknown {
            #expect(Self.read("\(severity)") == severity)
            #expect(severity.name.description == "\(severity)")
        }
    }

    @Test(arguments: [
        "", "in", "inform", "infos", "warns", "errors", "error ", " error", "3rror", "unknown", "nfo", "INF0", "wärn",
        "emergencies", "a very long word",
    ])
    func `other words are none`(name: String) { #expect(Self.read(name) == nil) }

    @Test(arguments: [
        (0, Severity.emergency), (1, .alert), (2, .critical), (3, .error), (4, .warning), (5, .notice), (6, .info),
        (7, .debug),
        (10, .trace), (19, .trace), (20, .debug), (30, .info), (40, .warning), (50, .error), (60, .critical),
        (69, .critical),
    ])
    func `numbers are those of syslog below ten, those of pino and bunyan above`(
        _ example: (number: Int, severity: Severity)
    ) {
        #expect(Severity(number: example.number) == example.severity)
    }

    @Test(arguments: [-1, 8, 9, 70, 100, .max, .min])
    func `other numbers are none`(number: Int) { #expect(Severity(number: number) == nil) }

    @Test func `they are ordered from least to worst`() {
        #expect(Severity.allCases.sorted() == Severity.allCases)
        #expect(Severity.unknown < .trace)
        #expect(Severity.alert < .emergency)
    }

    @Test(arguments: [
        (#"{"level":"warn","msg":"x"}"#, "warning"), (#"{"severity":"ERROR"}"#, "error"), (#"{"lvl":"dbg"}"#, "debug"),
        (#"{"level":30}"#, "info"), (#"{"level":3}"#, "error"), (#"{"level":"?","severity":"alert"}"#, "alert"),
        (#"{"msg":"x","level" : "INFO"}"#, "info"),
    ])
    func `the severity is read from the member that says it`(_ example: (message: String, severity: String)) throws {
        #expect(try Encoding().severity(example.message) == example.severity)
    }

    @Test(arguments: [
        #"{"level":null}"#, #"{"level":-1}"#, #"{"level":100}"#, #"{"level":1.0}"#, #"{"level":["warn"]}"#,
        #"{"Level":"warn"}"#,
        #"{"levels":"warn"}"#, #"{"log":{"level":"warn"}}"#, #"{"level":""}"#, "level=warn", #"{"level":"warn"#,
    ])
    func `where it is not plainly there, none is written`(message: String) throws {
        #expect(try Encoding().severity(message) == nil)
    }
}
