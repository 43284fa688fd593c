// The records of one source that were read in one go: rows of offsets into the bytes that were read.
public import Bytes

/// Which of a container's streams a record came from.
public enum RecordStream: UInt8, BitwiseCopyable, Sendable {
    case none = 0
    case stdout = 1
    case stderr = 2
}

/// What is special about a record. The first four are written into it, in the array `sluice`.
public struct RecordFlags: OptionSet, BitwiseCopyable, Sendable {
    public let rawValue: UInt8
    public init(rawValue: UInt8) { self.rawValue = rawValue }

    /// Cut at `max_line`.
    public static var truncated: RecordFlags { RecordFlags(rawValue: 1) }
    /// Not in the format of its input; kept whole.
    public static var malformed: RecordFlags { RecordFlags(rawValue: 2) }
    /// Its end never came.
    public static var unfinished: RecordFlags { RecordFlags(rawValue: 4) }
    /// Its bytes were not all UTF-8.
    public static var invalidText: RecordFlags { RecordFlags(rawValue: 8) }
    /// The message is a JSON object, and its members are on the tape.
    public static var json: RecordFlags { RecordFlags(rawValue: 16) }
    /// A raw newline stands between tokens of the JSON text.
    public static var jsonHasNewlines: RecordFlags { RecordFlags(rawValue: 32) }
    /// A filter's rule leaves it out.
    public static var filtered: RecordFlags { RecordFlags(rawValue: 64) }
    /// A parser took the message apart: its members are on the tape as those of a JSON object, to be merged whatever the
    /// input's `JSONMode` says.
    public static var parsed: RecordFlags { RecordFlags(rawValue: 128) }

    /// The flags that are written into the record.
    public static var marks: RecordFlags { RecordFlags(rawValue: 15) }
    /// Its text is not all there: it is not taken for JSON.
    public static var cutShort: RecordFlags { RecordFlags(rawValue: 5) }
    /// Its members are on the tape: there is nothing left to take apart.
    static var takenApart: RecordFlags { RecordFlags(rawValue: 144) }
    /// It is not looked at as JSON: not all there, or the text of something that was taken apart.
    static var notForJSON: RecordFlags { RecordFlags(rawValue: 133) }
    /// Nothing special.
    public static var none: RecordFlags { RecordFlags(rawValue: 0) }
}

/// One record: offsets into the batch's arena.
public struct Row: BitwiseCopyable, Sendable {
    /// Nanoseconds since 1970.
    public var time: Int64
    public var messageStart: UInt32
    public var messageLength: UInt32
    /// Its members on the tape, when it is JSON.
    public var tapeStart: UInt32
    public var tapeCount: UInt32
    /// The bytes between the braces, when it is JSON.
    public var bodyStart: UInt32
    public var bodyLength: UInt32
    public var stream: RecordStream
    public var severity: Severity
    public var flags: RecordFlags
    /// What it ends with: a place in the batch's `endings`, from 1; 0: what all records of its source end with.
    public var ending: UInt32

    /// A record whose message is `length` bytes of the arena from `start` on.
    public init(time: Int64, start: Int, length: Int, stream: RecordStream, flags: RecordFlags = .none) {
        self.time = time
        messageStart = UInt32(truncatingIfNeeded: start)
        messageLength = UInt32(truncatingIfNeeded: length)
        tapeStart = 0
        tapeCount = 0
        bodyStart = 0
        bodyLength = 0
        self.stream = stream
        severity = .unknown
        self.flags = flags
        ending = 0
    }
}

/// Bytes of a batch's arena.
public struct ByteRange: BitwiseCopyable, Sendable {
    /// Where they begin, and how many they are.
    public var start: UInt32
    public var length: UInt32

    public init(start: Int, length: Int) {
        self.start = UInt32(truncatingIfNeeded: start)
        self.length = UInt32(truncatingIfNeeded: length)
    }
}

/// The records of one source that were read in one go. One batch is reused for ever.
public struct RecordBatch: ~Copyable {
    /// The bytes that were read; joined lines are appended behind them.
    public var arena = Arena(capacity: 256 * 1024)
    public var rows = Column<Row>(capacity: 1024)
    /// Top-level members of JSON messages; a row owns `tapeCount` of them from `tapeStart` on.
    public var tape = Column<JSONMember>(capacity: 4096)
    /// What every record of the source ends with: its metadata, the static fields, `}` and a newline. It begins with a comma.
    public var ending: [UInt8] = []
    /// Which parsers the records go through: 0: those of their input; from 1 on: the one at this place among those that an input
    /// may choose from for single logs; `noParsing`: none.
    public var parsing: UInt8 = 0
    /// The value of `parsing` for no parser at all.
    public static var noParsing: UInt8 { .max }
    /// The endings of records that have one of their own, in the arena: where a source's records differ in more than their text.
    public var endings = Column<ByteRange>(capacity: 16)
    /// Where reading stands once these records are stored.
    public var progress: [Progress] = []
    public var counts = Counts()
    /// Where the members of klog lines are put together.
    var klog = KlogMembers()

    public init() {}

    /// Makes the batch empty and keeps its room, up to a limit.
    public mutating func reset() {
        if arena.capacity > 4 * 1024 * 1024 { arena.shrink(toAtMost: 256 * 1024) } else { arena.removeAll() }
        klog.shrink(toAtMost: 4 * 1024 * 1024)
        rows.removeAll()
        tape.removeAll()
        endings.removeAll()
        progress.removeAll(keepingCapacity: true)
        counts = Counts()
        parsing = 0
    }
}
