// Follows the files of one input: knows them again after a restart, serves those that grew in turn, notices their end.
// It is driven by the lane's thread and never waits. Which files there are it learns from a discovery (`PodLogDiscovery`,
// `GlobDiscovery`). The rules are in docs/tailing.md.
import Bytes
import Disk
private import Gzip
package import Records
package import Telemetry

/// Reads many logs, a batch at a time.
package final class FileTailer {
    let options: TailOptions
    let telemetry: Telemetry
    private var reader: LineReader
    private let budget: PieceBudget
    var families = FamilyTable()
    /// Families with something to read, served round robin. A family is in it once, as its `isReady` says.
    private var ready = ReadyQueue()
    /// What the store remembers, by folder; emptied as files are found again.
    private var known: [String: [KnownSource]] = [:]
    /// Logs that may have something unread: those that are ready, and those that were at their last read.
    private var behind: [ObjectIdentifier: LogFamily] = [:]
    /// Folders with files that could not be opened: what the store remembers of them still counts.
    var unopened: Set<String> = []
    var watcher: Watcher?
    var watchOwners: [Int32: (LogFamily, TailedFile)] = [:]
    /// Counts the inotify instances: what an earlier one watched is not watched any more.
    package var watchGeneration = 0
    /// inotify had no room when it was tried last.
    var isShortOfWatches = false
    var nextWatchTry: Int64 = 0
    /// Families that wait for a renamed or deleted file to be quiet for long enough.
    var settling: [ObjectIdentifier: LogFamily] = [:]
    private var nextSettle: Int64 = 0
    /// Deleted files that are held open.
    private var heldOpen: [ObjectIdentifier: (family: LogFamily, file: TailedFile)] = [:]
    /// Folders in which something failed that may work in a moment.
    var foldersToRetry: Set<String> = []
    /// Files that could not be read when that was tried last.
    var faulty: Set<ObjectIdentifier> = []
    /// Files that the first look found and could not open.
    var missedAtFirst: Set<FileID> = []
    /// Files and folders that may not be opened, and those of them that were not reported yet.
    var denied: Set<String> = []
    var newlyDenied: [(path: String, error: DiskError)] = []
    /// Folders that could not be listed when that was tried last.
    var unlisted: Set<String> = []
    /// Which files have descriptors; nil: all.
    let shelf: OpenFiles?
    /// Where logs may lie; nil: anywhere.
    private var allowed: AllowedFolders?
    /// Files that lie elsewhere, and were reported.
    private var refused: Set<String> = []
    /// When this tailer was made, nanoseconds since 1970: `start_at: end` is about what was there then.
    private let startedAt = SystemClock.realtime
    /// Known folders of which the end of the first look has still to find out what became of their files.
    private var foldersToCheck: [String]?
    /// Progress without records that is still to be told.
    var untold: [Progress] = []
    private var untoldCounts = Counts()
    var isFirstLook = true
    /// What the store remembers of text files, until they are found.
    var knownTexts = KnownTextFiles()
    /// Text files in the order in which the first look found them, until it is over. Those that no inode has told are held.
    var foundFirst: [LogFamily] = []
    /// Text files that were truncated or are gone: copies of them may still turn up.
    var endedTexts: [EndedText] = []
    /// Files that were said to hold no text.
    var namedAsNoText: Set<FileID> = []
    /// Folders of text files that turned out to be something else than was believed.
    var foldersToRevisit: Set<String> = []

    /// Batches of one family before the next one's turn: 256 KiB.
    private static let batchesPerTurn = 2
    /// A family that is further behind is read at the outputs' pace while much is waiting.
    private static let farBehind: UInt64 = 1 << 20

    package init(_ options: TailOptions, known: [KnownSource], telemetry: Telemetry) {
        self.options = options
        self.telemetry = telemetry
        reader = LineReader(format: options.format, maxLine: options.maxLine)
        budget = PieceBudget(limit: options.pieceBudget)
        shelf = options.descriptors.map { OpenFiles($0) }
        allowed = options.allowedFolders.map { AllowedFolders($0) }
        for source in known {
            if options.format == .cri {
                self.known[Path.parent(source.identity.path), default: []].append(source)
            } else if let position = FilePosition(source.position) {
                knownTexts.add(source, position)
            } else {
                retire(source, nil)
            }
        }
        beginWatching()
    }

    // MARK: What discovery says

    /// Tells what files a log has now. New ones are opened, renamed ones recognised, missing ones noted as deleted.
    /// - Parameters:
    ///   - identity: as the store is to know each of the files.
    ///   - description: what its records get with them; called once, for a log that is new.
    ///   - waits: whether a new log that is not described completely is held: it is opened, and not read until `release`.
    package func reconcile(
        _ key: FamilyKey, identity: @autoclosure () -> SourceIdentity, description: @autoclosure () -> LogDescription,
        waits: Bool = false, files: [ListedFile]
    ) {
        let family: LogFamily
        if let found = families[key] {
            family = found
        } else {
            if files.isEmpty { return }
            let description = description()
            family = LogFamily(
                key: key, identity: identity(), description: description,
                isHeld: waits && !description.isComplete && description.isWorthWaiting)
            families[key] = family
        }
        var isChanged = family.isBlocked
        family.isBlocked = false
        // Files that still have the name they are read by.
        var present: Set<ObjectIdentifier> = []
        for listed in files where !listed.isCompressed {
            var same = family.files.first { $0.isSame(listed.status) }
            if let file = same, file.isClosedForRoom {
                do throws(DiskError) {
                    let isStill = try file.content?.file?.isStill(
                        listed.status, at: Path.join(key.folder, listed.name))
                    if isStill == false { same = nil }
                } catch {
                    // Neither gone nor known: the folder is looked at again.
                    present.insert(ObjectIdentifier(file))
                    block(family, error)
                    foldersToRetry.insert(key.folder)
                    continue
                }
            }
            if let file = same {
                if !file.isRotated, listed.isRotated {
                    telemetry.tell(FileEvent.rotated(path: "\(key.folder)/\(listed.name)"))
                    settling[ObjectIdentifier(family)] = family
                    isChanged = true
                }
                file.name = listed.name
                file.isRotated = listed.isRotated
                file.isUnlinked = false
                if shelf != nil { file.isFound(at: Path.join(key.folder, listed.name)) }
                present.insert(ObjectIdentifier(file))
                if !file.hasFailed,
                    listed.status.size > file.size || file.isDone && listed.status.size > file.readOffset
                {
                    // Late lines in a file that was taken for finished are still read.
                    file.isDone = false
                    makeReady(family)
                }
            } else if let file = open(listed, in: family) {
                present.insert(ObjectIdentifier(file))
                // Another life of the container writes to it.
                if !listed.isRotated { family.hasEnded = false }
                isChanged = true
            }
        }
        var copied: Set<ObjectIdentifier> = []
        for listed in files where listed.isCompressed {
            let gone = family.files.filter {
                !present.contains(ObjectIdentifier($0)) && !copied.contains(ObjectIdentifier($0))
            }
            do throws(DiskError) {
                if let file = try original(of: listed, in: family, among: gone) {
                    file.compressedName = listed.name
                    // Only what its runtime has closed is compressed.
                    file.isRotated = true
                    file.isClosedByWriter = true
                    copied.insert(ObjectIdentifier(file))
                } else if let file = open(listed, in: family) {
                    copied.insert(ObjectIdentifier(file))
                    isChanged = true
                }
            } catch {
                if !error.isMissing { noteUnopened(listed, in: family, error) }
            }
        }
        for file in family.files {
            let isCopied = copied.contains(ObjectIdentifier(file))
            if !isCopied { file.compressedName = nil }
            guard !present.contains(ObjectIdentifier(file)), !(file.isCompressed && isCopied), !file.isUnlinked else {
                continue
            }
            noteUnlinked(file, of: family)
            isChanged = true
        }
        if isChanged {
            findFirstTimes(family)
            family.sortFiles()
            makeReady(family)
        }
        family.tries = family.isBlocked ? family.tries + 1 : 0
        sweep(family)
    }

    /// A file that was empty when it was opened may have a first line by now.
    private func findFirstTimes(_ family: LogFamily) {
        for file in family.files where file.firstTime == .max && file.content != nil {
            do throws(DiskError) {
                file.firstTime = try firstTime(file)
            } catch {
                block(family, error)
            }
        }
    }

    /// A file has no name any more.
    func noteUnlinked(_ file: TailedFile, of family: LogFamily) {
        file.isUnlinked = true
        settling[ObjectIdentifier(family)] = family
        guard !file.isDone, file.content != nil else { return }
        if file.isClosedForRoom {
            loseClosed(file, of: family)
        } else {
            file.hold()
            heldOpen[ObjectIdentifier(file)] = (family, file)
        }
    }

    /// A file was deleted while it had no descriptor. Its compressed copy is read instead; without one, what was unread is lost.
    func loseClosed(_ file: TailedFile, of family: LogFamily) {
        if let copy = file.compressedName, (try? goOnInCopy(copy, file, family)) != nil { return }
        if file.lag > 0 {
            telemetry.tell(
                FileEvent.deletedWhileClosed(path: Path.join(family.key.folder, file.name), unreadBytes: file.lag))
            untoldCounts[.vanishedBytes] += file.lag
        }
        file.isDone = true
    }

    private func goOnInCopy(_ copy: String, _ file: TailedFile, _ family: LogFamily) throws(DiskError) {
        shelf?.makeRoom()
        let descriptor = try options.files.open(Path.join(family.key.folder, copy))
        let content = try FileContent(compressed: descriptor, on: shelf)
        unwatch(file)
        file.continueCompressed(content)
    }

    /// The file that a compressed one is the copy of: by its name, or by its first bytes when it was renamed and
    /// compressed between two looks.
    private func original(
        of copy: ListedFile, in family: LogFamily, among gone: [TailedFile]
    ) throws(DiskError) -> TailedFile? {
        let plainName = String(copy.name.dropLast(3))
        if let file = family.files.first(where: { $0.name == copy.name || $0.name == plainName }) { return file }
        guard !gone.isEmpty else { return nil }
        var content = try FileContent(compressed: options.files.open("\(family.key.folder)/\(copy.name)"))
        var arena = Arena(capacity: 64)
        guard try content.read(64, at: 0, into: &arena) > 0 else { return nil }
        let head = Array(copying: arena.span)
        for file in gone {
            guard !file.isCompressed else { continue }
            if file.isClosedForRoom {
                // Its first bytes, as they were when it was closed; without a time in them they prove nothing.
                guard let known = file.content?.file?.head, known.count >= 32, head.starts(with: known) else {
                    continue
                }
            } else {
                guard try file.bytes(at: 0, count: 64) == head else { continue }
            }
            file.name = plainName
            return file
        }
        return nil
    }

    /// The writer of this log is gone: it ends once it is read.
    package func end(_ key: FamilyKey) {
        guard let family = families[key], !family.hasEnded else { return }
        family.hasEnded = true
        makeReady(family)
    }

    /// The container of this log has another life: what was said of its end counts no more.
    func revive(_ key: FamilyKey) { families[key]?.hasEnded = false }

    /// What a log's records get with them from now on.
    package func update(_ key: FamilyKey, _ description: LogDescription) { families[key]?.description = description }

    /// Whether a log is described completely.
    func isComplete(_ key: FamilyKey) -> Bool { families[key]?.description.isComplete ?? true }

    /// Whether a log is held.
    package func isHeld(_ key: FamilyKey) -> Bool { families[key]?.isHeld ?? false }

    /// A log that was held is read.
    package func release(_ key: FamilyKey) {
        guard let family = families[key], family.isHeld else { return }
        family.isHeld = false
        makeReady(family)
    }

    /// Stops reading a log that is not wanted any more. Where reading stands is kept for the day when it is wanted again.
    package func drop(_ key: FamilyKey) {
        guard let family = families.removeValue(forKey: key) else { return }
        let held = family.heldBytes
        family.stdout = .idle
        family.stderr = .idle
        budget.note(family, change: -held)
        behind[ObjectIdentifier(family)] = nil
        for file in family.files {
            if let number = file.number {
                known[key.folder, default: []].append(
                    KnownSource(number: number, identity: family.identity, position: file.position.encoded))
            }
            close(file)
        }
        family.files = []
        settling[ObjectIdentifier(family)] = nil
    }

    /// A pod's folder with logs that are not wanted is gone: nobody will ask for them any more.
    func forget(below path: String) {
        for folder in known.keys where Path.parent(folder) == path {
            for source in known.removeValue(forKey: folder) ?? [] {
                untold.append(Progress(source: source.number, position: source.position, isRetired: true))
            }
        }
    }

    /// A folder's logs are wanted again: of what is known of it from before, the files that are gone by now are forgotten.
    func forgetMissing(in folder: String) {
        guard !isFirstLook, let sources = known[folder] else { return }
        guard let unread = sources.isEmpty ? UnreadFiles() : unreadFiles(in: folder) else { return }
        let left = sources.filter { source in FilePosition(source.position).map { unread.has($0) } ?? false }
        for source in sources where !left.contains(where: { $0.number == source.number }) {
            untold.append(Progress(source: source.number, position: source.position, isRetired: true))
        }
        known[folder] = left.isEmpty ? nil : left
    }

    /// A writer closed a file by this name. Of one that is still being written to, that counts once it is deleted.
    package func closed(_ key: FamilyKey, name: String) {
        guard let family = families[key] else { return }
        for file in family.files where file.name == name {
            if file.isRotated || file.isUnlinked {
                file.isClosedByWriter = true
                makeReady(family)
            } else if let status = try? file.content?.status() {
                file.sizeAtClose = status.size
            }
        }
    }

    /// Folders in which a file turned out to be another kind than was believed when it was opened.
    func takeFoldersToRevisit() -> Set<String> {
        defer { foldersToRevisit = [] }
        return foldersToRevisit
    }

    /// Whether a log is still being read or waited for.
    package func isFollowing(_ key: FamilyKey) -> Bool { families[key] != nil }

    /// The first look at everything is over: what the store still remembers has no file any more.
    /// - Parameter deadline: when to stop for now, on the monotonic clock.
    /// - Returns: whether that is found out of all; else it wants to be called again.
    @discardableResult
    package func endFirstLook(before deadline: Int64 = .max) -> Bool {
        guard isFirstLook else { return true }
        var folders = foldersToCheck ?? Array(known.keys)
        while let folder = folders.popLast() {
            retireMissing(in: folder)
            if !folders.isEmpty, SystemClock.monotonic >= deadline {
                foldersToCheck = folders
                return false
            }
        }
        foldersToCheck = nil
        isFirstLook = false
        tellResumed()
        return true
    }

    private func retireMissing(in folder: String) {
        guard let sources = known[folder], !sources.isEmpty else { return }
        let unread = unreadFiles(in: folder)
        known[folder] = sources.filter { source in
            guard let position = FilePosition(source.position) else { return retire(source, nil) }
            return unread?.has(position) ?? true || retire(source, position)
        }
    }

    func tellResumed() {
        tellDenied()
        let files = families.values.flatMap(\.files)
        let resumed = files.filter { $0.number != nil }.count
        telemetry.tell(
            FileEvent.resumed(
                files: resumed, fromStart: files.count - resumed, unreadBytes: files.reduce(0) { $0 + $1.lag }))
    }

    /// A source whose file is gone is told to the store for the last time. Returns false, since it is known no more.
    @discardableResult
    func retire(_ source: KnownSource, _ position: FilePosition?) -> Bool {
        // Of a file that was read to its end, and whose writer had closed it, nothing is missing.
        if position?.isFinished != true || position?.hasMarks == true {
            // The store knows all files of a container's log by one name. Where another file has it now, a rotated one is gone.
            let path = source.identity.path
            let isRotated = source.identity.kind == .container && Directory.status(path) != nil
            telemetry.tell(
                FileEvent.goneWhileStopped(path: isRotated ? path + ".*" : path, position: position?.end ?? 0))
        }
        if let position { untoldCounts[.vanishedBytes] += position.end - position.readFrom }
        untold.append(Progress(source: source.number, position: source.position, isRetired: true))
        return false
    }

    /// Files that exist and are not read.
    private struct UnreadFiles {
        var plain: Set<FileID> = []
        /// The paths of compressed ones: each is another file than the one that it is the copy of.
        var compressed: [String] = []

        func has(_ position: FilePosition) -> Bool {
            if plain.contains(FileID(device: position.device, inode: position.inode)) { return true }
            guard position.headLength > 0 else { return false }
            return compressed.contains { path in
                do throws(DiskError) {
                    var content = try FileContent(compressed: OwnedFile.open(path, .read))
                    var arena = Arena(capacity: 64)
                    _ = try content.read(Int(position.headLength), at: 0, into: &arena)
                    return Hash64.of(Array(copying: arena.span)) == position.head
                } catch {
                    // What cannot be read now may well be it.
                    return !error.isMissing
                }
            }
        }
    }

    /// The files of a folder that exist and are not read, because they are excluded by now; nil when the folder or a file
    /// in it cannot be read at all. Their positions are kept for the day when they are read again.
    private func unreadFiles(in folder: String) -> UnreadFiles? {
        if unopened.contains(folder) { return nil }
        do throws(DiskError) {
            var found = UnreadFiles()
            let followed = Set(families.families(in: folder).flatMap(\.files).map(\.position.fileID))
            for entry in try options.files.list(folder) {
                let path = "\(folder)/\(entry.name)"
                let status: FileStatus
                do throws(DiskError) {
                    status = try options.files.look(path)
                } catch {
                    if error.isMissing { continue }
                    throw error
                }
                let id = FileID(status)
                if followed.contains(id) { continue }
                if entry.name.hasSuffix(".gz") {
                    found.compressed.append(options.files.locate(path))
                } else {
                    found.plain.insert(id)
                }
            }
            return found
        } catch {
            return error.isMissing ? UnreadFiles() : nil
        }
    }

    // MARK: Opening

    private func open(_ listed: ListedFile, in family: LogFamily) -> TailedFile? {
        let path = "\(family.key.folder)/\(listed.name)"
        do throws(DiskError) {
            shelf?.makeRoom()
            try options.faults?.before("open", path)
            let descriptor = try options.files.open(path, nonBlocking: true)
            let status = try descriptor.status()
            guard status.kind == .regular else { return nil }
            if let outside = allowed?.outside(descriptor) {
                if refused.insert(path).inserted { telemetry.tell(FileEvent.outside(path: path, target: outside)) }
                return nil
            }
            // The name was given to another file since it was listed: the next look finds both.
            guard FileID(status) == FileID(listed.status) else {
                foldersToRevisit.insert(family.key.folder)
                return nil
            }
            var position = FilePosition()
            position.device = status.device
            position.inode = status.inode
            let file: TailedFile
            if listed.isCompressed {
                let inflated = try CompressedFile.inflatedSize(descriptor) ?? 0
                let content = try FileContent(compressed: descriptor, on: shelf)
                file = TailedFile(name: listed.name, content: content, position: position, number: nil)
                file.size = inflated
                file.compressedName = listed.name
                file.isClosedByWriter = true
            } else {
                file = TailedFile(
                    name: listed.name, content: FileContent(plain: descriptor, on: shelf, faults: options.faults),
                    position: position, number: nil)
                file.size = status.size
            }
            file.modified = status.modified
            file.isRotated = listed.isRotated
            let time = try firstTime(file)
            let opened = try recognise(file, in: family) ?? file
            if opened.number == nil, options.skipsPresent, wasPresent(opened) { try passOver(opened) }
            opened.firstTime = time
            opened.content?.rest()
            family.files.append(opened)
            telemetry.tell(FileEvent.opened(path: path, from: opened.readOffset))
            return opened
        } catch {
            // Deleted since it was listed: the next look will not list it.
            if !error.isMissing { noteUnopened(listed, in: family, error) }
            return nil
        }
    }

    /// Whether a log may lie at a path without links.
    func mayLie(_ path: String) -> Bool { allowed?.contains(path) ?? true }

    /// Whether files in a folder could not be opened or read.
    func hasUnopened(in folder: String) -> Bool { unopened.contains(folder) }

    /// Whether a file stood there when the input was started. The first look takes a while, and logs come meanwhile.
    private func wasPresent(_ file: TailedFile) -> Bool {
        if missedAtFirst.remove(file.position.fileID) != nil { return true }
        guard isFirstLook else { return false }
        guard let birth = try? file.content?.birth(), let born = birth.born else { return true }
        return born <= startedAt
    }

    /// Looks a file up among those the store remembers, by head and tail. Returns it anew with its position, or nil.
    private func recognise(_ file: TailedFile, in family: LogFamily) throws(DiskError) -> TailedFile? {
        guard let candidates = known[family.key.folder] else { return nil }
        var best: (index: Int, agreement: Agreement)?
        for (index, source) in candidates.enumerated() {
            guard source.identity.restart == family.identity.restart, source.identity.kind == family.identity.kind,
                let position = FilePosition(source.position)
            else { continue }
            let isSameInode = position.fileID == file.position.fileID
            // Without the inode the head must be proof enough: a container's holds a time to the nanosecond.
            guard isSameInode || position.headLength == 64 || options.format == .cri && position.headLength > 0 else {
                continue
            }
            let path = Path.join(family.key.folder, file.name)
            guard let found = try agreement(of: file, with: position, isSameInode: isSameInode, path: path) else {
                continue
            }
            best = (index, found)
            if isSameInode { break }
        }
        guard let (index, agreement) = best else { return nil }
        let source = candidates[index]
        known[family.key.folder]?.remove(at: index)
        return resume(file, source, agreement, family)
    }

    /// A file that agrees with a position: the position as it is for this file, and the bytes that agree.
    struct Agreement {
        var position: FilePosition
        let head: [UInt8]
        let tail: [UInt8]
    }

    /// Whether a file is the one that a position speaks of, by its first bytes and those before the position; nil if not.
    func agreement(
        of file: TailedFile, with known: FilePosition, isSameInode: Bool, path: String
    ) throws(DiskError) -> Agreement? {
        var position = known
        let head = try file.bytes(at: 0, count: Int(position.headLength))
        guard head.count == Int(position.headLength), Hash64.of(head) == position.head else { return nil }
        var tail: [UInt8] = []
        if file.size < position.end, !file.isCompressed {
            guard isSameInode else { return nil }
            telemetry.tell(FileEvent.lostTail(path: path, size: file.size, position: position.end))
            untoldCounts[.shrunkBytes] += position.end - file.size
            position.cut(to: file.size)
            tail = try file.bytes(before: position.end)
        } else if !file.isCompressed || file.size != position.end || position.hasMarks {
            tail = try file.bytes(before: position.end)
            guard Hash64.of(tail) == position.tail else { return nil }
        }
        position.device = file.position.device
        position.inode = file.position.inode
        return Agreement(position: position, head: Array(head.prefix(Int(clamping: position.end))), tail: tail)
    }

    /// The file anew, with the position at which reading goes on. A file whose content was taken is not used any more.
    func resume(
        _ file: TailedFile, _ source: KnownSource, _ agreement: Agreement, _ family: LogFamily
    ) -> TailedFile {
        guard let content = file.content.take() else { return file }
        var position = agreement.position
        let isRead = file.isCompressed && position.end == file.size && !position.hasMarks
        if isRead, !position.isFinished {
            position.isFinished = true
            untold.append(Progress(source: source.number, position: position.encoded))
        }
        let resumed = TailedFile(name: file.name, content: content, position: position, number: source.number)
        resumed.size = file.size
        resumed.modified = file.modified
        resumed.isRotated = file.isRotated
        resumed.compressedName = file.compressedName
        resumed.isClosedByWriter = file.isClosedByWriter
        resumed.listed = file.listed
        resumed.resume(head: agreement.head, tail: agreement.tail)
        resumed.isDone = isRead
        family.restoreSkipping(position)
        return resumed
    }

    /// `start_at: end`: what stands there now is not read. The store is told, so that the next start knows it too.
    func passOver(_ file: TailedFile) throws(DiskError) {
        var end = file.size
        if !file.isCompressed {
            // Up to the last newline: a line that is being written is read whole.
            var back: UInt64 = 0
            while back < end {
                let count = min(64 * 1024, end - back)
                let bytes = try file.bytes(at: end - back - count, count: Int(count))
                if let newline = bytes.lastIndex(of: UInt8(ascii: "\n")) {
                    end = end - back - count + UInt64(newline) + 1
                    break
                }
                back += count
                if back >= file.size { end = 0 }
            }
        }
        try file.passOver(to: end)
        file.hasNewMarks = true
        if file.isRotated { file.isDone = true }
    }

    private func firstTime(_ file: TailedFile) throws(DiskError) -> Int64 {
        guard options.format == .cri else { return .max }
        // Nearly always the first line has one; else the first that is in the format.
        for count in [64, 64 * 1024] {
            var arena = Arena(capacity: count)
            arena.append(try file.bytes(at: 0, count: count))
            var times = TimestampParser()
            var at = 0
            while at < arena.count {
                let time = times.parse(arena, from: at, to: arena.count)
                if time != TimestampParser.invalid { return time }
                let newline = ByteSearch.firstIndex(of: UInt8(ascii: "\n"), in: arena, from: at, to: arena.count)
                at = newline < 0 ? arena.count : newline + 1
            }
        }
        return .max
    }

    // MARK: Reading

    func makeReady(_ family: LogFamily) {
        behind[ObjectIdentifier(family)] = family
        guard !family.isReady, !family.isHeld || family.hasNewMarks else { return }
        family.isReady = true
        family.turn = 0
        ready.append(family)
    }

    /// Whether something can be read at once.
    package var hasReady: Bool { !ready.isEmpty || !untold.isEmpty || !untoldCounts.isEmpty }

    /// Bytes known to be unread.
    package var lag: UInt64 { behind.values.reduce(0) { $0 + $1.lag } }

    /// How many files are open now.
    package var openFiles: Int { families.values.reduce(0) { $0 + $1.files.count { $0.content != nil } } }

    /// Reads one batch of one file.
    /// - Parameters:
    ///   - sparing: read only what is nearly up to date or about to be lost: much is waiting for the outputs.
    ///   - define: gives a source its number.
    /// - Returns: false when nothing is ready.
    package func read(
        into batch: inout RecordBatch, sparing: Bool, now: Int64, define: (SourceIdentity) -> SourceNumber
    ) -> Bool {
        if !untold.isEmpty || !untoldCounts.isEmpty {
            batch.progress = untold
            batch.counts = untoldCounts
            untold = []
            untoldCounts = Counts()
            return true
        }
        var passed = 0
        while passed < ready.count, let family = ready.first {
            if sparing, family.lag <= FileTailer.farBehind { family.current?.noteGrowth() }
            if sparing, family.lag > FileTailer.farBehind, !family.isAboutToBeLost {
                ready.moveFirstToBack()
                passed += 1
                continue
            }
            if readNext(family, &batch, now, define) {
                if !family.description.isComplete { batch.counts[.partialRecords] += UInt64(batch.rows.count) }
                family.turn += 1
                if family.turn >= FileTailer.batchesPerTurn {
                    family.turn = 0
                    ready.moveFirstToBack()
                }
                // What else became known on the way is kept or lost together with the records.
                batch.progress += untold
                batch.counts.add(untoldCounts)
                untold = []
                untoldCounts = Counts()
                return true
            }
            ready.removeFirst()
            family.isReady = false
            if family.lag == 0 { behind[ObjectIdentifier(family)] = nil }
        }
        return false
    }

    private func readNext(
        _ family: LogFamily, _ batch: inout RecordBatch, _ now: Int64, _ define: (SourceIdentity) -> SourceNumber
    ) -> Bool {
        batch.ending = family.description.ending
        batch.parsing = family.description.parsing
        for file in family.files where file.hasNewMarks && file.readOffset >= file.resumeEnd {
            // Told without records: what was passed over at the first start.
            report(family, &batch, define)
            return true
        }
        if family.isHeld || family.isBlocked { return false }
        while let file = family.current {
            do throws(DiskError) {
                try file.content?.file?.reopen()
                if file.isUnjudged {
                    guard try judge(file, family) else { return false }
                    if file.hasNewMarks {
                        report(family, &batch, define)
                        return true
                    }
                }
                if options.checksTail, file.turnBegins(family), try !file.edgesStillStand() {
                    try startOver(file, family)
                    continue
                }
                switch try reader.read(file, of: family, into: &batch, budget: budget, now: now) {
                case .progress:
                    file.needsReport = true
                    if file.faults > 0 { noteRecovered(file) }
                    if batch.counts[.malformedRecords] > 0 { noteFormat(of: batch, file, family) }
                    report(family, &batch, define)
                    return true
                case .atEnd:
                    guard try reachedEnd(file, family) else {
                        if try takeRestOfRenamed(file, family, &batch, now) {
                            report(family, &batch, define)
                            return true
                        }
                        return finishIfEnded(family, &batch, now, define)
                    }
                    if file.faults > 0 { noteRecovered(file) }
                    guard file.isDone else { continue }
                    var hasMore = try reader.takeRest(of: file, family, into: &batch, budget: budget, now: now)
                    if file.content?.isDamaged == true {
                        notePastDamage(file, family)
                        hasMore = true
                    }
                    if file.isUnlinked, !file.isRotated, family.current != nil,
                        reader.finishStreams(of: family, into: &batch, budget: budget)
                    {
                        // The log was deleted, and another life of the container has one by its name.
                        hasMore = true
                    }
                    if !file.isFinished, file.number != nil, !file.isUnlinked || file.compressedName != nil {
                        file.isFinished = true
                        hasMore = true
                    }
                    if hasMore {
                        file.needsReport = true
                        report(family, &batch, define)
                    }
                    sweep(family)
                    if hasMore { return true }
                }
            } catch {
                // What is behind it waits: the log is read in order.
                if willTryAgain(file, of: family, error) { return false }
            }
        }
        return finishIfEnded(family, &batch, now, define)
    }

    /// The last line of a text file that has been renamed may never get its newline: when nothing was added for a while it is
    /// taken as it is. The file is still followed, for its writer may not have turned to the next one yet.
    private func takeRestOfRenamed(
        _ file: TailedFile, _ family: LogFamily, _ batch: inout RecordBatch, _ now: Int64
    ) throws(DiskError) -> Bool {
        guard options.format == .plain, file.wasRenamed, !file.isUnlinked, file.lag > 0 else { return false }
        guard SystemClock.realtime - file.modified >= options.quietTime else {
            settling[ObjectIdentifier(family)] = family
            return false
        }
        guard try reader.takeRest(of: file, family, into: &batch, budget: budget, now: now) else { return false }
        file.needsReport = true
        return true
    }

    /// Tells the position of every file of the family that has a new one.
    private func report(_ family: LogFamily, _ batch: inout RecordBatch, _ define: (SourceIdentity) -> SourceNumber) {
        for file in family.files where file.hole.bytes > 0 {
            telemetry.tell(
                FileEvent.hole(
                    path: Path.join(family.key.folder, file.name), position: file.hole.offset, bytes: file.hole.bytes))
            file.hole = (0, 0)
        }
        for file in family.files where file.needsReport || file.hasNewMarks {
            file.needsReport = false
            // While what was read before is read again, nothing new is known.
            if file.readOffset < file.resumeEnd, batch.rows.isEmpty, !file.hasNewMarks { continue }
            if file.number == nil { file.number = define(family.identity) }
            file.settle(stdout: family.mark(.stdout, in: file), stderr: family.mark(.stderr, in: file))
            if let number = file.number {
                batch.progress.append(Progress(source: number, position: file.position.encoded))
            }
        }
    }

    /// The end of a file was met. Returns whether there is more to read in the family.
    private func reachedEnd(_ file: TailedFile, _ family: LogFamily) throws(DiskError) -> Bool {
        guard let status = try file.content?.status() else {
            // A compressed file never grows.
            file.isDone = true
            return true
        }
        if status.size < max(file.readOffset, file.resumeEnd) {
            try startOver(file, family)
            return true
        }
        if status.size > file.size { return true }
        file.modified = status.modified
        if isFinished(file, family) {
            file.isDone = true
            return true
        }
        if file.isRotated || file.isUnlinked { settling[ObjectIdentifier(family)] = family }
        if !options.once, watcher != nil, file.watch < 0 {
            // Armed first, looked at once more afterwards: what came in between is not missed.
            watch(file, of: family)
            if let again = try file.content?.status(), again.size != status.size { return true }
        }
        return false
    }

    /// What lies behind the damage is lost. How much it was, only the file's last bytes say, and they may be damaged too: text
    /// compresses some twenty times at best, so more is not believed. The position goes to the end, so that it is counted once.
    private func notePastDamage(_ file: TailedFile, _ family: LogFamily) {
        let path = "\(family.key.folder)/\(file.name)"
        telemetry.tell(FileEvent.damaged(path: path, position: file.readOffset))
        let compressed = options.files.status(path)?.size ?? 0
        if file.size > file.readOffset {
            untoldCounts[.damagedBytes] += min(file.size - file.readOffset, compressed * 20)
        }
        file.readOffset = max(file.readOffset, file.size)
    }

    /// Whether nothing will be added to a file whose end was met.
    private func isFinished(_ file: TailedFile, _ family: LogFamily) -> Bool {
        guard file.isRotated || file.isUnlinked else { return false }
        if file.isClosedByWriter || options.once || family.hasEnded && !file.isUnlinked { return true }
        if file.isUnlinked, file.sizeAtClose == file.size { return true }
        let at = family.files.firstIndex { $0 === file } ?? family.files.endIndex
        let later = family.files[at...].filter { $0 !== file }
        for other in later { other.noteGrowth() }
        if options.format == .cri {
            // A runtime writes to one file at a time. One that came later and was renamed in its turn: it has long left this one.
            if later.contains(where: { $0.isRotated && $0.size > 0 }) { return true }
            // Deleted by the name that is written to: what has that name now belongs to another life of the container.
            if file.isUnlinked, !file.isRotated, later.contains(where: { !$0.isUnlinked && $0.size > 0 }) {
                return true
            }
        }
        let isQuiet = SystemClock.realtime - file.modified >= options.quietTime
        guard isQuiet else { return false }
        // Renamed, but the runtime may not have reopened yet: a later file must have a line.
        guard !file.isUnlinked else { return true }
        return options.format == .cri && later.contains { $0.size > 0 }
    }

    /// A file was truncated: another generation begins at its start.
    private func startOver(_ file: TailedFile, _ family: LogFamily) throws(DiskError) {
        guard let status = try file.content?.status() else { return }
        telemetry.tell(
            FileEvent.truncated(path: "\(family.key.folder)/\(file.name)", size: status.size, position: file.readOffset)
        )
        if let number = file.number {
            untold.append(Progress(source: number, position: file.position.encoded, isRetired: true))
        }
        let copied = noteEnd(of: file, in: family, isGone: false)
        untoldCounts[.shrunkBytes] += file.lag - min(file.lag, copied)
        file.restart(status)
        file.size = status.size
        let held = family.heldBytes
        family.stdout = .idle
        family.stderr = .idle
        budget.note(family, change: -held)
    }

    /// Stores what is unfinished when the log's writer is gone.
    private func finishIfEnded(
        _ family: LogFamily, _ batch: inout RecordBatch, _ now: Int64, _ define: (SourceIdentity) -> SourceNumber
    ) -> Bool {
        let isGone = !family.files.isEmpty && family.files.allSatisfy { $0.isUnlinked && $0.isDone }
        guard family.hasEnded || options.once && !options.leavesUnfinished || isGone else { return false }
        guard family.files.allSatisfy({ $0.isDone || $0 === family.current }) else { return false }
        do throws(DiskError) {
            var hasMore = try reader.finish(family, into: &batch, budget: budget, now: now)
            if family.hasEnded {
                for file in family.files
                where !file.isFinished && file.number != nil && !file.hasFailed && file.lag == 0 {
                    file.isFinished = true
                    hasMore = true
                }
            }
            guard hasMore else {
                sweep(family)
                return false
            }
        } catch {
            if let file = family.files.last(where: { $0.content != nil }) {
                let wasDone = file.isDone
                _ = willTryAgain(file, of: family, error)
                file.isDone = wasDone
            }
            return false
        }
        for file in family.files { file.needsReport = true }
        report(family, &batch, define)
        sweep(family)
        return true
    }

    // MARK: The end of files

    /// Lets go of files that are read and gone.
    func sweep(_ family: LogFamily) {
        for file in family.files
        where file.isDone && file.isUnlinked && file.compressedName == nil && !family.needs(file) {
            if file.hasFailed, file.faults > 0 { untoldCounts[.vanishedBytes] += file.lag }
            if let number = file.number {
                untold.append(Progress(source: number, position: file.position.encoded, isRetired: true))
            }
            noteEnd(of: file, in: family, isGone: true)
            close(file)
            family.files.removeAll { $0 === file }
        }
        // A deleted file's space goes back at once, also when its compressed copy is still there.
        for file in family.files where file.isDone && (file.isUnlinked || file.isCompressed) && !family.needs(file) {
            close(file)
        }
        if family.files.isEmpty, !family.isBlocked {
            // There may be a new log by the same name.
            if families[family.key] === family { families[family.key] = nil }
            settling[ObjectIdentifier(family)] = nil
            behind[ObjectIdentifier(family)] = nil
        }
    }

    func close(_ file: TailedFile) {
        unwatch(file)
        if file.faults > 0 { faulty.remove(ObjectIdentifier(file)) }
        file.close()
    }

    /// When deleted files hold too much of the disk, the oldest are read from their compressed copies, or given up.
    func holdWithinBudget() {
        guard !heldOpen.isEmpty else { return }
        heldOpen = heldOpen.filter { _, held in
            held.file.isUnlinked && !held.file.isDone && held.file.content != nil
        }
        var held = Array(heldOpen.values)
        var bytes = held.reduce(0) { $0 + $1.file.size }
        let most = shelf?.mostHeld ?? .max
        guard bytes > options.maxHeld || held.count > most else { return }
        var count = held.count
        held.sort { $0.file.modified < $1.file.modified }
        for (family, file) in held where bytes > options.maxHeld || count > most {
            let isForRoom = bytes <= options.maxHeld
            bytes -= file.size
            count -= 1
            if let copy = file.compressedName {
                do throws(DiskError) {
                    try goOnInCopy(copy, file, family)
                    continue
                } catch {
                    // Held a little longer.
                    if error.mayPass { continue }
                }
            }
            unwatch(file)
            let path = Path.join(family.key.folder, file.name)
            telemetry.tell(
                isForRoom
                    ? FileEvent.abandonedForRoom(path: path, unreadBytes: file.lag)
                    : FileEvent.abandoned(path: path, unreadBytes: file.lag))
            untoldCounts[.abandonedBytes] += file.lag
            file.isDone = true
            file.close()
            sweep(family)
        }
    }

    /// Looks, once a second, at what only time can tell: whether a renamed or deleted file has been quiet for long enough, and
    /// whether what failed works again.
    package func settle(now: Int64) {
        tellDenied()
        guard isSettling, now >= nextSettle else { return }
        nextSettle = now + 1_000_000_000
        let waiting = settling.values
        settling = [:]
        for family in waiting { makeReady(family) }
        foldersToRevisit.formUnion(foldersToRetry)
        foldersToRetry = []
    }

    private var isSettling: Bool { !settling.isEmpty || !foldersToRetry.isEmpty }

    /// When `settle` is to be called next, on the monotonic clock.
    package var nextDeadline: Int64 { isSettling ? nextSettle : .max }

    /// Looks at every file that is followed for growth that no event told of.
    package func lookAtAll() {
        for family in families.values { lookForGrowth(family) }
    }

    /// Tries the files of a folder again that could not be read.
    func retryFailed(in folder: String) {
        for family in families.families(in: folder) { retryFailed(family) }
    }

    /// Looks at the files of a folder in which no name has changed.
    func lookForGrowth(in folder: String) {
        for family in families.families(in: folder) { lookForGrowth(family) }
    }

    private func lookForGrowth(_ family: LogFamily) {
        retryFailed(family)
        guard let file = family.current, let status = try? file.content?.status() else { return }
        // Text may have been overwritten by as much as there was before.
        let isChanged = status.size != file.size || status.modified != file.modified
        if isChanged || status.linkCount == 0 { makeReady(family) }
    }
}
