// Text files: each is a log of its own. How they are opened, found again after a restart whatever their names are by then, and
// what is left alone because it is no text. Copies are told apart in `TextCopies.swift`; the rules are in docs/tailing.md.
import Bytes
import Disk
import Records
import Telemetry

/// What came of looking at a name.
enum NameOutcome {
    /// The file is followed.
    case followed
    /// It is not followed; that was reported.
    case left
    /// Another file has the name by now.
    case changed
    /// It is a compressed file that is still being written.
    case unsettled
}

/// Positions of text files that the store remembers and that no file has taken up yet.
struct KnownTextFiles {
    struct Entry {
        let source: KnownSource
        let position: FilePosition
    }
    private(set) var entries: [SourceNumber: Entry] = [:]
    private var numbers: [FileID: [SourceNumber]] = [:]
    /// Of those with a whole head, by its hash.
    private var numbersOfHeads: [UInt64: [SourceNumber]] = [:]

    var isEmpty: Bool { entries.isEmpty }

    mutating func add(_ source: KnownSource, _ position: FilePosition) {
        entries[source.number] = Entry(source: source, position: position)
        numbers[position.fileID, default: []].append(source.number)
        if position.headLength == 64 { numbersOfHeads[position.head, default: []].append(source.number) }
    }

    /// What is known of the file that had this inode.
    func entries(of file: FileID) -> [Entry] { (numbers[file] ?? []).compactMap { entries[$0] } }

    /// What is known of files that begin with these 64 bytes, the one that was read furthest first; none for fewer bytes.
    func entries(head: [UInt8]) -> [Entry] {
        guard head.count == 64 else { return [] }
        return (numbersOfHeads[Hash64.of(head)] ?? []).compactMap { entries[$0] }
            .sorted { $0.position.end > $1.position.end }
    }

    /// In the order of their numbers.
    var sorted: [Entry] { entries.values.sorted { $0.source.number < $1.source.number } }

    mutating func remove(_ entry: Entry) {
        entries[entry.source.number] = nil
        numbers[entry.position.fileID]?.removeAll { $0 == entry.source.number }
        numbersOfHeads[entry.position.head]?.removeAll { $0 == entry.source.number }
    }
}

extension FilePosition {
    var fileID: FileID { FileID(device: device, inode: inode) }
}

extension FileTailer {
    // MARK: Following

    /// Follows the text file that a listing found by a name.
    /// - Parameters:
    ///   - identity: as the store is to know the file, if it is new.
    ///   - description: what its records get with them.
    ///   - isRenamed: the name is not asked for: what is followed under it was renamed.
    func follow(
        _ key: FamilyKey, identity: @autoclosure () -> SourceIdentity, description: @autoclosure () -> LogDescription,
        listed: ListedFile, isRenamed: Bool
    ) -> NameOutcome {
        var forgotten: SourceNumber?
        if let family = families[key], let file = family.files.first {
            if file.content?.file?.isGone != true, file.content != nil || file.listed == listed.status {
                note(listed, of: file, in: family, isRenamed: isRenamed)
                return .followed
            }
            // Read to its end, or left alone, and closed; by now it was written to, or another file has its inode.
            forgotten = file.number
            forget(file, of: family)
        }
        if isRenamed { return .left }
        let family = LogFamily(key: key, identity: identity(), description: description(), isHeld: false)
        let outcome = open(listed, at: Path.join(key.folder, listed.name), as: family)
        if outcome == .followed {
            // Another file has the inode of one that was closed: nobody will ask for that one any more.
            if let forgotten { retireUnread(forgotten) }
            families[key] = family
            if isFirstLook { foundFirst.append(family) } else { makeReady(family) }
        }
        return outcome
    }

    /// Notes by which name, and how large, a file was found that is followed.
    private func note(_ listed: ListedFile, of file: TailedFile, in family: LogFamily, isRenamed: Bool) {
        if listed.name != file.name {
            telemetry.tell(FileEvent.rotated(path: Path.join(family.key.folder, listed.name)))
            file.wasRenamed = true
            // Whoever moves it may do so again, to another folder.
            file.hold()
            settling[ObjectIdentifier(family)] = family
        }
        file.name = listed.name
        file.listed = listed.status
        file.isRotated = isRenamed
        file.isUnlinked = false
        if file.content != nil, !file.hasFailed, listed.status.size > file.size { makeReady(family) }
    }

    /// A text file was moved to another folder: by the name it is known by it cannot be opened again.
    func isMoved(_ key: FamilyKey) { families[key]?.files.first?.hold() }

