// A folder for one test, gone when the test is over.
package import Disk
private import Glibc

/// A new, empty folder that is removed with all that is in it when the value ends.
package final class ScratchDirectory: Sendable {
    package let path: String

    /// - Parameter inMemory: in a file system without a disk, where there is one: for tests that make thousands of files.
    package init(inMemory: Bool = false) throws(DiskError) {
        var parent = Machine.environment("TMPDIR") ?? "/tmp"
        if inMemory, Directory.status("/dev/shm")?.kind == .directory { parent = "/dev/shm" }
        let name = Machine.randomIdentity().map { String($0, radix: 16) }.joined()
        path = "\(parent)/sluice-test-\(name)"
        try LocalFileSystem().makeFolder(path)
    }

    deinit { ScratchDirectory.remove(path) }

    /// The path of something in the folder.
    package func path(_ name: String) -> String { "\(path)/\(name)" }

    /// Writes a whole file, and makes the folders it lies in.
    @discardableResult
    package func write(_ name: String, _ contents: [UInt8]) throws(DiskError) -> String {
        let files = LocalFileSystem()
        try files.makeFolder(Path.parent(path(name)))
        let file = try files.open(path(name), .create)
        try files.truncate(file, to: 0)
        try files.write(contents.span, to: file, at: 0)
        return path(name)
    }

    @discardableResult
    package func write(_ name: String, _ contents: String) throws(DiskError) -> String {
        try write(name, Array(contents.utf8))
    }

    /// The contents of a file of the folder.
    package func contents(_ name: String) throws(DiskError) -> [UInt8] { try ScratchDirectory.contents(of: path(name)) }

    /// The contents of any file.
    package static func contents(of path: String) throws(DiskError) -> [UInt8] {
        let file = try OwnedFile.open(path, .read)
        return try file.read(count: Int(file.status().size), at: 0)
    }

    /// Removes everything in the folder.
    package func empty() {
        for entry in (try? Directory.list(path)) ?? [] { ScratchDirectory.remove("\(path)/\(entry.name)") }
    }

    /// Removes a file, or a folder with all that is in it.
    package static func remove(_ path: String) {
        guard Directory.linkStatus(path)?.kind == .directory else {
            try? LocalFileSystem().remove(path)
            return
        }
        for entry in (try? Directory.list(path)) ?? [] { remove("\(path)/\(entry.name)") }
        _ = unsafe rmdir(path)
    }
}
