// Which pods the kubelet's lines are about.
import Testing
import Viewer

/// The references as `namespace/name/uid`, a dash for what is not told.
private func references(_ text: String) -> [String] {
    PodReferences.find(in: Array(text.utf8).span).map { "\($0.namespace ?? "-")/\($0.name ?? "-")/\($0.uid ?? "-")" }
}

private let uid = "42d6be4b-d413-4638-a44f-c6c87935c5d9"
private let other = "eef1f6e7-4570-456f-a7f9-5346e72cfc68"
private let hash = "92c79f478e767ba08ecb6b6576e793f3"

@Suite("pods of lines") struct PodReferencesTests {
    @Test(arguments: [
        // Kubelets of version 1.20.
        ("SyncLoop (ADD, \"api\"): \"badimage_shop(\(uid))\"", ["shop/badimage/\(uid)"]),
        (
            "SyncLoop (ADD, \"api\"): \"badimage_shop(\(uid)), long_noise(\(other))\"",
            ["shop/badimage/\(uid)", "noise/long/\(other)"]
        ),
        (
            "SyncLoop (ADD, \"file\"): \"static-web-lab-node_kube-system(\(hash))\"",
            ["kube-system/static-web-lab-node/\(hash)"]
        ),
        (
            "SyncLoop (PLEG): \"badimage_shop(\(uid))\", event: &pleg.PodLifecycleEvent{ID:\"\(uid)\", Type:\"ContainerStarted\", Data:\"1c011c5127b67bf1b7e2a3ffcac02e20d208e3d2a0420a9fbd775accf9515b25\"}",
            ["shop/badimage/\(uid)"]
        ),
        (
            "Error syncing pod \(uid) (\"badimage_shop(\(uid))\"), skipping: failed to \"StartContainer\" for \"app\" with ImagePullBackOff: \"Back-off pulling image \\\"registry.invalid/team/missing:1.0\\\"\"",
            ["shop/badimage/\(uid)"]
        ),
        (
            "skipping: failed to \"StartContainer\" for \"app\" with CrashLoopBackOff: \"back-off 1m20s restarting failed container=app pod=badimage_shop(\(uid))\"",
            ["shop/badimage/\(uid)"]
        ),
        (
            "MountVolume.SetUp succeeded for volume \"sec\" (UniqueName: \"kubernetes.io/secret/\(other)-sec\") pod \"badvolume\" (UID: \"\(other)\")",
            ["-/badvolume/\(other)"]
        ),
        (
            "Operation for \"{volumeName:kubernetes.io/secret/\(other)-sec podName:\(other) nodeName:}\" failed. Error: \"MountVolume.SetUp failed for volume \\\"sec\\\" (UniqueName: \\\"kubernetes.io/secret/\(other)-sec\\\") pod \\\"badvolume\\\" (UID: \\\"\(other)\\\") : secret \\\"no-such-secret\\\" not found\"",
            ["-/badvolume/\(other)"]
        ),
        ("UnmountVolume.TearDown succeeded for volume \"x\" pod \"\(other)\" (UID: \"\(other)\").", ["-/-/\(other)"]),
        (
            "started for volume \"k8s\" (UniqueName: \"kubernetes.io/host-path/\(hash)-k8s\") pod \"web-lab-node\" (UID: \"\(hash)\")",
            ["-/web-lab-node/\(hash)"]
        ),
        (
            "Volume detached for volume \"k8s\" (UniqueName: \"kubernetes.io/host-path/\(hash)-k8s\") on node \"lab-node\"",
            ["-/-/\(hash)"]
        ),
        (
            "could not find path for \\\"/kubepods/besteffort/poda093c100-60e2-42ab-8fd5-70e5d49f65fb/f835091e\\\"",
            ["-/-/a093c100-60e2-42ab-8fd5-70e5d49f65fb"]
        ),
        ("for container \\\"/kubepods/besteffort/pod\(hash)\\\"", ["-/-/\(hash)"]),
        (
            "/kubepods.slice/kubepods-pod9bcef0f6_9bf5_4076_ae7f_b2d7952894ca.slice",
            ["-/-/9bcef0f6-9bf5-4076-ae7f-b2d7952894ca"]
        ),
        ("Path \"/var/lib/kubelet/pods/\(hash)/volumes\" does not exist", ["-/-/\(hash)"]),
        ("Status for pod \"\(uid)\" is up-to-date; skipping", ["-/-/\(uid)"]),
        ("Status for pod \"\(hash)\" is up-to-date; skipping", ["-/-/\(hash)"]),
        ("Killing unwanted pod \"nonl-exit\"", ["-/nonl-exit/-"]),
        (
            "Deleting a mirror pod \"static-web-lab-node_kube-system\" (uid (*types.UID)(0xc001541c60))",
            ["kube-system/static-web-lab-node/-"]
        ),
        ("Trying to delete pod static-web-lab-node_kube-system \(uid)", ["kube-system/static-web-lab-node/\(uid)"]),
        ("Failed to delete pod \"short_noise(\(uid))\", err: pod not found", ["noise/short/\(uid)"]),
        ("pods \"web-0\" not found", ["-/web-0/-"]),
        // Structured lines, as journals have them and as records do.
        ("\"Pod status updated\" pod=\"kube-system/etcd-lab-node\" status=Running", ["kube-system/etcd-lab-node/-"]),
        ("Pod status updated pod=kube-system/etcd-lab-node status=Running", ["kube-system/etcd-lab-node/-"]),
        ("\"SyncLoop ADD\" source=\"api\" pods=[\"shop/web-1\",\"shop/web-2\"]", ["shop/web-1/-", "shop/web-2/-"]),
        ("\"SyncLoop ADD\" source=\"api\" pods=[shop/web-1 shop/web-2]", ["shop/web-1/-", "shop/web-2/-"]),
        ("\"Error syncing pod, skipping\" err=\"x\" pod=\"shop/web-1\" podUID=\"\(uid)\"", ["shop/web-1/\(uid)"]),
        ("\"Error syncing pod, skipping\" podUID=\(uid) pod=shop/web-1", ["shop/web-1/\(uid)"]),
        (
            "\"Error syncing pod, skipping\" pod=\"kube-system/web-lab-node\" podUID=\(hash)",
            ["kube-system/web-lab-node/\(hash)"]
        ),
        (
            "\"SyncLoop (PLEG): event for pod\" pod=\"shop/web-1\" event={\"ID\":\"\(uid)\",\"Type\":\"ContainerDied\",\"Data\":\"e7\"}",
            ["shop/web-1/\(uid)"]
        ),
        ("{\"pod\":\"shop/web-1\",\"podUID\":\"\(uid)\"}", ["shop/web-1/\(uid)"]),
        ("\"Creating a mirror pod\" staticPod=\"kube-system/web-lab-node\"", ["kube-system/web-lab-node/-"]),
        ("\"Failed\" podName=\"web-1\" podNamespace=\"shop\" podUID=\"\(uid)\"", ["shop/web-1/\(uid)"]),
        ("\"Failed\" pod=\"web-1\" namespace=\"shop\"", ["shop/web-1/-"]),
        ("No sandbox for \"shop/web-1\" can be found", ["shop/web-1/-"]),
        (
            "RunPodSandbox for &PodSandboxMetadata{Name:web-1,Uid:\(uid),Namespace:shop,Attempt:0,}",
            ["shop/web-1/\(uid)"]
        ),
        (
            "\"Cleaned up orphaned pod volumes dir\" podUID=\"\(uid)\" path=\"/var/lib/kubelet/pods/\(uid)/volumes\"",
            ["-/-/\(uid)"]
        ),
        // Another pod's uid is not that of the pod that is named.
        ("Preempting pod=\"shop/web-1\" for /kubepods/besteffort/pod\(other)", ["shop/web-1/-", "-/-/\(other)"]),
        // No pods.
        ("Couldn't get secret shop/no-such-secret: secret \"no-such-secret\" not found", []),
        ("Starting reflector *v1.Secret (0s) from object-\"shop\"/\"default-token-wpgmd\"", []),
        ("Caches populated type=\"*v1.Secret\" reflector=\"object-\\\"shop\\\"/\\\"no-such-secret\\\"\"", []),
        ("could not find path for resource \\\"perf_event\\\"", []),
        ("Pulling image \"library/nginx\" and image \"team/web:1.0\"", []),
        ("Pulled \"team/web:1.0\" and \"team/web@sha256\"", []),
        (
            "MountVolume failed secret=\"shop/token\" configMap=\"shop/cfg\" image=\"team/web\" volumes=[\"shop/data\"]",
            []
        ),
        (
            "Killing container \"containerd://b888b9077a033e6a00f4ceb5fb595f73a4ad9e61cfc811022628fc608061da35\" with a 2 second grace period",
            []
        ),
        (
            "Container \"b888b9077a033e6a00f4ceb5fb595f73a4ad9e61cfc811022628fc608061da35\" not found in pod's containers",
            []
        ),
        ("machine \(hash) booted some_func(arg) foo_bar(12)", []),
        ("Using node IP: \"192.0.2.10\"", []),
        ("", []),
        ("pod=\"", []),
        ("pod \"\\", []),
        ("_shop(\(uid)) a_(\(uid)", ["-/-/\(uid)"]),
    ])
    func `lines are about pods`(text: String, expected: [String]) {
        #expect(references(text) == expected)
    }

    @Test func `what one line tells completes another`() {
        var known = KnownPods()
        for line in [
            "SyncLoop (ADD, \"api\"): \"badvolume_shop(\(other))\"", "pod=\"noise/long\"", "pod=\"noise/twin\"",
            "pod=\"shop/twin\"",
            "MountVolume.SetUp succeeded for volume \"truth\" pod \"badvolume\" (UID: \"\(other)\")",
        ] {
            for reference in PodReferences.find(in: Array(line.utf8).span) { known.note(reference) }
        }
        let whole = PodReference(namespace: "shop", name: "badvolume", uid: other)
        #expect(known.completed(PodReference(uid: other)) == whole)
        #expect(known.completed(PodReference(name: "badvolume", uid: other)) == whole)
        #expect(known.completed(PodReference(name: "long")) == PodReference(namespace: "noise", name: "long"))
        #expect(known.completed(PodReference(name: "twin")) == PodReference(name: "twin"), "it may be either")
        #expect(known.completed(PodReference(uid: uid)) == PodReference(uid: uid))
    }
}
