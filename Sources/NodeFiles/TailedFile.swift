// One generation of a log file while it is being read: its bytes, its names, and how far reading has come.
import Bytes
import Disk
import Records

/// A file that is or was being read. It belongs to one `LogFamily`.
final class TailedFile {
    /// The name in its folder by which it was last seen.
    var name: String
    var content: FileContent?
    /// The number the store knows it by; nil until there is something to tell.
    var number: SourceNumber?
    /// As it was last told to the lane.
    private(set) var position: FilePosition
    /// Where the next read begins; below `position.end` after a restart with an unfinished record.
    var readOffset: UInt64
    /// Bytes before this offset were read before the start: only streams with an unfinished record take lines there.
    var resumeEnd: UInt64
    /// The time of its first line, by which rotated files are ordered; .max while it has none.
    var firstTime: Int64 = .max
    /// The size that was seen last.
    var size: UInt64 = 0
    /// When it was last seen to change, nanoseconds since 1970.
    var modified: Int64 = 0
    /// It does not have the name any more that its runtime writes to.
    var isRotated = false
    /// The runtime has closed it after it was renamed: nothing will come any more.
    var isClosedByWriter = false
    /// How large it was when a writer closed it while it still had its name; nil as long as none has.
    var sizeAtClose: UInt64?
    /// It has no name any more and is only held open.
    var isUnlinked = false
    /// A `.gz` of it lies beside it, or took its place.
    var compressedName: String?
    /// It is read from its `.gz`.
    private(set) var isCompressed: Bool
    /// Everything in it was read, and nothing will be added.
    var isDone = false
    /// That is in its position: nothing is missing when it is gone at the next start.
    var isFinished = false
    /// How often in a row reading it failed.
    var faults = 0
    /// inotify refuses to watch it; that was reported.
    var isUnwatchable = false
    /// Reading it failed: it is not tried again, and held open so that it is not taken for a new file.
    var hasFailed = false
    /// Reading stands inside a line that is too long: it is passed over up to its newline.
    var skipsToNewline: Bool
    /// Something was read since its position was told.
    var needsReport = false
    /// Its marks changed because a later file brought the end of a record: its position is to be told again.
    var hasNewMarks = false
    /// The one-shot watch that tells when it grows; -1 for none.
    var watch: Int32 = -1
    /// NULs that were passed over since that was last reported, and where the first of them stood.
    var hole: (offset: UInt64, bytes: UInt64) = (0, 0)
    /// A text file of which nothing was read yet: whether it is text at all, and whether it is a copy, is still to be found out.
    var isUnjudged = false
    /// A copy of what is read, up to this size, when it was last compared with its original.
    var verifiedCopy: UInt64 = 0
    /// Since when it has been waiting to be told from an original, on the monotonic clock; 0 before.
    var undecidedSince: Int64 = 0
    /// It has had another name since it was opened: its writer may have turned to another file.
    var wasRenamed = false
    /// What its name showed when it was last looked at.
    var listed: FileStatus?
    /// The first 64 bytes (fewer while it is shorter) and the last 64 before `readOffset`.
    private(set) var headBytes: [UInt8] = []
    private(set) var tailBytes: [UInt8] = []

    init(name: String, content: consuming FileContent, position: FilePosition, number: SourceNumber?) {
        self.name = name
        isCompressed = content.isCompressed
        self.content = consume content
        self.position = position
        self.number = number
        readOffset = position.readFrom
        resumeEnd = position.end
        skipsToNewline = position.isMidLine && position.readFrom == position.end
        isFinished = position.isFinished
    }

    /// Whether it is the file that a folder's listing names.
    func isSame(_ status: FileStatus) -> Bool {
        content != nil && content?.isCompressed == false && content?.file?.isGone != true
            && position.inode == status.inode
            && position.device == status.device
    }

    /// Whether the file is looked at for the first time in its family's turn.
    func turnBegins(_ family: LogFamily) -> Bool { family.turn == 0 }

    /// Puts the place of reading to `end` without reading what lies before it.
    func passOver(to end: UInt64) throws(DiskError) {
        resumeEnd = 0
        try jump(to: end)
    }

    /// Puts the place of reading forward to `end`, which may lie before `resumeEnd`.
    func jump(to end: UInt64) throws(DiskError) {
        readOffset = end
        guard end > resumeEnd else { return }
        headBytes = try bytes(at: 0, count: Int(min(64, end)))
        tailBytes = try bytes(before: end)
    }

