// What a pod's annotations ask of whoever reads its logs. They belong to the pod's author, who may err: what cannot be
// followed is told and left aside.

/// What the annotations of a pod ask for one of its containers.
package struct LogInstructions: Hashable, Sendable {
    /// Its logs are not to be read.
    package var isExcluded = false
    /// The parser that its lines go through instead of those of the input; empty: none at all; nil: nothing is asked.
    package var parser: String?

    /// The word for no parser at all.
    package static let noParser = "none"

    /// An annotation that cannot be followed.
    package struct Fault: Hashable, Sendable {
        /// Its key and its value.
        package let annotation: Label
        /// What is wrong with it, to stand behind it.
        package let reason: String
    }

    private init() {}

    /// Whether an annotation is one that is heeded here.
    package static func isInstruction(_ key: String) -> Bool {
        key.hasPrefix(Annotation.own) || Annotation(Label(key, "")) != nil
    }

    /// Reads a pod's annotations for one container. The more special one counts: a container's before the pod's, Sluice's own
    /// before an alias.
    /// - Parameter parsers: the parsers that there are.
    package init(of pod: Pod, container: String, parsers: [String]) {
        self.init()
        let asked = pod.annotations.compactMap { Annotation($0) }
            .filter { $0.stream == nil && ($0.container == nil || $0.container == container) }
            .sorted {
                ($0.container != nil ? 0 : 2, $0.isAlias ? 1 : 0) < ($1.container != nil ? 0 : 2, $1.isAlias ? 1 : 0)
            }
        isExcluded = asked.lazy.filter { $0.what == .exclude }.compactMap(\.truth).first ?? false
        parser = asked.lazy.filter { $0.what == .parser }.compactMap { $0.parser(among: parsers) }.first
    }

    /// What in a pod's annotations cannot be followed.
    /// - Parameter parsers: the parsers that there are.
    package static func faults(of pod: Pod, parsers: [String]) -> [Fault] {
        pod.annotations.compactMap { label in
            guard let annotation = Annotation(label) else {
                guard label.key.hasPrefix(Annotation.own) else { return nil }
                return Fault(annotation: label, reason: "is none that there is: exclude, parser and multiline are")
            }
            return annotation.fault(in: pod, parsers: parsers).map { Fault(annotation: label, reason: $0) }
        }
    }
}

/// `sluice.dev/<what>[.<container>]`, or `fluentbit.io/<what>[_<stream>][-<container>]`.
private struct Annotation {
    enum What: String {
        case exclude, parser, multiline
    }

    /// What our own annotations begin with.
    static let own = "sluice.dev/"

    let what: What
    let container: String?
    let stream: String?
    let isAlias: Bool
    let value: String

    init?(_ label: Label) {
        let (own, alias) = (Annotation.own, "fluentbit.io/")
        value = label.value
        isAlias = label.key.hasPrefix(alias)
        if label.key.hasPrefix(own) {
            let parts = label.key.dropFirst(own.count).split(separator: ".", maxSplits: 1)
            guard let what = parts.first.flatMap({ What(rawValue: String($0)) }) else { return nil }
            self.what = what
            container = parts.count > 1 ? String(parts[1]) : nil
            stream = nil
        } else if isAlias {
            let parts = label.key.dropFirst(alias.count).split(separator: "-", maxSplits: 1)
            let words = parts.first?.split(separator: "_", maxSplits: 1) ?? []
            guard let what = words.first.flatMap({ What(rawValue: String($0)) }), what != .multiline else { return nil }
            self.what = what
            container = parts.count > 1 ? String(parts[1]) : nil
            stream = words.count > 1 ? String(words[1]) : nil
        } else {
            return nil
        }
    }

    /// What its value says as yes or no.
    var truth: Bool? {
        switch value.lowercased() {
        case "true": true
        case "false": false
        default: nil
        }
    }

    /// The parser it names; nil when there is none of that name.
    func parser(among parsers: [String]) -> String? {
        if value == LogInstructions.noParser { return "" }
        return parsers.contains(value) ? value : nil
    }

    func fault(in pod: Pod, parsers: [String]) -> String? {
        if let stream { return "asks for the stream \(stream) alone, which is not possible" }
        if let container, !pod.containers.isEmpty, pod.container(container) == nil {
            return "names a container that the pod does not have"
        }
        switch what {
        case .exclude: return truth == nil ? "is neither true nor false" : nil
        case .parser:
            guard parser(among: parsers) == nil else { return nil }
            return "names no parser that there is (\((parsers + [LogInstructions.noParser]).joined(separator: ", ")))"
        case .multiline: return "names no rule for joining lines that there is"
        }
    }
}
