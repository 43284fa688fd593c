// What becomes of a server's words: one line, decoded, without our secrets.
import HTTPTransport
import TestKit
import Testing

@Suite struct `Words of answers` {
    private func words(
        _ body: [UInt8], isCut: Bool = false, encoding: String? = nil, limit: Int = 512, _ secrets: [String] = []
    ) -> String {
        AnswerWords.words(of: body, isCut: isCut, encoding: encoding, limit: limit, hiding: OwnSecrets(secrets))
    }

    private func words(_ text: String, _ secrets: [String]) -> String { words(Array(text.utf8), secrets) }

    @Test func `control characters and line ends do not reach the log`() {
        #expect(words("a\r\n\tb\u{1b}[31m\u{0} \u{9b}c", []) == "a b[31m c")
        #expect(words([0xff, 0x61]) == "\u{fffd}a" && words([]) == "")
        #expect(words(Array("12345".utf8), limit: 3) == "123 ...")
    }

    @Test(
        arguments: [
            ("Bearer s3cr3t/x is wrong", "***** is wrong"), ("s3cr3t/x", "*****"), ("s3cr3t%2Fx", "*****"),
            (#"{"token":"a\"b"}"#, #"{"token":"*****"}"#), ("<b>a&quot;b</b>", "<b>*****</b>"),
            ("s3cr\u{0}3t/x", "*****"), ("none", "none"),
        ])
    func `secrets of ours are replaced, however they are written`(text: String, wanted: String) {
        #expect(words(text, ["Bearer s3cr3t/x", "s3cr3t/x", "a\"b"]) == wanted)
    }

    @Test func `the beginning of a secret at the end of what was read is left out`() {
        let secrets = ["0123456789"]
        #expect(words(Array("see 012345".utf8), isCut: true, secrets) == "see ...")
        #expect(words(Array("see 012345".utf8), isCut: false, secrets) == "see 012345")
        #expect(words(Array("see 0123456789".utf8), limit: 8, secrets) == "see **** ...")
    }

    @Test(arguments: [
        "gzip -c", "python3 -c 'import sys, zlib; sys.stdout.buffer.write(zlib.compress(sys.stdin.buffer.read()))'",
    ])
    func `compressed words are read`(program: String) throws {
        func compressed(_ text: String) throws -> [UInt8] {
            try ChildProcess.run("sh", "-c", "printf %s \"$1\" | \(program)", "sh", text).output
        }
        let encoding = program.hasPrefix("gzip") ? "gzip" : "deflate"
        let body = try compressed("field 'user' is no text, s3cr3t")
        #expect(words(body, encoding: encoding, ["s3cr3t"]) == "field 'user' is no text, *****")
        #expect(words(Array(body.dropLast(12)), isCut: true, encoding: encoding).hasSuffix(" ..."))
        let bomb = try compressed(String(repeating: "x", count: 100_000))
        #expect(words(bomb, encoding: encoding) == String(repeating: "x", count: 512) + " ...")
        #expect(words([1, 2, 3], encoding: encoding) == "(a text that is encoded as '\(encoding)')")
        #expect(words(body, encoding: "br") == "(a text that is encoded as 'br')")
    }
}
