// Picks the records that are asked for: by their sources before anything is inflated, then one by one.
import Bytes
package import Disk
import NodeFiles
import Pipeline
package import Records

/// The lives of containers whose logs lie on the node: what is not among them is gone.
package struct PresentLives: Sendable {
    /// By uid and container the newest life that has a log.
    private var newest: [String: Int32] = [:]

    /// Looks into the kubelet's folder of pods' logs.
    package init(pods root: String, in system: FileRoot = .system) {
        for folder in (try? system.list(root)) ?? [] {
            guard let pod = PodFolder(folder.name) else { continue }
            for container in (try? system.list("\(root)/\(folder.name)")) ?? [] {
                let key = "\(pod.uid)/\(container.name)"
                for file in (try? system.list("\(root)/\(folder.name)/\(container.name)")) ?? [] {
                    guard let log = ContainerLogName(file.name) else { continue }
                    newest[key] = max(newest[key] ?? log.restart, log.restart)
                }
            }
        }
    }

    /// Whether a container has a log at all.
    func has(uid: String, container: String) -> Bool { newest["\(uid)/\(container)"] != nil }

    /// Whether a container's life is over: its pod's logs are gone, or it was started again.
    func isGone(uid: String, container: String, restart: Int32) -> Bool {
        guard let newest = newest["\(uid)/\(container)"] else { return true }
        return restart < newest
    }
}

/// The containers that have wanted records, where only the records tell: by labels. Noted while records are picked, asked for when
/// notices are shown.
final class ChosenContainers {
    private var keys: Set<String> = []
    private var last = Arena(capacity: 1024)

    /// Notes the container of a wanted record.
    func note(_ fields: borrowing RecordFields, _ text: borrowing Arena) {
        let source = fields.source
        if ByteSearch.equal(text, from: source.valueStart, count: source.valueLength, last.span) { return }
        last.removeAll()
        last.append(text, from: source.valueStart, count: source.valueLength)
        let uid = fields.sourceText("pod_uid", text) ?? ""
        keys.insert("\(uid)/\(fields.sourceText("container_name", text) ?? "")")
    }

    func contains(_ source: SourceIdentity) -> Bool { keys.contains("\(source.uid)/\(source.container)") }
}

