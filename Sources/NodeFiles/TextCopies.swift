// Copies of text files: what `copytruncate` leaves beside a log, what a compressor makes of a rotated one, and files that
// replace others with the same content and more. What was read from the original is not read again from the copy.
import Bytes
import Disk
import Records

/// The edges of what was read of a file that was truncated or is gone.
struct EndedText {
    let path: String
    /// The first 64 bytes, fewer if it was shorter, and those before the place where reading ended.
    let head: [UInt8]
    let tail: [UInt8]
    let end: UInt64
    /// It was deleted or replaced; else it was truncated.
    let isGone: Bool
    /// When it lost its name or its contents, nanoseconds since 1970.
    let endedAt: Int64
    /// When that was noticed, on the monotonic clock.
    let notedAt: Int64
}

/// What a new file is.
enum CopyVerdict {
    case original
    /// It agrees with a file that is read, so far: more has to be seen of one of them.
    case undecided
    /// What lies before `end` was read from the file with the path `original`.
    case copy(original: String, end: UInt64)
}

extension FileTailer {
    /// How long the ends of files are remembered: a rotated file is compressed long before.
    private static let memory: Int64 = 600_000_000_000
    private static let memoryCount = 256
    /// A file that was not written to for so long is complete as a copy.
    private var copyPause: Int64 { min(options.quietTime, 1_000_000_000) }
    /// No file waits longer than this for its original.
    private static let longestWait: Int64 = 60_000_000_000

    /// Remembers a text file's life that is over, and looks at the files that may be copies of it.
    /// - Returns: How many bytes that were not read lie in such copies.
    @discardableResult
    func noteEnd(of file: TailedFile, in family: LogFamily, isGone: Bool) -> UInt64 {
        guard options.format == .plain, !file.headBytes.isEmpty, file.readOffset >= file.resumeEnd else { return 0 }
        let now = SystemClock.monotonic
        if endedTexts.count >= FileTailer.memoryCount { endedTexts.removeFirst() }
        endedTexts.removeAll { now - $0.notedAt > FileTailer.memory }
        let changed = isGone ? (try? file.content?.birth())??.changed : nil
        let ended = EndedText(
            path: Path.join(family.key.folder, file.name), head: file.headBytes, tail: file.tailBytes,
            end: file.readOffset, isGone: isGone, endedAt: changed ?? SystemClock.realtime, notedAt: now)
        endedTexts.append(ended)
        for other in settling.values where other.files.first?.isUnjudged == true { makeReady(other) }
        return file.lag == 0 ? 0 : bytesInCopies(of: ended)
    }

    /// Whether a file of which nothing was read is a copy of one that is or was read.
    func copyVerdict(_ file: TailedFile, _ family: LogFamily) throws(DiskError) -> CopyVerdict {
        let head = try file.bytes(at: 0, count: 64)
        // Of several originals, such as those of a file that is replaced again and again, the furthest counts.
        var best: (original: String, end: UInt64)?
        var isUndecided = false
        func weigh(_ verdict: CopyVerdict) {
            switch verdict {
            case .original: break
            case .undecided: isUndecided = true
            case .copy(let original, let end): if best.map({ end > $0.end }) ?? true { best = (original, end) }
            }
        }
        for ended in endedTexts where FileTailer.agree(head, ended.head) { weigh(try verdict(file, head, ended)) }
        for other in families.values where other !== family {
            guard let original = other.files.first, original.content != nil, !original.isUnjudged,
                original.readOffset >= original.resumeEnd, FileTailer.agree(head, original.headBytes)
            else { continue }
            weigh(try verdict(file, head, original, other))
        }
        if isUndecided { return .undecided }
        return best.map { .copy(original: $0.original, end: $0.end) } ?? .original
    }

    /// How many bytes behind `ended.end`, which were not read from the original, lie in copies that will be read.
    func bytesInCopies(of ended: EndedText) -> UInt64 {
        var most: UInt64 = 0
        for family in families.values {
            guard let file = family.files.first, file.isUnjudged, file.size > ended.end,
                let head = try? file.bytes(at: 0, count: 64), FileTailer.agree(head, ended.head),
                (try? holds(file, ended.tail, before: ended.end)) == true
            else { continue }
            most = max(most, file.size - ended.end)
        }
        return most
    }

