// What this program calls itself.
import Gzip

enum Version {
    static let number = "0.1.0"

    /// One line: the version and the compressor it is built with.
    static var text: String { "sluice \(number) (compression: \(Deflater.encoderName))" }
}
