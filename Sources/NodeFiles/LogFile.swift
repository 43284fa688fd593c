// A log file that is followed, open or not: there may be more logs on a node than a process may have descriptors. Those that have been
// quiet for the longest are closed, and opened again by their path when there is something to do with them.
import Disk

/// One log file. It is opened again by itself when it was closed for want of descriptors.
final class LogFile {
    private var file: OwnedFile?
    /// Where it is opened again.
    private(set) var path: String
    private let id: FileID
    /// Its first bytes, and what it was like, when it was closed: its inode may be given to another file.
    private(set) var head: [UInt8] = []
    private var resting: FileStatus?
    private let shelf: OpenFiles?
    private let faults: LogFileFaults?
    /// It has no name any more, or nobody knows which: it must not be closed.
    private(set) var isPinned = false
    /// Another file has its inode by now: it was deleted while it was closed.
    private(set) var isGone = false
    /// When something was last read from it, in the order of all files.
    fileprivate(set) var lastUse: UInt64 = 0

    init(_ file: consuming OwnedFile, on shelf: OpenFiles? = nil, faults: LogFileFaults? = nil) {
        path = file.path
        let status = try? file.status()
        id = status.map { FileID($0) } ?? FileID(device: 0, inode: 0)
        // Without knowing it again it cannot be closed.
        self.shelf = status == nil ? nil : shelf
        self.faults = faults
        self.file = consume file
        self.shelf?.noteOpened(self)
    }

    deinit { if file != nil { shelf?.noteClosed() } }

    /// Whether it has a descriptor now.
    var isOpen: Bool { file != nil }

    /// It has another name now.
    func isMoved(to path: String) { if shelf != nil { self.path = path } }

    /// Keeps its descriptor from now on.
    func pin() { isPinned = true }

    /// Its name is known again.
    func unpin() {
        guard isPinned else { return }
        isPinned = false
        if isOpen { shelf?.noteUse(self) }
    }

    /// Whether a name shows this file, though it is closed; by its inode it may be another one. Throws when that cannot be found out.
    func isStill(_ status: FileStatus, at path: String) throws(DiskError) -> Bool {
        guard !isGone else { return false }
        isMoved(to: path)
        if let resting, resting.size == status.size, resting.modified == status.modified { return true }
        do throws(DiskError) {
            try reopen()
        } catch {
            if isGone { return false }
            throw error
        }
        return true
    }

    /// Gives the descriptor back; what is needed later opens the file again.
    fileprivate func rest() {
        guard let status = try? file?.status(), let bytes = try? file?.read(count: 64, at: 0) else { return }
        head = bytes
        resting = status
        file = nil
        shelf?.noteClosed()
    }

    /// Opens it again if it was closed. Throws as for a file that is missing when another one has its name.
    func reopen() throws(DiskError) {
        guard file == nil else { return }
        guard !isGone else { throw .gone("open", path) }
        shelf?.makeRoom()
        try faults?.before("open", path)
        let file = try OwnedFile.open(path, .read, nonBlocking: true)
        guard try FileID(file.status()) == id else { throw .gone("open", path) }
        guard try file.read(count: head.count, at: 0) == head else {
            isGone = true
            throw .gone("open", path)
        }
        self.file = consume file
        shelf?.noteOpened(self)
    }

    /// Its descriptor, for a watch; nil when it cannot be opened.
    var descriptor: Int32? {
        try? reopen()
        return file?.descriptor
    }

    /// What it is like now; a closed one is looked at by its name.
    func status() throws(DiskError) -> FileStatus {
        try faults?.before("look at", path)
        if let status = try file?.status() { return status }
        guard !isGone else { throw .gone("look at", path) }
        let status = try Directory.look(path)
        guard FileID(status) == id else { throw .gone("look at", path) }
        return status
    }

    /// Reads at most `buffer.count` bytes at `offset`; 0 at the end.
    func read(into buffer: inout MutableSpan<UInt8>, at offset: UInt64) throws(DiskError) -> Int {
        try reopen()
        try faults?.before("read", path)
        let n = try file?.read(into: &buffer, at: offset) ?? 0
        if n > 0 { shelf?.noteUse(self) }
        return n
    }

    /// Reads at most `count` bytes at `offset` into an array; fewer at the end.
    func read(count: Int, at offset: UInt64) throws(DiskError) -> [UInt8] {
        try reopen()
        try faults?.before("read", path)
        return try file?.read(count: count, at: offset) ?? []
    }

    /// The first offset from `offset` on that lies in no hole of a sparse file; nil when only a hole follows.
    func nextData(from offset: UInt64) throws(DiskError) -> UInt64? {
        try reopen()
        return try file?.nextData(from: offset) ?? nil
    }

    /// When it was made, and when its names changed last.
    func birth() throws(DiskError) -> (born: Int64?, changed: Int64)? {
        try reopen()
        return try file?.birth()
    }
}

/// The log files of one tailer that have descriptors, and the budget for all of them together.
final class OpenFiles {
    private let budget: DescriptorBudget
    /// Open files in the order of their use, as it was when they were put here.
    private var queue = Agenda<(file: Reference, use: UInt64)>()
    private var clock: UInt64 = 0

    private struct Reference { weak var file: LogFile? }

    init(_ budget: DescriptorBudget) { self.budget = budget }

    /// So many deleted files may be held open.
    var mostHeld: Int { max(4, budget.most * 3 / 4) }

    fileprivate func noteOpened(_ file: LogFile) {
        budget.take()
        noteUse(file)
        queue.append((Reference(file: file), file.lastUse))
    }

    fileprivate func noteClosed() { budget.giveBack() }

    fileprivate func noteUse(_ file: LogFile) {
        clock += 1
        file.lastUse = clock
    }

    /// Closes the files that have been quiet for the longest, until another may be opened.
    func makeRoom() {
        guard budget.isSpent else { return }
        var left = queue.count
        while budget.isSpent, left > 0, let (reference, use) = queue.next() {
            left -= 1
            guard let file = reference.file, file.isOpen else { continue }
            if file.isPinned || file.lastUse != use {
                // Used since it was put here: it has its place further back.
                queue.append((reference, file.lastUse))
                // One that was pinned is met again; the others come before their new place.
                if !file.isPinned { left += 1 }
            } else {
                file.rest()
            }
        }
    }
}
