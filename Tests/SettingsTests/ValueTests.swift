// The types of settings: what each takes for what, and what it refuses.
import Pipeline
import Settings
import Testing

/// What is wrong with a text as a value of this type; nil when nothing is.
private func refusal<T: TextSettingValue>(of text: String, as type: T.Type) -> String? {
    do throws(SettingMisfit) {
        _ = try T(text: text)
        return nil
    } catch {
        return error.message
    }
}

struct ByteSizeTests {
    @Test(arguments: [
        ("0", 0), ("12345", 12345), ("64k", 64_000), ("64K", 64_000), ("100MB", 100_000_000), ("1G", 1_000_000_000),
        ("2T", 2_000_000_000_000), ("16MiB", 16 << 20), ("16Mi", 16 << 20), ("16mib", 16 << 20), ("1.5GiB", 3 << 29),
        ("0.1k", 100), ("1 KiB", 1024), ("1024TiB", 1 << 50), ("7B", 7),
    ])
    func `a size is a number and a unit`(_ text: String, _ bytes: Int) throws {
        #expect(try ByteSize(text: text).bytes == bytes)
    }

    @Test(arguments: [
        ("", "is not a size"), ("MiB", "is not a size"), ("-1", "is negative, and a size cannot be"),
        ("1.5", "is not a whole number of bytes"), ("1.", "is not a size"), (".5k", "is not a size"),
        ("8388608TiB", "is too large a size"), ("1025TiB", "is too large a size"),
        ("9999999999999999999", "has too many digits"),
        ("1e6", "is not a size: there is no unit 'e6'"),
        ("16 MiB of it", "is not a size: there is no unit 'MiB of it'"),
        ("0x10", "is not a size: there is no unit 'x10'"), ("１６", "is not a size"),
    ])
    func `what is no size is refused`(_ text: String, _ reason: String) {
        #expect(refusal(of: text, as: ByteSize.self) == reason)
    }

    @Test(arguments: ["16MiB", "100MB", "12345", "0", "1TiB", "3kB"])
    func `a size is printed as it is written`(_ text: String) throws {
        #expect(try ByteSize(text: text).description == text)
    }
}

struct IntervalTests {
    @Test(arguments: [
        ("0s", 0), ("250ms", 250), ("5s", 5000), ("1.5s", 1500), ("10m", 600_000), ("24h", 86_400_000),
        ("7d", 604_800_000), ("1h30m", 5_400_000), ("1d2h3m4s5ms", 93_784_005),
    ])
    func `a time is numbers with units`(_ text: String, _ milliseconds: Int) throws {
        #expect(try Interval(text: text) == .milliseconds(milliseconds))
        #expect(try Interval(text: Interval(text: text).description) == .milliseconds(milliseconds))
    }

    @Test(arguments: [
        ("", "is not a time"), ("5", "has no unit"), ("0", "has no unit"), ("-5s", "is negative, and a time cannot be"),
        ("5 s", "is not a time"), ("5sec", "is not a time"), ("s", "is not a time"), ("1h5", "has no unit"),
        ("30m1h", "is not a time: units go from long to short, each once"),
        ("5s5s", "is not a time: units go from long to short, each once"), ("200000d", "is too long a time"),
        ("106751d24h", "is too long a time"), ("10000d1s", "is too long a time"), ("5us", "is not a time"),
        ("forever", "is not a time"),
    ])
    func `what is no time is refused`(_ text: String, _ reason: String) {
        #expect(refusal(of: text, as: Interval.self) == reason)
    }
}

struct PlainValueTests {
    @Test(arguments: [("true", true), ("True", true), ("yes", true), ("on", true), ("FALSE", false), ("off", false)])
    func `true and false have their YAML names`(_ text: String, _ value: Bool) throws {
        #expect(try Bool(text: text) == value)
    }

    @Test(arguments: [
        ("1.5", "is not a whole number"), ("", "is not a whole number"), ("1_000", "is not a whole number"),
        ("99999999999999999999", "is too large a number"), ("010", "is not a whole number"),
        ("0x10", "is not a whole number"),
        ("+-1", "is not a whole number"),
    ])
    func `what is no whole number is refused`(_ text: String, _ reason: String) {
        #expect(refusal(of: text, as: Int.self) == reason)
    }

    @Test func `a secret prints stars wherever it is put`() throws {
        let secret = Secret(text: "hunter2")
        var dumped = ""
        dump([secret], to: &dumped)
        #expect(!"\(secret) \([secret]) \(String(reflecting: secret)) \(dumped)".contains("hunter2"))
        #expect(secret.revealed() == "hunter2")
    }

