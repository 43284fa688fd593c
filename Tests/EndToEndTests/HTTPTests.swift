// `sluice run` with an http output, to receivers that are other programs.
import Foundation
import Glibc
import TestKit
import Testing

/// The example receiver of the documentation, or another Python program that is given a port and a file.
private final class PythonReceiver {
    let port: Int
    let database: String
    private let running: Running

    /// - Parameter program: its text; samples/receiver.py without one.
    init(in scratch: ScratchDirectory, program: String? = nil) async throws {
        let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
        let path =
            try program.map { try scratch.write("receiver.py", $0) }
            ?? root.appending(path: "samples/receiver.py").path()
        let free = try ChildProcess.run(
            "python3", "-c", "import socket; s = socket.socket(); s.bind(('127.0.0.1', 0)); print(s.getsockname()[1])")
        port = try #require(Int(String(decoding: free.output, as: UTF8.self).trimmingCharacters(in: .newlines)))
        database = scratch.path("received.db")
        running = try Running("/usr/bin/env", ["python3", path, "\(port)", database])
    }

    /// The records that it has, in the order in which they came.
    func records() throws -> [String] {
        let query =
            "import sqlite3, sys\nfor (r,) in sqlite3.connect(sys.argv[1]).execute('SELECT record FROM records ORDER BY rowid'): print(r)"
        let output = try ChildProcess.run("python3", "-c", query, database).output
        return String(decoding: output, as: UTF8.self).split(separator: "\n").map(String.init)
    }

    func stop() async throws { try await running.kill9() }
}

@Suite("sluice run, over http")
struct HTTPTests {
    private func output(_ port: Int, _ more: String = "") -> String {
        """
              - name: central
                type: http
                url: "http://127.0.0.1:\(port)/"
                max_delay: 20ms
                retry: { initial: 20ms, max: 100ms }
                \(more)
        """
    }

