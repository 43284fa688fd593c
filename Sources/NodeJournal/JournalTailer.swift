// Follows one journal: opens it and opens it again, goes on after the last committed entry, notices what is lost.
// It is driven by the lane's thread and never waits. The rules are in docs/journal.md.
import Bytes
package import Disk
package import Journal
package import Records
package import Telemetry

/// Where to begin in a journal that was never read before.
package enum JournalStart: Sendable, Equatable {
    /// At its first entry.
    case beginning
    /// Behind its last entry.
    case end
    /// At the first entry of the boot that its newest entry is of.
    case boot
    /// So many nanoseconds ago.
    case ago(Int64)
}

/// How a journal is followed.
package struct JournalTailOptions: Sendable {
    /// The input's name.
    package var input: String
    /// The namespace of journald that the journal is of, for log lines.
    package var namespace: String?
    /// What is read; where `paths` are given, what these are.
    package var source = JournalSource.local
    /// Folders or files as they were named: what they are is looked at whenever the journal is opened.
    package var paths: [String] = []
    /// A folder of ours for links, where two journal folders are read as one.
    package var links: String?
    package var records = JournalRecordOptions()
    package var start = JournalStart.ago(3_600_000_000_000)
    /// Read to the present end, and no further.
    package var once = false

    package init(input: String) { self.input = input }

    /// Whose journal it is, for log lines.
    var title: String { namespace.map { "\(input), namespace \($0)" } ?? input }
}