/// Judges sources and records for one search.
package struct Sieve: ~Copyable {
    private var selection: RecordSelection
    /// The same before it is known which life of a container is the one before the present.
    private var broad: RecordSelection
    private var memory = SelectionMemory()
    private var fields = RecordFields()
    /// Nil: whether something is gone does not matter.
    private let present: PresentLives?
    /// Nil: sources tell by themselves whether they are asked for.
    let chosen: ChosenContainers?
    /// The last container that was asked about, and whether it is gone.
    private var lastSource = Arena(capacity: 1024)
    private var lastIsGone = false

    /// Of journal entries: what the kubelet says of pods that have no logs. Nil: it is not asked for.
    private var kubelet: RecordSelection?
    private var kubeletMemory = SelectionMemory()
    private var knownPods = KnownPods()
    private var message = Arena(capacity: 4096)
    private var tape = Column<JSONMember>(capacity: 64)
    /// The pods that have records of their own, as `namespace/pod`.
    package var podsWithLogs: Set<String> = []

    /// - Parameter present: given, only what is gone is wanted.
    package init(_ selection: RecordSelection, present: PresentLives? = nil) throws(QueryError) {
        self.selection = selection
        self.present = present
        broad = selection
        broad.previous = false
        chosen = selection.labels.isEmpty ? nil : ChosenContainers()
        // A pod without any log is told of by the kubelet alone.
        guard present == nil, !selection.previous, !selection.pods.isEmpty, selection.units.isEmpty else { return }
        var kubelet = try RecordSelection()
        kubelet.units = [try UnitPattern("kubelet.service")]
        kubelet.since = selection.since
        kubelet.until = selection.until
        kubelet.priority = selection.priority
        kubelet.lines = selection.lines
        self.kubelet = kubelet
    }

    /// Whether records of these sources may be wanted; nil: nobody knows where they come from. What is asked here is remembered.
    package mutating func mayHold(_ sources: [SourceIdentity]?) -> Bool {
        guard let sources else { return true }
        var may = false
        for source in sources {
            if source.kind == .container, selection.previous { selection.lives.note(source) }
            if may { continue }
            if source.kind == .journal, kubelet != nil { may = true }
            if broad.verdict(on: source) != .nothing, !isPresent(source) { may = true }
        }
        return may
    }

    /// Notes whose records these sources hold.
    mutating func noteLogs(of sources: [SourceIdentity]?) {
        for source in sources ?? [] where source.kind == .container {
            podsWithLogs.insert("\(source.namespace)/\(source.pod)")
        }
    }

    /// Whether something is left out because it is not gone. Of the journal, what is asked for by its unit goes along.
    private func isPresent(_ source: SourceIdentity) -> Bool {
        guard let present else { return false }
        guard source.kind == .container else { return source.kind != .journal || !selection.asksForJournal }
        return !present.isGone(uid: source.uid, container: source.container, restart: source.restart)
    }

    /// Adds the wanted records of a chunk's text to a run.
    /// - Parameters:
    ///   - store: which of several stores it is from: of two records of one time, that of the first comes first.
    ///   - firstSequence: the number of the first record.
    mutating func pick(_ text: borrowing Arena, store: Int, firstSequence: UInt64, into run: RecordRun) {
        var start = 0
        var number = firstSequence
        while start < text.count {
            let newline = ByteSearch.firstIndex(of: UInt8(ascii: "\n"), in: text, from: start, to: text.count)
            let end = newline < 0 ? text.count : newline
            if fields.read(text, from: start, to: end), isWanted(text) {
                run.append(
                    text, from: start, count: min(end + 1, text.count) - start, time: fields.time,
                    order: UInt64(store) << 56 | number)
            }
            number += 1
            start = end + 1
        }
    }

    private mutating func isWanted(_ text: borrowing Arena) -> Bool {
        if selection.includes(fields, in: text, memory: &memory) {
            if fields.origin == .container { chosen?.note(fields, text) }
            guard present != nil else { return true }
            // Units do not go; they are shown beside what is gone, where they are asked for.
            return fields.origin == .container ? isGone(text) : selection.asksForJournal
        }
        guard fields.origin == .journal, let kubelet,
            kubelet.includes(fields, in: text, memory: &kubeletMemory)
        else { return false }
        return concernsPodWithoutLogs(text)
    }

    private mutating func isGone(_ text: borrowing Arena) -> Bool {
        guard let present else { return false }
        let source = fields.source
        if ByteSearch.equal(text, from: source.valueStart, count: source.valueLength, lastSource.span) {
            return lastIsGone
        }
        lastSource.removeAll()
        lastSource.append(text, from: source.valueStart, count: source.valueLength)
        lastIsGone = present.isGone(
            uid: fields.sourceText("pod_uid", text) ?? "", container: fields.sourceText("container_name", text) ?? "",
            restart: fields.sourceText("restart_count", text).flatMap { Int32($0) } ?? 0)
        return lastIsGone
    }

    private mutating func concernsPodWithoutLogs(_ text: borrowing Arena) -> Bool {
        message.removeAll()
        fields.appendText(text, to: &message, tape: &tape)
        for reference in PodReferences.find(in: message.span) {
            knownPods.note(reference)
            let whole = knownPods.completed(reference)
            guard selection.concerns(whole), let name = whole.name else { continue }
            if let namespace = whole.namespace, podsWithLogs.contains("\(namespace)/\(name)") { continue }
            return true
        }
        return false
    }

    /// Whether a notice about a source is of interest.
    func concerns(_ source: SourceIdentity) -> Bool { broad.verdict(on: source) != .nothing && !isPresent(source) }
}
