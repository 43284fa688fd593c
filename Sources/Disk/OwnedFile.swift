// One open file descriptor with an owner. Every call names the C function it stands for.
import CLinux
import Glibc

/// What fstat(2) tells of a file.
package struct FileStatus: Equatable, Sendable {
    /// What tells the file from all others that exist now; inodes are used again at once.
    package let device: UInt64
    package let inode: UInt64
    /// Bytes.
    package let size: UInt64
    /// Time of the last change of contents, nanoseconds since 1970.
    package let modified: Int64
    /// Names that the file still has; 0 when it was deleted and is only held open.
    package let linkCount: UInt64
    /// What kind of file it is.
    package let kind: FileKind

    init(_ raw: stat) {
        device = UInt64(raw.st_dev)
        inode = UInt64(raw.st_ino)
        size = UInt64(max(0, raw.st_size))
        modified = Int64(raw.st_mtim.tv_sec) * 1_000_000_000 + Int64(raw.st_mtim.tv_nsec)
        linkCount = UInt64(raw.st_nlink)
        kind =
            switch raw.st_mode & S_IFMT {
            case S_IFREG: .regular
            case S_IFDIR: .directory
            case S_IFLNK: .link
            default: .other
            }
    }
}

/// The kinds of files that matter to us.
package enum FileKind: Sendable { case regular, directory, link, other }

/// How a file is opened.
package enum OpenMode: Sendable {
    /// O_RDONLY
    case read
    /// O_RDWR, of a file that exists.
    case update
    /// O_RDWR | O_CREAT
    case create
    /// O_RDWR | O_CREAT | O_EXCL
    case createNew
    /// O_WRONLY | O_CREAT | O_APPEND
    case append
    /// O_RDWR | O_APPEND, of a file that exists: what is written goes to its end, wherever that is by then.
    case extend
    /// O_RDWR | O_CREAT | O_APPEND
    case extendOrCreate

    fileprivate var flags: Int32 {
        let base: Int32 =
            switch self {
            case .read: O_RDONLY
            case .update: O_RDWR
            case .create: O_RDWR | O_CREAT
            case .createNew: O_RDWR | O_CREAT | O_EXCL
            case .append: O_WRONLY | O_CREAT | O_APPEND
            case .extend: O_RDWR | O_APPEND
            case .extendOrCreate: O_RDWR | O_CREAT | O_APPEND
            }
        return base | O_CLOEXEC
    }
}

