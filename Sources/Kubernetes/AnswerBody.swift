// The body of an answer, piece by piece, or cut into the objects that it consists of.
internal import AsyncHTTPClient
internal import Bytes
private import NIOCore
internal import PodMetadata

/// A body that is read once, from its beginning on.
struct AnswerBody: Sendable {
    private let body: HTTPClientResponse.Body
    private let pulse: Pulse

    init(_ body: HTTPClientResponse.Body, _ pulse: Pulse) {
        self.body = body
        self.pulse = pulse
    }

    /// Reads a list to its end, and hands on each object as it comes.
    /// - Returns: what is around the objects.
    func readList(
        limit: Int, _ take: (ObjectStream.Piece, borrowing Arena) throws -> Void
    ) async throws -> ListEnvelope {
        var stream = ObjectStream(.list, limit: limit)
        for try await piece in body {
            pulse.beat()
            stream.append(piece.readableBytesUInt8Span)
            while let found = try stream.next() { try take(found, stream.object) }
        }
        let envelope = try stream.finish()
        guard envelope.hasItems, envelope.kind.hasSuffix("List") else {
            let kind = envelope.kind.isEmpty ? "something else" : "a \(envelope.kind)"
            throw APIError.unreadable("the answer is \(kind) and not a list")
        }
        return envelope
    }

    /// Reads the events of a watch to its end, and hands on each as it comes.
    func readEvents(limit: Int, _ take: (ObjectStream.Piece, borrowing Arena) throws -> Void) async throws {
        var stream = ObjectStream(.events, limit: limit)
        for try await piece in body {
            pulse.beat()
            stream.append(piece.readableBytesUInt8Span)
            while let found = try stream.next() { try take(found, stream.object) }
        }
        try stream.finish()
    }

    /// Reads the head of the one object that is all of the body.
    func readObject(limit: Int) async throws -> ObjectHead {
        let text = try await text(limit: limit)
        guard text.count <= limit else { throw APIError.unreadable("the answer is larger than \(limit) bytes") }
        return try ObjectHead.read(text)
    }

    /// Reads the body to its end; of one that is larger than `limit` somewhat more than that.
    func text(limit: Int) async throws -> Arena {
        var text = Arena()
        for try await piece in body {
            pulse.beat()
            text.append(piece.readableBytesUInt8Span)
            if text.count > limit { break }
        }
        return text
    }
}
