// The bytes of a log file, whether it lies plain on the disk or was compressed by the kubelet.
package import Bytes
package import Disk
private import Gzip

/// Bytes that are read forwards from any offset.
package struct FileContent: ~Copyable {
    /// By what a gzip file is known, whatever its name. RFC 1952
    static let gzipMagic: [UInt8] = [0x1f, 0x8b, 8]

    private let plain: LogFile?
    private let compressed: CompressedFile?

    /// A file as it lies on the disk.
    package init(plain file: consuming OwnedFile) { self.init(plain: file, on: nil) }

    /// A file that may be closed and opened again as descriptors are short.
    init(plain file: consuming OwnedFile, on shelf: OpenFiles?, faults: LogFileFaults? = nil) {
        plain = LogFile(file, on: shelf, faults: faults)
        compressed = nil
    }

    /// A gzip file, read as its inflated bytes.
    package init(compressed file: consuming OwnedFile) throws(DiskError) { try self.init(compressed: file, on: nil) }

    /// The same of one that may be closed and opened again.
    init(compressed file: consuming OwnedFile, on shelf: OpenFiles?) throws(DiskError) {
        plain = nil
        compressed = try CompressedFile(file, on: shelf)
    }

    /// Appends up to `limit` bytes from `offset` on to `arena`. Returns how many came; 0 at the end.
    /// A compressed file is inflated anew when `offset` lies before what was read last.
    package mutating func read(_ limit: Int, at offset: UInt64, into arena: inout Arena) throws(DiskError) -> Int {
        if let n = try compressed?.read(limit, at: offset, into: &arena) { return n }
        guard let plain else { return 0 }
        return try arena.fill(limit) { span throws(DiskError) in try plain.read(into: &span, at: offset) }
    }

    /// The plain file's status; nil for a compressed one, which never changes.
    package func status() throws(DiskError) -> FileStatus? {
        try plain?.status()
    }

    /// The first offset from `offset` on that lies in no hole of a sparse file; nil when only a hole follows. Of a compressed
    /// file, which has none, `offset`.
    package func nextData(from offset: UInt64) throws(DiskError) -> UInt64? {
        guard let plain else { return offset }
        return try plain.nextData(from: offset)
    }

    /// When a plain file was made, and when its names changed last; nil for a compressed one.
    func birth() throws(DiskError) -> (born: Int64?, changed: Int64)? { try plain?.birth() }

    /// Gives back the memory for inflating until the file is read: of the many that are found at a start, one is read at a time.
    package func rest() { compressed?.rest() }

    /// Whether it is a gzip file, read as its inflated bytes.
    package var isCompressed: Bool { compressed != nil }

    /// Whether the compressed data turned out to be damaged; what was whole before it was read.
    package var isDamaged: Bool { compressed?.isDamaged ?? false }

    /// The descriptor of a plain file, for a watch.
    package var descriptor: Int32? { plain?.descriptor }

    /// The file behind it.
    var file: LogFile? { plain ?? compressed?.file }
}

/// A gzip file read as its inflated bytes.
package final class CompressedFile {
    fileprivate let file: LogFile
    private let size: UInt64
    /// Where inflating stands; made when something is read.
    private var stand: Inflation?
    /// The compressed data turned out to be damaged; what was whole before it was read.
    package private(set) var isDamaged = false

    package convenience init(_ file: consuming OwnedFile) throws(DiskError) { try self.init(file, on: nil) }

    init(_ file: consuming OwnedFile, on shelf: OpenFiles?) throws(DiskError) {
        size = try file.status().size
        self.file = LogFile(file, on: shelf)
    }

    /// The inflated length as the last four bytes say (modulo 2^32): true for the kubelet's files, which are one member.
    package static func inflatedSize(_ file: borrowing OwnedFile) throws(DiskError) -> UInt64? {
        let size = try file.status().size
        guard size >= 18 else { return nil }
        let bytes = try file.read(count: 4, at: size - 4)
        guard bytes.count == 4 else { return nil }
        return UInt64(bytes[0]) | UInt64(bytes[1]) << 8 | UInt64(bytes[2]) << 16 | UInt64(bytes[3]) << 24
    }

    func read(_ limit: Int, at offset: UInt64, into arena: inout Arena) throws(DiskError) -> Int {
        var stand = self.stand ?? Inflation()
        if offset < stand.readyOffset { stand = Inflation() }
        self.stand = stand
        // Pass over what lies before `offset`, then have `limit` bytes from there on.
        while !stand.isAtEnd, stand.readyEnd < offset + UInt64(limit) {
            if stand.readyEnd <= offset { stand.dropReady() } else { stand.trimReady(to: offset) }
            try inflateMore(stand)
        }
        guard offset < stand.readyEnd else { return 0 }
        let n = min(limit, Int(stand.readyEnd - offset))
        arena.append(stand.ready, from: Int(offset - stand.readyOffset), count: n)
        return n
    }

    func rest() { stand = nil }

    private func inflateMore(_ stand: Inflation) throws(DiskError) {
        if stand.inputAt == stand.input.count {
            stand.input = try file.read(count: 64 * 1024, at: stand.compressedOffset)
            stand.inputAt = 0
            stand.compressedOffset += UInt64(stand.input.count)
            guard !stand.input.isEmpty else {
                stand.isAtEnd = true
                isDamaged = true
                return
            }
        }
        do throws(GzipError) {
            guard try stand.step() else { return }
            // Another member may follow.
            if stand.inputAt == stand.input.count, stand.compressedOffset >= size {
                stand.isAtEnd = true
            } else {
                stand.inflater.reset()
            }
        } catch {
            stand.isAtEnd = true
            isDamaged = true
        }
    }
}

/// A gzip file's inflating, and the memory that it needs.
private final class Inflation {
    var inflater = Inflater(.gzip)
    var compressedOffset: UInt64 = 0
    var input: [UInt8] = []
    var inputAt = 0
    /// The inflated offset of the first byte of `ready`.
    private(set) var readyOffset: UInt64 = 0
    /// Inflated bytes, kept so that the piece of a line at the end of a read can be read again.
    private(set) var ready = Arena(capacity: 128 * 1024)
    var isAtEnd = false

    var readyEnd: UInt64 { readyOffset + UInt64(ready.count) }

    func dropReady() {
        readyOffset += UInt64(ready.count)
        ready.removeAll()
    }

    func trimReady(to offset: UInt64) {
        guard offset > readyOffset else { return }
        let dropped = Int(offset - readyOffset)
        guard dropped >= 64 * 1024 || dropped * 2 > ready.count else { return }
        var kept = Arena(capacity: 128 * 1024)
        kept.append(ready, from: dropped, count: ready.count - dropped)
        ready = kept
        readyOffset = offset
    }

    /// Inflates one piece of the input; returns whether it was the last of a member.
    func step() throws(GzipError) -> Bool {
        let (input, from) = (self.input, inputAt)
        var step = Inflater.Step(consumed: 0, produced: 0, isAtEnd: false)
        _ = try ready.fill(64 * 1024) { span throws(GzipError) in
            step = try inflater.step(input.span.extracting(from..<input.count), into: &span)
            return step.produced
        }
        inputAt += step.consumed
        return step.isAtEnd
    }
}
