// `sluice tail` without its command line: what is read, in which order it is given, and what is followed.
import Bytes
package import Disk
import Logging
import Pipeline
import PodMetadata
import Records
import Store
import Synchronization
package import Telemetry

/// What is asked for.
package struct TailRequest: Sendable {
    /// The agent's data directory.
    package var dataDirectory = "/var/lib/sluice"
    /// Where the node's own files are.
    package var places = NodePlaces()
    /// In which folder the node's files are read into a folder of ours, where no agent does.
    package var scratch = Machine.environment("TMPDIR") ?? "/tmp"
    /// Which records.
    package var selection: RecordSelection
    /// The boot of journal entries that is asked for.
    package var boot: BootChoice?
    /// Only what is gone.
    package var isGone = false
    /// The last so many of them; nil: all.
    package var lines: Int?
    /// The latest first.
    package var isReversed = false
    /// Go on with what comes.
    package var follows = false
    /// Without what is told beside the records.
    package var isQuiet = false

    package init(_ selection: RecordSelection) { self.selection = selection }
}

/// What is given, in the order in which it is to be shown.
package enum TailItem: ~Escapable {
    /// A record: a line of JSON with its newline.
    case record(Span<UInt8>)
    /// Something that happened between records, to be shown as `-- text --`.
    case notice(String)
}

/// Why nothing can be looked at.
package enum TailError: Error, CustomStringConvertible {
    /// What is wrong and what to do about it.
    case unusable(String)

    package var description: String {
        switch self {
        case .unusable(let reason): reason
        }
    }
}

