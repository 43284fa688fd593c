// The written form of positions, and what they say.
import NodeFiles
import Records
import TestKit
import Testing

struct PositionTests {
    private static func random(_ random: inout SeededGenerator) -> FilePosition {
        func number(_ random: inout SeededGenerator) -> UInt64 { random.next() >> UInt64(random.below(64)) }
        func mark(_ random: inout SeededGenerator) -> StreamMark {
            switch random.below(3) {
            case 0: .none
            case 1: .unfinished(from: number(&random))
            default: .skipping
            }
        }
        var position = FilePosition()
        position.device = number(&random)
        position.inode = number(&random)
        position.end = number(&random)
        position.stdout = mark(&random)
        position.stderr = mark(&random)
        position.isMidLine = random.oneIn(2)
        position.headLength = UInt8(random.below(65))
        position.head = random.next()
        position.tail = random.next()
        return position
    }

    @Test func `every position is read as it was written`() {
        var random = SeededGenerator(seed: 11)
        for _ in 0..<5_000 {
            let position = Self.random(&random)
            #expect(FilePosition(position.encoded) == position)
            #expect(position.encoded.bytes.count <= 70)
        }
    }

    @Test func `a usual position takes about thirty bytes`() {
        var position = FilePosition()
        position.device = 66_306
        position.inode = 16_269_412
        position.end = 283_000_000
        position.headLength = 64
        position.head = 1
        position.tail = 2
        #expect(position.encoded.bytes.count <= 32)
    }

    @Test func `other bytes are no position, or one that can be used`() {
        var random = SeededGenerator(seed: 12)
        for _ in 0..<20_000 {
            var bytes = random.oneIn(2) ? random.bytes(random.below(60)) : Self.random(&random).encoded.bytes
            if !bytes.isEmpty {
                for _ in 0..<random.below(4) {
                    bytes[random.below(bytes.count)] = UInt8.random(in: 0...255, using: &random)
                }
                if random.oneIn(3) { bytes.removeLast(random.below(bytes.count)) }
            }
            guard let position = FilePosition(Position(bytes)) else { continue }
            #expect(position.readFrom <= position.end)
            #expect(FilePosition(position.encoded) == position)
        }
    }

    @Test func `every shorter, longer or newer writing is refused`() {
        var random = SeededGenerator(seed: 13)
        for _ in 0..<200 {
            let bytes = Self.random(&random).encoded.bytes
            #expect(FilePosition(Position(bytes + [0])) == nil)
            #expect(FilePosition(Position([2] + bytes.dropFirst())) == nil)
        }
        #expect(FilePosition(Position([])) == nil)
    }

    @Test func `reading begins at the first unfinished record, and each stream takes lines from its own`() {
        var position = FilePosition()
        position.end = 1_000
        #expect(position.readFrom == 1_000)
        #expect(!position.hasMarks)
        position.stdout = .unfinished(from: 700)
        position.stderr = .unfinished(from: 300)
        #expect(position.readFrom == 300)
        #expect(position.takesFrom(.stdout) == 700)
        #expect(position.takesFrom(.stderr) == 300)
        #expect(position.takesFrom(.none) == 1_000)
        position.stderr = .skipping
        #expect(position.readFrom == 700)
        #expect(position.takesFrom(.stderr) == 1_000)
    }

    @Test func `a position is cut back to the size of its file, with the marks behind it`() {
        var position = FilePosition()
        position.end = 1_000
        position.headLength = 64
        position.stdout = .unfinished(from: 700)
        position.stderr = .unfinished(from: 300)
        position.cut(to: 500)
        #expect(position.end == 500)
        #expect(position.stdout == .none)
        #expect(position.stderr == .unfinished(from: 300))
        #expect(position.headLength == 64)
        position.cut(to: 10)
        #expect(position.readFrom == 10)
        #expect(position.headLength == 0)
    }
}
