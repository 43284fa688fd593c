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
    case abandonedForRoom(path: String, unreadBytes: UInt64)
    case deletedWhileClosed(path: String, unreadBytes: UInt64)
    case damaged(path: String, position: UInt64)
    case cannotOpen(path: String, reason: String)
    case cannotRead(path: String, reason: String)
    case cannotList(path: String, reason: String)
    case denied(count: Int, path: String, reason: String)
    case outside(path: String, target: String)
    case otherFormat(path: String, format: String, line: String)
    case cannotWatch(path: String, reason: String)
    case noWatch(reason: String)
    case watchAgain
    case watchOverflow

    package var level: Logger.Level {
        switch self {
        case .opened, .rotated: .debug
        case .resumed, .foundMoved, .copied, .watchAgain: .info
        case .watchOverflow: .notice
        case .truncated, .noWatch, .goneWhileStopped, .lostTail, .hole, .notText, .outside, .otherFormat, .cannotWatch:
            .warning
        case .abandoned, .abandonedForRoom, .deletedWhileClosed, .damaged, .cannotOpen, .cannotRead, .cannotList,
            .denied:
            .error
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
        case .abandonedForRoom:
            "a deleted log file was given up, because deleted files hold most descriptors of this process (raise the limit of open files)"
        case .deletedWhileClosed:
            "a log file was deleted while it was closed for want of descriptors (raise the limit of open files)"
        case .damaged: "a compressed log file is damaged; what was whole was read"
        case .cannotOpen: "a log file cannot be opened"
        case .cannotRead: "a log file cannot be read; it is tried again"
        case .denied: "log files or folders may not be opened; their logs are not read"
        case .outside:
            "a log leads to a file outside the folders of container runtimes, and is not read (link_targets names other folders)"
        case .otherFormat:
            "the lines of a container's log are not in the CRI format: they are kept whole, without their times and streams, marked malformed"
        case .cannotWatch: "a log file cannot be watched: it is looked at each second instead"
        case .watchAgain: "inotify has room again: changes are noticed at once"
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
        case .abandoned(let path, let bytes), .abandonedForRoom(let path, let bytes),
            .deletedWhileClosed(let path, let bytes):
            [("path", path), ("unread_bytes", "\(bytes)")]
        case .goneWhileStopped(let path, let position), .damaged(let path, let position):
            [("path", path), ("position", "\(position)")]
        case .cannotOpen(let path, let reason), .cannotRead(let path, let reason), .cannotList(let path, let reason):
            [("path", path), ("reason", reason)]
        case .denied(let count, let path, let reason): [("count", "\(count)"), ("first", path), ("reason", reason)]
        case .outside(let path, let target): [("path", path), ("target", target)]
        case .otherFormat(let path, let format, let line): [("path", path), ("format", format), ("line", line)]
        case .cannotWatch(let path, let reason): [("path", path), ("reason", reason)]
        case .noWatch(let reason): [("reason", reason)]
        case .watchOverflow, .watchAgain: []
        }
    }

    package var amount: UInt64 {
        if case .denied(let count, _, _) = self { UInt64(count) } else { 1 }
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
        case .abandoned, .abandonedForRoom: "files_abandoned"
        case .deletedWhileClosed: "files_deleted_while_closed"
        case .damaged: "files_damaged"
        case .cannotOpen, .denied: "files_open_failures"
        case .outside: "files_outside"
        case .otherFormat: "files_in_other_formats"
        case .cannotWatch: "files_unwatched"
        case .watchAgain: "watch_recoveries"
        case .cannotRead: "files_read_failures"
        case .cannotList: "folders_list_failures"
        case .noWatch: "watch_failures"
        case .watchOverflow: "watch_overflows"
        }
    }
}
