// The settings of the output `http`, checked as far as they can be without looking at the world.
private import Foundation
import HTTPTransport
import NIOHTTP1
package import Pipeline
private import Store

/// What an operator can set for the output `http`.
package struct HTTPSettings: SettingsSection {
    /// How records are put together.
    package enum Format: String, CaseIterable, Sendable {
        /// One JSON object a line.
        case ndjson
        /// One JSON array of objects.
        case jsonArray = "json_array"
    }

    /// How bodies are encoded.
    package enum Compression: String, CaseIterable, Sendable {
        case gzip
        case none
    }

    /// The method of requests.
    package enum Method: String, CaseIterable, Sendable {
        case post = "POST"
        case put = "PUT"
    }

    package let url: String
    let method: Method
    let format: Format
    let compression: Compression
    /// In the order of the file.
    let headers: [(name: String, value: String)]
    let auth: Auth
    let tls: TLS
    let timeouts: Timeouts
    let concurrency: Int

    package init(from fields: inout Fields) {
        let hint = "for example 'url: https://logs.example.com/ingest'"
        url = fields.required("url", as: AddressText.self, hint: hint)?.text ?? ""
        if !url.isEmpty, let fault = Self.faultOfURL(url) { fields.refuse("url", fault, hint: hint) }
        method = fields.choice("method", default: .post)
        format = fields.choice("format", default: .ndjson)
        compression = fields.choice("compression", default: .gzip)
        headers = fields.table("headers", of: HeaderValue.self, refusingNames: Self.faultOfHeader).map { ($0, $1.text) }
        auth = fields.section("auth", as: Auth.self)
        tls = fields.section("tls", as: TLS.self)
        timeouts = fields.section("timeouts", as: Timeouts.self)
        concurrency = fields.int("concurrency", default: 1, in: 1...CursorState.mostSending)
        if auth.isGiven, let name = headers.first(where: { $0.name.lowercased() == "authorization" })?.name {
            fields.refuse("headers", "'\(name)' is set here and by 'auth:', which of them is meant?")
        }
        if !url.isEmpty, url.hasPrefix("http://"), fields.has("tls") {
            fields.refuse(
                "tls", "the url begins with http://, so there is no TLS to set", hint: "write https:// in 'url'")
        }
    }

    private static func faultOfURL(_ text: String) -> String? {
        // Nothing of it is shown: any part may be a password or a token.
        guard let parts = URLComponents(string: text), let scheme = parts.scheme?.lowercased(),
            scheme == "http" || scheme == "https"
        else { return "this is not the address of a web server, expected http:// or https://" }
        if parts.host?.isEmpty != false { return "has no host" }
        if let port = parts.port, !(1...65_535).contains(port) { return "has the port \(port), expected 1 to 65535" }
        if parts.user != nil || parts.password != nil {
            return "holds a user name or a password, they belong under 'auth:'"
        }
        return nil
    }

    /// Names that the client itself sets, or that would break the request.
    private static let ownHeaders: Set<String> = [
        "content-length", "transfer-encoding", "content-encoding", "connection", "idempotency-key", "expect",
    ]

    private static func faultOfHeader(_ name: String) -> String? {
        let tokens = "!#$%&'*+-.^_`|~"
        let isToken = name.unicodeScalars.allSatisfy {
            $0.isASCII
                && ($0.properties.isAlphabetic || $0.properties.numericType != nil
                    || tokens.unicodeScalars.contains($0))
        }
        if name.isEmpty || !isToken { return "is not the name of a header" }
        return ownHeaders.contains(name.lowercased()) ? "is set by the output itself" : nil
    }

    // MARK: Sections

    /// Who we say we are.
    struct Auth: SettingsSection {
        let username: String?
        let password: Secret?
        let bearer: Bearer?
        let bearerFile: String?

        init(from fields: inout Fields) {
            username = fields.optional("username", as: String.self)
            password = fields.optional("password", as: Secret.self)
            bearer = fields.optional("bearer", as: Bearer.self)
            bearerFile = fields.path("bearer_file")
            if let fault = Self.faultOfUser(username) { fields.refuse("username", fault) }
            if let fault = Self.faultOfPassword(password) {
                fields.refuse(
                    "password", fault, hint: "see whether the file or the variable it comes from has more than one line"
                )
            }
            let ways = [fields.has("username"), fields.has("bearer"), fields.has("bearer_file")].count { $0 }
            if ways > 1 {
                let extra = fields.has("bearer_file") ? "bearer_file" : "bearer"
                fields.refuse(extra, "there is another way to authenticate beside it, only one can be used")
            }
            if fields.has("username") != fields.has("password") {
                fields.has("username")
                    ? fields.refuse("password", "missing, a user name needs one")
                    : fields.refuse("username", "missing, a password needs one")
            }
        }

        /// RFC 7617, 2: neither may have control characters, and the name ends at its first colon.
        private static func faultOfUser(_ name: String?) -> String? {
            guard let name else { return nil }
            if name.contains(":") { return "has a colon, a user name cannot" }
            return hasOddCharacters(name) ? "has control characters or a byte order mark, a user name cannot" : nil
        }

        private static func faultOfPassword(_ password: Secret?) -> String? {
            password.map { hasOddCharacters($0.revealed()) } == true
                ? "has control characters or a byte order mark, a password cannot" : nil
        }

        private static func hasOddCharacters(_ text: String) -> Bool {
            text.unicodeScalars.contains { $0.value < 0x20 || $0.value == 0x7f || $0 == "\u{feff}" }
        }

        var isGiven: Bool { username != nil || bearer != nil || bearerFile != nil }
    }

    /// How the connection is secured; https is, with the system's authorities, when nothing is set.
    struct TLS: SettingsSection {
        let caFile: String?
        let certFile: String?
        let keyFile: String?
        let serverName: String?
        let insecureSkipVerify: Bool

        init(from fields: inout Fields) {
            caFile = fields.path("ca_file")
            certFile = fields.path("cert_file")
            keyFile = fields.path("key_file")
            serverName = fields.optional("server_name", as: String.self)
            insecureSkipVerify = fields.value("insecure_skip_verify", default: false)
            if fields.has("cert_file") != fields.has("key_file") {
                fields.has("cert_file")
                    ? fields.refuse("key_file", "missing, a client certificate needs its key")
                    : fields.refuse("cert_file", "missing, a key needs its certificate")
            }
        }
    }

    /// How long each phase of a request may take.
    struct Timeouts: SettingsSection {
        /// Until there is a connection, the name looked up.
        let connect: Interval
        /// So much longer when it is to be secured.
        let tls: Interval
        /// How long the server may be silent: neither taking the body nor answering.
        let response: Interval
        /// All of it.
        let whole: Interval
        /// The age at which connections are exchanged for new ones: names are looked up and certificates read again.
        let renew: Interval

        init(from fields: inout Fields) {
            let least = Interval.milliseconds(10)
            connect = fields.value("connect", default: .seconds(10), atLeast: least)
            tls = fields.value("tls", default: .seconds(10), atLeast: least)
            response = fields.value("response", default: .seconds(30), atLeast: least)
            whole = fields.value("whole", default: .minutes(2), atLeast: least)
            renew = fields.value("renew", default: .minutes(5), atLeast: least)
        }
    }
}

