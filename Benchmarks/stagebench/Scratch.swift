// Files of the benchmark's own: a log, and a store that the agent's writer has filled. They are gone at the end.
import Disk
private import Glibc
import Logging
import Records
import Store
import Telemetry

/// What was written does not come back.
struct Unreadable: Error, CustomStringConvertible {
    let description: String
}

/// A new folder that is removed with the value, in memory where that is possible: disks are not what is measured.
final class Scratch {
    /// Says nothing.
    let telemetry = Telemetry(Logger(label: "stagebench") { _ in SwiftLogNoOpLogHandler() })
    private let folder: String

    init() throws {
        let isInMemory = Directory.status("/dev/shm")?.kind == .directory
        let parent = isInMemory ? "/dev/shm" : Machine.environment("TMPDIR") ?? "/tmp"
        folder = "\(parent)/stagebench-\(Machine.processID)"
        try LocalFileSystem().makeFolder(folder)
    }

    deinit { Scratch.remove(folder) }

    /// Writes a log file and returns its path.
    func log(_ lines: [UInt8]) throws -> String {
        let path = "\(folder)/0.log"
        let file = try OwnedFile.open(path, .createNew)
        try file.write(lines.span, at: 0)
        return path
    }

    /// Stores all that `path` makes of its input. Nothing can be added to the store any more.
    func store(_ path: inout AgentWayIn) throws -> Store {
        var limits = StoreLimits()
        limits.minFree = 0
        var writer = try Store.open(
            "\(folder)/data", settings: limits, fileSystem: LocalFileSystem(), telemetry: telemetry)
        path.rewind()
        while !path.isAtEnd {
            for stage in [WayIn.copy, .split, .parse, .encode] { path.run(stage) }
            if case .full(let reason) = path.store(&writer) {
                throw Unreadable(description: "the store takes no more: \(reason)")
            }
        }
        let store = writer.store
        writer.close()
        return store
    }

    private static func remove(_ path: String) {
        guard Directory.linkStatus(path)?.kind == .directory else {
            try? LocalFileSystem().remove(path)
            return
        }
        for entry in (try? Directory.list(path)) ?? [] { remove("\(path)/\(entry.name)") }
        _ = unsafe rmdir(path)
    }
}
