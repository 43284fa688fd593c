// Which records are asked for: all selecting flags of a question. Much of it can be told from a source alone, so that most chunks need
// not be inflated.
package import Bytes
package import Pipeline
package import Records

/// What a question selects.
///
/// Some flags ask for containers (pods, namespaces, containers, labels, the previous life), some for the journal (units, the kernel).
/// Where only one sort is given, only its records are selected; where both are, what fits either: so `-u kubelet odoo` shows both side
/// by side. All other flags hold for every record. Nothing given selects everything.
package struct RecordSelection: Sendable {
    /// Nanoseconds since 1970: the first and the last moment.
    package var since: Int64?
    package var until: Int64?
    /// Globs of namespaces; empty: any.
    package var namespaces: [Glob] = []
    /// Which pods; empty: any.
    package var pods: [PodPattern] = []
    /// What the container's name has to match, and must not; empty: any.
    package var containers: [TextPattern] = []
    package var excludedContainers: [TextPattern] = []
    /// What is asked of the pod's labels.
    package var labels = LabelSelector()
    /// Whether only the life before the newest of each container is asked for; `lives` knows which that is.
    package var previous = false
    package var lives = ContainerLives()
    /// Which units; empty: any.
    package var units: [UnitPattern] = []
    /// Whether the kernel's messages are asked for.
    package var kernel = false
    /// How bad; nil: any. Lines of containers and files without a severity count as `info`, whichever stream they came by: too many
    /// programs write all they say to stderr. Journal entries without a priority have none, as for journalctl.
    package var priority: PriorityRange?
    /// What the text of a record has to match.
    package var lines: LineFilter
    /// Which start of the machine; nil: any.
    package var boot: BootWindow?

    /// Selects everything.
    package init() throws(QueryError) { lines = try LineFilter() }

    /// Whether something is asked of containers.
    package var asksForContainers: Bool {
        !namespaces.isEmpty || !pods.isEmpty || !containers.isEmpty || !excludedContainers.isEmpty || !labels.isEmpty
            || previous
    }

    /// Whether something is asked of the journal.
    package var asksForJournal: Bool { !units.isEmpty || kernel }

    // MARK: Sources

    /// How much it selects of a source's records. `times`: the first and the last of those in question, where they are known.
    package func verdict(on source: SourceIdentity, times: ClosedRange<Int64>? = nil) -> Condition.Verdict {
        let time = verdict(on: times, of: source.kind)
        if time == .nothing { return .nothing }
        let kind: Condition.Verdict =
            switch source.kind {
            case .container: verdict(onContainer: source)
            case .journal: asksForJournal ? .depends : asksForContainers ? .nothing : .all
            case .file: asksForContainers || asksForJournal ? .nothing : .all
            }
        if kind == .nothing { return .nothing }
        let isWhole =
            time == .all && lines.isEmpty && priority?.isEverything ?? true && (boot == nil || source.kind != .journal)
        return isWhole ? kind : .depends
    }

    private func verdict(on times: ClosedRange<Int64>?, of kind: SourceKind) -> Condition.Verdict {
        var (first, last) = (since ?? .min, until ?? .max)
        // What the journal has of a boot its ids tell: entries of before the clock was set have times of another one.
        if let boot, kind != .journal {
            if boot.times.isEmpty { return .nothing }
            first = max(first, boot.times.lowerBound)
            last = min(last, boot.times.upperBound - 1)
        }
        if first > last { return .nothing }
        guard let times else { return first == .min && last == .max ? .all : .depends }
        if times.upperBound < first || times.lowerBound > last { return .nothing }
        return first <= times.lowerBound && times.upperBound <= last ? .all : .depends
    }

    private func verdict(onContainer source: SourceIdentity) -> Condition.Verdict {
        guard asksForContainers else { return asksForJournal ? .nothing : .all }
        guard fits(source.namespace, namespaces), fitsContainer(source.container) else { return .nothing }
        var verdict = Condition.Verdict.all
        if !pods.isEmpty {
            let isOwnerAsked = pods.contains { $0.mayDependOnOwner(namespace: source.namespace, pod: source.pod) }
            let isMatched = pods.contains { $0.matches(namespace: source.namespace, pod: source.pod) }
            if !isOwnerAsked, !isMatched { return .nothing }
            if isOwnerAsked { verdict = .depends }
        }
        if previous {
            let isPrevious = lives.isPrevious(
                namespace: source.namespace, pod: source.pod, uid: source.uid, container: source.container,
                restart: source.restart)
            if !isPrevious { return .nothing }
        }
        return labels.isEmpty ? verdict : .depends
    }

    private func fits(_ name: String, _ globs: [Glob]) -> Bool {
        globs.isEmpty || globs.contains { $0.matches(name) }
    }

    private func fitsContainer(_ name: String) -> Bool {
        (containers.isEmpty || containers.contains { $0.matches(name) })
            && !excludedContainers.contains { $0.matches(name) }
    }

    // MARK: Records

    /// Whether it selects a record that `fields` has taken apart.
    package func includes(
        _ fields: borrowing RecordFields, in arena: borrowing Arena, memory: inout SelectionMemory
    ) -> Bool {
        if let since, fields.time < since { return false }
        if let until, fields.time > until { return false }
        if let priority, !RecordSelection.fits(fields, priority) { return false }
        switch fields.origin {
        case .container: if !includesContainer(fields, arena, &memory) { return false }
        case .journal: if !includesEntry(fields, arena) { return false }
        case .file, nil: if asksForContainers || asksForJournal || !isInBoot(fields.time) { return false }
        }
        return lines.isEmpty || memory.matches(lines, fields, arena)
    }

    private static func fits(_ fields: borrowing RecordFields, _ priority: PriorityRange) -> Bool {
        if priority.isEverything { return true }
        var severity = fields.severity
        if severity == .unknown {
            if fields.origin == .journal { return false }
            severity = .info
        }
        return priority.severities.contains(severity)
    }

    private func isInBoot(_ time: Int64) -> Bool { boot?.times.contains(time) ?? true }

    private func includesContainer(
        _ fields: borrowing RecordFields, _ arena: borrowing Arena, _ memory: inout SelectionMemory
    ) -> Bool {
        guard isInBoot(fields.time) else { return false }
        guard asksForContainers else { return !asksForJournal }
        // All of it is in one object, which hardly changes from one record to the next.
        if let known = memory.answer(fields.source, arena, version: lives.version) { return known }
        let answer = selects(fields, arena, &memory.tape)
        memory.keep(answer, fields.source, arena, version: lives.version)
        return answer
    }

    private func selects(
        _ fields: borrowing RecordFields, _ arena: borrowing Arena, _ tape: inout Column<JSONMember>
    ) -> Bool {
        let namespace = fields.sourceText("namespace_name", arena) ?? ""
        let pod = fields.sourceText("pod_name", arena) ?? ""
        let container = fields.sourceText("container_name", arena) ?? ""
        guard fits(namespace, namespaces), fitsContainer(container) else { return false }
        if !pods.isEmpty {
            let owner = (fields.sourceText("owner_kind", arena), fields.sourceText("owner_name", arena))
            let isAskedFor = pods.contains { pattern in
                if case (let kind?, let name?) = owner {
                    pattern.matches(namespace: namespace, pod: pod, ownerKind: kind, ownerName: name)
                } else {
                    pattern.matches(namespace: namespace, pod: pod)
                }
            }
            guard isAskedFor else { return false }
        }
        if previous {
            let uid = fields.sourceText("pod_uid", arena) ?? ""
            guard let restart = fields.sourceText("restart_count", arena).flatMap({ Int32($0) }),
                lives.isPrevious(namespace: namespace, pod: pod, uid: uid, container: container, restart: restart)
            else { return false }
        }
        return labels.isEmpty || labels.matches(fields, arena, tape: &tape)
    }

    private func includesEntry(_ fields: borrowing RecordFields, _ arena: borrowing Arena) -> Bool {
        if let boot {
            let id = fields.sourceMember("boot_id", arena)
            // What has no id can be told by its time only.
            if id.isPresent {
                guard JSONScanner.valueEquals(arena, id, boot.idBytes.span) else { return false }
            } else if !isInBoot(fields.time) {
                return false
            }
        }
        guard asksForJournal else { return !asksForContainers }
        if kernel {
            let transport = fields.sourceMember("transport", arena)
            if arena.span.extracting(transport.valueRange).isEqual(to: "\"kernel\"") { return true }
        }
        if units.isEmpty { return false }
        // The unit that the entry is about, and the one that wrote it.
        return isOfUnit(fields.sourceMember("unit", arena), arena)
            || isOfUnit(fields.sourceMember("_systemd_unit", arena), arena)
    }

    private func isOfUnit(_ member: JSONMember, _ arena: borrowing Arena) -> Bool {
        guard member.isPresent else { return false }
        let name = RecordFields.text(of: member, arena)
        for unit in units where unit.matches(name.utf8.span) { return true }
        return false
    }

    // MARK: The kubelet's lines

    /// Whether a line that speaks of this pod speaks of one that is asked for, by its names. Where it does not tell the namespace, the
    /// pod's name is enough: better a line too many than the one that explains.
    package func concerns(_ reference: PodReference) -> Bool {
        guard let name = reference.name else { return false }
        if let namespace = reference.namespace {
            guard fits(namespace, namespaces) else { return false }
            return pods.isEmpty ? !namespaces.isEmpty : pods.contains { $0.matches(namespace: namespace, pod: name) }
        }
        return pods.contains { $0.matches(namespace: nil, pod: name) }
    }
}

