// What the ledger's remarks mean.

extension Counter {
    /// A few words for an operator: what became of what this counts, or why. They fit beside the count on a terminal of 80 columns.
    package var meaning: String {
        switch self {
        case .readRecords: "lines and entries that were read"
        case .readBytes: "their bytes in the source"
        case .storedRecords: "written to the store"
        case .storedBytes: "their bytes as JSON"
        case .filteredRecords: "left out by a filter"
        case .lostToPowerCut: "sent, lost from the store, read again"
        case .truncatedRecords: "cut at max_line"
        case .malformedRecords: "not in the input's format; kept whole"
        case .unfinishedRecords: "their end never came"
        case .invalidTextRecords: "bytes that are not UTF-8 are U+FFFD"
        case .renamedMembers: "JSON names that Sluice itself uses"
        case .duplicateMembers: "JSON names that came twice; last kept"
        case .partialRecords: "the pod's metadata came too late"
        case .vanishedBytes: "the file was gone before it was read"
        case .shrunkBytes: "truncated before they were read"
        case .abandonedBytes: "deleted files over max_held, unread"
        case .skippedBytes: "the rest of lines beyond max_line"
        case .damagedBytes: "a rotated file's gzip data is damaged"
        case .vanishedEntries: "the journal deleted them unread"
        case .suppressedEntries: "journald itself threw them away"
        case .damagedEntries: "a journal file is damaged"
        }
    }
}