/// Reads a journal, a batch at a time.
package final class JournalTailer {
    let options: JournalTailOptions
    private(set) var source: JournalSource
    let telemetry: Telemetry
    var records: JournalRecords
    private var reader: JournalReader?
    private var descriptor: Int32?
    private let known: [KnownSource]
    private var number: SourceNumber?

    /// Where reading stands, and what its journal cursor says; as of the last batch that was handed out.
    private(set) var position: JournalPosition?
    private var cursor: JournalCursor?
    /// The position is one that the store was not told yet.
    var isUntold = false
    private var untoldCounts = Counts()

    /// How far the boots have been read that the above says nothing of.
    var coverage: BootCoverage
    /// The boot that the reader of the whole journal stands in.
    var standing = BootStanding()
    /// The readers of boots that are read apart, and the boots that are to have one.
    var apart: [BootReader] = []
    var waiting: [JournalID] = []
    /// A reader that looks where a boot's first unread entry is, and where in the numbers of their journald the boots' next entries are.
    var lookout: JournalReader?
    var numbers: [JournalID: BootNumbers] = [:]
    /// The files that are written to, as they were before the journal was read last.
    var tails: [JournalTail] = []
    /// Boots in which nothing was found behind the place that was reached, and what their file's header said.
    var examined: [JournalID: UInt64] = [:]
    /// What the store is to be told of boots that are gone.
    var forgotten: [Progress] = []
    /// At the journal's end all its boots are to be looked at.
    var isToLookAtBoots = true
    /// A boot that is read apart has the next batch.
    private var isApartsTurn = false

    private var isReady = false
    /// The last step found nothing: what comes next is new.
    private var isCaughtUp = false
    /// With `once`: the end was reached, or given up.
    private var isDone = false
    /// With `once`: why reading ended before the journal's end.
    package private(set) var failure: String?
    private var failuresInARow = 0
    private static let mostFailures = 5
    /// When the journal is to be opened again; nil: it is open.
    private(set) var reopenAt: Int64? = 0
    /// The last entry read is gone and everything sorts before it: something else may turn up that was never read.
    private var mayBeBehind = false
    /// Then it was another boot that reading goes on with.
    private var bootToStandIn: JournalID?
    /// The gap behind this journal cursor is accounted for.
    private var accountedGap: String?
    /// Files came or went since they were looked at.
    private var filesChanged = false
    /// Whether entries may be in files that are not for us to read, so that they only seem to be missing.
    private(set) var mayNotSeeAll = false
    /// Entries seemed to be missing at the last look: this one decides.
    private var isSecondLook = false
    private var nextSecondLook: Int64 = 0

    /// Bytes of entries that were read since the journal was opened.
    private var readSinceOpen: UInt64 = 0
    /// Enough was read that what libsystemd keeps mapped of it is to be let go.
    private var isToLetGo = false
    var lastEntryAt: Int64 = 0
    private var nextLook: Int64 = 0
    private var nextCheck: Int64 = 0
    private var retryDelay = JournalTailer.shortestRetry
    /// The folders as they were when the journal was opened.
    private var folders: [String] = []
    /// The last step led into a damaged file, which libsystemd has left since; what it had before that was read.
    private var isCutShort = false
    /// Entries to read at most: one more would lead into the damage.
    private var entryLimit: UInt64?
    /// Where a file was told to be cut short.
    private var toldCut: JournalPosition?
    var told: Set<String> = []
    private var saidNothing: (reason: String, at: Int64)?
    private var faults = 0
    private var wasFound = false

    /// The last entry's boot, and how far its clocks are apart, microseconds; the same of other boots that were met.
    struct Clocks {
        var boot: JournalID?
        var difference: Int64 = 0
        var boots: [JournalID: Int64] = [:]
    }
    var clocks = Clocks()
    private static let rememberedBoots = 64
    /// What the entries of the batch that is being read tell: told when it is handed out, for it may have to be read again.
    var noted: [JournalEvent] = []

    /// Bytes of a batch, and entries that are looked at for it.
    static let batchBytes = 256 * 1024
    static let batchEntries: UInt64 = 4096
    /// libsystemd keeps what it has read mapped, up to half a gigabyte: after so many bytes it is made to let go.
    static let mappedBytes: UInt64 = 16 << 20
    /// journald tells followers of an entry up to 250 ms late (its POST_CHANGE_TIMER_INTERVAL_USEC), so for a while after each one
    /// the journal is looked at rather than waited for.
    private static let lookInterval: Int64 = 50_000_000
    private static let lookFor: Int64 = 60_000_000_000
    private static let checkInterval: Int64 = 10_000_000_000
    private static let shortestRetry: Int64 = 100_000_000
    private static let longestRetry: Int64 = 10_000_000_000
    private static let reminder: Int64 = 600_000_000_000

    package init(_ options: JournalTailOptions, known: [KnownSource], telemetry: Telemetry) {
        self.options = options
        source = options.paths.isEmpty ? options.source : .folders(options.paths)
        let known = known.filter { $0.identity.kind == .journal }
        self.known = known.filter { BootReached.read($0.position) == nil }
        coverage = BootCoverage(known)
        self.telemetry = telemetry
        records = JournalRecords(options.records)
        for source in self.known.reversed() where position == nil {
            position = JournalPosition(source.position)
            if source.identity.path == path { number = source.number }
        }
        if let position, case .after(let text) = position { cursor = JournalCursor(text) }
    }

    /// What the source is called.
    private var path: String {
        switch source {
        case .local: "journal"
        case .folders(let paths), .files(let paths): paths.joined(separator: ":")
        }
    }

    // MARK: Opening

    /// Opens the journal, at the start and whenever that has to be tried again.
    /// - Returns: why nothing can be read; nil when the journal is open.
    @discardableResult
    package func open(on poller: inout Poller, now: Int64) -> String? {
        close(on: &poller)
        reopenAt = nil
        isToLetGo = false
        readSinceOpen = 0
        nextCheck = now + JournalTailer.checkInterval
        do throws(JournalError) {
            if !options.paths.isEmpty { source = try JournalSource(paths: options.paths) }
            folders = source.folderIdentities
            let survey = JournalSurvey(source)
            let files = survey.files.filter(\.isReadable)
            guard !files.isEmpty else {
                let reason = survey.findings.isEmpty ? "there are no journal files" : survey.findings.described
                return nothing(reason, now)
            }
            tell(survey.findings)
            if !wasFound { lookAtMachine(files, survey) }
            mayNotSeeAll = mayNotSeeAll(survey)
            if options.once, mayNotSeeAll, case .folders = source { failure = survey.findings.first?.description }
            var reader = try JournalReader(source, links: options.links)
            try place(&reader, files)
            standing = BootStanding(in: bootToStandIn, at: position, coverage)
            assumeBootsRead()
            apart = []
            waiting = []
            examined = [:]
            numbers = [:]
            isToLookAtBoots = true
            tails = JournalTail.list(files)
            faults = reader.faults
            if !options.once { watch(&reader, &poller) }
            self.reader = consume reader
        } catch {
            return nothing(error.description, now)
        }
        saidNothing = nil
        wasFound = true
        isReady = !isDone
        isCaughtUp = false
        return nil
    }

    /// Opens the same journal once more: then nothing of it is mapped.
    private func letGo(on poller: inout Poller, now: Int64) {
        close(on: &poller)
        isToLetGo = false
        readSinceOpen = 0
        do throws(JournalError) {
            guard case .after(let text) = position else {
                _ = open(on: &poller, now: now)
                return
            }
            var reader = try JournalReader(source, links: options.links)
            guard case .found = try reader.resume(after: text) else {
                _ = open(on: &poller, now: now)
                return
            }
            if !options.once { watch(&reader, &poller) }
            faults = reader.faults
            self.reader = consume reader
            isReady = true
        } catch {
            failed(error, now)
        }
    }

    private func close(on poller: inout Poller) {
        if reader != nil { tellFaults() }
        if let descriptor { poller.remove(descriptor) }
        descriptor = nil
        reader = nil
        lookout = nil
        isReady = false
    }

    /// Nothing can be read now: says so, again only when the reason is another or much time has passed.
    private func nothing(_ reason: String, _ now: Int64) -> String {
        if saidNothing?.reason != reason || now - (saidNothing?.at ?? 0) > JournalTailer.reminder {
            telemetry.tell(JournalEvent.nothingToRead(input: options.title, reason: reason))
            saidNothing = (reason, now)
        }
        reopenAt = now + JournalTailer.checkInterval
        if options.once { giveUp(reason) }
        // What a journal has when it is found at last is behind the end, if it is newer than this.
        if position == nil, options.start == .end { stand(at: .from(UInt64(clamping: SystemClock.realtime / 1000))) }
        return reason
    }

    private func watch(_ reader: inout JournalReader, _ poller: inout Poller) {
        do throws(JournalError) {
            let descriptor = try reader.descriptor(atLeast: max(1, source.presentFolders.count))
            do throws(DiskError) {
                try poller.add(descriptor)
                self.descriptor = descriptor
            } catch {
                telemetry.tell(JournalEvent.noWatch(input: options.title, reason: error.description))
            }
        } catch {
            telemetry.tell(JournalEvent.noWatch(input: options.title, reason: error.description))
        }
    }

    private func tell(_ findings: [JournalFinding]) {
        let new = findings.map(\.description).filter { told.insert($0).inserted }
        let shown = new.count > 8 ? Array(new.prefix(7)) + ["and \(new.count - 7) more like these"] : new
        for finding in shown { telemetry.tell(JournalEvent.unreadable(input: options.title, finding: finding)) }
    }

    /// Whether there are files that we do not read but others could. What is damaged is lost to everybody.
    private func mayNotSeeAll(_ survey: JournalSurvey) -> Bool {
        // The files beside those that are named are numbered with them.
        if case .files = source { return true }
        return survey.findings.contains { finding in
            switch finding.problem {
            case .denied, .tooNew, .unreadable: true
            case .missing, .noFiles, .notAJournal, .damaged: false
            }
        }
    }

    /// Says what is surprising about the journal that was found.
    private func lookAtMachine(_ files: [JournalFile], _ survey: JournalSurvey) {
        let newest = Int64(clamping: files.compactMap { $0.header?.lastRealtime }.max() ?? 0)
        // Whoever reads a copy from its beginning knows that it is old.
        var isOldWelcome = options.once
        if case .ago = options.start, position == nil { isOldWelcome = false }
        if newest > 0, SystemClock.realtime / 1000 - newest > 3_600_000_000, !isOldWelcome {
            telemetry.tell(JournalEvent.stale(input: options.title, newest: JournalTailer.text(newest &* 1000)))
        }
        for folder in source.absentFolders {
            telemetry.tell(JournalEvent.absentFolder(input: options.title, path: folder))
        }
        guard !options.once else { return }
        let machines = Set(files.compactMap { $0.header?.machineID.description })
        if let own = JournalID.thisMachine?.description, !machines.contains(own) {
            telemetry.tell(
                JournalEvent.foreignMachine(input: options.title, machines: machines.sorted(), own: own))
        }
        if case .files = source, let written = files.first(where: { $0.header.map { $0.state != .archived } ?? false })
        {
            telemetry.tell(JournalEvent.willRotate(input: options.title, path: written.path))
        }
    }

    private static func text(_ nanoseconds: Int64) -> String {
        var text = Arena(capacity: 64)
        var writer = TimestampWriter()
        writer.append(nanoseconds, to: &text)
        return String(decoding: text.span)
    }

    // MARK: Going on

    /// Lets the reader stand before the first entry that is to be read.
    private func place(_ reader: inout JournalReader, _ files: [JournalFile]) throws(JournalError) {
        let isFirst = known.isEmpty || position == nil
        switch position {
        case .after(let text): try resume(&reader, text, files)
        case .from(let time): try reader.seek(to: time == 0 ? .head : .realtime(time))
        case nil: stand(at: try start(&reader))
        }
        guard !wasFound else { return }
        telemetry.tell(
            isFirst
                ? JournalEvent.opened(input: options.title, files: files.count, from: options.start.description)
                : .resumed(input: options.title, files: files.count))
    }

    /// Finds the place of a first start, and goes there.
    private func start(_ reader: inout JournalReader) throws(JournalError) -> JournalPosition {
        switch options.start {
        case .beginning: return .from(0)
        case .ago(let nanoseconds):
            let time = UInt64(clamping: (SystemClock.realtime - nanoseconds) / 1000)
            try reader.seek(to: .realtime(time))
            return .from(time)
        case .end: try reader.skipToEnd()
        case .boot:
            try reader.seek(to: .tail)
            guard try reader.previous() else { return .from(0) }
            try seek(&reader, toFirstOf: try reader.moment().bootID)
            // Steps behind the entry before the boot's first one.
            guard try reader.next(), try reader.previous() else {
                try reader.seek(to: .head)
                return .from(0)
            }
        }
        do throws(JournalError) {
            return .after(try reader.cursor())
        } catch {
            // There is no entry at all.
            return .from(0)
        }
    }

    /// Goes before the first entry of a boot. By its time (`JournalPlace.monotonic`) it is not found: for that libsystemd takes the first
    /// entry of every file that has nothing of the boot, and backwards the last one of those that have.
    private func seek(_ reader: inout JournalReader, toFirstOf boot: JournalID) throws(JournalError) {
        try reader.select(JournalMatches([JournalTerm("_BOOT_ID", "\(boot)")]))
        try reader.seek(to: .head)
        let first = try reader.next() ? try reader.cursor() : nil
        try reader.select(.everything)
        try reader.seek(to: first.map(JournalPlace.cursor) ?? .head)
    }

    /// Goes on behind the entry of a journal cursor, and accounts for what is gone.
    private func resume(
        _ reader: inout JournalReader, _ text: String, _ files: [JournalFile]
    ) throws(JournalError) {
        let found: JournalResumption
        mayBeBehind = false
        bootToStandIn = nil
        do throws(JournalError) {
            found = try reader.resume(after: text)
        } catch .badCursor(let text) {
            telemetry.tell(JournalEvent.readFailed(input: options.title, reason: "\(text) is no journal cursor"))
            stand(at: .from(0))
            return try reader.seek(to: .head)
        }
        switch found {
        case .found: break
        case .gone where accountedGap != text && !isDamaged(files):
            accountedGap = text
            let lost = lostEntries(files)
            if lost != 0 {
                telemetry.tell(JournalEvent.gone(input: options.title, entries: lost))
                count(lost: lost ?? 0)
            }
            // The next batch is not to be measured by it once more.
            cursor = nil
        case .gone: break
        case .nothingLater: mayBeBehind = try !goToLaterBoot(&reader, files)
        }
    }

    /// How many entries lay between the last one read and the first that is left, by their numbers; nil when these do not tell.
    private func lostEntries(_ files: [JournalFile]) -> UInt64? {
        guard let cursor else { return nil }
        let headers = files.compactMap(\.header).filter { $0.sequenceID == cursor.sequenceID && $0.entries > 0 }
        guard let first = headers.map(\.firstSequence).filter({ $0 > cursor.sequence }).min() else { return nil }
        // The files beside those that are named are numbered with them.
        if case .files = source { return nil }
        return min(first - cursor.sequence - 1, JournalRecords.mostLost)
    }

    /// Whether the file that has the last entry read by its numbers is there, but the entry is not found. What is missing of that file
    /// shows when others are read (`isComplete`).
    private func isDamaged(_ files: [JournalFile]) -> Bool {
        guard let cursor else { return false }
        return files.compactMap(\.header).contains { header in
            header.sequenceID == cursor.sequenceID && header.entries > 0 && header.firstSequence <= cursor.sequence
                && header.lastSequence >= cursor.sequence
        }
    }

    /// Everything that is there sorts before the last entry read. When it is of another boot and counted by another journald, it was
    /// never read: the clock was set back, or the journal replaced. Goes to that boot's first entry.
    private func goToLaterBoot(
        _ reader: inout JournalReader, _ files: [JournalFile]
    ) throws(JournalError) -> Bool {
        guard let cursor, !files.contains(where: { $0.header?.sequenceID == cursor.sequenceID }) else { return false }
        // The newest is that of the file which is written to; by their times, entries of a wrong clock may sort behind it.
        let written = files.compactMap(\.header).first { $0.state != .archived && $0.entries > 0 }?.bootID
        try reader.seek(to: .tail)
        guard try reader.previous() else { return false }
        var newest = try reader.moment().bootID
        if let written { newest = written }
        guard newest != cursor.bootID else { return false }
        try seek(&reader, toFirstOf: newest)
        telemetry.tell(JournalEvent.startedAnew(input: options.title, boot: newest))
        self.cursor = nil
        bootToStandIn = newest
        return true
    }

    func count(lost: UInt64) { untoldCounts[.vanishedEntries] += lost }

    private func stand(at position: JournalPosition) {
        self.position = position
        if case .after(let text) = position { cursor = JournalCursor(text) } else { cursor = nil }
        isUntold = true
    }

    // MARK: Being driven

    /// Takes what the journal's descriptor has to tell, and opens the journal again where that is called for.
    package func wake(on poller: inout Poller, now: Int64) {
        guard !isDone else { return }
        if let reopenAt {
            if now >= reopenAt { open(on: &poller, now: now) }
            return
        }
        if isToLetGo { letGo(on: &poller, now: now) }
        do throws(JournalError) {
            var deadline: Int64?
            if descriptor != nil {
                // Both would begin to watch.
                let change = try reader?.process() ?? .nothing
                if change == .invalidate { filesDidChange() }
                if change != .nothing { tails = JournalTail.list(tails) }
                deadline = try reader?.deadline() ?? nil
            }
            let isActive = now - lastEntryAt < JournalTailer.lookFor || descriptor == nil
            nextLook = min(isActive ? now + JournalTailer.lookInterval : .max, deadline ?? .max)
            isReady = true
            for boot in apart { boot.isAtEnd = false }
        } catch {
            failed(error, now)
        }
        if now >= nextCheck { check(now) }
    }

    /// New files are found by new readers.
    private func filesDidChange() {
        filesChanged = true
        isToLookAtBoots = true
        lookout = nil
        for boot in apart where !waiting.contains(boot.boot) { waiting.append(boot.boot) }
        apart = []
    }

    /// Looks whether there is a folder that was not there, and after a change whether all files can be read.
    private func check(_ now: Int64) {
        nextCheck = now + JournalTailer.checkInterval
        // Without a watch new files are found by opening the journal again; a file that broke off may go on.
        if source.folderIdentities != folders || descriptor == nil || isCutShort { reopenAt = now }
        tellFaults()
        guard filesChanged else { return }
        filesChanged = false
        let survey = JournalSurvey(source)
        tell(survey.findings)
        mayNotSeeAll = mayNotSeeAll(survey)
        if mayBeBehind { reopenAt = now }
    }

    private func tellFaults() {
        let faulty = reader?.faults ?? 0
        guard faulty > faults else { return }
        telemetry.tell(JournalEvent.pageFaults(input: options.title, pages: faulty - faults))
        faults = faulty
        filesChanged = true
    }

    /// When it wants to be woken although nothing was told, nanoseconds on the monotonic clock.
    package var nextDeadline: Int64 { isDone ? .max : isToLetGo ? 0 : reopenAt ?? min(nextLook, nextCheck) }

    /// Whether something can be read at once.
    package var hasReady: Bool { isUntold || (isReady || hasApart) && !isDone && reopenAt == nil && !isToLetGo }

    func failed(_ error: JournalError, _ now: Int64) {
        telemetry.tell(JournalEvent.readFailed(input: options.title, reason: error.description))
        reopenAt = now + retryDelay
        retryDelay = min(retryDelay * 2, JournalTailer.longestRetry)
        guard options.once else { return }
        // Nobody waits: it is tried again at once, and not for ever.
        reopenAt = 0
        failuresInARow += 1
        if failuresInARow == JournalTailer.mostFailures { giveUp(error.description) }
    }

    private func giveUp(_ reason: String) {
        failure = reason
        isDone = true
    }
}

