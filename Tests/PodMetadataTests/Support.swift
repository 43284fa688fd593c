// What the tests of this target share: bytes as arenas, streams fed in pieces, and random pods.
import Bytes
import PodMetadata
import TestKit

func arena(_ bytes: [UInt8]) -> Arena {
    var arena = Arena(capacity: bytes.count)
    arena.append(bytes)
    return arena
}

func arena(_ text: String) -> Arena { arena(Array(text.utf8)) }

func decode(_ file: [UInt8]) throws(ObjectError) -> MetadataFile { try MetadataFile.decode(file.span) }

func isJSON(_ bytes: [UInt8]) -> Bool { JSONScanner.validate(arena(bytes), from: 0, to: bytes.count) }

/// All that a stream gave.
struct StreamResult: Equatable {
    var objects: [[UInt8]] = []
    /// The sizes of those that were passed over.
    var passedOver: [Int] = []
    var envelope: ListEnvelope?
    var error: ObjectError?

    var texts: [String] { objects.map { String(decoding: $0, as: UTF8.self) } }

    /// Whether each object is JSON, and the stream was content.
    var isSound: Bool {
        error == nil && objects.allSatisfy(isJSON)
    }
}

/// Feeds a stream; `size` says how long the next piece is.
func feed(
    _ shape: ObjectStream.Shape, _ bytes: [UInt8], limit: Int = 1 << 20, envelopeLimit: Int = 1 << 20,
    size: () -> Int = { Int.max }
) -> StreamResult {
    var stream = ObjectStream(shape, limit: limit, envelopeLimit: envelopeLimit)
    var result = StreamResult()
    var rest = bytes[...]
    do throws(ObjectError) {
        while !rest.isEmpty {
            let piece = Array(rest.prefix(size()))
            rest = rest.dropFirst(piece.count)
            stream.append(piece.span)
            while let found = try stream.next() {
                switch found {
                case .object: result.objects.append([UInt8](copying: stream.object.span))
                case .passedOver(let bytes): result.passedOver.append(bytes)
                }
            }
        }
        result.envelope = try stream.finish()
    } catch {
        result.error = error
    }
    return result
}

func feed(_ shape: ObjectStream.Shape, _ text: String, limit: Int = 1 << 20) -> StreamResult {
    feed(shape, Array(text.utf8), limit: limit)
}

extension SeededGenerator {
    /// A text of 1 to `length` characters, among which are all that JSON treats in its own way.
    mutating func text(_ length: Int = 12) -> String {
        let odd = ["\"", "\\", "{", "}", "[", "]", ",", ":", "\n", "\u{0}", "\u{7f}", "é", "語", "😀", "/", " "]
        return (0...below(length)).map { _ in
            oneIn(4) ? odd[below(odd.count)] : String(UnicodeScalar(UInt8(97 + below(26))))
        }.joined()
    }

    mutating func hexadecimal(_ count: Int) -> String {
        (0..<count).map { _ in String(below(16), radix: 16) }.joined()
    }

    mutating func labels() -> [Label] {
        var labels: [String: String] = [:]
        for _ in 0..<below(4) { labels[text()] = oneIn(5) ? "" : text() }
        return labels.map { Label($0.key, $0.value) }.sorted { $0.key < $1.key }
    }

    mutating func owner() -> Owner { Owner(kind: text(), name: text(), uid: oneIn(3) ? "" : text()) }

    mutating func life() -> Pod.Life {
        Pod.Life(id: hexadecimal(64), restarts: Int32(truncatingIfNeeded: next()), hasEnded: oneIn(2))
    }

    mutating func pod() -> Pod {
        var pod = Pod(uid: text(), namespace: text(), name: text())
        if oneIn(2) { pod.apiUID = text() }
        if oneIn(2) { pod.node = text() }
        if oneIn(2) { pod.ip = "198.51.100.\(below(256))" }
        pod.labels = labels()
        pod.annotations = labels()
        if oneIn(2) { pod.controller = owner() }
        let end: Int64 = Int64.max / 1_000_000_000
        if oneIn(2) { pod.created = oneIn(2) ? Int64.random(in: -end...end, using: &self) : 1_800_000_000 }
        for index in 0..<below(4) {
            var container = Pod.Container(name: "\(index)\(text())", image: oneIn(4) ? "" : text())
            if oneIn(2) { container.current = life() }
            if oneIn(2) { container.previous = life() }
            pod.containers.append(container)
        }
        if oneIn(2) { pod.deletedAt = Int64.random(in: -Int64.max...Int64.max, using: &self) }
        pod.isStatic = oneIn(2)
        return pod
    }

    /// The same bytes with a few of them changed, doubled or left out, or cut off.
    mutating func damaged(_ bytes: [UInt8]) -> [UInt8] {
        var bytes = bytes
        let letters = Array(#"{}[]",:\ntfu01-.e é"#.utf8) + [0x0a, 0x00, 0xff]
        for _ in 0...below(3) where !bytes.isEmpty {
            let place = below(bytes.count)
            switch below(5) {
            case 0: bytes[place] = letters[below(letters.count)]
            case 1: bytes.insert(letters[below(letters.count)], at: place)
            case 2: bytes.removeSubrange(place..<min(bytes.count, place + 1 + below(oneIn(3) ? 40 : 2)))
            case 3: bytes.insert(contentsOf: bytes[place..<min(bytes.count, place + 1 + below(40))], at: place)
            default: if oneIn(4) { bytes.removeSubrange(place...) }
            }
        }
        return bytes
    }
}
