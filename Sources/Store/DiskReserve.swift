// A little space that is given back when the disk is full, so that cursors and snapshots can still be written.
import Disk

/// A file of 256 KiB that really takes its room.
struct DiskReserve {
    static let size: UInt64 = 256 << 10

    let path: String
    let fileSystem: any FileSystem

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
        if let status = Directory.status(path), status.size >= DiskReserve.size { return }
        guard let file = try? fileSystem.open(path, .create) else { return }
        do throws(DiskError) {
            try file.allocate(DiskReserve.size)
        } catch {
            try? fileSystem.remove(path)
        }
    }
}
