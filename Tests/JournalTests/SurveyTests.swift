// What is said of journals that cannot be read; and of values, which need no journal.
import CLinux
import Disk
import Journal
import TestKit
import Testing

@Suite struct `Surveying journals` {
    let scratch: ScratchDirectory

    init() throws { scratch = try ScratchDirectory() }

    private func write(_ entries: Range<Int>, _ name: String) throws -> String {
        try Systemd.write(entries.map { MadeEntry($0) }, to: scratch.path(name))
        return scratch.path(name)
    }

    /// Overwrites bytes of a file.
    private func patch(_ path: String, at offset: UInt64, _ bytes: [UInt8]) throws {
        let file = try LocalFileSystem().open(path, .update)
        try LocalFileSystem().write(bytes.span, to: file, at: offset)
    }

    private func findings(_ folders: String...) -> [JournalFinding] { JournalSurvey(.folders(folders)).findings }

    @Test func `sound files are described by their headers`() throws {
        let machine = "\(MadeEntry.machine)"
        let path = try write(3..<10, "\(machine)/system.journal")
        try LocalFileSystem().rename(try write(0..<3, "unclean.journal"), to: scratch.path("system@1.journal~"))
        try scratch.write("\(machine)/notes.txt", "")
        try scratch.write("other/system.journal", "no journal, and not looked at")
        let survey = JournalSurvey(.folders([scratch.path]))
        #expect(survey.findings == [])
        #expect(survey.files.map(\.path) == [scratch.path("system@1.journal~"), path])
        let header = try #require(survey.files.last?.header)
        let text = String(decoding: try Systemd.run("journalctl --header --file=\(path)"), as: UTF8.self)
        #expect(text.contains("Machine ID: \(header.machineID)\n"))
        #expect(text.contains("Boot ID: \(header.bootID)\n"))
        #expect(text.contains("Sequential number ID: \(header.sequenceID)\n"))
        let flags = text.split(separator: "\n").first { $0.hasPrefix("Incompatible flags: ") }?.dropFirst(20) ?? ""
        #expect(header.features.sorted() == flags.split(separator: " ").map(String.init).sorted())
        #expect(header.entries == 7)
        #expect(header.firstSequence == 1 && header.lastSequence == 7)
        #expect(header.firstRealtime == MadeEntry.start + 3000 && header.lastRealtime == MadeEntry.start + 9000)
        #expect(header.state == .offline)
        #expect(header.features.contains("KEYED-HASH"))
    }

    @Test func `folders that are missing or empty are named, unless another one has journals`() throws {
        let (a, b) = (scratch.path("a"), scratch.path("b"))
        #expect(findings(a) == [JournalFinding(a, .missing)])
        #expect(findings(a, b) == [JournalFinding(a, .missing), JournalFinding(b, .missing)])
        try LocalFileSystem().makeFolder(a)
        #expect(findings(a) == [JournalFinding(a, .noFiles)])
        #expect(findings(a, b) == [JournalFinding(b, .missing), JournalFinding(a, .noFiles)])
        _ = try write(0..<1, "b/\(MadeEntry.machine)/system.journal")
        ScratchDirectory.remove(a)
        #expect(findings(a, b) == [])
        let path = scratch.path("x.journal")
        #expect(JournalSurvey(.files([path])).findings == [JournalFinding(path, .missing)])
    }

    @Test func `no journal, a newer format`() throws {
        let foreign = try scratch.write("a.journal", [UInt8](repeating: 1, count: 4096))
        let short = try scratch.write("b.journal", "LPKSHHRH")
        let newer = try write(0..<10, "c.journal")
        try patch(newer, at: 12, [4 | 128])
        let expected: [JournalFinding] = [
            JournalFinding(foreign, .notAJournal), JournalFinding(short, .notAJournal),
        ]
        #if Journald
            let tooNew = JournalFinding(newer, .tooNew(features: ["KEYED-HASH", "an unknown one (bit 7)"]))
            #expect(findings(scratch.path) == expected + [tooNew])
            #expect(throws: JournalError.unusable(tooNew)) { _ = try JournalReader(.files([newer])) }
            #expect(tooNew.description.contains("newer than this program's libsystemd: KEYED-HASH, an unknown one"))
            // What is sound is read.
            _ = try write(20..<22, "d.journal")
            var reader = try JournalReader(.folders([scratch.path]))
            #expect(try reader.messages() == ["entry 20", "entry 21"])
        #else
            #expect(findings(scratch.path) == expected)
        #endif
    }

    #if Journald
        @Test func `damage to the header, or to what leads to the entries, is seen`() throws {
            let header = try write(0..<2000, "header.journal")
            // tail_object_offset, behind the end of the file.
            try patch(header, at: 136, [0, 0, 0, 0, 0, 1, 0, 0])
            let arrays = try write(0..<2000, "arrays.journal")
            let bytes = try scratch.contents("arrays.journal")
            let first = bytes[176..<184].reversed().reduce(0) { $0 << 8 | UInt64($1) }
            try patch(arrays, at: first, [UInt8](repeating: 0, count: 64))
            let cut = try write(0..<2000, "cut.journal")
            try LocalFileSystem().truncate(try LocalFileSystem().open(cut, .update), to: 300_000)

            let findings = findings(scratch.path)
            #expect(findings.map(\.path) == [arrays, cut, header])
            for finding in findings {
                guard case .damaged = finding.problem else {
                    Issue.record("\(finding)")
                    continue
                }
                #expect(finding.description.hasPrefix("cannot read \(finding.path): it is damaged: "))
            }
        }