    @Test(arguments: [
        ("message", ["message"]), ("kubernetes.namespace_name", ["kubernetes", "namespace_name"]),
        (#"kubernetes.labels."app.kubernetes.io/name""#, ["kubernetes", "labels", "app.kubernetes.io/name"]),
        (#""a b".c"#, ["a b", "c"]),
    ])
    func `a field is named level by level`(_ text: String, _ names: [String]) throws {
        #expect(try FieldPath(text: text).names == names)
        #expect(try FieldPath(text: FieldPath(text: text).description).names == names)
    }

    @Test(arguments: ["", ".", "a.", ".a", "a..b", #"a"b""#, #""a"b"#, #""a"#, #""""#])
    func `what names no field is refused`(_ text: String) {
        #expect(refusal(of: text, as: FieldPath.self) != nil)
    }
}

struct JSONValueTests {
    @Test(arguments: [
        ("1", "1"), ("0", "0"), ("-7", "-7"), ("-0", "-0"), ("1.10", "1.10"), ("-0.5", "-0.5"),
        ("9223372036854775807", "9223372036854775807"),
        ("true", "true"), ("False", "false"), ("TRUE", "true"),
    ])
    func `an unquoted value is a number, true or false where it is plainly written as one`(
        _ text: String, _ json: String
    ) throws {
        #expect(try JSONValue(SettingsNode(.scalar(.init(text, style: .plain)))).description == json)
    }

    @Test(arguments: [
        "01234", "007", "0x1F", "-0o17", "0o14", "0b1", "+7", "+49", "1E3", "1e3", "12e4567", "72044e011", "0e1234",
        "00.5E+3", ".5", "1.", "-", "--1", "-.5", "1_000", "1,000", "1.2.3", "12:30:45", "190:20:30", "2026-01-02",
        "2026-01-02T03:04:05Z", "yes", "no", "on", "off", "Yes", "NO", "y", "n", "tRue", "e5", "٣", "1 ",
        "9223372036854775808", "123456789012345678901234567890", "NaN", "inf", "Infinity",
    ])
    func `everything else stays the text that was written`(_ text: String) throws {
        #expect(try JSONValue(SettingsNode(.scalar(.init(text, style: .plain)))).description == "\"\(text)\"")
    }

    @Test(arguments: [
        ("!!int 7", "7"), ("!!float 2.50", "2.50"), ("!!bool true", "true"), ("!!str 7", #""7""#), ("!!null ~", "null"),
        ("~", "null"), ("null", "null"), ("", "null"),
    ])
    func `a tag of YAML's own says what a value is`(_ written: String, _ json: String) throws {
        let loaded = load(
            "fields: { a: \(written) }\ninputs: [{ type: kubernetes_logs }]\noutputs: [{ type: stdout }]\n")
        #expect(loaded.problems.map { $0.rendered() } == [])
        #expect(loaded.settings?.fields.map(\.value.description) == [json])
    }

    @Test(arguments: ["!!int 0x1F", "!!float 1e3", "!!bool yes", "!!null x", "!!timestamp 2026-01-02"])
    func `a value that is not what its tag says is refused`(_ written: String) {
        let loaded = load(
            "fields: { a: \(written) }\ninputs: [{ type: kubernetes_logs }]\noutputs: [{ type: stdout }]\n")
        #expect(loaded.problems.map(\.origin.path) == ["fields.a"])
    }

    @Test(arguments: [SettingsNode.Scalar.Style.quoted, .expanded])
    func `what was quoted or expanded stays a text`(_ style: SettingsNode.Scalar.Style) throws {
        #expect(try JSONValue(SettingsNode(.scalar(.init("1", style: style)))).description == #""1""#)
    }

    @Test func `nested values keep their order and are escaped`() throws {
        let node: SettingsNode = ["b": [1, "x\"\\\n\u{1}é", true], "a": ["z": .init(.null)], "é": []]
        #expect(try JSONValue(node).description == #"{"b":[1,"x\"\\\n\u0001é",true],"a":{"z":null},"é":[]}"#)
    }

    @Test(arguments: [".inf", "-.Inf", "+.INF", ".nan"])
    func `numbers that JSON cannot hold are refused`(_ text: String) {
        #expect(throws: SettingMisfit.self) { try JSONValue(SettingsNode(.scalar(.init(text, style: .plain)))) }
    }
}
