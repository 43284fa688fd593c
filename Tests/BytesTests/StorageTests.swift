// Arenas and columns keep what is put into them, and stop the program at an index that is not theirs.
import Bytes
import Testing

@Suite struct `Arena storage` {
    @Test func `appended bytes are there in order`() {
        var arena = Arena(capacity: 0)
        arena.append(1)
        arena.append("ab")
        arena.append([2, 3])
        arena.append([UInt8]().span)
        arena.append("ü")
        #expect(arena.bytes == [1, 0x61, 0x62, 2, 3, 0xc3, 0xbc])
    }

    @Test func `growing keeps the contents`() {
        var arena = Arena(capacity: 1)
        var model: [UInt8] = []
        var random = SeededGenerator(seed: 1)
        for _ in 0..<200 {
            let piece = random.bytes(random.below(300))
            arena.append(piece)
            model += piece
        }
        #expect(arena.bytes == model)
        #expect(arena.capacity >= arena.count)
    }

    @Test func `ranges are copied from another arena and from itself`() {
        let source = Arena(holding: "hello world".bytes)
        var arena = Arena(capacity: 2)
        arena.append(source, from: 6, count: 5)
        arena.appendOwn(from: 1, count: 3)
        #expect(arena.text == "worldorl")
    }

    @Test func `short runs are copied like long ones, up to the last byte of both arenas`() {
        var random = SeededGenerator(seed: 2)
        for length in 0...Arena.slack {
            let bytes = random.bytes(length + random.below(70))
            let source = Arena(holding: bytes)
            for start in [0, bytes.count - length] {
                var short = Arena(holding: [1, 2, 3])
                var plain = Arena(holding: [1, 2, 3])
                for _ in 0..<3 {
                    short.appendShort(source, from: start, count: length)
                    plain.append(source, from: start, count: length)
                }
                short.append(4)
                plain.append(4)
                #expect(short.bytes == plain.bytes)
            }
        }
    }

    @Test func `removing, truncating and shrinking forget bytes`() {
        var arena = Arena(holding: Array(repeating: 7, count: 10_000))
        arena.truncate(to: 3)
        #expect(arena.bytes == [7, 7, 7])
        arena.shrink(toAtMost: 20_000)
        #expect(arena.count == 0 && arena.capacity >= 10_000)
        arena.shrink(toAtMost: 100)
        #expect(arena.count == 0 && arena.capacity == 100)
        arena.append("x")
        arena.removeAll()
        #expect(arena.count == 0)
    }

    @Test func `integers are little-endian`() {
        var arena = Arena(capacity: 0)
        arena.append(littleEndian: UInt32(0x0403_0201))
        arena.append(littleEndian: UInt16(0x0605))
        arena.overwrite(littleEndian: UInt16(0xbbaa), at: 1)
        #expect(arena.bytes == [1, 0xaa, 0xbb, 4, 5, 6])
        #expect(arena.word(at: 4) & 0xffff == 0x0605)
    }

    @Test func `filled bytes count as far as they were written`() {
        var arena = Arena(holding: [9])
        let written = arena.fill(8) { room in
            room[0] = 1
            room[1] = 2
            return 2
        }
        #expect(written == 2)
        #expect(arena.bytes == [9, 1, 2])
    }

    @Test func `bytes in use are overwritten, zeros are appended`() {
        var arena = Arena(holding: [1, 2, 3])
        arena.appendZeros(2)
        arena.overwrite(at: 2, with: [8, 9].span)
        arena[0] = 7
        #expect(arena.bytes == [7, 2, 8, 9, 0])
    }

    @Test func `an index behind the contents stops the program`() async {
        await #expect(processExitsWith: .failure) { _ = Arena(holding: [1])[1] }
        await #expect(processExitsWith: .failure) {
            var arena = Arena()
            arena.append(Arena(holding: [1]), from: 0, count: 2)
        }
        await #expect(processExitsWith: .failure) {
            var arena = Arena()
            arena.appendShort(Arena(holding: [1]), from: 0, count: 2)
        }
        await #expect(processExitsWith: .failure) {
            var arena = Arena()
            arena.appendShort(Arena(holding: Array(repeating: 1, count: 65)), from: 0, count: 65)
        }
        await #expect(processExitsWith: .failure) {
            var tape = Column<JSONMember>()
            _ = JSONScanner.scanObject(Arena(holding: [1]), from: 0, to: 2, tape: &tape)
        }
    }
}

@Suite struct `Column storage` {
    @Test func `elements stay in order while it grows`() {
        var column = Column<UInt32>(capacity: 0)
        #expect(column.isEmpty == true)
        for i in 0..<1000 { column.append(UInt32(i)) }
        column[5] = 77
        #expect(column.count == 1000)
        #expect((0..<1000).allSatisfy { column[$0] == ($0 == 5 ? 77 : UInt32($0)) })
    }

    @Test func `truncating keeps the first elements`() {
        var column = Column<UInt8>()
        for i in 0..<10 { column.append(UInt8(i)) }
        column.truncate(to: 4)
        column.append(9)
        #expect((0..<column.count).map { column[$0] } == [0, 1, 2, 3, 9])
        column.removeAll()
        #expect(column.isEmpty == true)
    }

    @Test func `an index behind the elements stops the program`() async {
        await #expect(processExitsWith: .failure) { _ = Column<UInt8>()[0] }
    }
}