// MARK: - Reading

extension JournalTailer {
    /// Reads one batch into the empty batch.
    /// - Parameter sparing: much is waiting for the outputs: what lies further back is read at their pace.
    /// - Returns: false when there was nothing.
    package func read(
        into batch: inout RecordBatch, sparing: Bool, define: (SourceIdentity) -> SourceNumber
    ) -> Bool {
        if isUntold {
            isUntold = false
            commit(&batch, define)
            return true
        }
        guard isReady || hasApart, !isDone, reopenAt == nil, !isToLetGo, !sparing || isCaughtUp else { return false }
        // In turns: neither is to wait for ever for the other. What is to be read apart is found at the end of the whole.
        for isApart in isApartsTurn ? [true, false, true] : [false, true] where reopenAt == nil {
            let found = isApart ? readApart(into: &batch) : isReady && readWhole(into: &batch)
            guard found else { continue }
            isApartsTurn = !isApart
            commit(&batch, define)
            return true
        }
        if options.once, !isReady, !hasApart, reopenAt == nil { isDone = true }
        return false
    }

    /// Reads what comes next in the whole journal. Returns false when there is nothing, or when it has to be opened again.
    private func readWhole(into batch: inout RecordBatch) -> Bool {
        let now = SystemClock.monotonic
        let before = (clocks, standing, coverage)
        noted.removeAll()
        do throws(JournalError) {
            let (stepped, isAtEnd) = try readEntries(&batch)
            isCaughtUp = isAtEnd
            guard stepped > 0 else {
                isReady = false
                lookForBoots()
                return false
            }
            lastEntryAt = now
            guard let text = try cursorOfLast(stepped, now), isComplete(to: text, stepped, now) else {
                batch.reset()
                (clocks, standing, coverage) = before
                return false
            }
            retryDelay = JournalTailer.shortestRetry
            failuresInARow = 0
            for event in noted { telemetry.tell(event) }
            position = .after(text)
            cursor = JournalCursor(text)
            standing.reach(text)
            readSinceOpen += records.takeBytes()
            if readSinceOpen > JournalTailer.mappedBytes { isToLetGo = true }
        } catch {
            // Nothing of the batch counts: it is read again.
            batch.reset()
            (clocks, standing, coverage) = before
            failed(error, now)
            return false
        }
        return true
    }

