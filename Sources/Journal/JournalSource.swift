// Where journals are, and how libsystemd is brought to read two folders as one.
//
// A folder is read with its machine-id subfolders, as journalctl -D does. libsystemd takes one folder, or the root of a system: then it
// reads and watches both /var/log/journal and /run/log/journal below it, merges them, and passes over what is in both. So two folders
// become such a root, made of links. Its subfolder `remote` is read too, where there is one.
private import CLinux
private import Glibc

/// What a reader reads.
package enum JournalSource: Hashable, Sendable {
    /// The journals of this machine, below /var/log/journal and /run/log/journal. In a container these are usually the node's, and the
    /// machine's id another one: then every machine's journal in them is read.
    case local
    /// One folder, or two as one journal: each with its subfolders that are named by a machine's id, files that are added later
    /// included. The subfolders of journald's namespaces (`<machine id>.<namespace>`) are left out; such a folder can be named
    /// itself. A folder that is missing when the reader opens is not noticed later.
    case folders([String])
    /// Just these files.
    case files([String])
}

extension JournalSource {
    /// What an operator's list of paths means as things are now: files, when there are any among them, else folders.
    /// - Throws: when there are folders too.
    package init(paths: [String]) throws(JournalError) {
        let file = paths.first { !Folder.isFolder($0) && Folder.exists($0) }
        if let file, let folder = paths.first(where: Folder.isFolder) { throw .mixed(file: file, folder: folder) }
        self = file != nil ? .files(paths) : .folders(paths)
    }

    /// The folders that are there.
    package var presentFolders: [String] { roots.map(\.path).filter(Folder.isFolder) }

    /// Which folders these are. One that comes later, or takes another's place, is not noticed by a reader that is open.
    package var folderIdentities: [String] { roots.map(\.path).compactMap(Folder.identity) }

    /// The named folders that are not there; none where no folder is named.
    package var absentFolders: [String] {
        guard case .folders(let paths) = self else { return [] }
        return paths.filter { !Folder.isFolder($0) }
    }
}

/// How libsystemd is asked to open a source.
enum JournalOpening: Equatable {
    /// sd_journal_open
    case local(onlyThisMachine: Bool)
    /// sd_journal_open_directory
    case folder(String)
    /// sd_journal_open_directory with SD_JOURNAL_OS_ROOT
    case root(String)
    /// sd_journal_open_files
    case files([String])
}

extension JournalSource {
    static let persistent = "/var/log/journal"
    static let volatile = "/run/log/journal"

    /// Decides how to open, and makes links if there must be any.
    func opening(links: String?) throws(JournalError) -> JournalOpening {
        switch self {
        case .local: return .local(onlyThisMachine: Machines.isKnownHere)
        case .files(let paths): return .files(paths)
        case .folders(let given):
            precondition(!given.isEmpty, "a source of journals names a folder")
            let folders = given.map(Folder.plain)
            guard folders.count <= 2 else { throw .tooManyFolders(given) }
            let findings = folders.compactMap(Folder.finding)
            if findings.count == folders.count, let finding = findings.first { throw .unusable(finding) }
            guard folders.count == 2, folders[0] != folders[1] else { return .folder(folders[0]) }
            if let root = JournalSource.commonRoot(folders) { return .root(root) }
            guard let links else { throw .needsLinkFolder(given) }
            try Folder.link(folders[0], as: links + JournalSource.persistent)
            try Folder.link(folders[1], as: links + JournalSource.volatile)
            return .root(links)
        }
    }

    /// The root below which both folders are where a system has them; nil when they are elsewhere.
    private static func commonRoot(_ folders: [String]) -> String? {
        for (first, second) in [(folders[0], folders[1]), (folders[1], folders[0])] where first.hasSuffix(persistent) {
            let root = String(first.dropLast(persistent.count))
            if second == root + volatile { return root.isEmpty ? "/" : root }
        }
        return nil
    }

    /// The folders whose files are read, with those that are missing.
    var roots: [(path: String, machines: Machines)] {
        let remote = JournalSource.persistent + "/remote"
        switch self {
        case .local where Machines.isKnownHere:
            return [(JournalSource.persistent, .this), (JournalSource.volatile, .all)]
        case .local: return [JournalSource.persistent, JournalSource.volatile, remote].map { ($0, .all) }
        case .folders(let given):
            let folders = given.map(Folder.plain)
            guard folders.count == 2, folders[0] != folders[1] else { return folders.prefix(1).map { ($0, .all) } }
            let isSwapped = folders[1].hasSuffix(JournalSource.persistent) && JournalSource.commonRoot(folders) != nil
            return (folders + [folders[isSwapped ? 1 : 0] + "/remote"]).map { ($0, .all) }
        case .files: return []
        }
    }
}

extension JournalID {
    /// This machine's id, or in a container the container's; nil without one. machine-id(5)
    package static var thisMachine: JournalID? {
        Folder.read("/etc/machine-id", count: 32).flatMap { JournalID(String(decoding: $0, as: UTF8.self)) }
    }
}

/// Whose subfolders are read.
enum Machines: Sendable {
    case all, this

