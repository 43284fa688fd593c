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
                == ["fluentbit.io/parser_stdout-app asks for the stream stdout alone, which is not possible"])
    }
}