    /// The journal cursor of the last entry of a batch; nil when the step behind it led into a damaged file. Then the journal is opened
    /// again, to read no further than to that step.
    private func cursorOfLast(_ stepped: UInt64, _ now: Int64) throws(JournalError) -> String? {
        do throws(JournalError) {
            let text = try reader?.cursor()
            isCutShort = entryLimit != nil
            entryLimit = nil
            return text
        } catch {
            guard case .noEntry = error, entryLimit == nil else {
                entryLimit = nil
                throw error
            }
            entryLimit = stepped
            reopenAt = 0
            if toldCut != position {
                toldCut = position
                telemetry.tell(JournalEvent.cutShort(input: options.title))
            }
            if options.once { failure = "a file is damaged (journalctl --verify tells more)" }
            return nil
        }
    }

    /// Steps over as many entries as make a batch. Returns how many, and whether there are no more.
    private func readEntries(_ batch: inout RecordBatch) throws(JournalError) -> (UInt64, isAtEnd: Bool) {
        guard var open = reader.take() else { return (0, true) }
        do throws(JournalError) {
            let result = try readEntries(&open, &batch)
            reader = consume open
            return result
        } catch {
            reader = consume open
            throw error
        }
    }

    private func readEntries(
        _ reader: inout JournalReader, _ batch: inout RecordBatch
    ) throws(JournalError) -> (UInt64, isAtEnd: Bool) {
        var stepped: UInt64 = 0
        let most = entryLimit ?? JournalTailer.batchEntries
        while batch.arena.count < JournalTailer.batchBytes || entryLimit != nil, stepped < most {
            guard try reader.next() else { return (stepped, true) }
            stepped += 1
            let time = try reader.realtime()
            let moment = try reader.moment()
            if moment.bootID != standing.boot { try step(into: moment, &reader) }
            if try passes(moment, &reader) { continue }
            noteClocks(time, moment)
            _ = try records.append(&reader, time: time, to: &batch)
            noteSuppressed(&batch)
        }
        return (stepped, false)
    }

