// One connection of the scripted server: it takes the requests apart and acts when their answers say so. The answers
// are written as bytes, without the encoder of NIOHTTP1, because many of them are wrong on purpose.
private import Glibc
import NIOCore
import NIOHTTP1

extension ScriptedServer {
    /// The last handler of a connection's pipeline.
    final class Connection: ChannelInboundHandler {
        typealias InboundIn = HTTPServerRequestPart
        typealias OutboundOut = ByteBuffer

        /// The request that is handled now.
        private struct Exchange {
            enum Step { case waiting, delayed, acted, over }

            var seen: Seen
            var answer: Answer
            let isKeptAlive: Bool
            var step = Step.waiting

            /// Whether the moment of the answer is there.
            var isDue: Bool {
                if seen.isWhole { return true }
                if case .decide = answer.action { return false }
                return switch answer.moment {
                case .beforeBody: true
                case .inBody(let bytes): seen.received >= bytes
                case .afterBody: false
                }
            }

            var closes: Bool { answer.closes || !isKeptAlive }
        }

        private let hub: Hub
        private let number: Int
        private var exchange: Exchange?
        /// What came behind a whole request that has no answer yet.
        private var waiting: [HTTPServerRequestPart] = []
        /// The end of what was sent last.
        private var written: EventLoopFuture<Void>?
        /// What the body of the answer still comes from.
        private var stream: (body: Stream, inChunks: Bool)?
        /// Nothing is read any more, only thrown away.
        private var isLeaving = false

        init(_ hub: Hub, number: Int) {
            self.hub = hub
            self.number = number
        }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) { take(unwrapInboundIn(data), context) }

        func channelInactive(context: ChannelHandlerContext) {
            isOver()
            if case .stream(_, _, let stream) = exchange?.answer.action { stream.isGone() }
            stream = nil
        }