    /// A text file has no name any more where it was looked for.
    func isGone(_ key: FamilyKey) {
        guard let family = families[key], let file = family.files.first, !file.isUnlinked else { return }
        noteUnlinked(file, of: family)
        makeReady(family)
        holdWithinBudget()
        sweep(family)
    }

    /// Lets go of a closed file whose name shows something else by now; where reading stood is remembered.
    private func forget(_ file: TailedFile, of family: LogFamily) {
        if let number = file.number {
            knownTexts.add(
                KnownSource(number: number, identity: family.identity, position: file.position.encoded), file.position)
        }
        close(file)
        family.files = []
        families[family.key] = nil
        settling[ObjectIdentifier(family)] = nil
    }

    /// Reports a source for the last time whose file was not found again, and which had been read to its end.
    private func retireUnread(_ number: SourceNumber) {
        guard let entry = knownTexts.entries[number] else { return }
        knownTexts.remove(entry)
        untold.append(Progress(source: number, position: entry.source.position, isRetired: true))
    }

    // MARK: Opening

    /// How long a compressed file must have been left alone before it is read: it may still be written.
    private static let settledAge: Int64 = 1_000_000_000

    private func open(_ listed: ListedFile, at path: String, as family: LogFamily) -> NameOutcome {
        do throws(DiskError) {
            shelf?.makeRoom()
            let descriptor = try OwnedFile.open(path, .read, nonBlocking: true)
            let status = try descriptor.status()
            guard status.kind == .regular else { return .left }
            // The name was given to another file since it was looked at.
            guard FileID(status) == FileID(listed.status) else { return .changed }
            let isCompressed = FileTailer.isCompressed(descriptor)
            if isCompressed || status.size == 0 && listed.name.hasSuffix(".gz"), !options.once,
                SystemClock.realtime - status.modified < FileTailer.settledAge
            {
                return .unsettled
            }
            let file = try textFile(descriptor, listed.name, status, isCompressed: isCompressed)
            try take(file, path, into: family)
            return .followed
        } catch {
            if !error.isMissing { noteUnopened(path, error) }
            return error.isMissing ? .changed : .left
        }
    }

    /// Whether a file is gzip, whatever its name. What cannot be read is reported when it is read.
    private static func isCompressed(_ file: borrowing OwnedFile) -> Bool {
        (try? file.read(count: 3, at: 0)) == FileContent.gzipMagic
    }

    /// A text file that was opened, as nothing is known of it yet.
    private func textFile(
        _ descriptor: consuming OwnedFile, _ name: String, _ status: FileStatus, isCompressed: Bool
    ) throws(DiskError) -> TailedFile {
        var position = FilePosition()
        position.device = status.device
        position.inode = status.inode
        let size = isCompressed ? try CompressedFile.inflatedSize(descriptor) ?? 0 : status.size
        let content =
            isCompressed
            ? try FileContent(compressed: descriptor, on: shelf) : FileContent(plain: descriptor, on: shelf)
        let file = TailedFile(name: name, content: content, position: position, number: nil)
        file.size = size
        file.modified = status.modified
        file.listed = status
        if isCompressed {
            file.compressedName = name
            // Only what is complete is compressed.
            file.isClosedByWriter = true
        }
        return file
    }

    /// Finds out what is known of a file that was opened, and makes it the family's.
    private func take(_ file: TailedFile, _ path: String, into family: LogFamily) throws(DiskError) {
        var taken = file
        if let resumed = try resumeByInode(file, path, family) {
            taken = resumed
        } else if isFirstLook, !knownTexts.isEmpty {
            // It may be what another file, which is still to be found, was moved or copied to.
            family.isHeld = true
        } else if isFirstLook, options.skipsPresent {
            try passOver(file)
            if file.isCompressed { file.isDone = true }
        } else {
            file.isUnjudged = true
        }
        if taken.isDone { close(taken) } else { taken.content?.rest() }
        family.files = [taken]
        if !family.isHeld { telemetry.tell(FileEvent.opened(path: path, from: taken.readOffset)) }
    }

    // MARK: Knowing files again

    private func resumeByInode(_ file: TailedFile, _ path: String, _ family: LogFamily) throws(DiskError) -> TailedFile?
    {
        for entry in knownTexts.entries(of: file.position.fileID) {
            if let agreement = try agreement(of: file, with: entry.position, isSameInode: true, path: path) {
                knownTexts.remove(entry)
                return resume(file, entry.source, agreement, family)
            }
        }
        return nil
    }