    /// Whether all entries up to a journal cursor were seen, by their numbers. When some were not, the journal is opened again and looked
    /// at once more: a file that came just then may hold them. What is missing then is lost, and counted.
    private func isComplete(to text: String, _ stepped: UInt64, _ now: Int64) -> Bool {
        guard let last = cursor, let reached = JournalCursor(text), reached.sequenceID == last.sequenceID,
            !mayNotSeeAll, reached.sequence > last.sequence, reached.sequence - last.sequence > stepped
        else {
            isSecondLook = false
            return true
        }
        if !isSecondLook, now >= nextSecondLook {
            isSecondLook = true
            // When the lane looks next, whatever time that has: with `once` it asks a last time with one from before.
            reopenAt = 0
            return false
        }
        isSecondLook = false
        // Where entries are missing again and again, each is not worth a second look.
        nextSecondLook = now + JournalTailer.checkInterval
        guard case .after(let before) = position else { return true }
        let missing = missing(between: before, text, stepped: stepped)
        guard missing > 0 else { return true }
        telemetry.tell(JournalEvent.missing(input: options.title, entries: missing))
        count(lost: missing)
        return true
    }

    private func commit(_ batch: inout RecordBatch, _ define: (SourceIdentity) -> SourceNumber) {
        guard let position else { return }
        let number = self.number ?? define(SourceIdentity(kind: .journal, input: options.input, path: path))
        batch.progress.append(Progress(source: number, position: position.position))
        if self.number == nil {
            // The same journal under another path.
            for source in known {
                batch.progress.append(
                    Progress(source: source.number, position: source.position, isRetired: true))
            }
        }
        self.number = number
        batch.progress += bootSteps { define(SourceIdentity(kind: .journal, input: options.input, path: path)) }
        batch.counts.add(untoldCounts)
        untoldCounts = Counts()
    }

