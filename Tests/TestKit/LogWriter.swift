// The text that container runtimes write: one CRI line for each piece of a line.
import Bytes
package import Records

/// Makes CRI lines byte by byte as containerd does; it shares no code with the reader.
package enum LogWriter {
    /// The most bytes of one piece.
    package static let pieceSize = 16_384

    /// One CRI line with its newline.
    package static func line(
        _ message: some Sequence<UInt8>, _ stream: RecordStream, at time: Int64, isPartial: Bool = false
    ) -> [UInt8] {
        let name = stream == .stderr ? "stderr" : "stdout"
        return Array("\(timeText(time)) \(name) \(isPartial ? "P" : "F") ".utf8) + Array(message) + [10]
    }

    /// A whole line in pieces of at most `pieceSize`; 16384 bytes are one F, one more is P and F.
    package static func pieces(
        of message: [UInt8], _ stream: RecordStream, at time: Int64, ends: Bool = true
    ) -> [UInt8] {
        var bytes: [UInt8] = []
        var rest = message[...]
        while rest.count > pieceSize {
            bytes += line(rest.prefix(pieceSize), stream, at: time, isPartial: true)
            rest = rest.dropFirst(pieceSize)
        }
        return bytes + line(rest, stream, at: time, isPartial: !ends)
    }

    /// A time as Go's RFC3339Nano has it: UTC, without the fraction's trailing zeros.
    package static func timeText(_ nanoseconds: Int64) -> String {
        let time = CivilTime(nanoseconds: nanoseconds)
        func two(_ number: Int) -> String { number < 10 ? "0\(number)" : "\(number)" }
        var text = "\(time.date.year)-\(two(time.date.month))-\(two(time.date.day))"
        text += "T\(two(time.hour)):\(two(time.minute)):\(two(time.second))"
        var fraction = String(String(1_000_000_000 + time.nanosecond).dropFirst())
        while fraction.last == "0" { fraction.removeLast() }
        return text + (fraction.isEmpty ? "" : ".\(fraction)") + "Z"
    }
}
