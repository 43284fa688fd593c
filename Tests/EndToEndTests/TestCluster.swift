// An API server with pods and namespaces that tests change: lists, watches, and single objects.
import Foundation
import HTTPTestKit
import Synchronization
import TestKit

/// A cluster of one node.
final class TestCluster: Sendable {
    /// A pod as its author and the kubelet see it.
    struct Pod: Sendable {
        var namespace = "shop"
        var name: String
        var uid: String
        var labels: [String: String] = [:]
        var annotations: [String: String] = [:]
        var owner: (kind: String, name: String, uid: String)?
        var containers: [(name: String, image: String)] = [("app", "nginx:1.27")]

        init(_ name: String, uid: String, labels: [String: String] = [:]) {
            self.name = name
            self.uid = uid
            self.labels = labels
        }

        fileprivate func object(_ version: Int) -> [String: Any] {
            var metadata: [String: Any] = [
                "name": name, "namespace": namespace, "uid": uid, "resourceVersion": "\(version)", "labels": labels,
                "annotations": annotations, "creationTimestamp": "2026-11-23T03:00:00Z",
            ]
            if let owner {
                metadata["ownerReferences"] = [
                    [
                        "apiVersion": "apps/v1", "kind": owner.kind, "name": owner.name, "uid": owner.uid,
                        "controller": true,
                    ]
                ]
            }
            return [
                "kind": "Pod", "apiVersion": "v1", "metadata": metadata,
                "spec": [
                    "nodeName": "node-1", "containers": containers.map { ["name": $0.name, "image": $0.image] },
                ] as [String: Any],
                "status": ["podIP": "10.1.2.3"],
            ]
        }
    }

    private struct State {
        var version = 100
        var pods: [String: Pod] = [:]
        var namespaces: [String: [String: String]] = [:]
        var owners: [String: [String: Any]] = [:]
        var watches: [(path: String, body: ScriptedServer.Stream)] = []
        var refuses: Int?
    }

    private let state: Shared
    let server: ScriptedServer

    /// What the script and the test share.
    private final class Shared: Sendable {
        let mutex = Mutex(State())
    }

    init() async throws {
        let shared = Shared()
        state = shared
        server = try await ScriptedServer { seen in TestCluster.answer(seen, shared) }
    }

    /// The section `kubernetes:` with a kubeconfig in `scratch`.
    func section(_ scratch: ScratchDirectory, more: String = "") throws -> String {
        let kubeconfig = try scratch.write(
            "kubeconfig",
            """
            current-context: c
            contexts: [{ name: c, context: { cluster: c, user: u } }]
            clusters: [{ name: c, cluster: { server: "http://127.0.0.1:\(server.port)" } }]
            users: [{ name: u, user: { token: t } }]
            """)
        return "kubernetes: { kubeconfig: \"\(kubeconfig)\"\(more) }\nagent: { node: node-1 }"
    }

    // MARK: Changes

    /// The pod is new, or has changed.
    func put(_ pod: Pod) {
        state.mutex.withLock { state in
            let kind = state.pods[pod.uid] == nil ? "ADDED" : "MODIFIED"
            state.pods[pod.uid] = pod
            tell(kind, "/api/v1/pods", &state) { pod.object($0) }
        }
    }

    func delete(_ pod: Pod) {
        state.mutex.withLock { state in
            state.pods[pod.uid] = nil
            tell("DELETED", "/api/v1/pods", &state) { pod.object($0) }
        }
    }

    func put(namespace: String, labels: [String: String]) {
        state.mutex.withLock { state in
            state.namespaces[namespace] = labels
            tell("MODIFIED", "/api/v1/namespaces", &state) { TestCluster.namespace(namespace, labels, $0) }
        }
    }

    /// Every request is answered with this status; nil: as it should be.
    func refuse(_ status: Int?) { state.mutex.withLock { $0.refuses = status } }

    /// All watches end.
    func endWatches() {
        for watch in state.mutex.withLock({ $0.watches }) { watch.body.cut() }
    }

    private func tell(_ kind: String, _ path: String, _ state: inout State, _ object: (Int) -> [String: Any]) {
        state.version += 1
        let event: [String: Any] = ["type": kind, "object": object(state.version)]
        for watch in state.watches where watch.path == path { watch.body.send(TestCluster.json(event) + "\n") }
    }

    // MARK: Answers

    private static func answer(_ seen: ScriptedServer.Seen, _ shared: Shared) -> ScriptedServer.Answer {
        shared.mutex.withLock { state in
            if let status = state.refuses { return .status(status, "{}") }
            let isKnown = ["/api/v1/pods", "/api/v1/namespaces"].contains(seen.path)
            guard isKnown else { return .status(404, #"{"kind":"Status","code":404,"reason":"NotFound"}"#) }
            if seen.path == "/api/v1/pods", seen.query("fieldSelector") != "spec.nodeName=node-1" {
                return .status(400, "{}")
            }
            if seen.query("watch") == nil {
                let items =
                    seen.path == "/api/v1/pods"
                    ? state.pods.values.map { $0.object(state.version) }
                    : state.namespaces.map { namespace($0.key, $0.value, state.version) }
                return .status(
                    200,
                    json([
                        "kind": "List", "apiVersion": "v1", "metadata": ["resourceVersion": "\(state.version)"],
                        "items": items,
                    ]))
            }
            let body = ScriptedServer.Stream()
            // What has changed between the list and this.
            if seen.query("resourceVersion") != "\(state.version)" {
                let items = state.pods.values.map { $0.object(state.version) }
                for item in items { body.send(json(["type": "MODIFIED", "object": item]) + "\n") }
            }
            state.watches.append((seen.path, body))
            return .stream(200, body)
        }
    }

    private static func namespace(_ name: String, _ labels: [String: String], _ version: Int) -> [String: Any] {
        [
            "kind": "Namespace", "apiVersion": "v1",
            "metadata": ["name": name, "uid": "ns-\(name)", "labels": labels, "resourceVersion": "\(version)"]
                as [String: Any],
        ]
    }

    private static func json(_ value: [String: Any]) -> String {
        String(decoding: (try? JSONSerialization.data(withJSONObject: value)) ?? Data(), as: UTF8.self)
    }
}
