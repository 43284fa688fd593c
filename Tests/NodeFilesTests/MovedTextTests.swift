// Text files that are renamed, moved or left behind by a link while nobody is looking; names that pass to other files.
import Disk
import Foundation
import NodeFiles
import Records
import TestKit
import Testing

struct MovedTextTests {
    private let longLine = String(repeating: "a long first line ", count: 6)

    // MARK: Moved while the reader was stopped

    @Test(arguments: ["a.log.1", "old/a.log.1", "../elsewhere/a"])
    func `a file renamed out of what is asked for while nobody looked is read to its end, before its successor`(
        name: String
    ) throws {
        let base = try ScratchDirectory()
        try base.write("logs/a.log", "one\n")
        try base.write("elsewhere/other", "not asked for\n")
        _ = try base.folder("logs/old")
        let reader = TailerHarness(files: base.path("logs"))
        reader.open()
        reader.drain()
        reader.close()
        try base.append("two\nthree", to: "logs/a.log")
        try base.rename("logs/a.log", to: "logs/\(name)")
        try base.write("logs/a.log", "four\n")
        reader.open()
        reader.drain()
        #expect(reader.texts("a.log", .none) == ["one", "two", "three", "four"])
        #expect(reader.lines("a.log", .none).map(\.flags) == [[], [], .unfinished, []])
        #expect(reader.told.count("files_found_moved") == 1)
        #expect(reader.told.count("files_gone_while_stopped") == 0)
        // Its writer may still have it open.
        try base.append("late\n", to: "logs/\(name)")
        reader.drain()
        reader.restart()
        reader.drain()
        #expect(reader.texts("a.log", .none) == ["one", "two", "three", "four", "late"])
    }

    @Test func `a file that was copied out of what is asked for, and truncated, is read on in its copy`() throws {
        let folder = try TextFolder()
        try folder.scratch.write("a.log", "\(longLine)\n")
        folder.reader.open()
        folder.reader.drain()
        folder.reader.close()
        try folder.scratch.append("two\n", to: "a.log")
        try folder.copy("a.log", to: "a.log.1")
        try folder.scratch.write("a.log", "three\n")
        folder.reader.open()
        folder.reader.drain()
        #expect(folder.all == [longLine, "two", "three"])
    }

    @Test func `a file that was renamed and compressed is read on in the compressed one`() throws {
        let folder = try TextFolder()
        try folder.scratch.write("a.log", "\(longLine)\n")
        folder.reader.open()
        folder.reader.drain()
        folder.reader.close()
        try folder.scratch.append("two\n", to: "a.log")
        try folder.compress("a.log", to: "a.log.1.gz")
        try folder.scratch.remove("a.log")
        try folder.scratch.write("a.log", "three\n")
        folder.reader.open()
        folder.reader.drain()
        #expect(folder.all == [longLine, "two", "three"])
        #expect(folder.reader.told.count("files_gone_while_stopped") == 0)
    }

    @Test func `a file that is gone is reported, one that is not asked for any more is left`() throws {
        var isWanted: (String) -> Bool = { $0.hasSuffix(".log") }
        let folder = try TextFolder(isWanted: { isWanted($0) })
        try folder.scratch.write("a.log", "one\n")
        try folder.scratch.write("b.log", "one\n")
        folder.reader.open()
        folder.reader.drain()
        folder.reader.close()
        try folder.scratch.remove("a.log")
        try folder.scratch.append("two\n", to: "b.log")
        isWanted = { $0.hasSuffix("a.log") }
        folder.reader.open()
        folder.reader.drain()
        #expect(folder.reader.told.count("files_gone_while_stopped") == 1)
        #expect(folder.all == ["one", "one"])
        isWanted = { $0.hasSuffix(".log") }
        folder.reader.restart()
        folder.reader.drain()
        #expect(folder.all == ["one", "one", "two"])
    }

