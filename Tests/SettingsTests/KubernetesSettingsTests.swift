// The section `kubernetes:`: its defaults, what fits together and what does not, and what it comes to on a machine.
import Bytes
import HTTPTransport
import Kubernetes
import Pipeline
import PodMetadata
import Settings
import TestKit
import Testing

struct KubernetesSettingsTests {
    private typealias Source = AgentSettings.Kubernetes.Source

    private func loaded(_ section: String) -> SettingsFile.Loaded {
        load("inputs: [{ type: kubernetes_logs }]\noutputs: [{ type: stdout }]\n\(section)\n")
    }

    private func settings(_ section: String) throws -> AgentSettings.Kubernetes {
        let loaded = loaded(section)
        #expect(loaded.problems.map { $0.rendered() } == [])
        return try #require(loaded.settings).kubernetes
    }

    @Test(arguments: ["", "kubernetes:", "kubernetes: {}", "kubernetes: { labels: , metadata: ~ }"])
    func `without settings everything has its default`(_ section: String) throws {
        let settings = try settings(section)
        #expect(settings.metadata == nil && settings.metadataWait == .seconds(5))
        #expect(settings.kubeconfig == nil && settings.context == nil)
        #expect(settings.labels == nil && settings.annotations.isEmpty && settings.labelsStyle == .nested)
        #expect(!settings.namespaceLabels && settings.owners == .api)
        #expect(settings.kubelet.tokenFile == nil && settings.kubelet.caFile == nil)
        #expect(!settings.kubelet.insecureSkipVerify && settings.kubelet.poll == .seconds(30))
    }

    @Test func `every setting arrives`() throws {
        let api = try settings(
            """
            kubernetes:
              metadata: api
              metadata_wait: 0s
              kubeconfig: /etc/sluice/kubeconfig
              context: prod
              labels: [app, "app.kubernetes.io/*"]
              annotations: example.com/team
              labels_style: dedot
              namespace_labels: true
              owners: names
            """)
        #expect(api.metadata == .api && api.metadataWait == .zero)
        #expect(api.kubeconfig == "/etc/sluice/kubeconfig" && api.context == "prod")
        #expect(api.labels?.map(\.pattern) == ["app", "app.kubernetes.io/*"])
        #expect(api.annotations.map(\.pattern) == ["example.com/team"])
        #expect(api.labelsStyle == .dedot && api.namespaceLabels && api.owners == .names)
        let kubelet = try settings(
            """
            kubernetes:
              metadata: kubelet
              labels: []
              kubelet: { url: "https://node:10250/", token_file: /t, insecure_skip_verify: true, poll: 1s }
            """)
        #expect(kubelet.metadata == .kubelet && kubelet.labels == [] && kubelet.owners == .names)
        #expect(kubelet.kubelet.tokenFile == "/t" && kubelet.kubelet.insecureSkipVerify)
        #expect(kubelet.kubelet.poll == .seconds(1))
    }

    @Test func `one glob for everything is as good as none`() throws {
        #expect(try settings(#"kubernetes: { labels: "*" }"#).labels == nil)
        #expect(try settings(#"kubernetes: { labels: [app, "*"] }"#).labels == nil)
        #expect(try settings(#"kubernetes: { annotations: "*" }"#).annotations.map(\.pattern) == ["*"])
    }

    @Test func `a kubeconfig means the API server`() throws {
        #expect(try settings("kubernetes: { kubeconfig: /k }").metadata == .api)
    }