    /// Looks how large it is by now.
    func noteGrowth() {
        if let status = try? content?.status() { size = max(size, status.size) }
    }

    /// How many bytes of it are known to be unread.
    var lag: UInt64 { size > readOffset ? size - readOffset : 0 }

    /// Whether a line at `offset` of a stream is to be taken: not if it was taken before the start.
    @inline(__always)
    func takes(_ stream: RecordStream, at offset: UInt64) -> Bool {
        offset >= resumeEnd || offset >= position.takesFrom(stream)
    }

    /// Takes over the bytes by which the file was known again, so that their hashes can be continued.
    func resume(head: [UInt8], tail: [UInt8]) {
        headBytes = head
        tailBytes = tail
    }

    /// The 64 bytes (or fewer) before `end`.
    func bytes(before end: UInt64) throws(DiskError) -> [UInt8] {
        let count = min(64, end)
        return try bytes(at: end - count, count: Int(count))
    }

    func bytes(at offset: UInt64, count: Int) throws(DiskError) -> [UInt8] {
        guard count > 0, content != nil else { return [] }
        var arena = Arena(capacity: count)
        while arena.count < count {
            let n = try content?.read(count - arena.count, at: offset + UInt64(arena.count), into: &arena) ?? 0
            if n == 0 { break }
        }
        return Array(copying: arena.span)
    }

    /// Whether the first bytes, and those before the place of reading, are still the ones that were read: no, after
    /// copytruncate. Lines that end alike and have the same length would deceive who looks at the tail alone.
    func edgesStillStand() throws(DiskError) -> Bool {
        guard !tailBytes.isEmpty, readOffset >= resumeEnd else { return true }
        guard try bytes(at: 0, count: headBytes.count) == headBytes else { return false }
        return try bytes(at: readOffset - UInt64(tailBytes.count), count: tailBytes.count) == tailBytes
    }

    /// Notes that reading has come `count` bytes further; they lie in the arena from `start` on.
    func advance(_ arena: borrowing Arena, from start: Int, count: Int) {
        let before = readOffset
        readOffset += UInt64(count)
        isFinished = false
        guard readOffset > resumeEnd else { return }
        // What lies before `resumeEnd` is in the tail already.
        let known = resumeEnd > before ? Int(resumeEnd - before) : 0
        if headBytes.count < 64, before <= UInt64(headBytes.count) {
            let skip = headBytes.count - Int(before)
            var at = start + skip
            while headBytes.count < 64, at < start + count {
                headBytes.append(arena[at])
                at += 1
            }
        }
        let fresh = start + max(known, count - 64)
        if count - known >= 64 { tailBytes.removeAll(keepingCapacity: true) }
        for at in fresh..<(start + count) { tailBytes.append(arena[at]) }
        if tailBytes.count > 64 { tailBytes.removeFirst(tailBytes.count - 64) }
    }

    /// The position to tell: reading stands at `readOffset`, with these marks.
    func settle(stdout: StreamMark, stderr: StreamMark) {
        hasNewMarks = false
        position.isFinished = isFinished
        position.end = max(readOffset, resumeEnd)
        position.stdout = stdout
        position.stderr = stderr
        if readOffset >= resumeEnd { position.isMidLine = skipsToNewline }
        if readOffset >= resumeEnd {
            position.headLength = UInt8(headBytes.count)
            position.head = Hash64.of(headBytes)
            position.tail = Hash64.of(tailBytes)
        }
    }

    /// It has no name any more: its descriptor is kept, for it cannot be opened again.
    func hold() { content?.file?.pin() }

    /// It was found by this path.
    func isFound(at path: String) {
        guard let file = content?.file else { return }
        if file.path != path { file.isMoved(to: path) }
        file.unpin()
    }

    /// Whether it has no descriptor at the moment.
    var isClosedForRoom: Bool { content?.file?.isOpen == false }

    /// Starts over: the file was truncated, and what it holds now is another generation.
    func restart(_ status: FileStatus) {
        position = FilePosition()
        position.device = status.device
        position.inode = status.inode
        readOffset = 0
        resumeEnd = 0
        headBytes = []
        tailBytes = []
        firstTime = .max
        number = nil
        isDone = false
        isFinished = false
        sizeAtClose = nil
        skipsToNewline = false
    }

    /// Goes on in the compressed copy, at the same place; the deleted original gives its space back.
    func continueCompressed(_ copy: consuming FileContent) {
        content = consume copy
        isCompressed = true
    }

    /// Nothing is read from it any more; a deleted file gives its space back.
    func close() { content = nil }
}