    /// A file without a position of its own may have the bytes of one that was replaced, restored or copied. Of several
    /// positions, the furthest counts.
    private func resumeByContent(
        _ file: TailedFile, _ path: String, _ family: LogFamily
    ) throws(DiskError) -> TailedFile? {
        for entry in knownTexts.entries(head: try file.bytes(at: 0, count: 64)) {
            if let agreement = try agreement(of: file, with: entry.position, isSameInode: false, path: path) {
                knownTexts.remove(entry)
                return resume(file, entry.source, agreement, family)
            }
        }
        return nil
    }

    /// The first look at all text files is over. Files that no inode has told are compared with what is left of the known
    /// ones; files that have left the names that are asked for are searched; the rest is gone.
    /// - Parameters:
    ///   - isWanted: whether a path is asked for; a position whose path no longer is stays in the store.
    ///   - description: what the records of a file get with them that was found by this path.
    /// - Returns: The logs that go on under names that are not asked for, with the folders they lie in.
    func endFirstLook(
        isWanted: (String) -> Bool, description: (String) -> LogDescription
    ) -> [(FamilyKey, FileID, String)] {
        guard isFirstLook else { return [] }
        isFirstLook = false
        for family in foundFirst where family.isHeld {
            family.isHeld = false
            guard let file = family.files.first else { continue }
            let path = Path.join(family.key.folder, file.name)
            do throws(DiskError) {
                if let resumed = try resumeByContent(file, path, family) {
                    family.files = [resumed]
                } else {
                    file.isUnjudged = true
                }
            } catch {
                telemetry.tell(FileEvent.cannotRead(path: path, reason: error.description))
                file.isUnjudged = true
            }
        }
        // What was moved away is older than what has its name now.
        let moved = followMoved(isWanted, description)
        for family in foundFirst { makeReady(family) }
        foundFirst = []
        for entry in knownTexts.sorted where isWanted(entry.source.identity.path) {
            knownTexts.remove(entry)
            retire(entry.source, entry.position)
        }
        tellResumed()
        return moved
    }

    /// Goes on in the files that were renamed out of what is asked for while nobody was looking.
    private func followMoved(
        _ isWanted: (String) -> Bool, _ description: (String) -> LogDescription
    ) -> [(
        FamilyKey, FileID, String
    )] {
        let missing = knownTexts.sorted.filter { isWanted($0.source.identity.path) }
        guard !missing.isEmpty else { return [] }
        var search = MovedFileSearch(missing.map { ($0.position, $0.source.identity.path) })
        search.run()
        var followed: [(FamilyKey, FileID, String)] = []
        for entry in missing {
            let identity = entry.source.identity
            for path in search.candidates(for: entry.position) where knownTexts.entries[entry.source.number] != nil {
                guard let status = Directory.status(path), let file = openMoved(path, status) else { continue }
                let key = FamilyKey(folder: Path.parent(path), base: "\(status.device).\(status.inode)")
                guard families[key] == nil else { continue }
                let family = LogFamily(
                    key: key, identity: identity, description: description(identity.path), isHeld: false)
                do throws(DiskError) {
                    let isSameInode = FileID(status) == entry.position.fileID
                    guard isSameInode || entry.position.headLength == 64,
                        let agreement = try agreement(
                            of: file, with: entry.position, isSameInode: isSameInode, path: path)
                    else { continue }
                    knownTexts.remove(entry)
                    let resumed = resume(file, entry.source, agreement, family)
                    resumed.isRotated = true
                    resumed.wasRenamed = true
                    resumed.content?.rest()
                    family.files = [resumed]
                    families[key] = family
                    settling[ObjectIdentifier(family)] = family
                    makeReady(family)
                    telemetry.tell(FileEvent.foundMoved(path: identity.path, movedTo: path, from: resumed.readOffset))
                    followed.append((key, FileID(status), Path.parent(path)))
                } catch {
                    telemetry.tell(FileEvent.cannotRead(path: path, reason: error.description))
                }
            }
        }
        return followed
    }

    /// Opens a file that a search has found; nil when it cannot be opened or has become another one.
    private func openMoved(_ path: String, _ status: FileStatus) -> TailedFile? {
        do throws(DiskError) {
            shelf?.makeRoom()
            let descriptor = try OwnedFile.open(path, .read, nonBlocking: true)
            guard try FileID(descriptor.status()) == FileID(status) else { return nil }
            let isCompressed = FileTailer.isCompressed(descriptor)
            return try textFile(descriptor, Path.name(path), status, isCompressed: isCompressed)
        } catch {
            return nil
        }
    }