/// One run of `sluice tail`. It belongs to one thread; only `stop` may be called from others.
package final class Tail: Sendable {
    let request: TailRequest
    private let telemetry: Telemetry
    private let isStopping = Atomic(false)
    private let bell: Bell
    /// The first reading of the node's files, while it lasts.
    private let reading = Mutex<NodeReading?>(nil)

    /// - Throws: when no eventfd can be had.
    package init(_ request: TailRequest, telemetry: Telemetry) throws(DiskError) {
        var request = request
        request.places.metadataFile =
            request.places.metadataFile ?? MetadataFile.path(inDataDirectory: request.dataDirectory)
        self.request = request
        self.telemetry = telemetry
        bell = try Bell()
    }

    /// Asks it to end, from any thread.
    package func stop() {
        isStopping.store(true, ordering: .releasing)
        bell.ring()
        reading.withLock { $0?.askToStop() }
    }

    /// Whether it was asked to end: then not everything was given.
    package var isStopped: Bool { isStopping.load(ordering: .acquiring) }

    /// What is read.
    private struct Stores {
        /// The agent's, when there is one.
        var agent: StoreFolder?
        /// Whether an agent writes to it now.
        var isRunning = false
    }

    private func stores() throws -> Stores {
        let folder = StoreFolder(request.dataDirectory)
        var stores = Stores()
        stores.isRunning = FolderLock.isHeld(request.dataDirectory)
        do throws(StoreError) {
            _ = try StoreIdentity.read(folder)
            stores.agent = folder
        } catch {
            switch error {
            case .noStore: break
            default: throw TailError.unusable(error.description)
            }
        }
        return stores
    }

    /// Runs to the end, or until it is asked to stop.
    /// - Parameters:
    ///   - show: is given every record and notice in order; false ends the run.
    ///   - flush: is called when there is nothing more to show for now.
    /// - Returns: what was looked at.
    package func run(
        show: (borrowing TailItem) throws -> Bool, flush: () throws -> Void
    ) throws -> SearchStats {
        let stores = try stores()
        var scratch: ScratchFolder?
        if !stores.isRunning {
            try checkFiles(stores)
            scratch = try ScratchFolder(in: request.scratch)
        }
        defer { scratch?.remove() }

        // With an agent the store is all there is; else the node's files are read from where the store ends.
        var known = try knownSources(stores)
        var folders = [stores.agent].compactMap { $0 }
        if let scratch {
            let reading = try NodeReading(
                request.places, known: known, once: true, isContinued: request.follows, in: scratch.path + "/history",
                telemetry: telemetry)
            self.reading.withLock { $0 = reading }
            if isStopped { reading.askToStop() }
            reading.finish()
            self.reading.withLock { $0 = nil }
            if reading.leftOut > 0 {
                telemetry.logger.error(
                    "\(reading.leftOut) records of the node's files are left out: \(scratch.path) has no room for them (TMPDIR says where else to read them to)"
                )
            }
            folders.append(reading.folder)
        }
        guard !isStopped else { return SearchStats() }
        return try history(of: folders, stores, scratch, &known, show, flush)
    }

    private func history(
        of folders: [StoreFolder], _ stores: Stores, _ scratch: ScratchFolder?, _ known: inout [KnownSource],
        _ show: (borrowing TailItem) throws -> Bool, _ flush: () throws -> Void
    ) throws -> SearchStats {
        var selection = request.selection
        if let boot = request.boot { selection.boot = try boot.window(among: try boots(in: folders)) }
        let times = (selection.since ?? .min)...max(selection.since ?? .min, selection.until ?? .max)
        var search = StoreSearch(times: times)
        search.isStopped = { self.isStopped }
        var sieve = try Sieve(
            selection,
            present: request.isGone ? PresentLives(pods: request.places.pods, in: request.places.system) : nil)
        var follower: StoreFollower?
        for (index, folder) in folders.enumerated() {
            let place = try search.look(into: folder) { sieve.mayHold($0) }
            if request.follows, stores.isRunning, index == 0 { follower = StoreFollower(place) }
        }
        sieve.podsWithLogs = search.podsWithLogs
        guard try showHistory(&search, &sieve, show) else { return search.stats }
        try flush()
        guard request.follows, !isStopped else { return search.stats }
        if let follower {
            try follow(follower, &sieve, show, flush)
        } else if let scratch, let last = folders.last {
            // The node's files go on where the first reading ended.
            let survey = try Survey(last, lane: 0, isThorough: false)
            known = survey.known
            let reading = try NodeReading(
                request.places, known: known, once: false, in: scratch.path + "/live", telemetry: telemetry)
            defer { reading.stop() }
            // From the beginning: it may have read something by now.
            try follow(StoreFollower(FollowPlace(folder: reading.folder)), &sieve, show, flush)
        }
        return search.stats
    }

    // MARK: History

    private func showHistory(
        _ search: inout StoreSearch, _ sieve: inout Sieve, _ show: (borrowing TailItem) throws -> Bool
    ) throws -> Bool {
        var notices = NoticeQueue(request.isQuiet ? [] : search.notices, of: sieve, isReversed: request.isReversed)
        var goesOn = true
        func give(_ line: Span<UInt8>, _ time: Int64) throws -> Bool {
            while goesOn, let notice = notices.next(upTo: time) { goesOn = try show(.notice(notice)) }
            if goesOn { goesOn = try show(.record(line)) }
            return goesOn && !isStopped
        }
        func giveRest() throws -> Bool {
            while goesOn, !isStopped,
                let notice = notices.next(upTo: request.isReversed ? .min : .max)
            { goesOn = try show(.notice(notice)) }
            return goesOn
        }
        guard let lines = request.lines else {
            try search.forEach(isReversed: request.isReversed, sieve: &sieve, give)
            return try giveRest()
        }
        // The last ones are found from the end.
        guard lines > 0 else { return true }
        let last = RecordRun(isReversed: request.isReversed)
        var count = 0
        try search.forEach(isReversed: true, sieve: &sieve) { line, time in
            last.append(line, time: time, order: UInt64.max - UInt64(count))
            count += 1
            return count < lines && !isStopped
        }
        last.sort()
        if !last.isEmpty { notices.skip(before: last.earliest) }
        while !last.isEmpty, goesOn { goesOn = try last.takeFirst(give) }
        return try giveRest()
    }

    // MARK: Following

    private func follow(
        _ follower: consuming StoreFollower, _ sieve: inout Sieve, _ show: (borrowing TailItem) throws -> Bool,
        _ flush: () throws -> Void
    ) throws {
        var follower = follower
        var held = HoldBack()
        // Notices wait for the records that they come behind.
        var told: [(text: String, due: Int64)] = []
        let poller = try Poller(bell: bell)
        var goesOn = true
        while goesOn, !isStopped {
            var notices: [StoreNotice] = []
            let run = RecordRun(capacity: 64 * 1024)
            let isMore = try follower.look {
                sieve.noteLogs(of: $0)
                return sieve.mayHold($0)
            } notice: {
                notices.append($0)
            } _: { text, first in
                sieve.pick(text, store: 0, firstSequence: first, into: run)
            }
            let now = SystemClock.monotonic
            held.add(run, now: now)
            goesOn = try held.release(now: now) { line, _ in try show(.record(line)) }
            for notice in notices where !request.isQuiet {
                guard NoticeQueue.isChosen(notice.sources, sieve.chosen) else { continue }
                if let text = NoticeQueue.text(of: notice, sieve) { told.append((text, now + HoldBack.delay)) }
            }
            while goesOn, let first = told.first, first.due <= now {
                goesOn = try show(.notice(told.removeFirst().text))
            }
            try flush()
            guard goesOn else { return }
            if !isMore { _ = poller.wait(nanoseconds: Tail.lookInterval) }
        }
    }

    /// How often the store is looked at, nanoseconds.
    private static let lookInterval: Int64 = 50_000_000

    // MARK: What is there

    /// The boots that the journal's entries are of, with the time of each one's first entry.
    private func boots(in folders: [StoreFolder]) throws -> [Boot] {
        var search = StoreSearch()
        for folder in folders {
            _ = try search.look(into: folder) { $0?.contains { $0.kind == .journal } ?? true }
        }
        var first: [String: Int64] = [:]
        var fields = RecordFields()
        try search.forEachText { text in
            var start = 0
            while start < text.count {
                let newline = ByteSearch.firstIndex(of: UInt8(ascii: "\n"), in: text, from: start, to: text.count)
                let end = newline < 0 ? text.count : newline
                if fields.read(text, from: start, to: end), fields.origin == .journal,
                    let id = fields.sourceText("boot_id", text)
                {
                    first[id] = min(first[id] ?? .max, fields.time)
                }
                start = end + 1
            }
        }
        return first.map { Boot(id: $0.key, start: $0.value) }.sorted { $0.start < $1.start }
    }

    /// How far the agent's store has got; nothing without one.
    private func knownSources(_ stores: Stores) throws -> [KnownSource] {
        guard let agent = stores.agent, !stores.isRunning else { return [] }
        return try Survey(agent, lane: 0, isThorough: false).known
    }

    /// Without an agent the files have to be there, and readable.
    private func checkFiles(_ stores: Stores) throws {
        do throws(DiskError) {
            _ = try request.places.system.list(request.places.pods)
        } catch {
            guard stores.agent == nil else { return }
            let what =
                error.isMissing
                ? "there is no store in \(request.dataDirectory), and no logs in \(request.places.pods): is this a node? (--data-dir and --root say where else to look)"
                : error.description
            throw TailError.unusable(what)
        }
    }
}

