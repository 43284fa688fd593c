// What happened between the records, in words: `-- shop/web-1 deleted --`.
import Records
import Store

/// Notices by time, to be shown between records.
struct NoticeQueue {
    /// The next one is the last.
    private var notices: [(time: Int64, text: String, sources: [SourceIdentity])]
    private let chosen: ChosenContainers?
    private let isReversed: Bool

    /// Takes those that are about something that was asked for.
    init(_ notices: [StoreNotice], of sieve: borrowing Sieve, isReversed: Bool) {
        self.isReversed = isReversed
        chosen = sieve.chosen
        var told: [(time: Int64, text: String, sources: [SourceIdentity])] = []
        for notice in notices {
            if let text = NoticeQueue.text(of: notice, sieve) { told.append((notice.time, text, notice.sources)) }
        }
        self.notices = told.sorted { isReversed ? $0.time < $1.time : $0.time > $1.time }
    }

    /// The next notice that comes before a record of this time; nil when there is none.
    mutating func next(upTo time: Int64) -> String? {
        while let last = notices.last, isReversed ? last.time >= time : last.time <= time {
            notices.removeLast()
            if NoticeQueue.isChosen(last.sources, chosen) { return last.text }
        }
        return nil
    }

    /// Whether a notice is about containers that were chosen, where only their records could tell.
    static func isChosen(_ sources: [SourceIdentity], _ chosen: ChosenContainers?) -> Bool {
        guard let chosen, !sources.isEmpty else { return true }
        return sources.contains { chosen.contains($0) }
    }

    /// Leaves out what happened before the first record that is shown.
    mutating func skip(before time: Int64) { notices.removeAll { $0.time < time } }

    /// A notice in words; nil when it is about something that was not asked for.
    static func text(of notice: StoreNotice, _ sieve: borrowing Sieve) -> String? {
        switch notice.kind {
        case .ended(let source):
            guard sieve.concerns(source) else { return nil }
            var whole = source
            whole.restart = 0
            return source.kind == .journal ? nil : "\(name(of: whole)): deleted"
        case .missing(let bytes, let sources):
            guard sources.isEmpty || sources.contains(where: { sieve.concerns($0) }) else { return nil }
            let whose = sources.count == 1 ? " of \(name(of: sources[0]))" : ""
            return "\(Ledger.size(bytes))\(whose) missing here: gone before they could be read"
        case .missingEntries(let count):
            guard sieve.concerns(SourceIdentity(kind: .journal, input: "", path: "")) else { return nil }
            return "\(count) entries of the journal missing here: deleted or thrown away before they could be read"
        }
    }

    private static func name(of source: SourceIdentity) -> String {
        guard source.kind == .container else { return source.path }
        return "\(source.namespace)/\(source.pod) \(source.container)"
            + (source.restart > 0 ? "[\(source.restart)]" : "")
    }
}

extension StoreNotice {
    /// What it is about; nothing where that is not known.
    var sources: [SourceIdentity] {
        switch kind {
        case .ended(let source): [source]
        case .missing(_, let sources): sources
        case .missingEntries: []
        }
    }
}
