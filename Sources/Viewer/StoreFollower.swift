// Follows a store that an agent writes to: by its files alone, without the agent's knowing.
package import Bytes
package import Disk
package import Records
package import Store

/// Where a search ended in a store's newest segment.
package struct FollowPlace: ~Copyable {
    let folder: StoreFolder
    /// The newest segment, walked as far as it reached; nil when the store has none yet.
    private(set) var catalogue: SegmentCatalogue?

    /// That segment's name; empty without one.
    let name: String

    /// - Parameter name: segments up to this one are not followed; by default none are left out.
    init(folder: StoreFolder, behind name: String = "") {
        self.folder = folder
        self.name = name
        catalogue = nil
    }

    mutating func take(_ catalogue: consuming SegmentCatalogue) { self.catalogue = consume catalogue }

    mutating func takeCatalogue() -> SegmentCatalogue? { catalogue.take() }
}

/// Reads what a store gets, chunk by chunk.
package struct StoreFollower: ~Copyable {
    private let folder: StoreFolder
    private var catalogue: SegmentCatalogue?
    /// Names that sort up to this one were followed.
    private var name: String
    /// What was found and not taken yet.
    private var waiting: [Waiting] = []

    private enum Waiting {
        case chunk(CataloguedChunk, of: String)
        case notice(StoreNotice)
    }
    private var reader = ChunkText()
    /// Chunks that could not be read, and segments that were deleted before they were.
    package private(set) var damagedChunks = 0
    package private(set) var retiredSegments = 0
    /// Looks at a chunk that is not right yet before it is taken for damaged.
    private static let mostLooks = 40
    private var looks = 0
    /// The segment whose deletion was counted last.
    private var lastRetired = ""

    /// Goes on where a search ended.
    package init(_ place: consuming FollowPlace) {
        var place = place
        folder = place.folder
        catalogue = place.takeCatalogue()
        name = place.name
    }

    /// Takes what came since the last look, or some of it.
    /// - Parameters:
    ///   - mayHold: whether records of these sources may be wanted.
    ///   - notice: is told what chunks tell beside their records, behind these.
    ///   - body: is given the text of each chunk that may hold wanted records, lines of JSON, and the number of the first.
    /// - Returns: whether there is more that can be taken at once.
    package mutating func look(
        mayHold: ([SourceIdentity]?) -> Bool, notice: (StoreNotice) -> Void, _ body: (borrowing Arena, UInt64) -> Void
    ) throws(DiskError) -> Bool {
        var chunks = StoreFollower.chunksPerLook
        while true {
            let newer = try nextName()
            // The next segment is made after the last append to this one: now it is whole.
            try walk(isClosed: newer != nil, mayHold)
            guard try read(&chunks, notice, body) else { return false }
            if chunks == 0 { return true }
            guard let newer else { return false }
            do throws(DiskError) {
                catalogue = try SegmentCatalogue(path: "\(folder.segments(lane: 0))/\(newer)")
            } catch {
                guard error.isMissing else { throw error }
                countRetired("\(folder.segments(lane: 0))/\(newer)")
                catalogue = nil
            }
            name = newer
        }
    }

    /// The next segment. One that is just being begun is none yet: its writer may give it up, and make another of that name.
    private func nextName() throws(DiskError) -> String? {
        do throws(DiskError) {
            let root = folder.segments(lane: 0)
            let newer = try Directory.list(root).map(\.name)
                .filter { StoreFolder.firstSequence(ofName: $0) != nil && $0 > name }
            guard let next = newer.min() else { return nil }
            if newer.count > 1 { return next }
            var scan = try SegmentScan(path: "\(root)/\(next)")
            if case .chunk = try scan.peek() { return next }
            return nil
        } catch {
            if error.isMissing { return nil }
            throw error
        }
    }

    private mutating func countRetired(_ path: String) {
        if path != lastRetired { retiredSegments += 1 }
        lastRetired = path
    }

    private mutating func walk(isClosed: Bool, _ mayHold: ([SourceIdentity]?) -> Bool) throws(DiskError) {
        guard var open = catalogue.take() else { return }
        var found: [Waiting] = []
        let path = open.path
        var failure: DiskError?
        do throws(DiskError) {
            try open.walk(isClosed: isClosed) {
                found.append(.notice($0))
            } chunk: { chunk, sources in
                if mayHold(sources) { found.append(.chunk(chunk, of: path)) }
            }
        } catch {
            failure = error
        }
        catalogue = consume open
        waiting += found
        if let failure, !failure.isMissing { throw failure }
    }

    /// Of a burst only some is taken at a time, so that it is not in memory as a whole.
    private static let chunksPerLook = 16

    /// Reads the chunks that were found, so many at most. Returns false when one is not right yet.
    private mutating func read(
        _ chunks: inout Int, _ notice: (StoreNotice) -> Void, _ body: (borrowing Arena, UInt64) -> Void
    ) throws(DiskError) -> Bool {
        while chunks > 0, let next = waiting.first {
            switch next {
            case .notice(let told): notice(told)
            case .chunk(let chunk, let path):
                chunks -= 1
                guard try read(chunk, of: path, body) else { return false }
            }
            looks = 0
            waiting.removeFirst()
        }
        return true
    }

    /// Reads a chunk, or passes it when it stays wrong. Returns false when it is not right yet.
    private mutating func read(
        _ chunk: CataloguedChunk, of path: String, _ body: (borrowing Arena, UInt64) -> Void
    ) throws(DiskError) -> Bool {
        do throws(DiskError) {
            if try reader.read(chunk, of: path) {
                body(reader.text, chunk.firstSequence)
                return true
            }
        } catch {
            guard error.isMissing else { throw error }
            countRetired(path)
            return true
        }
        looks += 1
        if looks < StoreFollower.mostLooks { return false }
        damagedChunks += 1
        return true
    }
}
