// What can happen to a journal, each fact with its log line and its metric.
package import Journal
package import Logging
import Telemetry

/// Facts about the journal that an input reads.
package enum JournalEvent: TelemetryEvent {
    case opened(input: String, files: Int, from: String)
    case resumed(input: String, files: Int)
    case nothingToRead(input: String, reason: String)
    case unreadable(input: String, finding: String)
    case absentFolder(input: String, path: String)
    case willRotate(input: String, path: String)
    case cutShort(input: String)
    case foreignMachine(input: String, machines: [String], own: String)
    case stale(input: String, newest: String)
    case nothingMatches(input: String, what: String, hint: String)
    case gone(input: String, entries: UInt64?)
    case startedAnew(input: String, boot: JournalID)
    case namespaces(input: String, names: [String])
    case readApart(input: String, boot: JournalID)
    case missing(input: String, entries: UInt64)
    case suppressed(input: String, unit: String, messages: UInt64)
    case newBoot(input: String, boot: JournalID)
    case clockChanged(input: String, seconds: Int64)
    case readFailed(input: String, reason: String)
    case pageFaults(input: String, pages: Int)
    case noWatch(input: String, reason: String)

    package var level: Logger.Level {
        switch self {
        case .newBoot: .info
        case .opened, .resumed: .info
        case .clockChanged, .readApart, .namespaces: .notice
        case .absentFolder: .info
        case .willRotate, .foreignMachine, .stale, .noWatch, .startedAnew, .suppressed: .warning
        case .nothingToRead, .unreadable, .cutShort, .nothingMatches, .gone, .missing, .readFailed, .pageFaults: .error
        }
    }

    package var message: String {
        switch self {
        case .opened: "reading the journal"
        case .resumed: "went on in the journal where reading stood at the last stop"
        case .nothingToRead: "there is no journal to read"
        case .absentFolder: "a journal folder is not there; it is read when it comes"
        case .willRotate:
            "a journal file that is named is still written to: after its rotation nothing comes any more (name its folder to follow it)"
        case .cutShort:
            "a journal file is damaged: what lies behind the damage is not read (journalctl --verify tells more)"
        case .unreadable: "a part of the journal cannot be read"
        case .foreignMachine:
            "the journal is another machine's (in a container: mount the node's /etc/machine-id if this is not meant)"
        case .stale:
            "the newest entry of the journal is old: perhaps journald writes elsewhere (Storage=, a folder that is not mounted here)"
        case .nothingMatches: "nothing in the journal is what the configuration asks for"
        case .gone:
            "entries behind the last one read are gone from the journal: they were deleted before they could be read"
        case .startedAnew:
            "the journal has nothing behind the place where reading stood, but entries of a later boot: it was replaced, or the clock was set back; reading those"
        case .namespaces:
            "the journal has namespaces that are not read (name them in the setting 'namespaces', or set it to [] if they are not wanted)"
        case .readApart:
            "a boot's entries have earlier times than some that were read before them (the clock was behind): reading that boot on its own"
        case .missing:
            "entries are missing in the journal, by its own numbers: deleted before they could be read, or damaged"
        case .suppressed:
            "journald threw messages away before they were in the journal (see RateLimitBurst= in journald.conf)"
        case .newBoot: "the journal goes on with another boot"
        case .clockChanged: "the clock of the journal's machine was set, or the machine slept"
        case .readFailed: "the journal cannot be read on; opening it again"
        case .pageFaults:
            "pages of a journal file cannot be read from the disk: entries in it may be lost (journalctl --verify tells more)"
        case .noWatch:
            "the journal cannot be watched: looking at it twenty times a second instead, and every ten seconds for new files"
        }
    }

    package var details: [(String, String)] {
        var pairs = [("input", input)]
        switch self {
        case .opened(_, let files, let from): pairs += [("files", "\(files)"), ("from", from)]
        case .resumed(_, let files): pairs += [("files", "\(files)")]
        case .nothingToRead(_, let reason), .readFailed(_, let reason), .noWatch(_, let reason):
            pairs += [("reason", reason)]
        case .unreadable(_, let finding): pairs += [("reason", finding)]
        case .absentFolder(_, let path), .willRotate(_, let path): pairs += [("path", path)]
        case .cutShort: break
        case .foreignMachine(_, let machines, let own):
            pairs += [("journal_of", machines.joined(separator: ", ")), ("machine_id", own)]
        case .stale(_, let newest): pairs += [("newest", newest)]
        case .nothingMatches(_, let what, let hint): pairs += [("what", what), ("hint", hint)]
        case .namespaces(_, let names): pairs += [("namespaces", names.joined(separator: ", "))]
        case .gone(_, let entries):
            pairs += [("entries", entries.map { "\($0), of all units" } ?? "nobody knows how many")]
        case .startedAnew(_, let boot), .newBoot(_, let boot), .readApart(_, let boot):
            pairs += [("boot_id", "\(boot)")]
        case .missing(_, let entries): pairs += [("entries", "\(entries), of all units")]
        case .suppressed(_, let unit, let messages): pairs += [("unit", unit), ("messages", "\(messages)")]
        case .clockChanged(_, let seconds): pairs += [("seconds", seconds > 0 ? "+\(seconds)" : "\(seconds)")]
        case .pageFaults(_, let pages): pairs += [("pages", "\(pages)")]
        }
        return pairs
    }

    private var input: String {
        switch self {
        case .absentFolder(let input, _), .willRotate(let input, _), .cutShort(let input): input
        case .opened(let input, _, _), .resumed(let input, _), .nothingToRead(let input, _), .unreadable(let input, _),
            .foreignMachine(let input, _, _), .stale(let input, _), .nothingMatches(let input, _, _),
            .gone(let input, _), .startedAnew(let input, _), .missing(let input, _), .readApart(let input, _),
            .namespaces(let input, _),
            .suppressed(let input, _, _), .newBoot(let input, _), .clockChanged(let input, _),
            .readFailed(let input, _), .pageFaults(let input, _), .noWatch(let input, _):
            input
        }
    }

    package var counter: String {
        switch self {
        case .opened, .resumed: "journal_opened"
        case .nothingToRead: "journal_nothing_to_read"
        case .unreadable: "journal_unreadable_files"
        case .absentFolder: "journal_absent_folders"
        case .willRotate: "journal_named_files"
        case .cutShort: "journal_damaged_files"
        case .foreignMachine: "journal_foreign_machines"
        case .stale: "journal_stale"
        case .nothingMatches: "journal_unmatched_settings"
        case .gone: "journal_gaps"
        case .startedAnew: "journal_replaced"
        case .namespaces: "journal_namespaces_not_read"
        case .readApart: "journal_boots_read_apart"
        case .missing: "journal_missing_entries"
        case .suppressed: "journal_suppressed_messages"
        case .newBoot: "journal_boots"
        case .clockChanged: "journal_clock_changes"
        case .readFailed: "journal_read_failures"
        case .pageFaults: "journal_page_faults"
        case .noWatch: "journal_watch_failures"
        }
    }

    package var amount: UInt64 {
        switch self {
        case .missing(_, let entries): entries
        case .suppressed(_, _, let messages): messages
        case .pageFaults(_, let pages): UInt64(pages)
        default: 1
        }
    }
}
