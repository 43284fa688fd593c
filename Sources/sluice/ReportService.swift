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
    private let once: Bool
    private let showsProgress: Bool
    /// The account at the start: what earlier runs did is not this one's.
    private let atStart: Ledger

    init(
        store: Store, control: LaneControl, deliveries: DeliveriesService, pods: PodDirectory?, telemetry: Telemetry,
        interval: Duration, once: Bool, showsProgress: Bool
    ) {
        self.store = store
        self.control = control
        self.deliveries = deliveries
        self.pods = pods
        self.telemetry = telemetry
        self.interval = interval
        self.once = once
        self.showsProgress = showsProgress
        atStart = Ledger(store)
    }

    func run() async throws {
        await cancelWhenGracefulShutdown {
            await withTaskGroup(of: Void.self) { group in
                group.addTask { await self.tellEachInterval() }
                group.addTask { await self.tellLedgerOnSignal() }
                if !self.once { group.addTask { await self.tellHangUps() } }
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

    /// There is no reload yet, and whoever sends the signal expects one.
    private func tellHangUps() async {
        for await _ in await UnixSignalsSequence(trapping: .sighup) {
            telemetry.logger.warning(
                "SIGHUP does nothing: a changed configuration is read at the next start (check it with 'sluice validate' first)"
            )
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
                "\r\u{1b}[Kread \(Ledger.size(sinceStart(.readBytes, ledger))), \(sinceStart(.readRecords, ledger)) records, "
                    + "\(waiting) waiting to be delivered")
            try? await Task.sleep(for: .milliseconds(200))
        }
        write("\r\u{1b}[K")
    }

    /// What this run has counted.
    private func sinceStart(_ counter: Counter, _ now: Ledger) -> UInt64 { now.total(counter) - atStart.total(counter) }

    /// What a run with --once came to.
    func summarize(since started: Int64) {
        let ledger = Ledger(store)
        let tenths = (SystemClock.monotonic - started) / 100_000_000
        write(
            "read \(sinceStart(.readRecords, ledger)) records, \(Ledger.size(sinceStart(.readBytes, ledger))), in \(tenths / 10).\(tenths % 10) s\n"
        )
        let partial = sinceStart(.partialRecords, ledger)
        if partial > 0 { write("\(partial) records without all of their pods' metadata\n") }
        for output in ledger.outputs {
            let before = atStart.outputs.first { $0.name == output.name }?.account ?? DeliveryAccount()
            func here(_ count: (DeliveryAccount) -> UInt64) -> UInt64 {
                count(output.account) - min(count(output.account), count(before))
            }
            var text = "\(output.name): \(here(\.delivered)) delivered"
            if output.waiting > 0 { text += ", \(output.waiting) waiting" }
            if here(\.notSelected) > 0 { text += ", \(here(\.notSelected)) not selected" }
            if here(\.rejected) > 0 { text += ", \(here(\.rejected)) rejected (sluice chunks dead \(output.name))" }
            if here(\.droppedInAll) > 0 { text += ", \(here(\.droppedInAll)) dropped" }
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
