// Finds the records that a receiver refuses among many that it takes, without ever taking a receiver that refuses everything
// for one that refuses a record.
//
// The refused request is sent again from its beginning in growing steps: 1 record, 8, 64, ... A step that is refused is begun
// again with one record. A single record that is refused is suspected; the suspicion is confirmed when the record behind it
// is taken. So there are never two refusals in a row but for neighbours that are both guilty, and after eight in a row it is
// the receiver that is to blame: nothing is dead-lettered then.

/// Where a search stands. It decides; `Delivery` sends.
struct RefusalSearch {
    /// So many refusals in a row, with nothing taken in between, speak against the receiver rather than the records.
    static let mostRefusals = 8

    /// The last record of the request that was refused.
    private let last: UInt64
    /// The next record to be sent, and how many records at most.
    private(set) var next: UInt64
    private(set) var size: UInt64 = 1
    private var refusals = 1
    /// Something was taken since the search began.
    private var hasAccepted = false
    /// Records that were refused alone, one behind the other, and are not confirmed yet.
    private(set) var suspects: UInt64 = 0

    /// What a refusal means.
    enum Verdict: Equatable {
        /// Send less.
        case narrower
        /// This single record may be guilty.
        case suspected
        /// The receiver refuses everything.
        case denied
    }

    init(first: UInt64, last: UInt64) {
        next = first
        self.last = last
    }

    /// The last record that the next step may hold. Behind the refused request one record is enough, to confirm.
    var through: UInt64 { next <= last ? last : .max }

    /// The step up to `last` was taken: all suspicions are confirmed.
    mutating func accepted(through last: UInt64) {
        next = last + 1
        suspects = 0
        refusals = 0
        hasAccepted = true
        size = min(size * 8, 1 << 30)
    }

    /// A step was refused.
    mutating func refused(records: UInt64, through last: UInt64) -> Verdict {
        refusals += 1
        size = 1
        guard records == 1 else { return refusals >= Self.mostRefusals ? .denied : .narrower }
        if refusals >= Self.mostRefusals { return .denied }
        suspects += 1
        next = last + 1
        return .suspected
    }

    /// Everything of the request is settled.
    var isOver: Bool { next > last && suspects == 0 }

    /// Nothing lies behind the suspect that could confirm it: the record before it was taken, and that has to do.
    var isConfirmedWithoutSuccessor: Bool { suspects == 1 && hasAccepted }
}
