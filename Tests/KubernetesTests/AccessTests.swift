// Tokens and certificates that are exchanged on disk, and servers that come late.
import Disk
import HTTPTestKit
import HTTPTransport
import Kubernetes
import PodMetadata
import TestKit
import Testing

@Suite("access to an API server", .timeLimit(.minutes(1))) struct AccessTests {
    @Test func `a token that is exchanged on disk comes into use`() async throws {
        let cluster = try await Cluster { _ in .list([JSON.pod("a")]) }
        try cluster.scratch.write("token", "wrong")
        try await cluster.run {
            try await cluster.until("unauthorized") { cluster.telemetry.count("metadata_unauthorized") >= 2 }
            try cluster.scratch.write("token", "right")
            try await cluster.until("listed") { cluster.pods == ["a"] }
        }
        #expect(cluster.telemetry.said("does not accept the token in \(cluster.tokenFile), of a test (401)"))
        #expect(cluster.telemetry.lines.contains { $0.contains(" error ") })
    }

    @Test func `a token that is missing is waited for`() async throws {
        let cluster = try await Cluster { _ in .list([JSON.pod("a")]) }
        ScratchDirectory.remove(cluster.tokenFile)
        try await cluster.run {
            try await cluster.until("no token") { cluster.telemetry.count("metadata_unauthorized") >= 2 }
            #expect(cluster.server.connections == 0)
            try cluster.scratch.write("token", "right")
            try await cluster.until("listed") { cluster.pods == ["a"] }
        }
        #expect(cluster.telemetry.said(cluster.tokenFile))
    }

    @Test(arguments: ["stranger", "garbage", "missing"]) func `an authority that is exchanged on disk comes into use`(
        _ wrong: String
    ) async throws {
        let cluster = try await Cluster { request in request.question == .listPods ? .list([JSON.pod("a")]) : nil }
        let certificates = try Certificates.shared.get()
        switch wrong {
        case "stranger":
            try cluster.scratch.write("ca.pem", try ScratchDirectory.contents(of: certificates.stranger.certificate))
        case "garbage": try cluster.scratch.write("ca.pem", "no certificate")
        default: ScratchDirectory.remove(cluster.scratch.path("ca.pem"))
        }
        try await cluster.run {
            try await cluster.until("untrusted") { cluster.telemetry.count("metadata_untrusted") >= 2 }
            #expect(cluster.count(.listPods) == 0)
            let right = try ScratchDirectory.contents(of: certificates.ours.authority.certificate)
            try cluster.scratch.write("ca.pem", right)
            try await cluster.until("listed") { cluster.pods == ["a"] }
        }
        #expect(cluster.telemetry.said("the certificate authority of a test"))
        #expect(cluster.telemetry.lines.contains { $0.contains(" error ") })
    }

    @Test func `a client certificate tells who we are`() async throws {
        let certificates = try Certificates.shared.get()
        let tls = try certificates.server.serverTLS(onlyClientsOf: certificates.ours.authority)
        let cluster = try await Cluster(token: nil, tls: tls) { request in
            request.question == .listPods ? .list([JSON.pod("a")]) : nil
        }
        let client = try TestCertificates(in: cluster.scratch.path, name: "stranger").client()
        var access = cluster.access
        access.credentials = .certificate(.file(client.certificate), key: .file(client.key))
        try await cluster.run(access) {
            try await cluster.until("refused") {
                cluster.telemetry.count("metadata_unreachable") + cluster.telemetry.count("metadata_untrusted") >= 2
            }
            // The right one is put in its place.
            let right = try certificates.ours.client("agent-\(cluster.server.port)")
            try cluster.scratch.write("new.key", try ScratchDirectory.contents(of: right.key))
            try LocalFileSystem().rename(cluster.scratch.path("new.key"), to: client.key)
            try cluster.scratch.write("new.pem", try ScratchDirectory.contents(of: right.certificate))
            try LocalFileSystem().rename(cluster.scratch.path("new.pem"), to: client.certificate)
            try await cluster.until("listed") { cluster.pods == ["a"] }
        }
        #expect(cluster.requests(.listPods).first?.request.seen.header("Authorization") == nil)
    }

    @Test func `a server with another name is not trusted`() async throws {
        let certificates = try Certificates.shared.get()
        let identity = try certificates.ours.server("elsewhere", dns: ["kubernetes.default.svc"], ip: [])
        let cluster = try await Cluster(token: "fixed", tls: try identity.serverTLS()) { request in
            request.question == .listPods ? .list([JSON.pod("a")]) : nil
        }
        var access = cluster.access
        access.credentials = .token("fixed")
        try await cluster.run(access) {
            try await cluster.until("untrusted") { cluster.telemetry.count("metadata_untrusted") >= 1 }
        }
        #expect(cluster.pods == [])
    }

    @Test(
        arguments: [
            "HTTP/1.1 000 odd\r\nContent-Length: 0\r\n\r\n", "HTTP/1.1 099 odd\r\n\r\n",
            "HTTP/1.1 101 Switching Protocols\r\n\r\n", "SMTP ready\r\n\r\n",
            String(repeating: "HTTP/1.1 100 Continue\r\n\r\n", count: 1000),
        ])
    func `a server that answers what is no answer is asked again`(answer: String) async throws {
        let cluster = try await Cluster { request in
            request.question == .listPods
                ? request.number < 2 ? .raw(Array(answer.utf8)).closing() : .list([JSON.pod("a")]) : nil
        }
        try await cluster.run { try await cluster.until("listed") { cluster.pods == ["a"] } }
        #expect(cluster.telemetry.count("metadata_unreachable") >= 1)
    }

    @Test func `a server with a certificate for its address is not the one with a name`() async throws {
        let certificates = try Certificates.shared.get()
        let identity = try certificates.ours.server("address-only", dns: [], ip: ["127.0.0.1"])
        let cluster = try await Cluster(tls: try identity.serverTLS()) { request in
            request.question == .listPods ? .list([JSON.pod("a")]) : nil
        }
        var access = cluster.access
        access.server = "https://localhost:\(cluster.server.port)"
        try await cluster.run(access) {
            try await cluster.until("untrusted") { cluster.telemetry.count("metadata_untrusted") >= 1 }
        }
        #expect(cluster.pods == [] && cluster.server.seen.isEmpty)
    }

    @Test func `a server that shows our token back does not bring it into the log`() async throws {
        let cluster = try await Cluster(token: nil) { request in
            let token = request.seen.header("Authorization") ?? ""
            return switch request.number % 3 {
            case 0: .json(403, JSON.status(403, "no rights for \(token)"))
            case 1: .status(500, "no words for \(token)")
            default: .status(302, headers: ["Location": "https://login.example/?\(token)"])
            }
        }
        var access = cluster.access
        access.credentials = .token("t0ken-of-ours")
        try await cluster.run(access) {
            try await cluster.until("three answers") { cluster.count(.listPods) > 4 }
        }
        #expect(cluster.telemetry.said("*****") && !cluster.telemetry.said("t0ken-of-ours"))
    }

    @Test func `the name in the certificate may be set`() async throws {
        let certificates = try Certificates.shared.get()
        let identity = try certificates.ours.server("named", dns: ["kubernetes.default.svc"], ip: [])
        let cluster = try await Cluster(token: "fixed", tls: try identity.serverTLS()) { request in
            request.question == .listPods ? .list([JSON.pod("a")]) : nil
        }
        var access = cluster.access
        access.credentials = .token("fixed")
        access.serverName = "kubernetes.default.svc"
        try await cluster.run(access) { try await cluster.until("listed") { cluster.pods == ["a"] } }
        #expect(cluster.requests(.listPods).first?.request.seen.header("Host") == "127.0.0.1:\(cluster.server.port)")
    }

    @Test func `a server that comes late is waited for`() async throws {
        let cluster = try await Cluster { request in request.question == .listPods ? .list([JSON.pod("a")]) : nil }
        await cluster.server.stopListening()
        try await cluster.run {
            try await cluster.until("unreachable") { cluster.telemetry.count("metadata_unreachable") >= 3 }
            #expect(cluster.telemetry.said("cannot connect to 127.0.0.1:\(cluster.server.port): Connection refused"))
            try await cluster.server.startListening()
            try await cluster.until("listed") { cluster.pods == ["a"] }
        }
    }

    @Test func `a server that is away for a while goes on where it was`() async throws {
        let second = ScriptedServer.Stream(JSON.event("ADDED", JSON.pod("c", version: "102")))
        let cluster = try await Cluster { request in
            switch (request.question, request.number) {
            case (.listPods, _): .list([JSON.pod("a")])
            case (.watchPods, 0): .watch(.init(JSON.event("ADDED", JSON.pod("b", version: "101"))))
            default: .watch(second)
            }
        }
        try await cluster.run {
            try await cluster.until("watched") { cluster.pods == ["a", "b"] }
            await cluster.server.stopListening()
            await cluster.server.dropConnections()
            try await cluster.until("unreachable") { cluster.telemetry.count("metadata_unreachable") >= 2 }
            #expect(cluster.pods == ["a", "b"])
            try await cluster.server.startListening()
            try await cluster.until("watched again") { cluster.pods == ["a", "b", "c"] }
            #expect(cluster.directory.health == .current)
        }
        #expect(cluster.count(.listPods) == 1)
        #expect(cluster.telemetry.count("metadata_reconnects") == 1)
    }
}
