// Whatever a server sends, the process goes on: the client ends in a precondition for some answers, and must never see them.
import AsyncHTTPClient
import HTTPTestKit
import HTTPTransport
import NIOCore
import NIOHTTP1
import Synchronization
import TestKit
import Testing

@Suite(.timeLimit(.minutes(2))) struct `Hostile answers` {
    /// What a client makes of bytes, behind which the server hangs up: the status, or why there is none.
    private func outcomes(_ answers: [[UInt8]]) async throws -> [Result<Int, TransportFailure>] {
        let server = try await ScriptedServer { seen in .raw(answers[Int(seen.query("n") ?? "") ?? 0]).closing() }
        let settings = TransportSettings.loopback(server.port)
        let outcomes = try await settings.withClient { client in
            var outcomes: [Result<Int, TransportFailure>] = []
            for number in answers.indices {
                var request = HTTPClientRequest(url: settings.requestURL + "/?n=\(number)")
                request.method = .POST
                request.body = .bytes(ByteBuffer(string: "body"))
                do {
                    let response = try await client.execute(request, deadline: .now() + .seconds(20))
                    for try await _ in response.body {}
                    outcomes.append(.success(Int(response.status.code)))
                } catch {
                    outcomes.append(.failure(TransportFailure(error, settings)))
                }
            }
            return outcomes
        }
        await server.stop()
        return outcomes
    }

    private func outcome(_ answer: String) async throws -> Result<Int, TransportFailure> {
        try await outcomes([Array(answer.utf8)])[0]
    }

    @Test func `each status from 0 to 999 is an answer or a failure`() async throws {
        let answers = (0...999).map { status in
            let digits = String(repeating: "0", count: 3 - "\(status)".count) + "\(status)"
            return Array("HTTP/1.1 \(digits) odd\r\nConnection: close\r\nContent-Length: 0\r\n\r\n".utf8)
        }
        for (status, outcome) in try await outcomes(answers).enumerated() {
            switch outcome {
            case .success(let seen): #expect(seen == status && status >= 200)
            case .failure(let failure):
                #expect(status < 200)
                if status < 100 {
                    #expect(failure.description == "the server's answer is not HTTP: it has the status \(status)")
                }
            }
        }
    }

    @Test(arguments: [
        "-1", "0", "00", "1000", "65535", "65536", "99999999999999999999", "+20", "2 0", "0x1", "\u{663}00",
    ])
    func `what is no status is a failure`(status: String) async throws {
        let outcome = try await outcome("HTTP/1.1 \(status) odd\r\nContent-Length: 0\r\n\r\n")
        if case .success(let seen) = outcome { Issue.record("\(status) was taken for \(seen)") }
    }

    @Test func `a server that never comes to the point is given up`() async throws {
        let announcement = "HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n"
        let answer = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"
        #expect(try await outcome(String(repeating: announcement, count: 100) + answer).get() == 200)
        let endless = try await outcome(String(repeating: announcement, count: 101) + answer)
        let failure = #expect(throws: TransportFailure.self) { try endless.get() }
        #expect(failure?.description == "the server announces an answer again and again (1xx) and never begins one")
    }

    @Test(arguments: [
        "HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\nbytes",
        "HTTP/1.1 101 Switching Protocols\r\n\r\n",
        "HTTP/1.1 200 OK\r\n" + String(repeating: "X-Many: x\r\n", count: 100_000) + "\r\n",
        "HTTP/1.1 200 OK\r\nX-Long: " + String(repeating: "x", count: 3_000_000) + "\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffffffff\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n-1\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello!",
        "HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999\r\n\r\n",
        "HTTP/9.9 200 OK\r\n\r\n", "HTTP/2.0 200 OK\r\n\r\n", "ICY 200 OK\r\n\r\n", "\r\n\r\n\r\n", "\u{0}\u{0}\u{0}",
    ]) func `what is no answer is a failure`(answer: String) async throws {
        if case .success(let status) = try await outcome(answer) { Issue.record("it was taken for \(status)") }
    }

    @Test(arguments: [
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1;" + String(repeating: "x", count: 3_000_000)
            + "\r\na\r\n0\r\n\r\n",
        "HTTP/1.1 200 " + String(repeating: "x", count: 1_000_000) + "\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\nHTTP/1.1 500 No\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1 200\r\n\r\nuntil the end", "HTTP/1.0 200 OK\r\n\r\n",
    ]) func `what is only odd is an answer`(answer: String) async throws {
        #expect(try await outcome(answer).get() == 200)
    }

    @Test(arguments: 1...4) func `no bytes end the process`(seed: UInt64) async throws {
        _ = try await outcomes(Self.mutations(seed, count: 400))
    }

    @Test(arguments: 1...2) func `no bytes of a proxy end the process`(seed: UInt64) async throws {
        let answers = Self.mutations(seed, count: 150) + (0...199).map { Array("HTTP/1.1 \($0) odd\r\n\r\n".utf8) }
        let number = Mutex(0)
        let proxy = try await ScriptedServer { _ in
            .raw(
                number.withLock { number in
                    number += 1
                    return answers[(number - 1) % answers.count]
                }
            ).closing()
        }
        var settings = TransportSettings(url: "https://server.invalid")
        settings.environment = ["https_proxy": "http://127.0.0.1:\(proxy.port)"]
        settings.connect = .milliseconds(500)
        settings.tls = .zero
        let url = settings.requestURL
        try await settings.withClient { client in
            for _ in answers {
                let response = try? await client.execute(HTTPClientRequest(url: url), deadline: .now() + .seconds(2))
                #expect(response == nil)
            }
        }
        #expect(proxy.connections >= answers.count)
        await proxy.stop()
    }

    /// Right answers, with something wrong in each.
    private static func mutations(_ seed: UInt64, count: Int) -> [[UInt8]] {
        let whole = [
            "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: keep-alive\r\n\r\nhello",
            "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 503 Busy\r\nRetry-After: 1\r\nContent-Length: 0\r\n\r\n",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5;x=y\r\nhello\r\n0\r\nX-T: v\r\n\r\n",
            "HTTP/1.1 204 No Content\r\n\r\n", "HTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\n\r\n",
            "HTTP/1.0 401 No\r\nWWW-Authenticate: Basic\r\n\r\nuntil the end",
        ]
        let pieces = ["\r\n", "0", "000", "HTTP/1.1 ", "\u{0}", ":", "chunked", " ", "\n", "-", "ff\r\n", "101", "\t"]
        var random = SeededGenerator(seed: seed)
        return (0..<count).map { _ in
            var bytes = Array(whole[random.below(whole.count)].utf8)
            if random.below(3) == 0 { bytes += Array(whole[random.below(whole.count)].utf8) }
            for _ in 0...random.below(4) {
                let at = random.below(bytes.count)
                switch random.below(5) {
                case 0: bytes[at] = UInt8(random.below(256))
                case 1: bytes.insert(contentsOf: Array(pieces[random.below(pieces.count)].utf8), at: at)
                case 2: bytes.removeSubrange(at..<min(bytes.count, at + 1 + random.below(8)))
                case 3: bytes.removeSubrange(at...)
                default: bytes[at] ^= UInt8(1 << random.below(8))
                }
                if bytes.isEmpty { bytes = [UInt8(ascii: "H")] }
            }
            return bytes
        }
    }
}