    // MARK: What entries tell

    /// Notices new boots, and steps of the clock within one.
    func noteClocks(_ time: UInt64, _ moment: JournalMoment) {
        let difference = Int64(bitPattern: time &- moment.monotonic)
        defer { clocks.difference = difference }
        if moment.bootID != clocks.boot {
            if let boot = clocks.boot { clocks.boots[boot] = clocks.difference }
            clocks.boot = moment.bootID
            guard let known = clocks.boots[moment.bootID] else {
                if !clocks.boots.isEmpty { noted.append(.newBoot(input: options.title, boot: moment.bootID)) }
                if clocks.boots.count >= JournalTailer.rememberedBoots { clocks.boots = [:] }
                return
            }
            // Journals of several machines are read as one.
            clocks.difference = known
        }
        let step = difference &- clocks.difference
        guard step.magnitude > 1_000_000 else { return }
        noted.append(.clockChanged(input: options.title, seconds: step / 1_000_000))
    }

    /// journald says how much it threw away itself.
    func noteSuppressed(_ batch: inout RecordBatch) {
        guard let (unit, messages) = records.suppressed else { return }
        batch.counts[.suppressedEntries] += messages
        noted.append(.suppressed(input: options.title, unit: unit, messages: messages))
    }
}

extension JournalFile {
    /// Whether anything can be read of it.
    fileprivate var isReadable: Bool {
        switch problem {
        case nil, .damaged: true
        default: false
        }
    }
}

extension [JournalFinding] {
    /// All of them as one text.
    fileprivate var described: String { map(\.description).joined(separator: "; ") }
}

extension JournalStart: CustomStringConvertible {
    /// For log lines.
    package var description: String {
        switch self {
        case .beginning: "the beginning"
        case .end: "the end"
        case .boot: "the last boot's first entry"
        case .ago(let nanoseconds): "\(nanoseconds / 1_000_000_000) s ago"
        }
    }
}
