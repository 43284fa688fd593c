// A real HTTP/1.1 server on 127.0.0.1 that does to each request what a test's script says, and keeps what it saw.
import NIOCore
private import NIOHTTP1
private import NIOPosix
package import NIOSSL
import Synchronization

/// A server that runs until `stop()` or until nobody holds it any more.
///
/// The script is called when the head of a request arrives and says when the server acts and what it does; with
/// `.decide` it is asked again when the body is there. It runs on the thread of the connections, so it must not block.
/// Requests of one connection are handled one after the other. Bodies that come bit by bit are `Stream`s.
package final class ScriptedServer: Sendable {
    /// The port it listens on, also while it does not listen.
    package let port: Int
    private let hub: Hub

    /// Starts to listen.
    ///
    /// - Parameters:
    ///   - port: a free port is chosen when it is 0.
    ///   - tls: with nil the server speaks plain HTTP.
    package init(
        port: Int = 0, tls: TLSConfiguration? = nil, answer: @escaping @Sendable (Seen) -> Answer
    ) async throws {
        hub = Hub(tls: try tls.map { try NIOSSLContext(configuration: $0) }, script: answer)
        self.port = try await hub.listen(on: port)
    }

    deinit { hub.abandon() }

    /// The requests whose handling is over, by number.
    ///
    /// It is over when the server has acted (of a stream: has sent the head) and the body is wholly there, or when the connection is gone. A client that
    /// has the answer to a whole request finds the request here; after an early answer, await `requests` first.
    package var seen: [Seen] { hub.state.withLock(\.seen) }

    /// How many connections there ever were, those without a request too.
    package var connections: Int { hub.state.withLock(\.connectionCount) }

    /// Waits until so many requests were handled, the server is stopped, or the task is cancelled.
    package func requests(_ count: Int) async { await hub.wait(for: count) }

    /// Refuses new connections; those that exist stay.
    package func stopListening() async { await hub.stopListening() }

    /// Listens again, on the same port.
    package func startListening() async throws { _ = try await hub.listen(on: port) }

    /// Closes all connections at once, in the middle of whatever they do.
    package func dropConnections() async { await hub.dropConnections() }

    /// Closes the listener and all connections, for good; another server can have the port at once.
    package func stop() async {
        hub.abandon()
        await hub.stopListening()
        await hub.dropConnections()
    }
}

extension ScriptedServer {
    /// What the server and its connections share.
    final class Hub: Sendable {
        struct State {
            var listener: (any Channel)?
            var channels: [Int: any Channel] = [:]
            var connectionCount = 0
            var requestCount = 0
            var seen: [Seen] = []
            var waiters: [Int: (count: Int, continuation: CheckedContinuation<Void, Never>)] = [:]
            var waiterCount = 0
            var isStopped = false

            /// Takes those out who wait for no more than what is seen.
            mutating func takeSatisfied() -> [CheckedContinuation<Void, Never>] {
                let satisfied = waiters.filter { isStopped || $0.value.count <= seen.count }
                for id in satisfied.keys { waiters[id] = nil }
                return satisfied.values.map(\.continuation)
            }
        }

        let state = Mutex(State())
        let tls: NIOSSLContext?
        let script: @Sendable (Seen) -> Answer

        init(tls: NIOSSLContext?, script: @escaping @Sendable (Seen) -> Answer) {
            self.tls = tls
            self.script = script
        }

        // MARK: Connections

        func listen(on port: Int) async throws -> Int {
            let listener = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
                .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
                .childChannelOption(.tcpOption(.tcp_nodelay), value: 1)
                .childChannelInitializer { channel in
                    channel.eventLoop.makeCompletedFuture { try self.accept(channel) }
                }
                .bind(host: "127.0.0.1", port: port).get()
            let isStopped = state.withLock { state in
                if !state.isStopped { state.listener = listener }
                return state.isStopped
            }
            if isStopped {
                try await listener.close()
                throw ChannelError.alreadyClosed
            }
            return listener.localAddress?.port ?? port
        }

        private func accept(_ channel: any Channel) throws {
            let number: Int? = state.withLock { state in
                guard !state.isStopped else { return nil }
                state.channels[state.connectionCount] = channel
                state.connectionCount += 1
                return state.connectionCount - 1
            }
            guard let number else { throw ChannelError.alreadyClosed }
            channel.closeFuture.whenComplete { _ in self.state.withLock { $0.channels[number] = nil } }
            let pipeline = channel.pipeline.syncOperations
            if let tls { try pipeline.addHandler(NIOSSLServerHandler(context: tls)) }
            try pipeline.addHandlers(
                ByteToMessageHandler(HTTPRequestDecoder()), Connection(self, number: number))
        }

        /// Closes the socket without the farewell of TLS.
        static func abort(_ channel: any Channel) {
            if let tls = try? channel.pipeline.syncOperations.context(handlerType: NIOSSLServerHandler.self) {
                tls.close(promise: nil)
            } else {
                channel.close(promise: nil)
            }
        }

        /// Begins to stop: no connection and no request is taken any more, nobody waits.
        func abandon() {
            let (listener, channels, waiters) = state.withLock { state in
                state.isStopped = true
                return (state.listener, state.channels.values, state.takeSatisfied())
            }
            for waiter in waiters { waiter.resume() }
            listener?.close(promise: nil)
            for channel in channels { channel.eventLoop.execute { Hub.abort(channel) } }
        }

        func stopListening() async {
            let listener = state.withLock { $0.listener.take() }
            listener?.close(promise: nil)
            try? await listener?.closeFuture.get()
        }

        func dropConnections() async {
            let channels = state.withLock(\.channels).values
            for channel in channels { channel.eventLoop.execute { Hub.abort(channel) } }
            for channel in channels { try? await channel.closeFuture.get() }
        }

        // MARK: Requests

        /// The number for a request whose head has come.
        func nextRequest() -> Int {
            state.withLock { state in
                state.requestCount += 1
                return state.requestCount - 1
            }
        }

        func isOver(_ request: Seen) {
            let satisfied = state.withLock { state in
                let place = state.seen.firstIndex { $0.number > request.number } ?? state.seen.endIndex
                state.seen.insert(request, at: place)
                return state.takeSatisfied()
            }
            for waiter in satisfied { waiter.resume() }
        }

        func wait(for count: Int) async {
            let id = state.withLock { state in
                state.waiterCount += 1
                return state.waiterCount
            }
            await withTaskCancellationHandler {
                await withCheckedContinuation { continuation in
                    let satisfied = state.withLock { state in
                        state.waiters[id] = (Task.isCancelled ? 0 : count, continuation)
                        return state.takeSatisfied()
                    }
                    for waiter in satisfied { waiter.resume() }
                }
            } onCancel: {
                let waiter = state.withLock { $0.waiters.removeValue(forKey: id) }
                waiter?.continuation.resume()
            }
        }
    }
}
