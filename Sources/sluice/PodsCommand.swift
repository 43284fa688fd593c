// `sluice pods`: which pods there are and were on this node, and what their logs come to.
import ArgumentParser
import Bytes
import Disk
import Display
import Logging
import Store
import Telemetry
import Viewer

struct PodsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "pods", abstract: "List the node's pods, running or gone, with what is known of their logs.",
        usage: "sluice pods [POD ...] [options]",
        discussion: "Pods are chosen as for 'sluice tail'. Lines and bytes are those of the records that are chosen.")

    enum Output: String, ExpressibleByArgument, CaseIterable { case text, json }

    @Argument(help: ArgumentHelp("Pods: regular expressions, or deploy/NAME and the like.", valueName: "pod"))
    var pods: [String] = []
    @OptionGroup var choice: RecordChoice
    @Option(name: [.short, .long], help: "Output format.")
    var output = Output.text
    @Flag(help: "Show times in UTC.")
    var utc = false

    func run() async throws {
        let telemetry = Telemetry(Logger(label: "pods") { _ in SwiftLogNoOpLogHandler() })
        let request = try choice.request(pods: pods)
        let tail = try Tail(request, telemetry: telemetry)
        let containers = try await Interruption.run("pods", stop: tail.stop) { try tail.containers() }
        for shortcoming in request.selection.lines.shortcomings { Problems.write("sluice: " + shortcoming) }
        // Counts of a part would look like those of the whole.
        if tail.isStopped { throw Exit.failure }
        print(output == .json ? Self.json(containers) : Self.text(containers, isUTC: utc))
    }

    private static func json(_ containers: [ContainerSummary]) -> String {
        var out = Arena(capacity: 4096)
        var times = TimestampWriter()
        out.append("[")
        for (index, container) in containers.enumerated() {
            out.append(index == 0 ? "\n  {" : ",\n  {")
            let texts = [
                ("namespace", container.namespace), ("pod", container.pod), ("pod_uid", container.uid),
                ("container", container.container), ("owner_kind", container.ownerKind),
                ("owner_name", container.ownerName),
            ]
            for (name, text) in texts {
                out.append("\"")
                out.append(text: name)
                out.append("\":")
                out.appendJSONString(text)
                out.append(",")
            }
            out.append(text: "\"restarts\":\(container.restarts),\"gone\":\(container.isGone),\"first\":\"")
            times.append(container.first, to: &out)
            out.append("\",\"last\":\"")
            times.append(container.last, to: &out)
            out.append(
                text: "\",\"lines\":\(container.lines),\"bytes\":\(container.bytes),\"errors\":\(container.errors)}")
        }
        out.append("\n]")
        return String(decoding: out.span)
    }

    private static func text(_ containers: [ContainerSummary], isUTC: Bool) -> String {
        guard !containers.isEmpty else { return "no records of such pods" }
        let all = max(1, containers.reduce(0) { $0 + $1.bytes })
        var rows = [
            [
                "NAMESPACE", "POD", "CONTAINER", "WORKLOAD", "RESTARTS", "FIRST", "LAST", "LINES", "BYTES", "ERRORS",
                "SHARE", "",
            ]
        ]
        for container in containers {
            rows.append(
                [
                    container.namespace, container.pod, container.container, workload(container),
                    "\(container.restarts)",
                    time(container.first, isUTC), time(container.last, isUTC), "\(container.lines)",
                    Ledger.size(container.bytes), "\(container.errors)", "\((container.bytes * 100 + all / 2) / all)%",
                    container.isGone ? "gone" : "",
                ].map(printable))
        }
        let isNumber = [false, false, false, false, true, false, false, true, true, true, true, false]
        let widths = isNumber.indices.map { column in rows.map { $0[column].count }.max() ?? 0 }
        return rows.map { row in
            var line = ""
            for (column, cell) in row.enumerated() {
                let padding = String(repeating: " ", count: widths[column] - cell.count)
                line += (column == 0 ? "" : "  ") + (isNumber[column] ? padding + cell : cell + padding)
            }
            while line.hasSuffix(" ") { line.removeLast() }
            return line
        }.joined(separator: "\n")
    }

    /// Names come from folders and records, and may be anything.
    private static func printable(_ text: String) -> String {
        var out = Arena(capacity: 64)
        Printable.append(text, to: &out)
        return String(decoding: out.span)
    }

    /// `deployment/web`, as kubectl writes it.
    private static func workload(_ container: ContainerSummary) -> String {
        container.ownerName.isEmpty ? "-" : "\(container.ownerKind.lowercased())/\(container.ownerName)"
    }

    private static func time(_ nanoseconds: Int64, _ isUTC: Bool) -> String {
        let offset = isUTC ? 0 : Int64(Machine.localOffset(at: nanoseconds / 1_000_000_000)) * 1_000_000_000
        var out = Arena(capacity: 32)
        var writer = TimestampWriter()
        writer.append(nanoseconds + offset, to: &out)
        return String(decoding: out.span.extracting(0..<19)).replacing("T", with: " ")
    }
}
