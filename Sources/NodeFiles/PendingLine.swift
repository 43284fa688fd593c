// The pieces of a record that is not finished: `P`, `P`, ... until `F`.
import Bytes
import Records

/// What is pending on one stream of one container: it outlives rotations.
struct PendingLine {
    /// The file in which the first piece lies, and where.
    var file: TailedFile
    var offset: UInt64
    var time: Int64
    /// The pieces so far, joined; empty when they were forgotten to save memory.
    var bytes: [UInt8]
    /// How long the pieces are, whether they are held or not.
    var length: Int
    var isForgotten = false

    init(file: TailedFile, offset: UInt64, time: Int64) {
        self.file = file
        self.offset = offset
        self.time = time
        bytes = []
        length = 0
    }

    /// Adds a piece. Once forgotten, only lengths are kept.
    mutating func add(_ arena: borrowing Arena, from start: Int, count: Int) {
        length += count
        if isForgotten { return }
        bytes.append(contentsOf: Array(copying: arena.span.extracting(start..<(start + count))))
    }
}

/// What a stream is in the middle of.
enum StreamState {
    case idle
    case pending(PendingLine)
    /// The rest of a truncated line is passed over up to its `F`.
    case skipping

    var pending: PendingLine? { if case .pending(let line) = self { line } else { nil } }
    var isSkipping: Bool { if case .skipping = self { true } else { false } }
}

/// Memory for pieces of unfinished lines, of all files together.
final class PieceBudget {
    /// Bytes that may be held.
    let limit: Int
    private(set) var held = 0
    private var families: [ObjectIdentifier: LogFamily] = [:]

    init(limit: Int) { self.limit = limit }

    /// Notes that a family holds `change` bytes more (or fewer). Over the limit the largest is forgotten: it is read again
    /// from its start when its end has come.
    func note(_ family: LogFamily, change: Int) {
        held += change
        if family.heldBytes > 0 {
            families[ObjectIdentifier(family)] = family
        } else {
            families[ObjectIdentifier(family)] = nil
        }
        while held > limit, let largest = families.values.max(by: { $0.heldBytes < $1.heldBytes }),
            largest.heldBytes > 0
        {
            held -= largest.forgetLargest()
            if largest.heldBytes == 0 { families[ObjectIdentifier(largest)] = nil }
        }
    }
}