/// What a selection remembers from record to record: its answers about containers, and room to work in. It belongs to one selection.
package struct SelectionMemory: ~Copyable {
    fileprivate var tape = Column<JSONMember>(capacity: 64)
    private var text = Arena(capacity: 4096)
    private var last = Arena(capacity: 1024)
    private var lastAnswer: Bool?
    private var answers: [[UInt8]: Bool] = [:]
    private var version = 0
    /// Beyond this many containers it begins anew.
    private static let limit = 4096

    package init() {}

    fileprivate mutating func answer(_ source: JSONMember, _ arena: borrowing Arena, version: Int) -> Bool? {
        if version != self.version {
            self.version = version
            lastAnswer = nil
            answers.removeAll()
        }
        if let lastAnswer, ByteSearch.equal(arena, from: source.valueStart, count: source.valueLength, last.span) {
            return lastAnswer
        }
        guard let known = answers[Array(copying: arena.span.extracting(source.valueRange))] else { return nil }
        setLast(known, source, arena)
        return known
    }

    fileprivate mutating func keep(_ answer: Bool, _ source: JSONMember, _ arena: borrowing Arena, version: Int) {
        if answers.count >= SelectionMemory.limit { answers.removeAll() }
        answers[Array(copying: arena.span.extracting(source.valueRange))] = answer
        setLast(answer, source, arena)
    }

    private mutating func setLast(_ answer: Bool, _ source: JSONMember, _ arena: borrowing Arena) {
        last.removeAll()
        last.append(arena, from: source.valueStart, count: source.valueLength)
        lastAnswer = answer
    }

    fileprivate mutating func matches(
        _ lines: LineFilter, _ fields: borrowing RecordFields, _ arena: borrowing Arena
    ) -> Bool {
        if let plain = fields.plainText(arena) { return lines.matches(arena.span.extracting(plain)) }
        text.removeAll()
        fields.appendText(arena, to: &text, tape: &tape)
        return lines.matches(text.span)
    }
}
