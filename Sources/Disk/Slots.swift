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

    /// Opens a file. Both slots damaged is not an error here: `contents` is nil then.
    package init(_ path: String, fileSystem: any FileSystem) throws(DiskError) {
        let file = try fileSystem.open(path, .update)
        // Files of earlier versions had room for one slot until the second was written. Without it a full disk fails that write.
        try? fileSystem.allocate(UInt64(2 * Slots.slotSize), of: file)
        (generation, contents) = try Slots.newest(file)
        self.fileSystem = fileSystem
        self.file = file
    }

    /// Creates a file, or replaces one, durably and in one step: whoever finds it finds it whole. It has room for both slots, so that
    /// no later write needs any.
    package init(creating path: String, _ contents: [UInt8], fileSystem: any FileSystem) throws(DiskError) {
        var bytes = [UInt8](repeating: 0, count: 2 * Slots.slotSize)
        // The first write goes to the second slot.
        let slot = Slots.encode(contents, generation: 1)
        bytes.replaceSubrange(Slots.slotSize..<(Slots.slotSize + slot.count), with: slot)
        try fileSystem.replace(path, with: bytes.span)
        file = try fileSystem.open(path, .update)
        self.fileSystem = fileSystem
        self.contents = contents
        generation = 1
    }

    /// Whether the file has no name any more: somebody deleted it or put another one in its place, and what is written to it is lost.
    package func isDeleted() throws(DiskError) -> Bool { try file.status().linkCount == 0 }

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

    private static func encode(_ contents: [UInt8], generation: UInt64) -> [UInt8] {
        precondition(contents.count <= Slots.slotSize - Slots.overhead, "the contents do not fit into a slot")
        var slot = Slots.magic
        func put(_ value: UInt64, _ size: Int) {
            for i in 0..<size { slot.append(UInt8(truncatingIfNeeded: value >> (8 * i))) }
        }
        put(generation, 8)
        put(UInt64(contents.count), 4)
        put(0, 4)
        slot += contents
        put(Slots.checksum(slot[...]), 8)
        return slot
    }

    /// Writes new contents into the older slot. The file is not synced: see `sync()`.
    package mutating func write(_ new: [UInt8]) throws(DiskError) {
        let slot = Slots.encode(new, generation: generation + 1)
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
