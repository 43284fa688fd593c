// A little space that is given back when the disk is full, so that cursors and snapshots can still be written, and an agent can start.
import Disk

/// A file of 256 KiB that really takes its room.
struct DiskReserve: Sendable {
    static let size: UInt64 = 256 << 10

    let path: String
    let fileSystem: any FileSystem

    /// Whether the room is taken.
    var isHeld: Bool { (Directory.status(path)?.size ?? 0) >= DiskReserve.size }

    /// Deletes the file; false when it is gone already.
    func release() -> Bool {
        guard Directory.status(path) != nil else { return false }
        do throws(DiskError) {
            try fileSystem.remove(path)
            return true
        } catch {
            return false
        }
    }

    /// Takes the room again; on a full disk that fails and is tried at the next occasion.
    func restore() {
        if isHeld { return }
        guard let file = try? fileSystem.open(path, .create) else { return }
        do throws(DiskError) {
            try fileSystem.allocate(DiskReserve.size, of: file)
        } catch {
            try? fileSystem.remove(path)
        }
    }
}

/// The file system for what has to be written on a full disk too: a call that finds no room gives the reserve back and is tried once
/// more. Records do not go through it, or they would use the reserve up.
struct ReservedFileSystem: FileSystem {
    let base: any FileSystem
    let reserve: DiskReserve

    /// Whether a call that failed so is worth another try.
    private func makesRoom(for error: DiskError) -> Bool { error.isFull && reserve.release() }

    func open(_ path: String, _ mode: OpenMode) throws(DiskError) -> OwnedFile {
        do throws(DiskError) {
            return try base.open(path, mode)
        } catch {
            guard makesRoom(for: error) else { throw error }
            return try base.open(path, mode)
        }
    }

    func writeOnce(
        _ bytes: Span<UInt8>, to file: borrowing OwnedFile, at offset: UInt64
    ) throws(DiskError) -> Int {
        do throws(DiskError) {
            return try base.writeOnce(bytes, to: file, at: offset)
        } catch {
            guard makesRoom(for: error) else { throw error }
            return try base.writeOnce(bytes, to: file, at: offset)
        }
    }

    func allocate(_ size: UInt64, of file: borrowing OwnedFile) throws(DiskError) {
        do throws(DiskError) {
            try base.allocate(size, of: file)
        } catch {
            guard makesRoom(for: error) else { throw error }
            try base.allocate(size, of: file)
        }
    }

    func truncate(_ file: borrowing OwnedFile, to size: UInt64) throws(DiskError) {
        do throws(DiskError) {
            try base.truncate(file, to: size)
        } catch {
            guard makesRoom(for: error) else { throw error }
            try base.truncate(file, to: size)
        }
    }

    func sync(_ file: borrowing OwnedFile) throws(DiskError) { try base.sync(file) }
    func syncFolder(_ path: String) throws(DiskError) { try base.syncFolder(path) }

    func rename(_ from: String, to: String) throws(DiskError) {
        do throws(DiskError) {
            try base.rename(from, to: to)
        } catch {
            guard makesRoom(for: error) else { throw error }
            try base.rename(from, to: to)
        }
    }

    func remove(_ path: String) throws(DiskError) { try base.remove(path) }

    func makeFolder(_ path: String) throws(DiskError) {
        do throws(DiskError) {
            try base.makeFolder(path)
        } catch {
            guard makesRoom(for: error) else { throw error }
            try base.makeFolder(path)
        }
    }

    func freeSpace(_ path: String) throws(DiskError) -> UInt64 { try base.freeSpace(path) }
}
