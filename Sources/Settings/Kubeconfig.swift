// Kubeconfig files: which server, whom to trust, and who we say we are, of one context. What kubectl would use is used,
// but only what needs neither another program nor a person.
import HTTPTransport
package import Kubernetes
import Pipeline

/// Reads kubeconfig files.
///
/// As with kubectl, data in the file counts before a path beside it, `tokenFile` before `token` (client-go reads the file
/// again and again, and what it says wins), and an `http://` server is told no credentials at all. Where there is a
/// certificate and a token the certificate is used, since API servers look at it first.
package enum Kubeconfig {
    /// How the server of a context is reached.
    ///
    /// Files that it names are opened, to tell of those that cannot be read.
    ///
    /// - Parameters:
    ///   - path: the kubeconfig, YAML or JSON. Paths in it are relative to its folder.
    ///   - context: the name of a context; nil for its `current-context`.
    ///   - readFile: the contents of a file: of this one, and of those that it names.
    /// - Throws: `KubeconfigError` with the first thing that is wrong.
    package static func read(
        path: String, context: String? = nil,
        readFile: (String) throws(SettingsFile.Unreadable) -> [UInt8] = SettingsFile.contents
    ) throws(KubeconfigError) -> ClusterAccess {
        let bytes: [UInt8]
        do throws(SettingsFile.Unreadable) {
            bytes = try readFile(path)
        } catch {
            let hint = path.hasPrefix("~") ? "write the whole path: '~' stands for nothing here" : nil
            throw KubeconfigError(file: path, "cannot be read: \(error.reason)", hint: hint)
        }
        guard let raw = String(validating: bytes, as: UTF8.self) else {
            let mark = YAMLSyntax.mark(ofFirst: "\u{FFFD}", in: String(decoding: bytes, as: UTF8.self))
            throw KubeconfigError(file: path, mark: mark, "this is not UTF-8 text")
        }
        let text = raw.unicodeScalars.first == "\u{FEFF}" ? String(raw.unicodeScalars.dropFirst()) : raw
        let problems = SettingsProblems(file: path, text: text)
        let root = YAMLTree.read(text, as: .confidential, problems: problems)
        if let problem = problems.sorted.first {
            throw KubeconfigError(file: path, mark: problem.origin.mark, problem.message, hint: problem.hint)
        }
        guard let root else { throw KubeconfigError(file: path, "cannot be read as YAML") }
        let folder = path.lastIndex(of: "/").map { String(path[...$0]) } ?? ""
        return try withoutActuallyEscaping(readFile) { readFile throws(KubeconfigError) in
            let reader = KubeconfigReader(file: path, folder: folder, readFile: readFile)
            return try reader.access(KubeconfigNode(root, path: "", file: path), context: context)
        }
    }
}

/// Reads one kubeconfig, once it is a tree.
private struct KubeconfigReader {
    let file: String
    /// With its slash at the end; empty for the current one.
    let folder: String
    let readFile: (String) throws(SettingsFile.Unreadable) -> [UInt8]