    @Test(arguments: ["releases/43", "other/43"])
    func `a link to a folder that moved on while nobody looked leaves no line behind`(next: String) throws {
        let base = try ScratchDirectory()
        try base.write("releases/42/app.log", "one\n")
        try base.link("current", to: "releases/42")
        let reader = TailerHarness(files: base.path("current"))
        reader.open()
        reader.drain()
        reader.close()
        try base.append("two\n", to: "releases/42/app.log")
        try base.write("\(next)/app.log", "three\n")
        try base.remove("current")
        try base.link("current", to: next)
        reader.open()
        reader.drain()
        #expect(reader.texts("app.log", .none) == ["one", "two", "three"])
    }

    @Test func `neither does a link to a file`() throws {
        let folder = try TextFolder()
        let base = try ScratchDirectory()
        try base.write("data/app-1", "one\n")
        try folder.scratch.link("app.log", to: base.path("data/app-1"))
        folder.reader.open()
        folder.reader.drain()
        folder.reader.close()
        try base.append("two\n", to: "data/app-1")
        try base.write("data/app-2", "three\n")
        try folder.scratch.remove("app.log")
        try folder.scratch.link("app.log", to: base.path("data/app-2"))
        folder.reader.open()
        folder.reader.drain()
        #expect(folder.all.sorted() == ["one", "three", "two"])
    }

    // MARK: Names that pass to another file

    @Test func `a name that passes to another file before it is opened mixes up nothing`() throws {
        let scratch = try ScratchDirectory()
        var isAsked = false
        // Called between the look at a name and the opening of its file.
        let reader = TailerHarness(
            files: scratch.path,
            isWanted: { path in
                if isAsked, path.hasSuffix("/a.log") {
                    isAsked = false
                    try? scratch.rename("a.log", to: "b.log")
                    _ = try? scratch.write("a.log", "three\n")
                }
                return path.hasSuffix(".log")
            })
        reader.open()
        reader.drain()
        try scratch.write("a.log", "one\n")
        isAsked = true
        reader.wake(after: 0)
        while reader.readBatch() {}
        try scratch.append("two\n", to: "b.log")
        try scratch.append("four\n", to: "a.log")
        reader.wake(after: 0)
        while reader.readBatch() {}
        reader.commit()
        #expect(reader.texts("b.log", .none) == ["one", "two"])
        #expect(reader.texts("a.log", .none) == ["three", "four"])
    }

    @Test func `neither does one at the only look there is`() throws {
        let scratch = try ScratchDirectory()
        try scratch.write("a.log", "one\n")
        var isMoved = false
        let reader = TailerHarness(
            files: scratch.path,
            isWanted: { path in
                if !isMoved, path.hasSuffix("/a.log") {
                    isMoved = true
                    try? scratch.rename("a.log", to: "b.log")
                    _ = try? scratch.write("a.log", "two\n")
                }
                return path.hasSuffix(".log")
            }
        ) { $0.once = true }
        reader.open()
        reader.drain()
        #expect(reader.store.lines.values.flatMap { $0 }.map(\.text).sorted() == ["one", "two"])
    }

    // MARK: Folders that are replaced

    @Test(arguments: ["app", ""])
    func `a folder that is renamed and made again is seen at once, as is what is written to the old one`(
        root: String
    ) throws {
        let base = try ScratchDirectory()
        try base.write("logs/app/x.log", "a1\n")
        let reader = TailerHarness(files: base.path(root.isEmpty ? "logs" : "logs/\(root)"))
        reader.open()
        reader.drain()
        for turn in 1...3 {
            try base.rename("logs/app", to: "logs/old\(turn)")
            try base.append("late \(turn)\n", to: "logs/old\(turn)/x.log")
            try base.write("logs/app/x.log", "new \(turn)\n")
            // Nothing but what is noticed.
            reader.wake(after: 0)
            while reader.readBatch() {}
            try base.append("more \(turn)\n", to: "logs/app/x.log")
            reader.wake(after: 0)
            while reader.readBatch() {}
        }
        reader.commit()
        let all = reader.store.lines.values.flatMap { $0 }.map(\.text)
        #expect(all.sorted() == (["a1"] + (1...3).flatMap { ["late \($0)", "new \($0)", "more \($0)"] }).sorted())
    }

