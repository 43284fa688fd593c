// Random klog lines, written by a Go quoter of the test's own, and real ones with random damage.
import Bytes
import Foundation
import Records
import TestKit
import Testing

struct KlogProperties {
    private static let header = "I1123 03:28:02.913293   16167 kubelet.go:2243] "

    /// Writes bytes as Go's strconv.Quote does; with `isASCII` as QuoteToASCII.
    private static func quoted(_ bytes: [UInt8], isASCII: Bool, _ random: inout SeededGenerator) -> [UInt8] {
        func hexadecimal(_ value: UInt32, _ digits: Int) -> String {
            let text = String(value, radix: 16)
            return String(repeating: "0", count: digits - text.count) + text
        }
        var out = Array("\"".utf8)
        var rest = bytes[...]
        while let first = rest.first {
            // The shortest beginning that is a character.
            let length = (1...4).first { $0 <= rest.count && String(validating: rest.prefix($0), as: UTF8.self) != nil }
            guard let length, let scalar = String(decoding: rest.prefix(length), as: UTF8.self).unicodeScalars.first
            else {
                out += Array((random.oneIn(2) ? "\\x" + hexadecimal(UInt32(first), 2) : "\\" + octal(first)).utf8)
                rest = rest.dropFirst()
                continue
            }
            rest = rest.dropFirst(length)
            switch scalar {
            case "\"": out += Array("\\\"".utf8)
            case "\\": out += Array("\\\\".utf8)
            case "\u{7}": out += Array("\\a".utf8)
            case "\u{8}": out += Array("\\b".utf8)
            case "\u{c}": out += Array("\\f".utf8)
            case "\n": out += Array("\\n".utf8)
            case "\r": out += Array("\\r".utf8)
            case "\t": out += Array("\\t".utf8)
            case "\u{b}": out += Array("\\v".utf8)
            case _ where scalar.value < 0x20 || scalar.value == 0x7f:
                out += Array("\\x\(hexadecimal(scalar.value, 2))".utf8)
            case _ where scalar.value < 0x7f || !isASCII: out += Array(String(scalar).utf8)
            case _ where scalar.value < 0x10000: out += Array("\\u\(hexadecimal(scalar.value, 4))".utf8)
            default: out += Array("\\U\(hexadecimal(scalar.value, 8))".utf8)
            }
        }
        return out + Array("\"".utf8)
    }

    private static func octal(_ byte: UInt8) -> String {
        let text = String(byte, radix: 8)
        return String(repeating: "0", count: 3 - text.count) + text
    }

    private static func randomBytes(_ random: inout SeededGenerator) -> [UInt8] {
        let pieces = [
            "a", " b=c", "\"", "\\", "\n", "\t", "☃", "🦦", "é", "\u{0}", "\u{7}", "\u{b}", "\u{7f}", "\\x41", "[", "}",
            "word ",
        ]
        var bytes: [UInt8] = []
        for _ in 0..<random.below(12) {
            bytes +=
                random.oneIn(12) ? random.bytes(1 + random.below(3)) : Array(pieces[random.below(pieces.count)].utf8)
        }
        return bytes
    }

    /// A value as Go prints it for people: brackets that match, quotes inside of them, words beside each other.
    private static func randomValue(_ random: inout SeededGenerator, _ depth: Int = 0) -> String {
        if depth == 0, random.oneIn(2) {
            return [
                "", "1", "-1.5e3", "true", "<nil>", "1.5s", "10.0.0.1:80", "kube-system/x", "a b c",
                "2021-03-04 05:06:07 +0000 UTC m=+0.1", "a =b",
            ][random.below(11)]
        }
        let (open, close) = [("[", "]"), ("{", "}"), ("(", ")"), ("&{", "}"), ("map[", "]"), ("v1.Pod{", "}")][
            random.below(6)]
        var parts: [String] = []
        for _ in 0..<random.below(4) {
            switch random.below(depth > 3 ? 4 : 5) {
            case 0: parts.append("Name:x")
            case 1: parts.append("y=z")
            case 2: parts.append(["\"] }\"", "\"a\\\" )\"", "\"\"", "\"\\\\\""][random.below(4)])
            case 3: parts.append(["<nil>", "->", "<", "é☃"][random.below(4)])
            default: parts.append(randomValue(&random, depth + 1))
            }
        }
        return open + parts.joined(separator: random.oneIn(2) ? " " : ", ") + close
    }

