// The file that the output `file` writes, and what others do to it: logrotate moves it away or truncates it, somebody deletes it or
// writes to it. Our own lines are in it once, whatever happens; theirs are kept.
import Bytes
import Disk
import Gzip
import Telemetry

/// A file that lines are appended to, held by one process at a time.
final class AppendedFile {
    let file: OwnedFile
    let path: String
    /// The path as the pattern gave it, without the number behind it.
    let base: String
    /// Bytes that are acknowledged; what lies behind them belongs to a request that is not finished.
    private(set) var length: UInt64
    /// A request has been begun: what lies behind `length` may be of it.
    var isUnfinished = false
    /// Others have written at its end: a line of theirs may not be whole.
    private var isForeignAtEnd = false
    private let inode: UInt64
    /// Of the last bytes before `length`.
    private var fingerprint: UInt32?
    private let fileSystem: any FileSystem
    private let telemetry: Telemetry

    private init(
        _ file: consuming OwnedFile, base: String, length: UInt64, inode: UInt64, fingerprint: UInt32?,
        _ fileSystem: any FileSystem, _ telemetry: Telemetry
    ) {
        path = file.path
        self.file = file
        self.base = base
        self.length = length
        self.inode = inode
        self.fingerprint = fingerprint
        self.fileSystem = fileSystem
        self.telemetry = telemetry
    }

    /// Opens or creates a file, to append behind what is in it.
    static func begin(
        _ path: String, base: String, _ fileSystem: any FileSystem, _ telemetry: Telemetry
    ) throws(DiskError) -> AppendedFile {
        let file = try fileSystem.open(path, .extendOrCreate)
        let status = try file.status()
        if fault(of: status, path) != nil { throw DiskError.notAFile("append to", path) }
        try lock(file)
        let begun = AppendedFile(
            file, base: base, length: status.size, inode: status.inode, fingerprint: nil, fileSystem, telemetry)
        try begun.endLine()
        return begun
    }

    /// A file of an earlier start, which may have ended in the middle of a request.
    private static func of(
        _ kept: Kept, _ file: consuming OwnedFile, inode: UInt64, _ fileSystem: any FileSystem, _ telemetry: Telemetry
    ) -> AppendedFile {
        let found = AppendedFile(
            file, base: kept.base, length: kept.length, inode: inode, fingerprint: kept.fingerprint, fileSystem,
            telemetry)
        found.isUnfinished = true
        return found
    }

    /// Why this is nothing that lines could be appended to and cut back again; nil for a regular file.
    static func fault(of status: FileStatus, _ path: String) -> String? {
        switch status.kind {
        case .regular, .link: nil
        case .directory: "\(path) is a folder: the output 'file' needs the path of a file in it"
        case .other:
            "\(path) is a pipe, a socket or a device, and no file: what is written there cannot be kept exact over a crash "
                + "(for standard output there is the output 'stdout')"
        }
    }

    private static func lock(_ file: borrowing OwnedFile) throws(DiskError) {
        guard file.lock() else { throw DiskError.locked(file.path) }
    }

    // MARK: What is kept of it

    /// What the cursor keeps: enough to know the file again, and where our lines end in it.
    struct Kept {
        var length: UInt64
        var path: String
        var base: String
        /// Not kept by earlier versions.
        var inode: UInt64?
        var fingerprint: UInt32?

        /// Set in the length of the base's name where inode and fingerprint follow it.
        static let hasIdentity: UInt16 = 0x8000

        /// Nil when nothing was kept.
        init?(_ state: [UInt8]) {
            func number(_ at: Int, _ size: Int) -> UInt64 {
                (0..<size).reduce(0) { $0 | UInt64(state[at + $1]) << UInt64(8 * $1) }
            }
            guard state.count > 10 else { return nil }
            length = number(0, 8)
            let counted = UInt16(number(8, 2))
            var at = 10
            if counted & Kept.hasIdentity != 0 {
                guard state.count > 23 else { return nil }
                inode = number(10, 8)
                fingerprint = state[18] == 1 ? UInt32(number(19, 4)) : nil
                at = 23
            }
            path = String(decoding: state[at...], as: UTF8.self)
            base = String(decoding: path.utf8.prefix(Int(counted & ~Kept.hasIdentity)), as: UTF8.self)
        }
    }

    var state: [UInt8] {
        var out = Arena(capacity: 256)
        out.append(littleEndian: length)
        out.append(littleEndian: UInt16(base.utf8.count) | Kept.hasIdentity)
        out.append(littleEndian: inode)
        out.append(fingerprint == nil ? 0 : 1)
        out.append(littleEndian: fingerprint ?? 0)
        out.append(text: path)
        return Array(copying: out.span)
    }

    // MARK: After a restart

