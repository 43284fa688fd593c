// What annotations ask for, and which of them cannot be followed.
import PodMetadata
import Testing

@Suite("annotations for logs")
struct LogInstructionsTests {
    private func pod(_ annotations: [String: String]) -> Pod {
        var pod = Pod(uid: "u", namespace: "shop", name: "web")
        pod.containers = [Pod.Container(name: "app", image: ""), Pod.Container(name: "side.car", image: "")]
        pod.annotations = annotations.map { Label($0.key, $0.value) }.sorted { $0.key < $1.key }
        return pod
    }

    private func read(_ annotations: [String: String], _ container: String = "app") -> LogInstructions {
        LogInstructions(of: pod(annotations), container: container, parsers: ["klog", "json"])
    }

    private func faults(_ annotations: [String: String]) -> [String] {
        LogInstructions.faults(of: pod(annotations), parsers: ["klog", "json"]).map {
            "\($0.annotation.key) \($0.reason)"
        }
    }

    @Test func `a pod, or one container of it, is excluded`() {
        #expect(!read([:]).isExcluded)
        #expect(read(["sluice.dev/exclude": "true"]).isExcluded)
        #expect(read(["fluentbit.io/exclude": "True"]).isExcluded)
        #expect(read(["sluice.dev/exclude.side.car": "true"], "side.car").isExcluded)
        #expect(!read(["sluice.dev/exclude.side.car": "true"], "app").isExcluded)
        #expect(read(["fluentbit.io/exclude-app": "true"]).isExcluded)
        #expect(!read(["fluentbit.io/exclude-app": "true"], "side.car").isExcluded)
    }

    @Test func `the more special one counts, and ours before an alias`() {
        #expect(!read(["sluice.dev/exclude": "true", "sluice.dev/exclude.app": "false"]).isExcluded)
        #expect(!read(["fluentbit.io/exclude": "true", "sluice.dev/exclude": "false"]).isExcluded)
        #expect(read(["fluentbit.io/exclude-app": "true", "sluice.dev/exclude": "false"]).isExcluded)
        // One that means nothing does not hide another one.
        #expect(read(["sluice.dev/exclude.app": "perhaps", "sluice.dev/exclude": "true"]).isExcluded)
    }

    /// Pod or container, both streams or one: what each says, in the order of these keys, and whether the log of `app` is left out.
    private static let keys = [
        "fluentbit.io/exclude", "fluentbit.io/exclude_stdout", "fluentbit.io/exclude_stderr",
        "fluentbit.io/exclude-app",
        "fluentbit.io/exclude_stdout-app", "fluentbit.io/exclude_stderr-app",
    ]

    /// The stream's last word: its own for the container, the container's, its own for the pod, the pod's.
    private func isExcluded(_ values: [String?]) -> Bool {
        [(1, 4), (2, 5)].allSatisfy { pod, container in
            ([values[container], values[3], values[pod], values[0]].compactMap { $0 }.first ?? "false") == "true"
        }
    }

    @Test func `of pod, stream, container and both the more special one counts, in all 729 combinations`() {
        for number in 0..<729 {
            let values = (0..<6).map { place in
                [nil, "true", "false"][(0..<place).reduce(number) { rest, _ in rest / 3 } % 3]
            }
            let annotations = Dictionary(
                uniqueKeysWithValues: zip(Self.keys, values).compactMap { key, value in value.map { (key, $0) } })
            #expect(read(annotations).isExcluded == isExcluded(values), "\(annotations)")
        }
    }

    @Test func `lines that the author asked to keep are kept`() {
        let kept = ["fluentbit.io/exclude": "true", "fluentbit.io/exclude_stderr-app": "false"]
        #expect(!read(kept).isExcluded && read(kept, "side.car").isExcluded)
        #expect(!read(["fluentbit.io/exclude": "true", "fluentbit.io/exclude_stderr": "false"]).isExcluded)
        #expect(!read(["sluice.dev/exclude": "true", "fluentbit.io/exclude_stderr-app": "false"]).isExcluded)
        #expect(read(["fluentbit.io/exclude_stdout": "true", "fluentbit.io/exclude_stderr": "true"]).isExcluded)
        #expect(!read(["fluentbit.io/exclude_stdout": "true"]).isExcluded)
    }