    func access(_ root: KubeconfigNode, context name: String?) throws(KubeconfigError) -> ClusterAccess {
        guard root.isMapping else { throw root.fault("is not a kubeconfig, expected lines 'key: value'") }
        if let kind = try root.text("kind"), kind.text != "Config" {
            throw kind.node.fault("is not that of a kubeconfig, expected Config")
        }
        let context = try context(name, of: root)
        guard let clusterName = try context.text("cluster") else { throw context.fault("names no 'cluster'") }
        let cluster = try entry(clusterName.text, of: .cluster, in: root, namedAt: clusterName.node)
        guard let server = try cluster.text("server") else { throw cluster.fault("has no 'server'") }
        let address: ServerAddress
        do throws(SettingMisfit) {
            address = try ServerAddress(server.text, mayHavePath: true)
        } catch {
            throw server.node.fault(error.message, hint: error.hint)
        }
        try refuse(
            ["proxy-url"], of: cluster, "a proxy for one cluster is not supported",
            hint: "name a server that can be reached without it")

        var access = ClusterAccess(server: address.url, credentials: .none, origin: "the kubeconfig \(file)")
        // A server without TLS would get the credentials for everybody to read: as kubectl, we keep them.
        guard address.isSecure else { return access }
        access.authority = try pem("certificate-authority", of: cluster, holding: .certificate)
        access.serverName = try cluster.text("tls-server-name")?.text
        if let skips = try cluster.text("insecure-skip-tls-verify") {
            guard let value = try? Bool(text: skips.text) else { throw skips.node.fault("is neither true nor false") }
            if value, access.authority != nil {
                throw skips.node.fault(
                    "cannot be true where there is a certificate-authority", hint: "leave one of them out")
            }
            access.skipsVerification = value
        }
        if let userName = try context.text("user") {
            let user = try entry(userName.text, of: .user, in: root, namedAt: userName.node)
            access.credentials = try credentials(user)
        }
        return access
    }

    // MARK: Contexts, clusters, users

    /// What kubeconfigs have a list of.
    private enum Entry: String {
        case context, cluster, user
    }

    private func context(_ name: String?, of root: KubeconfigNode) throws(KubeconfigError) -> KubeconfigNode {
        if let name { return try entry(name, of: .context, in: root, namedAt: nil) }
        guard let current = try root.text("current-context") else {
            let known = root.names(in: "contexts")
            let listed = known.isEmpty ? "" : ", one of " + Self.listed(known)
            throw root.fault("has no current-context", hint: "name a context\(listed)")
        }
        return try entry(current.text, of: .context, in: root, namedAt: current.node)
    }

    /// The entry of a name: in `contexts`, say, the `context` of the first item that is called so.
    private func entry(
        _ name: String, of kind: Entry, in root: KubeconfigNode, namedAt place: KubeconfigNode?
    ) throws(KubeconfigError) -> KubeconfigNode {
        let list = "\(kind.rawValue)s"
        guard let items = try root.items(list) else { throw root.fault("has no '\(list)'") }
        for item in items where try item.text("name")?.text == name {
            guard let body = item.child(kind.rawValue) else { throw item.fault("has no '\(kind.rawValue)'") }
            guard body.isMapping else { throw body.fault("expected lines 'key: value'") }
            return body
        }
        let known = root.names(in: list)
        let meant = Suggestions.closest(to: name, among: known).map { ", did you mean \($0.quotedForMessage)?" } ?? ""
        throw (place ?? root.child(list) ?? root).fault(
            "there is no \(kind.rawValue) \(name.quotedForMessage)\(meant)",
            hint: known.isEmpty || !meant.isEmpty ? nil : "there is \(Self.listed(known))")
    }

    private static func listed(_ names: [String]) -> String {
        names.prefix(10).map(\.quotedForMessage).joined(separator: ", ") + (names.count > 10 ? ", ..." : "")
    }

    // MARK: Who we say we are

    private func credentials(_ user: KubeconfigNode) throws(KubeconfigError) -> ClusterAccess.Credentials {
        let instead =
            "use the token of a service account: write it as 'token', or its file as 'tokenFile' ('kubectl create token' makes one)"
        try refuse(["exec"], of: user, "credentials that a program tells are not supported", hint: instead)
        try refuse(["auth-provider"], of: user, "auth-provider is not supported", hint: instead)
        try refuse(["username", "password"], of: user, "user names and passwords are not supported", hint: instead)
        try refuse(
            ["as", "as-uid", "as-groups", "as-user-extra"], of: user, "acting as somebody else is not supported",
            hint: "give the user itself the rights that are needed, or " + instead)

        let certificate = try pem("client-certificate", of: user, holding: .certificate)
        let key = try pem("client-key", of: user, holding: .key)
        switch (certificate, key) {
        case (let certificate?, let key?): return .certificate(certificate, key: key)
        case (.some, nil): throw user.fault("has a client-certificate without its client-key")
        case (nil, .some): throw user.fault("has a client-key without its client-certificate")
        case (nil, nil): break
        }
        if let path = try user.text("tokenFile") {
            return .tokenFile(try readable(path, else: "token").path)
        }
        guard let token = try user.text("token") else { return .none }
        guard token.text.utf8.allSatisfy({ (0x21...0x7E).contains($0) }) else {
            throw token.node.fault("is not a token: it has spaces or other characters that no token has")
        }
        return .token(token.text)
    }

