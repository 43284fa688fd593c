// What the server says, and what is done about it: the table of docs/delivery.md.
private import HTTPTransport
import Pipeline

/// An answer, as far as it matters.
struct HTTPAnswer: Sendable {
    let status: Int
    /// The reason phrase, or what the status usually means.
    let reason: String
    /// The header Retry-After, as it was sent.
    let retryAfter: String?
    /// The beginning of the body.
    let words: String

    /// Of the body so much is told.
    static let wordsLimit = 512

    /// Throws what the answer means, unless it means that all is well.
    func check(now: Int64) throws(DeliveryFailure) {
        if (200..<300).contains(status) { return }
        let kind: DeliveryFailure.Kind =
            switch status {
            case 408, 425, 429, 500...599: .passing
            case 413: .tooLarge
            case 400, 422: .refused
            default: .denied
            }
        throw DeliveryFailure(description, kind: kind, retryAfter: wait(now: now))
    }

    /// `503 Service Unavailable: queue is full`.
    var description: String { "\(status) \(reason)" + (words.isEmpty ? "" : ": \(words)") }

    /// How long the server asks to wait: Retry-After as seconds or as a date.
    func wait(now: Int64) -> Duration? {
        retryAfter.flatMap { RetryAfter.wait($0, now: now) }
    }

    /// The beginning of a body as words on one line.
    static func words(of body: [UInt8]) -> String {
        let text = String(decoding: body.prefix(wordsLimit), as: UTF8.self)
        let words = text.split { $0.isWhitespace || $0.isNewline }.joined(separator: " ")
        let printable = String(words.unicodeScalars.filter { $0.value >= 0x20 && !(0x7f..<0xa0).contains($0.value) })
        return printable + (body.count > wordsLimit ? " ..." : "")
    }
}
