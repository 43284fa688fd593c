// A delivery over HTTP to servers that do their worst: whatever they answer and whenever, nothing is lost, and what is sent
// again comes under its old key.
import Bytes
import Disk
import HTTPTestKit
import Pipeline
import Plugins
import Store
import Synchronization
import TestKit
import Testing

/// A receiver that takes each key once, as docs/delivery.md recommends, and remembers what it took.
final class Receiver: Sendable {
    private let state = Mutex<(keys: Set<String>, lines: [String], repeats: Int)>(([], [], 0))

    /// Takes a whole body.
    func take(_ seen: ScriptedServer.Seen) {
        guard seen.isWhole, let key = seen.header("Idempotency-Key"), let body = try? text(of: seen) else { return }
        state.withLock { state in
            guard state.keys.insert(key).inserted else {
                state.repeats += 1
                return
            }
            state.lines += body.split(separator: "\n").map(String.init)
        }
    }

    /// What it took, in the order in which it came.
    var lines: [String] { state.withLock(\.lines) }
    /// Bodies that it had already.
    var repeats: Int { state.withLock(\.repeats) }
}

@Suite(.timeLimit(.minutes(2))) struct `Delivery over http` {
    let bench: PluginBench
    let lines = RequestSource.records(0..<2000)

    init() throws { bench = try PluginBench() }

    /// A store that has ended with the records in chunks of ten.
    private func store() throws -> (Store, Handover<StoreCursor>) {
        var writer = try Store.open(
            bench.scratch.path("data"), settings: .forTests, fileSystem: LocalFileSystem(),
            telemetry: bench.log.telemetry)
        let cursor = try StoreCursor(writer.store, output: "it", start: .history, mayGiveWay: true)
        let source = writer.define(.container("web"))
        for start in stride(from: 0, to: lines.count, by: 10) {
            try #require(writer.append(lines: Array(lines[start..<(start + 10)]), of: source) == .stored)
        }
        let store = writer.store
        writer.close()
        return (store, Handover(cursor))
    }

    private func deliver(
        _ store: Store, _ cursor: Handover<StoreCursor>, to server: ScriptedServer,
        _ settings: [(String, SettingsNode)] = [],
        _ change: (inout DeliverySettings) -> Void = { _ in }
    ) async throws {
        let url: (String, SettingsNode) = ("url", .init(stringLiteral: "http://127.0.0.1:\(server.port)/"))
        let output = try bench.make(HTTPOutput.self, .init(mapping: [url] + settings))
        guard let cursor = cursor.take() else { return }
        let delivery = Delivery(
            output, cursor: cursor, store: store,
            settings: .forTests.with {
                $0.maxRequest = .kibibytes(64)
                change(&$0)
            }, status: DeliveryStatus(), telemetry: bench.log.telemetry)
        await delivery.run()
    }

    @Test(arguments: 1...6) func `every answer of the table at every moment`(seed: UInt64) async throws {
        let (store, cursor) = try store()
        let receiver = Receiver()
        let random = Mutex(SeededGenerator(seed: seed))
        let server = try await ScriptedServer { seen in
            random.withLock { random in
                let status = [408, 425, 429, 500, 502, 503, 504, 301, 401, 403, 404][random.below(11)]
                let moment: ScriptedServer.Answer.Moment = [.beforeBody, .inBody(afterBytes: 200), .afterBody][
                    random.below(3)]
                switch random.below(9) {
                case 0: return .status(status, headers: ["Retry-After": "0"], "no").at(moment)
                case 1: return .status(status, "no").at(moment, rest: .close)
                case 2: return .hangUp.at(moment)
                case 3: return .reset.at(moment)
                case 4: return .raw(Array("HTTP/1.1 2".utf8)).closing().at(moment)
                case 5:
                    // It took the records, and its answer is lost.
                    return .decide { seen in
                        receiver.take(seen)
                        return .hangUp
                    }
                case 6:
                    return .decide { seen in
                        receiver.take(seen)
                        return .partial(200, "0123456789", sent: 2)
                    }
                default:
                    return .decide { seen in
                        receiver.take(seen)
                        return .status(200)
                    }
                }
            }
        }
        try await deliver(store, cursor, to: server) { $0.maxRequest = .kibibytes(1) }
        #expect(receiver.lines == lines, "all of them, once, in order")
        #expect(Ledger(store).closes && Ledger(store).outputs[0].account.delivered == 2000)
        #expect(server.seen.count > 20)
        await server.stop()
    }

    @Test func `a poisoned record among two thousand is found and alone dead-lettered, with the server's words`()
        async throws
    {
        let (store, cursor) = try store()
        let receiver = Receiver()
        let poison = lines[1234]
        let server = try await ScriptedServer { _ in
            .decide { seen in
                if (try? text(of: seen).contains(poison)) == true { return .status(422, "field 'message' is poisoned") }
                receiver.take(seen)
                return .status(200)
            }
        }
        try await deliver(store, cursor, to: server)
        #expect(receiver.lines == lines.filter { $0 != poison })
        let files = DeadLetters.files(store.folder.deadLetters(output: "it"))
        let letters = try files.flatMap(DeadLetters.read)
        #expect(
            letters.map(\.sequence) == [1235]
                && letters.map(\.answer) == ["422 Unprocessable Entity: field 'message' is poisoned"])
        #expect(letters.map { String(decoding: $0.record, as: UTF8.self) } == [poison])
        await server.stop()
    }

    @Test func `a server that finds requests too large, before it has read them`() async throws {
        let (store, cursor) = try store()
        let receiver = Receiver()
        let server = try await ScriptedServer { seen in
            if let size = seen.header("Content-Length").flatMap(Int.init), size > 4000 {
                return .status(413).at(.beforeBody)
            }
            return .decide { seen in
                receiver.take(seen)
                return .status(200)
            }
        }
        try await deliver(store, cursor, to: server, [("compression", "none")])
        #expect(receiver.lines == lines)
        #expect(bench.log.count("output_too_large") > 0)
        await server.stop()
    }

    @Test func `several requests at a time: each record once, under whatever answers`() async throws {
        let (store, cursor) = try store()
        let receiver = Receiver()
        let random = Mutex(SeededGenerator(seed: 77))
        let server = try await ScriptedServer { _ in
            random.withLock { random in
                if random.below(4) == 0 { return .status(503, headers: ["Retry-After": "0"]) }
                return .decide { seen in
                    receiver.take(seen)
                    return .status(200)
                }
            }
        }
        try await deliver(store, cursor, to: server, [("concurrency", "8")]) { $0.maxRequest = .kibibytes(1) }
        #expect(receiver.lines.sorted() == lines.sorted())
        #expect(server.connections > 1)
        #expect(Ledger(store).closes)
        await server.stop()
    }

    @Test func `an outage in the middle`() async throws {
        let (store, cursor) = try store()
        let receiver = Receiver()
        let server = try await ScriptedServer { _ in
            .decide { seen in
                receiver.take(seen)
                return .status(200)
            }
        }
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await deliver(store, cursor, to: server) { $0.maxRequest = .kibibytes(1) } }
            await server.requests(3)
            await server.stopListening()
            await server.dropConnections()
            while bench.log.count("output_retries") < 3 { try await Task.sleep(for: .milliseconds(1)) }
            try await server.startListening()
            try await group.waitForAll()
        }
        #expect(receiver.lines == lines)
        await server.stop()
    }
}
