// Matching that always ends. PCRE2 goes back and tries again for as long as a pattern has ways to match, and nested repetitions
// have more of them than a text has bytes: `^(a+)+$` takes twice as long with each further `a`. So every search has limits.
//
// A search begins with few steps for each place in the text at which a match may begin; hardly any pattern on any line of a log needs
// more, and one that explodes is found out within microseconds. Such a text is then searched place by place with many steps, for a
// tenth of a second at most, and for a few seconds in all of a matcher's life: in a store of a million such lines the search goes on.
private import CPCRE2

/// What a search for a match has come to.
package enum PatternOutcome: Hashable, Sendable {
    /// There is one; `PatternMatcher.range(of:)` says where.
    case matched
    /// There is none.
    case unmatched
    /// Nobody knows: to find out takes too long, or too much memory.
    case exceeded
}

/// What one thread needs to match one pattern: room, limits, and where the last match was. Matching allocates nothing.
@safe
package struct PatternMatcher: ~Copyable, @unchecked Sendable {
    /// The pattern that it matches.
    package let pattern: Pattern
    private let found: OpaquePointer
    private let settings: OpaquePointer
    private let stack: OpaquePointer?
    /// How many groups the last match has.
    private var groupCount = 0
    /// How long texts that take many steps may be searched in all from here on.
    private var patience: Duration = .seconds(3)

    /// The steps that a match may take at each of its places: of all texts, and of those that need more.
    private static let fewSteps: UInt32 = 2000
    private static let manySteps: UInt32 = 5_000_000
    /// Kibibytes of memory for a pattern that is interpreted.
    private static let mostMemory: UInt32 = 32 << 10
    /// How many bytes are passed before the clock is looked at, if each place leads to the end of the text.
    private static let reach = 1 << 26
    /// How long one text may be searched.
    private static let mostTime: Duration = .milliseconds(100)

    /// pcre2_match_data_create_from_pattern, pcre2_match_context_create, pcre2_jit_stack_create
    package init(_ pattern: Pattern) {
        self.pattern = pattern
        guard let found = unsafe pcre2_match_data_create_from_pattern_8(pattern.code, nil),
            let settings = unsafe pcre2_match_context_create_8(nil)
        else { preconditionFailure("there is no memory for a match") }
        (unsafe self.found, unsafe self.settings) = unsafe (found, settings)
        unsafe pcre2_set_depth_limit_8(settings, PatternMatcher.manySteps)
        unsafe pcre2_set_heap_limit_8(settings, PatternMatcher.mostMemory)
        // Without one, machine code has 32 KiB of the thread's stack.
        unsafe stack = pcre2_jit_stack_create_8(32 << 10, 1 << 20, nil)
        unsafe pcre2_jit_stack_assign_8(settings, nil, UnsafeMutableRawPointer(stack))
    }

    deinit {
        unsafe pcre2_match_data_free_8(found)
        unsafe pcre2_match_context_free_8(settings)
        unsafe pcre2_jit_stack_free_8(stack)
    }

    /// Searches `text`, which should be UTF-8, for the first match that begins at byte `start` or later.
    package mutating func match(_ text: Span<UInt8>, from start: Int = 0) -> PatternOutcome {
        groupCount = 0
        let stride = stride(text)
        var begin = start
        var deadline: SuspendingClock.Instant?
        while true {
            begin = PatternMatcher.characterStart(text, begin)
            guard begin <= text.count else { return .unmatched }
            let end = begin + stride < text.count ? begin + stride : nil
            switch attempt(text, from: begin, to: end, steps: PatternMatcher.fewSteps) {
            case .matched: return .matched
            case .exceeded:
                let outcome = searchPlaces(text, from: begin, to: end ?? text.count)
                if outcome != .unmatched { return outcome }
            case .unmatched: break
            }
            guard let end else { return .unmatched }
            begin = end + 1
            if let deadline {
                if SuspendingClock.now > deadline { return .exceeded }
            } else {
                deadline =
                    SuspendingClock.now + (patience > .zero ? PatternMatcher.mostTime : .nanoseconds(20 * text.count))
            }
        }
    }

    /// Where a group of the last match is in its text; nil when the group took no part, or there was no match. Group 0 is all of it.
    package func range(of group: Int) -> Range<Int>? {
        guard group < groupCount, let ends = unsafe pcre2_get_ovector_pointer_8(found) else { return nil }
        let (start, end) = unsafe (ends[2 * group], ends[2 * group + 1])
        // Those of a group that took no part are -1.
        return start >= 0 && start <= end ? start..<end : nil
    }

    // MARK: Searching

    /// How many places are searched at once: all of a short text.
    private func stride(_ text: Span<UInt8>) -> Int {
        let stride = PatternMatcher.reach / max(1, text.count)
        // An interpreted pattern goes through the whole text each time to see whether it is UTF-8.
        return max(1, pattern.isCompiledToMachineCode ? stride : max(stride, text.count / 256))
    }

    /// Searches with many steps, and looks at the clock after each place.
    private mutating func searchPlaces(_ text: Span<UInt8>, from start: Int, to end: Int) -> PatternOutcome {
        guard patience > .zero else { return .exceeded }
        let began = SuspendingClock.now
        defer { patience -= SuspendingClock.now - began }
        var place = start
        while place <= end {
            let outcome = attempt(text, from: place, to: place, steps: PatternMatcher.manySteps)
            if outcome != .unmatched { return outcome }
            if SuspendingClock.now - began > PatternMatcher.mostTime { return .exceeded }
            place = PatternMatcher.characterStart(text, place + 1)
        }
        return .unmatched
    }

    /// Searches for a match that begins in `start...end`; nil: at `start` or later. pcre2_match
    private mutating func attempt(
        _ text: Span<UInt8>, from start: Int, to end: Int?, steps: UInt32
    ) -> PatternOutcome {
        unsafe pcre2_set_match_limit_8(settings, steps)
        unsafe pcre2_set_offset_limit_8(settings, end ?? -1)
        var code = call(text, from: start, flags: 0)
        if code == PCRE2_ERROR_JIT_STACKLIMIT, steps == PatternMatcher.manySteps {
            // The interpreter has more room.
            code = call(text, from: start, flags: UInt32(PCRE2_NO_JIT))
        }
        if code > 0 {
            groupCount = Int(code)
            return .matched
        }
        return code == PCRE2_ERROR_NOMATCH ? .unmatched : .exceeded
    }

    @inline(__always)
    private func call(_ text: Span<UInt8>, from start: Int, flags: UInt32) -> Int32 {
        unsafe text.withUnsafeBufferPointer { bytes in
            unsafe pcre2_match_8(pattern.code, bytes.baseAddress, bytes.count, start, flags, found, settings)
        }
    }

    /// The first byte from `start` on with which a character can begin.
    @inline(__always)
    private static func characterStart(_ text: Span<UInt8>, _ start: Int) -> Int {
        var i = start
        while i > 0, i < text.count, text[i] & 0xc0 == 0x80 { i += 1 }
        return i
    }
}

extension SuspendingClock.Instant {
    fileprivate static func - (one: Self, other: Self) -> Duration { other.duration(to: one) }
    fileprivate static func + (one: Self, duration: Duration) -> Self { one.advanced(by: duration) }
}
