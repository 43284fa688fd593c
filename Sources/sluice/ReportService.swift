// What the agent tells while it runs: a line a minute, the ledger on SIGUSR1, progress on a terminal, the summary of --once.
import Disk
import Logging
import Pipeline
import PodMetadata
import Records
import ServiceLifecycle
import Store
import Synchronization
import Telemetry
import UnixSignals

/// Tells how things stand.
final class ReportService: Service {
    private let store: Store
    private let control: LaneControl
    private let deliveries: DeliveriesService
    private let pods: PodDirectory?
    private let telemetry: Telemetry
    private let interval: Duration
    private let showsProgress: Bool

    init(
        store: Store, control: LaneControl, deliveries: DeliveriesService, pods: PodDirectory?, telemetry: Telemetry,
        interval: Duration, showsProgress: Bool
    ) {
        self.store = store
        self.control = control
        self.deliveries = deliveries
        self.pods = pods
        self.telemetry = telemetry
        self.interval = interval
        self.showsProgress = showsProgress
    }

    func run() async throws {
        await cancelWhenGracefulShutdown {
            await withTaskGroup(of: Void.self) { group in
                group.addTask { await self.tellEachInterval() }
                group.addTask { await self.tellLedgerOnSignal() }
                if self.showsProgress { group.addTask { await self.tellProgress() } }
                await group.waitForAll()
            }
        }
    }

    // MARK: The summary line

    private func tellEachInterval() async {
        var before = Ledger(store)
        while !Task.isCancelled {
            try? await Task.sleep(for: interval)
            if Task.isCancelled { return }
            let now = Ledger(store)
            tell(now, since: before)
            before = now
        }
    }

    private func tell(_ now: Ledger, since before: Ledger) {
        let lines = now.total(.readRecords) - before.total(.readRecords)
        let bytes = now.total(.readBytes) - before.total(.readBytes)
        var details = OrderedMetadata([
            ("lines", "\(lines)"), ("bytes", "\(bytes)"), ("unread_bytes", "\(control.unreadBytes)"),
            ("waiting", now.outputs.map { "\($0.name):\($0.waiting)" }.joined(separator: ",")),
            ("dropped", "\(now.outputs.reduce(0) { $0 + $1.account.droppedInAll })"),
        ])
        for (name, picture) in deliveries.pictures {
            if let failure = picture.failure { details.append("failing_\(name)", failure) }
        }
        if let trouble = store.trouble { details.append("store", trouble) }
        if let pods {
            details.append("pods", "\(pods.snapshot.pods.values.count { $0.deletedAt == nil })")
            let partial = now.total(.partialRecords) - before.total(.partialRecords)
            if partial > 0 { details.append("partial_metadata", "\(partial)") }
            if case .failing(let reason) = pods.health { details.append("failing_metadata", reason) }
        }
        telemetry.logger.info("summary", metadata: details.metadata)
    }

    // MARK: The ledger

    private func tellLedgerOnSignal() async {
        for await _ in await UnixSignalsSequence(trapping: .sigusr1) {
            write(Ledger(store).text + "\n" + events + "\n")
        }
    }

    /// What has happened since the start, by the names of its metrics.
    private var events: String {
        let counters = telemetry.counters.filter { $0.value > 0 }.sorted { $0.key < $1.key }
        let width = counters.map(\.key.count).max() ?? 0
        var lines: [String] = []
        if let pods {
            let count = pods.snapshot.pods.values.count { $0.deletedAt == nil }
            lines = ["pods' metadata", "  pods known now  \(count)"]
            if case .failing(let reason) = pods.health { lines.append("  failing: \(reason)") }
        }
        lines.append("events since the start")
        lines += counters.map { "  \($0.key.padded(to: width))  \($0.value)" }
        return lines.joined(separator: "\n")
    }

    // MARK: --once

    private func tellProgress() async {
        while !Task.isCancelled {
            let ledger = Ledger(store)
            let waiting = ledger.outputs.map(\.waiting).max() ?? 0
            write(
                "\r\u{1b}[Kread \(Ledger.size(ledger.total(.readBytes))), \(ledger.total(.readRecords)) records, "
                    + "\(waiting) waiting to be delivered")
            try? await Task.sleep(for: .milliseconds(200))
        }
        write("\r\u{1b}[K")
    }

    /// What a run with --once came to.
    func summarize(since started: Int64) {
        let ledger = Ledger(store)
        let tenths = (SystemClock.monotonic - started) / 100_000_000
        write(
            "read \(ledger.total(.readRecords)) records, \(Ledger.size(ledger.total(.readBytes))), in \(tenths / 10).\(tenths % 10) s\n"
        )
        let partial = ledger.total(.partialRecords)
        if partial > 0 { write("\(partial) records without all of their pods' metadata\n") }
        for output in ledger.outputs {
            var text = "\(output.name): \(output.account.delivered) delivered"
            if output.waiting > 0 { text += ", \(output.waiting) waiting" }
            if output.account.notSelected > 0 { text += ", \(output.account.notSelected) not selected" }
            if output.account.rejected > 0 {
                text += ", \(output.account.rejected) rejected (sluice chunks dead \(output.name))"
            }
            if output.account.droppedInAll > 0 { text += ", \(output.account.droppedInAll) dropped" }
            if let failure = deliveries.pictures.first(where: { $0.name == output.name })?.picture.failure {
                text += "; last failure: \(failure)"
            }
            write(text + "\n")
        }
    }

    private func write(_ text: String) { StandardStream.report(Array(text.utf8).span) }
}

extension String {
    fileprivate func padded(to width: Int) -> String { self + String(repeating: " ", count: max(0, width - count)) }
}