    /// Finds the file again and cuts off what lies behind the lines that are acknowledged; nil when it is not in its place any more
    /// and a new one is to be begun.
    static func takeUp(
        _ kept: Kept, _ fileSystem: any FileSystem, _ telemetry: Telemetry
    ) throws(DiskError) -> AppendedFile? {
        if Directory.status(kept.path)?.kind == .regular {
            let there = try fileSystem.open(kept.path, .extend)
            let status = try there.status()
            if try isSame(there, status, kept) {
                try lock(there)
                let file = AppendedFile.of(kept, there, inode: status.inode, fileSystem, telemetry)
                return try file.isInPlace() ? file : nil
            }
        }
        guard let moved = try moved(kept, fileSystem) else {
            if kept.length > 0 { telemetry.tell(FileOutputEvent.gone(path: kept.path, bytes: kept.length)) }
            return nil
        }
        try lock(moved)
        let inode = try moved.status().inode
        try AppendedFile.of(kept, moved, inode: inode, fileSystem, telemetry).cutBack()
        telemetry.tell(FileOutputEvent.moved(path: kept.path))
        return nil
    }

    /// Whether a file is the one that was kept. Inodes are given again, and some file systems give others after each mount: the bytes
    /// say it, as long as they are there.
    private static func isSame(
        _ file: borrowing OwnedFile, _ status: FileStatus, _ kept: Kept
    ) throws(DiskError) -> Bool {
        if status.size >= kept.length, let fingerprint = kept.fingerprint {
            return try AppendedFile.fingerprint(file, kept.length) == fingerprint
        }
        return kept.inode == nil || kept.inode == status.inode
    }

    /// The file under another name in its folder.
    private static func moved(_ kept: Kept, _ fileSystem: any FileSystem) throws(DiskError) -> OwnedFile? {
        guard let inode = kept.inode else { return nil }
        let folder = Path.parent(kept.path)
        for entry in (try? Directory.list(folder)) ?? [] {
            let path = "\(folder)/\(entry.name)"
            guard let status = Directory.linkStatus(path), status.kind == .regular, status.inode == inode,
                status.size >= kept.length
            else { continue }
            let file = try fileSystem.open(path, .extend)
            if try isSame(file, status, kept) { return file }
        }
        return nil
    }

    // MARK: Before and after each request

    /// Looks what others have done to the file since the last request, and cuts back what a failed one has left. False when it is not
    /// where it was, or is none of ours to write to any more: another one has to be begun.
    func isInPlace() throws(DiskError) -> Bool {
        try cutBack()
        let status = try file.status()
        if status.size < length {
            telemetry.tell(FileOutputEvent.truncated(path: path, bytes: length - status.size))
        } else if status.size > length {
            telemetry.tell(FileOutputEvent.anotherWriter(path: path, bytes: status.size - length))
        }
        if status.size != length || isForeignAtEnd {
            length = status.size
            try endLine()
        }
        if status.linkCount == 0 {
            telemetry.tell(FileOutputEvent.gone(path: path, bytes: length))
            return false
        }
        guard let there = Directory.status(path), there.inode == status.inode, there.device == status.device else {
            telemetry.tell(FileOutputEvent.moved(path: path))
            return false
        }
        return true
    }

    /// Cuts off what a request that was not finished has written.
    private func cutBack() throws(DiskError) {
        guard isUnfinished else { return }
        let size = try file.status().size
        if size > length {
            try fileSystem.truncate(file, to: length)
            telemetry.tell(FileOutputEvent.cutBack(path: path, bytes: size - length))
        }
        isUnfinished = false
    }

    /// Acknowledges what was written up to `end`.
    /// - Throws: when the file was deleted meanwhile: the request has to go to another one.
    func finish(at end: UInt64) throws(DiskError) {
        let status = try file.status()
        if status.linkCount == 0 { throw DiskError.gone("append to", path) }
        // What is written goes to the end, so it is there, also when somebody truncated the file or wrote to it in between.
        if status.size < end { telemetry.tell(FileOutputEvent.truncated(path: path, bytes: end - status.size)) }
        isForeignAtEnd = status.size != end
        length = status.size
        isUnfinished = false
        fingerprint = try? AppendedFile.fingerprint(file, length)
    }

    /// Ends a line that somebody else may have left in the middle, and takes the file as it is now for acknowledged.
    private func endLine() throws(DiskError) {
        if length > 0, try file.read(count: 1, at: length - 1) != [UInt8(ascii: "\n")] {
            try fileSystem.write([UInt8(ascii: "\n")].span, to: file, at: length)
            length += 1
        }
        isForeignAtEnd = false
        fingerprint = try? AppendedFile.fingerprint(file, length)
    }

    private static func fingerprint(_ file: borrowing OwnedFile, _ length: UInt64) throws(DiskError) -> UInt32 {
        let count = min(256, length)
        let bytes = try file.read(count: Int(count), at: length - count)
        return CRC32C.of(bytes.span)
    }
}