/// A token, without what editors and shells leave around it.
struct Bearer: TextSettingValue {
    static var expectation: String { "a token" }
    static var isSecret: Bool { true }
    let token: Secret

    init(text: String) throws(SettingMisfit) {
        if let token = BearerToken.read(text) {
            self.token = Secret(text: token)
        } else if text.allSatisfy({ $0.isWhitespace || $0 == "\u{feff}" }) {
            throw .text("is empty, expected a token")
        } else {
            throw .text(
                "is not a token: it has blanks or other characters that no token has",
                hint: "write the token alone, without the word Bearer")
        }
    }
}

/// What a header may hold: no control characters. Blanks around it are not part of it.
private struct HeaderValue: TextSettingValue {
    static var expectation: String { "the value of a header" }
    // It may be a token, whatever the header's name.
    static var isSecret: Bool { true }
    let text: String

    init(text: String) throws(SettingMisfit) {
        guard text.utf8.allSatisfy({ $0 >= 0x20 && $0 != 0x7f || $0 == 0x09 }) else {
            throw .text("has control characters, a header cannot")
        }
        if text.unicodeScalars.first == "\u{feff}" {
            throw .text("begins with a byte order mark, which is no part of a header")
        }
        let isBlank: (Unicode.Scalar) -> Bool = { $0 == " " || $0 == "\t" }
        let scalars = text.unicodeScalars.drop(while: isBlank).reversed().drop(while: isBlank).reversed()
        self.text = String(String.UnicodeScalarView(scalars))
    }
}

extension HTTPSettings {
    /// Headers that everybody may read.
    private static let openHeaders: Set<String> = [
        "accept", "accept-charset", "accept-encoding", "accept-language", "content-type", "host", "user-agent",
    ]
    /// What is shorter stands in words of every kind, and is no secret.
    private static let leastSecret = 4

    /// What a server must not tell our log: some show the request that they refuse. Tokens in files come to it.
    var secrets: OwnSecrets {
        var secrets: [String] = []
        if let username = auth.username, let password = auth.password?.revealed() {
            secrets += [password, "\(username):\(password)"]
        }
        if let bearer = auth.bearer { secrets.append(bearer.token.revealed()) }
        secrets += transport.proxySecrets
        var others = headers.filter { !Self.openHeaders.contains($0.name.lowercased()) }.map(\.value)
        for header in headers where header.name.lowercased() == "authorization" {
            others += OwnSecrets.ofAuthorization(header.value)
        }
        let query = URLComponents(string: url)
        others += (query?.queryItems ?? []).compactMap(\.value) + [query?.percentEncodedQuery ?? ""]
        return OwnSecrets(secrets + others.filter { $0.utf8.count >= Self.leastSecret })
    }
}

extension HTTPSettings {
    /// How the server is reached.
    var transport: TransportSettings {
        var transport = TransportSettings(url: url)
        transport.authority = tls.caFile.map { .file($0) }
        transport.certificate = tls.certFile.map { .file($0) }
        transport.key = tls.keyFile.map { .file($0) }
        transport.serverName = tls.serverName
        transport.skipsVerification = tls.insecureSkipVerify
        transport.connect = timeouts.connect.duration
        transport.tls = timeouts.tls.duration
        transport.silence = timeouts.response.duration
        transport.whole = timeouts.whole.duration
        transport.connections = concurrency
        return transport
    }
}

extension HTTPSettings.Method {
    var method: HTTPMethod { self == .post ? .POST : .PUT }
}
