// A chunk as a reader gives it: as it lies in the store, or with some of its records only.
private import Bytes
package import Gzip
package import Records

/// A chunk that was read and found intact.
package struct ReadChunk: Sendable {
    /// The header, checked. Of a chunk with some of its records only, sizes and checksums are those of their text; numbers
    /// and times are still those of all.
    package let header: ChunkHeader
    /// The whole gzip member; empty when no record is left.
    package let member: [UInt8]
    /// Where its records come from, perhaps with sources that have none in it; nil when that is not known.
    package var sources: [SourceIdentity]?
    /// Which of its records are in the text, as places among its numbers, in order; nil when all are.
    package let selected: [UInt32]?
    /// Bytes that it takes in the store.
    package let storedSize: Int

    init(
        header: ChunkHeader, member: [UInt8], sources: [SourceIdentity]?, selected: [UInt32]? = nil,
        storedSize: Int? = nil
    ) {
        self.header = header
        self.member = member
        self.sources = sources
        self.selected = selected
        self.storedSize = storedSize ?? member.count
    }

    /// The deflate data without the final block: what is spliced.
    package var splice: Range<Int> { header.bodyOffset..<(header.bodyOffset + header.deflateSize - 2) }

    // MARK: Lines and numbers

    /// How many lines its text has.
    package var lineCount: Int { selected?.count ?? Int(header.recordCount) }

    /// The number of the record in a line of its text.
    package func number(ofLine line: Int) -> UInt64 {
        header.firstSequence + UInt64(selected.map { Int($0[line]) } ?? line)
    }

    /// The lines of its text that hold the records from number `first` through `last`.
    package func lines(from first: UInt64, through last: UInt64 = .max) -> Range<Int> {
        let lower = lines(before: first)
        return lower..<max(lower, last == .max ? lineCount : lines(before: last + 1))
    }

    /// How many lines hold records with smaller numbers.
    private func lines(before number: UInt64) -> Int {
        guard number > header.firstSequence else { return 0 }
        let place = min(number, header.endSequence) - header.firstSequence
        guard let selected else { return Int(place) }
        var (low, high) = (0, selected.count)
        while low < high {
            let middle = (low + high) / 2
            if UInt64(selected[middle]) < place { low = middle + 1 } else { high = middle }
        }
        return low
    }

    // MARK: Some of its records

    /// The same numbers without any record.
    package func withoutRecords() -> ReadChunk {
        var header = header
        header.textSize = 0
        header.memberSize = 0
        return ReadChunk(header: header, member: [], sources: sources, selected: [], storedSize: storedSize)
    }

    /// The same numbers with some of the records only.
    /// - Parameters:
    ///   - selected: the places of these records among the chunk's numbers, in order.
    ///   - text: their lines, which are compressed anew.
    package func keeping(_ selected: [UInt32], text: Span<UInt8>, with deflater: inout Deflater) -> ReadChunk {
        var header = header
        var member = Arena(capacity: ChunkFormat.preamble + ChunkFormat.fixedPart + Deflater.bound(text.count) + 16)
        header.encodeBeginning(items: Arena(capacity: 0), to: &member)
        _ = member.fill(Deflater.bound(text.count)) { deflater.compress(text, into: &$0) }
        header.seal(&member, from: 0, textSize: text.count, textChecksum: CRC32.of(text))
        return ReadChunk(
            header: header, member: Array(copying: member.span), sources: sources, selected: selected,
            storedSize: storedSize)
    }
}
