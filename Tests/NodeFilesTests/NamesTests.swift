// What the kubelet's names mean.
import NodeFiles
import Testing

struct NamesTests {
    @Test(arguments: [
        ("shop_web-688b586558-2n9pr_9bcef0f6-9bf5", "shop", "web-688b586558-2n9pr", "9bcef0f6-9bf5"),
        (
            "kube-system_etcd-lab-node_0123456789abcdef0123456789abcdef", "kube-system", "etcd-lab-node",
            "0123456789abcdef0123456789abcdef"
        ),
        // An uid may hold anything.
        ("a_b_c_d", "a", "b", "c_d"),
    ])
    func `a pod's folder names its namespace, pod and uid`(
        _ example: (name: String, namespace: String, pod: String, uid: String)
    ) throws {
        let folder = try #require(PodFolder(example.name))
        #expect(folder.namespace == example.namespace)
        #expect(folder.pod == example.pod)
        #expect(folder.uid == example.uid)
    }

    @Test(arguments: ["", "shop", "shop_web", "_web_uid", "shop__uid", "shop_web_", "lost+found", "__"])
    func `other folders are no pods`(name: String) { #expect(PodFolder(name) == nil) }

    @Test(arguments: [
        ("0.log", 0, "", false), ("17.log", 17, "", false),
        ("0.log.20261123-035943", 0, "20261123-035943", false),
        ("3.log.20261123-035943.gz", 3, "20261123-035943", true),
        ("0.log.20261123-035943.1", 0, "20261123-035943.1", false),
    ])
    func `a log's name tells restart, rotation and compression`(
        _ example: (name: String, restart: Int, rotation: String, isCompressed: Bool)
    ) throws {
        let name = try #require(ContainerLogName(example.name))
        #expect(Int(name.restart) == example.restart)
        #expect(name.rotation == example.rotation)
        #expect(name.isCompressed == example.isCompressed)
        #expect(name.isRotated == !example.rotation.isEmpty)
    }

    @Test(arguments: [
        "", "log", ".log", "-1.log", "x.log", "0.logs", "0.txt", "0.log.gz", "0.log.", "0.log.old", "0.log..gz",
        "0.log.20261123-035943.tmp", "0.log.20261123-035943.tmp.gz", "99999999999.log", "0", "0x1.log",
    ])
    func `other files are no logs`(name: String) { #expect(ContainerLogName(name) == nil) }

    private static let id = String(repeating: "0123456789abcdef", count: 4)

    @Test func `a link's name ends with the container's id`() {
        #expect(ContainerLink.containerID("web-688b_shop_nginx-\(Self.id).log") == Self.id)
        #expect(ContainerLink.containerID("web_shop_side-car-\(Self.id).log") == Self.id)
    }

    @Test(arguments: [
        "", "web_shop_nginx.log", "web_shop_nginx-\(id)", "web_shop_nginx-\(id.dropLast()).log",
        "web_shop_nginx-\(id)0.log",
        "web_shop_nginx-\(id.uppercased()).log", "\(id).log",
    ])
    func `other links have no id`(name: String) { #expect(ContainerLink.containerID(name) == nil) }

    @Test(arguments: [
        ("/var/log/pods/shop_web_uid/nginx/0.log", "shop_web_uid/nginx/0.log"),
        ("/somewhere/else/shop_web_uid/nginx/12.log", "shop_web_uid/nginx/12.log"),
        ("../pods/shop_web_uid/nginx/0.log", "shop_web_uid/nginx/0.log"),
    ])
    func `a link's target tells whose id it is`(_ example: (target: String, key: String)) {
        #expect(ContainerLink.key(target: example.target) == example.key)
    }

    @Test(arguments: ["", "0.log", "nginx/0.log"])
    func `a short target says nothing`(target: String) { #expect(ContainerLink.key(target: target) == nil) }
}
