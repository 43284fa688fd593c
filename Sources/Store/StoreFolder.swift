// Names and paths in a data directory.
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
    package var clock: String { "\(path)/clock" }

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

    /// The number in a segment's name; nil for other names, and for numbers that no record can have.
    package static func firstSequence(ofName name: String) -> UInt64? {
        guard looksLikeSegment(name), let number = UInt64(name.prefix(20)), number <= ChunkFormat.largestNumber
        else { return nil }
        return number
    }

    /// Whether a name is that of a segment, but for the size of its number.
    static func looksLikeSegment(_ name: String) -> Bool {
        name.hasSuffix(".ndjson.gz") && name.utf8.count == 30
            && name.utf8.prefix(20).allSatisfy { $0 >= 0x30 && $0 <= 0x39 }
    }

    /// The folders that have to stay where they are while an agent runs.
    func places() throws(DiskError) -> [FilePlace] {
        var places: [FilePlace] = []
        for path in [segments(lane: 0), cursors(lane: 0)] {
            places.append(FilePlace(path: path, status: try Directory.look(path)))
        }
        return places
    }

    /// The paths of a lane's segments, oldest first.
    func segmentPaths(lane: UInt16) -> [String] {
        ((try? Directory.list(segments(lane: lane))) ?? []).map(\.name)
            .filter { StoreFolder.firstSequence(ofName: $0) != nil }.sorted().map { "\(segments(lane: lane))/\($0)" }
    }

    /// The outputs that have cursors, by name. Names of outputs have no dots: what has one is on its way to be a cursor.
    package func cursorNames(lane: UInt16) -> [String] {
        ((try? Directory.list(cursors(lane: lane))) ?? []).map(\.name).filter { !$0.contains(".") }.sorted()
    }

    /// The cursors that can be read.
    func cursorStates(lane: UInt16) -> [CursorState] {
        cursorNames(lane: lane).compactMap { name in
            (try? Slots.read(cursor(lane: lane, output: name)))?.flatMap(CursorState.init(decoding:))
        }
    }
}
