// The records of one source that were read in one go: rows of offsets into the bytes that were read.
package import Bytes

/// Which of a container's streams a record came from.
package enum RecordStream: UInt8, BitwiseCopyable, Sendable {
    case none = 0
    case stdout = 1
    case stderr = 2
}

/// What is special about a record. The first four are written into it, in the array `sluice`.
package struct RecordFlags: OptionSet, BitwiseCopyable, Sendable {
    package let rawValue: UInt8
    @inlinable package init(rawValue: UInt8) { self.rawValue = rawValue }

    /// Cut at `max_line`.
    @inlinable package static var truncated: RecordFlags { RecordFlags(rawValue: 1) }
    /// Not in the format of its input; kept whole.
    @inlinable package static var malformed: RecordFlags { RecordFlags(rawValue: 2) }
    /// Its end never came.
    @inlinable package static var unfinished: RecordFlags { RecordFlags(rawValue: 4) }
    /// Its bytes were not all UTF-8.
    @inlinable package static var invalidText: RecordFlags { RecordFlags(rawValue: 8) }
    /// The message is a JSON object, and its members are on the tape.
    @inlinable package static var json: RecordFlags { RecordFlags(rawValue: 16) }
    /// A raw newline stands between tokens of the JSON text.
    @inlinable package static var jsonHasNewlines: RecordFlags { RecordFlags(rawValue: 32) }
    /// A filter's rule leaves it out.
    @inlinable package static var filtered: RecordFlags { RecordFlags(rawValue: 64) }

    /// The flags that are written into the record.
    @inlinable package static var marks: RecordFlags { RecordFlags(rawValue: 15) }
    /// Its text is not all there: it is not taken for JSON.
    @inlinable package static var cutShort: RecordFlags { RecordFlags(rawValue: 5) }
    /// Nothing special.
    @inlinable package static var none: RecordFlags { RecordFlags(rawValue: 0) }
}

/// One record: offsets into the batch's arena.
package struct Row: BitwiseCopyable, Sendable {
    /// Nanoseconds since 1970.
    package var time: Int64
    package var messageStart: UInt32
    package var messageLength: UInt32
    /// Its members on the tape, when it is JSON.
    package var tapeStart: UInt32
    package var tapeCount: UInt32
    /// The bytes between the braces, when it is JSON.
    package var bodyStart: UInt32
    package var bodyLength: UInt32
    package var stream: RecordStream
    package var severity: Severity
    package var flags: RecordFlags

    /// A record whose message is `length` bytes of the arena from `start` on.
    @inlinable
    package init(time: Int64, start: Int, length: Int, stream: RecordStream, flags: RecordFlags = .none) {
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
    }
}

/// The records of one source that were read in one go. One batch is reused for ever.
package struct RecordBatch: ~Copyable {
    /// The bytes that were read; joined lines are appended behind them.
    package var arena = Arena(capacity: 256 * 1024)
    package var rows = Column<Row>(capacity: 1024)
    /// Top-level members of JSON messages; a row owns `tapeCount` of them from `tapeStart` on.
    package var tape = Column<JSONMember>(capacity: 4096)
    /// What every record of the source ends with: its metadata, the static fields, `}` and a newline. It begins with a comma.
    package var ending: [UInt8] = []
    /// Where reading stands once these records are stored.
    package var progress: [Progress] = []
    package var counts = Counts()

    package init() {}

    /// Makes the batch empty and keeps its room, up to a limit.
    package mutating func reset() {
        if arena.capacity > 4 * 1024 * 1024 { arena.shrink(toAtMost: 256 * 1024) } else { arena.removeAll() }
        rows.removeAll()
        tape.removeAll()
        progress.removeAll(keepingCapacity: true)
        counts = Counts()
    }
}
