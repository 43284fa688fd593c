// How far a journal has been read, as the store keeps it.
package import Records

/// A place in a journal to go on from.
package enum JournalPosition: Hashable, Sendable {
    /// Behind the entry of a journal cursor.
    case after(String)
    /// At the first entry that is not older than this: microseconds since 1970. 0 is the journal's beginning.
    case from(UInt64)

    /// Reads what `position` gave; nil for anything else.
    package init?(_ position: Position) {
        let text = String(decoding: position.bytes, as: UTF8.self)
        if text.hasPrefix("s=") {
            self = .after(text)
        } else if text.hasPrefix("@"), let time = UInt64(text.dropFirst()) {
            self = .from(time)
        } else {
            return nil
        }
    }

    /// Its written form: the journal cursor as systemd writes it (about 140 bytes), or `@` and the time.
    package var position: Position {
        switch self {
        case .after(let cursor): Position(Array(cursor.utf8.prefix(Position.maximumSize)))
        case .from(let time): Position(Array("@\(time)".utf8))
        }
    }
}
