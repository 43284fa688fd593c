// The lane's side of the store: gives numbers, compresses chunks, appends them with their coverage in one write, begins and
// closes segments. It is owned by one thread; what others may know it publishes to `Store`.
import Bytes
import Disk
private import Gzip
package import Records
private import Synchronization
private import Telemetry

/// What became of a chunk.
package enum AppendOutcome: Equatable, Sendable {
    case stored
    /// Nothing was written; the chunk is to be offered again when the reason is gone.
    case full(reason: String)
}

/// Appends chunks to one lane's segments.
package struct StoreWriter: ~Copyable, Sendable {
    /// The store as readers see it.
    package let store: Store
    private let settings: StoreLimits
    /// For records; everything else has to be written on a full disk too.
    private let fileSystem: any FileSystem
    private let reserved: any FileSystem
    private let syncer: SegmentSyncer
    private let lock: FolderLock
    private var deflater = Deflater()
    private var member = Arena(capacity: 128 * 1024)
    private var items = Arena(capacity: 4096)

    private var sources: [SourceNumber: SourceEntry]
    private var lastSource: SourceNumber
    private var inputNumbers: [String: UInt16]
    private var counts: [UInt16: Counts]

    private var segment: OpenSegment?
    private var reserve: DiskReserve
    /// Bytes of chunks that were written in this start, snapshots left out.
    package private(set) var appendedBytes: UInt64 = 0
    private var pausedSince: Int64?
    /// Bytes that are known to be free above `min_free`, and when that was asked.
    private var freeSpace: UInt64 = 0
    private var freeSpaceAskedAt: Int64 = 0
    private let clockFile: AgeClockFile
    /// The age clock has changed since it was kept.
    private var isClockUnsaved = true
    private var reserveTriedAt: Int64 = 0
    /// Nanoseconds between two tries to take the reserve again.
    private static let reserveInterval: Int64 = 10_000_000_000

    /// A source as the writer knows it.
    private struct SourceEntry {
        let identity: SourceIdentity
        /// As of the last chunk that was written; nil when none was.
        var position: Position?
        var isDefined = false
    }

    /// The segment that is being written.
    private struct OpenSegment {
        var target: SegmentSyncer.Target
        var summary: SegmentSummary
        var chunks: [SegmentIndex.Entry] = []
        var definedInputs: Set<UInt16> = []
        let openedAt: Int64
        var syncAskedAt: Int64
        var syncAskedSize: UInt64 = 0
        /// Its size when it is closed: less on small disks.
        let sizeLimit: UInt64
    }

    init(
        store: Store, settings: StoreLimits, lock: consuming FolderLock, survey: borrowing Survey,
        clockFile: AgeClockFile
    ) {
        self.store = store
        self.settings = settings
        self.clockFile = clockFile
        fileSystem = store.fileSystem
        reserved = store.reserved
        self.lock = lock
        syncer = SegmentSyncer(store.fileSystem)
        sources = survey.sources.mapValues { SourceEntry(identity: $0.identity, position: $0.position) }
        lastSource = survey.lastSource
        inputNumbers = Dictionary(survey.inputs.map { ($0.value, $0.key) }, uniquingKeysWith: max)
        counts = survey.counts
        reserve = DiskReserve(path: store.folder.reserve, fileSystem: store.fileSystem)
    }

    // MARK: Sources and inputs

    /// The sources of an input, with the position each had in the last chunk that was written.
    package func knownSources(input: String) -> [KnownSource] {
        sources.compactMap { number, entry in
            guard entry.identity.input == input, let position = entry.position else { return nil }
            return KnownSource(number: number, identity: entry.identity, position: position)
        }.sorted { $0.number < $1.number }
    }

    /// Whether an input of this name has ever been started on this store.
    package func hasSeen(input: String) -> Bool { inputNumbers[input] != nil }

    /// Gives a new source its number. It is written with the first chunk that covers it.
    package mutating func define(_ identity: SourceIdentity) -> SourceNumber {
        let number = StoreWriter.free(after: lastSource) { sources[$0] != nil }
        lastSource = max(lastSource, number)
        sources[number] = SourceEntry(identity: identity)
        return number
    }

    /// Takes over sources of another store, under their numbers and with their positions: what that one has is not read for this one.
    /// Only before anything was appended.
    package mutating func adopt(_ known: [KnownSource]) {
        for source in known {
            sources[source.number] = SourceEntry(identity: source.identity, position: source.position)
            lastSource = max(lastSource, source.number)
            _ = number(ofInput: source.identity.input)
        }
        guard !known.isEmpty else { return }
        // A snapshot that speaks of them.
        closeSegment()
        _ = beginSegment(SystemClock.monotonic)
    }

    /// Bytes that a source's definition would add to a chunk; 0 when the segment has it.
    package func definitionSize(_ number: SourceNumber) -> Int {
        guard let entry = sources[number], !entry.isDefined else { return 0 }
        let identity = entry.identity
        return 32 + identity.path.utf8.count + identity.namespace.utf8.count + identity.pod.utf8.count
            + identity.uid.utf8.count + identity.container.utf8.count
    }

    private mutating func number(ofInput name: String) -> UInt16 {
        if let number = inputNumbers[name] { return number }
        let taken = Set(inputNumbers.values)
        let number = StoreWriter.free(after: taken.max() ?? 0) { taken.contains($0) }
        inputNumbers[name] = number
        return number
    }

    /// The number behind the last one that was given; when there is none left, one that is not in use any more.
    private static func free<N: FixedWidthInteger>(after last: N, isTaken: (N) -> Bool) -> N {
        guard last == .max else { return last + 1 }
        var number: N = 1
        while number < .max, isTaken(number) { number += 1 }
        return number
    }

    // MARK: Appending

    /// Writes a chunk and what it covers, in one write. On `.full` the builder is left as it was.
    package mutating func append(_ chunk: inout ChunkBuilder) -> AppendOutcome {
        guard !chunk.isEmpty else { return .stored }
        let now = SystemClock.monotonic
        if let current = segment, mustClose(current, now) { closeSegment() }
        if segment == nil, let reason = beginSegment(now) { return pause(reason, now) }
        noteClock()

        encode(chunk)
        let before = segment?.summary.path
        if let reason = makeRoom(UInt64(member.count)) { return pause(reason, now) }
        // Making room may have begun a segment: what is defined in it, and so the field, is another then.
        if segment?.summary.path != before { encode(chunk) }
        guard let current = segment else { return pause("no segment", now) }
        let offset = current.summary.size
        do throws(DiskError) {
            try fileSystem.write(member.span, to: current.target.file, at: offset)
        } catch {
            return failedWrite(error, now)
        }
        freeSpace -= min(freeSpace, UInt64(member.count))
        appendedBytes += UInt64(member.count)
        commit(chunk, at: offset, now)
        return .stored
    }

    /// Lays the chunk's gzip member out in `member`.
    private mutating func encode(_ chunk: borrowing ChunkBuilder) {
        let input = number(ofInput: chunk.input)
        items.removeAll()
        if segment?.definedInputs.contains(input) != true {
            ChunkItem.input(number: input, name: chunk.input).encode(to: &items)
        }
        for step in chunk.progress {
            guard let entry = sources[step.source] else { continue }
            if !entry.isDefined {
                ChunkItem.source(step.source, entry.identity, inputNumber: input).encode(to: &items)
            }
            ChunkItem.coverage(step.source, step.position, isRetired: step.isRetired).encode(to: &items)
        }
        var added = chunk.counts
        added[.storedRecords] = UInt64(chunk.recordCount)
        added[.storedBytes] = UInt64(chunk.text.count)
        ChunkItem.counts(inputNumber: input, added).encode(to: &items)

        var header = ChunkHeader(
            kind: chunk.hasRecords ? .records : .progress, epoch: store.identity.epoch, lane: store.lane,
            firstSequence: store.nextSequence)
        header.input = input
        header.recordCount = chunk.recordCount
        header.minTime = chunk.minTime
        header.maxTime = chunk.maxTime
        member.removeAll()
        seal(&header, text: chunk.text.span)
    }

    /// Appends a whole member to `member`: header, `items`, the compressed text, trailer.
    private mutating func seal(_ header: inout ChunkHeader, text: Span<UInt8>) {
        header.appendTime = store.ages.clocks.wall()
        header.syncedSize = UInt32(clamping: segment?.target.outcome.withLock { $0.syncedSize } ?? 0)
        let start = member.count
        header.encodeBeginning(items: items, to: &member)
        if text.isEmpty {
            member.append(Deflater.finalBlock)
        } else {
            _ = member.fill(Deflater.bound(text.count)) { deflater.compress(text, into: &$0) }
        }
        header.seal(&member, from: start, textSize: text.count, textChecksum: CRC32.of(text))
    }

    /// The chunk is in the file: from now on it counts.
    private mutating func commit(_ chunk: borrowing ChunkBuilder, at offset: UInt64, _ now: Int64) {
        guard var current = segment, case .chunk(let header) = ChunkHeader.read(member.span) else {
            preconditionFailure("a chunk that was just written cannot be read")
        }
        let place = ChunkPlace(header: header, offset: offset)
        current.summary.add(place)
        current.chunks.append(SegmentIndex.Entry(place))
        current.definedInputs.insert(header.input)
        for step in chunk.progress {
            if step.isRetired {
                sources[step.source] = nil
            } else {
                sources[step.source]?.position = step.position
                sources[step.source]?.isDefined = true
            }
        }
        var added = chunk.counts
        added[.storedRecords] = UInt64(chunk.recordCount)
        added[.storedBytes] = UInt64(chunk.text.count)
        counts[header.input, default: Counts()].add(added)
        let total = counts[header.input] ?? Counts()
        segment = current
        publish(current.summary, next: header.endSequence, input: chunk.input, total)
        writesAgain(now)
        askForSync(now)
    }

    private func publish(_ summary: SegmentSummary, next: UInt64, input: String, _ total: Counts) {
        store.publish { state in
            let size = summary.size - (state.segments.last?.size ?? 0)
            state.segments[state.segments.count - 1] = summary
            state.nextSequence = next
            state.counts[input] = total
            state.trouble = nil
            for name in Array(state.cursors.keys) { state.cursors[name]?.waitingBytes += size }
        }
    }

    // MARK: Segments

    private func mustClose(_ current: OpenSegment, _ now: Int64) -> Bool {
        if current.target.outcome.withLock({ $0.failure != nil }) {
            // Where every sync fails, not every chunk is to get a segment of its own.
            return now - current.openedAt >= settings.syncInterval
        }
        guard current.summary.recordCount > 0 else { return current.summary.size >= current.sizeLimit * 2 }
        return current.summary.size >= current.sizeLimit || now - current.openedAt >= settings.segmentAge
    }

    /// Begins a segment with a snapshot of all sources. Returns why that is not possible.
    private mutating func beginSegment(_ now: Int64) -> String? {
        let next = store.nextSequence
        // A name is never used twice: a segment without records keeps its number, and the next one skips it.
        let last = store.segments.last
        let first = max(next, (last?.firstSequence ?? 0) + 1)
        let path = store.folder.segment(lane: store.lane, firstSequence: first)
        var summary = SegmentSummary(path: path, firstSequence: first)
        var skipped = store.look { $0.skipped }
        skipped.add(next..<first)
        summary.follows = last?.endSequence ?? 0
        encodeSnapshot(summary, skipped)
        do throws(DiskError) {
            let file = try reserved.open(path, .create)
            do throws(DiskError) {
                try reserved.truncate(file, to: 0)
                try reserved.write(member.span, to: file, at: 0)
            } catch {
                try? reserved.remove(path)
                throw error
            }
            let free = (try? fileSystem.freeSpace(store.folder.path)) ?? .max
            var chunks: [SegmentIndex.Entry] = []
            while case .chunk(let header) = ChunkHeader.read(member.span.extracting(Int(summary.size)..<member.count)) {
                let place = ChunkPlace(header: header, offset: summary.size)
                summary.add(place)
                chunks.append(SegmentIndex.Entry(place))
            }
            segment = OpenSegment(
                target: SegmentSyncer.Target(file: file, folder: store.folder.segments(lane: store.lane)),
                summary: summary, chunks: chunks, definedInputs: Set(inputNumbers.values), openedAt: now,
                syncAskedAt: now,
                sizeLimit: max(
                    min(1 << 20, settings.segmentSize), min(settings.segmentSize, settings.maxSize / 8, free / 8)))
        } catch {
            return error.description
        }
        isClockUnsaved = true
        for number in Array(sources.keys) where sources[number]?.position != nil { sources[number]?.isDefined = true }
        if let target = segment?.target { syncer.sync(target, size: summary.size) }
        let (published, number, known) = (summary, first, skipped)
        store.publish { state in
            state.segments.append(published)
            state.nextSequence = number
            state.skipped = known
        }
        return nil
    }

    /// Lays a snapshot out in `member`: every input, every source with its position, all counts.
    private mutating func encodeSnapshot(_ summary: SegmentSummary, _ skipped: SkippedNumbers) {
        let first = summary.firstSequence
        member.removeAll()
        items.removeAll()
        ChunkItem.follows(summary.follows).encode(to: &items)
        for range in skipped.ranges { ChunkItem.skip(range).encode(to: &items) }
        for (name, number) in inputNumbers.sorted(by: { $0.value < $1.value }) {
            ChunkItem.input(number: number, name: name).encode(to: &items)
        }
        for (number, total) in counts.sorted(by: { $0.key < $1.key }) {
            ChunkItem.counts(inputNumber: number, total).encode(to: &items)
        }
        for (number, entry) in sources.sorted(by: { $0.key < $1.key }) {
            guard let position = entry.position else { continue }
            if items.count >= ChunkFormat.itemLimit { sealSnapshot(.snapshot, first) }
            let input = inputNumbers[entry.identity.input] ?? 0
            ChunkItem.source(number, entry.identity, inputNumber: input).encode(to: &items)
            ChunkItem.coverage(number, position, isRetired: false).encode(to: &items)
        }
        if lastSource > 0, sources[lastSource]?.position == nil {
            // Numbers are not given again, also when the last one has nothing to say any more.
            ChunkItem.coverage(lastSource, Position([]), isRetired: true).encode(to: &items)
        }
        sealSnapshot(.snapshotEnd, first)
    }

    private mutating func sealSnapshot(_ kind: ChunkKind, _ first: UInt64) {
        var header = ChunkHeader(kind: kind, epoch: store.identity.epoch, lane: store.lane, firstSequence: first)
        let nothing: [UInt8] = []
        seal(&header, text: nothing.span)
        items.removeAll()
    }

    /// Closes the open segment: syncs it and writes its index, both on the helper thread.
    private mutating func closeSegment() {
        guard let current = segment else { return }
        segment = nil
        if let failure = current.target.outcome.withLock({ $0.failure }) {
            let atRisk = current.summary.size - current.target.outcome.withLock { $0.syncedSize }
            store.telemetry.tell(
                StoreEvent.syncFailed(path: current.summary.path, reason: failure.description, bytesAtRisk: atRisk))
        }
        for number in Array(sources.keys) { sources[number]?.isDefined = false }
        syncer.sync(current.target, size: current.summary.size)
        let index = SegmentIndex(summary: current.summary, chunks: current.chunks)
        let fileSystem = self.fileSystem
        // A segment with an index is durable: recovery relies on it.
        syncer.run { if current.target.outcome.withLock({ $0.failure == nil }) { index.write(fileSystem) } }
    }

    /// Writes the open segment again when somebody has deleted its file: all of it is still there, in a file without a name.
    private mutating func restoreDeleted() {
        guard let current = segment, (try? current.target.file.status().linkCount) == 0 else { return }
        let path = current.summary.path
        do throws(DiskError) {
            let file = try reserved.open(path, .create)
            var copied: UInt64 = 0
            while copied < current.summary.size {
                let count = Int(min(1 << 20, current.summary.size - copied))
                let bytes = try current.target.file.read(count: count, at: copied)
                guard !bytes.isEmpty else { break }
                try reserved.write(bytes.span, to: file, at: copied)
                copied += UInt64(bytes.count)
            }
            let target = SegmentSyncer.Target(file: file, folder: store.folder.segments(lane: store.lane))
            segment?.target = target
            syncer.sync(target, size: current.summary.size)
            store.telemetry.tell(StoreEvent.segmentMadeAgain(path: path))
        } catch {
            // A half of it would be taken for the whole. It is tried again in a second.
            try? reserved.remove(path)
            store.telemetry.tell(StoreEvent.cannotWrite(reason: error.description))
        }
    }

    private mutating func askForSync(_ now: Int64) {
        guard var current = segment, current.summary.size > current.syncAskedSize,
            now - current.syncAskedAt >= settings.syncInterval
        else { return }
        current.syncAskedAt = now
        current.syncAskedSize = current.summary.size
        segment = current
        syncer.sync(current.target, size: current.summary.size)
    }

    // MARK: The clock

    /// Notes a step of the wall clock before anything is written under it.
    private mutating func noteClock() {
        if let step = store.ages.note(next: store.nextSequence) {
            isClockUnsaved = true
            store.telemetry.tell(StoreEvent.clockStepped(seconds: step / 1_000_000_000))
        }
        saveClock()
    }

    /// Keeps the age clock, when that is due: at each start, with each segment, and after a step.
    private mutating func saveClock() {
        guard isClockUnsaved, clockFile.write(store.ages.kept) else { return }
        isClockUnsaved = false
        syncer.run { [clockFile] in clockFile.sync() }
    }

    // MARK: Room

    /// Deletes history, or makes the slowest output give way, until `bytes` more fit. Returns why they do not.
    private mutating func makeRoom(_ bytes: UInt64) -> String? {
        while let shortage = shortage(of: bytes) {
            let segments = store.segments
            guard let oldest = segments.first, segments.count > 1 else {
                // Only the open segment is left. When everybody has read it, a new one takes its place.
                if segments.count == 1, let current = segment, current.summary.recordCount > 0,
                    nobodyNeeds(current.summary)
                {
                    closeSegment()
                    if let reason = beginSegment(SystemClock.monotonic) { return reason }
                    continue
                }
                return shortage
            }
            guard newestSnapshotIsDurable else {
                if let current = segment { syncer.sync(current.target, size: current.summary.size) }
                syncer.run { [store] in store.wakeWriter() }
                return StoreWriter.waitsForSync
            }
            if !nobodyNeeds(oldest), !giveWay(oldest) {
                return shortage
            }
            if let reason = delete(oldest) { return reason }
        }
        return nil
    }

    /// Why `bytes` more are too many; nil when they fit.
    private mutating func shortage(of bytes: UInt64) -> String? {
        let used = store.segments.reduce(store.deadLetterBytes) { $0 + $1.size }
        if used + bytes > settings.maxSize { return "store.max_size is reached" }
        // Asked again when what was known to be free is used up, at the latest after a second: others write too.
        let now = SystemClock.monotonic
        if freeSpace < bytes || now - freeSpaceAskedAt > 1_000_000_000 {
            freeSpaceAskedAt = now
            let free = (try? fileSystem.freeSpace(store.folder.path)) ?? .max
            // Little by little: the rest may be gone to somebody else by then.
            freeSpace = free < settings.minFree ? 0 : min(free - settings.minFree, 8 << 20)
        }
        if freeSpace < bytes { return "less than store.min_free is left on the disk" }
        return nil
    }

    /// Deletions wait until what supersedes them is on the disk.
    private var newestSnapshotIsDurable: Bool {
        guard let target = segment?.target else { return false }
        return target.outcome.withLock { $0.isFolderSynced && $0.syncedSize > 0 }
    }

    private func nobodyNeeds(_ summary: SegmentSummary) -> Bool {
        store.cursors.values.allSatisfy { max($0.next, $0.floor) >= summary.endSequence }
    }

    /// Moves the outputs that still need the segment past it, if each of them agrees and another output has got further.
    private func giveWay(_ summary: SegmentSummary) -> Bool {
        let cursors = store.cursors
        let behind = cursors.filter { max($0.value.next, $0.value.floor) < summary.endSequence }
        guard behind.count < cursors.count, behind.values.allSatisfy(\.mayGiveWay) else { return false }
        store.publish { state in
            for name in behind.keys { state.cursors[name]?.floor = summary.endSequence }
        }
        for (name, cursor) in behind {
            let lost = store.records(from: max(cursor.next, cursor.floor), to: summary.endSequence)
            store.telemetry.tell(StoreEvent.gaveWay(output: name, records: lost))
        }
        return true
    }

    /// Deletes the oldest segment. Returns why it cannot.
    private func delete(_ summary: SegmentSummary) -> String? {
        do throws(DiskError) {
            try fileSystem.remove(StoreFolder.index(ofSegment: summary.path))
            try fileSystem.remove(summary.path)
        } catch {
            return error.description
        }
        store.publish { state in
            if state.segments.first?.path == summary.path { state.segments.removeFirst() }
        }
        store.telemetry.tell(StoreEvent.historyRetired(path: summary.path))
        return nil
    }

    // MARK: Trouble

    private mutating func failedWrite(_ error: DiskError, _ now: Int64) -> AppendOutcome {
        // Cut back at once: what was written of the chunk must not stand before the next one.
        if let current = segment {
            do throws(DiskError) {
                try fileSystem.truncate(current.target.file, to: current.summary.size)
            } catch {
                closeSegment()
            }
        }
        if error.isFull { _ = reserve.release() }
        return pause(error.description, now)
    }

    /// History is deleted in a moment: that is no trouble worth telling.
    private static let waitsForSync = "room is made when the newest segment is durable"

    private mutating func pause(_ reason: String, _ now: Int64) -> AppendOutcome {
        if reason == StoreWriter.waitsForSync { return .full(reason: reason) }
        if pausedSince == nil {
            pausedSince = now
            if reason.hasPrefix("store.max_size") || reason.hasPrefix("less than store.min_free") {
                store.telemetry.tell(StoreEvent.full(reason: reason))
            } else {
                store.telemetry.tell(StoreEvent.cannotWrite(reason: reason))
            }
        }
        if store.trouble != reason { store.publish { $0.trouble = reason } }
        return .full(reason: reason)
    }

    private mutating func writesAgain(_ now: Int64) {
        guard let since = pausedSince else { return }
        pausedSince = nil
        reserve.restore()
        store.telemetry.tell(StoreEvent.writesAgain(afterSeconds: Int((now - since) / 1_000_000_000)))
    }

    // MARK: Housekeeping

    /// What the lane does about once a second: sync, close an old segment, delete history that is old enough (one segment at
    /// most, so that one bad step of the clock cannot delete everything).
    package mutating func housekeep() {
        let now = SystemClock.monotonic
        noteClock()
        restoreDeleted()
        if pausedSince == nil, now - reserveTriedAt > StoreWriter.reserveInterval {
            reserveTriedAt = now
            reserve.restore()
        }
        askForSync(now)
        if let current = segment, current.summary.recordCount > 0, mustClose(current, now) {
            closeSegment()
            _ = beginSegment(now)
        }
        let segments = store.segments
        guard segments.count > 1, let oldest = segments.first, nobodyNeeds(oldest), newestSnapshotIsDurable,
            store.ages.age(ofChunk: oldest.lastAppend, number: max(oldest.firstSequence, oldest.endSequence - 1))
                > settings.history
        else { return }
        _ = delete(oldest)
    }

    /// Creates what a start needs: the folders, the reserve, a segment with a snapshot.
    mutating func start() {
        reserve.restore()
        if let reason = beginSegment(SystemClock.monotonic) {
            // A full disk must not keep the agent from delivering what waits: that is what frees it.
            _ = pause(reason, SystemClock.monotonic)
        }
        saveClock()
    }

    /// Blocks until everything that was asked of the helper thread is done. The lane never waits so.
    package func awaitSync() { syncer.wait() }

    /// Syncs everything and lets go of the store. Appending is over.
    package consuming func close() {
        isClockUnsaved = true
        saveClock()
        closeSegment()
        syncer.stop()
        store.end()
    }

    deinit { syncer.stop() }
}