    /// Whether one of two beginnings is the beginning of the other.
    private static func agree(_ a: [UInt8], _ b: [UInt8]) -> Bool {
        let count = min(a.count, b.count)
        var at = 0
        while at < count, a[at] == b[at] { at += 1 }
        return count > 0 && at == count
    }

    /// Against a file that is gone or truncated: nothing but its edges is left to compare with.
    private func verdict(_ file: TailedFile, _ head: [UInt8], _ ended: EndedText) throws(DiskError) -> CopyVerdict {
        guard file.size >= ended.end else {
            // It may still be growing, or was copied before the original had its last lines.
            if file.verifiedCopy > 0, file.verifiedCopy == file.size {
                return isPaused(file) ? .copy(original: ended.path, end: file.size) : .undecided
            }
            return head.count == 64 && !isPaused(file) ? .undecided : .original
        }
        guard try holds(file, ended.tail, before: ended.end) else { return .original }
        // A short beginning is easily written twice: then the copy must be older than the original's end.
        if head.count < 64 || ended.head.count < 64, !file.isCompressed {
            guard let born = try file.content?.birth()?.born else {
                return ended.isGone ? .original : .copy(original: ended.path, end: ended.end)
            }
            guard born < ended.endedAt else { return .original }
        }
        return .copy(original: ended.path, end: ended.end)
    }

    /// Against a file that is being read.
    private func verdict(
        _ file: TailedFile, _ head: [UInt8], _ original: TailedFile, _ family: LogFamily
    ) throws(DiskError) -> CopyVerdict {
        let path = Path.join(family.key.folder, original.name)
        // A short one is copied at once; whatever is shorter than it, or grows line by line as it did, is no copy.
        let isShort = head.count < 64 || original.headBytes.count < 64
        if isShort, file.size < original.readOffset { return .original }
        guard try original.edgesStillStand() else {
            // It was truncated, and that is noticed at its turn.
            makeReady(family)
            return .undecided
        }
        let end = min(file.size, original.readOffset)
        guard try holds(file, original.bytes(before: end), before: end) else { return .original }
        file.verifiedCopy = file.size
        original.noteGrowth()
        if original.lag > 0, file.size > original.readOffset, !options.once {
            // What both hold is read from the original.
            makeReady(family)
            return .undecided
        }
        // A shorter one may still be growing into a copy; a short one may be one as soon as its original is truncated.
        if file.size < original.readOffset { guard isPaused(file) else { return .undecided } }
        if isShort, !file.isCompressed {
            guard original.isUnlinked || hasWaited(file) else { return .undecided }
            // A short beginning is easily written twice: only what was there before the original went is a copy of it.
            guard original.isUnlinked, let born = try file.content?.birth()?.born,
                let gone = try original.content?.birth()?.changed, born < gone
            else { return .original }
        }
        return .copy(original: path, end: end)
    }

    /// Whether the bytes of `file` before `end` are these.
    private func holds(_ file: TailedFile, _ tail: [UInt8], before end: UInt64) throws(DiskError) -> Bool {
        // Of a compressed file of the same length, the beginning was compared: it is not inflated for its end.
        if file.isCompressed, file.size == end { return true }
        return try file.bytes(at: end - UInt64(tail.count), count: tail.count) == tail
    }

    /// Whether an original that could have been truncated by now would have been.
    private func hasWaited(_ file: TailedFile) -> Bool {
        options.once || copyPause == 0
            || file.undecidedSince > 0 && SystemClock.monotonic - file.undecidedSince >= copyPause
    }

    private func isPaused(_ file: TailedFile) -> Bool {
        if options.once || file.isCompressed { return true }
        if file.undecidedSince > 0, SystemClock.monotonic - file.undecidedSince >= FileTailer.longestWait {
            return true
        }
        let modified = (try? file.content?.status())??.modified ?? file.modified
        return SystemClock.realtime - modified >= copyPause
    }
}
