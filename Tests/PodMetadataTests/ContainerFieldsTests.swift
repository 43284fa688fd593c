// What records show of their container.
import Bytes
import PodMetadata
import Testing

@Suite("metadata in records")
struct ContainerFieldsTests {
    private let log = ContainerIdentity(
        namespace: "shop", pod: "web-5c4bdbb59b-x2x4z", uid: "uid", container: "app", restarts: 1, containerID: "")

    private var pod: Pod {
        var pod = Pod(uid: "uid", namespace: "shop", name: "web-5c4bdbb59b-x2x4z")
        pod.ip = "10.1.2.3"
        pod.owner = Owner(kind: "Deployment", name: "web")
        pod.labels = [
            Label("app.kubernetes.io/name", "we\"b"), Label("app_kubernetes_io/name", "2"), Label("empty", ""),
        ]
        pod.annotations = [Label("note", "x"), Label("other", "y")]
        var container = Pod.Container(name: "app", image: "nginx:1.27")
        container.current = Pod.Life(id: "bbb", restarts: 2, hasEnded: false)
        container.previous = Pod.Life(id: "aaa", restarts: 1, hasEnded: true)
        pod.containers = [container]
        return pod
    }

    private func ending(
        _ pod: Pod?, isPartial: Bool = false, _ change: (inout MetadataFormat) -> Void = { _ in }
    ) -> String {
        var format = MetadataFormat(node: "node-1", staticFields: Array(#","cluster":"c""#.utf8))
        change(&format)
        return String(
            decoding: format.ending(of: log, pod: pod, namespaceLabels: [Label("team", "a")], isPartial: isPartial),
            as: UTF8.self)
    }

    @Test func `everything that is known`() {
        #expect(
            ending(pod)
                == #","origin":"container","kubernetes":{"namespace_name":"shop","pod_name":"web-5c4bdbb59b-x2x4z","container_name":"app","pod_uid":"uid","container_id":"aaa","container_image":"nginx:1.27","restart_count":1,"node_name":"node-1","pod_ip":"10.1.2.3","owner_kind":"Deployment","owner_name":"web","labels":{"app.kubernetes.io/name":"we\"b","app_kubernetes_io/name":"2","empty":""},"namespace_labels":{"team":"a"}},"cluster":"c"}"#
                + "\n")
    }

    @Test func `names alone`() {
        #expect(
            ending(nil, isPartial: true).hasPrefix(
                #","origin":"container","kubernetes":{"namespace_name":"shop","pod_name":"web-5c4bdbb59b-x2x4z","container_name":"app","pod_uid":"uid","restart_count":1,"node_name":"node-1","#
            ))
        #expect(ending(nil, isPartial: true).contains(#","metadata":"partial"},"cluster":"c"}"#))
    }

    @Test func `labels in other styles`() {
        #expect(
            ending(pod, isPartial: false, { $0.style = .flat }).contains(
                #","labels.app.kubernetes.io/name":"we\"b","labels.app_kubernetes_io/name":"2","labels.empty":"","namespace_labels.team":"a"}"#
            ))
        // Two keys that become one stay two.
        #expect(
            ending(pod, isPartial: false, { $0.style = .dedot }).contains(
                #","labels":{"app_kubernetes_io/name":"we\"b","app_kubernetes_io/name_":"2","empty":""},"#))
    }

    @Test func `labels and annotations are chosen by their keys`() throws {
        let globs = try [Glob("app*")]
        #expect(
            ending(pod, isPartial: false, { $0.labels = globs }).contains(
                #""labels":{"app.kubernetes.io/name":"we\"b","app_kubernetes_io/name":"2"}"#))
        #expect(!ending(pod, isPartial: false, { $0.labels = [] }).contains(#""labels""#))
        #expect(!ending(pod).contains("annotations"))
        let notes = try [Glob("no*")]
        #expect(ending(pod, isPartial: false, { $0.annotations = notes }).contains(#""annotations":{"note":"x"}"#))
    }

    @Test func `a link's id counts before a status`() {
        var linked = log
        linked.containerID = "fromlink"
        let text = String(decoding: MetadataFormat(node: "n").ending(of: linked, pod: pod), as: UTF8.self)
        #expect(text.contains(#""container_id":"fromlink""#))
    }
}
