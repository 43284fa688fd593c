// What the node is called, by the settings, the environment, or the host.
import Settings
import Testing

struct NodeNameTests {
    @Test(
        arguments: [
            ("node-1", "node-2", "Host", "node-1", true), (nil, "node-2", "Host", "node-2", true),
            (nil, " node-2\n", "Host", "node-2", true), ("  ", "\n", "Host", "host", false),
            (nil, nil, "IP-10-0-0-1.EC2.internal", "ip-10-0-0-1.ec2.internal", false),
            ("\tNode 1 ", nil, "h", "Node 1", true),
        ] as [(String?, String?, String, String, Bool)])
    func `settings before the environment before the host, whose capitals no node has`(
        _ setting: String?, _ variable: String?, _ host: String, _ name: String, _ isGiven: Bool
    ) {
        let node = NodeName(setting, environment: { $0 == "NODE_NAME" ? variable : nil }, host: host)
        #expect(node.text == name && node.isGiven == isGiven)
    }
}
