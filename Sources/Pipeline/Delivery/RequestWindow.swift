// The chunks that wait at an output's cursor, as far as they have been read, and the requests that are cut from them.
import Disk
import Store
private import Telemetry

/// How much a request may hold.
struct RequestLimits {
    /// In the output's measure.
    var bytes: Int
    /// Those that it holds; what the output does not get is not counted.
    var records: UInt64 = .max
    /// The number of the last record that it may hold.
    var through: UInt64 = .max
}

/// A run of chunks from the cursor on.
struct RequestWindow: ~Copyable {
    /// Nothing larger is inflated for one request.
    static let largestText = 16 << 20

    private let store: Store
    private let measure: RequestMeasure
    private let selection: Condition
    private var reader: StoreReader
    /// Made when the first chunk has to be inflated.
    private var selector: RecordSelector?
    /// What the output does not get is taken out of them, but their numbers are there: those of chunks in a row follow one
    /// another, except for numbers that were never given.
    private var chunks: [ReadChunk] = []
    /// Bytes of the chunks: as they lie in the store, compressed as they would be sent, and inflated.
    private(set) var storedBytes = 0
    private(set) var compressedBytes = 0
    private(set) var textBytes = 0
    /// The number of the last record that was read and that the output gets; 0 when there was none.
    private(set) var lastSelected: UInt64 = 0
    /// What kept a window with chunks from being read on the last time.
    private(set) var gapBehind: ReadGap?
    /// Chunks that were inflated to choose among their records.
    private(set) var inflatedChunks: UInt64 = 0

    init(_ store: Store, measure: RequestMeasure, selection: Condition) {
        self.store = store
        self.measure = measure
        self.selection = selection
        reader = StoreReader(store, tracksSources: !selection.isEmpty)
    }

    var isEmpty: Bool { chunks.isEmpty }
    /// The number behind the last record that was read; nil when there is none.
    var end: UInt64? { chunks.last?.header.endSequence }
    /// Stored bytes of what was read and is not sent.
    var passedBytes: Int { storedBytes - compressedBytes }
    /// What is in the window, in the output's measure.
    var bytes: Int { measure == .compressed ? compressedBytes : textBytes }
    /// Bytes in the store from the window's beginning on.
    var waitingBytes: UInt64 { reader.waitingBytes + UInt64(storedBytes) }

    /// What reading on found.
    enum Found {
        /// The window has grown.
        case chunk
        /// Records that cannot be read, or that the output's own limits drop. They are told only when the window is empty.
        case gap(ReadGap)
        /// Nothing more for now.
        case nothing
    }

    /// Reads the next chunk.
    /// - Parameters:
    ///   - next: the cursor's next record, where an empty window begins.
    ///   - rules: the output's own limits, `max_age` and `max_waiting`; nil when they are not to be applied.
    mutating func readOn(
        from next: UInt64, dropping rules: DeliverySettings?
    ) throws(DiskError) -> Found {
        let wanted = end ?? next
        gapBehind = nil
        switch try reader.next(from: wanted) {
        case .nothing: return .nothing
        case .gap(let gap):
            // What lies before the gap is sent first.
            if chunks.isEmpty { return .gap(gap) }
            gapBehind = gap
            return .nothing
        case .chunk(let chunk):
            let verdict = selection.verdict(on: chunk.sources)
            if verdict != .nothing, chunks.isEmpty,
                let reason = rules?.whyNot(chunk.header, waiting: reader.waitingBytes, store)
            {
                reader.pass()
                let lost = chunk.header.endSequence - max(wanted, chunk.header.firstSequence)
                return .gap(ReadGap(from: wanted, to: chunk.header.endSequence, records: lost, reason: reason))
            }
            reader.pass()
            append(select(from: chunk, verdict))
            return .chunk
        }
    }

    /// The chunk with what the output gets of it. Only when that depends on the records it is inflated.
    private mutating func select(from chunk: ReadChunk, _ verdict: Condition.Verdict) -> ReadChunk {
        switch verdict {
        case .all: return chunk
        case .nothing: return chunk.withoutRecords()
        case .depends:
            var selector = selector.take() ?? RecordSelector(selection)
            let chosen = selector.select(from: chunk)
            self.selector = consume selector
            inflatedChunks += 1
            return chosen
        }
    }