        func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
            if event is Stream.Wake { continueStream(context) } else { context.fireUserInboundEventTriggered(event) }
        }

        func errorCaught(context: ChannelHandlerContext, error: any Error) { Hub.abort(context.channel) }

        // MARK: Requests

        private func take(_ part: HTTPServerRequestPart, _ context: ChannelHandlerContext) {
            guard !isLeaving else { return }
            if exchange?.seen.isWhole == true {
                waiting.append(part)
                return
            }
            switch part {
            case .head(let head): begin(head, context)
            case .body(let buffer):
                if exchange?.step == .waiting { exchange?.seen.body += buffer.readableBytesView }
                exchange?.seen.received += buffer.readableBytes
            case .end: exchange?.seen.isWhole = true
            }
            guard let exchange else { return }
            switch exchange.step {
            case .waiting: if exchange.isDue { become(due: exchange, context) }
            case .acted: if exchange.seen.isWhole { settle(context) }
            case .delayed, .over: break
            }
        }

        private func begin(_ head: HTTPRequestHead, _ context: ChannelHandlerContext) {
            let seen = Seen(
                number: hub.nextRequest(), connection: number, method: head.method.rawValue, uri: head.uri,
                headers: head.headers.map { (name: $0.name, value: $0.value) })
            let answer = hub.script(seen)
            exchange = Exchange(seen: seen, answer: answer, isKeptAlive: head.isKeepAlive)
            if answer.continues { send(Array("HTTP/1.1 100 Continue\r\n\r\n".utf8), context) }
        }

        private func become(due exchange: Exchange, _ context: ChannelHandlerContext) {
            var exchange = exchange
            while case .decide(let decide) = exchange.answer.action { exchange.answer = decide(exchange.seen) }
            exchange.step = .delayed
            self.exchange = exchange
            guard exchange.answer.delay > .zero else { return act(context) }
            context.eventLoop.assumeIsolated().scheduleTask(in: TimeAmount(exchange.answer.delay)) {
                if context.channel.isActive { self.act(context) }
            }
        }

        /// Does what the answer says. The request is seen first: who has the answer shall find it there.
        private func act(_ context: ChannelHandlerContext) {
            guard var exchange else { return }
            exchange.step = .acted
            self.exchange = exchange
            switch exchange.answer.action {
            case .hangUp:
                leave()
                Hub.abort(context.channel)
            case .reset: reset(context)
            case .silence: finish(sending: [], context)
            case .raw(let bytes): finish(sending: bytes, context)
            case .respond(let status, let headers, let body, let sent):
                let response = Response(
                    status: status, headers: headers, body: body, sent: sent, closes: exchange.closes,
                    isHead: exchange.seen.method == "HEAD")
                finish(sending: response.bytes, context)
            case .stream(let status, let headers, let stream):
                let hasLength = headers.contains { $0.name.lowercased() == "content-length" }
                let response = Response(
                    status: status, headers: headers + (hasLength ? [] : [("Transfer-Encoding", "chunked")]), body: [],
                    sent: nil, closes: exchange.closes, isHead: exchange.seen.method == "HEAD")
                self.stream = (stream, inChunks: !hasLength)
                stream.begin(context.channel)
                finish(sending: response.bytes, context)
                continueStream(context)
            case .decide: break
            }
        }

        /// Sends the answer and treats what is left of the body.
        private func finish(sending bytes: [UInt8], _ context: ChannelHandlerContext) {
            guard let exchange else { return }
            let rest = exchange.seen.isWhole ? .read : exchange.answer.rest
            if exchange.seen.isWhole || rest != .read { isOver() }
            send(bytes, context)
            switch rest {
            case .read: if exchange.seen.isWhole { settle(context) }
            case .close: close(.all, context)
            case .halfClose: close(.output, context)
            case .leave: context.channel.setOption(.autoRead, value: false).whenFailure { _ in }
            }
        }

        /// Makes the connection ready for the next request: the server has acted, the body is whole.
        private func settle(_ context: ChannelHandlerContext) {
            guard let exchange else { return }
            isOver()
            guard stream == nil else { return }
            if case .silence = exchange.answer.action { return }
            if exchange.closes { return close(.all, context) }
            self.exchange = nil
            let parts = waiting
            waiting = []
            for part in parts { take(part, context) }
        }

        /// Does what the stream was told since the last time.
        private func continueStream(_ context: ChannelHandlerContext) {
            guard let (body, inChunks) = stream else { return }
            for event in body.take() {
                switch event {
                case .chunk(let bytes):
                    let size = Array("\(String(bytes.count, radix: 16))\r\n".utf8)
                    send(inChunks ? size + bytes + Array("\r\n".utf8) : bytes, context)
                case .raw(let bytes): send(bytes, context)
                case .end:
                    if inChunks { send(Array("0\r\n\r\n".utf8), context) }
                    stream = nil
                    body.isGone()
                    if exchange?.seen.isWhole == true { settle(context) }
                    return
                case .cut: return close(.all, context)
                case .reset: return reset(context)
                }
            }
        }

        private func isOver() {
            guard let exchange, exchange.step != .over else { return }
            self.exchange?.step = .over
            hub.isOver(exchange.seen)
        }

        // MARK: The socket

        private func send(_ bytes: [UInt8], _ context: ChannelHandlerContext) {
            if !bytes.isEmpty { written = context.writeAndFlush(wrapOutboundOut(ByteBuffer(bytes: bytes))) }
        }

        /// Closes the connection at once; the client gets a RST.
        private func reset(_ context: ChannelHandlerContext) {
            leave()
            let socket = context.channel as? any SocketOptionProvider
            _ = socket?.setSoLinger(linger(l_onoff: 1, l_linger: 0))
            Hub.abort(context.channel)
        }

        /// Takes no more requests.
        private func leave() {
            isOver()
            isLeaving = true
        }

        /// Closes the connection behind what was sent.
        private func close(_ mode: CloseMode, _ context: ChannelHandlerContext) {
            leave()
            let written = written ?? context.eventLoop.makeSucceededVoidFuture()
            written.assumeIsolated().whenComplete { _ in context.close(mode: mode, promise: nil) }
        }
    }

    /// The bytes of an answer with a status.
    private struct Response {
        let status: Int
        let headers: [(name: String, value: String)]
        let body: [UInt8]
        let sent: Int?
        let closes: Bool
        let isHead: Bool

        var bytes: [UInt8] {
            var lines = ["HTTP/1.1 \(status) \(HTTPResponseStatus(statusCode: status).reasonPhrase)"]
            lines += headers.map { "\($0.name): \($0.value)" }
            if closes, !has("connection") { lines.append("Connection: close") }
            if canHaveBody, !has("content-length"), !has("transfer-encoding") {
                lines.append("Content-Length: \(body.count)")
            }
            let head = lines.map { $0 + "\r\n" }.joined() + "\r\n"
            return Array(head.utf8) + (canHaveBody && !isHead ? body.prefix(sent ?? body.count) : [])
        }

        private var canHaveBody: Bool { status >= 200 && status != 204 && status != 304 }

        private func has(_ name: String) -> Bool { headers.contains { $0.name.lowercased() == name } }
    }
}
