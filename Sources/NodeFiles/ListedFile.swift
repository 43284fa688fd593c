// What a look into a folder found.
package import Disk

/// A log file as it was listed.
package struct ListedFile: Sendable {
    /// What the listing and stat(2) say of it.
    package let name: String
    package let status: FileStatus
    package let isCompressed: Bool
    /// Its runtime does not write to this name.
    package let isRotated: Bool
    /// The name is a link, and the file lies elsewhere.
    package let isLink: Bool

    package init(name: String, status: FileStatus, isCompressed: Bool, isRotated: Bool, isLink: Bool = false) {
        self.name = name
        self.status = status
        self.isCompressed = isCompressed
        self.isRotated = isRotated
        self.isLink = isLink
    }
}

/// Whether to begin files at their start or at their end that stood there at an input's very first start.
package enum FileStart: String, CaseIterable, Sendable { case beginning, end }

/// How a `FileTailer` reads.
package struct TailOptions: Sendable {
    /// The input's name.
    package var input: String
    package var format: LineFormat
    /// Bytes of message that are kept whole.
    package var maxLine = 1 << 20
    /// Read everything to its present end, then finish.
    package var once = false
    /// With `once`: what has no end yet is left, for it is read on from there.
    package var leavesUnfinished = false
    /// Whether files that stand there now are to be passed over: `start_at: end`, and this input was never started before.
    package var skipsPresent = false
    /// Bytes of deleted files that are held open for reading.
    package var maxHeld: UInt64 = 1 << 30
    /// Look at each wake whether a file was truncated and written anew: programs do that to text files, runtimes do not.
    package var checksTail = false
    /// Bytes of unfinished lines that are held in memory.
    package var pieceBudget = 4 << 20
    /// Notice changes through inotify; otherwise by looking each second.
    package var watches = true
    /// Below which root links are followed.
    package var files = FileRoot.system
    /// A renamed file without a close event is done after this time without change, nanoseconds.
    package var quietTime: Int64 = 15_000_000_000

    /// Folders in which files must really lie, links resolved; nil: anywhere.
    package var allowedFolders: [String]?
    /// How long the lane's thread may be kept by looking around before it reads again, nanoseconds.
    package var sliceTime: Int64 = 20_000_000
    /// How many descriptors log files may hold, those of all inputs together; nil: as many as there are.
    package var descriptors: DescriptorBudget?
    /// For tests.
    package var faults: LogFileFaults?

    package init(input: String, format: LineFormat) {
        self.input = input
        self.format = format
    }
}

/// Lets tests fail calls on log files.
package struct LogFileFaults: Sendable {
    /// Called before each call on a file with what is done and the path; throws what the call is to fail with.
    package let before: @Sendable (_ operation: String, _ path: String) throws(DiskError) -> Void

    package init(_ before: @escaping @Sendable (String, String) throws(DiskError) -> Void) { self.before = before }
}

/// What the kernel knows a file by while it exists.
struct FileID: Hashable {
    let device: UInt64
    let inode: UInt64

    init(device: UInt64, inode: UInt64) {
        self.device = device
        self.inode = inode
    }

    init(_ status: FileStatus) { self.init(device: status.device, inode: status.inode) }
}
