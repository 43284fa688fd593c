// One agent per data directory.
private import CLinux
private import Glibc

/// Holds a folder for this process until the value ends; the kernel lets go of it when the process dies.
package struct FolderLock: ~Copyable, Sendable {
    private let file: OwnedFile

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

    /// Locks `<folder>/lock` and writes this process's id into it. flock(2)
    package init(_ folder: String) throws(Failure) {
        let file: OwnedFile
        do throws(DiskError) {
            file = try OwnedFile.open(folder + "/lock", .create)
        } catch {
            throw .disk(error)
        }
        // Whoever only asks (`isHeld`) has the lock for a moment, so a refusal must last.
        var attempts = 0
        while sluice_lock_file(file.descriptor) != 0 {
            attempts += 1
            guard attempts < 20 else { throw .held(folder: folder, pid: FolderLock.holder(folder)) }
            usleep(5000)
        }
        do throws(DiskError) {
            try file.truncate(to: 0)
            try file.write(Array("\(getpid())\n".utf8).span, at: 0)
        } catch {
            throw .disk(error)
        }
        self.file = file
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
        guard let file = try? OwnedFile.open(folder + "/lock", .read) else { return false }
        return sluice_lock_file(file.descriptor) != 0
    }
}