    @Test(arguments: [
        "fluentbit.io/exclude-", "fluentbit.io/exclude_stdout-", "fluentbit.io/exclude_", "fluentbit.io/exclude_both",
        "fluentbit.io/exclude_stdoutx", "fluentbit.io/exclude_stdout_stderr", "sluice.dev/exclude.", "sluice.dev/",
        "fluentbit.io/excluded", "fluentbit.io/Exclude", "fluentbit.io/",
    ])
    func `a key that is not whole excludes nothing`(_ key: String) {
        #expect(!read([key: "true"]).isExcluded && !read([key: "true"], "side.car").isExcluded)
    }

    @Test func `a key that is meant as one of these, and is none, is told`() {
        #expect(
            faults(["fluentbit.io/exclude-": "true"]) == ["fluentbit.io/exclude- names no container behind its '-'"])
        #expect(faults(["sluice.dev/exclude.": "true"]) == ["sluice.dev/exclude. names no container behind its '.'"])
        #expect(
            faults(["fluentbit.io/exclude_both": "true"]) == [
                "fluentbit.io/exclude_both is none that there is: [_stdout or _stderr] and [-<container>] can stand behind exclude and parser"
            ])
        #expect(faults(["fluentbit.io/other": "x", "fluentbit.io/multiline": "x"]) == [])
        for key in ["fluentbit.io/exclude-", "fluentbit.io/exclude_both", "sluice.dev/x"] {
            #expect(LogInstructions.isInstruction(key), "so that it is kept of the pod")
        }
    }

    @Test func `one stream alone cannot be left out, which is told where it is not all the same`() {
        #expect(
            faults(["fluentbit.io/exclude_stdout": "true"]) == [
                "fluentbit.io/exclude_stdout asks to leave out stdout alone, which is not possible: both streams are read"
            ])
        #expect(faults(["fluentbit.io/exclude_stdout": "true", "fluentbit.io/exclude_stderr": "true"]) == [])
        #expect(faults(["fluentbit.io/exclude_stderr": "false"]) == [])
        #expect(faults(["fluentbit.io/exclude": "true", "fluentbit.io/exclude_stderr-app": "true"]) == [])
    }

    @Test func `a parser is one that there is, or none`() {
        #expect(read([:]).parser == nil)
        #expect(read(["sluice.dev/parser": "klog"]).parser == "klog")
        #expect(read(["sluice.dev/parser": "none"]).parser == "")
        #expect(read(["sluice.dev/parser": "apache"]).parser == nil)
        #expect(read(["sluice.dev/parser": "klog", "sluice.dev/parser.app": "json"]).parser == "json")
        #expect(read(["fluentbit.io/parser": "json"]).parser == "json")
        #expect(read(["fluentbit.io/parser-app": "json"]).parser == "json")
        #expect(read(["fluentbit.io/parser_stderr-app": "json"]).parser == nil)
    }

    @Test func `what cannot be followed is told`() {
        #expect(faults(["sluice.dev/exclude": "true", "sluice.dev/parser.app": "klog", "team": "x"]) == [])
        #expect(
            faults(["sluice.dev/excluded": "true"])
                == ["sluice.dev/excluded is none that there is: exclude, parser and multiline are"])
        #expect(faults(["sluice.dev/exclude": "yes"]) == ["sluice.dev/exclude is neither true nor false"])
        #expect(
            faults(["fluentbit.io/parser": "apache"])
                == ["fluentbit.io/parser names no parser that there is (klog, json, none)"])
        #expect(
            faults(["sluice.dev/exclude.nobody": "true"])
                == ["sluice.dev/exclude.nobody names a container that the pod does not have"])
        #expect(
            faults(["sluice.dev/multiline": "java"])
                == ["sluice.dev/multiline names no rule for joining lines that there is"])
        #expect(
            faults(["fluentbit.io/parser_stdout-app": "klog"])
                == ["fluentbit.io/parser_stdout-app asks for a parser of stdout alone, which is not possible"])
    }
}
