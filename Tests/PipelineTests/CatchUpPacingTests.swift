// How far the lane reads ahead of the outputs.
import Pipeline
import Testing

@Suite struct `Catch-up pacing` {
    private let second: Int64 = 1_000_000_000
    private let window: UInt64 = 64 << 20

    @Test func `an output that takes nothing lets the window fill`() {
        var pacing = CatchUpPacing(window: window)
        for n in 1...5 { pacing.look(appended: UInt64(n) << 20, waiting: UInt64(n) << 20, now: Int64(n) * second) }
        #expect(pacing.limit == window)
        #expect(!pacing.isTooMuch(window) && pacing.isTooMuch(window + 1))
    }

    @Test(arguments: [(1 << 20, 8 << 20), (20 << 20, 10 << 20), (500 << 20, 64 << 20)] as [(UInt64, UInt64)])
    func `it is what the output takes in half a second, within bounds`(taken: UInt64, limit: UInt64) {
        var pacing = CatchUpPacing(window: window)
        // Ten megabytes waited before the agent was started.
        let waiting: UInt64 = 10 << 20
        pacing.look(appended: 0, waiting: waiting, now: second)
        pacing.look(appended: taken, waiting: waiting, now: 2 * second)
        #expect(pacing.limit == limit)
        pacing.look(appended: taken, waiting: waiting, now: 4 * second)
        #expect(pacing.limit == window, "it has stopped")
    }

    @Test func `a small window stays small`() {
        var pacing = CatchUpPacing(window: 1 << 20)
        pacing.look(appended: 0, waiting: 0, now: second)
        pacing.look(appended: 100 << 20, waiting: 0, now: 2 * second)
        #expect(pacing.limit == 1 << 20)
    }
}
