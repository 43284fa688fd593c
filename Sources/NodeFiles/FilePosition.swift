// How far a file has been read, and by what it is known again.
private import Bytes
package import Records

/// Where one stream of a file stands beside the file's end of reading.
package enum StreamMark: Hashable, Sendable {
    case none
    /// A record is not finished; its first piece in this file begins here, and from here on the stream takes lines again.
    case unfinished(from: UInt64)
    /// The rest of a truncated line is being passed over.
    case skipping
}

/// The position of a file source: one end, and what is unfinished below it (docs/tailing.md).
package struct FilePosition: Hashable, Sendable {
    /// The file that was read; the hashes tell whether it is still the same one.
    package var device: UInt64 = 0
    package var inode: UInt64 = 0
    /// All bytes before this one have been read; for compressed files of the inflated bytes.
    package var end: UInt64 = 0
    package var stdout = StreamMark.none
    package var stderr = StreamMark.none
    /// `end` lies inside a line that is too long; it is passed over up to its newline.
    package var isMidLine = false
    /// It was read to its end, and its writer had closed it.
    package var isFinished = false
    /// Hash of the first `headLength` bytes, `min(64, end)` of them.
    package var headLength: UInt8 = 0
    package var head: UInt64 = 0
    /// Hash of the 64 bytes (or fewer) before `end`.
    package var tail: UInt64 = 0

    package init() {}

    /// Whether a record of some stream is unfinished.
    package var hasMarks: Bool { stdout != .none || stderr != .none }

    /// The file is shorter than it was: reading goes on at its size.
    package mutating func cut(to size: UInt64) {
        end = size
        if case .unfinished(let from) = stdout, from >= size { stdout = .none }
        if case .unfinished(let from) = stderr, from >= size { stderr = .none }
        if size < UInt64(headLength) { headLength = 0 }
    }

    /// The smallest offset from which something is to be read.
    package var readFrom: UInt64 { min(end, takesFrom(.stdout), takesFrom(.stderr)) }

    /// From where on a stream takes lines.
    package func takesFrom(_ stream: RecordStream) -> UInt64 {
        switch stream == .stderr ? stderr : stdout {
        case .unfinished(let from) where stream != .none: min(from, end)
        default: end
        }
    }

    // Written form: version and flags, variable-length numbers, the two hashes. About 30 bytes.
    private static let version: UInt8 = 1

    /// The written form, as the store keeps it.
    package var encoded: Position {
        var out = Arena(capacity: 64)
        out.append(FilePosition.version)
        out.append(
            FilePosition.code(stdout) | FilePosition.code(stderr) << 2 | (isMidLine ? 16 : 0) | (isFinished ? 32 : 0))
        for number in [device, inode, end] { FilePosition.put(number, &out) }
        for case .unfinished(let from) in [stdout, stderr] { FilePosition.put(from, &out) }
        out.append(headLength)
        out.append(littleEndian: head)
        out.append(littleEndian: tail)
        return Position(Array(copying: out.span))
    }

    /// Reads a written position; nil when it is none of this version.
    package init?(_ position: Position) {
        let bytes = position.bytes
        guard bytes.count >= 19, bytes[0] == FilePosition.version else { return nil }
        let flags = bytes[1]
        var at = 2
        guard let device = FilePosition.take(bytes, &at), let inode = FilePosition.take(bytes, &at),
            let end = FilePosition.take(bytes, &at)
        else { return nil }
        self.device = device
        self.inode = inode
        self.end = end
        func mark(_ code: UInt8) -> StreamMark? {
            switch code & 3 {
            case 1: FilePosition.take(bytes, &at).map { .unfinished(from: $0) }
            case 2: .skipping
            default: StreamMark.none
            }
        }
        guard let out = mark(flags), let error = mark(flags >> 2), bytes.count == at + 17 else { return nil }
        stdout = out
        stderr = error
        isMidLine = flags & 16 != 0
        isFinished = flags & 32 != 0
        headLength = bytes[at]
        func word(_ at: Int) -> UInt64 { (0..<8).reduce(0) { $0 | UInt64(bytes[at + $1]) << UInt64(8 * $1) } }
        head = word(at + 1)
        tail = word(at + 9)
    }

    private static func code(_ mark: StreamMark) -> UInt8 {
        switch mark {
        case .none: 0
        case .unfinished: 1
        case .skipping: 2
        }
    }

    private static func put(_ number: UInt64, _ out: inout Arena) {
        var rest = number
        while rest >= 128 {
            out.append(UInt8(truncatingIfNeeded: rest) | 128)
            rest >>= 7
        }
        out.append(UInt8(rest))
    }

    private static func take(_ bytes: [UInt8], _ at: inout Int) -> UInt64? {
        var value: UInt64 = 0
        for shift in stride(from: UInt64(0), to: 64, by: 7) {
            guard at < bytes.count else { return nil }
            value |= UInt64(bytes[at] & 127) << shift
            at += 1
            if bytes[at - 1] < 128 { return value }
        }
        return nil
    }
}
