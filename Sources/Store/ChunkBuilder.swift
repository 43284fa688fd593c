// The open chunk of one input: text that grows until it is worth compressing, and how far it brings its sources.
package import Bytes
package import Records

/// Gathers records and progress until the chunk is written.
package struct ChunkBuilder: ~Copyable {
    /// The name of the input.
    package let input: String
    /// The records as lines of JSON.
    package var text = Arena(capacity: ChunkFormat.textLimit + 128 * 1024)
    /// The records in it and the span of their times, nanoseconds since 1970.
    package private(set) var recordCount: UInt32 = 0
    package private(set) var minTime: Int64 = 0
    package private(set) var maxTime: Int64 = 0
    /// What was counted since the last chunk.
    package var counts = Counts()
    /// When the first record or progress came in, on the monotonic clock; 0 while empty.
    package private(set) var openedAt: Int64 = 0
    private(set) var progress: [Progress] = []
    private var places: [SourceNumber: Int] = [:]
    /// Bytes read from sources since the last chunk, whether they gave records or not.
    package private(set) var bytesCovered: UInt64 = 0

    package init(input: String) { self.input = input }

    /// Whether there is nothing at all to write, and whether there are records.
    package var isEmpty: Bool { recordCount == 0 && progress.isEmpty && counts.isEmpty }
    package var hasRecords: Bool { recordCount > 0 }

    /// No more should be added: it is as large as a chunk should be.
    package var isFull: Bool { text.count >= ChunkFormat.textLimit || itemBytes >= ChunkFormat.itemLimit }

    /// An upper bound of the bytes that the field's items will take.
    private var itemBytes = 0

    /// Notes a record whose line was appended to `text`.
    @inline(__always)
    package mutating func noteRecord(time: Int64) {
        if recordCount == 0 {
            minTime = time
            maxTime = time
        } else {
            if time < minTime { minTime = time }
            if time > maxTime { maxTime = time }
        }
        recordCount += 1
    }

    /// Notes how far sources have been read, once their records are appended.
    /// - Parameter definitionSize: bytes that the source's definition may take in the chunk; 0 when the segment has it.
    package mutating func cover(
        _ steps: borrowing [Progress], bytes: UInt64, now: Int64, definitionSize: (SourceNumber) -> Int
    ) {
        if openedAt == 0 { openedAt = now }
        bytesCovered += bytes
        for step in copy steps {
            if let place = places[step.source] {
                itemBytes += max(0, step.position.bytes.count - progress[place].position.bytes.count)
                progress[place] = step
            } else {
                places[step.source] = progress.count
                progress.append(step)
                itemBytes += 8 + step.position.bytes.count + 32 + definitionSize(step.source)
            }
        }
    }

    /// Makes the builder empty, after its chunk was written.
    package mutating func reset() {
        if text.capacity > 8 << 20 { text.shrink(toAtMost: ChunkFormat.textLimit * 2) } else { text.removeAll() }
        recordCount = 0
        minTime = 0
        maxTime = 0
        counts = Counts()
        openedAt = 0
        progress.removeAll(keepingCapacity: true)
        places.removeAll(keepingCapacity: true)
        bytesCovered = 0
        itemBytes = 0
    }
}