    @Test func `structured lines come back as they were meant`() throws {
        var random = SeededGenerator(seed: 72)
        let keys = [
            "pod", "pods", "err", "time", "time_", "thread", "message", "audit-ID", "k8s.io/name", "_x", "m", "a", "a_",
            "kubernetic", "kubernetes",
        ]
        for round in 0..<4_000 {
            let message = Self.randomBytes(&random)
            var text = Self.quoted(message, isASCII: random.oneIn(4), &random)
            var wanted: [String: NSObject] = ["time": "1123 03:28:02.913293" as NSString, "thread": 16167 as NSNumber]
            var isReplaced = String(validating: message, as: UTF8.self) == nil
            for _ in 0..<random.below(8) {
                var key = keys[random.below(keys.count)]
                text += Array(" \(key)=".utf8)
                while wanted[key] != nil { key += "_" }
                if random.oneIn(2) {
                    let value = Self.randomBytes(&random)
                    text += Self.quoted(value, isASCII: random.oneIn(4), &random)
                    if String(validating: value, as: UTF8.self) == nil { isReplaced = true }
                    wanted[key] = String(decoding: value, as: UTF8.self) as NSString
                } else {
                    let value = Self.randomValue(&random)
                    text += Array(value.utf8)
                    wanted[key] = value as NSString
                }
            }
            let (lines, counts) = Encoding(klog: .behindJSON).lines([Array(Self.header.utf8) + text])
            let record = try parsed(lines[0])
            let isRight =
                record["klog"] == wanted as NSDictionary
                && record["message"] as? String == String(decoding: message, as: UTF8.self)
            guard isRight, counts[.invalidTextRecords] == (isReplaced ? 1 : 0) else {
                Issue.record("round \(round): \(String(decoding: text, as: UTF8.self))\n  became \(lines[0])")
                return
            }
        }
    }

    // MARK: Real lines

    /// Lines of a control plane and a kubelet, and of newer ones.
    private static func realLines() throws -> [[UInt8]] {
        let root = #filePath.split(separator: "/").dropLast(3).map { "/\($0)" }.joined()
        let pod = "kube-system_kube-apiserver-lab-node_7d61121184126d647d3734be31dad139"
        let log = try String(
            contentsOfFile: "\(root)/samples/node/var/log/pods/\(pod)/kube-apiserver/0.log", encoding: .utf8)
        let unstructured = log.split(separator: "\n").compactMap { line in
            line.range(of: " F ").map { Array(line[$0.upperBound...].utf8) }
        }
        return unstructured
            + [
                #"I1123 03:58:18.602452       1 event.go:291] "Event occurred" object="shop/web" kind="Deployment" apiVersion="apps/v1" type="Normal" reason="ScalingReplicaSet" message="Scaled up replica set web-5c4bdbb59b to 1""#,
                #"I1123 03:59:18.602452       1 replica_set.go:223] "Found related ReplicaSets" replicaSet="shop/web-688b586558" relatedReplicaSets=[web-5c4bdbb59b web-688b586558]"#,
                #"I1123 03:58:51.266286       1 garbagecollector.go:471] "Processing object" object="lab-node" objectUID=d8f3c268-6d7f-49c0-916c-39f7ae7d5321 kind="Node" virtual=false"#,
                #"E1123 03:59:18.620187       1 deployment_controller.go:490] "Error syncing deployment" deployment="shop/web" err="Operation cannot be fulfilled on deployments.apps \"web\": the object has been modified""#,
                #"I1123 03:58:02.913293   26198 kubelet.go:2421] "SyncLoop (PLEG): event for pod" pod="shop/web" event=&{ID:42d6be4b-d413 Type:ContainerStarted Data:9c8d6943758e}"#,
                #"W1123 03:58:49.966193       1 controllermanager.go:533] "nodeipam" is disabled"#,
            ].map { Array($0.utf8) }
    }

