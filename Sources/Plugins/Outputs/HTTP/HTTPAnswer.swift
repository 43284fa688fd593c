// What the server says, and what is done about it: the table of docs/delivery.md.
private import Bytes
private import Disk
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
    /// Nobody is asked to wait longer than this, whatever Retry-After says: a slip of a server must not stop a node for good.
    static let longestWait: Duration = .seconds(3600)

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
        guard let text = retryAfter?.trimmed else { return nil }
        if let seconds = Int64(text) {
            guard seconds >= 0 else { return nil }
            return min(.seconds(seconds), HTTPAnswer.longestWait)
        }
        guard let date = HTTPDate.parse(text) else { return nil }
        return min(max(.zero, .seconds(date - now / 1_000_000_000)), HTTPAnswer.longestWait)
    }

    /// The beginning of a body as words on one line.
    static func words(of body: [UInt8]) -> String {
        let text = String(decoding: body.prefix(wordsLimit), as: UTF8.self)
        let words = text.split { $0.isWhitespace || $0.isNewline }.joined(separator: " ")
        let printable = String(words.unicodeScalars.filter { $0.value >= 0x20 && !(0x7f..<0xa0).contains($0.value) })
        return printable + (body.count > wordsLimit ? " ..." : "")
    }
}

/// Dates in HTTP headers, in the three forms that RFC 9110 section 5.6.7 wants read.
enum HTTPDate {
    private static let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]

    /// Seconds since 1970; nil when it is no date, or one that no clock of ours will ever show.
    ///
    /// `Sun, 06 Nov 1994 08:49:37 GMT`, `Sunday, 06-Nov-94 08:49:37 GMT`, `Sun Nov  6 08:49:37 1994`.
    static func parse(_ text: String) -> Int64? {
        let parts = text.split { " ,-".contains($0) }.map(String.init)
        switch parts.count {
        case 6 where parts[5] == "GMT": return date(day: parts[1], month: parts[2], year: parts[3], time: parts[4])
        case 5: return date(day: parts[2], month: parts[1], year: parts[4], time: parts[3])
        default: return nil
        }
    }

    private static func date(day: String, month: String, year: String, time: String) -> Int64? {
        guard let month = months.firstIndex(of: month), let day = Int(day), var year = Int(year) else { return nil }
        // Two digits: what is not in the past century is meant (RFC 9110: no more than 50 years ahead).
        if year < 100 { year += year < 70 ? 2000 : 1900 }
        let clock = time.split(separator: ":", omittingEmptySubsequences: false).map { Int($0) ?? -1 }
        guard (1601...9999).contains(year), clock.count == 3, (0..<24).contains(clock[0]), (0..<60).contains(clock[1]),
            (0...60).contains(clock[2]),
            let date = CivilDate(year: year, month: month + 1, day: day)
        else { return nil }
        return Int64(date.daysSinceEpoch * 86_400 + clock[0] * 3600 + clock[1] * 60 + clock[2])
    }
}

extension String {
    fileprivate var trimmed: String {
        String(drop { $0 == " " || $0 == "\t" }.reversed().drop { $0 == " " || $0 == "\t" }.reversed())
    }
}
