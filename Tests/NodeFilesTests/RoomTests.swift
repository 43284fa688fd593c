// More logs than descriptors: all are read, and nothing more than the budget is held open.
import Disk
import NodeFiles
import Records
import TestKit
import Testing

@Suite struct `With few descriptors` {
    /// Logs with two rotated files and a newest one each.
    private func logs(
        _ count: Int, budget: DescriptorBudget
    ) throws -> (
        ScratchDirectory, KubeletEmulator, [EmulatedContainer], TailerHarness
    ) {
        let scratch = try ScratchDirectory()
        let node = try KubeletEmulator(root: scratch.path)
        let apps = try (0..<count).map { try node.start(pod: "web-\($0)") }
        for app in apps {
            for turn in 0..<3 {
                try app.write(Array("turn \(turn) ends in another file".utf8), to: .stdout, ends: false)
                if turn < 2 { try app.rotate() }
                try app.write(Array(", this one, for a rotation must come between two pieces".utf8), to: .stdout)
            }
        }
        return (scratch, node, apps, TailerHarness(pods: node.pods) { $0.descriptors = budget })
    }

    @Test func `every log is read, over rotations and restarts, and no more files are open than may be`() throws {
        let budget = DescriptorBudget(limit: 100)
        try #require(budget.most == 8)
        let (scratch, node, apps, reader) = try logs(40, budget: budget)
        reader.open()
        var most = 0
        for turn in 0..<3 {
            for _ in 0..<200 {
                reader.wake(after: 0)
                reader.readBatch()
                most = max(most, budget.held)
            }
            reader.drain()
            #expect(difference(reader.store, node.truth) == nil, "turn \(turn)")
            for app in apps {
                if turn == 1 { try app.rotate() }
                try app.write(Array("more in turn \(turn)".utf8), to: .stdout)
            }
            // Growth of a closed file is noticed by its watch.
            reader.wake(after: 0)
            while reader.readBatch() { most = max(most, budget.held) }
            reader.commit()
            #expect(difference(reader.store, node.truth) == nil, "turn \(turn)")
            if turn == 1 { reader.restart() }
        }
        #expect(most <= budget.most + 1)
        #expect(reader.count(.vanishedBytes) == 0)
        reader.crash()
        #expect(budget.held == 0)
        withExtendedLifetime(scratch) {}
    }

    @Test func `a deleted file is held open, and a closed one that is deleted is reported with what it had unread`()
        throws
    {
        let budget = DescriptorBudget(limit: 100)
        let (scratch, node, apps, reader) = try logs(12, budget: budget)
        reader.open()
        reader.drain()
        for app in apps { try app.write(Array("last words".utf8), to: .stdout) }
        reader.wake(after: 0)
        for app in apps { try app.delete() }
        reader.drain()
        let read = apps.filter { reader.texts($0.log(0)).last == "last words" }.count
        #expect(read > 0)
        #expect(reader.told.count("files_deleted_while_closed") + UInt64(read) <= 12)
        #expect(reader.store.known.isEmpty)
        #expect(reader.tailer?.openFiles == 0)
        #expect(budget.held == 0)
        withExtendedLifetime((scratch, node)) {}
    }

    @Test func `deleted files that hold nearly all descriptors are given up, the oldest first, and counted`() throws {
        let budget = DescriptorBudget(limit: 100)
        let (scratch, node, apps, reader) = try logs(3, budget: budget)
        reader.open()
        reader.drain()
        var others: [EmulatedContainer] = []
        for number in 0..<10 {
            let other = try node.start(pod: "short-\(number)")
            try other.write(Array("short".utf8), to: .stdout)
            reader.wake(after: 0)
            try other.delete()
            reader.wake(after: 0)
            others.append(other)
        }
        #expect(budget.held <= budget.most)
        #expect(reader.told.count("files_abandoned") == 4)
        #expect(reader.told.said("raise the limit of open files"))
        reader.drain()
        #expect(others.filter { reader.texts($0.log(0)) == ["short"] }.count == 6)
        #expect(reader.count(.abandonedBytes) > 0)
        try apps[0].write(Array("goes on".utf8), to: .stdout)
        reader.drain()
        #expect(reader.texts(apps[0].log(0)).last == "goes on")
        withExtendedLifetime(scratch) {}
    }

    @Test func `another file that got the inode and the name of a closed one is read from its start`() throws {
        let budget = DescriptorBudget(limit: 100)
        let (scratch, node, apps, reader) = try logs(20, budget: budget)
        reader.open()
        reader.drain()
        for app in apps {
            let file = try OwnedFile.open("\(app.folder)/0.log", .update)
            try file.truncate(to: 0)
            var bytes: [UInt8] = []
            for number in 0..<9 {
                bytes += LogWriter.line(Array("other \(number), of some length".utf8), .stdout, at: 7 + Int64(number))
            }
            try file.write(bytes.span, at: 0)
        }
        reader.drain()
        let anew = apps.filter { reader.texts($0.log(0)).suffix(9).first == "other 0, of some length" }
        #expect(anew.count >= 12)
        #expect(reader.tailer?.isRetrying == false)
        withExtendedLifetime((scratch, node)) {}
    }

    @Test func `many text files are read and followed, too`() throws {
        let budget = DescriptorBudget(limit: 100)
        let scratch = try ScratchDirectory()
        for number in 0..<40 { try scratch.write("\(number).log", Array("first\n".utf8)) }
        let reader = TailerHarness(files: scratch.path, isWanted: { $0.hasSuffix(".log") }) { $0.descriptors = budget }
        reader.open()
        reader.drain()
        for turn in 0..<2 {
            for number in 0..<40 { try scratch.append("turn \(turn)\n", to: "\(number).log") }
            reader.wake(after: 0)
            while reader.readBatch() { #expect(budget.held <= budget.most + 2) }
            reader.commit()
        }
        for number in 0..<40 {
            #expect(reader.texts("\(number).log", RecordStream.none) == ["first", "turn 0", "turn 1"])
        }
    }
}

@Suite struct `Files whose names are not UTF-8` {
    @Test func `are read, and known again after a restart`() throws {
        let scratch = try ScratchDirectory()
        let reader = TailerHarness(files: scratch.path, isWanted: { $0.hasSuffix(".log") })
        try scratch.write(#"caf\xe9.log"#, "one\n")
        reader.open()
        reader.drain()
        try scratch.append("two\n", to: #"caf\xe9.log"#)
        reader.wake(after: 0)
        while reader.readBatch() {}
        reader.restart()
        try scratch.append("three\n", to: #"caf\xe9.log"#)
        reader.drain()
        #expect(reader.texts(#"caf\xe9.log"#, RecordStream.none) == ["one", "two", "three"])
    }
}
