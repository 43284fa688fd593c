// Globs that no name in Kubernetes can match are refused, with what was probably meant.
import Pipeline
import Testing

struct KubernetesNameTests {
    @Test(
        arguments: [
            ("shop,other", "are several names in one text", "write [shop, other] (2 list items)"),
            ("shop, other", "are several names in one text", "write [shop, other] (2 list items)"),
            ("shop other", "are several names in one text", "write [shop, other] (2 list items)"),
            (" shop", "has a blank or a comma beside the name", "write shop"),
            ("shop,", "has a blank or a comma beside the name", "write shop"),
            (
                "shop/web", "has a '/', and names in Kubernetes have none",
                "write 'namespaces: [shop]' and 'pods: [web]'"
            ),
            ("^shop$", "looks like a regular expression, and globs are expected", "write shop"),
            ("web-.*", "looks like a regular expression, and globs are expected", "write web-*"),
            ("web.+", "looks like a regular expression, and globs are expected", "write web?*"),
            (".*", "looks like a regular expression, and globs are expected", "write \"*\""),
            ("(a|b)", "looks like a regular expression, and globs are expected", "write [a, b]"),
            ("web-\\d+", "looks like a regular expression, and globs are expected", "write web-[0-9]*"),
            ("!kube-*", "begins with '!'", "what is not to be read stands under 'exclude:', without a '!'"),
            ("Shop", "has capitals, and names in Kubernetes have none", "write shop"),
            ("my_shop", "has a '_', and names in Kubernetes have none", "write my-shop"),
            ("app=web", "looks like a label, and names are expected", "outputs choose by labels with 'where:'"),
            ("shop.x", "has a '.', which no such name in Kubernetes has", nil),
            ("büro", "has a 'ü', which no such name in Kubernetes has", nil),
            ("-shop", "begins or ends with '-' or '.', and names in Kubernetes do not", nil),
            (String(repeating: "a", count: 64), "is longer than any such name in Kubernetes (63 characters)", nil),
        ] as [(String, String, String?)])
    func `what no namespace can be is refused`(_ pattern: String, _ message: String, _ hint: String?) throws {
        let fault = try #require(KubernetesName.namespace.fault(in: pattern))
        #expect(fault.message == message && fault.hint == hint, "\(fault)")
    }

    @Test(arguments: ["shop", "*", "kube-*", "*-test", "team-[a-f0-9]", "team-[!A-Z]*", "?", "a\\-b", "x**y", "0-1"])
    func `a glob for namespaces is right`(_ pattern: String) {
        #expect(KubernetesName.namespace.fault(in: pattern) == nil)
        #expect(KubernetesName.container.fault(in: pattern) == nil)
    }

    @Test(arguments: [
        "web.example", "web.*", "kube-proxy-node?.example.com", "a.b.*-1", String(repeating: "a", count: 253),
    ])
    func `pods have dots in their names`(_ pattern: String) {
        #expect(KubernetesName.pod.fault(in: pattern) == nil)
    }

    @Test(arguments: [
        "web-.*", ".*", "*.*", "^web", "web$", "a|b", "shop/web", "Web", String(repeating: "a", count: 254),
    ])
    func `what no pod can be is refused`(_ pattern: String) {
        #expect(KubernetesName.pod.fault(in: pattern) != nil)
    }
}