    // MARK: Before the first line

    /// Finds out whether a file of which nothing was read yet is text, and no copy. Returns whether it can be read now.
    func judge(_ file: TailedFile, _ family: LogFamily) throws(DiskError) -> Bool {
        if !file.isCompressed { file.noteGrowth() }
        guard file.size > 0 else {
            // Nothing to judge by; reading meets its end and watches it.
            return true
        }
        if !file.isCompressed, try file.bytes(at: 0, count: 3) == FileContent.gzipMagic {
            // It was empty when it was opened. It is opened anew, as what it is.
            file.listed = nil
            file.isDone = true
            close(file)
            foldersToRevisit.insert(family.key.folder)
            return false
        }
        if !file.isCompressed, let kind = try BinaryContent.kind(of: file) {
            if namedAsNoText.insert(file.position.fileID).inserted {
                telemetry.tell(FileEvent.notText(path: Path.join(family.key.folder, file.name), kind: kind))
            }
            file.isUnjudged = false
            file.isDone = true
            file.hasFailed = true
            close(file)
            return false
        }
        switch try copyVerdict(file, family) {
        case .original: file.isUnjudged = false
        case .undecided:
            if file.undecidedSince == 0 { file.undecidedSince = SystemClock.monotonic }
            settling[ObjectIdentifier(family)] = family
            return false
        case .copy(let original, let end):
            telemetry.tell(
                FileEvent.copied(
                    path: Path.join(family.key.folder, file.name), original: original, position: end))
            try file.passOver(to: end)
            file.isUnjudged = false
            file.hasNewMarks = true
            if file.isCompressed, end >= file.size { file.isDone = true }
        }
        return true
    }
}

/// Content that is not lines of text.
enum BinaryContent {
    /// What a file holds that is no text, for people; nil for text, and when there is nothing to judge by. NULs before the
    /// first other byte do not count: a power cut may have left them.
    static func kind(of file: TailedFile) throws(DiskError) -> String? {
        guard let data = try firstData(of: file) else { return nil }
        let sample = withoutHoles(try file.bytes(at: data, count: 1024))
        let names: [(String, [UInt8])] = [
            ("a journal of systemd (read it by the input journal)", Array("LPKSHHRH".utf8)),
            ("compressed by zstd", [0x28, 0xb5, 0x2f, 0xfd]), ("compressed by xz", [0xfd, 0x37, 0x7a, 0x58, 0x5a, 0]),
            ("compressed by bzip2", Array("BZh".utf8)), ("a zip archive", [0x50, 0x4b, 3, 4]),
            ("compressed by lz4", [0x04, 0x22, 0x4d, 0x18]),
        ]
        if let known = names.first(where: { sample.starts(with: $0.1) }) { return known.0 }
        // UTF-16 is text, and has a NUL beside each Latin letter.
        if sample.starts(with: [0xff, 0xfe]) || sample.starts(with: [0xfe, 0xff]) { return nil }
        // Of random bytes one in ten is a control character that no log holds; records with fixed fields are full of NULs.
        let controls = sample.count { $0 < 7 || $0 > 13 && $0 < 27 || $0 > 27 && $0 < 32 }
        return controls >= 8 && controls * 20 > sample.count ? "binary data" : nil
    }

    /// How far the first byte that is not NUL is searched.
    private static let mostSearched: UInt64 = 1 << 20

    private static func firstData(of file: TailedFile) throws(DiskError) -> UInt64? {
        guard let start = try file.content?.nextData(from: 0) else { return nil }
        var at = start
        while at - start < mostSearched {
            let bytes = try file.bytes(at: at, count: 64 * 1024)
            if bytes.isEmpty { return nil }
            if let first = bytes.firstIndex(where: { $0 != 0 }) { return at + UInt64(first) }
            at += UInt64(bytes.count)
        }
        return nil
    }

    /// A sample without the runs of NULs that a power cut may have left in a text.
    private static func withoutHoles(_ bytes: [UInt8]) -> [UInt8] {
        var kept: [UInt8] = []
        var nuls = 0
        for byte in bytes {
            if byte == 0 {
                nuls += 1
                continue
            }
            if nuls < Hole.shortest { kept += [UInt8](repeating: 0, count: nuls) }
            nuls = 0
            kept.append(byte)
        }
        return kept
    }
}