    /// Whether a journal of this machine is here: it is not in a container that has an id of its own, or none.
    static var isKnownHere: Bool {
        guard let id = JournalID.thisMachine else { return false }
        return [JournalSource.persistent, JournalSource.volatile].contains { Folder.isFolder("\($0)/\(id)") }
    }

    /// Whether libsystemd looks into a subfolder.
    func include(_ name: String) -> Bool {
        // It also takes the form with dashes.
        guard let id = JournalID(String(name.filter { $0 != "-" })) else { return false }
        return self == .all || id == JournalID.thisMachine
    }
}

/// As much of the file system as journals need.
enum Folder {
    /// The path without a slash at its end.
    static func plain(_ path: String) -> String {
        var path = path[...]
        while path.count > 1, path.hasSuffix("/") { path.removeLast() }
        return String(path)
    }

    /// stat(2)
    static func isFolder(_ path: String) -> Bool {
        var raw = stat()
        return unsafe stat(path, &raw) == 0 && raw.st_mode & S_IFMT == S_IFDIR
    }

    /// Path, device and inode of a folder; nil when it is not there. stat(2)
    static func identity(_ path: String) -> String? {
        var raw = stat()
        guard unsafe stat(path, &raw) == 0, raw.st_mode & S_IFMT == S_IFDIR else { return nil }
        return "\(path) \(raw.st_dev) \(raw.st_ino)"
    }

    /// access(2)
    static func exists(_ path: String) -> Bool { unsafe access(path, F_OK) == 0 }

    /// Why a folder cannot be listed; nil when it can. opendir(3)
    static func finding(_ path: String) -> JournalFinding? {
        guard let folder = unsafe opendir(path) else { return finding(path, code: sluice_errno()) }
        unsafe closedir(folder)
        return nil
    }

    /// What an error of the system means for a file or folder. stat(2), getgrgid_r(3)
    static func finding(_ path: String, code: Int32) -> JournalFinding {
        switch code {
        case ENOENT: return JournalFinding(path, .missing)
        case EACCES, EPERM:
            var raw = stat()
            // A folder above may be what is closed.
            guard unsafe stat(path, &raw) == 0 else {
                let above = path.lastIndex(of: "/").map { String(path[..<$0]) } ?? ""
                return above.isEmpty ? JournalFinding(path, .unreadable(code: code)) : finding(above, code: code)
            }
            let problem = JournalProblem.denied(
                owner: raw.st_uid, group: raw.st_gid, groupName: groupName(raw.st_gid), mode: raw.st_mode)
            return JournalFinding(path, problem)
        default: return JournalFinding(path, .unreadable(code: code))
        }
    }

    private static func groupName(_ number: gid_t) -> String? {
        var entry = unsafe group()
        var found: UnsafeMutablePointer<group>?
        var text = [CChar](repeating: 0, count: 4096)
        guard unsafe getgrgid_r(number, &entry, &text, text.count, &found) == 0, let found = unsafe found,
            let name = unsafe found.pointee.gr_name
        else { return nil }
        return unsafe String(cString: name)
    }

    /// The names in a folder; none when it cannot be listed. readdir(3)
    static func names(_ path: String) -> [String] {
        guard let folder = unsafe opendir(path) else { return [] }
        defer { unsafe closedir(folder) }
        var names: [String] = []
        while let entry = unsafe readdir(folder) {
            names.append(
                unsafe withUnsafePointer(to: &entry.pointee.d_name) {
                    unsafe $0.withMemoryRebound(to: CChar.self, capacity: 256) { unsafe String(cString: $0) }
                })
        }
        return names.sorted()
    }

    /// The first `count` bytes of a file, or fewer; nil when it cannot be read, with the reason in errno. read(2)
    static func read(_ path: String, count: Int) -> [UInt8]? {
        let file = unsafe sluice_open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK, 0)
        guard file >= 0 else { return nil }
        defer { _ = close(file) }
        var bytes = [UInt8](repeating: 0, count: count)
        let n = unsafe pread(file, &bytes, count, 0)
        guard n >= 0 else { return nil }
        return Array(bytes.prefix(n))
    }

    /// Whether an inotify descriptor has so many watches, as far as can be seen. proc_pid_fdinfo(5)
    static func isWatching(_ descriptor: Int32, atLeast count: Int) -> Bool {
        guard let bytes = read("/proc/self/fdinfo/\(descriptor)", count: 65_536) else { return true }
        let lines = String(decoding: bytes, as: UTF8.self).split(separator: "\n")
        return lines.count { $0.hasPrefix("inotify ") } >= count
    }

    /// Lets `path` be a link to a folder, whatever link was there before. symlink(2)
    static func link(_ folder: String, as path: String) throws(JournalError) {
        var slash = path.startIndex
        while let next = path[path.index(after: slash)...].firstIndex(of: "/") {
            if unsafe mkdir(String(path[..<next]), 0o750) != 0, sluice_errno() != EEXIST {
                throw .links(path: path, code: sluice_errno())
            }
            slash = next
        }
        var target = folder
        if !folder.hasPrefix("/"), let found = unsafe realpath(folder, nil) {
            target = unsafe String(cString: found)
            unsafe free(found)
        }
        _ = unsafe unlink(path)
        guard unsafe symlink(target, path) == 0 else { throw .links(path: path, code: sluice_errno()) }
    }
}
