// What the chunks of a segment say about their sources, gathered on a walk from the segment's beginning.
import Disk
import Records

/// The sources that a segment has defined so far.
struct SourceDefinitions {
    private var identities: [SourceNumber: SourceIdentity] = [:]
    private var inputs: [UInt16: String] = [:]
    /// The chunk that was noted last, and its sources.
    private var noted: (offset: UInt64, sources: [SourceIdentity]?)?

    /// Notes what a chunk defines, and returns where its records come from: nil when it covers a source whose definition was
    /// not seen, because it is damaged. Chunks are noted in their order; the same one may be noted again.
    mutating func note(_ place: ChunkPlace, _ scan: inout SegmentScan) throws(DiskError) -> [SourceIdentity]? {
        if let noted, noted.offset == place.offset { return noted.sources }
        let sources = read(try scan.items(place, inputs: &inputs) ?? [], of: place.header)
        noted = (place.offset, sources)
        return sources
    }

    private mutating func read(_ items: [ChunkItem], of header: ChunkHeader) -> [SourceIdentity]? {
        var covered: [SourceNumber] = []
        for item in items {
            switch item {
            case .source(let number, let identity, _): identities[number] = identity
            case .coverage(let number, _, _): if header.recordCount > 0 { covered.append(number) }
            case .input, .counts, .skip, .follows: break
            }
        }
        var sources: [SourceIdentity] = []
        for number in covered {
            guard let identity = identities[number] else { return nil }
            sources.append(identity)
        }
        return sources.isEmpty ? nil : sources
    }
}
