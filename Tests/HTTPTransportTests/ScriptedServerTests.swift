// The server that other tests speak to: bodies that come bit by bit.
import AsyncHTTPClient
import HTTPTestKit
import HTTPTransport
import NIOCore
import NIOHTTP1
import TestKit
import Testing

@Suite(.timeLimit(.minutes(1))) struct `The scripted server` {
    /// Asks for a path.
    private func get(
        _ client: HTTPClient, _ port: Int, _ path: String, scheme: String = "http"
    ) async throws
        -> HTTPClientResponse
    {
        try await client.execute(
            HTTPClientRequest(url: "\(scheme)://localhost:\(port)\(path)"), deadline: .now() + .seconds(30))
    }

    @Test(arguments: ["http", "https"]) func `a stream sends what it is told, when it is told`(
        scheme: String
    )
        async throws
    {
        let scratch = try ScratchDirectory()
        let authority = try TestCertificates(in: scratch.path)
        let tls = scheme == "https" ? try authority.server().serverTLS() : nil
        let stream = ScriptedServer.Stream()
        let server = try await ScriptedServer(tls: tls) { seen in
            guard seen.method == "GET", seen.path == "/watch", seen.query("fieldSelector") == "spec.nodeName=a b" else {
                return .status(404)
            }
            return .stream(200, headers: ["Content-Type": "application/json"], stream)
        }
        let settings = TransportSettings.loopback(server.port, scheme: scheme).with {
            $0.authority = .file(authority.authority.certificate)
        }
        stream.send("said before")
        #expect(!stream.isOpen)
        try await settings.withClient { client in
            let path = "/watch?watch=1&fieldSelector=spec.nodeName%3Da%20b"
            let response = try await get(client, server.port, path, scheme: scheme)
            #expect(response.headers.first(name: "Content-Type") == "application/json" && stream.isOpen)
            await server.requests(1)
            var parts = response.body.makeAsyncIterator()
            #expect(try await parts.next().map { String(buffer: $0) } == "said before")
            for number in 1...20 {
                stream.send("number \(number)\n")
                #expect(try await parts.next().map { String(buffer: $0) } == "number \(number)\n")
            }
            stream.end()
            #expect(try await parts.next() == nil)
            await stream.ended()
            #expect(!stream.isOpen)
            // The connection goes on.
            let other = try await get(client, server.port, "/other", scheme: scheme)
            #expect(other.status == .notFound && server.connections == 1)
            _ = try await other.body.collect(upTo: 1024)
        }
        await server.stop()
    }

    @Test(arguments: ["cut", "reset", "garbage"]) func `a stream can break off`(how: String) async throws {
        let stream = ScriptedServer.Stream()
        let server = try await ScriptedServer { _ in .stream(200, stream) }
        let settings = TransportSettings.loopback(server.port)
        try await settings.withClient { client in
            let response = try await get(client, server.port, "/")
            var parts = response.body.makeAsyncIterator()
            stream.send("whole")
            #expect(try await parts.next().map { String(buffer: $0) } == "whole")
            switch how {
            case "cut":
                stream.sendRaw(Array("ff\r\nha".utf8))
                stream.cut()
            case "reset": stream.reset()
            default: stream.sendRaw(Array("no chunk\r\n".utf8))
            }
            do {
                while try await parts.next() != nil {}
                Issue.record("the body looks whole")
            } catch {
                let failure = TransportFailure(error, settings, inBody: true)
                #expect(failure.isLostConnection == (how != "garbage"), "\(failure)")
            }
            await stream.ended()
        }
        await server.stop()
    }

    @Test func `a stream ends when the client goes`() async throws {
        let stream = ScriptedServer.Stream()
        let server = try await ScriptedServer { _ in .stream(200, stream) }
        try await TransportSettings.loopback(server.port).withClient { client in
            let response = try await get(client, server.port, "/")
            stream.send("x")
            for try await _ in response.body { break }
        }
        await stream.ended()
        stream.send("into the void")
        #expect(!stream.isOpen)
        await server.stop()
    }

    @Test func `several streams go side by side, and end when the server does`() async throws {
        let streams = (0..<4).map { _ in ScriptedServer.Stream() }
        let server = try await ScriptedServer { seen in .stream(200, streams[Int(seen.query("n") ?? "") ?? 0]) }
        let settings = TransportSettings.loopback(server.port).with { $0.connections = 4 }
        try await settings.withClient { client in
            try await withThrowingTaskGroup(of: Bool.self) { group in
                for number in streams.indices {
                    group.addTask {
                        let response = try await get(client, server.port, "/?n=\(number)")
                        var parts = response.body.makeAsyncIterator()
                        let isRight = try await parts.next().map { String(buffer: $0) } == "\(number)"
                        let next = try? await parts.next()
                        return isRight && next == nil
                    }
                }
                await server.requests(4)
                for (number, stream) in streams.enumerated() { stream.send("\(number)") }
                try await Task.sleep(for: .milliseconds(50))
                await server.dropConnections()
                for try await isRight in group { #expect(isRight) }
            }
        }
        for stream in streams { await stream.ended() }
        #expect(server.connections == 4)
        await server.stop()
    }
}