    private func refuse(
        _ keys: [String], of node: KubeconfigNode, _ message: String, hint: String
    ) throws(KubeconfigError) {
        for key in keys {
            if let child = node.child(key), !child.isEmpty { throw child.fault(message, hint: hint) }
        }
    }

    // MARK: Certificates, keys, files

    private enum PEM: String {
        case certificate = "a certificate"
        case key = "a private key"
    }

    /// Data in the file, or else what the path beside it leads to; nil when there is neither.
    private func pem(
        _ key: String, of node: KubeconfigNode, holding kind: PEM
    ) throws(KubeconfigError) -> PEMSource? {
        if let data = try node.text(key + "-data") {
            let bytes = try decoded(data, fileKey: key)
            if let fault = Self.fault(of: bytes, holding: kind) { throw data.node.fault("what it encodes \(fault)") }
            return .text(bytes)
        }
        guard let value = try node.text(key) else { return nil }
        let (path, bytes) = try readable(value, else: key + "-data")
        if let fault = Self.fault(of: bytes, holding: kind) { throw value.node.fault("the file \(path) \(fault)") }
        return .file(path)
    }

    private func decoded(_ data: KubeconfigNode.Text, fileKey: String) throws(KubeconfigError) -> [UInt8] {
        let hint = "'base64 -w0 FILE' makes it; or write the file's path as '\(fileKey)'"
        if data.text.contains("-----BEGIN") {
            throw data.node.fault("is in PEM format itself, expected it in base64 once more", hint: hint)
        }
        guard let bytes = Base64.decode(data.text) else { throw data.node.fault("is not base64", hint: hint) }
        return bytes
    }

    private static func fault(of bytes: [UInt8], holding kind: PEM) -> String? {
        let text = String(decoding: bytes, as: UTF8.self)
        let isRight = text.contains(kind == .key ? "PRIVATE KEY-----" : "-----BEGIN CERTIFICATE-----")
        guard text.contains("-----BEGIN "), isRight else { return "is not \(kind.rawValue) in PEM format" }
        guard kind == .key, text.contains("ENCRYPTED") else { return nil }
        return "is encrypted with a password, which nobody is there to enter"
    }

    /// The file that a text names, which can be read.
    private func readable(
        _ value: KubeconfigNode.Text, else key: String
    ) throws(KubeconfigError) -> (path: String, bytes: [UInt8]) {
        guard !Self.isLikelySecret(value.text) else {
            throw value.node.fault(
                "this is no path of a file", hint: "what belongs into the file itself goes under '\(key)'")
        }
        let path = value.text.hasPrefix("/") ? value.text : folder + value.text
        do throws(SettingsFile.Unreadable) {
            return (path, try readFile(path))
        } catch {
            throw value.node.fault("the file \(path) cannot be read: \(error.reason)")
        }
    }

    /// Whether a path is none but a token or a key, which must not be told: as web tokens and base64 of PEM begin, or longer
    /// than a file's name may be.
    private static func isLikelySecret(_ path: String) -> Bool {
        path.hasPrefix("eyJ") || path.hasPrefix("LS0t") || path.contains("-----BEGIN")
            || path.utf8.split(separator: UInt8(ascii: "/")).contains { $0.count > 255 }
    }
}
