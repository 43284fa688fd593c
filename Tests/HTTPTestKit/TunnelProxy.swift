// A proxy that makes tunnels, whatever it is asked for, to one port of this machine.
import NIOCore
private import NIOPosix

/// Answers each CONNECT with 200 and joins the connection with one to the server.
package final class TunnelProxy: Sendable {
    /// The port it listens on.
    package let port: Int
    private let listener: any Channel

    /// Starts to listen.
    package init(to server: Int) async throws {
        listener = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(Relay(to: server))
                }
            }
            .bind(host: "127.0.0.1", port: 0).get()
        port = listener.localAddress?.port ?? 0
    }

    /// Refuses new connections.
    package func stop() async { try? await listener.close() }

    /// One side of a tunnel.
    private final class Relay: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer

        private let server: Int?
        private var question = ByteBuffer()
        private var peer: (any Channel)?

        init(to server: Int) { self.server = server }

        init(peer: any Channel) {
            server = nil
            self.peer = peer
        }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            var buffer = unwrapInboundIn(data)
            if let peer { return peer.writeAndFlush(buffer, promise: nil) }
            question.writeBuffer(&buffer)
            guard String(buffer: question).hasSuffix("\r\n\r\n"), let server else { return }
            let channel = context.channel
            let relay = NIOLoopBound(self, eventLoop: context.eventLoop)
            ClientBootstrap(group: context.eventLoop)
                .channelInitializer { other in
                    other.eventLoop.makeCompletedFuture {
                        try other.pipeline.syncOperations.addHandler(Relay(peer: channel))
                    }
                }
                .connect(host: "127.0.0.1", port: server)
                .whenSuccess { other in
                    relay.value.peer = other
                    channel.writeAndFlush(ByteBuffer(string: "HTTP/1.1 200 OK\r\n\r\n"), promise: nil)
                }
        }

        func channelInactive(context: ChannelHandlerContext) { peer?.close(promise: nil) }
        func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }
    }
}
