// Batches, stores and settings made by hand, as short as tests want to write them.
import Bytes
package import Disk
package import Pipeline
package import Records
package import Store

extension RecordBatch {
    /// Appends a record.
    package mutating func add(
        _ message: String, time: Int64 = 1_700_000_000_000_000_000, stream: RecordStream = .stdout,
        flags: RecordFlags = .none
    ) {
        let start = arena.count
        arena.append(text: message)
        rows.append(Row(time: time, start: start, length: arena.count - start, stream: stream, flags: flags))
    }

    /// The message of a record.
    package func message(_ index: Int) -> String {
        let start = Int(rows[index].messageStart)
        return String(decoding: arena.span.extracting(start..<(start + Int(rows[index].messageLength))))
    }
}

extension Position {
    /// A position for tests: a count.
    package init(count: UInt64) { self.init((0..<8).map { UInt8(truncatingIfNeeded: count >> UInt64(8 * $0)) }) }

    package var count: UInt64 { bytes.reversed().reduce(0) { $0 << 8 | UInt64($1) } }
}

extension SourceIdentity {
    /// A container's log for tests.
    package static func container(_ name: String, input: String = "logs") -> SourceIdentity {
        SourceIdentity(
            kind: .container, input: input, path: "/var/log/pods/shop_\(name)_uid/nginx/0.log", namespace: "shop",
            pod: name,
            uid: "uid", container: "nginx", restart: 0)
    }
}

extension StoreWriter {
    /// Appends one chunk of these lines, as the lane does with the records of one source.
    package mutating func append(
        lines: [String], of source: SourceNumber, upTo count: UInt64 = 1, input: String = "logs", filtered: UInt64 = 0
    ) -> AppendOutcome {
        var chunk = ChunkBuilder(input: input)
        for line in lines {
            chunk.text.append(text: line + "\n")
            chunk.noteRecord(time: SystemClock.realtime)
        }
        chunk.counts[.readRecords] = UInt64(lines.count) + filtered
        chunk.counts[.filteredRecords] = filtered
        let step = Progress(source: source, position: Position(count: count))
        chunk.cover([step], bytes: 1, now: SystemClock.monotonic) { _ in 200 }
        return append(&chunk)
    }
}

extension Store {
    /// Every record from a number on, in order; gaps are left out.
    package func lines(from first: UInt64 = 1) throws(DiskError) -> [String] {
        var reader = StoreReader(self)
        var lines: [String] = []
        var next = first
        while true {
            switch try reader.next(from: next) {
            case .nothing: return lines
            case .gap(let gap): next = gap.to
            case .chunk(let chunk):
                let cut = max(next, chunk.header.firstSequence)
                let request = Request(
                    [chunk], first: cut, last: chunk.header.endSequence - 1,
                    recordCount: chunk.header.endSequence - cut,
                    key: "")
                lines += request.lines
                next = chunk.header.endSequence
                reader.pass()
            }
        }
    }

    /// Waits until `condition` holds; it is looked at after every append.
    package func wait(until condition: (Store) -> Bool) async {
        while true {
            let version = self.version
            if condition(self) { return }
            await changed(since: version)
        }
    }
}

extension StoreLimits {
    /// Limits that the free space of the test's machine does not disturb.
    package static var forTests: StoreLimits {
        var limits = StoreLimits()
        limits.minFree = 0
        return limits
    }
}

/// What became of settings that a plugin was given.
package struct SettingsReading<S: SettingsSection> {
    package let settings: S
    /// `path: message`, and the hint behind `; `, of everything that was refused.
    package let problems: [String]

    /// Reads settings from a literal, such as `["path": "/x", "max_size": "1GiB"]`.
    package init(_ node: SettingsNode, as type: S.Type = S.self) {
        let problems = SettingsProblems(file: "test.yaml")
        var fields = Fields(node, path: "item", problems: problems)
        settings = S(from: &fields)
        fields.finish()
        self.problems = problems.sorted.map { "\($0.origin.path): \($0.message)" + ($0.hint.map { "; \($0)" } ?? "") }
    }
}

extension DeliverySettings {
    /// Sends at once, and tries again after a moment.
    package static var forTests: DeliverySettings {
        var settings = SettingsReading([:], as: DeliverySettings.self).settings
        settings.maxDelay = .zero
        settings.retry.initial = .milliseconds(1)
        settings.retry.max = .milliseconds(2)
        return settings
    }

    /// The same with a change.
    package func with(_ change: (inout DeliverySettings) -> Void) -> DeliverySettings {
        var settings = self
        change(&settings)
        return settings
    }
}
