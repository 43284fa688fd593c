// When a file that was read to its end is done, and the next one of its log begins.
import Disk
import Foundation
import NodeFiles
import Records
import TestKit
import Testing

private let hour: Int64 = 3_600_000_000_000

@Suite struct `Unread rotated files` {
    /// Lines, a renaming, a new empty file: so many times. The kubelet compresses none.
    private func rotate(_ run: Node, times: Int, wakes: Bool = false) throws {
        for turn in 0..<times {
            try run.fill("turn \(turn)")
            try run.app.rename()
            if wakes { run.reader.wake() }
            try run.app.reopen()
            if wakes { run.reader.wake() }
        }
    }

    @Test(arguments: [2, 3, 5])
    func `are read to the last while the newest file is empty`(times: Int) throws {
        let run = try Node()
        try rotate(run, times: times)
        run.reader.open()
        run.reader.drain()
        #expect(run.difference() == nil)
        #expect(run.texts().count == times * 5)
    }

    @Test(arguments: [2, 3, 5])
    func `are read at once when a later one was rotated in its turn`(times: Int) throws {
        let run = try Node { $0.quietTime = hour }
        try rotate(run, times: times)
        run.reader.open()
        run.reader.drain()
        #expect(run.texts().count == times * 5)
    }

    @Test func `are read while they come, whether their close was seen or not`() throws {
        for wakes in [true, false] {
            let run = try Node { $0.quietTime = hour }
            run.reader.open()
            try rotate(run, times: 3, wakes: wakes)
            run.reader.drain()
            #expect(run.texts().count == 15)
            try run.write("the newest")
            run.reader.drain()
            #expect(run.difference() == nil)
        }
    }

    @Test func `wait for one that was just renamed and may still be written to`() throws {
        let run = try Node { $0.quietTime = hour }
        try rotate(run, times: 1)
        try run.fill("second")
        try run.app.rename()
        run.reader.open()
        run.reader.drain()
        try run.write("late, to the renamed file")
        try run.app.reopen()
        try run.write("newest")
        run.reader.drain()
        #expect(run.difference() == nil)
    }

    @Test func `without any time are read where their names say`() throws {
        let run = try Node()
        for turn in 0..<3 {
            if turn == 1 {
                for number in 0..<3 { try run.app.writeMalformed(Array("no time in line \(number)".utf8)) }
            } else {
                try run.fill("turn \(turn)")
            }
            try run.app.rename()
            try run.app.reopen()
        }
        try run.write("newest")
        run.reader.open()
        run.reader.drain()
        #expect(run.reader.store.order.map { $0.stream == .none ? "-" : "+" }.joined() == "+++++---++++++")
    }
}

@Suite struct `A pod that comes back to the folder of its last life` {
    @Test func `has its first line read at once when the last life's file was closed before it was deleted`() throws {
        let run = try Node { $0.quietTime = hour }
        run.reader.open()
        for life in 0..<3 {
            try run.write("life \(life)")
            try run.write("unfinished in \(life)", ends: false)
            run.reader.drain()
            try run.app.stop()
            run.reader.wake(after: 0)
            try run.app.delete()
            run.reader.wake(after: 0)
            let again = try run.node.start(pod: "web")
            try again.write(Array("again \(life)".utf8), to: .stdout)
            run.reader.drain()
            #expect(run.texts().last == "again \(life)")
            try again.delete()
            run.reader.drain()
            _ = try run.node.start(pod: "web").stop()
        }
    }

    @Test func `has it read at once also when nobody saw a close`() throws {
        let run = try Node { $0.quietTime = hour }
        run.reader.open()
        try run.write("first life")
        try run.write("its unfinished line", ends: false)
        run.reader.drain()
        // Its runtime still holds it open.
        try LocalFileSystem().remove("\(run.app.folder)/0.log")
        run.reader.wake(after: 0)
        try run.node.write(LogWriter.line(Array("second life".utf8), .stdout, at: 9), to: "\(run.app.folder)/0.log")
        run.reader.drain()
        #expect(run.texts() == ["first life", "its unfinished line", "second life"])
        #expect(run.reader.lines(run.app.log(0)).map(\.flags) == [[], .unfinished, []])
        try run.scratch?.append("2026-11-23T03:14:07Z stdout F torn", to: "pods/shop_web_9bcef0f6-9bf5-4076/app/0.log")
        run.reader.drain()
        #expect(run.texts().count == 3, "a line that is being written is not taken for the end of an ended log")
    }
}

