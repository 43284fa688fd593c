// `sluice tail`: everything that happened on this node, in one stream ordered by time.
import ArgumentParser
import Bytes
import Disk
import Display
import Logging
import Pipeline
import Records
import Settings
import Store
import Telemetry
import Viewer

struct TailCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "tail",
        abstract:
            "Show the node's logs: containers, kubelet and other units, of pods that run and of pods that are gone.",
        usage: "sluice tail [POD ...] [options]",
        discussion: """
            POD is a regular expression on the pod's name, with its namespace before a slash if need be ('odoo', 'shop/web-.*'), or names a \
            workload: deploy/web, sts/db, ds/node-agent, job/backup. A pod without any log shows what the kubelet says of it.

            Beside a running agent its store is read, and followed by its files alone. Without one the store is read and then the node's own \
            files, from where the store ends: nothing comes twice, and nothing has to be running.

            Times: 10m, -1h, "2 hours ago", yesterday, 03:10, "2026-11-23 03:10", 2026-11-23T03:10:00Z, @1795406271.
            """)

    @Argument(help: ArgumentHelp("Pods: regular expressions, or deploy/NAME and the like.", valueName: "pod"))
    var pods: [String] = []

    @OptionGroup var choice: RecordChoice

    @Flag(name: [.short, .long], help: "Keep showing new lines; new pods and restarted containers are included.")
    var follow = false
    @Option(
        name: [.customShort("n"), .long],
        help: ArgumentHelp("Show the last n records, or 'all' (the default; 10 with -f).", valueName: "n|all"))
    var lines: String?
    @Flag(name: [.short, .long], help: "Show the newest records first.")
    var reverse = false

    @Option(
        name: [.short, .long],
        help: "Output format: \(DisplayStyle.allCases.map(\.rawValue).joined(separator: ", ")).")
    var output = "short"
    @Option(help: ArgumentHelp("Print only these members (json, json-pretty, export, cat).", valueName: "a,b.c"))
    var outputFields: String?
    @Option(
        name: [.customShort("H"), .long], parsing: .unconditionalSingleValue,
        help: ArgumentHelp("Highlight what matches.", valueName: "regex"))
    var highlight: [String] = []
    @Flag(help: "Show times in UTC.")
    var utc = false
    @Option(help: "Prefix each line with its source: auto, on, off.")
    var prefix = Choice.auto
    @Option(help: "Colour: auto (on a terminal that has colours, unless NO_COLOR is set), always, never.")
    var color = ColorChoice.auto
    @Flag(name: [.customShort("a"), .long], help: "Do not cut long lines at the terminal's edge.")
    var all = false
    @Flag(name: [.short, .long], help: "Leave out the '-- ... --' lines about what happened between records.")
    var quiet = false
    @Flag(help: "Do not use a pager on a terminal.")
    var noPager = false
    @Flag(help: "Report at the end what was read and what was skipped.")
    var stats = false

    enum Choice: String, ExpressibleByArgument, CaseIterable { case auto, on, off }
    enum ColorChoice: String, ExpressibleByArgument, CaseIterable { case auto, always, never }

    func run() async throws {
        let style = try Self.style(output)
        var request = try choice.request(pods: pods, highlight: highlight)
        request.follows = follow
        request.isReversed = reverse
        request.isQuiet = quiet
        request.lines = try Self.count(lines, follow: follow)
        if follow, reverse {
            throw ValidationError("--follow and --reverse do not go together: what comes next comes last")
        }
        Machine.ignoreBrokenPipes()

        let isTerminal = StandardStream.outputIsTerminal
        let pager = isTerminal && !follow && !noPager ? Pager.start() : nil
        let isColored =
            switch color {
            case .auto: StandardStream.outputTakesColor
            case .always: true
            case .never: false
            }
        var options = DisplayOptions()
        options.style = style
        options.isColored = isColored
        options.isUTC = utc
        options.hasPrefix = prefix != .off
        options.outputFields = outputFields.map { $0.split(separator: ",").map(String.init) } ?? []
        options.isForTerminal = isTerminal
        options.width = isTerminal && !all && pager == nil ? Machine.terminalWidth : nil
        let lines = request.selection.lines
        if isColored, !lines.hasNoRanges { options.highlight = { lines.ranges(in: $0) } }

        let telemetry = Telemetry(Self.logger(isColored: isColored))
        let tail = try Tail(request, telemetry: telemetry)
        let file = Handover(try pager?.input() ?? StandardStream.output())
        let stats = try await Interruption.run("tail", stop: tail.stop) { [options, quiet] in
            guard let file = file.take() else { return SearchStats() }
            var output = TailOutput(file, options, isColored: isColored, isQuiet: quiet)
            return try output.run(tail)
        }
        pager?.finish()
        for shortcoming in lines.shortcomings { Problems.write("sluice: " + shortcoming) }
        if self.stats { Problems.write(stats.described) }
    }

    private static func logger(isColored: Bool) -> Logger {
        Logger(label: "tail") { _ in LineLogHandler(level: .error, format: .text, isColored: isColored) }
    }

    private static func style(_ name: String) throws -> DisplayStyle {
        if let style = DisplayStyle(rawValue: name) { return style }
        throw ValidationError(
            "'\(name)' is not an output format; use one of \(DisplayStyle.allCases.map(\.rawValue).joined(separator: ", "))"
        )
    }

    /// How many of the last records.
    private static func count(_ text: String?, follow: Bool) throws -> Int? {
        guard let text else { return follow ? 10 : nil }
        if text == "all" { return nil }
        guard let number = Int(text), number >= 0 else {
            throw ValidationError("-n takes a number or 'all', not '\(text)': did you mean -N \(text) (a namespace)?")
        }
        return number
    }

    /// A wrong question is a wrong command line.
    static func checked<R>(_ body: () throws(QueryError) -> R) throws -> R {
        do throws(QueryError) {
            return try body()
        } catch {
            throw ValidationError(error.description)
        }
    }
}

