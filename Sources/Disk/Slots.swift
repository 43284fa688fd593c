// Small state that is overwritten in place: two slots, written in turn, so that one of them is always whole.
private import CLinux
private import Glibc

/// Two fixed-size slots in one file. A write goes to the older slot, so a crash in the middle of it leaves the newer one.
///
/// Layout of a slot, little-endian: magic `SLSLOT1\n` (8 bytes), generation (u64), length of the contents (u32), zero (u32),
/// the contents, FNV-1a-64 over all before it (u64). The rest of the slot is zero.
package struct Slots: ~Copyable, Sendable {
    /// Bytes of one slot; the contents may have `slotSize - overhead` at most.
    package static let slotSize = 8192
    package static let overhead = 32
    private static let magic: [UInt8] = Array("SLSLOT1\n".utf8)

    private let file: OwnedFile
    private let fileSystem: any FileSystem
    private var generation: UInt64
    /// What was last written, or found when it was opened; nil when neither slot was whole.
    package private(set) var contents: [UInt8]?
    /// Nothing was whole when it was opened because nothing ever was: at most a first write was begun.
    package let isBlank: Bool

    /// Opens or creates the file. Both slots damaged is not an error here: `contents` is nil then.
    package init(_ path: String, fileSystem: any FileSystem) throws(DiskError) {
        let file = try fileSystem.open(path, .create)
        let first = try file.read(count: Slots.slotSize, at: 0)
        (generation, contents) = try Slots.newest(file)
        // The first write goes to the second slot.
        isBlank = contents == nil && first.allSatisfy { $0 == 0 }
        self.fileSystem = fileSystem
        self.file = file
    }

    /// Reads the newest whole slot of a file that another process may be writing; nil when there is none.
    package static func read(_ path: String) throws(DiskError) -> [UInt8]? {
        try newest(OwnedFile.open(path, .read)).1
    }

    private static func newest(_ file: borrowing OwnedFile) throws(DiskError) -> (UInt64, [UInt8]?) {
        var best: (UInt64, [UInt8]?) = (0, nil)
        for index in 0..<2 {
            let bytes = try file.read(count: slotSize, at: UInt64(index * slotSize))
            guard let (generation, contents) = decode(bytes) else { continue }
            if best.1 == nil || generation > best.0 { best = (generation, contents) }
        }
        return best
    }

    private static func decode(_ bytes: [UInt8]) -> (UInt64, [UInt8])? {
        guard bytes.count >= overhead, Array(bytes[0..<8]) == magic else { return nil }
        let generation = integer(bytes, 8, 8)
        let length = Int(integer(bytes, 16, 4))
        guard length <= slotSize - overhead, bytes.count >= overhead + length else { return nil }
        guard integer(bytes, 24 + length, 8) == checksum(bytes[0..<(24 + length)]) else { return nil }
        return (generation, Array(bytes[24..<(24 + length)]))
    }

    /// Writes new contents into the older slot. The file is not synced: see `sync()`.
    package mutating func write(_ new: [UInt8]) throws(DiskError) {
        precondition(new.count <= Slots.slotSize - Slots.overhead, "the contents do not fit into a slot")
        var slot = Slots.magic
        func put(_ value: UInt64, _ size: Int) {
            for i in 0..<size { slot.append(UInt8(truncatingIfNeeded: value >> (8 * i))) }
        }
        put(generation + 1, 8)
        put(UInt64(new.count), 4)
        put(0, 4)
        slot += new
        put(Slots.checksum(slot[...]), 8)
        try fileSystem.write(slot.span, to: file, at: UInt64(Int((generation + 1) % 2) * Slots.slotSize))
        generation += 1
        contents = new
    }

    /// Makes the last write durable. fdatasync(2)
    package func sync() throws(DiskError) { try fileSystem.sync(file) }

    private static func integer(_ bytes: [UInt8], _ at: Int, _ size: Int) -> UInt64 {
        var value: UInt64 = 0
        for i in 0..<size { value |= UInt64(bytes[at + i]) << (8 * i) }
        return value
    }

    private static func checksum(_ bytes: ArraySlice<UInt8>) -> UInt64 {
        var hash: UInt64 = 0xcbf2_9ce4_8422_2325
        for byte in bytes { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }
        return hash
    }
}
