// Which proxy the environment asks for.
import AsyncHTTPClient
import HTTPTestKit
import HTTPTransport
import Testing

@Suite struct `Proxies of the environment` {
    private func proxy(_ url: String, _ environment: [String: String]) throws(TransportError) -> String? {
        try ProxyEnvironment.proxy(for: url, environment: { environment[$0] }).map { "\($0.host):\($0.port)" }
    }

    @Test(
        arguments: [
            ("http://logs/", [:], nil),
            ("http://logs/", ["http_proxy": "http://p:3128"], "p:3128"),
            ("http://logs/", ["HTTP_PROXY": "p:3128"], "p:3128"),
            ("http://logs/", ["http_proxy": "one:1", "HTTP_PROXY": "two:2"], "one:1"),
            ("http://logs/", ["https_proxy": "p:3128"], nil),
            ("https://logs/", ["https_proxy": "http://p"], "p:80"),
            ("https://logs/", ["http_proxy": "p:3128"], nil),
            ("https://logs/", ["all_proxy": "socks5://s"], "s:1080"),
            ("https://logs/", ["all_proxy": "socks5://s", "https_proxy": "p:1"], "p:1"),
            ("http://logs/", ["http_proxy": ""], nil),
            ("http://localhost/", ["http_proxy": "p:1"], nil),
            ("http://127.8.9.1:88/", ["http_proxy": "p:1"], nil),
            ("http://[::1]/", ["http_proxy": "p:1"], nil),
        ] as [(String, [String: String], String?)])
    func `the scheme chooses`(_ url: String, _ environment: [String: String], _ wanted: String?) throws {
        #expect(try proxy(url, environment) == wanted)
    }

    @Test(
        arguments: [
            ("http://logs.example.com/", "*", true),
            ("http://logs.example.com/", "example.com", true),
            ("http://logs.example.com/", ".example.com", true),
            ("http://logs.example.com/", "*.example.com", true),
            ("http://example.com/", "example.com", true),
            ("http://LOGS.example.COM/", "Example.com", true),
            ("http://badexample.com/", "example.com", false),
            ("http://logs.example.com/", "a, b,example.com , c", true),
            ("http://logs.example.com:8080/", "example.com:8080", true),
            ("http://logs.example.com:8081/", "example.com:8080", false),
            ("https://logs.example.com/", "example.com:443", true),
            ("http://10.1.2.3/", "10.0.0.0/8", true),
            ("http://11.1.2.3/", "10.0.0.0/8", false),
            ("http://10.1.2.3/", "10.1.2.3", true),
            ("http://10.1.2.3/", "0.0.0.0/0", true),
            ("http://logs/", "10.0.0.0/8,", false),
            ("http://[0:0:0:0:0:0:0:1]:9/", "x", true),
            ("http://LocalHost./", "x", true),
            ("http://127.evil.example/", "x", false),
            ("http://[FD00:0:0::5]/", "fd00::5", true),
            ("http://[fd00::5]/", "[FD00:0::5]", true),
            ("http://[fd00::5]:8080/", "[fd00::5]:8080", true),
            ("http://[fd00::5]:8081/", "[fd00::5]:8080", false),
            ("http://[fd00::5]/", "fd00::/8", true),
            ("http://[fd00::5]/", "fd01::/16", false),
            ("http://[fd00::5]/", "10.0.0.0/8", false),
            ("http://[::ffff:10.1.2.3]/", "10.0.0.0/8", true),
            ("http://10.1.2.3/", "3", false),
            ("http://10.1.2.3/", "10.0.0.0/33", false),
            ("http://a.example./", "a.example", true),
            ("http://a.example/", "a.example.", true),
            ("http://a.example/", "a.example:http", false),
            ("http://a.example/", ".", false),
        ])
    func `what no_proxy names is reached directly`(_ url: String, _ list: String, _ isExcepted: Bool) throws {
        let all = ["http_proxy": "p:1", "https_proxy": "p:1", "no_proxy": list]
        #expect(try (proxy(url, all) == nil) == isExcepted)
    }

    @Test(arguments: ["https://p:1", "ftp://p", "socks5://me:secret@s", "http://", "http://p:70000"])
    func `a proxy that cannot be used is an error that shows no secret`(_ text: String) {
        let error = #expect(throws: TransportError.self) { try proxy("http://logs/", ["http_proxy": text]) }
        #expect(error?.description.contains("secret") == false)
    }

    @Test func `http through an HTTP proxy is asked for as a whole address, and needs no tunnel`() async throws {
        let proxy = try await ScriptedServer { seen in seen.method == "CONNECT" ? .status(403) : .status(200) }
        var settings = TransportSettings(url: "http://logs.invalid:8080/in")
        settings.environment = ["http_proxy": "http://me:p%40w@127.0.0.1:\(proxy.port)"]
        #expect(settings.requestURL == "http://127.0.0.1:\(proxy.port)/in")
        for _ in 1...2 { #expect(try await settings.failure() == nil) }
        #expect(proxy.seen.map(\.uri) == Array(repeating: "http://logs.invalid:8080/in", count: 2))
        #expect(proxy.seen.allSatisfy { $0.header("Proxy-Authorization") == "Basic bWU6cEB3" })
        settings.url = "https://logs.invalid/in"
        settings.environment = ["https_proxy": "http://127.0.0.1:\(proxy.port)"]
        #expect(try await settings.failure()?.description.hasPrefix("the proxy refuses the connection") == true)
        #expect(proxy.seen.last?.method == "CONNECT")
        await proxy.stop()
    }

    @Test func `a proxy may want a name and a password`() throws {
        let proxy = try ProxyEnvironment.proxy(for: "http://logs/") { $0 == "http_proxy" ? "http://me:pw@p:3128" : nil }
        #expect(proxy?.authorization?.headerValue == "Basic bWU6cHc=")
    }
}
