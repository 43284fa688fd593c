// How long to wait before the next attempt.
import Pipeline
import TestKit
import Testing

@Suite struct `A retry policy` {
    private let policy = RetryPolicy(initial: .seconds(1), maximum: .seconds(60))

    @Test(arguments: [(1, 1), (2, 2), (3, 4), (6, 32), (7, 60), (8, 60), (100, 60), (Int.max, 60), (0, 1), (-5, 1)])
    func `a wait lies between nothing and a bound that doubles up to the maximum`(_ attempt: Int, _ bound: Int) {
        var generator = SeededGenerator(seed: 7)
        let waits = (0..<500).map { _ in policy.wait(afterAttempt: attempt, asked: nil, using: &generator) }
        #expect(waits.allSatisfy { $0 >= .zero && $0 <= .seconds(bound) })
        // Full jitter: drawn evenly, so that a thousand agents do not come back together.
        let mean = waits.reduce(Duration.zero, +) / waits.count
        #expect(mean > .seconds(bound) * 0.4 && mean < .seconds(bound) * 0.6)
    }

    @Test func `a wait that was asked for is never shortened`() {
        var generator = SeededGenerator(seed: 7)
        for attempt in 1...20 {
            #expect(policy.wait(afterAttempt: attempt, asked: .seconds(300), using: &generator) == .seconds(300))
            #expect(policy.wait(afterAttempt: attempt, asked: .milliseconds(1), using: &generator) >= .milliseconds(1))
        }
    }
}
