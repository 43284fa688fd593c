// Requests: a run of records as text and as one gzip member, of whole chunks and of cut ones.
import Bytes
import Pipeline
import TestKit
import Testing

@Suite struct `A request` {
    let source: RequestSource

    init() throws {
        source = try RequestSource([
            numbered(1...10), numbered(11...11), (12...20).map { noise($0, bytes: 3000) }, numbered(21...30),
        ])
    }

    @Test(arguments: [
        (1, 30), (1, 10), (11, 11), (12, 20), (1, 1), (10, 10), (10, 12), (5, 7), (5, 25), (1, 29), (2, 30), (20, 21),
        (30, 30),
    ])
    func `texts and body hold exactly its records`(_ first: Int, _ last: Int) throws {
        let request = try source.request(UInt64(first), UInt64(last))
        let wanted = Array(source.lines[(first - 1)...(last - 1)])
        #expect(request.lines == wanted)
        #expect(request.recordCount == UInt64(wanted.count))
        let body = try GzipReading(request.gzipBody(), textSize: request.textSize)
        #expect(body.text == wanted.map { $0 + "\n" }.joined())
        #expect(body.bytesBehind == 0, "many receivers read only the first member")
    }

    @Test func `texts come chunk by chunk`() throws {
        let request = try source.request(9, 22)
        var buffer = Arena()
        var counts: [Int] = []
        request.withTexts(inflatingInto: &buffer) { text in
            counts.append(String(decoding: text).split(separator: "\n").count)
        }
        #expect(counts == [2, 1, 9, 2])
    }

    @Test func `an error in the receiver ends the texts`() throws {
        struct Enough: Error {}
        let request = try source.request(1, 30)
        var buffer = Arena()
        var calls = 0
        #expect(throws: Enough.self) {
            try request.withTexts(inflatingInto: &buffer) { _ throws(Enough) in
                calls += 1
                if calls == 2 { throw Enough() }
            }
        }
        #expect(calls == 2)
    }

    @Test func `whole chunks are spliced, not compressed again`() throws {
        let whole = try source.request(1, 30).gzipBody()
        let parts = try [(1, 10), (11, 11), (12, 20), (21, 30)].map {
            try source.request(UInt64($0.0), UInt64($0.1)).gzipBody()
        }
        // Each alone has a header of 10 bytes and an ending of 2 + 8.
        #expect(whole.count == parts.reduce(20) { $0 + $1.count - 20 })
    }

    @Test func `hundreds of chunks make one member`() throws {
        let many = try RequestSource((1...500).map { numbered($0...$0) })
        let request = try many.request(1, 500)
        let body = try GzipReading(request.gzipBody(), textSize: request.textSize)
        #expect(body.text == many.lines.map { $0 + "\n" }.joined() && body.bytesBehind == 0)
    }
}
