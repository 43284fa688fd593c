// Links below a folder that stands for "/" never lead out of it.
import Disk
import Foundation
import TestKit
import Testing

@Suite("a folder as the root") struct FileRootTests {
    private let scratch: ScratchDirectory
    private let root: FileRoot

    init() throws {
        scratch = try ScratchDirectory()
        root = FileRoot(scratch.path("copy"))
        for name in ["copy/data/a.log", "copy/var/log/b.log", "outside/data/a.log", "data/a.log"] {
            try scratch.write(name, name)
        }
    }

    private func link(_ name: String, to target: String) throws {
        try FileManager.default.createSymbolicLink(atPath: root.path + "/" + name, withDestinationPath: target)
    }

    /// What is read below the root; nil when there is nothing.
    private func read(_ name: String) -> String? {
        guard let file = try? root.open(root.path + "/" + name), let bytes = try? file.read(count: 100, at: 0) else {
            return nil
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    @Test(arguments: [
        ("/data/a.log", "copy/data/a.log"), ("../../data/a.log", "copy/data/a.log"),
        ("../../../../../data/a.log", "copy/data/a.log"), ("/../../data/./a.log", "copy/data/a.log"),
        ("b.log", "copy/var/log/b.log"), ("/nothing", nil), ("../../../outside/data/a.log", nil), (".", nil),
    ])
    func `a link leads to what it names below the root`(target: String, found: String?) throws {
        try link("var/log/x", to: target)
        #expect(read("var/log/x") == found)
        #expect((root.status(root.path + "/var/log/x") != nil) == (found != nil || target == "."))
    }

    @Test func `links of links and links on the way are followed`() throws {
        try link("var/log/pods", to: "/srv/pods")
        try link("srv", to: "/data")
        try link("data/pods", to: "../var/log/../log")
        #expect(read("var/log/pods/b.log") == "copy/var/log/b.log")
        #expect(root.locate(root.path + "/var/log/pods/b.log") == root.path + "/var/log/b.log")
        #expect(try root.list(root.path + "/var/log/pods").map(\.name).sorted() == ["b.log", "pods"])
        #expect(read("var/log/pods/../log/b.log") == "copy/var/log/b.log", "'..' is above where the link leads")
    }

    @Test func `links in a circle, and links out of the host's own files, lead nowhere`() throws {
        try link("one", to: "/two")
        try link("two", to: "/one")
        try link("self", to: "self/x")
        try link("host", to: scratch.path("outside"))
        for name in ["one", "two", "self", "self/y", "host", "host/data/a.log"] {
            #expect(read(name) == nil && root.status(root.path + "/" + name) == nil, "\(name)")
        }
        #expect(root.resolve(root.path + "/one") == nil)
    }

    @Test func `the system's own root changes nothing`() {
        for path in ["", "/", "//"] { #expect(FileRoot(path) == .system) }
        #expect(FileRoot.system.locate("/a/../b") == "/a/../b" && FileRoot("x/").path == "x")
        #expect(root.locate("/elsewhere/a") == "/elsewhere/a" && root.locate(root.path + "-x/a") == root.path + "-x/a")
    }
}
