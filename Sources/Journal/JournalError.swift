// What went wrong with a journal, in words an operator can act upon.
private import Glibc

/// Why a journal cannot be opened or read.
package enum JournalError: Error, Equatable, CustomStringConvertible {
    /// The program was built without the trait `Journald`.
    case notBuiltIn
    /// A folder or file that was asked for cannot be used.
    case unusable(JournalFinding)
    /// Files and folders are named together.
    case mixed(file: String, folder: String)
    /// libsystemd merges two folders, no more.
    case tooManyFolders([String])
    /// Two folders are merged by links in a folder of ours, and none was given.
    case needsLinkFolder([String])
    /// The links cannot be made; `code` is errno's value.
    case links(path: String, code: Int32)
    /// A match that libsystemd refuses: the name is not a field's.
    case badMatch(String)
    /// Not a journal cursor.
    case badCursor(String)
    /// The reader stands on no entry: before the first step, or because the entry's file was deleted meanwhile.
    case noEntry
    /// The entry is damaged, or the step to it failed.
    case damagedEntry
    /// No descriptor, no inotify instance or no watch is left for waiting.
    case cannotWatch(code: Int32)
    /// Anything else; `code` is errno's value.
    case failed(call: String, code: Int32)

    package var description: String {
        switch self {
        case .notBuiltIn:
            "cannot read the journal: this program was built without libsystemd (build it with the trait Journald)"
        case .unusable(let finding): finding.description
        case .mixed(let file, let folder):
            "cannot read \(file), which is a file, and \(folder), which is a folder, as one journal: name folders only, or files only"
        case .tooManyFolders(let folders):
            "cannot merge the \(folders.count) journal folders \(folders.joined(separator: ", ")):"
                + " two at most (use one input for each, or link their machine-id folders into one folder)"
        case .needsLinkFolder(let folders):
            "cannot merge the journal folders \(folders.joined(separator: " and ")): links to them need a folder to be in"
        case .links(let path, let code):
            "cannot link the journal folders together in \(path): \(JournalError.words(code))"
        case .badMatch(let text):
            "cannot match journal entries by \(text): a field's name has capitals, digits and underscores only"
        case .badCursor(let text): "cannot find a place in the journal: \(text) is not a journal cursor"
        case .noEntry: "no journal entry to read: there was no step to one, or its file has been deleted meanwhile"
        case .damagedEntry: "a journal entry is damaged"
        case .cannotWatch(let code):
            "cannot watch the journal: \(JournalError.words(code))"
                + (code == EMFILE || code == ENFILE
                    ? " (raise fs.inotify.max_user_instances, or LimitNOFILE)"
                    : code == ENOSPC ? " (raise fs.inotify.max_user_watches)" : "")
        case .failed(let call, let code): "cannot read the journal: \(call): \(JournalError.words(code))"
        }
    }

    /// What a value of errno means. strerror(3)
    static func words(_ code: Int32) -> String { unsafe String(cString: strerror(code)) }
}

/// What keeps a journal file, or a folder of them, from being read. libsystemd passes over all of them without a word.
package enum JournalProblem: Equatable, Sendable {
    /// It is not there.
    case missing
    /// The permissions are in the way. Whose it is, and its permission bits.
    case denied(owner: UInt32, group: UInt32, groupName: String?, mode: UInt32)
    /// No journal file in any of the folders.
    case noFiles
    /// It does not begin as a journal does. A file that journald is just creating looks so for a moment.
    case notAJournal
    /// It has features that this libsystemd does not know; their names.
    case tooNew(features: [String])
    /// It is damaged; what shows it.
    case damaged(String)
    /// The system refuses to read it; `code` is errno's value.
    case unreadable(code: Int32)
}

/// A problem, and where it is.
package struct JournalFinding: Equatable, Sendable, CustomStringConvertible {
    /// The file, or the folder.
    package let path: String
    package let problem: JournalProblem

    package init(_ path: String, _ problem: JournalProblem) {
        self.path = path
        self.problem = problem
    }

    package var description: String { "cannot read \(path): \(reason)" }

    private var reason: String {
        switch problem {
        case .missing: "it does not exist (is journald's Storage= another one, or the folder not mounted here?)"
        case .denied(let owner, let group, let name, let mode):
            "permission denied: it belongs to user \(owner) and group \(group)\(name.map { " (\($0))" } ?? ""),"
                + " mode 0\(String(mode & 0o7777, radix: 8)) (run as root, or with the supplementary group \(group),"
                + " or with the capability DAC_READ_SEARCH)"
        case .noFiles:
            "there is no journal file in it (does journald run, and with another Storage=? is the right folder mounted?)"
        case .notAJournal: "it is not a journal file"
        case .tooNew(let features):
            "its format is newer than this program's libsystemd: \(features.joined(separator: ", "))"
                + " (run with the node's own libsystemd, or a newer one)"
        case .damaged(let what):
            "it is damaged: \(what) (journalctl --verify tells more; what can be read of it is read)"
        case .unreadable(let code): JournalError.words(code)
        }
    }
}
