// `sluice pods` without its command line: what a store knows of the pods of a node, running or gone.
import Bytes
import Records

/// One container of a pod, all of its lives together.
package struct ContainerSummary: Sendable {
    /// Whose logs these are.
    package var namespace: String
    package var pod: String
    package var uid: String
    package var container: String
    /// The workload that the pod belongs to, as its last records tell; empty where they do not.
    package var ownerKind = ""
    package var ownerName = ""
    /// The newest life's number.
    package var restarts: Int32 = 0
    /// Nanoseconds since 1970.
    package var first = Int64.max
    package var last = Int64.min
    /// Records, their bytes as JSON, and those that are errors or worse.
    package var lines: UInt64 = 0
    package var bytes: UInt64 = 0
    package var errors: UInt64 = 0
    /// Whether its log is gone from the node.
    package var isGone = false
}

/// Adds up records by container.
struct PodCounter: ~Copyable {
    private(set) var containers: [ContainerSummary] = []
    private var places: [String: Int] = [:]
    private var fields = RecordFields()
    /// The last record's source, and its place: most records follow one of their own.
    private var lastSource = Arena(capacity: 1024)
    private var lastPlace = -1

    /// Adds a record.
    mutating func add(_ line: borrowing Arena) {
        guard fields.read(line, from: 0, to: line.count), fields.origin == .container else { return }
        let source = fields.source
        if lastPlace < 0
            || !ByteSearch.equal(line, from: source.valueStart, count: source.valueLength, lastSource.span)
        {
            lastSource.removeAll()
            lastSource.append(line, from: source.valueStart, count: source.valueLength)
            lastPlace = place(line)
        }
        containers[lastPlace].lines += 1
        containers[lastPlace].bytes += UInt64(line.count)
        if fields.severity >= .error { containers[lastPlace].errors += 1 }
        containers[lastPlace].first = min(containers[lastPlace].first, fields.time)
        containers[lastPlace].last = max(containers[lastPlace].last, fields.time)
    }

    private mutating func place(_ line: borrowing Arena) -> Int {
        func text(_ name: StaticString) -> String { fields.sourceText(name, line) ?? "" }
        let restart = Int32(text("restart_count")) ?? 0
        let key = "\(text("pod_uid"))/\(text("container_name"))"
        let place = places[key] ?? containers.count
        if place == containers.count {
            places[key] = place
            containers.append(
                ContainerSummary(
                    namespace: text("namespace_name"), pod: text("pod_name"), uid: text("pod_uid"),
                    container: text("container_name")))
        }
        containers[place].restarts = max(containers[place].restarts, restart)
        if let kind = fields.sourceText("owner_kind", line), let name = fields.sourceText("owner_name", line) {
            containers[place].ownerKind = kind
            containers[place].ownerName = name
        }
        return place
    }
}

extension Tail {
    /// What is known of the containers that are asked for, by namespace, pod and container.
    package func containers() throws -> [ContainerSummary] {
        var counter = PodCounter()
        var line = Arena(capacity: 4096)
        _ = try run { item in
            if case .record(let record) = item {
                line.removeAll()
                line.append(record)
                counter.add(line)
            }
            return true
        } flush: {
        }
        let present = PresentLives(pods: request.places.pods, in: request.places.system)
        return counter.containers.map { container in
            var container = container
            container.isGone = !present.has(uid: container.uid, container: container.container)
            return container
        }.sorted { ($0.namespace, $0.pod, $0.container, $0.first) < ($1.namespace, $1.pod, $1.container, $1.first) }
    }
}
