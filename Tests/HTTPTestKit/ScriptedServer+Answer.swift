// What the scripted server tells its script about a request, and what the script can make it do.
private import Foundation

extension ScriptedServer {
    /// A request as far as it has come.
    package struct Seen: Sendable {
        /// Counts the requests of the server from 0, in the order in which their heads came.
        package let number: Int
        /// Counts the connections of the server from 0; requests of one connection have the same.
        package let connection: Int
        package let method: String
        /// The path and the query, as they came.
        package let uri: String
        /// The lines of the head, in their order.
        package let headers: [(name: String, value: String)]
        /// The body as it was when the server began to act.
        package var body: [UInt8] = []
        /// The bytes of the body that came in all, those after an early answer too.
        package var received = 0
        /// Whether the body came to its end.
        package var isWhole = false

        /// The value of the first header with this name, in whatever case.
        package func header(_ name: String) -> String? {
            headers.first { $0.name.lowercased() == name.lowercased() }?.value
        }

        /// The path without the query, as it came.
        package var path: String { String(uri.prefix { $0 != "?" }) }

        /// The value of the first parameter of the query with this name, decoded; nil when there is none.
        package func query(_ name: String) -> String? {
            URLComponents(string: uri)?.queryItems?.first { $0.name == name }.map { $0.value ?? "" }
        }

        /// Whether the body came in chunks and not with a length.
        package var isChunked: Bool { header("Transfer-Encoding")?.lowercased() == "chunked" }
    }

    /// What the server does to one request: an action, such as `.status(503)`, and changes of it, such as
    /// `.status(503).at(.beforeBody, rest: .close).delayed(by: .seconds(1))`.
    package struct Answer: Sendable {
        /// When the server acts.
        package enum Moment: Sendable {
            case beforeBody
            /// As soon as so many bytes have come, or the whole body; more may have come with them.
            case inBody(afterBytes: Int)
            case afterBody
        }

        /// What becomes of a body that is not whole when the server has acted.
        package enum Rest: Sendable {
            /// It is read, and the connection stays.
            case read
            /// The connection is closed at once, unannounced unless the answer is also `closing()`. The kernel sends a
            /// reset when bytes of the body lie unread, so the client may see the answer, a reset, or a broken pipe.
            case close
            /// The server ends its side and reads until the client ends the other, so the client can read the answer.
            case halfClose
            /// It is not read, and the connection stays: the client can soon send no more.
            case leave
        }

        enum Action: Sendable {
            /// `sent` cuts the body, not the promised length.
            case respond(status: Int, headers: [(name: String, value: String)], body: [UInt8], sent: Int?)
            case raw([UInt8])
            case hangUp, reset, silence
            case stream(status: Int, headers: [(name: String, value: String)], Stream)
            case decide(@Sendable (Seen) -> Answer)
        }

        let action: Action
        private(set) var moment = Moment.afterBody
        private(set) var rest = Rest.read
        private(set) var delay = Duration.zero
        private(set) var continues = false
        private(set) var closes = false

        /// Answers with a status, and with a `Content-Length` unless the headers have one or a `Transfer-Encoding`.
        package static func status(
            _ status: Int, headers: KeyValuePairs<String, String> = [:], _ body: String = ""
        ) -> Answer {
            Answer(action: .respond(status: status, headers: pairs(headers), body: Array(body.utf8), sent: nil))
        }

        /// Promises a body, sends only its first bytes and closes the connection.
        package static func partial(
            _ status: Int, headers: KeyValuePairs<String, String> = [:], _ body: String, sent: Int
        ) -> Answer {
            Answer(action: .respond(status: status, headers: pairs(headers), body: Array(body.utf8), sent: sent))
                .closing()
        }

        /// Answers with a status and a body that comes bit by bit, in chunks unless the headers have a `Content-Length`.
        package static func stream(
            _ status: Int, headers: KeyValuePairs<String, String> = [:], _ body: Stream
        ) -> Answer {
            Answer(action: .stream(status: status, headers: pairs(headers), body))
        }

        /// Sends bytes as they are; the connection stays unless the answer is also `closing()`.
        package static func raw(_ bytes: [UInt8]) -> Answer { Answer(action: .raw(bytes)) }

        /// Closes the connection without an answer, as a process does that ends.
        package static var hangUp: Answer { Answer(action: .hangUp) }

        /// Resets the connection: the client gets a RST.
        package static var reset: Answer { Answer(action: .reset) }

        /// Never answers and holds the connection; its handling is over when the body is whole.
        package static var silence: Answer { Answer(action: .silence) }

        /// Asks again when the body is whole, and then does what that answer says. Of the changes of this one only
        /// `continuing()` counts; of the changes of that one `delayed` and `closing` do.
        package static func decide(_ decide: @escaping @Sendable (Seen) -> Answer) -> Answer {
            Answer(action: .decide(decide))
        }

        /// The same at another moment; `rest` matters when the body is not whole then.
        package func at(_ moment: Moment, rest: Rest = .read) -> Answer {
            var answer = self
            answer.moment = moment
            answer.rest = rest
            return answer
        }

        /// The same, so long after its moment. The request is seen only then, or when the client has gone.
        package func delayed(by delay: Duration) -> Answer {
            var answer = self
            answer.delay = delay
            return answer
        }

        /// The same, with a `100 Continue` as soon as the head is there.
        package func continuing() -> Answer {
            var answer = self
            answer.continues = true
            return answer
        }

        /// The same, and the connection is closed behind it and the body; a status says so in `Connection: close`.
        package func closing() -> Answer {
            var answer = self
            answer.closes = true
            return answer
        }

        private init(action: Action) { self.action = action }

        private static func pairs(_ headers: KeyValuePairs<String, String>) -> [(name: String, value: String)] {
            headers.map { (name: $0.key, value: $0.value) }
        }
    }
}
