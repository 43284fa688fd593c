// How the names and numbers of common loggers are read.
import Bytes
import Records
import Testing

struct SeverityTests {
    private static let table: [(Severity, [String])] = [
        (.trace, ["trace", "verbose", "vrb", "finest", "finer"]),
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

    /// docs/records.md, row by row.
    private static let members: [(message: String, severity: String)] = [
        (#"{"level":"30"}"#, "info"), (#"{"level":"3"}"#, "error"), (#"{"lvl":"60"}"#, "critical"),
        (#"{"severity":"4"}"#, "warning"),
        (#"{"log.level":"ERROR","message":"a"}"#, "error"), (#"{"log":{"level":"warn","logger":"x"}}"#, "warning"),
        (#"{"log":{"origin":{"line":4},"level" : "debug"},"message":"a"}"#, "debug"),
        (#"{"levelname":"CRITICAL","message":"a"}"#, "critical"), (#"{"level_name":"NOTICE","level":250}"#, "notice"),
        (#"{"@l":"Warning","@mt":"c"}"#, "warning"), (#"{"@t":"2026","@mt":"c {D}","@l":"Fatal"}"#, "critical"),
        (#"{"@t":"2026","@mt":"c {D}","D":1}"#, "info"), (#"{"@m":"c","@i":"1","@t":"2026"}"#, "info"),
        (#"{"Timestamp":"2026","Level":"Verbose"}"#, "trace"), (#"{"LogLevel":"Information"}"#, "info"),
        (#"{"logLevel":"SEVERE"}"#, "error"), (#"{"loglevel":"warn"}"#, "warning"), (#"{"log_level":"dbg"}"#, "debug"),
        (#"{"LEVEL":"WARN"}"#, "warning"), (#"{"@level":"trace","@module":"x"}"#, "trace"),
        (#"{"severityText":"ERROR","body":"f"}"#, "error"), (#"{"SeverityText":"INFO2"}"#, "info"),
        (#"{"severity_text":"FATAL4"}"#, "critical"), (#"{"severityText":"trace3"}"#, "trace"),
        (#"{"severityNumber":17}"#, "error"), (#"{"SeverityNumber":1}"#, "trace"),
        (#"{"severity_number":"9"}"#, "info"),
        (#"{"severityNumber":24}"#, "critical"), (#"{"severityNumber":13}"#, "warning"),
        (#"{"severityNumber":8}"#, "debug"),
        (#"{"Severity":"Error"}"#, "error"), (#"{"severityText":"","severityNumber":12}"#, "info"),
        (#"{"log":"text","level":"info"}"#, "info"), (#"{"log":{"level":"?"},"lvl":"inf"}"#, "info"),
    ]

    @Test(arguments: members)
    func `the members of the loggers that people use are read as those loggers mean them`(
        _ example: (message: String, severity: String)
    ) throws {
        #expect(try Encoding().severity(example.message) == example.severity)
        // Whatever comes before and behind it, and the other members are there as before.
        let longer =
            "{\"a_long_name_of_it\":{\"level\":[1]},\"x\":1," + example.message.dropFirst().dropLast() + ",\"y\":{}}"
        let record = try Encoding().record(longer)
        #expect(record["severity"] as? String == example.severity)
        #expect(record["x"] as? Int == 1 && record["y"] != nil)
    }

    @Test(arguments: [
        #"{"level":null}"#, #"{"level":-1}"#, #"{"level":100}"#, #"{"level":1.0}"#, #"{"level":["warn"]}"#,
        #"{"levels":"warn"}"#, #"{"level":""}"#, "level=warn", #"{"level":"warn"#,
        // A number means nothing where its logger writes names.
        #"{"Level":3}"#, #"{"LEVEL":"30"}"#, #"{"levelname":30}"#, #"{"log.level":40}"#, #"{"@l":3}"#,
        #"{"log":{"level":3}}"#, #"{"Severity":9}"#, #"{"LogLevel":"None"}"#, #"{"level":"9x"}"#, #"{"level":"+3"}"#,
        #"{"severityNumber":0}"#, #"{"severityNumber":25}"#, #"{"severityNumber":"ERROR"}"#, #"{"severityNumber":9.0}"#,
        #"{"severityText":"INFO5"}"#, #"{"severityText":"INFO1"}"#, #"{"severityText":"NOTICE2"}"#,
        #"{"severityText":"9"}"#,
        #"{"level":"INFO2"}"#, #"{"levelname":"NOTSET"}"#,
        // Near misses.
        #"{"logXlevel":"warn"}"#, #"{"log.leveL":"warn"}"#, #"{"levelnames":"warn"}"#, #"{"level_names":"warn"}"#,
        #"{"severityTexts":"warn"}"#, #"{"severity-text":"warn"}"#, #"{"severityNumbers":9}"#, #"{"@lev":"warn"}"#,
        #"{"log":["level","warn"]}"#, #"{"log":{"levels":"warn"}}"#, #"{"log":{"x":{"level":"warn"}}}"#, #"{"log":{}}"#,
        #"{"log":"level"}"#, #"{"x":{"level":"warn"}}"#,
        // Serilog's events have a time and a text; a level of one's own is not `Information`.
        #"{"@t":"2026"}"#, #"{"@mt":"x"}"#, #"{"@t":"2026","@m":"x","@l":"Audit"}"#, #"{"@t":"2026","@x":"stack"}"#,
    ])
    func `where it is not plainly there, none is written`(message: String) throws {
        #expect(try Encoding().severity(message) == nil)
    }
}
