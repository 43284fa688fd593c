// What one output owes and has done: the right side of the ledger, and where its reading stands.
import Bytes

/// Why an output never got a record.
package enum DropReason: UInt8, CaseIterable, Sendable {
    /// The store was full, and this output was the slowest (`when_full: give_way`).
    case gaveWay = 1
    /// Older than the output's `max_age`.
    case tooOld = 2
    /// More than the output's `max_waiting` lay behind it.
    case tooMuch = 3
    /// The chunk was damaged on disk.
    case damaged = 4
    /// The segment was gone before the output came to it.
    case retired = 5
    /// A power cut took it from the store; it was read again under another number.
    case powerCut = 6

    /// The reason's name in the ledger and in metrics.
    package var name: String {
        switch self {
        case .gaveWay: "gave_way"
        case .tooOld: "too_old"
        case .tooMuch: "too_much"
        case .damaged: "damaged"
        case .retired: "retired"
        case .powerCut: "power_cut"
        }
    }
}

/// The counts of one output, in records. They are kept in the output's cursor.
package struct DeliveryAccount: Sendable, Equatable {
    /// Accepted by the receiver.
    package var delivered: UInt64 = 0
    /// Not what the output's `where` asks for.
    package var notSelected: UInt64 = 0
    /// Refused by the receiver for good; kept as dead letters.
    package var rejected: UInt64 = 0
    private var dropped: [8 of UInt64] = .init(repeating: 0)
    /// Records that were in the store before this output began, and that it did not ask for.
    package var beforeStart: UInt64 = 0

    package init() {}

    /// Records that were dropped for a reason.
    package subscript(reason: DropReason) -> UInt64 {
        get { dropped[Int(reason.rawValue)] }
        set { dropped[Int(reason.rawValue)] = newValue }
    }

    /// Records that were dropped for any reason.
    package var droppedInAll: UInt64 { DropReason.allCases.reduce(0) { $0 + self[$1] } }
    /// All that is not waiting any more.
    package var settled: UInt64 { delivered + notSelected + rejected + droppedInAll + beforeStart }

    package static func == (a: DeliveryAccount, b: DeliveryAccount) -> Bool {
        a.delivered == b.delivered && a.notSelected == b.notSelected && a.rejected == b.rejected
            && a.beforeStart == b.beforeStart && DropReason.allCases.allSatisfy { a[$0] == b[$0] }
    }
}

/// A run of records that a receiver has although some before it are not settled yet: what a request of several under way
/// delivered while another one was refused.
package struct DeliveredIsland: Sendable, Equatable {
    /// The sequences of the first and the last record.
    package let first: UInt64
    package let last: UInt64
    /// How many of them were delivered, and how many the output does not want.
    package let delivered: UInt64
    package let notSelected: UInt64

    package init(first: UInt64, last: UInt64, delivered: UInt64, notSelected: UInt64) {
        self.first = first
        self.last = last
        self.delivered = delivered
        self.notSelected = notSelected
    }
}

/// A run of records on its way to a receiver: first and last sequence, and the epoch under which it was first sent.
package struct SendingRange: Sendable, Equatable {
    /// The sequences of the first and the last record, and the epoch.
    package let first: UInt64
    package let last: UInt64
    package let epoch: UInt64

    package init(first: UInt64, last: UInt64, epoch: UInt64) {
        self.first = first
        self.last = last
        self.epoch = epoch
    }
}

/// What a cursor's slot holds.
package struct CursorState: Sendable, Equatable {
    /// The store it belongs to.
    package var storeID: [UInt8]
    /// The next wanted record.
    package var next: UInt64
    /// What was being sent when the slot was written, in order: one request, or several when the output sends several at
    /// a time.
    package var sending: [SendingRange] = []
    /// What is delivered behind `next` already, in order.
    package var islands: [DeliveredIsland] = []
    package var account = DeliveryAccount()
    /// What the output itself wants to find again: for `file`, its path and length.
    package var outputState: [UInt8] = []

    package init(storeID: [UInt8], next: UInt64) {
        self.storeID = storeID
        self.next = next
    }

    private static let version: UInt8 = 1
    /// So many requests may be under way at once: what a slot has room for, beside the output's own state.
    package static let mostSending = 32

    var encoded: [UInt8] {
        var out = Arena(capacity: 512)
        out.append(CursorState.version)
        out.append(storeID)
        out.append(littleEndian: next)
        out.append(UInt8(sending.count))
        for range in sending {
            for value in [range.first, range.last, range.epoch] { out.append(littleEndian: value) }
        }
        out.append(UInt8(islands.count))
        for island in islands {
            for value in [island.first, island.last, island.delivered, island.notSelected] {
                out.append(littleEndian: value)
            }
        }
        for value in [account.delivered, account.notSelected, account.rejected, account.beforeStart] {
            out.append(littleEndian: value)
        }
        out.append(UInt8(DropReason.allCases.count))
        for reason in DropReason.allCases {
            out.append(reason.rawValue)
            out.append(littleEndian: account[reason])
        }
        out.append(littleEndian: UInt16(outputState.count))
        out.append(outputState)
        return Array(copying: out.span)
    }

    /// Reads a slot's contents; nil when they are not a cursor of this version.
    package init?(decoding bytes: [UInt8]) {
        var reader = ByteReader(bytes.span)
        guard reader.u8() == CursorState.version else { return nil }
        storeID = reader.bytes(16)
        next = reader.u64()
        sending = (0..<reader.u8()).map { _ in
            SendingRange(first: reader.u64(), last: reader.u64(), epoch: reader.u64())
        }
        islands = (0..<reader.u8()).map { _ in
            DeliveredIsland(
                first: reader.u64(), last: reader.u64(), delivered: reader.u64(), notSelected: reader.u64())
        }
        account.delivered = reader.u64()
        account.notSelected = reader.u64()
        account.rejected = reader.u64()
        account.beforeStart = reader.u64()
        for _ in 0..<reader.u8() {
            let reason = DropReason(rawValue: reader.u8())
            let value = reader.u64()
            if let reason { account[reason] = value }
        }
        outputState = reader.bytes(Int(reader.u16()))
        guard !reader.hasOverrun, reached <= ChunkFormat.largestNumber else { return nil }
    }

    /// The number behind all that the output has passed or had on its way.
    package var reached: UInt64 {
        max(next, (sending.map(\.last).max() ?? 0) &+ 1, (islands.map(\.last).max() ?? 0) &+ 1)
    }
}