/// Which records, for all commands that look at them.
struct RecordChoice: ParsableArguments {
    @Option(
        name: [.customShort("S"), .long], parsing: .unconditional,
        help: ArgumentHelp("Show records from this time on.", valueName: "time"))
    var since: String?
    @Option(
        name: [.customShort("U"), .long], parsing: .unconditional,
        help: ArgumentHelp("Show records up to this time.", valueName: "time"))
    var until: String?
    @Option(
        name: [.customShort("N"), .long],
        help: ArgumentHelp("Show pods of these namespaces (globs).", valueName: "name"))
    var namespace: [String] = []
    @Option(name: [.short, .long], help: ArgumentHelp("Show containers whose names match.", valueName: "regex"))
    var container: [String] = []
    @Option(
        name: [.customShort("E"), .long], parsing: .unconditionalSingleValue,
        help: ArgumentHelp("Leave out containers whose names match.", valueName: "regex"))
    var excludeContainer: [String] = []
    @Option(
        name: [.customShort("l"), .long],
        help: ArgumentHelp("Show pods with these labels, written as for kubectl.", valueName: "labels"))
    var selector: String?
    @Option(
        name: [.customShort("u"), .long],
        help: ArgumentHelp("Show journal entries of these units (globs).", valueName: "unit"))
    var unit: [String] = []
    @Option(
        name: [.short, .long], parsing: .unconditional,
        help: ArgumentHelp(
            "Show this severity and worse (err), a range (warning..err), or a number from 0 to 7.",
            valueName: "priority"))
    var priority: String?
    @Option(
        name: [.short, .long], parsing: .unconditionalSingleValue,
        help: ArgumentHelp(
            "Show messages that match any of these (PCRE2). Case matters only if there is a capital.",
            valueName: "regex"))
    var grep: [String] = []
    @Option(name: [.customShort("v"), .long], help: ArgumentHelp("Leave out messages that match.", valueName: "regex"))
    var exclude: [String] = []
    @Flag(help: "Show logs from the previous container instance.")
    var previous = false
    @Flag(help: "Show only logs of deleted pods and earlier container instances.")
    var gone = false
    @Option(
        name: [.customShort("b"), .long], parsing: .unconditional,
        help: ArgumentHelp(
            "Show journal entries of one boot: its id, 0 for the newest, -1 for the one before.", valueName: "boot"))
    var boot: String?
    @Flag(name: [.customShort("k"), .customLong("dmesg")], help: "Show kernel messages.")
    var kernel = false
    @Option(help: ArgumentHelp("The data directory of the agent.", valueName: "dir"))
    var dataDir: String?
    @Option(
        help: ArgumentHelp(
            "Read a copied or mounted node: the folder that holds its /var/log and /var/lib/sluice.", valueName: "dir")
    )
    var root: String?

