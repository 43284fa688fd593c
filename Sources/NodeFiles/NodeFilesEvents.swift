// What can happen to the files of a node, each fact with its log line and its metric.
package import Logging
import Telemetry

/// Facts about log files.
package enum FileEvent: TelemetryEvent {
    case opened(path: String, from: UInt64)
    case resumed(files: Int, fromStart: Int, unreadBytes: UInt64)
    case rotated(path: String)
    case truncated(path: String, size: UInt64, position: UInt64)
    case lostTail(path: String, size: UInt64, position: UInt64)
    case foundMoved(path: String, movedTo: String, from: UInt64)
    case copied(path: String, original: String, position: UInt64)
    case hole(path: String, position: UInt64, bytes: UInt64)
    case notText(path: String, kind: String)
    case goneWhileStopped(path: String, position: UInt64)
    case abandoned(path: String, unreadBytes: UInt64)
    case damaged(path: String, position: UInt64)
    case cannotOpen(path: String, reason: String)
    case cannotRead(path: String, reason: String)
    case cannotList(path: String, reason: String)
    case noWatch(reason: String)
    case watchOverflow

    package var level: Logger.Level {
        switch self {
        case .opened, .rotated: .debug
        case .resumed, .foundMoved, .copied: .info
        case .watchOverflow: .notice
        case .truncated, .noWatch, .goneWhileStopped, .lostTail, .hole, .notText: .warning
        case .abandoned, .damaged, .cannotOpen, .cannotRead, .cannotList: .error
        }
    }

    package var message: String {
        switch self {
        case .opened: "reading a log file"
        case .resumed: "went on where reading stood at the last stop"
        case .rotated: "a log file was rotated"
        case .truncated: "a log file was truncated; what it holds now is read from its start"
        case .lostTail:
            "a log file is shorter than it was: the machine lost its end, probably in a power cut; going on at its size"
        case .foundMoved: "a log file was moved while the agent was stopped; reading resumes where it stood"
        case .copied: "a file is a copy of a log file; what was read from the original is not read again"
        case .hole:
            "a log file holds a run of NUL bytes, probably from a power cut: they are skipped, and what follows is read"
        case .notText: "a file is not text and is left alone (exclude it, so that this is not checked again)"
        case .goneWhileStopped:
            "a log file is gone since the last stop; what was written to it after that is lost, and nobody knows how much"
        case .abandoned: "a deleted log file was given up, so that deleted files do not fill the disk (max_held)"
        case .damaged: "a compressed log file is damaged; what was whole was read"
        case .cannotOpen: "a log file cannot be opened"
        case .cannotRead: "a log file cannot be read"
        case .cannotList: "a folder cannot be listed"
        case .noWatch:
            "inotify cannot be used: looking at all files each second instead, which costs CPU (raise fs.inotify.max_user_watches and max_user_instances)"
        case .watchOverflow: "the kernel dropped file events: looking at everything once"
        }
    }

    package var details: [(String, String)] {
        switch self {
        case .opened(let path, let from): [("path", path), ("from", "\(from)")]
        case .resumed(let files, let fromStart, let unread):
            [("files", "\(files)"), ("new_files", "\(fromStart)"), ("unread_bytes", "\(unread)")]
        case .rotated(let path): [("path", path)]
        case .truncated(let path, let size, let position), .lostTail(let path, let size, let position):
            [("path", path), ("size", "\(size)"), ("position", "\(position)")]
        case .foundMoved(let path, let movedTo, let from):
            [("path", path), ("moved_to", movedTo), ("from", "\(from)")]
        case .copied(let path, let original, let position):
            [("path", path), ("original", original), ("position", "\(position)")]
        case .hole(let path, let position, let bytes):
            [("path", path), ("position", "\(position)"), ("bytes", "\(bytes)")]
        case .notText(let path, let kind): [("path", path), ("content", kind)]
        case .abandoned(let path, let bytes):
            [("path", path), ("unread_bytes", "\(bytes)")]
        case .goneWhileStopped(let path, let position), .damaged(let path, let position):
            [("path", path), ("position", "\(position)")]
        case .cannotOpen(let path, let reason), .cannotRead(let path, let reason), .cannotList(let path, let reason):
            [("path", path), ("reason", reason)]
        case .noWatch(let reason): [("reason", reason)]
        case .watchOverflow: []
        }
    }

    package var counter: String {
        switch self {
        case .opened: "files_opened"
        case .resumed: "files_resumes"
        case .rotated: "files_rotated"
        case .truncated: "files_truncated"
        case .lostTail: "files_lost_tails"
        case .foundMoved: "files_found_moved"
        case .copied: "files_copied"
        case .hole: "files_with_holes"
        case .notText: "files_not_text"
        case .goneWhileStopped: "files_gone_while_stopped"
        case .abandoned: "files_abandoned"
        case .damaged: "files_damaged"
        case .cannotOpen: "files_open_failures"
        case .cannotRead: "files_read_failures"
        case .cannotList: "folders_list_failures"
        case .noWatch: "watch_failures"
        case .watchOverflow: "watch_overflows"
        }
    }
}
