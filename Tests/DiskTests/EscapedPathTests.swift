// Names that are no text.
import Disk
import Glibc
import TestKit
import Testing

@Suite struct `Names that are not UTF-8` {
    /// Makes a file by its bytes, as somebody with another encoding does.
    private func make(_ name: [UInt8], in folder: String) -> Bool {
        let path = Array(folder.utf8) + [UInt8(ascii: "/")] + name + [0]
        let descriptor = unsafe creat(path.map { CChar(bitPattern: $0) }, 0o644)
        guard descriptor >= 0 else { return false }
        return close(descriptor) == 0
    }

    @Test(
        arguments: [
            ([0x63, 0x61, 0x66, 0xe9], #"caf\xe9"#), ([0xff], #"\xff"#), (Array("café".utf8), "café"),
            (Array(#"a\b"#.utf8), #"a\b"#), (Array(#"\xe9"#.utf8), #"\x5cxe9"#), (Array(#"\x41"#.utf8), #"\x41"#),
            ([0xe2, 0x82], #"\xe2\x82"#), (Array(#"\x5c"#.utf8), #"\x5cx5c"#), ([0xc3, 0xa9, 0xc3], #"é\xc3"#),
        ] as [([UInt8], String)])
    func `are listed escaped, and found again by that`(_ name: [UInt8], _ text: String) throws {
        let scratch = try ScratchDirectory()
        try #require(make(name, in: scratch.path))
        #expect(try Directory.list(scratch.path).map(\.name) == [text])
        let path = "\(scratch.path)/\(text)"
        #expect(Directory.status(path)?.kind == .regular)
        #expect(Directory.resolve(path)?.hasSuffix("/" + text) == true)
        #expect(try OwnedFile.open(path, .read).realPath?.hasSuffix("/" + text) == true)
    }

    @Test func `come as events by the same text`() throws {
        let scratch = try ScratchDirectory()
        var watcher = try Watcher()
        _ = try watcher.watchFolder(scratch.path)
        try #require(make([0x61, 0xe9], in: scratch.path))
        var names: Set<String> = []
        watcher.drain { names.insert($0.name) }
        #expect(names == [#"a\xe9"#])
    }
}
