// Output `http` against a real server: what goes over the wire, what each answer means, who is trusted, when it gives up.
import Disk
import HTTPTestKit
import Pipeline
import Plugins
import Store
import Synchronization
import TestKit
import Testing

/// An output and a server for it.
struct HTTPBench {
    let bench: PluginBench
    let source: RequestSource

    init() throws {
        bench = try PluginBench()
        source = try RequestSource()
    }

    /// Builds an output that sends to a port.
    func output(_ port: Int, _ settings: [(String, SettingsNode)] = [], scheme: String = "http") throws -> HTTPOutput {
        let url: (String, SettingsNode) = ("url", .init(stringLiteral: "\(scheme)://localhost:\(port)/in?x=1"))
        return try bench.make(HTTPOutput.self, .init(mapping: [url] + settings))
    }

    /// Sends records and tells the failure; nil when there is none.
    func failure(of output: HTTPOutput, _ first: UInt64 = 1, _ last: UInt64 = 30) async throws -> DeliveryFailure? {
        let request = try source.request(first, last)
        do throws(DeliveryFailure) {
            try await output.send(request)
            return nil
        } catch {
            return error
        }
    }

    /// Sends through an output of its own.
    func failure(
        _ port: Int, _ settings: [(String, SettingsNode)] = [], scheme: String = "http"
    ) async throws
        -> DeliveryFailure?
    {
        let output = try output(port, settings, scheme: scheme)
        let failure = try await failure(of: output)
        await output.close()
        return failure
    }
}

/// A body as text, whatever it is encoded with.
func text(of seen: ScriptedServer.Seen) throws -> String {
    guard seen.header("Content-Encoding") == "gzip" else { return String(decoding: seen.body, as: UTF8.self) }
    let reading = try GzipReading(seen.body, textSize: 32 << 20)
    #expect(reading.bytesBehind == 0, "one member and nothing behind it: many servers read only the first")
    return reading.text
}

