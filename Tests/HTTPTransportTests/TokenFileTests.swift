// Tokens in files: exchanged, missing, and what is none.
import Disk
import HTTPTransport
import TestKit
import Testing

@Suite struct `Token files` {
    let scratch: ScratchDirectory
    let file: TokenFile

    init() throws {
        scratch = try ScratchDirectory()
        file = TokenFile(path: scratch.path("token"))
    }

    private var fault: String? { #expect(throws: TransportError.self) { try file.token() }?.description }

    @Test func `a token is read again when its file has changed`() throws {
        try scratch.write("token", "first\n")
        #expect(try file.token() == "first" && file.token() == "first")
        try scratch.write("token", "  the-second ")
        #expect(try file.token() == "the-second")
        // As the kubelet does it: a new file under the old name, as long as the old one.
        try scratch.write("token.new", "THE-SECOND")
        try LocalFileSystem().rename(scratch.path("token.new"), to: file.path)
        let renamed = try file.token()
        #expect(renamed == "THE-SECOND")
    }

    @Test func `a file that is missing is an error until it is there`() throws {
        #expect(fault == "the token cannot be read: cannot open \(file.path): No such file or directory")
        try scratch.write("token", "here")
        #expect(try file.token() == "here")
        try LocalFileSystem().remove(file.path)
        #expect(fault?.hasPrefix("the token cannot be read: ") == true, "what was known is not used any more")
    }

    @Test(arguments: ["", " \n", "two words", "first\nsecond\n", "caf\u{e9}", "a\u{0}b", "a\u{1b}[31m"])
    func `what is not one word is no token`(contents: String) throws {
        try scratch.write("token", contents)
        #expect(fault == "\(file.path) holds no token: expected one word")
        try scratch.write("token", "right")
        #expect(try file.token() == "right")
    }

    @Test(arguments: ["\u{feff}token", "\u{feff}  token\r\n", "\ttoken\n\n"])
    func `what editors leave around a token is not sent`(contents: String) throws {
        try scratch.write("token", contents)
        #expect(try file.token() == "token")
    }

    @Test func `a folder is no token`() throws {
        try LocalFileSystem().makeFolder(file.path)
        #expect(fault?.hasPrefix("the token cannot be read: ") == true)
    }
}
