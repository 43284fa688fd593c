// NULs where a log should have text: what ext4 and XFS leave of bytes that were written and not yet on the disk when the
// power went.
import Bytes

/// Finds runs of NULs.
enum Hole {
    /// A shorter run inside a line may be what somebody has logged.
    static let shortest = 64
    /// A run of NULs at a file's end that is shorter than this may be room that its writer has reserved and will fill.
    static let longestReserved = 8 << 20

    /// The first run of at least `shortest` NULs. Nearly all bytes are passed over: such a run covers one of every
    /// `shortest` places.
    @inline(__always)
    static func first(in arena: borrowing Arena, from: Int, to: Int) -> Range<Int>? {
        var at = from + shortest - 1
        while at < to {
            if arena[at] == 0, let found = around(at, in: arena, from: from, to: to) { return found }
            at += shortest
        }
        return nil
    }

    /// The run that covers `at`, if it is long enough.
    @inline(never)
    private static func around(_ at: Int, in arena: borrowing Arena, from: Int, to: Int) -> Range<Int>? {
        var start = at
        while start > from, arena[start - 1] == 0 { start -= 1 }
        let end = end(in: arena, from: at, to: to)
        return end - start >= shortest ? start..<end : nil
    }

    /// Where the NULs that begin at `from` end; `from` when none do.
    static func end(in arena: borrowing Arena, from: Int, to: Int) -> Int {
        var at = from
        while to - at >= 8, arena.word(at: at) == 0 { at += 8 }
        while at < to, arena[at] == 0 { at += 1 }
        return at
    }
}

/// The three bytes by which some editors and many programs for Windows mark a text as UTF-8.
enum ByteOrderMark {
    /// How many bytes of it stand at `from`: 3 or none.
    static func length(in arena: borrowing Arena, from: Int, to: Int) -> Int {
        to - from >= 3 && arena[from] == 0xef && arena[from + 1] == 0xbb && arena[from + 2] == 0xbf ? 3 : 0
    }
}