    /// Whether the text behind a header can be told from `message` and the pairs of its record: it is walked along once
    /// more, guided by them.
    private static func tells(_ text: String, _ message: String, _ pairs: [(name: String, value: String)]) -> Bool {
        if pairs.isEmpty && text == message { return true }
        var rest = text.utf8[...]
        func skip(quoted value: String) -> Bool {
            var end = rest.startIndex
            guard rest.first == UInt8(ascii: "\"") else { return false }
            rest.formIndex(after: &end)
            var isEscaped = false
            while end < rest.endIndex, isEscaped || rest[end] != UInt8(ascii: "\"") {
                isEscaped = !isEscaped && rest[end] == UInt8(ascii: "\\")
                rest.formIndex(after: &end)
            }
            guard end < rest.endIndex else { return false }
            let inside = String(decoding: rest[..<end].dropFirst(), as: UTF8.self)
            rest = rest[end...].dropFirst()
            // Escapes have their own tests; here it has to be there at all, and of its size.
            return inside.contains("\\") ? value.utf8.count <= inside.utf8.count * 3 : inside == value
        }
        guard skip(quoted: message) else { return false }
        for pair in pairs {
            guard let equals = rest.firstIndex(of: UInt8(ascii: "=")), rest.first == UInt8(ascii: " ") else {
                return false
            }
            let name = String(decoding: rest[..<equals].dropFirst(), as: UTF8.self)
            guard pair.name.hasPrefix(name), pair.name.dropFirst(name.count).allSatisfy({ $0 == "_" }) else {
                return false
            }
            rest = rest[equals...].dropFirst()
            if rest.first == UInt8(ascii: "\"") {
                guard skip(quoted: pair.value) else { return false }
            } else {
                guard rest.starts(with: pair.value.utf8) else { return false }
                rest = rest.dropFirst(pair.value.utf8.count)
            }
        }
        return rest.isEmpty
    }

    /// The pairs of a record's `klog`, in their order.
    private static func pairs(_ line: String) throws -> [(name: String, value: String)] {
        var arena = Arena()
        var tape = Column<JSONMember>()
        arena.append(text: line)
        try #require(JSONScanner.scanObject(arena, from: 0, to: arena.count, tape: &tape).isObject)
        var found = Column<JSONMember>()
        for index in 0..<tape.count where JSONScanner.keyEquals(arena, tape[index], "klog") {
            let (start, length) = (tape[index].valueStart, tape[index].valueLength)
            try #require(JSONScanner.scanObject(arena, from: start, to: start + length, tape: &found).isObject)
        }
        return (2..<max(2, found.count)).map { index in
            let member = found[index]
            let value = JSONScanner.unescape(arena, from: member.valueStart + 1, count: member.valueLength - 2)
            return (
                String(decoding: JSONScanner.decodedKey(arena, member), as: UTF8.self),
                String(decoding: value, as: UTF8.self)
            )
        }
    }

    @Test func `real lines with random damage are one valid record each, and lose nothing`() throws {
        var random = SeededGenerator(seed: 73)
        let real = try Self.realLines()
        #expect(real.count > 200)
        let damage = Array("\"\\[]{}()<>= :x0_&\t".utf8)
        var (whole, structured) = (0, 0)
        for round in 0..<6_000 {
            // The last ones are structured.
            var line = real[random.oneIn(2) ? random.below(real.count) : real.count - 1 - random.below(6)]
            for _ in 0..<random.below(5) {
                let place =
                    random.oneIn(4) ? random.below(line.count) : min(line.count - 1, 30 + random.below(line.count))
                switch random.below(5) {
                case 0: line[place] = damage[random.below(damage.count)]
                case 1: line.insert(damage[random.below(damage.count)], at: place)
                case 2: line.remove(at: place)
                case 3: line.insert(contentsOf: line[place...].prefix(random.below(20)), at: place)
                default: line.removeLast(random.below(line.count / 2))
                }
            }
            if random.oneIn(10) { line[random.below(line.count)] = UInt8(random.below(256)) }
            let encoding = Encoding(flags: [.none, .none, .truncated, .unfinished][random.below(4)], klog: .behindJSON)
            let (lines, _) = encoding.lines([line])
            try #require(lines.count == 1)
            let record = try parsed(lines[0])
            let message = try #require(record["message"] as? String)
            var text = String(decoding: line, as: UTF8.self)
            if record["klog"] != nil {
                let caller = try #require(record["caller"] as? String)
                let header = try #require(text.range(of: " \(caller)]", options: .literal))
                text = String(text.unicodeScalars[header.upperBound...].dropFirst())
                whole += 1
            }
            let pairs = try Self.pairs(lines[0])
            if text != message { structured += 1 }
            guard Self.tells(text, message, pairs) else {
                Issue.record("round \(round): \(String(decoding: line, as: UTF8.self))\n  became \(lines[0])")
                return
            }
        }
        #expect(whole > 2_500 && structured > 500)
    }
}
