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
        key.hasPrefix(Annotation.own) || Annotation.isMeantAsAlias(key)
    }

    /// Reads a pod's annotations for one container. The more special one counts: a container's before the pod's, one stream's before
    /// both streams', Sluice's own before an alias.
    ///
    /// A log is one file for both streams, so it is left out only when neither is wanted: rather a line too much than one that its
    /// author asked to keep.
    /// - Parameter parsers: the parsers that there are.
    package init(of pod: Pod, container: String, parsers: [String]) {
        self.init()
        let asked = pod.annotations.compactMap { Annotation($0) }
            .filter { $0.container == nil || $0.container == container }
            .sorted { $0.rank < $1.rank }
        isExcluded = Annotation.Stream.allCases.allSatisfy { stream in
            asked.lazy.filter { $0.what == .exclude && $0.isAbout(stream) }.compactMap(\.truth).first ?? false
        }
        parser =
            asked.lazy.filter { $0.what == .parser && $0.stream == nil }.compactMap { $0.parser(among: parsers) }.first
    }

    /// What in a pod's annotations cannot be followed.
    /// - Parameter parsers: the parsers that there are.
    package static func faults(of pod: Pod, parsers: [String]) -> [Fault] {
        pod.annotations.compactMap { label in
            guard let annotation = Annotation(label) else {
                return Annotation.faultOfKey(label.key).map { Fault(annotation: label, reason: $0) }
            }
            return annotation.fault(in: pod, parsers: parsers).map { Fault(annotation: label, reason: $0) }
        }
    }
}

/// `sluice.dev/<what>[.<container>]`, or Fluent Bit's `fluentbit.io/<what>[_<stream>][-<container>]`.
private struct Annotation {
    enum What: String {
        case exclude, parser, multiline
    }

    /// A container's standard output and standard error, by their names in annotations.
    enum Stream: String, CaseIterable {
        case stdout, stderr
    }

    /// What our own annotations begin with.
    static let own = "sluice.dev/"
    private static let alias = "fluentbit.io/"

    let what: What
    /// nil: all of the pod.
    let container: String?
    /// nil: both.
    let stream: Stream?
    let isAlias: Bool
    let value: String

    /// nil: it is none of those that are heeded here, or its key is not whole.
    init?(_ label: Label) {
        value = label.value
        isAlias = label.key.hasPrefix(Annotation.alias)
        if label.key.hasPrefix(Annotation.own) {
            let rest = label.key.dropFirst(Annotation.own.count)
            let name = rest.prefix { $0 != "." }
            guard let what = What(rawValue: String(name)), rest.last != "." else { return nil }
            self.what = what
            container = name.count < rest.count ? String(rest.dropFirst(name.count + 1)) : nil
            stream = nil
        } else if isAlias {
            let rest = label.key.dropFirst(Annotation.alias.count)
            let head = rest.prefix { $0 != "-" }
            let words = head.split(separator: "_", maxSplits: 1, omittingEmptySubsequences: false)
            guard let what = What(rawValue: String(words[0])), what != .multiline, rest.last != "-" else { return nil }
            let stream = words.count > 1 ? Stream(rawValue: String(words[1])) : nil
            if words.count > 1, stream == nil { return nil }
            self.what = what
            self.stream = stream
            container = head.count < rest.count ? String(rest.dropFirst(head.count + 1)) : nil
        } else {
            return nil
        }
    }

    /// Whether a key begins like an alias that is heeded here.
    static func isMeantAsAlias(_ key: String) -> Bool {
        guard key.hasPrefix(alias) else { return false }
        return ["exclude", "parser"].contains(String(key.dropFirst(alias.count).prefix { $0.isLetter }))
    }

    /// What is wrong with a key that is no annotation, though it is meant as one; nil when it is not.
    static func faultOfKey(_ key: String) -> String? {
        if isMeantAsAlias(key) {
            if key.hasSuffix("-") { return "names no container behind its '-'" }
            return "is none that there is: [_stdout or _stderr] and [-<container>] can stand behind exclude and parser"
        }
        guard key.hasPrefix(own) else { return nil }
        if key.hasSuffix("."), What(rawValue: String(key.dropFirst(own.count).dropLast())) != nil {
            return "names no container behind its '.'"
        }
        return "is none that there is: exclude, parser and multiline are"
    }

    /// The special ones first.
    var rank: (Int, Int, Int) { (container == nil ? 1 : 0, stream == nil ? 1 : 0, isAlias ? 1 : 0) }

    func isAbout(_ stream: Stream) -> Bool { self.stream == nil || self.stream == stream }

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

    /// Whether all logs that it is about are left out, both streams of them.
    private func isFollowed(_ stream: Stream, in pod: Pod, parsers: [String]) -> Bool {
        let containers = container.map { [$0] } ?? pod.containers.map(\.name)
        return !containers.isEmpty
            && containers.allSatisfy { LogInstructions(of: pod, container: $0, parsers: parsers).isExcluded }
    }

    func fault(in pod: Pod, parsers: [String]) -> String? {
        if let container, !pod.containers.isEmpty, pod.container(container) == nil {
            return "names a container that the pod does not have"
        }
        switch what {
        case .exclude:
            guard truth != nil else { return "is neither true nor false" }
            guard truth == true, let stream, !isFollowed(stream, in: pod, parsers: parsers) else { return nil }
            return "asks to leave out \(stream.rawValue) alone, which is not possible: both streams are read"
        case .parser where stream != nil:
            return "asks for a parser of \(stream?.rawValue ?? "") alone, which is not possible"
        case .parser:
            guard parser(among: parsers) == nil else { return nil }
            return "names no parser that there is (\((parsers + [LogInstructions.noParser]).joined(separator: ", ")))"
        case .multiline: return "names no rule for joining lines that there is"
        }
    }
}
