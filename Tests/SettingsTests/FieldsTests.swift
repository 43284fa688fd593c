// The reader that plugins make their settings with, on trees written as literals.
import Pipeline
import Testing

struct FieldsTests {
    @Test func `settings that were not given have their defaults`() {
        let problems = SettingsProblems(file: "test")
        var fields = Fields([:], path: "outputs[0]", problems: problems)
        #expect(fields.value("timeout", default: .seconds(5)) == Interval.seconds(5))
        #expect(fields.optional("limit", as: ByteSize.self) == nil)
        #expect(fields.list("units", of: String.self, default: ["kubelet"]) == ["kubelet"])
        #expect(fields.section("auth") == nil && fields.sections("rules").isEmpty)
        #expect(fields.table("headers", of: String.self).isEmpty)
        fields.finish()
        #expect(problems.isEmpty)
    }

    @Test func `one value stands for a list of one`() {
        let problems = SettingsProblems(file: "test")
        var fields = Fields(["one": "a", "two": ["a", "b"]], path: "", problems: problems)
        #expect(fields.list("one", of: String.self) == ["a"])
        #expect(fields.list("two", of: String.self) == ["a", "b"])
    }

    @Test func `sections are finished by the reader they come from`() {
        let told = report(["auth": ["token": "x", "tokn": "y"], "rules": [["fild": "a"], ["field": "b"]]]) { fields in
            if var auth = fields.section("auth") { _ = auth.optional("token", as: Secret.self) }
            for var rule in fields.sections("rules") { _ = rule.required("field", as: String.self) }
        }
        #expect(
            told == [
                "auth.tokn: unknown setting, did you mean 'token'?",
                "rules[0].fild: unknown setting, did you mean 'field'?",
            ])
    }

    @Test func `a setting that is wrong already is not refused again`() {
        let told = report(["max": "soon"]) { fields in
            if fields.value("max", default: .seconds(1)) < Interval.seconds(2) { fields.refuse("max", "is too short") }
        }
        #expect(told == ["max: 'soon' is not a time"])
    }

    @Test func `a setting that is missing is refused at its section`() {
        let told = report(["a": 1]) { fields in
            _ = fields.int("a", default: 1, in: 0...9)
            fields.refuse("include", "there is nothing to include")
        }
        #expect(told == ["include: there is nothing to include"])
    }

    @Test func `every kind of value that does not fit is told`() {
        let told = report([
            "text": ["a"], "number": "x", "small": -1, "list": ["a", [:]], "section": "x", "sections": ["a": 1],
            "table": 1,
            "choice": [1], "word": "b",
        ]) { fields in
            _ = fields.value("text", default: "")
            _ = fields.value("number", default: 1)
            _ = fields.value("small", default: 1, atLeast: 0)
            _ = fields.list("list", of: String.self)
            _ = fields.section("section")
            _ = fields.sections("sections")
            _ = fields.table("table", of: String.self)
            _ = fields.choice("choice", default: DeliverySettings.StartAt.end)
            _ = fields.choice("word", default: DeliverySettings.StartAt.end)
        }
        #expect(
            told == [
                "text: expected a text, found a list", "number: 'x' is not a whole number",
                "small: must be at least 0, found -1", "list[1]: expected a text, found a mapping",
                "section: expected settings (lines 'key: value'), found the text 'x'",
                "sections: expected a list, found a mapping",
                "table: expected names with values (lines 'name: value'), found the text '1'",
                "choice: expected one of end, history, found a list", "word: 'b' is not one of end, history",
            ])
    }

    private func report(_ node: SettingsNode, _ read: (inout Fields) -> Void) -> [String] {
        let problems = SettingsProblems(file: "test")
        var fields = Fields(node, path: "", problems: problems)
        read(&fields)
        fields.finish()
        return problems.sorted.map { "\($0.origin.path): \($0.message)" }
    }
}