/// An open file; closed when the value ends.
package struct OwnedFile: ~Copyable, Sendable {
    /// The descriptor's number, for pollers and watches; it is not to be closed by others.
    package let descriptor: Int32
    /// The path it was opened by, for messages.
    package let path: String

    init(adopting descriptor: Int32, path: String) {
        self.descriptor = descriptor
        self.path = path
    }

    deinit { _ = close(descriptor) }

    /// Opens `path`; new files get mode 0640, folders are not created. `nonBlocking` keeps the open of a FIFO from
    /// waiting for its other end. open(2)
    package static func open(_ path: String, _ mode: OpenMode, nonBlocking: Bool = false) throws(DiskError) -> OwnedFile
    {
        while true {
            let descriptor = unsafe sluice_open(
                EscapedPath.bytes(of: path), mode.flags | (nonBlocking ? O_NONBLOCK : 0), 0o640)
            if descriptor >= 0 { return OwnedFile(adopting: descriptor, path: path) }
            if sluice_errno() != EINTR { throw DiskError("open", path) }
        }
    }

    /// A second descriptor of the same open file. dup(2)
    package func duplicate() throws(DiskError) -> OwnedFile {
        let copy = dup(descriptor)
        guard copy >= 0 else { throw DiskError("duplicate", path) }
        return OwnedFile(adopting: copy, path: path)
    }

    /// fstat(2)
    package func status() throws(DiskError) -> FileStatus {
        var raw = stat()
        guard unsafe fstat(descriptor, &raw) == 0 else { throw DiskError("look at", path) }
        return FileStatus(raw)
    }

    /// The path by which the file is reached without any link; nil when that is not known. readlink(2) of /proc/self/fd
    package var realPath: String? {
        guard let path = Directory.linkTarget("/proc/self/fd/\(descriptor)"), path.hasPrefix("/") else { return nil }
        let deleted = " (deleted)"
        return path.hasSuffix(deleted) ? String(path.dropLast(deleted.count)) : path
    }

    /// When the file was made, and when its names, owner or mode changed last: nanoseconds since 1970. The first is nil where
    /// the file system does not keep it. statx(2)
    package func birth() throws(DiskError) -> (born: Int64?, changed: Int64) {
        var born: Int64 = 0
        var changed: Int64 = 0
        guard unsafe sluice_birth(descriptor, &born, &changed) == 0 else { throw DiskError("look at", path) }
        return (born < 0 ? nil : born, changed)
    }

    /// The first offset from `offset` on that lies in no hole of a sparse file; nil when only a hole follows. A file system
    /// that knows of no holes answers `offset`. The place where the descriptor stands moves. lseek(2) with SEEK_DATA
    package func nextData(from offset: UInt64) throws(DiskError) -> UInt64? {
        let found = sluice_seek_data(descriptor, Int64(clamping: offset))
        if found >= 0 { return UInt64(found) }
        switch sluice_errno() {
        case ENXIO: return nil
        case EINVAL: return offset
        default: throw DiskError("look for data in", path)
        }
    }

    /// Reads at most `buffer.count` bytes at `offset`; 0 at the end of the file. pread(2)
    package func read(into buffer: inout MutableSpan<UInt8>, at offset: UInt64) throws(DiskError) -> Int {
        while true {
            let n = unsafe buffer.withUnsafeMutableBufferPointer {
                unsafe pread(descriptor, $0.baseAddress, $0.count, off_t(offset))
            }
            if n >= 0 { return n }
            if sluice_errno() != EINTR { throw DiskError("read", path) }
        }
    }

    /// Reads at most `count` bytes at `offset` into an array; fewer at the end of the file. pread(2)
    package func read(count: Int, at offset: UInt64) throws(DiskError) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: count)
        var filled = 0
        while filled < count {
            let n = unsafe bytes.withUnsafeMutableBytes {
                unsafe pread(
                    descriptor, $0.baseAddress.map { unsafe $0 + filled }, count - filled, off_t(offset) + off_t(filled)
                )
            }
            if n == 0 { break }
            if n > 0 { filled += n } else if sluice_errno() != EINTR { throw DiskError("read", path) }
        }
        if filled < count { bytes.removeLast(count - filled) }
        return bytes
    }

    /// Writes once at `offset` and tells how many bytes were taken, which may be fewer. pwrite(2)
    package func writeOnce(_ bytes: Span<UInt8>, at offset: UInt64) throws(DiskError) -> Int {
        while true {
            let n = unsafe bytes.withUnsafeBufferPointer {
                unsafe pwrite(descriptor, $0.baseAddress, $0.count, off_t(offset))
            }
            if n >= 0 { return n }
            if sluice_errno() != EINTR { throw DiskError("write", path) }
        }
    }

    /// Writes all of `bytes` at `offset`. pwrite(2)
    package func write(_ bytes: Span<UInt8>, at offset: UInt64) throws(DiskError) {
        var done = 0
        while done < bytes.count {
            done += try writeOnce(bytes.extracting(done..<bytes.count), at: offset + UInt64(done))
        }
    }

    /// Writes all of `bytes` where the descriptor stands, for pipes and terminals; waits when they are full. write(2)
    package func write(_ bytes: Span<UInt8>) throws(DiskError) { try writeAll(bytes, to: descriptor, path) }

    /// fdatasync(2)
    package func sync() throws(DiskError) {
        guard fdatasync(descriptor) == 0 else { throw DiskError("sync", path) }
    }

    /// ftruncate(2)
    package func truncate(to size: UInt64) throws(DiskError) {
        guard ftruncate(descriptor, off_t(size)) == 0 else { throw DiskError("truncate", path) }
    }

    /// posix_fallocate(3): makes sure that `size` bytes are really there.
    package func allocate(_ size: UInt64) throws(DiskError) {
        let code = posix_fallocate(descriptor, 0, off_t(size))
        guard code == 0 else { throw DiskError("allocate", path, code: code) }
    }

    /// Takes the file for this process until it is closed; false when another one has it, or another open file of this one. Where
    /// a file system knows no locks it is taken too. flock(2)
    package func lock() -> Bool { sluice_lock_file(descriptor) == 0 || sluice_errno() != EWOULDBLOCK }

    /// Whether it is a terminal. isatty(3)
    package var isTerminal: Bool { isatty(descriptor) == 1 }
}

/// Writes all of `bytes` where the descriptor stands; waits while it takes none. write(2), poll(2)
private func writeAll(_ bytes: Span<UInt8>, to descriptor: Int32, _ path: String) throws(DiskError) {
    var done = 0
    while done < bytes.count {
        let rest = bytes.extracting(done..<bytes.count)
        let n = unsafe rest.withUnsafeBufferPointer { unsafe Glibc.write(descriptor, $0.baseAddress, $0.count) }
        if n >= 0 {
            done += n
        } else if sluice_errno() == EAGAIN {
            var waited = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
            _ = unsafe poll(&waited, 1, -1)
        } else if sluice_errno() != EINTR {
            throw DiskError("write", path)
        }
    }
}

/// The process's standard streams. They are never closed by us.
package enum StandardStream {
    /// A second descriptor of standard output, for what writes to one file or another.
    package static func output() throws(DiskError) -> OwnedFile {
        let descriptor = dup(1)
        guard descriptor >= 0 else { throw DiskError("duplicate", "standard output") }
        return OwnedFile(adopting: descriptor, path: "standard output")
    }

    /// Writes all of `bytes` to standard output, without another descriptor. write(2)
    package static func write(_ bytes: Span<UInt8>) throws(DiskError) { try writeAll(bytes, to: 1, "standard output") }

    /// Writes all of `bytes` to standard error, without another descriptor: it works when there is none left. What fails is nobody's
    /// concern, since nobody is left to report it to. write(2)
    package static func report(_ bytes: Span<UInt8>) { try? writeAll(bytes, to: 2, "standard error") }

    /// Whether somebody may be looking: the stream is a terminal. isatty(3)
    package static var outputIsTerminal: Bool { isatty(1) == 1 }
    package static var errorIsTerminal: Bool { isatty(2) == 1 }
}
