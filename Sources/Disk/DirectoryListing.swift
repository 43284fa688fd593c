// Names in folders, and what stands behind a name.
private import CLinux
private import Glibc

/// Looks at folders and names without opening files.
package enum Directory {
    /// One name in a folder.
    package struct Entry: Sendable {
        /// The entry's name, without its folder. Bytes that are no UTF-8 are escaped: every function of ours that takes a path knows
        /// them again.
        package let name: String
        /// nil when the file system does not tell; ask `status(_:)` then.
        package let kind: FileKind?
    }

    /// Makes a folder that only this user can look into; one that is there already is an error. mkdir(2), mode 0700
    package static func makePrivate(_ path: String) throws(DiskError) {
        guard unsafe mkdir(path, 0o700) == 0 else { throw DiskError("create folder", path) }
    }

    /// Whether `path` is a folder of this user's that nobody else can change anything in: what `makePrivate` makes. lstat(2)
    package static func isPrivate(_ path: String) -> Bool {
        var raw = stat()
        guard unsafe lstat(path, &raw) == 0 else { return false }
        return raw.st_mode & S_IFMT == S_IFDIR && raw.st_mode & 0o077 == 0 && raw.st_uid == geteuid()
    }

    /// Deletes a folder with all that is in it. What cannot be deleted stays. unlink(2), rmdir(2)
    package static func removeTree(_ path: String) {
        for entry in (try? list(path)) ?? [] {
            let inner = "\(path)/\(entry.name)"
            if entry.kind == .directory {
                removeTree(inner)
            } else if unsafe unlink(EscapedPath.bytes(of: inner)) != 0, entry.kind == nil {
                // A file system that does not tell kinds.
                removeTree(inner)
            }
        }
        _ = unsafe rmdir(EscapedPath.bytes(of: path))
    }

    /// All names in a folder but "." and "..", in no order. opendir(3), readdir(3)
    package static func list(_ path: String) throws(DiskError) -> [Entry] {
        guard let folder = unsafe opendir(EscapedPath.bytes(of: path)) else { throw DiskError("list", path) }
        defer { unsafe closedir(folder) }
        var entries: [Entry] = []
        while let entry = unsafe readdir(folder) {
            let name = unsafe withUnsafePointer(to: &entry.pointee.d_name) {
                unsafe $0.withMemoryRebound(to: CChar.self, capacity: 256) { unsafe EscapedPath.text(of: $0) }
            }
            if name == "." || name == ".." { continue }
            let kind: FileKind? =
                switch unsafe Int(entry.pointee.d_type) {
                case Int(DT_REG): .regular
                case Int(DT_DIR): .directory
                case Int(DT_LNK): .link
                case Int(DT_UNKNOWN): nil
                default: .other
                }
            entries.append(Entry(name: name, kind: kind))
        }
        return entries
    }

    /// What stands at the end of `path`, links followed; nil when nothing does. stat(2)
    package static func status(_ path: String) -> FileStatus? {
        var raw = stat()
        return unsafe stat(EscapedPath.bytes(of: path), &raw) == 0 ? FileStatus(raw) : nil
    }

    /// What stands at the end of `path`, links followed. stat(2)
    package static func look(_ path: String) throws(DiskError) -> FileStatus {
        var raw = stat()
        guard unsafe stat(EscapedPath.bytes(of: path), &raw) == 0 else { throw DiskError("look at", path) }
        return FileStatus(raw)
    }

    /// What stands at `path` itself, a link not followed; nil when nothing does. lstat(2)
    package static func linkStatus(_ path: String) -> FileStatus? {
        var raw = stat()
        return unsafe lstat(EscapedPath.bytes(of: path), &raw) == 0 ? FileStatus(raw) : nil
    }

    /// Where a symbolic link points to, as it is written; nil when `path` is none. readlink(2)
    package static func linkTarget(_ path: String) -> String? {
        var bytes = [CChar](repeating: 0, count: 4096)
        let n = unsafe readlink(EscapedPath.bytes(of: path), &bytes, bytes.count)
        return n > 0 ? EscapedPath.text(of: bytes[..<n].map { UInt8(bitPattern: $0) }) : nil
    }

    /// The path with every link resolved; nil when it does not exist. realpath(3)
    package static func resolve(_ path: String) -> String? {
        guard let found = unsafe realpath(EscapedPath.bytes(of: path), nil) else { return nil }
        defer { unsafe free(found) }
        return unsafe EscapedPath.text(of: found)
    }
}