@Suite struct `Files that are gone after a restart` {
    @Test func `are not reported when they had been read to their end`() throws {
        let run = try Node()
        run.reader.open()
        for turn in 0..<3 {
            try run.fill("turn \(turn)")
            run.reader.drain()
            try run.app.rotate()
        }
        try run.write("newest")
        run.reader.drain()
        run.reader.close()
        for file in run.app.files.dropLast() { try run.app.remove(file) }
        run.reader.open()
        run.reader.drain()
        #expect(run.reader.told.count("files_gone_while_stopped") == 0)
        #expect(run.reader.store.known.count == 1)
        #expect(run.difference() == nil)
    }

    @Test func `nor those of a container that had ended`() throws {
        let run = try Node()
        run.reader.open()
        try run.fill("first life")
        try run.app.startAgain()
        try run.write("second life")
        run.reader.drain()
        run.reader.close()
        try run.app.remove(run.app.files[0])
        run.reader.open()
        run.reader.drain()
        #expect(run.reader.told.count("files_gone_while_stopped") == 0)
    }

    @Test func `are reported by their own name, not by that of the file that is written`() throws {
        let run = try Node { $0.quietTime = hour }
        run.reader.open()
        try run.fill("first")
        run.reader.drain()
        run.reader.close()
        // What else came into it nobody knows.
        try run.app.rotate()
        try run.write("newest")
        try run.app.remove(run.app.files[0])
        run.reader.open()
        run.reader.drain()
        #expect(run.reader.told.count("files_gone_while_stopped") == 1)
        #expect(run.reader.told.said("/0.log.*"))
    }
}

@Suite struct `Logs in another format` {
    @Test func `are named, once a minute, with what their lines look like`() throws {
        let run = try Node()
        for number in 0..<50 {
            try run.app.writeMalformed(Array(#"{"log":"line \#(number)\n","stream":"stdout"}"#.utf8))
        }
        run.reader.open()
        run.reader.drain()
        try run.app.writeMalformed(Array(#"{"log":"one more\n","stream":"stdout"}"#.utf8))
        run.reader.drain()
        let lines = run.reader.told.lines.filter { $0.contains("not in the CRI format") }
        #expect(lines.count == 1)
        #expect(lines.first?.contains("Docker's json-file") == true)
        #expect(lines.first?.contains("line 0") == true)
    }

    @Test func `are not meant by a line that a crash has cut`() throws {
        let run = try Node()
        try run.fill("before")
        try run.app.writeMalformed(Array("cut".utf8))
        run.reader.open()
        run.reader.drain()
        #expect(run.reader.told.count("files_in_other_formats") == 0)
    }
}

@Suite struct `Logs that are links` {
    private func read(_ change: (ScratchDirectory) throws -> [String]) throws -> (TailerHarness, ScratchDirectory) {
        let scratch = try ScratchDirectory()
        let node = try KubeletEmulator(root: scratch.path)
        _ = try scratch.folder("pods/shop_web_uid/app")
        for place in ["docker/0123", "etc", "dockerfiles"] {
            _ = try scratch.folder(place)
            try scratch.write("\(place)/0123-json.log", LogWriter.line(Array(place.utf8), .stdout, at: 1))
        }
        let allowed = try change(scratch)
        let reader = TailerHarness(pods: node.pods) { $0.allowedFolders = [node.pods] + allowed }
        reader.open()
        reader.drain()
        reader.wake(after: 61_000_000_000)
        reader.drain()
        return (reader, scratch)
    }

    @Test func `are read where a runtime keeps its logs`() throws {
        let (reader, scratch) = try read { scratch in
            try scratch.link("pods/shop_web_uid/app/0.log", to: scratch.path("docker/0123/0123-json.log"))
            return [scratch.path("docker")]
        }
        #expect(reader.texts("shop/web/uid/app/0") == ["docker/0123"])
        withExtendedLifetime(scratch) {}
    }

    @Test func `are not read elsewhere, and reported once`() throws {
        let (reader, scratch) = try read { scratch in
            try scratch.link("pods/shop_web_uid/app/0.log", to: scratch.path("etc/0123-json.log"))
            try scratch.link("pods/shop_web_uid/app/1.log", to: scratch.path("dockerfiles/0123-json.log"))
            _ = try scratch.folder("pods/shop_linked_uid")
            try scratch.write("etc/0.log", LogWriter.line(Array("in a linked folder".utf8), .stdout, at: 1))
            try scratch.link("pods/shop_linked_uid/app", to: scratch.path("etc"))
            return [scratch.path("docker"), scratch.path("none")]
        }
        #expect(reader.store.lines.isEmpty)
        #expect(reader.told.count("files_outside") == 3)
        withExtendedLifetime(scratch) {}
    }
}
