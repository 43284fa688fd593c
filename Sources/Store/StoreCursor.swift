// Where one output stands, kept in two slots of a file of its own.
package import Disk
import Records
private import Telemetry

/// Where an output that is new to a store begins.
package enum StartPoint: String, CaseIterable, Sendable {
    /// With what comes from now on.
    case end
    /// With the oldest record that is kept.
    case history
}

/// The cursor of one output. It belongs to the task that delivers.
package struct StoreCursor: ~Copyable, Sendable {
    /// The output's name.
    package let output: String
    /// What is written to its slot.
    package private(set) var state: CursorState
    private let store: Store
    private var slots: Slots
    /// What its file says of the output's own state, also when later states could not be written.
    private var keptOutputState: [UInt8]
    private let mayGiveWay: Bool
    private var syncedAt: Int64
    /// Its file was written since it was synced, or by an earlier start that may not have come to it: a power cut would repeat
    /// what was delivered since.
    package private(set) var isDirty = true
    /// Nanoseconds between two syncs of a cursor that moves.
    private static let syncInterval: Int64 = 1_000_000_000

    /// Opens or creates an output's cursor. It must be done before anything is appended in this start of the agent.
    ///
    /// On a store's first start every output begins with the first record, whatever `start` says.
    package init(_ store: Store, output: String, start: StartPoint, mayGiveWay: Bool) throws(DiskError) {
        let path = store.folder.cursor(lane: store.lane, output: output)
        let contents = try StoreCursor.contents(path)
        let found = contents.flatMap(CursorState.init(decoding:))
        var state: CursorState
        if let found, found.storeID == store.identity.id {
            state = found
        } else {
            // A cursor is created whole: a file that says nothing said something once.
            let isDamaged = found == nil && contents != nil
            if isDamaged { store.telemetry.tell(StoreEvent.damagedCursor(path: path)) }
            if found != nil { store.telemetry.tell(StoreEvent.foreignCursor(output: output)) }
            let fromHistory = start == .history || store.identity.epoch == 1 || isDamaged
            let oldest = store.segments.first?.firstSequence ?? store.nextSequence
            state = CursorState(storeID: store.identity.id, next: fromHistory ? oldest : store.nextSequence)
            let stored = store.counts.values.reduce(0) { $0 + $1[.storedRecords] }
            state.account.beforeStart = stored - min(stored, store.waitingRecords(from: state.next))
            _ = try Slots(creating: path, state.encoded, fileSystem: store.reserved)
        }
        slots = try Slots(path, fileSystem: store.reserved)
        self.state = state
        self.store = store
        self.output = output
        self.mayGiveWay = mayGiveWay
        keptOutputState = state.outputState
        syncedAt = SystemClock.monotonic
        _ = publish(waitingBytes: store.segments.reduce(0) { $0 + $1.size })
    }

    /// What a cursor's file says: nothing when it is damaged or empty; nil when there is none.
    private static func contents(_ path: String) throws(DiskError) -> [UInt8]? {
        do throws(DiskError) {
            return try Slots.read(path) ?? []
        } catch {
            guard error.isMissing else { throw error }
            return nil
        }
    }

    /// Notes, before requests go out, which records are in each: after a crash exactly these go first.
    package mutating func beginSending(_ ranges: [SendingRange]) throws(DiskError) {
        precondition(ranges.count <= CursorState.mostSending, "more requests under way than a cursor can hold")
        if state.sending == ranges { return }
        state.sending = ranges
        try write()
    }

    /// Keeps what the output wants to find again, when that is not what the cursor's file says. Nothing may be sent on the strength
    /// of a state that could not be kept.
    package mutating func keep(outputState: [UInt8]) throws(DiskError) {
        if keptOutputState == outputState { return }
        state.outputState = outputState
        try write()
    }

    /// Moves the cursor: all records before `next` are settled, in the way that `change` notes in the account. Islands that it
    /// comes to are passed and counted.
    /// - Parameters:
    ///   - islands: what lies behind `next` and is delivered; nil leaves those that are known.
    ///   - sending: what is still on its way.
    package mutating func settle(
        next: UInt64, islands: [DeliveredIsland]? = nil, sending: [SendingRange] = [], outputState: [UInt8]? = nil,
        _ change: (inout DeliveryAccount) -> Void
    ) throws(DiskError) {
        state.next = next
        state.sending = sending
        change(&state.account)
        if let islands { state.islands = islands }
        while let island = state.islands.first, island.first <= state.next {
            state.islands.removeFirst()
            state.next = max(state.next, island.last + 1)
            state.account.delivered += island.delivered
            state.account.notSelected += island.notSelected
        }
        if let outputState { state.outputState = outputState }
        try write()
        if SystemClock.monotonic - syncedAt >= StoreCursor.syncInterval { try sync() }
    }

    private mutating func write() throws(DiskError) {
        try slots.write(state.encoded)
        keptOutputState = state.outputState
        isDirty = true
    }

    /// Tells the store where the output stands; returns the number below which nothing is kept for it.
    package borrowing func publish(waitingBytes: UInt64) -> UInt64 {
        store.publish(
            PublishedCursor(
                next: state.next, waitingBytes: waitingBytes, mayGiveWay: mayGiveWay, account: state.account),
            of: output)
    }

    /// Makes the cursor durable, when it is not; writes its file again when somebody has deleted it.
    package mutating func sync() throws(DiskError) {
        if try slots.isDeleted() {
            let path = store.folder.cursor(lane: store.lane, output: output)
            slots = try Slots(creating: path, state.encoded, fileSystem: store.reserved)
            store.telemetry.tell(StoreEvent.cursorMadeAgain(output: output))
        }
        guard isDirty else { return }
        syncedAt = SystemClock.monotonic
        isDirty = false
        try slots.sync()
    }

    /// Cursors on disk whose outputs are not among `outputs`.
    package static func abandoned(_ store: Store, outputs: Set<String>) -> [String] {
        store.folder.cursorNames(lane: store.lane).filter { !outputs.contains($0) }
    }

    /// Names such cursors loudly.
    package static func announceAbandoned(_ store: Store, outputs: Set<String>) {
        for output in abandoned(store, outputs: outputs) {
            store.telemetry.tell(StoreEvent.abandonedCursor(output: output))
        }
    }
}