    @Test(arguments: [
        ("metadata: apii", "metadata", "'apii' is not one of api, kubelet, path, did you mean 'api'?"),
        ("metadata_wait: 61s", "metadata_wait", "must be between 0s and 1m, found 1m1s"),
        ("labels: ['[']", "labels[0]", "'[' has a '[' without its ']'"),
        ("labels: [app=web]", "labels[0]", "'app=web' is no pattern of keys"),
        ("labels: 'app, team'", "labels", "'app, team' is no pattern of keys"),
        ("annotations: all", "annotations", "'all' is no pattern of keys"),
        ("labels_style: dotted", "labels_style", "'dotted' is not one of nested, flat, dedot"),
        ("owner: api", "owner", "unknown setting, did you mean 'owners'?"),
        ("poll: 5s", "poll", "unknown setting here, it belongs under 'kubelet:'"),
        ("kubeconfig: ''", "kubeconfig", "is empty, expected a path"),
        ("context: x", "context", "is a context of a kubeconfig, and none is named"),
        ("metadata: path, kubeconfig: /k", "kubeconfig", "needs 'metadata: api', and it is 'path'"),
        (
            "metadata: kubelet, namespace_labels: true", "namespace_labels",
            "needs 'metadata: api', and it is 'kubelet': only the API server knows the labels of namespaces"
        ),
        (
            "metadata: kubelet, owners: api", "owners",
            "needs 'metadata: api', and it is 'kubelet': only the API server knows owners of owners"
        ),
        ("kubelet: { poll: 5s }", "kubelet", "is only used with 'metadata: kubelet'"),
        ("metadata: api, kubelet: {}", "kubelet", "is only used with 'metadata: kubelet', and it is 'api'"),
        ("kubeconfig: /k, kubelet: {}", "kubelet", "is only used with 'metadata: kubelet', and it is 'api'"),
        ("metadata: kubelet, kubelet: { poll: 500ms }", "kubelet.poll", "must be at least 1s, found 500ms"),
        (
            "metadata: kubelet, kubelet: { url: '10.0.0.1:10250' }", "kubelet.url",
            "this is not the address of a server, expected https:// or http://"
        ),
        (
            "metadata: kubelet, kubelet: { url: 'ftp://node' }", "kubelet.url",
            "this is not the address of a server, expected https:// or http://"
        ),
        ("metadata: kubelet, kubelet: { url: 'https://' }", "kubelet.url", "has no host"),
        ("metadata: kubelet, kubelet: { url: 'https://:10250' }", "kubelet.url", "has no host"),
        (
            "metadata: kubelet, kubelet: { url: 'https://node:0' }", "kubelet.url",
            "has the port 0, expected 1 to 65535"
        ),
        (
            "metadata: kubelet, kubelet: { url: 'https://node/pods' }", "kubelet.url",
            "holds more than the address of a server: leave out the path behind the host"
        ),
        (
            "metadata: kubelet, kubelet: { url: 'https://node?x=1' }", "kubelet.url",
            "holds more than the address of a server: leave out what begins with '?' or '#'"
        ),
        (
            "metadata: kubelet, kubelet: { url: 'http://node:10255', token_file: /t }", "kubelet.token_file",
            "the url begins with http://, so that everybody could read the token"
        ),
        (
            "metadata: kubelet, kubelet: { url: 'http://node:10255', ca_file: /c }", "kubelet.ca_file",
            "the url begins with http://, so there is no certificate to check"
        ),
        (
            "metadata: kubelet, kubelet: { ca_file: /c, insecure_skip_verify: true }", "kubelet.insecure_skip_verify",
            "takes any certificate, while 'ca_file' says which ones to take"
        ),
        (
            "metadata: kubelet, kubelet: { token_file: '' }", "kubelet.token_file",
            "is empty, expected a path"
        ),
    ])
    func `what is wrong is told once, at its place`(_ section: String, _ path: String, _ message: String) {
        let problems = loaded("kubernetes: { \(section) }").problems
        #expect(problems.map { "\($0.origin.path): \($0.message)" } == ["kubernetes.\(path): \(message)"])
        #expect(problems.allSatisfy { $0.line == 3 })
    }

    @Test(arguments: [
        "metadata: apii, kubeconfig: /k, kubelet: {}", "metadata: [], kubelet: {}, namespace_labels: true",
    ])
    func `of a mode that is wrong nothing else is told to need another`(_ section: String) {
        #expect(loaded("kubernetes: { \(section) }").problems.map(\.origin.path) == ["kubernetes.metadata"])
    }

