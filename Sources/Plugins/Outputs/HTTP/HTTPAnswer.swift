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
    /// Where a redirect leads to, as words.
    let location: String?
    /// The beginning of the body.
    let words: String
    /// Why the rest of the body did not come; nil when the answer is whole, or as long as anybody reads.
    let breakOff: String?

    /// Of the body so much is told.
    static let wordsLimit = 512

    /// Throws what the answer means, unless it means that all is well.
    func check(now: Int64) throws(DeliveryFailure) {
        // Half an answer is none: a server that has said 200 can only take it back by breaking off.
        if let breakOff { throw DeliveryFailure("\(breakOff), which was \(description)") }
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

    /// `503 Service Unavailable: queue is full`, `302 Found, to https://login.example.com/`.
    var description: String {
        "\(status) \(reason)" + (location.map { ", to \($0)" } ?? "") + (words.isEmpty ? "" : ": \(words)")
    }

    /// How long the server asks to wait: Retry-After as seconds or as a date.
    func wait(now: Int64) -> Duration? {
        retryAfter.flatMap { RetryAfter.wait($0, now: now) }
    }
}
