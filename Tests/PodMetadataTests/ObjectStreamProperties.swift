// Any way to cut a body into pieces gives the same objects, and none that is damaged passes for a whole one.
import Bytes
import Foundation
import PodMetadata
import TestKit
import Testing

struct ObjectStreamProperties {
    /// A value of any kind.
    private static func value(_ random: inout SeededGenerator, depth: Int = 0) -> Any {
        switch random.below(depth > 3 ? 4 : 6) {
        case 0: return random.text()
        case 1: return random.below(1000)
        case 2: return random.oneIn(2)
        case 3: return NSNull()
        case 4: return (0..<random.below(4)).map { _ in value(&random, depth: depth + 1) }
        default: return object(&random, depth: depth + 1)
        }
    }

    private static func object(_ random: inout SeededGenerator, depth: Int = 0) -> [String: Any] {
        var object: [String: Any] = [:]
        for _ in 0..<random.below(4) { object[random.text()] = value(&random, depth: depth) }
        return object
    }

    private static func json(_ value: Any, pretty: Bool = false) throws -> [UInt8] {
        Array(try JSONSerialization.data(withJSONObject: value, options: pretty ? [.prettyPrinted] : []))
    }

    /// A list of random objects, as JSON.
    private static func list(_ random: inout SeededGenerator) throws -> [UInt8] {
        var list = object(&random)
        list["items"] = random.oneIn(8) ? NSNull() : (0..<random.below(5)).map { _ in object(&random) }
        return try json(list, pretty: random.oneIn(2))
    }

    @Test(arguments: 0..<300)
    func `pieces of any size give the same objects`(_ seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        let objects = try (0..<random.below(6)).map { _ in
            try ObjectStreamProperties.json(ObjectStreamProperties.object(&random), pretty: random.oneIn(3))
        }
        let limit = random.oneIn(2) ? 60 : 1 << 20
        let comma = [UInt8(ascii: ","), UInt8(ascii: "\n")]
        let bodies: [(ObjectStream.Shape, [UInt8])] = [
            (.events, Array(objects.joined(separator: random.oneIn(2) ? [] : [UInt8(ascii: "\n")]))),
            (.list, Array(#"{"a":"[","items":["#.utf8) + objects.joined(separator: comma) + Array(#"],"b":{}}"#.utf8)),
        ]
        for (shape, body) in bodies {
            let whole = feed(shape, body, limit: limit)
            #expect(whole.error == nil)
            #expect(whole.objects == objects.filter { $0.count <= limit })
            #expect(whole.passedOver == objects.map(\.count).filter { $0 > limit })
            for longest in [1, 3, 20] {
                #expect(feed(shape, body, limit: limit) { 1 + random.below(longest) } == whole)
            }
        }
    }

    @Test(arguments: 0..<40)
    func `a body that is cut off anywhere is not complete`(_ seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        let list = try ObjectStreamProperties.list(&random)
        for end in 0..<list.count { #expect(feed(.list, Array(list[..<end])).error != nil) }
        let event = try ObjectStreamProperties.json(ObjectStreamProperties.object(&random))
        for end in 1..<event.count { #expect(feed(.events, event + event[..<end]).error != nil) }
    }

    /// The scanner reads the whole body at once, and so knows nothing of how it is cut.
    @Test(arguments: 0..<60)
    func `a damaged list is accepted when it is a list all the same`(_ seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        let list = try ObjectStreamProperties.list(&random)
        var accepted = 0
        for _ in 0..<100 {
            let bytes = random.damaged(list)
            let result = feed(.list, bytes) { 1 + random.below(50) }
            let isWhole = isJSON(bytes)
            if result.isSound { #expect(isWhole, "\(String(decoding: bytes, as: UTF8.self))") }
            guard isWhole, let root = try? JSONSerialization.jsonObject(with: Data(bytes)) as? [String: Any] else {
                continue
            }
            if result.isSound {
                accepted += 1
                let items = try result.objects.map { try JSONSerialization.jsonObject(with: Data($0)) }
                #expect(items as NSArray == (root["items"] as? [Any] ?? []) as NSArray)
            } else {
                // Then the items are not what they should be, or are there twice.
                let twice = String(decoding: bytes, as: UTF8.self).components(separatedBy: #""items""#).count > 2
                let isWrong = root["items"].map { !($0 is NSNull) && !($0 is [[String: Any]]) } ?? false
                #expect(
                    twice || isWrong, "\(String(decoding: bytes, as: UTF8.self)): \(String(describing: result.error))")
            }
        }
        #expect(accepted > 0)
    }

    @Test(arguments: 0..<60)
    func `damaged events end in an error or are whole`(_ seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        let events = try (0..<3).flatMap { _ in
            try ObjectStreamProperties.json(ObjectStreamProperties.object(&random)) + [UInt8(ascii: "\n")]
        }
        for _ in 0..<100 {
            let bytes = random.damaged(events)
            let result = feed(.events, bytes) { 1 + random.below(50) }
            #expect(result == feed(.events, bytes))
            guard result.error == nil else { continue }
            // Nothing but space was left out.
            #expect(result.objects.joined().filter { $0 > 0x20 } == bytes.filter { $0 > 0x20 })
        }
    }

    @Test func `a list of some megabytes takes no time`() {
        let item = #"{"metadata":{"name":"\#(String(repeating: "x", count: 3000))"}}"#
        let body = Array(#"{"items":[\#(repeatElement(item, count: 2000).joined(separator: ","))]}"#.utf8)
        let clock = ContinuousClock()
        let time = clock.measure {
            #expect(feed(.list, body) { 997 }.objects.count == 2000)
        }
        // Some 30 MB/s without optimisation; were it quadratic it would be minutes.
        #expect(time < .seconds(30))
    }
}