    /// What is asked for, as far as it is said here.
    func request(pods: [String], highlight: [String] = []) throws -> TailRequest {
        let selection = try TailCommand.checked { () throws(QueryError) -> RecordSelection in
            try self.selection(pods, highlight)
        }
        var request = TailRequest(selection)
        let system = FileRoot(root ?? "")
        let root = system.path
        request.places.system = system
        request.dataDirectory = dataDir ?? system.locate(root + "/var/lib/sluice")
        request.places.pods = root + "/var/log/pods"
        request.places.links = root + "/var/log/containers"
        if !root.isEmpty { request.places.journal = [root + "/var/log/journal", root + "/run/log/journal"] }
        request.places.node = Self.nodeName(system)
        request.isGone = gone
        request.boot = try TailCommand.checked { () throws(QueryError) -> BootChoice? in
            // As for journalctl, the kernel's messages are those of the newest boot unless another is named.
            try read(boot ?? (kernel ? "0" : nil), "-b") { text throws(QueryError) in try BootChoice(text) }
        }
        // Of a pod without any log the journal may tell; whoever asks for other containers does without it.
        request.places.wantsJournal =
            !selection.asksForContainers || selection.asksForJournal || !selection.pods.isEmpty || request.boot != nil
        // Which lives there are, and of a pod which containers, is not known before its files are read.
        var ofContainers = selection
        ofContainers.previous = false
        var ofPods = ofContainers
        (ofPods.containers, ofPods.excludedContainers) = ([], [])
        request.places.wantsContainer = { [ofContainers, ofPods] namespace, pod, container in
            if container.isEmpty, !ofPods.asksForContainers {
                return ofContainers.asksForContainers || !ofContainers.asksForJournal
            }
            let selection = container.isEmpty ? ofPods : ofContainers
            let source = SourceIdentity(
                kind: .container, input: "", path: "", namespace: namespace, pod: pod, container: container)
            return selection.verdict(on: source) != .nothing
        }
        return request
    }

    /// The name of the node whose files are read: a copied node has its own, and is not called as the machine that it was copied to.
    private static func nodeName(_ system: FileRoot) -> String {
        if system == .system { return NodeName(nil).text }
        let file = try? system.open(system.path + "/etc/hostname")
        let text = (try? file?.read(count: 255, at: 0)).map { String(decoding: $0, as: UTF8.self) } ?? ""
        return NodeName(nil, host: text).text
    }

    private func selection(_ pods: [String], _ highlight: [String]) throws(QueryError) -> RecordSelection {
        let now = SystemClock.realtime
        var selection = try RecordSelection()
        selection.since = try read(since, "--since") { text throws(QueryError) in
            try TimeExpression(text, now: now).nanoseconds
        }
        selection.until = try read(until, "--until") { text throws(QueryError) in
            try TimeExpression(text, now: now).nanoseconds
        }
        for text in namespace {
            do throws(GlobError) {
                selection.namespaces.append(try Glob(text))
            } catch {
                throw QueryError("--namespace: '\(text)' \(error.predicate)", hint: error.hint)
            }
        }
        for text in pods { selection.pods.append(try PodPattern(text)) }
        for text in container { selection.containers.append(try TextPattern(text)) }
        for text in excludeContainer { selection.excludedContainers.append(try TextPattern(text)) }
        if let selector { selection.labels = try LabelSelector(selector) }
        for text in unit { selection.units.append(try UnitPattern(text)) }
        selection.priority = try read(priority, "--priority") { text throws(QueryError) in try PriorityRange(text) }
        selection.lines = try LineFilter(grep: grep, exclude: exclude, highlight: highlight)
        selection.previous = previous
        selection.kernel = kernel
        return selection
    }

    private func read<R>(
        _ text: String?, _ flag: String, _ body: (String) throws(QueryError) -> R
    ) throws(QueryError) -> R? {
        guard let text else { return nil }
        do throws(QueryError) {
            return try body(text)
        } catch {
            throw error.about(flag)
        }
    }
}
