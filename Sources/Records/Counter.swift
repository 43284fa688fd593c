// What is counted per input from reading to the store: the left side of the ledger.

/// A count that is kept in the store and survives restarts. Raw values are written to disk: they are never reused.
public enum Counter: UInt8, CaseIterable, Sendable {
    /// Records that reading gave: complete lines, after joining.
    case readRecords = 1
    /// Bytes of the source that were read for them.
    case readBytes = 2
    /// Records written to the store.
    case storedRecords = 3
    /// Their size as JSON, before compression.
    case storedBytes = 4
    /// Records that a filter's rule left out.
    case filteredRecords = 5
    /// Records whose numbers went out before a power cut took them from the store; they were read again.
    case lostToPowerCut = 6

    // Marks: the record is stored, but not as it should have been.
    /// Records cut at `max_line`, or where escaping would have made them too long.
    case truncatedRecords = 16
    /// Lines that are not in the format of their input; kept whole.
    case malformedRecords = 17
    /// Records whose end never came.
    case unfinishedRecords = 18
    /// Records with bytes that are not UTF-8, replaced by U+FFFD.
    case invalidTextRecords = 19
    /// JSON members renamed because their name is reserved.
    case renamedMembers = 20
    /// JSON members left out because a later one had the same name.
    case duplicateMembers = 21
    /// Records without all of their pod's metadata: nobody had told of the pod in time.
    case partialRecords = 22

    // Bytes of sources that will never be read.
    /// The file was gone before it was read to its end.
    case vanishedBytes = 32
    /// The file was cut back below what had been read: the node lost its tail, or somebody truncated it.
    case shrunkBytes = 33
    /// Given up so that deleted files do not fill the disk (`max_held`).
    case abandonedBytes = 34
    /// The rest of a line behind the place where its record was cut.
    case skippedBytes = 35
    /// A rotated file whose compressed data is damaged; NULs where a file should have text.
    case damagedBytes = 36

    // Entries of a journal that were lost before they could be read.
    /// Deleted while the agent did not run, or was not fast enough: counted by their numbers.
    case vanishedEntries = 37
    /// Messages that journald itself threw away, by its own account: a service was over its rate limit, the kernel's buffer ran over.
    case suppressedEntries = 38
    /// Entries that cannot be read for certain, because their journal file is damaged; what could be read of them is kept.
    case damagedEntries = 39

    /// The name in `sluice ledger --output json`.
    public var name: String {
        switch self {
        case .readRecords: "read_records"
        case .readBytes: "read_bytes"
        case .storedRecords: "stored_records"
        case .storedBytes: "stored_bytes"
        case .filteredRecords: "filtered_records"
        case .lostToPowerCut: "lost_to_power_cut_records"
        case .truncatedRecords: "truncated_records"
        case .malformedRecords: "malformed_records"
        case .unfinishedRecords: "unfinished_records"
        case .invalidTextRecords: "invalid_text_records"
        case .renamedMembers: "renamed_members"
        case .duplicateMembers: "duplicate_members"
        case .partialRecords: "partial_metadata_records"
        case .vanishedBytes: "vanished_bytes"
        case .shrunkBytes: "shrunk_bytes"
        case .abandonedBytes: "abandoned_bytes"
        case .skippedBytes: "skipped_bytes"
        case .damagedBytes: "damaged_bytes"
        case .vanishedEntries: "vanished_entries"
        case .suppressedEntries: "suppressed_entries"
        case .damagedEntries: "damaged_entries"
        }
    }
}

/// Counts by kind; adding is a table look-up.
public struct Counts: Sendable, Equatable {
    private var values: [40 of UInt64]

    public init() { values = .init(repeating: 0) }

    /// One count.
    public subscript(counter: Counter) -> UInt64 {
        get { values[Int(counter.rawValue)] }
        set { values[Int(counter.rawValue)] = newValue }
    }

    /// Adds all of `other`.
    public mutating func add(_ other: Counts) {
        for i in 0..<40 {
            let (sum, isTooLarge) = values[i].addingReportingOverflow(other.values[i])
            values[i] = isTooLarge ? .max : sum
        }
    }

    /// The counts that are not zero.
    public var nonZero: [(Counter, UInt64)] {
        Counter.allCases.compactMap { self[$0] == 0 ? nil : ($0, self[$0]) }
    }

    /// Whether nothing was counted.
    public var isEmpty: Bool {
        for i in 0..<40 where values[i] != 0 { return false }
        return true
    }

    public static func == (a: Counts, b: Counts) -> Bool {
        for i in 0..<40 where a.values[i] != b.values[i] { return false }
        return true
    }
}
