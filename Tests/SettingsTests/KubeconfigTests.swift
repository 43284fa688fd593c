// Kubeconfig files: what is read of them, what is refused and with which words, and that no damage makes them crash or tell
// a secret.
import HTTPTransport
import Kubernetes
import Pipeline
import Settings
import Testing

/// A kubeconfig with nearly everything, the values of which are secrets where they would be.
private let long = #"""
    apiVersion: v1
    kind: Config
    preferences: {}
    current-context: prod
    clusters:
    - name: prod-cluster
      cluster:
        server: https://prod.example.com:6443/
        certificate-authority: pki/ca.crt
        tls-server-name: kubernetes.default
        extensions: [{ name: x, extension: { anything: [goes] } }]
    - name: kind
      cluster:
        server: https://[::1]:38831
        certificate-authority-data: "LS0tLS1CRUdJTiBDRVJUSUZJQ0FURS0tLS0tCkFBQUEKLS0tLS1FTkQgQ0VSVElGSUNBVEUtLS0tLQo="
        certificate-authority: missing.crt
    - name: lab
      cluster: { server: "HTTPS://lab/k8s/clusters/c-1", insecure-skip-tls-verify: true }
    - name: proxy
      cluster: { server: "http://127.0.0.1:8001" }
    contexts:
    - name: prod
      context: { cluster: prod-cluster, user: agent, namespace: logs }
    - name: kind
      context: { cluster: kind, user: admin }
    - name: lab
      context: { cluster: lab, user: "" }
    - name: both
      context: { cluster: lab, user: both }
    - name: proxy
      context: { cluster: proxy, user: cloud }
    - name: cloud
      context: { cluster: lab, user: cloud }
    users:
    - name: agent
      user:
        token: TOPSECRETTOKEN
    - name: both
      user: { token: TOPSECRETTOKEN, tokenFile: /run/token }
    - name: admin
      user:
        client-certificate: pki/client.crt
        client-key-data: |
          LS0tLS1CRUdJTiBQUklWQVRFIEtFWS0tLS0tCkFBQUEKLS0tLS1F
          TkQgUFJJVkFURSBLRVktLS0tLQo=
        token: TOPSECRETTOKEN
    - name: cloud
      user: { exec: { command: aws, args: [TOPSECRETTOKEN] } }
    """#

private let certificate = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"
private let key = "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"

private func read(_ bytes: [UInt8], context: String? = nil) throws(KubeconfigError) -> ClusterAccess {
    try Kubeconfig.read(path: "/etc/k8s/config", context: context) { path throws(SettingsFile.Unreadable) in
        switch path {
        case "/etc/k8s/config": bytes
        case "/etc/k8s/pki/ca.crt", "/etc/k8s/pki/client.crt": Array(certificate.utf8)
        case "/etc/k8s/pki/client.key": Array(key.utf8)
        case "/run/token": Array("TOPSECRETTOKEN".utf8)
        default: throw SettingsFile.Unreadable("no such file")
        }
    }
}

private func read(_ text: String, context: String? = nil) throws(KubeconfigError) -> ClusterAccess {
    try read(Array(text.utf8), context: context)
}

struct KubeconfigTests {
    @Test func `the current context is read`() throws {
        var access = ClusterAccess(
            server: "https://prod.example.com:6443", credentials: .token("TOPSECRETTOKEN"),
            origin: "the kubeconfig /etc/k8s/config")
        access.authority = .file("/etc/k8s/pki/ca.crt")
        access.serverName = "kubernetes.default"
        #expect(try read(long) == access)
        #expect(try read("\u{FEFF}" + long) == access)
        #expect(try read(long.replacing("\n", with: "\r\n")) == access)
    }

    @Test func `data counts before paths, and a certificate before a token`() throws {
        let access = try read(long, context: "kind")
        #expect(access.server == "https://[::1]:38831")
        #expect(access.authority == .text(Array(certificate.utf8)))
        #expect(access.credentials == .certificate(.file("/etc/k8s/pki/client.crt"), key: .text(Array(key.utf8))))
    }

    @Test func `a token's file counts before a token`() throws {
        #expect(try read(long, context: "both").credentials == .tokenFile("/run/token"))
    }

    @Test func `nobody in particular, below a path, without checks`() throws {
        let access = try read(long, context: "lab")
        #expect(access.server == "https://lab/k8s/clusters/c-1")
        #expect(access.credentials == .none && access.skipsVerification && access.authority == nil)
    }

    @Test func `a server without TLS is told no credentials`() throws {
        let access = try read(long, context: "proxy")
        #expect(access.server == "http://127.0.0.1:8001" && access.credentials == .none)
    }

    @Test func `JSON is YAML, too`() throws {
        let json = """
            {"kind":"Config","apiVersion":"v1","current-context":"c","contexts":[{"name":"c","context":{"cluster":"k",\
            "user":"u"}}],"clusters":[{"name":"k","cluster":{"server":"https:\\/\\/10.0.0.1:6443"}}],
            \t"users":[{"name":"u","user":{"token":"a$b${c}"}}]}
            """
        let access = try read(json)
        #expect(access.server == "https://10.0.0.1:6443" && access.credentials == .token("a$b${c}"))
    }

    @Test func `paths are relative to the file's folder`() throws {
        for (path, expected) in [("config", "t"), ("./k/config", "./k/t"), ("/config", "/t"), ("a/b/config", "a/b/t")] {
            let text = smallKubeconfig.replacing("token: s3cret", with: "tokenFile: t")
            let access = try Kubeconfig.read(path: path) { (_) throws(SettingsFile.Unreadable) in Array(text.utf8) }
            #expect(access.credentials == .tokenFile(expected))
        }
    }

    @Test(arguments: [
        (
            "current-context: prod", "current-context: prd",
            "4:18: current-context: there is no context 'prd', did you mean 'prod'?"
        ),
        ("current-context: prod", "current-context: ''", "1:1: has no current-context"),
        (
            "cluster: prod-cluster", "cluster: nothing",
            "23:23: contexts[0].context.cluster: there is no cluster 'nothing'"
        ),
        ("cluster: prod-cluster, ", "", "23:12: contexts[0].context: names no 'cluster'"),
        ("user: agent", "user: nobody", "23:43: contexts[0].context.user: there is no user 'nobody'"),
        ("kind: Config", "kind: Pod", "2:7: kind: is not that of a kubeconfig, expected Config"),
        ("server: https://prod.example.com:6443/", "sever: x", "8:5: clusters[0].cluster: has no 'server'"),
        (
            "https://prod.example.com:6443/", "prod.example.com:6443",
            "8:13: clusters[0].cluster.server: this is not the address of a server, expected https:// or http://"
        ),
        (
            "https://prod.example.com:6443/", "https://me:TOPSECRETTOKEN@prod",
            "8:13: clusters[0].cluster.server: holds a user name or a password, which is not supported"
        ),
        (
            "pki/ca.crt", "pki/none.crt",
            "9:28: clusters[0].cluster.certificate-authority: the file /etc/k8s/pki/none.crt cannot be read: no such file"
        ),
        (
            "pki/ca.crt", "/etc/k8s/pki/client.key",
            "9:28: clusters[0].cluster.certificate-authority: the file /etc/k8s/pki/client.key is not a certificate in PEM format"
        ),
        (
            "certificate-authority: pki/ca.crt", "certificate-authority-data: TOPSECRETTOKEN!",
            "9:33: clusters[0].cluster.certificate-authority-data: is not base64"
        ),
        (
            "certificate-authority: pki/ca.crt", "certificate-authority-data: '-----BEGIN CERTIFICATE-----'",
            "9:33: clusters[0].cluster.certificate-authority-data: is in PEM format itself, expected it in base64 once more"
        ),
        (
            "certificate-authority: pki/ca.crt", "certificate-authority-data: AAAA",
            "9:33: clusters[0].cluster.certificate-authority-data: what it encodes is not a certificate in PEM format"
        ),
        (
            "tls-server-name: kubernetes.default", "insecure-skip-tls-verify: true",
            "10:31: clusters[0].cluster.insecure-skip-tls-verify: cannot be true where there is a certificate-authority"
        ),
        (
            "tls-server-name: kubernetes.default", "insecure-skip-tls-verify: 7",
            "10:31: clusters[0].cluster.insecure-skip-tls-verify: is neither true nor false"
        ),
        (
            "tls-server-name: kubernetes.default", "proxy-url: socks5://x",
            "10:16: clusters[0].cluster.proxy-url: a proxy for one cluster is not supported"
        ),
        (
            "token: TOPSECRETTOKEN", "exec: { command: aws }",
            "37:11: users[0].user.exec: credentials that a program tells are not supported"
        ),
        (
            "token: TOPSECRETTOKEN", "auth-provider: { name: gcp }",
            "37:20: users[0].user.auth-provider: auth-provider is not supported"
        ),
        (
            "token: TOPSECRETTOKEN", "password: TOPSECRETTOKEN",
            "37:15: users[0].user.password: user names and passwords are not supported"
        ),
        ("token: TOPSECRETTOKEN", "as: root", "37:9: users[0].user.as: acting as somebody else is not supported"),
        (
            "token: TOPSECRETTOKEN", "as-groups: [system:masters]",
            "37:16: users[0].user.as-groups: acting as somebody else is not supported"
        ),
        (
            "token: TOPSECRETTOKEN", "client-certificate: pki/client.crt",
            "37:5: users[0].user: has a client-certificate without its client-key"
        ),
        (
            "token: TOPSECRETTOKEN", "client-key: pki/client.key",
            "37:5: users[0].user: has a client-key without its client-certificate"
        ),
        (
            "token: TOPSECRETTOKEN", "token: [TOPSECRETTOKEN]",
            "37:12: users[0].user.token: expected a text, found a list"
        ),
        (
            "token: TOPSECRETTOKEN", "token: Bearer TOPSECRETTOKEN",
            "37:12: users[0].user.token: is not a token: it has spaces or other characters that no token has"
        ),
        (
            "token: TOPSECRETTOKEN", "tokenFile: nowhere",
            "37:16: users[0].user.tokenFile: the file /etc/k8s/nowhere cannot be read: no such file"
        ),
        ("    token: TOPSECRETTOKEN", "    TOPSECRETTOKEN", "37:5: users[0].user: expected lines 'key: value'"),
        ("- name: agent", "- TOPSECRETTOKEN", "36:7: a ':' is not possible here"),
        ("    token: TOPSECRETTOKEN", "    <<: TOPSECRETTOKEN", "37:9: '<<' merges mappings, found a text"),
        (
            "    token: TOPSECRETTOKEN", "    token: !TOPSECRETTOKEN x",
            "37:12: begins with '!', which makes it a YAML tag that means nothing here"
        ),
        (
            "    token: TOPSECRETTOKEN", "    TOPSECRETTOKEN: 1\n    TOPSECRETTOKEN: 2",
            "38:5: is set twice, first on line 37"
        ),
        ("preferences: {}", "users: []", "34:1: is set twice, first on line 3"),
    ])
    func `what is wrong is told with its place, and without a secret`(
        _ right: String, _ wrong: String, _ told: String
    ) throws {
        var text = long
        text.replaceSubrange(try #require(long.firstRange(of: right)), with: wrong)
        let error = try #require(throws: KubeconfigError.self) { try read(text) }
        #expect(error.reason == "/etc/k8s/config:" + told)
        #expect(!error.description.contains("TOPSECRET"))
    }

    @Test func `a context that was asked for and is not there`() throws {
        let error = try #require(throws: KubeconfigError.self) { try read(long, context: "test") }
        #expect(error.reason == "/etc/k8s/config:22:1: contexts: there is no context 'test'")
        #expect(error.hint == "there is 'prod', 'kind', 'lab', 'both', 'proxy', 'cloud'")
    }

    @Test(arguments: ["cloud", "both"]) func `of a user that cannot be used a service account is told`(
        _ name: String
    ) throws {
        let text = long.replacing("tokenFile: /run/token", with: "username: me")
        let error = try #require(throws: KubeconfigError.self) { try read(text, context: name) }
        #expect(error.hint?.contains("service account") == true && !error.description.contains("TOPSECRET"))
    }

    @Test(arguments: [
        ("", ":1:1: the file is empty"), ("# nothing\n", ":1:1: the file is empty"),
        ("hello", ":1:1: is not a kubeconfig, expected lines 'key: value'"),
        ("[a]", ":1:1: is not a kubeconfig, expected lines 'key: value'"),
        ("{}", ":1:1: has no current-context"), ("current-context: x", ":1:1: has no 'contexts'"),
        ("current-context: x\ncontexts: x", ":2:11: contexts: expected a list, each item of which begins with '- '"),
        ("current-context: x\ncontexts: [x]", ":2:12: contexts[0]: expected lines 'key: value'"),
        ("current-context: x\ncontexts: [{ name: x }]", ":2:12: contexts[0]: has no 'context'"),
        (
            "current-context: x\ncontexts: [{ name: x, context: y }]",
            ":2:32: contexts[0].context: expected lines 'key: value'"
        ),
        ("a: b\n---\na: c", ":2:1: a second YAML document begins here, but a configuration is a single one"),
    ])
    func `what is no kubeconfig is told`(_ text: String, _ told: String) throws {
        let error = try #require(throws: KubeconfigError.self) { try read(text) }
        #expect(error.reason == "/etc/k8s/config" + told)
    }

    @Test func `what is no text, and what is not there, is told`() throws {
        let binary = try #require(throws: KubeconfigError.self) { try read([0x61, 0x0A, 0xFF, 0xFE]) }
        #expect(binary.reason == "/etc/k8s/config:2:1: this is not UTF-8 text")
        let missing = try #require(throws: KubeconfigError.self) { try Kubeconfig.read(path: "/nonexistent/config") }
        #expect(missing.description == "/nonexistent/config: cannot be read: no such file")
    }

    @Test func `an encrypted key is told`() throws {
        let text = smallKubeconfig.replacing("token: s3cret", with: "client-certificate: c, client-key: k")
        for marked in [
            "-----BEGIN ENCRYPTED PRIVATE KEY-----", "-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED",
        ] {
            let error = try #require(throws: KubeconfigError.self) {
                try Kubeconfig.read(path: "config") { (path) throws(SettingsFile.Unreadable) in
                    Array((path == "config" ? text : path == "c" ? certificate : marked).utf8)
                }
            }
            #expect(error.message == "the file k is encrypted with a password, which nobody is there to enter")
        }
    }

    @Test(arguments: [
        ("tokenFile", "eyJhbGciOiJSUzI1NiJ9.TOPSECRETTOKEN", "'token'"),
        ("client-key", "LS0tLS1CRUdJTiBQUklWQVRFTOPSECRETTOKEN", "'client-key-data'"),
        ("tokenFile", String(repeating: "TOPSECRETTOKEN", count: 20), "'token'"),
    ])
    func `what was written in place of a path is not told`(_ key: String, _ value: String, _ instead: String) throws {
        let text = smallKubeconfig.replacing("token: s3cret", with: "\(key): \(value)")
        let error = try #require(throws: KubeconfigError.self) { try read(text) }
        #expect(error.reason.hasSuffix("users[0].user.\(key): this is no path of a file"))
        #expect(error.hint?.contains(instead) == true && !error.description.contains("TOPSECRET"))
    }

    // MARK: Damage

    /// Reads three contexts; errors have to be inside of the file and must not tell the secret, unless it stands where names do.
    private func survives(_ bytes: [UInt8], mayTell: Bool = false) {
        let lines = SettingsProblems.lines(of: String(decoding: bytes, as: UTF8.self)).count
        for context in [nil, "kind", "both"] {
            do throws(KubeconfigError) {
                _ = try read(bytes, context: context)
            } catch {
                #expect(mayTell || !error.description.contains("TOPSECRETTOKEN"), "\(error)")
                #expect(!error.message.isEmpty && error.message.utf8.count < 400)
                if let mark = error.mark { #expect(mark.line >= 1 && mark.line <= max(lines, 1), "\(error)") }
            }
        }
    }

    @Test func `a file that is cut anywhere is read or told`() {
        let bytes = Array(long.utf8)
        for end in 0..<bytes.count { survives(Array(bytes[..<end])) }
    }

    @Test(arguments: 0..<10) func `characters that changed are read or told`(_ seed: UInt64) {
        var random = SplitMix(seed: seed)
        let bytes = Array(long.utf8)
        let pieces = Array("\n\t :-?|>&*!%@`{}[],#\"'\\~<=$0\u{0}\u{7F}\u{FF}".utf8) + [0x80, 0xC3, 0xFF]
        for _ in 0..<60 {
            var damaged = bytes
            for _ in 0..<Int.random(in: 1...4, using: &random) {
                let index = Int.random(in: 0..<damaged.count, using: &random)
                let piece = pieces.randomElement(using: &random) ?? 0
                switch Int.random(in: 0..<3, using: &random) {
                case 0: damaged[index] = piece
                case 1: damaged.insert(piece, at: index)
                default: damaged.remove(at: index)
                }
            }
            survives(damaged)
        }
    }

    @Test(arguments: 0..<5) func `garbage is told`(_ seed: UInt64) {
        var random = SplitMix(seed: seed)
        for _ in 0..<60 {
            let count = Int.random(in: 0..<200, using: &random)
            survives((0..<count).map { _ in UInt8.random(in: 0...255, using: &random) })
            survives((0..<count).map { _ in UInt8.random(in: 0x20...0x7E, using: &random) })
        }
    }

    @Test(arguments: [
        "null", "~", "7", "true", "TOPSECRETTOKEN", "''", "[]", "[TOPSECRETTOKEN]", "[[]]", "{}",
        "{ a: TOPSECRETTOKEN }",
    ])
    func `a value of another type is read or told`(_ value: String) throws {
        let lines = long.split(separator: "\n", omittingEmptySubsequences: false)
        for index in lines.indices {
            // In place of the value of a line, of all that is below it, and of the values within its braces.
            guard let colon = lines[index].firstRange(of: ":") else { continue }
            let head = Substring(lines[index][..<colon.upperBound] + " " + value)
            let depth = lines[index].prefix { $0 == " " || $0 == "-" }.count
            let after = lines[(index + 1)...]
            let below = after.drop { $0.prefix { $0 == " " || $0 == "-" }.count > depth }
            for rest in [after, below] {
                survives(
                    Array((lines[..<index] + [head] + rest).joined(separator: "\n").utf8),
                    mayTell: value == "TOPSECRETTOKEN")
            }
            for inner in lines[index].matches(of: /: ([^{},]+)/) {
                var line = lines[index]
                line.replaceSubrange(inner.output.1.startIndex..<inner.output.1.endIndex, with: value)
                survives(
                    Array((lines[..<index] + [line] + after).joined(separator: "\n").utf8),
                    mayTell: value == "TOPSECRETTOKEN")
            }
        }
    }
}
