// What went wrong at the operating system's edge, in words an operator can act upon.
private import CLinux
private import Glibc

/// A system call that failed: which, on what, and why.
package struct DiskError: Error, Equatable, CustomStringConvertible {
    /// What was tried, as a verb: "open", "write", "sync".
    package let operation: String
    /// The file or folder it was tried on.
    package let path: String
    /// The value of errno(3).
    package let code: Int32

    /// Creates an error; `code` is errno's value.
    package init(_ operation: String, _ path: String, code: Int32) {
        self.operation = operation
        self.path = path
        self.code = code
    }

    /// Creates an error from the calling thread's errno.
    package init(_ operation: String, _ path: String) { self.init(operation, path, code: sluice_errno()) }

    /// There is no room for it: what is left on the disk is for others.
    package static func full(_ operation: String, _ path: String) -> DiskError {
        DiskError(operation, path, code: ENOSPC)
    }

    /// The file went while it was written to.
    package static func gone(_ operation: String, _ path: String) -> DiskError {
        DiskError(operation, path, code: ENOENT)
    }

    /// What is at this path has no place in it: a pipe, a socket, a device.
    package static func notAFile(_ operation: String, _ path: String) -> DiskError {
        DiskError(operation, path, code: ESPIPE)
    }

    /// Another open file holds the lock.
    package static func locked(_ path: String) -> DiskError { DiskError("lock", path, code: EWOULDBLOCK) }

    /// The file, or a folder on the way to it, is not there.
    package var isMissing: Bool { code == ENOENT || code == ENOTDIR }
    /// The disk, or this user's share of it, is full.
    package var isFull: Bool { code == ENOSPC || code == EDQUOT }
    package var isDenied: Bool { code == EACCES || code == EPERM }
    /// Nobody reads any more what is written.
    package var isBrokenPipe: Bool { code == EPIPE }
    /// Too many open files, in this process or on this machine.
    package var isOutOfDescriptors: Bool { code == EMFILE || code == ENFILE }

    /// The same call may succeed in a moment: a disk that stumbled, a limit that others have used up. What is denied or wrong
    /// stays so until somebody changes it.
    package var mayPass: Bool {
        [EIO, ENOMEM, EMFILE, ENFILE, EINTR, EAGAIN, EBUSY, ESTALE, ETIMEDOUT, ENOBUFS].contains(code)
    }
    /// A limit of the system, or its memory, is used up.
    package var isLimit: Bool { isFull || isOutOfDescriptors || code == ENOMEM }

    package var description: String {
        "cannot \(operation) \(path): \(DiskError.words(code))\(advice)"
    }

    /// What a value of errno means. strerror(3)
    package static func words(_ code: Int32) -> String { unsafe String(cString: strerror(code)) }

    private var advice: String {
        switch code {
        case EACCES, EPERM:
            " (run as root, or with the capability DAC_READ_SEARCH, or as a member of the folder's group)"
        case ENOSPC where operation == "watch": " (raise fs.inotify.max_user_watches)"
        case EMFILE where operation == "start watching with": " (raise fs.inotify.max_user_instances)"
        case ENOSPC: " (free some space, or lower store.max_size)"
        case EMFILE: " (raise the limit of open files: LimitNOFILE in systemd, ulimit -n)"
        case EWOULDBLOCK where operation == "lock":
            " (another process writes to it, or another output: give each a file of its own)"
        case ESPIPE: " (it is a pipe, a socket or a device, and no file)"
        case EROFS: " (mount it read-write, or set data_dir to a folder that can be written)"
        default: ""
        }
    }
}