        @Test func `a damaged entry is passed over, the others are read`() throws {
            let path = try write(0..<50, "system.journal")
            let bytes = try scratch.contents("system.journal")
            // The data object of one message: its type becomes that of nothing.
            let text = Array("MESSAGE=entry 25".utf8)
            let at = try #require(
                (0..<bytes.count - 16).first { bytes[$0] == text[0] && Array(bytes[$0..<($0 + 16)]) == text })
            // An object begins at a multiple of 8; a compact one has 72 bytes before its payload, an old one 64.
            let isCompact = bytes[12] & 16 != 0
            try patch(path, at: UInt64(at - (isCompact ? 72 : 64)), [0])
            var reader = try JournalReader(.files([path]))
            let messages = try reader.messages()
            #expect(messages.count == 50)
            #expect(messages[25] == "")
            #expect(messages[24] == "entry 24" && messages[26] == "entry 26")
        }

        @Test(.enabled(if: sluice_file_user(0) == 0, "only root can look with another user's eyes"))
        func `what the permissions forbid is named with owner, group and a way out`() throws {
            let machine = "\(MadeEntry.machine)"
            let file = try write(0..<5, "\(machine)/system.journal")
            let readable = try write(5..<6, "\(machine)/user-1000.journal")
            try Systemd.run("chmod 755 \(scratch.path) \(scratch.path(machine))")
            try Systemd.run("chmod 600 \(file) && chmod 644 \(readable)")
            // As another user on this thread alone, whose only group is root's.
            let findings = asNobody { JournalSurvey(.folders([scratch.path])).findings }
            #expect(findings.map(\.path) == [file])
            guard case .denied(owner: 0, group: 0, _, let mode) = findings.first?.problem else {
                Issue.record("\(findings)")
                return
            }
            #expect(mode & 0o777 == 0o600)
            #expect(findings[0].description.contains("belongs to user 0 and group 0"))
            #expect(findings[0].description.contains("mode 0600 (run as root, or with the supplementary group 0"))
            // libsystemd says nothing.
            let messages = try asNobody {
                var reader = try JournalReader(.folders([self.scratch.path]))
                return try reader.messages()
            }
            #expect(messages == ["entry 5"])

            try Systemd.run("chmod 700 \(scratch.path(machine))")
            let folders = asNobody { JournalSurvey(.folders([scratch.path])).findings }
            #expect(folders.map(\.path) == [scratch.path(machine)])
            try Systemd.run("chmod 700 \(scratch.path)")
            let error = asNobody {
                do throws(JournalError) {
                    _ = try JournalReader(.folders([scratch.path(machine)]))
                    return ""
                } catch { return error.description }
            }
            #expect(error.hasPrefix("cannot read \(scratch.path): permission denied: it belongs to user 0"))
        }

        /// Looks at files as the user 65534 does; setfsuid(2), which is of the calling thread.
        private func asNobody<R>(_ body: () throws -> R) rethrows -> R {
            let before = sluice_file_user(65534)
            defer { _ = sluice_file_user(UInt32(before)) }
            return try body()
        }
    #else
        @Test func `without the trait a journal cannot be opened, and the error says why`() {
            #expect(!JournalReader.isBuiltIn)
            #expect(throws: JournalError.notBuiltIn) { _ = try JournalReader(.local) }
            #expect(JournalError.notBuiltIn.description.contains("trait Journald"))
        }
    #endif
}

@Suite struct `Journal ids and cursors` {
    @Test func `ids are 32 hexadecimal digits`() throws {
        let id = try #require(JournalID("0123456789abcdef00000000000000fe"))
        #expect(id == JournalID(high: 0x0123_4567_89ab_cdef, low: 0xfe))
        #expect(id.description == "0123456789abcdef00000000000000fe")
        for text in ["", "123456789abcdef00000000000000fe", "+123456789abcdef00000000000000fe", "\(id)0"] {
            #expect(JournalID(text) == nil)
        }
    }

    @Test func `a cursor tells sequence, boot and times`() throws {
        let text =
            "s=b17b2f998b3f41a3884e065a9ba2ef3a;i=5de;b=294062377afe4b7896914df5d9f4d5aa"
            + ";m=bb496ab0;t=660e99d44fe25;x=8d2b"
        let cursor = try #require(JournalCursor(text))
        #expect(cursor.sequenceID == JournalID("b17b2f998b3f41a3884e065a9ba2ef3a"))
        #expect(cursor.sequence == 0x5de)
        #expect(cursor.bootID == JournalID("294062377afe4b7896914df5d9f4d5aa"))
        #expect(cursor.monotonic == 0xbb49_6ab0 && cursor.realtime == 0x660e_99d4_4fe25)
        #expect(JournalCursor("") == nil && JournalCursor("s=1;i=2") == nil)
        #expect(JournalCursor(text.replacing("i=5de", with: "i=xyz")) == nil)
    }

    @Test func `matches that leave nothing out are no condition`() {
        let term = JournalTerm("PRIORITY", "3")
        #expect(JournalMatches([]) == .everything)
        #expect(JournalMatches(anyOf: [[term], []]) == .everything)
        #expect(JournalMatches([term]).and(.everything) == JournalMatches(anyOf: [[term]]))
    }
}
