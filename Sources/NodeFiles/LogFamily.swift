// All files of one log, oldest first: `0.log` and what became of it by rotation. Unfinished records belong to the family,
// since a rotation may cut them.
import Bytes
import Disk
import Records

/// What a family is known by: for containers the path of `N.log`, for text files the file itself.
package struct FamilyKey: Hashable, Sendable {
    /// The folder it is in.
    package let folder: String
    /// `0.log`, or the file's name and inode.
    package let base: String

    package init(folder: String, base: String) {
        self.folder = folder
        self.base = base
    }
}

/// One log. It is read file by file, in the order in which the files were written.
final class LogFamily {
    let key: FamilyKey
    /// What the store writes of each of its files.
    let identity: SourceIdentity
    /// What its records get with them: the metadata of the pod.
    var description: LogDescription
    /// Its lines wait in their files until more is known of it.
    var isHeld: Bool
    /// Oldest first; the one that is being written is last.
    var files: [TailedFile] = []
    var stdout = StreamState.idle
    var stderr = StreamState.idle
    /// Its writer is gone for good: a later restart of the container has a log, or the pod is gone.
    var hasEnded = false
    /// One of its files could not be opened: it waits until its folder is looked at again, and that has been so many times.
    var isBlocked = false
    var tries = 0
    var isReady = false
    /// Batches read in this turn.
    var turn = 0
    /// The time of the last good line, for lines without one.
    var lastTime: Int64 = 0
    /// When lines in another format may be reported again, on the monotonic clock.
    var nextFormatNotice: Int64 = 0

    init(key: FamilyKey, identity: SourceIdentity, description: LogDescription, isHeld: Bool) {
        self.key = key
        self.identity = identity
        self.description = description
        self.isHeld = isHeld
    }

    /// The file that is to be read next; nil when all are done.
    var current: TailedFile? { files.first { !$0.isDone } }

    /// Something is to be told of a file although nothing was read of it: what was passed over.
    var hasNewMarks: Bool { files.contains { $0.hasNewMarks } }

    /// Bytes known to be unread in all its files.
    var lag: UInt64 { files.reduce(0) { $0 + ($1.isDone ? 0 : $1.lag) } }

    /// The file that is read next may vanish: it waits for nobody.
    var isAboutToBeLost: Bool { current.map { $0.isRotated || $0.isUnlinked } ?? false }

    func state(_ stream: RecordStream) -> StreamState { stream == .stderr ? stderr : stdout }

    /// What a stream's state means for the position of `file`.
    func mark(_ stream: RecordStream, in file: TailedFile) -> StreamMark {
        switch state(stream) {
        case .idle:
            // While what was read before the start is being read again, the old mark still holds.
            if file.readOffset < file.resumeEnd,
                case .unfinished = stream == .stderr ? file.position.stderr : file.position.stdout
            {
                return stream == .stderr ? file.position.stderr : file.position.stdout
            }
            return .none
        case .skipping: return file === files.last(where: { $0.readOffset > 0 }) ? .skipping : .none
        case .pending(let line):
            if line.file === file { return .unfinished(from: line.offset) }
            guard let first = files.firstIndex(where: { $0 === line.file }),
                let this = files.firstIndex(where: { $0 === file })
            else { return file.readOffset > 0 ? .unfinished(from: 0) : .none }
            return this > first ? .unfinished(from: 0) : .none
        }
    }

    /// Whether a pending line still lies partly in `file`.
    func needs(_ file: TailedFile) -> Bool {
        for stream in [RecordStream.stdout, .stderr] {
            guard let line = state(stream).pending, let first = files.firstIndex(where: { $0 === line.file }),
                let this = files.firstIndex(where: { $0 === file })
            else { continue }
            if this >= first { return true }
        }
        return false
    }

    /// Oldest first, by the time of the first line; the file that is being written comes last. A rotated file without any time
    /// stands behind those whose names, which hold the time of the rotation, come before its own.
    func sortFiles() {
        var sorted = files.filter { $0.isRotated && $0.firstTime != .max }
        sorted.sort { $0.firstTime != $1.firstTime ? $0.firstTime < $1.firstTime : $0.name < $1.name }
        for file in files.filter({ $0.isRotated && $0.firstTime == .max }).sorted(by: { $0.name < $1.name }) {
            let before = sorted.lastIndex { $0.name < file.name }
            sorted.insert(file, at: before.map { $0 + 1 } ?? 0)
        }
        // Of several that have the name that is written to, all but the last are deleted.
        let written = files.filter { !$0.isRotated }
        files = sorted + written.filter(\.isUnlinked) + written.filter { !$0.isUnlinked }
    }

    /// After a restart: whether the rest of a truncated line is being passed over. No file says so once that is over.
    func restoreSkipping(_ position: FilePosition) {
        if position.stdout == .skipping { stdout = .skipping }
        if position.stderr == .skipping { stderr = .skipping }
    }

    // MARK: Memory

    /// Bytes of pieces that are held.
    var heldBytes: Int { (stdout.pending?.bytes.count ?? 0) + (stderr.pending?.bytes.count ?? 0) }

    /// Forgets the larger of the two pending lines' bytes; returns how many.
    func forgetLargest() -> Int {
        let out = stdout.pending?.bytes.count ?? 0
        let error = stderr.pending?.bytes.count ?? 0
        if out >= error {
            guard case .pending(var line) = stdout else { return 0 }
            line.bytes = []
            line.isForgotten = true
            stdout = .pending(line)
            return out
        }
        guard case .pending(var line) = stderr else { return 0 }
        line.bytes = []
        line.isForgotten = true
        stderr = .pending(line)
        return error
    }
}