    @Test(arguments: ["app", ""])
    func `a folder that is deleted and made again is seen at once`(root: String) throws {
        let base = try ScratchDirectory()
        _ = try base.folder("logs/app")
        let reader = TailerHarness(files: base.path(root.isEmpty ? "logs" : "logs/\(root)"))
        reader.open()
        reader.drain()
        for turn in 1...3 {
            ScratchDirectory.remove(base.path("logs/app"))
            if turn == 2 {
                reader.wake(after: 0)
                while reader.readBatch() {}
            }
            try base.write("logs/app/x.log", "turn \(turn)\n")
            reader.wake(after: 0)
            while reader.readBatch() {}
        }
        reader.commit()
        #expect(Set(reader.store.lines.values.flatMap { $0 }.map(\.text)) == ["turn 1", "turn 2", "turn 3"])
    }

    @Test func `a link to a folder that moves on is seen at once`() throws {
        let base = try ScratchDirectory()
        try base.write("releases/42/app.log", "one\n")
        try base.write("releases/43/app.log", "three\n")
        try base.link("current", to: "releases/42")
        let reader = TailerHarness(files: base.path("current"))
        reader.open()
        reader.drain()
        try base.append("two\n", to: "releases/42/app.log")
        try base.link("next", to: "releases/43")
        try base.rename("next", to: "current")
        reader.wake(after: 0)
        while reader.readBatch() {}
        try base.append("four\n", to: "releases/43/app.log")
        reader.wake(after: 0)
        while reader.readBatch() {}
        reader.commit()
        #expect(reader.store.lines.values.flatMap { $0 }.map(\.text).sorted() == ["four", "one", "three", "two"])
    }

    @Test func `the file that a link leads to is followed when it is replaced`() throws {
        let folder = try TextFolder()
        let elsewhere = try ScratchDirectory()
        try elsewhere.write("real", "one\n")
        try folder.scratch.link("a.log", to: elsewhere.path("real"))
        folder.reader.open()
        folder.reader.drain()
        try elsewhere.append("two\n", to: "real")
        try elsewhere.rename("real", to: "real.1")
        try elsewhere.write("real", "three\n")
        folder.readNoticed()
        #expect(folder.all.sorted() == ["one", "three", "two"])
    }

    // MARK: The last line of a renamed file

    @Test(arguments: ["a.log.1", "b.log"])
    func `the last line of a renamed file is stored without its newline when nothing was added for a while`(
        name: String
    ) throws {
        let folder = try TextFolder { $0.quietTime = 15_000_000_000 }
        try folder.scratch.write("a.log", "one\npart")
        folder.reader.open()
        folder.reader.drain()
        try folder.scratch.rename("a.log", to: name)
        try folder.scratch.write("a.log", "new\n")
        folder.reader.drain()
        #expect(folder.all == ["one", "new"])
        try folder.age(name, by: 20)
        folder.reader.drain()
        #expect(folder.all == ["one", "new", "part"])
        #expect(folder.reader.lines("a.log", .none).contains { $0.text == "part" && $0.flags == .unfinished })
        // What comes all the same is read.
        try folder.scratch.append("ly\nmore\n", to: name)
        folder.reader.drain()
        folder.reader.restart()
        folder.reader.drain()
        #expect(folder.all == ["one", "new", "part", "ly", "more"])
    }

    @Test func `a file that was not renamed keeps its last line until it has its newline`() throws {
        let folder = try TextFolder()
        try folder.scratch.write("a.log", "one\npart")
        try folder.age("a.log", by: 3_600)
        folder.reader.open()
        folder.reader.drain()
        #expect(folder.all == ["one"])
        try folder.scratch.append("ly\n", to: "a.log")
        folder.reader.drain()
        #expect(folder.all == ["one", "partly"])
    }
}