    @Test func `records are delivered while it runs, over an outage, and SIGTERM ends it`() async throws {
        let scratch = try ScratchDirectory()
        let receiver = try await PythonReceiver(in: scratch)
        let agent = try Agent(outputs: output(receiver.port))
        let log = try PodLog("web", in: agent.scratch)
        try log.append(100)
        let running = try agent.start()
        try await running.eventually("what stood there at the start") { (try? receiver.records().count) == 100 }
        try log.append(50)
        try await running.eventually("appended lines") { try receiver.records().count == 150 }
        let outcome = try await running.stop()
        #expect(outcome.status == 0, "\(outcome.errors)")
        #expect(
            Truth.faults(
                try Truth.came(receiver.records().joined(separator: "\n") + "\n"), against: [log.stream: log.written])
                == [])
        #expect(try await agent.ledger().closes)
        try await receiver.stop()
    }

    @Test func `kill -9 repeats nothing for a receiver that knows keys`() async throws {
        let scratch = try ScratchDirectory()
        let receiver = try await PythonReceiver(in: scratch)
        let agent = try Agent(outputs: output(receiver.port, "max_request: 64KiB"))
        let log = try PodLog("web", in: agent.scratch)
        for round in 0..<6 {
            try log.append(2000)
            let running = try agent.start()
            try await running.eventually("some of it") { (try? receiver.records().count) ?? 0 > round * 2000 }
            try await running.kill9()
        }
        let outcome = try await agent.runOnce()
        #expect(outcome.status == 0, "\(outcome.errors)")
        #expect(
            Truth.faults(
                try Truth.came(receiver.records().joined(separator: "\n") + "\n"), against: [log.stream: log.written])
                == [])
        try await receiver.stop()
    }

    @Test func `the receiver of the documentation listens on this machine only`() async throws {
        let scratch = try ScratchDirectory()
        let receiver = try await PythonReceiver(in: scratch)
        let agent = try Agent(outputs: output(receiver.port))
        try PodLog("web", in: agent.scratch).append(1)
        #expect(try await agent.runOnce().status == 0)
        let port = String(receiver.port, radix: 16, uppercase: true)
        let place = ":" + String(repeating: "0", count: 4 - port.count) + port
        let listeners = try String(contentsOfFile: "/proc/net/tcp", encoding: .utf8).split(separator: "\n")
            .map { $0.split(separator: " ") }.filter { $0.count > 3 && $0[1].hasSuffix(place) && $0[3] == "0A" }
        #expect(listeners.map { String($0[1]) } == ["0100007F" + place])
        try await receiver.stop()
    }

    @Test func `a record that is refused is listed with the server's words`() async throws {
        let scratch = try ScratchDirectory()
        // Refuses whatever has the word "twelve" in it.
        let receiver = try await PythonReceiver(
            in: scratch,
            program: """
                import gzip, sys
                from http.server import BaseHTTPRequestHandler, HTTPServer
                class Receiver(BaseHTTPRequestHandler):
                    protocol_version = "HTTP/1.1"
                    def do_POST(self):
                        body = gzip.decompress(self.rfile.read(int(self.headers["Content-Length"])))
                        words = b"no twelves, please" if b"twelve" in body else b""
                        self.send_response(400 if words else 200)
                        self.send_header("Content-Length", str(len(words)))
                        self.end_headers()
                        self.wfile.write(words)
                HTTPServer(("127.0.0.1", int(sys.argv[1])), Receiver).serve_forever()
                """)
        let agent = try Agent(outputs: output(receiver.port))
        let folder = agent.scratch.path("pods/shop_web_uid/nginx")
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        let words = ["ten", "eleven", "twelve \u{1b}[31m", "thirteen"]
        let lines = words.map { "2026-01-02T03:04:05.000000000Z stdout F \($0)\n" }.joined()
        try Data(lines.utf8).write(to: URL(filePath: folder + "/0.log"))
        let outcome = try await agent.runOnce()
        #expect(outcome.status == 0, "\(outcome.errors)")
        #expect(outcome.errors.contains("central: 3 delivered, 1 rejected (sluice chunks dead central)"))

        let text = try await Program.run("chunks", "dead", "--data-dir", agent.data)
        #expect(text.status == 0 && text.output.hasPrefix("central  record 3  refused 20"), "\(text.output)")
        #expect(text.output.contains("\n    400 Bad Request: no twelves, please\n    {\"time\":\"2026-01-02T03:04:05"))
        let json = try await Program.run("chunks", "dead", "central", "--data-dir", agent.data, "-o", "json")
        struct Letter: Decodable {
            struct Record: Decodable { let message: String }
            let output: String
            let sequence: Int
            let answer: String
            let record: Record
        }
        let letter = try JSONDecoder().decode(Letter.self, from: Data(json.output.utf8))
        #expect(letter.output == "central" && letter.sequence == 3 && letter.record.message == "twelve \u{1b}[31m")
        let other = try await Program.run("chunks", "dead", "other", "--data-dir", agent.data)
        #expect(other.status != 0 && other.errors.contains("there is no output 'other'"))
        let ledger = try await agent.ledger()
        #expect(ledger.closes && ledger.outputs[0].delivered_records == 3)
        try await receiver.stop()
    }

    @Test func `a proxy of the environment is used, and a wrong one ends the start`() async throws {
        let scratch = try ScratchDirectory()
        let receiver = try await PythonReceiver(in: scratch)
        // Hands requests on to this machine, whatever host they are for, and writes down for whom.
        let asked = scratch.path("asked")
        let proxy = try await PythonReceiver(
            in: scratch,
            program: """
                import socket, sys, threading, urllib.parse
                def pump(one, other):
                    while data := one.recv(65536): other.sendall(data)
                    other.shutdown(socket.SHUT_WR)
                def serve(client):
                    head = b""
                    while b"\\r\\n\\r\\n" not in head: head += client.recv(65536)
                    with open("\(asked)", "ab") as file: file.write(head.split(b"\\r\\n")[0] + b"\\n")
                    server = socket.create_connection(("127.0.0.1", urllib.parse.urlsplit(head.split()[1].decode()).port))
                    server.sendall(head)
                    threading.Thread(target=pump, args=(server, client), daemon=True).start()
                    pump(client, server)
                listener = socket.create_server(("127.0.0.1", int(sys.argv[1])))
                while True: threading.Thread(target=serve, args=(listener.accept()[0],), daemon=True).start()
                """)
        let outputs = output(receiver.port).replacing("127.0.0.1", with: "logs.example.test")
        let agent = try Agent.overSampleNode(outputs: outputs)
        let environment = [
            "http_proxy": "http://127.0.0.1:\(proxy.port)", "no_proxy": "example.org", "HTTPS_PROXY": "x",
        ]
        let outcome = try await agent.runOnce(environment: environment)
        #expect(outcome.status == 0, "\(outcome.errors)")
        #expect(try receiver.records().count == 785)
        // Only what is secured needs a tunnel: many proxies open one to port 443 alone.
        let requests = String(decoding: try ScratchDirectory.contents(of: asked), as: UTF8.self)
        #expect(requests.hasPrefix("POST http://logs.example.test:\(receiver.port)/"), "\(requests)")

        let wrong = try await agent.runOnce(environment: ["http_proxy": "https://127.0.0.1:\(proxy.port)"])
        #expect(wrong.status == 1 && wrong.errors.contains("only http:// and socks5:// can be used"), "\(wrong.errors)")
        try await proxy.stop()
        try await receiver.stop()
    }

    @Test func `a stop is told, tries once more, and does not wait for a try that would come too late`() async throws {
        let scratch = try ScratchDirectory()
        let receiver = try await PythonReceiver(
            in: scratch,
            program: """
                import sys
                from http.server import BaseHTTPRequestHandler, HTTPServer
                class Receiver(BaseHTTPRequestHandler):
                    def do_POST(self):
                        self.rfile.read(int(self.headers["Content-Length"]))
                        with open(sys.argv[2], "ab") as file: file.write(b"x")
                        self.send_response(401)
                        self.end_headers()
                HTTPServer(("127.0.0.1", int(sys.argv[1])), Receiver).serve_forever()
                """)
        let outputs = output(receiver.port).replacing("max: 100ms", with: "max: 10m")
        let agent = try Agent(outputs: outputs, more: "agent: { shutdown_grace: 100s }")
        let log = try PodLog("web", in: agent.scratch)
        try log.append(100)
        let running = try agent.start()
        try await running.eventually("the first try") { running.errors.contains("takes nothing from this output") }
        running.send(SIGTERM)
        let outcome = try await running.outcome(within: .seconds(60))
        #expect(outcome.status == 0)
        #expect(
            outcome.errors.contains("stopping: nothing is read any more waiting=central:100 grace_s=100"),
            "\(outcome.errors)")
        #expect(outcome.errors.contains("records are left for the next start output=central waiting=100"))
        #expect(try ScratchDirectory.contents(of: receiver.database) == Array("xx".utf8), "once more at the stop")
        try await receiver.stop()
    }

    @Test func `with --once a stuck output does not end one that gets on slowly`() async throws {
        let scratch = try ScratchDirectory()
        let receiver = try await PythonReceiver(
            in: scratch,
            program: """
                import gzip, sys, time
                from http.server import BaseHTTPRequestHandler, HTTPServer
                class Receiver(BaseHTTPRequestHandler):
                    def do_POST(self):
                        body = gzip.decompress(self.rfile.read(int(self.headers["Content-Length"])))
                        time.sleep(0.2)
                        with open(sys.argv[2], "ab") as file: file.write(body)
                        self.send_response(200)
                        self.end_headers()
                HTTPServer(("127.0.0.1", int(sys.argv[1])), Receiver).serve_forever()
                """)
        let stuck = """
                  - { name: stuck, type: http, url: "http://127.0.0.1:9/", retry: { initial: 10ms, max: 10m } }
            """
        let agent = try Agent(
            outputs: output(receiver.port, "max_request: 64KiB") + "\n" + stuck, more: "agent: { shutdown_grace: 1s }")
        let log = try PodLog("web", in: agent.scratch)
        try log.append(20_000)
        let outcome = try await agent.runOnce()
        #expect(outcome.status == 1 && outcome.errors.contains("central: 20000 delivered"), "\(outcome.errors)")
        let lines = try ScratchDirectory.contents(of: receiver.database).count { $0 == UInt8(ascii: "\n") }
        #expect(lines == 20_000)
        try await receiver.stop()
    }

    @Test func `the example receiver takes nothing of a body whose sender is gone`() async throws {
        let scratch = try ScratchDirectory()
        let receiver = try await PythonReceiver(in: scratch)
        let sender = """
            import gzip, socket, sqlite3, sys, time
            port, body = int(sys.argv[1]), gzip.compress(b'{"n":1}\\n')
            def send(part, key):
                while True:
                    try: s = socket.create_connection(("127.0.0.1", port)); break
                    except OSError: time.sleep(0.01)
                s.sendall(b"POST / HTTP/1.1\\r\\nContent-Encoding: gzip\\r\\nIdempotency-Key: %s\\r\\nContent-Length: %d\\r\\n\\r\\n%s" % (key, len(body), part))
                s.shutdown(socket.SHUT_WR)
                return s.recv(65536).split(b"\\r\\n")[0].decode()
            print(send(b"", b"none"), send(body[:9], b"some"), send(body, b"all"), send(body, b"all"), sep="|")
            for table in ("taken", "records"): print(sqlite3.connect(sys.argv[2]).execute(f"SELECT * FROM {table}").fetchall())
            """
        let output = try ChildProcess.run("python3", "-c", sender, "\(receiver.port)", receiver.database).output
        #expect(
            String(decoding: output, as: UTF8.self) == """
                ||HTTP/1.1 200 OK|HTTP/1.1 200 OK
                [('all',)]
                [('{"n":1}',)]

                """)
        try await receiver.stop()
    }
}
