// A folder of text files with a reader, for the tests of text files.
import Disk
import Foundation
import NodeFiles
import Records
import TestKit

/// A folder of text files, and a reader of those that are asked for: whose names end with `.log`, if nothing else is said.
struct TextFolder {
    let scratch: ScratchDirectory
    let reader: TailerHarness

    init(_ change: (inout TailOptions) -> Void = { _ in }) throws {
        scratch = try ScratchDirectory()
        reader = TailerHarness(files: scratch.path, change)
    }

    init(isWanted: @escaping (String) -> Bool) throws {
        scratch = try ScratchDirectory()
        reader = TailerHarness(files: scratch.path, isWanted: isWanted)
    }

    func texts(_ name: String) -> [String] { reader.texts(name, .none) }

    /// All records, whatever file they came from, in the order in which they were stored.
    var all: [String] {
        var next: [TrueStream: Int] = [:]
        return reader.store.order.map { stream in
            defer { next[stream, default: 0] += 1 }
            return reader.store.lines[stream, default: []][next[stream, default: 0]].text
        }
    }

    /// Reads what is noticed without a look at everything.
    func readNoticed() {
        reader.wake(after: 0)
        while reader.readBatch() {}
        reader.commit()
    }

    func copy(_ from: String, to: String) throws { try scratch.write(to, scratch.contents(from)) }

    /// Writes the compressed copy of a file, with the times that gzip(1) leaves.
    func compress(_ from: String, to: String) throws {
        try scratch.write(to, KubeletEmulator.gzip(scratch.contents(from)))
        try age(to, by: 3_600)
    }

    /// Waits until a file that is made now is younger than all that were made before: times of files move in ticks.
    func waitForFileTime() throws {
        func time() throws -> Int64 {
            let name = "tick-\(ContinuousClock.now)"
            let status = try OwnedFile.open(scratch.write(name, ""), .read).status()
            try scratch.remove(name)
            return status.modified
        }
        let now = try time()
        while try time() == now {}
    }

    /// Makes a file look as if nobody had written to it for so many seconds.
    func age(_ name: String, by seconds: Double) throws {
        try FileManager.default.setAttributes(
            [.modificationDate: Date(timeIntervalSinceNow: -seconds)], ofItemAtPath: scratch.path(name))
    }
}
