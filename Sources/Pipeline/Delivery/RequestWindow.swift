// The chunks that wait at an output's cursor, as far as they have been read, and the requests that are cut from them.
import Disk
import Store
private import Telemetry

/// How much a request may hold.
struct RequestLimits {
    /// In the output's measure.
    var bytes: Int
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
    private var reader: StoreReader
    private var chunks: [ReadChunk] = []
    /// Bytes of the chunks: as they lie in the store, and inflated.
    private(set) var compressedBytes = 0
    private(set) var textBytes = 0

    init(_ store: Store, measure: RequestMeasure) {
        self.store = store
        self.measure = measure
        reader = StoreReader(store)
    }

    var isEmpty: Bool { chunks.isEmpty }
    /// The number behind the last record that was read; nil when there is none.
    var end: UInt64? { chunks.last?.header.endSequence }
    /// What is in the window, in the output's measure.
    var bytes: Int { measure == .compressed ? compressedBytes : textBytes }
    /// Bytes in the store from the window's beginning on.
    var waitingBytes: UInt64 { reader.waitingBytes + UInt64(compressedBytes) }

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
        switch try reader.next(from: wanted) {
        case .nothing: return .nothing
        case .gap(let gap):
            // What lies before the gap is sent first.
            return chunks.isEmpty ? .gap(gap) : .nothing
        case .chunk(let chunk):
            if chunks.isEmpty, let reason = rules?.whyNot(chunk.header, waiting: reader.waitingBytes) {
                reader.pass()
                let lost = chunk.header.endSequence - max(wanted, chunk.header.firstSequence)
                return .gap(ReadGap(from: wanted, to: chunk.header.endSequence, records: lost, reason: reason))
            }
            reader.pass()
            chunks.append(chunk)
            compressedBytes += chunk.member.count
            textBytes += Int(chunk.header.textSize)
            return .chunk
        }
    }

    /// Forgets the chunks that lie wholly before a record: they are settled.
    mutating func forget(before next: UInt64) {
        let count = chunks.prefix { $0.header.endSequence <= next }.count
        for chunk in chunks.prefix(count) {
            compressedBytes -= chunk.member.count
            textBytes -= Int(chunk.header.textSize)
        }
        chunks.removeFirst(count)
    }

    /// Cuts a request that begins with record `from`, or with the next one there is; nil when the window holds none.
    /// - Parameter key: of the request from its first to its last record.
    func cut(from: UInt64, _ limits: RequestLimits, key: (UInt64, UInt64) -> String) -> Request? {
        var picked: [ReadChunk] = []
        var (first, last): (UInt64?, UInt64) = (nil, 0)
        var records: UInt64 = 0
        var bytes = 0
        var text = 0
        for chunk in chunks where chunk.header.endSequence > from {
            let begin = max(from, chunk.header.firstSequence)
            let end = min(chunk.header.endSequence - 1, limits.through)
            guard begin <= end, records < limits.records else { break }
            let size = measure == .compressed ? chunk.member.count : Int(chunk.header.textSize)
            // Of a chunk that is cut, its records' share: what exactly they take is not known before they are inflated.
            func share(_ count: UInt64) -> Int {
                max(1, Int(UInt64(size) * count / UInt64(chunk.header.recordCount)))
            }
            let whole = end - begin + 1
            var count = min(whole, limits.records - records)
            if bytes + share(count) > limits.bytes || text + Int(chunk.header.textSize) > RequestWindow.largestText {
                // The first chunk always gives something, and whole chunks are better than parts.
                guard picked.isEmpty else { break }
                count = min(count, max(1, count * UInt64(limits.bytes) / UInt64(share(count))))
            }
            picked.append(chunk)
            first = first ?? begin
            last = begin + count - 1
            records += count
            bytes += share(count)
            text += Int(chunk.header.textSize)
            if count < chunk.header.endSequence - begin { break }
        }
        guard let first else { return nil }
        return Request(
            picked, first: first, last: last, recordCount: records, key: key(first, last), measuredBytes: bytes)
    }
}

extension DeliverySettings {
    /// Why a chunk is not delivered at all; nil when it is.
    fileprivate func whyNot(_ header: ChunkHeader, waiting: UInt64) -> DropReason? {
        if let maxAge, SystemClock.realtime - header.appendTime > Int64(maxAge.nanoseconds) { return .tooOld }
        if let maxWaiting, waiting > maxWaiting.bytes { return .tooMuch }
        return nil
    }
}