@Suite(.timeLimit(.minutes(1))) struct `Output http` {
    let bench: HTTPBench

    init() throws { bench = try HTTPBench() }

    // MARK: Settings

    @Test(
        arguments: [
            ([:], "item.url: missing, expected an address; for example 'url: https://logs.example.com/ingest'"),
            (
                ["url": "logs.example.com"],
                "item.url: this is not the address of a web server, expected http:// or https://; for example 'url: https://logs.example.com/ingest'"
            ),
            (
                ["url": "https:///x"],
                "item.url: has no host; for example 'url: https://logs.example.com/ingest'"
            ),
            (
                ["url": "http://h:99999/"],
                "item.url: has the port 99999, expected 1 to 65535; for example 'url: https://logs.example.com/ingest'"
            ),
            (
                ["url": "https://me:secret@h/"],
                "item.url: holds a user name or a password, they belong under 'auth:'; for example 'url: https://logs.example.com/ingest'"
            ),
            (
                ["url": "http://h", "headers": ["Content-Length": "3"]],
                "item.headers.Content-Length: is set by the output itself"
            ),
            (["url": "http://h", "headers": ["a b": "3"]], "item.headers.a b: is not the name of a header"),
            (
                ["url": "http://h", "headers": ["X": "a\nb"]],
                "item.headers.X: the value has control characters, a header cannot"
            ),
            (
                ["url": "https://h/a b"],
                "item.url: has a blank in it (its character 12), which no address has"
            ),
            (["url": "https://h", "auth": ["bearer_file": ""]], "item.auth.bearer_file: is empty, expected a path"),
            (
                ["url": "http://h", "auth": ["username": "me"]],
                "item.auth.password: missing, a user name needs one"
            ),
            (
                ["url": "http://h", "auth": ["bearer": "t", "bearer_file": "/t"]],
                "item.auth.bearer_file: there is another way to authenticate beside it, only one can be used"
            ),
            (
                ["url": "http://h", "auth": ["bearer": "t"], "headers": ["authorization": "x"]],
                "item.headers: 'authorization' is set here and by 'auth:', which of them is meant?"
            ),
            (["url": "http://h", "auth": ["bearer": ""]], "item.auth.bearer: the value is empty, expected a token"),
            (["url": "http://h", "auth": ["bearer": " \n"]], "item.auth.bearer: the value is empty, expected a token"),
            (
                ["url": "http://h", "auth": ["bearer": "Bearer t"]],
                "item.auth.bearer: the value is not a token: it has blanks or other characters that no token has; write the token alone, without the word Bearer"
            ),
            (
                ["url": "http://h", "auth": ["username": "a:b", "password": "x"]],
                "item.auth.username: has a colon, a user name cannot"
            ),
            (
                ["url": "http://h", "auth": ["username": "a", "password": "x\n"]],
                "item.auth.password: has control characters or a byte order mark, a password cannot; see whether the file or the variable it comes from has more than one line"
            ),
            (
                ["url": "http://h", "headers": ["X": "\u{feff}a"]],
                "item.headers.X: the value begins with a byte order mark, which is no part of a header"
            ),
            (
                ["url": "https://h", "tls": ["cert_file": "/c"]],
                "item.tls.key_file: missing, a client certificate needs its key"
            ),
            (
                ["url": "http://h", "tls": ["ca_file": "/c"]],
                "item.tls: the url begins with http://, so there is no TLS to set; write https:// in 'url'"
            ),
            (["url": "http://h", "concurrency": "33"], "item.concurrency: must be between 1 and 32, found 33"),
            (["url": "http://h", "format": "xml"], "item.format: 'xml' is not one of ndjson, json_array"),
        ] as [(SettingsNode, String)])
    func `wrong settings are refused`(_ node: SettingsNode, _ message: String) {
        #expect(SettingsReading(node, as: HTTPOutput.Settings.self).problems == [message])
    }

    @Test(arguments: ["ca_file", "cert_file"])
    func `a certificate that cannot be used keeps the agent from starting, and is named`(key: String) throws {
        let empty = try bench.bench.scratch.write("empty.pem", "no certificate\n")
        for (path, word) in [("/not/there.pem", "/not/there.pem"), (empty, "PEM")] {
            var tls: [(String, SettingsNode)] = [(key, .init(stringLiteral: path))]
            if key == "cert_file" { tls.append(("key_file", .init(stringLiteral: path))) }
            let node = SettingsNode(mapping: [("url", "https://localhost"), ("tls", .init(mapping: tls))])
            let settings = SettingsReading(node, as: HTTPOutput.Settings.self).settings
            let error = #expect(throws: PluginError.self) { try HTTPOutput(settings, context: bench.bench.context) }
            #expect(error?.description.contains("tls.\(key)") == true && error?.description.contains(word) == true)
        }
    }

    // MARK: The wire

    @Test func `it keeps the rules of outputs`() async throws {
        let received = Mutex<[String]>([])
        let server = try await ScriptedServer { _ in
            .decide { seen in
                let lines = (try? text(of: seen))?.split(separator: "\n").map(String.init) ?? []
                received.withLock { $0 += lines }
                return .status(200)
            }
        }
        try await OutputConformance(.atLeastOnce) {
            try bench.output(server.port)
        } received: {
            received.withLock { $0 }
        }.check()
        await server.stop()
    }

    @Test(arguments: ["ndjson", "json_array"], ["gzip", "none"])
    func `bodies hold the records in each format`(format: String, compression: String) async throws {
        let server = try await ScriptedServer { _ in .status(200) }
        let output = try bench.output(
            server.port, [("format", .init(stringLiteral: format)), ("compression", .init(stringLiteral: compression))])
        // A whole run of chunks, and one that begins and ends inside of chunks.
        for (first, last) in [(1, 30), (4, 25), (7, 7)] as [(UInt64, UInt64)] {
            #expect(try await bench.failure(of: output, first, last) == nil)
            let seen = try #require(server.seen.last)
            #expect(seen.method == "POST" && seen.uri == "/in?x=1" && !seen.isChunked)
            #expect(seen.header("Content-Type") == (format == "ndjson" ? "application/x-ndjson" : "application/json"))
            #expect(seen.header("Content-Encoding") == (compression == "gzip" ? "gzip" : nil))
            #expect(seen.header("Idempotency-Key") == "test/\(first)-\(last)")
            #expect(seen.header("Host") == "localhost:\(server.port)")
            let lines = bench.source.lines[Int(first - 1)..<Int(last)]
            let wanted =
                format == "ndjson" ? lines.map { $0 + "\n" }.joined() : "[" + lines.joined(separator: ",") + "]"
            #expect(try text(of: seen) == wanted)
        }
        #expect(server.connections == 1, "connections are used again")
        await output.close()
        await server.stop()
    }

    @Test func `method and headers are as they were set`() async throws {
        let server = try await ScriptedServer { _ in .status(204) }
        let headers: SettingsNode = [
            "X-Scope-OrgID": "team a", "content-type": "application/stream+json", "Host": "logs",
        ]
        #expect(try await bench.failure(server.port, [("method", "PUT"), ("headers", headers)]) == nil)
        let seen = try #require(server.seen.first)
        #expect(seen.method == "PUT" && seen.header("X-Scope-OrgID") == "team a" && seen.header("Host") == "logs")
        #expect(
            seen.headers.filter { $0.name.lowercased() == "content-type" }.map(\.value) == ["application/stream+json"])
        await server.stop()
    }

    // MARK: Answers

    @Test(
        arguments: [
            (200, nil), (201, nil), (204, nil), (299, nil),
            (400, .refused), (422, .refused), (413, .tooLarge),
            (408, .passing), (425, .passing), (429, .passing), (500, .passing), (502, .passing), (503, .passing),
            (504, .passing), (599, .passing),
            (301, .denied), (302, .denied), (304, .denied), (307, .denied), (401, .denied), (403, .denied),
            (404, .denied), (405, .denied), (410, .denied), (415, .denied), (451, .denied),
        ] as [(Int, DeliveryFailure.Kind?)])
    func `each status has its meaning`(status: Int, kind: DeliveryFailure.Kind?) async throws {
        let server = try await ScriptedServer { _ in
            .status(status, status == 204 || status == 304 ? "" : "because\n of \u{1b}[31mthis")
        }
        let failure = try await bench.failure(server.port)
        #expect(failure?.kind == kind)
        if let failure, status != 304 {
            #expect(
                failure.reason.hasPrefix("\(status) ") && failure.reason.hasSuffix(": because of [31mthis"),
                "\(failure)")
        }
        await server.stop()
    }

    @Test(
        arguments: [
            ("7", 7.0...7.0), (" 7 ", 7.0...7.0), ("0", 0.0...0.0), ("99999999", 3600.0...3600.0), ("soon", nil),
            ("-3", nil),
        ] as [(String, ClosedRange<Double>?)])
    func `Retry-After in seconds is kept, within an hour`(header: String, seconds: ClosedRange<Double>?) async throws {
        let server = try await ScriptedServer { _ in .status(429, headers: ["Retry-After": header]) }
        let wait = try await bench.failure(server.port)?.retryAfter
        #expect(wait.map { $0 / .seconds(1) }.map { seconds?.contains($0) ?? false } ?? (seconds == nil))
        await server.stop()
    }

    @Test func `Retry-After as a date is kept, in all three forms`() async throws {
        let formats = ["%a, %d %b %Y %H:%M:%S GMT", "%A, %d-%b-%y %H:%M:%S GMT", "%a %b %e %H:%M:%S %Y"]
        for format in formats {
            let date = try ChildProcess.run("env", "LC_ALL=C", "TZ=UTC", "date", "-d", "+90 seconds", "+\(format)")
                .output
            let header = String(decoding: date, as: UTF8.self).split(separator: "\n").joined()
            let server = try await ScriptedServer { _ in .status(503, headers: ["Retry-After": header]) }
            let wait = try #require(try await bench.failure(server.port)?.retryAfter)
            #expect((85...90).contains(wait / .seconds(1)), "\(header): \(wait)")
            await server.stop()
        }
        let server = try await ScriptedServer { _ in
            .status(503, headers: ["Retry-After": "Sun, 06 Nov 1994 08:49:37 GMT"])
        }
        #expect(try await bench.failure(server.port)?.retryAfter == .zero, "a date in the past")
        await server.stop()
    }

    /// What a server may do instead of answering, and when.
    static let silences: [(String, ScriptedServer.Answer)] = {
        let moments: [(String, ScriptedServer.Answer.Moment)] = [
            ("before the body", .beforeBody), ("in the body", .inBody(afterBytes: 100)), ("after the body", .afterBody),
        ]
        let acts: [(String, ScriptedServer.Answer)] = [
            ("hangs up", .hangUp), ("resets", .reset),
            ("says garbage", .raw(Array("SMTP ready\r\n\r\n".utf8)).closing()),
            ("breaks off in the head", .raw(Array("HTTP/1.1 200 OK\r\nConte".utf8)).closing()),
        ]
        return moments.flatMap { moment in
            acts.map { ("\($0.0) \(moment.0)", $0.1.at(moment.1, rest: .close)) }
        }
    }()

    @Test(arguments: silences.indices)
    func `a server that breaks off is a failure that will pass`(index: Int) async throws {
        let (name, answer) = `Output http`.silences[index]
        let server = try await ScriptedServer { _ in answer }
        let failure = try #require(try await bench.failure(server.port), "\(name)")
        #expect(failure.kind == .passing && failure.retryAfter == nil, "\(name): \(failure)")
        await server.stop()
    }

    @Test(
        arguments: [
            .partial(200, "0123456789", sent: 4), .partial(400, "0123456789", sent: 4), .partial(503, "01234", sent: 4),
            .raw(Array("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\n0123\r\nff\r\n01".utf8)).closing(),
            .raw(Array("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\n0123\r\nerror!\r\n".utf8)).closing(),
            .raw(Array("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n0123".utf8)),
        ] as [ScriptedServer.Answer])
    func `half an answer is none: it will pass, and what it was is said`(answer: ScriptedServer.Answer) async throws {
        let server = try await ScriptedServer { _ in answer }
        let failure = try #require(try await bench.failure(server.port, [("timeouts", ["response": "100ms"])]))
        #expect(failure.kind == .passing && failure.reason.contains(", which was "), "\(failure)")
        await server.stop()
    }

    @Test(
        arguments: [
            "HTTP/1.1 200 OK\r\n\r\nuntil the end", "HTTP/1.0 200 OK\r\n\r\n",
            "HTTP/1.1 200 OK\r\nContent-Length: 10000000\r\n\r\n" + String(repeating: "x", count: 200_000),
        ])
    func `an answer that ends with the connection is whole, and nobody reads on for ever`(answer: String) async throws {
        let server = try await ScriptedServer { _ in .raw(Array(answer.utf8)).closing() }
        #expect(try await bench.failure(server.port) == nil)
        await server.stop()
    }

    @Test func `a redirect says where it leads to`() async throws {
        let server = try await ScriptedServer { _ in
            .status(302, headers: ["Location": "https://login.example/?next=/in"], "moved")
        }
        let failure = try await bench.failure(server.port)
        #expect(failure?.reason == "302 Found, to https://login.example/?next=/in: moved" && failure?.kind == .denied)
        await server.stop()
    }

    @Test func `a server that shows our request back does not bring our secrets into the log`() async throws {
        let scratch = bench.bench.scratch
        try scratch.write("token", "t0ken-in-file\n")
        let path = scratch.path("token")
        let cases: [(String, SettingsNode)] = [
            ("auth", ["bearer": "t0ken-given"]), ("auth", ["username": "me", "password": "p@ss w0rd"]),
            ("auth", ["bearer_file": .init(stringLiteral: path)]), ("headers", ["X-Key": "k3y-of-ours"]),
            ("headers", ["Authorization": "Custom c0stum"]),
        ]
        let server = try await ScriptedServer { seen in
            let shown = seen.headers.map { "\($0.name): \($0.value)" }.joined(separator: "; ")
            return .status(401, headers: ["Location": seen.uri], "\(seen.uri) \(shown) p@ss w0rd me:p@ss w0rd")
        }
        let secrets = [
            "t0ken-given", "w0rd", "bWU6cEBzcyB3MHJk", "t0ken-in-file", "k3y-of-ours", "c0stum", "qu3ry",
        ]
        for setting in cases {
            let url: SettingsNode = .init(stringLiteral: "http://127.0.0.1:\(server.port)/in?key=qu3ry")
            let output = try bench.bench.make(HTTPOutput.self, .init(mapping: [("url", url), setting]))
            let reason = try #require(try await bench.failure(of: output)).reason
            let sent = try #require(server.seen.last?.headers.map(\.value).joined(separator: " "))
            let mine = secrets.filter {
                (sent + " qu3ry").contains($0) || setting.0 == "auth" && $0 == "w0rd" && sent.contains("Basic")
            }
            #expect(mine.count > 1 && reason.contains("*****") && reason.contains("User-Agent: sluice"), "\(reason)")
            for secret in mine { #expect(!reason.contains(secret), "\(reason)") }
            await output.close()
        }
        await server.stop()
    }

    @Test func `an answer in the middle of a large body is taken for what it says`() async throws {
        // Half a megabyte that does not compress.
        let records = (0..<20).map { number in
            var random = SeededGenerator(seed: UInt64(number))
            return "{\"n\":\"" + random.bytes(25_000).map { String($0, radix: 16) }.joined() + "\"}"
        }
        let source = try RequestSource([records])
        for status in [413, 401, 503] {
            let server = try await ScriptedServer { _ in
                .status(status, "early").at(.inBody(afterBytes: 20_000), rest: .halfClose)
            }
            let output = try bench.output(server.port)
            let request = try source.request(1, 20)
            let failure = await #expect(throws: DeliveryFailure.self) { try await output.send(request) }
            #expect(failure?.reason.hasPrefix("\(status) ") == true, "\(String(describing: failure))")
            await output.close()
            await server.stop()
        }
    }

    @Test func `the server may say continue first`() async throws {
        let server = try await ScriptedServer { _ in .status(200).continuing() }
        #expect(try await bench.failure(server.port) == nil)
        await server.stop()
    }

    // MARK: Connections

    @Test func `nobody listens`() async throws {
        let server = try await ScriptedServer { _ in .status(200) }
        await server.stop()
        let failure = try #require(try await bench.failure(server.port))
        #expect(
            failure.kind == .passing && failure.reason.contains("cannot connect to localhost:\(server.port)"),
            "\(failure)")
        #expect(failure.reason.lowercased().contains("refused"), "\(failure)")
    }

    @Test func `a name that does not exist`() async throws {
        let output = try bench.bench.make(HTTPOutput.self, ["url": "http://nowhere.invalid/"])
        let failure = try #require(try await bench.failure(of: output))
        #expect(failure.kind == .passing && failure.reason.contains("nowhere.invalid"), "\(failure)")
        await output.close()
    }

    @Test func `a connection that the server closed while it was idle is replaced without a word`() async throws {
        let server = try await ScriptedServer { _ in .status(200) }
        let output = try bench.output(server.port)
        for round in 1...3 {
            #expect(try await bench.failure(of: output) == nil)
            #expect(server.seen.count == round)
            await server.dropConnections()
        }
        #expect(server.connections == 3)
        await output.close()
        await server.stop()
    }

    @Test func `a request that meets a dying connection is sent again at once, once`() async throws {
        // The second request is taken and then the connection breaks: the server may have closed it before it came.
        let server = try await ScriptedServer { seen in seen.number == 1 ? .hangUp : .status(200) }
        let output = try bench.output(server.port)
        #expect(try await bench.failure(of: output) == nil)
        #expect(try await bench.failure(of: output) == nil)
        #expect(bench.bench.log.count("http_reconnects") == 1)
        #expect(Set(server.seen.map { $0.header("Idempotency-Key") }).count == 1 && server.seen.count == 3)
        await output.close()
        await server.stop()

        let dead = try await ScriptedServer { seen in seen.number == 0 ? .status(200) : .hangUp }
        let second = try bench.output(dead.port)
        #expect(try await bench.failure(of: second) == nil)
        #expect(try await bench.failure(of: second)?.kind == .passing)
        #expect(dead.seen.count == 3, "no more than one repeat without a wait")
        await second.close()
        await dead.stop()
    }

    @Test func `each phase has its deadline`() async throws {
        let silent = try await ScriptedServer { _ in .silence }
        let response = try await bench.failure(silent.port, [("timeouts", ["response": "50ms"])])
        #expect(response?.reason == "no answer within timeouts.response (50ms)" && response?.kind == .passing)
        let whole = try await bench.failure(silent.port, [("timeouts", ["whole": "50ms"])])
        #expect(whole?.reason == "not done within timeouts.whole (50ms)" && whole?.kind == .passing)
        await silent.stop()

        // A server that takes connections and never speaks TLS.
        let plain = try await ScriptedServer { _ in .silence }
        let secured = try await bench.failure(
            plain.port, [("timeouts", ["connect": "50ms", "tls": "50ms"])], scheme: "https")
        #expect(
            secured?.kind == .passing && secured?.reason.contains("secured connection") == true,
            "\(String(describing: secured))")
        await plain.stop()
    }

    @Test func `a cancelled request ends at once`() async throws {
        let server = try await ScriptedServer { _ in .silence }
        let output = try bench.output(server.port)
        let request = try bench.source.request(1, 30)
        await withTaskGroup(of: Void.self) { group in
            group.addTask { try? await output.send(request) }
            await server.requests(1)
            group.cancelAll()
        }
        await output.close()
        await server.stop()
    }

    // MARK: Who we are, and who they are

    @Test func `a user name and a password, or a token`() async throws {
        let server = try await ScriptedServer { _ in .status(200) }
        #expect(try await bench.failure(server.port, [("auth", ["username": "me", "password": "p:ä"])]) == nil)
        #expect(try await bench.failure(server.port, [("auth", ["bearer": "t0ken"])]) == nil)
        let marked = SettingsNode(stringLiteral: "\u{feff} t0ken\n")
        #expect(try await bench.failure(server.port, [("auth", ["bearer": marked])]) == nil)
        #expect(
            server.seen.map { $0.header("Authorization") } == ["Basic bWU6cDrDpA==", "Bearer t0ken", "Bearer t0ken"])
        await server.stop()
    }

    @Test func `a token file is read again when it has changed, and may be missing for a while`() async throws {
        let scratch = bench.bench.scratch
        let server = try await ScriptedServer { _ in .status(200) }
        let path = scratch.path("token")
        let output = try bench.output(server.port, [("auth", ["bearer_file": .init(stringLiteral: path)])])
        let missing = try await bench.failure(of: output)
        #expect(missing?.kind == .passing && missing?.reason.contains(path) == true)
        try scratch.write("token", "first\n")
        #expect(try await bench.failure(of: output) == nil)
        // As the kubelet does it: a new file under the old name.
        try scratch.write("token.new", "second")
        try LocalFileSystem().rename(scratch.path("token.new"), to: path)
        #expect(try await bench.failure(of: output) == nil)
        #expect(server.seen.map { $0.header("Authorization") } == ["Bearer first", "Bearer second"])
        try scratch.write("token", "two words\n")
        #expect(try await bench.failure(of: output)?.reason == "\(path) holds no token: expected one word")
        await output.close()
        await server.stop()
    }

    @Test func `certificates: an authority of one's own, wrong names, expired ones, strangers`() async throws {
        let authority = try TestCertificates(in: bench.bench.scratch.path(""))
        let stranger = try TestCertificates(in: bench.bench.scratch.path(""), name: "stranger")
        let caFile: SettingsNode = ["ca_file": .init(stringLiteral: authority.authority.certificate)]

        func failure(_ identity: TestCertificates.Identity, _ tls: SettingsNode?) async throws -> DeliveryFailure? {
            let server = try await ScriptedServer(tls: try identity.serverTLS()) { _ in .status(200) }
            let failure = try await bench.failure(server.port, tls.map { [("tls", $0)] } ?? [], scheme: "https")
            #expect((failure == nil) == (server.seen.count == 1))
            await server.stop()
            return failure
        }
        let right = try authority.server()
        #expect(try await failure(right, caFile) == nil)
        let unknown = try await failure(right, nil)
        #expect(
            unknown?.kind == .passing && unknown?.reason.contains("not trusted") == true,
            "\(String(describing: unknown))")
        #expect(try await failure(try stranger.server("other"), caFile)?.reason.contains("not trusted") == true)
        #expect(try await failure(try authority.expiredServer(), caFile)?.reason.contains("expired") == true)

        let elsewhere = try authority.server("elsewhere", dns: ["logs.example.com"], ip: [])
        let wrong = try await failure(elsewhere, caFile)
        #expect(
            wrong?.kind == .passing && wrong?.reason.contains("another name") == true, "\(String(describing: wrong))")
        let named: SettingsNode = [
            "ca_file": .init(stringLiteral: authority.authority.certificate), "server_name": "logs.example.com",
        ]
        #expect(try await failure(elsewhere, named) == nil, "tls.server_name")
        #expect(try await failure(try authority.expiredServer("old"), ["insecure_skip_verify": "true"]) == nil)
    }

    @Test func `a certificate that is not checked is warned about at every start`() async throws {
        let output = try bench.bench.make(
            HTTPOutput.self, ["url": "https://localhost", "tls": ["insecure_skip_verify": "true"]])
        try await output.open(state: [])
        #expect(bench.bench.log.said("insecure_skip_verify is set"))
        await output.close()
    }

    @Test func `a server may want a certificate of ours`() async throws {
        let authority = try TestCertificates(in: bench.bench.scratch.path(""))
        let tls = try authority.server().serverTLS(onlyClientsOf: authority.authority)
        let server = try await ScriptedServer(tls: tls) { _ in .status(200) }
        let client = try authority.client()
        let ca = SettingsNode(stringLiteral: authority.authority.certificate)
        let without = try await bench.failure(server.port, [("tls", ["ca_file": ca])], scheme: "https")
        #expect(without?.kind == .passing)
        let with: SettingsNode = [
            "ca_file": ca, "cert_file": .init(stringLiteral: client.certificate),
            "key_file": .init(stringLiteral: client.key),
        ]
        #expect(try await bench.failure(server.port, [("tls", with)], scheme: "https") == nil)
        await server.stop()
    }

    @Test func `certificates that are exchanged on disk come into use, and broken ones do not`() async throws {
        let scratch = bench.bench.scratch
        let (old, new) = (
            try TestCertificates(in: scratch.path("")), try TestCertificates(in: scratch.path(""), name: "new")
        )
        let path = scratch.path("ca.pem")
        func exchange(_ contents: [UInt8]) throws {
            try scratch.write("ca.pem.new", contents)
            try LocalFileSystem().rename(scratch.path("ca.pem.new"), to: path)
        }
        try exchange(ScratchDirectory.contents(of: old.authority.certificate))
        let first = try await ScriptedServer(tls: try old.server("one").serverTLS()) { _ in .status(200) }
        let settings: [(String, SettingsNode)] = [
            ("tls", ["ca_file": .init(stringLiteral: path)]), ("timeouts", ["renew": "10ms"]),
        ]
        let output = try bench.output(first.port, settings, scheme: "https")
        #expect(try await bench.failure(of: output) == nil)
        await first.stop()

        // The server comes back with a certificate of another authority.
        let second = try await ScriptedServer(port: first.port, tls: try new.server("two").serverTLS()) { _ in
            .status(200)
        }
        #expect(try await bench.failure(of: output)?.reason.contains("not trusted") == true)
        try exchange(Array("nothing".utf8))
        try await Task.sleep(for: .milliseconds(20))
        #expect(try await bench.failure(of: output)?.reason.contains("not trusted") == true, "the old one still counts")
        #expect(bench.bench.log.count("http_renewal_failures") > 0)
        try exchange(ScratchDirectory.contents(of: new.authority.certificate))
        try await Task.sleep(for: .milliseconds(20))
        #expect(try await bench.failure(of: output) == nil)
        await output.close()
        await second.stop()
    }
}
