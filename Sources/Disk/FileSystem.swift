// Every call by which the agent changes the disk goes through this seam, so that tests can fail the n-th of them, cut a
// write short, or stop the world between two of them.
private import CLinux
private import Glibc

/// The file system as the store and the outputs see it.
package protocol FileSystem: Sendable {
    /// open(2)
    func open(_ path: String, _ mode: OpenMode) throws(DiskError) -> OwnedFile
    /// pwrite(2): may take fewer bytes than given.
    func writeOnce(_ bytes: Span<UInt8>, to file: borrowing OwnedFile, at offset: UInt64) throws(DiskError) -> Int
    /// posix_fallocate(3): makes sure that the first `size` bytes really have their room.
    func allocate(_ size: UInt64, of file: borrowing OwnedFile) throws(DiskError)
    /// ftruncate(2)
    func truncate(_ file: borrowing OwnedFile, to size: UInt64) throws(DiskError)
    /// fdatasync(2)
    func sync(_ file: borrowing OwnedFile) throws(DiskError)
    /// fsync(2) of a folder: makes names in it durable.
    func syncFolder(_ path: String) throws(DiskError)
    /// rename(2)
    func rename(_ from: String, to: String) throws(DiskError)
    /// unlink(2); a file that is not there is no error.
    func remove(_ path: String) throws(DiskError)
    /// mkdir(2) of the folder and all above it, durably; one that exists is no error.
    func makeFolder(_ path: String) throws(DiskError)
    /// Bytes that this process may still write on the file system of `path`. statvfs(3)
    func freeSpace(_ path: String) throws(DiskError) -> UInt64
}

extension FileSystem {
    /// Writes all of `bytes` at `offset`. After an error some of them may have been written.
    package func write(_ bytes: Span<UInt8>, to file: borrowing OwnedFile, at offset: UInt64) throws(DiskError) {
        var done = 0
        while done < bytes.count {
            done += try writeOnce(bytes.extracting(done..<bytes.count), to: file, at: offset + UInt64(done))
        }
    }

    /// Replaces a file's contents in one step: whoever looks sees the old or the new, also after a power cut.
    package func replace(_ path: String, with bytes: Span<UInt8>) throws(DiskError) {
        let temporary = path + ".new"
        do throws(DiskError) {
            let file = try open(temporary, .create)
            try truncate(file, to: 0)
            try write(bytes, to: file, at: 0)
            try sync(file)
            try rename(temporary, to: path)
        } catch {
            // On a full disk a half of it would keep the last bytes from others.
            try? remove(temporary)
            throw error
        }
        try syncFolder(Path.parent(path))
    }
}

/// The file system itself.
package struct LocalFileSystem: FileSystem {
    package init() {}

    package func open(_ path: String, _ mode: OpenMode) throws(DiskError) -> OwnedFile {
        try OwnedFile.open(path, mode)
    }

    package func writeOnce(
        _ bytes: Span<UInt8>, to file: borrowing OwnedFile, at offset: UInt64
    ) throws(DiskError) -> Int { try file.writeOnce(bytes, at: offset) }

    package func allocate(_ size: UInt64, of file: borrowing OwnedFile) throws(DiskError) { try file.allocate(size) }

    package func truncate(_ file: borrowing OwnedFile, to size: UInt64) throws(DiskError) {
        try file.truncate(to: size)
    }

    package func sync(_ file: borrowing OwnedFile) throws(DiskError) { try file.sync() }

    package func syncFolder(_ path: String) throws(DiskError) {
        let folder = try OwnedFile.open(path, .read)
        guard fsync(folder.descriptor) == 0 else { throw DiskError("sync", path) }
    }

    package func rename(_ from: String, to: String) throws(DiskError) {
        guard unsafe Glibc.rename(from, to) == 0 else { throw DiskError("rename", from) }
    }

    package func remove(_ path: String) throws(DiskError) {
        guard unsafe unlink(path) == 0 || sluice_errno() == ENOENT else { throw DiskError("delete", path) }
    }

    package func makeFolder(_ path: String) throws(DiskError) {
        if unsafe mkdir(path, 0o750) != 0 {
            if sluice_errno() == EEXIST { return }
            guard sluice_errno() == ENOENT, path.contains("/") else { throw DiskError("create folder", path) }
            try makeFolder(Path.parent(path))
            guard unsafe mkdir(path, 0o750) == 0 || sluice_errno() == EEXIST else {
                throw DiskError("create folder", path)
            }
        }
        // A parent that may not be read cannot be synced; the folder is there all the same.
        try? syncFolder(Path.parent(path))
    }

    package func freeSpace(_ path: String) throws(DiskError) -> UInt64 {
        var raw = statvfs()
        guard unsafe statvfs(path, &raw) == 0 else { throw DiskError("look at", path) }
        return UInt64(raw.f_bavail) * UInt64(raw.f_frsize)
    }
}

/// Path arithmetic on plain strings.
package enum Path {
    /// The folder a path lies in: "/a" of "/a/b", "." of "b".
    package static func parent(_ path: String) -> String {
        guard let slash = path.lastIndex(of: "/") else { return "." }
        return slash == path.startIndex ? "/" : String(path[..<slash])
    }

    /// A name in a folder: "/a/b" of "/a" and "b", "/b" of "/" and "b", the folder of an empty name.
    package static func join(_ folder: String, _ name: String) -> String {
        name.isEmpty ? folder : folder == "/" ? "/\(name)" : "\(folder)/\(name)"
    }

    /// The last component: "b" of "/a/b".
    package static func name(_ path: String) -> String {
        guard let slash = path.lastIndex(of: "/") else { return path }
        return String(path[path.index(after: slash)...])
    }
}
