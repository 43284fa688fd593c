// One agent per data directory.
private import CLinux
private import Glibc

/// Holds a folder for this process until the value ends; the kernel lets go of it when the process dies.
///
/// Locked are the file `lock`, which says who holds it, and the folder itself: that keeps others out also when somebody deletes the file.
package struct FolderLock: ~Copyable, Sendable {
    private let file: OwnedFile
    private let folder: OwnedFile

    /// Why a folder could not be locked.
    package enum Failure: Error, CustomStringConvertible {
        /// Another process holds it; its pid, when the lock file tells.
        case held(folder: String, pid: Int?)
        case disk(DiskError)

        package var description: String {
            switch self {
            case .held(let folder, let pid):
                let who = pid.map { "process \($0)" } ?? "another process"
                return
                    "\(folder) is in use by \(who): one agent per data directory (stop it, or choose another data_dir)"
            case .disk(let error): return error.description
            }
        }
    }

    /// Locks a folder and `<folder>/lock`, and writes this process's id into that. flock(2)
    package init(_ path: String) throws(Failure) {
        let file = try FolderLock.open(path + "/lock", .create)
        let folder = try FolderLock.open(path, .read)
        // Whoever only asks (`isHeld`) has the lock for a moment, so a refusal must last.
        var attempts = 0
        while !file.lock() || !folder.lock() {
            attempts += 1
            guard attempts < 20 else { throw .held(folder: path, pid: FolderLock.holder(path)) }
            usleep(5000)
        }
        // The id is for people. It is written over the one before, since on a full disk there is no room for another.
        let id = Array("\(getpid())\n".utf8)
        if (try? file.write(id.span, at: 0)) != nil { try? file.truncate(to: UInt64(id.count)) }
        self.file = file
        self.folder = folder
    }

    private static func open(_ path: String, _ mode: OpenMode) throws(Failure) -> OwnedFile {
        do throws(DiskError) {
            return try OwnedFile.open(path, mode)
        } catch {
            throw .disk(error)
        }
    }

    /// What was locked, to find out later whether it is still what stands there.
    package func places() throws(DiskError) -> [FilePlace] {
        [
            FilePlace(path: folder.path, status: try folder.status()),
            FilePlace(path: file.path, status: try file.status()),
        ]
    }

    /// The process id in a folder's lock file; it may have died since.
    package static func holder(_ folder: String) -> Int? {
        guard let file = try? OwnedFile.open(folder + "/lock", .read), let bytes = try? file.read(count: 32, at: 0)
        else {
            return nil
        }
        return Int(String(decoding: bytes, as: UTF8.self).filter { !$0.isWhitespace })
    }

    /// Whether a living process holds the folder now.
    package static func isHeld(_ folder: String) -> Bool {
        [folder + "/lock", folder].contains { path in
            guard let file = try? OwnedFile.open(path, .read) else { return false }
            return !file.lock()
        }
    }
}

/// A file or folder and the path where it stood.
package struct FilePlace: Sendable {
    /// Where it stood.
    package let path: String
    private let device: UInt64
    private let inode: UInt64

    package init(path: String, status: FileStatus) {
        self.path = path
        device = status.device
        inode = status.inode
    }

    /// Whether it is known to be there no more: nothing is, or something else. A look that fails says nothing. stat(2)
    package var isLost: Bool {
        do throws(DiskError) {
            let status = try Directory.look(path)
            return status.device != device || status.inode != inode
        } catch {
            return error.isMissing
        }
    }
}
