// Names and paths in a data directory, and the identity of the store in it.
private import Bytes
import Disk

/// Where things are in a data directory.
package struct StoreFolder: Sendable {
    /// The data directory.
    package let path: String

    package init(_ path: String) { self.path = path }

    /// The folder of a lane's segments.
    package func segments(lane: UInt16) -> String { "\(path)/store/\(lane)" }
    /// The folder of a lane's cursors.
    package func cursors(lane: UInt16) -> String { "\(path)/cursors/\(lane)" }
    package func cursor(lane: UInt16, output: String) -> String { "\(cursors(lane: lane))/\(output)" }
    /// The folder of all dead letters, and that of one output's.
    package var deadLetters: String { "\(path)/dead-letter" }
    package func deadLetters(output: String) -> String { "\(deadLetters)/\(output)" }
    package var quarantine: String { "\(path)/quarantine" }
    package var identity: String { "\(path)/identity" }
    package var reserve: String { "\(path)/reserve" }

    /// A segment's path by the number of its first record.
    package func segment(lane: UInt16, firstSequence: UInt64) -> String {
        "\(segments(lane: lane))/\(StoreFolder.digits(firstSequence)).ndjson.gz"
    }

    /// A number in twenty digits, so that names sort as their numbers do.
    static func digits(_ number: UInt64) -> String {
        let digits = String(number)
        return String(repeating: "0", count: 20 - digits.count) + digits
    }

    /// The index that belongs to a segment.
    package static func index(ofSegment path: String) -> String {
        String(path.dropLast(".ndjson.gz".count)) + ".index"
    }

    /// The number in a segment's name; nil for other names.
    package static func firstSequence(ofName name: String) -> UInt64? {
        guard name.hasSuffix(".ndjson.gz"), name.utf8.count == 30 else { return nil }
        return UInt64(name.prefix(20))
    }
}

/// What makes a store itself: an id that nobody else has, and how often an agent has started on it.
package struct StoreIdentity: Sendable, Equatable {
    /// 16 random bytes.
    package var id: [UInt8]
    /// How many lanes there are; fixed when the store is created.
    package var lanes: UInt16
    /// Counts the agent's starts.
    package var epoch: UInt64

    private static let version: UInt8 = 1

    /// The id in hexadecimal.
    package var name: String {
        id.map { byte in
            let digits = String(byte, radix: 16)
            return digits.count == 1 ? "0" + digits : digits
        }.joined()
    }

    var encoded: [UInt8] {
        var out = Arena(capacity: 64)
        out.append(StoreIdentity.version)
        out.append(id)
        out.append(littleEndian: lanes)
        out.append(littleEndian: epoch)
        return Array(copying: out.span)
    }

    init(id: [UInt8], lanes: UInt16, epoch: UInt64) {
        self.id = id
        self.lanes = lanes
        self.epoch = epoch
    }

    /// Reads the contents of the identity file.
    init(decoding bytes: [UInt8], path: String) throws(StoreError) {
        var reader = ByteReader(bytes.span)
        guard reader.u8() == StoreIdentity.version else { throw .unknownVersion(path: path) }
        id = reader.bytes(16)
        lanes = reader.u16()
        epoch = reader.u64()
        guard !reader.hasOverrun else { throw .damagedIdentity(path: path) }
    }

    /// Looks at a store that an agent may be using.
    package static func read(_ folder: StoreFolder) throws(StoreError) -> StoreIdentity {
        let contents: [UInt8]?
        do throws(DiskError) {
            contents = try Slots.read(folder.identity)
        } catch {
            throw error.isMissing ? .noStore(path: folder.path) : .disk(error)
        }
        guard let contents else { throw .damagedIdentity(path: folder.identity) }
        return try StoreIdentity(decoding: contents, path: folder.identity)
    }

    /// Reads or creates the identity, and makes the next epoch durable before anything is written under it.
    static func begin(_ folder: StoreFolder, _ fileSystem: any FileSystem) throws(StoreError) -> StoreIdentity {
        do throws(DiskError) {
            let isNew = Directory.status(folder.identity) == nil
            var slots = try Slots(folder.identity, fileSystem: fileSystem)
            var identity: StoreIdentity
            if let contents = slots.contents {
                do throws(StoreError) {
                    identity = try StoreIdentity(decoding: contents, path: folder.identity)
                } catch {
                    throw DiskError("understand", folder.identity, code: 22)
                }
            } else {
                // Both slots damaged beside segments: the epoch is unknown, and numbers may be given twice.
                let hasSegments = ((try? Directory.list(folder.segments(lane: 0))) ?? []).contains {
                    StoreFolder.firstSequence(ofName: $0.name) != nil
                }
                if !isNew && hasSegments { throw DiskError("understand", folder.identity, code: 74) }
                identity = StoreIdentity(id: Machine.randomIdentity(), lanes: 1, epoch: 0)
            }
            identity.epoch += 1
            try slots.write(identity.encoded)
            try slots.sync()
            try fileSystem.syncFolder(folder.path)
            return identity
        } catch {
            if error.code == 74 { throw .damagedIdentity(path: folder.identity) }
            if error.code == 22 { throw .unknownVersion(path: folder.identity) }
            throw .disk(error)
        }
    }
}
