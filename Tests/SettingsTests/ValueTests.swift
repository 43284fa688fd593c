// The types of settings: what each takes for what, and what it refuses.
import Pipeline
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
        ("0.1k", 100), ("1 KiB", 1024), ("8388607TiB", 8_388_607 << 40), ("7B", 7),
    ])
    func `a size is a number and a unit`(_ text: String, _ bytes: Int) throws {
        #expect(try ByteSize(text: text).bytes == bytes)
    }

    @Test(arguments: [
        ("", "is not a size"), ("MiB", "is not a size"), ("-1", "is negative, and a size cannot be"),
        ("1.5", "is not a whole number of bytes"), ("1.", "is not a size"), (".5k", "is not a size"),
        ("8388608TiB", "is too large a size"), ("9999999999999999999", "has too many digits"),
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
        ("106751d24h", "is too long a time"), ("5us", "is not a time"), ("forever", "is not a time"),
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
        ("99999999999999999999", "is too large a number"),
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
        ("1", "1"), ("+7", "7"), ("-0", "-0"), ("007", "7"), ("0x1F", "31"), ("-0o17", "-15"), ("1.10", "1.10"),
        (".5", "0.5"), ("1.", "1.0"), ("00.5E+3", "0.5e+3"),
        ("123456789012345678901234567890", "123456789012345678901234567890"),
        ("true", "true"), ("False", "false"), ("yes", #""yes""#), ("1_000", #""1_000""#), ("1.2.3", #""1.2.3""#),
        ("e5", #""e5""#), ("-", #""-""#), ("2026-01-02", #""2026-01-02""#), ("12:30", #""12:30""#), ("٣", #""٣""#),
    ])
    func `an unquoted value follows YAML's core schema`(_ text: String, _ json: String) throws {
        #expect(try JSONValue(SettingsNode(.scalar(.init(text, style: .plain)))).description == json)
    }

    @Test(arguments: [SettingsNode.Scalar.Style.quoted, .expanded])
    func `what was quoted or expanded stays a text`(_ style: SettingsNode.Scalar.Style) throws {
        #expect(try JSONValue(SettingsNode(.scalar(.init("1", style: style)))).description == #""1""#)
    }

    @Test func `nested values keep their order and are escaped`() throws {
        let node: SettingsNode = ["b": [1, "x\"\\\n\u{1}é", true], "a": ["z": .init(.null)], "é": []]
        #expect(try JSONValue(node).description == #"{"b":[1,"x\"\\\n\u0001é",true],"a":{"z":null},"é":[]}"#)
    }

    @Test(arguments: [".inf", "-.Inf", "+.INF", ".nan", "1e999", "-1e999"])
    func `numbers that JSON cannot hold are refused`(_ text: String) {
        #expect(throws: SettingMisfit.self) { try JSONValue(SettingsNode(.scalar(.init(text, style: .plain)))) }
    }
}
