// JSONTestSuite by Nicolas Seriot (MIT, Vectors/LICENSE), all of test_parsing packed into one file: a line for each
// text, with its bytes in base64, or a repeated unit of them and what follows.
import Foundation
import Testing

/// One text of the suite.
struct JSONVector: CustomTestStringConvertible, Sendable {
    /// The name of its file without `.json`: `y_` must be accepted, `n_` refused, `i_` is left to the implementation.
    let name: String
    let bytes: [UInt8]

    var testDescription: String { name }

    /// The whole suite.
    static let all: [JSONVector] = {
        let file = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "Vectors/json-parsing.ndjson")
        guard let text = try? String(contentsOf: file, encoding: .utf8) else { fatalError("\(file.path) is missing") }
        return text.split(separator: "\n").map { line in
            guard let packed = try? JSONDecoder().decode(Packed.self, from: Data(line.utf8)) else {
                fatalError("not a packed vector: \(line.prefix(80))")
            }
            return packed.vector
        }
    }()

    private struct Packed: Decodable {
        let name: String
        let bytes: Data?
        let unit: Data?
        let `repeat`: Int?
        let tail: Data?

        var vector: JSONVector {
            let head = bytes ?? (0..<(`repeat` ?? 0)).reduce(into: Data()) { data, _ in data.append(unit ?? Data()) }
            return JSONVector(name: name, bytes: Array(head) + Array(tail ?? Data()))
        }
    }
}
