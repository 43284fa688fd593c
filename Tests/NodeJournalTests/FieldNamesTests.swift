// Names to numbers, against a dictionary; positions to bytes and back.
import Bytes
import NodeJournal
import Records
import TestKit
import Testing

@Suite struct `Names of fields` {
    @Test(arguments: [0, 1, 14, 200, 5000]) func `each name has its number, and no other has one`(count: Int) {
        var random = SeededGenerator(seed: UInt64(count))
        // Few characters and lengths, so that many names have their first and last eight bytes in common.
        func name() -> String {
            String(
                decoding: (0..<random.below(24)).map { _ in UInt8(ascii: "A") + UInt8(random.below(3)) }, as: UTF8.self)
        }
        var numbers: [String: Int] = [:]
        var list: [String] = []
        while list.count < count {
            let name = name()
            guard numbers[name] == nil else { continue }
            numbers[name] = list.count
            list.append(name)
        }
        let names = FieldNames(list)
        for (name, number) in numbers { #expect(names.number(of: name.utf8.span) == number) }
        for _ in 0..<5000 {
            let name = name()
            #expect(names.number(of: name.utf8.span) == numbers[name] ?? FieldNames.unknown)
        }
    }

    @Test func `known fields are where the list has them`() {
        let names = FieldNames(KnownField.names)
        #expect(names.number(of: "MESSAGE".utf8.span) == KnownField.message.index)
        #expect(names.number(of: "_SYSTEMD_UNIT".utf8.span) == KnownField.unit.index)
        #expect(names.number(of: "_BOOT_ID".utf8.span) == KnownField.bootID.index)
        #expect(names.number(of: "N_DROPPED".utf8.span) == KnownField.dropped.index)
        #expect(names.number(of: "message".utf8.span) == FieldNames.unknown)
    }
}

@Suite struct `Positions in a journal` {
    @Test func `a position is read back as it was written`() {
        let cursor =
            "s=b17b2f998b3f41a3884e065a9ba2ef3a;i=ffffffffffffffff;b=294062377afe4b7896914df5d9f4d5aa"
            + ";m=ffffffffffffffff;t=ffffffffffffffff;x=ffffffffffffffff"
        for position in [JournalPosition.after(cursor), .from(0), .from(1_700_000_000_000_000), .from(.max)] {
            #expect(position.position.bytes.count < Position.maximumSize)
            #expect(JournalPosition(position.position) == position)
        }
    }

    @Test func `anything else is no position`() {
        for text in ["", "@", "@-1", "@12x", "12", "x=1", "@18446744073709551616", "\0"] {
            #expect(JournalPosition(Position(Array(text.utf8))) == nil)
        }
    }
}
