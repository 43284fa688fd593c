// The last handler in front of the HTTP client: what a server sends reaches the client only in the order and with the
// statuses that the client can bear. It ends the process by a precondition where they are others, and a server is a stranger.
internal import NIOCore
internal import NIOHTTP1

/// Lets through, of what the decoder makes of a server's bytes: for each request some answers that announce another (1xx), then
/// one head, its body and its end. Everything else ends the connection.
final class AnswerGuard: ChannelDuplexHandler {
    typealias InboundIn = HTTPClientResponsePart
    typealias InboundOut = HTTPClientResponsePart
    typealias OutboundIn = HTTPClientRequestPart
    typealias OutboundOut = HTTPClientRequestPart

    /// More answers that only announce one are a server that never comes to the point.
    private static let mostAnnouncements = 100

    private enum State {
        case idle
        case waiting(announcements: Int)
        case inBody
        case broken
    }

    private var state = State.idle
    /// What requests have to look like for a proxy that forwards them; nil without one.
    private let forwarding: ProxyForwarding?

    init(_ forwarding: ProxyForwarding?) { self.forwarding = forwarding }

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        guard case .head(var head) = unwrapOutboundIn(data) else { return context.write(data, promise: promise) }
        state = .waiting(announcements: 0)
        forwarding?.apply(to: &head)
        context.write(wrapOutboundOut(.head(head)), promise: promise)
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch (state, unwrapInboundIn(data)) {
        case (.broken, _): return
        case (.waiting(let announcements), .head(let head)):
            switch head.status.code {
            case 101: return refuse(.switchesProtocols, context)
            case 100...199:
                guard announcements < Self.mostAnnouncements else { return refuse(.neverBegins, context) }
                state = .waiting(announcements: announcements + 1)
            case 200...999: state = .inBody
            default: return refuse(.status(Int(head.status.code)), context)
            }
        case (.inBody, .body): break
        case (.inBody, .end): state = .idle
        default: return refuse(.outOfTurn, context)
        }
        context.fireChannelRead(data)
    }

    private func refuse(_ fault: AnswerFault, _ context: ChannelHandlerContext) {
        state = .broken
        context.fireErrorCaught(fault)
        context.close(promise: nil)
    }
}

/// An answer that is none, though its bytes look like HTTP.
enum AnswerFault: Error, Hashable {
    /// 0 to 99, or more than 999.
    case status(Int)
    /// One 1xx after the other.
    case neverBegins
    /// 101: another protocol from here on, which nobody has asked for.
    case switchesProtocols
    /// There was no question.
    case outOfTurn

    /// What is wrong, in an operator's words.
    var words: String {
        switch self {
        case .status(let status): "the server's answer is not HTTP: it has the status \(status)"
        case .neverBegins: "the server announces an answer again and again (1xx) and never begins one"
        case .switchesProtocols: "the server wants to speak another protocol (101)"
        case .outOfTurn: "the server sent an answer that nobody has asked for"
        }
    }
}