/// A folder of ours that nobody else can look into, and that is gone when we are.
private struct ScratchFolder {
    let path: String

    /// Less would be a wait for room that nobody makes.
    private static let leastFree: UInt64 = 64 << 20

    init(in base: String) throws {
        ScratchFolder.removeAbandoned(in: base)
        guard try LocalFileSystem().freeSpace(base) >= ScratchFolder.leastFree else {
            throw TailError.unusable(
                "\(base) has less than 64 MiB left: without an agent the node's files are read to there (TMPDIR says where else)"
            )
        }
        // Nobody else can have made it before.
        let random = Machine.randomIdentity().map { String($0, radix: 16) }.joined()
        path = "\(base)/\(ScratchFolder.prefix)\(Machine.processID)-\(random)"
        try Directory.makePrivate(path)
    }

    private static let prefix = "sluice-tail-"

    /// What a process left that was killed. What others can change is not ours to delete: it may be replaced by a link meanwhile.
    private static func removeAbandoned(in base: String) {
        for entry in (try? Directory.list(base)) ?? [] where entry.name.hasPrefix(prefix) {
            guard let process = Int(entry.name.dropFirst(prefix.count).prefix { $0 != "-" }),
                Directory.status("/proc/\(process)") == nil, Directory.isPrivate("\(base)/\(entry.name)")
            else { continue }
            Directory.removeTree("\(base)/\(entry.name)")
        }
    }

    func remove() { Directory.removeTree(path) }
}

extension Survey {
    /// The sources that are still read, with their positions.
    var known: [KnownSource] {
        sources.map { KnownSource(number: $0.key, identity: $0.value.identity, position: $0.value.position) }
            .sorted { $0.number < $1.number }
    }
}
