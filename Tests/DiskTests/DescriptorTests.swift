// Descriptors are few: what log files may take of them, and what still works when there is none left.
import Disk
import Glibc
import Testing

@Suite struct `A budget of descriptors` {
    @Test(arguments: [
        (20, 8), (100, 8), (128, 32), (256, 128), (1024, 512), (4096, 2048), (65_536, 63_488), (1_048_576, 1_046_528),
    ])
    func `leaves half of a small limit to the others, and at most 2048 of a large one`(_ limit: Int, _ most: Int) {
        #expect(DescriptorBudget(limit: limit).most == most)
    }

    @Test func `is spent when so many are held, and is not when one was given back`() {
        let budget = DescriptorBudget(limit: 100)
        for _ in 0..<7 { budget.take() }
        #expect(!budget.isSpent)
        budget.take()
        #expect(budget.isSpent && budget.held == 8)
        budget.giveBack()
        #expect(!budget.isSpent && budget.held == 7)
    }

    @Test func `goes by the limit of this process`() {
        #expect(Machine.descriptorLimit >= 256)
        #expect(DescriptorBudget().most < Machine.descriptorLimit)
    }
}

@Suite struct `Without a descriptor` {
    @Test func `lines still go to standard error and standard output`() async throws {
        let result = await #expect(
            processExitsWith: .success, observing: [\.standardErrorContent, \.standardOutputContent]
        ) {
            var limit = rlimit(rlim_cur: 64, rlim_max: 64)
            _ = unsafe setrlimit(__rlimit_resource_t(7), &limit)
            while dup(1) >= 0 {}
            #expect(throws: DiskError.self) { _ = try OwnedFile.open("/dev/null", .read) }
            StandardStream.report(Array("an error\n".utf8).span)
            try StandardStream.write(Array("a record\n".utf8).span)
        }
        let errors = String(decoding: try #require(result).standardErrorContent, as: UTF8.self)
        #expect(errors.contains("an error\n"))
        #expect(String(decoding: try #require(result).standardOutputContent, as: UTF8.self).contains("a record\n"))
    }
}
