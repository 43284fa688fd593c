// What can happen to the output `http` beside the answers of its server.
import Logging
import Telemetry

/// Facts about connections.
enum HTTPOutputEvent: TelemetryEvent {
    case insecure(output: String, server: String)
    case reconnected(output: String, reason: String)
    case cannotRenew(output: String, reason: String)

    var level: Logger.Level {
        switch self {
        case .insecure, .cannotRenew: .warning
        case .reconnected: .debug
        }
    }

    var message: String {
        switch self {
        case .insecure:
            "insecure_skip_verify is set: the server's certificate is not checked, whoever is in between can read and change the records"
        case .reconnected: "a connection that had lain idle was closed by the server; the request is sent again at once"
        case .cannotRenew: "the certificates cannot be read again; the connections go on with the old ones"
        }
    }

    var details: [(String, String)] {
        switch self {
        case .insecure(let output, let server): [("output", output), ("server", server)]
        case .reconnected(let output, let reason), .cannotRenew(let output, let reason):
            [("output", output), ("reason", reason)]
        }
    }

    var counter: String {
        switch self {
        case .insecure: "http_insecure_starts"
        case .reconnected: "http_reconnects"
        case .cannotRenew: "http_renewal_failures"
        }
    }
}
