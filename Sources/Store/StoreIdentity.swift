// Which store it is, and how often it was started: in a file of two slots, and where that is gone, out of what refers to it.
private import Bytes
import Disk
import Telemetry

/// What makes a store itself: an id that nobody else has, and how often an agent has started on it.
package struct StoreIdentity: Sendable, Equatable {
    /// 16 random bytes.
    package var id: [UInt8]
    /// How many lanes there are; fixed when the store is created.
    package var lanes: UInt16
    /// Counts the agent's starts.
    package var epoch: UInt64

    private static let version: UInt8 = 1
    /// What a file that is made again is above all epochs that can be found: a start that could write nothing leaves no trace of its.
    private static let margin: UInt64 = 1000

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
        guard !reader.hasOverrun, epoch <= ChunkFormat.largestNumber else { throw .damagedIdentity(path: path) }
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

    /// Reads, creates or makes again the identity, and makes the next epoch durable before anything is written under it.
    static func begin(
        _ folder: StoreFolder, _ fileSystem: any FileSystem, _ telemetry: Telemetry
    ) throws(StoreError) -> StoreIdentity {
        var found: StoreIdentity?
        do throws(StoreError) {
            found = try read(folder)
        } catch {
            switch error {
            case .damagedIdentity, .noStore: break
            default: throw error
            }
        }
        do throws(DiskError) {
            if var identity = found {
                identity.epoch += 1
                var slots = try Slots(folder.identity, fileSystem: fileSystem)
                try slots.write(identity.encoded)
                try slots.sync()
                try fileSystem.syncFolder(folder.path)
                return identity
            }
            let identity = try madeAgain(folder, fileSystem, telemetry)
            _ = try Slots(creating: folder.identity, identity.encoded, fileSystem: fileSystem)
            return identity
        } catch {
            throw .disk(error)
        }
    }

    /// A new store's identity; or, beside segments, the one that was lost: its id stands in the cursors, its epochs in the segments
    /// and the cursors.
    private static func madeAgain(
        _ folder: StoreFolder, _ fileSystem: any FileSystem, _ telemetry: Telemetry
    ) throws(DiskError) -> StoreIdentity {
        let segments = folder.segmentPaths(lane: 0)
        guard !segments.isEmpty else { return StoreIdentity(id: Machine.randomIdentity(), lanes: 1, epoch: 1) }
        let cursors = folder.cursorStates(lane: 0)
        var epoch = cursors.flatMap(\.sending).map(\.epoch).max() ?? 0
        // A start never appends to an old segment, so all chunks of one are of the same epoch.
        for path in segments {
            if let found = try SegmentScan.epoch(ofSegment: path) { epoch = max(epoch, found) }
        }
        // Of several stores' cursors those that are more are this one's.
        let votes = Dictionary(grouping: cursors, by: \.storeID).mapValues(\.count)
        let id = votes.max { ($0.value, $1.key.description) < ($1.value, $0.key.description) }?.key
        let identity = StoreIdentity(
            id: id ?? Machine.randomIdentity(), lanes: 1, epoch: min(epoch, ChunkFormat.largestNumber - margin) + margin
        )
        telemetry.tell(StoreEvent.identityMadeAgain(path: folder.identity, epoch: identity.epoch))
        // For people: nothing of it is used any more.
        try? fileSystem.rename(folder.identity, to: "\(folder.quarantine)/identity")
        return identity
    }
}