    private mutating func append(_ chunk: ReadChunk) {
        var chunk = chunk
        chunk.sources = nil
        chunks.append(chunk)
        storedBytes += chunk.storedSize
        compressedBytes += chunk.member.count
        textBytes += Int(chunk.header.textSize)
        if chunk.lineCount > 0 { lastSelected = chunk.number(ofLine: chunk.lineCount - 1) }
    }

    /// Whether a record that the output gets has one of these numbers, as far as they have been read.
    func hasSelected(from first: UInt64, through last: UInt64) -> Bool {
        chunks.contains { !$0.lines(from: first, through: last).isEmpty }
    }

    /// From the record `next` on, up to `limit`: where the next record is that the output gets, or where reading stands, and
    /// how many records lie before it.
    func notSelected(from next: UInt64, to limit: UInt64) -> (end: UInt64, records: UInt64) {
        var (reached, records): (UInt64, UInt64) = (next, 0)
        for chunk in chunks where chunk.header.endSequence > next {
            let header = chunk.header
            let begin = max(next, header.firstSequence)
            let lines = chunk.lines(from: begin)
            let end = min(limit, lines.isEmpty ? header.endSequence : chunk.number(ofLine: lines.lowerBound))
            guard end > begin else { break }
            records += end - begin
            reached = end
            if end < header.endSequence { break }
        }
        return (reached, records)
    }

    /// Forgets the chunks that lie wholly before a record: they are settled.
    mutating func forget(before next: UInt64) {
        let count = chunks.prefix { $0.header.endSequence <= next }.count
        for chunk in chunks.prefix(count) {
            storedBytes -= chunk.storedSize
            compressedBytes -= chunk.member.count
            textBytes -= Int(chunk.header.textSize)
        }
        chunks.removeFirst(count)
    }

    /// Cuts a request that begins with record `from`, or with the next one that the output gets; nil when the window holds
    /// none.
    /// - Parameter key: of the request from its first to its last record.
    func cut(from: UInt64, _ limits: RequestLimits, key: (UInt64, UInt64) -> String) -> Request? {
        var picked: [ReadChunk] = []
        var (first, last): (UInt64?, UInt64) = (nil, 0)
        var records: UInt64 = 0
        var bytes = 0
        var text = 0
        for chunk in chunks where chunk.header.endSequence > from {
            guard chunk.header.firstSequence <= limits.through, records < limits.records else { break }
            let lines = chunk.lines(from: from, through: limits.through)
            if lines.isEmpty { continue }
            let size = measure == .compressed ? chunk.member.count : Int(chunk.header.textSize)
            // Of a chunk that is cut, its records' share: what exactly they take is not known before they are inflated.
            func share(_ count: UInt64) -> Int {
                max(1, Int(UInt64(size) * count / UInt64(chunk.lineCount)))
            }
            var count = min(UInt64(lines.count), limits.records - records)
            let isTooLarge = bytes + share(count) > limits.bytes
            if isTooLarge || text + Int(chunk.header.textSize) > RequestWindow.largestText {
                // The first chunk always gives something, and whole chunks are better than parts.
                guard picked.isEmpty else { break }
                if isTooLarge { count = max(1, count * UInt64(limits.bytes) / UInt64(share(count))) }
            }
            picked.append(chunk)
            first = first ?? chunk.number(ofLine: lines.lowerBound)
            last = chunk.number(ofLine: lines.lowerBound + Int(count) - 1)
            records += count
            bytes += share(count)
            text += Int(chunk.header.textSize)
            if lines.lowerBound + Int(count) < chunk.lineCount { break }
        }
        guard let first else { return nil }
        return Request(
            picked, first: first, last: last, recordCount: records,
            notSelected: given(from: first, through: last) - records,
            key: key(first, last), measuredBytes: bytes)
    }

    /// How many records the window's chunks have with these numbers, whether the output gets them or not.
    private func given(from first: UInt64, through last: UInt64) -> UInt64 {
        chunks.reduce(0) { sum, chunk in
            let begin = max(first, chunk.header.firstSequence)
            let end = min(last + 1, chunk.header.endSequence)
            return sum + (end > begin ? end - begin : 0)
        }
    }
}

extension DeliverySettings {
    /// Why a chunk is not delivered at all; nil when it is.
    fileprivate func whyNot(_ header: ChunkHeader, waiting: UInt64, _ store: Store) -> DropReason? {
        if let maxAge, store.age(of: header) > Int64(maxAge.nanoseconds) { return .tooOld }
        if let maxWaiting, waiting > maxWaiting.bytes { return .tooMuch }
        return nil
    }
}
