// The body of an answer, read so far as anybody needs it.
import AsyncHTTPClient
private import HTTPTransport
import NIOCore

/// What came of a body.
struct HTTPAnswerBody: Sendable {
    /// The first bytes, enough for words.
    var beginning: [UInt8] = []
    /// There are more bytes than those.
    var isCut = false
    /// Why the rest did not come. A body that is longer than anybody reads breaks off by our will, which is no fault.
    var breakOff: (any Error)?

    /// Longer bodies are not read to their end: the connection is given up instead.
    private static let longest = 64 * 1024

    /// Reads on to the end, so that the connection can be used again, but not past the deadline.
    static func read(_ body: HTTPClientResponse.Body, until deadline: NIODeadline) async -> HTTPAnswerBody {
        await withTaskGroup(of: HTTPAnswerBody.self) { group in
            group.addTask { await read(body) }
            group.addTask {
                let left = deadline - NIODeadline.now()
                try? await Task.sleep(for: .nanoseconds(max(0, left.nanoseconds)))
                return HTTPAnswerBody(breakOff: HTTPClientError.deadlineExceeded)
            }
            defer { group.cancelAll() }
            return await group.next() ?? HTTPAnswerBody()
        }
    }

    private static func read(_ body: HTTPClientResponse.Body) async -> HTTPAnswerBody {
        var read = HTTPAnswerBody()
        var size = 0
        do {
            for try await part in body {
                size += part.readableBytes
                read.beginning += part.readableBytesView.prefix(AnswerWords.enough - read.beginning.count)
                if size > longest { break }
            }
        } catch {
            read.breakOff = error
        }
        read.isCut = size > read.beginning.count || read.breakOff != nil
        return read
    }
}
