// The way out, from chunks in a store to the body of a request or its text: as a delivery does it, and in C.
import Bytes
import CLimits
import Disk
import Gzip
import Pipeline
import Records
import Store

/// The stages of a delivery.
enum WayOut: CaseIterable {
    case read, splice, inflate

    var name: String {
        switch self {
        case .read: "read chunks, check their CRC-32C"
        case .splice: "splice \(WayOut.chunks) chunks into a request"
        case .inflate: "inflate chunks (zlib)"
        }
    }

    /// An output sends what lies in the store, or it needs the text.
    static var routes: [Route<WayOut>] {
        [
            Route(name: WayOut.read.name, stages: [.read]),
            Route(name: "read, then \(WayOut.splice.name)", stages: [.read, .splice]),
            Route(name: "read, then \(WayOut.inflate.name)", stages: [.read, .inflate]),
        ]
    }

    /// Chunks in a request.
    static let chunks = Int(climits_chunks_in_request)
}

/// The agent's own code: `StoreReader` and `Request`.
struct AgentWayOut: StagePath, ~Copyable {
    private let store: Store
    private var reader: StoreReader
    /// The records of the present chunks: from `first` on, and before `next`.
    private var first: UInt64 = 1
    private var next: UInt64 = 1
    private var gathered: [ReadChunk] = []
    private var body: [UInt8] = []
    private var buffer = Arena(capacity: 512 * 1024)
    private var textSize = 0

    init(_ store: Store) {
        self.store = store
        reader = StoreReader(store)
    }

    mutating func rewind() {
        reader = StoreReader(store)
        next = 1
    }

    var isAtEnd: Bool { next >= store.nextSequence }

    mutating func run(_ stage: WayOut) throws {
        switch stage {
        case .read: try gather()
        case .splice: body = request.gzipBody()
        case .inflate:
            var size = 0
            request.withTexts(inflatingInto: &buffer) { size += $0.count }
            textSize = size
        }
    }

    private mutating func gather() throws {
        gathered.removeAll(keepingCapacity: true)
        first = next
        while gathered.count < WayOut.chunks {
            let found = try reader.next(from: next)
            guard case .chunk(let chunk) = found else {
                if case .nothing = found { break }
                throw Unreadable(description: "the store has a gap at record \(next)")
            }
            reader.pass()
            gathered.append(chunk)
            next = chunk.header.endSequence
        }
    }

    private var request: Request {
        Request(gathered, first: first, last: next - 1, recordCount: next - first, key: "")
    }

    var outcome: [String: Int] {
        var (members, checksums) = (0, 0)
        for chunk in gathered {
            members += chunk.member.count
            checksums &+= Int(CRC32C.of(chunk.member.span))
        }
        return [
            "chunks": gathered.count, "records": Int(next - first), "bytes of members": members,
            "sum of CRC-32C of members": checksums, "bytes of body": body.count,
            "CRC-32 of body": Int(CRC32.of(body.span)), "bytes of text": textSize,
            "CRC-32 of last text": Int(CRC32.of(buffer.span)),
        ]
    }
}

/// The same in C, over the same files.
@safe
struct LimitWayOut: StagePath, ~Copyable {
    private var request = unsafe climits_request()
    private var recordsLeft: UInt64
    private let recordCount: UInt64
    private var textSize = 0

    init(_ store: Store) throws {
        recordCount = store.nextSequence - 1
        recordsLeft = recordCount
        for segment in store.segments {
            guard unsafe climits_request_add(&request, segment.path) else {
                throw Unreadable(description: "\(segment.path) cannot be opened")
            }
        }
    }

    deinit {
        var request = unsafe self.request
        unsafe climits_request_free(&request)
    }

    mutating func rewind() {
        unsafe climits_request_rewind(&request)
        recordsLeft = recordCount
    }

    var isAtEnd: Bool { recordsLeft == 0 }

    mutating func run(_ stage: WayOut) throws {
        switch stage {
        case .read:
            guard unsafe climits_read(&request) > 0 else {
                throw Unreadable(description: "the chunks cannot be read in C")
            }
            recordsLeft -= unsafe request.record_count
        case .splice: unsafe climits_splice(&request)
        case .inflate:
            textSize = 0
            for chunk in 0..<(unsafe request.chunk_count) {
                guard unsafe climits_inflate(&request, chunk) else {
                    throw Unreadable(description: "a chunk cannot be inflated in C")
                }
                textSize += unsafe request.text_count
            }
        }
    }

    var outcome: [String: Int] {
        var (members, checksums) = (0, 0)
        for chunk in 0..<(unsafe request.chunk_count) {
            var count = 0
            let bytes = unsafe withUnsafePointer(to: request) { unsafe climits_member_bytes($0, chunk, &count) }
            members += count
            checksums &+= unsafe Int(climits_crc32c(bytes, count))
        }
        return unsafe [
            "chunks": request.chunk_count, "records": Int(request.record_count), "bytes of members": members,
            "sum of CRC-32C of members": checksums, "bytes of body": request.body_count,
            "CRC-32 of body": Int(climits_crc32(0, request.body, request.body_count)), "bytes of text": textSize,
            "CRC-32 of last text": Int(climits_crc32(0, request.text, request.text_count)),
        ]
    }
}
