// Globs over names and paths.
import Bytes
import Pipeline
import Testing

struct GlobTests {
    @Test(
        arguments: [
            ("shop", "shop", true), ("shop", "shop2", false), ("*", "", true), ("*", "a/b", true),
            ("kube-*", "kube-system", true),
            ("kube-*", "kube", false), ("*-lease", "kube-node-lease", true), ("a*b*c", "aXbXbc", true),
            ("a*b*c", "acb", false),
            ("a?c", "abc", true), ("a?c", "aéc", true), ("a?c", "ac", false), ("a??c", "aéc", false), ("?", "", false),
            ("web-[0-9]", "web-7", true), ("web-[0-9]", "web-x", false), ("web-[!0-9]", "web-x", true),
            ("[!é]", "é", false),
            ("*[!é]", "é", false), ("[a-cx]", "x", true), ("[]]", "]", true), ("[a-]", "-", true),
            ("[!]a]", "]", false),
            (#"\*"#, "*", true), (#"\*"#, "x", false), (#"[\]]"#, "]", true), (#"a\[b"#, "a[b", true),
            ("é*", "été", true),
            ("**", "anything", true), ("", "", nil),
        ] as [(String, String, Bool?)])
    func `a glob matches the whole name`(_ pattern: String, _ name: String, _ isMatch: Bool?) {
        #expect((try? Glob(text: pattern))?.matches(name) == isMatch)
    }

    @Test(arguments: ["", "a[b", "[]", "[", "[!]", "a\\", "{a,b}", "x}", "[z-a]"])
    func `what is no glob is refused`(_ pattern: String) {
        #expect(throws: SettingMisfit.self) { try Glob(text: pattern) }
    }

    @Test(.timeLimit(.minutes(1))) func `many stars take no exponential time`() throws {
        let glob = try Glob(text: String(repeating: "a*", count: 50) + "b")
        #expect(!glob.matches(String(repeating: "a", count: 5000)))
    }

    @Test func `bytes that are not UTF-8 count as characters`() throws {
        let name: [UInt8] = [0x61, 0xFF, 0xC3]
        #expect(try Glob(text: "a??").matches(name.span))
        #expect(try Glob(text: "a[!x]*").matches(name.span))
        #expect(try !Glob(text: "a[\u{FF}]*").matches(name.span))
    }

    @Test func `a glob agrees with the plain definition on random names`() throws {
        var random = SplitMix(seed: 7)
        for _ in 0..<5000 {
            let pattern = String(
                (0..<Int.random(in: 1...6, using: &random)).map { _ in "ab*?".randomElement(using: &random) ?? "a" })
            let name = String(
                (0..<Int.random(in: 0...7, using: &random)).map { _ in "ab".randomElement(using: &random) ?? "a" })
            #expect(
                try Glob(text: pattern).matches(name) == plainMatch(pattern[...], name[...]), "\(pattern) on \(name)")
        }
    }

    private func plainMatch(_ pattern: Substring, _ name: Substring) -> Bool {
        guard let first = pattern.first else { return name.isEmpty }
        if first == "*" {
            return plainMatch(pattern.dropFirst(), name) || (!name.isEmpty && plainMatch(pattern, name.dropFirst()))
        }
        guard let character = name.first, first == "?" || first == character else { return false }
        return plainMatch(pattern.dropFirst(), name.dropFirst())
    }
}

struct PathGlobTests {
    @Test(arguments: [
        ("/var/log/*.log", "/var/log/a.log", true), ("/var/log/*.log", "/var/log/x/a.log", false),
        ("/var/log/**/*.log", "/var/log/a.log", true), ("/var/log/**/*.log", "/var/log/x/y/a.log", true),
        ("/var/log/**", "/var/log/x/y", true), ("/var/*/app/**/a?.log", "/var/log/app/1/2/ab.log", true),
        ("/var/log/app.log", "/var/log/app.log", true), ("/var//log/./app.log", "/var/log/app.log", true),
        ("logs/*.log", "logs/a.log", true), ("logs/*.log", "/logs/a.log", false), ("/*/b", "/a", false),
        ("**/**/x", "a/b/x", true), ("/var/log/[ab].log", "/var/log/b.log", true), (#"/a/\*"#, "/a/*", true),
    ])
    func `a path glob matches the whole path`(_ pattern: String, _ path: String, _ isMatch: Bool) throws {
        #expect(try PathGlob(text: pattern).matches(path) == isMatch)
    }

    @Test(arguments: [
        ("/var/log/*.log", "/var/log"), ("/var/log/app.log", "/var/log"), ("/var/**/x", "/var"), ("/*", "/"),
        ("*.log", "."), ("logs/a/*.log", "logs/a"), (#"/a\*b/c"#, "/a*b"),
    ])
    func `a path glob knows the folder to start in`(_ pattern: String, _ folder: String) throws {
        #expect(try PathGlob(text: pattern).folder == folder)
    }

    @Test(arguments: [
        ("/var/log/*/x.log", "/var/log", true), ("/var/log/*/x.log", "/var/log/app", true),
        ("/var/log/*/x.log", "/var/log/app/sub", false), ("/var/log/*/x.log", "/var/lib", false),
        ("/var/**", "/var/a/b/c", true), ("/var/log/x.log", "/var/log/x.log", false), ("/var/**/x", "/etc", false),
    ])
    func `a path glob knows which folders are worth looking into`(
        _ pattern: String, _ folder: String, _ may: Bool
    ) throws {
        #expect(try PathGlob(text: pattern).mayMatch(below: folder) == may)
    }

    @Test(arguments: ["", "/var/log/", "/var/log/**.log", "/var/[", "/var/***/x"])
    func `what is no path glob is refused`(_ pattern: String) {
        #expect(throws: SettingMisfit.self) { try PathGlob(text: pattern) }
    }
}
