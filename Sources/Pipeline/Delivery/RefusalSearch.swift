// Finds the record that a receiver refuses among many that it takes, without ever taking a receiver that refuses everything
// for one that refuses a record.
//
// The first record of the refused request is sent alone, then eighths of what is left, and of an eighth that is refused
// eighths again. A single record that is refused is a suspect. When the record behind it is taken, so that the receiver is
// known to take anything, the suspect is sent once more: refused again, it is guilty. So a guilty record costs about
// 3.5 requests for each factor of eight, and no more than seven refusals come in a row: after eight it is the receiver that
// is to blame, and every record is kept.

/// Where a search stands. It decides; `Delivery` sends.
struct RefusalSearch {
    /// So many refusals in a row, with nothing taken in between, speak against the receiver rather than the records.
    static let mostRefusals = 8
    private static let parts: UInt64 = 8

    /// What is sent next: at most `records` from `from` on, none behind `through`.
    struct Step: Equatable {
        let from: UInt64
        let records: UInt64
        let through: UInt64
    }

    /// What a refusal means.
    enum Verdict: Equatable {
        /// Less is sent next.
        case narrower
        /// This single record may be guilty.
        case suspected
        /// It is.
        case guilty
        /// The receiver refuses everything.
        case denied
    }

    /// The next record to be sent, and the last one of a run that is known to hold a guilty one.
    private var next: UInt64
    private var last: UInt64
    /// How many records the refused request had: fewer than numbers, when the output does not get all.
    private let records: UInt64
    private var size: UInt64 = 1
    private var refusals = 1
    /// Something was taken since the search began.
    private var hasAccepted = false
    /// Records that were refused alone, one behind the other.
    private(set) var suspects: [UInt64] = []
    /// The suspects are sent once more.
    private var isVerifying = false

    /// Begins a search in a request that was refused.
    init(first: UInt64, last: UInt64, records: UInt64) {
        next = first
        self.last = last
        self.records = records
    }

    /// What is sent next. Behind the refused request one record is enough, to see whether anything is taken.
    var step: Step {
        if isVerifying, let suspect = suspects.first { return Step(from: suspect, records: 1, through: suspect) }
        return Step(from: next, records: size, through: next <= last ? last : .max)
    }

    /// The step was taken, up to this record.
    mutating func accepted(through end: UInt64) {
        refusals = 0
        if isVerifying {
            suspects.removeFirst()
            return
        }
        next = end + 1
        if !suspects.isEmpty {
            isVerifying = true
        } else if !hasAccepted, next <= last {
            size = RefusalSearch.part(of: records - 1)
        }
        hasAccepted = true
    }

    /// The step was refused.
    mutating func refused(records: UInt64, through end: UInt64) -> Verdict {
        if isVerifying {
            suspects.removeFirst()
            return .guilty
        }
        refusals += 1
        if refusals >= RefusalSearch.mostRefusals { return .denied }
        guard records == 1 else {
            last = end
            size = RefusalSearch.part(of: records)
            return .narrower
        }
        suspects.append(end)
        next = end + 1
        size = 1
        return .suspected
    }

    /// Nothing lies behind the suspect. When the record before it was taken, that has to do; else false.
    mutating func goOnWithoutSuccessor() -> Bool {
        guard suspects.count == 1, hasAccepted else { return false }
        isVerifying = true
        return true
    }

    /// There is nothing left to find.
    var isOver: Bool { suspects.isEmpty && (isVerifying || next > last) }

    private static func part(of records: UInt64) -> UInt64 { max(1, records / parts) }
}
