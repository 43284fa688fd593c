// The account: what was read, what became of it, and whether the sums agree.
private import Bytes
import Disk
package import Records

/// What a store's counters say, in one consistent picture.
package struct Ledger: Sendable, Equatable {
    /// What one input has done.
    package struct Input: Sendable, Equatable {
        /// The input's name, and what it counted.
        package let name: String
        package let counts: Counts

        /// Records that were read and are accounted for nowhere; 0 when the account closes.
        package var missing: Int64 {
            Int64(counts[.readRecords]) - Int64(counts[.storedRecords]) - Int64(counts[.filteredRecords])
        }
    }

    /// What one output has done.
    package struct Output: Sendable, Equatable {
        /// The output's name, and what became of its records.
        package let name: String
        package let account: DeliveryAccount
        /// Records in the store that are still to be delivered.
        package let waiting: UInt64
        /// Records that were stored and are accounted for nowhere; 0 when the account closes.
        package let missing: Int64
    }

    /// By name.
    package let inputs: [Input]
    package let outputs: [Output]

    /// Records that were ever stored.
    package var stored: UInt64 { inputs.reduce(0) { $0 + $1.counts[.storedRecords] } }
    /// One count of all inputs together.
    package func total(_ counter: Counter) -> UInt64 { inputs.reduce(0) { $0 + $1.counts[counter] } }
    /// Whether every sum agrees.
    package var closes: Bool { inputs.allSatisfy { $0.missing == 0 } && outputs.allSatisfy { $0.missing == 0 } }

    init(
        counts: [String: Counts], cursors: [String: (next: UInt64, floor: UInt64, account: DeliveryAccount)],
        oldest: UInt64, records: (_ from: UInt64, _ to: UInt64) -> UInt64
    ) {
        inputs = counts.sorted { $0.key < $1.key }.map { Input(name: $0.key, counts: $0.value) }
        let stored = counts.values.reduce(0) { $0 + $1[.storedRecords] }
        outputs = cursors.sorted { $0.key < $1.key }.map { name, cursor in
            // What is not kept any more does not wait: the output will count it as soon as it comes to it.
            let kept = max(cursor.next, cursor.floor, oldest)
            var account = cursor.account
            account[cursor.floor >= kept ? .gaveWay : .retired] += records(cursor.next, kept)
            let waiting = records(kept, .max)
            let missing = Int64(stored) - Int64(account.settled) - Int64(waiting)
            return Output(name: name, account: account, waiting: waiting, missing: missing)
        }
    }

    /// The account of a store that this process has open.
    package init(_ store: Store) {
        self = store.look { state in
            Ledger(
                counts: state.counts, cursors: state.cursors.mapValues { ($0.next, $0.floor, $0.account) },
                oldest: state.segments.first?.firstSequence ?? 0
            ) { state.records(from: $0, to: $1) }
        }
    }

    /// The account of a store on disk, beside an agent that may be using it.
    package init(_ folder: StoreFolder) throws(StoreError) {
        let identity = try StoreIdentity.read(folder)
        var cursors: [String: (next: UInt64, floor: UInt64, account: DeliveryAccount)] = [:]
        do throws(DiskError) {
            // Cursors first: what is stored meanwhile counts as waiting, and nothing is delivered before it is stored.
            for entry in try Directory.list(folder.cursors(lane: 0)) where !entry.name.contains(".") {
                guard let bytes = try Slots.read(folder.cursor(lane: 0, output: entry.name)),
                    let state = CursorState(decoding: bytes), state.storeID == identity.id
                else { continue }
                cursors[entry.name] = (state.next, 0, state.account)
            }
            let survey = try Survey(folder, lane: 0, isThorough: false)
            let counts = Dictionary(
                survey.counts.map { (survey.inputs[$0.key] ?? "", $0.value) },
                uniquingKeysWith: { a, b in
                    var sum = a
                    sum.add(b)
                    return sum
                })
            self.init(counts: counts, cursors: cursors, oldest: survey.segments.first?.firstSequence ?? 0) {
                survey.skipped.given(from: $0, to: min($1, survey.nextSequence))
            }
        } catch {
            throw .disk(error)
        }
    }

    // MARK: How it is told

    /// For people.
    package var text: String {
        var lines: [String] = []
        func row(_ name: String, _ value: UInt64, _ note: String = "") {
            lines.append("  " + Ledger.padded(name, 24) + Ledger.grouped(value) + (note.isEmpty ? "" : "   \(note)"))
        }
        for input in inputs {
            lines.append("input \(input.name)")
            row("read", input.counts[.readRecords], "\(Ledger.size(input.counts[.readBytes]))")
            row("= stored", input.counts[.storedRecords], "\(Ledger.size(input.counts[.storedBytes])) of JSON")
            row("+ filtered", input.counts[.filteredRecords])
            lines.append(input.missing == 0 ? "  closes" : "  DOES NOT CLOSE: \(input.missing) records are missing")
            for (counter, value) in input.counts.nonZero where counter.rawValue >= Counter.lostToPowerCut.rawValue {
                row("! " + counter.name.replacing("_", with: " "), value, counter.meaning)
            }
        }
        for output in outputs {
            lines.append("output \(output.name)")
            row("stored", stored)
            row("= delivered", output.account.delivered)
            row("+ waiting", output.waiting)
            row("+ not selected", output.account.notSelected)
            row("+ rejected", output.account.rejected)
            for reason in DropReason.allCases where output.account[reason] > 0 {
                row("+ dropped, " + reason.name.replacing("_", with: " "), output.account[reason])
            }
            if output.account.beforeStart > 0 { row("+ before its start", output.account.beforeStart) }
            lines.append(output.missing == 0 ? "  closes" : "  DOES NOT CLOSE: \(output.missing) records are missing")
        }
        return lines.joined(separator: "\n")
    }

    /// For programs: one JSON object.
    package var json: String {
        func object(_ members: [(String, String)]) -> String {
            "{" + members.map { "\"\($0.0)\":\($0.1)" }.joined(separator: ",") + "}"
        }
        let inputObjects = inputs.map { input in
            object(
                [("name", "\"\(input.name)\"")] + Counter.allCases.map { ($0.name, "\(input.counts[$0])") }
                    + [("missing_records", "\(input.missing)"), ("closes", "\(input.missing == 0)")])
        }
        let outputObjects = outputs.map { output in
            object([
                ("name", "\"\(output.name)\""), ("stored_records", "\(stored)"),
                ("delivered_records", "\(output.account.delivered)"), ("waiting_records", "\(output.waiting)"),
                ("not_selected_records", "\(output.account.notSelected)"),
                ("rejected_records", "\(output.account.rejected)"),
                ("dropped_records", object(DropReason.allCases.map { ($0.name, "\(output.account[$0])") })),
                ("before_start_records", "\(output.account.beforeStart)"),
                ("missing_records", "\(output.missing)"), ("closes", "\(output.missing == 0)"),
            ])
        }
        return object([
            ("inputs", "[" + inputObjects.joined(separator: ",") + "]"),
            ("outputs", "[" + outputObjects.joined(separator: ",") + "]"), ("closes", "\(closes)"),
        ])
    }

    /// "1,234,567", right-aligned.
    package static func grouped(_ value: UInt64) -> String {
        let digits = Array(String(value))
        var text = ""
        for (i, digit) in digits.enumerated() {
            if i > 0, (digits.count - i) % 3 == 0 { text += "," }
            text.append(digit)
        }
        return String(repeating: " ", count: max(0, 14 - text.count)) + text
    }

    /// "12.3 MB": powers of ten, as disks are sold and as rates are quoted.
    package static func size(_ bytes: UInt64) -> String {
        for (unit, scale) in [("GB", 1_000_000_000), ("MB", 1_000_000), ("kB", 1000)] as [(String, UInt64)]
        where bytes >= scale {
            let tenths = bytes * 10 / scale
            return "\(tenths / 10).\(tenths % 10) \(unit)"
        }
        return "\(bytes) B"
    }

    private static func padded(_ text: String, _ width: Int) -> String {
        text + String(repeating: " ", count: max(1, width - text.count))
    }
}