    @Test func `a password in an address is not shown`() {
        for url in ["https://me:s3cret@node:10250", "ftp://me:s3cret@node", "https://me:s3cret@node:0/"] {
            let told = loaded("kubernetes: { metadata: kubelet, kubelet: { url: '\(url)' } }").problems
                .map { $0.rendered() }
            #expect(told.count == 1 && !told[0].contains("s3cret"), "\(told)")
        }
    }

    // MARK: In an input

    @Test(arguments: [
        "metadata: api", "metadata_wait: 5s", "kubeconfig: /k", "labels: [app]", "annotations: []",
        "labels_style: flat",
        "namespace_labels: true", "owners: api", "kubelet: { poll: 5s }",
    ])
    func `an input is told where such a setting belongs`(_ line: String) throws {
        let problems = load("inputs: [{ type: kubernetes_logs, \(line) }]\noutputs: [{ type: stdout }]").problems
        let problem = try #require(problems.first)
        #expect(problems.count == 1)
        #expect(problem.origin.path == "inputs[0].\(line.prefix { $0 != ":" })")
        #expect(
            problem.message
                == "is not a setting of an input, it belongs in the top-level section 'kubernetes:'")
    }

    @Test func `other inputs and other settings are told as ever`() {
        let problems = load(
            """
            inputs:
              - { type: kubernetes_logs, label: x }
              - { type: file, include: /var/log/x, labels: x }
            outputs: [{ type: stdout }]
            """
        ).problems
        #expect(problems.map(\.message) == ["unknown setting", "unknown setting"])
        #expect(problems.first?.hint == "known here: type, name, path, include, exclude, max_line, parsers")
    }

    // MARK: On a machine

    private static let variables = ["KUBERNETES_SERVICE_HOST": "10.96.0.1", "KUBERNETES_SERVICE_PORT": "443"]

    private func source(
        _ section: String, _ environment: [String: String] = [:], folder: String = "/nonexistent"
    ) throws -> Source {
        try settings(section).source(environment: { environment[$0] }, serviceAccount: folder)
    }

    @Test func `outside of a cluster there are paths only`() throws {
        #expect(try source("") == .path)
        #expect(try source("", ["KUBERNETES_SERVICE_HOST": ""]) == .path)
        #expect(try source("kubernetes: { metadata: path }", Self.variables) == .path)
    }

    @Test func `in a cluster there is its API server`() throws {
        let folder = try ScratchDirectory()
        try folder.write("token", "eyJ")
        try folder.write("ca.crt", "")
        var access = ClusterAccess(
            server: "https://10.96.0.1:443", credentials: .tokenFile(folder.path("token")),
            origin: "the service account in \(folder.path)")
        access.authority = .file(folder.path("ca.crt"))
        #expect(try source("", Self.variables, folder: folder.path) == .api(access))
        #expect(try source("kubernetes: { metadata: api }", Self.variables, folder: folder.path) == .api(access))
    }

    @Test(arguments: ["", "kubernetes: { metadata: api }"])
    func `a cluster without a service account is told with a way out`(_ section: String) throws {
        let problem = try #require(throws: SettingsProblem.self) { try source(section, Self.variables) }
        #expect(problem.message.contains("no file /nonexistent/token"))
        #expect(problem.hint?.contains("automountServiceAccountToken") == true)
        #expect(problem.hint?.hasSuffix("or set 'metadata: path'") == true)
        #expect(problem.line == (section.isEmpty ? 0 : 3) && problem.origin.path == "kubernetes")
    }

    @Test func `no cluster at all is told`() throws {
        let problem = try #require(throws: SettingsProblem.self) { try source("kubernetes: { metadata: api }") }
        #expect(problem.message.contains("KUBERNETES_SERVICE_HOST is not set"))
    }

    @Test func `a kubeconfig counts before the cluster`() throws {
        let folder = try ScratchDirectory()
        let path = try folder.write("k", smallKubeconfig)
        guard case .api(let access) = try source("kubernetes: { kubeconfig: \(path) }", Self.variables) else {
            Issue.record("not the API server")
            return
        }
        #expect(access.server == "https://10.0.0.1:6443" && access.origin == "the kubeconfig \(path)")
    }

    @Test func `a kubeconfig that cannot be used is told where it is named`() throws {
        let folder = try ScratchDirectory()
        let path = try folder.write("k", smallKubeconfig.replacing("server:", with: "serve:"))
        let problem = try #require(throws: SettingsProblem.self) {
            try source("kubernetes:\n  kubeconfig: \(path)\n")
        }
        #expect(problem.line == 4 && problem.column == 15 && problem.origin.path == "kubernetes.kubeconfig")
        #expect(problem.message == "\(path):4:14: clusters[0].cluster: has no 'server'")
        let missing = try #require(throws: SettingsProblem.self) {
            try source("kubernetes: { kubeconfig: ~/.kube/config }")
        }
        #expect(missing.message == "~/.kube/config: cannot be read: no such file")
        #expect(missing.hint?.contains("'~'") == true)
    }

    @Test(arguments: [
        ("", "https://127.0.0.1:10250"), ("10.0.0.7", "https://10.0.0.7:10250"), ("fd00::7", "https://[fd00::7]:10250"),
    ])
    func `the kubelet is on this node`(_ address: String, _ server: String) throws {
        guard
            case .kubelet(let access, let poll) = try source("kubernetes: { metadata: kubelet }", ["NODE_IP": address])
        else {
            Issue.record("not the kubelet")
            return
        }
        #expect(access.server == server && poll == .seconds(30))
        #expect(access.credentials == .none && access.authority == nil && !access.skipsVerification)
        #expect(access.origin == "the kubelet at \(server)")
    }

    @Test func `a node's address that is none is told`() throws {
        let problem = try #require(throws: SettingsProblem.self) {
            try source("kubernetes: { metadata: kubelet }", ["NODE_IP": "not an address"])
        }
        #expect(problem.message.contains("NODE_IP is 'not an address'"))
    }

    @Test func `the kubelet is told the service account's token, but not without TLS`() throws {
        let folder = try ScratchDirectory()
        let (token, authority) = (try folder.write("token", "eyJ"), try folder.write("ca.crt", ""))
        func access(_ kubelet: String) throws -> ClusterAccess? {
            let source = try source("kubernetes: { metadata: kubelet, kubelet: { \(kubelet) } }", folder: folder.path)
            return if case .kubelet(let access, _) = source { access } else { nil }
        }
        let plain = try #require(try access(""))
        #expect(plain.credentials == .tokenFile(token) && plain.authority == .file(authority))
        let skipping = try #require(try access("insecure_skip_verify: true"))
        #expect(skipping.credentials == .tokenFile(token) && skipping.authority == nil && skipping.skipsVerification)
        let open = try #require(try access("url: 'http://127.0.0.1:10255'"))
        #expect(open.server == "http://127.0.0.1:10255" && open.credentials == .none && open.authority == nil)
        let own = try folder.write("own", "x")
        let other = try #require(try access("token_file: \(own), ca_file: \(own)"))
        #expect(other.credentials == .tokenFile(own) && other.authority == .file(own))
        let problem = try #require(throws: SettingsProblem.self) { try access("ca_file: /nonexistent/ca") }
        #expect(problem.message == "the file /nonexistent/ca cannot be read: no such file")
        #expect(problem.origin.path == "kubernetes.kubelet.ca_file")
    }
}

/// One context, with a token.
let smallKubeconfig = """
    current-context: main
    clusters:
      - name: c
        cluster: { server: "https://10.0.0.1:6443" }
    contexts:
      - name: main
        context: { cluster: c, user: u }
    users:
      - name: u
        user: { token: s3cret }
    """
