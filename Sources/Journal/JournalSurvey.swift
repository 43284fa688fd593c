// Looks at journal files without reading entries. libsystemd passes over what it cannot read; here it is named.
// The header: https://systemd.io/JOURNAL_FILE_FORMAT
private import CLinux
private import Glibc

/// What a journal file says of itself.
package struct JournalFile: Equatable, Sendable {
    /// The path it was found by.
    package let path: String
    /// What keeps it, or a part of it, from being read.
    package let problem: JournalProblem?
    /// nil when the file cannot be read, or is no journal.
    package let header: JournalHeader?
}

/// The header of a journal file.
package struct JournalHeader: Equatable, Sendable {
    /// What its writer does with the file.
    package enum State: Sendable, Equatable {
        /// Closed by its writer, which may open it again.
        case offline
        /// Being written, or its writer died.
        case online
        /// Rotated: it stays as it is.
        case archived
    }

    /// What its writer does with it.
    package let state: State
    /// The machine that wrote the file.
    package let machineID: JournalID
    /// The boot in which the file was opened for writing last.
    package let bootID: JournalID
    /// What counts the entries; see `JournalCursor`.
    package let sequenceID: JournalID
    /// Entries in the file.
    package let entries: UInt64
    /// Numbers and times (microseconds since 1970) of the first and the last entry; 0 when there is none.
    package let firstSequence: UInt64
    package let lastSequence: UInt64
    package let firstRealtime: UInt64
    package let lastRealtime: UInt64
    /// When the last entry was written, microseconds since the beginning of its boot.
    package let lastMonotonic: UInt64
    /// What a reader must know to read the file.
    package let features: [String]
}

/// All that a source has to read, and what keeps it from being read.
package struct JournalSurvey: Sendable {
    /// The files that libsystemd finds, by path.
    package let files: [JournalFile]
    /// Everything that cannot be read: folders, then files.
    package let findings: [JournalFinding]

    /// Looks at every file of a source: opens it, reads its header, and lets libsystemd find its first and last entry.
    package init(_ source: JournalSource) {
        var folders: [JournalFinding] = []
        let paths = JournalSurvey.paths(source, &folders)
        let roots = source.roots
        // A file that was there a moment ago was rotated or deleted meanwhile.
        files = paths.map(JournalFile.init(path:)).filter { roots.isEmpty || $0.problem != .missing }
        if !files.isEmpty {
            // One of two folders is enough.
            folders.removeAll { $0.problem == .missing }
        } else if folders.allSatisfy({ $0.problem == .missing }) {
            let empty = roots.map(\.path).filter { root in Folder.isFolder(root) && !root.hasSuffix("/remote") }
            folders += empty.map { JournalFinding($0, .noFiles) }
        }
        findings = folders + files.compactMap { file in file.problem.map { JournalFinding(file.path, $0) } }
    }

    /// The files of a source, their headers alone: nothing is opened by libsystemd.
    package static func headers(of source: JournalSource) -> [JournalFile] {
        var folders: [JournalFinding] = []
        return paths(source, &folders).map { JournalFile(path: $0, problem: nil, header: nil).withPresentHeader }
    }

    /// The files that libsystemd finds; `folders` gets those that cannot be listed.
    private static func paths(_ source: JournalSource, _ folders: inout [JournalFinding]) -> [String] {
        if case .files(let given) = source { return given }
        var paths: [String] = []
        for (root, machines) in source.roots {
            if let finding = Folder.finding(root) {
                // Nobody misses this one.
                if !root.hasSuffix("/remote") { folders.append(finding) }
                continue
            }
            paths += JournalSurvey.files(in: root)
            for name in Folder.names(root) where machines.include(name) && Folder.isFolder("\(root)/\(name)") {
                let folder = "\(root)/\(name)"
                if let finding = Folder.finding(folder) { folders.append(finding) }
                paths += JournalSurvey.files(in: folder)
            }
        }
        return paths
    }

    private static func files(in folder: String) -> [String] {
        Folder.names(folder).filter { $0.hasSuffix(".journal") || $0.hasSuffix(".journal~") }.map { "\(folder)/\($0)" }
    }
}

extension JournalFile {
    /// The file with this path and its header as they are now; nothing else is looked at.
    package var withPresentHeader: JournalFile {
        let bytes = Folder.read(path, count: JournalHeader.size)
        return JournalFile(path: path, problem: problem, header: bytes.flatMap(JournalHeader.init))
    }

    /// Looks at one file.
    package init(path: String) {
        self.path = path
        guard let bytes = Folder.read(path, count: JournalHeader.size) else {
            header = nil
            problem = Folder.finding(path, code: sluice_errno()).problem
            return
        }
        header = JournalHeader(bytes)
        guard let header else {
            problem = .notAJournal
            return
        }
        let ends = JournalReader.ends(of: path)
        switch ends.code {
        case 0:
            let isChanging = header.state != .archived && Folder.read(path, count: JournalHeader.size) != bytes
            problem = header.problem(first: ends.first, last: ends.last, isChanging: isChanging)
        case EPROTONOSUPPORT: problem = .tooNew(features: header.features)
        case EBADMSG, ENODATA, EIO: problem = .damaged("its header contradicts itself")
        case ENOENT, EACCES, EPERM: problem = Folder.finding(path, code: ends.code).problem
        default: problem = .unreadable(code: ends.code)
        }
    }
}

extension JournalHeader {
    /// As much as every version of the format has.
    static let size = 208

    /// Reads the first bytes of a file; nil when they are not those of a journal.
    init?(_ bytes: [UInt8]) {
        guard bytes.count >= JournalHeader.size, bytes.starts(with: Array("LPKSHHRH".utf8)) else { return nil }
        func number(_ offset: Int, _ count: Int = 8) -> UInt64 {
            bytes[offset..<(offset + count)].reversed().reduce(0) { $0 << 8 | UInt64($1) }
        }
        state = bytes[16] == 2 ? .archived : bytes[16] == 1 ? .online : .offline
        machineID = JournalID(bytes, at: 40)
        bootID = JournalID(bytes, at: 56)
        sequenceID = JournalID(bytes, at: 72)
        entries = number(152)
        lastSequence = number(160)
        firstSequence = number(168)
        firstRealtime = number(184)
        lastRealtime = number(192)
        lastMonotonic = number(200)
        features = JournalHeader.features(UInt32(truncatingIfNeeded: number(12, 4)))
    }

    /// The names of `incompatible_flags`, as `journalctl --header` has them.
    private static func features(_ flags: UInt32) -> [String] {
        let names = ["COMPRESSED-XZ", "COMPRESSED-LZ4", "KEYED-HASH", "COMPRESSED-ZSTD", "COMPACT"]
        return (0..<32).filter { flags >> $0 & 1 == 1 }.map { bit in
            bit < names.count ? names[bit] : "an unknown one (bit \(bit))"
        }
    }

    /// What is wrong when libsystemd finds these entries (their times) at the ends of the file, which may have got another last
    /// entry meanwhile.
    fileprivate func problem(first: UInt64?, last: UInt64?, isChanging: Bool) -> JournalProblem? {
        guard JournalReader.isBuiltIn, entries > 0 else { return nil }
        if first == nil && last == nil { return .damaged("none of its \(entries) entries is found") }
        if first != firstRealtime { return .damaged("its first entry is not found") }
        if last == nil || last != lastRealtime && !isChanging { return .damaged("its last entry is not found") }
        return nil
    }
}
